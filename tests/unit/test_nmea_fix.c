/* NMEA sentences folded into epochs, satellites, the antenna's state. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/instant.h"
#include "base/mem.h"
#include "base/span.h"
#include "nmea_fix.h"

static const int64_t noon = INT64_C(1400000000000);

/* Folds sentences, one for each line of `text`, all heard `ms` after noon; returns how many epochs
 * ended by them. */
static int say(struct nmea_fix *f, int64_t ms, const char *text)
{
    char *copy = mem_strdup(text), *rest = copy, *line;
    int ended = 0;

    while ((line = strsep(&rest, "\n")) != NULL) {
        struct nmea_sentence s;

        if (!nmea_decode(line, strlen(line), &s))
            fail_msg("%s: field %u: %s", line, s.fault_field, s.fault);
        ended += nmea_fix_fold(f, &s, noon + ms, 5000 + ms);
    }
    free(copy);
    return ended;
}

static struct nmea_fix *begin(void)
{
    static struct nmea_fix f;

    nmea_fix_init(&f, civil_day(2010, 1, 1) * SPAN_DAY);
    return &f;
}

static void test_epoch(void **state)
{
    struct nmea_fix *f = begin();
    const struct gnss_epoch *e = &f->gnss.last;

    (void)state;
    assert_int_equal(say(f, 0,
                         "GPGGA,120000.00,3114.8943,N,12135.2444,E,1,07,1.1,28.4,M,11.5,M,,\n"
                         "GPGSA,A,3,25,32,14,12,,,,,,,,,2.1,1.3,1.8\n"
                         "GPRMC,120000.00,A,3114.8943,N,12135.2444,E,0.0,0.0,250215,,,A"),
                     0);
    assert_int_equal(e->at, 0);
    assert_int_equal(say(f, 1000, "GPGGA,120001.00,,,,,0,00,,,,,,,"), 1);
    assert_int_equal(e->at, noon);
    assert_int_equal(e->time_ms, 12 * 3600000);
    assert_int_equal(e->fix, 3);
    assert_int_equal(e->quality, 1);
    assert_int_equal(e->valid, 1);
    assert_int_equal(e->used, 7);
    assert_int_equal(e->hdop_e2, 110);
    assert_true(e->lat_e9 == 31248238333);
    assert_true(e->utc_at == civil_day(2015, 2, 25) * SPAN_DAY + 12 * SPAN_HOUR);
    assert_int_equal(e->rollover, 0);
    assert_false(e->has_sky);
    assert_true(gnss_has_fix(e));

    assert_int_equal(say(f, 1100, "GPRMC,120001.00,V,,,,,,,,,,N"), 0);
    assert_int_equal(say(f, 2000, "GPGGA,120002.00,,,,,0,00,,,,,,,"), 1);
    assert_int_equal(e->valid, 0);
    assert_int_equal(e->quality, 0);
    assert_true(e->lat_e9 == GNSS_NOWHERE);
    assert_true(e->utc_at == GNSS_NEVER);
    assert_int_equal(e->fix, GNSS_NONE);
}

/* A simulator that says so in GGA alone must not pass by its RMC, however the line is cut. */
static void test_pause(void **state)
{
    struct nmea_fix *f = begin();

    (void)state;
    say(f, 0, "GPRMC,120000,A,3114.8943,N,12135.2444,E,0.0,0.0,250215,,");
    assert_false(nmea_fix_pause(f)); /* of the first epoch nobody knows how long it is */
    say(f, 100, "GPGGA,120000,3114.8943,N,12135.2444,E,8,07,1.1,28.4,M,11.5,M,,");
    assert_int_equal(say(f, 1000, "GPRMC,120001,A,3114.8943,N,12135.2444,E,0.0,0.0,250215,,"), 1);
    assert_false(f->gnss.has_fix);
    assert_false(nmea_fix_pause(f)); /* GGA is still to come */
    say(f, 1100, "GPGGA,120001,3114.8943,N,12135.2444,E,8,07,1.1,28.4,M,11.5,M,,");
    assert_true(nmea_fix_pause(f));
    assert_int_equal(f->gnss.last.time_ms, 12 * 3600000 + 1000);
    assert_false(f->gnss.has_fix);
    assert_false(nmea_fix_pause(f));
    assert_int_equal(say(f, 2000, "GPRMC,120002,A,3114.8943,N,12135.2444,E,0.0,0.0,250215,,"), 0);
}

