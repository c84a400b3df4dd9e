/* The modbus driver against units that do as the test says, over TCP, RTU on a pseudo terminal and
 * RTU through a socket: what it reads, and every way in which such buses go wrong. */
#include "modbus_fixture.h"

/* --- What it reads */

static void test_reads(struct fixture *f, enum wire wire)
{
    fake_modbus_add(&f->server, 1);
    fake_modbus_add(&f->server, 2)->holding[6] = 11999;
    serve(f, wire);
    start(f, TWO_LAMPS);
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

/* Waits until unit 1 was asked so many times more; the loop stands still meanwhile. */
static void let_ask(struct fixture *f, size_t times)
{
    size_t from = 0, asked = 0;

    for (int i = 0; i < LIMIT_MS && (i == 0 || asked < from + times); i++) {
        fake_modbus_lock(&f->server);
        asked = fake_modbus_unit(&f->server, 1)->asked;
        fake_modbus_unlock(&f->server);
        from = i == 0 ? asked : from;
        usleep(1000);
    }
    assert_true(asked >= from + times);
}

/* A loop that was held up makes values of the newest of what waits, once. */
static void test_newest_counts(void **state)
{
    struct fixture *f = *state;
    size_t told;

    fake_modbus_add(&f->server, 1);
    serve(f, TCP);
    start(f, "units = ( { name = \"lamp1\"; id = 1; } );");
    wait_number(f, "lamp1", "supply_mv", 12034);
    let_ask(f, 10);
    fake_modbus_lock(&f->server);
    fake_modbus_unit(&f->server, 1)->holding[6] = 11000;
    fake_modbus_unlock(&f->server);
    let_ask(f, 4);
    told = f->house.told;
    (void)uv_run(&f->house.loop, UV_RUN_NOWAIT);
    assert_true(value_of(f, "lamp1", "supply_mv").number < 11001);
    assert_true(f->house.told > told && f->house.told < told + 10);
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
    assert_unit_why(f, "lamp2", "no unit answers on /tmp/fake_modbus.");
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
    for (int i = 0; i < 25; i++) {
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

/* Whoever set the time-out too short is told so. */
static void test_late_is_said(void **state)
{
    struct fixture *f = *state;

    fake_modbus_add(&f->server, 1);
    fake_modbus_add(&f->server, 2);
    serve(f, PTY);
    fake_modbus_fault(&f->server, 2, FAKE_LATE, 400, -1);
    start(f, "retries = 0; units = ( { name = \"lamp1\"; id = 1; }, "
             "{ name = \"lamp2\"; id = 2; timeout = \"50ms\"; } );");
    wait_health(f, SOURCE_DEGRADED, "lamp2 (1 of 2) answers later than its timeout: raise timeout");
}

/* Over TCP, too, if it is late by less than its time-out; who is silent later is no longer late. */
static void test_late_is_said_over_tcp(void **state)
{
    struct fixture *f = *state;

    fake_modbus_add(&f->server, 1);
    fake_modbus_add(&f->server, 2);
    serve(f, TCP);
    fake_modbus_fault(&f->server, 2, FAKE_LATE, 300, -1);
    start(f, "retries = 0; units = ( { name = \"lamp1\"; id = 1; }, "
             "{ name = \"lamp2\"; id = 2; timeout = \"200ms\"; } );");
    wait_health(f, SOURCE_DEGRADED, "lamp2 (1 of 2) answers later than its timeout: raise timeout");
    assert_int_equal(value_of(f, "lamp2", "supply_mv").state, LIVE_FAILED); /* it is not taken */
    fake_modbus_fault(&f->server, 2, FAKE_SILENT, 0, -1);
    wait_health(f, SOURCE_DEGRADED, "lamp2 (1 of 2) does not answer");
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
    static const struct {
        enum fake_fault fault;
        const char *why;
    } cases[] = {
        { FAKE_BAD_CRC, "is heard, but damaged: check wiring, termination, baud" },
        { FAKE_WRONG_UNIT, "is silent while another unit answers: check the ids" },
        { FAKE_HALF, "sends half an answer: check its power and wiring" },
    };
    struct fixture *f = *state;
    char why[160];

    fake_modbus_add(&f->server, 1);
    fake_modbus_add(&f->server, 2);
    serve(f, PTY);
    start(f, TWO_LAMPS);
    for (size_t i = 0; i < LENGTH(cases); i++) {
        wait_health(f, SOURCE_WELL, "");
        fake_modbus_fault(&f->server, 2, cases[i].fault, 0, -1);
        snprintf(why, sizeof why, "lamp2 (1 of 2) %s", cases[i].why);
        wait_health(f, SOURCE_DEGRADED, why);
        assert_unit_why(f, "lamp2", cases[i].why);
        assert_unit_why(f, "lamp1", ""); /* it is not to blame for its neighbour */
        fake_modbus_fault(&f->server, 2, FAKE_WELL, 0, 0);
    }
    wait_health(f, SOURCE_WELL, "");
    assert_unit_why(f, "lamp2", "");
    assert_unit_why(f, "lamp3", ""); /* there is none */
}

static void test_gateway(void **state)
{
    struct fixture *f = *state;

    fake_modbus_add(&f->server, 1);
    serve(f, TCP);
    fake_modbus_fault(&f->server, 1, FAKE_EXCEPTION, 0x0B, -1);
    start(f, "units = ( { name = \"lamp1\"; id = 1; device = \"L-1\"; } );");
    wait_health(f, SOURCE_DOWN,
                "no unit can be read on 127.0.0.1: lamp1 does not answer, as the "
                "gateway says: check power, wiring and id");
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
    assert_unit_why(f, "lamp1", "the device itself says that it has failed: repair or replace it");
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
    wait_health(f, SOURCE_DOWN, "plug the adapter in");
    assert_unit_why(f, "lamp1", f->house.health.why);
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
        cmocka_unit_test_setup_teardown(test_newest_counts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_silent_tcp, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_silent_pty, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nobody_answers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_late_is_said, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_late_is_said_over_tcp, set_up, tear_down),
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
