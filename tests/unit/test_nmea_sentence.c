/* What NMEA sentences say, and which of them are no sentences. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "nmea_sentence.h"

static struct nmea_sentence decode(const char *text)
{
    struct nmea_sentence s;

    if (!nmea_decode(text, strlen(text), &s))
        fail_msg("%s: field %u: %s", text, s.fault_field, s.fault);
    return s;
}

static void test_gga(void **state)
{
    struct nmea_sentence s = decode(
        "GNGGA,133900.70,4134.50180273,N,09345.03586804,W,4,19,0.7,280.830,M,-31.442,M,6.7,0002");

    (void)state;
    assert_int_equal(s.type, NMEA_GGA);
    assert_int_equal(s.talker, NMEA_GN);
    assert_int_equal(s.gga.time_ms, ((13 * 60 + 39) * 60) * 1000 + 700);
    assert_int_equal(s.gga.quality, 4);
    assert_int_equal(s.gga.used, 19);
    assert_int_equal(s.gga.hdop_e2, 70);
    assert_int_equal(s.gga.altitude_mm, 280830);
    /* 41 + 34.50180273/60 = 41.5750300455; 93 + 45.03586804/60 = 93.7505978007 */
    assert_int_equal(s.gga.position.lat_e9, 41575030046);
    assert_int_equal(s.gga.position.lon_e9, -93750597801);

    s = decode("GPGGA,,,,,,0,,,,,,,,");
    assert_int_equal(s.gga.time_ms, NMEA_NONE);
    assert_int_equal(s.gga.used, NMEA_NONE);
    assert_int_equal(s.gga.hdop_e2, NMEA_NONE);
    assert_true(s.gga.position.lat_e9 == NMEA_NOWHERE);
}

static void test_angles(void **state)
{
    static const struct {
        const char *what, *lat, *lon;
        int64_t lat_e9, lon_e9;
    } cases[] = {
        { "two decimals", "3113.50,N", "12135.00,E", 31225000000, 121583333333 },
        { "eight decimals", "0000.00000001,N", "00000.00000001,W", 0, 0 },
        { "none", "3113,S", "12135,W", -31216666667, -121583333333 },
        { "a point and nothing behind it", "3113.,N", "12135.,E", 31216666667, 121583333333 },
        { "leading zeroes left out", "113.5,N", "35.5,E", 1225000000, 591666667 },
        { "the pole and the date line", "9000.0,N", "18000.0,E", 90000000000, 180000000000 },
        { "rounded to the nearest", "0000.00000003,N", "00000.000000031,E", 1, 1 },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct nmea_sentence s;
        char text[96];

        print_message("# %s\n", cases[i].what);
        snprintf(text, sizeof text, "GPGLL,%s,%s,,A", cases[i].lat, cases[i].lon);
        s = decode(text);
        assert_true(s.gll.position.lat_e9 == cases[i].lat_e9);
        assert_true(s.gll.position.lon_e9 == cases[i].lon_e9);
    }
}

static void test_rmc(void **state)
{
    struct nmea_sentence s = decode(
        "GPRMC,132820.60,A,4134.49821229,N,09345.03351845,W,3.252,92.308,180320,11.5985,E,D");

    (void)state;
    assert_int_equal(s.rmc.status, 'A');
    assert_int_equal(s.rmc.speed_e3, 3252);
    assert_int_equal(s.rmc.course_e2, 9230);
    assert_int_equal(s.rmc.day, 18);
    assert_int_equal(s.rmc.month, 3);
    assert_int_equal(s.rmc.year_of_century, 20);
    assert_int_equal(s.rmc.mode, 'D');

    s = decode("GPRMC,,V,,,,,,,,,,N");
    assert_int_equal(s.rmc.status, 'V');
    assert_int_equal(s.rmc.time_ms, NMEA_NONE);
    assert_int_equal(s.rmc.day, NMEA_NONE);
    s = decode("GPRMC,030129.0,A,2638.1726,N,08011.3892,W,0.00,219.6,010413,,");
    assert_int_equal(s.rmc.mode, 0); /* older than 2.3 */
    s = decode("GPRMC,071732.929,V,8960.0000,N,00000.0000,E,0.00,0.00,111111,,,N");
    assert_int_equal(s.rmc.status, 'V'); /* what it says besides means nothing */
    assert_true(s.rmc.position.lat_e9 == NMEA_NOWHERE);
    assert_int_equal(s.rmc.day, NMEA_NONE);
    s = decode("GPRMC,235959.5,A,2638.1726,N,08011.3892,W,,,,,,A");
    assert_int_equal(s.rmc.day, NMEA_NONE); /* an empty date with status A */
}

