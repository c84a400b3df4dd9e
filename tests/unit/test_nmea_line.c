/* What a line carries instead of NMEA, and what is said about it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/mem.h"
#include "nmea_line.h"

/* All of the bytes, `times` over, in pieces of every length. */
static enum nmea_line_kind kind_of(const char *bytes, size_t length, int times)
{
    struct nmea_line line = { 0 };
    size_t piece = 1;

    for (int i = 0; i < times; i++)
        for (size_t at = 0; at < length; at += piece, piece = piece % 7 + 1) {
            size_t n = length - at < piece ? length - at : piece;

            nmea_line_noise(&line, (const unsigned char *)bytes + at, n);
            line.bytes += n;
            if (n < piece)
                break;
        }
    return nmea_line_kind(&line);
}

static void test_kinds(void **state)
{
#define BYTES(text) text, sizeof(text) - 1
    static const struct {
        const char *what, *bytes;
        size_t length;
        int times;
        enum nmea_line_kind want;
    } cases[] = {
        { "nothing", BYTES(""), 1, NMEA_LINE_SILENT },
        { "a prompt", BYTES("login: \r\n"), 5, NMEA_LINE_STRANGER },
        { "a wrong rate", BYTES("\x80\xf8\xfe\x00\xff\x1c\xe0\x13zz"), 9, NMEA_LINE_WRONG_BAUD },
        { "a little noise in a text", BYTES("some text, \x80, and more of it\r\n"), 9,
          NMEA_LINE_STRANGER },
        { "UBX", BYTES("\xb5\x62\x01\x07\x02\x00\x01\x02\x0d\x3a"), 4, NMEA_LINE_UBX },
        { "NovAtel", BYTES("\xaa\x44\x12\x1c\x2a\x00\x00\x20"), 4, NMEA_LINE_NOVATEL },
        { "RTCM", BYTES("\xd3\x00\x13\x3e\xd0\x00\x03\x8a"), 4, NMEA_LINE_RTCM },
        { "SkyTraq", BYTES("\xa0\xa1\x00\x02\x83\x01\x82\x0d\x0a"), 4, NMEA_LINE_SKYTRAQ },
        { "CASIC", BYTES("\xba\xce\x00\x00\x05\x01\x00\x00"), 4, NMEA_LINE_CASIC },
        { "TSIP", BYTES("\x10\x8f\xab\x01\x02\x10\x03"), 4, NMEA_LINE_TSIP },
        { "one mark is chance", BYTES("\xb5\x62\x01\x07\x02\x00\x01\x02\x0d\x3a"), 1,
          NMEA_LINE_WRONG_BAUD },
        { "a JT/T 808 heartbeat",
          BYTES("\x7e\x00\x02\x00\x00\x01\x23\x45\x67\x89\x01\x00\x05\x8f\x7e"), 1,
          NMEA_LINE_TERMINAL },
        { "one with its check byte escaped",
          BYTES("\x7e\x00\x02\x00\x00\x01\x23\x45\x67\x89\x01\x00\xf4\x7d\x02\x7e"), 1,
          NMEA_LINE_TERMINAL },
        { "a 2019 one",
          BYTES("\x7e\x00\x02\x40\x00\x01\x00\x00\x00\x00\x01\x23\x45\x67\x89\x01\x00"
                "\x05\xce\x7e"),
          1, NMEA_LINE_TERMINAL },
        { "its check byte is wrong",
          BYTES("\x7e\x00\x02\x00\x00\x01\x23\x45\x67\x89\x01\x00\x05\x8e\x7e"), 1,
          NMEA_LINE_WRONG_BAUD },
        { "its length is wrong",
          BYTES("\x7e\x00\x02\x00\x01\x01\x23\x45\x67\x89\x01\x00\x05\x8e\x7e"), 1,
          NMEA_LINE_WRONG_BAUD },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        print_message("# %s\n", cases[i].what);
        assert_int_equal(kind_of(cases[i].bytes, cases[i].length, cases[i].times), cases[i].want);
    }
}

static void test_sentences(void **state)
{
    (void)state;
    assert_int_equal(nmea_line_kind(&(struct nmea_line){ .bytes = 9, .good = 1, .wrong = 5 }),
                     NMEA_LINE_SENTENCES);
    assert_int_equal(
        nmea_line_kind(&(struct nmea_line){ .bytes = 9, .wrong = 5, .without_sum = 7 }),
        NMEA_LINE_WRONG_SUMS);
    assert_int_equal(nmea_line_kind(&(struct nmea_line){ .bytes = 9, .without_sum = 7 }),
                     NMEA_LINE_NO_SUMS);
}

/* Every kind but the good one has words that say what to do. */
static void test_words(void **state)
{
    const struct nmea_line line = { .bytes = 812 };
    char text[256];

    (void)state;
    for (enum nmea_line_kind kind = 0; kind < NMEA_LINE_KINDS; kind++) {
        nmea_line_say(kind, &line, 9600, NMEA_SEARCH_NONE, text, sizeof text);
        assert_int_equal(text[0] == '\0', kind == NMEA_LINE_SENTENCES);
    }
    nmea_line_say(NMEA_LINE_WRONG_BAUD, &line, 9600, NMEA_SEARCH_NONE, text, sizeof text);
    assert_string_equal(text,
                        "812 bytes of noise at 9600 baud: correct `baud` (auto_baud = true finds "
                        "it), or the line is inverted");
    nmea_line_say(NMEA_LINE_WRONG_BAUD, &line, 0, NMEA_SEARCH_NONE, text, sizeof text);
    assert_non_null(strstr(text, "the serial server's baud rate is wrong"));
    nmea_line_say(NMEA_LINE_WRONG_BAUD, &line, 4800, NMEA_SEARCH_ON, text, sizeof text);
    assert_string_equal(text, "noise at 4800 baud: trying other rates");
    nmea_line_say(NMEA_LINE_WRONG_BAUD, &line, 4800, NMEA_SEARCH_VAIN, text, sizeof text);
    assert_non_null(strstr(text, "noise at every baud rate tried"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_sentences),
        cmocka_unit_test(test_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
