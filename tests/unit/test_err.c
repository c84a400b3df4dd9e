/* A failure is one line for a person and a number for the program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/err.h"

static void test_set(void **state)
{
    struct err err = { 0 };

    (void)state;
    assert_int_equal(err_set(&err, -EIO, "event %s: %d", "a", 7), -EIO);
    assert_int_equal(err.code, -EIO);
    assert_string_equal(err.text, "event a: 7");
    assert_int_equal(err_set(NULL, -EIO, "nobody asks"), -EIO);
}

static void test_one_line_of_bounded_length(void **state)
{
    struct err err = { 0 };
    char text[2 * sizeof err.text];

    (void)state;
    (void)err_set(&err, -EIO, "one\ntwo\r\n");
    assert_string_equal(err.text, "one two  ");
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    (void)err_set(&err, -EIO, "%s", text);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set),
        cmocka_unit_test(test_one_line_of_bounded_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
