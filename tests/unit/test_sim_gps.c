/* A simulated GPS receiver: what it says while it starts, has a fix and is in trouble; logs played
 * again; what a UART hears at the wrong speed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "nmea_frame.h"
#include "nmea_sentence.h"
#include "tools/sim-bench/baud.h"
#include "tools/sim-bench/gps.h"
#include "tools/sim-bench/gps_log.h"
#include <cmocka.h>

#define NOW  INT64_C(5000000)
#define WALL INT64_C(1795000000500) /* 2026-11-18 */

struct fixture {
    struct troubles troubles;
    struct gps gps;
    struct text_buffer said;
};

static void power(struct fixture *f)
{
    *f = (struct fixture){ 0 };
    f->gps = (struct gps){ .name = "gps1",
                           .seed = 1,
                           .ttff_ms = 30000,
                           .latitude = 31.2304,
                           .longitude = -121.4737,
                           .troubles = &f->troubles };
    gps_init(&f->gps, NOW);
}

static void finish(struct fixture *f)
{
    gps_finish(&f->gps);
    text_buffer_finish(&f->said);
}

static void trouble(struct fixture *f, enum trouble trouble, bool begins, int64_t value,
                    int64_t after)
{
    gps_trouble(&f->gps, trouble, begins, NOW + after);
    f->troubles.of[trouble].on = begins;
    f->troubles.of[trouble].value = value;
}

/* The burst `after` ms of power; every sentence is one by the driver's codec, and not too long. */
static const char *burst(struct fixture *f, int64_t after)
{
    text_buffer_finish(&f->said);
    gps_burst(&f->gps, NOW + after, WALL, &f->said);
    for (size_t at = 0; at < f->said.length;) {
        struct nmea_frame frame;
        struct nmea_sentence sentence;

        nmea_next(f->said.bytes + at, f->said.length - at, &frame);
        assert_int_equal(frame.kind, NMEA_SENTENCE);
        assert_int_equal(frame.skipped, 0);
        assert_true(frame.length <= 77);
        assert_true(nmea_decode(frame.text, frame.length, &sentence));
        assert_true(sentence.type != NMEA_OTHER);
        at += frame.consumed;
    }
    return f->said.bytes;
}

#define assert_says(text, part)     assert_non_null(strstr(text, part))
#define assert_says_not(text, part) assert_null(strstr(text, part))

static void test_cold_start(void **state)
{
    struct fixture f;
    const char *said;

    (void)state;
    power(&f);
    said = burst(&f, 100);
    assert_says(said, "$GNGGA,,,,,,0,00,25.5,");
    assert_says(said, "$GNRMC,,V,,,,,,,,,,N*");
    assert_says(said, "GSA,A,1,");
    said = burst(&f, 20000);
    assert_says(said, "$GNRMC,110640.500,V,");
    assert_says_not(said, "$GPGSV,1,1,00*");
    said = burst(&f, 30000);
    assert_says(said, "$GNRMC,110640.500,A,3113.82");
    assert_says(said, ",N,12128.42");
    assert_says(said, ",W,0.02,0.00,181126,,,A*");
    assert_says(said, "$GPGSV,3,3,10,");
    assert_says(said, "$GBGSV,2,2,07,");
    assert_says(said, "$GNZDA,110640.500,18,11,2026,00,00*");
    assert_says(said, "$GPTXT,01,01,01,ANTENNA OK*35");
    trouble(&f, TROUBLE_COLD_START, true, 0, 40000);
    assert_says(burst(&f, 41000), "$GNRMC,,V,");
    assert_says(burst(&f, 70000), ",A,3113");
    finish(&f);
}

static void test_troubles(void **state)
{
    struct fixture f;

    (void)state;
    power(&f);
    trouble(&f, TROUBLE_ANTENNA_OPEN, true, 0, 40000);
    assert_says(burst(&f, 40000), "ANTENNA OPEN*25");
    assert_says(burst(&f, 40000), "$GPGSV,1,1,00*79");
    assert_says(burst(&f, 40000), ",0,00,25.5,");
    trouble(&f, TROUBLE_ANTENNA_OPEN, false, 0, 50000);
    assert_says(burst(&f, 51000), ",V,");
    assert_says(burst(&f, 52000), ",A,"); /* by itself */
    trouble(&f, TROUBLE_ANTENNA_SHORT, true, 0, 60000);
    assert_says(burst(&f, 60000), "ANTENNA SHORT*63");
    trouble(&f, TROUBLE_ANTENNA_SHORT, false, 0, 60000);
    trouble(&f, TROUBLE_ANTENNA_PASSIVE, true, 0, 70000);
    assert_says(burst(&f, 70000), "ANTENNA OPEN*25");
    assert_says(burst(&f, 70000), "GSA,A,3,");
    trouble(&f, TROUBLE_ANTENNA_PASSIVE, false, 0, 70000);
    trouble(&f, TROUBLE_NO_FIX, true, 0, 70000);
    assert_says(burst(&f, 70000), ",V,");
    assert_says_not(burst(&f, 70000), "$GPGSV,1,1,00*79");
    trouble(&f, TROUBLE_NO_FIX, false, 0, 70000);
    trouble(&f, TROUBLE_WEEK_ROLLOVER, true, 0, 80000);
    assert_says(burst(&f, 80000), ",040407,,,A*"); /* 1024 weeks before 2026-11-18 */
    trouble(&f, TROUBLE_WEEK_ROLLOVER, false, 0, 80000);
    trouble(&f, TROUBLE_CLOCK_OFF, true, 90000, 80000);
    assert_says(burst(&f, 80000), "$GNRMC,110510.500,A");
    finish(&f);
}

