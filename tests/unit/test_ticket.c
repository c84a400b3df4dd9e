/* Tickets: the fold of law 2, word by word, and the one-event step against the whole fold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "base/mem.h"
#include "kpi/ticket.h"
#include "script.h"

#define FOREVER INT64_MAX
enum { EVENTS_MAX = 16 };

static const struct kpi no_expiry = { .counts = "dispatch", .rework_window_ms = SPAN_NONE,
                                      .expire_after_ms = SPAN_NONE };
static const struct kpi half_hour = { .counts = "dispatch", .rework_window_ms = SPAN_NONE,
                                      .expire_after_ms = 30 * MINUTE };

static struct ticket fold(const char *script, int64_t as_of)
{
    struct event events[EVENTS_MAX];
    struct ticket t;

    ticket_init(&t, "dispatch", "D-1");
    ticket_fold(&t, events, script_read(events, EVENTS_MAX, script, "dispatch", "D-1"), as_of);
    return t;
}

/* A minute, or -1 for none. */
static int64_t minute(int64_t at)
{
    return at == INSTANT_NONE ? -1 : at / MINUTE;
}

static void test_fold(void **state)
{
    static const struct {
        const char *what, *script;
        int64_t opened, settled;        /* minutes; -1: none */
        enum outcome outcome;
        const char *reason;
        bool corrected;
    } cases[] = {
        { "law 2.opened: the first event opens", "7s+", 7, 7, OUTCOME_SUCCESS, "", false },
        { "law 2.opened: unless one says opened", "3s+ 7o", 7, 3, OUTCOME_SUCCESS, "", false },
        { "law 2.opened: the earliest opened", "3r 5o 9o", 5, -1, OUTCOME_NONE, "", false },
        { "law 2.settled: once", "0o 5s- reason=no_fix", 0, 5, OUTCOME_FAILURE, "no_fix", false },
        { "law 2.settled: again, without a reason", "0o 5s- reason=x 6s+", 0, 6, OUTCOME_SUCCESS,
          "", false },
        { "law 2.reopened: reopened", "0o 5s- reason=x 6r", 0, -1, OUTCOME_NONE, "", false },
        { "law 2.reopened: settled after it", "0o 5s- 6r 9s+", 0, 9, OUTCOME_SUCCESS, "", false },
        { "opened again changes no result", "0o 5s+ reason=x 6o", 0, 5, OUTCOME_SUCCESS, "x",
          false },
        { "law 2.amended: the instant stands", "0o 5s- reason=x 9a+ reason=y", 0, 5,
          OUTCOME_SUCCESS, "y", true },
        { "law 2.amended: an open ticket is settled", "0o 9ax reason=y", 0, 9, OUTCOME_EXCLUDED,
          "y", true },
        { "law 2.amended: twice, the first instant", "0o 9a+ reason=y 12a- reason=z", 0, 9,
          OUTCOME_FAILURE, "z", true },
        { "law 2.amended: attributes alone", "0o 5s- reason=x 9a reason=y,site=e", 0, 5,
          OUTCOME_FAILURE, "x", false },
        { "law 2.amended: attributes alone leave a correction", "0o 5s- 9a+ reason=y 12a "
          "reason=z", 0, 5, OUTCOME_SUCCESS, "y", true },
        { "law 2.amended: settled ends the correction", "0o 9a+ reason=y 12s-", 0, 12,
          OUTCOME_FAILURE, "", false },
        { "law 2.amended: reopened ends it", "0o 9a+ reason=y 12r", 0, -1, OUTCOME_NONE, "",
          false },
        { "law 2.amended: nothing but an amendment", "9a+ reason=y", 9, 9, OUTCOME_SUCCESS, "y",
          true },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct ticket t = fold(cases[i].script, FOREVER);

        print_message("# %s: %s\n", cases[i].what, cases[i].script);
        assert_int_equal(minute(t.opened_at), cases[i].opened);
        assert_int_equal(minute(t.settled_at), cases[i].settled);
        assert_int_equal(t.outcome, cases[i].outcome);
        assert_string_equal(t.reason, cases[i].reason);
        assert_int_equal(t.corrected, cases[i].corrected);
        assert_string_equal(t.kind, "dispatch");
        assert_string_equal(t.ticket, "D-1");
        assert_int_equal(t.next_at, INSTANT_NEVER);
    }
}