static void test_without_time(void **state)
{
    struct nmea_fix *f = begin();

    (void)state;
    say(f, 0, "GPRMC,,V,,,,,,,,,,N\nGPGGA,,,,,,0,,,,,,,,\nGPGSA,A,1,,,,,,,,,,,,,99.99,99.99,99.99");
    assert_int_equal(say(f, 1000, "GPRMC,,V,,,,,,,,,,N"), 1); /* the second RMC begins another */
    assert_int_equal(f->gnss.last.fix, 1);
    assert_int_equal(f->gnss.last.hdop_e2, 9999);
    /* Satellites that came before the time-bearing sentence do not make it older. */
    f = begin();
    say(f, 0, "GPGSV,1,1,00");
    say(f, 600, "GPRMC,120000,V,,,,,,,,,,N");
    say(f, 1600, "GPRMC,120001,V,,,,,,,,,,N");
    assert_int_equal(f->gnss.last.at, noon + 600);
    assert_true(f->gnss.last.has_sky);
}

static void test_dates(void **state)
{
    static const struct {
        const char *what, *sentences;
        int32_t year, month, day; /* 0: none */
        int32_t rollover;
    } cases[] = {
        { "RMC", "GPRMC,120000,A,3114.8,N,12135.2,E,,,250215,,", 2015, 2, 25, 0 },
        { "without a date", "GPRMC,120000,A,3114.8,N,12135.2,E,,,,,", 0, 0, 0, GNSS_NONE },
        { "without a fix", "GPRMC,120000,V,,,,,,,250215,,", 0, 0, 0, GNSS_NONE },
        { "quality 0", "GPRMC,120000,A,3114.8,N,12135.2,E,,,250215,,\nGPGGA,120000,,,,,0,00,,,,,,,",
          0, 0, 0, GNSS_NONE },
        { "1024 weeks back", "GPRMC,120000,A,3114.8,N,12135.2,E,,,220899,,", 2019, 4, 7, 1 },
        { "ZDA says the same",
          "GPRMC,120000,A,3114.8,N,12135.2,E,,,250215,,\n"
          "GPZDA,120000,25,02,2015,,",
          2015, 2, 25, 0 },
        { "ZDA says another day",
          "GPRMC,120000,A,3114.8,N,12135.2,E,,,250215,,\n"
          "GPZDA,120000,26,02,2015,,",
          0, 0, 0, GNSS_NONE },
        { "ZDA alone",
          "GPGGA,120000,3114.8,N,12135.2,E,1,07,1.1,28.4,M,11.5,M,,\n"
          "GPZDA,120000,25,02,2015,,",
          2015, 2, 25, 0 },
        { "ZDA of a receiver without a fix",
          "GPGGA,120000,,,,,0,,,,,,,,\nGPZDA,120000,25,02,2015,,", 0, 0, 0, GNSS_NONE },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct nmea_fix *f = begin();
        int64_t want = GNSS_NEVER;

        print_message("# %s\n", cases[i].what);
        if (cases[i].year)
            want =
                civil_day(cases[i].year, cases[i].month, cases[i].day) * SPAN_DAY + 12 * SPAN_HOUR;
        say(f, 0, cases[i].sentences);
        say(f, 1000, "GPRMC,120001,V,,,,,,,,,,N");
        assert_true(f->gnss.last.utc_at == want);
        assert_int_equal(f->gnss.last.rollover, cases[i].rollover);
    }
}

