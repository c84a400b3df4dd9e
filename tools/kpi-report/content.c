/* What the report says: the company, then each department with its KPIs, what has to be made up,
 * what the meeting has beside (content_meeting.c), and the figures by site and by staff. Every
 * configured KPI has its line for the company and for its own department, whether anything was
 * counted or not: a missing line reads as a good one. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/instant.h"
#include "base/mem.h"
#include "report.h"
#include "tools/kpictl/percent.h"

const char *report_kpi_name(const struct week_kpi *kpi, enum language language)
{
    return language == LANGUAGE_ZH ? kpi->name_zh : kpi->name_en;
}

enum { NAME, WHO, RATE, COUNTS, BOUNDS, TARGET, VERDICT, SHORTFALL, MAKE_UP, STREAK, PENALTY,
       EXPLAINED, PENDING, EXCLUDED, COVERAGE, GAPS, COLUMNS };

/* Begins a table of facts; `who` is the title of the column that tells scopes apart, or "". */
static void begin_table(struct document *to, enum language language, const char *who)
{
    static const enum word words[COLUMNS] = {
        [NAME] = WORD_KPI, [RATE] = WORD_RATE, [COUNTS] = WORD_COUNTS, [BOUNDS] = WORD_BOUNDS,
        [TARGET] = WORD_TARGET, [VERDICT] = WORD_VERDICT, [SHORTFALL] = WORD_SHORTFALL,
        [MAKE_UP] = WORD_FROM_LAST_WEEK, [STREAK] = WORD_STREAK, [PENALTY] = WORD_PENALTY,
        [EXPLAINED] = WORD_EXPLANATION, [PENDING] = WORD_PENDING, [EXCLUDED] = WORD_EXCLUDED,
        [COVERAGE] = WORD_COVERAGE, [GAPS] = WORD_GAPS,
    };
    struct document_column columns[COLUMNS];

    for (size_t i = 0; i < COLUMNS; i++)
        columns[i] = (struct document_column){
            .title = i == WHO ? who : word_of(language, words[i]),
            .right = i != NAME && i != WHO && i != VERDICT && i != PENALTY && i != EXPLAINED,
            .hide_empty = i == WHO || i >= SHORTFALL,
        };
    document_table(to, columns, COLUMNS);
}

static enum tone tone_of(const char *verdict)
{
    static const struct {
        const char *verdict;
        enum tone tone;
    } table[] = { { "met", TONE_GOOD }, { "missed", TONE_BAD }, { "too_few", TONE_WARNING } };

    for (size_t i = 0; i < LENGTH(table); i++)
        if (strcmp(verdict, table[i].verdict) == 0)
            return table[i].tone;
    return TONE_NONE;
}

static void value_cells(struct document *to, const struct week_fact *fact)
{
    char low[PERCENT_SIZE], high[PERCENT_SIZE];

    percent_of(low, fact->numerator, fact->denominator, strcmp(fact->verdict, "missed") == 0,
               fact->target_e4);
    document_cell(to, TONE_NONE, "%s%s", low, fact->denominator > 0 ? " %" : "");
    document_cell(to, TONE_NONE, "%" PRId64 "/%" PRId64, fact->numerator, fact->denominator);
    if (fact->low_e6 < 0)
        document_cell(to, TONE_NONE, "–");
    else
        document_cell(to, TONE_NONE, "%s – %s",
                      percent_of(low, fact->low_e6, 1000000, false, -1),
                      percent_of(high, fact->high_e6, 1000000, false, -1));
    if (fact->target_e4 < 0)
        document_cell(to, TONE_NONE, "–");
    else
        document_cell(to, TONE_NONE, "%s %s %%",
                      strcmp(fact->direction, "at_most") == 0 ? "≤" : "≥",
                      percent_of_e4(low, fact->target_e4));
}

