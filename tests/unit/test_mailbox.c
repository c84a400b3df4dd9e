/* A bounded queue between threads: order, bound, close, waking up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mailbox.h"
#include "base/mem.h"

static int numbers[10000];

static void test_order_and_bound(void **state)
{
    struct mailbox *m = mailbox_create(3, NULL, NULL);

    (void)state;
    assert_null(mailbox_take(m));
    for (int round = 0; round < 5; round++) {   /* so that the ring wraps */
        assert_true(mailbox_put(m, &numbers[0]));
        assert_true(mailbox_put(m, &numbers[1]));
        assert_true(mailbox_put(m, &numbers[2]));
        assert_false(mailbox_put(m, &numbers[3]));
        assert_int_equal(mailbox_length(m), 3);
        assert_ptr_equal(mailbox_take(m), &numbers[0]);
        assert_true(mailbox_put(m, &numbers[4]));
        assert_ptr_equal(mailbox_take(m), &numbers[1]);
        assert_ptr_equal(mailbox_take(m), &numbers[2]);
        assert_ptr_equal(mailbox_wait(m, -1), &numbers[4]);
        assert_null(mailbox_take(m));
    }
    mailbox_destroy(m);
    mailbox_destroy(NULL);
}

static void test_close(void **state)
{
    struct mailbox *m = mailbox_create(3, NULL, NULL);

    (void)state;
    assert_true(mailbox_put(m, &numbers[0]));
    assert_false(mailbox_is_closed(m));
    mailbox_close(m);
    assert_true(mailbox_is_closed(m));
    assert_false(mailbox_put(m, &numbers[1]));
    assert_ptr_equal(mailbox_wait(m, -1), &numbers[0]);     /* what was inside comes out */
    assert_null(mailbox_wait(m, -1));                       /* and then nobody waits for ever */
    mailbox_destroy(m);
}

static void count_notice(void *arg)
{
    ++*(int *)arg;
}

static void test_notify(void **state)
{
    int notices = 0;
    struct mailbox *m = mailbox_create(1, count_notice, &notices);

    (void)state;
    assert_true(mailbox_put(m, &numbers[0]));
    assert_int_equal(notices, 1);
    assert_false(mailbox_put(m, &numbers[1]));
    assert_int_equal(notices, 1);
    (void)mailbox_take(m);
    mailbox_destroy(m);
}

static void test_timeout(void **state)
{
    struct mailbox *m = mailbox_create(1, NULL, NULL);
    int64_t before = clock_monotonic(&clock_system);

    (void)state;
    assert_null(mailbox_wait(m, 0));
    assert_null(mailbox_wait(m, 30));
    assert_true(clock_monotonic(&clock_system) - before >= 29);
    mailbox_destroy(m);
}

static void *close_it(void *arg)
{
    mailbox_close(arg);
    return NULL;
}

static void test_close_wakes(void **state)
{
    struct mailbox *m = mailbox_create(1, NULL, NULL);
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, close_it, m), 0);
    assert_null(mailbox_wait(m, -1));
    assert_int_equal(pthread_join(thread, NULL), 0);
    mailbox_destroy(m);
}

static void *put_all(void *arg)
{
    for (size_t i = 0; i < LENGTH(numbers); i++) {
        while (!mailbox_put(arg, &numbers[i]))
            sched_yield();
    }
    return NULL;
}

/* Two put, one takes: nothing is lost, nothing comes twice, each putter's order is kept. */
static void test_threads(void **state)
{
    struct mailbox *m = mailbox_create(7, NULL, NULL);
    static int seen[LENGTH(numbers)];
    pthread_t threads[2];

    (void)state;
    for (size_t i = 0; i < LENGTH(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, put_all, m), 0);
    for (size_t i = 0; i < 2 * LENGTH(numbers); i++) {
        const int *number = mailbox_wait(m, -1);
        ptrdiff_t at = number - numbers;

        assert_in_range(at, 0, LENGTH(numbers) - 1);
        seen[at]++;
        if (at > 0)
            assert_true(seen[at] <= seen[at - 1]);
    }
    for (size_t i = 0; i < LENGTH(numbers); i++)
        assert_int_equal(seen[i], 2);
    for (size_t i = 0; i < LENGTH(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    mailbox_destroy(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_and_bound), cmocka_unit_test(test_close),
        cmocka_unit_test(test_notify),          cmocka_unit_test(test_timeout),
        cmocka_unit_test(test_close_wakes),     cmocka_unit_test(test_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
