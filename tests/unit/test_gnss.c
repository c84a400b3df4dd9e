/* A satellite receiver epoch by epoch: what a fix is, how long the first took, the sky. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/instant.h"
#include "base/mem.h"
#include "base/span.h"
#include "gnss.h"

static void test_fix(void **state)
{
    static const struct {
        const char *what;
        int32_t quality, valid;
        bool unmeasured, want;
    } cases[] = {
        { "nothing said", GNSS_NONE, GNSS_NONE, false, false },
        { "quality 1, status A", 1, 1, false, true },
        { "quality 1 alone", 1, GNSS_NONE, false, true },
        { "status A alone", GNSS_NONE, 1, false, true },
        { "RTK", 4, 1, false, true },
        { "RTK float", 5, 1, false, true },
        { "quality 1, status V", 1, 0, false, false },
        { "quality 0, status A", 0, 1, false, false },
        { "dead reckoning", 6, 1, false, false },
        { "typed in", 7, 1, false, false },
        { "a simulator", 8, 1, false, false },
        { "a simulator's mode letter", 1, 1, true, false },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct gnss_epoch e;

        print_message("# %s\n", cases[i].what);
        gnss_epoch_init(&e, 1, 1);
        e.quality = cases[i].quality;
        e.valid = cases[i].valid;
        e.unmeasured = cases[i].unmeasured;
        assert_int_equal(gnss_has_fix(&e), cases[i].want);
    }
}

/* One letter for each second: A fix, V none, . nothing said of it. */
static struct gnss after(const char *seconds, bool from_start)
{
    struct gnss g;

    gnss_init(&g, 1000, from_start);
    for (int64_t at = 1000; *seconds; seconds++, at += 1000) {
        struct gnss_epoch e;

        gnss_epoch_init(&e, at, at);
        e.time_ms = (int32_t)at;
        if (*seconds != '.')
            e.valid = *seconds == 'A';
        gnss_take(&g, &e);
    }
    return g;
}

static void test_first_fix(void **state)
{
    static const struct {
        const char *what, *seconds;
        bool from_start;
        int32_t ttff_ms;
    } cases[] = {
        { "none yet", "VVVV", false, GNSS_NONE },
        { "after three seconds", "VVVA", false, 3000 },
        { "it stays what it was", "VVVAVVA", false, 3000 },
        { "it had one before us", "AAA", false, GNSS_UNSUPPORTED },
        { "... and it loses it", "AAVVA", false, GNSS_UNSUPPORTED },
        { "a hot start that we saw begin", "A", true, 0 },
        { "half an epoch first", ".A", false, GNSS_UNSUPPORTED },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        print_message("# %s\n", cases[i].what);
        assert_int_equal(after(cases[i].seconds, cases[i].from_start).ttff_ms, cases[i].ttff_ms);
    }
}

static void test_lost_fix(void **state)
{
    struct gnss g = after("VVAAVV", false);

    (void)state;
    assert_false(g.has_fix);
    assert_int_equal(g.fix_lost_at, 5000);
    assert_true(after("VVA", false).has_fix);
    assert_int_equal(after("VVV", false).fix_lost_at, 1000);
}

static void test_time_stands_still(void **state)
{
    struct gnss g = after("AAA", false);
    struct gnss_epoch e = g.last;

    (void)state;
    assert_int_equal(g.time_moved_at, 3000);
    e.monotonic_at = 9000;
    gnss_take(&g, &e);
    assert_int_equal(g.time_moved_at, 3000);
    e.time_ms = GNSS_NONE; /* it does not know the time: that is no standstill */
    gnss_take(&g, &e);
    assert_int_equal(g.time_moved_at, 9000);
}

static void test_unroll(void **state)
{
    int64_t built_at = civil_day(2026, 1, 1) * SPAN_DAY, utc_at = civil_day(2007, 4, 8) * SPAN_DAY;

    (void)state;
    assert_true(gnss_unroll(&utc_at, built_at));
    assert_true(utc_at == civil_day(2026, 11, 22) * SPAN_DAY);
    assert_false(gnss_unroll(&utc_at, built_at));
    utc_at = built_at;
    assert_false(gnss_unroll(&utc_at, built_at));
    utc_at = civil_day(1980, 1, 6) * SPAN_DAY; /* once, whatever comes of it */
    assert_true(gnss_unroll(&utc_at, built_at));
    assert_true(utc_at == civil_day(1999, 8, 22) * SPAN_DAY);
}

static void test_sky(void **state)
{
    static struct gnss_sky_fold fold;
    struct gnss_sky sky;

    (void)state;
    memset(&fold, 0, sizeof fold);
    sky = gnss_sky_of(&fold);
    assert_int_equal(sky.seen, 0);
    assert_int_equal(sky.cn0_best4_e2, 0);
    gnss_sky_add(&fold, GNSS_GPS, 1, 40);
    gnss_sky_add(&fold, GNSS_GPS, 2, GNSS_NONE);
    sky = gnss_sky_of(&fold);
    assert_int_equal(sky.seen, 2);
    assert_int_equal(sky.tracked_30, 1);
    assert_int_equal(sky.cn0_best4_e2, 1000); /* three of the four are missing */
    gnss_sky_add(&fold, GNSS_GPS, 1, 44);     /* another signal of it is better ... */
    gnss_sky_add(&fold, GNSS_GPS, 1, 20);     /* ... and one is worse */
    gnss_sky_add(&fold, GNSS_BEIDOU, 1, 29);  /* the same number, another satellite */
    gnss_sky_add(&fold, GNSS_GLONASS, 70, 30);
    gnss_sky_add(&fold, GNSS_GLONASS, 71, 33);
    gnss_sky_add(&fold, GNSS_GLONASS, 72, 10);
    sky = gnss_sky_of(&fold);
    assert_int_equal(sky.seen, 6);
    assert_int_equal(sky.tracked_30, 3);
    assert_int_equal(sky.cn0_best4_e2, (44 + 33 + 30 + 29) * 25);
    assert_int_equal(sky.systems, 1U << GNSS_GPS | 1U << GNSS_GLONASS);
    gnss_sky_add(&fold, GNSS_SYSTEMS, 1, 50); /* out of bounds, each in its way */
    gnss_sky_add(&fold, GNSS_GPS, -1, 50);
    gnss_sky_add(&fold, GNSS_GPS, 1024, 50);
    gnss_sky_add(&fold, GNSS_GPS, 3, 100);
    sky = gnss_sky_of(&fold);
    assert_int_equal(sky.seen, 7);
    assert_int_equal(sky.tracked_30, 3);
}