/* law 2.attributes: every event carrying an attribute replaces that attribute. */
static void test_attributes(void **state)
{
    struct ticket t = fold("0o device=d1,site=s1,department=p1,staff=f1,vehicle=v1,model=m1 "
                           "1r site=s2 2s+ staff=f2 3a reason=x,department=p2 4o model=m2",
                           FOREVER);

    (void)state;
    assert_string_equal(t.is.device, "d1");
    assert_string_equal(t.is.site, "s2");
    assert_string_equal(t.is.department, "p2");
    assert_string_equal(t.is.staff, "f2");
    assert_string_equal(t.is.vehicle, "v1");
    assert_string_equal(t.is.model, "m2");
    assert_int_equal(t.events, 5);
}

/* law 2.as_of: only events with `at` <= as_of take part. */
static void test_as_of(void **state)
{
    static const struct {
        int64_t as_of_ms;
        int32_t events;
        int64_t next_ms;
    } cases[] = {
        { -1, 0, 0 },
        { 0, 1, 5 * MINUTE },
        { 5 * MINUTE - 1, 1, 5 * MINUTE },
        { 5 * MINUTE, 3, 7 * MINUTE },
        { 7 * MINUTE, 4, INSTANT_NEVER },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct ticket t = fold("0o 5s+ 5r 7s-", cases[i].as_of_ms);

        assert_int_equal(t.events, cases[i].events);
        assert_int_equal(t.next_at, cases[i].next_ms);
        assert_int_equal(t.opened_at, cases[i].events == 0 ? INSTANT_NONE : 0);
    }
}

/* law 2.expiry: x, and what does not expire. */
static void test_expiry(void **state)
{
    static const struct {
        const char *what, *script;
        int64_t as_of_ms;
        bool expired;
    } cases[] = {
        { "a millisecond before x", "0o", 30 * MINUTE - 1, false },
        { "at x", "0o", 30 * MINUTE, true },
        { "settled at x is in time", "0o 30s+", 60 * MINUTE, false },
        { "settled after x", "0o 30.1s+", 60 * MINUTE, true },
        { "a failure after x", "0o 31s-", 60 * MINUTE, true },
        { "excluded after x", "0o 31sx", 60 * MINUTE, false },
        { "before the late settling", "0o 31s+", 30 * MINUTE, true },
        { "settled in time, then reopened", "0o 5s+ 6r", 60 * MINUTE, true },
        { "settled in time, reopened, settled late", "0o 5s+ 6r 40s+", 60 * MINUTE, true },
        { "corrected after x", "0o 40a+ reason=y", 60 * MINUTE, false },
        { "before it was corrected", "0o 40a+ reason=y", 39 * MINUTE, true },
        { "corrected though settled late", "0o 35s- 40a+ reason=y", 60 * MINUTE, false },
        { "the correction ended late", "0o 5a+ reason=y 40s+", 60 * MINUTE, true },
        { "the correction ended by reopening", "0o 5a+ reason=y 40r", 60 * MINUTE, true },
        { "counted from `opened`, not from the first event", "0r 10o", 39 * MINUTE, false },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct ticket t = fold(cases[i].script, cases[i].as_of_ms);

        print_message("# %s: %s\n", cases[i].what, cases[i].script);
        assert_int_equal(ticket_expired(&t, &half_hour, cases[i].as_of_ms), cases[i].expired);
        assert_false(ticket_expired(&t, &no_expiry, cases[i].as_of_ms));
    }
}

/* law 2.amended: an open ticket is settled at the event's `at`, or at x if that is earlier. */
static void test_settled_by_amendment(void **state)
{
    static const struct {
        const char *what, *script;
        int64_t expiring, other;        /* minutes */
    } cases[] = {
        { "before x", "0o 20a+ reason=y", 20, 20 },
        { "after x", "0o 40a+ reason=y", 30, 40 },
        { "after x, amended again", "0o 40a+ reason=y 50a- reason=z", 30, 40 },
        { "the amendment of a late settling", "0o 35s- 40a+ reason=y", 35, 35 },
        { "after a reopening", "0o 5s+ 6r 40a+ reason=y", 30, 40 },
        { "settled afterwards", "0o 40a+ reason=y 45s+", 45, 45 },
        { "an earlier `opened` arrives with it", "10r 12o 50a+ reason=y", 42, 50 },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct ticket t = fold(cases[i].script, FOREVER);

        print_message("# %s: %s\n", cases[i].what, cases[i].script);
        assert_int_equal(minute(ticket_settled_at(&t, &half_hour)), cases[i].expiring);
        assert_int_equal(minute(ticket_settled_at(&t, &no_expiry)), cases[i].other);
        assert_int_equal(minute(ticket_settled_at(&t, NULL)), cases[i].other);
    }
}

