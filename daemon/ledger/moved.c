/* What moved since a period was sealed, ticket by ticket and device by device.
 *
 * While tickets are counted, the row of each one that counts or counted within what is sealed is
 * kept as it was (table ticket_was) before it is first overwritten after a record of the chain. So
 * what a ticket was when any record was made can be told for ever, and a restatement compares the
 * two rows of each ticket that was kept, and of no other. A job that comes to name another device
 * is kept wherever it counts: the history of the first device had it. Devices have no rows by
 * period: those whose history changed below what is sealed are named (device_was), and are folded
 * from the log once as it was at the seal and once as it is. While a new seal is being made, what
 * changes is kept for that one: its facts are those from before. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "kpi/scope.h"
#include "ledger/rows.h"
#include "ledger/new_seal.h"
#include "ledger/subject.h"

/* --- Keeping, while counting. */

/* The record for which rows are kept: the chain's last, or the one that is being made, whose facts
 * are copied from before what comes now. */
static int64_t kept_for(const struct seals *s)
{
    return s->prepared ? s->prepared : s->head;
}

int moved_keep_ticket(struct ledger *l, const struct touched *t, struct err *err)
{
    struct seals *s = l->seals;
    int64_t now = counts_are_zero(&t->counts.counts) ? INSTANT_NEVER : t->counts.counts_at;
    sqlite3_stmt *st = t->stored ? s->keep_ticket : s->keep_new_ticket;

    if (s->sealed_until == INSTANT_NONE ||
        (!t->renamed && t->stored_counts_at >= s->sealed_until && now >= s->sealed_until))
        return 0;
    sql_bind_text(st, 1, t->now.kind);
    sql_bind_text(st, 2, t->now.ticket);
    sql_bind_integer(st, 3, kept_for(s));
    return sql_run(st, "keeping a ticket as it was", err);
}

int moved_keep_device(struct ledger *l, const char *device, int64_t from, struct err *err)
{
    struct seals *s = l->seals;

    if (s->sealed_until == INSTANT_NONE || from >= s->sealed_until)
        return 0;
    sql_bind_text(s->keep_device, 1, device);
    sql_bind_integer(s->keep_device, 2, kept_for(s));
    return sql_run(s->keep_device, "keeping the name of a device", err);
}

/* Those of the log's tail, which the stored tables do not know yet: there were none. */
static int keep_uncounted(sqlite3 *db, const char *cause, struct err *err)
{
    return sql_execf(
        db, err,
        "INSERT OR IGNORE INTO ticket_was (kind, ticket, flags, events, numerator, denominator, "
        "excluded, pending, seal, cause) SELECT r.kind, r.ticket, 0, 0, 0, 0, 0, 0, "
        "(SELECT max(n) FROM seal), '%s' FROM rebuild_ticket r LEFT JOIN ticket o "
        "ON o.first_seq = r.first_seq WHERE o.first_seq IS NULL "
        "AND r.counts_at < (SELECT max(end_at) FROM sealed_period)",
        cause);
}

int moved_keep_recounted(sqlite3 *db, const char *cause, struct err *err)
{
    int rc = sql_execf(
        db, err,
        "INSERT OR IGNORE INTO ticket_was "
        "SELECT " TICKET_COLUMNS ", (SELECT max(n) FROM seal), '%s' FROM ticket "
        "WHERE first_seq IN (SELECT o.first_seq "
        "FROM ticket o LEFT JOIN rebuild_ticket r ON r.first_seq = o.first_seq "
        "WHERE ((o.counts_at < (SELECT max(end_at) FROM sealed_period) "
        "OR r.counts_at < (SELECT max(end_at) FROM sealed_period)) "
        "AND (o.counts_at IS NOT r.counts_at OR o.numerator IS NOT r.numerator "
        "OR o.denominator IS NOT r.denominator OR o.excluded IS NOT r.excluded "
        "OR o.pending IS NOT r.pending OR o.site IS NOT r.site OR o.staff IS NOT r.staff "
        "OR o.department IS NOT r.department OR o.model IS NOT r.model)) "
        "OR (o.kind IN ('install', 'repair') AND o.device IS NOT r.device "
        "AND EXISTS (SELECT 1 FROM sealed_period)))",
        cause);

    return rc < 0 ? rc : keep_uncounted(db, cause, err);
}