/* --- Readings */

static void keep_fix(void *house, const struct reading *readings, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(readings[i].point, "fix") == 0)
            *(struct reading *)house = readings[i];
}

/* By number and by name; one whose dimension is not told is 2 or more. */
static void test_tell_fix(void **state)
{
    static const struct {
        int32_t fix;
        enum reading_status status;
        double number;
        const char *text;
        bool at_least;
    } cases[] = {
        { GNSS_NONE, READING_NONE, 0, NULL, false },
        { GNSS_FIX_NONE, READING_GOOD, 1, "none", false },
        { GNSS_FIX_2D, READING_GOOD, 2, "2d", false },
        { GNSS_FIX_3D, READING_GOOD, 3, "3d", false },
        { GNSS_FIX_SOME, READING_GOOD, 2, "fixed", true },
    };
    static const struct sink sink = { .readings = keep_fix };
    static const struct gnss_limits limits = { .silence_ms = 5000 };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct reading said = { 0 };
        const struct driver_env env = { .sink = &sink, .house = &said };
        struct gnss g;

        gnss_init(&g, 1000, false);
        g.last.fix = cases[i].fix;
        gnss_tell(&g, &limits, &env);
        assert_int_equal(said.status, cases[i].status);
        assert_true(said.number == cases[i].number);
        assert_int_equal(said.at_least, cases[i].at_least);
        assert_false(said.is_text);
        if (cases[i].text)
            assert_string_equal(said.text, cases[i].text);
    }
}

/* --- A device in service */

static void keep_condition(void *house, const struct condition *c)
{
    char *said = house;

    assert_string_equal(c->device, "G-1");
    assert_non_null(strstr(c->evidence, "\"antenna\":"));
    snprintf(said + strlen(said), 200 - strlen(said), "%s%s ", c->active ? "+" : "-", c->code + 5);
}

static void test_conditions(void **state)
{
    static const struct {
        const char *what;
        enum gnss_antenna antenna;
        bool has_fix;
        int64_t without_ms; /* a fix */
        bool active_antenna;
        const char *want;
    } cases[] = {
        { "all is well", GNSS_ANTENNA_OK, true, 0, true, "-antenna_open -antenna_short -no_fix " },
        { "open, with a fix", GNSS_ANTENNA_OPEN, true, 0, true,
          "-antenna_open -antenna_short -no_fix " },
        { "open, no fix yet", GNSS_ANTENNA_OPEN, false, 500, true, "-antenna_short " },
        { "open, no fix for long", GNSS_ANTENNA_OPEN, false, 1000, true,
          "+antenna_open -antenna_short +no_fix " },
        { "the same of a passive antenna", GNSS_ANTENNA_OPEN, false, 1000, false,
          "-antenna_short +no_fix " },
        { "short, with a fix", GNSS_ANTENNA_SHORT, true, 0, true,
          "-antenna_open +antenna_short -no_fix " },
        { "short, no fix yet", GNSS_ANTENNA_SHORT, false, 500, true,
          "-antenna_open +antenna_short " },
        { "nothing said, no fix yet", GNSS_ANTENNA_UNSAID, false, 500, true, "" },
        { "nothing said, no fix for long", GNSS_ANTENNA_UNSAID, false, 1000, true, "+no_fix " },
        { "nothing said, with a fix", GNSS_ANTENNA_UNSAID, true, 0, true,
          "-antenna_open -antenna_short -no_fix " },
        { "it does not know", GNSS_ANTENNA_UNKNOWN, false, 500, true, "" },
    };
    static const struct sink sink = { .condition = keep_condition };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct gnss_limits limits = { .silence_ms = 5000,
                                      .no_fix_ms = 1000,
                                      .active_antenna = cases[i].active_antenna,
                                      .service_device = "G-1" };
        char said[200] = "";
        struct driver_env env = { .sink = &sink, .house = said };
        struct gnss g;

        print_message("# %s\n", cases[i].what);
        gnss_init(&g, 1000, false);
        g.antenna = cases[i].antenna;
        g.has_fix = cases[i].has_fix;
        gnss_epoch_init(&g.last, 77, 1000 + cases[i].without_ms);
        gnss_tell_conditions(&g, &limits, &env);
        assert_string_equal(said, cases[i].want);
        said[0] = '\0';
        limits.service_device = NULL;
        gnss_tell_conditions(&g, &limits, &env);
        assert_string_equal(said, "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fix),        cmocka_unit_test(test_first_fix),
        cmocka_unit_test(test_lost_fix),   cmocka_unit_test(test_time_stands_still),
        cmocka_unit_test(test_unroll),     cmocka_unit_test(test_sky),
        cmocka_unit_test(test_conditions), cmocka_unit_test(test_tell_fix),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
