/* A sealed revision is explained by the rules of its seal and by the log as it was: what came since
 * to rules, devices and the names in tickets changes nothing of it. The law's random logs say so of
 * everything; here is what they meet seldom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/instant.h"
#include "base/mem.h"
#include "ledger/explain.h"
#include "ledger/ledger_private.h"
#include "ledger/subject.h"
#include "tests/lib/ledger_fixture.h"

#define MONDAY INT64_C(1795363200000)   /* 2026-11-23T00:00+08:00, the end of 2026-W47 */

struct world {
    struct ledger_fixture *fixture;
    struct ledger *ledger;
    struct clock_manual clock;
    struct ledger_line line;
    struct ledger_request request;
    int events;
};

static struct ledger_options options_of(struct world *w)
{
    return (struct ledger_options){ .path = w->fixture->path,
                                    .rules = w->fixture->rules,
                                    .digest = "d1",
                                    .by = "test",
                                    .settings = "the first",
                                    .clock = &w->clock.clock,
                                    .seals = true };
}

static void open_ledger(struct world *w)
{
    struct ledger_options options = options_of(w);
    struct err err;

    if (ledger_open(&w->ledger, &options, &err) < 0)
        fail_msg("%s", err.text);
}

static int set_up(void **state)
{
    struct world *w = mem_zalloc(sizeof *w);
    void *fixture;

    ledger_fixture_setup(&fixture);
    w->fixture = fixture;
    clock_manual_init(&w->clock, MONDAY - HOUR);
    open_ledger(w);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    void *fixture = w->fixture;

    ledger_close(w->ledger);
    free(w);
    return ledger_fixture_teardown(&fixture);
}

static void turn(struct world *w, int64_t at)
{
    w->clock.monotonic_ms += at - w->clock.wall_ms;
    w->clock.wall_ms = at;
    ledger_run(w->ledger);
}

static void on_done(struct ledger_request *request)
{
    (void)request;
}

static void submit(struct world *w)
{
    w->request.done = on_done;
    assert_true(ledger_submit(w->ledger, &w->request));
    ledger_run(w->ledger);
    assert_int_equal(w->request.status, 0);
}

/* An event at an instant; `rest` as ledger_fixture_log has it. */
static void tell(struct world *w, int64_t at, const char *rest)
{
    char when[INSTANT_SIZE];
    char *json = mem_printf("{\"source\":\"test\",\"id\":\"%d\",\"at\":\"%s\",%s}", ++w->events,
                            instant_format(when, at, 8 * 3600), rest);

    w->line = (struct ledger_line){ .json = json, .length = strlen(json), .number = 1 };
    assert_true(event_parse(json, w->line.length, NULL, &w->line.event, &w->line.reject));
    w->request = (struct ledger_request){ .what = LEDGER_EVENTS, .lines = &w->line, .count = 1,
                                          .via = "test" };
    submit(w);
    assert_int_equal(w->line.result, LINE_ACCEPTED);
    free(json);
}

/* --- What the first revision of the week lists: "D 0/1, E 1/1". */

struct listing {
    struct reader *reader;
    struct explained fact;
    struct text_buffer names, shown;
};

static int add_name(void *arg, const char *device)
{
    struct listing *l = arg;

    text_buffer_addf(&l->names, "%s\n", device);
    return 0;
}

static void list_device(struct listing *l, const char *device)
{
    struct device_history history;
    struct counts counts;
    struct attributes is;
    struct err err;

    if (reader_device(l->reader, device, l->fact.rules, l->fact.as_of, &history, &err) != 1)
        return;
    if (explain_device(&l->fact, &history, &counts, &is))
        text_buffer_addf(&l->shown, "%s%s %lld/%lld", l->shown.length > 0 ? ", " : "", device,
                         (long long)counts.numerator, (long long)counts.denominator);
    device_history_finish(&history);
}

static void list_devices(struct listing *l)
{
    char *names, *rest, *name;
    struct err err;

    assert_int_equal(reader_device_names(l->reader, NULL, add_name, l, &err), 0);
    names = rest = text_buffer_take(&l->names);
    while ((name = strsep(&rest, "\n")) != NULL)
        if (name[0])
            list_device(l, name);
    free(names);
}

static void assert_listed(struct world *w, const char *scope, const char *want)
{
    struct listing l = { .fact = { .rules = w->fixture->rules,
                                   .kpi = rules_kpi(w->fixture->rules, "fault_rate"),
                                   .scope = scope } };
    struct period week = { 0 };
    struct revision revision;
    struct fact_row fact;
    int64_t as_of, position;
    struct err err;
    char *shown;

    assert_true(period_parse("2026-W47", &week));
    assert_int_equal(reader_open(&l.reader, w->fixture->path, &err), 0);
    assert_int_equal(reader_begin(l.reader, &as_of, &position, &err), 0);
    assert_int_equal(reader_revision(l.reader, week, 1, &revision, &err), 1);
    reader_look_back(l.reader, &revision);
    assert_int_equal(reader_fact(l.reader, "fault_rate", week, scope, revision.seal, &fact, &err), 1);
    l.fact.as_of = revision.as_of;
    l.fact.begin_at = fact.begin_at;
    l.fact.end_at = fact.end_at;
    list_devices(&l);
    reader_close(l.reader);
    shown = text_buffer_take(&l.shown);
    assert_string_equal(shown, want);
    free(shown);
}

/* A job names a device and its model in the week, and counts in the week after; then the week is
 * sealed. */
