/* The bench as JSON: for GET /v1/bench, and in parts as evidence. */
#include "bench/bench_private.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json_out.h"

const char *show_end_name(enum session_end end)
{
    static const char *const names[] = { [END_NONE] = "none",
                                         [END_SUCCESS] = "success",
                                         [END_FAILURE] = "failure",
                                         [END_CANCELLED] = "cancelled" };

    return names[end];
}

static void show_at(struct text_buffer *to, const char *key, int64_t at, const struct zone *zone)
{
    json_out_instant(to, key, at, at ? zone_offset(zone, at) : 0);
}

static void optional(struct text_buffer *to, const char *key, const char *text)
{
    json_out_text(to, key, text[0] ? text : NULL);
}

static void show_number(struct text_buffer *to, const char *key, double number)
{
    json_out_key(to, key);
    if (isfinite(number))
        text_buffer_addf(to, "%.10g", number);
    else
        text_buffer_adds(to, "null");
}

static bool was_read(const struct live_value *v)
{
    return v->state == LIVE_GOOD || v->state == LIVE_STALE || v->state == LIVE_FROZEN;
}

/* `"state":..,"value":..` of a reading; where there is none, why. */
static void show_reading(struct text_buffer *to, const struct live_value *v,
                         const struct zone *zone)
{
    json_out_text(to, "state", live_state_name(v->state));
    if (!was_read(v)) {
        if (v->text[0])
            json_out_text(to, "why", v->text);
        return;
    }
    if (v->is_text)
        json_out_text(to, "value", v->text);
    else
        show_number(to, "value", v->number);
    if (!v->is_text && v->text[0])
        json_out_text(to, "text", v->text);
    if (v->measure[0])
        json_out_text(to, "measure", v->measure);
    show_at(to, "true_at", v->true_at, zone);
}

void show_value(struct text_buffer *to, const struct live_value *v, const struct zone *zone)
{
    text_buffer_adds(to, "{");
    json_out_text(to, "point", v->point);
    show_reading(to, v, zone);
    text_buffer_adds(to, "}");
}

void show_check(struct text_buffer *to, const struct check_run *c, int64_t now_ms,
                const struct zone *zone)
{
    text_buffer_adds(to, "{");
    json_out_text(to, "check", c->is.name);
    json_out_text(to, "of", bench_role_names[c->is.of]);
    if (c->is.point[0])
        json_out_text(to, "point", c->is.point);
    if (c->is.act[0])
        json_out_text(to, "act", c->is.act);
    json_out_text(to, "verdict", check_state_name(c->state));
    show_at(to, "since", c->since_at, zone);
    if (c->is.hold_ms) {
        json_out_integer(to, "hold_ms", c->is.hold_ms);
        if (c->state == CHECK_HOLDING)
            json_out_integer(to, "held_ms", now_ms - c->held_from_ms);
    }
    optional(to, "why", c->why);
    if (c->value.state != LIVE_NONE) {
        json_out_key(to, "reading");
        text_buffer_adds(to, "{");
        show_reading(to, &c->value, zone);
        text_buffer_adds(to, "}");
    }
    if (c->result[0] == '{') {
        json_out_key(to, "result");
        text_buffer_adds(to, c->result);
    }
    text_buffer_adds(to, "}");
}

/* --- A slot */

struct showing {
    struct text_buffer *to;
    const struct zone *zone;
    int64_t now_at;
    bool speaks;
};

static bool show_live(void *arg, const struct live_value *v)
{
    struct showing *s = arg;

    json_out_comma(s->to);
    text_buffer_adds(s->to, "{");
    json_out_text(s->to, "point", v->point);
    show_reading(s->to, v, s->zone);
    if (was_read(v))
        json_out_integer(s->to, "age_ms", s->now_at - v->true_at);
    text_buffer_adds(s->to, "}");
    s->speaks = s->speaks || v->state == LIVE_GOOD;
    return true;
}

/* The state is the source's; what is wrong is told as far as it concerns this device. */
static void show_source(struct showing *s, const struct bench *bench, const struct conf_unit *unit)
{
    char why[256];

    for (size_t i = 0; i < sources_count(bench->house.sources); i++) {
        const struct source_view view = sources_view(bench->house.sources, i);

        if (strcmp(view.name, unit->source) != 0)
            continue;
        json_out_text(s->to, "source_state",
                      view.enabled ? source_state_name(view.health->state) : "disabled");
        sources_unit_why(bench->house.sources, i, unit->unit, why);
        optional(s->to, "why", why);
        return;
    }
    json_out_text(s->to, "source_state", "gone");
    json_out_text(s->to, "why", "no such source is configured");
}

