/* Random trials: a log, put into an order of arrival and cut into batches, with the clock moving
 * on between them and now and then an act against the ledger itself. See trial.h. */
#include "trial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/instant.h"
#include "base/mem.h"
#include "base/span.h"
#include "oracle_time.h"

/* Something happens to the clocks or to the calendar near the date. */
static const struct setting {
    const char *zone, *date;
} settings[] = {
    { "Asia/Shanghai", "2026-11-18" },       /* no change */
    { "Asia/Shanghai", "2025-12-28" },       /* the year, and ISO week 2026-W01 */
    { "UTC", "2024-02-27" },                 /* a leap day */
    { "America/New_York", "2026-10-29" },    /* back, at 02:00 */
    { "Europe/Berlin", "2026-03-26" },       /* forward, and a month's end */
    { "America/Havana", "2026-03-05" },      /* no 00:00 */
    { "America/Havana", "2026-10-29" },      /* 00:00 twice */
    { "Asia/Beirut", "2026-03-26" },         /* no 00:00 */
    { "Asia/Beirut", "2026-10-22" },         /* 00:00 becomes 23:00 */
    { "America/St_Johns", "2006-10-26" },    /* 00:01 becomes 23:01: a date begins twice */
    { "Australia/Lord_Howe", "2026-04-02" }, /* by half an hour */
    { "Asia/Kathmandu", "2026-12-29" },      /* +05:45; ISO week 2026-W53 */
    { "Pacific/Apia", "2011-12-27" },        /* a date that never was */
};

static int64_t setting_begin(const struct setting *s)
{
    int y, m, d;

    sscanf(s->date, "%d-%d-%d", &y, &m, &d);
    oracle_use_zone(s->zone);
    return oracle_midnight(civil_day(y, m, d));
}

static void act_add(struct trial *trial, enum act_kind kind, int64_t at, char *line)
{
    trial->acts = mem_realloc_array(trial->acts, trial->count + 1, sizeof trial->acts[0]);
    trial->acts[trial->count++] = (struct act){ .kind = kind, .at = at, .line = line };
}

/* Wholly shuffled, or nearly in order, as life is. */
static void shuffle(struct lines *lines, struct random *r)
{
    int64_t reach = random_chance(r, 50) ? (int64_t)lines->count : 4;

    for (size_t i = lines->count; i > 1; i--) {
        size_t least = i > (size_t)reach ? i - (size_t)reach : 0;
        size_t j = least + (size_t)random_below(r, (int64_t)(i - least));
        char *swap = lines->items[i - 1];

        lines->items[i - 1] = lines->items[j];
        lines->items[j] = swap;
    }
}

/* What may happen between two batches. */
static void interlude(struct trial *t, struct random *r, int64_t now, bool rules_change)
{
    if (random_chance(r, 15))
        act_add(t, ACT_COMPARE, now, NULL);
    if (t->on_file && random_chance(r, 20))
        act_add(t, random_chance(r, rules_change ? 30 : 0) ? ACT_REOPEN_RULES : ACT_REOPEN,
                now + (random_chance(r, 50) ? random_below(r, 2 * SPAN_DAY) : 0), NULL);
    if (t->on_file && random_chance(r, 10))
        act_add(t, ACT_KILL, now + (random_chance(r, 50) ? random_below(r, SPAN_DAY) : 0), NULL);
    if (rules_change && random_chance(r, 10))
        act_add(t, ACT_RULES, now, NULL);
}

static void make_acts(struct trial *t, struct random *r, struct lines *lines, int64_t as_of)
{
    bool rules_change = random_chance(r, t->on_file && t->seals ? 80 : 15);
    int64_t now = t->start_at;
    size_t batch_max = random_chance(r, 30) ? lines->count : 1 + (size_t)random_below(r, 6);

    for (size_t i = 0; i < lines->count;) {
        size_t batch = (size_t)random_below(r, (int64_t)batch_max + 1);

        for (; batch > 0 && i < lines->count; batch--)
            act_add(t, ACT_LINE, 0, lines->items[i++]);
        if (random_chance(r, 70) && now < as_of)
            now += random_below(r, 2 * (as_of - now) / (int64_t)(lines->count - i + 2) + 1);
        if (random_chance(r, 5))
            now = oracle_midnight(oracle_day(now) + 1);
        act_add(t, ACT_COMMIT, random_chance(r, 3) ? now - SPAN_HOUR : now, NULL);
        t->acts[t->count - 1].after_ms = random_chance(r, 15) ? 600 : 1;
        interlude(t, r, now, rules_change);
    }
    act_add(t, ACT_COMMIT, as_of > now ? as_of : now, NULL);
    t->acts[t->count - 1].after_ms = 1;
    if (rules_change && t->seals)
        act_add(t, ACT_RULES, 0, NULL); /* what is sealed was sealed under others */
}

void trial_make(struct trial *trial, uint64_t seed)
{
    struct random random = { seed }, *r = &random;
    const struct setting *s = &RANDOM_PICK(r, settings);
    bool weeks = seed % 8 == 3;     /* sealed under rules that change */
    int64_t span = random_chance(r, weeks ? 0 : 70) ? 2 + random_below(r, 5)
                                                    : 7 + random_below(r, 30);
    int64_t begin_at = setting_begin(s), as_of;
    struct lines lines;

    *trial = (struct trial){ .seed = seed,
                             .on_file = random_chance(r, weeks ? 100 : 15),
                             .seals = seed % 2 == 1 };
    trial->rules[0] = random_rules(r, s->zone, oracle_day(begin_at));
    if (random_chance(r, 50))
        trial->rules[1] = changed_rules(r, trial->rules[0]);
    else
        trial->rules[1] = random_rules(r, random_chance(r, 80) ? s->zone : "Europe/Berlin",
                                       oracle_day(begin_at));
    as_of = begin_at + span * SPAN_DAY * (60 + random_below(r, 60)) / 100;
    if (random_chance(r, 30))
        as_of = oracle_midnight(oracle_day(as_of));
    oracle_use_zone(s->zone);
    random_lines(&lines, r, trial->rules[0], begin_at, begin_at + span * SPAN_DAY);
    shuffle(&lines, r);
    trial->start_at = random_chance(r, 60) ? begin_at - SPAN_DAY
                                           : begin_at + random_below(r, as_of - begin_at + 1);
    make_acts(trial, r, &lines, as_of);
    free(lines.items);
}

void trial_finish(struct trial *trial)
{
    for (size_t i = 0; i < trial->count; i++)
        free(trial->acts[i].line);
    free(trial->acts);
    rules_destroy(trial->rules[0]);
    rules_destroy(trial->rules[1]);
    *trial = (struct trial){ 0 };
}
