/* A serial line over pseudo-terminals: settings, bytes both ways, what is said when it fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>
#include <uv.h>

#include "base/mem.h"
#include "serial_port.h"
#include "tests/lib/pty.h"

struct fixture {
    uv_loop_t loop;
    struct pty pty;
    struct serial_port *port;
    unsigned char got[65536];
    size_t got_length;
    size_t gone_count;
    struct err why;
    bool close_on_bytes, close_on_gone;
};

static const struct serial_settings plain = { .baud = 9600 };

static int set_up(void **state)
{
    struct fixture *f = mem_zalloc(sizeof *f);

    assert_int_equal(uv_loop_init(&f->loop), 0);
    pty_open(&f->pty, NULL);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    serial_port_close(f->port);
    pty_pull(&f->pty);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    free(f);
    return 0;
}

static void on_bytes(void *arg, const unsigned char *bytes, size_t length)
{
    struct fixture *f = arg;

    assert_true(length <= sizeof f->got - f->got_length);
    memcpy(f->got + f->got_length, bytes, length);
    f->got_length += length;
    if (f->close_on_bytes) {
        serial_port_close(f->port);
        f->port = NULL;
    }
}

static void on_gone(void *arg, const struct err *why)
{
    struct fixture *f = arg;

    f->gone_count++;
    f->why = *why;
    if (f->close_on_gone) {
        serial_port_close(f->port);
        f->port = NULL;
    }
}

static int try_open(struct fixture *f, const char *path, const struct serial_settings *settings,
                    struct err *err)
{
    const struct serial_handlers handlers = { on_bytes, on_gone, f };

    return serial_port_open(&f->port, &f->loop, path, settings, &handlers, err);
}

static void open_port(struct fixture *f, const struct serial_settings *settings)
{
    struct err err = { 0 };

    if (try_open(f, f->pty.device, settings, &err) < 0)
        fail_msg("open: %s", err.text);
}

static void on_tick(uv_timer_t *timer)
{
    (void)timer;
}

/* Turns the loop until `*value` is at least `want`, for at most ten seconds. */
static void turn_until(struct fixture *f, const size_t *value, size_t want)
{
    uv_timer_t tick;

    assert_int_equal(uv_timer_init(&f->loop, &tick), 0);
    uv_timer_start(&tick, on_tick, 10, 10);
    for (int i = 0; i < 1000 && *value < want; i++)
        uv_run(&f->loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&tick, NULL);
    uv_run(&f->loop, UV_RUN_NOWAIT);
}

static void turn_until_gone(struct fixture *f)
{
    turn_until(f, &f->gone_count, 1);
    assert_int_equal(f->gone_count, 1);
}

static void test_bytes_both_ways(void **state)
{
    static const unsigned char all[] = { 0x00, 0x03, 0x04, 0x0a, 0x0d, 0x11, 0x13,
                                         0x1a, 0x55, 0x7f, 0x80, 0xaa, 0xff, 0xff };
    struct fixture *f = *state;
    unsigned char heard[64];
    size_t length = 0;

    open_port(f, &plain);
    pty_say(&f->pty, all, sizeof all);
    turn_until(f, &f->got_length, sizeof all);
    assert_int_equal(f->got_length, sizeof all);
    assert_memory_equal(f->got, all, sizeof all);

    assert_int_equal(serial_port_write(f->port, all, sizeof all), 0);
    for (int i = 0; i < 1000 && length < sizeof all; i++) {
        uv_run(&f->loop, UV_RUN_NOWAIT);
        length += pty_hear(&f->pty, heard + length, sizeof heard - length);
    }
    assert_int_equal(length, sizeof all);
    assert_memory_equal(heard, all, sizeof all);
}