/* 23:59:59 to 00:00:00: the new date comes in RMC, behind a GGA of the new time. */
static void test_midnight(void **state)
{
    struct nmea_fix *f = begin();

    (void)state;
    say(f, 0,
        "GPGGA,235959,3114.8,N,12135.2,E,1,07,1.1,28.4,M,11.5,M,,\n"
        "GPRMC,235959,A,3114.8,N,12135.2,E,,,280215,,");
    say(f, 1000, "GPGGA,000000,3114.8,N,12135.2,E,1,07,1.1,28.4,M,11.5,M,,");
    assert_true(f->gnss.last.utc_at == civil_day(2015, 3, 1) * SPAN_DAY - 1000);
    say(f, 1000, "GPRMC,000000,A,3114.8,N,12135.2,E,,,010315,,");
    say(f, 2000, "GPGGA,000001,3114.8,N,12135.2,E,1,07,1.1,28.4,M,11.5,M,,");
    assert_true(f->gnss.last.utc_at == civil_day(2015, 3, 1) * SPAN_DAY);
}

static struct gnss_sky sky_after(struct nmea_fix *f, int64_t ms, const char *sentences)
{
    char rmc[64];

    for (int i = 0; i < 2; i++) {
        snprintf(rmc, sizeof rmc, "GPRMC,12%02d%02d.%d,V,,,,,,,,,,N", (int)(ms / 60000),
                 (int)(ms / 1000 % 60), i);
        say(f, ms, rmc);
        if (i == 0)
            say(f, ms, sentences);
    }
    return f->gnss.last.sky;
}

static void test_sets(void **state)
{
    struct nmea_fix *f = begin();
    struct gnss_sky sky =
        sky_after(f, 0,
                  "GPGSV,2,1,05,01,10,010,40,02,10,020,41,03,10,030,42,04,10,040,43\n"
                  "GPGSV,2,2,05,05,10,050,\n"
                  "BDGSV,1,1,01,01,10,010,35");

    (void)state;
    assert_int_equal(sky.seen, 6);
    assert_int_equal(sky.tracked_30, 5);
    assert_int_equal(sky.systems, 1U << GNSS_GPS | 1U << GNSS_BEIDOU);
    /* The next set takes the place of the one before it; the other talker's stays. */
    sky = sky_after(f, 1000, "GPGSV,1,1,01,01,10,010,20");
    assert_int_equal(sky.seen, 2);
    assert_int_equal(sky.systems, 1U << GNSS_BEIDOU);
    /* A second signal of the same satellite. */
    sky = sky_after(f, 2000, "GPGSV,1,1,01,01,10,010,44,8");
    assert_int_equal(sky.seen, 2);
    assert_int_equal(sky.cn0_best4_e2, (44 + 35) * 25);
    /* One that skips a number is dropped; what was known stays. */
    say(f, 3000, "GPGSV,3,1,09,11,10,010,40,12,10,020,41,13,10,030,42,14,10,040,43");
    assert_int_equal(f->lost_sets, 0);
    sky = sky_after(f, 3000, "GPGSV,3,3,09,19,10,010,40\nGPGSV,1,1,00");
    assert_int_equal(f->lost_sets, 1);
    assert_int_equal(sky.seen, 2);
    /* A set that is not repeated is out of date. */
    sky = sky_after(f, 20000, "GLGSV,1,1,01,70,10,010,44");
    assert_int_equal(sky.seen, 1);
    assert_int_equal(sky.systems, 1U << GNSS_GLONASS);
}

/* Receivers that say GP or GN of all systems are told apart by the numbers. */
static void test_systems(void **state)
{
    static const struct {
        const char *gsv;
        enum gnss_system system;
    } cases[] = {
        { "GPGSV,1,1,01,32,,,40", GNSS_GPS },     { "GPGSV,1,1,01,40,,,40", GNSS_GPS },
        { "GNGSV,1,1,01,65,,,40", GNSS_GLONASS }, { "GNGSV,1,1,01,193,,,40", GNSS_QZSS },
        { "GPGSV,1,1,01,210,,,40", GNSS_BEIDOU }, { "GNGSV,1,1,01,305,,,40", GNSS_GALILEO },
        { "GPGSV,1,1,01,411,,,40", GNSS_BEIDOU }, { "GLGSV,1,1,01,1,,,40", GNSS_GLONASS },
        { "GAGSV,1,1,01,1,,,40", GNSS_GALILEO },  { "GBGSV,1,1,01,1,,,40", GNSS_BEIDOU },
        { "GQGSV,1,1,01,1,,,40", GNSS_QZSS },     { "GIGSV,1,1,01,1,,,40", GNSS_NAVIC },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++)
        assert_int_equal(sky_after(begin(), 0, cases[i].gsv).systems, 1U << cases[i].system);
}

