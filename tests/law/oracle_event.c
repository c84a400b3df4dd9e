/* Law 1, a second time: which lines are events, and which of them the log takes. A table of the
 * fields and their lengths; everything else is a sentence of the law after another. */
#include "oracle.h"

#include <assert.h>
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_tree.h>

#include "base/mem.h"
#include "base/text.h"

static const struct {
    const char *name;
    size_t min, max;
} strings[] = {
    { "source", 1, 32 },  { "id", 1, 128 },     { "type", 1, 80 },  { "at", 1, 64 },
    { "ticket", 1, 128 }, { "device", 1, 64 },  { "site", 1, 64 },  { "department", 1, 64 },
    { "staff", 1, 64 },   { "vehicle", 1, 64 }, { "model", 1, 64 }, { "outcome", 1, 16 },
    { "reason", 0, 256 }, { "by", 1, 64 },      { "code", 1, 64 },  { "input", 1, 32 },
};

static yajl_val get(yajl_val object, const char *name)
{
    return yajl_tree_get(object, (const char *[]){ name, NULL }, yajl_t_any);
}

static const char *text_of(yajl_val object, const char *name)
{
    yajl_val value = get(object, name);

    return value ? YAJL_GET_STRING(value) : NULL;
}

/* The first field that is no string or has the wrong length; NULL if all are well. */
static const char *wrong_string(yajl_val object)
{
    for (size_t i = 0; i < LENGTH(strings); i++) {
        yajl_val value = get(object, strings[i].name);

        if (!value)
            continue;
        if (!YAJL_IS_STRING(value) || strlen(value->u.string) < strings[i].min ||
            strlen(value->u.string) > strings[i].max)
            return strings[i].name;
    }
    return NULL;
}

static bool is_source(const char *text)
{
    for (const char *p = text; *p; p++)
        if (!islower((unsigned char)*p) && !isdigit((unsigned char)*p) &&
            (p == text || (*p != '_' && *p != '-')))
            return false;
    return true;
}

static bool is_one_of(const char *text, const char *const *list)
{
    for (; *list; list++)
        if (strcmp(text, *list) == 0)
            return true;
    return false;
}

static bool is_kind_of_ticket(const char *kind, const struct rules *rules)
{
    for (size_t i = 0; i < rules->kpi_count; i++)
        if (!rules->kpis[i].counts_devices && strcmp(rules->kpis[i].counts, kind) == 0)
            return true;
    return false;
}

static bool split_type(struct oracle_event *e, const char *type)
{
    const char *dot = strrchr(type, '.');

    if (!dot || (size_t)(dot - type) >= sizeof e->kind || strlen(dot + 1) >= sizeof e->verb)
        return false;
    snprintf(e->kind, sizeof e->kind, "%.*s", (int)(dot - type), type);
    snprintf(e->verb, sizeof e->verb, "%s", dot + 1);
    return true;
}

/* What the type asks for: NULL, or the field that is missing or wrong. */
static const char *wrong_for_type(const struct oracle_event *e, const struct rules *rules)
{
    static const char *const of_tickets[] = { "opened", "settled", "reopened", "amended", NULL };
    static const char *const of_devices[] = { "commissioned", "decommissioned", "faulted",
                                              "recovered", NULL };
    static const char *const of_inputs[] = { "lost", "found", NULL };
    static const char *const outcomes[] = { "success", "failure", "excluded", NULL };

    if (e->outcome && !is_one_of(e->outcome, outcomes))
        return "outcome";
    if (strcmp(e->kind, "source") == 0)
        return !is_one_of(e->verb, of_inputs) ? "type" : e->input ? NULL : "input";
    if (strcmp(e->kind, "device") == 0) {
        if (!is_one_of(e->verb, of_devices))
            return "type";
        if (!e->device)
            return "device";
        return (e->verb[0] == 'f' || e->verb[0] == 'r') && !e->code ? "code" : NULL;
    }
    if (!is_kind_of_ticket(e->kind, rules) || !is_one_of(e->verb, of_tickets))
        return "type";
    if (!e->ticket)
        return "ticket";
    if (strcmp(e->verb, "settled") == 0 && !e->outcome)
        return "outcome";
    if (strcmp(e->verb, "amended") == 0 && !e->reason)
        return "reason";
    return strcmp(e->verb, "amended") == 0 && !text_of(e->tree, "by") ? "by" : NULL;
}

