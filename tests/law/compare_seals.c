/* What is sealed, held against the oracle:
 *
 *   each record     its facts are those of the log up to its position, at its instant, under the
 *                   rules that were in force
 *   the order       revisions without a gap, weeks by themselves never before their grace is over,
 *                   months once the week of their last day is sealed
 *   the present     the board shows the latest revision; what differs from the log is pending */
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ledger/ledger_private.h"
#include "runner.h"

/* A record that brought facts. */
struct record {
    int64_t n, at, position;
    int32_t revision;
    char period[PERIOD_SIZE], digest[8], by[16];
};

static const struct rules *rules_then(const struct runner *r, const struct record *record)
{
    return r->trial->rules[strcmp(record->digest, "two") == 0];
}

static int64_t count(struct runner *r, const char *sql, int64_t n)
{
    sqlite3_stmt *st = NULL;
    int64_t ret = -1;

    if (sqlite3_prepare_v2(r->ledger->db, sql, -1, &st, NULL) == SQLITE_OK) {
        sqlite3_bind_int64(st, 1, n);
        if (sqlite3_step(st) == SQLITE_ROW)
            ret = sqlite3_column_int64(st, 0);
    }
    sqlite3_finalize(st);
    return ret;
}

/* Is the oracle's fact among the record's, with the same figures? */
static void compare_one(struct runner *r, const struct record *record,
                        const struct oracle_fact *want)
{
    sqlite3_stmt *st = NULL;
    bool same = false;

    sqlite3_prepare_v2(r->ledger->db,
                       "SELECT numerator, denominator, excluded, pending, verdict, shortfall, "
                       "coverage_e4, gaps, coalesce(target_e4, -1) FROM sealed_fact "
                       "WHERE seal = ?1 AND period = ?2 AND kpi = ?3 AND scope = ?4",
                       -1, &st, NULL);
    sqlite3_bind_int64(st, 1, record->n);
    sqlite3_bind_text(st, 2, want->period.name, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 3, want->kpi->id, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 4, want->scope, -1, SQLITE_STATIC);
    if (sqlite3_step(st) == SQLITE_ROW)
        same = sqlite3_column_int64(st, 0) == want->numerator &&
               sqlite3_column_int64(st, 1) == want->denominator &&
               sqlite3_column_int64(st, 2) == want->excluded &&
               sqlite3_column_int64(st, 3) == want->pending &&
               strcmp((const char *)sqlite3_column_text(st, 4), want->verdict) == 0 &&
               sqlite3_column_int64(st, 5) == want->shortfall &&
               sqlite3_column_int64(st, 6) == want->coverage_e4 &&
               sqlite3_column_int64(st, 7) == want->gaps &&
               sqlite3_column_int64(st, 8) == want->target_e4;
    sqlite3_finalize(st);
    if (!same)
        differ(r, "record %lld (%s revision %d): %s %s %s is not sealed as the oracle has it: %lld/%lld",
               (long long)record->n, record->period, record->revision, want->period.name,
               want->kpi->id, want->scope, (long long)want->numerator,
               (long long)want->denominator);
}

/* The record's own period, or a day of its week. */
static bool is_of(const struct record *record, const struct oracle_period *period)
{
    struct period own = { 0 }, is = { 0 };

    if (strcmp(record->period, period->name) == 0)
        return true;
    return period_parse(record->period, &own) && own.kind == PERIOD_WEEK &&
           period_parse(period->name, &is) && is.kind == PERIOD_DAY &&
           period_of_day(PERIOD_WEEK, is.number).number == own.number;
}

static void compare_facts(struct runner *r, const struct record *record)
{
    struct oracle_log then = { .events = r->log.events, .count = (size_t)record->position };
    struct oracle_facts want;
    int64_t found = 0, sealed;

    oracle_facts(&want, &then, rules_then(r, record), record->at);
    for (size_t i = 0; i < want.count && !r->failed; i++)
        if (is_of(record, &want.items[i].period)) {
            found++;
            compare_one(r, record, &want.items[i]);
        }
    oracle_facts_finish(&want);
    sealed = count(r, "SELECT count(*) FROM sealed_fact WHERE seal = ?1", record->n);
    if (!r->failed && sealed != found)
        differ(r, "record %lld (%s revision %d) has %lld facts, the oracle %lld",
               (long long)record->n, record->period, record->revision, (long long)sealed,
               (long long)found);
}

