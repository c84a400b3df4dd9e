/* Intake: what becomes of lines, when the door is shut and opened again, what is counted; with a
 * ledger that answers when the test says so. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "intake.h"

/* --- The ledger of this test */

enum { ROOM = 64 };
static struct ledger_request *in_ledger[ROOM];
static size_t in_ledger_count;
static bool ledger_refuses;

bool ledger_submit(struct ledger *ledger, struct ledger_request *request)
{
    (void)ledger;
    if (ledger_refuses)
        return false;
    assert_true(in_ledger_count < ROOM);
    in_ledger[in_ledger_count++] = request;
    return true;
}

size_t ledger_queue_length(struct ledger *ledger)
{
    (void)ledger;
    return ledger_refuses ? LEDGER_QUEUE_MAX : 0;
}

/* Answers the oldest: rejects to quarantine, every third of the others a duplicate. */
static void ledger_answers(int status)
{
    struct ledger_request *request = in_ledger[0];
    int well = 0;

    memmove(in_ledger, in_ledger + 1, --in_ledger_count * sizeof in_ledger[0]);
    request->status = status;
    if (status < 0)
        err_set(&request->err, status, "the disk is full");
    request->position = 99;
    for (size_t i = 0; status == 0 && i < request->count; i++) {
        struct ledger_line *line = &request->lines[i];

        if (line->reject.reason[0])
            line->result = LINE_QUARANTINED;
        else
            line->result = ++well % 3 ? LINE_ACCEPTED : LINE_DUPLICATE;
    }
    request->done(request);
}

/* --- The asker of this test */

struct world {
    struct clock_manual clock;
    struct intake *intake;
    struct submission_result result;
    int done, rooms;
    struct submission *again; /* sent once more when there is room */
};

static void on_done(struct submission *s, const struct submission_result *result, void *arg)
{
    struct world *w = arg;

    w->done++;
    w->result = *result;
    submission_destroy(s);
}

static void on_room(void *arg)
{
    struct world *w = arg;

    w->rooms++;
    if (w->again && submission_send(w->again, NULL, NULL, on_done, w))
        w->again = NULL;
}

#define NOW INT64_C(1795147200000)

static int setup(void **state)
{
    static struct world world;

    world = (struct world){ .done = 0 };
    clock_manual_init(&world.clock, NOW);
    world.intake = intake_create(NULL, NULL, &world.clock.clock);
    intake_on_room(world.intake, on_room, &world);
    in_ledger_count = 0;
    ledger_refuses = false;
    *state = &world;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    while (in_ledger_count)
        ledger_answers(0);
    submission_destroy(w->again);
    intake_destroy(w->intake);
    return 0;
}

static void add_event(struct submission *s, int64_t number)
{
    char json[256];
    int length = snprintf(json, sizeof json,
                          "{\"source\":\"t\",\"id\":\"e%lld\",\"type\":\"install.opened\","
                          "\"at\":\"2026-11-20T11:59:58+08:00\",\"ticket\":\"T\"}",
                          (long long)number);

    submission_add(s, json, (size_t)length, number, NULL);
}

static struct submission *events(struct world *w, size_t count, struct intake_counts *counts)
{
    struct submission *s = submission_create(w->intake, "socket:test", counts);

    for (size_t i = 0; i < count; i++)
        add_event(s, (int64_t)i + 1);
    return s;
}

/* --- Tests */

static void test_lines(void **state)
{
    struct world *w = *state;
    struct submission *s = submission_create(w->intake, "socket:test", NULL);
    char refusal[400];

    memset(refusal, 'r', sizeof refusal - 1);
    refusal[sizeof refusal - 1] = '\0';
    add_event(s, 1);
    submission_add(s, "{}", 2, 5, NULL);
    submission_add(s, "a,b", 3, 6, "at: empty");
    submission_add(s, "", 0, 7, refusal);
    assert_int_equal(submission_length(s), 4);

    assert_string_equal(submission_line(s, 0)->reject.reason, "");
    assert_string_equal(submission_line(s, 0)->event.id, "e1");
    assert_int_equal(submission_line(s, 0)->event.at, NOW - 2000);
    assert_string_not_equal(submission_line(s, 1)->reject.reason, "");
    assert_int_equal(submission_line(s, 1)->number, 5);
    assert_string_equal(submission_line(s, 2)->reject.reason, "at: empty");
    assert_memory_equal(submission_line(s, 2)->json, "a,b", 3);
    assert_int_equal(strlen(submission_line(s, 3)->reject.reason),
                     sizeof submission_line(s, 3)->reject.reason - 1);
    submission_destroy(s);
}

/* The bytes of a line stay where they are however many follow. */
static void test_bytes_stay(void **state)
{
    struct world *w = *state;
    struct submission *s = submission_create(w->intake, "x", NULL);
    char *big = mem_alloc(200000), text[16];
    const char *at[BATCH_LINES_MAX];

    memset(big, 'b', 200000);
    for (int i = 0; i < BATCH_LINES_MAX; i++) {
        if (i == 500) {
            submission_add(s, big, 200000, i, "big");
        } else {
            int length = snprintf(text, sizeof text, "line %d", i);

            submission_add(s, text, (size_t)length, i, "small");
        }
        at[i] = submission_line(s, (size_t)i)->json;
    }
    for (int i = 0; i < BATCH_LINES_MAX; i++) {
        const struct ledger_line *line = submission_line(s, (size_t)i);
        int length = snprintf(text, sizeof text, "line %d", i);

        assert_ptr_equal(line->json, at[i]);
        if (i != 500)
            assert_memory_equal(line->json, text, (size_t)length);
    }
    free(big);
    submission_destroy(s);
}

