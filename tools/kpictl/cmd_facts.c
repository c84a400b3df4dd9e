/* kpictl facts: the figures, one line each, as many pages as the daemon has. */
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

enum { KPI, PERIOD, SCOPE, RATE, COUNTS, TARGET, VERDICT, SHORT, PENDING, EXCLUDED, COVERAGE };

static const struct column columns[] = {
    [KPI] = { .title = "KPI", .flexible = true },
    [PERIOD] = { .title = "period" },
    [SCOPE] = { .title = "scope", .flexible = true },
    [RATE] = { .title = "rate", .right = true },
    [COUNTS] = { .title = "n/d", .right = true },
    [TARGET] = { .title = "target", .right = true },
    [VERDICT] = { .title = "verdict" },
    [SHORT] = { .title = "short", .right = true, .hide_empty = true },
    [PENDING] = { .title = "pending", .right = true, .hide_empty = true },
    [EXCLUDED] = { .title = "excl", .right = true, .hide_empty = true },
    [COVERAGE] = { .title = "watched", .right = true, .hide_empty = true },
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

static void count_cell(struct table *table, enum colour colour, int64_t count)
{
    if (count == 0)
        table_cell(table, COLOUR_NONE, "");
    else
        table_cellf(table, colour, "%lld", (long long)count);
}

static void add_fact(struct table *table, const struct kpi_names *names,
                     const struct figure *figure)
{
    char cell[CELL_SIZE];
    char percent[PERCENT_SIZE];

    table_row(table);
    table_cell(table, COLOUR_NONE, kpi_names_find(names, figure->kpi));
    table_cell(table, COLOUR_NONE, figure->period);
    table_cell(table, COLOUR_NONE, figure->scope);
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

/* Reads page after page into the table, up to --limit. */
static int collect(struct kpictl *kpictl, const struct kpi_names *names, struct table *table,
                   struct figure *ret_last)
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
        for (size_t i = 0; i < answer_length(reply.json, "facts") && table_length(table) < most;
             i++) {
            figure_read(ret_last, answer_item(reply.json, "facts", i));
            add_fact(table, names, ret_last);
        }
        if (answer_text(reply.json, "cursor")[0])
            cursor = mem_strdup(answer_text(reply.json, "cursor"));
        reply_finish(&reply);
    } while (cursor && table_length(table) < most);
    free(cursor);
    return status;
}

static int print_table(struct kpictl *kpictl)
{
    struct table *table = table_create(columns, LENGTH(columns));
    struct kpi_names names = { 0 };
    struct figure last = { 0 };
    struct reply reply;
    char instant[CELL_SIZE];
    int status;

    status = client_get(kpictl->client, "/v1/status", &reply);
    if (status == EXIT_WELL) {
        kpi_names_read(&names, reply.json, kpictl->chinese);
        reply_finish(&reply);
        status = collect(kpictl, &names, table, &last);
    }
    if (status == EXIT_WELL && table_length(table) == 0)
        printf("no figures for %s: nothing has been counted there\n",
               arguments_operand(kpictl->arguments, 0) ? arguments_operand(kpictl->arguments, 0)
                                                       : "this week");
    else if (status == EXIT_WELL) {
        table_print(table, &kpictl->look, stdout);
        if (kpictl->look.width)
            printf("as of %s\n", instant_for_people(instant, last.as_of));
    }
    kpi_names_finish(&names);
    table_destroy(table);
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
