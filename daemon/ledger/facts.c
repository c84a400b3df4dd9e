/* Facts: the tally's differences are added to counts in memory, each changed fact is valued by the
 * law and noted for the publication if it lies in the board's window; the rows follow at the next
 * store, once for however many groups have touched them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "ledger/ledger_private.h"
#include "ledger/rows.h"

static int32_t window_day(const struct ledger *l)
{
    return zone_day(&l->rules->zone, l->as_of) - WINDOW_DAYS;
}

int64_t facts_window_from(const struct ledger *l)
{
    return zone_midnight(&l->rules->zone, window_day(l));
}

static struct published_fact *add_changed(struct ledger *l)
{
    if (l->changed_count == l->changed_capacity) {
        l->changed_capacity = l->changed_capacity ? l->changed_capacity * 2 : 256;
        l->changed = mem_realloc_array(l->changed, l->changed_capacity, sizeof *l->changed);
    }
    return &l->changed[l->changed_count++];
}

/* The counts that the row has; zero if there is none. */
static int read_counts(struct ledger *l, const char *kpi, const char *period, const char *scope,
                       struct counts *ret, struct err *err)
{
    sqlite3_stmt *st = l->st.fact_get;
    struct counts counts = { 0 };
    int rc;

    sql_bind_text(st, 1, kpi);
    sql_bind_text(st, 2, period);
    sql_bind_text(st, 3, scope);
    rc = sql_step(st, "reading a fact", err);
    if (rc == 1)
        counts = (struct counts){ .numerator = sqlite3_column_int64(st, 0),
                                  .denominator = sqlite3_column_int64(st, 1),
                                  .excluded = sqlite3_column_int64(st, 2),
                                  .pending = sqlite3_column_int64(st, 3) };
    (void)sqlite3_reset(st);    /* the step has told what went wrong */
    if (rc < 0)
        return rc;
    *ret = counts;
    return 0;
}

static unsigned make_key(char key[8 + SCOPE_SIZE], uint16_t kpi, struct period period,
                         const char *scope)
{
    size_t length = strlen(scope);
    uint16_t kind = (uint16_t)period.kind;

    memcpy(key, &kpi, 2);
    memcpy(key + 2, &kind, 2);
    memcpy(key + 4, &period.number, 4);
    memcpy(key + 8, scope, length);
    return (unsigned)(8 + length);
}

/* The fact's counts in memory, read from its row if they are not there yet. */
static int find_cell(struct ledger *l, const struct tally_cell *tally, struct cell **ret,
                     struct err *err)
{
    char key[8 + SCOPE_SIZE], period[PERIOD_SIZE];
    uint16_t kpi = (uint16_t)(tally->kpi - l->rules->kpis);
    unsigned length = make_key(key, kpi, tally->period, tally->scope);
    struct counts counts;
    struct cell *cell;
    int rc;

    HASH_FIND(hh, l->cells, key, length, cell);
    if (!cell) {
        rc = read_counts(l, tally->kpi->id, period_format(period, tally->period), tally->scope,
                         &counts, err);
        if (rc < 0)
            return rc;
        cell = mem_zalloc(sizeof *cell);
        memcpy(cell->key, key, length);
        cell->key_length = length;
        cell->kpi = kpi;
        cell->period = tally->period;
        cell->counts = counts;
        text_set(cell->scope, sizeof cell->scope, tally->scope);
        HASH_ADD_KEYPTR(hh, l->cells, cell->key, length, cell);
    }
    *ret = cell;
    return 0;
}

static struct fact value_cell(const struct ledger *l, const struct cell *cell)
{
    return fact_of(&cell->counts, &l->rules->kpis[cell->kpi], cell->period, cell->scope);
}

/* What facts_count carries through tally_each. */
struct counting {
    struct ledger *l;
    int32_t window_day;     /* the board holds what ends after its midnight */
    struct err *err;
};

static int count_cell(void *arg, const struct tally_cell *tally)
{
    struct counting *counting = arg;
    struct ledger *l = counting->l;
    struct cell *cell;
    int rc = find_cell(l, tally, &cell, counting->err);

    if (rc < 0)
        return rc;
    counts_add(&cell->counts, &tally->counts, 1);
    if (!seals_touch(l, cell->period) && period_end_day(cell->period) > counting->window_day) {
        struct published_fact *changed = add_changed(l);

        changed->kpi = cell->kpi;
        changed->period = cell->period;
        changed->fact = value_cell(l, cell);
        text_set(changed->scope, sizeof changed->scope, cell->scope);
    }
    return 0;
}

int facts_count(struct ledger *l, struct err *err)
{
    struct counting counting = { .l = l, .window_day = window_day(l), .err = err };

    return tally_each(l->tally, count_cell, &counting);
}

/* Goes through the cells in memory while SQLite asks for rows. */
struct storing {
    const struct ledger *l;
    const struct cell *next;
    struct fact fact;
    char period[PERIOD_SIZE];
};

