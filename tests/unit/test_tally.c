/* The tally against sums kept the slow way: one cell of each period and scope at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "kpi/tally.h"

#define HOUR INT64_C(3600000)

static struct kpi kpis[] = {
    { .id = "install_success", .counts = "install", .department = "installation" },
    { .id = "fault_rate", .counts = "device", .counts_devices = true },
    { .id = "dispatch_success", .counts = "dispatch" },
};
static struct rules rules = { .kpis = kpis, .kpi_count = LENGTH(kpis) };

static int load_zone(void **state)
{
    (void)state;
    return zone_load(&rules.zone, "America/Havana", NULL);
}

static int finish_zone(void **state)
{
    (void)state;
    zone_finish(&rules.zone);
    return 0;
}

/* The slow way. */
struct sums {
    struct tally_cell *cells;
    size_t count;
};

static void sums_add(struct sums *sums, const struct kpi *kpi, struct period period,
                     const char *scope, const struct counts *counts, int64_t times)
{
    for (size_t i = 0; i < sums->count; i++)
        if (sums->cells[i].kpi == kpi && period_compare(sums->cells[i].period, period) == 0 &&
            strcmp(sums->cells[i].scope, scope) == 0) {
            counts_add(&sums->cells[i].counts, counts, times);
            return;
        }
    sums->cells = mem_realloc_array(sums->cells, sums->count + 1, sizeof *sums->cells);
    sums->cells[sums->count] = (struct tally_cell){ kpi, period, mem_strdup(scope), { 0 } };
    counts_add(&sums->cells[sums->count++].counts, counts, times);
}

static void sums_add_all(struct sums *sums, const struct kpi *kpi, struct period period,
                         const struct attributes *is, const struct counts *counts, int64_t times)
{
    char scopes[SCOPES_MAX][SCOPE_SIZE];
    size_t count = scope_list(scopes, is, kpi, !kpi->counts_devices);

    for (size_t i = 0; i < count; i++)
        sums_add(sums, kpi, period, scopes[i], counts, times);
}

static void sums_finish(struct sums *sums)
{
    for (size_t i = 0; i < sums->count; i++)
        free((void *)(uintptr_t)sums->cells[i].scope);
    free(sums->cells);
    *sums = (struct sums){ 0 };
}

/* Takes each cell of the tally out of the sums; what is left over is missing. */
static int take_out(void *arg, const struct tally_cell *cell)
{
    struct sums *sums = arg;

    assert_false(counts_are_zero(&cell->counts));
    for (size_t i = 0; i < sums->count; i++) {
        struct tally_cell *c = &sums->cells[i];

        if (c->kpi != cell->kpi || period_compare(c->period, cell->period) != 0 ||
            strcmp(c->scope, cell->scope) != 0)
            continue;
        assert_memory_equal(&c->counts, &cell->counts, sizeof c->counts);
        c->counts = (struct counts){ 0 };       /* a second time fails the line above */
        return 0;
    }
    fail_msg("%s %d %s is too much", cell->kpi->id, cell->period.number, cell->scope);
    return 0;
}

static int ignore(void *arg, const struct tally_cell *cell)
{
    (void)arg;
    (void)cell;
    return 0;
}

static void compare(struct tally *tally, struct sums *sums)
{
    assert_int_equal(tally_each(tally, ignore, NULL), 0);       /* reading changes nothing */
    assert_int_equal(tally_each(tally, take_out, sums), 0);
    for (size_t i = 0; i < sums->count; i++)
        if (!counts_are_zero(&sums->cells[i].counts))
            fail_msg("%s %d %s is missing", sums->cells[i].kpi->id,
                     sums->cells[i].period.number, sums->cells[i].scope);
    sums_finish(sums);
}

static struct attributes random_attributes(void)
{
    struct attributes is = { .device = "d" };

    if (random() % 4)
        (void)snprintf(is.site, sizeof is.site, "s%ld", random() % 5);
    if (random() % 4)
        (void)snprintf(is.staff, sizeof is.staff, "f%ld", random() % 40);
    if (random() % 2)
        (void)snprintf(is.department, sizeof is.department, "p%ld", random() % 3);
    if (random() % 2)
        (void)snprintf(is.model, sizeof is.model, "m%ld", random() % 3);
    return is;
}

static void add_random_ticket(struct tally *tally, struct sums *sums)
{
    const struct kpi *kpi = &kpis[random() % 2 * 2];
    struct attributes is = random_attributes();
    /* A year around the change of offset at a midnight, mostly near to each other. */
    struct contribution c = {
        .counts_at = INT64_C(1541304000000) + (random() % 3 ? random() % 72 : random() % 8760) *
                     HOUR - HOUR,
        .counts = { random() % 2, random() % 2, random() % 2, random() % 2 },
    };
    int64_t times = random() % 3 ? 1 : -1;

    tally_ticket(tally, kpi, &is, &c, times);
    for (enum period_kind kind = PERIOD_DAY; kind < PERIOD_KINDS; kind++)
        sums_add_all(sums, kpi, period_at(kind, &rules.zone, c.counts_at), &is, &c.counts, times);
}

