/* A time zone as plain data: the instants at which its offset changes. Loaded once, then a value
 * like any other: no global state, any number of zones side by side, any thread. */
#ifndef KPID_KPI_ZONE_H
#define KPID_KPI_ZONE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct zone_change {
    int64_t at;             /* from this instant (ms) on ... */
    int32_t offset_s;       /* ... local time is UTC plus this */
};

struct zone {
    char name[64];
    int32_t first_offset_s;         /* before the first change */
    struct zone_change *changes;    /* ascending; 1970 to 2100 */
    size_t change_count;
};

/* Reads what the system's zone data (tzdata) says of the IANA name. -ENOENT if there is no such
 * zone. Reads one small file and touches nothing else of the process: any thread. Free with
 * zone_finish. */
int zone_load(struct zone *zone, const char *name, struct err *err);
void zone_finish(struct zone *zone);
void zone_copy(struct zone *to, const struct zone *from);

/* Seconds that local time is ahead of UTC at `at`. */
int32_t zone_offset(const struct zone *zone, int64_t at);

/* The first instant of a local date (days since 1970-01-01): 00:00, the first of two if it comes
 * twice, the instant after the gap if there is no 00:00. */
int64_t zone_midnight(const struct zone *zone, int32_t day);

/* The local date to which `at` belongs: zone_midnight(day) <= at < zone_midnight(day + 1). */
int32_t zone_day(const struct zone *zone, int64_t at);

#endif
