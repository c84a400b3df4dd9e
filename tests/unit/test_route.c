/* Routes: which row a request finds, what its parameters say, and how a wrong one is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api/route.h"
#include "base/mem.h"

static const struct route table[] = {
    { "GET",
      "/v1/facts",
      RIGHT_READ,
      NULL,
      "",
      NULL,
      { { "period", "" }, { "kpi", "" }, { "scope", "" } } },
    { "GET", "/v1/quarantine", RIGHT_READ, NULL, "", NULL, { { 0 } } },
    { "POST", "/v1/quarantine/{n}", RIGHT_WRITE, NULL, "", NULL, { { 0 } } },
    { "DELETE", "/v1/quarantine/{n}", RIGHT_WRITE, NULL, "", NULL, { { "reason", "" } } },
    { "POST", "/v1/sources/{name}/poll", RIGHT_WRITE, NULL, "", NULL, { { 0 } } },
    { "GET", "/v1/tickets/{kind}/{ticket}", RIGHT_READ, NULL, "", NULL, { { 0 } } },
};

static bool find(const char *method, const char *uri, struct route_hit *hit, struct problem *why)
{
    static char copy[256];

    snprintf(copy, sizeof copy, "%s", uri);
    return route_find(table, LENGTH(table), method, copy, hit, why);
}

static void test_found(void **state)
{
    static const struct {
        const char *what, *method, *uri;
        int row;
        const char *first, *second, *period, *scope;
    } cases[] = {
        { "a plain path", "GET", "/v1/facts", 0, NULL, NULL, NULL, NULL },
        { "HEAD is GET", "HEAD", "/v1/facts", 0, NULL, NULL, NULL, NULL },
        { "an empty query", "GET", "/v1/facts?", 0, NULL, NULL, NULL, NULL },
        { "parameters in any order", "GET", "/v1/facts?scope=site:east&period=2026", 0, NULL, NULL,
          "2026", "site:east" },
        { "empty pairs are nothing", "GET", "/v1/facts?&&period=2026&", 0, NULL, NULL, "2026",
          NULL },
        { "escapes and plus", "GET", "/v1/facts?scope=site%3A%E4%B8%9C+x%2By", 0, NULL, NULL, NULL,
          "site:\xe4\xb8\x9c x+y" },
        { "an equals sign in a value", "GET", "/v1/facts?scope=a=b", 0, NULL, NULL, NULL, "a=b" },
        { "an escaped name", "GET", "/v1/facts?%70eriod=2026", 0, NULL, NULL, "2026", NULL },
        { "a capture", "POST", "/v1/quarantine/17", 2, "17", NULL, NULL, NULL },
        { "the method decides", "DELETE", "/v1/quarantine/17", 3, "17", NULL, NULL, NULL },
        { "a capture in the middle", "POST", "/v1/sources/feed-1/poll", 4, "feed-1", NULL, NULL,
          NULL },
        { "two captures, one with an escaped slash", "GET", "/v1/tickets/install/A%2FB+1", 5,
          "install", "A/B+1", NULL, NULL },
    };
    struct route_hit hit;
    struct problem why;

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        print_message("# %s\n", cases[i].what);
        assert_true(find(cases[i].method, cases[i].uri, &hit, &why));
        assert_ptr_equal(hit.route, &table[cases[i].row]);
        if (cases[i].first)
            assert_string_equal(hit.captures[0], cases[i].first);
        else
            assert_null(hit.captures[0]);
        if (cases[i].second)
            assert_string_equal(hit.captures[1], cases[i].second);
        if (cases[i].period)
            assert_string_equal(route_value(&hit, "period"), cases[i].period);
        if (cases[i].scope)
            assert_string_equal(route_value(&hit, "scope"), cases[i].scope);
        if (cases[i].row == 0 && !cases[i].period)
            assert_null(route_value(&hit, "period"));
    }
}

static void test_refused(void **state)
{
    static const struct {
        const char *what, *method, *uri;
        enum problem_kind kind;
        const char *detail;
    } cases[] = {
        { "a misspelt path", "GET", "/v1/fcts", PROBLEM_NO_SUCH_PATH, "did you mean /v1/facts?" },
        { "no path at all", "GET", "/", PROBLEM_NO_SUCH_PATH, "/openapi.json" },
        { "a path too long by a slash", "GET", "/v1/facts/", PROBLEM_NO_SUCH_PATH, "/v1/facts" },
        { "an empty capture", "POST", "/v1/quarantine/", PROBLEM_NO_SUCH_PATH, "no path" },
        { "a slash is the border of a capture", "GET", "/v1/tickets/install/A/B",
          PROBLEM_NO_SUCH_PATH, "no path" },
        { "a control character is escaped in what it says", "GET", "/v1/\x01", PROBLEM_NO_SUCH_PATH,
          "no path \"/v1/\\x01\"" },
        { "another method", "PUT", "/v1/facts", PROBLEM_METHOD, "GET, HEAD, OPTIONS" },
        { "methods of several rows", "GET", "/v1/quarantine/1", PROBLEM_METHOD,
          "POST, DELETE, OPTIONS" },
        { "an unknown parameter", "GET", "/v1/facts?colour=red", PROBLEM_UNKNOWN_PARAMETER,
          "\"colour\"; this path takes period, kpi, scope" },
        { "a misspelt parameter", "GET", "/v1/facts?perod=2026", PROBLEM_UNKNOWN_PARAMETER,
          "did you mean \"period\"?" },
        { "a parameter where there are none", "GET", "/v1/quarantine?x=1",
          PROBLEM_UNKNOWN_PARAMETER, "takes none" },
        { "a parameter twice", "GET", "/v1/facts?kpi=a&kpi=b", PROBLEM_BAD_PARAMETER,
          "kpi is given twice" },
        { "a parameter without a value", "GET", "/v1/facts?kpi=", PROBLEM_BAD_PARAMETER,
          "without a value" },
        { "a parameter without even a sign", "GET", "/v1/facts?kpi", PROBLEM_BAD_PARAMETER,
          "without a value" },
        { "a broken escape", "GET", "/v1/facts?kpi=%4", PROBLEM_BAD_URL, "percent" },
        { "an escape of no digits", "GET", "/v1/facts?kpi=%zz", PROBLEM_BAD_URL, "percent" },
        { "a NUL", "GET", "/v1/facts?kpi=a%00b", PROBLEM_BAD_URL, "percent" },
        { "no UTF-8", "GET", "/v1/facts?kpi=%ff", PROBLEM_BAD_URL, "UTF-8" },
        { "no UTF-8 in a capture", "GET", "/v1/tickets/install/%c3%28", PROBLEM_BAD_URL, "UTF-8" },
    };
    struct route_hit hit;
    struct problem why;

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        print_message("# %s\n", cases[i].what);
        assert_false(find(cases[i].method, cases[i].uri, &hit, &why));
        assert_int_equal(why.kind, cases[i].kind);
        if (!strstr(why.detail, cases[i].detail))
            fail_msg("\"%s\" does not say \"%s\"", why.detail, cases[i].detail);
        if (why.kind == PROBLEM_METHOD)
            assert_non_null(strstr(why.allow, "OPTIONS"));
    }
}

static void test_methods(void **state)
{
    char methods[48];

    (void)state;
    assert_true(route_methods(table, LENGTH(table), "/v1/facts?x=y", methods));
    assert_string_equal(methods, "GET, HEAD, OPTIONS");
    assert_true(route_methods(table, LENGTH(table), "/v1/quarantine/9", methods));
    assert_string_equal(methods, "POST, DELETE, OPTIONS");
    assert_false(route_methods(table, LENGTH(table), "/v1", methods));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_methods),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
