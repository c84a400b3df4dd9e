/* Counting anew from the log, into tables beside the stored ones which then take their place.
 *
 * The new tables are filled in bounded transactions, so that the write-ahead log stays small
 * whatever the size of the event log, and swapped in by one small one: whoever reads, and whoever
 * is killed, has the old state or the new and nothing between. Memory is bounded by the facts and
 * by the largest history of a single device. The writing connection only. */
#ifndef KPID_LEDGER_REBUILD_H
#define KPID_LEDGER_REBUILD_H

#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "kpi/rules.h"

/* Replaces tables ticket, device, fact and gap by what the log says at `as_of` under `rules`, and
 * sets as_of, counting and valuing of the house row (if there is one) with them. Outside of a
 * transaction (asserted), with no statement of the connection in the middle of its rows.
 * `progress` is optional. */
int rebuild_in_place(sqlite3 *db, const struct rules *rules, int64_t as_of,
                     void (*progress)(void *arg, const char *what), void *progress_arg,
                     struct err *err);

/* Values every fact anew under `rules`, where only what decides their value changed, and writes
 * those that differ. Within the caller's transaction. Tables gap and house are the caller's. */
int revalue_facts(sqlite3 *db, const struct rules *rules, struct err *err);

/* Drops what a rebuild that was killed left behind. At each start, before anything is written. */
int rebuild_drop_leftovers(sqlite3 *db, struct err *err);

/* Counts the log of the file at `path` anew, aside, at the as_of of its house row, and compares:
 * prints the first difference on `out` and returns 1, or 0. Any thread; while a daemon runs, too,
 * but the write-ahead log grows meanwhile. */
int rebuild_compare(const char *path, const struct rules *rules,
                    void (*progress)(void *arg, const char *what), void *progress_arg, FILE *out,
                    struct err *err);

#endif
