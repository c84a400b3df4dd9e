/* The law's configuration: what is counted, how, and against which target. Plain data, owned by
 * whoever loaded it; every other file here only reads it. */
#ifndef KPID_KPI_RULES_H
#define KPID_KPI_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kpi/zone.h"

enum direction { DIRECTION_AT_LEAST, DIRECTION_AT_MOST };

enum { KPI_ID_SIZE = 33, KIND_SIZE = 33, NAME_SIZE = 65, SCOPE_SIZE = 80, INPUT_SIZE = 33 };

#define SPAN_NONE INT64_C(-1)   /* a span that is not configured */

struct target {
    int32_t from_day;           /* local date from which it holds, days since 1970-01-01 */
    char scope[SCOPE_SIZE];     /* "": for all */
    int32_t value_e4;           /* ten-thousandths */
};

struct plan {
    int32_t year;
    int64_t volume;
    int32_t weights[12];        /* of the months */
};

struct kpi {
    char id[KPI_ID_SIZE];
    char counts[KIND_SIZE];     /* a ticket kind, or "device" */
    bool counts_devices;        /* law 3 instead of law 2 */
    char department[NAME_SIZE]; /* of tickets and devices that carry none; "": none */
    enum direction direction;
    int64_t rework_window_ms;   /* SPAN_NONE: its jobs cannot be accused */
    int64_t expire_after_ms;    /* SPAN_NONE: its tickets do not expire */
    int64_t confirm_after_ms;   /* of a fault; 0: at once */
    int64_t min_sample;         /* below it the verdict is too_few; at least 1 */
    char name_zh[NAME_SIZE * 2];
    char name_en[NAME_SIZE * 2];
    struct target *targets;
    size_t target_count;
    struct plan *plans;
    size_t plan_count;
    char (*sources)[INPUT_SIZE];    /* inputs that it depends on, for coverage */
    size_t source_count;
};

/* Who holds a post, in whole days of the configured zone. */
struct holder {
    char name[NAME_SIZE];
    char user[NAME_SIZE];       /* login name, to tell whose hand amended; "": not given */
    int32_t from_day;
    int32_t until_day;          /* the first day no longer in it; 0: still in it */
};

struct post_kpi {
    char id[KPI_ID_SIZE];
    int32_t weight;             /* whole per cent; 0: none given */
};

/* Who answers for which KPIs, in which scope. */
struct appraised_post {
    char id[KPI_ID_SIZE];
    char name_zh[NAME_SIZE * 2], name_en[NAME_SIZE * 2];
    char scope[SCOPE_SIZE];
    struct post_kpi *kpis;      /* all have a weight, with a sum of 100, or none has */
    size_t kpi_count;
    struct holder *holders;
    size_t holder_count;
};

struct rules {
    struct zone zone;
    struct kpi *kpis;           /* as configured; no ticket kind is counted by two of them */
    size_t kpi_count;
    struct appraised_post *posts;         /* as configured */
    size_t post_count;
    int64_t grace_ms;           /* after its end a week is sealed */
    int64_t restate_horizon_ms;
    int32_t penalty_after;
    int32_t seal_requires_e4;   /* coverage below which no week seals by itself; 0: off */
};

/* The KPI that counts tickets of `kind`, or NULL. */
const struct kpi *rules_kpi_of_kind(const struct rules *rules, const char *kind);
/* The KPI of that id, or NULL. */
const struct kpi *rules_kpi(const struct rules *rules, const char *id);

/* A deep copy; free with rules_destroy, which allows NULL. */
struct rules *rules_copy(const struct rules *rules);
void rules_destroy(struct rules *rules);
/* Frees what `rules` owns, not `rules` itself. */
void rules_finish(struct rules *rules);

/* What decides the counts (zone, kinds, windows, departments) in canonical text, and what only
 * decides how counts are valued (targets, direction, min_sample, sources). Two rules with equal
 * texts give equal tallies, and equal facts. Give; free with free(). */
char *rules_counting_text(const struct rules *rules);
char *rules_valuing_text(const struct rules *rules);
/* Everything else that readers are told: names, plans, posts, holders, how weeks are judged. */
char *rules_naming_text(const struct rules *rules);

#endif
