/* The simulated bench whole, in a thread of its own: its language, its ports, and a plain libmodbus
 * client that talks to it over RTU and TCP and meets its troubles. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "tools/sim-bench/bench.h"
#include "tools/sim-bench/lamp.h"
#include <cmocka.h>
#include <modbus.h>

static struct {
    char folder[32];
    pthread_t thread;
    uv_loop_t loop;
    uv_async_t wake;
    struct bench *bench;
    struct bench_options options;
    uv_mutex_t lock;
    uv_cond_t done;
    const char *line; /* to be done by the thread */
    int rc;
    bool ending;
    struct err err;
    struct text_buffer said;
} b;

static void on_wake(uv_async_t *wake)
{
    uv_mutex_lock(&b.lock);
    if (b.ending) {
        bench_end(b.bench);
        uv_close((uv_handle_t *)wake, NULL);
    } else if (b.line) {
        text_buffer_finish(&b.said);
        b.rc = bench_do(b.bench, b.line, &b.said, &b.err);
        b.line = NULL;
        uv_cond_signal(&b.done);
    }
    uv_mutex_unlock(&b.lock);
}

static void *live(void *arg)
{
    (void)arg;
    uv_run(&b.loop, UV_RUN_DEFAULT);
    return NULL;
}

/* Has the bench do a line; what it said is in b.said. */
static int do_line(const char *line)
{
    int rc;

    uv_mutex_lock(&b.lock);
    b.line = line;
    uv_async_send(&b.wake);
    while (b.line)
        uv_cond_wait(&b.done, &b.lock);
    rc = b.rc;
    uv_mutex_unlock(&b.lock);
    if (rc < 0)
        print_message("# %s: %s\n", line, b.err.text);
    return rc;
}

static int set_up(void **state)
{
    (void)state;
    memset(&b, 0, sizeof b);
    strcpy(b.folder, "/tmp/kpid-sim.XXXXXX");
    assert_non_null(mkdtemp(b.folder));
    uv_loop_init(&b.loop);
    uv_async_init(&b.loop, &b.wake, on_wake);
    uv_mutex_init(&b.lock);
    uv_cond_init(&b.done);
    b.options = (struct bench_options){ .seed = 1, .links = b.folder, .clock = &clock_system };
    b.bench = bench_create(&b.loop, &b.options);
    return pthread_create(&b.thread, NULL, live, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    uv_mutex_lock(&b.lock);
    b.ending = true;
    uv_mutex_unlock(&b.lock);
    uv_async_send(&b.wake);
    pthread_join(b.thread, NULL);
    bench_free(b.bench);
    text_buffer_finish(&b.said);
    uv_cond_destroy(&b.done);
    uv_mutex_destroy(&b.lock);
    assert_int_equal(uv_loop_close(&b.loop), 0);
    return rmdir(b.folder); /* no link is left in it */
}

/* --- The language */

static void test_orders(void **state)
{
    static const struct {
        const char *line, *fault;
    } cases[] = {
        { "bus ledbus", NULL },
        { "  lamp lamp1..32 on ledbus id 2  # many", NULL },
        { "gps gps1 ttff 0; roof roof1", NULL },
        { "", NULL },
        { "bus ledbus", "already" },
        { "bus Led", "needs a name" },
        { "bus b2 bauds 9600", "did you mean baud" },
        { "bus b2 baud fast", "no number" },
        { "bus b2 baud", "of what?" },
        { "bus b2 transport ascii", "none of them" },
        { "lamp x on gps1", "on which bus" },
        { "lamp x on ledbus id 33", "taken" },
        { "lamp x1..3 on ledbus id 246", "beyond 247" },
        { "gps g position here", "31.2304,121.4737" },
        { "gps g log /nonexistent", "/nonexistent" },
        { "lamp1 no-answr", "did you mean no-answer" },
        { "lamp1 antenna-open", "a lamp has no trouble" },
        { "lamp1 exception 256", "no number from 1 to 255" },
        { "lamp1 late 5", "such as 2s" },
        { "lamp1 no-answer 5s", "at most \"for 5s\"" },
        { "lamp1 no-answer for ever", "at most \"for 5s\"" },
        { "lamp1", "what about lamp1" },
        { "lamp99 mend", "there is no \"lamp99\"" },
        { "at noon lamp1 mend", "a span and an order" },
        { "every 0s lamp1 mend", "a span and an order" },
        { "all no-answer", "all mend" },
        { "show lamp99", "there is no" },
        { "lamp1 exception 6 for 10s; lamp2 late 2s", NULL },
        { "lamp1 mend exception; all mend", NULL },
        { "at 1h every 1h lamp1 no-answer for 5s", NULL },
        { "help", NULL },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        int rc = do_line(cases[i].line);

        print_message("# \"%s\"\n", cases[i].line);
        assert_int_equal(rc < 0, cases[i].fault != NULL);
        if (cases[i].fault)
            assert_non_null(strstr(b.err.text, cases[i].fault));
    }
    assert_int_equal(do_line("show"), 0);
    assert_non_null(strstr(b.said.bytes, "lamp32 lamp on=ledbus id=33 "));
    assert_null(strstr(b.said.bytes, "trouble="));
}

/* Until what `line` says holds `part` (or does not). */
static bool shows(const char *line, const char *part, bool wanted)
{
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(do_line(line), 0);
        if ((strstr(b.said.bytes, part) != NULL) == wanted)
            return true;
        usleep(5000);
    }
    return false;
}

