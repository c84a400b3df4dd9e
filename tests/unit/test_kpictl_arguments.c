/* The command line of kpictl, and its table of subcommands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

int kpictl_main(int argc, char **argv);

#define main kpictl_main
#include "tools/kpictl/main.c"
#undef main

static const struct flag flags[] = {
    { "failures", NULL, "a switch", NULL },
    { "scope", "SCOPE", "a value", NULL },
    { 0 },
};

static void test_parse(void **state)
{
    static const struct {
        const char *what;
        const char *words[6];       /* ends with NULL */
        const char *scope;
        bool failures, json;
        const char *operand;
        const char *error;          /* NULL: well */
    } cases[] = {
        { "nothing", { NULL }, NULL, false, false, NULL, NULL },
        { "a value behind a blank", { "--scope", "site:a" }, "site:a", false, false, NULL, NULL },
        { "a value behind =", { "--scope=site:a=b" }, "site:a=b", false, false, NULL, NULL },
        { "a switch and what all share", { "--failures", "--json", "x" }, NULL, true, true, "x",
          NULL },
        { "flags behind operands", { "x", "--json" }, NULL, false, true, "x", NULL },
        { "operands behind --", { "--", "--json" }, NULL, false, false, "--json", NULL },
        { "a dash alone is an operand", { "-" }, NULL, false, false, "-", NULL },
        { "the last of two stands", { "--scope", "a", "--scope", "b" }, "b", false, false, NULL,
          NULL },
        { "unknown, and near", { "--scop", "x" }, NULL, false, false, NULL,
          "there is no \"--scop\": did you mean --scope?" },
        { "unknown, and far", { "--zzzzzz" }, NULL, false, false, NULL,
          "there is no \"--zzzzzz\"" },
        { "no value", { "--scope" }, NULL, false, false, NULL,
          "--scope needs a value: --scope SCOPE" },
        { "a value for a switch", { "--failures=yes" }, NULL, false, false, NULL,
          "--failures takes no value" },
        { "one dash", { "-x" }, NULL, false, false, NULL, "there is no \"-x\"" },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct arguments got;
        struct err err = { 0 };
        int argc = 0, rc;

        print_message("# %s\n", cases[i].what);
        while (cases[i].words[argc])
            argc++;
        rc = arguments_parse(&got, flags, argc, cases[i].words, &err);
        if (cases[i].error) {
            assert_int_not_equal(rc, 0);
            assert_string_equal(err.text, cases[i].error);
            continue;
        }
        assert_int_equal(rc, 0);
        assert_int_equal(arguments_has(&got, "failures"), cases[i].failures);
        assert_int_equal(arguments_has(&got, "json"), cases[i].json);
        if (cases[i].scope)
            assert_string_equal(arguments_value(&got, "scope"), cases[i].scope);
        else
            assert_null(arguments_value(&got, "scope"));
        if (cases[i].operand)
            assert_string_equal(arguments_operand(&got, 0), cases[i].operand);
        else
            assert_null(arguments_operand(&got, 0));
    }
}

static void test_tables_are_sorted(void **state)
{
    size_t count;
    const struct subcommand *table = subcommand_table(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            assert_true(strcmp(table[i - 1].name, table[i].name) < 0);
        for (const struct flag *flag = table[i].flags; flag && flag->name; flag++) {
            assert_true(flag == table[i].flags || strcmp((flag - 1)->name, flag->name) < 0);
            assert_true(flag->help[0] != '\0');
        }
    }
}

static void test_place_of_the_subcommand(void **state)
{
    static const struct {
        const char *what;
        const char *words[6];
        int want;
    } cases[] = {
        { "first", { "kpictl", "facts", "--json" }, 1 },
        { "behind a socket", { "kpictl", "--socket", "facts", "status" }, 3 },
        { "behind a switch", { "kpictl", "--json", "status" }, 2 },
        { "none", { "kpictl", "--help" }, 0 },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        char *words[7] = { NULL };
        int argc = 0;

        print_message("# %s\n", cases[i].what);
        for (; cases[i].words[argc]; argc++)
            words[argc] = mem_strdup(cases[i].words[argc]);
        assert_int_equal(subcommand_place(argc, words), cases[i].want);
        while (argc-- > 0)
            free(words[argc]);
    }
}

static void test_locale(void **state)
{
    static const struct {
        const char *what, *lc_all, *lang;
        bool want;
    } cases[] = {
        { "nothing said", "", "", false },
        { "Chinese", "", "zh_CN.UTF-8", true },
        { "LC_ALL outranks LANG", "en_US.UTF-8", "zh_CN.UTF-8", false },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        print_message("# %s\n", cases[i].what);
        setenv("LC_ALL", cases[i].lc_all, 1);
        setenv("LC_MESSAGES", "", 1);
        setenv("LANG", cases[i].lang, 1);
        assert_int_equal(locale_is_chinese(), cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_tables_are_sorted),
        cmocka_unit_test(test_place_of_the_subcommand),
        cmocka_unit_test(test_locale),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
