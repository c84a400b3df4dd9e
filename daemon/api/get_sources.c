/* GET /v1/sources: every input, as its owner knows it. */
#include "api/get_sources.h"

#include <stdio.h>
#include <string.h>

#include "base/json_out.h"

enum { CURSOR_SHOWN = 200 };

static void instant(struct text_buffer *to, const struct api *api, const char *key, int64_t at)
{
    json_out_instant(to, key, at, at ? api_offset(api, at) : 0);
}

void show_lag(struct text_buffer *to, const struct intake_counts *counts)
{
    json_out_key(to, "lag");
    text_buffer_adds(to, "{\"bounds_ms\":[");
    for (size_t i = 0; i < LAG_BUCKETS - 1; i++)
        text_buffer_addf(to, "%s%lld", i ? "," : "", (long long)lag_bounds_ms[i]);
    text_buffer_adds(to, "],\"counts\":[");
    for (size_t i = 0; i < LAG_BUCKETS; i++)
        text_buffer_addf(to, "%s%llu", i ? "," : "", (unsigned long long)counts->lag[i]);
    text_buffer_adds(to, "]");
    json_out_integer(to, "mean_ms",
                     counts->accepted ? counts->lag_sum_ms / (int64_t)counts->accepted : 0);
    text_buffer_adds(to, "}");
}

/* What the source says of itself as a whole: counters of a gateway, the fix of a receiver. What is
 * not good now is null: no reading is better than an old one. */
static bool show_reading(void *arg, const struct live_value *v)
{
    struct text_buffer *to = arg;

    json_out_key(to, v->point);
    if (v->state != LIVE_GOOD)
        text_buffer_adds(to, "null");
    else if (v->is_text || v->text[0]) /* of an enumeration the name, for people */
        json_out_string(to, v->text, strlen(v->text));
    else
        text_buffer_addf(to, "%.15g", v->number);
    return true;
}

/* A driver's cursor may be long; it is for the driver. */
static void show_cursor(struct text_buffer *to, const char *cursor)
{
    char begin[CURSOR_SHOWN];

    if (cursor && strlen(cursor) >= sizeof begin) {
        (void)snprintf(begin, sizeof begin, "%.*s...", (int)sizeof begin - 4, cursor);
        cursor = begin;
    }
    json_out_text(to, "cursor", cursor);
}

static void show_source(struct text_buffer *to, const struct api *api, const struct source_view *v)
{
    const struct health *h = v->health;

    json_out_comma(to);
    text_buffer_adds(to, "{");
    json_out_text(to, "name", v->name);
    json_out_text(to, "driver", v->driver);
    json_out_bool(to, "enabled", v->enabled);
    json_out_bool(to, "mandatory", v->mandatory);
    json_out_text(to, "state", v->enabled ? source_state_name(h->state) : "disabled");
    instant(to, api, "since", h->since);
    json_out_text(to, "why", h->why[0] ? h->why : NULL);
    instant(to, api, "last_success_at", h->last_success_at);
    instant(to, api, "last_error_at", h->last_error_at);
    json_out_text(to, "last_error", h->last_error[0] ? h->last_error : NULL);
    json_out_integer(to, "attempts", (int64_t)h->attempts);
    instant(to, api, "next_attempt_at", v->next_attempt_at);
    json_out_integer(to, "accepted", (int64_t)v->counts->accepted);
    json_out_integer(to, "duplicate", (int64_t)v->counts->duplicate);
    json_out_integer(to, "quarantined", (int64_t)v->counts->quarantined);
    instant(to, api, "last_event_at", v->counts->last_event_at);
    show_lag(to, v->counts);
    json_out_key(to, "readings");
    text_buffer_adds(to, "{");
    live_each(api->house.live, v->name, "", show_reading, to);
    text_buffer_adds(to, "}");
    show_cursor(to, v->cursor);
    text_buffer_adds(to, "}");
}

static void end(struct call *call)
{
    const struct sources *sources = call->api->house.sources;
    struct text_buffer out = { 0 };

    text_buffer_adds(&out, "{\"sources\":[");
    for (size_t i = 0; i < sources_count(sources); i++) {
        const struct source_view view = sources_view(sources, i);

        show_source(&out, call->api, &view);
    }
    text_buffer_adds(&out, "],\"cursor\":null}");
    call_reply_json(call, 200, &out);
}

const struct handler get_sources = { .end = end };