static void add_random_device(struct tally *tally, struct sums *sums)
{
    struct attributes is = random_attributes();
    struct counts counts = { random() % 2, 1, 0, 0 };
    struct period p = period_of_day((enum period_kind)(random() % PERIOD_KINDS),
                                    17800 + (int32_t)(random() % 20));
    int64_t times = random() % 2 ? 1 : -1;

    tally_device(tally, &kpis[1], p, &is, &counts, times);
    sums_add_all(sums, &kpis[1], p, &is, &counts, times);
}

/* law 4: one instant, hence one day, week, month and year; law 3: devices cell by cell. */
static void test_random(void **state)
{
    struct tally *tally = tally_create(&rules);

    (void)state;
    srandom(11);
    for (int round = 0; round < 30; round++) {
        struct sums sums = { 0 };
        long adds = round == 7 ? 1500 : random() % 60;

        for (long i = 0; i < adds; i++)
            if (random() % 4)
                add_random_ticket(tally, &sums);
            else
                add_random_device(tally, &sums);
        compare(tally, &sums);
        tally_clear(tally);
    }
    tally_destroy(tally);
}

static int count_cells(void *arg, const struct tally_cell *cell)
{
    (void)cell;
    ++*(int *)arg;
    return 0;
}

static void test_difference_of_nothing_is_nothing(void **state)
{
    struct tally *tally = tally_create(&rules);
    struct attributes is = { .site = "e", .staff = "li" };
    struct contribution c = { .counts_at = 0, .counts = { .denominator = 1 } };
    struct contribution none = { .counts_at = INSTANT_NONE };
    int count = 0;

    (void)state;
    tally_ticket(tally, &kpis[0], &is, &none, 1);
    tally_ticket(tally, &kpis[0], &is, &c, 1);
    tally_ticket(tally, &kpis[0], &is, &c, -1);
    assert_int_equal(tally_each(tally, count_cells, &count), 0);
    assert_int_equal(count, 0);
    tally_destroy(tally);
    tally_destroy(NULL);
}

/* Days that cancel out within their week leave the days and no week. */
static void test_moved_within_its_week(void **state)
{
    struct tally *tally = tally_create(&rules);
    struct attributes is = { .site = "" };
    /* Noon in Havana: far from the midnights that a new rule for its summer time would move. */
    struct contribution monday = { .counts_at = INT64_C(1794243600000),
                                   .counts = { .denominator = 1 } };
    struct contribution tuesday = { .counts_at = INT64_C(1794243600000) + 24 * HOUR,
                                    .counts = { .denominator = 1 } };
    int count = 0;

    (void)state;
    tally_ticket(tally, &kpis[2], &is, &monday, -1);
    tally_ticket(tally, &kpis[2], &is, &tuesday, 1);
    assert_int_equal(tally_each(tally, count_cells, &count), 0);
    assert_int_equal(count, 2);
    count = 0;
    assert_int_equal(tally_each(tally, count_cells, &count), 0);       /* reads alike twice */
    assert_int_equal(count, 2);
    tally_destroy(tally);
}

static int stop_at_third(void *arg, const struct tally_cell *cell)
{
    (void)cell;
    return ++*(int *)arg == 3 ? -5 : 0;
}

static void test_stops_at_a_negative_answer(void **state)
{
    struct tally *tally = tally_create(&rules);
    struct attributes is = { .site = "e" };
    struct contribution c = { .counts_at = 0, .counts = { .pending = 1 } };
    int count = 0;

    (void)state;
    tally_ticket(tally, &kpis[2], &is, &c, 1);
    assert_int_equal(tally_each(tally, stop_at_third, &count), -5);
    assert_int_equal(count, 3);
    tally_destroy(tally);
}

static int keep_scope(void *arg, const struct tally_cell *cell)
{
    if (strncmp(cell->scope, "site:", 5) == 0)
        *(const char **)arg = cell->scope;
    return 0;
}

/* tally.h: scopes are borrowed until the next clear, however much is added meanwhile. */
static void test_scopes_stay(void **state)
{
    struct tally *tally = tally_create(&rules);
    struct attributes is = { .site = "first" };
    struct contribution c = { .counts_at = 0, .counts = { .pending = 1 } };
    const char *scope = NULL;

    (void)state;
    tally_ticket(tally, &kpis[2], &is, &c, 1);
    assert_int_equal(tally_each(tally, keep_scope, (void *)&scope), 0);
    for (int i = 0; i < 50000; i++) {
        (void)snprintf(is.site, sizeof is.site, "%d", i);
        tally_ticket(tally, &kpis[2], &is, &c, 1);
    }
    assert_string_equal(scope, "site:first");
    tally_clear(tally);
    int count = 0;

    assert_int_equal(tally_each(tally, count_cells, &count), 0);
    assert_int_equal(count, 0);
    tally_destroy(tally);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_difference_of_nothing_is_nothing),
        cmocka_unit_test(test_moved_within_its_week),
        cmocka_unit_test(test_stops_at_a_negative_answer),
        cmocka_unit_test(test_scopes_stay),
    };

    return cmocka_run_group_tests(tests, load_zone, finish_zone);
}
