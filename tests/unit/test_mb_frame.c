/* Frames that are taken apart by hand, against the examples of the Modbus specifications. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "mb_frame.h"

static size_t bytes_of(const char *hex, uint8_t *to)
{
    size_t count = 0;
    unsigned byte;
    int used;

    for (; sscanf(hex, " %2x%n", &byte, &used) == 1; hex += used)
        to[count++] = (uint8_t)byte;
    return count;
}

/* Serial line 1.02, appendix B: the frame 02 07 has the CRC 41 12. */
static void test_crc(void **state)
{
    static const uint8_t frame[] = { 0x02, 0x07 };

    (void)state;
    assert_int_equal(mb_frame_crc(frame, 2), 0x1241);
}

/* Application protocol 1.1b3, sections 6.3, 6.6, 6.8 and 6.12. */
static void test_requests(void **state)
{
    static const uint16_t two[] = { 0x000A, 0x0102 }, one[] = { 0x0003 }, data[] = { 0xA537 };
    static const struct {
        uint8_t function;
        uint16_t address, count;
        const uint16_t *values;
        const char *want;
    } cases[] = {
        { 3, 0x006B, 3, NULL, "11 03 00 6B 00 03" },
        { 6, 0x0001, 1, one, "11 06 00 01 00 03" },
        { 8, 0x0000, 1, data, "11 08 00 00 A5 37" },
        { 16, 0x0001, 2, two, "11 10 00 01 00 02 04 00 0A 01 02" },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        uint8_t got[MB_RTU_FRAME_MAX], want[32];
        size_t length = mb_frame_request(got, 0x11, cases[i].function, cases[i].address,
                                         cases[i].count, cases[i].values);

        assert_int_equal(length, bytes_of(cases[i].want, want));
        assert_memory_equal(got, want, length);
    }
}

static void test_answers(void **state)
{
    static const struct {
        const char *what;
        enum mb_framing framing;
        const char *request, *answer; /* an RTU answer gets its CRC unless "bad" */
        enum mb_frame_state want;
        int exception;
    } cases[] = {
        { "registers", MB_FRAMING_RTU, "11 03 00 6B 00 03", "11 03 06 02 2B 00 00 00 64",
          MB_FRAME_WHOLE, 0 },
        { "coils", MB_FRAMING_RTU, "11 01 00 13 00 13", "11 01 03 CD 6B 05", MB_FRAME_WHOLE, 0 },
        { "a write", MB_FRAMING_RTU, "11 06 00 01 00 03", "11 06 00 01 00 03", MB_FRAME_WHOLE, 0 },
        { "a write of something else", MB_FRAMING_RTU, "11 06 00 01 00 03", "11 06 00 02 00 03",
          MB_FRAME_GARBAGE, 0 },
        { "diagnostics may answer other data", MB_FRAMING_RTU, "11 08 00 00 00 01",
          "11 08 00 00 00 00", MB_FRAME_WHOLE, 0 },
        { "an exception", MB_FRAMING_RTU, "11 03 00 6B 00 03", "11 83 02", MB_FRAME_WHOLE, 2 },
        { "exception 0, which there is not", MB_FRAMING_RTU, "11 03 00 6B 00 03", "11 83 00",
          MB_FRAME_GARBAGE, 0 },
        { "an exception to another function", MB_FRAMING_RTU, "11 03 00 6B 00 03", "11 84 02",
          MB_FRAME_GARBAGE, 2 },
        { "another unit", MB_FRAMING_RTU, "11 03 00 6B 00 01", "12 03 02 02 2B", MB_FRAME_STRAY,
          0 },
        { "another length", MB_FRAMING_RTU, "11 03 00 6B 00 01", "11 03 04 02 2B", MB_FRAME_GARBAGE,
          0 },
        { "over TCP", MB_FRAMING_TCP, "11 08 00 00 00 01", "00 00 00 00 00 06 11 08 00 00 00 01",
          MB_FRAME_WHOLE, 0 },
        { "another transaction", MB_FRAMING_TCP, "11 08 00 00 00 01",
          "00 07 00 00 00 06 11 08 00 00 00 01", MB_FRAME_GARBAGE, 0 },
        { "another protocol", MB_FRAMING_TCP, "11 08 00 00 00 01",
          "00 00 00 01 00 06 11 08 00 00 00 01", MB_FRAME_GARBAGE, 0 },
        { "a length of 60000", MB_FRAMING_TCP, "11 08 00 00 00 01",
          "00 00 00 00 EA 60 11 08 00 00 00 01", MB_FRAME_GARBAGE, 0 },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        uint8_t request[32], answer[64];
        const struct mb_body body = { request, bytes_of(cases[i].request, request) };
        size_t length = bytes_of(cases[i].answer, answer);
        struct mb_body got;

        print_message("# %s\n", cases[i].what);
        if (cases[i].framing == MB_FRAMING_RTU) {
            uint16_t crc = mb_frame_crc(answer, length);

            answer[length++] = (uint8_t)crc;
            answer[length++] = (uint8_t)(crc >> 8);
        }
        for (size_t cut = 0; cut < length && cases[i].want == MB_FRAME_WHOLE; cut++)
            assert_int_equal(mb_frame_answer(cases[i].framing, body, answer, cut, &got),
                             MB_FRAME_SHORT);
        assert_int_equal(mb_frame_answer(cases[i].framing, body, answer, length, &got),
                         cases[i].want);
        if (cases[i].want == MB_FRAME_WHOLE)
            assert_int_equal(mb_frame_exception(got), cases[i].exception);
        answer[length - 1] ^= 1;
        if (cases[i].framing == MB_FRAMING_RTU)
            assert_int_equal(mb_frame_answer(cases[i].framing, body, answer, length, &got),
                             MB_FRAME_GARBAGE);
    }
}