/* The lines of antenna-lines.tsv: real ones, and some made after the same families. */
static void test_antenna_lines(void **state)
{
    FILE *file = fopen("tests/data/nmea/antenna-lines.tsv", "re");
    char line[256];
    int lines = 0;

    (void)state;
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file));
    while (fgets(line, sizeof line, file)) {
        char *rest = line, *sentence = strsep(&rest, "\t"), *want = strsep(&rest, "\t");
        struct nmea_frame frame;
        struct nmea_sentence s;
        enum gnss_antenna got;

        want[-1] = '\n'; /* in place of the tab */
        nmea_next(sentence, (size_t)(want - sentence), &frame);
        assert_int_equal(frame.kind, NMEA_SENTENCE);
        assert_true(nmea_decode(frame.text, frame.length, &s));
        assert_int_equal(s.type, NMEA_TXT);
        got = nmea_antenna(s.txt.text, s.txt.length);
        assert_string_equal(got == GNSS_ANTENNA_UNSAID ? "none" : gnss_antenna_name(got), want);
        lines++;
    }
    assert_true(lines >= 5);
    assert_int_equal(fclose(file), 0);
}

static void test_antenna(void **state)
{
    static const struct {
        const char *text;
        enum gnss_antenna want;
    } cases[] = {
        { "ANTSTATUS=OK", GNSS_ANTENNA_OK },
        { "antstatus=open", GNSS_ANTENNA_OPEN },
        { "ANTENNA SHORT", GNSS_ANTENNA_SHORT },
        { "ANTSTATUS=DONTKNOW", GNSS_ANTENNA_UNKNOWN },
        { "ANTSTATUS=WHATEVER", GNSS_ANTENNA_UNKNOWN },
        { "ANTARIS ATR062x", GNSS_ANTENNA_UNSAID },
        { "ANTSUPERV=AC SD OD PDoS SR", GNSS_ANTENNA_UNSAID },
        { "", GNSS_ANTENNA_UNSAID },
        { "ANTENNA", GNSS_ANTENNA_UNSAID },
    };
    struct nmea_fix *f = begin();

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++)
        assert_int_equal(nmea_antenna(cases[i].text, strlen(cases[i].text)), cases[i].want);
    say(f, 0, "GPTXT,01,01,02,ANTSTATUS=OPEN");
    assert_int_equal(f->gnss.antenna, GNSS_ANTENNA_OPEN);
    say(f, 0, "GPTXT,01,01,02,some other text");
    assert_int_equal(f->gnss.antenna, GNSS_ANTENNA_OPEN); /* it is told on change */
}

/* A greeting is a start: what was known before it is no more, and the time to the first fix begins.
 */
static void test_greeting(void **state)
{
    struct nmea_fix *f = begin();

    (void)state;
    say(f, 0, "GPTXT,01,01,02,ANTSTATUS=OPEN\nGPRMC,120000,A,3114.8,N,12135.2,E,,,250215,,");
    say(f, 1000, "GPRMC,120001,A,3114.8,N,12135.2,E,,,250215,,");
    assert_int_equal(f->gnss.ttff_ms, GNSS_UNSUPPORTED);
    say(f, 10000,
        "GPTXT,01,01,02,u-blox ag - www.u-blox.com\nGPTXT,01,01,02,HW  UBX-G5010\n"
        "GPTXT,01,01,02,ANTSTATUS=OK");
    assert_int_equal(f->gnss.ttff_ms, GNSS_NONE);
    assert_int_equal(f->gnss.antenna, GNSS_ANTENNA_OK);
    say(f, 11000, "GPRMC,,V,,,,,,,,,,N");
    say(f, 40000, "GPRMC,120040,A,3114.8,N,12135.2,E,,,250215,,");
    say(f, 41000, "GPRMC,120041,A,3114.8,N,12135.2,E,,,250215,,");
    assert_int_equal(f->gnss.ttff_ms, 30000);
}

