/* The course of one sealing (new_seal.h): its stages, slice by slice. */
#include "ledger/new_seal.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

bool new_seal_may(struct new_seal *s, int64_t cost)
{
    bool may = s->left > 0;

    if (may)
        s->left -= cost;
    return may;
}

/* --- Beginning. */

static bool owns_reader(const struct ledger *l, const struct new_seal *s)
{
    return s->then && s->then != l->db;
}

static void free_new_seal(struct ledger *l, struct new_seal *s)
{
    sqlite3_finalize(s->rows);
    sqlite3_finalize(s->put);
    sqlite3_finalize(s->before);
    moved_end(s->moving);
    if (owns_reader(l, s))
        sql_close(s->then);
    for (size_t i = 0; i < s->period_count; i++)
        free(s->periods[i].coverage);
    digest_destroy(s->digest);
    text_buffer_finish(&s->quarantine);
    free(s->changed);
    free(s->by);
    free(s->why);
    free(s);
}

void new_seal_drop(struct ledger *l)
{
    if (l->seals->under_way)
        free_new_seal(l, l->seals->under_way);
    l->seals->under_way = NULL;
}

struct sealed *new_seal_find(const struct ledger *l, struct period period)
{
    struct new_seal *s = l->seals->under_way;

    for (size_t i = 0; s && i < s->period_count; i++)
        if (s->periods[i].period.kind == period.kind &&
            s->periods[i].period.number == period.number)
            return &s->periods[i];
    return NULL;
}

/* How the period is watched, for each KPI. Gives. */
static struct coverage *coverage_now(const struct ledger *l, const struct sealed *p)
{
    struct coverage *ret = mem_alloc((l->rules->kpi_count + 1) * sizeof *ret);

    for (size_t k = 0; k < l->rules->kpi_count; k++)
        ret[k] = l->gaps ? coverage_of(&l->gaps[k], p->begin_at, p->end_at, l->as_of)
                         : (struct coverage){ .share_e4 = 10000 };
    return ret;
}

static void add_period(const struct ledger *l, struct new_seal *s, struct period period)
{
    struct sealed *p = &s->periods[s->period_count++];

    *p = (struct sealed){ .period = period,
                          .begin_at = period_begin(period, &l->rules->zone),
                          .end_at = period_end(period, &l->rules->zone),
                          .seal = s->n,
                          .revision = s->was.revision + 1,
                          .at = l->as_of,
                          .pending_at = INSTANT_NONE };
    p->coverage = coverage_now(l, p);
}

static struct new_seal *new_seal_of(const struct ledger *l, const struct seal_order *order)
{
    struct new_seal *s = mem_zalloc(sizeof *s);

    s->period = order->period;
    s->asked = order->asked;
    s->by = mem_strdup(order->by);
    s->why = mem_strdup(order->why);
    if (order->was)
        s->was = *order->was;
    s->was.coverage = NULL;
    s->n = l->seals->head + 1;
    s->position = l->position;
    s->as_of = l->as_of;
    s->digest = digest_create();
    if (order->period.kind == PERIOD_WEEK)
        for (int32_t day = order->period.number; day < order->period.number + 7; day++)
            add_period(l, s, period_of_day(PERIOD_DAY, day));
    add_period(l, s, order->period);
    return s;
}

/* Begins a view of the ledger as it is stored. */
static int look(struct new_seal *s, int64_t *ret_position, struct err *err)
{
    int rc = sql_exec(s->then, "BEGIN", err);

    return rc < 0 ? rc : sql_integer(s->then, "SELECT position FROM house", ret_position, err);
}

static int open_reader(struct ledger *l, struct new_seal *s, struct err *err)
{
    int64_t position = 0;
    int rc;

    if (strcmp(l->path, ":memory:") == 0) {
        s->then = l->db;
        return 0;
    }
    rc = sql_open_reader(l->path, &s->then, err);
    if (rc == 0)
        rc = look(s, &position, err);
    assert(rc < 0 || position == s->position);
    return rc;
}

int new_seal_begin(struct ledger *l, const struct seal_order *order, struct err *err)
{
    struct seals *seals = l->seals;
    struct new_seal *s;
    int rc = count_store(l, err);

    assert(!seals->under_way);
    if (rc == 0)
        rc = new_seal_clear_leftovers(l, err);
    if (rc < 0)
        return rc;
    s = seals->under_way = new_seal_of(l, order);
    rc = open_reader(l, s, err);
    if (rc < 0) {
        new_seal_drop(l);
        return rc;
    }
    /* From here on tickets and devices are kept as they were for this record. */
    seals->prepared = s->n;
    if (seals->sealed_until < s->periods[s->period_count - 1].end_at)
        seals->sealed_until = s->periods[s->period_count - 1].end_at;
    return 0;
}