static void test_time(void **state)
{
    (void)state;
    assert_int_equal(do_line("bus ledbus; lamp lamp1 on ledbus"), 0);
    assert_int_equal(do_line("at 60ms lamp1 modules 2 for 80ms"), 0);
    assert_false(strstr((do_line("show lamp1"), b.said.bytes), "trouble=modules"));
    assert_true(shows("show lamp1", "trouble=modules", true));
    assert_true(shows("show lamp1", "trouble=modules", false));
    assert_int_equal(do_line("every 100ms lamp1 dark for 50ms"), 0);
    for (int i = 0; i < 3; i++) {
        assert_true(shows("show lamp1", "trouble=dark", true));
        assert_true(shows("show lamp1", "trouble=dark", false));
    }
}

/* --- Modbus */

static modbus_t *rtu_client(const char *name)
{
    char path[64];
    modbus_t *client;

    snprintf(path, sizeof path, "%s/%s", b.folder, name);
    client = modbus_new_rtu(path, 9600, 'N', 8, 1);
    assert_non_null(client);
    assert_int_equal(modbus_connect(client), 0);
    modbus_set_response_timeout(client, 0, 200000);
    modbus_set_slave(client, 7);
    return client;
}

static modbus_t *tcp_client(const char *name)
{
    const char *colon;
    char line[64];
    modbus_t *client;

    snprintf(line, sizeof line, "show %s", name);
    assert_int_equal(do_line(line), 0);
    colon = strstr(b.said.bytes, "127.0.0.1:");
    assert_non_null(colon);
    client = modbus_new_tcp("127.0.0.1", atoi(colon + strlen("127.0.0.1:")));
    assert_int_equal(modbus_connect(client), 0);
    modbus_set_response_timeout(client, 0, 200000);
    modbus_set_slave(client, 7);
    return client;
}

static void drop(modbus_t *client)
{
    modbus_close(client);
    modbus_free(client);
}

