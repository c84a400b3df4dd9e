/* The golden cases, folded from nothing in memory by the law's functions alone: no ledger, no
 * increments, no I/O but reading the case. What fails here is the law itself; what fails only in
 * the golden runner is the way it is kept up to date. Skipped where there are no golden cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <libconfig.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_tree.h>

#include "base/instant.h"
#include "base/mem.h"
#include "base/span.h"
#include "base/text.h"
#include "kpi/device.h"
#include "kpi/fact.h"
#include "kpi/rework.h"
#include "kpi/tally.h"

/* Everything about one case. */
struct batch {
    struct rules rules;
    int64_t as_of;
    struct event *events;           /* in event order */
    const char **raw;               /* while they are read */
    size_t *raw_length;
    size_t event_count;
    size_t quarantined;
    struct tally *tally;
    struct tally_cell *cells;
    size_t cell_count;
};

/* One ticket, with its events. */
struct folded {
    struct ticket ticket;
    const struct event *events;
    size_t event_count;
    const struct ticket *accuser;
};

/* The whole file, NUL-terminated; NULL if there is none. Gives. */
static char *read_whole(const char *name, const char *file, size_t *ret_length)
{
    char *path = mem_printf("tests/golden/%s/%s", name, file);
    FILE *f = fopen(path, "re");
    struct text_buffer text = { 0 };
    char block[4096];
    size_t n;

    free(path);
    if (!f)
        return NULL;
    while ((n = fread(block, 1, sizeof block, f)) > 0)
        text_buffer_add(&text, block, n);
    fclose(f);
    *ret_length = text.length;
    return text_buffer_take(&text);
}

static yajl_val member(yajl_val object, const char *key)
{
    const char *path[] = { key, NULL };

    return yajl_tree_get(object, path, yajl_t_any);
}

static const char *text_member(yajl_val object, const char *key)
{
    yajl_val v = member(object, key);

    return YAJL_IS_STRING(v) ? YAJL_GET_STRING(v) : "";
}

static const char *setting_text(const config_setting_t *group, const char *name)
{
    const char *text = "";

    (void)config_setting_lookup_string(group, name, &text);     /* none is "" */
    return text;
}

static int64_t setting_span(const config_setting_t *group, const char *name, int64_t otherwise)
{
    int64_t span = otherwise;

    if (config_setting_get_member(group, name))
        assert_true(span_parse(setting_text(group, name), &span));
    return span;
}

static void read_target(struct target *to, const config_setting_t *group)
{
    struct period day;
    double value = -1;

    assert_true(period_parse(setting_text(group, "from"), &day));
    assert_true(config_setting_lookup_float(group, "value", &value));
    to->from_day = day.number;
    text_set(to->scope, sizeof to->scope, setting_text(group, "scope"));
    to->value_e4 = (int32_t)lround(value * 10000);
}

static void read_kpi(struct kpi *kpi, const config_setting_t *group)
{
    const config_setting_t *targets = config_setting_get_member(group, "targets");
    int min_sample = 1;

    text_set(kpi->id, sizeof kpi->id, setting_text(group, "id"));
    text_set(kpi->counts, sizeof kpi->counts, setting_text(group, "counts"));
    text_set(kpi->department, sizeof kpi->department, setting_text(group, "department"));
    kpi->counts_devices = strcmp(kpi->counts, "device") == 0;
    kpi->direction = strcmp(setting_text(group, "direction"), "at_most") == 0
                         ? DIRECTION_AT_MOST : DIRECTION_AT_LEAST;
    kpi->rework_window_ms = setting_span(group, "rework_window", SPAN_NONE);
    kpi->expire_after_ms = setting_span(group, "expire_after", SPAN_NONE);
    kpi->confirm_after_ms = setting_span(group, "confirm_after", 0);
    (void)config_setting_lookup_int(group, "min_sample", &min_sample);      /* none is 1 */
    kpi->min_sample = min_sample;
    kpi->target_count = (size_t)config_setting_length(targets);
    kpi->targets = mem_zalloc((kpi->target_count + 1) * sizeof *kpi->targets);
    for (size_t i = 0; i < kpi->target_count; i++)
        read_target(&kpi->targets[i], config_setting_get_elem(targets, (unsigned)i));
}

