/* The nmea driver with a receiver on a pseudo-terminal or behind a TCP port: what it reads, and
 * what it says when receiver, line, rate or adapter fail, and by itself comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/mem.h"
#include "nmea.h"
#include "nmea_frame.h"
#include "tests/lib/fake_tcp.h"
#include "tests/lib/house_expect.h"
#include "tests/lib/pty.h"

/* What a receiver says in one burst; {} is the time of the day. */
static const char no_fix[] = "GPRMC,{},V,,,,,,,,,,N\n"
                             "GPGGA,{},,,,,0,00,99.99,,,,,,\n"
                             "GPGSA,A,1,,,,,,,,,,,,,99.99,99.99,99.99\n"
                             "GPGSV,1,1,01,05,10,100,\n";
static const char fix[] = "GPRMC,{},A,3114.8943,N,12135.2444,E,0.0,0.0,250226,,,A\n"
                          "GPGGA,{},3114.8943,N,12135.2444,E,1,07,1.1,28.4,M,11.5,M,,\n"
                          "GPGSA,A,3,01,02,03,04,,,,,,,,,2.1,1.1,1.8\n"
                          "GPGSV,1,1,04,01,10,100,40,02,20,200,42,03,30,300,44,04,40,040,46\n";
static const char open_antenna[] = "GPTXT,01,01,01,ANTENNA OPEN\n";
static const char short_antenna[] = "GPTXT,01,01,01,ANTENNA SHORT\n";

enum manner {
    SPEAKS,
    SILENT,
    NOISE,    /* a wrong rate */
    UBX,      /* binary */
    TERMINAL, /* JT/T 808 */
    BAD_SUMS, /* two of three */
    SPOILT,   /* all of them */
    CHATS,    /* text of something else */
};

struct fixture {
    struct fake_house house;
    char folder[64], link[96], section[512];
    struct pty pty;
    uv_timer_t tick;
    /* The receiver: */
    enum manner manner;
    const char *burst, *antenna; /* what it says of its fix, and of that */
    int times;                   /* in one burst */
    bool stands_still;
    uint32_t only_at; /* its baud rate, if it has just one; 0: any */
    int32_t time_s;
    unsigned sentences;
    struct fake_tcp server; /* a serial server */
};

/* --- The receiver */

static void say(struct fixture *f, const char *bytes, size_t length)
{
    if (f->server.has_peer)
        fake_tcp_say(&f->server, bytes, length);
    else if (f->pty.master >= 0)
        (void)!write(f->pty.master, bytes, length); /* nobody may listen */
}

static void say_sentence(struct fixture *f, const char *text, size_t length)
{
    bool is_bad = f->manner == SPOILT || (f->manner == BAD_SUMS && ++f->sentences % 3 != 0);
    char line[200], body[160] = "";
    const char *time = strstr(text, "{}");

    if (time && time < text + length)
        snprintf(body, sizeof body, "%.*s%02d%02d%02d.00%.*s", (int)(time - text), text,
                 f->time_s / 3600, f->time_s / 60 % 60, f->time_s % 60,
                 (int)(length - (size_t)(time - text) - 2), time + 2);
    else
        snprintf(body, sizeof body, "%.*s", (int)length, text);
    snprintf(line, sizeof line, "$%s*%02X\r\n", body,
             nmea_sum(body, strlen(body)) ^ (is_bad ? 0x11 : 0));
    say(f, line, strlen(line));
}

static void say_lines(struct fixture *f, const char *lines)
{
    for (const char *at = lines; *at; at = strchr(at, '\n') + 1)
        say_sentence(f, at, strcspn(at, "\n"));
}

static void say_burst(struct fixture *f)
{
    for (int i = 0; i < f->times; i++)
        say_lines(f, f->burst);
    say_lines(f, f->antenna);
    f->time_s += !f->stands_still;
}

static speed_t rate_of(const struct fixture *f)
{
    struct termios line;

    assert_int_equal(tcgetattr(f->pty.master, &line), 0);
    return cfgetospeed(&line);
}

static void say_noise(struct fixture *f)
{
    char noise[90];

    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (char)("\x80\xf8\xfe\x00\xff\x1c\xe0\x13"[(i * 7 + i / 8) % 8]);
    say(f, noise, sizeof noise);
}

