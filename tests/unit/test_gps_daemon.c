/* The gpsd driver with a gpsd that the test plays, and with a real one where there is one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "gps_daemon.h"
#include "tests/lib/fake_tcp.h"
#include "tests/lib/house_expect.h"

#define GPSD "/usr/sbin/gpsd"
#define LOG  "tests/data/nmea/quectel-l76k-nmea.log"

static const char version[] =
    "{\"class\":\"VERSION\",\"release\":\"3.22\",\"rev\":\"3.22\",\"proto_major\":3,"
    "\"proto_minor\":14}\r\n";
static const char no_devices[] = "{\"class\":\"DEVICES\",\"devices\":[]}\r\n";
static const char one_device[] =
    "{\"class\":\"DEVICES\",\"devices\":[{\"class\":\"DEVICE\",\"path\":\"/dev/ttyUSB0\",\"driver\":"
    "\"NMEA0183\",\"activated\":\"2026-11-26T07:24:59.316Z\",\"flags\":1,\"native\":0,\"bps\":38400,"
    "\"parity\":\"N\",\"stopbits\":1,\"cycle\":1.00}]}\r\n";
static const char sky[] =
    "{\"class\":\"SKY\",\"device\":\"%s\",\"hdop\":0.90,\"nSat\":5,\"uSat\":4,\"satellites\":["
    "{\"PRN\":1,\"el\":17.0,\"az\":83.0,\"ss\":40.0,\"used\":true,\"gnssid\":0,\"svid\":1},"
    "{\"PRN\":2,\"el\":20.0,\"az\":56.0,\"ss\":42.0,\"used\":true,\"gnssid\":0,\"svid\":2},"
    "{\"PRN\":413,\"el\":19.0,\"az\":43.0,\"ss\":44.0,\"used\":true,\"gnssid\":3,\"svid\":13},"
    "{\"PRN\":74,\"el\":52.0,\"az\":302.0,\"ss\":29.0,\"used\":true,\"gnssid\":6,\"svid\":10},"
    "{\"PRN\":75,\"el\":7.0,\"az\":276.0,\"ss\":0.0,\"used\":false,\"gnssid\":6,\"svid\":11}]}\r\n";
static const char tpv_fix[] =
    "{\"class\":\"TPV\",\"device\":\"%s\",\"mode\":3%s,\"time\":\"2026-08-05T05:52:%02d.200Z\","
    "\"ept\":0.005,\"lat\":47.661981667,\"lon\":-122.326393667,\"alt\":76.5}\r\n";
static const char tpv_none[] = "{\"class\":\"TPV\",\"device\":\"%s\",\"mode\":1}\r\n";

enum manner { SPEAKS, NO_FIX, SILENT, NO_DEVICES, TWO_DEVICES };

struct fixture {
    struct fake_house house;
    struct fake_tcp gpsd;
    uv_timer_t tick;
    enum manner manner;
    const char *status; /* of the fix, as JSON member */
    bool stands_still;
    int second;
    size_t greeted; /* connections */
    char section[256];
};

/* --- gpsd, as the test plays it */

