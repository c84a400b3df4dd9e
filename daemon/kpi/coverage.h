/* Coverage: law 7. Was anybody watching? */
#ifndef KPID_KPI_COVERAGE_H
#define KPID_KPI_COVERAGE_H

#include <stddef.h>
#include <stdint.h>

#include "kpi/device.h"

/* Intervals in which an input was lost; ascending, apart, the last may be open. */
struct gaps {
    struct interval *items;
    size_t count;
};

/* Folds source.lost and source.found events of one input, in event order, up to as_of. What `gaps`
 * held is overwritten, not freed. Free with gaps_finish. */
void gaps_fold(struct gaps *gaps, const struct event *events, size_t count, int64_t as_of);
/* The union with another's. */
void gaps_unite(struct gaps *gaps, const struct gaps *other);
void gaps_finish(struct gaps *gaps);

struct coverage {
    int32_t share_e4;       /* ten-thousandths, rounded half down */
    int32_t gaps;           /* maximal uncovered intervals */
};

/* Of [begin, min(end, as_of)); 1.0 and none if that is empty. */
struct coverage coverage_of(const struct gaps *gaps, int64_t begin, int64_t end, int64_t as_of);

#endif
