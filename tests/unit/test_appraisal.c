/* The views of the weekly meeting and of the posts: the law as whoever reads the file sees it.
 *
 * What a streak is has its own definition here, a loop over weeks, against which the view is held
 * for random ledgers, sealed and restated in part. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "ledger/ledger_private.h"
#include "ledger/rebuild.h"
#include "tests/law/random.h"
#include "tests/lib/ledger_fixture.h"

static void must(int rc, const struct err *err)
{
    if (rc < 0)
        fail_msg("%s", err->text);
}

static void execute(sqlite3 *db, const char *sql)
{
    struct err err;

    must(sql_exec(db, sql, &err), &err);
}

static void assert_yields(sqlite3 *db, const char *sql, const char *want)
{
    char *got = ledger_fixture_query(db, sql);

    if (strcmp(got, want) != 0)
        fail_msg("%s\n got:  %s\n want: %s", sql, got, want);
    free(got);
}

/* A ledger with its catalogue, as of NOON in 2026-W47. */
static sqlite3 *make(struct ledger_fixture *f)
{
    sqlite3 *db = ledger_fixture_make(f);
    struct err err;

    must(catalogue_store(db, f->rules, &err), &err);
    must(sql_execf(db, &err, "UPDATE house SET as_of = %lld", (long long)NOON), &err);
    return db;
}

/* The name of the week that is `back` weeks before 2026-W47. */
static char *week_back(char to[PERIOD_SIZE], int back)
{
    return period_format(to, (struct period){ PERIOD_WEEK, 20773 - 7 * back });
}

/* What a fact of a test looks like; only verdict and shortfall matter to weeks. */
#define FACT_OF_WEEK                                                                               \
    "1, begin_at, end_at, 1, 2, 0, 0, 500000, 100000, 900000, 9000, 'at_least', '%s', %d "         \
    "%s FROM calendar WHERE period = '%s'"

static void put_open(sqlite3 *db, const char *week, const char *kpi, const char *scope,
                     const char *verdict, int shortfall)
{
    struct err err;

    must(sql_execf(db, &err, "INSERT INTO fact SELECT '%s', period, '%s', " FACT_OF_WEEK, kpi,
                   scope, verdict, shortfall, "", week), &err);
}

/* Seals a week, or restates it; its facts follow by put_sealed. */
static int put_seal(sqlite3 *db, const char *week, int revision)
{
    struct err err;

    must(sql_execf(db, &err,
                   "INSERT INTO seal (kind, period, revision, at, by, why, position, "
                   "events_digest, config_digest, facts, facts_digest, moved, moved_digest, "
                   "coverage, quarantine, content, previous, digest) "
                   "VALUES ('sealed', '%s', %d, %lld, 'kpid', '', 0, '', '', 0, '', 0, '', "
                   "'', '', '', '', '')",
                   week, revision, (long long)NOON), &err);
    must(sql_execf(db, &err,
                   "INSERT OR REPLACE INTO sealed_period SELECT period, kind, begin_at, end_at, "
                   "%lld, %d, %lld, NULL, NULL FROM calendar WHERE period = '%s'",
                   (long long)sqlite3_last_insert_rowid(db), revision, (long long)NOON, week),
         &err);
    return (int)sqlite3_last_insert_rowid(db);
}

static void put_sealed(sqlite3 *db, int seal, const char *week, const char *kpi, const char *scope,
                       const char *verdict, int shortfall)
{
    struct err err;

    must(sql_execf(db, &err, "INSERT INTO sealed_fact SELECT %d, period, '%s', '%s', "
                   FACT_OF_WEEK, seal, kpi, scope, verdict, shortfall, ", 9000, 2", week), &err);
}

static void put_note(sqlite3 *db, const char *week, const char *content, const char *text,
                     const char *by, int at)
{
    struct err err;

    must(sql_execf(db, &err,
                   "INSERT INTO seal (kind, period, revision, at, by, why, position, "
                   "events_digest, config_digest, facts, facts_digest, moved, moved_digest, "
                   "coverage, quarantine, content, previous, digest) "
                   "VALUES ('noted', '%s', 0, %d, '%s', '%s', 0, '', '', 0, '', 0, '', '', '', "
                   "'%s', '', '')", week, at, by, text, content), &err);
}

