/* What registers say: every type in every order, texts in every encoding, faults. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/mem.h"
#include "mb_value.h"

static struct mb_name names[] = { { 0, (char *)(uintptr_t) "off" },
                                  { 7, (char *)(uintptr_t) "on" } };

static void test_numbers(void **state)
{
    static const struct {
        int type, order;
        uint16_t words[2];
        double want;
    } cases[] = {
        { MB_U16, MB_BE, { 0x1234 }, 0x1234 },
        { MB_U16, MB_LE, { 0x1234 }, 0x3412 },
        { MB_U16, MB_WSWAP, { 0x1234 }, 0x1234 },
        { MB_U16, MB_BSWAP, { 0x1234 }, 0x3412 },
        { MB_I16, MB_BE, { 0xFFFE }, -2 },
        { MB_I16, MB_BE, { 0x8000 }, -32768 },
        { MB_U32, MB_BE, { 0x1122, 0x3344 }, 0x11223344 },
        { MB_U32, MB_LE, { 0x1122, 0x3344 }, 0x44332211 },
        { MB_U32, MB_WSWAP, { 0x1122, 0x3344 }, 0x33441122 },
        { MB_U32, MB_BSWAP, { 0x1122, 0x3344 }, 0x22114433 },
        { MB_U32, MB_BE, { 0xFFFF, 0xFFFF }, 4294967295.0 },
        { MB_I32, MB_BE, { 0xFFFF, 0xFFFF }, -1 },
        { MB_I32, MB_WSWAP, { 0x0000, 0x8000 }, -2147483648.0 },
        { MB_F32, MB_BE, { 0x4148, 0x0000 }, 12.5 },
        { MB_F32, MB_WSWAP, { 0x0000, 0x4148 }, 12.5 },
        { MB_F32, MB_LE, { 0x0000, 0x4841 }, 12.5 },
        { MB_F32, MB_BSWAP, { 0x4841, 0x0000 }, 12.5 },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        const struct mb_point p = {
            .function = 3, .type = cases[i].type, .order = cases[i].order, .scale = 1
        };
        struct mb_value v;

        assert_true(mb_value_of(&p, cases[i].words, &v));
        assert_false(v.is_text);
        if (v.number != cases[i].want)
            fail_msg("row %zu: %g instead of %g", i, v.number, cases[i].want);
    }
}

static void test_scale(void **state)
{
    const struct mb_point p = { .function = 4, .type = MB_I16, .scale = 0.01, .offset = -40 };
    const uint16_t word = 0xFFFF;
    struct mb_value v;

    (void)state;
    assert_true(mb_value_of(&p, &word, &v));
    assert_true(v.number > -40.0101 && v.number < -40.0099);
}

static void test_bits(void **state)
{
    static const struct {
        uint32_t function, bit;
        uint16_t word;
        double want;
    } cases[] = {
        { 3, 0, 0x0001, 1 },  { 3, 0, 0xFFFE, 0 }, { 3, 15, 0x8000, 1 },
        { 3, 15, 0x7FFF, 0 }, { 1, 0, 1, 1 },      { 2, 0, 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        const struct mb_point p = {
            .function = cases[i].function, .type = MB_BIT, .bit = cases[i].bit, .scale = 1
        };
        struct mb_value v;

        assert_true(mb_value_of(&p, &cases[i].word, &v));
        assert_true(v.number == cases[i].want);
    }
}

static void test_texts(void **state)
{
    static const struct {
        const char *what;
        int type, order;
        uint16_t words[4];
        const char *want;
        double number;
    } cases[] = {
        { "ASCII to the first NUL", MB_STRING, MB_BE, { 0x4142, 0x4300, 0x4445 }, "ABC", 0 },
        { "low byte first", MB_STRING, MB_LE, { 0x4241, 0x0043 }, "ABC", 0 },
        { "blanks at the end", MB_STRING, MB_BE, { 0x4142, 0x2020, 0x2020, 0x2020 }, "AB", 0 },
        { "GBK", MB_STRING, MB_BE, { 0xBFD5, 0xB3B5 }, "空车", 0 },
        { "neither", MB_STRING, MB_BE, { 0xFF01 }, "\"\\xff\\x01\"", 0 },
        { "empty", MB_STRING, MB_BE, { 0 }, "", 0 },
        { "enum", MB_ENUM, MB_BE, { 7 }, "on", 7 },
        { "enum without a name", MB_ENUM, MB_BE, { 9 }, "", 9 },
        { "version", MB_VERSION, MB_BE, { 0x0123 }, "1.23", 0 },
        { "version with a small minor", MB_VERSION, MB_BE, { 0x1205 }, "12.05", 0 },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        const struct mb_point p = { .function = 3,
                                    .type = cases[i].type,
                                    .order = cases[i].order,
                                    .registers = 4,
                                    .scale = 1,
                                    .names = names,
                                    .name_count = LENGTH(names) };
        struct mb_value v;

        print_message("# %s\n", cases[i].what);
        assert_true(mb_value_of(&p, cases[i].words, &v));
        assert_int_equal(v.is_text, cases[i].type != MB_ENUM);
        assert_string_equal(v.text, cases[i].want);
        assert_true(v.number == cases[i].number);
    }
}

/* The longest string fits, whatever it holds. */
static void test_longest_string(void **state)
{
    const struct mb_point p = {
        .function = 3, .type = MB_STRING, .registers = MB_STRING_REGISTERS_MAX, .scale = 1
    };
    uint16_t words[MB_STRING_REGISTERS_MAX];
    struct mb_value v;

    (void)state;
    for (size_t i = 0; i < LENGTH(words); i++)
        words[i] = 0xBFD5; /* two bytes of GBK, three of UTF-8 */
    assert_true(mb_value_of(&p, words, &v));
    assert_int_equal(strlen(v.text), 126); /* whole characters */
}