static void check_order(struct runner *r, const struct record *record)
{
    const struct zone *zone = &rules_then(r, record)->zone;
    struct period period = { 0 };
    int64_t before = count(r, "SELECT count(*) FROM seal a JOIN seal b ON a.period = b.period "
                           "WHERE b.n = ?1 AND a.n < b.n", record->n);

    if (before != record->revision - 1)
        differ(r, "record %lld is revision %d of %s, after %lld others", (long long)record->n,
               record->revision, record->period, (long long)before);
    if (!period_parse(record->period, &period) || record->at < period_end(period, zone))
        differ(r, "record %lld: %s was sealed before its end", (long long)record->n,
               record->period);
    if (period.kind == PERIOD_WEEK && record->revision == 1 && strcmp(record->by, "kpid") == 0 &&
        record->at < period_end(period, zone) + rules_then(r, record)->grace_ms)
        differ(r, "record %lld: %s was sealed in its grace", (long long)record->n, record->period);
}

static void read_record(sqlite3_stmt *st, struct record *ret)
{
    *ret = (struct record){ .n = sqlite3_column_int64(st, 0),
                            .at = sqlite3_column_int64(st, 1),
                            .position = sqlite3_column_int64(st, 2),
                            .revision = sqlite3_column_int(st, 3) };
    snprintf(ret->period, sizeof ret->period, "%s", (const char *)sqlite3_column_text(st, 4));
    snprintf(ret->digest, sizeof ret->digest, "%s", (const char *)sqlite3_column_text(st, 5));
    snprintf(ret->by, sizeof ret->by, "%s", (const char *)sqlite3_column_text(st, 6));
}

static const char records_sql[] = "SELECT n, at, position, revision, period, config_digest, by "
                                  "FROM seal WHERE kind IN ('sealed', 'restated') AND n > ?1 "
                                  "ORDER BY n";

/* What moved between a restatement and the revision before it adds up to what differs in the
 * company's facts; a side of a ticket counts if it is within the period. */
static void check_moved(struct runner *r, const struct record *record)
{
    static const char sql[] =
        "WITH f AS MATERIALIZED (SELECT seal, kpi, begin_at, end_at, numerator AS n, "
        "denominator AS d, excluded AS x, pending AS p, scope FROM sealed_fact "
        "WHERE period = ?2 AND seal IN (?1, (SELECT max(n) FROM seal WHERE period = ?2 AND n < ?1))), "
        "was AS (SELECT min(begin_at) AS b, max(end_at) AS e FROM f WHERE seal <> ?1), "
        "now AS (SELECT ?3 AS b, ?4 AS e), "
        "m AS MATERIALIZED (SELECT * FROM moved WHERE seal = ?1 AND period IN ('', ?2)) "
        "SELECT kpi, sum(n), sum(d), sum(x), sum(p) FROM ("
        "SELECT kpi, n, d, x, p FROM f WHERE seal = ?1 AND scope = 'company' "
        "UNION ALL SELECT kpi, -n, -d, -x, -p FROM f WHERE seal <> ?1 AND scope = 'company' "
        "UNION ALL SELECT kpi, -after_numerator, -after_denominator, -after_excluded, "
        "-after_pending FROM m, now WHERE period <> '' OR (after_at >= b AND after_at < e) "
        "UNION ALL SELECT kpi, before_numerator, before_denominator, before_excluded, "
        "before_pending FROM m, was WHERE period <> '' OR (before_at >= b AND before_at < e)) "
        "GROUP BY kpi HAVING sum(n) <> 0 OR sum(d) <> 0 OR sum(x) <> 0 OR sum(p) <> 0";
    const struct zone *zone = &rules_then(r, record)->zone;
    struct period period = { 0 };
    sqlite3_stmt *row = NULL;

    if (record->revision == 1)
        return;
    (void)period_parse(record->period, &period); /* check_order says if not */
    sqlite3_prepare_v2(r->ledger->db, sql, -1, &row, NULL);
    sqlite3_bind_int64(row, 1, record->n);
    sqlite3_bind_text(row, 2, record->period, -1, SQLITE_STATIC);
    sqlite3_bind_int64(row, 3, period_begin(period, zone));
    sqlite3_bind_int64(row, 4, period_end(period, zone));
    if (sqlite3_step(row) == SQLITE_ROW)
        differ(r, "record %lld (%s revision %d): %s differs by %lld/%lld, %lld excluded, %lld "
               "pending from what moved", (long long)record->n, record->period, record->revision,
               sqlite3_column_text(row, 0), (long long)sqlite3_column_int64(row, 1),
               (long long)sqlite3_column_int64(row, 2), (long long)sqlite3_column_int64(row, 3),
               (long long)sqlite3_column_int64(row, 4));
    sqlite3_finalize(row);
}

