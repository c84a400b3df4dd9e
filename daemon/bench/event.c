/* What the bench tells the ledger: that a ticket was opened, and how it was settled, with what was
 * read as evidence.
 *
 * The opening names no device: a session that is cancelled then accuses nobody (law 2.rework), and
 * leaves no more than a ticket that is pending. Ids are made of slot and beginning, so that what is
 * written twice is a duplicate. */
#include "bench/bench_private.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/json_out.h"

static void member(struct text_buffer *to, const char *key, const char *value)
{
    if (value[0])
        json_out_text(to, key, value);
}

static void begin_event(struct text_buffer *to, const struct slot *slot, const char *verb,
                        int64_t at)
{
    const struct session *s = &slot->now;
    const struct zone *zone = &slot->bench->conf->rules.zone;
    char id[ID_SIZE], type[KIND_SIZE + 16];

    (void)snprintf(id, sizeof id, "%s-%" PRId64 "-%s", slot->name, s->started_at, verb);
    (void)snprintf(type, sizeof type, "%s.%s", s->kind, verb);
    text_buffer_adds(to, "{");
    json_out_text(to, "source", slot->bench->conf->bench_source);
    json_out_text(to, "id", id);
    json_out_text(to, "type", type);
    json_out_instant(to, "at", at, zone_offset(zone, at));
    json_out_text(to, "ticket", s->ticket);
    member(to, "staff", s->staff);
    member(to, "vehicle", s->vehicle);
    member(to, "model", s->model);
}

void event_opened(struct text_buffer *to, const struct slot *slot)
{
    const struct session *s = &slot->now;

    begin_event(to, slot, "opened", s->started_at);
    json_out_key(to, "evidence");
    text_buffer_adds(to, "{");
    json_out_text(to, "slot", slot->name);
    json_out_text(to, "profile", s->profile);
    json_out_text(to, "by", s->by);
    text_buffer_adds(to, "}}");
}

/* Appends `piece` to a list if it fits; else says so once. */
static void add_piece(struct text_buffer *to, struct text_buffer *piece, size_t from, bool *cut)
{
    if (to->length - from + piece->length < EVIDENCE_ROOM) {
        json_out_comma(to);
        text_buffer_add(to, piece->bytes, piece->length);
    } else {
        *cut = true;
    }
    piece->length = 0;
}

struct gathering {
    struct text_buffer *to;
    struct text_buffer piece;
    size_t from;        /* where the evidence begins */
    const struct zone *zone;
    bool cut;
};

static bool add_reading(void *arg, const struct live_value *value)
{
    struct gathering *g = arg;

    show_value(&g->piece, value, g->zone);
    add_piece(g->to, &g->piece, g->from, &g->cut);
    return true;
}

static void add_readings(struct gathering *g, const struct slot *slot)
{
    for (int role = 0; role < BENCH_ROLES; role++) {
        const struct conf_unit *unit = &slot->units[role];

        if (!unit->source[0])
            continue;
        json_out_key(g->to, bench_role_names[role]);
        text_buffer_adds(g->to, "[");
        live_each(slot->bench->house.live, unit->source, unit->unit, add_reading, g);
        text_buffer_adds(g->to, "]");
    }
}

static void add_evidence(struct text_buffer *to, const struct slot *slot)
{
    const struct session *s = &slot->now;
    struct gathering g = { .to = to,
                           .from = to->length,
                           .zone = &slot->bench->conf->rules.zone };

    text_buffer_adds(to, "{");
    json_out_text(to, "slot", slot->name);
    json_out_text(to, "profile", s->profile);
    json_out_text(to, "by", s->by);
    json_out_instant(to, "started_at", s->started_at, zone_offset(g.zone, s->started_at));
    if (s->outage_ms)
        json_out_integer(to, "outage_ms", s->outage_ms);
    json_out_key(to, "checks");
    text_buffer_adds(to, "[");
    for (size_t i = 0; i < s->check_count; i++) {
        show_check(&g.piece, &s->checks[i], clock_monotonic(slot->bench->house.clock), g.zone);
        add_piece(to, &g.piece, g.from, &g.cut);
    }
    text_buffer_adds(to, "]");
    json_out_key(to, "readings");
    text_buffer_adds(to, "{");
    add_readings(&g, slot);
    text_buffer_adds(to, "}");
    if (g.cut)
        json_out_bool(to, "cut", true);
    text_buffer_adds(to, "}");
    text_buffer_finish(&g.piece);
}

void event_settled(struct text_buffer *to, const struct slot *slot)
{
    const struct session *s = &slot->now;

    begin_event(to, slot, "settled", s->ended_at);
    member(to, "device", s->device);
    json_out_text(to, "outcome", show_end_name(s->end));
    member(to, "reason", s->reason);
    json_out_key(to, "evidence");
    add_evidence(to, slot);
    text_buffer_adds(to, "}");
}
