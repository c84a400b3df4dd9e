/* Reading the ledger: read-only connections, opened by any thread and used by one at a time (the
 * API runs them on libuv's pool). Never blocks the writer; keep reads short. */
#ifndef KPID_LEDGER_READS_H
#define KPID_LEDGER_READS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "kpi/contribution.h"
#include "kpi/device.h"
#include "kpi/fact.h"
#include "kpi/rules.h"
#include "ledger/sql.h"

struct reader;

/* Opens `path` read-only. -ENOENT with what to do if there is no ledger. */
int reader_open(struct reader **ret, const char *path, struct err *err);
void reader_close(struct reader *reader);

/* The connection itself, for what the views tell (meeting.h); borrows until closed. */
sqlite3 *reader_connection(struct reader *reader);

/* All reads between begin and end see one state of the ledger, that of `ret_as_of`. */
int reader_begin(struct reader *reader, int64_t *ret_as_of, int64_t *ret_position,
                 struct err *err);
void reader_end(struct reader *reader);

/* Each `each` returns 0 to go on, 1 to stop; the read then returns 0. Negative errno on failure.
 * Rows borrow until `each` returns. */

struct fact_row {
    const char *kpi, *scope;
    struct period period;
    struct fact fact;
    struct sealing sealing;     /* revision 0: it is as the log says now */
    int64_t begin_at, end_at;   /* of its period, as it was counted; reader_fact alone */
};
/* Facts as people are shown them (the latest revision of a sealed period, the present of others)
 * with period in [from, to] of one kind, in order of (period, kpi, scope), after the given
 * key if `after_kpi` is not NULL. `kpi` NULL: all; `scope` as scope_matches, NULL: all. */
struct fact_query {
    struct period from, to;
    const char *kpi, *scope;
    struct period after_period;
    const char *after_kpi, *after_scope;
};
int reader_facts(struct reader *reader, const struct fact_query *query,
                 int (*each)(void *arg, const struct fact_row *row), void *arg, struct err *err);

/* One fact, of record `seal` of the chain, or (0) as the log says now whether it is sealed or not.
 * 1 if there is one, 0 if not; the texts of `ret` are those given. */
int reader_fact(struct reader *reader, const char *kpi, struct period period, const char *scope,
                int64_t seal, struct fact_row *ret, struct err *err);

/* A sealed revision of a period: the record that brought it. Days are sealed by their week's. */
struct revision {
    int64_t seal;
    int32_t revision;
    int64_t as_of, position;    /* the log up to here, folded at as_of, is what was sealed */
};
/* `number` 0: the latest. 1 if there is one, 0 if not. */
int reader_revision(struct reader *reader, struct period period, int32_t number,
                    struct revision *ret, struct err *err);
/* Until reader_end, tickets of facts, devices and events are read as they were then. */
void reader_look_back(struct reader *reader, const struct revision *to);

/* One ticket as folded and as counted; its events come from reader_events. */
struct ticket_row {
    struct ticket ticket;
    struct contribution contribution;
    const char *accuser;        /* NULL: none */
};
/* 1 if found (row filled, `accuser` borrows until the next read), 0 if not. */
int reader_ticket(struct reader *reader, const char *kind, const char *ticket,
                  struct ticket_row *ret, struct err *err);

/* Tickets that count in [begin, end) for the KPI, in order of (counts_at, ticket), whose scopes
 * include `scope`; after (after_at, after_ticket) if that is not NULL. */
int reader_tickets_of_fact(struct reader *reader, const struct kpi *kpi, int64_t begin,
                           int64_t end, const char *scope, int64_t after_at,
                           const char *after_ticket,
                           int (*each)(void *arg, const struct ticket_row *row), void *arg,
                           struct err *err);

/* A record of the chain. */
struct chain_row {
    int64_t n, at, position, facts, moved;
    int32_t revision;
    const char *kind, *period, *by, *why, *quarantine, *content, *digest;
};
/* Records before `before` (0: from the last), newest first. */
int reader_chain(struct reader *reader, int64_t before,
                 int (*each)(void *arg, const struct chain_row *row), void *arg, struct err *err);

/* Tickets of a kind that were opened in [from, until), by name. */
int reader_tickets_opened(struct reader *reader, const char *kind, int64_t from, int64_t until,
                          int (*each)(void *arg, const struct ticket_row *row), void *arg,
                          struct err *err);

struct event_row {
    int64_t seq, received_at;
    const char *via, *json;
    struct event event;
};
/* Events of one subject, in event order. */
int reader_events(struct reader *reader, const char *kind, const char *subject,
                  int (*each)(void *arg, const struct event_row *row), void *arg, struct err *err);

/* Events of one source whose ids begin with `prefix`, in the order of those. */
int reader_batch(struct reader *reader, const char *source, const char *prefix,
                 int (*each)(void *arg, const struct event_row *row), void *arg, struct err *err);

/* Folds one device's history from the log. 1 if it has any event, 0 if not. */
int reader_device(struct reader *reader, const char *device, const struct rules *rules,
                  int64_t as_of, struct device_history *ret, struct err *err);
/* Devices in order of name after `after` (NULL: from the first); while looking back also those
 * that nothing names any more. */
int reader_device_names(struct reader *reader, const char *after,
                        int (*each)(void *arg, const char *device), void *arg, struct err *err);
/* Each fault that is active, in order of device and code. Looks at every device's row, and at
 * nothing else. */
int reader_faults(struct reader *reader,
                  int (*each)(void *arg, const char *device, const char *code, int64_t since),
                  void *arg, struct err *err);

struct quarantine_row {
    int64_t n, line, received_at, last_at, times;
    const char *via, *reason, *state;
    const void *raw;
    size_t raw_length;
};
/* Waiting items after `after`, oldest first. */
int reader_quarantine(struct reader *reader, int64_t after,
                      int (*each)(void *arg, const struct quarantine_row *row), void *arg,
                      struct err *err);

#endif
