/* One sealing: the stored facts of a period (of a week with its days) are copied as a revision that
 * never changes, and the chain gets a record of it, in one transaction. A restatement writes what
 * moved beside it. Cells are read, never tickets, so a week of a million costs what its facts
 * cost. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/instant.h"
#include "base/mem.h"
#include "ledger/ledger_private.h"
#include "ledger/rows.h"
#include "ledger/seals.h"

enum { PERIODS_MAX = 8, QUARANTINE_LISTED_MAX = 500 };

#define SEALED_VALUES                                                                              \
    "numerator, denominator, excluded, pending, rate_e6, low_e6, high_e6, target_e4, direction, "  \
    "verdict, shortfall, coverage_e4, gaps"
#define SEALED_COLUMNS "period, kpi, scope, kind, begin_at, end_at, " SEALED_VALUES

/* The periods of one seal: a week with its days, or one longer period. */
static size_t periods_of(struct period period, struct period ret[PERIODS_MAX])
{
    size_t count = 0;

    if (period.kind == PERIOD_WEEK)
        for (int32_t day = period.number; day < period.number + 7; day++)
            ret[count++] = period_of_day(PERIOD_DAY, day);
    ret[count++] = period;
    return count;
}

/* How the period was watched for one KPI, as of now. */
static struct coverage coverage_now(const struct ledger *l, size_t kpi, struct period period)
{
    if (!l->gaps)
        return (struct coverage){ .share_e4 = 10000 };
    return coverage_of(&l->gaps[kpi], period_begin(period, &l->rules->zone),
                       period_end(period, &l->rules->zone), l->as_of);
}

/* Copies the facts of one KPI in one period. */
static int copy_facts(struct ledger *l, int64_t seal, struct period period, size_t kpi,
                      struct err *err)
{
    struct coverage coverage = coverage_now(l, kpi, period);
    char name[PERIOD_SIZE];
    sqlite3_stmt *st;
    int rc = sql_prepare(l->db, "INSERT INTO sealed_fact (seal, period, kpi, scope, kind, "
                         "begin_at, end_at, " SEALED_VALUES ") SELECT ?1, period, kpi, scope, "
                         "kind, begin_at, end_at, numerator, denominator, excluded, pending, "
                         "rate_e6, low_e6, high_e6, target_e4, direction, verdict, shortfall, ?2, "
                         "?3 FROM fact WHERE kpi = ?4 AND period = ?5", &st, err);

    if (rc < 0)
        return rc;
    sql_bind_integer(st, 1, seal);
    sql_bind_integer(st, 2, coverage.share_e4);
    sql_bind_integer(st, 3, coverage.gaps);
    sql_bind_text(st, 4, l->rules->kpis[kpi].id);
    sql_bind_text(st, 5, period_format(name, period));
    rc = sql_run(st, "sealing facts", err);
    sqlite3_finalize(st);
    return rc;
}

static int copy_all(struct ledger *l, int64_t seal, const struct period *periods, size_t count,
                    struct err *err)
{
    int rc = 0;

    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; rc == 0 && k < l->rules->kpi_count; k++)
            rc = copy_facts(l, seal, periods[i], k, err);
    return rc;
}

