/* --replay: a file of events becomes facts, with no daemon and no lasting store. The same intake,
 * the same ledger, only in memory and with a clock that stands still at as_of. Blocks; main
 * thread. */
#ifndef KPID_REPLAY_H
#define KPID_REPLAY_H

#include "base/err.h"

/* All borrow for the call. */
struct replay_options {
    const char *conf;      /* path of the configuration */
    const char *events;    /* NDJSON; blank lines are nothing */
    const char *as_of;     /* RFC 3339; NULL: now, by the wall clock */
    const char *facts_out; /* NULL: standard output */
};

/* Writes the facts as NDJSON by (day < week < month < year, period, kpi, scope), and each line that
 * could not be taken as "FILE:LINE: reason" to standard error. The exit status: 0, or 2 if the
 * configuration or as_of has faults, which are printed. Negative errno on failure. */
int replay_run(const struct replay_options *options, struct err *err);

#endif
