/* Small strings: widths, near names, quoting, UTF-8, buffers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

static void test_copy(void **state)
{
    char to[4] = "old";

    (void)state;
    assert_false(text_copy(to, sizeof to, "abcd", 4));
    assert_string_equal(to, "old");
    assert_true(text_copy(to, sizeof to, "abcd", 3));
    assert_string_equal(to, "abc");
    assert_true(text_copy(to, sizeof to, "", 0));
    assert_string_equal(to, "");
    text_set(to, sizeof to, "xyz");
    assert_string_equal(to, "xyz");
}

static void test_width(void **state)
{
    static const struct {
        const char *what;
        const char *text;
        size_t width;
    } cases[] = {
        { "nothing", "", 0 },
        { "letters", "week", 4 },
        { "Chinese", "安装成功率", 10 },
        { "mixed", "2026年W47", 9 },
        { "full-width punctuation", "（一）", 6 },
        { "an accent of its own", "e\xcc\x81t", 2 },
        { "an accent built in", "é", 1 },
        { "Hangul", "한", 2 },
        { "an emoji", "\xf0\x9f\x9a\x95", 2 },
        { "bytes that are no UTF-8 stand for themselves", "\xff\xfe", 2 },
        { "a character cut short", "\xe5\xae", 2 },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        print_message("# %s\n", cases[i].what);
        assert_int_equal(text_width(cases[i].text), cases[i].width);
    }
}

static void test_prefix(void **state)
{
    static const struct {
        const char *text;
        size_t columns, bytes;
    } cases[] = {
        { "week", 2, 2 },     { "week", 9, 4 },   { "安装", 1, 0 }, { "安装", 2, 3 },
        { "安装", 3, 3 },     { "安装", 4, 6 },   { "a安", 2, 1 },
        { "e\xcc\x81t", 1, 3 },      /* the accent belongs to its letter */
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++)
        assert_int_equal(text_prefix(cases[i].text, cases[i].columns), cases[i].bytes);
}

static void test_nearest(void **state)
{
    static const char *const candidates[] = { "rework_window", "expire_after", "confirm_after",
                                              "id",            "name",         "counts",
                                              NULL };
    static const struct {
        const char *what;
        const char *name, *want;
    } cases[] = {
        { "itself", "counts", "counts" },
        { "a letter missing", "expire_aftr", "expire_after" },
        { "a letter too many", "countss", "counts" },
        { "two letters swapped", "anme", "name" },
        { "another letter", "rework-window", "rework_window" },
        { "other case", "NAME", "name" },
        { "a short name, one slip", "ids", "id" },
        { "another word", "colour", NULL },
        { "nothing", "", NULL },
        { "far too long", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
          NULL },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        const char *got = text_nearest(cases[i].name, candidates);

        print_message("# %s\n", cases[i].what);
        if (cases[i].want) {
            assert_non_null(got);
            assert_string_equal(got, cases[i].want);
        } else {
            assert_null(got);
        }
    }
}

static void test_quote(void **state)
{
    static const struct {
        const char *what;
        const char *from;
        size_t size;
        const char *want;
    } cases[] = {
        { "plain", "abc", 64, "\"abc\"" },
        { "empty", "", 64, "\"\"" },
        { "quotes and backslashes", "a\"b\\c", 64, "\"a\\\"b\\\\c\"" },
        { "controls", "a\nb\tc\x1b[31m", 64, "\"a\\nb\\tc\\x1b[31m\"" },
        { "Chinese stays", "安装", 64, "\"安装\"" },
        { "bytes that are no UTF-8", "a\xb0\xb2", 64, "\"a\\xb0\\xb2\"" },
        { "a C1 control, which terminals obey", "a\xc2\x9b", 64, "\"a\\u009b\"" },
        { "just fits", "abcdefgh", 11, "\"abcdefgh\"" },
        { "cut", "abcdefghi", 11, "\"abcde...\"" },
        { "cut before a character that does not fit", "abc安装成", 14, "\"abc安...\"" },
        { "cut, nothing fits", "abcdefghi", 6, "\"...\"" },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        char to[64];

        print_message("# %s\n", cases[i].what);
        text_quote(to, cases[i].size, cases[i].from, strlen(cases[i].from));
        assert_string_equal(to, cases[i].want);
        assert_true(strlen(to) < cases[i].size);
    }
}

static void test_utf8(void **state)
{
    static const struct {
        const char *what;
        const char *bytes;
        size_t length;
        bool good;
    } cases[] = {
        { "nothing", "", 0, true },
        { "letters", "abc", 3, true },
        { "more letters than a word of the machine", "abcdefghijklmnopq", 17, true },
        { "two bytes", "é", 2, true },
        { "four bytes", "\xf0\x9f\x9a\x95", 4, true },
        { "the last code point", "\xf4\x8f\xbf\xbf", 4, true },
        { "beyond the last", "\xf4\x90\x80\x80", 4, false },
        { "a surrogate", "\xed\xa0\x80", 3, false },
        { "overlong", "\xc0\xaf", 2, false },
        { "overlong in three", "\xe0\x80\xaf", 3, false },
        { "a lone continuation", "\x80", 1, false },
        { "cut short", "\xe5\xae", 2, false },
        { "cut short by another", "\xe5\xae""a", 3, false },
        { "a NUL", "a\0b", 3, false },
        { "a NUL among many letters", "abcdefgh\0jklmnop", 16, false },
        { "a bad byte after many letters", "abcdefghijklmno\xff", 16, false },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        print_message("# %s\n", cases[i].what);
        assert_int_equal(text_is_utf8(cases[i].bytes, cases[i].length), cases[i].good);
    }
}

static void test_buffer(void **state)
{
    struct text_buffer buffer = { 0 };
    char *taken;

    (void)state;
    taken = text_buffer_take(&buffer);      /* never NULL */
    assert_string_equal(taken, "");
    free(taken);

    text_buffer_adds(&buffer, "a");
    text_buffer_add(&buffer, "bcd", 2);
    text_buffer_addf(&buffer, "-%d-%s", 42, "x");
    assert_string_equal(buffer.bytes, "abc-42-x");
    assert_int_equal(buffer.length, 8);
    for (int i = 0; i < 1000; i++)
        text_buffer_addf(&buffer, "%0100d", i);
    assert_int_equal(buffer.length, 8 + 100000);
    assert_int_equal(strlen(buffer.bytes), buffer.length);

    taken = text_buffer_take(&buffer);
    assert_memory_equal(taken, "abc-42-x0000", 12);
    assert_int_equal(buffer.length, 0);
    assert_null(buffer.bytes);
    free(taken);
    text_buffer_finish(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copy),    cmocka_unit_test(test_width),
        cmocka_unit_test(test_prefix),  cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_quote),   cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_buffer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
