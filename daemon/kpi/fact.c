/* Facts: law 5, what counts are worth.
 *
 * Every comparison and every rounding of a rate is done in integers: a head who reached 98 %
 * exactly must not be told by a rounding error that he did not. Only the Wilson bounds, which
 * decide nothing, need a square root and are doubles until they are rounded. The JSON form is in
 * fact_json.c. */
#include "kpi/fact.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"

/* Counts stay far below this, so that no product below leaves 64 bits. */
#define COUNT_MAX (INT64_C(1) << 40)

#define MILLION INT64_C(1000000)
#define E4 INT64_C(10000)

static const double wilson_z = 1.959963984540054;

static const char *const verdict_names[] = { "no_data", "too_few", "no_target", "met", "missed" };
static const char *const state_names[] = { "open", "closing", "sealed" };

bool rate_at_least(int64_t numerator, int64_t denominator, int64_t target_e4)
{
    assert(denominator > 0 && denominator < COUNT_MAX);
    return numerator * E4 >= target_e4 * denominator;
}

bool rate_at_most(int64_t numerator, int64_t denominator, int64_t target_e4)
{
    assert(denominator > 0 && denominator < COUNT_MAX);
    return numerator * E4 <= target_e4 * denominator;
}

/* law 5.rate: rounded half up to 6 decimals. */
static int64_t rate_e6(int64_t numerator, int64_t denominator)
{
    assert(numerator >= 0 && numerator <= denominator && denominator < COUNT_MAX);
    return (2 * numerator * MILLION + denominator) / (2 * denominator);
}

static int64_t round_e6(double value)
{
    double clamped = value < 0 ? 0 : value > 1 ? 1 : value;

    return llround(clamped * (double)MILLION);
}

/* law 5.low, 5.high: Wilson score interval at 95 %. Rounding to 6 decimals makes the ends exact:
 * 0 of n begins at 0, n of n ends at 1. */
static void wilson(struct fact *fact)
{
    double n = (double)fact->counts.denominator;
    double p = (double)fact->counts.numerator / n;
    double z2 = wilson_z * wilson_z;
    double centre = p + z2 / (2 * n);
    double half = wilson_z * sqrt(p * (1 - p) / n + z2 / (4 * n * n));
    double scale = 1 + z2 / n;

    fact->low_e6 = round_e6((centre - half) / scale);
    fact->high_e6 = round_e6((centre + half) / scale);
}

/* law 5.targets: the most specific scope wins, then the latest `from`; of two alike the one that is
 * written last. */
int32_t target_in_force(const struct kpi *kpi, struct period period, const char *scope)
{
    const struct target *best = NULL;
    int32_t day = period_first_day(period);

    for (size_t i = 0; i < kpi->target_count; i++) {
        const struct target *t = &kpi->targets[i];
        bool for_all = t->scope[0] == '\0';

        if (t->from_day > day || (!for_all && strcmp(t->scope, scope) != 0))
            continue;
        bool best_for_all = best && best->scope[0] == '\0';

        if (!best || (best_for_all && !for_all) ||
            (best_for_all == for_all && t->from_day >= best->from_day))
            best = t;
    }
    return best ? best->value_e4 : TARGET_NONE;
}

/* law 5.verdict: the first that applies. */
static enum verdict verdict_of(const struct fact *fact, const struct kpi *kpi)
{
    int64_t numerator = fact->counts.numerator;
    int64_t denominator = fact->counts.denominator;

    if (denominator == 0)
        return VERDICT_NO_DATA;
    if (denominator < kpi->min_sample)
        return VERDICT_TOO_FEW;
    if (fact->target_e4 == TARGET_NONE)
        return VERDICT_NO_TARGET;
    bool met = kpi->direction == DIRECTION_AT_LEAST
                   ? rate_at_least(numerator, denominator, fact->target_e4)
                   : rate_at_most(numerator, denominator, fact->target_e4);

    return met ? VERDICT_MET : VERDICT_MISSED;
}

/* law 5.shortfall: how many successes are missing, or how many faults are too many. */
static int64_t shortfall_of(const struct fact *fact, enum direction direction)
{
    if (fact->target_e4 == TARGET_NONE || fact->counts.denominator == 0)
        return 0;
    int64_t product = fact->target_e4 * fact->counts.denominator;
    int64_t shortfall = direction == DIRECTION_AT_LEAST
                            ? (product + E4 - 1) / E4 - fact->counts.numerator
                            : fact->counts.numerator - product / E4;

    return shortfall > 0 ? shortfall : 0;
}

struct fact fact_of(const struct counts *counts, const struct kpi *kpi, struct period period,
                    const char *scope)
{
    struct fact fact = { .counts = *counts, .rate_e6 = RATE_NONE, .low_e6 = RATE_NONE,
                         .high_e6 = RATE_NONE,
                         .target_e4 = target_in_force(kpi, period, scope) };

    if (counts->denominator > 0) {
        fact.rate_e6 = rate_e6(counts->numerator, counts->denominator);
        wilson(&fact);
    }
    fact.verdict = verdict_of(&fact, kpi);
    fact.shortfall = shortfall_of(&fact, kpi->direction);
    return fact;
}

enum fact_state fact_state_of(struct period period, const struct zone *zone, int64_t as_of)
{
    return as_of < period_end(period, zone) ? FACT_OPEN : FACT_CLOSING;
}

void fact_view_seal(struct fact_view *view, const struct sealing *sealing)
{
    if (sealing->revision == 0)
        return;
    view->state = FACT_SEALED;
    view->revision = sealing->revision;
    view->pending = sealing->pending;
    view->coverage = sealing->coverage;
    view->as_of = sealing->as_of;
}

const char *verdict_name(enum verdict verdict)
{
    assert(verdict < LENGTH(verdict_names));
    return verdict_names[verdict];
}

const char *fact_state_name(enum fact_state state)
{
    assert(state < LENGTH(state_names));
    return state_names[state];
}

const char *direction_name(enum direction direction)
{
    return direction == DIRECTION_AT_LEAST ? "at_least" : "at_most";
}