static void test_gsa(void **state)
{
    struct nmea_sentence s = decode("GNGSA,A,3,08,07,11,28,17,26,,,,,,,02.6,01.5,02.1,4");

    (void)state;
    assert_int_equal(s.gsa.choice, 'A');
    assert_int_equal(s.gsa.fix, 3);
    assert_int_equal(s.gsa.id_count, 6);
    assert_int_equal(s.gsa.ids[5], 26);
    assert_int_equal(s.gsa.pdop_e2, 260);
    assert_int_equal(s.gsa.hdop_e2, 150);
    assert_int_equal(s.gsa.vdop_e2, 210);
    assert_int_equal(s.gsa.system, 4);

    s = decode("GPGSA,A,1,,,,,,,,,,,,,99.99,99.99,99.99");
    assert_int_equal(s.gsa.fix, 1);
    assert_int_equal(s.gsa.hdop_e2, 9999);
    assert_int_equal(s.gsa.system, NMEA_NONE);
    s = decode("BDGSA,A,3,02,03,04,,,,,,,,,,5.1,1.3,4.9,3.3"); /* a fourth dilution */
    assert_int_equal(s.talker, NMEA_GB);
    assert_int_equal(s.gsa.system, NMEA_NONE);
}

static void test_gsv(void **state)
{
    struct nmea_sentence s =
        decode("GPGSV,3,1,11,08,75,303,44,07,66,172,,11,51,055,36,28,39,325,36");

    (void)state;
    assert_int_equal(s.gsv.total, 3);
    assert_int_equal(s.gsv.number, 1);
    assert_int_equal(s.gsv.in_view, 11);
    assert_int_equal(s.gsv.count, 4);
    assert_int_equal(s.gsv.satellites[0].id, 8);
    assert_int_equal(s.gsv.satellites[0].elevation, 75);
    assert_int_equal(s.gsv.satellites[0].azimuth, 303);
    assert_int_equal(s.gsv.satellites[0].cn0, 44);
    assert_int_equal(s.gsv.satellites[1].cn0, NMEA_NONE);
    assert_int_equal(s.gsv.signal, NMEA_NONE);

    assert_int_equal(decode("GPGSV,3,3,11,20,09,138,36,13,04,183,51,32,03,113,44,,,,").gsv.count,
                     3);
    assert_int_equal(decode("GPGSV,1,1,00").gsv.count, 0);
    s = decode("GBGSV,1,1,01,19,,,33,B");
    assert_int_equal(s.gsv.count, 1);
    assert_int_equal(s.gsv.signal, 11);
    assert_int_equal(decode("GPGSV,1,1,00,1").gsv.signal, 1);
    assert_int_equal(decode("PQGSV,1,1,01,19,10,020,33").talker, NMEA_GB);
}

