/* Facts on disk: the tally's differences are added to the rows, each changed row is valued by the
 * law, and what lies in the board's window is noted for the publication after the commit. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "ledger/ledger_private.h"
#include "ledger/rows.h"

/* What facts_store carries through tally_each. */
struct storing {
    struct ledger *l;
    struct err *err;
};

int64_t facts_window_from(const struct ledger *l)
{
    const struct zone *zone = &l->rules->zone;

    return zone_midnight(zone, zone_day(zone, l->as_of) - WINDOW_DAYS);
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

static int delete_fact(struct ledger *l, const struct tally_cell *cell, const char *period,
                       struct err *err)
{
    sqlite3_stmt *st = l->st.fact_delete;

    sql_bind_text(st, 1, cell->kpi->id);
    sql_bind_text(st, 2, period);
    sql_bind_text(st, 3, cell->scope);
    return sql_run(st, "removing a fact", err);
}

static int put_fact(struct ledger *l, const struct tally_cell *cell, const struct fact *fact,
                    struct err *err)
{
    sqlite3_stmt *st = l->st.fact_put;

    rows_bind_fact(st, cell->kpi, cell->period, cell->scope, fact, &l->rules->zone);
    return sql_run(st, "writing a fact", err);
}

static int store_cell(void *arg, const struct tally_cell *cell)
{
    struct storing *storing = arg;
    struct ledger *l = storing->l;
    char period[PERIOD_SIZE];
    struct counts counts;
    struct fact fact = { 0 };
    int rc;

    period_format(period, cell->period);
    rc = read_counts(l, cell->kpi->id, period, cell->scope, &counts, storing->err);
    if (rc < 0)
        return rc;
    counts_add(&counts, &cell->counts, 1);
    if (counts_are_zero(&counts)) {
        rc = delete_fact(l, cell, period, storing->err);
    } else {
        fact = fact_of(&counts, cell->kpi, cell->period, cell->scope);
        rc = put_fact(l, cell, &fact, storing->err);
    }
    if (rc == 0 && period_end(cell->period, &l->rules->zone) > facts_window_from(l)) {
        struct published_fact *changed = add_changed(l);

        *changed = (struct published_fact){ .kpi = (uint16_t)(cell->kpi - l->rules->kpis),
                                            .period = cell->period, .fact = fact };
        text_set(changed->scope, sizeof changed->scope, cell->scope);
    }
    return rc;
}

int facts_store(struct ledger *l, struct err *err)
{
    struct storing storing = { .l = l, .err = err };

    return tally_each(l->tally, store_cell, &storing);
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

int facts_load_window(struct ledger *l, struct err *err)
{
    l->changed_count = 0;
    sqlite3_bind_int64(l->st.fact_window, 1, facts_window_from(l));
    return each_fact(l, l->st.fact_window, keep_fact, l, err);
}

int ledger_each_fact(struct ledger *l,
                     int (*each)(void *arg, const struct published_fact *fact), void *arg,
                     struct err *err)
{
    return each_fact(l, l->st.fact_all, each, arg, err);
}