/* Where no configuration came since, what differs moved. */
int moved_find_pending(sqlite3 *db, int64_t as_of, struct err *err)
{
    return sql_execf(
        db, err,
        "UPDATE sealed_period AS p SET pending_at = %lld, "
        "pending_seal = (SELECT max(n) FROM seal) WHERE pending_at IS NULL "
        "AND NOT EXISTS (SELECT 1 FROM seal c WHERE c.kind = 'configured' AND c.n > p.seal) "
        "AND (EXISTS (SELECT kpi, scope, numerator, denominator, excluded, pending FROM fact "
        "WHERE period = p.period EXCEPT SELECT kpi, scope, numerator, denominator, excluded, "
        "pending FROM sealed_fact WHERE seal = p.seal AND period = p.period) "
        "OR EXISTS (SELECT kpi, scope FROM sealed_fact WHERE seal = p.seal AND period = p.period "
        "EXCEPT SELECT kpi, scope FROM fact WHERE period = p.period))",
        (long long)as_of);
}

/* --- Comparing. */

/* One ticket or device, on one side. */
struct side {
    struct ticket ticket;
    struct contribution counts;
    char accuser[TICKET_SIZE];
    struct attributes is;
};

/* The stage of a sealing in which they are compared. */
struct moving {
    const struct ledger *l;
    const struct new_seal *seal;
    sqlite3_stmt *put;
    sqlite3_stmt *tickets, *devices;    /* that were kept, or named */
    bool tickets_done;
    struct subjects was, is;            /* up to the revision before, and up to this one */
    struct err *err;
};

static bool counts_within(const struct side *side, const struct sealed *p)
{
    return !counts_are_zero(&side->counts.counts) && side->counts.counts_at >= p->begin_at &&
           side->counts.counts_at < p->end_at;
}

static bool same_counts(const struct counts *a, const struct counts *b)
{
    return a->numerator == b->numerator && a->denominator == b->denominator &&
           a->excluded == b->excluded && a->pending == b->pending;
}

static bool same_scopes(const struct attributes *a, const struct attributes *b)
{
    return strcmp(a->site, b->site) == 0 && strcmp(a->department, b->department) == 0 &&
           strcmp(a->staff, b->staff) == 0 && strcmp(a->model, b->model) == 0;
}

/* Within the period: what counts elsewhere is none of it. */
static bool ticket_moved(const struct moving *w, const struct side *before,
                         const struct side *after)
{
    const struct zone *zone = &w->l->rules->zone;
    const struct sealed *was = &w->seal->was;
    bool was_in = counts_within(before, was), is_in = counts_within(after, was);

    if (!was_in && !is_in)
        return false;
    return was_in != is_in || !same_counts(&before->counts.counts, &after->counts.counts) ||
           !same_scopes(&before->ticket.is, &after->ticket.is) ||
           zone_day(zone, before->counts.counts_at) != zone_day(zone, after->counts.counts_at);
}

static void bind_side(sqlite3_stmt *st, int first, const struct counts *counts, int64_t at,
                      const char *reason)
{
    bool none = counts_are_zero(counts);

    sql_bind_instant(st, first, none ? INSTANT_NONE : at);
    sql_bind_integer(st, first + 1, counts->numerator);
    sql_bind_integer(st, first + 2, counts->denominator);
    sql_bind_integer(st, first + 3, counts->excluded);
    sql_bind_integer(st, first + 4, counts->pending);
    sql_bind_text(st, first + 5, none ? "" : reason);
}

