/* What people ask of a modbus source: explicit acts, the probe, the check of a configuration; and
 * that it gets on with a server that is libmodbus's own. */
#include "modbus_fixture.h"

#include <modbus.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>

#include "config/conf_tree.h"
#include "tests/lib/house_expect.h"

/* --- Explicit acts */

/* Asks and waits; the answer is in the command. */
static struct command act(struct fixture *f, const char *unit, const char *verb,
                          const char *argument, int64_t timeout_ms)
{
    struct house_act act;
    int rc = house_act(&f->house, &act, unit, verb, argument, timeout_ms);

    if (rc < 0)
        act.command.status = rc;
    else
        house_expect_done(&f->house, &act);
    return act.command;
}

/* A controller that does what is written to it, after as many reads as make it take its time. */
static void obey(struct fake_unit *u, uint16_t address, uint16_t value)
{
    switch (address) {
    case 32: /* self-test: ends at once, finds 3 pixels */
        u->holding[0] |= 1 << 3;
        u->holding[3] = 3;
        break;
    case 33:
        u->holding[8] = value;
        break;
    case 34:
        u->holding[4] = value ? value : 47;
        break;
    case 35:
        u->holding[10] = u->holding[11] = 0;
        break;
    default:
        break;
    }
}

static void test_acts(void **state)
{
    static const struct {
        const char *verb, *argument, *result;
    } cases[] = {
        { "self_test", "", "{\"pixel_faults\":3}" },
        { "show", "4", "{\"show_state\":\"alarm\"}" },
        { "show", "shift_change", "{\"show_state\":\"shift_change\"}" },
        { "brightness", "80", "{\"brightness\":80}" },
        { "brightness", "0", "{\"brightness\":47}" },
        { "text", "空车 TAXI", "{\"read_back\":\"registers\"}" },
        { "reset", "", "{\"run_s\":0}" },
    };
    struct fixture *f = *state;
    struct fake_unit *u = fake_modbus_add(&f->server, 1);

    u->on_write = obey;
    serve(f, PTY);
    start(f, "units = ( { name = \"lamp1\"; id = 1; } );");
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct command c = act(f, "lamp1", cases[i].verb, cases[i].argument, 5000);

        if (c.status != 0 || strcmp(c.result, cases[i].result) != 0)
            fail_msg("%s %s: %d %s %s", cases[i].verb, cases[i].argument, c.status,
                     c.status ? c.err.text : "", c.result);
    }
    wait_text(f, "lamp1", "show_state", "shift_change");
    fake_modbus_lock(&f->server);
    assert_int_equal(u->holding[64], 0xBFD5); /* GBK of the first character */
    assert_int_equal(u->holding[65], 0xB3B5);
    assert_int_equal(u->holding[66], 0x2054);
    fake_modbus_unlock(&f->server);
}

static void test_acts_that_fail(void **state)
{
    static const struct {
        const char *unit, *verb, *argument;
        int status;
        const char *why;
    } cases[] = {
        { "lamp1", "self_test", "", -ETIMEDOUT, "self_test: it did not end in time" },
        { "lamp1", "show", "3", -EBADMSG, "show: show_state still says 1 (hired)" },
        { "lamp1", "show", "purple", -EINVAL, "show: the argument is no number or name" },
        { "lamp1", "brightness", "101", -EINVAL, "brightness: the argument is no per cent" },
        { "lamp1", "reset", "", -ETIMEDOUT, "reset: the unit did not start again in time" },
        { "lamp1", "night", "on", -EOPNOTSUPP, NULL },
        { "lamp2", "show", "1", -ETIMEDOUT, "show: the unit does not answer" },
        { "lamp3", "show", "1", -ENOENT, NULL },
        { "lamp4", "brightness", "5", -EOPNOTSUPP, "brightness: the unit has no such thing" },
    };
    struct fixture *f = *state;
    struct fake_unit *u;

    fake_modbus_add(&f->server, 1);
    fake_modbus_add(&f->server, 2);
    u = fake_modbus_add(&f->server, 4);
    u->hole_at = 34;
    u->hole_count = 1;
    serve(f, PTY);
    fake_modbus_fault(&f->server, 2, FAKE_SILENT, 0, -1);
    start(f, "retries = 0; units = ( { name = \"lamp1\"; id = 1; }, { name = \"lamp2\"; id = 2; }, "
             "{ name = \"lamp4\"; id = 4; } );");
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct command c = act(f, cases[i].unit, cases[i].verb, cases[i].argument, 400);

        if (c.status != cases[i].status || (cases[i].why && !strstr(c.err.text, cases[i].why)))
            fail_msg("%s %s %s: %d %s", cases[i].unit, cases[i].verb, cases[i].argument, c.status,
                     c.err.text);
    }
}

