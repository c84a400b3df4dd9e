/* The town's taxis as a Traccar server shows them (its API 6.14): lists of Device and Position, and
 * alarm events, of which there are none but those in positions. */
#ifndef KPID_SIM_TRACCAR_H
#define KPID_SIM_TRACCAR_H

#include <stdbool.h>

#include "base/text.h"
#include "world.h"

#define TRACCAR_API "/traccar/api"

struct traccar_query {
    int64_t id;            /* of one device or position; 0: all */
    int64_t limit, offset; /* of devices */
};

/* Adds the answer to a path behind TRACCAR_API. False: there is nothing. */
bool traccar_show(const struct world *world, const char *path, const struct traccar_query *query,
                  struct text_buffer *to);

#endif
