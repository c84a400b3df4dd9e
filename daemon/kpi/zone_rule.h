/* The rule for the years after a zone file's last entry: the TZ string of POSIX (IEEE 1003.1,
 * 8.3) with the extensions of RFC 8536, 3.3.1. Only zone_load.c needs it. */
#ifndef KPID_KPI_ZONE_RULE_H
#define KPID_KPI_ZONE_RULE_H

#include <stdbool.h>
#include <stdint.h>

enum zone_day_rule {
    ZONE_DAY_OF_WEEK,       /* Mm.w.d: weekday d of week w of month m; week 5 is the last */
    ZONE_DAY_JULIAN,        /* Jn: 1 to 365, 29 February is never counted */
    ZONE_DAY_ZERO_BASED,    /* n: 0 to 365, 29 February is counted */
};

struct zone_rule_edge {
    enum zone_day_rule rule;
    int32_t month, week, weekday;
    int32_t day;
    int32_t time_s;             /* of the local clock, -167 to 167 hours */
};

struct zone_rule {
    int32_t standard_offset_s;  /* ahead of UTC */
    int32_t summer_offset_s;
    bool has_summer;
    struct zone_rule_edge begin;
    struct zone_rule_edge end;
};

/* False if `text` is no such rule. */
bool zone_rule_parse(const char *text, struct zone_rule *ret);

/* The instants (ms) at which summer time begins and ends in `year`. */
int64_t zone_rule_begin(const struct zone_rule *rule, int32_t year);
int64_t zone_rule_end(const struct zone_rule *rule, int32_t year);

#endif