static const char *verdict_of(char letter)
{
    switch (letter) {
    case 'm': return "missed";
    case '+': return "met";
    case 'n': return "no_data";
    case 'f': return "too_few";
    default: return "no_target";
    }
}

/* law 6.streak: in words. The last letter is this week; '.' has no fact. */
static void test_streak(void **state)
{
    static const struct {
        const char *what, *weeks, *streaks;
    } cases[] = {
        { "nothing was ever missed", "++++", "0000" },
        { "missed once", "+m++", "0100" },
        { "three in a row", "+mmm", "0123" },
        { "met ends it", "mm+m", "1201" },
        { "a week without data is stepped over", "mnm", "112" },
        { "a week that has no fact, too", "m..m", "1112" },
        { "a week with too few as well", "mmfm", "1223" },
        { "but these add nothing themselves", "nf.n", "0000" },
        { "a week without a target ends it: nobody was asked for anything", "mmtm", "1201" },
        { "the first week of the ledger may be missed", "m", "1" },
        { "a long one", "mmmmmmmmm", "123456789" },
    };
    sqlite3 *db = make(*state);

    for (size_t i = 0; i < LENGTH(cases); i++) {
        int count = (int)strlen(cases[i].weeks);

        print_message("# %s\n", cases[i].what);
        execute(db, "BEGIN; DELETE FROM fact");
        for (int k = 0; k < count; k++) {
            char week[PERIOD_SIZE];

            if (cases[i].weeks[k] == '.')
                continue;
            put_open(db, week_back(week, count - 1 - k), "install_success", "company",
                     verdict_of(cases[i].weeks[k]), 0);
            put_open(db, week, "install_success", "department:other", "missed", 0);
        }
        for (int k = 0; k < count; k++) {
            char *sql, week[PERIOD_SIZE];
            char want[] = { cases[i].streaks[k], '|', cases[i].streaks[k] >= '3' ? '1' : '0', 0 };

            sql = mem_printf("SELECT streak, penalty_due FROM appraisal_week WHERE week = '%s' "
                             "AND kpi = 'install_success' AND scope = 'company'",
                             week_back(week, count - 1 - k));
            assert_yields(db, sql, want);
            free(sql);
        }
        execute(db, "COMMIT");
    }
    sql_close(db);
}

/* law 6.makeup: last week's shortfall, from its latest revision if it is sealed. */
static void test_make_up(void **state)
{
    sqlite3 *db = make(*state);
    static const char sql[] = "SELECT week, shortfall, make_up FROM appraisal_week "
                              "WHERE kpi = 'install_success' AND scope = 'company' ORDER BY week";
    int seal;

    put_open(db, "2026-W45", "install_success", "company", "missed", 4);
    put_open(db, "2026-W46", "install_success", "company", "too_few", 1);
    assert_yields(db, sql, "2026-W45|4|0;2026-W46|1|4;2026-W47|0|1");
    seal = put_seal(db, "2026-W45", 1);
    put_sealed(db, seal, "2026-W45", "install_success", "company", "missed", 3);
    assert_yields(db, sql, "2026-W45|3|0;2026-W46|1|3;2026-W47|0|1");
    seal = put_seal(db, "2026-W45", 2);
    put_sealed(db, seal, "2026-W45", "install_success", "company", "missed", 2);
    assert_yields(db, sql, "2026-W45|2|0;2026-W46|1|2;2026-W47|0|1");
    sql_close(db);
}

