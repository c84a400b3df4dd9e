/* Times as strangers write them: RFC 3339, a local clock, seconds or milliseconds since 1970.
 *
 * Platforms and sheets agree on little; what they write is read with some tolerance (a blank or a
 * 'T', '-' or '/', any number of decimals) and handed on as one strict instant. Any thread. */
#ifndef KPID_DRIVERS_ITEM_TIME_H
#define KPID_DRIVERS_ITEM_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kpi/zone.h"

/* In the order of item_time_choices. */
enum item_time {
    ITEM_TIME_LOCAL,    /* "2026-11-20 18:00:00[.5]" on the clocks of the zone */
    ITEM_TIME_RFC3339,  /* "2026-11-20T18:00:00+08:00", the offset is required */
    ITEM_TIME_EPOCH,    /* seconds since 1970, decimals allowed */
    ITEM_TIME_EPOCH_MS, /* milliseconds since 1970 */
};

/* "local", "rfc3339", "epoch", "epoch_ms"; ends with NULL. */
extern const char *const item_time_choices[];
/* What such a time looks like, for a refusal. */
const char *item_time_example(enum item_time format);

/* False if `text` is no time of that kind, or lies outside 1970 to 9999. A local time that a
 * clock change skipped is read with the offset from before it; of two equal ones, the first. */
bool item_time_parse(enum item_time format, const struct zone *zone, const char *text,
                     size_t length, int64_t *ret_at);

enum { ITEM_TIME_SIZE = 40 };
/* The other way, for the {from} and {to} of a request. Returns `to`. */
char *item_time_format(char to[ITEM_TIME_SIZE], enum item_time format, const struct zone *zone,
                       int64_t at);

#endif
