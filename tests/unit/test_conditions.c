/* Faults of devices into edges: what lasts is told once, what flaps is not, and nothing is lost
 * while the ledger cannot write. With a ledger that answers when the test says so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conditions.h"
#include "ledger/rebuild.h"
#include "tests/lib/ledger_fixture.h"

enum { ASKED_MAX = 4 };

static struct ledger_request *asked[ASKED_MAX];
static size_t asked_count;
static bool refuses;
static struct text_buffer durable;      /* "faulted D1 silent +0 a;" */
static size_t durable_count;
static char last_id[ID_SIZE], last_json[1024];

bool ledger_submit(struct ledger *ledger, struct ledger_request *request)
{
    (void)ledger;
    if (refuses)
        return false;
    assert_true(asked_count < LENGTH(asked));
    asked[asked_count++] = request;
    return true;
}

size_t ledger_queue_length(struct ledger *ledger)
{
    (void)ledger;
    return 0;
}

static void answer(int status)
{
    struct ledger_request *request = asked[0];

    assert_true(asked_count > 0);
    memmove(asked, asked + 1, --asked_count * sizeof asked[0]);
    request->status = status;
    if (status < 0)
        err_set(&request->err, status, "the disk is full");
    for (size_t i = 0; status == 0 && i < request->count; i++) {
        const struct ledger_line *line = &request->lines[i];
        const struct event *e = &line->event;

        assert_string_equal(line->reject.reason, "");
        assert_string_equal(request->via, e->source);
        text_buffer_addf(&durable, "%s %s %s %+lld %s;", event_verb(e->type), e->device, e->code,
                         (long long)(e->at - NOON), e->source);
        durable_count++;
        snprintf(last_id, sizeof last_id, "%s", e->id);
        snprintf(last_json, sizeof last_json, "%.*s", (int)line->length, line->json);
        request->lines[i].result = LINE_ACCEPTED;
    }
    request->done(request);
}

struct world {
    struct ledger_fixture *files;
    uv_loop_t loop;
    struct clock_manual clock;
    struct intake *intake;
    struct conditions *conditions;
    bool is_stopped;
};

static const struct conf_conditions usual = { .faulted_after_ms = 10000,
                                              .recovered_after_ms = 20000,
                                              .gap_ms = HOUR };

static int set_up(void **state)
{
    struct world *w = mem_zalloc(sizeof *w);
    void *files;

    asked_count = durable_count = 0;
    refuses = false;
    text_buffer_finish(&durable);
    text_buffer_adds(&durable, "");
    ledger_fixture_setup(&files);
    w->files = files;
    clock_manual_init(&w->clock, NOON + DAY);
    assert_int_equal(uv_loop_init(&w->loop), 0);
    w->intake = intake_create(NULL, w->files->rules, &w->clock.clock);
    w->conditions = conditions_create(&w->loop, w->intake, &w->clock.clock, &usual);
    *state = w;
    return 0;
}

static void on_stopped(void *arg)
{
    struct world *w = arg;

    w->is_stopped = true;
}

static void turn(struct world *w)
{
    for (int i = 0; i < 3; i++)
        uv_run(&w->loop, UV_RUN_NOWAIT);
}

static void answer_all(struct world *w)
{
    turn(w);
    while (asked_count > 0) {
        answer(0);
        turn(w);
    }
}

static void stop(struct world *w)
{
    conditions_stop(w->conditions, on_stopped, w);
    answer_all(w);
    assert_true(w->is_stopped);
    conditions_destroy(w->conditions);
}

static int tear_down(void **state)
{
    struct world *w = *state;
    void *files = w->files;

    stop(w);
    intake_destroy(w->intake);
    assert_int_equal(uv_loop_close(&w->loop), 0);
    ledger_fixture_teardown(&files);
    free(w);
    text_buffer_finish(&durable);
    return 0;
}

static void see(struct world *w, const char *device, const char *code, bool active, int64_t at_s)
{
    conditions_take(w->conditions, "a",
                    &(struct condition){ .device = device,
                                         .code = code,
                                         .active = active,
                                         .at = NOON + at_s * 1000 });
}

/* "+0 +5 -7": fault L of D1 seen, or seen to be absent, at so many seconds. */
static void script(struct world *w, const char *text)
{
    char *end;

    for (const char *p = text; *p; p = end + strspn(end, " ")) {
        long at = strtol(p + 1, &end, 10);

        see(w, "D1", "L", *p == '+', at);
    }
}

