/* Sealing on a hand-turned clock: what is sealed when, what moves it, and who may. */
#include "base/span.h"
#include "ledger/rebuild.h"
#include "seals_fixture.h"

static const char seals[] = "SELECT kind, period, revision, by FROM seal WHERE period <> '' "
                            "ORDER BY n";

/* law 6.seal: `grace` after its end, with its days, once, and not before. */
static void test_a_week_is_sealed_after_its_grace(void **state)
{
    struct world *w = *state;

    tell(w, MONDAY - 4 * DAY, "\"type\":\"install.settled\",\"ticket\":\"A\","
                              "\"outcome\":\"success\",\"site\":\"o'hara\"");
    assert_shown(w, "install_success", "2026-W47", "open 0 1/1");
    turn(w, MONDAY);
    assert_shown(w, "install_success", "2026-W47", "closing 0 1/1");
    turn(w, MONDAY + DAY - 1);
    assert_shown(w, "install_success", "2026-W47", "closing 0 1/1");
    assert_query(w, seals, "");
    turn(w, MONDAY + DAY);
    assert_shown(w, "install_success", "2026-W47", "sealed 1 1/1");
    assert_shown(w, "install_success", "2026-11-19", "sealed 1 1/1");
    assert_shown(w, "install_success", "2026-11", "open 0 1/1");
    turn(w, MONDAY + 2 * DAY);
    reopen(w);
    assert_shown(w, "install_success", "2026-W47", "sealed 1 1/1");
    assert_query(w, seals, "sealed|2026-W47|1|kpid");
    assert_query(w, "SELECT count(*), min(revision), max(state) FROM appraisal_fact "
                    "WHERE period = '2026-W47'", "3|1|sealed");
}

/* law 6.restatement: what moved is shown as pending, and restated at the next sealing. */
static void test_what_moved_is_restated_at_the_next_sealing(void **state)
{
    struct world *w = *state;

    tell(w, MONDAY - 4 * DAY, "\"type\":\"install.settled\",\"ticket\":\"A\","
                              "\"outcome\":\"success\",\"device\":\"D\"");
    turn(w, MONDAY + DAY);
    tell(w, MONDAY - 3 * DAY, "\"type\":\"install.settled\",\"ticket\":\"B\","
                              "\"outcome\":\"failure\",\"reason\":\"no power\"");
    assert_shown(w, "install_success", "2026-W47", "sealed 1 1/1 pending");
    tell(w, MONDAY + DAY, "\"type\":\"repair.opened\",\"ticket\":\"R\",\"device\":\"D\"");
    assert_query(w, "SELECT numerator, denominator FROM fact WHERE kpi = 'install_success' "
                    "AND period = '2026-W47' AND scope = 'company'", "0|2");
    reopen(w);
    assert_shown(w, "install_success", "2026-W47", "sealed 1 1/1 pending");
    turn(w, MONDAY + 8 * DAY);
    assert_query(w, seals, "sealed|2026-W47|1|kpid;sealed|2026-W48|1|kpid;"
                           "restated|2026-W47|2|kpid");
    assert_shown(w, "install_success", "2026-W47", "sealed 2 0/2");
    assert_query(w, "SELECT kind, subject, before_numerator, before_denominator, before_reason, "
                    "after_numerator, after_denominator, after_reason FROM moved "
                    "ORDER BY subject, period",
                 "install|A|1|1||0|1|rework:R;install|B|0|0||0|1|no power");
    assert_query(w, "SELECT revision, numerator, denominator FROM appraisal_fact_history "
                    "WHERE kpi = 'install_success' AND period = '2026-W47' AND scope = 'company' "
                    "ORDER BY revision", "1|1|1;2|0|2");
    assert_query(w, "SELECT why FROM seal WHERE kind = 'restated'", "2 moved");
}

/* law 6.restatement: older weeks wait for a person who gives a reason. */
static void test_old_weeks_wait_for_a_person(void **state)
{
    struct world *w = *state;

    tell(w, MONDAY - 4 * DAY, "\"type\":\"install.settled\",\"ticket\":\"A\","
                              "\"outcome\":\"success\"");
    for (int day = 0; day <= 36; day++)
        turn(w, MONDAY + day * DAY);
    tell(w, MONDAY - 3 * DAY, "\"type\":\"install.settled\",\"ticket\":\"B\","
                              "\"outcome\":\"failure\"");
    turn(w, MONDAY + 50 * DAY);
    assert_query(w, "SELECT count(*) FROM seal WHERE kind = 'restated'", "0");
    assert_int_equal(by_hand(w, LEDGER_RESTATE, "2026-W48"), -EEXIST);
    assert_int_equal(by_hand(w, LEDGER_RESTATE, "2026-W47"), 0);
    assert_int_equal(by_hand(w, LEDGER_RESTATE, "2026-W47"), -EEXIST);
    assert_string_equal(w->request.err.text, "nothing moved in 2026-W47 since it was sealed");
    /* The month that it moved goes with it; the year was sealed after that. */
    assert_query(w, "SELECT kind, period, revision, by, why FROM seal WHERE kind = 'restated'",
                 "restated|2026-W47|2|chen|because;restated|2026-11|2|chen|because");
}