static void check_acts(modbus_t *client)
{
    uint16_t block[LAMP_BLOCK], text[LAMP_TEXT_REGISTERS], back[LAMP_TEXT_REGISTERS];

    assert_int_equal(modbus_read_registers(client, 0, LAMP_BLOCK, block), LAMP_BLOCK);
    assert_int_equal(block[LAMP_STATUS], 3);
    assert_int_equal(block[LAMP_SERIAL + 3], '0' << 8 | '7');
    assert_int_equal(modbus_write_register(client, LAMP_CMD_SHOW, 3), 1);
    assert_int_equal(modbus_read_registers(client, LAMP_SHOW, 1, block), 1);
    assert_int_equal(block[0], 3);
    for (int i = 0; i < LAMP_TEXT_REGISTERS; i++)
        text[i] = (uint16_t)(0xB0A1 + i);
    assert_int_equal(modbus_write_registers(client, LAMP_TEXT, LAMP_TEXT_REGISTERS, text),
                     LAMP_TEXT_REGISTERS);
    assert_int_equal(modbus_read_registers(client, LAMP_TEXT, LAMP_TEXT_REGISTERS, back),
                     LAMP_TEXT_REGISTERS);
    assert_memory_equal(text, back, sizeof text);
    assert_int_equal(modbus_read_registers(client, 10, LAMP_BLOCK, block), -1);
    assert_int_equal(errno, EMBXILADD);
    assert_int_equal(modbus_write_register(client, LAMP_CMD_SHOW, 9), -1);
    assert_int_equal(errno, EMBXILVAL);
    assert_int_equal(modbus_read_input_registers(client, 0, 1, block), -1);
    assert_int_equal(errno, EMBXILFUN);
    modbus_set_slave(client, 8); /* nobody */
    assert_int_equal(modbus_read_registers(client, 0, 1, block), -1);
    assert_int_equal(errno, ETIMEDOUT);
    modbus_set_slave(client, 7);
    modbus_flush(client);
    assert_int_equal(modbus_read_registers(client, 0, 1, block), 1);
}

static void test_rtu(void **state)
{
    modbus_t *client;

    (void)state;
    assert_int_equal(do_line("bus ledbus; lamp lamp7 on ledbus id 7"), 0);
    client = rtu_client("ledbus");
    check_acts(client);
    drop(client);
}

static void test_tcp(void **state)
{
    modbus_t *client;

    (void)state;
    assert_int_equal(do_line("bus ledtcp transport tcp; lamp lamp7 on ledtcp id 7"), 0);
    client = tcp_client("ledtcp");
    check_acts(client);
    drop(client);
}

static modbus_t *client_of(bool tcp)
{
    modbus_t *client = tcp ? tcp_client("net") : rtu_client("tty");

    modbus_flush(client);
    return client;
}

/* Troubles of the thing `who`, as a client on that transport meets them, and their end. */
static void meet(bool tcp, const char *who, const char *trouble, int want)
{
    uint16_t block[LAMP_BLOCK];
    modbus_t *client = client_of(tcp);
    char line[80];

    snprintf(line, sizeof line, "%s %s", who, trouble);
    print_message("# %s\n", line);
    assert_int_equal(do_line(line), 0);
    assert_int_equal(modbus_read_registers(client, 0, LAMP_BLOCK, block), want ? -1 : LAMP_BLOCK);
    if (want)
        assert_int_equal(errno, want);
    drop(client);
    assert_int_equal(do_line("all mend"), 0);
    client = client_of(tcp);
    assert_int_equal(modbus_read_registers(client, 0, LAMP_BLOCK, block), LAMP_BLOCK);
    drop(client);
}

static void test_troubles(void **state)
{
    static const struct {
        const char *trouble;
        int rtu, tcp; /* what errno becomes; 0: it works all the same */
    } cases[] = {
        { "no-answer", ETIMEDOUT, ETIMEDOUT },
        { "late 10s", ETIMEDOUT, ETIMEDOUT },
        { "wrong-unit", EMBBADSLAVE, 0 },
        { "crc", EMBBADCRC, EMBBADDATA },
        { "exception 6", EMBXSBUSY, EMBXSBUSY },
        { "half-frame", ETIMEDOUT, ETIMEDOUT },
        { "lacks 3", EMBXILADD, EMBXILADD },
        { "brown-out 4000", ETIMEDOUT, ETIMEDOUT },
        { "dark", 0, 0 },
    };

    (void)state;
    assert_int_equal(do_line("bus tty; lamp rtu7 on tty id 7 boot 0"), 0);
    assert_int_equal(do_line("bus net transport tcp; lamp tcp7 on net id 7 boot 0"), 0);
    for (size_t i = 0; i < LENGTH(cases); i++) {
        meet(false, "rtu7", cases[i].trouble, cases[i].rtu);
        meet(true, "tcp7", cases[i].trouble, cases[i].tcp);
    }
    meet(false, "tty", "no-answer", ETIMEDOUT);
    meet(true, "net", "no-answer", ETIMEDOUT);
}

