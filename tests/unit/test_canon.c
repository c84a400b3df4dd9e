/* Canonical lines: what SQL's quote() says of the same values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "kpi/canon.h"

static void test_columns(void **state)
{
    struct text_buffer line = { 0 };

    (void)state;
    canon_integer(&line, -7);
    canon_text(&line, "it's", 4);
    canon_text(&line, "", 0);
    canon_text(&line, "''", 2);
    canon_null(&line);
    canon_end(&line);
    canon_text(&line, "\xe5\x8c\x97|", 4);
    canon_integer(&line, INT64_MIN);
    canon_end(&line);
    assert_string_equal(line.bytes, "-7|'it''s'|''|''''''|NULL\n"
                                    "'\xe5\x8c\x97|'|-9223372036854775808\n");
    text_buffer_finish(&line);
}

/* law 6.chain: the sealed facts in canonical form. */
static void test_fact(void **state)
{
    struct fact fact = { .counts = { .numerator = 0, .denominator = 0, .pending = 2 },
                         .rate_e6 = RATE_NONE,
                         .low_e6 = RATE_NONE,
                         .high_e6 = RATE_NONE,
                         .target_e4 = 9800,
                         .verdict = VERDICT_NO_DATA };
    struct canon_fact is = { .seal = 3,
                             .kpi = "lookup_accuracy",
                             .scope = "staff:o'neil",
                             .begin_at = 100,
                             .end_at = 200,
                             .direction = DIRECTION_AT_LEAST,
                             .fact = &fact,
                             .coverage = { .share_e4 = 9990, .gaps = 1 } };
    struct text_buffer line = { 0 };

    (void)state;
    assert_true(period_parse("2026-W47", &is.period));
    canon_fact(&line, &is);
    assert_string_equal(line.bytes, "3|'2026-W47'|'lookup_accuracy'|'staff:o''neil'|1|100|200|"
                                    "0|0|0|2|NULL|NULL|NULL|9800|'at_least'|'no_data'|0|9990|1\n");
    text_buffer_finish(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns),
        cmocka_unit_test(test_fact),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
