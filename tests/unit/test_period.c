/* Periods: written, read, bounded, and in their order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/instant.h"
#include "base/mem.h"
#include "kpi/period.h"

static struct zone zone;

static int load_zone(void **state)
{
    (void)state;
    return zone_load(&zone, "Asia/Shanghai", NULL);
}

static int finish_zone(void **state)
{
    (void)state;
    zone_finish(&zone);
    return 0;
}

static int64_t at(const char *text)
{
    int64_t instant = 0;

    assert_true(instant_parse(text, strlen(text), &instant));
    return instant;
}

/* law 4.weeks: ISO 8601 weeks, Monday to Monday; the year of a week is that of its Thursday. */
static void test_of_day(void **state)
{
    static const struct {
        int32_t year, month, day;
        const char *week, *month_text, *year_text;
    } cases[] = {
        { 2026, 11, 16, "2026-W47", "2026-11", "2026" },
        { 2026, 11, 22, "2026-W47", "2026-11", "2026" },
        { 2026, 11, 23, "2026-W48", "2026-11", "2026" },
        { 2025, 12, 28, "2025-W52", "2025-12", "2025" },
        { 2025, 12, 29, "2026-W01", "2025-12", "2025" },
        { 2027, 1, 3, "2026-W53", "2027-01", "2027" },
        { 2027, 1, 4, "2027-W01", "2027-01", "2027" },
        { 2024, 2, 29, "2024-W09", "2024-02", "2024" },
        { 1970, 1, 1, "1970-W01", "1970-01", "1970" },
        { 1969, 12, 28, "1969-W52", "1969-12", "1969" },
        { 10000, 1, 1, "9999-W52", "10000-01", "10000" },
        { 0, 1, 1, "-001-W52", "0000-01", "0000" },
    };
    char text[PERIOD_SIZE];

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        int32_t day = civil_day(cases[i].year, cases[i].month, cases[i].day);

        assert_string_equal(period_format(text, period_of_day(PERIOD_WEEK, day)), cases[i].week);
        assert_string_equal(period_format(text, period_of_day(PERIOD_MONTH, day)),
                            cases[i].month_text);
        assert_string_equal(period_format(text, period_of_day(PERIOD_YEAR, day)),
                            cases[i].year_text);
    }
}

static void test_bounds(void **state)
{
    static const struct {
        const char *period, *begin, *end;
    } cases[] = {
        { "2026-11-16", "2026-11-16T00:00:00+08:00", "2026-11-17T00:00:00+08:00" },
        { "2026-W47", "2026-11-16T00:00:00+08:00", "2026-11-23T00:00:00+08:00" },
        { "2026-W53", "2026-12-28T00:00:00+08:00", "2027-01-04T00:00:00+08:00" },
        { "2026-02", "2026-02-01T00:00:00+08:00", "2026-03-01T00:00:00+08:00" },
        { "2026-12", "2026-12-01T00:00:00+08:00", "2027-01-01T00:00:00+08:00" },
        { "2026", "2026-01-01T00:00:00+08:00", "2027-01-01T00:00:00+08:00" },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct period p;

        print_message("# %s\n", cases[i].period);
        assert_true(period_parse(cases[i].period, &p));
        assert_int_equal(period_begin(p, &zone), at(cases[i].begin));
        assert_int_equal(period_end(p, &zone), at(cases[i].end));
        assert_int_equal(period_compare(period_at(p.kind, &zone, at(cases[i].begin)), p), 0);
        assert_int_equal(period_compare(period_at(p.kind, &zone, at(cases[i].end) - 1), p), 0);
        assert_int_equal(period_compare(period_at(p.kind, &zone, at(cases[i].end)),
                                        period_next(p)), 0);
    }
}

/* Each day of four centuries, there and back. */
static void test_round_trip(void **state)
{
    char text[PERIOD_SIZE];

    (void)state;
    for (int32_t day = civil_day(1900, 1, 1); day < civil_day(2300, 1, 1); day++)
        for (enum period_kind kind = PERIOD_DAY; kind < PERIOD_KINDS; kind++) {
            struct period p = period_of_day(kind, day);
            struct period back;

            assert_true(period_first_day(p) <= day && day < period_end_day(p));
            assert_true(period_parse(period_format(text, p), &back));
            assert_int_equal(period_compare(p, back), 0);
            assert_int_equal(period_first_day(period_next(p)), period_end_day(p));
        }
}

static void test_refused(void **state)
{
    static const char *const cases[] = {
        "", "202", "02026", "2026-", "2026-1", "2026-13", "2026-00", "2026-W00", "2025-W53",
        "2026-W54", "2026-W7", "2026-w47", "2026W47", "2026-02-29", "2026-04-31", "2026-11-00",
        "2026-11-1", "2026-11-16 ", "2026-11-16T00:00", "2026/11/16", "2026-11/16", " 2026",
        "-026", "2026-W4x", "2026-W471",
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct period p = { PERIOD_YEAR, 1 };

        print_message("# \"%s\"\n", cases[i]);
        assert_false(period_parse(cases[i], &p));
        assert_int_equal(p.number, 1);
    }
}

/* law 5: facts stand by period kind (day < week < month < year), then by time. */
static void test_order(void **state)
{
    static const char *const sorted[] = {
        "2026-11-15", "2026-11-16", "2026-W01", "2026-W47", "2026-01", "2026-11", "2025", "2026",
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(sorted); i++)
        for (size_t k = 0; k < LENGTH(sorted); k++) {
            struct period a, b;

            assert_true(period_parse(sorted[i], &a));
            assert_true(period_parse(sorted[k], &b));
            assert_int_equal(period_compare(a, b), (i > k) - (i < k));
        }
}

static void test_kind_names(void **state)
{
    static const char *const names[] = { "day", "week", "month", "year" };
    enum period_kind kind = PERIOD_KINDS;

    (void)state;
    for (size_t i = 0; i < LENGTH(names); i++) {
        assert_true(period_kind_parse(names[i], &kind));
        assert_int_equal(kind, i);
        assert_string_equal(period_kind_name(kind), names[i]);
    }
    assert_false(period_kind_parse("days", &kind));
    assert_int_equal(kind, PERIOD_YEAR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_of_day),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_kind_names),
    };

    return cmocka_run_group_tests(tests, load_zone, finish_zone);
}
