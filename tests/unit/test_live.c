/* Live readings: what they are worth at the moment of asking. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "live.h"

#define MIN INT64_C(60000)

static struct clock_manual clock;
static struct live *live;

static int set_up(void **state)
{
    (void)state;
    clock_manual_init(&clock, 1000 * MIN);
    live = live_create(&clock.clock);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    live_destroy(live);
    return 0;
}

static void put(const char *point, double number, int64_t at)
{
    const struct reading r = { .unit = "lamp1",
                               .point = point,
                               .status = READING_GOOD,
                               .number = number,
                               .measure = "mV",
                               .true_at = at,
                               .age_limit_ms = MIN,
                               .moves_within_ms = 5 * MIN };

    live_put(live, "bus", &r, 1);
}

static enum live_state state_of(const char *point)
{
    struct live_value value;

    (void)live_find(live, "bus", "lamp1", point, &value);
    return value.state;
}

static void test_ages(void **state)
{
    (void)state;
    assert_int_equal(state_of("supply_mv"), LIVE_NONE);
    put("supply_mv", 12000, clock.wall_ms);
    assert_int_equal(state_of("supply_mv"), LIVE_GOOD);
    clock.wall_ms += MIN;
    assert_int_equal(state_of("supply_mv"), LIVE_GOOD);
    clock.wall_ms += 1;
    assert_int_equal(state_of("supply_mv"), LIVE_STALE);
}

static void test_freezes(void **state)
{
    (void)state;
    for (int i = 0; i <= 5; i++) {
        put("run_s", 7, clock.wall_ms);
        assert_int_equal(state_of("run_s"), LIVE_GOOD);
        clock.wall_ms += MIN;
    }
    put("run_s", 7, clock.wall_ms);
    assert_int_equal(state_of("run_s"), LIVE_FROZEN);
    put("run_s", 8, clock.wall_ms + 1);
    assert_int_equal(state_of("run_s"), LIVE_GOOD);
}

static void test_an_older_reading_is_dropped(void **state)
{
    struct live_value value;

    (void)state;
    put("supply_mv", 12000, clock.wall_ms);
    put("supply_mv", 1, clock.wall_ms - 1);
    assert_true(live_find(live, "bus", "lamp1", "supply_mv", &value));
    assert_int_equal((int)value.number, 12000);
    assert_string_equal(value.measure, "mV");
}

static bool gather(void *arg, const struct live_value *value)
{
    strcat(arg, value->point);
    return true;
}

static bool gather_unit(void *arg, const char *unit)
{
    strcat(arg, unit);
    strcat(arg, ";");
    return true;
}

static void test_lists_by_name_and_forgets(void **state)
{
    char names[200] = "";
    const struct reading other = { .unit = "lamp0", .point = "x", .status = READING_FAILED,
                                   .text = "does not answer", .true_at = 1, .measure = "" };

    (void)state;
    put("c", 1, clock.wall_ms);
    put("a", 1, clock.wall_ms);
    put("b", 1, clock.wall_ms);
    live_put(live, "bus", &other, 1);
    live_each(live, "bus", "lamp1", gather, names);
    assert_string_equal(names, "abc");
    names[0] = '\0';
    live_each_unit(live, "bus", gather_unit, names);
    assert_string_equal(names, "lamp0;lamp1;");
    live_forget(live, "bus", "lamp1");
    assert_int_equal(state_of("a"), LIVE_NONE);
    names[0] = '\0';
    live_each_unit(live, "bus", gather_unit, names);
    assert_string_equal(names, "lamp0;");
    live_forget(live, "bus", NULL);
    names[0] = '\0';
    live_each_unit(live, "bus", gather_unit, names);
    assert_string_equal(names, "");
}

static char heard[200];

static void hear(void *arg, const char *source, const char *unit)
{
    (void)arg;
    (void)snprintf(heard, sizeof heard, "%s/%s", source, unit);
}

static void test_tells_its_listener(void **state)
{
    (void)state;
    live_listen(live, hear, NULL);
    put("a", 1, clock.wall_ms);
    assert_string_equal(heard, "bus/lamp1");
    live_forget(live, "bus", NULL);
    assert_string_equal(heard, "bus/");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_ages, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_freezes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_an_older_reading_is_dropped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lists_by_name_and_forgets, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_tells_its_listener, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
