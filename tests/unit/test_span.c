/* Spans of time as systemd writes them, both ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/mem.h"
#include "base/span.h"

static void test_parse(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;             /* -1: no span */
    } cases[] = {
        { "90s", 90000 },
        { "10min", 600000 },
        { "1h 30min", 5400000 },
        { "1h30min", 5400000 },
        { "7d", 7 * SPAN_DAY },
        { "2w", 14 * SPAN_DAY },
        { "250ms", 250 },
        { "5 seconds", 5000 },
        { " 5s ", 5000 },
        { "1.5h", 5400000 },
        { "0.25s", 250 },
        { "0", 0 },
        { "0s", 0 },
        { "30m", 1800000 },
        { "1week 1day 1hour 1minute 1sec 1msec",
          8 * SPAN_DAY + SPAN_HOUR + SPAN_MINUTE + SPAN_SECOND + 1 },
        { "", -1 },
        { " ", -1 },
        { "90", -1 },           /* of what? */
        { "s", -1 },
        { "5 fortnights", -1 },
        { "5S", -1 },
        { "-5s", -1 },
        { "+5s", -1 },
        { "5s,", -1 },
        { "5s 10", -1 },
        { "1..5s", -1 },
        { ".5s", -1 },
        { "1.2345s", -1 },
        { "0.5ms", -1 },        /* not whole */
        { "999999999999999w", -1 },
        { "99999999999999999999s", -1 },
        { "10000000d", -1 },
        { "3000000d 3000000d", -1 },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        int64_t ms = -1;

        print_message("# \"%s\"\n", cases[i].text);
        assert_int_equal(span_parse(cases[i].text, &ms), cases[i].ms >= 0);
        assert_int_equal(ms, cases[i].ms);      /* untouched if it is none */
    }
}

static void test_format(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        { 0, "0" },
        { 1, "1ms" },
        { 90000, "1min 30s" },
        { 5400000, "1h 30min" },
        { 7 * SPAN_DAY, "7d" },
        { SPAN_DAY + 1, "1d 1ms" },
        { -5400000, "-1h 30min" },
    };
    char to[SPAN_SIZE];

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++)
        assert_string_equal(span_format(to, cases[i].ms), cases[i].text);
    assert_true(strlen(span_format(to, INT64_MAX)) < SPAN_SIZE);
    assert_true(strlen(span_format(to, INT64_MIN)) < SPAN_SIZE);
}

static void test_both_ways(void **state)
{
    (void)state;
    for (int64_t ms = 1; ms < 400 * SPAN_DAY; ms = ms * 3 + 7) {
        char text[SPAN_SIZE];
        int64_t back;

        assert_true(span_parse(span_format(text, ms), &back));
        assert_int_equal(back, ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_both_ways),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