static void sayf(struct fixture *f, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void sayf(struct fixture *f, const char *format, ...)
{
    char text[4096];
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fake_tcp_say(&f->gpsd, text, (size_t)n);
}

static void say_device(struct fixture *f, const char *path)
{
    sayf(f, sky, path);
    if (f->manner == NO_FIX)
        sayf(f, tpv_none, path);
    else
        sayf(f, tpv_fix, path, f->status, f->second);
}

static void on_tick(uv_timer_t *timer)
{
    struct fixture *f = timer->data;

    if (f->greeted < f->gpsd.connections) {
        f->greeted = f->gpsd.connections;
        fake_tcp_say(&f->gpsd, version, sizeof version - 1);
    }
    if (strstr(f->gpsd.heard, "?WATCH") || strstr(f->gpsd.heard, "?DEVICES")) {
        f->gpsd.length = 0;
        f->gpsd.heard[0] = '\0';
        sayf(f, "%s", f->manner == NO_DEVICES ? no_devices : one_device);
    }
    if (f->manner == SILENT || f->manner == NO_DEVICES)
        return;
    f->second = (f->second + !f->stands_still) % 60;
    say_device(f, "/dev/ttyUSB0");
    if (f->manner == TWO_DEVICES)
        say_device(f, "/dev/ttyUSB1");
}

/* --- The house */

static int set_up(void **state)
{
    struct fixture *f = mem_zalloc(sizeof *f);

    house_init(&f->house, "gps2");
    f->status = "";
    fake_tcp_listen(&f->gpsd, &f->house.loop, 0);
    snprintf(f->section, sizeof f->section, "host = \"127.0.0.1\"; port = %d; silence = \"700ms\";",
             f->gpsd.port);
    assert_int_equal(uv_timer_init(&f->house.loop, &f->tick), 0);
    f->tick.data = f;
    uv_timer_start(&f->tick, on_tick, 20, 100);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    if (f->house.source)
        house_stop(&f->house);
    uv_close((uv_handle_t *)&f->tick, NULL);
    fake_tcp_close(&f->gpsd);
    house_finish(&f->house);
    free(f);
    return 0;
}

static void start(struct fixture *f, const char *more)
{
    char *section = mem_printf("%s %s", f->section, more);

    house_start(&f->house, &driver_gpsd, section);
    free(section);
}

/* --- What it reads */

static void test_a_fix(void **state)
{
    struct fixture *f = *state;

    start(f, "");
    house_expect_health(&f->house, house_is_well, "");
    house_expect_text(&f->house, "fix", "3d");
    house_expect_number(&f->house, "quality", 1);
    house_expect_number(&f->house, "valid", 1);
    house_expect_number(&f->house, "satellites_used", 4);
    house_expect_number(&f->house, "satellites_seen", 5);
    house_expect_number(&f->house, "tracked_30", 3);
    house_expect_number(&f->house, "cn0_best4", 38.75);
    house_expect_number(&f->house, "hdop", 0.9);
    house_expect_number(&f->house, "latitude", 47.661981667);
    house_expect_number(&f->house, "longitude", -122.326393667);
    house_expect_number(&f->house, "baud", 38400);
    house_expect_text(&f->house, "systems", "GP,GB");
    house_expect_state(&f->house, "antenna", LIVE_UNSUPPORTED);
    house_expect_state(&f->house, "good_share", LIVE_UNSUPPORTED);
    house_expect_state(&f->house, "rollover", LIVE_UNSUPPORTED);
    house_expect_state(&f->house, "ttff_s", LIVE_UNSUPPORTED);
}

static void test_qualities(void **state)
{
    static const struct {
        const char *status;
        double quality;
    } cases[] = {
        { ",\"status\":2", 2 }, { ",\"status\":3", 4 }, { ",\"status\":4", 5 },
        { ",\"status\":5", 6 }, { ",\"status\":8", 8 }, { "", 1 },
    };
    struct fixture *f = *state;

    start(f, "");
    for (size_t i = 0; i < LENGTH(cases); i++) {
        f->status = cases[i].status;
        house_expect_number(&f->house, "quality", cases[i].quality);
    }
}

static void test_first_fix(void **state)
{
    struct fixture *f = *state;
    struct live_value value;

    f->manner = NO_FIX;
    start(f, "");
    house_expect_text(&f->house, "fix", "none");
    house_expect_number(&f->house, "quality", 0);
    house_expect_number(&f->house, "valid", 0);
    assert_false(live_find(f->house.live, "gps2", "", "latitude", &value));
    f->manner = SPEAKS;
    house_expect_text(&f->house, "fix", "3d");
    assert_true(live_find(f->house.live, "gps2", "", "ttff_s", &value));
    assert_int_equal(value.state, LIVE_GOOD);
}

/* --- What fails */

static void test_silence(void **state)
{
    struct fixture *f = *state;

    start(f, "service_device = \"G-2\";");
    house_expect_health(&f->house, house_is_well, "");
    f->manner = SILENT;
    house_expect_health(&f->house, house_is_down, "gpsd hears nothing from /dev/ttyUSB0: check power and wiring");
    assert_true(house_had_condition(&f->house, "G-2 no_data clear"));
    assert_true(house_had_condition(&f->house, "G-2 no_data active"));
    f->manner = SPEAKS;
    house_expect_health(&f->house, house_is_well, "");
}

static void test_no_devices(void **state)
{
    struct fixture *f = *state;

    f->manner = NO_DEVICES;
    start(f, "service_device = \"G-2\";");
    house_expect_health(&f->house, house_is_down, "gpsd has no receiver: plug it in");
    assert_false(house_had_condition(&f->house, "G-2 no_data active")); /* nothing is known of it */
    f->manner = SPEAKS;
    house_expect_health(&f->house, house_is_well, "");
}

static void test_another_device(void **state)
{
    struct fixture *f = *state;

    start(f, "device = \"/dev/ttyACM0\";");
    house_expect_health(&f->house, house_is_down, "gpsd has no receiver /dev/ttyACM0, but /dev/ttyUSB0");
}

static void test_several_devices(void **state)
{
    struct fixture *f = *state;

    f->manner = TWO_DEVICES;
    start(f, "");
    house_expect_health(&f->house, house_is_degraded, "several receivers, /dev/ttyUSB0 and /dev/ttyUSB1");
    house_stop(&f->house);
    start(f, "device = \"/dev/ttyUSB1\";");
    house_expect_health(&f->house, house_is_well, "");
    house_turn(&f->house, 500);
    assert_int_equal(f->house.health.state, SOURCE_WELL);
}

static void test_frozen(void **state)
{
    struct fixture *f = *state;

    f->stands_still = true;
    start(f, "");
    house_expect_health(&f->house, house_is_degraded, "repeats one instant");
    house_expect_state(&f->house, "time", LIVE_FROZEN);
}

static void test_no_gpsd(void **state)
{
    struct fixture *f = *state;
    int port = f->gpsd.port;

    start(f, "");
    house_expect_health(&f->house, house_is_well, "");
    fake_tcp_close(&f->gpsd);
    house_expect_health(&f->house, house_is_down, "");
    for (int i = 0; i < 100 && !strstr(f->house.health.why, "no gpsd listens there"); i++)
        house_turn(&f->house, 100);
    house_expect_health(&f->house, house_is_down, "refuses: no gpsd listens there");
    fake_tcp_listen(&f->gpsd, &f->house.loop, port);
    house_expect_health(&f->house, house_is_well, "");
}

/* What is no report, or none that libgps knows, is passed over; so is a line without an end. */
static void test_strange_lines(void **state)
{
    struct fixture *f = *state;
    char *long_line = mem_alloc(40000);

    f->manner = SILENT;
    start(f, "");
    house_turn(&f->house, 200);
    sayf(f,
         "hello\r\n\r\n{\r\n{}\r\n{\"class\":\"TPV\"\r\n{\"class\":\"TPV\",\"mode\":\"x\"}\r\n"
         "{\"class\":\"NEW\",\"what\":[1,2,{}]}\r\n[]\r\n{\"class\":\"SKY\",\"satellites\":[}\r\n");
    memset(long_line, '{', 40000);
    fake_tcp_say(&f->gpsd, long_line, 40000);
    free(long_line);
    house_turn(&f->house, 200);
    assert_int_not_equal(f->house.health.state, SOURCE_WELL);
    sayf(f, "\r\n");
    f->manner = SPEAKS;
    house_expect_health(&f->house, house_is_well, "");
}

/* --- A real gpsd, that reads a log from a TCP port */

struct feed {
    struct fake_tcp tcp;
    uv_timer_t tick;
    FILE *log;
};

static void on_feed(uv_timer_t *timer)
{
    struct feed *feed = timer->data;
    char line[512];

    for (int i = 0; i < 15; i++) { /* the log's epochs have 15 sentences */
        if (!fgets(line, sizeof line, feed->log))
            rewind(feed->log);
        else if (line[0] == '$')
            fake_tcp_say(&feed->tcp, line, strlen(line));
    }
}

static pid_t run_gpsd(int port, int feed_port)
{
    char port_text[16], feed[64];
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    snprintf(port_text, sizeof port_text, "%d", port);
    snprintf(feed, sizeof feed, "tcp://127.0.0.1:%d", feed_port);
    (void)!freopen("/dev/null", "w", stderr);
    execl(GPSD, GPSD, "-N", "-n", "-S", port_text, feed, (char *)NULL);
    _exit(127);
}

static void test_real_gpsd(void **state)
{
    struct fixture *f = *state;
    struct feed feed = { .log = fopen(LOG, "re") };
    int port = f->gpsd.port, status;
    pid_t pid;

    assert_non_null(feed.log);
    if (access(GPSD, X_OK) < 0) {
        print_message("# no gpsd here\n");
        (void)fclose(feed.log);
        skip();
    }
    fake_tcp_close(&f->gpsd); /* its port is gpsd's now */
    house_turn(&f->house, 20);
    fake_tcp_listen(&feed.tcp, &f->house.loop, 0);
    assert_int_equal(uv_timer_init(&f->house.loop, &feed.tick), 0);
    feed.tick.data = &feed;
    uv_timer_start(&feed.tick, on_feed, 20, 200);
    pid = run_gpsd(port, feed.tcp.port);
    start(f, "");
    house_expect_health(&f->house, house_is_well, "");
    house_expect_text(&f->house, "fix", "3d");
    house_expect_number(&f->house, "quality", 1);
    house_expect_number(&f->house, "valid", 1);
    house_expect_number(&f->house, "latitude", 47.661981667);
    house_expect_text(&f->house, "systems", "GP,GL,GB");
    (void)kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    house_expect_health(&f->house, house_is_down, "");
    uv_close((uv_handle_t *)&feed.tick, NULL);
    fake_tcp_close(&feed.tcp);
    (void)fclose(feed.log);
    house_stop(&f->house);
    house_turn(&f->house, 20); /* the handles above are ours */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_fix, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_qualities, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_first_fix, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_silence, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_devices, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_another_device, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_several_devices, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_frozen, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_gpsd, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_strange_lines, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_real_gpsd, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