static void test_settings(void **state)
{
    static const struct {
        uint32_t baud;
        speed_t speed;
    } cases[] = {
        { 1200, B1200 },     { 9600, B9600 },     { 38400, B38400 },
        { 115200, B115200 }, { 576000, B576000 }, { 921600, B921600 },
    };
    struct fixture *f = *state;
    struct err err;
    struct termios line;

    open_port(f, &plain);
    for (size_t i = 0; i < LENGTH(cases); i++) {
        const struct serial_settings s = { .baud = cases[i].baud, .stop_bits = 2 };

        assert_int_equal(serial_port_set(f->port, &s, &err), 0);
        assert_int_equal(tcgetattr(f->pty.master, &line), 0);
        assert_int_equal(cfgetospeed(&line), cases[i].speed);
        assert_true(line.c_cflag & CSTOPB);
        assert_false(line.c_lflag & (ICANON | ECHO | ISIG));
        assert_false(line.c_oflag & OPOST);
        assert_false(line.c_iflag & (ICRNL | IXON | ISTRIP));
    }
}

static void test_settings_refused(void **state)
{
    static const struct {
        const char *what;
        struct serial_settings settings;
        const char *says;
    } cases[] = {
        { "a rate that is none",
          { .baud = 14400 },
          "baud 14400 is no standard rate: write one of" },
        { "no rate", { .baud = 0 }, "baud 0 is no standard rate" },
        { "a rate beyond", { .baud = 1000000 }, "no standard rate" },
        { "nine data bits", { .baud = 9600, .data_bits = 9 }, "5 to 8 data bits" },
        { "three stop bits", { .baud = 9600, .stop_bits = 3 }, "1 or 2 stop bits" },
    };
    struct fixture *f = *state;
    struct err err;

    for (size_t i = 0; i < LENGTH(cases); i++) {
        print_message("# %s\n", cases[i].what);
        assert_int_equal(try_open(f, f->pty.device, &cases[i].settings, &err), -EINVAL);
        assert_non_null(strstr(err.text, cases[i].says));
        assert_non_null(strstr(err.text, f->pty.device));
    }
}

static void test_baud_is_checked(void **state)
{
    struct option_tree section = { .type = TREE_GROUP };
    struct faults faults = { 0 };
    char file[] = "kpid.conf";

    (void)state;
    section.file = file;
    section.line = 7;
    serial_check_baud(115200, &section, &faults);
    assert_int_equal(faults.count, 0);
    serial_check_baud(128000, &section, &faults);
    assert_int_equal(faults.count, 1);
    assert_int_equal(faults.items[0].line, 7);
    assert_non_null(strstr(faults.items[0].text, "128000 is no standard rate"));
    faults_finish(&faults);
}

static void test_cannot_open(void **state)
{
    struct fixture *f = *state;
    char file[] = "/tmp/test_serial_port.XXXXXX";
    int fd = mkstemp(file);
    struct err err;

    assert_true(fd >= 0);
    assert_int_equal(try_open(f, "/nowhere/lamp", &plain, &err), -ENOENT);
    assert_non_null(strstr(err.text, "/nowhere/lamp is not there: plug the adapter in"));
    assert_int_equal(try_open(f, file, &plain, &err), -ENOTTY);
    assert_non_null(strstr(err.text, "is no serial line"));
    assert_int_equal(try_open(f, "/dev/null", &plain, &err), -ENOTTY);
    close(fd);
    unlink(file);
}

/* Opens as a user without rights: root is nobody for the while. */
static int open_as_stranger(struct fixture *f, mode_t mode, struct err *err)
{
    int rc;

    assert_int_equal(chmod(f->pty.device, mode), 0);
    assert_true(geteuid() != 0 || seteuid(65534) == 0);
    rc = try_open(f, f->pty.device, &plain, err);
    assert_true(getuid() != 0 || seteuid(0) == 0);
    return rc;
}

/* The group and the user are named, so that the command can be pasted. */
static void test_permission(void **state)
{
    struct fixture *f = *state;
    struct err err;

    assert_int_equal(open_as_stranger(f, 0000, &err), -EACCES);
    assert_non_null(strstr(err.text, "a udev rule must open it"));
    if (geteuid() != 0)
        skip(); /* the owner needs no group */
    assert_int_equal(chown(f->pty.device, 0, 20), 0); /* dialout, in Debian */
    assert_int_equal(open_as_stranger(f, 0660, &err), -EACCES);
    assert_non_null(strstr(err.text, "add user nobody to group dialout (usermod -aG dialout "
                                     "nobody)"));
}

