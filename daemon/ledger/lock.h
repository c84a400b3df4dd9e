/* The lock that says "a daemon has this ledger open": flock on `<path>.lock`. SQLite's own locks
 * would not do: a writer between two transactions holds none. */
#ifndef KPID_LEDGER_LOCK_H
#define KPID_LEDGER_LOCK_H

#include "base/err.h"

/* Takes the lock of the ledger at `path`, or fails with -EBUSY at once. Gives a descriptor; close
 * it (or end) to let go. For ":memory:" the descriptor is -1. */
int ledger_lock(const char *path, int *ret_fd, struct err *err);

#endif
