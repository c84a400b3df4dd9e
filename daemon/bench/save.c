/* What is durable of a slot, as one line of JSON: the session under way, or how the last one ended.
 * How its checks stand is not: after a restart they begin anew. */
#include "bench/bench_private.h"

#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_tree.h>

#include "base/json_out.h"
#include "base/mem.h"

/* The members of a session that are text. */
static const struct text_member {
    const char *key;
    size_t offset, size;
} texts[] = {
#define TEXT(name) { #name, offsetof(struct session, name), sizeof(((struct session *)0)->name) }
    TEXT(ticket), TEXT(kind), TEXT(staff),    TEXT(vehicle), TEXT(device),
    TEXT(model),  TEXT(by),   TEXT(profile), TEXT(reason),  TEXT(ended_by),
#undef TEXT
};

static const struct instant_member {
    const char *key;
    size_t offset;
} instants[] = {
    { "started_at", offsetof(struct session, started_at) },
    { "deadline_at", offsetof(struct session, deadline_at) },
    { "ended_at", offsetof(struct session, ended_at) },
    { "outage_ms", offsetof(struct session, outage_ms) },
};

static void write_checks(struct text_buffer *to, const struct session *s)
{
    json_out_key(to, "checks");
    text_buffer_adds(to, "[");
    for (size_t i = 0; i < s->check_count; i++) {
        const struct check_run *c = &s->checks[i];

        json_out_comma(to);
        text_buffer_adds(to, "{");
        json_out_text(to, "name", c->is.name);
        json_out_integer(to, "of", c->is.of);
        json_out_integer(to, "state", c->state);
        json_out_integer(to, "since_at", c->since_at);
        json_out_text(to, "why", c->why);
        text_buffer_adds(to, "}");
    }
    text_buffer_adds(to, "]");
}

char *save_write(const struct slot *slot)
{
    const struct session *s = slot->now.state != SESSION_NONE ? &slot->now : &slot->last;
    struct text_buffer to = { 0 };

    text_buffer_adds(&to, "{");
    for (size_t i = 0; i < LENGTH(texts); i++)
        json_out_text(&to, texts[i].key, (const char *)s + texts[i].offset);
    for (size_t i = 0; i < LENGTH(instants); i++)
        json_out_integer(&to, instants[i].key,
                         *(const int64_t *)(const void *)((const char *)s + instants[i].offset));
    json_out_integer(&to, "end", s->end);
    if (s->end != END_NONE)
        write_checks(&to, s);
    text_buffer_adds(&to, "}");
    return text_buffer_take(&to);
}

static yajl_val get(yajl_val tree, const char *key, yajl_type type)
{
    const char *path[] = { key, NULL };

    return yajl_tree_get(tree, path, type);
}

static int64_t get_integer(yajl_val tree, const char *key)
{
    yajl_val value = get(tree, key, yajl_t_number);

    return value && YAJL_IS_INTEGER(value) ? YAJL_GET_INTEGER(value) : 0;
}

/* False if it is not there or does not fit. */
static bool get_text(yajl_val tree, const char *key, char *to, size_t size)
{
    yajl_val value = get(tree, key, yajl_t_string);
    const char *text = value ? YAJL_GET_STRING(value) : NULL;

    return text && text_copy(to, size, text, strlen(text));
}

static void read_checks(yajl_val tree, struct session *s)
{
    yajl_val list = get(tree, "checks", yajl_t_array);
    size_t count = list ? list->u.array.len : 0;

    if (count == 0 || count > CHECKS_MAX)
        return;
    s->checks = mem_zalloc(count * sizeof *s->checks);
    s->check_count = count;
    for (size_t i = 0; i < count; i++) {
        yajl_val item = list->u.array.values[i];
        struct check_run *c = &s->checks[i];
        int64_t of = get_integer(item, "of"), state = get_integer(item, "state");

        (void)get_text(item, "name", c->is.name, sizeof c->is.name);
        (void)get_text(item, "why", c->why, sizeof c->why); /* for show alone */
        c->is.of = of >= 0 && of < BENCH_ROLES ? (enum bench_role)of : BENCH_LED;
        c->state = state >= 0 && state <= CHECK_NOT_SUPPORTED ? (enum check_state)state
                                                              : CHECK_WAITING;
        c->since_at = get_integer(item, "since_at");
    }
}

static bool read_session(yajl_val tree, struct session *s)
{
    int64_t how = get_integer(tree, "end");

    for (size_t i = 0; i < LENGTH(texts); i++) {
        if (!get_text(tree, texts[i].key, (char *)s + texts[i].offset, texts[i].size))
            return false;
    }
    for (size_t i = 0; i < LENGTH(instants); i++)
        *(int64_t *)(void *)((char *)s + instants[i].offset) =
            get_integer(tree, instants[i].key);
    if (how < END_NONE || how > END_CANCELLED || s->started_at <= 0)
        return false;
    s->end = (enum session_end)how;
    if (s->end != END_NONE)
        read_checks(tree, s);
    return true;
}

bool save_read(struct slot *slot, const char *text)
{
    yajl_val tree = yajl_tree_parse(text, NULL, 0);
    struct session s = { 0 };
    bool well = tree && read_session(tree, &s);

    yajl_tree_free(tree);
    if (!well)
        return false;
    if (s.end != END_NONE) {
        slot->last = s;
    } else {
        s.state = SESSION_RUNNING;
        slot->now = s;
    }
    return true;
}
