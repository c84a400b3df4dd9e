/* Tables for people: alignment of Latin and Chinese, cutting, colour; rates as they are read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "tools/kpictl/percent.h"
#include "tools/kpictl/table.h"

static const struct column columns[] = {
    { .title = "KPI", .flexible = true },
    { .title = "n/d", .right = true },
    { .title = "note", .hide_empty = true },
};

/* Rows of three cells, the whole table as one text. */
static char *draw(const char *const (*rows)[3], size_t count, struct look look)
{
    struct table *table = table_create(columns, LENGTH(columns));
    struct text_buffer to = { 0 };

    for (size_t i = 0; i < count; i++) {
        table_row(table);
        for (size_t c = 0; c < 3; c++)
            table_cell(table, c == 1 ? COLOUR_GOOD : COLOUR_NONE, rows[i][c]);
    }
    table_draw(table, &look, &to);
    table_destroy(table);
    return text_buffer_take(&to);
}

static void test_alignment(void **state)
{
    static const char *const latin[][3] = { { "Installation", "196/200", "" },
                                            { "Repair", "9/9", "" } };
    static const char *const chinese[][3] = { { "安装成功率", "196/200", "" },
                                              { "Repair", "9/9", "late" } };
    static const char *const hostile[][3] = { { "a\033[2Jb", "1/1", "x\ny" } };
    static const struct {
        const char *what;
        const char *const (*rows)[3];
        size_t count;
        struct look look;
        const char *want;
    } cases[] = {
        { "Latin; a column with nothing in it is left out", latin, 2, { 0 },
          "KPI               n/d\n"
          "Installation  196/200\n"
          "Repair            9/9\n" },
        { "a Chinese character takes two columns", chinese, 2, { 0 },
          "KPI             n/d  note\n"
          "安装成功率  196/200\n"
          "Repair          9/9  late\n" },
        { "too wide: the flexible column gives way", latin, 2, { .width = 18 },
          "KPI            n/d\n"
          "Installa…  196/200\n"
          "Repair         9/9\n" },
        { "cut between characters, not within one", chinese, 1, { .width = 17 },
          "KPI           n/d\n"
          "安装成…   196/200\n" },
        { "far too narrow: lines end at the edge", latin, 1, { .width = 12 },
          "KPI       n…\n"
          "Install…  1…\n" },
        { "control characters do not reach the terminal", hostile, 1, { 0 },
          "KPI     n/d  note\n"
          "a [2Jb  1/1  x y\n" },
        { "colour wraps the text, not the blanks", latin, 1, { .colour = true },
          "\033[1mKPI\033[0m               \033[1mn/d\033[0m\n"
          "Installation  \033[32m196/200\033[0m\n" },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        char *got = draw(cases[i].rows, cases[i].count, cases[i].look);

        print_message("# %s\n", cases[i].what);
        assert_string_equal(got, cases[i].want);
        free(got);
    }
}

static void test_look(void **state)
{
    FILE *file = tmpfile();
    struct look look;

    (void)state;
    look = look_of(file);
    assert_int_equal(look.width, 0);
    assert_false(look.colour);
    fclose(file);
}

static void test_percent(void **state)
{
    static const struct {
        const char *what;
        int64_t numerator, denominator;
        bool missed;
        int64_t target_e4;
        const char *want;
    } cases[] = {
        { "nothing counted is no rate", 0, 0, false, 9800, "–" },
        { "exactly the target", 196, 200, false, 9800, "98.00" },
        { "rounded half up", 1, 3, false, -1, "33.33" },
        { "rounded half up, at the half", 12345, 1000000, false, -1, "1.23" },
        { "rounded half up, over the half", 12355, 1000000, false, -1, "1.24" },
        { "all", 7, 7, false, 9800, "100.00" },
        { "none", 0, 7, true, 9800, "0.00" },
        { "missed by less than is shown: one more decimal", 97999, 100000, true, 9800, "97.999" },
        { "missed by much less: cut, not rounded", 9799999, 10000000, true, 9800, "97.999" },
        { "at most: cut upwards", 300001, 10000000, true, 300, "3.001" },
        { "missed, and the rounding does not hide it", 97, 100, true, 9800, "97.00" },
    };
    char got[PERCENT_SIZE];

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        print_message("# %s\n", cases[i].what);
        percent_of(got, cases[i].numerator, cases[i].denominator, cases[i].missed,
                   cases[i].target_e4);
        assert_string_equal(got, cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alignment),
        cmocka_unit_test(test_look),
        cmocka_unit_test(test_percent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
