/* What moved since a period was sealed, ticket by ticket and device by device.
 *
 * While tickets are counted, the row of each one that counts or counted within what is sealed is
 * kept as it was (table ticket_was) before it is first overwritten after a record of the chain. So
 * what a ticket was when any record was made can be told for ever, and a restatement compares the
 * two rows of each ticket that was kept, and of no other. A job that comes to name another device
 * is kept wherever it counts: the history of the first device had it. Devices have no rows by
 * period: those whose history changed below what is sealed are named (device_was), and are folded
 * from the log once as it was at the seal and once as it is. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "kpi/scope.h"
#include "ledger/ledger_private.h"
#include "ledger/rows.h"
#include "ledger/seals.h"
#include "ledger/subject.h"

/* --- Keeping, while counting. */

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
    sql_bind_integer(st, 3, s->head);
    return sql_run(st, "keeping a ticket as it was", err);
}

int moved_keep_device(struct ledger *l, const char *device, int64_t from, struct err *err)
{
    struct seals *s = l->seals;

    if (s->sealed_until == INSTANT_NONE || from >= s->sealed_until)
        return 0;
    sql_bind_text(s->keep_device, 1, device);
    sql_bind_integer(s->keep_device, 2, s->head);
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

struct writing {
    struct ledger *l;
    sqlite3_stmt *put;
    int64_t seal;
    const struct sealed *was;
    int64_t count;
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
static bool ticket_moved(const struct writing *w, const struct side *before,
                         const struct side *after)
{
    const struct zone *zone = &w->l->rules->zone;
    bool was_in = counts_within(before, w->was), is_in = counts_within(after, w->was);

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

static int put_ticket(struct writing *w, const struct kpi *kpi, const struct side *before,
                      const struct side *after, const char *cause)
{
    char was[REASON_SIZE], is[REASON_SIZE];

    sql_bind_integer(w->put, 1, w->seal);
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
    w->count++;
    return sql_run(w->put, "writing what moved", w->err);
}

#define EARLIEST                                                                                   \
    " WHERE w.seal >= ?1 AND NOT EXISTS (SELECT 1 FROM ticket_was e WHERE e.kind = w.kind "        \
    "AND e.ticket = w.ticket AND e.seal >= ?1 AND e.seal < w.seal)"

/* Columns of both tables, before and after (which has its key in front). A ticket that was logged
 * once is in the table. */
static const char tickets_sql[] =
    "SELECT w.*, t.* FROM ticket_was w JOIN ticket t ON t.first_seq = "
    TICKET_FIRST_SEQ("w.kind", "w.ticket") EARLIEST " ORDER BY w.kind, w.ticket";

static int compare_ticket(struct writing *w, sqlite3_stmt *row)
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

static int write_tickets(struct writing *w)
{
    sqlite3_stmt *row;
    int rc = sql_prepare(w->l->db, tickets_sql, &row, w->err);

    if (rc < 0)
        return rc;
    sql_bind_integer(row, 1, w->was->seal);
    while ((rc = sql_step(row, "reading what moved", w->err)) > 0) {
        rc = compare_ticket(w, row);
        if (rc < 0)
            break;
    }
    sqlite3_finalize(row);
    return rc;
}

/* --- Devices. */

/* A device's history at one side. */
struct history {
    struct device_history is;
    int64_t as_of;
};

static int fold_device(struct writing *w, const char *device, int64_t up_to, int64_t as_of,
                       struct history *ret)
{
    struct subjects subjects;
    struct device_subject subject;
    int rc = subjects_init(&subjects, w->l->db, SUBJECT_TICKETS_EVER, w->err);

    if (rc < 0)
        return rc;
    subjects.up_to = up_to;
    ret->as_of = as_of;
    rc = subjects_device(&subjects, device, as_of, &subject, w->err);
    if (rc == 0)
        device_subject_fold(&subject, device, w->l->rules, as_of, &ret->is);
    device_subject_finish(&subject);
    subjects_finish(&subjects);
    return rc;
}

static void count_device(const struct writing *w, const struct history *h, const struct kpi *kpi,
                         struct period period, struct side *ret)
{
    const struct rules *rules = w->l->rules;

    if (device_counts(&h->is, kpi, rules, period, h->as_of, &ret->counts.counts))
        device_attributes(&h->is, kpi, rules, period, h->as_of, &ret->is);
}

static int compare_device(struct writing *w, const struct kpi *kpi, struct period period,
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
    sql_bind_integer(w->put, 1, w->seal);
    sql_bind_text(w->put, 2, kpi->id);
    sql_bind_text(w->put, 3, "device");
    sql_bind_text(w->put, 4, is->is.device);
    sql_bind_text(w->put, 5, period_format(name, period));
    bind_side(w->put, 6, &before.counts.counts, at, "");
    bind_side(w->put, 12, &after.counts.counts, at, "");
    sql_bind_text(w->put, 18, "events");
    w->count++;
    return sql_run(w->put, "writing what moved", w->err);
}

/* In the period itself, and in the days of a week. */
static int compare_periods(struct writing *w, const struct history *was, const struct history *is)
{
    struct period period = w->was->period;
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

static int write_device(struct writing *w, const char *device, int64_t up_to)
{
    struct history was = { 0 }, is = { 0 };
    int rc = fold_device(w, device, up_to, w->was->at, &was);

    if (rc == 0)
        rc = fold_device(w, device, w->l->position, w->l->as_of, &is);
    if (rc == 0)
        rc = compare_periods(w, &was, &is);
    device_history_finish(&was.is);
    device_history_finish(&is.is);
    return rc;
}

static int write_devices(struct writing *w)
{
    sqlite3_stmt *row;
    int rc = sql_prepare(w->l->db, "SELECT DISTINCT device, (SELECT position FROM seal "
                         "WHERE n = ?1) FROM device_was WHERE seal >= ?1 ORDER BY device", &row,
                         w->err);

    if (rc < 0)
        return rc;
    sql_bind_integer(row, 1, w->was->seal);
    while ((rc = sql_step(row, "reading what moved", w->err)) > 0) {
        rc = write_device(w, sql_column_text(row, 0), sqlite3_column_int64(row, 1));
        if (rc < 0)
            break;
    }
    sqlite3_finalize(row);
    return rc;
}

int moved_write(struct ledger *l, int64_t seal, const struct sealed *was, int64_t *ret_count,
                struct err *err)
{
    struct writing w = { .l = l, .seal = seal, .was = was, .err = err };
    int rc = sql_prepare(l->db, "INSERT INTO moved VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, "
                         "?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)", &w.put, err);

    if (rc == 0)
        rc = write_tickets(&w);
    if (rc == 0)
        rc = write_devices(&w);
    sqlite3_finalize(w.put);
    if (rc == 0)
        *ret_count = w.count;
    return rc;
}
