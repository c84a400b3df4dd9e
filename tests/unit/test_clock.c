/* The system's clock runs; the tests' clock stands still until it is turned. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include "base/clock.h"

static void test_manual(void **state)
{
    struct clock_manual clock;

    (void)state;
    clock_manual_init(&clock, 1000);
    assert_int_equal(clock_wall(&clock.clock), 1000);
    assert_int_equal(clock_monotonic(&clock.clock), 0);
    clock.wall_ms -= 500;       /* the wall clock may step back, the other one never does */
    clock.monotonic_ms += 20;
    assert_int_equal(clock_wall(&clock.clock), 500);
    assert_int_equal(clock_monotonic(&clock.clock), 20);
}

static void test_system(void **state)
{
    int64_t before = clock_monotonic(&clock_system);

    (void)state;
    assert_true(clock_wall(&clock_system) > INT64_C(1700000000000));    /* ms, not s */
    assert_true(clock_monotonic(&clock_system) >= before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_manual),
        cmocka_unit_test(test_system),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