static void on_tick(uv_timer_t *timer)
{
    static const char ubx[] = "\xb5\x62\x01\x07\x04\x00\x01\x02\x03\x04\x16\x4c"
                              "\xb5\x62\x01\x35\x04\x00$\x02\x03\x04\x16\x4c";
    static const char terminal[] = "\x7e\x00\x02\x00\x00\x01\x23\x45\x67\x89\x01\x00\x05\x8f\x7e";
    struct fixture *f = timer->data;
    enum manner manner = f->manner;

    if (f->only_at && f->pty.master >= 0 && rate_of(f) != f->only_at)
        manner = NOISE;
    switch (manner) {
    case SPEAKS:
    case BAD_SUMS:
    case SPOILT:
        say_burst(f);
        break;
    case SILENT:
        break;
    case NOISE:
        say_noise(f);
        break;
    case UBX:
        say(f, ubx, sizeof ubx - 1);
        break;
    case TERMINAL:
        say(f, terminal, sizeof terminal - 1);
        break;
    case CHATS:
        say(f, "login: \r\n", 9);
        break;
    }
}

/* --- The house */

static int set_up(void **state)
{
    struct fixture *f = mem_zalloc(sizeof *f);

    house_init(&f->house, "gps1");
    snprintf(f->folder, sizeof f->folder, "/tmp/kpid-nmea.XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->link, sizeof f->link, "%s/gps", f->folder);
    snprintf(f->section, sizeof f->section, "device = \"%s\"; silence = \"700ms\";", f->link);
    pty_open(&f->pty, f->link);
    f->burst = fix;
    f->antenna = "";
    f->times = 1;
    f->time_s = 43200;
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
    fake_tcp_close(&f->server);
    pty_pull(&f->pty);
    house_finish(&f->house);
    (void)rmdir(f->folder);
    free(f);
    return 0;
}

static void start(struct fixture *f, const char *more)
{
    char *section = mem_printf("%s %s", f->section, more);

    house_start(&f->house, &driver_nmea, section);
    free(section);
}

/* --- What it reads */

static void test_a_fix(void **state)
{
    struct fixture *f = *state;
    struct live_value value;

    start(f, "");
    house_expect_health(&f->house, house_is_well, "");
    house_expect_text(&f->house, "fix", "3d");
    house_expect_number(&f->house, "quality", 1);
    house_expect_number(&f->house, "valid", 1);
    house_expect_number(&f->house, "satellites_used", 7);
    house_expect_number(&f->house, "satellites_seen", 4);
    house_expect_number(&f->house, "tracked_30", 4);
    house_expect_number(&f->house, "cn0_best4", 43);
    house_expect_number(&f->house, "hdop", 1.1);
    house_expect_number(&f->house, "latitude", 31.248238333);
    house_expect_number(&f->house, "longitude", 121.587406667);
    house_expect_number(&f->house, "baud", 9600);
    house_expect_text(&f->house, "systems", "GP");
    house_expect_number(&f->house, "rollover", 0);
    house_expect_number(&f->house, "good_share", 1);
    house_expect_state(&f->house, "ttff_s", LIVE_UNSUPPORTED); /* it had one when we came */
    assert_true(live_find(f->house.live, "gps1", "", "clock_offset_ms", &value));
    assert_true(live_find(f->house.live, "gps1", "", "time", &value));
    assert_true(value.true_at > clock_wall(&clock_system) - 5000);
}

static void test_a_cold_start(void **state)
{
    struct fixture *f = *state;
    struct live_value value;

    f->burst = no_fix;
    start(f, "");
    house_expect_text(&f->house, "fix", "none");
    house_expect_number(&f->house, "valid", 0);
    house_expect_number(&f->house, "quality", 0);
    house_expect_number(&f->house, "cn0_best4", 0);
    house_expect_state(&f->house, "hdop", LIVE_FAILED);
    assert_false(live_find(f->house.live, "gps1", "", "latitude", &value));
    assert_false(live_find(f->house.live, "gps1", "", "ttff_s", &value));
    f->burst = fix;
    house_expect_text(&f->house, "fix", "3d");
    house_expect_number(&f->house, "valid", 1);
    assert_true(live_find(f->house.live, "gps1", "", "ttff_s", &value));
    assert_int_equal(value.state, LIVE_GOOD);
    assert_true(value.number > 0 && value.number < 60);
}

static void test_antenna(void **state)
{
    struct fixture *f = *state;

    f->antenna = open_antenna;
    start(f, "");
    house_expect_text(&f->house, "antenna", "open");
    f->antenna = short_antenna;
    house_expect_text(&f->house, "antenna", "short");
}

static void test_frozen(void **state)
{
    struct fixture *f = *state;

    f->stands_still = true;
    start(f, "");
    house_expect_health(&f->house, house_is_degraded, "repeats one instant");
    house_expect_state(&f->house, "time", LIVE_FROZEN);
    f->stands_still = false;
    house_expect_health(&f->house, house_is_well, "");
    house_expect_state(&f->house, "time", LIVE_GOOD);
}

/* --- What fails */

static void test_silence(void **state)
{
    struct fixture *f = *state;

    f->manner = SILENT;
    start(f, "");
    house_expect_health(&f->house, house_is_down, "no data: check power and wiring");
    f->manner = SPEAKS;
    house_expect_health(&f->house, house_is_well, "");
    house_expect_text(&f->house, "fix", "3d");
    f->manner = SILENT;
    house_expect_health(&f->house, house_is_down, "no data");
    house_expect_state(&f->house, "fix", LIVE_STALE);
    f->manner = SPEAKS;
    house_expect_health(&f->house, house_is_well, "");
    /* It was silent and began: how long its first fix took is known now. */
    house_expect_state(&f->house, "ttff_s", LIVE_GOOD);
}

static void test_what_it_hears_instead(void **state)
{
    static const struct {
        enum manner manner;
        const char *why;
    } cases[] = {
        { NOISE, "bytes of noise at 9600 baud" },
        { UBX, "binary UBX only: switch the receiver" },
        { TERMINAL, "JT/T 808 terminal" },
        { CHATS, "text that is no NMEA" },
    };
    struct fixture *f = *state;

    start(f, "");
    for (size_t i = 0; i < LENGTH(cases); i++) {
        f->manner = cases[i].manner;
        house_expect_health(&f->house, house_is_down, cases[i].why);
        f->manner = SPEAKS;
        house_expect_health(&f->house, house_is_well, "");
    }
}

static void test_bad_sums(void **state)
{
    struct fixture *f = *state;

    f->manner = BAD_SUMS;
    f->times = 4; /* what was bad is soon out of sight */
    start(f, "");
    house_expect_health(&f->house, house_is_degraded, "of the checksums are right");
    f->manner = SPEAKS;
    house_expect_health(&f->house, house_is_well, "");
}

static bool is_up(struct fake_house *h, void *arg)
{
    (void)arg;
    return h->health.state != SOURCE_DOWN;
}

/* What was wrong while nothing was right does not count against the line once it is mended: it
 * rises once, and is not degraded on its way. */
static void test_rises_once(void **state)
{
    struct fixture *f = *state;

    f->manner = SPOILT;
    f->times = 4;
    start(f, "");
    house_expect_health(&f->house, house_is_down, "no checksum is right");
    house_turn(&f->house, 350);
    f->manner = SPEAKS;
    assert_true(house_until(&f->house, is_up, NULL, 60000));
    assert_int_equal(f->house.health.state, SOURCE_WELL);
    assert_false(house_until(&f->house, house_is_degraded, NULL, 500));
    house_expect_number(&f->house, "good_share", 1);
}

static void test_unplugged(void **state)
{
    struct fixture *f = *state;
    struct live_value value;

    start(f, "");
    house_expect_health(&f->house, house_is_well, "");
    house_expect_text(&f->house, "fix", "3d");
    pty_pull(&f->pty);
    house_expect_health(&f->house, house_is_down, "plug the adapter in");
    assert_false(live_find(f->house.live, "gps1", "", "fix", &value));
    pty_open(&f->pty, f->link);
    house_expect_health(&f->house, house_is_well, "");
    house_expect_text(&f->house, "fix", "3d");
}

static void test_never_there(void **state)
{
    struct fixture *f = *state;

    pty_pull(&f->pty);
    start(f, "");
    house_expect_health(&f->house, house_is_down, "is not there");
    assert_true(f->house.driver->poll_now(f->house.source));
    pty_open(&f->pty, f->link);
    house_expect_health(&f->house, house_is_well, "");
}

static void test_auto_baud(void **state)
{
    struct fixture *f = *state;

    f->only_at = B38400;
    start(f, "auto_baud = true;");
    house_expect_health(&f->house, house_is_well, "");
    house_expect_number(&f->house, "baud", 38400);
    /* Somebody sets it to another. */
    f->only_at = B4800;
    house_expect_health(&f->house, house_is_down, "noise at 38400 baud: trying other rates");
    house_expect_health(&f->house, house_is_well, "");
    house_expect_number(&f->house, "baud", 4800);
}

static void test_auto_baud_in_vain(void **state)
{
    struct fixture *f = *state;

    f->manner = NOISE;
    start(f, "auto_baud = true;");
    house_expect_health(&f->house, house_is_down, "trying other rates");
    for (int i = 0; i < 200 && !strstr(f->house.health.why, "at every baud rate"); i++)
        house_turn(&f->house, 100);
    house_expect_health(&f->house, house_is_down, "noise at every baud rate tried");
}

/* What waited in the line while the loop was held up is old. */
static void test_old_bytes(void **state)
{
    struct fixture *f = *state;

    f->times = 8; /* some 2 kB: 17 s at 1200 baud */
    start(f, "baud = 1200;");
    house_expect_health(&f->house, house_is_well, "");
    house_expect_number(&f->house, "baud", 1200);
    house_turn(&f->house, 300);
    {
        struct live_value value;

        assert_true(live_find(f->house.live, "gps1", "", "dropped", &value));
        assert_true(value.number > 10);
    }
}

static void test_full_house(void **state)
{
    struct fixture *f = *state;
    struct live_value value;

    start(f, "");
    house_expect_text(&f->house, "fix", "3d");
    f->house.driver->pause(f->house.source);
    house_expect_state(&f->house, "fix", LIVE_STALE);
    assert_int_equal(f->house.health.state, SOURCE_WELL);
    f->house.driver->resume(f->house.source);
    house_expect_text(&f->house, "fix", "3d");
    assert_true(live_find(f->house.live, "gps1", "", "dropped", &value));
    assert_true(value.number >= 4);
}

/* --- A device in service */

static void test_conditions(void **state)
{
    struct fixture *f = *state;

    f->antenna = open_antenna; /* that alone is no fault */
    start(f, "service_device = \"G-1\";");
    house_expect_condition(&f->house, "G-1 gnss_antenna_open clear");
    house_expect_condition(&f->house, "G-1 gnss_no_fix clear");
    house_expect_condition(&f->house, "G-1 no_data clear");
    f->antenna = short_antenna;
    house_expect_condition(&f->house, "G-1 gnss_antenna_short active");
    f->manner = SILENT;
    house_expect_condition(&f->house, "G-1 no_data active");
    assert_false(house_had_condition(&f->house, "G-1 gnss_antenna_open active"));
    assert_false(house_had_condition(&f->house, "G-1 gnss_no_fix active"));
}

static void test_no_fix_for_long(void **state)
{
    struct fixture *f = *state;

    f->burst = no_fix;
    f->antenna = open_antenna;
    start(f, "service_device = \"G-1\"; no_fix = \"1s\";");
    house_expect_condition(&f->house, "G-1 gnss_no_fix active");
    house_expect_condition(&f->house, "G-1 gnss_antenna_open active");
    /* Until then it was not said to be well, either: it may have been faulty before. */
    assert_false(house_had_condition(&f->house, "G-1 gnss_no_fix clear"));
    assert_false(house_had_condition(&f->house, "G-1 gnss_antenna_open clear"));
    f->burst = fix;
    house_expect_condition(&f->house, "G-1 gnss_no_fix clear");
    house_expect_condition(&f->house, "G-1 gnss_antenna_open clear");
}

static void test_unplugged_is_no_fault_of_the_device(void **state)
{
    struct fixture *f = *state;

    start(f, "service_device = \"G-1\";");
    house_expect_condition(&f->house, "G-1 no_data clear");
    pty_pull(&f->pty);
    house_expect_health(&f->house, house_is_down, "");
    house_turn(&f->house, 1500);
    assert_false(house_had_condition(&f->house, "G-1 no_data active"));
}

/* --- A serial server */

static void listen_at(struct fixture *f, int port)
{
    fake_tcp_listen(&f->server, &f->house.loop, port);
    snprintf(f->section, sizeof f->section, "host = \"localhost\"; port = %d; silence = \"700ms\";",
             f->server.port);
}

static void test_tcp(void **state)
{
    struct fixture *f = *state;
    struct live_value value;

    listen_at(f, 0);
    start(f, "");
    house_expect_health(&f->house, house_is_well, "");
    house_expect_text(&f->house, "fix", "3d");
    assert_false(live_find(f->house.live, "gps1", "", "baud", &value)); /* it is the server's */
    fake_tcp_hang_up(&f->server);
    house_expect_health(&f->house, house_is_down, "closed the connection");
    house_expect_health(&f->house, house_is_well, "");
    f->server.closes_at_once = true; /* another client has it */
    fake_tcp_hang_up(&f->server);
    house_expect_health(&f->house, house_is_down, "closed the connection");
    f->server.closes_at_once = false;
    house_expect_health(&f->house, house_is_well, "");
}

/* A connection may be dead without a word: it is made anew. */
static void test_tcp_silence(void **state)
{
    struct fixture *f = *state;

    listen_at(f, 0);
    start(f, "");
    house_expect_health(&f->house, house_is_well, "");
    f->manner = SILENT;
    house_expect_health(&f->house, house_is_down, "no data");
    for (int i = 0; f->server.has_peer && i < 100; i++)
        house_turn(&f->house, 100);
    assert_false(f->server.has_peer);
    f->manner = SPEAKS;
    house_expect_health(&f->house, house_is_well, "");
}

static void test_tcp_refused(void **state)
{
    struct fixture *f = *state;
    int port;

    listen_at(f, 0);
    port = f->server.port;
    fake_tcp_close(&f->server);
    house_turn(&f->house, 10);
    start(f, "");
    house_expect_health(&f->house, house_is_down, "refuses: correct `port`");
    listen_at(f, port);
    house_expect_health(&f->house, house_is_well, "");
}

static void test_tcp_unknown_name(void **state)
{
    struct fixture *f = *state;

    snprintf(f->section, sizeof f->section,
             "host = \"no-such-host.invalid\"; port = 4001; silence = \"700ms\";");
    start(f, "");
    house_expect_health(&f->house, house_is_down, "no-such-host.invalid port 4001");
}

/* Whatever is under way when it is stopped: a look-up, a connection, an open line. */
static void test_stop_at_any_time(void **state)
{
    struct fixture *f = *state;

    listen_at(f, 0);
    for (int ms = 0; ms < 12; ms++) {
        start(f, "");
        if (ms > 0)
            house_turn(&f->house, ms);
        house_stop(&f->house);
        for (int i = 0; f->server.has_peer && i < 100; i++)
            house_turn(&f->house, 10);
    }
}

/* --- Configuration */

static void test_faults(void **state)
{
    static const struct {
        const char *section, *want;
    } cases[] = {
        { "device = \"/dev/ttyUSB0\";", "" },
        { "host = \"h\"; port = 1;", "" },
        { "", "where is the receiver?" },
        { "device = \"/dev/ttyUSB0\"; host = \"h\"; port = 1;", "one receiver is in one place" },
        { "host = \"h\";", "host needs port" },
        { "device = \"/dev/ttyUSB0\"; port = 1;", "port without host" },
        { "host = \"h\"; port = 1; auto_baud = true;", "auto_baud works on a serial line" },
        { "device = \"/dev/ttyUSB0\"; baud = 9601;", "no standard rate" },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        char *faults = house_faults(&driver_nmea, cases[i].section);

        if (!strstr(faults, cases[i].want) || (cases[i].want[0] == '\0' && faults[0]))
            fail_msg("%s: %s", cases[i].section, faults);
        free(faults);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_fix, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_cold_start, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_antenna, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_frozen, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_silence, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_it_hears_instead, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bad_sums, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rises_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unplugged, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_never_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_auto_baud, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_auto_baud_in_vain, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_old_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_full_house, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_conditions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_fix_for_long, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unplugged_is_no_fault_of_the_device, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_tcp, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_tcp_silence, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_tcp_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_tcp_unknown_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stop_at_any_time, set_up, tear_down),
        cmocka_unit_test(test_faults),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
