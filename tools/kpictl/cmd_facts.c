/* kpictl facts: the figures, one line each, as many pages as the daemon has. They stand in the
 * order of the configuration, which is that of the scheme. On a terminal a period and a scope that
 * all lines share stand above the table, once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "base/mem.h"
#include "figure.h"
#include "kpictl.h"
#include "names.h"

const struct flag facts_flags[] = {
    { "all", NULL, "every scope: sites, departments, staff, models", NULL },
    { "cursor", "CURSOR", "with --json: the page that an earlier answer's cursor names", NULL },
    { "kind", "KIND", "the present day, week, month or year", "day week month year" },
    { "kpi", "KPI", "one KPI alone", "@kpis" },
    { "limit", "N", "so many at most", NULL },
    { "scope", "SCOPE", "company, or site:east, staff:*, ... (company if not given)",
      "company site: department: staff: model:" },
    { 0 },
};

/* What was read, before it is put in order. */
struct figures {
    struct kpi_names names;
    struct line {
        size_t period;      /* 0: the first period that came, ... */
        size_t place;       /* of its KPI */
        size_t came;
        struct figure figure;
    } *lines;
    size_t count;
};

static char *facts_path(const struct arguments *arguments, const char *cursor)
{
    struct text_buffer path = { 0 };
    const char *scope = arguments_value(arguments, "scope");

    if (!scope && !arguments_has(arguments, "all"))
        scope = "company";
    text_buffer_adds(&path, "/v1/facts");
    query_add(&path, "period", arguments_operand(arguments, 0));
    query_add(&path, "kpi", arguments_value(arguments, "kpi"));
    query_add(&path, "scope", scope);
    query_add(&path, "kind", arguments_value(arguments, "kind"));
    query_add(&path, "limit", arguments_value(arguments, "limit"));
    query_add(&path, "cursor", cursor);
    return text_buffer_take(&path);
}

static void add_figure(struct figures *figures, yajl_val fact)
{
    const struct line *last;
    struct line *line;

    figures->lines = mem_realloc_array(figures->lines, figures->count + 1, sizeof *figures->lines);
    last = figures->count ? &figures->lines[figures->count - 1] : NULL;
    line = &figures->lines[figures->count];
    *line = (struct line){ .came = figures->count };
    figure_read(&line->figure, fact);
    line->place = kpi_names_place(&figures->names, line->figure.kpi);
    if (last)
        line->period = last->period + (strcmp(last->figure.period, line->figure.period) != 0);
    figures->count++;
}

/* Reads page after page, up to --limit. */
static int collect(struct kpictl *kpictl, struct figures *figures)
{
    const char *limit = arguments_value(kpictl->arguments, "limit");
    size_t most = limit ? strtoull(limit, NULL, 10) : (size_t)-1;
    char *cursor = NULL;
    int status;

    do {
        char *path = facts_path(kpictl->arguments, cursor);
        struct reply reply;

        status = client_get(kpictl->client, path, &reply);
        free(path);
        free(cursor);
        cursor = NULL;
        if (status != EXIT_WELL)
            break;
        for (size_t i = 0; i < answer_length(reply.json, "facts") && figures->count < most; i++)
            add_figure(figures, answer_item(reply.json, "facts", i));
        if (answer_text(reply.json, "cursor")[0] && figures->count < most)
            cursor = mem_strdup(answer_text(reply.json, "cursor"));
        reply_finish(&reply);
    } while (cursor);
    free(cursor);
    return status;
}

static int compare_lines(const void *a, const void *b)
{
    const struct line *one = a, *other = b;

    if (one->period != other->period)
        return one->period < other->period ? -1 : 1;
    if (one->place != other->place)
        return one->place < other->place ? -1 : 1;
    return one->came < other->came ? -1 : one->came > other->came;
}

/* What all lines have in common, and the table need not repeat. */
struct common {
    bool period, scope;
};

static struct common find_common(const struct figures *figures)
{
    const struct figure *first = &figures->lines[0].figure;
    struct common common = { .period = true, .scope = true };

