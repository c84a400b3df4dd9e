/* Random logs. Names come from a handful, so that everything meets everything; instants come from
 * those already used, from them plus a window of the rules, and from midnights, give or take a
 * millisecond, so that edges are hit and not merely approached. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/instant.h"
#include "base/json_out.h"
#include "base/mem.h"
#include "base/span.h"
#include "base/text.h"
#include "oracle_time.h"
#include "trial.h"

enum { FIELDS_MAX = 20, INSTANTS_MAX = 400 };

/* One event in the making: keys and values, already JSON. */
struct draft {
    struct {
        const char *key;
        char value[600];
    } fields[FIELDS_MAX];
    size_t count;
};

struct maker {
    struct random *r;
    const struct rules *rules;
    int64_t begin_at, end_at;
    int tickets, devices; /* of a hundred lines; the rest tell of inputs */
    bool one_device;
    int64_t instants[INSTANTS_MAX];
    size_t instant_count;
    int made;
    struct draft drafts[128]; /* what may come again */
    size_t draft_count;
};

static void put(struct draft *d, const char *key, const char *text)
{
    struct text_buffer json = { 0 };

    json_out_string(&json, text, strlen(text));
    d->fields[d->count].key = key;
    snprintf(d->fields[d->count].value, sizeof d->fields[0].value, "%s", json.bytes);
    d->count++;
    text_buffer_finish(&json);
}

/* In any order of keys, with or without blanks. */
static char *render(struct draft *d, struct random *r)
{
    struct text_buffer json = { 0 };
    const char *blank = random_chance(r, 50) ? " " : "";

    for (size_t i = d->count; i > 1; i--) {
        size_t j = (size_t)random_below(r, (int64_t)i);
        struct draft swap = { .fields = { d->fields[i - 1] } };

        d->fields[i - 1] = d->fields[j];
        d->fields[j] = swap.fields[0];
    }
    for (size_t i = 0; i < d->count; i++)
        text_buffer_addf(&json, "%s\"%s\":%s%s", i ? "," : "{", d->fields[i].key, blank,
                         d->fields[i].value);
    text_buffer_adds(&json, "}");
    return text_buffer_take(&json);
}

/* The windows of the rules: what may lie between two instants that matter. */
static int64_t random_window(struct maker *m)
{
    const struct kpi *kpi = &m->rules->kpis[random_below(m->r, (int64_t)m->rules->kpi_count)];
    const int64_t spans[] = { kpi->rework_window_ms,
                              kpi->expire_after_ms,
                              kpi->confirm_after_ms,
                              SPAN_MINUTE,
                              SPAN_HOUR,
                              SPAN_DAY };
    int64_t span = RANDOM_PICK(m->r, spans);

    return span == SPAN_NONE ? 0 : span;
}

static int64_t fresh_instant(struct maker *m)
{
    int64_t minutes = random_below(m->r, (m->end_at - m->begin_at) / SPAN_MINUTE + 1);

    return m->begin_at + minutes * SPAN_MINUTE +
           (random_chance(m->r, 20) ? random_below(m->r, 60000) : 0);
}

static int64_t use_instant(struct maker *m, int64_t at)
{
    if (m->instant_count < INSTANTS_MAX)
        m->instants[m->instant_count++] = at;
    return at;
}

static int64_t random_instant(struct maker *m)
{
    int64_t at = fresh_instant(m);
    int64_t choice = random_below(m->r, 100);

    if (choice < 60 && m->instant_count > 0)
        at = m->instants[random_below(m->r, (int64_t)m->instant_count)];
    if (choice >= 20 && choice < 50)
        at += random_window(m);
    if (choice >= 50 && choice < 60)
        at -= random_window(m);
    if (choice >= 60 && choice < 75)
        at = oracle_midnight(oracle_day(at) + (int)random_below(m->r, 2));
    if (choice >= 70 && choice < 75)
        at -= random_window(m);
    if (random_chance(m->r, 12))
        at += random_below(m->r, 3) - 1;
    return use_instant(m, at);
}

static void put_at(struct draft *d, struct random *r, int64_t at)
{
    static const int32_t offsets[] = { 0, 8 * 3600, -5 * 3600, 5 * 3600 + 45 * 60 };
    char text[INSTANT_SIZE];

    instant_format(text, at, RANDOM_PICK(r, offsets));
    put(d, "at", text);
}

