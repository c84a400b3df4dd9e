/* The report as CSV (RFC 4180: commas, CR LF, quotes doubled), one line for each fact of the week
 * in every scope. Figures are written as programs read them, never rounded for the eye.
 *
 * With a byte order mark the file is meant for a spreadsheet, and names that a spreadsheet would
 * take for a formula are made text with an apostrophe: they come from outside. */
#include <inttypes.h>
#include <string.h>

#include "base/instant.h"
#include "base/mem.h"
#include "report.h"

static void add_text(struct text_buffer *to, const struct report_options *options,
                     const char *text)
{
    const char *guard = options->bom && text[0] && strchr("=+-@", text[0]) ? "'" : "";

    if (text[strcspn(text, ",\"\r\n")] == '\0') {
        text_buffer_addf(to, "%s%s", guard, text);
        return;
    }
    text_buffer_addf(to, "\"%s", guard);
    for (; *text; text++)
        text_buffer_addf(to, "%s%c", *text == '"' ? "\"" : "", *text);
    text_buffer_adds(to, "\"");
}

static void add_titles(struct text_buffer *to, const struct report_options *options)
{
    static const enum word titles[] = {
        WORD_CSV_WEEK, WORD_CSV_SCOPE_KIND, WORD_CSV_SCOPE, WORD_CSV_KPI, WORD_CSV_NAME,
        WORD_CSV_NUMERATOR, WORD_CSV_DENOMINATOR, WORD_EXCLUDED, WORD_PENDING, WORD_RATE,
        WORD_CSV_LOW, WORD_CSV_HIGH, WORD_CSV_DIRECTION, WORD_TARGET, WORD_VERDICT,
        WORD_SHORTFALL, WORD_CSV_COVERAGE, WORD_GAPS, WORD_CSV_STATE, WORD_CSV_REVISION,
        WORD_CSV_AS_OF, WORD_CSV_MAKE_UP, WORD_CSV_STREAK, WORD_CSV_PENALTY_DUE,
        WORD_CSV_EXPLANATION, WORD_CSV_EXPLANATION_TEXT,
    };

    for (size_t i = 0; i < LENGTH(titles); i++) {
        text_buffer_adds(to, i ? "," : "");
        add_text(to, options, word_of(options->language, titles[i]));
    }
    text_buffer_adds(to, "\r\n");
}

/* ",0.980000"; an empty field for none. */
static void add_fraction(struct text_buffer *to, int64_t value, int64_t parts, int decimals)
{
    text_buffer_adds(to, ",");
    if (value >= 0)
        text_buffer_addf(to, "%" PRId64 ".%0*" PRId64, value / parts, decimals, value % parts);
}

static void add_key(struct text_buffer *to, const struct report_options *options,
                    const struct week_data *data, const struct week_fact *fact)
{
    const struct week_kpi *kpi = &data->kpis[fact->kpi];
    const char *fields[] = { data->week, word_for(options->language, fact->scope_kind),
                             fact->scope_id, kpi->id,
                             report_kpi_name(kpi, options->language) };

    for (size_t i = 0; i < LENGTH(fields); i++) {
        text_buffer_adds(to, i ? "," : "");
        add_text(to, options, fields[i]);
    }
}

static void add_word(struct text_buffer *to, const struct report_options *options,
                     const char *token)
{
    text_buffer_adds(to, ",");
    /* In English as the ledger writes it, so that a program can rely on it. */
    add_text(to, options,
             options->language == LANGUAGE_EN ? token : word_for(options->language, token));
}

/* What a week adds to a figure; empty fields for a scope of which the meeting has no line. */
static void add_meeting(struct text_buffer *to, const struct report_options *options,
                        const struct meeting_fact *m)
{
    static const char *const explanations[] = {
        [EXPLANATION_NONE] = "", [EXPLANATION_DUE] = "due", [EXPLANATION_GIVEN] = "given",
    };

    if (!m) {
        text_buffer_adds(to, ",,,,,");
        return;
    }
    text_buffer_addf(to, ",%" PRId64 ",%" PRId64, m->make_up, m->streak);
    add_word(to, options, m->penalty_due ? "true" : "false");
    add_word(to, options, explanations[m->explanation]);
    text_buffer_adds(to, ",");
    add_text(to, options, m->text);
}

static void add_fact(struct text_buffer *to, const struct report_options *options,
                     const struct week_data *data, const struct week_fact *fact)
{
    char instant[INSTANT_SIZE];

    add_key(to, options, data, fact);
    text_buffer_addf(to, ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64, fact->numerator,
                     fact->denominator, fact->excluded, fact->pending);
    add_fraction(to, fact->rate_e6, 1000000, 6);
    add_fraction(to, fact->low_e6, 1000000, 6);
    add_fraction(to, fact->high_e6, 1000000, 6);
    add_word(to, options, fact->direction);
    add_fraction(to, fact->target_e4, 10000, 4);
    add_word(to, options, fact->verdict);
    text_buffer_addf(to, ",%" PRId64, fact->shortfall);
    add_fraction(to, fact->coverage_e4, 10000, 4);
    text_buffer_addf(to, ",%" PRId64, fact->gaps);
    add_word(to, options, fact->state);
    text_buffer_addf(to, ",%" PRId64 ",%s", fact->revision,
                     instant_format(instant, data->as_of, data->offset_s));
    add_meeting(to, options, week_meeting_fact(data, data->kpis[fact->kpi].id, fact->scope));
    text_buffer_adds(to, "\r\n");
}

void report_as_csv(const struct week_data *data, const struct report_options *options,
                   struct text_buffer *to)
{
    if (options->bom)
        text_buffer_adds(to, "\xef\xbb\xbf");
    add_titles(to, options);
    for (size_t i = 0; i < data->fact_count; i++)
        add_fact(to, options, data, &data->facts[i]);
}
