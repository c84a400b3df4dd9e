/* What terminals suffer from, and where they are: fault bits and silence become conditions of their
 * devices, which the house confirms by time; a terminal on the bench has live readings.
 *
 * Conditions carry our clock, not the terminal's: a terminal that never had a fix lives in 2001,
 * one whose receiver missed a roll-over of the GNSS week lives 1024 weeks ago, and both report what
 * is so now. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/instant.h"
#include "base/json_out.h"
#include "base/mem.h"
#include "base/text.h"
#include "jt808_gateway.h"

enum { TERMINALS_MAX = 200000, READING_AGE_MS = 120000, TELL_ALL_MS = 30000 };

#define WEEKS_1024_MS (INT64_C(1024) * 7 * 86400000)

static bool is_on_bench(const struct jt808_gateway *g, const char *sender)
{
    for (size_t i = 0; i < g->config.bench.count; i++)
        if (strcmp(jt808_strip(g->config.bench.items[i]), sender) == 0)
            return true;
    return false;
}

static const struct jt808_model *model_named(const struct jt808_gateway *g, const char *name)
{
    for (size_t i = 0; i < g->models.count; i++)
        if (strcmp(g->models.items[i].name, name) == 0)
            return &g->models.items[i];
    return NULL;
}

/* By the company's table; without a line there the device is called as its terminal. */
static void identify(struct jt808_gateway *g, struct jt808_terminal *t)
{
    const struct jt808_identity *is = jt808_identities_find(&g->identities, t->is.sender);

    if (is)
        t->is = *is;
    if (!t->is.device[0])
        text_set(t->is.device, sizeof t->is.device, t->is.sender);
    t->model = model_named(g, t->is.model);
    t->on_bench = is_on_bench(g, t->is.sender);
}

void jt808_watch_identify_all(struct jt808_gateway *g)
{
    for (struct jt808_terminal *t = g->terminals; t; t = t->hh.next)
        identify(g, t);
}

static void unlist(struct jt808_gateway *g, struct jt808_terminal *t)
{
    *(t->older ? &t->older->newer : &g->oldest_terminal) = t->newer;
    *(t->newer ? &t->newer->older : &g->newest_terminal) = t->older;
}

static void list_newest(struct jt808_gateway *g, struct jt808_terminal *t)
{
    t->older = g->newest_terminal;
    t->newer = NULL;
    *(g->newest_terminal ? &g->newest_terminal->newer : &g->oldest_terminal) = t;
    g->newest_terminal = t;
}

struct jt808_terminal *jt808_terminal_of(struct jt808_gateway *g, const char *sender)
{
    struct jt808_terminal *t;

    sender = jt808_strip(sender);
    HASH_FIND_STR(g->terminals, sender, t);
    if (t || HASH_COUNT(g->terminals) >= TERMINALS_MAX)
        return t;
    t = mem_zalloc(sizeof *t);
    text_set(t->is.sender, sizeof t->is.sender, sender);
    identify(g, t);
    HASH_ADD_STR(g->terminals, is.sender, t);
    list_newest(g, t);
    return t;
}

struct jt808_terminal *jt808_terminal_named(struct jt808_gateway *g, const char *name)
{
    struct jt808_terminal *t;

    HASH_FIND_STR(g->terminals, jt808_strip(name), t);
    if (t)
        return t;
    for (t = g->terminals; t; t = t->hh.next)
        if (strcmp(t->is.vehicle, name) == 0 || strcmp(t->is.device, name) == 0)
            return t;
    return NULL;
}

void jt808_watch_finish(struct jt808_gateway *g)
{
    struct jt808_terminal *t, *next;

    HASH_ITER(hh, g->terminals, t, next) {
        HASH_DEL(g->terminals, t);
        free(t);
    }
}

/* --- Conditions */

static void tell(struct jt808_gateway *g, const struct jt808_terminal *t, const char *code,
                 bool active, const char *evidence)
{
    const struct condition c = { .device = t->is.device,
                                 .code = code,
                                 .active = active,
                                 .at = clock_wall(g->env.clock),
                                 .site = t->is.site[0] ? t->is.site : NULL,
                                 .model = t->is.model[0] ? t->is.model : NULL,
                                 .evidence = evidence };

    g->env.sink->condition(g->env.house, &c);
}

static enum jt808_alarm_table table_of(const struct jt808_terminal *t, enum jt808_dialect dialect)
{
    return dialect == JT905_2014 || (t->model && t->model->speaks_905) ? JT905_ALARMS
                                                                       : JT808_ALARMS;
}

bool jt808_inverted_fix(const struct jt808_terminal *t)
{
    return t->model && t->model->inverted_fix;
}

/* The faults among the alarm bits: main supply lost only once it has lasted. */
static uint32_t faults_of(struct jt808_gateway *g, struct jt808_terminal *t,
                          enum jt808_alarm_table table, uint32_t alarm)
{
    int64_t now = clock_monotonic(g->env.clock);
    uint32_t lasting = 0;

    alarm &= jt808_alarm_mask(table) & ~(t->model ? t->model->ignored : 0);
    for (const struct jt808_alarm *a = jt808_alarms(table); a->code; a++)
        lasting |= a->lasting ? UINT32_C(1) << a->bit : 0;
    if (!(alarm & lasting))
        t->lasting_since = 0;
    else if (t->lasting_since == 0)
        t->lasting_since = now;
    return t->lasting_since == 0 || now - t->lasting_since >= g->config.power_hold_ms || t->on_bench
               ? alarm
               : alarm & ~lasting;
}

/* The house confirms a state by seeing it again. Bits that are set, or were until lately, are told
 * with every message; all of them now and then, so that what ended while we were not there is seen
 * to have ended. */
