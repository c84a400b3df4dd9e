/* Periods: law 4. A day, an ISO week, a month or a year of the configured zone, as two integers
 * that order and hash; bounds in instants come from the zone. */
#ifndef KPID_KPI_PERIOD_H
#define KPID_KPI_PERIOD_H

#include <stdbool.h>
#include <stdint.h>

#include "kpi/zone.h"

enum period_kind { PERIOD_DAY, PERIOD_WEEK, PERIOD_MONTH, PERIOD_YEAR, PERIOD_KINDS };

struct period {
    enum period_kind kind;
    int32_t number;     /* day: days since 1970-01-01; week: the day number of its Monday;
                         * month: year * 12 + month - 1; year: the year */
};

enum { PERIOD_SIZE = 16 };      /* room for any period_format */

struct period period_of_day(enum period_kind kind, int32_t day);
struct period period_at(enum period_kind kind, const struct zone *zone, int64_t at);
struct period period_next(struct period period);
/* The first day, and the first day after. */
int32_t period_first_day(struct period period);
int32_t period_end_day(struct period period);
int64_t period_begin(struct period period, const struct zone *zone);
int64_t period_end(struct period period, const struct zone *zone);
/* Order of facts: day < week < month < year, then time. */
int period_compare(struct period a, struct period b);

/* "2026-11-16", "2026-W47", "2026-11", "2026". Returns `to`. */
char *period_format(char to[PERIOD_SIZE], struct period period);
/* False if `text` is none of these or names a day or week that does not exist. */
bool period_parse(const char *text, struct period *ret);
/* "day", "week", "month", "year". */
const char *period_kind_name(enum period_kind kind);
bool period_kind_parse(const char *text, enum period_kind *ret);

#endif
