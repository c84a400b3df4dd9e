/* What is said of a path when the thing behind it comes, goes or is replaced, in a folder that is
 * made anew for each case. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "base/mem.h"
#include "hotplug.h"

enum { WATCHERS_MAX = 100 };

struct fixture {
    uv_loop_t loop;
    char folder[64];
    struct hotplug *hotplug;
    char said[256]; /* '+' came, '-' gone */
    bool destroy_when_told;
};

static int set_up(void **state)
{
    struct fixture *f = mem_zalloc(sizeof *f);

    assert_int_equal(uv_loop_init(&f->loop), 0);
    snprintf(f->folder, sizeof f->folder, "/tmp/test_hotplug.XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    char command[128];

    hotplug_destroy(f->hotplug);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    snprintf(command, sizeof command, "rm -rf %s", f->folder);
    assert_int_equal(system(command), 0);
    free(f);
    return 0;
}

static void on_changed(void *arg, bool is_there)
{
    struct fixture *f = arg;

    strncat(f->said, is_there ? "+" : "-", sizeof f->said - strlen(f->said) - 1);
    if (f->destroy_when_told) {
        hotplug_destroy(f->hotplug);
        f->hotplug = NULL;
    }
}

static void shell(const struct fixture *f, const char *script)
{
    char *command = mem_printf("cd %s && { %s\n}", f->folder, script);

    if (system(command) != 0)
        fail_msg("failed: %s", script);
    free(command);
}

static void watch(struct fixture *f, const char *name)
{
    char *path = mem_printf("%s/%s", f->folder, name);

    f->hotplug = hotplug_create(&f->loop, path, on_changed, f);
    free(path);
}

/* Whatever has happened is in the kernel's queue already: no waiting, one turn tells all. */
static const char *heard(struct fixture *f)
{
    static char said[sizeof f->said];

    for (int i = 0; i < 3; i++)
        uv_run(&f->loop, UV_RUN_NOWAIT);
    snprintf(said, sizeof said, "%s", f->said);
    f->said[0] = '\0';
    return said;
}

static void test_cases(void **state)
{
    static const struct {
        const char *what;
        const char *path;   /* within the folder */
        const char *before; /* as things are when watching begins */
        const char *steps[6];
        const char *said[6];
    } cases[] = {
        { "a node comes, goes and comes",
          "tty",
          ":",
          { "touch tty", "rm tty", "touch tty" },
          { "+", "-", "+" } },
        { "other nodes are none of ours",
          "tty",
          "touch tty",
          { "touch other; rm other; mkdir tty1; echo x >>tty" },
          { "" } },
        { "a node is replaced under its name, in one step and in two",
          "tty",
          "touch tty",
          { "touch new; mv new tty", "rm tty; touch tty" },
          { "-+", "-+" } },
        { "a link comes, is set to another node, and goes",
          "lamp",
          "touch a b; mkdir by-id",
          { "ln -s a lamp", "ln -sfn b lamp", "rm lamp" },
          { "+", "-+", "-" } },
        { "a link that goes and comes back the same is no news",
          "lamp",
          "touch a; ln -s a lamp",
          { "rm lamp; ln -s a lamp", "ln -s a new; mv -T new lamp" },
          { "", "" } },
        { "the node behind a link goes first, and comes last",
          "by-id/lamp",
          "touch a; mkdir by-id; ln -s ../a by-id/lamp",
          { "rm a", "rm by-id/lamp", "ln -s ../a by-id/lamp", "touch a" },
          { "-", "", "", "+" } },
        { "the folders are made with the first adapter and go with the last",
          "dev/serial/by-id/lamp",
          ":",
          { "mkdir dev", "mkdir dev/serial; touch dev/tty", "mkdir dev/serial/by-id",
            "ln -s ../../tty dev/serial/by-id/lamp", "rm -r dev/serial",
            "mkdir -p dev/serial/by-id; ln -s ../../tty dev/serial/by-id/lamp" },
          { "", "", "", "+", "-", "+" } },
        { "a folder on the way is moved away and another takes its place",
          "dev/lamp",
          "mkdir dev; touch dev/lamp",
          { "mv dev old; mkdir dev", "touch old/lamp2", "touch dev/lamp", "rm old/lamp" },
          { "-", "", "+", "" } },
        { "a folder on the way is a link, and is set elsewhere",
          "dev/lamp",
          "mkdir a b; touch a/lamp b/lamp; ln -s a dev",
          { "rm a/lamp", "ln -sfn b dev", "rm b/lamp", "touch a/lamp" },
          { "-", "+", "-", "" } },
        { "an absolute link, and dots on the way",
          "x/../x/./lamp",
          "mkdir x; touch tty; ln -s \"$PWD/tty\" x/lamp",
          { "rm tty", "touch tty" },
          { "-", "+" } },
        { "links in a circle lead nowhere, until they lead somewhere",
          "lamp",
          "ln -s b lamp; ln -s lamp b",
          { "rm b; touch b" },
          { "+" } },
        { "a file where a folder should be",
          "serial/lamp",
          "touch serial",
          { "rm serial; mkdir serial; touch serial/lamp" },
          { "+" } },
        { "udev hands the node to its group a moment later",
          "tty",
          ":",
          { "touch tty; chmod 600 tty", "chmod 660 tty", "chmod 660 tty; rm tty" },
          { "+", "+", "-" } },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < LENGTH(cases); i++) {
        print_message("# %s\n", cases[i].what);
        shell(f, cases[i].before);
        watch(f, cases[i].path);
        assert_null(hotplug_trouble(f->hotplug));
        assert_string_equal(heard(f), "");
        for (size_t k = 0; k < LENGTH(cases[i].steps) && cases[i].steps[k]; k++) {
            print_message("#   %s\n", cases[i].steps[k]);
            shell(f, cases[i].steps[k]);
            assert_string_equal(heard(f), cases[i].said[k]);
        }
        hotplug_destroy(f->hotplug);
        f->hotplug = NULL;
        shell(f, "rm -rf ./*");
    }
}

static void test_destroyed_when_told(void **state)
{
    struct fixture *f = *state;

    f->destroy_when_told = true;
    shell(f, "touch tty");
    watch(f, "tty");
    shell(f, "rm tty; touch tty");
    assert_string_equal(heard(f), "-");
    assert_null(f->hotplug);
}

/* A machine has few inotify instances for each user; a bench has many lines. */
static void test_many_share_one_inotify(void **state)
{
    struct fixture *f = *state, *watchers = mem_zalloc(WATCHERS_MAX * sizeof *watchers);

    for (size_t i = 0; i < WATCHERS_MAX; i++) {
        char *path = mem_printf("%s/by-id/%zu", f->folder, i);

        watchers[i].hotplug = hotplug_create(&f->loop, path, on_changed, &watchers[i]);
        assert_null(hotplug_trouble(watchers[i].hotplug));
        free(path);
    }
    shell(f, "mkdir by-id; touch by-id/7 by-id/99");
    heard(f);
    for (size_t i = 0; i < WATCHERS_MAX; i++)
        assert_string_equal(watchers[i].said, i == 7 || i == 99 ? "+" : "");
    for (size_t i = 0; i < WATCHERS_MAX; i += 2) {
        hotplug_destroy(watchers[i].hotplug);
        watchers[i].hotplug = NULL;
    }
    shell(f, "rm by-id/7 by-id/99; touch by-id/8 by-id/9");
    heard(f);
    assert_string_equal(watchers[7].said, "+-");
    assert_string_equal(watchers[8].said, "");
    assert_string_equal(watchers[9].said, "+");
    for (size_t i = 1; i < WATCHERS_MAX; i += 2)
        hotplug_destroy(watchers[i].hotplug);
    free(watchers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_cases, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_destroyed_when_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_many_share_one_inotify, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
