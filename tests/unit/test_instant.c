/* RFC 3339 both ways, and the calendar underneath. law 1: `at` is RFC 3339 with an offset, up to
 * milliseconds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/instant.h"
#include "base/mem.h"

static void test_parse(void **state)
{
    static const struct {
        const char *what;
        const char *text;
        int64_t at;             /* -1: none */
    } cases[] = {
        { "UTC", "1970-01-01T00:00:00Z", 0 },
        { "the contract's own", "2026-11-20T18:00:00.000+08:00", 1795168800000 },
        { "no decimals", "2026-11-20T18:00:00+08:00", 1795168800000 },
        { "one decimal", "2026-11-20T18:00:00.5+08:00", 1795168800500 },
        { "two decimals", "2026-11-20T18:00:00.05+08:00", 1795168800050 },
        { "west of Greenwich", "2026-11-20T05:00:00-05:00", 1795168800000 },
        { "an odd offset", "2026-11-20T15:45:00+05:45", 1795168800000 },
        { "small letters", "2026-11-20t10:00:00z", 1795168800000 },
        { "an unknown offset", "2026-11-20T10:00:00-00:00", 1795168800000 },
        { "a leap day", "2024-02-29T00:00:00Z", 1709164800000 },
        { "the last", "9999-12-31T23:59:59.999Z", 253402300799999 },
        { "no leap day", "2026-02-29T00:00:00Z", -1 },
        { "no leap year in 2100", "2100-02-29T00:00:00Z", -1 },
        { "the 31st of April", "2026-04-31T00:00:00Z", -1 },
        { "month 13", "2026-13-01T00:00:00Z", -1 },
        { "month 0", "2026-00-01T00:00:00Z", -1 },
        { "day 0", "2026-01-00T00:00:00Z", -1 },
        { "hour 24", "2026-01-01T24:00:00Z", -1 },
        { "minute 60", "2026-01-01T00:60:00Z", -1 },
        { "a leap second", "2026-12-31T23:59:60Z", -1 },
        { "a blank for the T", "2026-11-20 18:00:00+08:00", -1 },
        { "no offset", "2026-11-20T18:00:00", -1 },
        { "four decimals", "2026-11-20T18:00:00.0001Z", -1 },
        { "a point without decimals", "2026-11-20T18:00:00.Z", -1 },
        { "a comma", "2026-11-20T18:00:00,5Z", -1 },
        { "an offset without a colon", "2026-11-20T18:00:00+0800", -1 },
        { "an offset of 24 hours", "2026-11-20T18:00:00+24:00", -1 },
        { "an offset of 60 minutes", "2026-11-20T18:00:00+08:60", -1 },
        { "something behind", "2026-11-20T18:00:00Z ", -1 },
        { "something before", " 2026-11-20T18:00:00Z", -1 },
        { "no seconds", "2026-11-20T18:00Z", -1 },
        { "a date alone", "2026-11-20", -1 },
        { "one digit for a month", "2026-1-20T18:00:00Z", -1 },
        { "before 1970", "1969-12-31T23:59:59Z", -1 },
        { "before 1970 by its offset", "1970-01-01T00:00:00+08:00", -1 },
        { "after 9999 by its offset", "9999-12-31T23:59:59-08:00", -1 },
        { "nothing", "", -1 },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        int64_t at = -1;

        print_message("# %s\n", cases[i].what);
        assert_int_equal(instant_parse(cases[i].text, strlen(cases[i].text), &at),
                         cases[i].at >= 0);
        assert_int_equal(at, cases[i].at);
    }
}

/* Every shorter text is none, and none is read beyond its end. */
static void test_cut_short(void **state)
{
    static const char text[] = "2026-11-20T18:00:00.123+08:00";
    int64_t at;

    (void)state;
    for (size_t length = 0; length < strlen(text); length++) {
        char *exact = mem_alloc(length);

        memcpy(exact, text, length);
        assert_false(instant_parse(exact, length, &at));
        free(exact);
    }
}

static void test_format(void **state)
{
    static const struct {
        int64_t at;
        int32_t offset_s;
        const char *text;
    } cases[] = {
        { 0, 0, "1970-01-01T00:00:00.000+00:00" },
        { 1795168800000, 28800, "2026-11-20T18:00:00.000+08:00" },
        { 1795168800007, -18000, "2026-11-20T05:00:00.007-05:00" },
        { 1795168800000, 20700, "2026-11-20T15:45:00.000+05:45" },
        { -1, 0, "1969-12-31T23:59:59.999+00:00" },
        { 253402300799999, 0, "9999-12-31T23:59:59.999+00:00" },
    };
    char to[INSTANT_SIZE];

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++)
        assert_string_equal(instant_format(to, cases[i].at, cases[i].offset_s), cases[i].text);
}

/* The C library's calendar is another opinion. */
static void test_calendar(void **state)
{
    (void)state;
    for (int32_t day = -800000; day < 3000000; day += 97) {
        time_t seconds = (time_t)day * 86400;
        struct tm tm;
        int32_t year, month, date;

        assert_non_null(gmtime_r(&seconds, &tm));
        civil_date(day, &year, &month, &date);
        assert_int_equal(year, tm.tm_year + 1900);
        assert_int_equal(month, tm.tm_mon + 1);
        assert_int_equal(date, tm.tm_mday);
        assert_int_equal(civil_day(year, month, date), day);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_cut_short),
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_calendar),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