/* law 6.explanation: due when missed and none is recorded; of several the last is shown. */
static void test_explanation(void **state)
{
    sqlite3 *db = make(*state);
    static const char sql[] = "SELECT kpi, department, explanation, explanation_text, "
                              "explanation_by, explanation_at FROM appraisal_week "
                              "WHERE week = '2026-W46' AND explanation IS NOT NULL ORDER BY kpi";

    put_open(db, "2026-W46", "install_success", "company", "missed", 1);
    put_open(db, "2026-W46", "install_success", "department:installation", "missed", 1);
    put_open(db, "2026-W46", "repair_success", "department:installation", "met", 0);
    assert_yields(db, sql, "install_success|installation|due|||");
    put_note(db, "2026-W46", "install_success installation", "rain", "li", 10);
    put_note(db, "2026-W45", "install_success installation", "x", "y", 9);
    put_note(db, "2026-W46", "install_success technical", "x", "y", 9);
    put_note(db, "2026-W46", "install_success", "x", "y", 9);
    assert_yields(db, sql, "install_success|installation|given|rain|li|10");
    put_note(db, "2026-W46", "install_success installation", "rain and snow", "wang", 20);
    assert_yields(db, sql, "install_success|installation|given|rain and snow|wang|20");
    sql_close(db);
}

/* Every configured KPI has its line, for the company and its department, whether anything was
 * counted or not; departments that did something have theirs. */
static void test_lines(void **state)
{
    struct ledger_fixture *f = *state;
    sqlite3 *db = make(f);
    int seal;

    assert_yields(db, "SELECT week, count(*), sum(verdict = 'no_data') FROM appraisal_week",
                  "2026-W47|12|12");
    put_open(db, "2026-W45", "install_success", "department:technical", "met", 0);
    put_open(db, "2026-W45", "gone", "department:technical", "met", 0);
    put_open(db, "2026-W45", "gone", "company", "met", 0);
    put_open(db, "2026-W45", "gone", "staff:li", "met", 0);
    assert_yields(db, "SELECT week, count(*) FROM appraisal_week GROUP BY week",
                  "2026-W45|15;2026-W46|12;2026-W47|12");
    seal = put_seal(db, "2026-W46", 1);
    put_sealed(db, seal, "2026-W46", "gone", "company", "met", 0);
    assert_yields(db, "SELECT week, state, revision, count(*) FROM appraisal_week GROUP BY week",
                  "2026-W45|closing|0|15;2026-W46|sealed|1|13;2026-W47|open|0|12");
    put_sealed(db, seal, "2026-W46", "lookup_accuracy", "staff:li", "met", 0);
    /* What has no fact shows the target in force, and the coverage that was sealed. */
    assert_yields(db, "SELECT DISTINCT target FROM appraisal_week WHERE verdict = 'no_data'",
                  "0.98");
    assert_yields(db, "SELECT coverage, gaps FROM appraisal_week WHERE week = '2026-W46' "
                      "AND kpi = 'lookup_accuracy' AND scope = 'company'", "0.9|2");
    execute(db, "UPDATE sealed_period SET pending_at = 5");
    assert_yields(db, "SELECT DISTINCT week FROM appraisal_week WHERE restatement_pending",
                  "2026-W46");
    sql_close(db);
}

/* --- Weeks at random, against a loop */

enum { WEEKS = 60, SCOPES = 3, KPIS = 2 };

struct cell_model {
    char verdict;               /* '.': no fact */
    int shortfall;
};

struct model {
    struct cell_model cells[WEEKS][KPIS][SCOPES];   /* as in force */
};

static const char *const model_kpis[KPIS] = { "install_success", "repair_success" };
static const char *const model_scopes[SCOPES] = { "company", "department:installation",
                                                  "department:other" };

/* law 6.streak, slowly. */
static int oracle_streak(const struct model *m, int week, int kpi, int scope)
{
    int streak = 0;

    for (int w = week; w >= 0; w--) {
        char v = m->cells[w][kpi][scope].verdict;

        if (v == 'm')
            streak++;
        else if (v != '.' && v != 'n' && v != 'f')
            break;
    }
    return streak;
}

