/* Which request comes next: pages, windows and cursors, in virtual time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/mem.h"
#include "base/span.h"
#include "feed_paging.h"

#define NOW (INT64_C(1795168800000)) /* 2026-11-20T10:00:00Z */

static struct feed_place next;
static enum feed_step step;
static char text[FEED_TEXT_SIZE];
static struct err err;

static int after(const struct feed_place *place, const struct feed_paging_settings *s,
                 struct feed_page page, int64_t now)
{
    err.text[0] = '\0';
    return feed_place_after(place, s, &page, now, &next, &step, text, &err);
}

static void test_first_window(void **state)
{
    struct feed_paging_settings s = {
        .is_windowed = true, .lag_ms = 120000, .window_max_ms = SPAN_DAY, .start_back_ms = SPAN_HOUR
    };
    struct feed_place p;

    (void)state;
    feed_place_init(&p, &s, NULL);
    feed_place_begin(&p, &s, NOW);
    assert_int_equal(p.from, NOW - SPAN_HOUR);
    assert_int_equal(p.to, NOW);
    assert_int_equal(after(&p, &s, (struct feed_page){ .items = 3 }, NOW + 500), 0);
    assert_int_equal(step, FEED_REST);
    assert_string_equal(text, "to=2026-11-20T10:00:00.000+00:00");
    /* The next one overlaps by the lag; so does the first of a new run. */
    feed_place_begin(&next, &s, NOW + SPAN_MINUTE);
    assert_int_equal(next.from, NOW - 120000);
    assert_int_equal(next.to, NOW + SPAN_MINUTE);
    feed_place_init(&p, &s, text);
    feed_place_begin(&p, &s, NOW + SPAN_MINUTE);
    assert_int_equal(p.from, NOW - 120000);
}

/* After a week off: window after window without a rest, until now. */
static void test_makes_up(void **state)
{
    struct feed_paging_settings s = { .is_windowed = true,
                                      .lag_ms = 120000,
                                      .window_max_ms = SPAN_DAY };
    struct feed_place p;
    int windows = 1;

    (void)state;
    feed_place_init(&p, &s, "to=2026-11-13T10:00:00.000Z");
    feed_place_begin(&p, &s, NOW);
    for (;; windows++) {
        int64_t done = p.done_to;

        assert_true(p.to - p.from <= SPAN_DAY);
        assert_int_equal(p.from, done - 120000);
        assert_int_equal(after(&p, &s, (struct feed_page){ .items = 0 }, NOW), 0);
        p = next;
        assert_true(p.done_to > done);
        if (step == FEED_REST)
            break;
        assert_int_equal(step, FEED_NEXT_WINDOW);
        feed_place_begin(&p, &s, NOW);
    }
    assert_in_range((uintmax_t)windows, 7, 9);
    assert_true(p.done_to > NOW - SPAN_DAY / 2);
}

static void test_clock_set_back(void **state)
{
    struct feed_paging_settings s = { .is_windowed = true, .lag_ms = 0, .window_max_ms = SPAN_DAY };
    struct feed_place p;

    (void)state;
    feed_place_init(&p, &s, "to=2026-11-20T10:00:00.000Z");
    feed_place_begin(&p, &s, NOW - SPAN_HOUR);
    assert_int_equal(p.from, NOW);
    assert_int_equal(p.to, NOW);
    assert_int_equal(after(&p, &s, (struct feed_page){ 0 }, NOW - SPAN_HOUR), 0);
    assert_int_equal(step, FEED_REST);
    assert_int_equal(next.done_to, NOW);
}

/* Only the last page of a window carries the cursor. */
static void test_pages_of_a_window(void **state)
{
    struct feed_paging_settings s = { .paging = PAGING_PAGE,
                                      .is_windowed = true,
                                      .page_size = 10,
                                      .pages_max = 5,
                                      .window_max_ms = SPAN_DAY,
                                      .start_back_ms = SPAN_HOUR };
    struct feed_place p;

    (void)state;
    feed_place_init(&p, &s, NULL);
    feed_place_begin(&p, &s, NOW);
    assert_int_equal(after(&p, &s, (struct feed_page){ .items = 10 }, NOW), 0);
    assert_int_equal(step, FEED_NEXT_PAGE);
    assert_string_equal(text, "");
    assert_int_equal(next.page, 1);
    assert_int_equal(next.from, p.from);
    p = next;
    assert_int_equal(after(&p, &s, (struct feed_page){ .items = 9 }, NOW), 0);
    assert_int_equal(step, FEED_REST);
    assert_string_equal(text, "to=2026-11-20T10:00:00.000+00:00");
}

