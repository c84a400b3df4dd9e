/* The modbus driver against units that do as the test says, over TCP, RTU on a pseudo terminal and
 * RTU through a socket: what it reads, and every way in which such buses go wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "mb_source.h"
#include "tests/lib/fake_house.h"
#include "tests/lib/fake_modbus.h"

enum { LIMIT_MS = 20000 };

struct fixture {
    struct fake_house house; /* first: a pointer to it is one to the fixture */
    struct fake_modbus server;
    bool serves;
    size_t conditions_seen;
};

static int set_up(void **state)
{
    struct fixture *f = mem_zalloc(sizeof *f);

    house_init(&f->house, "ledbus");
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    if (f->house.source)
        house_stop(&f->house);
    house_finish(&f->house);
    if (f->serves)
        fake_modbus_stop(&f->server);
    free(f);
    return 0;
}

enum wire { TCP, PTY, RTU_OVER_TCP };

static void serve(struct fixture *f, enum wire wire)
{
    f->serves = true;
    if (wire == PTY)
        fake_modbus_plug_in(&f->server);
    else
        fake_modbus_listen(&f->server, wire == TCP);
}

/* Starts the driver on the server with short times. `more` is the rest of the section. */
static void start(struct fixture *f, const char *more)
{
    static const char times[] = "interval = \"50ms\"; timeout = \"150ms\"; backoff_max = \"1s\"; "
                                "baud = 115200; ";
    char *section;

    if (f->server.is_pty)
        section =
            mem_printf("transport = \"rtu\"; device = \"%s\"; %s%s", f->server.device, times, more);
    else
        section = mem_printf("transport = \"%s\"; host = \"127.0.0.1\"; port = %d; %s%s",
                             f->server.frames_are_tcp ? "tcp" : "rtu-over-tcp", f->server.port,
                             times, more);
    house_start(&f->house, &driver_modbus, section);
    free(section);
}

static struct live_value value_of(struct fixture *f, const char *unit, const char *point)
{
    struct live_value value = { 0 };

    (void)live_find(f->house.live, "ledbus", unit, point, &value);
    return value;
}

struct wanted {
    const char *unit, *point;
    enum live_state state;
    double number;
    const char *text; /* NULL: the number counts */
};

static bool is_as_wanted(struct fake_house *h, void *arg)
{
    const struct wanted *w = arg;
    struct live_value value;

    (void)live_find(h->live, "ledbus", w->unit, w->point, &value);
    if (value.state != w->state)
        return false;
    if (w->state != LIVE_GOOD)
        return true;
    return w->text ? value.is_text && strcmp(value.text, w->text) == 0
                   : value.number > w->number - 1e-6 && value.number < w->number + 1e-6;
}

static void wait_wanted(struct fixture *f, struct wanted wanted)
{
    struct live_value value;

    if (house_until(&f->house, is_as_wanted, &wanted, LIMIT_MS))
        return;
    value = value_of(f, wanted.unit, wanted.point);
    fail_msg("%s %s is %s %g \"%s\"; the source %s: %s", wanted.unit, wanted.point,
             live_state_name(value.state), value.number, value.text,
             source_state_name(f->house.health.state), f->house.health.why);
}

static void wait_number(struct fixture *f, const char *unit, const char *point, double number)
{
    wait_wanted(f, (struct wanted){ unit, point, LIVE_GOOD, number, NULL });
}

static void wait_text(struct fixture *f, const char *unit, const char *point, const char *text)
{
    wait_wanted(f, (struct wanted){ unit, point, LIVE_GOOD, 0, text });
}

static void wait_state(struct fixture *f, const char *unit, const char *point,
                       enum live_state state)
{
    wait_wanted(f, (struct wanted){ unit, point, state, 0, NULL });
}

static bool has_health(struct fake_house *h, void *arg)
{
    const struct health *wanted = arg;

    return h->health.state == wanted->state && strstr(h->health.why, wanted->why);
}

static void wait_health(struct fixture *f, enum source_state state, const char *why)
{
    struct health wanted = { .state = state };

    snprintf(wanted.why, sizeof wanted.why, "%s", why);
    if (!house_until(&f->house, has_health, &wanted, LIMIT_MS))
        fail_msg("%s: %s", source_state_name(f->house.health.state), f->house.health.why);
}

