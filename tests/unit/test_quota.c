/* Whoever always asks as soon as he may never asks more often than the quota says, in no span of
 * its length, and nearly that often in the long run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "quota.h"

enum { SENT_MAX = 40000 };

/* Asks eagerly, with pauses, and notes when. */
static size_t ask(struct quota *q, int64_t from, int64_t until, int64_t *sent)
{
    size_t count = 0;
    int64_t now = from;

    while (now < until && count < SENT_MAX) {
        int64_t wait = quota_wait_ms(q, now);

        now += wait;
        assert_int_equal(quota_wait_ms(q, now), 0);
        if (wait > 1)
            assert_true(quota_wait_ms(q, now - 1) >= 0);
        quota_spend(q, now);
        sent[count++] = now;
        if (random() % (q->most * 2 + 10) == 0)
            now += random() % (q->span_ms * 2); /* nothing to ask for a while */
    }
    return count;
}

static size_t most_in_a_span(const int64_t *sent, size_t count, int64_t span_ms)
{
    size_t most = 0;

    for (size_t i = 0, from = 0; i < count; i++) {
        while (sent[i] - sent[from] >= span_ms)
            from++;
        if (i - from + 1 > most)
            most = i - from + 1;
    }
    return most;
}

static void test_no_span_sees_more(void **state)
{
    static const int64_t mosts[] = { 1, 2, 3, 4, 7, 60, 1000, 1000000 };
    static const int64_t spans[] = { 60000, 86400000 };
    int64_t *sent = mem_alloc(SENT_MAX * sizeof *sent);

    (void)state;
    srandom(11);
    for (size_t m = 0; m < LENGTH(mosts); m++)
        for (size_t s = 0; s < LENGTH(spans); s++) {
            struct quota q;
            size_t count;

            quota_init(&q, mosts[m], spans[s], 5000);
            count = ask(&q, 5000, 5000 + 30 * spans[s], sent);
            print_message("# at most %lld in %lld ms: %zu asked\n", (long long)mosts[m],
                          (long long)spans[s], count);
            assert_true((int64_t)most_in_a_span(sent, count, spans[s]) <= mosts[m]);
            assert_true(count >= 5);
        }
    free(sent);
}

static void test_a_start_has_one_to_spare(void **state)
{
    struct quota q;

    (void)state;
    quota_init(&q, 100, 1000, 0);
    assert_int_equal(quota_wait_ms(&q, 0), 0);
    quota_spend(&q, 0);
    assert_int_equal(quota_wait_ms(&q, 0), 14);    /* 76 come in a second */
    assert_int_equal(quota_wait_ms(&q, 13), 1);
    assert_int_equal(quota_wait_ms(&q, 14), 0);
}

static void test_a_quarter_is_saved_up(void **state)
{
    struct quota q;
    int burst = 0;

    (void)state;
    quota_init(&q, 100, 1000, 0);
    for (; quota_wait_ms(&q, 50000) == 0; burst++)
        quota_spend(&q, 50000);
    assert_int_equal(burst, 25);
}

/* The tighter one holds, and what is not sent costs neither. */
static void test_several_at_once(void **state)
{
    struct quota both[2];
    int64_t now = 0;
    int sent = 0;

    (void)state;
    quota_init(&both[0], 60, 60000, 0);
    quota_init(&both[1], 100, 86400000, 0);
    for (; now < 86400000; now += 500)
        sent += quotas_ask(both, 2, now) == 0;
    assert_true(sent <= 100 && sent >= 75);
}

static void test_without_a_bound(void **state)
{
    struct quota q;

    (void)state;
    quota_init(&q, 0, 1000, 0);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(quota_wait_ms(&q, 0), 0);
        quota_spend(&q, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_span_sees_more),
        cmocka_unit_test(test_a_start_has_one_to_spare),
        cmocka_unit_test(test_a_quarter_is_saved_up),
        cmocka_unit_test(test_several_at_once),
        cmocka_unit_test(test_without_a_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