static void test_counts(void **state)
{
    struct world *w = *state;
    struct intake_counts counts = { 0 };
    struct submission *s = events(w, 3, &counts);

    submission_add(s, "?", 1, 4, NULL);
    assert_true(submission_send(s, "feed", "c1", on_done, w));
    assert_string_equal(in_ledger[0]->via, "socket:test");
    assert_string_equal(in_ledger[0]->source, "feed");
    assert_string_equal(in_ledger[0]->cursor, "c1");
    assert_int_equal(in_ledger[0]->what, LEDGER_EVENTS);
    assert_int_equal(w->done, 0);
    assert_int_equal(intake_load(w->intake).lines, 4);
    ledger_answers(0);

    assert_int_equal(w->done, 1);
    assert_int_equal(w->result.status, 0);
    assert_int_equal(w->result.accepted, 2);
    assert_int_equal(w->result.duplicate, 1);
    assert_int_equal(w->result.quarantined, 1);
    assert_int_equal(w->result.position, 99);
    assert_int_equal(counts.accepted, 2);
    assert_int_equal(counts.lag[1], 2); /* two seconds: over one, up to five */
    assert_int_equal(counts.lag_sum_ms, 4000);
    assert_int_equal(counts.last_event_at, NOW - 2000);
    assert_int_equal(intake_load(w->intake).lines, 0);
    assert_int_equal(intake_load(w->intake).bytes, 0);
}

static void test_failure_counts_nothing(void **state)
{
    struct world *w = *state;
    struct intake_counts counts = { 0 };

    assert_true(submission_send(events(w, 3, &counts), NULL, NULL, on_done, w));
    ledger_answers(-ENOSPC);
    assert_int_equal(w->result.status, -ENOSPC);
    assert_string_equal(w->result.err.text, "the disk is full");
    assert_int_equal(w->result.accepted, 0);
    assert_int_equal(counts.accepted, 0);
    assert_int_equal(intake_load(w->intake).lines, 0);
}

static void test_an_event_of_tomorrow_is_not_late(void **state)
{
    struct world *w = *state;
    struct intake_counts counts = { 0 };

    clock_manual_init(&w->clock, NOW - 86400000);
    assert_true(submission_send(events(w, 1, &counts), NULL, NULL, on_done, w));
    ledger_answers(0);
    assert_int_equal(counts.lag[0], 1);
    assert_int_equal(counts.lag_sum_ms, 0);
}

static void test_full_and_room(void **state)
{
    struct world *w = *state;
    size_t sent = 0;

    while (!intake_is_full(w->intake)) {
        assert_true(submission_send(events(w, BATCH_LINES_MAX, NULL), NULL, NULL, on_done, w));
        sent++;
    }
    assert_int_equal(sent, 20);
    w->again = events(w, 1, NULL);
    assert_false(submission_send(w->again, NULL, NULL, on_done, w));
    assert_int_equal(submission_length(w->again), 1); /* still the caller's */

    for (int i = 0; i < 4; i++)
        ledger_answers(0);
    assert_int_equal(w->rooms, 0); /* 16,000 still wait: not yet */
    ledger_answers(0);
    assert_int_equal(w->rooms, 1);
    assert_null(w->again);
    while (in_ledger_count)
        ledger_answers(0);
    assert_int_equal(w->rooms, 1); /* once for each refusal */
    assert_int_equal(w->done, 21);
}

static void test_bytes_are_bounded(void **state)
{
    struct world *w = *state;
    size_t big = 1024 * 1024, sent = 0;
    char *bytes = mem_zalloc(big);

    while (!intake_is_full(w->intake)) {
        struct submission *s = submission_create(w->intake, "x", NULL);

        submission_add(s, bytes, big, 1, "too big");
        assert_true(submission_send(s, NULL, NULL, on_done, w));
        sent++;
    }
    assert_int_equal(sent, 64);
    free(bytes);
}

static void test_ledger_is_full(void **state)
{
    struct world *w = *state;

    assert_true(submission_send(events(w, 1, NULL), NULL, NULL, on_done, w));
    ledger_refuses = true;
    assert_true(intake_is_full(w->intake));
    w->again = events(w, 1, NULL);
    assert_false(submission_send(w->again, NULL, NULL, on_done, w));
    ledger_refuses = false;
    ledger_answers(0);
    assert_int_equal(w->rooms, 1);
    assert_null(w->again);
}

static void test_room_is_told_to_nobody_who_left(void **state)
{
    struct world *w = *state;
    struct submission *s = events(w, 1, NULL);

    intake_off_room(w->intake, on_room, w);
    assert_true(submission_send(events(w, 1, NULL), NULL, NULL, on_done, w));
    ledger_refuses = true;
    assert_false(submission_send(s, NULL, NULL, on_done, w));
    ledger_refuses = false;
    ledger_answers(0);
    assert_int_equal(w->rooms, 0);
    submission_destroy(s);
}

static void test_resubmission(void **state)
{
    struct world *w = *state;
    struct submission *s = events(w, 1, NULL);

    submission_replaces(s, 17, "chen");
    assert_true(submission_send(s, NULL, NULL, on_done, w));
    assert_int_equal(in_ledger[0]->what, LEDGER_RESUBMIT);
    assert_int_equal(in_ledger[0]->n, 17);
    assert_string_equal(in_ledger[0]->by, "chen");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_lines),
        TEST(test_bytes_stay),
        TEST(test_counts),
        TEST(test_failure_counts_nothing),
        TEST(test_an_event_of_tomorrow_is_not_late),
        TEST(test_full_and_room),
        TEST(test_bytes_are_bounded),
        TEST(test_ledger_is_full),
        TEST(test_room_is_told_to_nobody_who_left),
        TEST(test_resubmission),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
