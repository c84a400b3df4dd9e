/* Pages: limits, and cursors that come back as they went out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/page.h"
#include "base/mem.h"

static void test_limit(void **state)
{
    static const struct {
        const char *what, *limit;
        size_t want; /* 0: refused */
    } cases[] = {
        { "left out", NULL, 100 },    { "one", "1", 1 },
        { "the most", "1000", 1000 }, { "none", "0", 0 },
        { "too many", "1001", 0 },    { "less than none", "-1", 0 },
        { "no number", "many", 0 },   { "a blank before", " 1", 0 },
        { "more behind", "1x", 0 },   { "beyond any number", "99999999999999999999", 0 },
        { "nothing", "", 0 },
    };
    struct page page;
    struct problem why;

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        bool well = page_read(&page, cases[i].limit, NULL, 100, 1, &why);

        print_message("# %s\n", cases[i].what);
        assert_int_equal(well, cases[i].want != 0);
        if (well)
            assert_int_equal(page.limit, cases[i].want);
        else
            assert_non_null(strstr(why.detail, "limit"));
    }
}

/* The cursor of an answer, as a caller cuts it out. */
static char *cursor_of(const char *const *fields, size_t count)
{
    struct text_buffer out = { 0 };
    char *text, *cursor;

    text_buffer_adds(&out, "{");
    page_cursor(&out, fields, count);
    text = text_buffer_take(&out);
    assert_int_equal(strncmp(text, "{\"cursor\":\"", 11), 0);
    cursor = mem_strndup(text + 11, strlen(text) - 12);
    free(text);
    return cursor;
}

static void test_there_and_back(void **state)
{
    static const struct {
        const char *what;
        const char *fields[3];
    } cases[] = {
        { "a fact", { "2026-W47", "install_success", "site:east" } },
        { "a Chinese site", { "2026", "x", "site:\xe4\xb8\x9c" } },
        { "a tab and a backslash inside", { "a\tb", "c\\d", "\\t\t\\" } },
        { "empty fields", { "", "", "" } },
        { "one byte more, for the groups of three", { "a", "b", "cc" } },
    };
    struct page page;
    struct problem why;

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        char *cursor = cursor_of(cases[i].fields, 3);

        print_message("# %s: %s\n", cases[i].what, cursor);
        assert_int_equal(strspn(cursor, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                        "0123456789-_"),
                         strlen(cursor));
        assert_true(page_read(&page, NULL, cursor, 10, 3, &why));
        assert_true(page.resumes);
        for (size_t f = 0; f < 3; f++)
            assert_string_equal(page.fields[f], cases[i].fields[f]);
        free(cursor);
    }
}

static void test_strange_cursors(void **state)
{
    static const char *const cursors[] = { "!", "abc=", "AA", "____", "YQ", "YQliCWMJZA" };
    struct page page;
    struct problem why;
    char *huge = mem_alloc(4001);

    (void)state;
    memset(huge, 'Y', 4000);
    huge[4000] = '\0';
    assert_false(page_read(&page, NULL, huge, 10, 3, &why));
    free(huge);
    for (size_t i = 0; i < LENGTH(cursors); i++) {
        print_message("# %s\n", cursors[i]);
        assert_false(page_read(&page, NULL, cursors[i], 10, 3, &why));
        assert_int_equal(why.kind, PROBLEM_BAD_PARAMETER);
    }
}

static void test_last_page(void **state)
{
    struct text_buffer out = { 0 };

    (void)state;
    text_buffer_adds(&out, "[]");
    page_cursor(&out, NULL, 3);
    assert_string_equal(out.bytes, "[],\"cursor\":null");
    text_buffer_finish(&out);
}

static void test_problem_document(void **state)
{
    struct text_buffer out = { 0 };
    struct problem p;

    (void)state;
    assert_false(problem_set(&p, PROBLEM_BAD_BODY, "a \"%s\"", "quote"));
    p.members = mem_strdup("\"accepted\":3");
    problem_json(&out, &p);
    assert_string_equal(
        out.bytes, "{\"type\":\"urn:kpid:problem:bad-body\",\"title\":\"The body is malformed\","
                   "\"status\":400,\"detail\":\"a \\\"quote\\\"\",\"accepted\":3}");
    problem_finish(&p);
    text_buffer_finish(&out);
    for (int kind = PROBLEM_NONE + 1; kind < PROBLEM_KINDS; kind++)
        assert_in_range(problem_status((enum problem_kind)kind), 400, 599);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_strange_cursors),
        cmocka_unit_test(test_last_page),
        cmocka_unit_test(test_problem_document),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
