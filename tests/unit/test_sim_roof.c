/* A simulated roof light: the frames of JT/T 905's serial protocol, word for word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "tools/sim-bench/roof.h"
#include <cmocka.h>

static struct troubles troubles;
static struct roof roof;

static size_t from_hex(const char *hex, uint8_t *to)
{
    size_t length = strlen(hex) / 2;

    for (size_t i = 0; i < length; i++) {
        unsigned byte;

        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        to[i] = (uint8_t)byte;
    }
    return length;
}

/* Asks in hexadecimal, and compares. "" is silence. */
static void assert_answers(const char *ask, const char *want)
{
    uint8_t frame[64], answer[ROOF_FRAME_MAX], wanted[64];
    size_t length = from_hex(ask, frame);

    print_message("# %s\n", ask);
    assert_int_equal(roof_find_frame(frame, length), (long)length);
    length = roof_answer(&roof, 5000, frame, answer);
    assert_int_equal(length, from_hex(want, wanted));
    assert_memory_equal(answer, wanted, length);
}

static void power(void)
{
    troubles = (struct troubles){ 0 };
    roof = (struct roof){ .number = { 0x90, 0x05, 0x00, 0x12, 0x34 },
                          .hardware = 0x01,
                          .main = 0x02,
                          .minor = 0x03,
                          .boot_ms = 1000,
                          .troubles = &troubles };
}

static const char query[] = "55aa000b05000000202603100830002355aa";

static void test_answers(void **state)
{
    (void)state;
    power();
    assert_answers(query, "55aa00140500000090050012340102030000000000000000a255aa");
    troubles.of[TROUBLE_STATE].on = true;
    troubles.of[TROUBLE_STATE].value = 4;
    assert_answers("55aa000505000010011155aa", "55aa000505000010001055aa");
    assert_answers(query, "55aa00140500000090050012340102030401000000000000a755aa");
    troubles.of[TROUBLE_WRONG_UNIT].on = true;
    assert_answers(query, "55aa00140600000090050012340102030401000000000000a455aa");
    troubles.of[TROUBLE_CRC].on = true;
    assert_answers(query, "55aa00140600000090050012340102030401000000000000fe55aa");
}

static void test_settings(void **state)
{
    (void)state;
    power();
    assert_answers("55aa000505000010071755aa", "55aa000505000010ffef55aa"); /* no such display */
    assert_answers("55aa000505000012011355aa", "55aa000505000012001255aa"); /* night */
    assert_int_equal(roof.night, 1);
    troubles.of[TROUBLE_STUCK_DISPLAY].on = true;
    assert_answers("55aa000505000010021255aa", "55aa000505000010001055aa");
    assert_int_equal(roof.display, 0);
    assert_answers("55aa0004050000010055aa", "55aa000505000001000155aa"); /* reset */
    assert_answers(query, "");
    assert_answers("55aa000b02000000202603100830002455aa", ""); /* the taximeter's */
}

static void test_frames(void **state)
{
    static const struct {
        const char *what, *hex;
        long want;
    } cases[] = {
        { "nothing yet", "", 0 },
        { "a beginning", "55aa000b0500", 0 },
        { "all but its end", "55aa000b05000000202603100830002355", 0 },
        { "garbage before", "0055aa000b05000000202603100830002355aa", -1 },
        { "a wrong check", "55aa000b05000000202603100830002255aa", -1 },
        { "a wrong end", "55aa000b05000000202603100830002355ab", -1 },
        { "a length beyond belief", "55aaffff0500000020260310", -1 },
    };
    uint8_t bytes[64];

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        print_message("# %s\n", cases[i].what);
        assert_int_equal(roof_find_frame(bytes, from_hex(cases[i].hex, bytes)), cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_frames),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
