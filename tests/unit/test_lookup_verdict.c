/* Was the vehicle found? law 8.lookup, case by case. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>

#include "base/mem.h"
#include "lookup/verdict.h"

#define ASKED INT64_C(1780000000000)
#define MINUTE INT64_C(60000)

static const struct lookup_rules rules = { .max_age_ms = 5 * MINUTE, .max_distance_m = 500 };
static const struct lookup_point here = { 30.659, 104.065 };
static const struct lookup_point far = { 30.669, 104.065 };     /* 1112 m north */

static void test_verdicts(void **state)
{
    static const struct lookup_position good = { .at = { 30.659, 104.065 }, .online = true,
                                                 .fixed = true, .fixed_at = ASKED };
    const struct {
        const char *what;
        enum lookup_finding finding;
        bool online, fixed;
        int64_t fixed_at;
        const struct lookup_point *reference;
        bool success;
        const char *reason;
        int64_t distance_m;
    } cases[] = {
        { "found", FINDING_POSITION, true, true, ASKED, NULL, true, "", -1 },
        { "found after asking", FINDING_POSITION, true, true, ASKED + 2000, NULL, true, "", -1 },
        { "just not too old", FINDING_POSITION, true, true, ASKED - 5 * MINUTE, NULL, true, "", -1 },
        { "too old", FINDING_POSITION, true, true, ASKED - 5 * MINUTE - 1, NULL, false, "stale", -1 },
        { "a fix of no time", FINDING_POSITION, true, true, 0, NULL, false, "stale", -1 },
        { "offline, whatever its last position", FINDING_POSITION, false, true, ASKED, &here, false,
          "offline", -1 },
        { "not fixed", FINDING_POSITION, true, false, ASKED, &here, false, "no_fix", -1 },
        { "near", FINDING_POSITION, true, true, ASKED, &here, true, "", 0 },
        { "elsewhere", FINDING_POSITION, true, true, ASKED, &far, false, "off_by_1112m", 1112 },
        { "nobody knows it", FINDING_UNKNOWN, false, false, 0, &here, false, "unknown_vehicle", -1 },
        { "nobody can be asked", FINDING_UNREACHABLE, false, false, 0, NULL, false,
          "platform_unreachable", -1 },
        { "it does not answer", FINDING_OFFLINE, false, false, 0, NULL, false, "offline", -1 },
        { "no position", FINDING_NO_POSITION, false, false, 0, NULL, false, "no_fix", -1 },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct lookup_position p = good;
        struct lookup_verdict v;

        print_message("# %s\n", cases[i].what);
        p.online = cases[i].online;
        p.fixed = cases[i].fixed;
        p.fixed_at = cases[i].fixed_at;
        v = lookup_judge(cases[i].finding, &p, cases[i].reference, &rules, ASKED);
        assert_int_equal(v.success, cases[i].success);
        assert_string_equal(v.reason, cases[i].reason);
        assert_int_equal(v.distance_m, cases[i].distance_m);
    }
}

static void test_distance(void **state)
{
    static const struct {
        struct lookup_point a, b;
        int64_t metres;
    } cases[] = {
        { { 0, 0 }, { 0, 0 }, 0 },
        { { 0, 0 }, { 0, 1 }, 111195 },
        { { 60, 10 }, { 60, 11 }, 55597 },
        { { 0, 179.5 }, { 0, -179.5 }, 111195 },    /* over the date line */
        { { 90, 0 }, { -90, 0 }, 20015114 },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        assert_int_equal(lookup_distance_m(cases[i].a, cases[i].b), cases[i].metres);
        assert_int_equal(lookup_distance_m(cases[i].b, cases[i].a), cases[i].metres);
    }
}

/* Tian'anmen as maps of either kind have it; the two differ by some 550 m. */
static void test_points_of_chinese_maps(void **state)
{
    const struct lookup_point gcj = { 39.908722, 116.397499 }, wgs = { 39.907319, 116.391257 };
    const struct lookup_point paris = { 48.8584, 2.2945 };
    struct lookup_point p = lookup_from_gcj02(gcj);

    (void)state;
    assert_true(lookup_distance_m(gcj, wgs) > 500);
    assert_true(lookup_distance_m(p, wgs) < 5);
    p = lookup_from_gcj02(paris);
    assert_true(fabs(p.latitude - paris.latitude) < 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_distance),
        cmocka_unit_test(test_points_of_chinese_maps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
