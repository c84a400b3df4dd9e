/* Rework: law 2. A repair that comes soon after a job on the same device accuses that job. */
#ifndef KPID_KPI_REWORK_H
#define KPID_KPI_REWORK_H

#include <stdbool.h>
#include <stddef.h>

#include "kpi/ticket.h"

/* One install or repair ticket of a device. */
struct job {
    const struct ticket *ticket;    /* borrows, for the call */
    const struct ticket *accuser;   /* filled in; NULL: not accused */
};

/* True for the kinds that rework links: install and repair. */
bool rework_links_kind(const char *kind);

/* `jobs` are all install and repair tickets whose device is the same. Fills `accuser` of each:
 * of several accusers the one with the least ticket id. Any order in, order kept. */
void rework_accuse(struct job *jobs, size_t count, const struct rules *rules);

#endif