static void test_apply_refuses(void **state)
{
    struct event late[1];
    struct ticket t = fold("5o 9s+ 20r", 10 * MINUTE);
    struct ticket before = t;

    (void)state;
    script_read(late, 1, "7r", "dispatch", "D-1");
    assert_false(ticket_apply(&t, late, 10 * MINUTE));      /* before the last */
    script_read(late, 1, "9r id=000001", "dispatch", "D-1");
    assert_false(ticket_apply(&t, late, 10 * MINUTE));      /* the last itself */
    script_read(late, 1, "9r id=0", "dispatch", "D-1");
    assert_false(ticket_apply(&t, late, 10 * MINUTE));      /* same instant, lesser id */
    script_read(late, 1, "22r", "dispatch", "D-1");
    assert_false(ticket_apply(&t, late, 25 * MINUTE));      /* the one of minute 20 comes first */
    assert_memory_equal(&t, &before, sizeof t);

    script_read(late, 1, "15r", "dispatch", "D-1");
    assert_true(ticket_apply(&t, late, 10 * MINUTE));       /* only waits */
    assert_int_equal(t.next_at, 15 * MINUTE);
    t.next_at = before.next_at;
    assert_memory_equal(&t, &before, sizeof t);
}

static int by_event_order(const void *a, const void *b)
{
    return event_compare(a, b);
}

/* A random ticket of up to six events within an hour, in random order of arrival. */
static size_t random_events(struct event *events)
{
    static const char *const words[] = { "o", "s+", "s-", "sx", "r", "a+", "a", "ax" };
    size_t count = 1 + (size_t)random() % 6;

    for (size_t i = 0; i < count; i++) {
        char script[64];

        (void)snprintf(script, sizeof script, "%ld%s site=s%ld,reason=r%ld,id=%zu",
                       random() % 60, words[(size_t)random() % LENGTH(words)], random() % 3,
                       random() % 3, i * 5 % 8);        /* not in the order of arrival */
        script_read(&events[i], 1, script, "dispatch", "D-1");
    }
    return count;
}

/* As when it was stored and read again. */
static void forget_last(struct ticket *ticket)
{
    ticket->last_source[0] = ticket->last_id[0] = '\0';
}

/* The one law: however events arrive, applying them one by one (and folding again where apply
 * refuses) ends where the fold of all ends. */
static void test_apply_equals_fold(void **state)
{
    (void)state;
    srandom(20261116);
    for (int round = 0; round < 20000; round++) {
        struct event all[8], seen[8];
        size_t count = random_events(all);
        int64_t as_of = random() % 60 * MINUTE;
        struct ticket stepped, folded;

        ticket_init(&stepped, "dispatch", "D-1");
        ticket_init(&folded, "dispatch", "D-1");
        for (size_t i = 0; i < count; i++) {
            memcpy(&seen[i], &all[i], sizeof all[i]);
            as_of += random() % 3 * MINUTE;
            if (random() % 3 == 0)
                forget_last(&stepped);
            if (!ticket_apply(&stepped, &all[i], as_of) || stepped.next_at <= as_of) {
                qsort(seen, i + 1, sizeof *seen, by_event_order);
                ticket_fold(&stepped, seen, i + 1, as_of);
            }
        }
        if (stepped.next_at <= as_of)
            continue;
        qsort(all, count, sizeof *all, by_event_order);
        ticket_fold(&folded, all, count, as_of);
        assert_int_equal(stepped.opened_at, folded.opened_at);
        assert_int_equal(stepped.settled_at, folded.settled_at);
        assert_int_equal(stepped.settled_by_amendment, folded.settled_by_amendment);
        assert_int_equal(stepped.corrected, folded.corrected);
        assert_int_equal(stepped.has_opened, folded.has_opened);
        assert_int_equal(stepped.outcome, folded.outcome);
        assert_string_equal(stepped.reason, folded.reason);
        assert_string_equal(stepped.is.site, folded.is.site);
        assert_int_equal(stepped.events, folded.events);
        assert_int_equal(stepped.last_at, folded.last_at);
        if (stepped.last_source[0])
            assert_string_equal(stepped.last_id, folded.last_id);
        assert_int_equal(stepped.next_at, folded.next_at);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fold),
        cmocka_unit_test(test_attributes),
        cmocka_unit_test(test_as_of),
        cmocka_unit_test(test_expiry),
        cmocka_unit_test(test_settled_by_amendment),
        cmocka_unit_test(test_apply_refuses),
        cmocka_unit_test(test_apply_equals_fold),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
