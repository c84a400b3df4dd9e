/* The board: what a publication leaves on it, what a page of it looks like, what a watcher is told
 * has changed. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/text.h"
#include "board.h"
#include "kpi/scope.h"

#define NOON INT64_C(1795147200000) /* Friday 2026-11-20T12:00+08:00, in 2026-W47 */
#define DAY  INT64_C(86400000)

struct world {
    struct board *board;
    struct rules rules;
    struct kpi kpis[2];
    struct published_fact facts[64];
    size_t fact_count;
};

static struct rules *copy_of_rules(const struct world *w)
{
    return rules_copy(&w->rules);
}

static int setup(void **state)
{
    struct world *w = mem_zalloc(sizeof *w);
    struct err err;

    assert_int_equal(zone_load(&w->rules.zone, "Asia/Shanghai", &err), 0);
    w->kpis[0] = (struct kpi){ .id = "repair",
                               .counts = "repair",
                               .rework_window_ms = SPAN_NONE,
                               .expire_after_ms = SPAN_NONE,
                               .min_sample = 1 };
    w->kpis[1] = (struct kpi){ .id = "install",
                               .counts = "install",
                               .rework_window_ms = SPAN_NONE,
                               .expire_after_ms = SPAN_NONE,
                               .min_sample = 1 };
    w->rules.kpis = w->kpis;
    w->rules.kpi_count = 2;
    w->board = board_create();
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    board_destroy(w->board);
    zone_finish(&w->rules.zone);
    free(w);
    return 0;
}

static struct period period(const char *text)
{
    struct period p;

    assert_true(period_parse(text, &p));
    return p;
}

/* Puts a fact into the next publication. */
static void add(struct world *w, uint16_t kpi, const char *when, const char *scope,
                int64_t numerator, int64_t denominator)
{
    struct published_fact *f = &w->facts[w->fact_count++];
    const struct counts counts = { .numerator = numerator, .denominator = denominator };

    memset(f, 0xa5, sizeof *f); /* padding is not zero in what the ledger sends, either */
    f->kpi = kpi;
    f->period = period(when);
    text_set(f->scope, sizeof f->scope, scope);
    f->fact = fact_of(&counts, &w->kpis[kpi], f->period, scope);
}

static void publish(struct world *w, int64_t position, bool generation)
{
    struct publication p = { .position = position,
                             .as_of = NOON,
                             .next_due_at = NOON + 5000,
                             .facts = w->facts,
                             .fact_count = w->fact_count,
                             .window_from = NOON - 36 * DAY };

    if (generation)
        p.rules = copy_of_rules(w);
    board_publish(w->board, &p);
    assert_null(p.rules);
    assert_null(p.gaps);
    w->fact_count = 0;
}

static const struct fact *look(const struct world *w, const char *kpi, const char *when,
                               const char *scope)
{
    return board_fact(w->board, rules_kpi(board_now(w->board)->rules, kpi), period(when), scope);
}

static int append(void *arg, const struct published_fact *f)
{
    char text[PERIOD_SIZE];

    text_buffer_addf(arg, "%s/%d/%s ", period_format(text, f->period), f->kpi, f->scope);
    return 0;
}

static void assert_each(const struct world *w, const char *from, const char *to, const char *kpi,
                        const char *scope, const char *want)
{
    struct text_buffer got = { 0 };

    text_buffer_adds(&got, "");
    board_each(w->board, period(from), period(to), kpi, scope, append, &got);
    assert_string_equal(got.length ? got.bytes : "", want);
    text_buffer_finish(&got);
}

/* What a watcher after `number` is told: "scope:numerator ". Moves `number`. */
static void assert_changes(struct world *w, uint64_t *number, const char *want)
{
    struct text_buffer got = { 0 };
    struct board_change change;

    text_buffer_adds(&got, "");
    while (board_next_change(w->board, *number, &change)) {
        assert_true(change.number > *number);
        *number = change.number;
        text_buffer_addf(&got, "%s:%lld@%lld ", change.fact->scope,
                         (long long)change.fact->fact.counts.numerator, (long long)change.position);
    }
    assert_string_equal(got.length ? got.bytes : "", want);
    text_buffer_finish(&got);
}

/* --- Tests */

static void test_empty(void **state)
{
    struct world *w = *state;
    uint64_t number = 0;

    assert_null(board_now(w->board)->rules);
    assert_false(board_holds(w->board, period("2026-W47")));
    assert_changes(w, &number, "");
}