static void fill_week(sqlite3 *db, struct random *random, struct model *m, int w)
{
    static const char letters[] = "mmmm+nft.";
    char week[PERIOD_SIZE];
    int revisions = random_chance(random, 50) ? (int)random_below(random, 3) : 0;
    int seal = 0;

    week_back(week, WEEKS - 1 - w);
    /* What the ledger counts now, then what each revision says, the last of which is in force. */
    for (int revision = 0; revision <= revisions; revision++) {
        if (revision)
            seal = put_seal(db, week, revision);
        for (int k = 0; k < KPIS * SCOPES; k++) {
            struct cell_model *cell = &m->cells[w][k / SCOPES][k % SCOPES];

            cell->verdict = letters[random_below(random, (int64_t)strlen(letters))];
            cell->shortfall = cell->verdict == 'm' ? 1 + (int)random_below(random, 9) : 0;
            if (cell->verdict == '.')
                continue;
            if (revision)
                put_sealed(db, seal, week, model_kpis[k / SCOPES], model_scopes[k % SCOPES],
                           verdict_of(cell->verdict), cell->shortfall);
            else
                put_open(db, week, model_kpis[k / SCOPES], model_scopes[k % SCOPES],
                         verdict_of(cell->verdict), cell->shortfall);
        }
    }
}

static void check_cell(sqlite3 *db, const struct model *m, int w, int kpi, int scope)
{
    const struct cell_model *cell = &m->cells[w][kpi][scope];
    char week[PERIOD_SIZE], *sql, *want;
    int streak = oracle_streak(m, w, kpi, scope);

    if (cell->verdict == '.' && scope == 2)
        return;     /* no department of the configuration: no line without a fact */
    sql = mem_printf("SELECT verdict, shortfall, make_up, streak, penalty_due FROM appraisal_week "
                     "WHERE week = '%s' AND kpi = '%s' AND scope = '%s'",
                     week_back(week, WEEKS - 1 - w), model_kpis[kpi], model_scopes[scope]);
    want = mem_printf("%s|%d|%d|%d|%d", cell->verdict == '.' ? "no_data" : verdict_of(cell->verdict),
                      cell->shortfall, w > 0 ? m->cells[w - 1][kpi][scope].shortfall : 0, streak,
                      streak >= 3);
    assert_yields(db, sql, want);
    free(want);
    free(sql);
}

/* law 6.streak, law 6.makeup. */
static void test_random_weeks(void **state)
{
    struct random random = { 47 };
    sqlite3 *db = make(*state);

    for (int round = 0; round < 3; round++) {
        struct model m = { 0 };

        execute(db, "BEGIN; DELETE FROM fact; DELETE FROM sealed_period; DELETE FROM sealed_fact");
        for (int w = 0; w < WEEKS; w++)
            fill_week(db, &random, &m, w);
        execute(db, "COMMIT");
        for (int w = 0; w < WEEKS; w++)
            for (int k = 0; k < KPIS * SCOPES; k++)
                check_cell(db, &m, w, k / SCOPES, k % SCOPES);
    }
    sql_close(db);
}

/* --- Posts */

static void put_counts(sqlite3 *db, const char *period, const char *kpi, const char *direction,
                       int numerator, int denominator, int target_e4)
{
    struct err err;
    char target[16] = "NULL";

    if (target_e4 >= 0)
        (void)snprintf(target, sizeof target, "%d", target_e4);
    must(sql_execf(db, &err,
                   "INSERT INTO fact SELECT '%s', period, 'company', kind, begin_at, end_at, %d, "
                   "%d, 0, 0, 0, 0, 0, %s, '%s', 'met', 0 FROM calendar WHERE period = '%s'",
                   kpi, numerator, denominator, target, direction, period), &err);
}

/* One post over all six, company-wide, with these weights, or none. */
static void configure_post(struct rules *rules, const int32_t *weights)
{
    struct appraised_post post = { .id = "director", .name_zh = "客服主任", .name_en = "Director",
                                   .scope = "company" };

    post.kpis = mem_zalloc(rules->kpi_count * sizeof *post.kpis);
    post.kpi_count = rules->kpi_count;
    for (size_t i = 0; i < rules->kpi_count; i++) {
        memcpy(post.kpis[i].id, rules->kpis[i].id, sizeof post.kpis[i].id);
        post.kpis[i].weight = weights ? weights[i] : 0;
    }
    rules->posts = memcpy(mem_alloc(sizeof post), &post, sizeof post);
    rules->post_count = 1;
}