static bool next_fact(void *arg, struct bulk_value *row)
{
    struct storing *s = arg;
    const struct cell *cell = s->next;

    while (cell && counts_are_zero(&cell->counts))
        cell = cell->hh.next;
    if (!cell)
        return false;
    s->next = cell->hh.next;
    s->fact = value_cell(s->l, cell);
    rows_fact(row, s->period, &s->l->rules->kpis[cell->kpi], cell->period, cell->scope, &s->fact,
              &s->l->rules->zone);
    return true;
}

static int delete_cell(struct ledger *l, const struct cell *cell, struct err *err)
{
    sqlite3_stmt *st = l->st.fact_delete;
    char period[PERIOD_SIZE];

    sql_bind_text(st, 1, l->rules->kpis[cell->kpi].id);
    sql_bind_text(st, 2, period_format(period, cell->period));
    sql_bind_text(st, 3, cell->scope);
    return sql_run(st, "deleting a fact", err);
}

int facts_store(struct ledger *l, struct err *err)
{
    struct storing storing = { .l = l, .next = l->cells };
    struct cell *cell, *next;
    int rc;

    bulk_set(&l->counted_fact, next_fact, &storing);
    rc = sql_run(l->st.facts_put, "writing facts", err);
    HASH_ITER(hh, l->cells, cell, next) {
        if (rc < 0)
            return rc;
        if (counts_are_zero(&cell->counts))
            rc = delete_cell(l, cell, err);
    }
    return rc;
}

void facts_forget(struct ledger *l)
{
    struct cell *cell, *next;

    HASH_ITER(hh, l->cells, cell, next) {
        HASH_DEL(l->cells, cell);
        free(cell);
    }
}

/* Reads rows of `st` (rows_read_fact's columns) and gives each to `each`. A fact of a KPI that is
 * configured no more is passed over. */
static int each_fact(struct ledger *l, sqlite3_stmt *st,
                     int (*each)(void *arg, const struct published_fact *fact), void *arg,
                     struct err *err)
{
    int rc;

    while ((rc = sql_step(st, "reading facts", err)) == 1) {
        struct published_fact fact = { 0 };
        const struct kpi *kpi = rules_kpi(l->rules, sql_column_text(st, 0));

        if (!kpi)
            continue;
        fact.kpi = (uint16_t)(kpi - l->rules->kpis);
        rc = rows_read_fact(st, 0, &fact.period, fact.scope, &fact.fact)
                 ? each(arg, &fact)
                 : rows_damaged(err, "fact");
        if (rc != 0)
            break;
    }
    (void)sqlite3_reset(st);    /* the step has told what went wrong */
    return rc;
}

static int keep_fact(void *arg, const struct published_fact *fact)
{
    *add_changed(arg) = *fact;
    return 0;
}

void facts_publish(struct ledger *l, const struct published_fact *fact)
{
    if (period_end(fact->period, &l->rules->zone) > facts_window_from(l))
        (void)keep_fact(l, fact);       /* always 0 */
}

/* The latest revision of what is sealed in the window, and how it was covered. */
static int load_sealed(struct ledger *l, struct err *err)
{
    sqlite3_stmt *row;
    int rc = sql_prepare(l->db, "SELECT DISTINCT s.period, s.kpi, s.coverage_e4, s.gaps "
                         "FROM sealed_period p JOIN sealed_fact s ON s.seal = p.seal "
                         "AND s.period = p.period WHERE p.end_at > ?1", &row, err);

    if (rc < 0)
        return rc;
    sql_bind_integer(row, 1, facts_window_from(l));
    while ((rc = sql_step(row, "reading what is sealed", err)) == 1) {
        const struct kpi *kpi = rules_kpi(l->rules, sql_column_text(row, 1));
        struct period period = { 0 };

        if (kpi && period_parse(sql_column_text(row, 0), &period))
            seals_note_coverage(l, period, (size_t)(kpi - l->rules->kpis),
                                (struct coverage){ sqlite3_column_int(row, 2),
                                                   sqlite3_column_int(row, 3) });
    }
    sqlite3_finalize(row);
    return rc;
}

int facts_load_window(struct ledger *l, struct err *err)
{
    int rc;

    l->changed_count = 0;
    sqlite3_bind_int64(l->st.fact_window, 1, facts_window_from(l));
    rc = each_fact(l, l->st.fact_window, keep_fact, l, err);
    if (rc == 0)
        seals_forget_coverage(l);
    return rc < 0 ? rc : load_sealed(l, err);
}

static int keep_gone(void *arg, const struct published_fact *fact)
{
    struct published_fact gone = *fact;

    gone.fact.counts = (struct counts){ 0 };
    facts_publish(arg, &gone);
    return 0;
}

int facts_publish_gone(struct ledger *l, sqlite3_stmt *rows, struct err *err)
{
    return each_fact(l, rows, keep_gone, l, err);
}

int ledger_each_fact(struct ledger *l,
                     int (*each)(void *arg, const struct published_fact *fact), void *arg,
                     struct err *err)
{
    int rc = count_store(l, err);

    return rc < 0 ? rc : each_fact(l, l->st.fact_all, each, arg, err);
}