static void read_rules(struct batch *b, const char *name)
{
    size_t length;
    char *text = read_whole(name, "kpid.conf", &length);
    config_t conf;

    config_init(&conf);
    assert_true(config_read_string(&conf, text));
    const config_setting_t *root = config_root_setting(&conf);
    const config_setting_t *kpis = config_setting_get_member(root, "kpis");

    assert_int_equal(zone_load(&b->rules.zone, setting_text(root, "timezone"), NULL), 0);
    b->rules.kpi_count = (size_t)config_setting_length(kpis);
    b->rules.kpis = mem_zalloc((b->rules.kpi_count + 1) * sizeof *b->rules.kpis);
    for (size_t i = 0; i < b->rules.kpi_count; i++)
        read_kpi(&b->rules.kpis[i], config_setting_get_elem(kpis, (unsigned)i));
    config_destroy(&conf);
    free(text);
}

/* law 1.redelivery: true if the identity is there already; counts a conflict. */
static bool is_redelivery(struct batch *b, const struct event *e, const char *line, size_t length)
{
    for (size_t i = 0; i < b->event_count; i++) {
        if (strcmp(b->events[i].id, e->id) != 0 || strcmp(b->events[i].source, e->source) != 0)
            continue;
        if (!event_same_content(b->raw[i], b->raw_length[i], line, length))
            b->quarantined++;
        return true;
    }
    return false;
}

static void take_line(struct batch *b, const char *line, size_t length)
{
    struct event e;
    struct reject reject;
    size_t n = b->event_count;

    if (!event_parse(line, length, &b->rules, &e, &reject)) {
        print_message("# quarantined: %s\n", reject.reason);
        b->quarantined++;
        return;
    }
    if (is_redelivery(b, &e, line, length))
        return;
    b->events = mem_realloc_array(b->events, n + 1, sizeof *b->events);
    b->raw = mem_realloc_array(b->raw, n + 1, sizeof *b->raw);
    b->raw_length = mem_realloc_array(b->raw_length, n + 1, sizeof *b->raw_length);
    b->events[n] = e;
    b->raw[n] = line;
    b->raw_length[n] = length;
    b->event_count++;
}

/* By kind and subject, then in event order. */
static int by_subject(const void *a, const void *b)
{
    const struct event *x = a;
    const struct event *y = b;
    int order = strcmp(x->kind, y->kind);

    if (order == 0)
        order = strcmp(event_subject(x), event_subject(y));
    return order != 0 ? order : event_compare(x, y);
}

static void read_events(struct batch *b, const char *name)
{
    size_t length;
    char *text = read_whole(name, "events.ndjson", &length);

    for (char *line = text; line < text + length;) {
        char *end = memchr(line, '\n', (size_t)(text + length - line));

        end = end ? end : text + length;
        if (end > line)
            take_line(b, line, (size_t)(end - line));
        line = end + 1;
    }
    qsort(b->events, b->event_count, sizeof *b->events, by_subject);
    free(text);
}

/* How many events from `first` on have its subject. */
static size_t run_of(const struct batch *b, size_t first)
{
    size_t n = first;

    while (n < b->event_count && strcmp(b->events[n].kind, b->events[first].kind) == 0 &&
           strcmp(event_subject(&b->events[n]), event_subject(&b->events[first])) == 0)
        n++;
    return n - first;
}

/* The install and repair tickets of one device, gathered for rework and for its history. */
static size_t jobs_of(struct folded *folded, size_t count, const char *device,
                      struct folded **ret_jobs)
{
    size_t found = 0;

    for (size_t i = 0; i < count; i++)
        if (rework_links_kind(folded[i].ticket.kind) &&
            strcmp(folded[i].ticket.is.device, device) == 0)
            ret_jobs[found++] = &folded[i];
    return found;
}

static void accuse_all(struct batch *b, struct folded *folded, size_t count)
{
    struct folded **of_device = mem_alloc((count + 1) * sizeof *of_device);
    struct job *jobs = mem_zalloc((count + 1) * sizeof *jobs);

    for (size_t i = 0; i < count; i++) {
        if (folded[i].ticket.is.device[0] == '\0')
            continue;
        size_t found = jobs_of(folded, count, folded[i].ticket.is.device, of_device);

        for (size_t k = 0; k < found; k++)
            jobs[k] = (struct job){ .ticket = &of_device[k]->ticket };
        rework_accuse(jobs, found, &b->rules);
        for (size_t k = 0; k < found; k++)
            of_device[k]->accuser = jobs[k].accuser;
    }
    free(of_device);
    free(jobs);
}

