/* Facts: law 5. Rates, bounds, targets, verdicts, shortfalls, and their JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/instant.h"
#include "base/mem.h"
#include "base/text.h"
#include "kpi/fact.h"

static struct kpi kpi_with(enum direction direction, int64_t min_sample, struct target *target)
{
    return (struct kpi){ .id = "k", .counts = "install", .direction = direction,
                         .min_sample = min_sample, .targets = target,
                         .target_count = target ? 1 : 0 };
}

static struct fact value(const struct kpi *kpi, int64_t numerator, int64_t denominator)
{
    struct counts counts = { .numerator = numerator, .denominator = denominator };

    return fact_of(&counts, kpi, (struct period){ PERIOD_DAY, 20000 }, "company");
}

/* law 5.rate: rounded half up to 6 decimals. law 5.low, 5.high: the Wilson interval, as computed
 * by another program. */
static void test_rate_and_bounds(void **state)
{
    static const struct {
        int64_t numerator, denominator, rate, low, high;
    } cases[] = {
        { 0, 0, RATE_NONE, RATE_NONE, RATE_NONE },
        { 0, 1, 0, 0, 793451 },
        { 1, 1, 1000000, 206549, 1000000 },
        { 0, 2, 0, 0, 657620 },
        { 1, 3, 333333, 61492, 792340 },
        { 2, 3, 666667, 207660, 938508 },
        { 196, 200, 980000, 949713, 992196 },
        { 1, 2000000, 1, 0, 3 },            /* 0.0000005: half up */
        { 1, 2000001, 0, 0, 3 },
        { 999999, 1000000, 999999, 999994, 1000000 },
        { 3, 64, 46875, 16069, 128997 },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct kpi kpi = kpi_with(DIRECTION_AT_LEAST, 1, NULL);
        struct fact f = value(&kpi, cases[i].numerator, cases[i].denominator);

        print_message("# %lld of %lld\n", (long long)cases[i].numerator,
                      (long long)cases[i].denominator);
        assert_int_equal(f.rate_e6, cases[i].rate);
        assert_int_equal(f.low_e6, cases[i].low);
        assert_int_equal(f.high_e6, cases[i].high);
        assert_true(f.low_e6 <= f.rate_e6 && f.rate_e6 <= f.high_e6);
    }
}

/* law 5.verdict: the first that applies; exactly, in integers. law 5.shortfall. */
static void test_verdict_and_shortfall(void **state)
{
    static const struct {
        const char *what;
        enum direction direction;
        int64_t min_sample, numerator, denominator;
        int32_t target_e4;
        enum verdict verdict;
        int64_t shortfall;
    } cases[] = {
        { "no data", DIRECTION_AT_LEAST, 1, 0, 0, 9800, VERDICT_NO_DATA, 0 },
        { "no data comes first", DIRECTION_AT_LEAST, 5, 0, 0, TARGET_NONE, VERDICT_NO_DATA, 0 },
        { "too few, and short nevertheless", DIRECTION_AT_LEAST, 3, 1, 2, 9800,
          VERDICT_TOO_FEW, 1 },
        { "just enough", DIRECTION_AT_LEAST, 2, 2, 2, 9800, VERDICT_MET, 0 },
        { "too few comes before no target", DIRECTION_AT_LEAST, 3, 1, 2, TARGET_NONE,
          VERDICT_TOO_FEW, 0 },
        { "no target", DIRECTION_AT_LEAST, 1, 1, 2, TARGET_NONE, VERDICT_NO_TARGET, 0 },
        { "98 % exactly is met", DIRECTION_AT_LEAST, 1, 196, 200, 9800, VERDICT_MET, 0 },
        { "one less is missed", DIRECTION_AT_LEAST, 1, 195, 200, 9800, VERDICT_MISSED, 1 },
        { "a rate that rounds up to its target is missed", DIRECTION_AT_LEAST, 1, 6666666,
          10000000, 6667, VERDICT_MISSED, 334 },
        { "thirds", DIRECTION_AT_LEAST, 1, 2, 3, 6666, VERDICT_MET, 0 },
        { "a target of all", DIRECTION_AT_LEAST, 1, 99, 100, 10000, VERDICT_MISSED, 1 },
        { "a target of nothing", DIRECTION_AT_LEAST, 1, 0, 100, 0, VERDICT_MET, 0 },
        { "the shortfall is rounded up", DIRECTION_AT_LEAST, 1, 0, 3, 5000, VERDICT_MISSED, 2 },
        { "at most: exactly is met", DIRECTION_AT_MOST, 1, 3, 100, 300, VERDICT_MET, 0 },
        { "at most: one more is missed", DIRECTION_AT_MOST, 1, 4, 100, 300, VERDICT_MISSED, 1 },
        { "at most: what is allowed is rounded down", DIRECTION_AT_MOST, 1, 3, 99, 300,
          VERDICT_MISSED, 1 },
        { "at most: none at all", DIRECTION_AT_MOST, 1, 0, 5, 0, VERDICT_MET, 0 },
        { "large counts", DIRECTION_AT_LEAST, 1, INT64_C(99999999999), INT64_C(100000000000),
          10000, VERDICT_MISSED, 1 },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct target target = { .value_e4 = cases[i].target_e4 };
        struct kpi kpi = kpi_with(cases[i].direction, cases[i].min_sample,
                                  cases[i].target_e4 == TARGET_NONE ? NULL : &target);
        struct fact f = value(&kpi, cases[i].numerator, cases[i].denominator);

        print_message("# %s\n", cases[i].what);
        assert_string_equal(verdict_name(f.verdict), verdict_name(cases[i].verdict));
        assert_int_equal(f.shortfall, cases[i].shortfall);
        assert_int_equal(f.target_e4, cases[i].target_e4);
    }
}