/* An old result is no new one: the bit of an earlier test must have gone before it counts. */
static void test_old_selftest(void **state)
{
    struct fixture *f = *state;
    struct fake_unit *u = fake_modbus_add(&f->server, 1);
    struct command c;

    u->holding[0] |= 1 << 3;
    serve(f, PTY);
    start(f, "units = ( { name = \"lamp1\"; id = 1; } );");
    c = act(f, "lamp1", "self_test", "", 400);
    assert_int_equal(c.status, -ETIMEDOUT);
    assert_non_null(strstr(c.err.text, "it did not begin"));
}

/* A sign that can only be written is believed, and the result says that nothing was read back. */
static void test_write_only(void **state)
{
    struct fixture *f = *state;
    struct fake_unit *u = fake_modbus_add(&f->server, 1);
    struct command c;

    u->is_write_only = true;
    serve(f, PTY);
    start(f, "maps = ( { name = \"sign\"; points = ( { name = \"any\"; address = 0; } ); "
             "acts = ( { verb = \"text\"; function = 16; address = 10; registers = 4; } ); } ); "
             "units = ( { name = \"sign1\"; id = 1; map = \"sign\"; } );");
    c = act(f, "sign1", "text", "HELLO", 2000);
    assert_int_equal(c.status, 0);
    assert_string_equal(c.result, "{\"read_back\":false}");
    fake_modbus_lock(&f->server);
    assert_int_equal(u->holding[10], 0x4845);
    fake_modbus_unlock(&f->server);
    c = act(f, "sign1", "text", "TOO LONG FOR IT", 2000);
    assert_int_equal(c.status, -EINVAL);
}

static void test_stops_under_way(void **state)
{
    struct fixture *f = *state;
    struct house_act self_test;

    fake_modbus_add(&f->server, 1);
    serve(f, PTY);
    start(f, "units = ( { name = \"lamp1\"; id = 1; } );");
    wait_health(f, SOURCE_WELL, "");
    assert_int_equal(house_act(&f->house, &self_test, "lamp1", COMMAND_SELF_TEST, "", 60000), 0);
    house_turn(&f->house, 100);
    assert_false(self_test.is_done);
    house_stop(&f->house);
    assert_true(self_test.is_done);
    assert_int_equal(self_test.command.status, -ECANCELED);
}

/* --- The probe */

static void test_probe(void **state)
{
    static const char *const wanted[] = {
        "lamp1 (id 1, map led)",
        "  supply_mv                3:6     > 12034 mV   | be 12034  le 559",
        "  run_s                    3:10    > 65538 s   | be 65538  le 33554688  wswap 131073",
        "  led_ma                   3:7     > no such address (exception 02)",
        "lamp2 (id 2, map led)",
        "it does not answer",
    };
    struct fixture *f = *state;
    struct fake_unit *u = fake_modbus_add(&f->server, 1);
    const struct driver_env env = { .name = "ledbus", .clock = &clock_system };
    struct mb_source_config config = {
        .transport = MB_RTU, .baud = 9600, .stop_bits = 1, .timeout_ms = 100, .registers_max = 125
    };
    struct option_tree *section;
    struct faults faults = { 0 };
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    struct err err;

    u->hole_at = 7;
    u->hole_count = 1;
    serve(f, PTY);
    section = conf_tree_parse("test", TWO_LAMPS, strlen(TWO_LAMPS), &faults);
    config.device = f->server.device;
    config.units = section->children[0];
    assert_int_equal(driver_modbus.probe(&config, &env, out, &err), 0);
    assert_int_equal(fclose(out), 0);
    for (size_t i = 0; i < LENGTH(wanted); i++)
        if (!strstr(text, wanted[i]))
            fail_msg("no \"%s\" in\n%s", wanted[i], text);
    free(text);
    option_tree_destroy(section);
}

