/* One JSON item to events; see http_map.h. The item is walked once; of its scalars only those are
 * kept that the mapping names. Numbers stay the text that they are: ids of twenty digits fit no
 * double. */
#include "http_map.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "base/mem.h"
#include "pointer.h"

struct http_map {
    struct event_map *events; /* NULL: items are events already */
    const char *const *inputs;
    size_t input_count;
    char *since;

    /* Of the item at hand: */
    struct pointer at;
    struct event_value *values;
    size_t *starts; /* of each value in `kept`, which moves as it grows */
    struct text_buffer kept;
    char *ret_since;
    bool is_object;
    const char *fault;
};

static void keep(struct http_map *m, const char *text, size_t length)
{
    if (m->since && pointer_is(&m->at, m->since) && length < SINCE_SIZE)
        snprintf(m->ret_since, SINCE_SIZE, "%.*s", (int)length, text);
    for (size_t i = 0; i < m->input_count; i++) {
        if (!pointer_is(&m->at, m->inputs[i]))
            continue;
        m->starts[i] = m->kept.length;
        m->values[i] = (struct event_value){ "", length, false };
        text_buffer_add(&m->kept, text, length);
    }
}

static int on_null(void *arg)
{
    struct http_map *m = arg;

    pointer_value(&m->at);
    return 1;
}

static int on_boolean(void *arg, int is_true)
{
    struct http_map *m = arg;

    pointer_value(&m->at);
    keep(m, is_true ? "true" : "false", is_true ? 4 : 5);
    return 1;
}

static int on_number(void *arg, const char *text, size_t length)
{
    struct http_map *m = arg;

    pointer_value(&m->at);
    keep(m, text, length);
    return 1;
}

static int on_string(void *arg, const unsigned char *text, size_t length)
{
    struct http_map *m = arg;

    pointer_value(&m->at);
    if (length > 0)
        keep(m, (const char *)text, length);
    return 1;
}

static int open_value(struct http_map *m, bool is_list)
{
    pointer_value(&m->at);
    if (m->at.depth == 0)
        m->is_object = !is_list;
    for (size_t i = 0; i < m->input_count; i++)
        if (pointer_is(&m->at, m->inputs[i]))
            m->values[i].is_compound = true;
    if (pointer_open(&m->at, is_list))
        return 1;
    m->fault = "item: nested deeper than 32 levels";
    return 0;
}

static int on_open_map(void *arg)
{
    return open_value(arg, false);
}

static int on_open_list(void *arg)
{
    return open_value(arg, true);
}

static int on_key(void *arg, const unsigned char *key, size_t length)
{
    struct http_map *m = arg;

    pointer_key(&m->at, key, length);
    return 1;
}

static int on_close(void *arg)
{
    struct http_map *m = arg;

    pointer_close(&m->at);
    return 1;
}

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_boolean,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_open_map,
    .yajl_map_key = on_key,
    .yajl_end_map = on_close,
    .yajl_start_array = on_open_list,
    .yajl_end_array = on_close,
};

static bool is_bare(const struct event_map_settings *s)
{
    return !s->fields && !s->events && !s->constants && !s->when && !(s->id && s->id[0]);
}

int http_map_create(struct http_map **ret, const struct event_map_settings *settings,
                    const char *since, struct err *err)
{
    struct http_map *m = mem_zalloc(sizeof *m);
    int rc = is_bare(settings) ? 0 : event_map_create(&m->events, settings, err);

    if (rc < 0) {
        free(m);
        return rc;
    }
    if (m->events)
        m->input_count = event_map_inputs(m->events, &m->inputs);
    m->values = mem_zalloc((m->input_count + 1) * sizeof *m->values);
    m->starts = mem_zalloc((m->input_count + 1) * sizeof *m->starts);
    m->since = since ? mem_strdup(since) : NULL;
    *ret = m;
    return 0;
}

void http_map_destroy(struct http_map *m)
{
    if (!m)
        return;
    event_map_destroy(m->events);
    text_buffer_finish(&m->kept);
    free(m->values);
    free(m->starts);
    free(m->since);
    free(m);
}

static bool walk(struct http_map *m, const char *json, size_t length)
{
    yajl_handle parser = yajl_alloc(&callbacks, NULL, m);
    bool well;

    assert(parser);
    m->at = (struct pointer){ 0 };
    m->kept.length = 0;
    m->is_object = false;
    m->fault = NULL;
    memset(m->values, 0, m->input_count * sizeof *m->values);
    well = yajl_parse(parser, (const unsigned char *)json, length) == yajl_status_ok &&
           yajl_complete_parse(parser) == yajl_status_ok && m->at.depth == 0;
    yajl_free(parser);
    if (!well && !m->fault)
        m->fault = "item: no JSON";
    else if (well && !m->is_object)
        m->fault = "item: not an object";
    return m->fault == NULL;
}

int http_map_item(struct http_map *m, const char *json, size_t length, struct http_mapped *mapped)
{
    mapped->events.length = 0;
    mapped->since[0] = mapped->refusal[0] = '\0';
    m->ret_since = mapped->since;
    if (!walk(m, json, length)) {
        snprintf(mapped->refusal, sizeof mapped->refusal, "%s", m->fault);
        return -1;
    }
    if (!m->events) {
        text_buffer_add(&mapped->events, json, length);
        text_buffer_adds(&mapped->events, "\n");
        return 1;
    }
    for (size_t i = 0; i < m->input_count; i++)
        if (m->values[i].text)
            m->values[i].text = m->kept.bytes + m->starts[i];
    return event_map_make(m->events, m->values, &mapped->events, mapped->refusal);
}

void http_mapped_finish(struct http_mapped *mapped)
{
    text_buffer_finish(&mapped->events);
}
