/* Seals, in memory: which periods are sealed, which of those moved since, and when each week was
 * first heard of. All of it is stored with the counts that it belongs to, and read back at a start
 * or when the count went astray.
 *
 * Truth lives in two places, each for its question. Table fact says what the log says now, of
 * every period, sealed or not; sealed_fact says what was sealed and never changes. People are shown
 * the latest sealed revision of a sealed period, and the present of any other. */
#include "ledger/seals.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ledger/ledger_private.h"
#include "ledger/rows.h"
#include "ledger/new_seal.h"

static struct sealed *find(const struct seals *s, struct period period)
{
    struct sealed *p;

    HASH_FIND(hh, s->periods, &period, sizeof period, p);
    return p;
}

struct sealed *seals_find(const struct ledger *l, struct period period)
{
    return find(l->seals, period);
}

static struct heard *find_week(const struct seals *s, struct period week)
{
    struct heard *w;

    HASH_FIND(hh, s->weeks, &week, sizeof week, w);
    return w;
}

static struct heard *add_week(struct seals *s, struct period week, int64_t at)
{
    struct heard *w = mem_zalloc(sizeof *w);

    w->week = (struct period){ .kind = week.kind, .number = week.number };
    w->at = at;
    HASH_ADD(hh, s->weeks, week, sizeof w->week, w);
    s->stale = true;
    return w;
}

static void note_moved(struct ledger *l, struct sealed *p)
{
    struct seals *s = l->seals;

    if (p->pending_at != INSTANT_NONE)
        return;
    p->pending_at = l->as_of;
    p->pending_seal = s->head;
    p->unstored = true;
    s->news = s->stale = true;
    l->anything_unstored = true;
}

bool seals_touch(struct ledger *l, struct period period)
{
    struct seals *s = l->seals;
    struct sealed *p;

    if (period.kind == PERIOD_WEEK && !find_week(s, period))
        add_week(s, period, l->as_of)->unstored = true;
    if (s->sealed_until == INSTANT_NONE)
        return false;
    p = new_seal_find(l, period);
    if (p)
        note_moved(l, p);
    p = find(s, period);
    if (p)
        note_moved(l, p);
    return p != NULL;
}

/* Does the period look otherwise through these gaps? */
static bool coverage_differs(const struct ledger *l, const struct sealed *p,
                             const struct gaps *was, const struct gaps *is)
{
    for (size_t k = 0; k < l->rules->kpi_count; k++) {
        struct coverage before = coverage_of(&was[k], p->begin_at, p->end_at, p->end_at);
        struct coverage after = coverage_of(&is[k], p->begin_at, p->end_at, p->end_at);

        if (before.share_e4 != after.share_e4 || before.gaps != after.gaps)
            return true;
    }
    return false;
}

void seals_touch_gaps(struct ledger *l, const struct gaps *was, const struct gaps *is)
{
    struct new_seal *s = l->seals->under_way;
    struct sealed *p, *next;
    struct heard *w, *next_week;

    HASH_ITER (hh, l->seals->periods, p, next) {
        if (coverage_differs(l, p, was, is))
            note_moved(l, p);
    }
    for (size_t i = 0; s && i < s->period_count; i++)
        if (coverage_differs(l, &s->periods[i], was, is))
            note_moved(l, &s->periods[i]);
    HASH_ITER (hh, l->seals->weeks, w, next_week) {
        w->held = false;
    }
    l->seals->stale = true;
}

/* --- In and out of the tables. */

static void free_period(struct seals *s, struct sealed *p)
{
    HASH_DELETE(hh, s->periods, p);
    free(p->coverage);
    free(p);
}

static void forget(struct seals *s)
{
    struct sealed *p, *next;
    struct heard *w, *next_week;

    HASH_ITER (hh, s->periods, p, next) {
        free_period(s, p);
    }
    HASH_ITER (hh, s->weeks, w, next_week) {
        HASH_DELETE(hh, s->weeks, w);
        free(w);
    }
    s->sealed_until = INSTANT_NONE;
    s->last_week = INT32_MIN;
    s->sealed_weeks = 0;
    s->stale = true;
}

/* One row of sealed_period. What is known of its coverage stays, if it is the same revision, and so
 * does what moved since and is stored later: another period may have been sealed meanwhile. */
