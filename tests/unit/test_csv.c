/* CSV by RFC 4180: where a record ends, and what its cells are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "csv.h"

static void test_extent(void **state)
{
    static const struct {
        const char *what, *bytes;
        bool at_end;
        enum csv_result want;
        size_t length, consumed, lines;
    } cases[] = {
        { "a line", "a,b\nc", false, CSV_RECORD, 3, 4, 1 },
        { "CRLF", "a,b\r\nc", false, CSV_RECORD, 3, 5, 1 },
        { "a line that goes on", "a,b", false, CSV_MORE, 0, 0, 0 },
        { "the last line without an end", "a,b", true, CSV_RECORD, 3, 3, 1 },
        { "a line end in quotes", "a,\"b\nc\",d\ne", false, CSV_RECORD, 9, 10, 2 },
        { "a doubled quote", "\"a\"\"\n\"\"b\"\n", false, CSV_RECORD, 9, 10, 2 },
        { "a quote in the middle is a length", "5\" disk,x\ny", false, CSV_RECORD, 9, 10, 1 },
        { "two in the middle are two lengths", "ab\"\"cd\"\nx\n", false, CSV_RECORD, 7, 8, 1 },
        { "a quote that does not close, yet", "\"a\nb", false, CSV_MORE, 0, 0, 0 },
        { "a quote that never closes", "\"a\nb\n", true, CSV_OPEN_QUOTE, 0, 0, 0 },
        { "an empty line", "\nx", false, CSV_RECORD, 0, 1, 1 },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct csv_extent got = { 0 };

        print_message("# %s\n", cases[i].what);
        assert_int_equal(
            csv_extent(cases[i].bytes, strlen(cases[i].bytes), cases[i].at_end, ',', &got),
            cases[i].want);
        assert_int_equal(got.length, cases[i].length);
        assert_int_equal(got.consumed, cases[i].consumed);
        assert_int_equal(got.lines, cases[i].lines);
    }
}

static void test_split(void **state)
{
    static const struct {
        const char *what, *record, *want; /* cells between bars */
        int count;
    } cases[] = {
        { "plain", "a,b,c", "a|b|c|", 3 },
        { "empty cells", ",,", "|||", 3 },
        { "nothing is one empty cell", "", "|", 1 },
        { "quotes", "\"a,b\",c", "a,b|c|", 2 },
        { "doubled quotes", "\"say \"\"hi\"\"\"", "say \"hi\"|", 1 },
        { "empty quotes", "\"\",x", "|x|", 2 },
        { "blanks are part of it", " a , b", " a | b|", 2 },
        { "text behind a quote", "\"a\"b,c", "", CSV_AFTER_QUOTE },
        { "a quote in the middle", "5\",x", "5\"|x|", 2 },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct csv_cell cells[CSV_CELLS_MAX];
        char record[64], got[64] = "";
        int count;

        print_message("# %s\n", cases[i].what);
        snprintf(record, sizeof record, "%s", cases[i].record);
        count = csv_split(record, strlen(record), ',', cells);
        assert_int_equal(count, cases[i].count);
        for (int k = 0; k < count; k++)
            snprintf(got + strlen(got), sizeof got - strlen(got), "%.*s|", (int)cells[k].length,
                     cells[k].text);
        assert_string_equal(got, cases[i].want);
    }
}

static void test_too_many_cells(void **state)
{
    char record[CSV_CELLS_MAX + 2];
    struct csv_cell cells[CSV_CELLS_MAX];

    (void)state;
    memset(record, ',', sizeof record);
    assert_int_equal(csv_split(record, CSV_CELLS_MAX - 1, ',', cells), CSV_CELLS_MAX);
    assert_int_equal(csv_split(record, CSV_CELLS_MAX, ',', cells), CSV_TOO_MANY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_extent),
        cmocka_unit_test(test_split),
        cmocka_unit_test(test_too_many_cells),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