static void put_identity(struct maker *m, struct draft *d, const char *source)
{
    static const char *const sources[] = { "a", "b", "b-2" };
    char id[32];

    /* The number makes it unique, what stands before it makes its order a matter of chance. */
    snprintf(id, sizeof id, "%c%d", 'a' + (char)random_below(m->r, 4), m->made++);
    put(d, "source", source ? source : RANDOM_PICK(m->r, sources));
    put(d, "id", id);
}

static void put_attributes(struct maker *m, struct draft *d, int percent)
{
    static const char *const sites[] = { "s1", "s2", "站三" };
    static const char *const departments[] = { "x", "y" };
    static const char *const staff[] = { "a", "b" };
    static const char *const models[] = { "m", "n" };

    if (random_chance(m->r, percent))
        put(d, "site", RANDOM_PICK(m->r, sites));
    if (random_chance(m->r, percent / 2))
        put(d, "department", RANDOM_PICK(m->r, departments));
    if (random_chance(m->r, percent))
        put(d, "staff", RANDOM_PICK(m->r, staff));
    if (random_chance(m->r, percent))
        put(d, "model", RANDOM_PICK(m->r, models));
}

static const char *random_device(const struct maker *m)
{
    static const char *const devices[] = { "d1", "d1", "d2", "d3" };

    return m->one_device ? "d1" : RANDOM_PICK(m->r, devices);
}

static void draft_ticket(struct maker *m, struct draft *d)
{
    static const char *const kinds[] = { "install", "install",  "repair", "repair",
                                         "repair",  "dispatch", "visit" };
    static const char *const tickets[] = { "t1", "t2", "t3", "票4" };
    static const char *const verbs[] = { "opened",  "opened",  "opened",   "settled", "settled",
                                         "settled", "settled", "reopened", "amended" };
    static const char *const outcomes[] = { "success", "success", "success",
                                            "success", "failure", "excluded" };
    const char *kind = RANDOM_PICK(m->r, kinds), *verb = RANDOM_PICK(m->r, verbs);
    char type[64];

    snprintf(type, sizeof type, "%s.%s", kind, verb);
    put_identity(m, d, NULL);
    put(d, "type", type);
    put_at(d, m->r, random_instant(m));
    put(d, "ticket", RANDOM_PICK(m->r, tickets));
    if (random_chance(m->r, 55))
        put(d, "device", random_device(m));
    put_attributes(m, d, 25);
    if (strcmp(verb, "settled") == 0 || (strcmp(verb, "amended") == 0 && random_chance(m->r, 80)))
        put(d, "outcome", RANDOM_PICK(m->r, outcomes));
    if (strcmp(verb, "amended") == 0 || random_chance(m->r, 10))
        put(d, "reason", random_chance(m->r, 50) ? "no fix" : "核对");
    if (strcmp(verb, "amended") == 0)
        put(d, "by", "head");
}

static void draft_device(struct maker *m, struct draft *d, int64_t at)
{
    static const char *const types[] = { "device.commissioned", "device.decommissioned",
                                         "device.faulted",      "device.faulted",
                                         "device.recovered",    "device.recovered" };
    const char *type = RANDOM_PICK(m->r, types);

    put_identity(m, d, NULL);
    put(d, "type", type);
    put_at(d, m->r, at);
    put(d, "device", random_device(m));
    put_attributes(m, d, 25);
    if (strstr(type, "fault") || strstr(type, "recover"))
        put(d, "code", random_chance(m->r, 75) ? "offline" : "lamp");
}

static void draft_input(struct maker *m, struct draft *d)
{
    put_identity(m, d, "kpid");
    put(d, "type", random_chance(m->r, 50) ? "source.lost" : "source.found");
    put_at(d, m->r, random_instant(m));
    put(d, "input", random_chance(m->r, 60) ? "one" : "two");
}

/* A line that breaks some rule. */
static char *bad_line(struct maker *m)
{
    static const char *const lines[] = {
        "no event at all",
        "[]",
        "{}",
        "{\"source\":\"a\",\"id\":\"q1\",\"type\":\"install.opened\",\"ticket\":\"t1\"}",
        "{\"source\":\"a\",\"id\":\"q2\",\"type\":\"install.opened\",\"ticket\":\"t1\","
        "\"at\":\"2026-02-30T00:00:00Z\"}",
        "{\"source\":\"A\",\"id\":\"q3\",\"type\":\"install.opened\",\"ticket\":\"t1\","
        "\"at\":\"2026-02-03T00:00:00Z\"}",
        "{\"source\":\"a\",\"id\":\"q4\",\"type\":\"install.settled\",\"ticket\":\"t1\","
        "\"at\":\"2026-02-03T00:00:00Z\"}",
        "{\"source\":\"a\",\"id\":\"q5\",\"type\":\"device.faulted\",\"device\":\"d1\","
        "\"at\":\"2026-02-03T00:00:00Z\"}",
        "{\"source\":\"a\",\"id\":\"q6\",\"type\":\"device.lost\",\"device\":\"d1\","
        "\"at\":\"2026-02-03T00:00:00Z\"}",
    };

    return mem_strdup(RANDOM_PICK(m->r, lines));
}

