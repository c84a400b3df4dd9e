/* Verifying the chain of a ledger: each record's own digest, what it says of the one before, and
 * the facts, movements and events that it covers. Reads alone; any thread, on a ledger in use or a
 * copy; in bounded steps, so that no long read keeps the write-ahead log from being used anew. */
#ifndef KPID_LEDGER_VERIFY_H
#define KPID_LEDGER_VERIFY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "ledger/digest.h"

struct chain_report {
    int64_t records, facts, moved, events;      /* that were looked at and fit */
    char digest[DIGEST_SIZE];                   /* of the last record that fits */
    int64_t first_bad;                          /* the first that does not; 0: all fit */
    char why[320];                              /* if one does not: which, and what of it */
};

/* 0 with `ret` filled, whether it fits or not; negative if the file cannot be read at all.
 * `stop` (may be NULL) is looked at now and then: true ends it with -ECANCELED. */
int chain_verify(const char *path, const atomic_bool *stop, struct chain_report *ret,
                 struct err *err);

#endif