static void test_ends_of_pages(void **state)
{
    static const struct {
        const char *what;
        struct feed_page page;
        enum feed_step want;
    } cases[] = {
        { "a full page", { .items = 10 }, FEED_NEXT_PAGE },
        { "a short page", { .items = 9 }, FEED_REST },
        { "an empty page", { .items = 0 }, FEED_REST },
        { "a short page that says more", { .items = 3, .more = "true" }, FEED_NEXT_PAGE },
        { "a full page that says no more", { .items = 10, .more = "false" }, FEED_REST },
        { "an empty page that says more", { .items = 0, .more = "true" }, FEED_REST },
        { "more as a number", { .items = 10, .more = "0" }, FEED_REST },
    };
    struct feed_paging_settings s = { .paging = PAGING_OFFSET, .page_size = 10, .pages_max = 5 };
    struct feed_place p;

    (void)state;
    feed_place_init(&p, &s, NULL);
    feed_place_begin(&p, &s, NOW);
    for (size_t i = 0; i < LENGTH(cases); i++) {
        print_message("# %s\n", cases[i].what);
        assert_int_equal(after(&p, &s, cases[i].page, NOW), 0);
        assert_int_equal(step, cases[i].want);
        assert_int_equal(next.offset, cases[i].page.items);
        assert_string_equal(text, "");
    }
}

static void test_endless(void **state)
{
    struct feed_paging_settings s = { .paging = PAGING_PAGE, .page_size = 1, .pages_max = 3 };
    struct feed_place p = { 0 };

    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(after(&p, &s, (struct feed_page){ .items = 1 }, NOW), 0);
        p = next;
    }
    assert_true(after(&p, &s, (struct feed_page){ .items = 1 }, NOW) < 0);
    assert_non_null(strstr(err.text, "more than 3 pages"));
}

static void test_cursor(void **state)
{
    struct feed_paging_settings s = {
        .paging = PAGING_CURSOR, .page_size = 10, .pages_max = 9, .start_cursor = "0"
    };
    struct feed_place p;

    (void)state;
    feed_place_init(&p, &s, NULL);
    assert_string_equal(p.cursor, "0");
    assert_int_equal(after(&p, &s, (struct feed_page){ .items = 5, .next = "a" }, NOW), 0);
    assert_int_equal(step, FEED_NEXT_PAGE);
    assert_string_equal(text, "cursor=a");
    assert_string_equal(next.cursor, "a");
    p = next;
    /* The end: no cursor, or no items. What we have stays. */
    assert_int_equal(after(&p, &s, (struct feed_page){ .items = 5 }, NOW), 0);
    assert_int_equal(step, FEED_REST);
    assert_string_equal(text, "");
    assert_string_equal(next.cursor, "a");
    assert_int_equal(after(&p, &s, (struct feed_page){ .items = 0, .next = "b" }, NOW), 0);
    assert_int_equal(step, FEED_REST);
    assert_string_equal(text, "cursor=b");
    /* Round in circles, or more without saying where. */
    assert_true(after(&p, &s, (struct feed_page){ .items = 5, .next = "a" }, NOW) < 0);
    assert_non_null(strstr(err.text, "in circles"));
    assert_true(after(&p, &s, (struct feed_page){ .items = 5, .more = "true" }, NOW) < 0);
    assert_non_null(strstr(err.text, "has no cursor"));
    feed_place_init(&p, &s, "cursor=a");
    assert_string_equal(p.cursor, "a");
}

static void test_since(void **state)
{
    static const struct {
        const char *a, *b;
        int want;
    } cases[] = {
        { "9", "10", -1 },
        { "10", "9", 1 },
        { "007", "7", 0 },
        { "12345678901234567890", "12345678901234567891", -1 },
        { "2026-11-20", "2026-11-21", -1 },
        { "a", "b", -1 },
        { "", "1", -1 },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        int got = feed_since_compare(cases[i].a, cases[i].b);

        print_message("# %s and %s\n", cases[i].a, cases[i].b);
        assert_int_equal((got > 0) - (got < 0), cases[i].want);
    }
}

static void test_start(void **state)
{
    struct feed_paging_settings s = { 0 };

    (void)state;
    assert_true(feed_start_parse("7d", &s));
    assert_int_equal(s.start_back_ms, 7 * SPAN_DAY);
    assert_true(feed_start_parse("2026-11-20T18:00:00+08:00", &s));
    assert_int_equal(s.start_at, NOW);
    assert_false(feed_start_parse("last week", &s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_window),   cmocka_unit_test(test_makes_up),
        cmocka_unit_test(test_clock_set_back), cmocka_unit_test(test_pages_of_a_window),
        cmocka_unit_test(test_ends_of_pages),  cmocka_unit_test(test_endless),
        cmocka_unit_test(test_cursor),         cmocka_unit_test(test_since),
        cmocka_unit_test(test_start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