/* The identity of another event with a content of its own. */
static void steal_identity(struct maker *m, struct draft *d)
{
    const struct draft *victim = &m->drafts[random_below(m->r, (int64_t)m->draft_count)];

    for (size_t i = 0; i < victim->count; i++)
        for (size_t j = 0; j < d->count; j++)
            if (strcmp(victim->fields[i].key, d->fields[j].key) == 0 &&
                (strcmp(d->fields[j].key, "source") == 0 || strcmp(d->fields[j].key, "id") == 0))
                d->fields[j] = victim->fields[i];
}

static void add_line(struct lines *to, char *line)
{
    to->items = mem_realloc_array(to->items, to->count + 1, sizeof *to->items);
    to->items[to->count++] = line;
}

static void add_draft(struct maker *m, struct lines *to, struct draft *d)
{
    if (m->draft_count < LENGTH(m->drafts))
        m->drafts[m->draft_count++] = *d;
    add_line(to, render(d, m->r));
}

/* A span of the rules, give or take a millisecond; what begins and ends in a story lies exactly on
 * an edge of the law. */
static int64_t edge_after(struct maker *m, int64_t at, int64_t span)
{
    return use_instant(m, at + (span == SPAN_NONE ? SPAN_HOUR : span) + random_below(m->r, 3) - 1);
}

static const struct kpi *kpi_that_counts(struct maker *m, const char *counts)
{
    const struct kpi *kpi = rules_kpi_of_kind(m->rules, counts);

    for (size_t i = 0; !kpi && i < m->rules->kpi_count; i++)
        if (strcmp(m->rules->kpis[i].counts, counts) == 0)
            kpi = &m->rules->kpis[i];
    return kpi;
}

/* A fault that lasts about as long as it must to be confirmed. */
static void tell_fault(struct maker *m, struct lines *to)
{
    const struct kpi *kpi = kpi_that_counts(m, "device");
    const char *device = random_device(m), *code = random_chance(m->r, 75) ? "offline" : "lamp";
    int64_t at = random_instant(m);

    for (int i = 0; i < 2; i++) {
        struct draft d = { 0 };

        put_identity(m, &d, NULL);
        put(&d, "type", i == 0 ? "device.faulted" : "device.recovered");
        put_at(&d, m->r, i == 0 ? at : edge_after(m, at, kpi ? kpi->confirm_after_ms : 0));
        put(&d, "device", device);
        put(&d, "code", code);
        add_draft(m, to, &d);
    }
}

static void tell_of_ticket(struct maker *m, struct lines *to, const char *kind, const char *verb,
                           const char *ticket, const char *device, int64_t at)
{
    static const char *const outcomes[] = { "success", "success", "success", "failure",
                                            "excluded" };
    struct draft d = { 0 };
    char type[64];

    snprintf(type, sizeof type, "%s.%s", kind, verb);
    put_identity(m, &d, NULL);
    put(&d, "type", type);
    put_at(&d, m->r, at);
    put(&d, "ticket", ticket);
    if (device)
        put(&d, "device", device);
    put_attributes(m, &d, 15);
    if (strcmp(verb, "settled") == 0 || strcmp(verb, "amended") == 0)
        put(&d, "outcome", RANDOM_PICK(m->r, outcomes));
    if (strcmp(verb, "amended") == 0) {
        put(&d, "by", "head");
        put(&d, "reason", "seen");
    }
    add_draft(m, to, &d);
}

/* A ticket that is settled, or amended, about when it expires. */
static void tell_expiry(struct maker *m, struct lines *to)
{
    static const char *const kinds[] = { "dispatch", "dispatch", "visit", "install", "repair" };
    const char *kind = RANDOM_PICK(m->r, kinds);
    const struct kpi *kpi = kpi_that_counts(m, kind);
    int64_t at = random_instant(m), x = edge_after(m, at, kpi ? kpi->expire_after_ms : SPAN_NONE);
    char ticket[16];

    snprintf(ticket, sizeof ticket, "e%d", m->made);
    tell_of_ticket(m, to, kind, "opened", ticket, NULL, at);
    tell_of_ticket(m, to, kind, random_chance(m->r, 70) ? "settled" : "amended", ticket, NULL, x);
    if (random_chance(m->r, 30))
        tell_of_ticket(m, to, kind, "amended", ticket, NULL, use_instant(m, x + SPAN_MINUTE));
}