static bool has_condition(struct fake_house *h, void *text)
{
    struct fixture *f = (struct fixture *)(void *)h;

    for (; f->conditions_seen < h->condition_count; f->conditions_seen++)
        if (strcmp(h->conditions[f->conditions_seen], text) == 0)
            return true;
    return false;
}

/* From now on, or among those not looked at yet. */
static void wait_condition(struct fixture *f, const char *text)
{
    char copy[80];

    snprintf(copy, sizeof copy, "%s", text);
    f->conditions_seen = 0;
    if (!house_until(&f->house, has_condition, copy, LIMIT_MS))
        fail_msg("no condition \"%s\"; the source %s: %s", text,
                 source_state_name(f->house.health.state), f->house.health.why);
}

/* --- What it reads */

static const char two_lamps[] = "units = ( { name = \"lamp1\"; id = 1; }, "
                                "{ name = \"lamp2\"; id = 2; } );";

static void test_reads(struct fixture *f, enum wire wire)
{
    fake_modbus_add(&f->server, 1);
    fake_modbus_add(&f->server, 2)->holding[6] = 11999;
    serve(f, wire);
    start(f, two_lamps);
    wait_number(f, "lamp1", "supply_mv", 12034);
    wait_number(f, "lamp2", "supply_mv", 11999);
    wait_number(f, "lamp1", "temperature", -1.0);
    wait_number(f, "lamp1", "run_s", 65538);
    wait_number(f, "lamp1", "status.displaying", 1);
    wait_number(f, "lamp1", "status.selftest_done", 0);
    wait_text(f, "lamp1", "show_state", "hired");
    wait_text(f, "lamp1", "firmware", "1.23");
    wait_text(f, "lamp1", "serial", "LED00");
    assert_string_equal(value_of(f, "lamp1", "supply_mv").measure, "mV");
    wait_health(f, SOURCE_WELL, "");
}

static void test_reads_tcp(void **state)
{
    test_reads(*state, TCP);
}

static void test_reads_pty(void **state)
{
    test_reads(*state, PTY);
}

static void test_reads_rtu_over_tcp(void **state)
{
    test_reads(*state, RTU_OVER_TCP);
}

/* --- What goes wrong on the line */

static void silent_unit(struct fixture *f, enum wire wire)
{
    fake_modbus_add(&f->server, 1);
    fake_modbus_add(&f->server, 2);
    serve(f, wire);
    fake_modbus_fault(&f->server, 2, FAKE_SILENT, 0, -1);
    start(f, "retries = 1; units = ( { name = \"lamp1\"; id = 1; device = \"L-1\"; }, "
             "{ name = \"lamp2\"; id = 2; device = \"L-2\"; } );");
    wait_health(f, SOURCE_DEGRADED, "lamp2 (1 of 2) does not answer: check power, wiring and id");
    wait_state(f, "lamp2", "supply_mv", LIVE_FAILED);
    wait_number(f, "lamp1", "supply_mv", 12034);
    wait_condition(f, "L-2 no_answer active");
    wait_condition(f, "L-1 no_answer clear");
    fake_modbus_fault(&f->server, 2, FAKE_WELL, 0, 0);
    wait_health(f, SOURCE_WELL, "");
    wait_number(f, "lamp2", "supply_mv", 12034);
    wait_condition(f, "L-2 no_answer clear");
}

static void test_silent_tcp(void **state)
{
    silent_unit(*state, TCP);
}

static void test_silent_pty(void **state)
{
    silent_unit(*state, PTY);
}

/* Where nobody answers the line is suspect: no lamp is accused. */
static void test_nobody_answers(void **state)
{
    struct fixture *f = *state;

    fake_modbus_add(&f->server, 9);
    serve(f, PTY);
    start(f, "retries = 0; units = ( { name = \"lamp1\"; id = 1; device = \"L-1\"; }, "
             "{ name = \"lamp2\"; id = 2; } );");
    wait_health(f, SOURCE_DOWN, "no unit answers on /tmp/fake_modbus.");
    assert_int_equal(f->house.condition_count, 0);
}

/* Answers that come after their time must never be taken for those of the next question. Each of
 * the two requests has its own values; the unit is always late, by less or by more than the
 * time-out. */
