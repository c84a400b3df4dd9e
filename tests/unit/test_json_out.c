/* JSON for output: valid whatever goes in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_tree.h>

#include "base/json_out.h"
#include "base/mem.h"

static void test_string(void **state)
{
    static const struct {
        const char *what;
        const char *text;
        size_t length;
        const char *want;
    } cases[] = {
        { "nothing", "", 0, "\"\"" },
        { "plain", "abc", 3, "\"abc\"" },
        { "Chinese", "安装", 6, "\"安装\"" },
        { "four bytes", "\xf0\x9f\x9a\x95!", 5, "\"\xf0\x9f\x9a\x95!\"" },
        { "quote and backslash", "a\"b\\", 4, "\"a\\\"b\\\\\"" },
        { "the short escapes", "\b\f\n\r\t", 5, "\"\\b\\f\\n\\r\\t\"" },
        { "other controls", "\x01\x1f", 2, "\"\\u0001\\u001f\"" },
        { "a NUL", "a\0b", 3, "\"a\\u0000b\"" },
        { "no UTF-8", "a\xffz", 3, "\"a\xef\xbf\xbdz\"" },
        { "cut short", "a\xe5\xae", 3, "\"a\xef\xbf\xbd\xef\xbf\xbd\"" },
        { "a surrogate", "\xed\xa0\x80", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct text_buffer to = { 0 };

        print_message("# %s\n", cases[i].what);
        json_out_string(&to, cases[i].text, cases[i].length);
        assert_string_equal(to.bytes, cases[i].want);
        text_buffer_finish(&to);
    }
}

static void test_members(void **state)
{
    struct text_buffer to = { 0 };

    (void)state;
    text_buffer_adds(&to, "{");
    json_out_text(&to, "a", "x");
    json_out_text(&to, "b", NULL);
    json_out_integer(&to, "c", INT64_MIN);
    json_out_bool(&to, "d", true);
    json_out_key(&to, "e");
    text_buffer_adds(&to, "[");
    json_out_comma(&to);
    text_buffer_adds(&to, "1");
    json_out_comma(&to);
    text_buffer_adds(&to, "2]");
    json_out_instant(&to, "f", 1795168800000, 28800);
    json_out_instant(&to, "g", 0, 0);
    text_buffer_adds(&to, "}");
    assert_string_equal(to.bytes, "{\"a\":\"x\",\"b\":null,\"c\":-9223372036854775808,\"d\":true,"
                                  "\"e\":[1,2],\"f\":\"2026-11-20T18:00:00.000+08:00\","
                                  "\"g\":null}");
    text_buffer_finish(&to);
}

/* Random bytes: yajl must be able to read what came out. */
static void test_any_bytes_are_valid(void **state)
{
    unsigned seed = 1;

    (void)state;
    for (int round = 0; round < 2000; round++) {
        struct text_buffer to = { 0 };
        char bytes[24], why[200];
        yajl_val value;

        for (size_t i = 0; i < sizeof bytes; i++) {
            seed = seed * 1103515245 + 12345;
            bytes[i] = (char)(seed >> 16);
        }
        text_buffer_adds(&to, "[");
        json_out_string(&to, bytes, sizeof bytes);
        text_buffer_adds(&to, "]");
        value = yajl_tree_parse(to.bytes, why, sizeof why);
        assert_non_null(value);
        yajl_tree_free(value);
        text_buffer_finish(&to);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_string),
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_any_bytes_are_valid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
