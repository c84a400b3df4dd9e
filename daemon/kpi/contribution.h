/* What one ticket adds to its KPI: the table of law 2, row by row. */
#ifndef KPID_KPI_CONTRIBUTION_H
#define KPID_KPI_CONTRIBUTION_H

#include <stdbool.h>
#include <stdint.h>

#include "kpi/ticket.h"

struct counts {
    int64_t numerator;
    int64_t denominator;
    int64_t excluded;
    int64_t pending;
};

struct contribution {
    int64_t counts_at;          /* the instant whose periods it belongs to */
    struct counts counts;       /* each 0 or 1; all 0: no event takes part yet */
    bool expired;
    bool accused;
};

/* `accused`: law 2.rework says that another ticket accuses this one (see rework.h). */
struct contribution contribution_of(const struct ticket *ticket, const struct kpi *kpi,
                                    bool accused, int64_t as_of);

/* The next instant at which the contribution can change though no event arrives: expiry, or an
 * event dated after as_of. INSTANT_NEVER: none. A timer for it must fire with as_of >= it. */
int64_t contribution_due_at(const struct ticket *ticket, const struct kpi *kpi, int64_t as_of);

/* What explain shows as the reason: "expired", "rework:<ticket>", or the ticket's own.
 * `accuser` is NULL if not accused. Returns `to`. */
char *contribution_reason(char to[REASON_SIZE], const struct ticket *ticket,
                          const struct contribution *contribution, const char *accuser);

bool counts_are_zero(const struct counts *counts);
/* to += times * what */
void counts_add(struct counts *to, const struct counts *what, int64_t times);

#endif