static void late_answers(struct fixture *f, enum wire wire, int late_ms)
{
    struct fake_unit *u = fake_modbus_add(&f->server, 1);
    struct live_value a, b;

    u->holding[60] = 60;
    u->holding[90] = 90;
    fake_modbus_add(&f->server, 2)->holding[60] = 160;
    serve(f, wire);
    start(f, "maps = ( { name = \"two\"; points = ( { name = \"a\"; address = 60; }, "
             "{ name = \"b\"; address = 90; } ); } ); "
             "units = ( { name = \"u1\"; id = 1; map = \"two\"; timeout = \"80ms\"; }, "
             "{ name = \"u2\"; id = 2; map = \"two\"; timeout = \"80ms\"; } );");
    wait_number(f, "u1", "b", 90);
    fake_modbus_fault(&f->server, 1, FAKE_LATE, late_ms, -1);
    for (int i = 0; i < 40; i++) {
        house_turn(&f->house, 50);
        a = value_of(f, "u1", "a");
        b = value_of(f, "u1", "b");
        assert_true(a.state != LIVE_GOOD || a.number == 60);
        assert_true(b.state != LIVE_GOOD || b.number == 90);
        a = value_of(f, "u2", "a");
        assert_true(a.state != LIVE_GOOD || a.number == 160);
    }
    fake_modbus_fault(&f->server, 1, FAKE_WELL, 0, 0);
    wait_health(f, SOURCE_WELL, "");
    wait_number(f, "u2", "a", 160);
    wait_number(f, "u1", "b", 90);
}

static void test_late_tcp(void **state)
{
    late_answers(*state, TCP, 120);
}

static void test_late_pty(void **state)
{
    late_answers(*state, PTY, 120);
}

static void test_very_late_pty(void **state)
{
    late_answers(*state, PTY, 210);
}

static void test_late_rtu_over_tcp(void **state)
{
    late_answers(*state, RTU_OVER_TCP, 120);
}

/* One bad answer of each kind is nobody's fault: it is asked again. */
static void test_one_bad_answer(void **state)
{
    static const struct {
        enum fake_fault fault;
        int argument;
        const char *count; /* that the bus then shows as 1 at least */
    } cases[] = {
        { FAKE_BAD_CRC, 0, "damaged" },
        { FAKE_WRONG_UNIT, 0, "stray" },
        { FAKE_HALF, 0, "time_outs" },
        { FAKE_SILENT, 0, "time_outs" },
        { FAKE_BABBLE, 7, NULL },
        { FAKE_EXCEPTION, 5, "exceptions" },
        { FAKE_EXCEPTION, 6, "exceptions" },
    };
    struct fixture *f = *state;

    fake_modbus_add(&f->server, 1);
    serve(f, PTY);
    start(f, "units = ( { name = \"lamp1\"; id = 1; } );");
    wait_health(f, SOURCE_WELL, "");
    for (size_t i = 0; i < LENGTH(cases); i++) {
        size_t asked;

        fake_modbus_fault(&f->server, 1, cases[i].fault, cases[i].argument, 1);
        fake_modbus_lock(&f->server);
        f->server.units[0].holding[6] = (uint16_t)(12100 + i);
        asked = f->server.units[0].asked;
        fake_modbus_unlock(&f->server);
        wait_number(f, "lamp1", "supply_mv", 12100 + (double)i);
        fake_modbus_lock(&f->server);
        assert_int_equal(f->server.units[0].times, 0); /* it did go wrong */
        assert_true(f->server.units[0].asked >= asked + 2);
        fake_modbus_unlock(&f->server);
        assert_int_equal(f->house.health.state, SOURCE_WELL);
    }
}

/* Each kind for ever is a unit that does not answer; then it is well again by itself. */
static void test_always_bad(void **state)
{
    static const enum fake_fault faults[] = { FAKE_BAD_CRC, FAKE_WRONG_UNIT, FAKE_HALF };
    struct fixture *f = *state;

    fake_modbus_add(&f->server, 1);
    fake_modbus_add(&f->server, 2);
    serve(f, PTY);
    start(f, two_lamps);
    for (size_t i = 0; i < LENGTH(faults); i++) {
        wait_health(f, SOURCE_WELL, "");
        fake_modbus_fault(&f->server, 2, faults[i], 0, -1);
        wait_health(f, SOURCE_DEGRADED, "lamp2 (1 of 2) does not answer");
        fake_modbus_fault(&f->server, 2, FAKE_WELL, 0, 0);
    }
    wait_health(f, SOURCE_WELL, "");
}

