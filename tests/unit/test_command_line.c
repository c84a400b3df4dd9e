/* The command line: each act, what goes with it, and what is no command. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <getopt.h>

#include "base/mem.h"
#include "command_line.h"

enum { WORDS_MAX = 8 };

/* getopt wants to move what it is given: the words are copied. `ret` borrows until the next. */
static bool parse(const char *const words[WORDS_MAX], struct command_line *ret)
{
    static char copies[WORDS_MAX + 1][32];
    char *argv[WORDS_MAX + 2] = { copies[0] };
    int argc = 1;

    strcpy(copies[0], "kpid");
    for (size_t i = 0; i < WORDS_MAX && words[i]; i++) {
        argv[argc] = copies[argc];
        strcpy(copies[argc++], words[i]);
    }
    optind = 0;                 /* glibc: begin anew */
    return command_line_parse(argc, argv, ret);
}

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static void test_acts(void **state)
{
    static const struct {
        const char *words[WORDS_MAX];
        struct command_line want;
    } cases[] = {
        { { NULL }, { .act = ACT_SERVE } },
        { { "-c", "x.conf" }, { .act = ACT_SERVE, .conf = "x.conf" } },
        { { "--conf=x.conf" }, { .act = ACT_SERVE, .conf = "x.conf" } },
        { { "--check" }, { .act = ACT_CHECK } },
        { { "--against-ledger", "--check" }, { .act = ACT_CHECK, .against_ledger = true } },
        { { "--replay", "e", "--as-of", "t", "--facts-out", "f" },
          { .act = ACT_REPLAY, .argument = "e", .as_of = "t", .facts_out = "f" } },
        { { "--rebuild", "--compare" }, { .act = ACT_REBUILD, .compare = true } },
        { { "--backup", "b", "-c", "x" }, { .act = ACT_BACKUP, .argument = "b", .conf = "x" } },
        { { "--restore", "b" }, { .act = ACT_RESTORE, .argument = "b" } },
        { { "--probe", "s" }, { .act = ACT_PROBE, .argument = "s" } },
        { { "--drivers" }, { .act = ACT_DRIVERS } },
        { { "--manual" }, { .act = ACT_MANUAL } },
        { { "--version" }, { .act = ACT_VERSION } },
        { { "-h" }, { .act = ACT_HELP } },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        const struct command_line *want = &cases[i].want;
        struct command_line got;

        print_message("# %s\n", cases[i].words[0] ? cases[i].words[0] : "(nothing)");
        assert_true(parse(cases[i].words, &got));
        assert_int_equal(got.act, want->act);
        assert_true(same(got.conf, want->conf ? want->conf : "/etc/kpid/kpid.conf"));
        assert_true(same(got.argument, want->argument));
        assert_true(same(got.as_of, want->as_of));
        assert_true(same(got.facts_out, want->facts_out));
        assert_int_equal(got.against_ledger, want->against_ledger);
        assert_int_equal(got.compare, want->compare);
    }
}

static void test_no_command(void **state)
{
    static const char *const cases[][WORDS_MAX] = {
        { "--no-such" },
        { "--replay" },                     /* of what? */
        { "x.conf" },
        { "--check", "x.conf" },
        { "--check", "--backup", "b" },     /* one act at a time */
        { "--check", "--check" },
        { "--compare" },                    /* goes with --rebuild */
        { "--check", "--as-of", "t" },
    };
    struct command_line got = { .act = ACT_HELP };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        print_message("# %s %s\n", cases[i][0], cases[i][1] ? cases[i][1] : "");
        assert_false(parse(cases[i], &got));
        assert_int_equal(got.act, ACT_HELP);        /* untouched */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_acts),
        cmocka_unit_test(test_no_command),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