static void test_share(void **state)
{
    struct nmea_fix *f = begin();

    (void)state;
    for (int i = 0; i < 19; i++)
        nmea_fix_count(f, NMEA_SENTENCE);
    assert_int_equal(f->gnss.good_share_e4, GNSS_NONE); /* too few */
    nmea_fix_count(f, NMEA_WRONG_SUM);
    assert_int_equal(f->gnss.good_share_e4, 9500);
    nmea_fix_count(f, NMEA_NO_SUM); /* is counted apart */
    nmea_fix_count(f, NMEA_BROKEN);
    assert_int_equal(f->gnss.good_share_e4, 9500);
    assert_int_equal(f->without_sum, 1);
    for (int i = 0; i < NMEA_SHARE_OF; i++)
        nmea_fix_count(f, NMEA_SENTENCE);
    assert_int_equal(f->gnss.good_share_e4, 10000); /* the wrong one is forgotten */
}

static void test_gns(void **state)
{
    struct nmea_fix *f = begin();

    (void)state;
    say(f, 0, "GNGNS,120000,3114.8943,N,12135.2444,E,NDA,17,0.9,28.4,11.5,,");
    say(f, 1000, "GNGNS,120001,,,,,NN,,,,,,");
    assert_int_equal(f->gnss.last.quality, 2);
    assert_int_equal(f->gnss.last.used, 17);
    assert_true(f->gnss.has_fix);
    say(f, 2000, "GNGNS,120002,,,,,NN,,,,,,");
    assert_int_equal(f->gnss.last.quality, 0);
    assert_false(f->gnss.has_fix);
}

/* What the last epoch says of the fix. One letter for each second: 3 a fix that GSA calls 3D, A one
 * without GSA, r the same by RMC alone, V none. */
static int32_t fix_after(const char *seconds)
{
    struct nmea_fix *f = begin();
    char text[300];

    for (int i = 0; seconds[i]; i++) {
        bool has_fix = seconds[i] != 'V';

        snprintf(text, sizeof text, "GPRMC,1200%02d,%c,3114.8943,N,12135.2444,E,0.0,0.0,250215,,%s",
                 i, has_fix ? 'A' : 'V', seconds[i] == '3' ? "\nGPGSA,A,3,,,,,,,,,,,,,2.1,1.3,1.8" : "");
        (void)say(f, 1000 * i, text);
        if (seconds[i] == 'r')
            continue;
        snprintf(text, sizeof text, "GPGGA,1200%02d,3114.8943,N,12135.2444,E,%d,07,1.1,28.4,M,11.5,M,,",
                 i, has_fix);
        (void)say(f, 1000 * i, text);
    }
    (void)say(f, 59000, "GPGGA,120059,,,,,0,00,,,,,,,");
    return f->gnss.last.fix;
}

static void test_fix_without_gsa(void **state)
{
    static const struct {
        const char *what, *seconds;
        int32_t want;
    } cases[] = {
        { "GSA tells", "3", GNSS_FIX_3D },
        { "not yet known whether it sends any", "AAAAAAAAAA", GNSS_NONE },
        { "it sends none", "AAAAAAAAAAA", GNSS_FIX_SOME },
        { "nor GGA", "rrrrrrrrrrr", GNSS_FIX_SOME },
        { "and has no fix", "VVVVVVVVVVV", GNSS_FIX_NONE },
        { "and has lost it", "AAAAAAAAAAAV", GNSS_FIX_NONE },
        { "GSA comes every few seconds", "3AAAA3AAAA3AAAA", GNSS_NONE },
        { "it comes no more", "3AAAAAAAAAA", GNSS_FIX_SOME },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        print_message("# %s\n", cases[i].what);
        assert_int_equal(fix_after(cases[i].seconds), cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_epoch),        cmocka_unit_test(test_pause),
        cmocka_unit_test(test_without_time), cmocka_unit_test(test_dates),
        cmocka_unit_test(test_midnight),     cmocka_unit_test(test_sets),
        cmocka_unit_test(test_systems),      cmocka_unit_test(test_antenna_lines),
        cmocka_unit_test(test_antenna),      cmocka_unit_test(test_greeting),
        cmocka_unit_test(test_share),        cmocka_unit_test(test_gns),
        cmocka_unit_test(test_fix_without_gsa),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
