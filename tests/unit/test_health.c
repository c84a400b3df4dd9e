/* The state of a source: one line in the journal for each change, everything else in the struct. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/health.h"
#include "base/mem.h"

/* Lines that reached standard error while `step` ran. */
struct captured {
    int saved;
    FILE *file;
};

static void capture(struct captured *c)
{
    (void)fflush(stderr);
    c->saved = dup(STDERR_FILENO);
    c->file = tmpfile();
    assert_non_null(c->file);
    assert_true(dup2(fileno(c->file), STDERR_FILENO) >= 0);
}

/* The lines without their time, each ended by a newline. */
static void captured_end(struct captured *c, char *to, size_t size)
{
    char line[1024];

    assert_true(dup2(c->saved, STDERR_FILENO) >= 0);
    close(c->saved);
    rewind(c->file);
    to[0] = '\0';
    while (fgets(line, sizeof line, c->file)) {
        const char *blank = strchr(line, ' ');

        assert_non_null(blank);
        strncat(to, blank + 1, size - strlen(to) - 1);
    }
    (void)fclose(c->file);
}

static void test_one_line_for_each_change(void **state)
{
    struct clock_manual clock;
    struct health h;
    struct captured c;
    char said[1024];

    (void)state;
    clock_manual_init(&clock, 1000);
    health_init(&h, "workorders", &clock.clock);
    assert_int_equal(h.state, SOURCE_STARTING);
    assert_int_equal(h.since, 1000);

    capture(&c);
    health_is(&h, SOURCE_WELL, "", &clock.clock);
    for (int i = 0; i < 5; i++)
        health_is(&h, SOURCE_WELL, "", &clock.clock);
    clock.wall_ms = 2000;
    for (int i = 0; i < 5; i++)
        health_is(&h, SOURCE_DOWN, "no route to host: look at the cable", &clock.clock);
    clock.wall_ms = 3000;
    health_is(&h, SOURCE_DOWN, "connection refused", &clock.clock);
    clock.wall_ms = 4000;
    health_is(&h, SOURCE_DEGRADED, "3 of 32 units are silent", &clock.clock);
    clock.wall_ms = 5000;
    health_is(&h, SOURCE_WELL, "", &clock.clock);
    captured_end(&c, said, sizeof said);
    assert_string_equal(said, "workorders is well\n"
                              "workorders is down: no route to host: look at the cable\n"
                              "workorders is degraded: 3 of 32 units are silent\n"
                              "workorders is well again after 1 attempts\n");
}

static void test_memory(void **state)
{
    struct clock_manual clock;
    struct health h;
    struct captured c;
    char said[1024];

    (void)state;
    clock_manual_init(&clock, 1000);
    health_init(&h, "a", &clock.clock);
    capture(&c);
    health_is(&h, SOURCE_WELL, NULL, &clock.clock);
    clock.wall_ms = 2000;
    health_is(&h, SOURCE_DOWN, "first", &clock.clock);
    clock.wall_ms = 3000;
    health_is(&h, SOURCE_DOWN, "second", &clock.clock);
    captured_end(&c, said, sizeof said);

    assert_int_equal(h.state, SOURCE_DOWN);
    assert_int_equal(h.since, 2000);
    assert_string_equal(h.why, "second");
    assert_int_equal(h.last_success_at, 1000);
    assert_int_equal(h.last_error_at, 3000);
    assert_int_equal(h.attempts, 1);

    capture(&c);
    clock.wall_ms = 4000;
    health_is(&h, SOURCE_WELL, "ignored", &clock.clock);
    captured_end(&c, said, sizeof said);
    assert_string_equal(said, "a is well again after 2 attempts\n");
    assert_string_equal(h.why, "");
    assert_string_equal(h.last_error, "second");    /* kept for whoever asks later */
    assert_int_equal(h.last_success_at, 4000);
    assert_int_equal(h.last_error_at, 3000);
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(source_state_name(SOURCE_STARTING), "starting");
    assert_string_equal(source_state_name(SOURCE_WELL), "well");
    assert_string_equal(source_state_name(SOURCE_DEGRADED), "degraded");
    assert_string_equal(source_state_name(SOURCE_DOWN), "down");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_line_for_each_change),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
