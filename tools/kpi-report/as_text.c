/* The report as text: the company, then each department with its KPIs, what has to be made up, and
 * the same figures by site and by staff. Every configured KPI has its line for the company and for
 * its own department, whether anything was counted or not: a missing line reads as a good one. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/instant.h"
#include "base/mem.h"
#include "report.h"
#include "tools/kpictl/percent.h"
#include "tools/kpictl/table.h"

static const struct look plain = { 0 };

const char *report_kpi_name(const struct week_kpi *kpi, enum language language)
{
    return language == LANGUAGE_ZH ? kpi->name_zh : kpi->name_en;
}

static void heading(struct text_buffer *to, const char *text)
{
    text_buffer_addf(to, "\n%s\n", text);
    for (size_t i = 0; i < text_width(text); i++)
        text_buffer_adds(to, "-");
    text_buffer_adds(to, "\n");
}

enum { NAME, WHO, RATE, COUNTS, BOUNDS, TARGET, VERDICT, SHORTFALL, PENDING, EXCLUDED, COVERAGE,
       GAPS, COLUMNS };

/* A table of facts; `who` is the title of the column that tells scopes apart, or NULL. */
static struct table *create_table(enum language language, const char *who)
{
    static const enum word words[COLUMNS] = {
        [NAME] = WORD_KPI, [RATE] = WORD_RATE, [COUNTS] = WORD_COUNTS, [BOUNDS] = WORD_BOUNDS,
        [TARGET] = WORD_TARGET, [VERDICT] = WORD_VERDICT, [SHORTFALL] = WORD_SHORTFALL,
        [PENDING] = WORD_PENDING, [EXCLUDED] = WORD_EXCLUDED, [COVERAGE] = WORD_COVERAGE,
        [GAPS] = WORD_GAPS,
    };
    struct column columns[COLUMNS];

    for (size_t i = 0; i < COLUMNS; i++)
        columns[i] = (struct column){ .title = word_of(language, words[i]),
                                      .right = i != NAME && i != WHO && i != VERDICT,
                                      .hide_empty = i >= SHORTFALL };
    columns[WHO].title = who ? who : "";
    columns[WHO].hide_empty = true;
    return table_create(columns, COLUMNS);
}

static void count_cell(struct table *table, int64_t count)
{
    if (count)
        table_cellf(table, COLOUR_NONE, "%" PRId64, count);
    else
        table_cell(table, COLOUR_NONE, "");
}

static void target_cell(struct table *table, const struct week_fact *fact)
{
    char percent[PERCENT_SIZE];

    if (fact->target_e4 < 0)
        table_cell(table, COLOUR_NONE, "–");
    else
        table_cellf(table, COLOUR_NONE, "%s %s %%",
                    strcmp(fact->direction, "at_most") == 0 ? "≤" : "≥",
                    percent_of_e4(percent, fact->target_e4));
}

static void value_cells(struct table *table, const struct week_fact *fact)
{
    char low[PERCENT_SIZE], high[PERCENT_SIZE];

    percent_of(low, fact->numerator, fact->denominator, strcmp(fact->verdict, "missed") == 0,
               fact->target_e4);
    table_cellf(table, COLOUR_NONE, "%s%s", low, fact->denominator > 0 ? " %" : "");
    table_cellf(table, COLOUR_NONE, "%" PRId64 "/%" PRId64, fact->numerator, fact->denominator);
    if (fact->low_e6 < 0)
        table_cell(table, COLOUR_NONE, "–");
    else
        table_cellf(table, COLOUR_NONE, "%s – %s",
                    percent_of(low, fact->low_e6, 1000000, false, -1),
                    percent_of(high, fact->high_e6, 1000000, false, -1));
}

static void add_fact(struct table *table, const struct week_fact *fact, enum language language)
{
    char percent[PERCENT_SIZE];

    value_cells(table, fact);
    target_cell(table, fact);
    table_cell(table, COLOUR_NONE, word_for(language, fact->verdict));
    count_cell(table, fact->shortfall);
    count_cell(table, fact->pending);
    count_cell(table, fact->excluded);
    if (fact->coverage_e4 < 10000 && fact->coverage_e4 >= 0)
        table_cellf(table, COLOUR_NONE, "%s %%", percent_of_e4(percent, fact->coverage_e4));
    else
        table_cell(table, COLOUR_NONE, "");
    count_cell(table, fact->gaps);
}

/* The line of one KPI in one scope; `who` stands beside its name. */
static void add_line(struct table *table, const struct week_data *data, size_t kpi,
                     const char *who, const struct week_fact *fact, enum language language)
{
    table_row(table);
    table_cell(table, COLOUR_NONE, report_kpi_name(&data->kpis[kpi], language));
    table_cell(table, COLOUR_NONE, who);
    if (fact) {
        add_fact(table, fact, language);
        return;
    }
    table_cell(table, COLOUR_NONE, "–");
    table_cell(table, COLOUR_NONE, "0/0");
    table_cell(table, COLOUR_NONE, "–");
    table_cell(table, COLOUR_NONE, "–");
    table_cell(table, COLOUR_NONE, word_for(language, "no_data"));
}

static void draw(struct table *table, struct text_buffer *to)
{
    table_draw(table, &plain, to);
    table_destroy(table);
}