/* --- Clearing away. */

/* What was kept for a record that did not come about was so when the last one was made. */
int new_seal_clear(sqlite3 *db, struct err *err)
{
    return sql_exec(
        db,
        "DELETE FROM sealed_fact WHERE seal > (SELECT coalesce(max(n), 0) FROM seal);"
        "DELETE FROM moved WHERE seal > (SELECT coalesce(max(n), 0) FROM seal);"
        "UPDATE OR IGNORE ticket_was SET seal = (SELECT max(n) FROM seal) "
        "WHERE seal > (SELECT max(n) FROM seal);"
        "DELETE FROM ticket_was WHERE seal > (SELECT coalesce(max(n), 0) FROM seal);"
        "UPDATE OR IGNORE device_was SET seal = (SELECT max(n) FROM seal) "
        "WHERE seal > (SELECT max(n) FROM seal);"
        "DELETE FROM device_was WHERE seal > (SELECT coalesce(max(n), 0) FROM seal)",
        err);
}

int new_seal_clear_leftovers(struct ledger *l, struct err *err)
{
    int rc;

    if (!l->seals->prepared)
        return 0;
    rc = count_begin(l, err);
    if (rc == 0)
        rc = new_seal_clear(l->db, err);
    rc = count_end(l, rc, err);
    if (rc == 0)
        l->seals->prepared = 0;
    return rc;
}

/* --- The stages that are not elsewhere. */

/* Digests the prepared rows that `sql` tells, as they stand in the table. */
static int digest_rows(struct ledger *l, struct new_seal *s, const char *sql, int64_t *count,
                       char digest[DIGEST_SIZE], struct err *err)
{
    int64_t position;
    int rc = 1;

    if (!s->rows) {
        if (owns_reader(l, s)) {
            rc = sql_exec(s->then, "COMMIT", err);
            if (rc == 0)
                rc = look(s, &position, err);
        }
        if (rc >= 0)
            rc = sql_prepare(s->then, sql, &s->rows, err);
        if (rc < 0)
            return rc;
        sql_bind_integer(s->rows, 1, s->n);
        digest_reset(s->digest);
    }
    while (new_seal_may(s, COST_DIGEST)) {
        rc = sql_step(s->rows, "digesting what is sealed", err);
        if (rc <= 0)
            break;
        digest_add_row(s->digest, s->rows);
        ++*count;
    }
    if (rc == 0 && *count > 0)
        digest_value(s->digest, digest);
    return rc;
}

static int digest_facts(struct ledger *l, struct new_seal *s, struct err *err)
{
    return digest_rows(l, s, "SELECT * FROM sealed_fact WHERE seal = ?1 ORDER BY period, kpi, scope",
                       &s->facts, s->facts_digest, err);
}

static int digest_moved(struct ledger *l, struct new_seal *s, struct err *err)
{
    return digest_rows(l, s, "SELECT * FROM moved WHERE seal = ?1 ORDER BY kpi, kind, subject, period",
                       &s->moved, s->moved_digest, err);
}

/* The reader has done: the log grows, and what stands there does not change. */
static int digest_log(struct ledger *l, struct new_seal *s, struct err *err)
{
    int events = (int)(s->left / COST_DIGEST);

    if (owns_reader(l, s))
        sql_close(s->then);
    s->then = NULL;
    return chain_catch_up(l, s->position, events < 1 ? 1 : events, err);
}

/* Nothing differs: what was copied goes again. */
static int give_up_equal(struct ledger *l, struct new_seal *s, struct err *err)
{
    s->is_equal = s->was.seal != 0 && !s->differs;
    return s->is_equal ? new_seal_clear(l->db, err) : 0;
}

static int (*const stages[])(struct ledger *, struct new_seal *, struct err *) = {
    seal_copy_facts, give_up_equal, moved_write,  seal_list_quarantine,
    digest_facts,    digest_moved,  digest_log,   seal_append,
};

int new_seal_step(struct ledger *l, struct err *err)
{
    struct new_seal *s = l->seals->under_way;
    int rc = count_begin(l, err), ended;

    s->left = owns_reader(l, s) || !s->then ? l->seals->slice_us : INT64_MAX;
    if (rc == 0)
        rc = stages[s->stage](l, s, err);
    if (rc == 0) {
        sqlite3_finalize(s->rows);
        s->rows = NULL;
    }
    ended = count_end(l, rc < 0 ? rc : 0, err);
    if (ended < 0)
        return ended;
    if (rc == 0)
        s->stage++;
    if (s->is_equal)
        l->seals->prepared = 0;
    s->is_written = s->stage == LENGTH(stages);
    return !s->is_written && !s->is_equal;
}