/* What a week adds to a figure; empty cells for a scope that the meeting has no line for. */
static void meeting_cells(struct document *to, const struct meeting_fact *m, enum language language)
{
    static const char *const explanations[] = {
        [EXPLANATION_NONE] = "", [EXPLANATION_DUE] = "due", [EXPLANATION_GIVEN] = "given",
    };

    document_count(to, TONE_WARNING, m ? m->make_up : 0);
    document_count(to, TONE_WARNING, m ? m->streak : 0);
    document_cell(to, TONE_BAD, "%s",
                  m && m->penalty_due ? word_of(language, WORD_PENALTY_DUE) : "");
    document_cell(to, m && m->explanation == EXPLANATION_DUE ? TONE_BAD : TONE_NONE, "%s",
                  word_for(language, explanations[m ? m->explanation : EXPLANATION_NONE]));
}

static void add_line(struct document *to, const char *name, const char *who,
                     const struct week_fact *fact, const struct meeting_fact *m,
                     enum language language)
{
    char percent[PERCENT_SIZE];

    document_row(to);
    document_cell(to, TONE_NONE, "%s", name);
    document_cell(to, TONE_NONE, "%s", who);
    value_cells(to, fact);
    document_cell(to, tone_of(fact->verdict), "%s", word_for(language, fact->verdict));
    document_count(to, TONE_BAD, fact->shortfall);
    meeting_cells(to, m, language);
    document_count(to, TONE_NONE, fact->pending);
    document_count(to, TONE_NONE, fact->excluded);
    if (fact->coverage_e4 < 10000 && fact->coverage_e4 >= 0)
        document_cell(to, TONE_WARNING, "%s %%", percent_of_e4(percent, fact->coverage_e4));
    else
        document_cell(to, TONE_NONE, "%s", "");
    document_count(to, TONE_NONE, fact->gaps);
}

static struct week_fact fact_of_meeting(const struct meeting_fact *m)
{
    struct week_fact fact = { .numerator = m->fact.counts.numerator,
                              .denominator = m->fact.counts.denominator,
                              .excluded = m->fact.counts.excluded,
                              .pending = m->fact.counts.pending,
                              .shortfall = m->fact.shortfall,
                              .rate_e6 = m->fact.rate_e6,
                              .low_e6 = m->fact.low_e6,
                              .high_e6 = m->fact.high_e6,
                              .target_e4 = m->fact.target_e4,
                              .coverage_e4 = m->coverage.share_e4,
                              .gaps = m->coverage.gaps };

    text_set(fact.verdict, sizeof fact.verdict, verdict_name(m->fact.verdict));
    text_set(fact.direction, sizeof fact.direction, direction_name(m->name.direction));
    return fact;
}

static void add_head(const struct week_data *data, enum language language, struct document *to)
{
    char instant[INSTANT_SIZE];
    char *title = mem_printf("%s  %s (%s – %s)", word_of(language, WORD_TITLE), data->week,
                             data->first_day, data->last_day);

    document_title(to, title);
    free(title);
    instant_format(instant, data->as_of, data->offset_s);
    document_line(to, TONE_NONE, "%s %.10s %.8s %s · %s", word_of(language, WORD_FIGURES_AS_OF),
                  instant, instant + 11, instant + 23, word_for(language, data->state));
    if (strcmp(data->state, "open") == 0)
        document_line(to, TONE_WARNING, "%s", word_of(language, WORD_NOT_ENDED));
    if (data->fact_count == 0)
        document_line(to, TONE_WARNING, "%s", word_of(language, WORD_NOTHING_COUNTED));
    if (data->meeting.fact_count > 0 && data->meeting.facts[0].restatement_pending)
        document_line(to, TONE_WARNING, "%s", word_of(language, WORD_RESTATEMENT_PENDING));
}

static const char *name_of(const struct meeting_name *name, enum language language)
{
    return language == LANGUAGE_ZH ? name->zh : name->en;
}

/* The lines of one scope; they stand together. Returns where the next begins. */
static size_t add_scope(const struct week_data *data, size_t from, enum language language,
                        struct document *to)
{
    const struct meeting *m = &data->meeting;
    const char *scope = m->facts[from].scope, *department = m->facts[from].department;
    char *title = department[0] ? mem_printf("%s %s", word_of(language, WORD_DEPARTMENT), department)
                                : mem_strdup(word_of(language, WORD_COMPANY));
    size_t i = from;