/* law 5.targets: in force at the period's first instant; the most specific scope, then the last. */
static void test_targets(void **state)
{
    static struct target targets[] = {
        { .from_day = 100, .value_e4 = 1 },
        { .from_day = 300, .value_e4 = 2 },
        { .from_day = 200, .value_e4 = 3 },
        { .from_day = 150, .scope = "site:east", .value_e4 = 4 },
        { .from_day = 250, .scope = "company", .value_e4 = 5 },
        { .from_day = 300, .value_e4 = 6 },
    };
    static const struct {
        enum period_kind kind;
        int32_t day;
        const char *scope;
        int32_t want;
    } cases[] = {
        { PERIOD_DAY, 99, "site:west", TARGET_NONE },
        { PERIOD_DAY, 100, "site:west", 1 },
        { PERIOD_DAY, 199, "site:west", 1 },
        { PERIOD_DAY, 200, "site:west", 3 },
        { PERIOD_DAY, 300, "site:west", 6 },        /* of two alike the last one written */
        { PERIOD_DAY, 149, "site:east", 1 },
        { PERIOD_DAY, 150, "site:east", 4 },
        { PERIOD_DAY, 400, "site:east", 4 },        /* specific wins over later */
        { PERIOD_DAY, 400, "company", 5 },
        { PERIOD_DAY, 249, "company", 3 },
        { PERIOD_MONTH, 100, "site:west", TARGET_NONE },    /* the month began before */
        { PERIOD_YEAR, 364, "site:west", TARGET_NONE },
        { PERIOD_YEAR, 365, "site:west", 6 },
        { PERIOD_WEEK, 202, "site:west", 3 },
        { PERIOD_WEEK, 200, "site:west", 3 },
        { PERIOD_WEEK, 199, "site:west", 1 },
    };
    struct kpi kpi = { .id = "k", .targets = targets, .target_count = LENGTH(targets) };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        print_message("# %s of day %d, %s\n", period_kind_name(cases[i].kind), cases[i].day,
                      cases[i].scope);
        assert_int_equal(target_in_force(&kpi, period_of_day(cases[i].kind, cases[i].day),
                                         cases[i].scope), cases[i].want);
    }
}