static void test_others(void **state)
{
    struct nmea_sentence s = decode("GPZDA,160012.71,11,03,2004,-1,00");

    (void)state;
    assert_int_equal(s.zda.day, 11);
    assert_int_equal(s.zda.month, 3);
    assert_int_equal(s.zda.year, 2004);
    assert_int_equal(s.zda.time_ms, 16 * 3600000 + 12710);
    s = decode("GPVTG,219.6,T,,M,0.25,N,0.5,K,A");
    assert_int_equal(s.vtg.course_e2, 21960);
    assert_int_equal(s.vtg.knots_e3, 250);
    assert_int_equal(s.vtg.kmh_e3, 500);
    assert_int_equal(s.vtg.mode, 'A');
    s = decode("GNGNS,074159.799,3114.8943,N,12135.2444,E,ANN,07,1.1,28.4,11.5,,");
    assert_string_equal(s.gns.modes, "ANN");
    assert_int_equal(s.gns.used, 7);
    assert_int_equal(s.gns.hdop_e2, 110);
    s = decode("GPGST,150119.000,10,2.6,1.3,74.0,1.6,1.5,1.7");
    assert_int_equal(s.gst.rms_mm, 10000);
    assert_int_equal(s.gst.lat_mm, 1600);
    assert_int_equal(s.gst.altitude_mm, 1700);
    s = decode("GPTXT,01,01,02,text, with commas");
    assert_int_equal(s.txt.kind, 2);
    assert_int_equal(s.txt.length, 17);
    assert_memory_equal(s.txt.text, "text, with commas", 17);
    assert_int_equal(decode("GPTXT,01,01,02,").txt.length, 0);
}

static void test_addresses(void **state)
{
    static const struct {
        const char *text;
        enum nmea_talker talker;
        enum nmea_type type;
    } cases[] = {
        { "GPZDA,,,,,", NMEA_GP, NMEA_ZDA },
        { "GLZDA,,,,,", NMEA_GL, NMEA_ZDA },
        { "GAZDA,,,,,", NMEA_GA, NMEA_ZDA },
        { "GBZDA,,,,,", NMEA_GB, NMEA_ZDA },
        { "BDZDA,,,,,", NMEA_GB, NMEA_ZDA },
        { "GQZDA,,,,,", NMEA_GQ, NMEA_ZDA },
        { "QZZDA,,,,,", NMEA_GQ, NMEA_ZDA },
        { "GIZDA,,,,,", NMEA_GI, NMEA_ZDA },
        { "GNZDA,,,,,", NMEA_GN, NMEA_ZDA },
        { "HCHDG,101.1,,,7.1,W", NMEA_TALKER_OTHER, NMEA_OTHER },
        { "PGRME,15.0,M,22.5,M,15.0,M", NMEA_TALKER_OTHER, NMEA_OTHER },
        { "PMTK001,300,3", NMEA_TALKER_OTHER, NMEA_OTHER },
        { "GPGBS,1", NMEA_GP, NMEA_OTHER },
        { "", NMEA_TALKER_OTHER, NMEA_OTHER },
        { "GPGG", NMEA_TALKER_OTHER, NMEA_OTHER },
        { "GPGGAX,1", NMEA_TALKER_OTHER, NMEA_OTHER },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct nmea_sentence s = decode(cases[i].text);

        print_message("# \"%s\"\n", cases[i].text);
        assert_int_equal(s.talker, cases[i].talker);
        assert_int_equal(s.type, cases[i].type);
    }
    assert_string_equal(nmea_talker_name(NMEA_GB), "GB");
    assert_string_equal(nmea_talker_name(NMEA_TALKER_OTHER), "other");
    assert_string_equal(nmea_type_name(NMEA_ZDA), "ZDA");
    assert_string_equal(nmea_type_name(NMEA_OTHER), "other");
}