/* Half an answer, and what is none. */
static void test_begins(void **state)
{
    static const struct {
        const char *what;
        enum mb_framing framing;
        const char *bytes;
        bool want;
    } cases[] = {
        { "nothing", MB_FRAMING_RTU, "", false },
        { "the unit alone", MB_FRAMING_RTU, "11", true },
        { "half", MB_FRAMING_RTU, "11 03 06 02 2B", true },
        { "half an exception", MB_FRAMING_RTU, "11 83", true },
        { "of another unit", MB_FRAMING_RTU, "12 03 06", false },
        { "of another function", MB_FRAMING_RTU, "11 04 06", false },
        { "noise", MB_FRAMING_RTU, "FF FE 00", false },
        { "nothing", MB_FRAMING_TCP, "", false },
        { "half a header", MB_FRAMING_TCP, "00 00 00", true },
        { "a header", MB_FRAMING_TCP, "00 00 00 00 00 09", true },
        { "half", MB_FRAMING_TCP, "00 00 00 00 00 09 11 03 06 02", true },
        { "another transaction", MB_FRAMING_TCP, "00 01 00", false },
        { "another protocol", MB_FRAMING_TCP, "00 00 00 01 00", false },
        { "of another unit", MB_FRAMING_TCP, "00 00 00 00 00 09 12 03", false },
        { "of another function", MB_FRAMING_TCP, "00 00 00 00 00 09 11 04 06", false },
    };
    uint8_t request[16], bytes[32];
    const struct mb_body body = { request, bytes_of("11 03 00 6B 00 03", request) };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        print_message("# %s\n", cases[i].what);
        assert_int_equal(mb_frame_begins(cases[i].framing, body, bytes,
                                         bytes_of(cases[i].bytes, bytes)),
                         cases[i].want);
    }
}

static void test_values(void **state)
{
    uint8_t bytes[32];
    struct mb_body answer = { bytes, bytes_of("11 03 06 02 2B 00 00 00 64", bytes) };
    uint16_t values[19];

    (void)state;
    mb_frame_values(answer, 3, values);
    assert_int_equal(values[0], 0x022B);
    assert_int_equal(values[2], 0x64);
    answer.length = bytes_of("11 01 03 CD 6B 05", bytes);
    mb_frame_values(answer, 19, values);
    assert_int_equal(values[0], 1);
    assert_int_equal(values[1], 0);
    assert_int_equal(values[15], 0);
    assert_int_equal(values[18], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crc),
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_begins),
        cmocka_unit_test(test_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
