/* The oracle's calendar: the C library's own, through TZ and localtime_r. */
#ifndef KPID_TESTS_LAW_ORACLE_TIME_H
#define KPID_TESTS_LAW_ORACLE_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ORACLE_DAY, ORACLE_WEEK, ORACLE_MONTH, ORACLE_YEAR, ORACLE_PERIOD_KINDS };

struct oracle_period {
    int kind;
    char name[16];
    int first_day, end_day; /* days since 1970-01-01; the last one is outside */
    int64_t begin, end;     /* ms since 1970 */
};

/* From here on local time is that of `name`. */
void oracle_use_zone(const char *name);

/* The first instant whose local date is `day` or later. */
int64_t oracle_midnight(int day);
int oracle_day(int64_t at);
/* The period of that kind that holds `day`. */
struct oracle_period oracle_period(int kind, int day);

/* RFC 3339 with an offset, to the millisecond. */
bool oracle_instant(const char *text, int64_t *ret_at);

#endif