static void test_gateway(void **state)
{
    struct fixture *f = *state;

    fake_modbus_add(&f->server, 1);
    serve(f, TCP);
    fake_modbus_fault(&f->server, 1, FAKE_EXCEPTION, 0x0B, -1);
    start(f, "units = ( { name = \"lamp1\"; id = 1; device = \"L-1\"; } );");
    wait_health(f, SOURCE_DOWN, "no unit answers on 127.0.0.1");
    wait_condition(f, "L-1 no_answer active"); /* the gateway is there, so it is the lamp */
    fake_modbus_fault(&f->server, 1, FAKE_WELL, 0, 0);
    wait_health(f, SOURCE_WELL, "");
}

static void test_device_failure(void **state)
{
    struct fixture *f = *state;

    fake_modbus_add(&f->server, 1);
    serve(f, TCP);
    fake_modbus_fault(&f->server, 1, FAKE_EXCEPTION, 4, -1);
    start(f, "units = ( { name = \"lamp1\"; id = 1; device = \"L-1\"; } );");
    wait_health(f, SOURCE_DEGRADED, "lamp1: the device itself says that it has failed");
    wait_condition(f, "L-1 led_controller active");
    wait_state(f, "lamp1", "supply_mv", LIVE_FAILED);
    fake_modbus_fault(&f->server, 1, FAKE_WELL, 0, 0);
    wait_health(f, SOURCE_WELL, "");
    wait_condition(f, "L-1 led_controller clear");
}

static void test_faults_of_devices(void **state)
{
    struct fixture *f = *state;

    fake_modbus_add(&f->server, 1)->holding[1] = 1 << 4; /* lamp or driver */
    serve(f, TCP);
    start(f, "units = ( { name = \"lamp1\"; id = 1; device = \"L-1\"; } );");
    wait_condition(f, "L-1 led_driver active");
    wait_condition(f, "L-1 led_module clear");
    fake_modbus_lock(&f->server);
    f->server.units[0].holding[1] = 0;
    f->server.units[0].holding[2] = 3;
    fake_modbus_unlock(&f->server);
    wait_condition(f, "L-1 led_driver clear");
    wait_condition(f, "L-1 led_module active");
    assert_int_equal(f->house.health.state, SOURCE_WELL); /* the bus is */
}

static void test_health_of_boards(void **state)
{
    struct fixture *f = *state;

    fake_modbus_add(&f->server, 1);
    serve(f, PTY);
    start(f, "units = ( { name = \"lamp1\"; id = 1; health = \"diagnostic\"; "
             "device = \"L-1\"; } );");
    wait_text(f, "lamp1", "health", "works");
    fake_modbus_lock(&f->server);
    f->server.units[0].diagnostic = 1;
    fake_modbus_unlock(&f->server);
    wait_text(f, "lamp1", "health", "broken");
    wait_condition(f, "L-1 led_controller active");
    wait_health(f, SOURCE_DEGRADED, "lamp1: the device itself says that it has failed");
}

/* A map that asks for what the unit has not: the request is split, and only that point is lost. */
static void test_illegal_address(void **state)
{
    struct fixture *f = *state;
    struct fake_unit *u = fake_modbus_add(&f->server, 1);

    u->hole_at = 7;
    u->hole_count = 1;
    serve(f, PTY);
    start(f, "units = ( { name = \"lamp1\"; id = 1; } );");
    wait_health(f, SOURCE_DEGRADED,
                "unit lamp1 has no led_ma (function 3, address 7): take the point out of map led");
    wait_state(f, "lamp1", "led_ma", LIVE_UNSUPPORTED);
    wait_number(f, "lamp1", "supply_mv", 12034);
    wait_text(f, "lamp1", "serial", "LED00");
}

/* A hole between points, or a shorter request than the map allows, is nobody's loss. */
static void test_refused_but_whole(void **state)
{
    static const char map[] = "maps = ( { name = \"m\"; points = ( "
                              "{ name = \"a\"; address = 60; }, { name = \"b\"; address = 61; }, "
                              "{ name = \"c\"; address = 65; } ); } ); "
                              "units = ( { name = \"u1\"; id = 1; map = \"m\"; } );";
    struct fixture *f = *state;
    struct fake_unit *u = fake_modbus_add(&f->server, 1);

    u->hole_at = 62;
    u->hole_count = 2;
    u->registers_max = 1;
    for (uint16_t i = 60; i < 70; i++)
        u->holding[i] = i;
    serve(f, PTY);
    start(f, map);
    wait_number(f, "u1", "a", 60);
    wait_number(f, "u1", "c", 65);
    wait_health(f, SOURCE_WELL, "");
    fake_modbus_lock(&f->server);
    f->server.units[0].holding[61] = 161;
    fake_modbus_unlock(&f->server);
    wait_number(f, "u1", "b", 161);
}

