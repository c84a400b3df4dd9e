/* A folder of one's own with a ledger in it, for tests of what reads and counts ledgers: the log is
 * written straight into the file, so that a test needs no writer to have something to count. */
#ifndef KPID_TESTS_LEDGER_FIXTURE_H
#define KPID_TESTS_LEDGER_FIXTURE_H

#include <stdint.h>

#include "kpi/rules.h"
#include "ledger/sql.h"

#define MINUTE INT64_C(60000)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

/* Friday, 2026-11-20T12:00:00 in Shanghai, in 2026-W47. */
#define NOON INT64_C(1795147200000)

struct ledger_fixture {
    char folder[64];
    char path[96];
    struct rules *rules; /* the scheme's six KPIs, in Asia/Shanghai */
    int events;          /* that were logged */
};

/* For cmocka: `*state` is a fresh fixture, without a file. */
int ledger_fixture_setup(void **state);
int ledger_fixture_teardown(void **state);

/* "FOLDER/name". Lives as long as the fixture; at most 8 at a time. */
const char *ledger_fixture_path(struct ledger_fixture *f, const char *name);

/* A migrated file with its house row, opened for writing. */
sqlite3 *ledger_fixture_make(struct ledger_fixture *f);

/* Appends one event of ticket, device or source kind to the log. `rest` is what follows in the
 * JSON object after source, id and at: "\"type\":\"lookup.opened\",\"ticket\":\"L1\"". */
void ledger_fixture_log(struct ledger_fixture *f, sqlite3 *db, int64_t at, const char *rest);

/* A log with something of everything: rework, expiry, a correction, an event of tomorrow, faults,
 * a device that moves, gaps. All before NOON + 1 DAY. */
void ledger_fixture_fill(struct ledger_fixture *f, sqlite3 *db);

/* The same with its catalogue, as of NOON, for what reads the views; in no hurry to be durable. */
sqlite3 *ledger_fixture_make_catalogued(struct ledger_fixture *f);

/* Fails the test unless the query yields `want`, as ledger_fixture_query writes it. */
void ledger_fixture_assert_yields(sqlite3 *db, const char *sql, const char *want);

/* What a query yields, as text: columns by '|', rows by ';'. Free with free(). */
char *ledger_fixture_query(sqlite3 *db, const char *sql);

#endif