/* law 6.seal: by hand earlier than its grace, never before its end. */
static void test_by_hand(void **state)
{
    struct world *w = *state;

    tell(w, MONDAY - 4 * DAY, "\"type\":\"install.settled\",\"ticket\":\"A\","
                              "\"outcome\":\"success\"");
    assert_int_equal(by_hand(w, LEDGER_SEAL, "2026-W47"), -EEXIST);
    assert_string_equal(w->request.err.text,
                        "2026-W47 has not ended: no week is sealed before its end");
    turn(w, MONDAY);
    assert_int_equal(by_hand(w, LEDGER_RESTATE, "2026-W47"), -EEXIST);
    assert_int_equal(by_hand(w, LEDGER_SEAL, "2026-W47"), 0);
    assert_shown(w, "install_success", "2026-W47", "sealed 1 1/1");
    assert_int_equal(by_hand(w, LEDGER_SEAL, "2026-W47"), -EEXIST);
    turn(w, MONDAY + 2 * DAY);
    assert_query(w, "SELECT period, by, why FROM seal WHERE kind = 'sealed'",
                 "2026-W47|chen|because");
}

/* A clock that leapt ahead seals nothing once it is set back, and nothing twice. */
static void test_clock_steps(void **state)
{
    struct world *w = *state;

    tell(w, MONDAY - 4 * DAY, "\"type\":\"install.settled\",\"ticket\":\"A\","
                              "\"outcome\":\"success\"");
    turn(w, MONDAY + DAY - 1);
    w->ledger->seals->automatic = false;    /* the leap itself, while nothing is sealed */
    turn(w, MONDAY + 3 * DAY);
    w->ledger->seals->automatic = true;
    turn(w, MONDAY + DAY - 1);
    assert_query(w, seals, "");
    turn(w, MONDAY + DAY);
    turn(w, MONDAY - DAY);
    turn(w, MONDAY + DAY);
    assert_query(w, seals, "sealed|2026-W47|1|kpid");
}

/* What was missed is brought first: nothing is sealed at once after a start. Nor after a leap of
 * the clock ahead: it may be wrong, and be set right, and nothing was sealed before its time. */
static void test_settles_first(void **state)
{
    struct world *w = *state;

    tell(w, MONDAY - 4 * DAY, "\"type\":\"install.settled\",\"ticket\":\"A\","
                              "\"outcome\":\"success\"");
    w->clock.wall_ms = MONDAY + 2 * DAY;
    w->settle_ms = 5000;
    w->leap_wait_ms = 10 * MINUTE;
    reopen(w);
    assert_query(w, seals, "");
    turn(w, MONDAY + 2 * DAY + 4999);
    assert_query(w, seals, "");
    turn(w, MONDAY + 2 * DAY + 5000);
    assert_query(w, seals, "sealed|2026-W47|1|kpid");
    w->clock.wall_ms += 7 * DAY;            /* a leap: the other clock did not go on */
    turn(w, w->clock.wall_ms);
    assert_query(w, seals, "sealed|2026-W47|1|kpid");
    turn(w, w->clock.wall_ms + 10 * MINUTE - 1);
    assert_query(w, seals, "sealed|2026-W47|1|kpid");
    turn(w, w->clock.wall_ms - 7 * DAY);    /* set right: W48 is not over */
    turn(w, w->clock.wall_ms + HOUR);
    assert_query(w, seals, "sealed|2026-W47|1|kpid");
    w->clock.wall_ms += 7 * DAY;            /* again, and this time it stays */
    turn(w, w->clock.wall_ms);
    turn(w, w->clock.wall_ms + 10 * MINUTE);
    assert_query(w, seals, "sealed|2026-W47|1|kpid;sealed|2026-W48|1|kpid");
}

/* History that is brought in has its grace, too. */
static void test_history_has_its_grace(void **state)
{
    struct world *w = *state;

    tell(w, MONDAY - 30 * DAY, "\"type\":\"install.settled\",\"ticket\":\"A\","
                               "\"outcome\":\"success\"");
    turn(w, MONDAY - 3 * DAY - 1);
    tell(w, MONDAY - 29 * DAY, "\"type\":\"install.settled\",\"ticket\":\"B\","
                               "\"outcome\":\"failure\"");
    assert_shown(w, "install_success", "2026-W43", "closing 0 1/2");
    turn(w, MONDAY - 3 * DAY);
    assert_query(w, "SELECT period FROM seal WHERE kind = 'sealed' ORDER BY n",
                 "2026-W43;2026-W44;2026-W45;2026-W46;2026-10");
    assert_shown(w, "install_success", "2026-W43", "sealed 1 1/2");
}