/* All of these sum right where they come from, or could. */
static void test_malformed(void **state)
{
    static const struct {
        const char *what, *text;
        unsigned field;
    } cases[] = {
        { "a sentence that was cut", "GPGGA,1251", 2 },
        { "too few fields", "GPGGA,125128,3854.5,N,07726.4,W,1,08", 8 },
        { "letters in a number", "GPGGA,125128,3854.5,N,07726.4,W,1,0x,1.0", 7 },
        { "an enormous number", "GPGGA,125128,3854.5,N,07726.4,W,1,9999999999,1.0", 7 },
        { "a hundred satellites", "GPGGA,125128,3854.5,N,07726.4,W,1,100,1.0", 7 },
        { "latitude above 90", "GPGGA,125128,9000.1,N,07726.4,W,1,08,1.0", 2 },
        { "longitude above 180", "GPGGA,125128,3854.5,N,18000.1,W,1,08,1.0", 4 },
        { "60 minutes", "GPGGA,125128,3860.0,N,07726.4,W,1,08,1.0", 2 },
        { "two points", "GPGGA,125128,38.54.5,N,07726.4,W,1,08,1.0", 2 },
        { "a negative latitude", "GPGGA,125128,-3854.5,N,07726.4,W,1,08,1.0", 2 },
        { "an endless latitude", "GPGGA,125128,38543854385438543854.5,N,07726.4,W,1,08,1.0", 2 },
        { "no side", "GPGGA,125128,3854.5,,07726.4,W,1,08,1.0", 3 },
        { "a wrong side", "GPGGA,125128,3854.5,E,07726.4,W,1,08,1.0", 3 },
        { "half a position", "GPGGA,125128,3854.5,N,,,1,08,1.0", 2 },
        { "the hour 24", "GPGGA,240000,3854.5,N,07726.4,W,1,08,1.0", 1 },
        { "60 minutes of an hour", "GPGGA,126028,3854.5,N,07726.4,W,1,08,1.0", 1 },
        { "61 seconds", "GPGGA,125161,3854.5,N,07726.4,W,1,08,1.0", 1 },
        { "a time of seven digits", "GPGGA,1251280,3854.5,N,07726.4,W,1,08,1.0", 1 },
        { "a status that is none", "GPRMC,125128,X,3854.5,N,07726.4,W,0,0,010120,,", 2 },
        { "a date with a sign",
          "GPRMC,000231.099,A,4829.0005,N,00022.0015,E,0.15,212.28,2208-1,,,A", 9 },
        { "the 13th month", "GPRMC,125128,A,3854.5,N,07726.4,W,0,0,011320,,", 9 },
        { "day 0", "GPRMC,125128,A,3854.5,N,07726.4,W,0,0,001220,,", 9 },
        { "a dimension of 4", "GPGSA,A,4,,,,,,,,,,,,,1.0,1.0,1.0", 2 },
        { "groups of three", "GPGSV,1,1,01,08,75,303", 6 },
        { "five groups", "GPGSV,1,1,05,1,1,1,1,2,2,2,2,3,3,3,3,4,4,4,4,5,5,5,5", 23 },
        { "sentence 3 of 2", "GPGSV,2,3,11,08,75,303,44", 2 },
        { "a set without numbers", "GPGSV,,,11,08,75,303,44", 1 },
        { "azimuth 361", "GPGSV,1,1,01,08,75,361,44", 6 },
        { "three digits of C/N0", "GPGSV,1,1,01,08,75,303,144", 7 },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct nmea_sentence s;

        print_message("# %s\n", cases[i].what);
        assert_false(nmea_decode(cases[i].text, strlen(cases[i].text), &s));
        assert_non_null(s.fault);
        assert_int_equal(s.fault_field, cases[i].field);
    }
}

static void test_what_passes(void **state)
{
    (void)state;
    for (int quality = 0; quality <= 9; quality++)
        assert_int_equal(nmea_quality_passes(quality), quality >= 1 && quality <= 5);
    assert_false(nmea_quality_passes(NMEA_NONE));
    for (const char *c = "ADFRP"; *c; c++)
        assert_true(nmea_mode_passes(*c));
    for (const char *c = "EMNS"; *c; c++)
        assert_false(nmea_mode_passes(*c));
    assert_true(nmea_mode_passes('\0'));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gga),         cmocka_unit_test(test_angles),
        cmocka_unit_test(test_rmc),         cmocka_unit_test(test_gsa),
        cmocka_unit_test(test_gsv),         cmocka_unit_test(test_others),
        cmocka_unit_test(test_addresses),   cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_what_passes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
