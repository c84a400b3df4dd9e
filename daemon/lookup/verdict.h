/* Was a vehicle found? Law 8, look-ups: what the terminal or the platform answered, against what
 * the configuration asks of an answer. Pure. */
#ifndef KPID_LOOKUP_VERDICT_H
#define KPID_LOOKUP_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

/* What became of asking one source. */
enum lookup_finding {
    FINDING_UNKNOWN,        /* it has no such vehicle */
    FINDING_UNREACHABLE,    /* it could not be asked */
    FINDING_OFFLINE,        /* it has, and the terminal does not answer */
    FINDING_NO_POSITION,    /* it has, and knows no position of it */
    FINDING_POSITION,       /* there is an answer: the best finding */
};

struct lookup_point {
    double latitude, longitude;     /* degrees, WGS 84 */
};

struct lookup_position {
    struct lookup_point at;
    bool online, fixed;
    int64_t fixed_at;               /* 0: not said */
};

struct lookup_rules {
    int64_t max_age_ms;             /* of the fix, at the moment of asking */
    int64_t max_distance_m;         /* from the reference */
};

enum { LOOKUP_REASON_SIZE = 64 };

struct lookup_verdict {
    bool success;
    char reason[LOOKUP_REASON_SIZE];    /* "offline", "no_fix", "stale", "off_by_<m>m",
                                         * "unknown_vehicle", "platform_unreachable"; "" */
    int64_t distance_m;             /* -1: there was no reference, or nothing to compare */
};

/* `best` is the best finding of all sources; `position` is looked at for FINDING_POSITION alone.
 * `reference` may be NULL. */
struct lookup_verdict lookup_judge(enum lookup_finding best,
                                   const struct lookup_position *position,
                                   const struct lookup_point *reference,
                                   const struct lookup_rules *rules, int64_t asked_at);

/* Metres along the great circle, on a sphere of the earth's mean radius: within 0.6 %. */
int64_t lookup_distance_m(struct lookup_point a, struct lookup_point b);

/* Where a point of a Chinese map (GCJ-02) really is; points outside of China are as they are. The
 * two differ by 100 to 700 m, so that a reference which was read off a map must be declared as
 * one. */
struct lookup_point lookup_from_gcj02(struct lookup_point gcj);

#endif