/* law 7.coverage: an outage that becomes known later moves a sealed week; one that is known keeps
 * it from sealing by itself. */
static void test_coverage(void **state)
{
    struct world *w = *state;

    w->fixture->rules->seal_requires_e4 = 9000;
    reopen(w);
    tell(w, MONDAY - 4 * DAY, "\"type\":\"lookup.settled\",\"ticket\":\"A\","
                              "\"outcome\":\"success\"");
    turn(w, MONDAY + DAY);
    assert_shown(w, "lookup_accuracy", "2026-W47", "sealed 1 1/1");
    tell(w, MONDAY - DAY, "\"type\":\"source.lost\",\"input\":\"platform\"");
    assert_shown(w, "lookup_accuracy", "2026-W47", "sealed 1 1/1 pending");
    tell(w, MONDAY + 2 * DAY, "\"type\":\"lookup.settled\",\"ticket\":\"B\","
                              "\"outcome\":\"success\"");
    turn(w, MONDAY + 8 * DAY);      /* nobody watched the second week */
    assert_shown(w, "lookup_accuracy", "2026-W48", "closing 0 1/1");
    assert_int_equal(by_hand(w, LEDGER_SEAL, "2026-W48"), 0);
    assert_shown(w, "lookup_accuracy", "2026-W47", "sealed 2 1/1");
    assert_query(w, "SELECT revision, coverage, gaps FROM appraisal_fact_history "
                    "WHERE period = '2026-W47' AND scope = 'company' ORDER BY revision",
                 "1|1.0|0;2|0.8571|1");
}

/* law 6.restatement: devices that moved are named. */
static void test_devices_move(void **state)
{
    struct world *w = *state;

    tell(w, MONDAY - 5 * DAY, "\"type\":\"device.commissioned\",\"device\":\"D\"");
    tell(w, MONDAY - 5 * DAY, "\"type\":\"device.commissioned\",\"device\":\"E\"");
    turn(w, MONDAY + DAY);
    assert_shown(w, "fault_rate", "2026-W47", "sealed 1 0/2");
    tell(w, MONDAY - 2 * DAY, "\"type\":\"device.faulted\",\"device\":\"D\",\"code\":\"gps\"");
    tell(w, MONDAY - 2 * DAY + HOUR, "\"type\":\"device.recovered\",\"device\":\"D\","
                                     "\"code\":\"gps\"");
    assert_int_equal(by_hand(w, LEDGER_RESTATE, "2026-W47"), 0);
    assert_shown(w, "fault_rate", "2026-W47", "sealed 2 1/2");
    assert_query(w, "SELECT subject, period, before_numerator, before_denominator, "
                    "after_numerator, after_denominator FROM moved ORDER BY period",
                 "D|2026-11-21|0|1|1|1;D|2026-W47|0|1|1|1");
}

/* law 6.restatement: a changed rule counts open periods anew and moves no sealed one. */
static void test_a_rule_moves_nothing_sealed(void **state)
{
    struct world *w = *state;

    tell(w, MONDAY - 4 * DAY, "\"type\":\"dispatch.opened\",\"ticket\":\"A\"");
    tell(w, MONDAY - 4 * DAY + HOUR, "\"type\":\"dispatch.settled\",\"ticket\":\"A\","
                                     "\"outcome\":\"success\"");
    turn(w, MONDAY + DAY);
    assert_shown(w, "dispatch_success", "2026-W47", "sealed 1 0/1");
    w->fixture->rules->kpis[4].expire_after_ms = 2 * HOUR;
    reopen(w);
    assert_shown(w, "dispatch_success", "2026-W47", "sealed 1 0/1");
    assert_shown(w, "dispatch_success", "2026-11", "open 0 1/1");
    assert_int_equal(by_hand(w, LEDGER_RESTATE, "2026-W47"), 0);
    assert_shown(w, "dispatch_success", "2026-W47", "sealed 2 1/1");
    assert_query(w, "SELECT subject, before_reason, after_numerator, cause FROM moved",
                 "A|expired|1|rules");
}

