/* What moved since a period was sealed, ticket by ticket and device by device.
 *
 * While tickets are counted, the row of each one that counts or counted within what is sealed is
 * kept as it was (table ticket_was) before it is first overwritten after a record of the chain. So
 * what a ticket was when any record was made can be told for ever, and a restatement compares the
 * two rows of each ticket that was kept, and of no other. A job that comes to name another device
 * is kept wherever it counts: the history of the first device had it. Devices have no rows by
 * period: those whose history changed below what is sealed are named (device_was), and are folded
 * from the log once as it was at the seal and once as it is. While a new seal is being made, what
 * changes is kept for that one: its facts are those from before.
 *
 * Where the revision before was counted by other rules, a row that did not change can count
 * otherwise (the default department of its KPI, the KPI itself), and any device can: then each side
 * is counted by its own rules, and the period's other tickets and all devices are looked at. */
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
    const struct kpi *kpi;      /* that counts it there; NULL: none */
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
    struct rules *recorded;             /* of the revision before, if it was counted otherwise */
    const struct rules *rules_was;      /* these, or those in force */
    struct interval was_periods[NEW_SEAL_PERIODS_MAX];   /* bounds, then; an empty one: none */
    bool otherwise;                     /* by rules or bounds: then all is looked at */
    sqlite3_stmt *tickets, *devices;    /* that were kept, or named */
    sqlite3_stmt *others;               /* that were not kept */
    size_t kpi;                         /* whose others are being read */
    bool tickets_done;
    struct subjects was, is;            /* up to the revision before, and up to this one */
    struct err *err;
};

static bool counts_within(const struct side *side, int64_t begin_at, int64_t end_at)
{
    return side->kpi && !counts_are_zero(&side->counts.counts) &&
           side->counts.counts_at >= begin_at && side->counts.counts_at < end_at;
}

static bool same_counts(const struct counts *a, const struct counts *b)
{
    return a->numerator == b->numerator && a->denominator == b->denominator &&
           a->excluded == b->excluded && a->pending == b->pending;
}

static bool same_kpi(const struct side *a, const struct side *b)
{
    return a->kpi && b->kpi ? strcmp(a->kpi->id, b->kpi->id) == 0 : a->kpi == b->kpi;
}

static const char *department_of(const struct side *side, const struct attributes *is)
{
    return is->department[0] || !side->kpi ? is->department : side->kpi->department;
}

static bool same_scopes(const struct side *a, const struct attributes *a_is,
                        const struct side *b, const struct attributes *b_is)
{
    return strcmp(a_is->site, b_is->site) == 0 && strcmp(a_is->staff, b_is->staff) == 0 &&
           strcmp(a_is->model, b_is->model) == 0 &&
           strcmp(department_of(a, a_is), department_of(b, b_is)) == 0;
}