static void test_json(void **state)
{
    static const struct target target = { .value_e4 = 9800 };
    static struct target targets[1];
    struct zone zone;
    struct text_buffer text = { 0 };
    struct kpi kpi = kpi_with(DIRECTION_AT_LEAST, 1, targets);
    struct counts counts = { 196, 200, 2, 3 };
    struct fact_view view = { .kpi = &kpi, .scope = "company",
                              .coverage = { .share_e4 = 10000 }, .state = FACT_OPEN };
    struct fact fact;

    (void)state;
    targets[0] = target;
    text_set(kpi.id, sizeof kpi.id, "install_success");
    assert_int_equal(zone_load(&zone, "Asia/Shanghai", NULL), 0);
    assert_true(period_parse("2026-W47", &view.period));
    assert_true(instant_parse("2026-11-20T10:00:00Z", 20, &view.as_of));
    fact = fact_of(&counts, &kpi, view.period, view.scope);
    view.fact = &fact;
    fact_json(&text, &view, &zone);
    assert_string_equal(text.bytes,
        "{\"kpi\":\"install_success\",\"period\":\"2026-W47\",\"scope\":\"company\","
        "\"numerator\":196,\"denominator\":200,\"excluded\":2,\"pending\":3,\"rate\":0.98,"
        "\"low\":0.949713,\"high\":0.992196,\"target\":0.98,\"direction\":\"at_least\","
        "\"verdict\":\"met\",\"shortfall\":0,\"coverage\":1.0,\"gaps\":0,\"state\":\"open\","
        "\"revision\":0,\"as_of\":\"2026-11-20T18:00:00.000+08:00\"}");
    text_buffer_finish(&text);

    kpi.direction = DIRECTION_AT_MOST;
    kpi.target_count = 0;
    view.scope = "staff:\"li\"\n";
    view.coverage = (struct coverage){ .share_e4 = 45, .gaps = 12 };
    view.state = FACT_SEALED;
    view.revision = 2;
    assert_true(period_parse("2026-11-16", &view.period));
    fact = fact_of(&(struct counts){ .excluded = 1000000 }, &kpi, view.period, view.scope);
    fact_json(&text, &view, &zone);
    assert_string_equal(text.bytes,
        "{\"kpi\":\"install_success\",\"period\":\"2026-11-16\",\"scope\":\"staff:\\\"li\\\"\\n\","
        "\"numerator\":0,\"denominator\":0,\"excluded\":1000000,\"pending\":0,\"rate\":null,"
        "\"low\":null,\"high\":null,\"target\":null,\"direction\":\"at_most\","
        "\"verdict\":\"no_data\",\"shortfall\":0,\"coverage\":0.0045,\"gaps\":12,"
        "\"state\":\"sealed\",\"revision\":2,\"as_of\":\"2026-11-20T18:00:00.000+08:00\"}");
    text_buffer_finish(&text);
    zone_finish(&zone);
}

/* A zone's offset before 1972 can have seconds, RFC 3339 cannot: the instant stays what it is. */
static void test_json_of_an_odd_offset(void **state)
{
    struct zone zone;
    struct kpi kpi = kpi_with(DIRECTION_AT_LEAST, 1, NULL);
    struct fact fact = value(&kpi, 0, 1);
    struct fact_view view = { .kpi = &kpi, .period = { PERIOD_DAY, 1 }, .scope = "company",
                              .fact = &fact, .coverage = { .share_e4 = 10000 },
                              .as_of = INT64_C(3600000) };
    struct text_buffer text = { 0 };
    int64_t as_of;

    (void)state;
    assert_int_equal(zone_load(&zone, "Africa/Monrovia", NULL), 0);
    assert_int_not_equal(zone_offset(&zone, view.as_of) % 60, 0);
    fact_json(&text, &view, &zone);
    const char *at = strstr(text.bytes, "\"as_of\":\"");

    if (!at)
        fail_msg("no as_of in %s", text.bytes);
    at += strlen("\"as_of\":\"");
    print_message("# %s\n", at);
    assert_true(instant_parse(at, strcspn(at, "\""), &as_of));
    assert_int_equal(as_of, view.as_of);
    text_buffer_finish(&text);
    zone_finish(&zone);
}

static void test_state(void **state)
{
    struct zone zone;
    struct period day = { PERIOD_DAY, 20000 };

    (void)state;
    assert_int_equal(zone_load(&zone, "Asia/Shanghai", NULL), 0);
    assert_int_equal(fact_state_of(day, &zone, period_end(day, &zone) - 1), FACT_OPEN);
    assert_int_equal(fact_state_of(day, &zone, period_end(day, &zone)), FACT_CLOSING);
    assert_string_equal(fact_state_name(FACT_CLOSING), "closing");
    assert_string_equal(direction_name(DIRECTION_AT_MOST), "at_most");
    zone_finish(&zone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rate_and_bounds),
        cmocka_unit_test(test_verdict_and_shortfall),
        cmocka_unit_test(test_targets),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_json_of_an_odd_offset),
        cmocka_unit_test(test_state),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