/* law 6.attainment: in exact integers, capped, to 4 decimals, half up; null, never 0, without
 * data. */
static void test_attainment(void **state)
{
    static const struct {
        const char *what, *direction;
        int numerator, denominator, target_e4;
        const char *want;
    } cases[] = {
        { "98 of 100 against 98 %", "at_least", 98, 100, 9800, "1.0" },
        { "more than asked for is no more than all", "at_least", 100, 100, 9800, "1.0" },
        { "97 of 100 against 98 %", "at_least", 97, 100, 9800, "0.9898" },
        { "nothing done is 0", "at_least", 0, 100, 9800, "0.0" },
        { "no data is null", "at_least", 0, 0, 9800, "" },
        { "no target is null", "at_least", 5, 10, -1, "" },
        { "a target of 0 is always met", "at_least", 0, 10, 0, "1.0" },
        { "1/3 against 2/3: just above a half", "at_least", 1, 3, 6667, "0.5" },
        { "half a ten-thousandth is rounded up", "at_least", 10001, 20000, 10000, "0.5001" },
        { "and less than half is not", "at_least", 100009, 200000, 10000, "0.5" },
        { "missed by a hair rounds to 1", "at_least", 979999, 1000000, 9800, "1.0" },
        { "3 of 100 faulty against at most 3 %", "at_most", 3, 100, 300, "1.0" },
        { "fewer is no more than all", "at_most", 0, 100, 300, "1.0" },
        { "4 of 100 faulty against at most 3 %", "at_most", 4, 100, 300, "0.9897" },
        { "all of them faulty", "at_most", 100, 100, 300, "0.0" },
        { "at most everything is always met", "at_most", 9, 10, 10000, "1.0" },
        { "large counts do not overflow", "at_least", 2000000000, 2147483647, 10000, "0.9313" },
    };
    struct ledger_fixture *f = *state;
    sqlite3 *db;

    configure_post(f->rules, NULL);
    db = make(f);
    for (size_t i = 0; i < LENGTH(cases); i++) {
        print_message("# %s\n", cases[i].what);
        execute(db, "BEGIN; DELETE FROM fact");
        put_counts(db, "2026-W47", "install_success", cases[i].direction, cases[i].numerator,
                   cases[i].denominator, cases[i].target_e4);
        assert_yields(db, "SELECT attainment FROM appraisal_post WHERE period = '2026-W47' "
                          "AND kpi = 'install_success'", cases[i].want);
        execute(db, "COMMIT");
    }
    sql_close(db);
}

/* law 6.attainment, law 6.posts: the weighted one is over what has data, and says what has not. */
static void test_weighted(void **state)
{
    static const int32_t weights[] = { 30, 30, 10, 10, 10, 10 };
    static const char sql[] = "SELECT DISTINCT period, weighted_attainment, missing "
                              "FROM appraisal_post WHERE period LIKE '2026-%' ORDER BY period";
    struct ledger_fixture *f = *state;
    sqlite3 *db;

    configure_post(f->rules, weights);
    db = make(f);
    put_counts(db, "2026-11", "install_success", "at_least", 98, 100, 9800);
    put_counts(db, "2026-W47", "install_success", "at_least", 97, 100, 9800);
    put_counts(db, "2026-W47", "repair_success", "at_least", 98, 100, 9800);
    put_counts(db, "2026-W47", "fault_rate", "at_most", 4, 100, 300);
    put_counts(db, "2026-W47", "lookup_accuracy", "at_least", 0, 0, 9800);
    /* (30 x 0.9898 + 30 x 1 + 10 x 0.9897) / 70 = 0.994157... */
    assert_yields(db, sql,
                  "2026-11|1.0|repair_success,fault_rate,lookup_accuracy,dispatch_success,"
                  "inspection_success;"
                  "2026-W47|0.9942|lookup_accuracy,dispatch_success,inspection_success");
    execute(db, "UPDATE post_kpi SET weight = NULL");
    assert_yields(db, "SELECT count(*) FROM appraisal_post WHERE weighted_attainment IS NOT NULL",
                  "0");
    execute(db, "DELETE FROM fact");
    assert_yields(db, "SELECT count(*), count(attainment), count(weighted_attainment) "
                      "FROM appraisal_post WHERE period = '2026-W47'", "6|0|0");
    sql_close(db);
}