static void test_bits(void **state)
{
    struct fixture *f = *state;
    struct fake_unit *u = fake_modbus_add(&f->server, 1);

    u->coils[3] = 1;
    u->discrete[9] = 1;
    u->input[5] = 777;
    serve(f, PTY);
    start(f, "maps = ( { name = \"m\"; points = ( "
             "{ name = \"c2\"; function = 1; address = 2; type = \"bit\"; }, "
             "{ name = \"c3\"; function = 1; address = 3; type = \"bit\"; }, "
             "{ name = \"d9\"; function = 2; address = 9; type = \"bit\"; }, "
             "{ name = \"i5\"; function = 4; address = 5; scale = 0.1; offset = -7; "
             "poll = \"fast\"; } ); } ); "
             "units = ( { name = \"u1\"; id = 1; map = \"m\"; } );");
    wait_number(f, "u1", "c2", 0);
    wait_number(f, "u1", "c3", 1);
    wait_number(f, "u1", "d9", 1);
    wait_number(f, "u1", "i5", 70.7);
}

static void test_echo(void **state)
{
    struct fixture *f = *state;

    fake_modbus_add(&f->server, 1);
    fake_modbus_add(&f->server, 2);
    f->server.echoes = true;
    serve(f, PTY);
    start(f, "echo = true; units = ( { name = \"lamp1\"; id = 1; health = \"diagnostic\"; }, "
             "{ name = \"lamp2\"; id = 2; } );");
    wait_number(f, "lamp1", "supply_mv", 12034);
    wait_text(f, "lamp2", "show_state", "hired");
    wait_text(f, "lamp1", "health", "works");
    fake_modbus_fault(&f->server, 2, FAKE_SILENT, 0, -1);
    wait_health(f, SOURCE_DEGRADED, "lamp2 (1 of 2) does not answer");
    fake_modbus_fault(&f->server, 2, FAKE_WELL, 0, 0);
    wait_health(f, SOURCE_WELL, "");
}

static void test_adapter_pulled(void **state)
{
    struct fixture *f = *state;

    fake_modbus_add(&f->server, 1);
    serve(f, PTY);
    start(f, "units = ( { name = \"lamp1\"; id = 1; device = \"L-1\"; } );");
    wait_number(f, "lamp1", "supply_mv", 12034);
    fake_modbus_pull_out(&f->server);
    wait_health(f, SOURCE_DOWN, "adapter is not there: plug the adapter in; it is found by itself");
    wait_state(f, "lamp1", "supply_mv", LIVE_FAILED);
    assert_true(f->house.next_attempt_at > 0);
    fake_modbus_plug_in(&f->server);
    wait_health(f, SOURCE_WELL, "");
    wait_number(f, "lamp1", "supply_mv", 12034);
    for (size_t i = 0; i < f->house.condition_count; i++) /* the lamp is not accused of it */
        assert_string_not_equal(f->house.conditions[i], "L-1 no_answer active");
}

static void test_host_gone(void **state)
{
    struct fixture *f = *state;

    fake_modbus_add(&f->server, 1);
    serve(f, TCP);
    start(f, "units = ( { name = \"lamp1\"; id = 1; } );");
    wait_health(f, SOURCE_WELL, "");
    fake_modbus_stop(&f->server);
    wait_health(f, SOURCE_DOWN, "Connection refused");
    f->server.connection_count = 0;
    fake_modbus_listen(&f->server, true);
    wait_health(f, SOURCE_WELL, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_reads_tcp, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reads_pty, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reads_rtu_over_tcp, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_silent_tcp, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_silent_pty, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nobody_answers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_late_tcp, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_late_pty, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_very_late_pty, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_late_rtu_over_tcp, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_one_bad_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_always_bad, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_gateway, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_device_failure, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_faults_of_devices, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_health_of_boards, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_illegal_address, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refused_but_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_echo, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_adapter_pulled, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_host_gone, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
