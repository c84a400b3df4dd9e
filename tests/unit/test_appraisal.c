/* The view of the weekly meeting: the law as whoever reads the file sees it.
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
#include "kpi/period.h"
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
    ledger_fixture_assert_yields(db, sql, want);
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
    sqlite3 *db = ledger_fixture_make_catalogued(*state);

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
    sqlite3 *db = ledger_fixture_make_catalogued(*state);
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
    sqlite3 *db = ledger_fixture_make_catalogued(*state);
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
    sqlite3 *db = ledger_fixture_make_catalogued(*state);
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
    sqlite3 *db = ledger_fixture_make_catalogued(*state);

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
    };

    return cmocka_run_group_tests_name("appraisal", tests, NULL, NULL);
}