static int take_period(struct seals *s, sqlite3_stmt *row, struct err *err)
{
    struct period period = { 0 };
    struct sealed *p;
    int64_t seal = sqlite3_column_int64(row, 3);

    if (!period_parse(sql_column_text(row, 0), &period))
        return rows_damaged(err, "sealed_period");
    p = find(s, period);
    if (!p) {
        p = mem_zalloc(sizeof *p);
        p->period = (struct period){ .kind = period.kind, .number = period.number };
        HASH_ADD(hh, s->periods, period, sizeof p->period, p);
        s->sealed_weeks += period.kind == PERIOD_WEEK;
    }
    if (p->seal != seal) {
        free(p->coverage);
        p->coverage = NULL;
        p->unstored = false;
    }
    p->begin_at = sqlite3_column_int64(row, 1);
    p->end_at = sqlite3_column_int64(row, 2);
    p->seal = seal;
    p->revision = sqlite3_column_int(row, 4);
    p->at = sqlite3_column_int64(row, 5);
    if (!p->unstored) {
        p->pending_at = sql_column_integer_or(row, 6, INSTANT_NONE);
        p->pending_seal = sqlite3_column_int64(row, 7);
    }
    if (p->end_at > s->sealed_until)
        s->sealed_until = p->end_at;
    if (period.kind == PERIOD_WEEK && period.number > s->last_week)
        s->last_week = period.number;
    return 0;
}

static int load_periods(struct ledger *l, struct err *err)
{
    sqlite3_stmt *row;
    int rc = sql_prepare(l->db, "SELECT period, begin_at, end_at, seal, revision, sealed_at, "
                         "pending_at, pending_seal FROM sealed_period", &row, err);

    if (rc < 0)
        return rc;
    while ((rc = sql_step(row, "reading what is sealed", err)) > 0) {
        rc = take_period(l->seals, row, err);
        if (rc < 0)
            break;
    }
    sqlite3_finalize(row);
    return rc;
}

static int load_weeks(struct ledger *l, struct err *err)
{
    sqlite3_stmt *row;
    int rc = sql_prepare(l->db, "SELECT period, heard_at FROM week_heard", &row, err);

    if (rc < 0)
        return rc;
    while ((rc = sql_step(row, "reading what is sealed", err)) > 0) {
        struct period week = { 0 };

        if (!period_parse(sql_column_text(row, 0), &week)) {
            rc = rows_damaged(err, "week_heard");
            break;
        }
        if (!find_week(l->seals, week))
            add_week(l->seals, week, sqlite3_column_int64(row, 1));
    }
    sqlite3_finalize(row);
    return rc;
}

int seals_load(struct ledger *l, struct err *err)
{
    int rc = chain_load(l, err);

    if (rc == 0)
        rc = load_periods(l, err);
    if (rc == 0)
        rc = load_weeks(l, err);
    l->seals->news = l->seals->stale = true;
    return rc;
}

int seals_reload(struct ledger *l, struct err *err)
{
    new_seal_drop(l);
    forget(l->seals);
    return seals_load(l, err);
}

static int prepare(struct ledger *l, struct err *err)
{
    struct seals *s = l->seals;
    int rc = sql_prepare(l->db, "INSERT OR IGNORE INTO ticket_was SELECT " TICKET_COLUMNS
                         ", ?3, 'events' FROM ticket WHERE first_seq = " TICKET_FIRST_SEQ("?1", "?2"),
                         &s->keep_ticket, err);

    if (rc == 0)
        rc = sql_prepare(l->db, "INSERT OR IGNORE INTO ticket_was (kind, ticket, flags, events, "
                         "numerator, denominator, excluded, pending, seal, cause) "
                         "VALUES (?1, ?2, 0, 0, 0, 0, 0, 0, ?3, 'events')",
                         &s->keep_new_ticket, err);
    if (rc == 0)
        rc = sql_prepare(l->db, "INSERT OR IGNORE INTO device_was (device, seal) VALUES (?1, ?2)",
                         &s->keep_device, err);
    return rc;
}

int seals_open(struct ledger *l, const struct ledger_options *options, struct err *err)
{
    int rc;

    l->seals->automatic = options->seals;
    l->seals->leap_wait_ms = options->seal_leap_wait_ms;
    l->seals->settled_at = clock_monotonic(l->clock) + options->seal_settle_ms;
    l->seals->slice_us = SLICE_US;
    rc = prepare(l, err);
    if (rc == 0)
        rc = seals_reload(l, err);
    if (rc < 0)
        return rc;
    l->seals->prepared = l->seals->head + 1;
    rc = new_seal_clear_leftovers(l, err);
    return rc == -ENOSPC ? 0 : rc;      /* a full disk keeps nobody from starting */
}

