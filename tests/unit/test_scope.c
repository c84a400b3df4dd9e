/* Scopes: law 4.scopes, which ones something has, how they are written, and patterns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "kpi/scope.h"

static void test_list(void **state)
{
    static const struct {
        const char *what;
        struct attributes is;
        const char *department;     /* of the KPI */
        bool with_staff;
        const char *want;
    } cases[] = {
        { "nothing", { .device = "d", .vehicle = "v" }, "", true, "company" },
        { "everything", { .site = "e", .department = "p", .staff = "li", .model = "m" }, "", true,
          "company site:e department:p staff:li model:m" },
        { "law 4.scopes: devices have no staff", { .site = "e", .staff = "li" }, "", false,
          "company site:e" },
        { "law 2.department: the KPI's stands in", { .model = "m" }, "technical", true,
          "company department:technical model:m" },
        { "but not for one that is there", { .department = "p" }, "technical", true,
          "company department:p" },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        char scopes[SCOPES_MAX][SCOPE_SIZE];
        char got[SCOPES_MAX * SCOPE_SIZE] = "";
        struct kpi kpi = { .counts = "install" };

        print_message("# %s\n", cases[i].what);
        text_set(kpi.department, NAME_SIZE, cases[i].department);
        size_t count = scope_list(scopes, &cases[i].is, &kpi, cases[i].with_staff);

        for (size_t k = 0; k < count; k++) {
            strcat(got, k ? " " : "");
            strcat(got, scopes[k]);
        }
        assert_string_equal(got, cases[i].want);
    }
}

/* law 1: attributes have up to 64 bytes, and all of them fit. */
static void test_longest(void **state)
{
    struct attributes is = { .site = "" };
    struct kpi kpi = { .counts = "install" };
    char scopes[SCOPES_MAX][SCOPE_SIZE];

    (void)state;
    memset(is.department, 'x', NAME_SIZE - 1);
    assert_int_equal(scope_list(scopes, &is, &kpi, true), 2);
    assert_int_equal(strlen(scopes[1]), strlen("department:") + 64);
    assert_true(scope_is_valid(scopes[1]));
    strcat(scopes[1], "x");
    assert_false(scope_is_valid(scopes[1]));
}

static void test_valid(void **state)
{
    static const char *const good[] = {
        "company", "site:east", "department:p", "staff:\xe5\xbc\xa0", "model:GT 100", "site:a:b",
    };
    static const char *const bad[] = {
        "", "companies", "site:", "site", "vehicle:x", "device:x", "Site:x", " site:x",
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(good); i++)
        assert_true(scope_is_valid(good[i]));
    for (size_t i = 0; i < LENGTH(bad); i++)
        assert_false(scope_is_valid(bad[i]));
}

static void test_matches(void **state)
{
    static const struct {
        const char *pattern, *scope;
        bool want;
    } cases[] = {
        { "company", "company", true }, { "site:east", "site:east", true },
        { "site:east", "site:east2", false }, { "site:*", "site:east", true },
        { "site:*", "staff:east", false }, { "site:*", "company", false },
        { "*", "company", false }, { "site:e*", "site:east", false },
        { "site:*", "site:*", true },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++)
        assert_int_equal(scope_matches(cases[i].pattern, cases[i].scope), cases[i].want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_longest),
        cmocka_unit_test(test_valid),
        cmocka_unit_test(test_matches),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