    document_heading(to, title);
    free(title);
    begin_table(to, language, "");
    for (; i < m->fact_count && strcmp(m->facts[i].scope, scope) == 0; i++) {
        struct week_fact fact = fact_of_meeting(&m->facts[i]);

        add_line(to, name_of(&m->facts[i].name, language), "", &fact, &m->facts[i], language);
    }
    document_end_table(to);
    return i;
}

/* The company and the departments; what other scopes a post has, is in its own section. */
static void add_figures(const struct week_data *data, enum language language, struct document *to)
{
    const struct meeting *m = &data->meeting;

    for (size_t i = 0; i < m->fact_count;)
        if (m->facts[i].department[0] || strcmp(m->facts[i].scope, "company") == 0)
            i = add_scope(data, i, language, to);
        else
            i++;
}

static bool has_department(const struct week_data *data, const char *kpi)
{
    for (size_t i = 0; i < data->kpi_count; i++)
        if (strcmp(data->kpis[i].id, kpi) == 0)
            return data->kpis[i].department[0] != '\0';
    return false;
}

/* Departments answer for their KPIs; a KPI without a department is the company's. */
static bool is_owed(const struct week_data *data, const struct meeting_fact *fact)
{
    bool company = strcmp(fact->scope, "company") == 0 && !has_department(data, fact->name.kpi);

    return fact->fact.verdict == VERDICT_MISSED && fact->fact.shortfall > 0 &&
           (company || fact->department[0]);
}

/* This week's shortfalls are next week's duty. */
static void add_make_up(const struct week_data *data, enum language language, struct document *to)
{
    static const struct document_column columns[] = { { .title = "" }, { .title = "" },
                                                      { .title = "" } };
    size_t before;

    document_heading(to, word_of(language, WORD_MAKE_UP));
    before = to->count;
    document_table(to, columns, LENGTH(columns));
    for (size_t i = 0; i < data->meeting.fact_count; i++) {
        const struct meeting_fact *fact = &data->meeting.facts[i];

        if (!is_owed(data, fact))
            continue;
        document_row(to);
        document_cell(to, TONE_NONE, "%s", fact->department[0] ? fact->department
                                                              : word_of(language, WORD_COMPANY));
        document_cell(to, TONE_NONE, "%s", name_of(&fact->name, language));
        document_cell(to, TONE_BAD, "%s %" PRId64,
                      word_of(language, fact->name.direction == DIRECTION_AT_MOST
                                            ? WORD_TOO_MANY_BY
                                            : WORD_TOO_FEW_BY),
                      fact->fact.shortfall);
    }
    document_end_table(to);
    if (to->count > before)
        return;
    document_heading(to, word_of(language, WORD_MAKE_UP));
    document_line(to, TONE_NONE, "%s", word_of(language, WORD_NO_MAKE_UP));
}

/* Every fact of one kind of scope; the section is left out if there is none. */
static void add_scopes(const struct week_data *data, const char *kind, enum word title,
                       enum word who, enum language language, struct document *to)
{
    document_heading(to, word_of(language, title));
    begin_table(to, language, word_of(language, who));
    for (size_t kpi = 0; kpi < data->kpi_count; kpi++)
        for (size_t i = 0; i < data->fact_count; i++)
            if (data->facts[i].kpi == kpi && strcmp(data->facts[i].scope_kind, kind) == 0)
                add_line(to, report_kpi_name(&data->kpis[kpi], language), data->facts[i].scope_id,
                         &data->facts[i], NULL, language);
    document_end_table(to);
}

void report_content(const struct week_data *data, const struct report_options *options,
                    struct document *to)
{
    enum language language = options->language;

    to->language = language == LANGUAGE_ZH ? "zh-CN" : "en";
    add_head(data, language, to);
    add_figures(data, language, to);
    if (data->meeting.fact_count > 0)
        add_make_up(data, language, to);
    content_explanations(data, language, to);
    content_plans(data, language, to);
    content_posts(data, language, to);
    content_signs(data, language, to);
    content_history(data, language, to);
    add_scopes(data, "site", WORD_BY_SITE, WORD_SITE, language, to);
    add_scopes(data, "staff", WORD_BY_STAFF, WORD_STAFF, language, to);
}
