/* Zones: offsets, midnights and dates, in zones that do everything a zone can do; and the reader
 * of zone files against what the C library makes of the same zones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/instant.h"
#include "base/mem.h"
#include "kpi/zone.h"
#include "kpi/zone_rule.h"

#define DAY_MS INT64_C(86400000)

static int64_t at(const char *text)
{
    int64_t instant = 0;

    assert_true(instant_parse(text, strlen(text), &instant));
    return instant;
}

static struct zone load(const char *name)
{
    struct zone zone;
    struct err err = { 0 };

    if (zone_load(&zone, name, &err) != 0)
        fail_msg("%s", err.text);
    return zone;
}

/* law 4.days: days begin at 00:00 local time. */
static void test_midnight(void **state)
{
    static const struct {
        const char *what;
        const char *zone;
        int32_t year, month, day;
        const char *want;
    } cases[] = {
        { "no change at all", "Asia/Shanghai", 2026, 11, 16, "2026-11-16T00:00:00+08:00" },
        { "a change two hours after midnight, still yesterday in UTC", "Asia/Shanghai", 1986, 5, 4,
          "1986-05-04T00:00:00+08:00" },
        { "before the change of offset", "America/New_York", 2026, 3, 8,
          "2026-03-08T00:00:00-05:00" },
        { "after it", "America/New_York", 2026, 3, 9, "2026-03-09T00:00:00-04:00" },
        { "midnight falls in a gap", "America/Sao_Paulo", 2018, 11, 4,
          "2018-11-04T01:00:00-02:00" },
        { "midnight comes twice: at 01:00 back to 00:00", "America/Havana", 2018, 11, 4,
          "2018-11-04T00:00:00-04:00" },
        { "midnight falls in a gap, at 0:00 to 1:00", "America/Havana", 2018, 3, 11,
          "2018-03-11T01:00:00-04:00" },
        { "at 00:01 back to 23:01 the day before", "America/St_Johns", 2010, 11, 7,
          "2010-11-07T00:00:00-02:30" },
        { "the day that was left out", "Pacific/Apia", 2011, 12, 30,
          "2011-12-31T00:00:00+14:00" },
        { "the day after it", "Pacific/Apia", 2011, 12, 31, "2011-12-31T00:00:00+14:00" },
        { "by the rule after the table", "America/New_York", 2090, 7, 1,
          "2090-07-01T00:00:00-04:00" },
        { "the first of all days", "Europe/London", 1970, 1, 2, "1970-01-02T00:00:00+01:00" },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct zone zone = load(cases[i].zone);
        int32_t day = civil_day(cases[i].year, cases[i].month, cases[i].day);

        print_message("# %s\n", cases[i].what);
        assert_int_equal(zone_midnight(&zone, day), at(cases[i].want));
        zone_finish(&zone);
    }
}

static void test_day(void **state)
{
    static const struct {
        const char *what;
        const char *zone;
        const char *at;
        int32_t year, month, day;
    } cases[] = {
        { "the last millisecond", "Asia/Shanghai", "2026-11-15T23:59:59.999+08:00",
          2026, 11, 15 },
        { "the first", "Asia/Shanghai", "2026-11-16T00:00:00+08:00", 2026, 11, 16 },
        { "the second half of a repeated hour", "America/New_York", "2026-11-01T01:30:00-05:00",
          2026, 11, 1 },
        { "the clock shows yesterday again, the date stays", "America/St_Johns",
          "2010-11-06T23:30:00-03:30", 2010, 11, 7 },
        { "just before the day that was left out", "Pacific/Apia",
          "2011-12-29T23:59:59.999-10:00", 2011, 12, 29 },
        { "just after it", "Pacific/Apia", "2011-12-31T00:00:00+14:00", 2011, 12, 31 },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct zone zone = load(cases[i].zone);

        print_message("# %s\n", cases[i].what);
        assert_int_equal(zone_day(&zone, at(cases[i].at)),
                         civil_day(cases[i].year, cases[i].month, cases[i].day));
        zone_finish(&zone);
    }
}

static const char *const odd_zones[] = {
    "Asia/Shanghai", "America/New_York", "America/Sao_Paulo", "America/Havana", "Pacific/Apia",
    "America/St_Johns", "Africa/Casablanca", "America/Nuuk", "Europe/Dublin", "Asia/Gaza",
    "Antarctica/Troll", "Australia/Lord_Howe", "Africa/Monrovia", "Asia/Tehran", "UTC",
    "Asia/Kathmandu", "Pacific/Kwajalein", "America/Scoresbysund", "EST5EDT", "Africa/El_Aaiun",
};

/* law 4.days: days divide time without holes and without overlap, in any zone. */
static void test_days_are_gapless(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(odd_zones); i++) {
        struct zone zone = load(odd_zones[i]);

        for (int32_t day = -3; day < 131 * 366; day++) {
            int64_t begin = zone_midnight(&zone, day);
            int64_t end = zone_midnight(&zone, day + 1);

            if (begin > end || end - begin > 2 * DAY_MS)
                fail_msg("%s: day %d has %lld ms", odd_zones[i], day, (long long)(end - begin));
            if (begin == end)
                continue;
            assert_int_equal(zone_day(&zone, begin), day);
            assert_int_equal(zone_day(&zone, (begin + end) / 2), day);
            assert_int_equal(zone_day(&zone, end - 1), day);
        }
        zone_finish(&zone);
    }
}

