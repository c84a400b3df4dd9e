/* Allocation that cannot fail: it gives memory, or ends the process with a line that says so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

static void test_gives(void **state)
{
    unsigned char *p = mem_zalloc(3);
    char *text;

    (void)state;
    assert_memory_equal(p, "\0\0\0", 3);
    p = mem_realloc_array(p, 10, 10);
    p[99] = 1;
    free(p);
    p = mem_alloc(0);           /* a size of 0 is no failure */
    assert_non_null(p);
    p = mem_realloc(p, 0);
    assert_non_null(p);
    free(p);
    p = mem_try_alloc(1);
    assert_non_null(p);
    free(p);

    text = mem_strdup("abc");
    assert_string_equal(text, "abc");
    free(text);
    text = mem_strndup("abc", 2);
    assert_string_equal(text, "ab");
    free(text);
    text = mem_strndup("abc", 9);
    assert_string_equal(text, "abc");
    free(text);
    text = mem_printf("%d-%s", 1, "x");
    assert_string_equal(text, "1-x");
    free(text);
}

/* In a child: a product that overflows must not become a small allocation. */
static void test_overflow_ends_the_process(void **state)
{
    volatile size_t count = SIZE_MAX / 8 + 2;
    int status;
    pid_t pid = fork();

    (void)state;
    if (pid == 0) {
        const struct rlimit no_core = { 0, 0 };

        (void)setrlimit(RLIMIT_CORE, &no_core);
        (void)dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
        (void)mem_realloc_array(NULL, count, 8);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gives),
        cmocka_unit_test(test_overflow_ends_the_process),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
