/* Gaps: when nobody was watching. Edges of inputs are few, so each change folds them all again
 * from the log, and each KPI gets the union of the gaps of the inputs that it depends on. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ledger/ledger_private.h"

static void gaps_free_all(struct gaps *gaps, size_t count)
{
    for (size_t i = 0; gaps && i < count; i++)
        gaps_finish(&gaps[i]);
    free(gaps);
}

/* The gaps of one input, added to those of the KPI. */
static void unite_input(struct ledger *l, const struct logged_list *edges, const char *input,
                        struct gaps *to)
{
    struct event *events = mem_alloc((edges->count + 1) * sizeof *events);
    struct gaps gaps = { 0 };
    size_t count = 0;

    for (size_t i = 0; i < edges->count; i++)
        if (strcmp(edges->items[i].event.input, input) == 0)
            events[count++] = edges->items[i].event;
    gaps_fold(&gaps, events, count, l->as_of);
    gaps_unite(to, &gaps);
    gaps_finish(&gaps);
    free(events);
}

static int store_gap(struct ledger *l, const char *kpi, const struct interval *gap,
                     struct err *err)
{
    sqlite3_stmt *st = l->st.gap_put;

    sql_bind_text(st, 1, kpi);
    sql_bind_instant(st, 2, gap->begin);
    sql_bind_instant(st, 3, gap->end);
    return sql_run(st, "writing gaps", err);
}

/* The first edge that is still to come. */
static int64_t next_edge(const struct logged_list *edges, int64_t as_of)
{
    for (size_t i = 0; i < edges->count; i++)
        if (edges->items[i].event.at > as_of)
            return edges->items[i].event.at;
    return INSTANT_NEVER;
}

/* What is stored: the gaps by which what is sealed was covered, if memory has none. */
static int load_stored(struct ledger *l, struct gaps *gaps, struct err *err)
{
    sqlite3_stmt *row;
    int rc = sql_prepare(l->db, "SELECT kpi, begin_at, end_at FROM gap ORDER BY kpi, begin_at",
                         &row, err);

    if (rc < 0)
        return rc;
    while ((rc = sql_step(row, "reading gaps", err)) > 0) {
        const struct kpi *kpi = rules_kpi(l->rules, sql_column_text(row, 0));
        struct interval gap = { sqlite3_column_int64(row, 1),
                                sql_column_integer_or(row, 2, INSTANT_NEVER) };

        if (kpi)
            gaps_unite(&gaps[kpi - l->rules->kpis], &(struct gaps){ .items = &gap, .count = 1 });
    }
    sqlite3_finalize(row);
    return rc;
}

/* What is sealed is held against the gaps as they were, unless other rules made those. */
static int compare_with_sealed(struct ledger *l, struct gaps *was, struct err *err)
{
    int rc = 0;

    if (l->gaps_by_rules || l->seals->sealed_until == INSTANT_NONE)
        return 0;
    if (was) {
        seals_touch_gaps(l, was, l->gaps);
        return 0;
    }
    was = mem_zalloc((l->rules->kpi_count + 1) * sizeof *was);
    rc = load_stored(l, was, err);
    if (rc == 0)
        seals_touch_gaps(l, was, l->gaps);
    gaps_free_all(was, l->rules->kpi_count);
    return rc;
}

int gaps_recount(struct ledger *l, struct err *err)
{
    struct logged_list edges = { 0 };
    struct gaps *was;
    int rc = log_read_kind(l, "source", &edges, err);

    if (rc == 0) {
        was = l->gaps;
        l->gaps = mem_zalloc((l->rules->kpi_count + 1) * sizeof *l->gaps);
        l->gaps_due_at = next_edge(&edges, l->as_of);
        for (size_t k = 0; k < l->rules->kpi_count; k++) {
            const struct kpi *kpi = &l->rules->kpis[k];

            for (size_t i = 0; i < kpi->source_count; i++)
                unite_input(l, &edges, kpi->sources[i], &l->gaps[k]);
        }
        l->gaps_news = l->gaps_unstored = l->anything_unstored = true;
        rc = compare_with_sealed(l, was, err);
        gaps_free_all(was, l->rules->kpi_count);
    }
    logged_finish(&edges);
    return rc;
}

int gaps_store(struct ledger *l, struct err *err)
{
    int rc;

    rc = sql_run(l->st.gap_clear, "writing gaps", err);
    if (rc < 0)
        return rc;
    for (size_t k = 0; k < l->rules->kpi_count; k++)
        for (size_t i = 0; i < l->gaps[k].count; i++) {
            rc = store_gap(l, l->rules->kpis[k].id, &l->gaps[k].items[i], err);
            if (rc < 0)
                return rc;
        }
    return 0;
}

void gaps_forget(struct ledger *l)
{
    gaps_free_all(l->gaps, l->rules->kpi_count);
    l->gaps = NULL;
}

struct gaps *gaps_copy(const struct ledger *l)
{
    struct gaps *copy;

    if (!l->gaps)
        return NULL;
    copy = mem_zalloc((l->rules->kpi_count + 1) * sizeof *copy);
    for (size_t k = 0; k < l->rules->kpi_count; k++)
        gaps_unite(&copy[k], &l->gaps[k]);
    return copy;
}
