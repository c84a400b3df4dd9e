/* Volume plans: law 6.plans. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/mem.h"
#include "kpi/plan.h"
#include "tests/law/random.h"

static const int32_t alike[12] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };

/* law 6.plans: the largest remainder gets what is left over, the earlier of two alike. */
static void test_split(void **state)
{
    static const struct {
        const char *what;
        int64_t whole;
        int32_t weights[4];
        int64_t want[4];
    } cases[] = {
        { "it divides", 8, { 1, 1, 1, 1 }, { 2, 2, 2, 2 } },
        { "what is left goes to the first of those alike", 10, { 1, 1, 1, 1 }, { 3, 3, 2, 2 } },
        { "shares of 1.5, 1.5, 0, 2: the earlier half is rounded up", 5, { 3, 3, 0, 4 },
          { 2, 1, 0, 2 } },
        { "shares of 1.4, 2.8, 2.8: the larger remainders first", 7, { 1, 2, 2, 0 },
          { 1, 3, 3, 0 } },
        { "a weight of 0 gets nothing, whatever is left", 3, { 0, 7, 0, 7 }, { 0, 2, 0, 1 } },
        { "nothing is split into nothing", 0, { 1, 2, 3, 4 }, { 0, 0, 0, 0 } },
        { "the largest numbers that a plan may have", 4294967295, { 1000000, 1000000, 1000000, 1 },
          { 1431655288, 1431655288, 1431655288, 1431 } },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        int64_t got[4];

        print_message("# %s\n", cases[i].what);
        plan_split(cases[i].whole, cases[i].weights, 4, got);
        for (size_t k = 0; k < 4; k++)
            assert_int_equal(got[k], cases[i].want[k]);
    }
}

static int64_t volume(const struct kpi *kpi, const char *text)
{
    struct period period;
    int64_t got = -1;

    assert_true(period_parse(text, &period));
    (void)plan_volume(kpi, period, &got);
    return got;
}

/* law 6.plans: the contract's example, 2400 in a year. */
static void test_example(void **state)
{
    struct plan plan = { .year = 2026, .volume = 2400 };
    struct kpi kpi = { .plans = &plan, .plan_count = 1 };

    (void)state;
    memcpy(plan.weights, alike, sizeof alike);
    assert_int_equal(volume(&kpi, "2026"), 2400);
    assert_int_equal(volume(&kpi, "2026-11"), 200);
    /* 200 over 30 days: the first 20 have 7. */
    assert_int_equal(volume(&kpi, "2026-11-20"), 7);
    assert_int_equal(volume(&kpi, "2026-11-21"), 6);
    assert_int_equal(volume(&kpi, "2026-W47"), 5 * 7 + 2 * 6);
    assert_int_equal(volume(&kpi, "2027"), 0);
    /* Monday 28 to Thursday 31 December; 2027 has no plan. */
    assert_int_equal(volume(&kpi, "2026-W53"), 4 * 6);
}

static void check_period(const struct kpi *kpi, enum period_kind kind, int32_t year)
{
    struct period year_itself = { PERIOD_YEAR, year };
    int32_t first = period_first_day(year_itself), end = period_end_day(year_itself);
    int64_t sum = 0, part;

    for (struct period p = period_of_day(kind, first); period_first_day(p) < end;
         p = period_next(p)) {
        int64_t days = 0;

        (void)plan_volume(kpi, p, &part);
        for (int32_t day = period_first_day(p); day < period_end_day(p); day++) {
            int64_t one;

            (void)plan_volume(kpi, (struct period){ PERIOD_DAY, day }, &one);
            days += one;
            sum += day >= first && day < end ? one : 0;
        }
        assert_int_equal(part, days);
    }
    assert_true(plan_volume(kpi, year_itself, &part));
    assert_int_equal(sum, part);
}

/* law 6.plans: parts add up to the whole, for any year, volume and weights; a week across two
 * years has days of both. */
static void test_parts_add_up(void **state)
{
    struct random random = { 20261120 };

    (void)state;
    for (int round = 0; round < 300; round++) {
        int32_t year = 1990 + (int32_t)random_below(&random, 60);
        struct plan plans[2] = { { .year = year }, { .year = year + 1 } };
        struct kpi kpi = { .plans = plans, .plan_count = random_chance(&random, 50) ? 2 : 1 };

        for (size_t i = 0; i < 2; i++) {
            plans[i].volume = random_below(&random, random_chance(&random, 50) ? 400 : 4294967296);
            for (size_t k = 0; k < 12; k++)
                plans[i].weights[k] =
                    random_chance(&random, 30) ? 0 : (int32_t)random_below(&random, 1000000);
            plans[i].weights[random_below(&random, 12)] = 1;
        }
        for (size_t i = 0; i < kpi.plan_count; i++)
            for (int kind = PERIOD_DAY; kind < PERIOD_KINDS; kind++)
                check_period(&kpi, (enum period_kind)kind, plans[i].year);
    }
}

/* No part is off its exact share by a whole one. */
static void test_parts_are_near(void **state)
{
    struct random random = { 7 };

    (void)state;
    for (int round = 0; round < 2000; round++) {
        size_t count = 1 + (size_t)random_below(&random, PLAN_PARTS_MAX);
        int32_t weights[PLAN_PARTS_MAX] = { 0 };
        int64_t whole = random_below(&random, 100000), parts[PLAN_PARTS_MAX], sum = 0;

        for (size_t i = 0; i < count; i++)
            sum += weights[i] = (int32_t)random_below(&random, 50);
        if (sum == 0)
            continue;
        plan_split(whole, weights, count, parts);
        for (size_t i = 0; i < count; i++) {
            int64_t off = parts[i] * sum - whole * weights[i];

            assert_true(off > -sum && off < sum);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_split),
        cmocka_unit_test(test_example),
        cmocka_unit_test(test_parts_add_up),
        cmocka_unit_test(test_parts_are_near),
    };

    return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