/* law 6.holders: nobody owns a week before their first day. */
static void test_holders(void **state)
{
    static const char sql[] = "SELECT DISTINCT period, holders FROM appraisal_post "
                              "WHERE period_kind = 'week' ORDER BY period";
    static const struct holder holders[] = {
        { .name = "Li", .user = "li", .until_day = 20769 },        /* until Thursday of W46 */
        { .name = "Wang", .from_day = 20769, .until_day = 20773 }, /* until Monday of W47 */
    };
    struct ledger_fixture *f = *state;
    struct appraised_post *post;
    sqlite3 *db;

    configure_post(f->rules, NULL);
    post = &f->rules->posts[0];
    post->holders = memcpy(mem_alloc(sizeof holders), holders, sizeof holders);
    post->holder_count = LENGTH(holders);
    db = make(f);
    put_counts(db, "2026-W45", "install_success", "at_least", 1, 1, 9800);
    assert_yields(db, sql,
                  "2026-W45|Li;2026-W46|Li, Wang;2026-W47|");
    assert_yields(db, "SELECT period, name, user, days FROM appraisal_holder "
                      "WHERE period IN ('2026-W45', '2026-W46', '2026-W47', '2026-11') "
                      "ORDER BY period, place",
                  "2026-11|Li|li|11;2026-11|Wang||4;2026-W45|Li|li|7;2026-W46|Li|li|3;"
                  "2026-W46|Wang||4");
    sql_close(db);
}

/* --- Plans */

/* law 6.plans: "12 more by Sunday". 200 in November are 47 in 2026-W47; it is Friday. */
static void test_pace(void **state)
{
    struct ledger_fixture *f = *state;
    struct kpi *kpi = &f->rules->kpis[0];
    static const char sql[] =
        "SELECT planned, planned_so_far, done, needed, days_left, needed_per_day "
        "FROM appraisal_plan WHERE period = '2026-W47'";
    sqlite3 *db;

    kpi->plans = mem_zalloc(sizeof *kpi->plans);
    kpi->plan_count = 1;
    kpi->plans[0] = (struct plan){ .year = 2026, .volume = 2400 };
    for (size_t i = 0; i < 12; i++)
        kpi->plans[0].weights[i] = 1;
    db = make(f);
    assert_yields(db, sql, "47|35|0|47|3|16");
    put_counts(db, "2026-W47", "install_success", "at_least", 35, 40, 9800);
    assert_yields(db, sql, "47|35|35|12|3|4");
    execute(db, "UPDATE fact SET numerator = 50, denominator = 50");
    assert_yields(db, sql, "47|35|50|0|3|0");
    execute(db, "UPDATE house SET as_of = as_of + 3 * 86400000");
    assert_yields(db, sql, "47|47|50|0|0|");
    assert_yields(db, "SELECT period_kind, planned FROM appraisal_plan "
                      "WHERE period IN ('2026', '2026-11', '2026-11-20') ORDER BY planned",
                  "day|7;month|200;year|2400");
    sql_close(db);
}

/* --- Signs of steering */

static const char signs[] =
    "SELECT scope, tickets, round(excluded_share, 4), amended, amended_by_own, "
    "round(last_tenth_share, 4), same_minute, oldest_pending_ms / 60000 "
    "FROM appraisal_sign WHERE week = '2026-W47' AND kpi = 'dispatch_success' ORDER BY scope";

static void log_order(struct ledger_fixture *f, sqlite3 *db, const char *ticket, int64_t opened_at,
                      int64_t took_ms, const char *outcome)
{
    char *rest = mem_printf("\"type\":\"dispatch.opened\",\"ticket\":\"%s\",\"staff\":\"chen\"",
                            ticket);

    ledger_fixture_log(f, db, opened_at, rest);
    free(rest);
    if (!outcome)
        return;
    rest = mem_printf("\"type\":\"dispatch.settled\",\"ticket\":\"%s\",\"outcome\":\"%s\"", ticket,
                      outcome);
    ledger_fixture_log(f, db, opened_at + took_ms, rest);
    free(rest);
}