static int put_ticket(struct moving *w, const struct kpi *kpi, const struct side *before,
                      const struct side *after, const char *cause)
{
    char was[REASON_SIZE], is[REASON_SIZE];

    sql_bind_integer(w->put, 1, w->seal->n);
    sql_bind_text(w->put, 2, kpi->id);
    sql_bind_text(w->put, 3, after->ticket.kind);
    sql_bind_text(w->put, 4, after->ticket.ticket);
    sql_bind_text(w->put, 5, "");
    bind_side(w->put, 6, &before->counts.counts, before->counts.counts_at,
              contribution_reason(was, &before->ticket, &before->counts,
                                  before->accuser[0] ? before->accuser : NULL));
    bind_side(w->put, 12, &after->counts.counts, after->counts.counts_at,
              contribution_reason(is, &after->ticket, &after->counts,
                                  after->accuser[0] ? after->accuser : NULL));
    sql_bind_text(w->put, 18, cause);
    return sql_run(w->put, "writing what moved", w->err);
}

/* Columns of both tables, before and after (which has its key in front), in no order. A ticket that
 * was logged once is in the table. */
static const char tickets_sql[] =
    "SELECT w.*, t.* FROM ticket_was w INDEXED BY ticket_was_seal CROSS JOIN ticket t "
    "ON t.first_seq = " TICKET_FIRST_SEQ("w.kind", "w.ticket") " WHERE w.seal >= ?1 "
    "AND NOT EXISTS (SELECT 1 FROM ticket_was e WHERE e.kind = w.kind "
    "AND e.ticket = w.ticket AND e.seal >= ?1 AND e.seal < w.seal)";

static int compare_ticket(struct moving *w, sqlite3_stmt *row)
{
    struct side before = { 0 }, after = { 0 };
    const struct kpi *kpi = rules_kpi_of_kind(w->l->rules, sql_column_text(row, 0));
    const char *cause = sql_column_text(row, TICKET_COLUMN_COUNT + 1);

    if (!kpi)
        return 0;
    if (!rows_read_ticket(row, 0, &before.ticket, &before.counts, before.accuser) ||
        !rows_read_ticket(row, TICKET_COLUMN_COUNT + 3, &after.ticket, &after.counts,
                          after.accuser))
        return rows_damaged(w->err, "ticket");
    return ticket_moved(w, &before, &after) ? put_ticket(w, kpi, &before, &after, cause) : 0;
}

static int write_tickets(struct moving *w, struct new_seal *s)
{
    int rc = 1;

    while (rc > 0 && new_seal_may(s, COST_MOVED)) {
        rc = sql_step(w->tickets, "reading what moved", w->err);
        if (rc > 0) {
            int written = compare_ticket(w, w->tickets);

            rc = written < 0 ? written : rc;
        }
    }
    return rc;
}

/* --- Devices. */

/* A device's history at one side. */
struct history {
    struct device_history is;
    int64_t as_of;
};

static int fold_device(struct moving *w, const char *device, struct subjects *subjects,
                       int64_t as_of, struct history *ret)
{
    struct device_subject subject;
    int rc = subjects_device(subjects, device, as_of, &subject, w->err);

    ret->as_of = as_of;
    if (rc == 0)
        device_subject_fold(&subject, device, w->l->rules, as_of, &ret->is);
    device_subject_finish(&subject);
    return rc;
}

static void count_device(const struct moving *w, const struct history *h, const struct kpi *kpi,
                         struct period period, struct side *ret)
{
    const struct rules *rules = w->l->rules;

    if (device_counts(&h->is, kpi, rules, period, h->as_of, &ret->counts.counts))
        device_attributes(&h->is, kpi, rules, period, h->as_of, &ret->is);
}

static int compare_device(struct moving *w, const struct kpi *kpi, struct period period,
                          const struct history *was, const struct history *is)
{
    struct side before = { 0 }, after = { 0 };
    int64_t at = period_begin(period, &w->l->rules->zone);
    char name[PERIOD_SIZE];

    count_device(w, was, kpi, period, &before);
    count_device(w, is, kpi, period, &after);
    if (same_counts(&before.counts.counts, &after.counts.counts) &&
        same_scopes(&before.is, &after.is))
        return 0;
    sql_bind_integer(w->put, 1, w->seal->n);
    sql_bind_text(w->put, 2, kpi->id);
    sql_bind_text(w->put, 3, "device");
    sql_bind_text(w->put, 4, is->is.device);
    sql_bind_text(w->put, 5, period_format(name, period));
    bind_side(w->put, 6, &before.counts.counts, at, "");
    bind_side(w->put, 12, &after.counts.counts, at, "");
    sql_bind_text(w->put, 18, "events");
    return sql_run(w->put, "writing what moved", w->err);
}

