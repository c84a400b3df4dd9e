/* One fact of the daemon as kpictl shows it. */
#include "figure.h"

#include <stdio.h>
#include <string.h>

#include "answer.h"
#include "base/mem.h"

/* Cuts what does not fit: the daemon's limits are narrower than these arrays. */
static void copy(char *to, size_t size, const char *from)
{
    snprintf(to, size, "%s", from);
}

void figure_read(struct figure *ret, yajl_val fact)
{
    struct figure figure = {
        .at_most = strcmp(answer_text(fact, "direction"), "at_most") == 0,
        .numerator = answer_integer(fact, "numerator"),
        .denominator = answer_integer(fact, "denominator"),
        .excluded = answer_integer(fact, "excluded"),
        .pending = answer_integer(fact, "pending"),
        .shortfall = answer_integer(fact, "shortfall"),
        .gaps = answer_integer(fact, "gaps"),
        .revision = answer_integer(fact, "revision"),
        .target_e4 = answer_parts(fact, "target", 10000, -1),
        .coverage_e4 = answer_parts(fact, "coverage", 10000, 10000),
    };

    copy(figure.kpi, sizeof figure.kpi, answer_text(fact, "kpi"));
    copy(figure.period, sizeof figure.period, answer_text(fact, "period"));
    copy(figure.scope, sizeof figure.scope, answer_text(fact, "scope"));
    copy(figure.verdict, sizeof figure.verdict, answer_text(fact, "verdict"));
    copy(figure.state, sizeof figure.state, answer_text(fact, "state"));
    copy(figure.as_of, sizeof figure.as_of, answer_text(fact, "as_of"));
    *ret = figure;
}

static bool is_missed(const struct figure *figure)
{
    return strcmp(figure->verdict, "missed") == 0;
}

char *figure_rate(char to[CELL_SIZE], const struct figure *figure)
{
    char percent[PERCENT_SIZE];

    percent_of(percent, figure->numerator, figure->denominator, is_missed(figure),
               figure->target_e4);
    snprintf(to, CELL_SIZE, "%s%s", percent, figure->denominator > 0 ? " %" : "");
    return to;
}

char *figure_counts(char to[CELL_SIZE], const struct figure *figure)
{
    snprintf(to, CELL_SIZE, "%lld/%lld", (long long)figure->numerator,
             (long long)figure->denominator);
    return to;
}

char *figure_target(char to[CELL_SIZE], const struct figure *figure)
{
    char percent[PERCENT_SIZE];

    if (figure->target_e4 < 0)
        snprintf(to, CELL_SIZE, "–");
    else
        snprintf(to, CELL_SIZE, "%s %s %%", figure->at_most ? "≤" : "≥",
                 percent_of_e4(percent, figure->target_e4));
    return to;
}

static const struct {
    const char *verdict, *words;
    enum colour colour;
} verdicts[] = {
    { "met", "met", COLOUR_GOOD },
    { "missed", "missed", COLOUR_BAD },
    { "too_few", "too few", COLOUR_WARNING },
    { "no_data", "no data", COLOUR_DIM },
    { "no_target", "no target", COLOUR_DIM },
};

const char *figure_verdict(const struct figure *figure)
{
    for (size_t i = 0; i < LENGTH(verdicts); i++)
        if (strcmp(figure->verdict, verdicts[i].verdict) == 0)
            return verdicts[i].words;
    return figure->verdict;
}

enum colour figure_colour(const struct figure *figure)
{
    for (size_t i = 0; i < LENGTH(verdicts); i++)
        if (strcmp(figure->verdict, verdicts[i].verdict) == 0)
            return verdicts[i].colour;
    return COLOUR_NONE;
}

char *instant_for_people(char to[CELL_SIZE], const char *instant)
{
    if (strlen(instant) >= 19 && (instant[10] == 'T' || instant[10] == 't'))
        snprintf(to, CELL_SIZE, "%.10s %.8s", instant, instant + 11);
    else
        snprintf(to, CELL_SIZE, "%s", instant);
    return to;
}
