/* Rules: looking up, deep copies, and what the two canonical texts see and do not see. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "kpi/rules.h"

static void add_kpi(struct rules *rules, const char *id, const char *counts)
{
    rules->kpis = mem_realloc_array(rules->kpis, rules->kpi_count + 1, sizeof *rules->kpis);
    struct kpi *kpi = &rules->kpis[rules->kpi_count++];

    *kpi = (struct kpi){ .rework_window_ms = SPAN_NONE, .expire_after_ms = SPAN_NONE,
                         .min_sample = 1, .target_count = 1, .plan_count = 1, .source_count = 1 };
    text_set(kpi->id, sizeof kpi->id, id);
    text_set(kpi->counts, sizeof kpi->counts, counts);
    kpi->counts_devices = strcmp(counts, "device") == 0;
    kpi->targets = mem_zalloc(sizeof *kpi->targets);
    kpi->targets[0].value_e4 = 9800;
    kpi->plans = mem_zalloc(sizeof *kpi->plans);
    kpi->sources = mem_zalloc(sizeof *kpi->sources);
    text_set(kpi->sources[0], INPUT_SIZE, "fleet");
}

static struct rules *make_rules(void)
{
    struct rules *rules = mem_zalloc(sizeof *rules);

    assert_int_equal(zone_load(&rules->zone, "America/New_York", NULL), 0);
    add_kpi(rules, "install_success", "install");
    add_kpi(rules, "fault_rate", "device");
    add_kpi(rules, "repair_success", "repair");
    return rules;
}

static void test_lookup(void **state)
{
    struct rules *rules = make_rules();

    (void)state;
    assert_ptr_equal(rules_kpi_of_kind(rules, "install"), &rules->kpis[0]);
    assert_ptr_equal(rules_kpi_of_kind(rules, "repair"), &rules->kpis[2]);
    assert_null(rules_kpi_of_kind(rules, "lookup"));
    assert_null(rules_kpi_of_kind(rules, "device"));    /* no kind of ticket */
    assert_ptr_equal(rules_kpi(rules, "fault_rate"), &rules->kpis[1]);
    assert_null(rules_kpi(rules, "install"));
    rules_destroy(rules);
}

static void test_copy_is_deep(void **state)
{
    struct rules *rules = make_rules();
    struct rules *copy = rules_copy(rules);
    char *counting = rules_counting_text(rules);
    char *valuing = rules_valuing_text(rules);

    (void)state;
    memset(rules->kpis[0].targets, 0xff, sizeof *rules->kpis[0].targets);
    memset(rules->kpis[0].sources, 'x', INPUT_SIZE - 1);
    memset(rules->zone.changes, 0xff, sizeof *rules->zone.changes);
    rules_destroy(rules);

    char *counting_copy = rules_counting_text(copy);
    char *valuing_copy = rules_valuing_text(copy);

    assert_string_equal(counting, counting_copy);
    assert_string_equal(valuing, valuing_copy);
    assert_string_equal(copy->zone.name, "America/New_York");
    rules_destroy(copy);
    rules_destroy(NULL);
    free(counting);
    free(valuing);
    free(counting_copy);
    free(valuing_copy);
}

static void nothing(struct rules *r)
{
    (void)r;
}

static void reorder(struct rules *r)
{
    struct kpi first = r->kpis[0];

    r->kpis[0] = r->kpis[2];
    r->kpis[2] = first;
}

static void change_zone_name(struct rules *r)
{
    text_set(r->zone.name, sizeof r->zone.name, "America/Toronto");
}

static void change_zone_data(struct rules *r)
{
    r->zone.changes[17].at += 3600000;
}

static void change_first_offset(struct rules *r)
{
    r->zone.first_offset_s += 60;
}

static void change_kind(struct rules *r)
{
    text_set(r->kpis[0].counts, KIND_SIZE, "visit");
}

