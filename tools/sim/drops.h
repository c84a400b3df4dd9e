/* People and programs who drop files into a spool folder. */
#ifndef KPID_SIM_DROPS_H
#define KPID_SIM_DROPS_H

#include "world.h"

/* Writes the work orders finished since the last call into one CSV file, under a temporary name
 * that is then changed, and an NDJSON heartbeat of the workshop beside it. `bad_every`: each so
 * manieth row is one that somebody typed wrongly; 0: none. Returns 0, or a negative errno. */
int drop_files(struct world *world, const char *folder, const struct zone *zone,
               unsigned bad_every);

#endif
