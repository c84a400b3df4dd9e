/* What a technician reads of the bench: the words, their colours, and what is left out when the
 * terminal is too small. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "tools/kpictl/answer.h"
#include "tools/kpictl/bench_view.h"

#define LED(speaks, why)                                                                           \
    "\"devices\":{\"led\":{\"source\":\"bus\",\"unit\":\"lamp1\",\"why\":" why ",\"speaks\":" speaks  \
    "}}"
#define RUNNING                                                                                    \
    "{\"slot\":\"1\",\"state\":\"running\"," LED("true", "null") ",\"session\":{"                   \
    "\"state\":\"running\",\"ticket\":\"WO-7\",\"kind\":\"install\",\"vehicle\":\"川A-T1234\","     \
    "\"remaining_ms\":151000,\"checks\":["                                                         \
    "{\"check\":\"电源\",\"verdict\":\"passed\",\"why\":\"12100 mV\"},"                             \
    "{\"check\":\"fix\",\"verdict\":\"holding\",\"hold_ms\":10000,\"held_ms\":4200,\"why\":\"1\"}," \
    "{\"check\":\"self-test\",\"verdict\":\"waiting\",\"why\":\"its turn comes later\"},"          \
    "{\"check\":\"signal\",\"verdict\":\"not_supported\",\"why\":null}]},\"last\":null}"
#define FREE(state, last)                                                                          \
    "{\"slot\":\"2\",\"state\":\"free\"," state ",\"session\":null,\"last\":" last "}"
#define LAST(outcome)                                                                              \
    "{\"ticket\":\"WO-6\",\"kind\":\"repair\",\"outcome\":\"" outcome "\",\"checks\":["              \
    "{\"check\":\"fix\",\"verdict\":\"failed\",\"why\":\"no reading\"}]}"

static char *draw(const char *slots, struct look look, size_t rows)
{
    struct text_buffer to = { 0 };
    char *text = mem_printf("{\"slots\":[%s]}", slots);
    yajl_val answer = answer_parse(text);

    assert_non_null(answer);
    bench_view_draw(answer, &look, rows, &to);
    yajl_tree_free(answer);
    free(text);
    return text_buffer_take(&to);
}

static void test_plain(void **state)
{
    static const struct {
        const char *slot, *want;
    } cases[] = {
        { RUNNING, " 1   TESTING   2 of 4   2:31 left   install WO-7  川A-T1234\n"
                   "  led bus/lamp1\n"
                   "  电源       passed         12100 mV\n"
                   "  fix        4 of 10 s      1\n"
                   "  self-test  waiting        its turn comes later\n"
                   "  signal     not supported  \n\n" },
        { FREE(LED("true", "null"), "null"), " 2   FREE\n  led bus/lamp1\n\n" },
        { FREE(LED("false", "\"pulled out\""), "null"),
          " 2   NO ANSWER\n  led bus/lamp1 says nothing: pulled out\n\n" },
        { FREE(LED("true", "null"), LAST("failure")),
          " 2   FAILED   repair WO-6\n  led bus/lamp1\n  fix  FAILED         no reading\n\n" },
        { FREE(LED("true", "null"), LAST("success")),
          " 2   PASSED   repair WO-6\n  led bus/lamp1\n  fix  FAILED         no reading\n\n" },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        char *got = draw(cases[i].slot, (struct look){ 0 }, 0);

        assert_string_equal(got, cases[i].want);
        free(got);
    }
}

/* The banner is coloured across the terminal, its word spaced out; nothing is wider than it. */
static void test_on_a_terminal(void **state)
{
    char *got = draw(RUNNING, (struct look){ .width = 40, .colour = true }, 0);

    (void)state;
    assert_non_null(strstr(got, "\033[1;30;43m 1   T E S T I N G   2 of 4   2:31 left \033[0m\n"));
    assert_non_null(strstr(got, "  电源       \033[32mpassed       \033[0m  12100 mV\n"));
    free(got);
    got = draw(RUNNING, (struct look){ .width = 34 }, 0);
    assert_non_null(strstr(got, "  self-test  waiting        its tu\n"));
    free(got);
    got = draw(FREE(LED("true", "null"), LAST("success")),
               (struct look){ .width = 20, .colour = true }, 0);
    assert_non_null(strstr(got, "\033[1;30;42m 2   P A S S E D   r\033[0m\n"));
    free(got);
}

/* First what has no session gives way, then all but the banners, then the last of those. */
static void test_too_many_lines(void **state)
{
    static const char both[] = RUNNING "," FREE(LED("true", "null"), LAST("failure"));
    static const size_t rows[] = { 11, 6, 2, 1 };

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        char *got = draw(both, (struct look){ .width = 60 }, rows[i]);
        size_t lines = 0;

        for (const char *p = got; *p; p++)
            lines += *p == '\n';
        assert_true(lines <= rows[i]);
        assert_int_equal(strstr(got, "led bus") != NULL, i == 0);
        assert_int_equal(strstr(got, "self-test") != NULL, i < 2);
        assert_int_equal(strstr(got, " 2   FAILED") != NULL, i < 3);
        free(got);
    }
}

/* What a stranger called his ticket moves no cursor. */
static void test_strangers(void **state)
{
    char *got = draw("{\"slot\":\"1\",\"state\":\"running\",\"session\":{\"ticket\":\"a\\u001b[2Jb\","
                     "\"kind\":\"install\",\"checks\":[{\"check\":\"\\u0007\",\"verdict\":"
                     "\"\\u001b\",\"why\":\"\\n\"}]}}",
                     (struct look){ 0 }, 0);

    (void)state;
    assert_null(strchr(got, '\033'));
    assert_null(strchr(got, '\a'));
    free(got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_on_a_terminal),
        cmocka_unit_test(test_too_many_lines),
        cmocka_unit_test(test_strangers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
