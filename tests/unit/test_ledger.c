/* The ledger's writing half, one group at a time, on a hand-turned clock. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/span.h"
#include "base/text.h"
#include "ledger/ledger.h"

#define NOON INT64_C(1795406400000)     /* 2026-11-23 12:00 in Asia/Shanghai */
#define MINUTE SPAN_MINUTE

static struct kpi kpis[] = {
    { .id = "install_success", .counts = "install", .rework_window_ms = 7 * SPAN_DAY,
      .expire_after_ms = SPAN_NONE, .min_sample = 1 },
    { .id = "repair_success", .counts = "repair", .rework_window_ms = 7 * SPAN_DAY,
      .expire_after_ms = SPAN_NONE, .min_sample = 1 },
    { .id = "dispatch_success", .counts = "dispatch", .rework_window_ms = SPAN_NONE,
      .expire_after_ms = 30 * SPAN_MINUTE, .min_sample = 1 },
    { .id = "fault_rate", .counts = "device", .counts_devices = true,
      .direction = DIRECTION_AT_MOST, .rework_window_ms = SPAN_NONE,
      .expire_after_ms = SPAN_NONE, .confirm_after_ms = 10 * SPAN_MINUTE, .min_sample = 1 },
};

/* One ledger in memory, its clock, and the board's view of today's company facts. */
struct world {
    struct ledger *ledger;
    struct clock_manual clock;
    struct rules rules;
    struct ledger_options options;
    struct ledger_line lines[8];
    struct ledger_request request;
    struct counts today[LENGTH(kpis)];
    int published_rules;
    int completed;
};

static void on_published(void *arg, struct publication *p)
{
    struct world *w = arg;
    struct period today = period_at(PERIOD_DAY, &w->rules.zone, NOON);

    if (p->rules)
        w->published_rules++;
    for (size_t i = 0; i < p->fact_count; i++)
        if (period_compare(p->facts[i].period, today) == 0 &&
            strcmp(p->facts[i].scope, "company") == 0)
            w->today[p->facts[i].kpi] = p->facts[i].fact.counts;
}

static void on_done(struct ledger_request *request)
{
    ((struct world *)request->arg)->completed++;
}

static void open_ledger(struct world *w, const char *path)
{
    struct err err;

    w->options = (struct ledger_options){ .path = path, .rules = &w->rules, .digest = "d1",
                                          .by = "test", .clock = &w->clock.clock };
    assert_int_equal(ledger_open(&w->ledger, &w->options, &err), 0);
    ledger_drain(w->ledger, on_published, w);
}

static int set_up(void **state)
{
    struct world *w = mem_zalloc(sizeof *w);
    struct err err;

    w->rules = (struct rules){ .kpis = kpis, .kpi_count = LENGTH(kpis) };
    assert_int_equal(zone_load(&w->rules.zone, "Asia/Shanghai", &err), 0);
    clock_manual_init(&w->clock, NOON);
    open_ledger(w, ":memory:");
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    ledger_close(w->ledger);
    zone_finish(&w->rules.zone);
    free(w);
    return 0;
}

/* Submits events of which only what differs is written: "type ticket-or-device minute rest". */
static void submit(struct world *w, const char *const *events, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct ledger_line *line = &w->lines[i];

        memset(line, 0, sizeof *line);
        line->json = events[i];
        line->length = strlen(events[i]);
        line->number = (int64_t)i + 1;
        (void)event_parse(line->json, line->length, &w->rules, &line->event, &line->reject);
    }
    w->request = (struct ledger_request){ .what = LEDGER_EVENTS, .lines = w->lines,
                                          .count = count, .via = "test", .done = on_done,
                                          .arg = w };
    assert_true(ledger_submit(w->ledger, &w->request));
    ledger_run(w->ledger);
    ledger_drain(w->ledger, on_published, w);
}

static void pass(struct world *w, int64_t ms)
{
    w->clock.wall_ms += ms;
    w->clock.monotonic_ms += ms;
    ledger_run(w->ledger);
    ledger_drain(w->ledger, on_published, w);
}

static void assert_counts(const struct counts *got, int numerator, int denominator, int pending)
{
    assert_int_equal(got->numerator, numerator);
    assert_int_equal(got->denominator, denominator);
    assert_int_equal(got->pending, pending);
}

#define EVENT(id, type, at, rest) \
    "{\"source\":\"t\",\"id\":\"" id "\",\"type\":\"" type "\",\"at\":\"2026-11-23T" at \
    "+08:00\"," rest "}"

/* law 2.expiry: time alone moves a figure, through the deadline index. */
static void test_expiry(void **state)
{
    struct world *w = *state;
    const char *opened[] = { EVENT("1", "dispatch.opened", "11:59:00", "\"ticket\":\"A\"") };
    const char *late[] = { EVENT("2", "dispatch.settled", "12:20:00",
                                 "\"ticket\":\"A\",\"outcome\":\"success\"") };

    submit(w, opened, 1);
    assert_int_equal(w->lines[0].result, LINE_ACCEPTED);
    assert_counts(&w->today[2], 0, 0, 1);
    pass(w, 29 * MINUTE - 1);
    assert_counts(&w->today[2], 0, 0, 1);
    pass(w, 1);
    assert_counts(&w->today[2], 0, 1, 0);
    submit(w, late, 1);     /* late news of a timely end takes the expiry back */
    assert_counts(&w->today[2], 1, 1, 0);
}

