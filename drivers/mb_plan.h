/* Which requests read a map: points that stand near one another come in one answer.
 *
 * Fewer requests are faster (at 9600 baud a request costs 15 ms before its first register), but not
 * every unit answers across a hole in its map; so the plan is made anew, more carefully, once a
 * unit has refused. Pure. Any thread. */
#ifndef KPID_DRIVERS_MB_PLAN_H
#define KPID_DRIVERS_MB_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mb_map.h"

/* How carefully. */
enum mb_care {
    MB_MERGED,   /* across holes of up to `gap` registers */
    MB_ADJACENT, /* only what stands side by side */
    MB_SINGLE,   /* one request for each place */
};

struct mb_plan_rules {
    enum mb_poll poll; /* the points of this class */
    enum mb_care care;
    uint32_t gap;
    uint32_t registers_max; /* of one request; bits: 16 times as many, at most 2000 */
};

struct mb_read {
    uint32_t function, address, count;
    uint16_t first, points; /* which of `order` it serves */
};

struct mb_plan {
    struct mb_read *reads;
    size_t count;
    uint16_t *order; /* indices of points of the map */
};

/* `unsupported` (borrows; one for each point, or NULL) are left out, and no request runs across one
 * of them. Free with mb_plan_finish. */
void mb_plan_make(struct mb_plan *plan, const struct mb_map *map, const bool *unsupported,
                  const struct mb_plan_rules *rules);
void mb_plan_finish(struct mb_plan *plan);

#endif