/* Says of each period which record is its latest. */
static int point_at(struct ledger *l, int64_t seal, int32_t revision, struct period period,
                    struct err *err)
{
    char name[PERIOD_SIZE];
    sqlite3_stmt *st;
    int rc = sql_prepare(l->db, "INSERT OR REPLACE INTO sealed_period (period, kind, begin_at, "
                         "end_at, seal, revision, sealed_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                         &st, err);

    if (rc < 0)
        return rc;
    sql_bind_text(st, 1, period_format(name, period));
    sql_bind_integer(st, 2, period.kind);
    sql_bind_integer(st, 3, period_begin(period, &l->rules->zone));
    sql_bind_integer(st, 4, period_end(period, &l->rules->zone));
    sql_bind_integer(st, 5, seal);
    sql_bind_integer(st, 6, revision);
    sql_bind_integer(st, 7, l->as_of);
    rc = sql_run(st, "sealing facts", err);
    sqlite3_finalize(st);
    return rc;
}

/* Does any fact of the two records differ? */
static int differs(struct ledger *l, int64_t was, int64_t is, struct err *err)
{
    int64_t count = 0;
    sqlite3_stmt *st;
    int rc = sql_prepare(l->db,
                         "SELECT EXISTS (SELECT " SEALED_COLUMNS " FROM sealed_fact WHERE seal = ?1 "
                         "EXCEPT SELECT " SEALED_COLUMNS " FROM sealed_fact WHERE seal = ?2) OR "
                         "EXISTS (SELECT " SEALED_COLUMNS " FROM sealed_fact WHERE seal = ?2 "
                         "EXCEPT SELECT " SEALED_COLUMNS " FROM sealed_fact WHERE seal = ?1)",
                         &st, err);

    if (rc < 0)
        return rc;
    sql_bind_integer(st, 1, was);
    sql_bind_integer(st, 2, is);
    rc = sql_step(st, "comparing what is sealed", err);
    if (rc > 0)
        count = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    return rc < 0 ? rc : count != 0;
}

/* {"kpi":[ten-thousandths, gaps]}. Gives. */
static char *coverage_text(const struct ledger *l, struct period period)
{
    struct text_buffer text = { 0 };

    for (size_t k = 0; k < l->rules->kpi_count; k++) {
        struct coverage c = coverage_now(l, k, period);

        text_buffer_addf(&text, "%s\"%s\":[%d,%d]", k > 0 ? "," : "{", l->rules->kpis[k].id,
                         c.share_e4, c.gaps);
    }
    text_buffer_adds(&text, text.length > 0 ? "}" : "{}");
    return text_buffer_take(&text);
}

/* When the waiting item happened, if it says so, else when it was received. */
static int64_t item_at(sqlite3_stmt *row)
{
    const char *at = sql_column_text(row, 2);
    int64_t ret;

    return instant_parse(at, strlen(at), &ret) ? ret : sqlite3_column_int64(row, 1);
}

/* The waiting items that belong to the period: "3,17". Gives. */
static int quarantine_text(struct ledger *l, struct period period, char **ret, struct err *err)
{
    int64_t begin = period_begin(period, &l->rules->zone);
    int64_t end = period_end(period, &l->rules->zone);
    struct text_buffer text = { 0 };
    int64_t listed = 0, more = 0;
    sqlite3_stmt *row;
    int rc = sql_prepare(l->db, "SELECT n, received_at, CASE WHEN json_valid(CAST(raw AS TEXT)) "
                         "THEN json_extract(CAST(raw AS TEXT), '$.at') END FROM quarantine "
                         "WHERE state = 'waiting' ORDER BY n", &row, err);

    if (rc < 0)
        return rc;
    while ((rc = sql_step(row, "reading the quarantine", err)) > 0) {
        int64_t at = item_at(row);

        if (at < begin || at >= end)
            continue;
        if (listed++ < QUARANTINE_LISTED_MAX)
            text_buffer_addf(&text, "%s%lld", text.length > 0 ? "," : "",
                             (long long)sqlite3_column_int64(row, 0));
        else
            more++;
    }
    sqlite3_finalize(row);
    if (more > 0)
        text_buffer_addf(&text, " and %lld more", (long long)more);
    *ret = text_buffer_take(&text);
    return rc;
}

static int digest_facts(struct ledger *l, int64_t seal, struct chain_record *record,
                        struct err *err)
{
    sqlite3_stmt *rows;
    int rc = sql_prepare(l->db, "SELECT * FROM sealed_fact WHERE seal = ?1 "
                         "ORDER BY period, kpi, scope", &rows, err);

    if (rc < 0)
        return rc;
    sql_bind_integer(rows, 1, seal);
    rc = chain_digest_rows(rows, &record->facts, record->facts_digest, err);
    sqlite3_finalize(rows);
    return rc;
}

static int digest_moved(struct ledger *l, int64_t seal, struct chain_record *record,
                        struct err *err)
{
    sqlite3_stmt *rows;
    int rc = sql_prepare(l->db, "SELECT * FROM moved WHERE seal = ?1 "
                         "ORDER BY kpi, kind, subject, period", &rows, err);

