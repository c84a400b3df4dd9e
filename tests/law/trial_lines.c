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
    int64_t instants[INSTANTS_MAX];
    size_t instant_count;
    int made;
    struct draft drafts[128];       /* what may come again */
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
    const int64_t spans[] = { kpi->rework_window_ms, kpi->expire_after_ms, kpi->confirm_after_ms,
                              SPAN_MINUTE, SPAN_HOUR, SPAN_DAY };
    int64_t span = RANDOM_PICK(m->r, spans);

    return span == SPAN_NONE ? 0 : span;
}

static int64_t fresh_instant(struct maker *m)
{
    return m->begin_at + random_below(m->r, (m->end_at - m->begin_at) / SPAN_MINUTE + 1) *
                             SPAN_MINUTE + (random_chance(m->r, 20) ? random_below(m->r, 60000) : 0);
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
    if (m->instant_count < INSTANTS_MAX)
        m->instants[m->instant_count++] = at;
    return at;
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

static const char *random_device(struct random *r)
{
    static const char *const devices[] = { "d1", "d1", "d2", "d3" };

    return RANDOM_PICK(r, devices);
}

static void draft_ticket(struct maker *m, struct draft *d)
{
    static const char *const kinds[] = { "install", "install", "repair", "repair", "repair",
                                         "dispatch", "visit" };
    static const char *const tickets[] = { "t1", "t2", "t3", "票4" };
    static const char *const verbs[] = { "opened", "opened", "opened", "settled", "settled",
                                         "settled", "settled", "reopened", "amended" };
    static const char *const outcomes[] = { "success", "success", "success", "success", "failure",
                                            "excluded" };
    const char *kind = RANDOM_PICK(m->r, kinds), *verb = RANDOM_PICK(m->r, verbs);
    char type[64];

    snprintf(type, sizeof type, "%s.%s", kind, verb);
    put_identity(m, d, NULL);
    put(d, "type", type);
    put_at(d, m->r, random_instant(m));
    put(d, "ticket", RANDOM_PICK(m->r, tickets));
    if (random_chance(m->r, 55))
        put(d, "device", random_device(m->r));
    put_attributes(m, d, 25);
    if (strcmp(verb, "settled") == 0 || (strcmp(verb, "amended") == 0 && random_chance(m->r, 80)))
        put(d, "outcome", RANDOM_PICK(m->r, outcomes));
    if (strcmp(verb, "amended") == 0 || random_chance(m->r, 10))
        put(d, "reason", random_chance(m->r, 50) ? "no fix" : "核对");
    if (strcmp(verb, "amended") == 0)
        put(d, "by", "head");
}

static void draft_device(struct maker *m, struct draft *d)
{
    static const char *const types[] = { "device.commissioned", "device.decommissioned",
                                         "device.faulted", "device.faulted", "device.recovered",
                                         "device.recovered" };
    const char *type = RANDOM_PICK(m->r, types);

    put_identity(m, d, NULL);
    put(d, "type", type);
    put_at(d, m->r, random_instant(m));
    put(d, "device", random_device(m->r));
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

static char *next_line(struct maker *m)
{
    int64_t choice = random_below(m->r, 100);
    struct draft fresh = { 0 }, *d = &fresh;

    if (choice < 3)
        return bad_line(m);
    if (choice < 12 && m->draft_count > 0)
        return render(&m->drafts[random_below(m->r, (int64_t)m->draft_count)], m->r);
    if (choice < 64)
        draft_ticket(m, d);
    else if (choice < 92)
        draft_device(m, d);
    else
        draft_input(m, d);
    if (random_chance(m->r, 2) && m->draft_count > 0 && choice < 92)
        steal_identity(m, d);
    if (m->draft_count < LENGTH(m->drafts))
        m->drafts[m->draft_count++] = *d;
    return render(d, m->r);
}

void random_lines(struct lines *ret, struct random *r, const struct rules *rules,
                  int64_t begin_at, int64_t end_at)
{
    struct maker *m = mem_zalloc(sizeof *m);

    m->r = r;
    m->rules = rules;
    m->begin_at = begin_at;
    m->end_at = end_at;
    oracle_use_zone(rules->zone.name);
    ret->count = 3 + (size_t)random_below(r, random_chance(r, 30) ? 80 : 25);
    ret->items = mem_realloc_array(NULL, ret->count, sizeof *ret->items);
    for (size_t i = 0; i < ret->count; i++)
        ret->items[i] = next_line(m);
    free(m);
}
