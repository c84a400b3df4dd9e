/* How long to wait: doubling, jitter, cap, what was asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "backoff.h"
#include "base/span.h"
#include <cmocka.h>

static void test_doubles_to_the_cap(void **state)
{
    static const int64_t spans[] = { 1000, 2000, 4000, 8000, 10000, 10000, 10000 };
    struct backoff b;

    (void)state;
    backoff_init(&b, 1000, 10000, "x");
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++)
        assert_in_range((uintmax_t)backoff_next(&b, 0), (uintmax_t)spans[i] / 2,
                        (uintmax_t)spans[i]);
    backoff_reset(&b);
    assert_in_range((uintmax_t)backoff_next(&b, 0), 500, 1000);
}

static void test_never_overflows(void **state)
{
    struct backoff b;

    (void)state;
    backoff_init(&b, 1000, 300000, "x");
    for (int i = 0; i < 100000; i++)
        assert_in_range((uintmax_t)backoff_next(&b, 0), 500, 300000);
}

static void test_asked_for(void **state)
{
    struct backoff b;

    (void)state;
    backoff_init(&b, 1000, 5000, "x");
    for (int i = 0; i < 20; i++)
        assert_in_range((uintmax_t)backoff_next(&b, 60000), 60000, 66000);
    assert_in_range((uintmax_t)backoff_next(&b, 400 * SPAN_DAY), (uintmax_t)SPAN_DAY,
                    (uintmax_t)(SPAN_DAY + SPAN_DAY / 10));
}

/* Those that failed together do not return together. */
static void test_jitter_differs(void **state)
{
    struct backoff a, b;
    int same = 0;

    (void)state;
    backoff_init(&a, 1000, 300000, "orders");
    backoff_init(&b, 1000, 300000, "lookups");
    for (int i = 0; i < 20; i++)
        same += backoff_next(&a, 0) == backoff_next(&b, 0);
    assert_true(same < 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_doubles_to_the_cap),
        cmocka_unit_test(test_never_overflows),
        cmocka_unit_test(test_asked_for),
        cmocka_unit_test(test_jitter_differs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