/* Jobs on one device, each opened about when the one before can still be accused. */
static void tell_rework(struct maker *m, struct lines *to)
{
    const char *device = random_device(m);
    int64_t at = random_instant(m);
    int64_t jobs = 2 + random_below(m->r, 3);

    for (int i = 0; i < jobs; i++) {
        const char *kind = i == 0 && random_chance(m->r, 60) ? "install" : "repair";
        const struct kpi *kpi = kpi_that_counts(m, kind);
        char ticket[16];

        snprintf(ticket, sizeof ticket, "r%d", m->made);
        tell_of_ticket(m, to, kind, "opened", ticket, device, at);
        if (random_chance(m->r, 70))
            at = use_instant(m, at + random_below(m->r, 3) * SPAN_MINUTE);
        if (random_chance(m->r, 90))
            tell_of_ticket(m, to, kind, "settled", ticket, NULL, at);
        at = random_chance(m->r, 70) ? edge_after(m, at, kpi ? kpi->rework_window_ms : SPAN_NONE)
                                     : use_instant(m, at + SPAN_MINUTE);
    }
}

/* Several events of one ticket, or of one device, at one instant: only (source, id) orders them. */
static void tell_burst(struct maker *m, struct lines *to)
{
    static const char *const verbs[] = { "opened", "settled", "settled", "reopened", "amended" };
    int64_t at = random_instant(m), count = 2 + random_below(m->r, 3);
    bool of_ticket = random_chance(m->r, m->tickets);
    const char *kind = random_chance(m->r, 50) ? "repair" : "dispatch";
    char ticket[16];

    snprintf(ticket, sizeof ticket, "b%d", m->made);
    for (int i = 0; i < count; i++) {
        struct draft d = { 0 };

        if (of_ticket)
            tell_of_ticket(m, to, kind, RANDOM_PICK(m->r, verbs), ticket, NULL, at);
        else
            draft_device(m, &d, at);
        if (d.count > 0)
            add_draft(m, to, &d);
    }
}

static void add_some(struct maker *m, struct lines *to)
{
    int64_t choice = random_below(m->r, 100);
    struct draft d = { 0 };

    if (choice < 3) {
        add_line(to, bad_line(m));
    } else if (choice < 12 && m->draft_count > 0) {
        add_line(to, render(&m->drafts[random_below(m->r, (int64_t)m->draft_count)], m->r));
    } else if (choice < 20) {
        if (random_chance(m->r, 30))
            tell_burst(m, to);
        else if (random_chance(m->r, m->devices))
            tell_fault(m, to);
        else if (random_chance(m->r, 50))
            tell_expiry(m, to);
        else
            tell_rework(m, to);
    } else {
        choice = random_below(m->r, 100);
        if (choice < m->tickets)
            draft_ticket(m, &d);
        else if (choice < m->tickets + m->devices)
            draft_device(m, &d, random_instant(m));
        else
            draft_input(m, &d);
        if (random_chance(m->r, 2) && m->draft_count > 0 && choice < m->tickets + m->devices)
            steal_identity(m, &d);
        add_draft(m, to, &d);
    }
}

void random_lines(struct lines *ret, struct random *r, const struct rules *rules, int64_t begin_at,
                  int64_t end_at)
{
    static const struct {
        int tickets, devices;
    } flavours[] = { { 60, 30 }, { 60, 30 }, { 30, 65 }, { 10, 88 }, { 95, 3 } };
    struct maker *m = mem_zalloc(sizeof *m);
    size_t flavour = (size_t)random_below(r, (int64_t)LENGTH(flavours));
    size_t wanted = 3 + (size_t)random_below(r, random_chance(r, 30) ? 80 : 25);

    m->r = r;
    m->rules = rules;
    m->begin_at = begin_at;
    m->end_at = end_at;
    m->tickets = flavours[flavour].tickets;
    m->devices = flavours[flavour].devices;
    m->one_device = random_chance(r, 40);
    oracle_use_zone(rules->zone.name);
    *ret = (struct lines){ 0 };
    while (ret->count < wanted)
        add_some(m, ret);
    free(m);
}
