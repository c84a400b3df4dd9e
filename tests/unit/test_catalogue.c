/* The catalogue: what readers of the file are told of the configuration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "ledger/ledger_private.h"
#include "tests/lib/ledger_fixture.h"

static void store(sqlite3 *db, const struct rules *rules)
{
    struct err err = { 0 };

    if (catalogue_store(db, rules, &err) != 0)
        fail_msg("%s", err.text);
}

/* A plan for installs, and a post with two holders. */
static void configure(struct rules *rules)
{
    struct plan plan = { .year = 2026, .volume = 2400, .weights = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                                                                    1, 1 } };
    struct appraised_post post = { .id = "head", .name_zh = "部长", .name_en = "Head",
                                   .scope = "department:installation" };
    struct post_kpi kpis[] = { { "install_success", 60 }, { "repair_success", 40 } };
    struct holder holders[] = { { "Li", "li", 20454, 20485 }, { "Wang", "", 20485, 0 } };

    rules->kpis[0].plans = mem_alloc(sizeof plan);
    rules->kpis[0].plans[0] = plan;
    rules->kpis[0].plan_count = 1;
    post.kpis = memcpy(mem_alloc(sizeof kpis), kpis, sizeof kpis);
    post.kpi_count = LENGTH(kpis);
    post.holders = memcpy(mem_alloc(sizeof holders), holders, sizeof holders);
    post.holder_count = LENGTH(holders);
    rules->posts = memcpy(mem_alloc(sizeof post), &post, sizeof post);
    rules->post_count = 1;
}

static void test_what_is_told(void **state)
{
    struct ledger_fixture *f = *state;
    sqlite3 *db = ledger_fixture_make(f);

    configure(f->rules);
    store(db, f->rules);
    ledger_fixture_assert_yields(db, "SELECT timezone, grace_ms, restate_horizon_ms, penalty_after, "
                      "seal_requires_e4 FROM week_rule",
                  "Asia/Shanghai|86400000|3024000000|3|");
    ledger_fixture_assert_yields(db, "SELECT kpi, name_zh, department FROM kpi WHERE place = 0",
                  "install_success||installation");
    ledger_fixture_assert_yields(db, "SELECT * FROM target WHERE kpi = 'fault_rate'", "fault_rate||0|9800");
    ledger_fixture_assert_yields(db, "SELECT * FROM post", "head|0|部长|Head|department:installation");
    ledger_fixture_assert_yields(db, "SELECT kpi, weight FROM post_kpi ORDER BY place",
                  "install_success|60;repair_success|40");
    /* 2026-01-01T00:00 and 2026-02-01T00:00 in Shanghai. */
    ledger_fixture_assert_yields(db, "SELECT name, user, begin_at, end_at FROM holder ORDER BY place",
                  "Li|li|1767196800000|1769875200000;Wang||1769875200000|");
    sql_close(db);
}

static void test_calendar(void **state)
{
    struct ledger_fixture *f = *state;
    sqlite3 *db = ledger_fixture_make(f);

    store(db, f->rules);
    ledger_fixture_assert_yields(db, "SELECT period, previous, end_at - begin_at FROM calendar "
                      "WHERE kind = 1 AND begin_at <= 1795147200000 AND end_at > 1795147200000",
                  "2026-W47|2026-W46|604800000");
    ledger_fixture_assert_yields(db, "SELECT previous FROM calendar WHERE period = '2027-W01'", "2026-W53");
    ledger_fixture_assert_yields(db, "SELECT previous FROM calendar WHERE period = '2027-01'", "2026-12");
    ledger_fixture_assert_yields(db, "SELECT count(*) FROM calendar a JOIN calendar b ON a.kind = b.kind "
                      "AND a.previous = b.period WHERE b.end_at != a.begin_at", "0");
    sql_close(db);
}

/* law 6.plans: the parts in the file add up as those of the law do. */
static void test_plans(void **state)
{
    struct ledger_fixture *f = *state;
    sqlite3 *db = ledger_fixture_make(f);

    configure(f->rules);
    store(db, f->rules);
    ledger_fixture_assert_yields(db, "SELECT kind, count(*), sum(planned) FROM plan_part GROUP BY kind",
                  "0|371|2400;1|53|2400;2|12|2400;3|1|2400");
    ledger_fixture_assert_yields(db, "SELECT planned FROM plan_part WHERE period = '2026-W47'", "47");
    ledger_fixture_assert_yields(db, "SELECT count(*) FROM plan_part w WHERE kind = 1 AND planned != (SELECT "
                      "sum(planned) FROM plan_part d WHERE d.kind = 0 AND d.begin_at >= w.begin_at "
                      "AND d.begin_at < w.end_at)", "0");
    sql_close(db);
}

/* Written once, and again when something of it changed: not at every start. */
static void test_written_when_it_differs(void **state)
{
    struct ledger_fixture *f = *state;
    sqlite3 *db = ledger_fixture_make(f);
    int before;

    configure(f->rules);
    store(db, f->rules);
    before = sqlite3_total_changes(db);
    store(db, f->rules);
    assert_int_equal(sqlite3_total_changes(db), before);
    f->rules->posts[0].holders[1].until_day = 20500;
    store(db, f->rules);
    assert_true(sqlite3_total_changes(db) > before);
    ledger_fixture_assert_yields(db, "SELECT count(*) FROM holder WHERE end_at IS NULL", "0");
    sql_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_is_told, ledger_fixture_setup,
                                        ledger_fixture_teardown),
        cmocka_unit_test_setup_teardown(test_calendar, ledger_fixture_setup,
                                        ledger_fixture_teardown),
        cmocka_unit_test_setup_teardown(test_plans, ledger_fixture_setup,
                                        ledger_fixture_teardown),
        cmocka_unit_test_setup_teardown(test_written_when_it_differs, ledger_fixture_setup,
                                        ledger_fixture_teardown),
    };

    return cmocka_run_group_tests_name("catalogue", tests, NULL, NULL);
}
