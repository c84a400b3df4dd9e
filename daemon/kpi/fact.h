/* Facts: law 5. Counts against a target, compared in integers. */
#ifndef KPID_KPI_FACT_H
#define KPID_KPI_FACT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "kpi/coverage.h"
#include "kpi/period.h"

enum verdict { VERDICT_NO_DATA, VERDICT_TOO_FEW, VERDICT_NO_TARGET, VERDICT_MET, VERDICT_MISSED };
enum fact_state { FACT_OPEN, FACT_CLOSING, FACT_SEALED };

#define RATE_NONE INT64_C(-1)       /* null: the denominator is 0 */
#define TARGET_NONE INT32_C(-1)     /* null: no target in force */

/* What the counts are worth; the key stands beside it. */
struct fact {
    struct counts counts;
    int64_t rate_e6;            /* millionths, RATE_NONE: null */
    int64_t low_e6, high_e6;    /* Wilson bounds, likewise */
    int32_t target_e4;          /* ten-thousandths, TARGET_NONE: null */
    enum verdict verdict;
    int64_t shortfall;
};

/* How a sealed fact stands; revision 0: it is not sealed, and the rest says nothing. */
struct sealing {
    int32_t revision;
    bool pending;               /* something moved since: a restatement is to come */
    int64_t as_of;
    struct coverage coverage;
};

/* Values counts of (kpi, period, scope). */
struct fact fact_of(const struct counts *counts, const struct kpi *kpi, struct period period,
                    const char *scope);

/* The target in force at the first instant of `period` for `scope`; TARGET_NONE: none. */
int32_t target_in_force(const struct kpi *kpi, struct period period, const char *scope);

/* numerator/denominator >= (<=) target, in integers. */
bool rate_at_least(int64_t numerator, int64_t denominator, int64_t target_e4);
bool rate_at_most(int64_t numerator, int64_t denominator, int64_t target_e4);

/* Open until the period has ended, then closing. (A sealed fact is read from its seal.) */
enum fact_state fact_state_of(struct period period, const struct zone *zone, int64_t as_of);

const char *verdict_name(enum verdict verdict);
const char *fact_state_name(enum fact_state state);
const char *direction_name(enum direction direction);

/* A fact as the JSON of the contract, every key in its order, no newline. `as_of` is written with
 * the offset of `zone`. One of a sealed period in which something moved has, besides,
 * "restatement":"pending". */
struct fact_view {
    const struct kpi *kpi;
    struct period period;
    const char *scope;
    const struct fact *fact;
    struct coverage coverage;
    enum fact_state state;
    int32_t revision;
    bool pending;               /* sealed, and something moved since */
    int64_t as_of;
};

/* Makes it the view of a sealed fact; an open one (revision 0) stays as it is. */
void fact_view_seal(struct fact_view *view, const struct sealing *sealing);

void fact_json(struct text_buffer *to, const struct fact_view *view, const struct zone *zone);

#endif