void seals_close(struct ledger *l)
{
    struct seals *s = l->seals;

    if (!s)
        return;
    new_seal_drop(l);
    forget(s);
    digest_destroy(s->events);
    sqlite3_finalize(s->keep_ticket);
    sqlite3_finalize(s->keep_new_ticket);
    sqlite3_finalize(s->keep_device);
    free(s);
    l->seals = NULL;
}

static int store_period(struct ledger *l, struct sealed *p, struct err *err)
{
    char period[PERIOD_SIZE];
    sqlite3_stmt *st;
    int rc = sql_prepare(l->db, "UPDATE sealed_period SET pending_at = ?2, pending_seal = ?3 "
                         "WHERE period = ?1", &st, err);

    if (rc < 0)
        return rc;
    sql_bind_text(st, 1, period_format(period, p->period));
    sql_bind_instant(st, 2, p->pending_at);
    sql_bind_integer(st, 3, p->pending_seal);
    rc = sql_run(st, "writing what is sealed", err);
    sqlite3_finalize(st);
    return rc;
}

static int store_week(struct ledger *l, const struct heard *w, struct err *err)
{
    char period[PERIOD_SIZE];
    sqlite3_stmt *st;
    int rc = sql_prepare(l->db, "INSERT OR IGNORE INTO week_heard (period, heard_at) "
                         "VALUES (?1, ?2)", &st, err);

    if (rc < 0)
        return rc;
    sql_bind_text(st, 1, period_format(period, w->week));
    sql_bind_integer(st, 2, w->at);
    rc = sql_run(st, "writing what is sealed", err);
    sqlite3_finalize(st);
    return rc;
}

int seals_store(struct ledger *l, struct err *err)
{
    struct sealed *p, *next;
    struct heard *w, *next_week;
    int rc = 0;

    HASH_ITER (hh, l->seals->periods, p, next) {
        if (rc == 0 && p->unstored)
            rc = store_period(l, p, err);
    }
    HASH_ITER (hh, l->seals->weeks, w, next_week) {
        if (rc == 0 && w->unstored)
            rc = store_week(l, w, err);
    }
    return rc;
}

void seals_stored(struct ledger *l)
{
    struct sealed *p, *next;
    struct heard *w, *next_week;

    HASH_ITER (hh, l->seals->periods, p, next) {
        p->unstored = false;
    }
    HASH_ITER (hh, l->seals->weeks, w, next_week) {
        w->unstored = false;
    }
}

/* --- What the board is told. */

void seals_forget_coverage(struct ledger *l)
{
    struct sealed *p, *next;

    HASH_ITER (hh, l->seals->periods, p, next) {
        free(p->coverage);
        p->coverage = NULL;
    }
}

void seals_note_coverage(struct ledger *l, struct period period, size_t kpi,
                         struct coverage coverage)
{
    struct sealed *p = find(l->seals, period);
    size_t count = l->rules->kpi_count;

    if (!p)
        return;
    if (!p->coverage) {
        p->coverage = mem_alloc((count + 1) * sizeof *p->coverage);
        for (size_t k = 0; k < count; k++)
            p->coverage[k] = (struct coverage){ .share_e4 = 10000 };
    }
    p->coverage[kpi] = coverage;
}

static struct coverage *copy_coverage(const struct ledger *l, const struct sealed *p)
{
    size_t count = l->rules->kpi_count;
    struct coverage *copy = mem_alloc((count + 1) * sizeof *copy);

    for (size_t k = 0; k < count; k++)
        copy[k] = p->coverage ? p->coverage[k] : (struct coverage){ .share_e4 = 10000 };
    return copy;
}

void seals_fill(struct ledger *l, struct publication *publication, int64_t window_from)
{
    struct seals *s = l->seals;
    struct sealed *p, *next;

    if (!s->news && !publication->rules)
        return;
    s->news = false;
    publication->standings =
        mem_alloc((HASH_COUNT(s->periods) + 1) * sizeof *publication->standings);
    HASH_ITER (hh, s->periods, p, next) {
        if (p->end_at > window_from)
            publication->standings[publication->standing_count++] =
                (struct standing){ .period = p->period,
                                   .revision = p->revision,
                                   .pending = p->pending_at != INSTANT_NONE,
                                   .as_of = p->at,
                                   .coverage = copy_coverage(l, p) };
    }
}