static void add_head(const struct week_data *data, enum language language, struct text_buffer *to)
{
    char instant[INSTANT_SIZE];

    text_buffer_addf(to, "%s  %s (%s – %s)\n", word_of(language, WORD_TITLE), data->week,
                     data->first_day, data->last_day);
    instant_format(instant, data->as_of, data->offset_s);
    text_buffer_addf(to, "%s %.10s %.8s %s · %s\n", word_of(language, WORD_FIGURES_AS_OF), instant,
                     instant + 11, instant + 23, word_for(language, data->state));
    if (strcmp(data->state, "open") == 0)
        text_buffer_addf(to, "%s\n", word_of(language, WORD_NOT_ENDED));
    if (data->fact_count == 0)
        text_buffer_addf(to, "%s\n", word_of(language, WORD_NOTHING_COUNTED));
}

static void add_company(const struct week_data *data, enum language language,
                        struct text_buffer *to)
{
    struct table *table = create_table(language, NULL);

    for (size_t i = 0; i < data->kpi_count; i++)
        add_line(table, data, i, "", week_fact_of(data, i, "company"), language);
    heading(to, word_of(language, WORD_COMPANY));
    draw(table, to);
}

/* A department's own KPIs, and those of others that counted something of it. */
static void add_department(const struct week_data *data, const char *department,
                           enum language language, struct text_buffer *to)
{
    struct table *table = create_table(language, NULL);
    char *scope = mem_printf("department:%s", department);
    char *title = mem_printf("%s %s", word_of(language, WORD_DEPARTMENT), department);

    for (size_t i = 0; i < data->kpi_count; i++) {
        const struct week_fact *fact = week_fact_of(data, i, scope);

        if (fact || strcmp(data->kpis[i].department, department) == 0)
            add_line(table, data, i, "", fact, language);
    }
    heading(to, title);
    draw(table, to);
    free(title);
    free(scope);
}

static bool is_own_department(const struct week_data *data, const char *department, size_t before)
{
    for (size_t i = 0; i < before; i++)
        if (strcmp(data->kpis[i].department, department) == 0)
            return true;
    return false;
}

/* The departments that KPIs name, in their order; then those that only facts name. */
static void add_departments(const struct week_data *data, enum language language,
                            struct text_buffer *to)
{
    const char *last = "";

    for (size_t i = 0; i < data->kpi_count; i++)
        if (data->kpis[i].department[0]
            && !is_own_department(data, data->kpis[i].department, i))
            add_department(data, data->kpis[i].department, language, to);
    for (size_t i = 0; i < data->fact_count; i++) {
        const struct week_fact *fact = &data->facts[i];

        if (strcmp(fact->scope_kind, "department") != 0 || strcmp(fact->scope_id, last) == 0
            || is_own_department(data, fact->scope_id, data->kpi_count))
            continue;
        last = fact->scope_id;
        add_department(data, last, language, to);
    }
}

/* Departments answer for their KPIs; a KPI without a department is the company's. */
static bool is_owed(const struct week_data *data, const struct week_fact *fact)
{
    bool company = strcmp(fact->scope_kind, "company") == 0
                   && data->kpis[fact->kpi].department[0] == '\0';

    return strcmp(fact->verdict, "missed") == 0 && fact->shortfall > 0
           && (company || strcmp(fact->scope_kind, "department") == 0);
}

/* This week's shortfalls are next week's duty. */
static void add_make_up(const struct week_data *data, enum language language,
                        struct text_buffer *to)
{
    static const struct column columns[] = { { .title = "" }, { .title = "" }, { .title = "" } };
    struct table *table = table_create(columns, LENGTH(columns));
    struct text_buffer lines = { 0 };

    for (size_t i = 0; i < data->fact_count; i++) {
        const struct week_fact *fact = &data->facts[i];
        const struct week_kpi *kpi = &data->kpis[fact->kpi];

        if (!is_owed(data, fact))
            continue;
        table_row(table);
        table_cell(table, COLOUR_NONE, fact->scope_id[0] ? fact->scope_id
                                                         : word_of(language, WORD_COMPANY));
        table_cell(table, COLOUR_NONE, report_kpi_name(kpi, language));
        table_cellf(table, COLOUR_NONE, "%s %" PRId64,
                    word_of(language, kpi->at_most ? WORD_TOO_MANY_BY : WORD_TOO_FEW_BY),
                    fact->shortfall);
    }
    heading(to, word_of(language, WORD_MAKE_UP));
    draw(table, &lines);
    /* Behind the line of titles, which is empty here. */
    text_buffer_adds(to, lines.length > 1 ? lines.bytes + 1 : word_of(language, WORD_NO_MAKE_UP));
    text_buffer_adds(to, lines.length > 1 ? "" : "\n");
    text_buffer_finish(&lines);
}

/* Every fact of one kind of scope; the section is left out if there is none. */
static void add_scopes(const struct week_data *data, const char *kind, enum word title,
                       enum word who, enum language language, struct text_buffer *to)
{
    struct table *table = create_table(language, word_of(language, who));

    for (size_t kpi = 0; kpi < data->kpi_count; kpi++)
        for (size_t i = 0; i < data->fact_count; i++)
            if (data->facts[i].kpi == kpi && strcmp(data->facts[i].scope_kind, kind) == 0)
                add_line(table, data, kpi, data->facts[i].scope_id, &data->facts[i], language);
    if (table_length(table) == 0) {
        table_destroy(table);
        return;
    }
    heading(to, word_of(language, title));
    draw(table, to);
}

void report_as_text(const struct week_data *data, const struct report_options *options,
                    struct text_buffer *to)
{
    enum language language = options->language;

    add_head(data, language, to);
    add_company(data, language, to);
    add_departments(data, language, to);
    add_make_up(data, language, to);
    add_scopes(data, "site", WORD_BY_SITE, WORD_SITE, language, to);
    add_scopes(data, "staff", WORD_BY_STAFF, WORD_STAFF, language, to);
}
