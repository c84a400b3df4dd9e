/* Rows: how a folded ticket, a device and a fact stand in their tables, in both directions.
 *
 * The writer, the rebuild and the readers share this, so that two ways of reaching a figure can be
 * compared row by row. Conventions: an attribute that is not carried, and an instant that is none,
 * is NULL; a ticket that counts nowhere has counts_at NULL; last_at is NULL while no event takes
 * part; a fact whose counts are all 0 has no row; a device has a row if the log has an event of it
 * or an install or repair ticket, as folded, names it. */
#ifndef KPID_LEDGER_ROWS_H
#define KPID_LEDGER_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "kpi/contribution.h"
#include "kpi/device.h"
#include "kpi/fact.h"
#include "kpi/period.h"
#include "ledger/bulk.h"
#include "ledger/sql.h"

/* Table ticket, in the order of rows_read_ticket's columns. Its key `first_seq`, the position of
 * the ticket's first event in the log, stands before them: new tickets are appended, and their
 * names are found by the index that the log has anyway. */
#define TICKET_COLUMNS                                                                             \
    "kind, ticket, opened_at, settled_at, flags, outcome, reason, device, site, department, "      \
    "staff, vehicle, model, events, last_at, next_at, accuser, counts_at, numerator, "             \
    "denominator, excluded, pending, due_at"
#define TICKET_VALUES                                                                              \
    "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, "  \
    "?21, ?22, ?23, ?24"
#define TICKET_INSERT_INTO(table)                                                                  \
    "INSERT INTO " table " (first_seq, " TICKET_COLUMNS ") VALUES (" TICKET_VALUES ")"
/* All rows of a bulk. A failure leaves those before it: the transaction is given up. */
#define TICKET_INSERT_FROM(bulk)                                                                   \
    "INSERT OR FAIL INTO ticket (first_seq, " TICKET_COLUMNS ") SELECT * FROM " bulk
#define TICKET_UPDATE_IN(table)                                                                    \
    "UPDATE " table " SET (opened_at, settled_at, flags, outcome, reason, device, site, "          \
    "department, staff, vehicle, model, events, last_at, next_at, accuser, counts_at, "            \
    "numerator, denominator, excluded, pending, due_at) = (?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, "     \
    "?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24) WHERE first_seq = ?1"
#define TICKET_UPDATE TICKET_UPDATE_IN("ticket")

/* The key of the ticket that is called so. */
#define TICKET_FIRST_SEQ(kind, ticket)                                                             \
    "(SELECT seq FROM event WHERE kind = " kind " AND subject = " ticket " ORDER BY seq LIMIT 1)"

enum { TICKET_COLUMN_COUNT = 23, TICKET_ROW_COUNT = 1 + TICKET_COLUMN_COUNT };

/* The row of a ticket. `accuser` is "" or NULL if there is none. Borrows all. */
void rows_ticket(struct bulk_value to[TICKET_ROW_COUNT], int64_t first_seq,
                 const struct ticket *ticket, const struct contribution *contribution,
                 const char *accuser, int64_t due_at);
/* The same, bound. Borrows all until the statement is reset. */
void rows_bind_ticket(sqlite3_stmt *stmt, int64_t first_seq, const struct ticket *ticket,
                      const struct contribution *contribution, const char *accuser, int64_t due_at);
/* From TICKET_COLUMNS, `first` on. `expired` and `accused` are told from the row. False if a
 * column is too long or says what the daemon never writes: the file is damaged. */
bool rows_read_ticket(sqlite3_stmt *stmt, int first, struct ticket *ticket,
                      struct contribution *contribution, char accuser[TICKET_SIZE]);

/* What to say when a row cannot be read: fills `err`, returns -EBADMSG. */
int rows_damaged(struct err *err, const char *table);

/* Table device. */
#define DEVICE_COLUMNS "device, in_service, site, model, department, faults, faults_at, due_at"
#define DEVICE_PUT_INTO(table)                                                                     \
    "INSERT OR REPLACE INTO " table " (" DEVICE_COLUMNS ") "                                       \
    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
#define DEVICE_PUT DEVICE_PUT_INTO("device")

/* As the device stands at `as_of`, the instant that `history` was folded for. */
void rows_bind_device(sqlite3_stmt *stmt, const struct device_history *history,
                      const struct rules *rules, int64_t as_of);

/* Table fact. */
#define FACT_COLUMNS                                                                               \
    "kpi, period, scope, kind, begin_at, end_at, numerator, denominator, excluded, pending, "      \
    "rate_e6, low_e6, high_e6, target_e4, direction, verdict, shortfall"
/* The same of `sealed_period p` joined with its `sealed_fact s`. */
#define SEALED_FACT_COLUMNS                                                                        \
    "s.kpi, p.period, s.scope, s.kind, s.begin_at, s.end_at, s.numerator, s.denominator, "         \
    "s.excluded, s.pending, s.rate_e6, s.low_e6, s.high_e6, s.target_e4, s.direction, s.verdict, " \
    "s.shortfall"
/* Changes only what can change, so that the indices are left alone. */
#define FACT_ON_CONFLICT                                                                           \
    " ON CONFLICT (kpi, period, scope) DO UPDATE SET numerator = excluded.numerator, "             \
    "denominator = excluded.denominator, excluded = excluded.excluded, "                           \
    "pending = excluded.pending, rate_e6 = excluded.rate_e6, low_e6 = excluded.low_e6, "           \
    "high_e6 = excluded.high_e6, target_e4 = excluded.target_e4, "                                 \
    "direction = excluded.direction, verdict = excluded.verdict, shortfall = excluded.shortfall"
#define FACT_PUT_INTO(table)                                                                       \
    "INSERT INTO " table " (" FACT_COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, "   \
    "?11, ?12, ?13, ?14, ?15, ?16, ?17)" FACT_ON_CONFLICT
#define FACT_PUT FACT_PUT_INTO("fact")
#define FACT_PUT_FROM(bulk)                                                                        \
    "INSERT INTO fact (" FACT_COLUMNS ") SELECT * FROM " bulk " WHERE true" FACT_ON_CONFLICT

enum { FACT_COLUMN_COUNT = 17 };

/* The row of a fact. `name` takes the period's. Borrows all. */
void rows_fact(struct bulk_value to[FACT_COLUMN_COUNT], char name[PERIOD_SIZE],
               const struct kpi *kpi, struct period period, const char *scope,
               const struct fact *fact, const struct zone *zone);
void rows_bind_fact(sqlite3_stmt *stmt, const struct kpi *kpi, struct period period,
                    const char *scope, const struct fact *fact, const struct zone *zone);
/* From FACT_COLUMNS, `first` on; the KPI's id is column `first`. False as rows_read_ticket. */
bool rows_read_fact(sqlite3_stmt *stmt, int first, struct period *period, char scope[SCOPE_SIZE],
                    struct fact *fact);

#endif
