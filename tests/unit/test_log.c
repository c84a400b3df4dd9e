/* The journal: prefix or time, level, ring, one line for each call, a fatal end. Each case runs in
 * a child, because the journal looks at its surroundings once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/instant.h"
#include "base/log.h"
#include "base/mem.h"

enum stream { NO_JOURNAL, JOURNAL, ANOTHER_STREAM };

static void child(void (*run)(void), int fd, enum stream stream)
{
    const struct rlimit no_core = { 0, 0 };
    struct stat is;
    char name[64];

    (void)setrlimit(RLIMIT_CORE, &no_core);
    if (dup2(fd, STDERR_FILENO) < 0 || fstat(fd, &is) < 0)
        _exit(99);
    (void)snprintf(name, sizeof name, "%llu:%llu", (unsigned long long)is.st_dev,
                   (unsigned long long)is.st_ino + (stream == ANOTHER_STREAM));
    if (stream == NO_JOURNAL)
        unsetenv("JOURNAL_STREAM");
    else
        setenv("JOURNAL_STREAM", name, 1);
    run();
    _exit(0);
}

/* What `run` wrote to standard error. Gives; `ret_status` as wait(2) has it. */
static char *output_of(void (*run)(void), enum stream stream, int *ret_status)
{
    FILE *file = tmpfile();
    char *text = mem_zalloc(1024 * 1024);
    pid_t pid;

    assert_non_null(file);
    pid = fork();
    if (pid == 0)
        child(run, fileno(file), stream);
    assert_int_equal(waitpid(pid, ret_status, 0), pid);
    rewind(file);
    assert_true(fread(text, 1, 1024 * 1024 - 1, file) > 0);
    (void)fclose(file);
    return text;
}

static void say_each(void)
{
    log_debug("d");
    log_info("i %d", 1);
    log_notice("n");
    log_warning("w");
    log_err("e\nand more");
}

static void test_priorities(void **state)
{
    int status;
    char *text = output_of(say_each, JOURNAL, &status);

    (void)state;
    assert_int_equal(status, 0);
    assert_string_equal(text, "<6>i 1\n<5>n\n<4>w\n<3>e and more\n");
    free(text);
}

static void check_dated(enum stream stream)
{
    int status;
    char *text = output_of(say_each, stream, &status), *rest, *line;
    static const char *const want[] = { "i 1", "n", "w", "e and more" };
    size_t count = 0;
    int64_t at;

    for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char *blank = strchr(line, ' ');

        assert_non_null(blank);
        assert_true(instant_parse(line, (size_t)(blank - line), &at));
        assert_true(count < LENGTH(want));
        assert_string_equal(blank + 1, want[count++]);
    }
    assert_int_equal(count, LENGTH(want));
    free(text);
}

static void test_times(void **state)
{
    (void)state;
    check_dated(NO_JOURNAL);
    check_dated(ANOTHER_STREAM);    /* redirected: the journal does not see it */
}

static void say_at_levels(void)
{
    log_set_level(LOG_LEVEL_DEBUG);
    log_debug("d");
    log_set_level(LOG_LEVEL_ERR);
    log_warning("w");
    log_err("e");
}

static void test_level(void **state)
{
    int status;
    char *text = output_of(say_at_levels, JOURNAL, &status);

    (void)state;
    assert_string_equal(text, "<7>d\n<3>e\n");
    free(text);
}

static void say_much_then_dump(void)
{
    log_set_level(LOG_LEVEL_ERR);
    for (int i = 0; i < 1000; i++)
        log_debug("line %d", i);
    log_dump_ring();
}

static void test_ring(void **state)
{
    int status;
    char *text = output_of(say_much_then_dump, NO_JOURNAL, &status);
    size_t lines = 0;

    (void)state;
    for (const char *p = text; (p = strchr(p, '\n')); p++)
        lines++;
    assert_in_range(lines, 100, 500);
    assert_null(strstr(text, " line 1\n"));
    assert_non_null(strstr(text, " line 998\n"));
    assert_true(strstr(text, " line 998\n") < strstr(text, " line 999\n"));
    free(text);
}

static void die(void)
{
    log_debug("what led to it");
    log_fatal("the end: %s", "why");
}

static void test_fatal(void **state)
{
    int status;
    char *text = output_of(die, JOURNAL, &status);

    (void)state;
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_memory_equal(text, "<3>the end: why\n", 16);
    assert_non_null(strstr(text, "what led to it\n"));
    free(text);
}

static void say_long(void)
{
    char text[5000];

    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    log_err("%s", text);
    log_err("short");
}

static void test_long_lines_are_cut(void **state)
{
    int status;
    char *text = output_of(say_long, JOURNAL, &status);

    (void)state;
    assert_memory_equal(text, "<3>xxxx", 7);
    assert_true(strcspn(text, "\n") < 1000);
    assert_string_equal(strchr(text, '\n'), "\n<3>short\n");
    free(text);
}

static void *say_100(void *arg)
{
    for (int i = 0; i < 100; i++)
        log_info("%s", (const char *)arg);
    return NULL;
}

static void say_from_threads(void)
{
    static char a[] = "aaaaaaaaaaaaaaaa", b[] = "bbbbbbbbbbbbbbbb";
    pthread_t threads[2];

    if (pthread_create(&threads[0], NULL, say_100, a) ||
        pthread_create(&threads[1], NULL, say_100, b))
        _exit(98);
    (void)pthread_join(threads[0], NULL);
    (void)pthread_join(threads[1], NULL);
}

static void test_threads(void **state)
{
    int status;
    char *text = output_of(say_from_threads, JOURNAL, &status), *rest, *line;
    size_t lines = 0;

    (void)state;
    assert_int_equal(status, 0);
    for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest), lines++)
        assert_true(strcmp(line, "<6>aaaaaaaaaaaaaaaa") == 0 ||
                    strcmp(line, "<6>bbbbbbbbbbbbbbbb") == 0);
    assert_int_equal(lines, 200);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_priorities), cmocka_unit_test(test_times),
        cmocka_unit_test(test_level),      cmocka_unit_test(test_ring),
        cmocka_unit_test(test_fatal),      cmocka_unit_test(test_long_lines_are_cut),
        cmocka_unit_test(test_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