static void test_one_fact(void **state)
{
    struct world *w = *state;

    add(w, 0, "2026-W47", "company", 3, 4);
    publish(w, 7, true);
    assert_int_equal(look(w, "repair", "2026-W47", "company")->counts.numerator, 3);
    assert_null(look(w, "install", "2026-W47", "company"));
    assert_null(look(w, "repair", "2026-W46", "company"));
    assert_null(look(w, "repair", "2026-11-16", "company")); /* the Monday is not the week */
    assert_null(look(w, "repair", "2026-W47", "compan"));
    assert_null(look(w, "repair", "2026-W47", "company2"));
    assert_int_equal(board_now(w->board)->position, 7);
    assert_null(board_now(w->board)->facts);

    add(w, 0, "2026-W47", "company", 4, 5);
    publish(w, 8, false);
    assert_int_equal(look(w, "repair", "2026-W47", "company")->counts.numerator, 4);
    assert_int_equal(board_facts(w->board), 1);
}

static void test_a_scope_that_no_fact_can_have(void **state)
{
    struct world *w = *state;
    char scope[300];

    memset(scope, 's', sizeof scope - 1);
    scope[sizeof scope - 1] = '\0';
    add(w, 0, "2026-W47", "company", 1, 1);
    publish(w, 1, true);
    assert_null(look(w, "repair", "2026-W47", scope));
    assert_null(look(w, "repair", "2026-W47", ""));
}

static void test_a_fact_that_is_no_more(void **state)
{
    struct world *w = *state;
    uint64_t number;

    add(w, 0, "2026-W47", "company", 1, 1);
    publish(w, 1, true);
    number = board_last_change(w->board);
    add(w, 0, "2026-W47", "company", 0, 0);
    add(w, 0, "2026-W47", "site:never", 0, 0);
    publish(w, 2, false);
    assert_null(look(w, "repair", "2026-W47", "company"));
    assert_each(w, "2026-W47", "2026-W47", NULL, NULL, "");
    assert_changes(w, &number, "company:0@2 "); /* who watched it is told */
    add(w, 0, "2026-W47", "company", 1, 1);
    publish(w, 3, false);
    assert_non_null(look(w, "repair", "2026-W47", "company"));
}

static void test_order_and_filters(void **state)
{
    struct world *w = *state;

    add(w, 0, "2026-W47", "site:b", 1, 1);
    add(w, 0, "2026-W46", "company", 1, 1);
    add(w, 0, "2026-W47", "company", 1, 1);
    add(w, 1, "2026-W47", "company", 1, 1);
    add(w, 0, "2026-W47", "site:a", 1, 1);
    add(w, 0, "2026-11-20", "company", 1, 1);
    add(w, 0, "2026-W48", "company", 1, 1);
    publish(w, 1, true);
    /* "install" (1) comes before "repair" (0), whatever the order of configuration. */
    assert_each(w, "2026-W46", "2026-W47", NULL, NULL,
                "2026-W46/0/company 2026-W47/1/company 2026-W47/0/company 2026-W47/0/site:a "
                "2026-W47/0/site:b ");
    assert_each(w, "2026-W47", "2026-W47", "repair", "site:*",
                "2026-W47/0/site:a 2026-W47/0/site:b ");
    assert_each(w, "2026-W40", "2026-W52", "repair", "company",
                "2026-W46/0/company 2026-W47/0/company 2026-W48/0/company ");
    assert_each(w, "2026-11-01", "2026-11-30", NULL, NULL, "2026-11-20/0/company ");
    assert_each(w, "2025", "2026", NULL, NULL, "");
}

static int stop_at_second(void *arg, const struct published_fact *f)
{
    (void)f;
    return ++*(int *)arg == 2;
}

static void test_each_stops(void **state)
{
    struct world *w = *state;
    int count = 0;

    add(w, 0, "2026-W46", "company", 1, 1);
    add(w, 0, "2026-W47", "company", 1, 1);
    add(w, 0, "2026-W48", "company", 1, 1);
    publish(w, 1, true);
    board_each(w->board, period("2026-W46"), period("2026-W48"), NULL, NULL, stop_at_second,
               &count);
    assert_int_equal(count, 2);
}

static void test_changes(void **state)
{
    struct world *w = *state;
    uint64_t slow = 0, quick;

    add(w, 0, "2026-W47", "company", 1, 1);
    add(w, 0, "2026-W47", "site:a", 1, 1);
    publish(w, 10, true);
    quick = board_last_change(w->board);
    add(w, 0, "2026-W47", "company", 2, 2);
    add(w, 0, "2026-W47", "site:a", 1, 1); /* published, but as it was */
    publish(w, 11, false);
    assert_changes(w, &quick, "company:2@11 ");
    add(w, 0, "2026-W47", "company", 3, 3);
    add(w, 0, "2026-W47", "site:b", 1, 1);
    publish(w, 12, false);
    assert_changes(w, &quick, "company:3@12 site:b:1@12 ");
    /* One who reads late finds each fact once, as it is by now. */
    assert_changes(w, &slow, "site:a:1@10 company:3@12 site:b:1@12 ");
}