/* --- The present. */

static void check_pending(struct runner *r)
{
    /* Where no rule changed since, whatever differs came with an event or with time. */
    int64_t silent = count(
        r,
        "SELECT count(*) FROM sealed_period p JOIN seal s ON s.n = p.seal WHERE p.pending_at IS NULL "
        "AND p.kind <> 0 AND NOT EXISTS (SELECT 1 FROM seal c WHERE c.kind = 'configured' "
        "AND c.n > s.n) AND (EXISTS (SELECT kpi, scope, numerator, denominator, excluded, pending "
        "FROM fact WHERE period = p.period EXCEPT SELECT kpi, scope, numerator, denominator, "
        "excluded, pending FROM sealed_fact WHERE seal = p.seal AND period = p.period) "
        "OR EXISTS (SELECT kpi, scope FROM sealed_fact WHERE seal = p.seal AND period = p.period "
        "EXCEPT SELECT kpi, scope FROM fact WHERE period = p.period)) AND ?1 = ?1", 0);

    if (silent != 0)
        differ(r, "%lld sealed periods differ from the log, and nothing is pending",
               (long long)silent);
}

static void check_board(struct runner *r)
{
    const struct publication *now = board_now(r->board);
    sqlite3_stmt *st = NULL;

    sqlite3_prepare_v2(r->ledger->db,
                       "SELECT p.period, s.kpi, s.scope, s.numerator, s.denominator, p.revision, "
                       "p.pending_at IS NOT NULL, s.coverage_e4 FROM sealed_period p "
                       "JOIN sealed_fact s ON s.seal = p.seal AND s.period = p.period",
                       -1, &st, NULL);
    while (!r->failed && sqlite3_step(st) == SQLITE_ROW) {
        const struct kpi *kpi = rules_kpi(now->rules, (const char *)sqlite3_column_text(st, 1));
        const char *scope = (const char *)sqlite3_column_text(st, 2);
        const struct fact *fact;
        struct period period = { 0 };
        struct fact_view view;

        (void)period_parse((const char *)sqlite3_column_text(st, 0), &period);
        if (!kpi || !board_holds(r->board, period))
            continue;
        fact = board_fact(r->board, kpi, period, scope);
        if (!fact) {
            differ(r, "%s %s %s is sealed, and not on the board", sqlite3_column_text(st, 0),
                   kpi->id, scope);
            break;
        }
        view = board_view(r->board, kpi, period, scope, fact, now->as_of);
        if (fact->counts.numerator != sqlite3_column_int64(st, 3) ||
            fact->counts.denominator != sqlite3_column_int64(st, 4) ||
            view.state != FACT_SEALED || view.revision != sqlite3_column_int(st, 5) ||
            view.pending != (sqlite3_column_int(st, 6) != 0) ||
            view.coverage.share_e4 != sqlite3_column_int(st, 7))
            differ(r, "%s %s %s: the board has %lld/%lld %s %d%s %d", sqlite3_column_text(st, 0),
                   kpi->id, scope, (long long)fact->counts.numerator,
                   (long long)fact->counts.denominator, fact_state_name(view.state),
                   view.revision, view.pending ? " pending" : "", view.coverage.share_e4);
    }
    sqlite3_finalize(st);
}

void compare_seals(struct runner *r)
{
    struct record record;
    sqlite3_stmt *st = NULL;

    sqlite3_prepare_v2(r->ledger->db, records_sql, -1, &st, NULL);
    sqlite3_bind_int64(st, 1, r->sealed_checked);
    while (!r->failed && sqlite3_step(st) == SQLITE_ROW) {
        read_record(st, &record);
        check_order(r, &record);
        compare_facts(r, &record);
        check_moved(r, &record);
        r->sealed_checked = record.n;
    }
    sqlite3_finalize(st);
    if (!r->failed)
        check_pending(r);
    if (!r->failed)
        check_board(r);
}