static void test_what_lasts_counts(void **state)
{
    static const struct {
        const char *what, *seen, *told;
    } cases[] = {
        { "a single message", "+0", "" },
        { "two, but too soon", "+0 +9", "" },
        { "it lasts", "+0 +5 +10", "faulted D1 L +0 a;" },
        { "it lasts, and is told once", "+0 +10 +20 +30", "faulted D1 L +0 a;" },
        { "flapping", "+0 -1 +2 -3 +4 -5 +6 -7 +8 -9 +10 -11 +12", "" },
        { "absent from the beginning", "-0 -60", "" },
        { "it ends", "+0 +10 -30 -40 -50", "faulted D1 L +0 a;recovered D1 L +30000 a;" },
        { "it ends for a moment", "+0 +10 -30 -49 +50 -51 -70", "faulted D1 L +0 a;" },
        { "silence is no end", "+0 +10 +86000", "faulted D1 L +0 a;" },
        { "and again", "+0 +10 -20 -40 +50 +60",
          "faulted D1 L +0 a;recovered D1 L +20000 a;faulted D1 L +50000 a;" },
        { "sightings too far apart are two", "+0 +3601", "" },
        { "and the second begins", "+0 +3601 +3611", "faulted D1 L +3601000 a;" },
        { "rare messages of one state", "+0 +1800", "faulted D1 L +0 a;" },
        { "what is older than the last is not news", "+0 +10 -30 +29 -50",
          "faulted D1 L +0 a;recovered D1 L +30000 a;" },
    };
    struct world *w = *state;

    for (size_t i = 0; i < LENGTH(cases); i++) {
        print_message("# %s\n", cases[i].what);
        script(w, cases[i].seen);
        answer_all(w);
        assert_string_equal(durable.bytes, cases[i].told);
        durable.length = 0;
        text_buffer_adds(&durable, "");
        durable.bytes[0] = '\0';
        stop(w);
        w->is_stopped = false;
        w->conditions = conditions_create(&w->loop, w->intake, &w->clock.clock, &usual);
    }
}

static void test_devices_and_codes_are_apart(void **state)
{
    struct world *w = *state;

    see(w, "D1", "L", true, 0);
    see(w, "D2", "L", true, 0);
    see(w, "D1", "M", true, 0);
    see(w, "D1", "L", false, 5);
    see(w, "D2", "L", true, 10);
    see(w, "D1", "M", true, 11);
    answer_all(w);
    assert_string_equal(durable.bytes, "faulted D2 L +0 a;faulted D1 M +0 a;");
    assert_int_equal(conditions_view(w->conditions).known, 2);
}

/* Healthy devices cost nothing that stays. */
static void test_healthy_are_forgotten(void **state)
{
    struct world *w = *state;
    char device[16];

    for (int i = 0; i < 10000; i++) {
        snprintf(device, sizeof device, "V%d", i);
        see(w, device, "gnss_module", false, 0);
        if (i % 10 == 0) {
            see(w, device, "gnss_module", true, 1);
            see(w, device, "gnss_module", false, 2);
        }
    }
    assert_int_equal(conditions_view(w->conditions).known, 0);
}

static void test_what_an_edge_says(void **state)
{
    struct world *w = *state;
    struct condition seen = { .device = "D1", .code = "led_module", .active = true, .at = NOON,
                              .site = "east", .model = "LED-3", .evidence = "{\"faults\":16}" };

    conditions_take(w->conditions, "lamps", &seen);
    seen.at += 10000;
    conditions_take(w->conditions, "lamps", &seen);
    answer_all(w);
    assert_string_equal(last_json,
                        "{\"source\":\"lamps\",\"id\":\"faulted-D1-led_module-1795147200000\","
                        "\"type\":\"device.faulted\",\"at\":\"2026-11-20T04:00:00.000+00:00\","
                        "\"device\":\"D1\",\"code\":\"led_module\",\"site\":\"east\","
                        "\"model\":\"LED-3\",\"evidence\":{\"faults\":16}}");
}

/* What proves an edge may be wrong; the edge counts. */
static void test_bad_evidence_stays_behind(void **state)
{
    struct world *w = *state;
    struct condition seen = { .device = "D1", .code = "L", .active = true, .at = NOON,
                              .evidence = "{\"cut" };

    conditions_take(w->conditions, "a", &seen);
    seen.at += 10000;
    conditions_take(w->conditions, "a", &seen);
    answer_all(w);
    assert_string_equal(durable.bytes, "faulted D1 L +0 a;");
    assert_null(strstr(last_json, "evidence"));
}

static void test_long_names(void **state)
{
    struct world *w = *state;
    char device[NAME_SIZE], code[NAME_SIZE], first[ID_SIZE];

    memset(device, 'd', NAME_SIZE - 1);
    memset(code, 'c', NAME_SIZE - 1);
    device[NAME_SIZE - 1] = code[NAME_SIZE - 1] = '\0';
    see(w, device, code, true, 0);
    see(w, device, code, true, 10);
    answer_all(w);
    assert_int_equal(durable_count, 1);
    snprintf(first, sizeof first, "%s", last_id);
    code[NAME_SIZE - 2] = 'x';
    see(w, device, code, true, 0);
    see(w, device, code, true, 10);
    answer_all(w);
    assert_int_equal(durable_count, 2);
    assert_string_not_equal(first, last_id);
}