/* In the period itself, and in the days of a week. */
static int compare_periods(struct moving *w, const struct history *was, const struct history *is)
{
    struct period period = w->seal->period;
    const struct rules *rules = w->l->rules;
    int rc = 0;

    for (size_t k = 0; rc == 0 && k < rules->kpi_count; k++) {
        const struct kpi *kpi = &rules->kpis[k];

        if (!kpi->counts_devices)
            continue;
        rc = compare_device(w, kpi, period, was, is);
        for (int32_t day = 0; rc == 0 && period.kind == PERIOD_WEEK && day < 7; day++)
            rc = compare_device(w, kpi, period_of_day(PERIOD_DAY, period.number + day), was, is);
    }
    return rc;
}

static int write_device(struct moving *w, const char *device)
{
    struct history was = { 0 }, is = { 0 };
    int rc = fold_device(w, device, &w->was, w->seal->was.at, &was);

    if (rc == 0)
        rc = fold_device(w, device, &w->is, w->seal->as_of, &is);
    if (rc == 0)
        rc = compare_periods(w, &was, &is);
    device_history_finish(&was.is);
    device_history_finish(&is.is);
    return rc;
}

static int write_devices(struct moving *w, struct new_seal *s)
{
    int rc = 1;

    while (rc > 0 && new_seal_may(s, COST_DEVICE)) {
        rc = sql_step(w->devices, "reading what moved", w->err);
        if (rc > 0) {
            int written = write_device(w, sql_column_text(w->devices, 0));

            rc = written < 0 ? written : rc;
        }
    }
    return rc;
}

/* --- The stage. */

static int prepare(struct moving *w, struct err *err)
{
    const struct new_seal *s = w->seal;
    char position[64];
    int rc = sql_prepare(w->l->db, "INSERT INTO moved VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, "
                         "?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)", &w->put, err);

    if (rc == 0)
        rc = sql_prepare(s->then, tickets_sql, &w->tickets, err);
    if (rc == 0)
        rc = sql_prepare(s->then, "SELECT DISTINCT device FROM device_was "
                         "INDEXED BY device_was_seal WHERE seal >= ?1", &w->devices, err);
    if (rc == 0)
        rc = subjects_init(&w->was, s->then, SUBJECT_TICKETS_EVER, err);
    if (rc == 0)
        rc = subjects_init(&w->is, s->then, SUBJECT_TICKETS_EVER, err);
    if (rc < 0)
        return rc;
    sql_bind_integer(w->tickets, 1, s->was.seal);
    sql_bind_integer(w->devices, 1, s->was.seal);
    snprintf(position, sizeof position, "SELECT position FROM seal WHERE n = %lld",
             (long long)s->was.seal);
    w->is.up_to = s->position;
    return sql_integer(s->then, position, &w->was.up_to, err);
}

void moved_end(struct moving *w)
{
    if (!w)
        return;
    sqlite3_finalize(w->put);
    sqlite3_finalize(w->tickets);
    sqlite3_finalize(w->devices);
    subjects_finish(&w->was);
    subjects_finish(&w->is);
    free(w);
}

int moved_write(struct ledger *l, struct new_seal *s, struct err *err)
{
    struct moving *w = s->moving;
    int rc = 0;

    if (s->was.seal == 0)
        return 0;
    if (!w) {
        w = s->moving = mem_zalloc(sizeof *w);
        w->l = l;
        w->seal = s;
        rc = prepare(w, err);
    }
    w->err = err;
    if (rc == 0 && !w->tickets_done)
        rc = write_tickets(w, s);
    w->tickets_done = rc == 0;
    if (rc == 0)
        rc = write_devices(w, s);
    if (rc == 0) {
        moved_end(w);
        s->moving = NULL;
    }
    return rc;
}