static void test_resuming_by_position(void **state)
{
    struct world *w = *state;
    uint64_t number;

    add(w, 0, "2026-W47", "company", 1, 1);
    publish(w, 10, true);
    add(w, 0, "2026-W47", "site:a", 1, 1);
    publish(w, 12, false);
    add(w, 0, "2026-W47", "site:b", 1, 1);
    publish(w, 12, false); /* time alone: the position stays */
    assert_int_equal(board_change_before(w->board, 10), 0);
    number = board_change_before(w->board, 11);
    assert_changes(w, &number, "site:a:1@12 site:b:1@12 ");
    number = board_change_before(w->board, 12);
    assert_changes(w, &number, "site:a:1@12 site:b:1@12 ");
    number = board_change_before(w->board, 13);
    assert_changes(w, &number, "");
}

static void test_window(void **state)
{
    struct world *w = *state;
    struct publication p;

    add(w, 0, "2026-W47", "company", 1, 1);
    add(w, 0, "2026-W30", "company", 1, 1);
    publish(w, 1, true);
    assert_true(board_holds(w->board, period("2026-W47")));
    assert_false(board_holds(w->board, period("2026-W30")));
    assert_null(look(w, "repair", "2026-W30", "company"));
    p = (struct publication){
        .position = 2, .as_of = NOON, .next_due_at = NOON, .window_from = NOON + 30 * DAY
    };
    board_publish(w->board, &p);
    assert_null(look(w, "repair", "2026-W47", "company"));
    assert_int_equal(board_facts(w->board), 0);
}

/* A reload that changes one figure is one change for those who watch. */
static void test_new_generation(void **state)
{
    struct world *w = *state;
    struct kpi first = w->kpis[0];
    uint64_t number;

    add(w, 0, "2026-W47", "company", 1, 1);
    add(w, 0, "2026-W47", "site:a", 2, 2);
    add(w, 1, "2026-W47", "company", 5, 5);
    publish(w, 10, true);
    number = board_last_change(w->board);

    w->kpis[0] = w->kpis[1]; /* the other order, so that the numbers of KPIs change */
    w->kpis[1] = first;
    add(w, 1, "2026-W47", "company", 1, 1);
    add(w, 1, "2026-W47", "site:a", 1, 2);
    add(w, 0, "2026-W47", "company", 5, 5);
    publish(w, 11, true);
    assert_int_equal(look(w, "install", "2026-W47", "company")->counts.numerator, 5);
    assert_int_equal(look(w, "repair", "2026-W47", "site:a")->counts.numerator, 1);
    assert_int_equal(board_facts(w->board), 3);
    assert_changes(w, &number, "site:a:1@11 ");
    number = 0;
    assert_changes(w, &number, "company:1@10 company:5@10 site:a:1@11 ");
}

/* Of this thread: however busy the machine is. */
static double cpu_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* A generation of many facts comes in slices. Until the last one the board answers as before, to
 * whoever watches as well; then all of it is there at once. */
static void test_a_large_generation_holds_nobody_up(void **state)
{
    enum { MANY = 45000 };
    struct world *w = *state;
    struct published_fact *facts = mem_zalloc(MANY * sizeof *facts);
    struct publication p = { .position = 11, .as_of = NOON, .facts = facts, .fact_count = MANY,
                             .window_from = NOON - 36 * DAY };
    uint64_t number = 0;
    double slowest_ms = 0;
    int slices = 1;

    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < MANY; i++) {
            const struct counts counts = { .numerator = i % 7, .denominator = 7 + round * (i % 2) };

            facts[i].period = period("2026-W47");
            snprintf(facts[i].scope, sizeof facts[i].scope, "staff:%d", i);
            facts[i].fact = fact_of(&counts, &w->kpis[0], facts[i].period, facts[i].scope);
        }
        p.rules = copy_of_rules(w);
        if (round == 0)
            board_publish(w->board, &p);
    }
    number = board_last_change(w->board);
    for (;;) {
        double began_ms = cpu_ms();
        bool whole = board_publish_some(w->board, &p), taken;

        slowest_ms = fmax(slowest_ms, cpu_ms() - began_ms);
        if (whole)
            break;
        taken = look(w, "repair", "2026-W47", "staff:1")->counts.denominator == 8;

        slices++;
        assert_int_equal(board_last_change(w->board), number + (taken ? MANY / 2 : 0));
        assert_int_equal(look(w, "repair", "2026-W47", "staff:44999")->counts.denominator,
                         taken ? 8 : 7);
        assert_int_equal(board_facts(w->board), MANY);
    }
    print_message("# %d slices, the slowest took %.2f ms\n", slices, slowest_ms);
    assert_true(slices >= 4 * MANY / 1000);
    assert_true(slowest_ms < 5);
    assert_int_equal(look(w, "repair", "2026-W47", "staff:1")->counts.denominator, 8);
    assert_null(p.rules);
    free(facts);
}