static void change_department(struct rules *r)
{
    text_set(r->kpis[0].department, NAME_SIZE, "installation");
}

static void change_rework(struct rules *r)
{
    r->kpis[0].rework_window_ms = 1;
}

static void change_expiry(struct rules *r)
{
    r->kpis[0].expire_after_ms = 1;
}

static void change_confirmation(struct rules *r)
{
    r->kpis[1].confirm_after_ms = 1;
}

static void drop_kpi(struct rules *r)
{
    r->kpi_count--;
    free(r->kpis[r->kpi_count].targets);
    free(r->kpis[r->kpi_count].plans);
    free(r->kpis[r->kpi_count].sources);
}

static void change_direction(struct rules *r)
{
    r->kpis[0].direction = DIRECTION_AT_MOST;
}

static void change_min_sample(struct rules *r)
{
    r->kpis[0].min_sample = 5;
}

static void change_target(struct rules *r)
{
    r->kpis[0].targets[0].value_e4++;
}

static void change_target_day(struct rules *r)
{
    r->kpis[0].targets[0].from_day++;
}

static void change_target_scope(struct rules *r)
{
    text_set(r->kpis[0].targets[0].scope, SCOPE_SIZE, "site:east");
}

static void change_source(struct rules *r)
{
    text_set(r->kpis[0].sources[0], INPUT_SIZE, "bench");
}

static void change_name_and_plan(struct rules *r)
{
    text_set(r->kpis[0].name_en, sizeof r->kpis[0].name_en, "Installations");
    r->kpis[0].plans[0].volume = 2400;
    r->grace_ms = 1;
    r->penalty_after = 4;
}

static void test_texts(void **state)
{
    static const struct {
        const char *what;
        void (*change)(struct rules *rules);
        bool counting, valuing;         /* which text changes */
    } cases[] = {
        { "nothing", nothing, false, false },
        { "the order in the file", reorder, false, false },
        { "names, plans and weeks", change_name_and_plan, false, false },
        { "the zone's name", change_zone_name, true, false },
        { "the zone's data", change_zone_data, true, false },
        { "the zone's beginning", change_first_offset, true, false },
        { "the kind", change_kind, true, false },
        { "the department", change_department, true, false },
        { "the rework window", change_rework, true, false },
        { "the expiry", change_expiry, true, false },
        { "the confirmation", change_confirmation, true, false },
        { "a KPI less", drop_kpi, true, true },
        { "the direction", change_direction, false, true },
        { "the least sample", change_min_sample, false, true },
        { "a target", change_target, false, true },
        { "a target's day", change_target_day, false, true },
        { "a target's scope", change_target_scope, false, true },
        { "a source", change_source, false, true },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct rules *rules = make_rules();
        char *counting = rules_counting_text(rules);
        char *valuing = rules_valuing_text(rules);

        print_message("# %s\n", cases[i].what);
        cases[i].change(rules);
        char *counting_after = rules_counting_text(rules);
        char *valuing_after = rules_valuing_text(rules);

        assert_int_equal(strcmp(counting, counting_after) != 0, cases[i].counting);
        assert_int_equal(strcmp(valuing, valuing_after) != 0, cases[i].valuing);
        rules_destroy(rules);
        free(counting);
        free(valuing);
        free(counting_after);
        free(valuing_after);
    }
}

/* No name can be chosen so that two rules look alike. */
static void test_texts_are_unambiguous(void **state)
{
    struct rules *a = make_rules();
    struct rules *b = make_rules();

    (void)state;
    text_set(a->kpis[0].department, NAME_SIZE, "x devices=0");
    text_set(b->kpis[0].department, NAME_SIZE, "x");
    char *x = rules_counting_text(a);
    char *y = rules_counting_text(b);

    assert_string_not_equal(x, y);
    free(x);
    free(y);
    rules_destroy(a);
    rules_destroy(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lookup),
        cmocka_unit_test(test_copy_is_deep),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_texts_are_unambiguous),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
