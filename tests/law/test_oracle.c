/* The oracle against the golden cases, which a third program computed: what the randomised tests
 * hold the daemon against must itself be right. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <yajl/yajl_tree.h>

#include "base/mem.h"
#include "golden.h"
#include "law_conf.h"
#include "oracle.h"

struct golden_case {
    struct rules *rules;
    struct oracle_log log;
    struct oracle_facts facts;
    size_t refused, next;
};

static void take(void *arg, const char *line, size_t length)
{
    struct golden_case *c = arg;

    if (oracle_take(&c->log, line, length, c->rules, NULL) == ORACLE_REFUSED)
        c->refused++;
}

static void expect_text(yajl_val fact, const char *name, const char *want)
{
    yajl_val v = yajl_tree_get(fact, (const char *[]){ name, NULL }, yajl_t_string);

    assert_non_null(v);
    assert_string_equal(v->u.string, want);
}

static void expect_integer(yajl_val fact, const char *name, int64_t want)
{
    yajl_val v = yajl_tree_get(fact, (const char *[]){ name, NULL }, yajl_t_number);

    assert_non_null(v);
    assert_int_equal(YAJL_GET_INTEGER(v), want);
}

static void expect_decimal(yajl_val fact, const char *name, bool is_null, double want)
{
    yajl_val v = yajl_tree_get(fact, (const char *[]){ name, NULL }, yajl_t_any);

    assert_non_null(v);
    assert_int_equal(YAJL_IS_NULL(v), is_null);
    if (!is_null)
        assert_true(fabs(strtod(YAJL_GET_NUMBER(v), NULL) - want) < 1e-6 + 1e-9);
}

static void compare(void *arg, const char *line, size_t length)
{
    struct golden_case *c = arg;
    const struct oracle_fact *f = &c->facts.items[c->next++];
    yajl_val v = yajl_tree_parse(line, NULL, 0);

    (void)length;
    assert_non_null(v);
    assert_true(c->next <= c->facts.count);
    expect_text(v, "kpi", f->kpi->id);
    expect_text(v, "period", f->period.name);
    expect_text(v, "scope", f->scope);
    expect_integer(v, "numerator", f->numerator);
    expect_integer(v, "denominator", f->denominator);
    expect_integer(v, "excluded", f->excluded);
    expect_integer(v, "pending", f->pending);
    expect_decimal(v, "rate", f->denominator == 0, f->rate);
    expect_decimal(v, "low", f->denominator == 0, f->low);
    expect_decimal(v, "high", f->denominator == 0, f->high);
    expect_decimal(v, "target", f->target_e4 < 0, f->target_e4 / 1e4);
    expect_text(v, "direction", f->kpi->direction == DIRECTION_AT_MOST ? "at_most" : "at_least");
    expect_text(v, "verdict", f->verdict);
    expect_integer(v, "shortfall", f->shortfall);
    yajl_tree_free(v);
}

static void run_case(const char *name)
{
    struct golden_case c = { 0 };
    char path[256], line[64];
    int64_t as_of;

    print_message("# %s\n", name);
    snprintf(path, sizeof path, "tests/golden/%s/kpid.conf", name);
    c.rules = law_conf_read(path);
    snprintf(path, sizeof path, "tests/golden/%s/as_of", name);
    golden_line(path, line, sizeof line);
    assert_true(oracle_instant(line, &as_of));
    snprintf(path, sizeof path, "tests/golden/%s/events.ndjson", name);
    golden_lines(path, take, &c);
    snprintf(path, sizeof path, "tests/golden/%s/quarantined", name);
    golden_line(path, line, sizeof line);
    assert_int_equal(c.refused, atoi(line));
    oracle_facts(&c.facts, &c.log, c.rules, as_of);
    snprintf(path, sizeof path, "tests/golden/%s/facts.ndjson", name);
    golden_lines(path, compare, &c);
    assert_int_equal(c.next, c.facts.count);
    oracle_facts_finish(&c.facts);
    oracle_log_finish(&c.log);
    rules_destroy(c.rules);
}

static void test_golden_cases(void **state)
{
    (void)state;
    for (size_t i = 0; golden_cases[i]; i++)
        run_case(golden_cases[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden_cases),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