/* What zone files say is what the C library says, wherever it is asked: on a grid, and on both
 * sides of every change. */
static void test_against_libc(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(odd_zones); i++) {
        struct zone zone = load(odd_zones[i]);
        struct tm local;

        setenv("TZ", odd_zones[i], 1);
        tzset();
        for (int64_t s = 0; s < INT64_C(4133980800); s += 7 * 86400 + 3607) {
            localtime_r(&s, &local);
            assert_int_equal(zone_offset(&zone, s * 1000), local.tm_gmtoff);
        }
        for (size_t n = 0; n < zone.change_count; n++)
            for (int64_t s = zone.changes[n].at / 1000 - 1; s <= zone.changes[n].at / 1000; s++) {
                localtime_r(&s, &local);
                assert_int_equal(zone_offset(&zone, s * 1000), local.tm_gmtoff);
            }
        zone_finish(&zone);
    }
    unsetenv("TZ");
    tzset();
}

static void test_unknown(void **state)
{
    static const char *const names[] = {
        "", "Asia/Schanghai", "asia/shanghai", "../../etc/passwd", "/etc/localtime",
        "Asia/../Asia/Shanghai", "localtime", "posix/Asia/Shanghai", "right/Asia/Shanghai",
        "tzdata.zi", "Asia", "Asia/", "Asia/Shanghai ", "Asia/Shanghai\n",
        "Aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(names); i++) {
        struct zone zone = { .name = "untouched" };
        struct err err = { 0 };
        int rc = zone_load(&zone, names[i], &err);

        print_message("# \"%s\": %s\n", names[i], err.text);
        assert_true(rc == -ENOENT || rc == -EINVAL);
        assert_int_equal(err.code, rc);
        assert_string_equal(zone.name, "untouched");
    }
}

static void test_copy(void **state)
{
    struct zone zone = load("America/New_York");
    struct zone copy;

    (void)state;
    zone_copy(&copy, &zone);
    assert_ptr_not_equal(copy.changes, zone.changes);
    assert_int_equal(copy.change_count, zone.change_count);
    zone_finish(&zone);
    assert_string_equal(copy.name, "America/New_York");
    assert_int_equal(zone_offset(&copy, at("2026-07-01T00:00:00Z")), -4 * 3600);
    zone_finish(&copy);
    zone_finish(&copy);
}

static void test_rule(void **state)
{
    static const struct {
        const char *text;
        const char *begin, *end;    /* in 2028, a leap year; NULL: no summer time */
    } cases[] = {
        { "CST-8", NULL, NULL },
        { "<+0330>-3:30", NULL, NULL },
        { "EST5EDT,M3.2.0,M11.1.0", "2028-03-12T07:00:00Z", "2028-11-05T06:00:00Z" },
        { "<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2028-03-26T01:00:00Z", "2028-10-29T01:00:00Z" },
        { "IST-1GMT0,M10.5.0,M3.5.0/1", "2028-10-29T01:00:00Z", "2028-03-26T01:00:00Z" },
        { "AAA0BBB,J60/0,J365/0", "2028-03-01T00:00:00Z", "2028-12-30T23:00:00Z" },
        { "AAA0BBB,59/0,365/0", "2028-02-29T00:00:00Z", "2028-12-30T23:00:00Z" },
        { "EET-2EEST,M3.4.4/50,M10.4.4/50", "2028-03-25T00:00:00Z", "2028-10-27T23:00:00Z" },
    };
    static const char *const bad[] = {
        "", "C-8", "CST", "CST-168", "CST-8:60", "EST5EDT,", "EST5EDT,M3.2.0", "EST5EDT",
        "EST5EDT,M13.1.0,M11.1.0", "EST5EDT,M0.1.0,M11.1.0", "EST5EDT,M3.6.0,M11.1.0",
        "EST5EDT,M3.2.7,M11.1.0", "EST5EDT,M3.2.0,M11.1.0x", "EST5EDT,J0,J365", "<+03",
        "EST5EDT,M3.2.0/168,M11.1.0", "EST5EDT,J366,J1",
    };
    struct zone_rule rule;

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        print_message("# %s\n", cases[i].text);
        assert_true(zone_rule_parse(cases[i].text, &rule));
        assert_int_equal(rule.has_summer, cases[i].begin != NULL);
        if (rule.has_summer) {
            assert_int_equal(zone_rule_begin(&rule, 2028), at(cases[i].begin));
            assert_int_equal(zone_rule_end(&rule, 2028), at(cases[i].end));
        }
    }
    for (size_t i = 0; i < LENGTH(bad); i++) {
        print_message("# refused: %s\n", bad[i]);
        assert_false(zone_rule_parse(bad[i], &rule));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_midnight),
        cmocka_unit_test(test_day),
        cmocka_unit_test(test_days_are_gapless),
        cmocka_unit_test(test_against_libc),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_copy),
        cmocka_unit_test(test_rule),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
