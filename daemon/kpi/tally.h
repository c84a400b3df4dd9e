/* The tally: cells of (kpi, period, scope), and differences of cells.
 *
 * A ticket counts at one instant, hence in one day, and week, month and year are sums of days: so
 * differences of tickets are gathered by day and spread once, when the tally is read. A device
 * counts once in each period whatever its days say: its differences are added cell by cell. */
#ifndef KPID_KPI_TALLY_H
#define KPID_KPI_TALLY_H

#include <stddef.h>
#include <stdint.h>

#include "kpi/contribution.h"
#include "kpi/period.h"
#include "kpi/scope.h"

struct tally;

struct tally_cell {
    const struct kpi *kpi;
    struct period period;
    const char *scope;          /* borrows from the tally until the next tally_clear */
    struct counts counts;       /* may be negative in a tally of differences */
};

/* Borrows `rules` until destroyed. */
struct tally *tally_create(const struct rules *rules);
void tally_destroy(struct tally *tally);
void tally_clear(struct tally *tally);

/* Adds `times` (1 or -1) what a ticket contributes, in all its scopes and periods. */
void tally_ticket(struct tally *tally, const struct kpi *kpi, const struct attributes *is,
                  const struct contribution *contribution, int64_t times);
/* Adds to the one period, in all scopes of a device with these attributes. */
void tally_device(struct tally *tally, const struct kpi *kpi, struct period period,
                  const struct attributes *is, const struct counts *counts, int64_t times);

/* Calls `each` for every cell that is not all zero, in no particular order; stops at the first
 * negative answer and returns it. */
int tally_each(struct tally *tally, int (*each)(void *arg, const struct tally_cell *cell),
               void *arg);

#endif