static void test_frozen(void **state)
{
    struct fixture f;
    char *first;

    (void)state;
    power(&f);
    trouble(&f, TROUBLE_FROZEN, true, 0, 40000);
    first = mem_strdup(burst(&f, 40000));
    assert_string_equal(burst(&f, 47000), first);
    trouble(&f, TROUBLE_FROZEN, false, 0, 48000);
    assert_string_not_equal(burst(&f, 49000), first);
    free(first);
    finish(&f);
}

static void test_log(void **state)
{
    static const char text[] = "# of a receiver\n"
                               "\xb5\x62 binary\n$GPTXT,01,01,02,x*00\r\n"
                               "$GPRMC,1,V*00\r\n$GPGGA,1*00\r\n"
                               "$GPRMC,2,V*00\r\n# noted\n$GPGGA,2*00\r\n";
    static const char *const bursts[] = {
        "\xb5\x62 binary\n$GPTXT,01,01,02,x*00\r\n",
        "$GPRMC,1,V*00\r\n$GPGGA,1*00\r\n",
        "$GPRMC,2,V*00\r\n$GPGGA,2*00\r\n",
    };
    struct gps_log log;
    struct err err;

    (void)state;
    gps_log_set(&log, text, sizeof text - 1);
    for (size_t i = 0; i < 2 * LENGTH(bursts); i++) {
        size_t length;
        const char *got = gps_log_burst(&log, &length);

        assert_int_equal(length, strlen(bursts[i % LENGTH(bursts)]));
        assert_memory_equal(got, bursts[i % LENGTH(bursts)], length);
    }
    gps_log_finish(&log);
    assert_true(gps_log_load(&log, "/nonexistent", &err) < 0);
}

/* A real log comes out as it went in: as many sentences as the manifest of the logs says. */
static void test_real_log(void **state)
{
    static const char path[] = "tests/data/nmea/neo-m8n.log";
    FILE *manifest = fopen("tests/data/nmea/manifest.tsv", "r");
    struct text_buffer played = { 0 };
    struct gps_log log;
    struct err err;
    char line[2048];
    unsigned want = 0, got = 0;

    (void)state;
    assert_non_null(manifest);
    while (want == 0 && fgets(line, sizeof line, manifest))
        (void)sscanf(line, "neo-m8n.log %*u %u", &want);
    fclose(manifest);
    assert_int_equal(gps_log_load(&log, path, &err), 0);
    do {
        size_t length;
        const char *bytes = gps_log_burst(&log, &length);

        text_buffer_add(&played, bytes, length);
    } while (log.at > 0);
    assert_int_equal(played.length, log.length);
    for (size_t at = 0; at < played.length;) {
        struct nmea_frame frame;

        nmea_next(played.bytes + at, played.length - at, &frame);
        got += frame.kind == NMEA_SENTENCE;
        if (frame.kind == NMEA_MORE)
            break;
        at += frame.consumed;
    }
    assert_true(want > 0);
    assert_int_equal(got, want);
    gps_log_finish(&log);
    text_buffer_finish(&played);
}

static void test_wrong_speed(void **state)
{
    static const char text[] = "$GNGGA,110640.500,,,,,0,00,25.5,,M,,M,,*00\r\n";
    uint8_t heard[256];
    size_t count, high = 0;

    (void)state;
    count = baud_resample((const uint8_t *)text, strlen(text), 9600, 9600, heard, sizeof heard);
    assert_int_equal(count, strlen(text));
    assert_memory_equal(heard, text, count);
    /* Two per cent off is within what a UART forgives. */
    count = baud_resample((const uint8_t *)text, strlen(text), 9600, 9780, heard, sizeof heard);
    assert_memory_equal(heard, text, count);
    count = baud_resample((const uint8_t *)text, strlen(text), 4800, 9600, heard, sizeof heard);
    for (size_t i = 0; i < count; i++)
        high += heard[i] >= 0x80;
    assert_true(count > strlen(text) && high * 5 > count);
    assert_null(memchr(heard, '$', count));
    count = baud_resample((const uint8_t *)text, strlen(text), 38400, 9600, heard, sizeof heard);
    assert_true(count > 0 && count < strlen(text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cold_start), cmocka_unit_test(test_troubles),
        cmocka_unit_test(test_frozen),     cmocka_unit_test(test_log),
        cmocka_unit_test(test_real_log),   cmocka_unit_test(test_wrong_speed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
