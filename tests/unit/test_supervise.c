/* When the ledger counts as alive, which decides whether the watchdog is fed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "supervise.h"

enum { LIMIT = 30000, NOW = 1000000 };

static void test_alive(void **state)
{
    static const struct {
        const char *what;
        int64_t asked_at, progress_at;
        bool want;
    } cases[] = {
        { "nothing was asked, however long ago it last said something", 0, 1, true },
        { "asked just now", NOW, 0, true },
        { "an answer is late, but not too late", NOW - LIMIT + 1, 0, true },
        { "an answer is too late", NOW - LIMIT, 0, false },
        { "too late, but it tells of its work", NOW - 10 * LIMIT, NOW - 1, true },
        { "too late, and its work has stalled", NOW - 10 * LIMIT, NOW - LIMIT, false },
        { "its work stalled before it was asked just now", NOW - 1, NOW - 10 * LIMIT, true },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        print_message("# %s\n", cases[i].what);
        assert_int_equal(
            supervise_is_alive(NOW, LIMIT, cases[i].asked_at, cases[i].progress_at),
            cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_alive) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