static void test_exclusive(void **state)
{
    struct fixture *f = *state;
    int other, is_exclusive = 0;
    struct err err;

    open_port(f, &plain);
    assert_int_equal(ioctl(f->pty.master, TIOCGEXCL, &is_exclusive), 0);
    other = serial_open_fd(f->pty.device, &plain, &err);
    assert_int_equal(other, -EBUSY);
    assert_non_null(strstr(err.text, "is in use by another program"));

    serial_port_close(f->port);
    f->port = NULL;
    other = serial_open_fd(f->pty.device, &plain, &err); /* at once, not a turn later */
    assert_true(other >= 0);
    close(other);
}

static void test_pulled_out(void **state)
{
    struct fixture *f = *state;

    open_port(f, &plain);
    pty_say(&f->pty, "last", 4);
    pty_pull(&f->pty);
    turn_until_gone(f);
    for (int i = 0; i < 20; i++)
        uv_run(&f->loop, UV_RUN_NOWAIT);
    assert_int_equal(f->gone_count, 1);
    assert_non_null(strstr(f->why.text, "is gone: plug the adapter in again"));
    assert_int_equal(f->why.code, -EIO);
    assert_int_equal(serial_port_write(f->port, "x", 1), -EIO);
    assert_int_equal(serial_port_set(f->port, &plain, NULL), -EIO);
    serial_port_discard(f->port);
}

static void test_written_to_when_pulled_out(void **state)
{
    struct fixture *f = *state;

    open_port(f, &plain);
    pty_pull(&f->pty);
    (void)serial_port_write(f->port, "x", 1);
    turn_until_gone(f);
    assert_int_equal(f->gone_count, 1);
}

static void test_closed_from_a_handler(void **state)
{
    struct fixture *f = *state;

    f->close_on_bytes = true;
    open_port(f, &plain);
    pty_say(&f->pty, "ab", 2);
    turn_until(f, &f->got_length, 2);
    assert_null(f->port);

    f->close_on_bytes = false;
    f->close_on_gone = true;
    open_port(f, &plain);
    pty_pull(&f->pty);
    turn_until_gone(f);
    assert_null(f->port);
}

/* A device that takes nothing: the queue fills and then refuses whole messages. */
static void test_queue_is_bounded(void **state)
{
    struct fixture *f = *state;
    unsigned char message[512], heard[4096];
    size_t taken = 0, came = 0;

    memset(message, 'm', sizeof message);
    open_port(f, &plain);
    while (serial_port_write(f->port, message, sizeof message) == 0) {
        taken += sizeof message;
        assert_true(taken < 1024 * 1024);
    }
    assert_int_equal(serial_port_write(f->port, message, sizeof message), -ENOBUFS);
    assert_true(taken >= SERIAL_QUEUE_SIZE);
    for (int i = 0; i < 5000 && came < taken; i++) {
        came += pty_hear(&f->pty, heard, sizeof heard);
        uv_run(&f->loop, UV_RUN_NOWAIT);
    }
    assert_int_equal(came, taken);
    assert_int_equal(serial_port_write(f->port, message, sizeof message), 0);
}

static void test_discard(void **state)
{
    struct fixture *f = *state;

    open_port(f, &plain);
    pty_say(&f->pty, "late", 4);
    usleep(20000); /* a pseudo-terminal hands over on the kernel's queue */
    serial_port_discard(f->port);
    pty_say(&f->pty, "now", 3);
    turn_until(f, &f->got_length, 3);
    assert_int_equal(f->got_length, 3);
    assert_memory_equal(f->got, "now", 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_bytes_both_ways, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_settings, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_settings_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_baud_is_checked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cannot_open, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_permission, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_exclusive, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_pulled_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_written_to_when_pulled_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_closed_from_a_handler, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_queue_is_bounded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_discard, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