/* The late answer really comes: into the middle of the next question. */
static void test_late(void **state)
{
    uint16_t value;
    modbus_t *client;

    (void)state;
    assert_int_equal(do_line("bus tty; lamp lamp7 on tty id 7"), 0);
    client = rtu_client("tty");
    assert_int_equal(do_line("lamp7 late 300ms"), 0);
    assert_int_equal(modbus_read_registers(client, LAMP_FIRMWARE, 1, &value), -1);
    assert_int_equal(do_line("lamp7 no-answer"), 0);
    assert_int_equal(modbus_read_registers(client, LAMP_SHOW, 1, &value), 1);
    assert_int_equal(value, 0x0203); /* the answer to the question before */
    drop(client);
}

/* --- Ports */

static int open_link(const char *name)
{
    char path[64];

    snprintf(path, sizeof path, "%s/%s", b.folder, name);
    return open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
}

/* Reads until `part` has come, for at most so long. */
static bool hears(int fd, const char *part, int limit_ms)
{
    char text[8192];
    size_t used = 0;

    for (int i = 0; i < limit_ms / 10; i++) {
        struct pollfd ready = { .fd = fd, .events = POLLIN };
        ssize_t got = poll(&ready, 1, 10) > 0 ? read(fd, text + used, sizeof text - 1 - used) : 0;

        used += got > 0 ? (size_t)got : 0;
        text[used] = '\0';
        if (strstr(text, part))
            return true;
        if (used + 1 == sizeof text)
            used = 0;
    }
    return false;
}

static void test_unplugged(void **state)
{
    char path[64], before[64] = "", after[64] = "";
    int fd;

    (void)state;
    assert_int_equal(do_line("gps gps1 every 20ms ttff 0"), 0);
    snprintf(path, sizeof path, "%s/gps1", b.folder);
    assert_true(readlink(path, before, sizeof before - 1) > 0);
    fd = open_link("gps1");
    assert_true(hears(fd, "$GNGGA,", 5000));
    assert_int_equal(do_line("gps1 unplugged"), 0);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(access(before, F_OK), -1);
    assert_int_equal(do_line("gps1 mend"), 0);
    (void)close(fd);
    assert_true(readlink(path, after, sizeof after - 1) > 0);
    assert_string_not_equal(before, after);
    fd = open_link("gps1");
    assert_true(hears(fd, "$GNGGA,", 5000));
    (void)close(fd);
}

/* What was said while nobody listened is lost. */
static void test_unheard(void **state)
{
    struct pollfd ready = { .events = POLLIN };

    (void)state;
    assert_int_equal(do_line("gps gps1 every 20ms ttff 0"), 0);
    assert_true(shows("show gps1", "bursts=5", true));
    assert_int_equal(do_line("gps1 no-answer"), 0);
    ready.fd = open_link("gps1");
    assert_int_equal(poll(&ready, 1, 100), 0);
    assert_int_equal(do_line("gps1 mend; gps1 babble 10ms"), 0);
    assert_true(hears(ready.fd, "$GNGGA,", 5000));
    (void)close(ready.fd);
}

static void test_baud(void **state)
{
    int fd;

    (void)state;
    assert_int_equal(do_line("gps gps1 every 20ms ttff 0"), 0);
    assert_int_equal(do_line("gps1 baud 4800"), 0);
    fd = open_link("gps1");
    assert_false(hears(fd, "$GNGGA,", 200));
    assert_int_equal(do_line("gps1 mend"), 0);
    assert_true(hears(fd, "$GNGGA,", 5000));
    (void)close(fd);
}

static void test_noise(void **state)
{
    int fd;

    (void)state;
    assert_int_equal(do_line("gps gps1 every 20ms ttff 0; gps1 noise 1000"), 0);
    fd = open_link("gps1");
    assert_false(hears(fd, "GGA", 200)); /* not one byte is right */
    assert_int_equal(do_line("gps1 noise 5"), 0);
    assert_true(hears(fd, "GGA", 5000)); /* most are */
    (void)close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_orders, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rtu, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_tcp, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_troubles, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_late, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unplugged, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unheard, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_baud, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_noise, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