/* law 1.redelivery: a duplicate is ignored, a conflict is put aside and the first stands. */
static void test_redelivery(void **state)
{
    struct world *w = *state;
    const char *events[] = {
        EVENT("1", "dispatch.opened", "11:59:00", "\"ticket\":\"A\""),
        EVENT("1", "dispatch.opened", "11:59:00", "\"ticket\":\"A\""),
        "{\"ticket\":\"A\",\"at\":\"2026-11-23T11:59:00+08:00\",\"type\":\"dispatch.opened\","
        "\"id\":\"1\",\"source\":\"t\"}",
        EVENT("1", "dispatch.opened", "11:58:00", "\"ticket\":\"A\""),
    };

    submit(w, events, 4);
    assert_int_equal(w->lines[0].result, LINE_ACCEPTED);
    assert_int_equal(w->lines[1].result, LINE_DUPLICATE);
    assert_int_equal(w->lines[2].result, LINE_DUPLICATE);
    assert_int_equal(w->lines[3].result, LINE_QUARANTINED);
    assert_non_null(strstr(w->lines[3].reject.reason, "id: "));
    assert_counts(&w->today[2], 0, 0, 1);
    assert_int_equal(w->request.position, 1);
}

/* law 2.rework: a repair accuses the last job on its device; excluded, it takes that back. */
static void test_rework(void **state)
{
    struct world *w = *state;
    const char *job[] = { EVENT("1", "install.settled", "10:00:00",
                                "\"ticket\":\"I\",\"device\":\"d\",\"outcome\":\"success\"") };
    const char *repair[] = { EVENT("2", "repair.opened", "11:00:00",
                                   "\"ticket\":\"R\",\"device\":\"d\"") };
    const char *excluded[] = { EVENT("3", "repair.settled", "11:30:00",
                                     "\"ticket\":\"R\",\"outcome\":\"excluded\"") };

    submit(w, job, 1);
    assert_counts(&w->today[0], 1, 1, 0);
    submit(w, repair, 1);
    assert_counts(&w->today[0], 0, 1, 0);
    assert_counts(&w->today[1], 0, 0, 1);
    submit(w, excluded, 1);
    assert_counts(&w->today[0], 1, 1, 0);
    assert_int_equal(w->today[1].excluded, 1);
}

/* law 3: an install puts the device into service; a fault counts once it is confirmed. */
static void test_devices(void **state)
{
    struct world *w = *state;
    const char *install[] = { EVENT("1", "install.settled", "10:00:00",
                                    "\"ticket\":\"I\",\"device\":\"d\",\"outcome\":\"success\"") };
    const char *fault[] = { EVENT("2", "device.faulted", "11:55:00",
                                  "\"device\":\"d\",\"code\":\"c\"") };

    submit(w, install, 1);
    assert_counts(&w->today[3], 0, 1, 0);
    submit(w, fault, 1);
    assert_counts(&w->today[3], 0, 1, 0);
    pass(w, 5 * MINUTE - 1);
    assert_counts(&w->today[3], 0, 1, 0);
    pass(w, 1);
    assert_counts(&w->today[3], 1, 1, 0);
}

/* What cannot be taken waits in quarantine until it is corrected. */
static void test_quarantine(void **state)
{
    struct world *w = *state;
    const char *bad[] = { EVENT("1", "dispatch.vanished", "11:59:00", "\"ticket\":\"A\"") };
    const char *good[] = { EVENT("1", "dispatch.opened", "11:59:00", "\"ticket\":\"A\"") };
    struct ledger_request resubmit = { .what = LEDGER_RESUBMIT, .n = 1, .by = "chen",
                                       .via = "socket:chen", .lines = w->lines, .count = 1,
                                       .done = on_done, .arg = w };

    submit(w, bad, 1);
    assert_int_equal(w->lines[0].result, LINE_QUARANTINED);
    memset(&w->lines[0], 0, sizeof w->lines[0]);
    w->lines[0].json = good[0];
    w->lines[0].length = strlen(good[0]);
    assert_true(event_parse(good[0], strlen(good[0]), &w->rules, &w->lines[0].event,
                            &w->lines[0].reject));
    assert_true(ledger_submit(w->ledger, &resubmit));
    ledger_run(w->ledger);
    ledger_drain(w->ledger, on_published, w);
    assert_int_equal(resubmit.status, 0);
    assert_counts(&w->today[2], 0, 0, 1);
    assert_true(ledger_submit(w->ledger, &resubmit));     /* it waits no more */
    ledger_run(w->ledger);
    ledger_drain(w->ledger, on_published, w);
    assert_int_equal(resubmit.status, -ENOENT);
}

/* A clock that steps back an hour moves no figure; one that goes on does. */
static void test_clock_steps_back(void **state)
{
    struct world *w = *state;
    const char *opened[] = { EVENT("1", "dispatch.opened", "11:59:00", "\"ticket\":\"A\"") };

    submit(w, opened, 1);
    pass(w, 29 * MINUTE);
    assert_counts(&w->today[2], 0, 1, 0);
    pass(w, -SPAN_HOUR);
    assert_counts(&w->today[2], 0, 1, 0);
    pass(w, 2 * SPAN_HOUR);
    assert_counts(&w->today[2], 0, 1, 0);
}

/* A cursor is what was last committed with its events. */
static void test_cursor(void **state)
{
    struct world *w = *state;
    struct ledger_request r = { .what = LEDGER_EVENTS, .via = "feed", .source = "feed",
                                .cursor = "page 7", .done = on_done, .arg = w };
    char *cursor;

    assert_null(ledger_cursor(w->ledger, "feed"));
    assert_true(ledger_submit(w->ledger, &r));
    ledger_run(w->ledger);
    ledger_drain(w->ledger, on_published, w);
    cursor = ledger_cursor(w->ledger, "feed");
    assert_string_equal(cursor, "page 7");
    free(cursor);
    assert_int_equal(w->completed, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_expiry, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_redelivery, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rework, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_devices, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_quarantine, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_clock_steps_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cursor, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