static void amend(struct ledger_fixture *f, sqlite3 *db, const char *ticket, const char *by)
{
    struct err err;
    char *rest = mem_printf("\"type\":\"dispatch.amended\",\"ticket\":\"%s\",\"reason\":\"r\","
                            "\"by\":\"%s\",\"site\":\"east\"", ticket, by);

    ledger_fixture_log(f, db, NOON - 2 * HOUR, rest);
    must(sql_execf(db, &err, "INSERT INTO amendment SELECT max(seq), 'dispatch', '%s', at, '%s' "
                   "FROM event", ticket, by), &err);
    free(rest);
}

/* law 6.steering. */
static void test_signs(void **state)
{
    struct ledger_fixture *f = *state;
    struct appraised_post *post;
    struct holder head = { .name = "Zhao", .user = "zhao", .from_day = 20000 };
    struct err err;
    sqlite3 *db;

    configure_post(f->rules, NULL);
    post = &f->rules->posts[0];
    text_set(post->scope, sizeof post->scope, "department:monitoring");
    post->holders = memcpy(mem_alloc(sizeof head), &head, sizeof head);
    post->holder_count = 1;
    db = make(f);
    log_order(f, db, "quick", NOON - DAY, 30000, "success");
    log_order(f, db, "plain", NOON - DAY, 10 * MINUTE, "success");
    log_order(f, db, "just_before", NOON - DAY, 27 * MINUTE, "success");
    log_order(f, db, "nearly", NOON - DAY, 27 * MINUTE - 1, "failure");
    log_order(f, db, "late", NOON - DAY, 40 * MINUTE, "success");       /* expired */
    log_order(f, db, "left_out", NOON - DAY, 5 * MINUTE, "excluded");
    ledger_fixture_log(f, db, NOON - DAY, "\"type\":\"dispatch.settled\",\"ticket\":\"only\","
                                          "\"outcome\":\"success\",\"department\":\"other\"");
    log_order(f, db, "waits", NOON - 10 * MINUTE, 0, NULL);
    log_order(f, db, "waits_longer", NOON - 12 * MINUTE, 0, NULL);
    log_order(f, db, "last_week", NOON - 7 * DAY, 0, "success");
    amend(f, db, "plain", "chen");      /* who has tickets here */
    amend(f, db, "quick", "zhao");      /* the head */
    amend(f, db, "quick", "audit");
    amend(f, db, "left_out", "audit");  /* neither */
    must(rebuild_in_place(db, f->rules, NOON, NULL, NULL, &err), &err);
    /* 1 of 6 excluded; 3 amended, 2 of them by the department; 1 of 5 settled in time was settled
     * in the last three of its thirty minutes. */
    assert_yields(db, signs, "company|9|0.1429|3|2|0.1667|1|12;"
                             "department:monitoring|8|0.1667|3|2|0.2|1|12;"
                             "department:other|1|0.0|0|0|0.0|0|");
    assert_yields(db, "SELECT last_tenth_share IS NULL FROM appraisal_sign "
                      "WHERE kpi = 'install_success' LIMIT 1", "");
    sql_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define WITH_LEDGER(test)                                                                          \
    cmocka_unit_test_setup_teardown(test, ledger_fixture_setup, ledger_fixture_teardown)
        WITH_LEDGER(test_streak),
        WITH_LEDGER(test_make_up),
        WITH_LEDGER(test_explanation),
        WITH_LEDGER(test_lines),
        WITH_LEDGER(test_random_weeks),
        WITH_LEDGER(test_attainment),
        WITH_LEDGER(test_weighted),
        WITH_LEDGER(test_holders),
        WITH_LEDGER(test_pace),
        WITH_LEDGER(test_signs),
    };

    return cmocka_run_group_tests_name("appraisal", tests, NULL, NULL);
}