/* --- A server that is libmodbus's own */

static void *serve_libmodbus(void *arg)
{
    modbus_t *m = arg;
    modbus_mapping_t *mapping = modbus_mapping_new(0, 0, 100, 100);
    uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
    int listener = modbus_get_socket(m), length;

    assert_true(modbus_tcp_accept(m, &listener) >= 0);
    mapping->tab_registers[6] = 12345;
    mapping->tab_input_registers[1] = 77;
    while ((length = modbus_receive(m, query)) >= 0)
        if (length > 0)
            modbus_reply(m, query, length, mapping);
    modbus_mapping_free(mapping);
    return NULL;
}

static void test_libmodbus_server(void **state)
{
    struct fixture *f = *state;
    modbus_t *m = modbus_new_tcp("127.0.0.1", 0);
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    pthread_t thread;
    char *section;
    int listener = modbus_tcp_listen(m, 1);

    assert_true(listener >= 0);
    modbus_set_socket(m, listener);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    assert_int_equal(pthread_create(&thread, NULL, serve_libmodbus, m), 0);
    section = mem_printf("transport = \"tcp\"; host = \"127.0.0.1\"; port = %d; "
                         "interval = \"50ms\"; maps = ( { name = \"m\"; points = ( "
                         "{ name = \"i1\"; function = 4; address = 1; } ); } ); "
                         "units = ( { name = \"lamp1\"; id = 1; }, "
                         "{ name = \"u2\"; id = 2; map = \"m\"; } );",
                         ntohs(address.sin_port));
    house_start(&f->house, &driver_modbus, section);
    free(section);
    wait_number(f, "lamp1", "supply_mv", 12345);
    wait_number(f, "u2", "i1", 77);
    house_stop(&f->house);
    pthread_join(thread, NULL);
    modbus_close(m);
    modbus_free(m);
    close(listener);
}

/* --- Faults of the configuration */

