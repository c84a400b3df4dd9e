/* A time zone as plain data: looking things up in a list of offset changes.
 *
 * Everything rests on one picture: between two changes local time runs straight, at a change it
 * jumps forward (a gap) or back (a time that comes twice). The first instant of a date is the
 * first instant at which local time has reached its 00:00: that is 00:00 itself, the first of two,
 * or, where a gap swallows it, the instant after the gap. It never decreases from date to date, so
 * dates divide time without holes; a date that a zone skipped whole is empty. */
#include "kpi/zone.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define DAY_MS INT64_C(86400000)

/* No zone is ever farther from UTC (RFC 8536, 3.2: less than 26 hours). */
#define OFFSET_MAX_MS INT64_C(93600000)

void zone_finish(struct zone *zone)
{
    free(zone->changes);
    zone->changes = NULL;
    zone->change_count = 0;
}

void zone_copy(struct zone *to, const struct zone *from)
{
    struct zone_change *changes = NULL;

    if (from->change_count > 0) {
        changes = mem_realloc_array(NULL, from->change_count, sizeof *changes);
        memcpy(changes, from->changes, from->change_count * sizeof *changes);
    }
    *to = *from;
    to->changes = changes;
}

/* How many changes are at or before `at`. Most questions are about now, after which only the
 * changes of the years to come lie, so nothing cheaper than bisection holds for every zone. */
static size_t changes_until(const struct zone *zone, int64_t at)
{
    size_t low = 0;
    size_t high = zone->change_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (zone->changes[middle].at <= at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The offset after the first `n` changes. */
static int32_t offset_after(const struct zone *zone, size_t n)
{
    return n == 0 ? zone->first_offset_s : zone->changes[n - 1].offset_s;
}

int32_t zone_offset(const struct zone *zone, int64_t at)
{
    return offset_after(zone, changes_until(zone, at));
}

int64_t zone_midnight(const struct zone *zone, int32_t day)
{
    int64_t local = (int64_t)day * DAY_MS;

    /* What lies wholly before this instant is before that midnight in any zone. */
    for (size_t n = changes_until(zone, local - OFFSET_MAX_MS);; n++) {
        int64_t at = local - (int64_t)offset_after(zone, n) * 1000;

        if (n > 0 && at < zone->changes[n - 1].at)
            at = zone->changes[n - 1].at;
        if (n == zone->change_count || at < zone->changes[n].at)
            return at;
    }
}

static int64_t floor_divide(int64_t a, int64_t b)
{
    return a / b - (a % b < 0 ? 1 : 0);
}

int32_t zone_day(const struct zone *zone, int64_t at)
{
    int64_t local = at + (int64_t)zone_offset(zone, at) * 1000;
    int32_t day = (int32_t)floor_divide(local, DAY_MS);

    /* A time that comes twice around midnight shows yesterday's date for a while after today
     * has begun; the bounds decide, not the calendar on the wall. The other way round cannot be:
     * a date is never on the wall before its first instant. */
    while (zone_midnight(zone, day + 1) <= at)
        day++;
    return day;
}
