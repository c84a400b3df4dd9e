/* Recounting: tables ticket, device, fact and gap computed from the event log alone, from nothing.
 *
 * The slow way to every figure, kept apart from the fast one so that each can judge the other. */
#ifndef KPID_LEDGER_RECOUNT_H
#define KPID_LEDGER_RECOUNT_H

#include <sqlite3.h>
#include <stdint.h>

#include "base/err.h"
#include "kpi/rules.h"

struct recount_options {
    const char *schema; /* "main" or "temp": where staging_create has made its tables */
    const struct rules *rules;
    int64_t as_of;
    /* Optional; called about once for each ten thousand rows. */
    void (*progress)(void *arg, const char *what);
    void *progress_arg;
};

/* Fills the staging tables. In "main" by its own bounded transactions, outside of one; in "temp"
 * within whatever transaction holds the reader's view of the log. */
int recount(sqlite3 *db, const struct recount_options *options, struct err *err);

#endif
