/* Redelivery (law 1.redelivery): what is the same event again, and what is another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "kpi/event.h"

static bool same(const char *a, const char *b)
{
    bool forth = event_same_content(a, strlen(a), b, strlen(b));

    assert_int_equal(event_same_content(b, strlen(b), a, strlen(a)), forth);
    return forth;
}

struct pair {
    const char *what, *a, *b;
    bool same;
};

static void check_all(const struct pair *pairs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        print_message("# %s: %s and %s\n", pairs[i].what, pairs[i].a, pairs[i].b);
        assert_int_equal(same(pairs[i].a, pairs[i].b), pairs[i].same);
    }
}

static void test_content(void **state)
{
    static const struct pair pairs[] = {
        { "word for word", "{\"a\":1}", "{\"a\":1}", true },
        { "key order", "{\"a\":1,\"b\":\"x\"}", "{\"b\":\"x\",\"a\":1}", true },
        { "key order, deep", "{\"e\":{\"x\":[1,{\"p\":1,\"q\":2}],\"y\":0}}",
          "{\"e\":{\"y\":0,\"x\":[1,{\"q\":2,\"p\":1}]}}", true },
        { "blanks", "{\"a\":[1,2]}", " { \"a\" :\t[ 1 , 2 ] }\r\n", true },
        { "escapes", "{\"a\":\"\\u00e9\\/\"}", "{\"\\u0061\":\"\xc3\xa9/\"}", true },
        { "order in lists counts", "{\"a\":[1,2]}", "{\"a\":[2,1]}", false },
        { "another value", "{\"a\":\"x\"}", "{\"a\":\"y\"}", false },
        { "another key", "{\"a\":1}", "{\"b\":1}", false },
        { "a key more", "{\"a\":1}", "{\"a\":1,\"b\":null}", false },
        { "a key in another object", "{\"a\":{\"b\":1},\"c\":{}}", "{\"a\":{},\"c\":{\"b\":1}}",
          false },
        { "an element moved out", "{\"a\":[[1],2]}", "{\"a\":[[1,2]]}", false },
        { "an element less", "{\"a\":[1,[]]}", "{\"a\":[1]}", false },
        { "a string is no number", "{\"a\":\"1\"}", "{\"a\":1}", false },
        { "null is no false", "{\"a\":null}", "{\"a\":false}", false },
        { "true is no false", "{\"a\":true}", "{\"a\":false}", false },
        { "a list is no object", "{\"a\":[]}", "{\"a\":{}}", false },
        { "an empty key", "{\"\":1,\"a\":2}", "{\"a\":2,\"\":1}", true },
        { "a key twice, alike", "{\"x\":1,\"x\":2}", "{\"x\":1, \"x\":2}", true },
        { "a key twice, in another order", "{\"x\":1,\"x\":2}", "{\"x\":2,\"x\":1}", false },
        { "a key twice and once", "{\"x\":1,\"x\":1}", "{\"x\":1}", false },
        { "a prefix", "{\"ab\":1,\"a\":2}", "{\"a\":2,\"ab\":1}", true },
        { "a NUL within", "{\"a\":\"x\\u0000y\"}", "{\"a\":\"x\\u0000z\"}", false },
        { "no JSON", "{\"a\":1", "{\"a\": 1", false },
    };

    (void)state;
    check_all(pairs, LENGTH(pairs));
}

/* By value, without losing a digit. */
static void test_numbers(void **state)
{
    static const struct pair pairs[] = {
        { "decimals", "1", "1.0", true },
        { "exponents", "1", "10e-1", true },
        { "exponents with signs", "120", "1.2E+2", true },
        { "small", "0.00120", "12e-4", true },
        { "zeros", "0", "-0.0e7", true },
        { "zero and one", "0", "1", false },
        { "the sign", "1", "-1", false },
        { "the point", "12", "1.2", false },
        { "a digit more", "1.2", "1.23", false },
        { "ten times", "1", "10", false },
        { "beyond a double", "12345678901234567890", "12345678901234567891", false },
        { "beyond a double, alike", "12345678901234567890", "1234567890123456789.0e1", true },
        { "a third decimal at 1e30", "1e30", "1000000000000000000000000000000.001", false },
        { "a huge exponent, alike", "1e99999999999999999999", "1e99999999999999999999", true },
        { "a huge exponent", "1e99999999999999999999", "1e99999999999999999998", false },
        { "leading zeros of an exponent", "1e0000000000000000000000002", "100", true },
        { "inner zeros", "1001", "11", false },
        { "inner zeros behind the point", "1.001", "1.01", false },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(pairs); i++) {
        char a[100], b[100];

        print_message("# %s: %s and %s\n", pairs[i].what, pairs[i].a, pairs[i].b);
        (void)snprintf(a, sizeof a, "{\"n\":%s}", pairs[i].a);
        (void)snprintf(b, sizeof b, "{\"n\":  %s}", pairs[i].b);
        assert_int_equal(same(a, b), pairs[i].same);
    }
}

/* A stranger's nesting costs no stack and no more than his bytes. */
static void test_depth(void **state)
{
    struct text_buffer a = { 0 };
    struct text_buffer b = { 0 };

    (void)state;
    for (int i = 0; i < 10000; i++) {
        text_buffer_adds(&a, "{\"a\":[");
        text_buffer_adds(&b, "{\"a\":[");
    }
    text_buffer_adds(&a, "1");
    text_buffer_adds(&b, "2");
    for (int i = 0; i < 10000; i++) {
        text_buffer_adds(&a, "]}");
        text_buffer_adds(&b, "]}");
    }
    assert_false(event_same_content(a.bytes, a.length, b.bytes, b.length));
    *strchr(b.bytes, '2') = '1';
    text_buffer_adds(&b, " ");
    assert_true(event_same_content(a.bytes, a.length, b.bytes, b.length));
    text_buffer_finish(&a);
    text_buffer_finish(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_content),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_depth),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