/* Given up in the middle, as when the daemon stops. */
static void test_a_generation_that_is_not_finished(void **state)
{
    struct world *w = *state;
    struct publication p = { .position = 1, .as_of = NOON, .facts = w->facts,
                             .window_from = NOON - 36 * DAY };

    add(w, 0, "2026-W47", "company", 1, 1);
    p.fact_count = w->fact_count;
    p.rules = copy_of_rules(w);
    assert_false(board_publish_some(w->board, &p));
    rules_destroy(p.rules);
}

static void test_a_kpi_that_is_no_more(void **state)
{
    struct world *w = *state;

    add(w, 0, "2026-W47", "company", 1, 1);
    add(w, 1, "2026-W47", "company", 1, 1);
    publish(w, 10, true);
    w->rules.kpi_count = 1;
    add(w, 0, "2026-W47", "company", 1, 1);
    publish(w, 11, true);
    assert_int_equal(board_facts(w->board), 1);
}

static void test_as_of(void **state)
{
    struct world *w = *state;

    publish(w, 1, true); /* next_due_at is five seconds later */
    assert_int_equal(board_as_of(w->board, NOON + 3000), NOON + 3000);
    assert_int_equal(board_as_of(w->board, NOON + 5000), NOON + 4999);
    assert_int_equal(board_as_of(w->board, NOON + 9000), NOON + 4999);
    assert_int_equal(board_as_of(w->board, NOON - 9000), NOON); /* the clock stepped back */
}

static void test_view(void **state)
{
    struct world *w = *state;
    const struct kpi *kpi;
    struct fact_view view;

    add(w, 0, "2026-W47", "company", 1, 1);
    publish(w, 1, true);
    kpi = rules_kpi(board_now(w->board)->rules, "repair");
    view = board_view(w->board, kpi, period("2026-W47"), "company",
                      look(w, "repair", "2026-W47", "company"), NOON);
    assert_int_equal(view.state, FACT_OPEN);
    assert_int_equal(view.coverage.share_e4, 10000);
    assert_int_equal(view.revision, 0);
    view = board_view(w->board, kpi, period("2026-W47"), "company",
                      look(w, "repair", "2026-W47", "company"), NOON + 3 * DAY);
    assert_int_equal(view.state, FACT_CLOSING);
}

struct told {
    struct board_watch watch;
    struct board *board;
    size_t facts, times;
    bool leaves;
};

static void on_published(struct board_watch *watch, const struct publication *p)
{
    struct told *told = watch->arg;

    told->times++;
    told->facts += p->fact_count;
    assert_non_null(board_now(told->board)->rules);
    if (told->leaves)
        board_watch_remove(told->board, watch);
}

static void test_watchers(void **state)
{
    struct world *w = *state;
    struct told a = { .board = w->board, .leaves = true }, b = { .board = w->board };

    a.watch = (struct board_watch){ .published = on_published, .arg = &a };
    b.watch = (struct board_watch){ .published = on_published, .arg = &b };
    board_watch_add(w->board, &b.watch);
    board_watch_add(w->board, &a.watch);
    add(w, 0, "2026-W47", "company", 1, 1);
    publish(w, 1, true);
    publish(w, 2, false);
    assert_int_equal(a.times, 1);
    assert_int_equal(b.times, 2);
    assert_int_equal(b.facts, 1);
    board_watch_remove(w->board, &b.watch);
    publish(w, 3, false);
    assert_int_equal(b.times, 2);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_empty),
        TEST(test_one_fact),
        TEST(test_a_scope_that_no_fact_can_have),
        TEST(test_a_fact_that_is_no_more),
        TEST(test_order_and_filters),
        TEST(test_each_stops),
        TEST(test_changes),
        TEST(test_resuming_by_position),
        TEST(test_window),
        TEST(test_new_generation),
        TEST(test_a_large_generation_holds_nobody_up),
        TEST(test_a_generation_that_is_not_finished),
        TEST(test_a_kpi_that_is_no_more),
        TEST(test_as_of),
        TEST(test_view),
        TEST(test_watchers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