static void tell_faults(struct jt808_gateway *g, struct jt808_terminal *t,
                        enum jt808_alarm_table table, uint32_t faults)
{
    int64_t now = clock_monotonic(g->env.clock);
    bool all = now >= t->tell_all_at;
    uint32_t told = all ? jt808_alarm_mask(table) : t->told | faults;

    for (const struct jt808_alarm *a = jt808_alarms(table); told != 0 && a->code; a++) {
        uint32_t bit = UINT32_C(1) << a->bit;
        char evidence[64];

        if (!(told & bit))
            continue;
        (void)snprintf(evidence, sizeof evidence, "{\"terminal\":\"%s\",\"bit\":%u}", t->is.sender,
                       a->bit);
        tell(g, t, a->code, faults & bit, evidence);
    }
    t->told = all ? faults : told;
    t->active = faults;
    if (all) {
        tell(g, t, "offline", false, NULL);
        t->tell_all_at = now + TELL_ALL_MS;
    }
}

/* --- Readings of a terminal on the bench */

static void put_number(struct reading *r, const char *unit, const char *point, double number,
                       const char *measure, int64_t at)
{
    *r = (struct reading){ .unit = unit,
                           .point = point,
                           .status = READING_GOOD,
                           .number = number,
                           .measure = measure,
                           .true_at = at,
                           .age_limit_ms = READING_AGE_MS };
}

static void add_codes(struct text_buffer *to, enum jt808_alarm_table table, uint32_t bits)
{
    for (const struct jt808_alarm *a = jt808_alarms(table); a->code; a++)
        if (bits & UINT32_C(1) << a->bit)
            text_buffer_addf(to, "%s%s", to->length > 0 ? "+" : "", a->code);
    if (to->length == 0)
        text_buffer_adds(to, "none");
}

/* What the receiver's clock says of itself. */
static const char *clock_of(const struct jt808_location *l, int64_t now)
{
    int64_t off = l->at == JT808_NO_TIME ? 0 : l->at - now;

    if (l->at == JT808_NO_TIME)
        return "not set";
    if (off < -WEEKS_1024_MS + 86400000 && off > -WEEKS_1024_MS - 86400000)
        return "week roll-over";
    return off > -300000 && off < 300000 ? "good" : "wrong";
}

static void show_readings(struct jt808_gateway *g, const struct jt808_terminal *t,
                          const struct jt808_location *l, enum jt808_alarm_table table)
{
    const char *unit = t->is.sender;
    int64_t now = clock_wall(g->env.clock);
    struct text_buffer faults = { 0 }, masked = { 0 };
    struct reading r[9];
    size_t n = 0;

    put_number(&r[n++], unit, "fixed", l->fixed, "", now);
    put_number(&r[n++], unit, "faults", t->active != 0, "", now);
    add_codes(&faults, table, t->active);
    r[n - 1].text = faults.bytes;
    put_number(&r[n++], unit, "clock", 0, "", now);
    r[n - 1].is_text = true;
    r[n - 1].text = clock_of(l, now);
    put_number(&r[n++], unit, "acc", l->acc, "", now);
    if (l->satellites >= 0)
        put_number(&r[n++], unit, "satellites", l->satellites, "", now);
    if (l->signal >= 0)
        put_number(&r[n++], unit, "signal", l->signal, "", now);
    if (l->fixed && l->in_range && !l->encrypted) {
        put_number(&r[n++], unit, "latitude", l->latitude_e6 / 1e6, "deg", now);
        put_number(&r[n++], unit, "longitude", l->longitude_e6 / 1e6, "deg", now);
    }
    if (t->mask_known) {
        put_number(&r[n++], unit, "masked", t->masked != 0, "", now);
        add_codes(&masked, table, t->masked);
        r[n - 1].text = masked.bytes;
    }
    g->env.sink->readings(g->env.house, r, n);
    text_buffer_finish(&faults);
    text_buffer_finish(&masked);
}

/* --- What the gateway hears */

void jt808_watch_heard(struct jt808_gateway *g, struct jt808_terminal *t)
{
    t->heard_at = clock_monotonic(g->env.clock);
    unlist(g, t);
    list_newest(g, t);
    if (t->offline)
        tell(g, t, "offline", false, NULL);
    t->offline = false;
}

void jt808_watch_location(struct jt808_gateway *g, struct jt808_terminal *t,
                          const struct jt808_location *l)
{
    enum jt808_alarm_table table = table_of(t, t->link->session.dialect);

    g->counters.locations++;
    tell_faults(g, t, table, faults_of(g, t, table, l->alarm));
    t->last = *l;
    t->last.items = NULL;       /* they stand in the frame, which goes */
    t->last.items_length = 0;
    t->last_at = clock_wall(g->env.clock);
    if (t->on_bench)
        show_readings(g, t, l, table);
}

/* A masked fault never shows: the terminal is not healthy by its silence. It is told among the
 * readings, and counted. */
void jt808_watch_mask(struct jt808_gateway *g, struct jt808_terminal *t, uint32_t mask)
{
    enum jt808_alarm_table table = table_of(t, t->link->session.dialect);

    (void)g;
    t->masked = mask & jt808_alarm_mask(table) & ~(t->model ? t->model->ignored : 0);
    t->mask_known = true;
}

void jt808_watch_silence(struct jt808_gateway *g)
{
    int64_t now = clock_monotonic(g->env.clock);

    for (struct jt808_terminal *t = g->oldest_terminal; t; t = t->newer) {
        if (now - t->heard_at <= g->config.offline_after_ms)
            break;
        /* Each time: the house wants to see it as long as it is so. */
        t->offline = true;
        tell(g, t, "offline", true, NULL);
    }
}