/* Within the period: what counts elsewhere is none of it. */
static bool ticket_moved(const struct moving *w, const struct side *before,
                         const struct side *after)
{
    const struct zone *zone = &w->l->rules->zone;
    const struct sealed *was = &w->seal->was, *is = &w->seal->periods[w->seal->period_count - 1];
    bool was_in = counts_within(before, was->begin_at, was->end_at);
    bool is_in = counts_within(after, is->begin_at, is->end_at);

    if (!was_in && !is_in)
        return false;
    return was_in != is_in || !same_kpi(before, after) ||
           !same_counts(&before->counts.counts, &after->counts.counts) ||
           !same_scopes(before, &before->ticket.is, after, &after->ticket.is) ||
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

/* A ticket of a kind that another KPI counts now is gone from the one and new in the other. */
static int put_sides(struct moving *w, const struct side *before, const struct side *after,
                     const char *cause)
{
    struct side none = { .ticket = after->ticket };
    int rc;

    if (same_kpi(before, after) || !before->kpi || !after->kpi)
        return put_ticket(w, after->kpi ? after->kpi : before->kpi, before, after, cause);
    rc = put_ticket(w, before->kpi, before, &none, cause);
    return rc < 0 ? rc : put_ticket(w, after->kpi, &none, after, cause);
}

static void find_kpis(const struct moving *w, struct side *before, struct side *after)
{
    before->kpi = rules_kpi_of_kind(w->rules_was, before->ticket.kind);
    after->kpi = rules_kpi_of_kind(w->l->rules, after->ticket.kind);
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
    const char *cause = sql_column_text(row, TICKET_COLUMN_COUNT + 1);

    if (!rows_read_ticket(row, 0, &before.ticket, &before.counts, before.accuser) ||
        !rows_read_ticket(row, TICKET_COLUMN_COUNT + 3, &after.ticket, &after.counts,
                          after.accuser))
        return rows_damaged(w->err, "ticket");
    find_kpis(w, &before, &after);
    return ticket_moved(w, &before, &after) ? put_sides(w, &before, &after, cause) : 0;
}

/* Tickets of a kind whose rows are as they were, and that count within either bounds. */
static const char others_sql[] =
    "SELECT " TICKET_COLUMNS " FROM ticket t WHERE kind = ?2 AND counts_at >= ?3 "
    "AND counts_at < ?4 AND NOT EXISTS (SELECT 1 FROM ticket_was w WHERE w.kind = t.kind "
    "AND w.ticket = t.ticket AND w.seal >= ?1)";

static int compare_other(struct moving *w, sqlite3_stmt *row)
{
    struct side before = { 0 }, after;

    if (!rows_read_ticket(row, 0, &before.ticket, &before.counts, before.accuser))
        return rows_damaged(w->err, "ticket");
    after = before;
    find_kpis(w, &before, &after);
    return ticket_moved(w, &before, &after) ? put_sides(w, &before, &after, "rules") : 0;
}

/* Walks `rows` while the slice lasts. 1: it is over; 0: no more rows. */
static int walk(struct moving *w, struct new_seal *s, sqlite3_stmt *rows, int64_t cost,
                int (*compare)(struct moving *w, sqlite3_stmt *row))
{
    int rc = 1;

    while (rc > 0 && new_seal_may(s, cost)) {
        rc = sql_step(rows, "reading what moved", w->err);
        if (rc > 0) {
            int written = compare(w, rows);

            rc = written < 0 ? written : rc;
        }
    }
    return rc;
}

/* Can the same row count otherwise? */
static bool others_may_move(const struct moving *w, const struct kpi *is)
{
    const struct kpi *was = rules_kpi_of_kind(w->rules_was, is->counts);
    const struct sealed *now = &w->seal->periods[w->seal->period_count - 1];

    return !is->counts_devices && was &&
           (strcmp(was->id, is->id) != 0 || strcmp(was->department, is->department) != 0 ||
            w->seal->was.begin_at != now->begin_at || w->seal->was.end_at != now->end_at);
}

static void bind_others(struct moving *w, const struct kpi *kpi)
{
    const struct sealed *was = &w->seal->was, *is = &w->seal->periods[w->seal->period_count - 1];

    sql_bind_text(w->others, 2, kpi->counts);
    sql_bind_integer(w->others, 3, was->begin_at < is->begin_at ? was->begin_at : is->begin_at);
    sql_bind_integer(w->others, 4, was->end_at > is->end_at ? was->end_at : is->end_at);
}

static int write_others(struct moving *w, struct new_seal *s)
{
    const struct rules *rules = w->l->rules;
    int rc = 0;

    for (; rc == 0 && w->otherwise && w->kpi < rules->kpi_count; w->kpi += rc == 0) {
        if (!others_may_move(w, &rules->kpis[w->kpi]))
            continue;
        if (!sqlite3_stmt_busy(w->others))
            bind_others(w, &rules->kpis[w->kpi]);
        rc = walk(w, s, w->others, COST_MOVED, compare_other);
        if (rc <= 0)
            (void)sqlite3_reset(w->others);     /* the step has told what went wrong */
    }
    return rc;
}

/* --- Devices. */

/* A device's history at one side. */
struct history {
    const struct rules *rules;
    struct device_history is;
    int64_t as_of;
};

static int fold_device(struct moving *w, const char *device, struct subjects *subjects,
                       struct history *ret)
{
    struct device_subject subject;
    int rc = subjects_device(subjects, device, ret->as_of, &subject, w->err);

    if (rc == 0)
        device_subject_fold(&subject, device, ret->rules, ret->as_of, &ret->is);
    device_subject_finish(&subject);
    return rc;
}

/* What the KPI of that id makes of it in the period, if there is one. */
static void count_device(const struct history *h, const char *id, struct interval period,
                         struct side *ret)
{
    ret->kpi = rules_kpi(h->rules, id);
    ret->counts.counts_at = period.begin;
    if (ret->kpi && ret->kpi->counts_devices &&
        device_counts_within(&h->is, ret->kpi, period, h->as_of, &ret->counts.counts))
        device_attributes_until(&h->is, ret->kpi, period.end, h->as_of, &ret->is);
}

static int compare_device(struct moving *w, const char *kpi, size_t period,
                          const struct history *was, const struct history *is, const char *cause)
{
    const struct sealed *p = &w->seal->periods[period];
    struct side before = { 0 }, after = { 0 };
    char name[PERIOD_SIZE];

    count_device(was, kpi, w->was_periods[period], &before);
    count_device(is, kpi, (struct interval){ p->begin_at, p->end_at }, &after);
    if (same_counts(&before.counts.counts, &after.counts.counts) &&
        same_scopes(&before, &before.is, &after, &after.is))
        return 0;
    sql_bind_integer(w->put, 1, w->seal->n);
    sql_bind_text(w->put, 2, kpi);
    sql_bind_text(w->put, 3, "device");
    sql_bind_text(w->put, 4, is->is.device);
    sql_bind_text(w->put, 5, period_format(name, p->period));
    bind_side(w->put, 6, &before.counts.counts, before.counts.counts_at, "");
    bind_side(w->put, 12, &after.counts.counts, after.counts.counts_at, "");
    sql_bind_text(w->put, 18, cause);
    return sql_run(w->put, "writing what moved", w->err);
}

/* In each KPI of devices of `rules`, those aside that stand in `but` as well; in the period itself,
 * and in the days of a week. */
static int compare_kpis(struct moving *w, const struct rules *rules, const struct rules *but,
                        const struct history *was, const struct history *is, const char *cause)
{
    int rc = 0;

    for (size_t k = 0; rc == 0 && k < rules->kpi_count; k++) {
        const struct kpi *kpi = &rules->kpis[k], *other = but ? rules_kpi(but, kpi->id) : NULL;

        if (!kpi->counts_devices || (other && other->counts_devices))
            continue;
        for (size_t i = 0; rc == 0 && i < w->seal->period_count; i++)
            rc = compare_device(w, kpi->id, i, was, is, cause);
    }
    return rc;
}

/* `row`: the device, and whether events moved it. */
static int compare_history(struct moving *w, sqlite3_stmt *row)
{
    const char *device = sql_column_text(row, 0);
    const char *cause = sqlite3_column_int(row, 1) ? "events" : "rules";
    struct history was = { .rules = w->rules_was, .as_of = w->seal->was.at };
    struct history is = { .rules = w->l->rules, .as_of = w->seal->as_of };
    int rc = fold_device(w, device, &w->was, &was);

    if (rc == 0)
        rc = fold_device(w, device, &w->is, &is);
    if (rc == 0)
        rc = compare_kpis(w, is.rules, NULL, &was, &is, cause);
    if (rc == 0 && w->recorded)
        rc = compare_kpis(w, was.rules, is.rules, &was, &is, cause);
    device_history_finish(&was.is);
    device_history_finish(&is.is);
    return rc;
}

/* --- The stage. */

/* The rules of the revision before, if they counted otherwise. */
static int find_rules(struct moving *w, struct err *err)
{
    const struct new_seal *s = w->seal;
    char *was, *is;
    int rc = generation_rules(w->l, s->then, s->was.seal, &w->recorded, err);

    w->rules_was = w->l->rules;
    if (rc <= 0)
        return rc;
    zone_copy(&w->recorded->zone, &w->l->rules->zone);
    was = rules_counting_text(w->recorded);
    is = rules_counting_text(w->l->rules);
    if (strcmp(was, is) == 0) {
        rules_destroy(w->recorded);
        w->recorded = NULL;
    } else {
        w->rules_was = w->recorded;
    }
    free(was);
    free(is);
    return 0;
}

/* The bounds that the periods had, which another zone would give them otherwise. */
static int find_bounds(struct moving *w, struct err *err)
{
    const struct new_seal *s = w->seal;
    sqlite3_stmt *row;
    int rc = sql_prepare(s->then, "SELECT begin_at, end_at FROM sealed_period WHERE period = ?1",
                         &row, err);

    for (size_t i = 0; rc >= 0 && i < s->period_count; i++) {
        struct interval *bounds = &w->was_periods[i];
        char name[PERIOD_SIZE];

        sql_bind_text(row, 1, period_format(name, s->periods[i].period));
        rc = sql_step(row, "reading what is sealed", err);
        if (rc > 0)
            *bounds = (struct interval){ sqlite3_column_int64(row, 0),
                                         sqlite3_column_int64(row, 1) };
        w->otherwise = w->otherwise || bounds->begin != s->periods[i].begin_at ||
                       bounds->end != s->periods[i].end_at;
        (void)sqlite3_reset(row);       /* the step has told what went wrong */
    }
    sqlite3_finalize(row);
    return rc < 0 ? rc : 0;
}

/* A rule can move any device, else only those that are named have moved. */
#define DEVICES_NAMED                                                                              \
    "SELECT DISTINCT device, 1 FROM device_was INDEXED BY device_was_seal WHERE seal >= ?1"
#define DEVICES_ALL                                                                                \
    "SELECT device, EXISTS (SELECT 1 FROM device_was x WHERE x.device = d.device "                 \
    "AND x.seal >= ?1) FROM (SELECT device FROM device UNION SELECT device FROM ticket_was "       \
    "INDEXED BY ticket_was_job WHERE device IS NOT NULL AND kind IN ('install', 'repair') "        \
    "ORDER BY device) AS d"

static int prepare(struct moving *w, struct err *err)
{
    const struct new_seal *s = w->seal;
    char position[64];
    int rc = sql_prepare(w->l->db, "INSERT INTO moved VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, "
                         "?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)", &w->put, err);

    if (rc == 0)
        rc = find_rules(w, err);
    w->otherwise = w->recorded != NULL;
    if (rc == 0)
        rc = find_bounds(w, err);
    if (rc == 0)
        rc = sql_prepare(s->then, tickets_sql, &w->tickets, err);
    if (rc == 0)
        rc = sql_prepare(s->then, others_sql, &w->others, err);
    if (rc == 0)
        rc = sql_prepare(s->then, w->otherwise ? DEVICES_ALL : DEVICES_NAMED, &w->devices, err);
    if (rc == 0)
        rc = subjects_init(&w->was, s->then, SUBJECT_TICKETS_EVER, err);
    if (rc == 0)
        rc = subjects_init(&w->is, s->then, SUBJECT_TICKETS_EVER, err);
    if (rc < 0)
        return rc;
    sql_bind_integer(w->tickets, 1, s->was.seal);
    sql_bind_integer(w->others, 1, s->was.seal);
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
    rules_destroy(w->recorded);
    sqlite3_finalize(w->tickets);
    sqlite3_finalize(w->others);
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
        rc = walk(w, s, w->tickets, COST_MOVED, compare_ticket);
    w->tickets_done = rc == 0;
    if (rc == 0)
        rc = write_others(w, s);
    if (rc == 0)
        rc = walk(w, s, w->devices, COST_DEVICE, compare_history);
    if (rc == 0) {
        moved_end(w);
        s->moving = NULL;
    }
    return rc;
}
