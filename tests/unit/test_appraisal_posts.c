/* The views of the posts, of volume plans and of signs of steering: the law as whoever reads the
 * file sees it. And that each question about one period is answered from indices. */
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
    db = ledger_fixture_make_catalogued(f);
    for (size_t i = 0; i < LENGTH(cases); i++) {
        print_message("# %s\n", cases[i].what);
        execute(db, "BEGIN; DELETE FROM fact");
        put_counts(db, "2026-W47", "install_success", cases[i].direction, cases[i].numerator,
                   cases[i].denominator, cases[i].target_e4);
        ledger_fixture_assert_yields(db, "SELECT attainment FROM appraisal_post WHERE period = '2026-W47' "
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
    db = ledger_fixture_make_catalogued(f);
    put_counts(db, "2026-11", "install_success", "at_least", 98, 100, 9800);
    put_counts(db, "2026-W47", "install_success", "at_least", 97, 100, 9800);
    put_counts(db, "2026-W47", "repair_success", "at_least", 98, 100, 9800);
    put_counts(db, "2026-W47", "fault_rate", "at_most", 4, 100, 300);
    put_counts(db, "2026-W47", "lookup_accuracy", "at_least", 0, 0, 9800);
    /* (30 x 0.9898 + 30 x 1 + 10 x 0.9897) / 70 = 0.994157... */
    ledger_fixture_assert_yields(db, sql,
                  "2026-11|1.0|repair_success,fault_rate,lookup_accuracy,dispatch_success,"
                  "inspection_success;"
                  "2026-W47|0.9942|lookup_accuracy,dispatch_success,inspection_success");
    execute(db, "UPDATE post_kpi SET weight = NULL");
    ledger_fixture_assert_yields(db, "SELECT count(*) FROM appraisal_post WHERE weighted_attainment IS NOT NULL",
                  "0");
    execute(db, "DELETE FROM fact");
    ledger_fixture_assert_yields(db, "SELECT count(*), count(attainment), count(weighted_attainment) "
                      "FROM appraisal_post WHERE period = '2026-W47'", "6|0|0");
    sql_close(db);
}

/* One KPI of the post, as it was drawn. */
struct drawn {
    int64_t numerator, denominator;
    int64_t target_e4;          /* -1: none */
    bool at_most;
    int64_t weight;
};

static struct drawn draw(struct random *r, int64_t weight)
{
    static const int64_t sizes[] = { 1, 3, 100, 20000, 1000000, INT32_MAX };
    static const int64_t targets[] = { -1, 0, 1, 5000, 6667, 9800, 9999, 10000 };
    struct drawn d = { .at_most = random_chance(r, 50), .weight = weight };

    d.target_e4 = random_chance(r, 60) ? RANDOM_PICK(r, targets) : random_below(r, 10001);
    if (random_chance(r, 15))
        return d;       /* no data */
    d.denominator = RANDOM_PICK(r, sizes);
    if (random_chance(r, 60))
        d.denominator = 1 + random_below(r, d.denominator);
    d.numerator = random_below(r, d.denominator + 1);
    if (d.target_e4 >= 0 && random_chance(r, 60))       /* beside the target */
        d.numerator = d.denominator * d.target_e4 / 10000 + random_below(r, 5) - 2;
    if (d.numerator < 0 || d.numerator > d.denominator)
        d.numerator = d.denominator * random_below(r, 2);
    return d;
}

/* The largest whole number of ten-thousandths that num/den reaches when half of one is added, at
 * most all; sought rather than computed. */
static int64_t in_e4(int64_t num, int64_t den)
{
    int64_t e4 = 0;

    while (e4 < 10000 && num * 20000 >= den * (2 * (e4 + 1) - 1))
        e4++;
    return e4;
}

/* law 6.attainment; -1: null. */
static int64_t attainment_of(const struct drawn *d)
{
    int64_t rate = d->numerator, target = d->target_e4;

    if (d->denominator == 0 || d->target_e4 < 0)
        return -1;
    if (d->at_most) {
        rate = d->denominator - rate;
        target = 10000 - target;
    }
    return in_e4(rate * 10000, d->denominator * target);
}

static int64_t weighted_of(const struct drawn *kpis, size_t count)
{
    int64_t sum = 0, weights = 0;

    for (size_t i = 0; i < count; i++)
        if (attainment_of(&kpis[i]) >= 0) {
            sum += kpis[i].weight * attainment_of(&kpis[i]);
            weights += kpis[i].weight;
        }
    return weights == 0 ? -1 : in_e4(sum, weights * 10000);
}

static void draw_post(struct random *r, sqlite3 *db, const struct rules *rules,
                      struct drawn *kpis)
{
    int64_t left = 100;
    struct err err;

    execute(db, "DELETE FROM fact");
    for (size_t i = 0; i < rules->kpi_count; i++) {
        int64_t weight = i + 1 == rules->kpi_count ? left : random_below(r, left + 1);

        left -= weight;
        kpis[i] = draw(r, weight);
        must(sql_execf(db, &err, "UPDATE post_kpi SET weight = %lld WHERE kpi = '%s'",
                       (long long)weight, rules->kpis[i].id), &err);
        if (kpis[i].denominator > 0 || random_chance(r, 50))    /* else there is no fact at all */
            put_counts(db, "2026-W47", rules->kpis[i].id, kpis[i].at_most ? "at_most" : "at_least",
                       (int)kpis[i].numerator, (int)kpis[i].denominator, (int)kpis[i].target_e4);
    }
}

/* law 6.attainment, against a count by hand: any rates, targets, directions and weights. */
static void test_random_attainments(void **state)
{
    struct random r = { .state = 20261126 };
    struct ledger_fixture *f = *state;
    const struct rules *rules = f->rules;
    struct drawn *kpis = mem_zalloc(rules->kpi_count * sizeof *kpis);
    sqlite3 *db;

    configure_post(f->rules, (const int32_t[]){ 30, 30, 10, 10, 10, 10 });
    db = ledger_fixture_make_catalogued(f);
    execute(db, "BEGIN");
    for (int round = 0; round < 300; round++) {
        struct text_buffer want = { 0 };

        draw_post(&r, db, rules, kpis);
        for (size_t i = 0; i < rules->kpi_count; i++) {
            int64_t own = attainment_of(&kpis[i]);

            text_buffer_addf(&want, "%s%s|%lld|%lld|%d", i > 0 ? ";" : "", rules->kpis[i].id,
                             (long long)own, (long long)weighted_of(kpis, rules->kpi_count),
                             own < 0);
        }
        ledger_fixture_assert_yields(
            db, "SELECT kpi, coalesce(CAST(round(attainment * 10000) AS INTEGER), -1), "
            "coalesce(CAST(round(weighted_attainment * 10000) AS INTEGER), -1), "
            "instr(',' || missing || ',', ',' || kpi || ',') > 0 "
            "FROM appraisal_post WHERE period = '2026-W47' ORDER BY place", want.bytes);
        text_buffer_finish(&want);
    }
    execute(db, "COMMIT");
    sql_close(db);
    free(kpis);
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
    db = ledger_fixture_make_catalogued(f);
    put_counts(db, "2026-W45", "install_success", "at_least", 1, 1, 9800);
    ledger_fixture_assert_yields(db, sql,
                  "2026-W45|Li;2026-W46|Li, Wang;2026-W47|");
    ledger_fixture_assert_yields(db, "SELECT period, name, user, days FROM appraisal_holder "
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
    db = ledger_fixture_make_catalogued(f);
    ledger_fixture_assert_yields(db, sql, "47|35|0|47|3|16");
    put_counts(db, "2026-W47", "install_success", "at_least", 35, 40, 9800);
    ledger_fixture_assert_yields(db, sql, "47|35|35|12|3|4");
    execute(db, "UPDATE fact SET numerator = 50, denominator = 50");
    ledger_fixture_assert_yields(db, sql, "47|35|50|0|3|0");
    execute(db, "UPDATE house SET as_of = as_of + 3 * 86400000");
    ledger_fixture_assert_yields(db, sql, "47|47|50|0|0|");
    ledger_fixture_assert_yields(db, "SELECT period_kind, planned FROM appraisal_plan "
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
    db = ledger_fixture_make_catalogued(f);
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
    ledger_fixture_assert_yields(db, signs, "company|9|0.1429|3|2|0.1667|1|12;"
                             "department:monitoring|8|0.1667|3|2|0.2|1|12;"
                             "department:other|1|0.0|0|0|0.0|0|");
    ledger_fixture_assert_yields(db, "SELECT last_tenth_share IS NULL FROM appraisal_sign "
                      "WHERE kpi = 'install_success' LIMIT 1", "");
    sql_close(db);
}

/* --- Indices */

/* A view that reads a table of millions from end to end is of no use to a meeting. */
static void test_indices(void **state)
{
    static const char *const questions[] = {
        "appraisal_week WHERE week = '2026-W47'",
        "appraisal_week WHERE week = '2026-W47' AND department = 'installation' AND kpi = 'x'",
        "appraisal_sign WHERE week = '2026-W47'",
        "appraisal_post WHERE period = '2026-W47'",
        "appraisal_post WHERE period = '2026-11' AND post = 'director'",
        "appraisal_holder WHERE period = '2026-W47'",
        "appraisal_plan WHERE period = '2026-W47'",
    };
    static const char *const large[] = { "fact", "f", "sealed_fact", "s", "x", "y", "ticket", "t",
                                         "event", "amendment", "a", "seal", "n", "plan_part", "q" };
    sqlite3 *db = ledger_fixture_make_catalogued(*state);

    for (size_t i = 0; i < LENGTH(questions); i++) {
        char *sql = mem_printf("EXPLAIN QUERY PLAN SELECT * FROM %s", questions[i]);
        char *plan = ledger_fixture_query(db, sql);

        for (size_t k = 0; k < LENGTH(large); k++) {
            char *scan = mem_printf("|SCAN %s;", large[k]);

            if (strstr(plan, scan))
                fail_msg("%s: %s", questions[i], scan + 1);
            free(scan);
        }
        if (strstr(plan, "ticket_counts"))      /* a week's tickets are read once */
            assert_null(strstr(strstr(plan, "ticket_counts") + 1, "ticket_counts"));
        free(plan);
        free(sql);
    }
    sql_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define WITH_LEDGER(test)                                                                          \
    cmocka_unit_test_setup_teardown(test, ledger_fixture_setup, ledger_fixture_teardown)
        WITH_LEDGER(test_attainment),
        WITH_LEDGER(test_weighted),
        WITH_LEDGER(test_random_attainments),
        WITH_LEDGER(test_holders),
        WITH_LEDGER(test_pace),
        WITH_LEDGER(test_signs),
        WITH_LEDGER(test_indices),
    };

    return cmocka_run_group_tests_name("appraisal_posts", tests, NULL, NULL);
}
