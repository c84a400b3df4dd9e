/* Volume plans: law 6.plans, in integers. A day is found through its month, and a week through its
 * days, so that whatever is asked for comes from the same two splits. */
#include "kpi/plan.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

/* The part that has waited longest for its share: the largest remainder, the earlier first. */
static size_t largest(const int64_t *remainders, size_t count)
{
    size_t best = 0;

    for (size_t i = 1; i < count; i++)
        if (remainders[i] > remainders[best])
            best = i;
    return best;
}

void plan_split(int64_t whole, const int32_t *weights, size_t count, int64_t *ret_parts)
{
    int64_t remainders[PLAN_PARTS_MAX], sum = 0, left = whole;

    assert(count > 0 && count <= PLAN_PARTS_MAX);
    for (size_t i = 0; i < count; i++)
        sum += weights ? weights[i] : 1;
    assert(whole >= 0 && sum > 0);
    for (size_t i = 0; i < count; i++) {
        int64_t share = whole * (weights ? weights[i] : 1);

        ret_parts[i] = share / sum;
        remainders[i] = share % sum;
        left -= ret_parts[i];
    }
    /* Fewer are left than there are remainders above 0: a weight of 0 gets nothing. */
    for (; left > 0; left--) {
        size_t next = largest(remainders, count);

        ret_parts[next]++;
        remainders[next] = -1;
    }
}

static const struct plan *plan_of_year(const struct kpi *kpi, int32_t year)
{
    for (size_t i = 0; i < kpi->plan_count; i++)
        if (kpi->plans[i].year == year)
            return &kpi->plans[i];
    return NULL;
}

static bool month_volume(const struct kpi *kpi, struct period month, int64_t *ret)
{
    const struct plan *plan = plan_of_year(kpi, month.number / 12);
    int64_t months[12];

    if (!plan)
        return false;
    plan_split(plan->volume, plan->weights, LENGTH(months), months);
    *ret = months[month.number % 12];
    return true;
}

static bool day_volume(const struct kpi *kpi, int32_t day, int64_t *ret)
{
    struct period month = period_of_day(PERIOD_MONTH, day);
    int32_t first = period_first_day(month);
    int64_t days[PLAN_PARTS_MAX], volume;

    if (!month_volume(kpi, month, &volume))
        return false;
    plan_split(volume, NULL, (size_t)(period_end_day(month) - first), days);
    *ret = days[day - first];
    return true;
}

static bool week_volume(const struct kpi *kpi, struct period week, int64_t *ret)
{
    int64_t sum = 0, volume;
    bool planned = false;

    for (int32_t day = period_first_day(week); day < period_end_day(week); day++) {
        if (!day_volume(kpi, day, &volume))
            continue;
        sum += volume;
        planned = true;
    }
    *ret = sum;
    return planned;
}

bool plan_volume(const struct kpi *kpi, struct period period, int64_t *ret)
{
    const struct plan *plan;

    *ret = 0;
    switch (period.kind) {
    case PERIOD_DAY:
        return day_volume(kpi, period.number, ret);
    case PERIOD_WEEK:
        return week_volume(kpi, period, ret);
    case PERIOD_MONTH:
        return month_volume(kpi, period, ret);
    case PERIOD_YEAR:
        plan = plan_of_year(kpi, period.number);
        if (plan)
            *ret = plan->volume;
        return plan != NULL;
    case PERIOD_KINDS:
        break;
    }
    assert(false);
    return false;
}
