/* Contributions: the table of law 2.contribution, row by row, and when one changes by itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/mem.h"
#include "kpi/contribution.h"
#include "script.h"

#define FOREVER (INT64_MAX - 1)
enum { EVENTS_MAX = 16 };

static const struct kpi plain = { .counts = "install", .rework_window_ms = 1,
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

static void test_table(void **state)
{
    static const struct {
        const char *what, *script;
        const struct kpi *kpi;
        bool accused;
        int64_t as_of;              /* minutes */
        int64_t counts_at;          /* minutes */
        struct counts want;
    } cases[] = {
        { "excluded", "0o 5sx", &plain, false, 60, 5, { .excluded = 1 } },
        { "excluded comes before accused", "0o 5sx", &plain, true, 60, 5, { .excluded = 1 } },
        { "excluded does not expire", "0o 45sx", &half_hour, false, 60, 45, { .excluded = 1 } },
        { "excluded by an amendment after x", "0o 45ax reason=y", &half_hour, false, 60, 30,
          { .excluded = 1 } },
        { "success", "0o 5s+", &plain, false, 60, 5, { .numerator = 1, .denominator = 1 } },
        { "success in time", "0o 30s+", &half_hour, false, 60, 30,
          { .numerator = 1, .denominator = 1 } },
        { "success, accused", "0o 5s+", &plain, true, 60, 5, { .denominator = 1 } },
        { "failure", "0o 5s-", &plain, false, 60, 5, { .denominator = 1 } },
        { "failure in time", "0o 29s-", &half_hour, false, 60, 29, { .denominator = 1 } },
        { "expired", "0o", &half_hour, false, 30, 30, { .denominator = 1 } },
        { "success too late", "0o 31s+", &half_hour, false, 60, 30, { .denominator = 1 } },
        { "failure too late", "0o 31s-", &half_hour, false, 60, 30, { .denominator = 1 } },
        { "late, but corrected", "0o 31s- 40a+ reason=y", &half_hour, false, 60, 31,
          { .numerator = 1, .denominator = 1 } },
        { "corrected after x", "0o 40a+ reason=y", &half_hour, false, 60, 30,
          { .numerator = 1, .denominator = 1 } },
        { "corrected to failure after x", "0o 40a- reason=y", &half_hour, false, 60, 30,
          { .denominator = 1 } },
        { "corrected before x", "0o 20a+ reason=y", &half_hour, false, 60, 20,
          { .numerator = 1, .denominator = 1 } },
        { "pending", "3o", &plain, false, 60, 3, { .pending = 1 } },
        { "pending before x", "3o", &half_hour, false, 32, 3, { .pending = 1 } },
        { "pending again", "3o 5s+ 6r", &plain, false, 60, 3, { .pending = 1 } },
        { "not yet", "70o", &plain, false, 60, -1, { 0 } },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        int64_t as_of = cases[i].as_of * MINUTE;
        struct ticket t = fold(cases[i].script, as_of);
        struct contribution c = contribution_of(&t, cases[i].kpi, cases[i].accused, as_of);

        print_message("# %s: %s\n", cases[i].what, cases[i].script);
        assert_int_equal(c.counts.numerator, cases[i].want.numerator);
        assert_int_equal(c.counts.denominator, cases[i].want.denominator);
        assert_int_equal(c.counts.excluded, cases[i].want.excluded);
        assert_int_equal(c.counts.pending, cases[i].want.pending);
        assert_int_equal(c.counts_at, cases[i].counts_at < 0 ? INSTANT_NONE
                                                             : cases[i].counts_at * MINUTE);
    }
}

static bool same(const struct contribution *a, const struct contribution *b)
{
    return a->counts_at == b->counts_at && a->expired == b->expired &&
           a->counts.numerator == b->counts.numerator &&
           a->counts.denominator == b->counts.denominator &&
           a->counts.excluded == b->counts.excluded && a->counts.pending == b->counts.pending;
}

/* What contribution_due_at promises: until then nothing moves, and then it may. */
static void test_due(void **state)
{
    static const struct {
        const char *what, *script;
        const struct kpi *kpi;
        int64_t as_of, due;         /* minutes; -1: never */
    } cases[] = {
        { "pending: at x", "0o", &half_hour, 10, 30 },
        { "expired: never", "0o", &half_hour, 30, -1 },
        { "without expiry: never", "0o", &plain, 10, -1 },
        { "settled in time: never", "0o 5s+", &half_hour, 10, -1 },
        { "settled at x, not yet so: x", "0o 30s+", &half_hour, 10, 30 },
        { "corrected: never", "0o 5a+ reason=y", &half_hour, 10, -1 },
        { "excluded: never", "0o 5sx", &half_hour, 10, -1 },
        { "an event to come before x", "0o 20s+", &half_hour, 10, 20 },
        { "an event to come after x", "0o 40s+", &half_hour, 10, 30 },
        { "an event to come after expiry", "0o 40a+ reason=y", &half_hour, 35, 40 },
        { "nothing yet", "20o", &half_hour, 10, 20 },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        int64_t as_of = cases[i].as_of * MINUTE;
        struct ticket t = fold(cases[i].script, as_of);
        struct contribution now = contribution_of(&t, cases[i].kpi, false, as_of);
        int64_t due = contribution_due_at(&t, cases[i].kpi, as_of);

        print_message("# %s: %s\n", cases[i].what, cases[i].script);
        assert_int_equal(due, cases[i].due < 0 ? INSTANT_NEVER : cases[i].due * MINUTE);
        int64_t last = due == INSTANT_NEVER ? FOREVER : due - 1;
        struct ticket then = fold(cases[i].script, last);
        struct contribution still = contribution_of(&then, cases[i].kpi, false, last);

        assert_true(same(&now, &still));
        if (due == INSTANT_NEVER)
            continue;
        then = fold(cases[i].script, due);
        still = contribution_of(&then, cases[i].kpi, false, due);
        assert_false(same(&now, &still));
    }
}

static void test_reason(void **state)
{
    char reason[REASON_SIZE];
    struct ticket t = fold("0o 40s- reason=no_fix", 60 * MINUTE);
    struct contribution c = contribution_of(&t, &half_hour, false, 60 * MINUTE);

    (void)state;
    assert_string_equal(contribution_reason(reason, &t, &c, NULL), "expired");
    c = contribution_of(&t, &plain, false, 60 * MINUTE);
    assert_string_equal(contribution_reason(reason, &t, &c, NULL), "no_fix");
    t = fold("0o 5s+ reason=fine", 60 * MINUTE);
    c = contribution_of(&t, &plain, true, 60 * MINUTE);
    assert_true(c.accused);
    assert_string_equal(contribution_reason(reason, &t, &c, "R-7"), "rework:R-7");
    c = contribution_of(&t, &plain, false, 60 * MINUTE);
    assert_string_equal(contribution_reason(reason, &t, &c, NULL), "fine");
}

static void test_counts(void **state)
{
    struct counts sum = { 1, 2, 3, 4 };
    struct counts one = { 1, 1, 0, 2 };

    (void)state;
    counts_add(&sum, &one, -1);
    assert_int_equal(sum.numerator, 0);
    assert_int_equal(sum.denominator, 1);
    assert_int_equal(sum.excluded, 3);
    assert_int_equal(sum.pending, 2);
    assert_false(counts_are_zero(&sum));
    assert_true(counts_are_zero(&(struct counts){ 0 }));
    assert_false(counts_are_zero(&(struct counts){ .pending = -1 }));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_due),
        cmocka_unit_test(test_reason),
        cmocka_unit_test(test_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