static size_t fold_tickets(struct batch *b, struct folded *folded)
{
    size_t count = 0;

    for (size_t i = 0, run; i < b->event_count; i += run) {
        struct folded *f = &folded[count];

        run = run_of(b, i);
        if (!rules_kpi_of_kind(&b->rules, b->events[i].kind))
            continue;
        *f = (struct folded){ .events = &b->events[i], .event_count = run };
        ticket_init(&f->ticket, b->events[i].kind, b->events[i].ticket);
        ticket_fold(&f->ticket, f->events, run, b->as_of);
        count++;
    }
    accuse_all(b, folded, count);
    for (size_t i = 0; i < count; i++) {
        const struct kpi *kpi = rules_kpi_of_kind(&b->rules, folded[i].ticket.kind);
        struct contribution c = contribution_of(&folded[i].ticket, kpi,
                                                folded[i].accuser != NULL, b->as_of);

        tally_ticket(b->tally, kpi, &folded[i].ticket.is, &c, 1);
    }
    return count;
}

static void count_device(struct batch *b, const struct device_history *h, const struct kpi *kpi)
{
    int64_t since = h->service_count > 0 ? h->service[0].begin : b->as_of;

    for (enum period_kind kind = PERIOD_DAY; kind < PERIOD_KINDS; kind++)
        for (struct period p = period_at(kind, &b->rules.zone, since);
             period_begin(p, &b->rules.zone) < b->as_of; p = period_next(p)) {
            struct counts counts;
            struct attributes is;

            if (!device_counts(h, kpi, &b->rules, p, b->as_of, &counts))
                continue;
            device_attributes(h, kpi, &b->rules, p, b->as_of, &is);
            tally_device(b->tally, kpi, p, &is, &counts, 1);
        }
}

static void fold_device(struct batch *b, const char *device, struct folded *folded,
                        size_t count)
{
    struct device_history history;
    struct device_job *jobs = mem_alloc((count + 1) * sizeof *jobs);
    struct folded **of_device = mem_alloc((count + 1) * sizeof *of_device);
    size_t found = jobs_of(folded, count, device, of_device);
    const struct event *events = NULL;
    size_t event_count = 0;

    for (size_t i = 0; i < b->event_count && !events; i++)
        if (strcmp(b->events[i].kind, "device") == 0 && strcmp(b->events[i].device, device) == 0) {
            events = &b->events[i];
            event_count = run_of(b, i);
        }
    for (size_t i = 0; i < found; i++)
        jobs[i] = (struct device_job){ &of_device[i]->ticket, of_device[i]->events,
                                       of_device[i]->event_count };
    device_history_fold(&history, device, events, event_count, jobs, found, &b->rules, b->as_of);
    for (size_t i = 0; i < b->rules.kpi_count; i++)
        if (b->rules.kpis[i].counts_devices)
            count_device(b, &history, &b->rules.kpis[i]);
    device_history_finish(&history);
    free(jobs);
    free(of_device);
}

static void fold_devices(struct batch *b, struct folded *folded, size_t count)
{
    char (*done)[NAME_SIZE] = mem_alloc((b->event_count + 1) * sizeof *done);
    size_t done_count = 0;

    for (size_t i = 0; i < b->event_count; i++) {
        bool is_done = b->events[i].device[0] == '\0';

        for (size_t k = 0; k < done_count && !is_done; k++)
            is_done = strcmp(done[k], b->events[i].device) == 0;
        if (is_done)
            continue;
        text_set(done[done_count++], NAME_SIZE, b->events[i].device);
        fold_device(b, b->events[i].device, folded, count);
    }
    free(done);
}

static int keep_cell(void *arg, const struct tally_cell *cell)
{
    struct batch *b = arg;

    b->cells = mem_realloc_array(b->cells, b->cell_count + 1, sizeof *b->cells);
    b->cells[b->cell_count++] = *cell;
    return 0;
}