static void seal_a_job(struct world *w)
{
    tell(w, MONDAY - 3 * DAY, "\"type\":\"device.commissioned\",\"device\":\"D\"");
    tell(w, MONDAY - DAY, "\"type\":\"install.opened\",\"ticket\":\"J\",\"device\":\"D\","
                          "\"model\":\"m1\"");
    turn(w, MONDAY + HOUR);
    tell(w, MONDAY + HOUR, "\"type\":\"install.settled\",\"ticket\":\"J\",\"outcome\":\"success\"");
    turn(w, MONDAY + DAY);
    assert_listed(w, "model:m1", "D 0/1");
}

/* What it said of the device stays said, though it turns out to be of another. */
static void test_a_job_that_comes_to_name_another_device(void **state)
{
    struct world *w = *state;

    seal_a_job(w);
    tell(w, MONDAY + HOUR + 1, "\"type\":\"install.amended\",\"ticket\":\"J\",\"device\":\"E\","
                               "\"by\":\"li\",\"reason\":\"misread\"");
    assert_listed(w, "model:m1", "D 0/1");
    assert_listed(w, "company", "D 0/1");
}

/* Nothing names the device any more: a counting anew forgets it, the sealed week does not. */
static void test_a_device_that_nothing_names_any_more(void **state)
{
    struct world *w = *state;
    struct ledger_options options = options_of(w);
    struct err err;

    tell(w, MONDAY - 3 * DAY, "\"type\":\"install.settled\",\"ticket\":\"J\",\"device\":\"D\","
                              "\"outcome\":\"success\"");
    turn(w, MONDAY + DAY);
    assert_listed(w, "company", "D 0/1");
    tell(w, MONDAY - 2 * DAY, "\"type\":\"install.amended\",\"ticket\":\"J\",\"device\":\"E\","
                              "\"by\":\"li\",\"reason\":\"misread\"");
    assert_listed(w, "company", "D 0/1");
    ledger_close(w->ledger);
    assert_int_equal(ledger_rebuild(&options, false, NULL, &err), 0);
    open_ledger(w);
    ledger_fixture_assert_yields(w->ledger->db, "SELECT device FROM device", "E");
    assert_listed(w, "company", "D 0/1");
}

/* The same where only a rebuild finds it, in what was logged before a kill and never counted. */
static void test_a_name_that_a_rebuild_finds(void **state)
{
    struct world *w = *state;
    struct ledger_options options = options_of(w);
    sqlite3 *db;
    struct err err;

    seal_a_job(w);
    ledger_close(w->ledger);
    assert_int_equal(sql_open_writer(w->fixture->path, &db, &err), 0);
    w->fixture->events = 100;
    ledger_fixture_log(w->fixture, db, MONDAY + HOUR + 1,
                       "\"type\":\"install.amended\",\"ticket\":\"J\",\"device\":\"E\","
                       "\"by\":\"li\",\"reason\":\"misread\"");
    sql_close(db);
    assert_int_equal(ledger_rebuild(&options, false, NULL, &err), 0);
    open_ledger(w);
    assert_listed(w, "model:m1", "D 0/1");
}

static void change_rules(struct world *w, const char *digest, const char *settings)
{
    w->request = (struct ledger_request){ .what = LEDGER_RULES, .by = "li", .text = "",
                                          .digest = digest, .settings = settings };
    w->request.rules = rules_copy(w->fixture->rules);
    w->request.rules->kpis[2].confirm_after_ms += MINUTE;
    submit(w);
}

static void assert_settings(struct reader *reader, int64_t seal, const char *want)
{
    char *settings = NULL;
    struct err err;

    assert_int_equal(explain_settings(reader, seal, &settings, &err), want != NULL);
    if (want)
        assert_string_equal(settings, want);
    free(settings);
}

/* Each record is explained by the configuration that was in force when it was written. */
static void test_which_rules_a_record_was_counted_by(void **state)
{
    struct world *w = *state;
    struct reader *reader;
    int64_t as_of, position, first;
    struct err err;

    tell(w, MONDAY - 3 * DAY, "\"type\":\"device.commissioned\",\"device\":\"D\"");
    turn(w, MONDAY + DAY);
    first = w->ledger->seals->head;
    change_rules(w, "d2", "the second");
    turn(w, MONDAY + 8 * DAY);
    assert_int_equal(reader_open(&reader, w->fixture->path, &err), 0);
    assert_int_equal(reader_begin(reader, &as_of, &position, &err), 0);
    assert_settings(reader, first, "the first");
    assert_settings(reader, w->ledger->seals->head, "the second");
    assert_settings(reader, w->ledger->seals->head + 1, NULL);
    assert_int_equal(explain_counted_by(reader, w->ledger->rules, &err), 1);
    assert_int_equal(explain_counted_by(reader, w->fixture->rules, &err), 0);
    reader_close(reader);
}

/* The jobs that ever named a device cost what they are, however many others there are. */
static void test_jobs_are_found_by_their_index(void **state)
{
    struct world *w = *state;
    struct subjects subjects;
    struct err err;
    char *sql, *plan;

    assert_int_equal(subjects_init(&subjects, w->ledger->db, SUBJECT_TICKETS_EVER, &err), 0);
    sql = mem_printf("EXPLAIN QUERY PLAN %s", sqlite3_sql(subjects.jobs));
    plan = ledger_fixture_query(w->ledger->db, sql);
    print_message("# %s\n", plan);
    assert_null(strstr(plan, "SCAN ticket"));
    assert_non_null(strstr(plan, "SEARCH ticket USING INDEX ticket_job"));
    assert_non_null(strstr(plan, "SEARCH ticket_was USING COVERING INDEX ticket_was_job"));
    free(plan);
    free(sql);
    subjects_finish(&subjects);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_a_job_that_comes_to_name_another_device),
        TEST(test_a_device_that_nothing_names_any_more),
        TEST(test_a_name_that_a_rebuild_finds),
        TEST(test_which_rules_a_record_was_counted_by),
        TEST(test_jobs_are_found_by_their_index),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
