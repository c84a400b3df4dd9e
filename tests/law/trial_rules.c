/* Random rules: six kinds of KPI with windows that a few hours of events can hit. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/span.h"
#include "base/text.h"
#include "law_conf.h"
#include "oracle_time.h"
#include "trial.h"

static void random_targets(struct kpi *kpi, struct random *r, int32_t day)
{
    static const char *const scopes[] = { "",        "",       "company", "site:s1", "department:x",
                                          "staff:a", "model:m" };
    static const int32_t values[] = { 0, 300, 5000, 6667, 9000, 9800, 10000 };

    kpi->target_count = (size_t)random_below(r, 4);
    kpi->targets = mem_realloc_array(NULL, kpi->target_count + 1, sizeof *kpi->targets);
    for (size_t i = 0; i < kpi->target_count; i++) {
        struct target *t = &kpi->targets[i];

        *t = (struct target){ .value_e4 = RANDOM_PICK(r, values) };
        /* Dates differ, so that no two targets of one scope begin together. */
        t->from_day = day - 6 + (int32_t)i + 4 * (int32_t)random_below(r, 4);
        text_set(t->scope, sizeof t->scope, RANDOM_PICK(r, scopes));
        for (size_t j = 0; j < i; j++)
            if (kpi->targets[j].from_day == t->from_day)
                t->from_day -= 100 + (int32_t)i;
    }
}

static void random_sources(struct kpi *kpi, struct random *r)
{
    static const char *const inputs[] = { "one", "two" };

    kpi->source_count = random_chance(r, 50) ? (size_t)random_below(r, 3) : 0;
    kpi->sources = mem_realloc_array(NULL, kpi->source_count + 1, sizeof *kpi->sources);
    for (size_t i = 0; i < kpi->source_count; i++)
        text_set(kpi->sources[i], sizeof kpi->sources[i], inputs[i]);
}

/* What decides the counts. */
static void random_counting(struct kpi *kpi, struct random *r)
{
    static const int64_t spans[] = { SPAN_MINUTE,   30 * SPAN_MINUTE, SPAN_HOUR,
                                     6 * SPAN_HOUR, SPAN_DAY,         7 * SPAN_DAY };

    if (random_chance(r, 60))
        text_set(kpi->department, sizeof kpi->department, random_chance(r, 50) ? "x" : "z");
    if (kpi->counts_devices) {
        kpi->confirm_after_ms = random_chance(r, 30) ? 0 : RANDOM_PICK(r, spans);
    } else {
        bool is_job = strcmp(kpi->counts, "install") == 0 || strcmp(kpi->counts, "repair") == 0;

        if (random_chance(r, is_job ? 20 : 60))
            kpi->expire_after_ms = RANDOM_PICK(r, spans);
        if (random_chance(r, is_job ? 85 : 5))
            kpi->rework_window_ms = RANDOM_PICK(r, spans);
    }
}

struct rules *changed_rules(struct random *r, const struct rules *rules)
{
    struct rules *ret = rules_copy(rules);

    for (size_t i = 0; i < ret->kpi_count; i++) {
        struct kpi *kpi = &ret->kpis[i];

        if (random_chance(r, 40))
            continue;
        kpi->department[0] = '\0';
        kpi->rework_window_ms = kpi->expire_after_ms = SPAN_NONE;
        random_counting(kpi, r);
    }
    return ret;
}

static void random_kpi(struct kpi *kpi, struct random *r, const char *counts, int32_t day)
{
    char id[KPI_ID_SIZE];

    snprintf(id, sizeof id, "%s_rate", counts);
    law_conf_kpi(kpi, id, counts);
    random_counting(kpi, r);
    kpi->direction = random_chance(r, 50) ? DIRECTION_AT_LEAST : DIRECTION_AT_MOST;
    kpi->min_sample = 1 + random_below(r, 3);
    random_targets(kpi, r, day);
    random_sources(kpi, r);
}

struct rules *random_rules(struct random *r, const char *zone, int32_t day)
{
    static const char *const counts[] = { "install",  "repair", "device",
                                          "dispatch", "visit",  "device" };
    struct rules *rules = mem_zalloc(sizeof *rules);
    struct err err;

    if (zone_load(&rules->zone, zone, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    rules->grace_ms = random_chance(r, 50) ? SPAN_DAY : random_below(r, 3) * SPAN_HOUR;
    rules->restate_horizon_ms = 35 * SPAN_DAY;
    rules->penalty_after = 3;
    rules->kpis = mem_realloc_array(NULL, LENGTH(counts), sizeof *rules->kpis);
    for (size_t i = 0; i < LENGTH(counts); i++) {
        bool is_last = i == LENGTH(counts) - 1;

        /* Now and then one is not counted; the second KPI of devices is the exception. */
        if (i > 0 && random_chance(r, is_last ? 70 : 10))
            continue;
        random_kpi(&rules->kpis[rules->kpi_count], r, counts[i], day);
        if (is_last)
            text_set(rules->kpis[rules->kpi_count].id, KPI_ID_SIZE, "other_faults");
        rules->kpi_count++;
    }
    return rules;
}
