/* Volume plans: law 6.plans. A year's successes are split over its months by weights, a month's
 * over its days evenly, each by largest remainder, so that parts add up to the whole. */
#ifndef KPID_KPI_PLAN_H
#define KPID_KPI_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kpi/period.h"
#include "kpi/rules.h"

enum { PLAN_PARTS_MAX = 31 };

/* Splits `whole` (>= 0) by `weights` (>= 0, one above 0; NULL: all alike) into `count` parts, at
 * most PLAN_PARTS_MAX: each the whole number below its share, and what is left over one by one to
 * those with the largest remainder, the earlier first. */
void plan_split(int64_t whole, const int32_t *weights, size_t count, int64_t *ret_parts);

/* What the KPI's plans ask for in `period`: a week is the sum of its days, in two years perhaps.
 * False, with 0, if no day of it lies in a year with a plan. */
bool plan_volume(const struct kpi *kpi, struct period period, int64_t *ret);

#endif