    if (rc < 0)
        return rc;
    sql_bind_integer(rows, 1, seal);
    rc = chain_digest_rows(rows, &record->moved, record->moved_digest, err);
    sqlite3_finalize(rows);
    return rc;
}

/* Names what the record covers, and appends it. */
static int append(struct ledger *l, int64_t seal, const struct seal_order *order,
                  int64_t moved, struct err *err)
{
    char period[PERIOD_SIZE], why[64];
    struct chain_record record = { .kind = order->was ? "restated" : "sealed",
                                   .period = period_format(period, order->period),
                                   .revision = order->was ? order->was->revision + 1 : 1,
                                   .at = l->as_of,
                                   .by = order->by,
                                   .why = order->why,
                                   .covers_events = true };
    char *coverage = coverage_text(l, order->period), *quarantine = NULL;
    int rc = quarantine_text(l, order->period, &quarantine, err);

    if (!order->why[0]) {
        snprintf(why, sizeof why, "%lld moved", (long long)moved);
        record.why = why;
    }
    record.coverage = coverage;
    record.quarantine = quarantine;
    if (rc == 0)
        rc = digest_facts(l, seal, &record, err);
    if (rc == 0)
        rc = digest_moved(l, seal, &record, err);
    if (rc == 0)
        rc = chain_append(l, &record, err);
    free(coverage);
    free(quarantine);
    return rc;
}

int seal_write(struct ledger *l, const struct seal_order *order, struct err *err)
{
    struct period periods[PERIODS_MAX];
    size_t count = periods_of(order->period, periods);
    int64_t seal, moved = 0;
    int rc = chain_next(l, &seal, err);

    if (rc == 0)
        rc = copy_all(l, seal, periods, count, err);
    if (rc == 0 && order->was) {
        rc = differs(l, order->was->seal, seal, err);
        if (rc <= 0)
            return rc;
        rc = moved_write(l, seal, order->was, &moved, err);
    }
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = point_at(l, seal, order->was ? order->was->revision + 1 : 1, periods[i], err);
    if (rc == 0)
        rc = append(l, seal, order, moved, err);
    return rc < 0 ? rc : 1;
}

/* --- Afterwards. */

/* Coverage as it was sealed: the same gaps at the same instant. */
static void note_coverage(struct ledger *l, const struct sealed *p)
{
    for (size_t k = 0; l->gaps && k < l->rules->kpi_count; k++)
        seals_note_coverage(l, p->period, k,
                            coverage_of(&l->gaps[k], p->begin_at, p->end_at, p->at));
}

/* Facts that record `is` has and `was` has not, or has otherwise; or those that are `gone`. */
static int publish(struct ledger *l, int64_t is, int64_t was, bool gone, struct err *err)
{
    sqlite3_stmt *row;
    int rc = sql_prepare(
        l->db,
        gone ? "SELECT " FACT_COLUMNS " FROM sealed_fact o WHERE seal = ?2 AND NOT EXISTS (SELECT 1 "
               "FROM sealed_fact n WHERE n.seal = ?1 AND n.period = o.period AND n.kpi = o.kpi "
               "AND n.scope = o.scope)"
             : "SELECT " FACT_COLUMNS " FROM sealed_fact WHERE seal = ?1 EXCEPT "
               "SELECT " FACT_COLUMNS " FROM sealed_fact WHERE seal = ?2",
        &row, err);

    if (rc < 0)
        return rc;
    sql_bind_integer(row, 1, is);
    sql_bind_integer(row, 2, was);
    rc = facts_publish_rows(l, row, gone, err);
    sqlite3_finalize(row);
    return rc;
}

int seals_sealed(struct ledger *l, int64_t was, struct err *err)
{
    struct sealed *p, *next;
    int rc = seals_load(l, err);

    if (rc < 0)
        return rc;
    HASH_ITER (hh, l->seals->periods, p, next) {
        if (p->seal == l->seals->head)
            note_coverage(l, p);
    }
    if (was == 0)
        return 0;
    rc = publish(l, l->seals->head, was, false, err);
    return rc < 0 ? rc : publish(l, l->seals->head, was, true, err);
}