static void show_device(struct showing *s, const struct slot *slot, int role)
{
    const struct conf_unit *unit = &slot->units[role];

    json_out_key(s->to, bench_role_names[role]);
    text_buffer_adds(s->to, "{");
    json_out_text(s->to, "source", unit->source);
    json_out_text(s->to, "unit", unit->unit);
    show_source(s, slot->bench, unit);
    json_out_key(s->to, "readings");
    text_buffer_adds(s->to, "[");
    s->speaks = false;
    live_each(slot->bench->house.live, unit->source, unit->unit, show_live, s);
    text_buffer_adds(s->to, "]");
    json_out_bool(s->to, "speaks", s->speaks);
    text_buffer_adds(s->to, "}");
}

static const char *session_state_name(const struct session *s)
{
    static const char *const names[] = { [SESSION_NONE] = "over",
                                         [SESSION_STARTING] = "starting",
                                         [SESSION_RUNNING] = "running",
                                         [SESSION_ENDING] = "ending" };

    return names[s->state];
}

static void show_session(struct showing *w, const struct slot *slot, const struct session *s)
{
    struct text_buffer *to = w->to;
    int64_t now_ms = clock_monotonic(slot->bench->house.clock);

    text_buffer_adds(to, "{");
    json_out_text(to, "state", session_state_name(s));
    json_out_text(to, "ticket", s->ticket);
    json_out_text(to, "kind", s->kind);
    optional(to, "staff", s->staff);
    optional(to, "vehicle", s->vehicle);
    optional(to, "device", s->device);
    optional(to, "model", s->model);
    json_out_text(to, "profile", s->profile);
    json_out_text(to, "by", s->by);
    show_at(to, "started_at", s->started_at, w->zone);
    if (s->state == SESSION_NONE || s->state == SESSION_ENDING) {
        json_out_text(to, "outcome", show_end_name(s->end));
        optional(to, "reason", s->reason);
        show_at(to, "ended_at", s->ended_at, w->zone);
    } else {
        show_at(to, "deadline_at", s->deadline_at, w->zone);
        json_out_integer(to, "remaining_ms",
                         s->deadline_ms > now_ms ? s->deadline_ms - now_ms : 0);
    }
    json_out_integer(to, "outage_ms", s->outage_ms);
    json_out_key(to, "checks");
    text_buffer_adds(to, "[");
    for (size_t i = 0; i < s->check_count; i++) {
        json_out_comma(to);
        show_check(to, &s->checks[i], now_ms, w->zone);
    }
    text_buffer_adds(to, "]}");
}

static const char *slot_state_name(const struct slot *slot)
{
    if (slot->now.state != SESSION_NONE)
        return session_state_name(&slot->now);
    return slot->act.under_way ? "acting" : "free";
}

static const struct slot *find_slot(const struct bench *bench, const char *name)
{
    for (size_t i = 0; i < bench->slot_count; i++) {
        if (strcmp(bench->slots[i]->name, name) == 0)
            return bench->slots[i];
    }
    return NULL;
}

static void show_sessions(struct showing *s, const struct slot *slot)
{
    json_out_key(s->to, "session");
    if (slot->now.state != SESSION_NONE)
        show_session(s, slot, &slot->now);
    else
        text_buffer_adds(s->to, "null");
    json_out_key(s->to, "last");
    if (slot->last.end != END_NONE)
        show_session(s, slot, &slot->last);
    else
        text_buffer_adds(s->to, "null");
}

bool bench_show(const struct bench *bench, const char *name, const struct zone *zone,
                struct text_buffer *to)
{
    const struct slot *slot = find_slot(bench, name);
    struct showing s = { .to = to, .zone = zone, .now_at = clock_wall(bench->house.clock) };

    if (!slot)
        return false;
    text_buffer_adds(to, "{");
    json_out_text(to, "slot", slot->name);
    json_out_text(to, "state", slot_state_name(slot));
    json_out_bool(to, "configured", slot->configured);
    json_out_key(to, "devices");
    text_buffer_adds(to, "{");
    for (int role = 0; role < BENCH_ROLES; role++) {
        if (slot->units[role].source[0])
            show_device(&s, slot, role);
    }
    text_buffer_adds(to, "}");
    show_sessions(&s, slot);
    text_buffer_adds(to, "}");
    return true;
}