static void test_no_values(void **state)
{
    static const struct {
        int type;
        uint16_t words[2];
        const char *why;
    } cases[] = {
        { MB_F32, { 0x7FC0, 0 }, "0x7FC00000 is no number: another order?" },
        { MB_F32, { 0x7F80, 0 }, "0x7F800000 is no number: another order?" },
        { MB_VERSION, { 0x0A00 }, "0x0A00 is no version in BCD" },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        const struct mb_point p = { .function = 3, .type = cases[i].type, .scale = 1 };
        struct mb_value v;

        assert_false(mb_value_of(&p, cases[i].words, &v));
        assert_string_equal(v.text, cases[i].why);
    }
}

static void test_faulty(void **state)
{
    static char code[] = "x";
    static const struct {
        const char *what;
        struct mb_faulty when;
        double scale;
        uint16_t word;
        bool want;
    } cases[] = {
        { "no code", { .has_above = true }, 1, 5, false },
        { "mask meets", { .code = code, .mask = 6 }, 1, 4, true },
        { "mask misses", { .code = code, .mask = 6 }, 1, 9, false },
        { "mask is of what is read", { .code = code, .mask = 1 }, 0.1, 10, false },
        { "equals", { .code = code, .has_equals = true, .equals = 3 }, 1, 3, true },
        { "equals not", { .code = code, .has_equals = true, .equals = 3 }, 1, 2, false },
        { "below", { .code = code, .has_below = true, .below = 10.5 }, 0.001, 10499, true },
        { "not below", { .code = code, .has_below = true, .below = 10.5 }, 0.001, 10501, false },
        { "above zero", { .code = code, .has_above = true }, 1, 1, true },
        { "zero", { .code = code, .has_above = true }, 1, 0, false },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        const struct mb_point p = {
            .function = 3, .type = MB_U16, .scale = cases[i].scale, .faulty = cases[i].when
        };
        struct mb_value v;

        print_message("# %s\n", cases[i].what);
        assert_true(mb_value_of(&p, &cases[i].word, &v));
        assert_int_equal(mb_value_is_faulty(&p, &v), cases[i].want);
    }
}

static void test_text_to_words(void **state)
{
    uint16_t words[3];

    (void)state;
    assert_true(mb_text_to_words("空A", MB_GBK, MB_BE, words, 3));
    assert_int_equal(words[0], 0xBFD5);
    assert_int_equal(words[1], 0x4100);
    assert_int_equal(words[2], 0);
    assert_true(mb_text_to_words("AB", MB_ASCII, MB_LE, words, 3));
    assert_int_equal(words[0], 0x4241);
    assert_true(mb_text_to_words("123456", MB_GBK, MB_BE, words, 3));
    assert_false(mb_text_to_words("1234567", MB_GBK, MB_BE, words, 3));
    assert_false(mb_text_to_words("空", MB_ASCII, MB_BE, words, 3));
    assert_false(mb_text_to_words("\xFF", MB_GBK, MB_BE, words, 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),        cmocka_unit_test(test_scale),
        cmocka_unit_test(test_bits),           cmocka_unit_test(test_texts),
        cmocka_unit_test(test_longest_string), cmocka_unit_test(test_no_values),
        cmocka_unit_test(test_faulty),         cmocka_unit_test(test_text_to_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