static void test_check(void **state)
{
#define POINTS(text)                                                                               \
    "transport = \"tcp\"; host = \"h\"; maps = ( { name = \"m\"; points = ( " text                 \
    " ); } ); units = ( { name = \"u\"; id = 1; map = \"m\"; } );"
#define UNITS(text) "transport = \"tcp\"; host = \"h\"; units = ( " text " );"
    static const struct {
        const char *section, *fault;
    } cases[] = {
        { UNITS("{ name = \"a\"; id = 1; }, { name = \"b\"; id = 1; }"),
          "unit \"b\" has id 1, and so has \"a\" on line 1: both would answer at once; give one of "
          "them another" },
        { UNITS("{ name = \"a\"; id = 0; }"), "id must be from 1 to 255, not 0" },
        { UNITS("{ name = \"a\"; id = 250; }"),
          "id 250 is reserved: write 1 to 247, or 255 for the TCP device itself" },
        { UNITS("{ name = \"a\"; id = 1; map = \"lad\"; }"),
          "there is no map \"lad\": did you mean \"led\"?" },
        { UNITS("{ name = \"a\"; id = 1; registers_max = 3; }"),
          "unit \"a\" gives 3 registers at once, and point \"serial\" of its map takes 4" },
        { UNITS("{ name = \"bus\"; id = 1; }"), "name \"bus\" is where the bus itself" },
        { "transport = \"tcp\"; host = \"h\"; units = ( );", "the bus has no unit: write units" },
        { "transport = \"rtu\"; units = ( { name = \"a\"; id = 1; } );",
          "transport = \"rtu\" needs device: add device = " },
        { "transport = \"rtu-over-tcp\"; units = ( { name = \"a\"; id = 1; } );",
          "transport = \"rtu-over-tcp\" needs host: add host = " },
        { POINTS("{ name = \"p\"; address = 40007; }"),
          "point \"p\": address 40007 is how manuals number holding register 6: write address "
          "= 6, as it goes over the wire" },
        { POINTS("{ name = \"p\"; function = 4; address = 30001; }"), "write address = 0" },
        { POINTS("{ name = \"p\"; address = 65535; type = \"u32\"; }"),
          "ends behind address 65535" },
        { POINTS("{ name = \"p\"; address = 5; type = \"u32\"; }, { name = \"q\"; address = 6; }"),
          "point \"q\" (u16 at 6) lies over \"p\" (u32 at 5, line 1), which reads the same registers "
          "as something else" },
        { POINTS("{ name = \"p\"; address = 5; }, { name = \"p\"; address = 6; }"),
          "point \"p\" is in map \"m\" already, on line 1: call it otherwise" },
        { POINTS("{ name = \"P\"; address = 5; }"), "write its name of a-z" },
        { POINTS("{ name = \"p\"; address = 5; type = \"enum\"; }"), "an enum needs values" },
        { POINTS("{ name = \"p\"; function = 1; address = 5; }"),
          "function 1 reads single bits: write type = \"bit\"" },
        { POINTS("{ name = \"p\"; address = 5; scale = 0; }"), "scale = 0 leaves nothing" },
        { POINTS("{ name = \"p\"; address = 5; scle = 2; }"),
          "a point has no setting \"scle\": did you mean \"scale\"?" },
        { POINTS("{ name = \"p\"; address = 5; faulty = { code = \"x\"; }; }"),
          "says nothing about when: add mask, equals, below or above" },
        { POINTS("{ name = \"p\"; address = 5; bit = 3; }"), "bit is for type = \"bit\"" },
        { POINTS("{ name = \"p\"; address = 5; poll = \"nomal\"; }"),
          "poll cannot be \"nomal\": did you mean \"normal\"?" },
        { "transport = \"tcp\"; host = \"h\"; maps = ( { name = \"led\"; points = ( { name = \"p\"; "
          "address = 0; } ); } ); units = ( { name = \"a\"; id = 1; } );",
          "map \"led\" is built in: call yours otherwise" },
        { "transport = \"tcp\"; host = \"h\"; maps = ( { name = \"m\"; points = ( { name = \"p\"; "
          "address = 0; } ); acts = ( { verb = \"shw\"; address = 1; read_back = \"q\"; } ); } ); "
          "units = ( { name = \"a\"; id = 1; map = \"m\"; } );",
          "there is no act \"shw\": write self_test, show, brightness, text or reset\n"
          "act \"shw\": there is no point \"q\" in this map: name one, or \"registers\"" },
        { "transport = \"tcp\"; host = \"h\"; registers_max = 1; maps = ( { name = \"m\"; points = ( "
          "{ name = \"p\"; address = 0; type = \"f32\"; } ); } ); "
          "units = ( { name = \"a\"; id = 1; map = \"m\"; } );",
          "point \"p\" takes 2 registers, and one request reads at most registers_max = 1" },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        char *faults = house_faults(&driver_modbus, cases[i].section);

        if (!strstr(faults, cases[i].fault))
            fail_msg("%s\nwanted: %s\nis: %s", cases[i].section, cases[i].fault, faults);
        free(faults);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_acts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_acts_that_fail, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_old_selftest, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_write_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stops_under_way, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_probe, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_libmodbus_server, set_up, tear_down),
        cmocka_unit_test(test_check),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
