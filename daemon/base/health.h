/* State of one source or part: well, degraded or down, since when and why. health_is is the only
 * place in the house that says in the journal that a source fell or rose: one line for each
 * change of state, however often it is tried. */
#ifndef KPID_BASE_HEALTH_H
#define KPID_BASE_HEALTH_H

#include <stdint.h>

#include "base/clock.h"

enum source_state { SOURCE_STARTING, SOURCE_WELL, SOURCE_DEGRADED, SOURCE_DOWN };

struct health {
    char name[64];
    enum source_state state;
    int64_t since;              /* wall clock of the last change */
    char why[256];              /* what failed and what to do; "" when well */
    int64_t last_success_at;    /* 0: never */
    int64_t last_error_at;      /* 0: never */
    char last_error[256];       /* kept after recovery, for GET /v1/sources */
    uint64_t attempts;          /* in this state */
};

void health_init(struct health *health, const char *name, const struct clock *clock);
void health_is(struct health *health, enum source_state state, const char *why,
               const struct clock *clock);
/* "starting", "well", "degraded", "down". */
const char *source_state_name(enum source_state state);

#endif