/* A clock of tomorrow must not make the device unheard until then. */
static void test_sightings_from_the_future(void **state)
{
    struct world *w = *state;

    w->clock.wall_ms = NOON;
    see(w, "D1", "L", true, 86400);
    w->clock.wall_ms = NOON + 10000;
    see(w, "D1", "L", true, 10);
    answer_all(w);
    assert_string_equal(durable.bytes, "faulted D1 L +0 a;");
}

static void test_ledger_is_full_or_fails(void **state)
{
    struct world *w = *state;

    refuses = true;
    script(w, "+0 +10 -20 -40");
    turn(w);
    assert_int_equal(conditions_view(w->conditions).waiting, 2);
    refuses = false;
    script(w, "+50 +60");
    assert_int_equal(asked_count, 1);
    answer(-ENOSPC);
    turn(w);
    assert_string_equal(durable.bytes, "");
    conditions_flush(w->conditions);
    answer_all(w);
    assert_string_equal(durable.bytes, "faulted D1 L +0 a;recovered D1 L +20000 a;"
                                       "faulted D1 L +50000 a;");
    assert_int_equal(conditions_view(w->conditions).waiting, 0);
}

/* The queue is bounded, and what finds no room in it keeps its beginning. */
static void test_queue_is_full(void **state)
{
    struct world *w = *state;
    char device[16];

    refuses = true;
    for (int i = 0; i < 20001; i++) {
        snprintf(device, sizeof device, "V%d", i);
        see(w, device, "L", true, 0);
        see(w, device, "L", true, 10);
    }
    assert_int_equal(conditions_view(w->conditions).waiting, 20000);
    see(w, "V20000", "L", true, 20);
    assert_int_equal(conditions_view(w->conditions).waiting, 20000);
    refuses = false;
    conditions_flush(w->conditions);
    answer_all(w);
    assert_int_equal(durable_count, 20000);
    see(w, "V20000", "L", true, 30);
    answer_all(w);
    assert_int_equal(durable_count, 20001);
    assert_non_null(strstr(durable.bytes, "faulted V20000 L +0 a;"));
}

/* Edges of several inputs wait in one queue and go out under each one's name, in order. */
static void test_several_inputs(void **state)
{
    static const char *const inputs[] = { "a", "b", "a" };
    struct world *w = *state;
    char device[16];

    refuses = true;
    for (int i = 0; i < 3; i++) {
        struct condition seen = { .code = "L", .active = true, .at = NOON };

        snprintf(device, sizeof device, "D%d", i);
        seen.device = device;
        conditions_take(w->conditions, inputs[i], &seen);
        seen.at += 10000;
        conditions_take(w->conditions, inputs[i], &seen);
    }
    refuses = false;
    conditions_flush(w->conditions);
    answer_all(w);
    assert_string_equal(durable.bytes, "faulted D0 L +0 a;faulted D1 L +0 b;faulted D2 L +0 a;");
}

/* After a restart: what is active is not told again, and what has ended since is recovered. */
static void test_faults_of_the_ledger(void **state)
{
    struct world *w = *state;
    sqlite3 *db = ledger_fixture_make(w->files);
    struct err err;

    ledger_fixture_log(w->files, db, NOON - DAY,
                       "\"type\":\"device.faulted\",\"device\":\"D1\",\"code\":\"L\"");
    ledger_fixture_log(w->files, db, NOON - DAY,
                       "\"type\":\"device.faulted\",\"device\":\"D2\",\"code\":\"L\"");
    ledger_fixture_log(w->files, db, NOON - HOUR,
                       "\"type\":\"device.recovered\",\"device\":\"D2\",\"code\":\"L\"");
    assert_int_equal(rebuild_in_place(db, w->files->rules, NOON, NULL, NULL, &err), 0);
    sql_close(db);
    assert_int_equal(conditions_load(w->conditions, w->files->path, &err), 0);
    assert_int_equal(conditions_view(w->conditions).known, 1);

    script(w, "+0 +10 +20");
    answer_all(w);
    assert_string_equal(durable.bytes, "");
    see(w, "D1", "L", false, -86401 - 3600);   /* before it began: no news */
    see(w, "D1", "L", false, 30);
    see(w, "D1", "L", false, 50);
    answer_all(w);
    assert_string_equal(durable.bytes, "recovered D1 L +30000 a;");
    assert_int_equal(conditions_view(w->conditions).known, 0);
}

static void test_no_ledger_to_load(void **state)
{
    struct world *w = *state;
    struct err err;

    assert_int_equal(conditions_load(w->conditions, w->files->path, &err), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_lasts_counts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_devices_and_codes_are_apart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_healthy_are_forgotten, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_an_edge_says, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bad_evidence_stays_behind, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_long_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sightings_from_the_future, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ledger_is_full_or_fails, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_queue_is_full, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_several_inputs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_faults_of_the_ledger, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_ledger_to_load, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