    for (size_t i = 1; i < figures->count; i++) {
        const struct figure *figure = &figures->lines[i].figure;

        common.period = common.period && strcmp(figure->period, first->period) == 0;
        common.scope = common.scope && strcmp(figure->scope, first->scope) == 0;
    }
    return common;
}

static void count_cell(struct table *table, enum colour colour, int64_t count)
{
    if (count == 0)
        table_cell(table, COLOUR_NONE, "");
    else
        table_cellf(table, colour, "%lld", (long long)count);
}

static void add_row(struct table *table, const char *name, const struct figure *figure,
                    struct common common)
{
    char cell[CELL_SIZE];
    char percent[PERCENT_SIZE];

    table_row(table);
    table_cell(table, COLOUR_NONE, name);
    table_cell(table, COLOUR_NONE, common.period ? "" : figure->period);
    table_cell(table, COLOUR_NONE, common.scope ? "" : figure->scope);
    table_cell(table, COLOUR_NONE, figure_rate(cell, figure));
    table_cell(table, COLOUR_NONE, figure_counts(cell, figure));
    table_cell(table, COLOUR_NONE, figure_target(cell, figure));
    table_cell(table, figure_colour(figure), figure_verdict(figure));
    count_cell(table, COLOUR_BAD, figure->shortfall);
    count_cell(table, COLOUR_NONE, figure->pending);
    count_cell(table, COLOUR_DIM, figure->excluded);
    if (figure->coverage_e4 < 10000)
        table_cellf(table, COLOUR_WARNING, "%s %%", percent_of_e4(percent, figure->coverage_e4));
}

static void print_figures(const struct kpictl *kpictl, struct figures *figures)
{
    static const struct column columns[] = {
        { .title = "KPI", .flexible = true },
        { .title = "period", .hide_empty = true },
        { .title = "scope", .flexible = true, .hide_empty = true },
        { .title = "rate", .right = true },
        { .title = "n/d", .right = true },
        { .title = "target", .right = true },
        { .title = "verdict" },
        { .title = "short", .right = true, .hide_empty = true },
        { .title = "pending", .right = true, .hide_empty = true },
        { .title = "excl", .right = true, .hide_empty = true },
        { .title = "watched", .right = true, .hide_empty = true },
    };
    const struct figure *first = &figures->lines[0].figure;
    struct common common = { 0 };
    struct table *table = table_create(columns, LENGTH(columns));
    char instant[CELL_SIZE];

    if (kpictl->look.width > 0) {
        common = find_common(figures);
        if (common.period)
            printf("%s, ", first->period);
        if (common.scope)
            printf("%s, ", first->scope);
        printf("as of %s\n\n", instant_for_people(instant, first->as_of));
    }
    qsort(figures->lines, figures->count, sizeof *figures->lines, compare_lines);
    for (size_t i = 0; i < figures->count; i++)
        add_row(table, kpi_names_find(&figures->names, figures->lines[i].figure.kpi),
                &figures->lines[i].figure, common);
    table_print(table, &kpictl->look, stdout);
    table_destroy(table);
}

static int print_table(struct kpictl *kpictl)
{
    const char *period = arguments_operand(kpictl->arguments, 0);
    struct figures figures = { 0 };
    struct reply reply;
    int status;

    status = client_get(kpictl->client, "/v1/status", &reply);
    if (status != EXIT_WELL)
        return status;
    kpi_names_read(&figures.names, reply.json, kpictl->chinese);
    reply_finish(&reply);

    status = collect(kpictl, &figures);
    if (status == EXIT_WELL && figures.count == 0)
        printf("no figures for %s: nothing has been counted there\n",
               period ? period : "the present period");
    else if (status == EXIT_WELL)
        print_figures(kpictl, &figures);
    kpi_names_finish(&figures.names);
    free(figures.lines);
    return status;
}

int run_facts(struct kpictl *kpictl)
{
    char *path;
    int status;

    if (!kpictl->json)
        return print_table(kpictl);
    path = facts_path(kpictl->arguments, arguments_value(kpictl->arguments, "cursor"));
    status = print_answer(kpictl, path);
    free(path);
    return status;
}
