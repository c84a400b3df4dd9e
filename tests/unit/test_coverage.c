/* Coverage (law 7.coverage): gaps of inputs, their union, and the share of a period. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/mem.h"
#include "kpi/coverage.h"
#include "script.h"

#define FOREVER (INT64_MAX - 1)
enum { EVENTS_MAX = 16 };

static struct gaps fold(const char *script, int64_t as_of)
{
    struct event events[EVENTS_MAX];
    struct gaps gaps;

    gaps_fold(&gaps, events, script_read(events, EVENTS_MAX, script, "source", "fleet"), as_of);
    return gaps;
}

/* "10-20 30-": minutes; the last may be open. */
static const char *text_of(const struct gaps *gaps, char to[200])
{
    to[0] = '\0';
    for (size_t i = 0; i < gaps->count; i++) {
        size_t used = strlen(to);
        long long begin = gaps->items[i].begin / MINUTE;
        long long end = gaps->items[i].end / MINUTE;

        if (gaps->items[i].end == INSTANT_NEVER)
            (void)snprintf(to + used, 200 - used, "%lld- ", begin);
        else
            (void)snprintf(to + used, 200 - used, "%lld-%lld ", begin, end);
    }
    return to;
}

static void test_fold(void **state)
{
    static const struct {
        const char *what, *script;
        int64_t as_of;
        const char *want;
    } cases[] = {
        { "none", "5N", 60, "" },
        { "one", "10L 20N", 60, "10-20 " },
        { "lost twice is lost once", "10L 15L 20N", 60, "10-20 " },
        { "found twice", "10L 20N 30N", 60, "10-20 " },
        { "still lost", "10L 20N 30L", 60, "10-20 30- " },
        { "up to as_of", "10L 20N 30L", 20, "10-20 " },
        { "before it was found", "10L 20N 30L", 19, "10- " },
        { "found at the same instant: no time at all", "10L 10N", 60, "" },
        { "lost again at once: one gap", "10L 20N 20L 30N", 60, "10-30 " },
    };
    char text[200];

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct gaps gaps = fold(cases[i].script, cases[i].as_of * MINUTE);

        print_message("# %s: %s\n", cases[i].what, cases[i].script);
        assert_string_equal(text_of(&gaps, text), cases[i].want);
        gaps_finish(&gaps);
    }
}

static void test_unite(void **state)
{
    static const struct {
        const char *what, *a, *b, *want;
    } cases[] = {
        { "apart", "10L 20N", "30L 40N", "10-20 30-40 " },
        { "overlapping", "10L 20N", "15L 25N", "10-25 " },
        { "touching", "10L 20N", "20L 30N", "10-30 " },
        { "within", "10L 40N", "20L 30N", "10-40 " },
        { "alike", "10L 20N", "10L 20N", "10-20 " },
        { "open", "10L", "5L 7N 20L 30N 40L", "5-7 10- " },
        { "bridging", "10L 20N 30L 40N", "15L 35N", "10-40 " },
        { "with nothing", "10L 20N", "0N", "10-20 " },
    };
    char text[200];

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++)
        for (int swapped = 0; swapped <= 1; swapped++) {
            struct gaps a = fold(swapped ? cases[i].b : cases[i].a, FOREVER);
            struct gaps b = fold(swapped ? cases[i].a : cases[i].b, FOREVER);

            print_message("# %s\n", cases[i].what);
            gaps_unite(&a, &b);
            assert_string_equal(text_of(&a, text), cases[i].want);
            gaps_finish(&a);
            gaps_finish(&b);
        }
}

static void test_share(void **state)
{
    static const struct {
        const char *what, *script;
        int64_t begin, end, as_of;      /* minutes */
        int32_t share_e4, gaps;
    } cases[] = {
        { "no gap", "0N", 0, 100, 100, 10000, 0 },
        { "a tenth", "20L 30N", 0, 100, 200, 9000, 1 },
        { "two gaps", "20L 30N 50L 51N", 0, 100, 200, 8900, 2 },
        { "cut at the period's bounds", "0L 10N 95L", 5, 100, 200, 8947, 2 },
        { "outside", "0L 10N 100L 110N", 10, 100, 200, 10000, 0 },
        { "cut at as_of", "20L 30N", 0, 100, 25, 8000, 1 },
        { "not begun", "0L", 50, 100, 50, 10000, 0 },
        { "nobody watched", "0L", 0, 100, 100, 0, 1 },
        { "half down", "0L 1N", 0, 20000, 30000, 9999, 1 },     /* 0.99995 */
        { "more than half up", "0L 1N", 0, 20001, 30000, 10000, 1 },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct gaps gaps = fold(cases[i].script, cases[i].as_of * MINUTE);
        struct coverage c = coverage_of(&gaps, cases[i].begin * MINUTE, cases[i].end * MINUTE,
                                        cases[i].as_of * MINUTE);

        print_message("# %s: %s\n", cases[i].what, cases[i].script);
        assert_int_equal(c.share_e4, cases[i].share_e4);
        assert_int_equal(c.gaps, cases[i].gaps);
        gaps_finish(&gaps);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fold),
        cmocka_unit_test(test_unite),
        cmocka_unit_test(test_share),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
