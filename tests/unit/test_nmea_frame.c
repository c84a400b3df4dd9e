/* NMEA sentences in a stream: where they begin and end, whatever stands around them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "nmea_frame.h"

#define GGA  "GPGGA,1,2"
#define GOOD "$" GGA "*55"
#define RMC  "GPRMC,3,4"

/* Every frame of `bytes` as "LETTER:text " and what is left as "+N": s sentence, w wrong sum, n no
 * sum, b broken. */
static void frames(const char *bytes, size_t length, char *to, size_t size)
{
    static const char letters[] = "?swnb";
    struct nmea_frame frame;

    to[0] = '\0';
    for (nmea_next(bytes, length, &frame); frame.kind != NMEA_MORE;
         nmea_next(bytes, length, &frame)) {
        assert_true(frame.consumed > 0 && frame.consumed <= length);
        assert_true(frame.text > bytes && frame.text + frame.length <= bytes + length);
        snprintf(to + strlen(to), size - strlen(to), "%c:%.*s ", letters[frame.kind],
                 (int)frame.length, frame.text);
        bytes += frame.consumed;
        length -= frame.consumed;
    }
    assert_true(length - frame.consumed <= NMEA_LENGTH_MAX);
    snprintf(to + strlen(to), size - strlen(to), "+%zu", length - frame.consumed);
}

static void test_sum(void **state)
{
    (void)state;
    assert_int_equal(nmea_sum("", 0), 0);
    assert_int_equal(nmea_sum("A", 1), 'A');
    assert_int_equal(nmea_sum("GPGSV,1,1,00", 12), 0x79);
    assert_int_equal(nmea_sum("GPTXT,01,01,02,ANTSTATUS=OK", 27), 0x3B);
}

static void test_frames(void **state)
{
    static const struct {
        const char *what, *bytes, *want;
    } cases[] = {
        { "a sentence", GOOD "\r\n", "s:" GGA " +0" },
        { "two", GOOD "\r\n$" RMC "*4C\r\n", "s:" GGA " s:" RMC " +0" },
        { "a bare line feed", GOOD "\n$" RMC "*4C\n", "s:" GGA " s:" RMC " +0" },
        { "a bare carriage return", GOOD "\r$" RMC "*4C\r", "s:" GGA " s:" RMC " +0" },
        { "the line end is lost", GOOD "$" RMC "*4C\r\n", "s:" GGA " s:" RMC " +0" },
        { "small letters in the sum", "$GPGGA,k*7a\r\n", "w:GPGGA,k +0" },
        { "nothing", "", "+0" },
        { "no sentence at all", "hello\r\nworld", "+0" },
        { "a beginning alone",
          "noise"
          "$GPGG",
          "+5" },
        { "all but the line end", GOOD, "+13" },
        { "noise before it", "\xff\xfe\x80" GOOD "\r\n", "s:" GGA " +0" },
        { "a sentence that was cut", "$GPGGA,12" GOOD "\r\n", "n:GPGGA,12 s:" GGA " +0" },
        { "cut before its sum", "$GPGGA,12*" GOOD "\r\n", "n:GPGGA,12* s:" GGA " +0" },
        { "cut in its sum", "$GPGGA,12*6\r\n", "n:GPGGA,12*6 +0" },
        { "a wrong sum", "$" GGA "*68\r\n", "w:" GGA " +0" },
        { "no sum", "$" GGA "\r\n", "n:" GGA " +0" },
        { "a sum that is none", "$" GGA "*xy\r\n", "n:GPGGA,1,2*xy +0" },
        { "blanks before the line end", GOOD " \t\r\n", "s:" GGA " +0" },
        { "a star in the text", "$GPTXT,a*b*4A\r\n", "s:GPTXT,a*b +0" },
        { "a dollar alone", "$\r\n", "b: +0" },
        { "dollars", "$$$\r\n", "b: b: b: +0" },
        { "notes of a person", "# costs $5\r\n" GOOD "\r\n", "b:5 s:" GGA " +0" },
        { "AIS goes by", "!AIVDM,1,1,,A,x,0*00\r\n" GOOD "\r\n", "s:" GGA " +0" },
        { "binary with a dollar in it", "\xb5\x62\x01$\x02\x03" GOOD "\r\n",
          "b:\x02\x03 s:" GGA " +0" },
        { "an empty sentence", "$*00\r\n", "s: +0" },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        char got[200];

        print_message("# %s\n", cases[i].what);
        frames(cases[i].bytes, strlen(cases[i].bytes), got, sizeof got);
        assert_string_equal(got, cases[i].want);
    }
}

static void test_sum_digits(void **state)
{
    char line[32], got[64];

    (void)state;
    snprintf(line, sizeof line, "$GPGGA,k*%02X\n", nmea_sum("GPGGA,k", 7));
    frames(line, strlen(line), got, sizeof got);
    assert_string_equal(got, "s:GPGGA,k +0");
    snprintf(line, sizeof line, "$GPGGA,k*%02x\n", nmea_sum("GPGGA,k", 7));
    frames(line, strlen(line), got, sizeof got);
    assert_string_equal(got, "s:GPGGA,k +0");
}

/* A `$` in a binary block holds nothing up for longer than a sentence may be. */
static void test_too_long(void **state)
{
    char bytes[600];
    struct nmea_frame frame;

    (void)state;
    memset(bytes, 'x', sizeof bytes);
    bytes[0] = '$';
    nmea_next(bytes, NMEA_LENGTH_MAX, &frame);
    assert_int_equal(frame.kind, NMEA_MORE);
    assert_int_equal(frame.consumed, 0);
    nmea_next(bytes, NMEA_LENGTH_MAX + 1, &frame);
    assert_int_equal(frame.kind, NMEA_BROKEN);
    assert_int_equal(frame.consumed, NMEA_LENGTH_MAX + 1);

    memcpy(bytes + 100, GOOD "\r\n", 15);
    nmea_next(bytes, sizeof bytes, &frame);
    assert_int_equal(frame.kind, NMEA_BROKEN);
    assert_int_equal(frame.consumed, 100);
    nmea_next(bytes + 100, sizeof bytes - 100, &frame);
    assert_int_equal(frame.kind, NMEA_SENTENCE);
    assert_int_equal(frame.consumed, 15);
}

/* However a stream is cut into reads, the frames are the same. */
static void test_any_cut(void **state)
{
    static const char stream[] =
        "junk$GPGG" GOOD "\r\n\xff$" RMC "*4C\r\n$" RMC "*72\n" GOOD "\r\n";
    const size_t length = sizeof stream - 1;

    (void)state;
    for (size_t cut = 0; cut <= length; cut++) {
        char held[128];
        size_t have = cut, count = 0, wrong = 0;
        struct nmea_frame frame;

        memcpy(held, stream, cut);
        size_t at = 0;

        for (int part = 0; part < 2; part++) {
            for (nmea_next(held + at, have - at, &frame); frame.kind != NMEA_MORE;
                 nmea_next(held + at, have - at, &frame)) {
                at += frame.consumed;
                count += frame.kind == NMEA_SENTENCE;
                wrong += frame.kind == NMEA_WRONG_SUM;
            }
            at += frame.consumed;
            if (part == 0)
                memcpy(held + have, stream + cut, length - cut);
            have = length;
        }
        assert_int_equal(count, 3);
        assert_int_equal(wrong, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sum),        cmocka_unit_test(test_frames),
        cmocka_unit_test(test_sum_digits), cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_any_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