/* What moved back has not moved: nothing is written, and nothing is pending. */
static void test_moved_back(void **state)
{
    struct world *w = *state;

    tell(w, MONDAY - 4 * DAY, "\"type\":\"install.settled\",\"ticket\":\"A\","
                              "\"outcome\":\"success\"");
    turn(w, MONDAY + DAY);
    tell(w, MONDAY + DAY, "\"type\":\"install.amended\",\"ticket\":\"A\",\"by\":\"li\","
                          "\"reason\":\"wrong\",\"outcome\":\"failure\"");
    assert_shown(w, "install_success", "2026-W47", "sealed 1 1/1 pending");
    tell(w, MONDAY + DAY, "\"type\":\"install.amended\",\"ticket\":\"A\",\"by\":\"li\","
                          "\"reason\":\"right\",\"outcome\":\"success\"");
    turn(w, MONDAY + 8 * DAY);
    assert_shown(w, "install_success", "2026-W47", "sealed 1 1/1");
    assert_query(w, "SELECT count(*) FROM sealed_fact WHERE seal NOT IN (SELECT n FROM seal)", "0");
}

/* A seal names what waits in quarantine and belongs to its week. */
static void test_quarantine_is_named(void **state)
{
    static const char *const lines[] = {
        "{\"source\":\"t\",\"id\":\"1\",\"at\":\"2026-11-19T10:00:00+08:00\",\"type\":\"x\"}",
        "{\"source\":\"t\",\"id\":\"2\",\"at\":\"2026-11-24T10:00:00+08:00\",\"type\":\"x\"}",
        "no JSON at all",
    };
    struct world *w = *state;

    for (size_t i = 0; i < LENGTH(lines); i++) {
        w->line = (struct ledger_line){ .json = lines[i], .length = strlen(lines[i]),
                                        .number = (int64_t)i + 1 };
        assert_false(event_parse(lines[i], w->line.length, w->fixture->rules, &w->line.event,
                                 &w->line.reject));
        w->request = (struct ledger_request){ .what = LEDGER_EVENTS, .lines = &w->line,
                                              .count = 1, .via = "test" };
        submit(w);
    }
    turn(w, MONDAY);
    assert_int_equal(by_hand(w, LEDGER_SEAL, "2026-W47"), 0);
    assert_query(w, "SELECT quarantine FROM seal WHERE kind = 'sealed'", "1,3");
}

static void rebuild(const struct world *w)
{
    const struct ledger_options options = { .path = w->fixture->path,
                                            .rules = w->fixture->rules,
                                            .digest = "d1",
                                            .by = "test",
                                            .clock = &w->clock.clock };
    struct err err;

    assert_int_equal(ledger_rebuild(&options, false, NULL, &err), 0);
}

/* Counting anew touches nothing that is sealed, and finds what the daemon found. */
static void test_rebuild(void **state)
{
    struct world *w = *state;
    struct err err;
    sqlite3 *db;

    tell(w, MONDAY - 4 * DAY, "\"type\":\"install.settled\",\"ticket\":\"A\","
                              "\"outcome\":\"success\"");
    turn(w, MONDAY + DAY);
    tell(w, MONDAY - 3 * DAY, "\"type\":\"install.settled\",\"ticket\":\"B\","
                              "\"outcome\":\"success\"");
    ledger_close(w->ledger);
    assert_int_equal(rebuild_compare(w->fixture->path, w->fixture->rules, NULL, NULL, stderr, &err),
                     0);
    rebuild(w);
    open_ledger(w);
    assert_shown(w, "install_success", "2026-W47", "sealed 1 1/1 pending");
    assert_shown(w, "install_success", "2026-11", "open 0 2/2");

    /* What a kill left in the log alone moves a sealed week, though a rebuild is who counts it. */
    assert_int_equal(by_hand(w, LEDGER_RESTATE, "2026-W47"), 0);
    ledger_close(w->ledger);
    db = ledger_fixture_make(w->fixture);
    ledger_fixture_log(w->fixture, db, MONDAY - 2 * DAY, "\"type\":\"install.settled\","
                       "\"ticket\":\"C\",\"outcome\":\"failure\"");
    sql_close(db);
    rebuild(w);
    open_ledger(w);
    assert_shown(w, "install_success", "2026-W47", "sealed 2 2/2 pending");
    assert_int_equal(by_hand(w, LEDGER_RESTATE, "2026-W47"), 0);
    assert_query(w, "SELECT subject, before_denominator, after_denominator FROM moved "
                    "WHERE seal = (SELECT max(seal) FROM moved) AND kind = 'install'", "C|0|1");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_week_is_sealed_after_its_grace),
        TEST(test_what_moved_is_restated_at_the_next_sealing),
        TEST(test_old_weeks_wait_for_a_person),
        TEST(test_by_hand),
        TEST(test_clock_steps),
        TEST(test_settles_first),
        TEST(test_history_has_its_grace),
        TEST(test_coverage),
        TEST(test_devices_move),
        TEST(test_a_rule_moves_nothing_sealed),
        TEST(test_moved_back),
        TEST(test_quarantine_is_named),
        TEST(test_rebuild),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