/* Fills `e` from its tree. NULL, or the field at fault. */
static const char *read_event(struct oracle_event *e, const struct rules *rules)
{
    const char *wrong, *type, *at;

    if (!YAJL_IS_OBJECT(e->tree))
        return "";
    wrong = wrong_string(e->tree);
    if (wrong)
        return wrong;
    e->source = text_of(e->tree, "source");
    if (!e->source || !is_source(e->source))
        return "source";
    e->id = text_of(e->tree, "id");
    if (!e->id)
        return "id";
    type = text_of(e->tree, "type");
    if (!type || !split_type(e, type))
        return "type";
    at = text_of(e->tree, "at");
    if (!at || !oracle_instant(at, &e->at))
        return "at";
    e->ticket = text_of(e->tree, "ticket");
    e->device = text_of(e->tree, "device");
    e->site = text_of(e->tree, "site");
    e->department = text_of(e->tree, "department");
    e->staff = text_of(e->tree, "staff");
    e->model = text_of(e->tree, "model");
    e->outcome = text_of(e->tree, "outcome");
    e->reason = text_of(e->tree, "reason");
    e->code = text_of(e->tree, "code");
    e->input = text_of(e->tree, "input");
    return wrong_for_type(e, rules);
}

/* Writes a value so that equal values give equal texts: keys sorted, numbers by their worth. */
static void write_content(struct text_buffer *to, yajl_val v);

static void write_object(struct text_buffer *to, yajl_val v)
{
    bool *done = mem_zalloc(v->u.object.len + 1);

    text_buffer_adds(to, "{");
    for (size_t n = 0; n < v->u.object.len; n++) {
        size_t least = SIZE_MAX;

        for (size_t i = 0; i < v->u.object.len; i++)
            if (!done[i] &&
                (least == SIZE_MAX || strcmp(v->u.object.keys[i], v->u.object.keys[least]) < 0))
                least = i;
        done[least] = true;
        text_buffer_addf(to, "%zu:%s=", strlen(v->u.object.keys[least]), v->u.object.keys[least]);
        write_content(to, v->u.object.values[least]);
    }
    text_buffer_adds(to, "}");
    free(done);
}

static void write_content(struct text_buffer *to, yajl_val v)
{
    if (YAJL_IS_OBJECT(v)) {
        write_object(to, v);
    } else if (YAJL_IS_ARRAY(v)) {
        text_buffer_adds(to, "[");
        for (size_t i = 0; i < v->u.array.len; i++)
            write_content(to, v->u.array.values[i]);
        text_buffer_adds(to, "]");
    } else if (YAJL_IS_STRING(v)) {
        text_buffer_addf(to, "%zu:%s", strlen(v->u.string), v->u.string);
    } else if (YAJL_IS_NUMBER(v)) {
        text_buffer_addf(to, "#%.17g", strtod(YAJL_GET_NUMBER(v), NULL));
    } else {
        text_buffer_adds(to, YAJL_IS_TRUE(v) ? "true;" : YAJL_IS_FALSE(v) ? "false;" : "null;");
    }
}

static void event_destroy(struct oracle_event *e)
{
    if (!e)
        return;
    yajl_tree_free(e->tree);
    free(e->content);
    free(e);
}

/* An event read from the line, or NULL with the field at fault. */
static struct oracle_event *event_of(const char *line, size_t length, const struct rules *rules,
                                     const char **ret_why)
{
    struct oracle_event *e = mem_zalloc(sizeof *e);
    struct text_buffer content = { 0 };
    char *text = mem_strndup(line, length);
    const char *why = "";

    e->tree = memchr(line, 0, length) ? NULL : yajl_tree_parse(text, NULL, 0);
    free(text);
    if (e->tree)
        why = read_event(e, rules);
    if (why) {
        event_destroy(e);
        *ret_why = why;
        return NULL;
    }
    write_content(&content, e->tree);
    e->content = text_buffer_take(&content);
    return e;
}

enum oracle_result oracle_take(struct oracle_log *log, const char *line, size_t length,
                               const struct rules *rules, const char **ret_why)
{
    const char *why = NULL;
    struct oracle_event *e = event_of(line, length, rules, &why);

    if (ret_why)
        *ret_why = why;
    if (!e)
        return ORACLE_REFUSED;
    for (size_t i = 0; i < log->count; i++) {
        bool same;

        if (strcmp(log->events[i]->source, e->source) != 0 ||
            strcmp(log->events[i]->id, e->id) != 0)
            continue;
        same = strcmp(log->events[i]->content, e->content) == 0;
        event_destroy(e);
        if (ret_why && !same)
            *ret_why = "id";
        return same ? ORACLE_DUPLICATE : ORACLE_REFUSED;
    }
    log->events = mem_realloc_array(log->events, log->count + 1, sizeof log->events[0]);
    log->events[log->count++] = e;
    return ORACLE_ACCEPTED;
}

int oracle_event_compare(const struct oracle_event *a, const struct oracle_event *b)
{
    int order;

    if (a->at != b->at)
        return a->at < b->at ? -1 : 1;
    order = strcmp(a->source, b->source);
    return order != 0 ? order : strcmp(a->id, b->id);
}

void oracle_log_finish(struct oracle_log *log)
{
    for (size_t i = 0; i < log->count; i++)
        event_destroy(log->events[i]);
    free(log->events);
    *log = (struct oracle_log){ 0 };
}