static int by_key(const void *a, const void *b)
{
    const struct tally_cell *x = a;
    const struct tally_cell *y = b;
    int order = period_compare(x->period, y->period);

    if (order == 0)
        order = strcmp(x->kpi->id, y->kpi->id);
    return order != 0 ? order : strcmp(x->scope, y->scope);
}

/* A fraction of the expected facts in units of 10^-6 (or, for targets, 10^-4); null is -1. */
static int64_t fraction_member(yajl_val fact, const char *key, double unit)
{
    yajl_val v = member(fact, key);

    return YAJL_IS_NULL(v) ? -1 : llround(YAJL_GET_DOUBLE(v) * unit);
}

static void compare(const struct tally_cell *cell, const char *line)
{
    yajl_val want = yajl_tree_parse(line, NULL, 0);
    struct fact got = fact_of(&cell->counts, cell->kpi, cell->period, cell->scope);
    char period[PERIOD_SIZE];

    assert_non_null(want);
    assert_string_equal(cell->kpi->id, text_member(want, "kpi"));
    assert_string_equal(period_format(period, cell->period), text_member(want, "period"));
    assert_string_equal(cell->scope, text_member(want, "scope"));
    assert_int_equal(got.counts.numerator, YAJL_GET_INTEGER(member(want, "numerator")));
    assert_int_equal(got.counts.denominator, YAJL_GET_INTEGER(member(want, "denominator")));
    assert_int_equal(got.counts.excluded, YAJL_GET_INTEGER(member(want, "excluded")));
    assert_int_equal(got.counts.pending, YAJL_GET_INTEGER(member(want, "pending")));
    assert_int_equal(got.rate_e6, fraction_member(want, "rate", 1e6));
    assert_int_equal(got.low_e6, fraction_member(want, "low", 1e6));
    assert_int_equal(got.high_e6, fraction_member(want, "high", 1e6));
    assert_int_equal(got.target_e4, fraction_member(want, "target", 1e4));
    assert_string_equal(direction_name(cell->kpi->direction), text_member(want, "direction"));
    assert_string_equal(verdict_name(got.verdict), text_member(want, "verdict"));
    assert_int_equal(got.shortfall, YAJL_GET_INTEGER(member(want, "shortfall")));
    yajl_tree_free(want);
}

static void compare_all(struct batch *b, const char *name)
{
    size_t length;
    char *text = read_whole(name, "facts.ndjson", &length);
    size_t n = 0;

    tally_each(b->tally, keep_cell, b);
    qsort(b->cells, b->cell_count, sizeof *b->cells, by_key);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        assert_true(n < b->cell_count);
        compare(&b->cells[n++], line);
    }
    assert_int_equal(n, b->cell_count);
    print_message("# %s: %zu facts\n", name, n);
    free(text);
}

static void fold_case(const char *name)
{
    struct batch b = { 0 };
    size_t length;
    char *as_of = read_whole(name, "as_of", &length);
    char *quarantined = read_whole(name, "quarantined", &length);

    if (!as_of || !quarantined)
        skip();
    assert_true(instant_parse(as_of, strcspn(as_of, "\n"), &b.as_of));
    read_rules(&b, name);
    read_events(&b, name);
    assert_int_equal(b.quarantined, strtoul(quarantined, NULL, 10));

    struct folded *folded = mem_zalloc((b.event_count + 1) * sizeof *folded);

    b.tally = tally_create(&b.rules);
    fold_devices(&b, folded, fold_tickets(&b, folded));
    compare_all(&b, name);

    tally_destroy(b.tally);
    rules_finish(&b.rules);
    free(folded);
    free(b.cells);
    free(b.events);
    free(b.raw);
    free(b.raw_length);
    free(as_of);
    free(quarantined);
}

static void test_small(void **state)
{
    (void)state;
    fold_case("small");
}

static void test_month(void **state)
{
    (void)state;
    fold_case("month");
}

static void test_daylight_saving(void **state)
{
    (void)state;
    fold_case("dst");
}

static void test_new_year(void **state)
{
    (void)state;
    fold_case("newyear");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small),
        cmocka_unit_test(test_month),
        cmocka_unit_test(test_daylight_saving),
        cmocka_unit_test(test_new_year),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
