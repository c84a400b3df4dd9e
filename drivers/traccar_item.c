/* Traccar's objects; see traccar_item.h. They are small (a page is read item by item), so that a
 * tree of each costs little. */
#include "traccar_item.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_tree.h>

#include "base/instant.h"
#include "base/mem.h"

static yajl_val member(yajl_val object, const char *name)
{
    const char *path[] = { name, NULL };

    return yajl_tree_get(object, path, yajl_t_any);
}

/* NULL: it is no object. */
static yajl_val parse(const char *json, size_t length)
{
    char *text = mem_strndup(json, length);
    yajl_val tree = yajl_tree_parse(text, NULL, 0);

    free(text);
    if (tree && !YAJL_IS_OBJECT(tree)) {
        yajl_tree_free(tree);
        tree = NULL;
    }
    return tree;
}

/* Both 3 and 3.0 are met for one member. */
static int64_t integer_of(yajl_val object, const char *name)
{
    yajl_val value = member(object, name);

    if (YAJL_IS_INTEGER(value))
        return YAJL_GET_INTEGER(value);
    return YAJL_IS_DOUBLE(value) && YAJL_GET_DOUBLE(value) > -9e15 && YAJL_GET_DOUBLE(value) < 9e15
               ? (int64_t)YAJL_GET_DOUBLE(value)
               : 0;
}

static double number_of(yajl_val object, const char *name)
{
    yajl_val value = member(object, name);

    return YAJL_IS_DOUBLE(value)    ? YAJL_GET_DOUBLE(value)
           : YAJL_IS_INTEGER(value) ? (double)YAJL_GET_INTEGER(value)
                                    : 0;
}

static const char *text_of(yajl_val object, const char *name)
{
    yajl_val value = member(object, name);

    return YAJL_IS_STRING(value) ? YAJL_GET_STRING(value) : "";
}

static void copy_text(char *to, size_t size, yajl_val object, const char *name)
{
    (void)snprintf(to, size, "%s", text_of(object, name)); /* cut: it is for people and keys */
}

/* 0: none, or no time. */
static int64_t instant_of(yajl_val object, const char *name)
{
    const char *text = text_of(object, name);
    int64_t at;

    return instant_parse(text, strlen(text), &at) ? at : 0;
}

static enum traccar_status status_of(const char *text)
{
    return strcmp(text, "online") == 0    ? TRACCAR_ONLINE
           : strcmp(text, "offline") == 0 ? TRACCAR_OFFLINE
                                          : TRACCAR_UNKNOWN;
}

static void copy_alarm(char to[TRACCAR_ALARM_SIZE], yajl_val object)
{
    yajl_val attributes = member(object, "attributes");

    to[0] = '\0';
    if (YAJL_IS_OBJECT(attributes))
        copy_text(to, TRACCAR_ALARM_SIZE, attributes, "alarm");
}

bool traccar_device_read(const char *json, size_t length, struct traccar_device *ret)
{
    yajl_val tree = parse(json, length);
    struct traccar_device d = { .id = tree ? integer_of(tree, "id") : 0 };

    if (d.id > 0) {
        copy_text(d.unique_id, sizeof d.unique_id, tree, "uniqueId");
        copy_text(d.name, sizeof d.name, tree, "name");
        copy_text(d.model, sizeof d.model, tree, "model");
        d.status = status_of(text_of(tree, "status"));
        d.disabled = YAJL_IS_TRUE(member(tree, "disabled"));
        d.updated_at = instant_of(tree, "lastUpdate");
        d.position = integer_of(tree, "positionId");
        *ret = d;
    }
    yajl_tree_free(tree);
    return d.id > 0 && d.unique_id[0];
}

bool traccar_position_read(const char *json, size_t length, struct traccar_position *ret)
{
    yajl_val tree = parse(json, length);
    struct traccar_position p = { .id = tree ? integer_of(tree, "id") : 0 };

    if (p.id > 0) {
        p.device = integer_of(tree, "deviceId");
        p.valid = YAJL_IS_TRUE(member(tree, "valid"));
        p.latitude = number_of(tree, "latitude");
        p.longitude = number_of(tree, "longitude");
        p.fixed_at = instant_of(tree, "fixTime");
        p.heard_at = instant_of(tree, "serverTime");
        copy_alarm(p.alarm, tree);
        *ret = p;
    }
    yajl_tree_free(tree);
    return p.id > 0;
}

bool traccar_event_read(const char *json, size_t length, struct traccar_event *ret)
{
    yajl_val tree = parse(json, length);
    struct traccar_event e = { .id = tree ? integer_of(tree, "id") : 0 };

    if (e.id > 0) {
        e.device = integer_of(tree, "deviceId");
        copy_text(e.type, sizeof e.type, tree, "type");
        e.at = instant_of(tree, "eventTime");
        copy_alarm(e.alarm, tree);
        *ret = e;
    }
    yajl_tree_free(tree);
    return e.id > 0;
}

const char *traccar_alarm_next(const char *alarms, char ret[TRACCAR_TEXT_SIZE])
{
    size_t length;

    alarms += strspn(alarms, ", ");
    if (!*alarms)
        return NULL;
    length = strcspn(alarms, ", ");
    (void)snprintf(ret, TRACCAR_TEXT_SIZE, "%.*s", (int)length, alarms);
    return alarms + length;
}
