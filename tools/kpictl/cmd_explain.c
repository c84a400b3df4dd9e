/* kpictl explain: the tickets or devices behind one figure, each with what it counts and why, and
 * their sum, which is the figure: if it is not, something was counted while we read, and we say
 * so. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "base/mem.h"
#include "figure.h"
#include "kpictl.h"
#include "tickets.h"

const struct flag explain_flags[] = {
    { "cursor", "CURSOR", "with --json: the page that an earlier answer's cursor names", NULL },
    { "failures", NULL, "only what was not counted as a success", NULL },
    { "limit", "N", "with --json: so many at most", NULL },
    { "revision", "N", "a sealed revision, or open: as the log has it now", NULL },
    { 0 },
};

static const struct column columns[] = {
    { .title = "what", .flexible = true },
    { .title = "counts as" },
    { .title = "opened", .hide_empty = true },
    { .title = "settled", .hide_empty = true },
    { .title = "outcome", .hide_empty = true },
    { .title = "reason", .flexible = true, .hide_empty = true },
    { .title = "evidence", .hide_empty = true },
};

enum { PAGE = 1000 };   /* what is asked for at once, where a person sees no pages */

/* What was added up so far. */
struct sum {
    int64_t numerator, denominator, excluded, pending;
    struct figure figure;       /* as the daemon has it */
    bool has_evidence;          /* some of it */
};

/* PERIOD and SCOPE may stand in either order: a scope has a colon or is "company". */
static char *explain_path(const struct arguments *arguments, const char *cursor)
{
    const char *period = NULL, *scope = NULL;
    struct text_buffer path = { 0 };

    for (size_t i = 1; i < 3; i++) {
        const char *operand = arguments_operand(arguments, i);

        if (operand && (strchr(operand, ':') || strcmp(operand, "company") == 0))
            scope = operand;
        else if (operand)
            period = operand;
    }
    text_buffer_adds(&path, "/v1/explain");
    query_add(&path, "kpi", arguments_operand(arguments, 0));
    query_add(&path, "period", period);
    query_add(&path, "scope", scope);
    query_add(&path, "revision", arguments_value(arguments, "revision"));
    if (arguments_has(arguments, "json"))
        query_add(&path, "limit", arguments_value(arguments, "limit"));
    else
        text_buffer_addf(&path, "&limit=%d", PAGE);
    query_add(&path, "cursor", cursor);
    return text_buffer_take(&path);
}

static const char *subject(yajl_val item)
{
    const char *ticket = answer_text(item, "ticket");

    return ticket[0] ? ticket : answer_text(item, "device");
}

/* A device's confirmed faults, each with its first instant. */
static void fault_cell(struct table *table, yajl_val device)
{
    struct text_buffer faults = { 0 };
    char instant[CELL_SIZE];

    text_buffer_adds(&faults, "");
    for (size_t i = 0; i < answer_length(device, "faults"); i++) {
        yajl_val fault = answer_item(device, "faults", i);

        text_buffer_addf(&faults, "%s%s since %s", i ? ", " : "", answer_text(fault, "code"),
                         instant_for_people(instant, answer_text(fault, "from")));
    }
    table_cell(table, COLOUR_NONE, faults.bytes);
    text_buffer_finish(&faults);
}

static void add_item(struct table *table, struct sum *sum, yajl_val item, bool failures)
{
    char instant[CELL_SIZE];
    enum colour colour;
    const char *counted = ticket_counted(item, &colour);

    sum->numerator += answer_integer(item, "numerator");
    sum->denominator += answer_integer(item, "denominator");
    sum->excluded += answer_integer(item, "excluded");
    sum->pending += answer_integer(item, "pending");
    if (failures && colour == COLOUR_GOOD)
        return;

    table_row(table);
    table_cell(table, COLOUR_NONE, subject(item));
    table_cell(table, colour, counted);
    table_cell(table, COLOUR_NONE, instant_for_people(instant, answer_text(item, "opened_at")));
    table_cell(table, COLOUR_NONE, instant_for_people(instant, answer_text(item, "settled_at")));
    table_cell(table, COLOUR_NONE, answer_text(item, "outcome"));
    if (answer_get(item, "faults"))
        fault_cell(table, item);
    else
        table_cell(table, COLOUR_NONE, answer_text(item, "reason"));
    table_cell(table, COLOUR_NONE, answer_text(item, "evidence")[0] ? "yes" : "");
    sum->has_evidence = sum->has_evidence || answer_text(item, "evidence")[0];
}

static int collect(struct kpictl *kpictl, struct table *table, struct sum *sum)
{
    bool failures = arguments_has(kpictl->arguments, "failures");
    char *cursor = NULL;
    int status;

    do {
        char *path = explain_path(kpictl->arguments, cursor);
        struct reply reply;

        status = client_get(kpictl->client, path, &reply);
        free(path);
        free(cursor);
        cursor = NULL;
        if (status != EXIT_WELL)
            break;
        figure_read(&sum->figure, answer_get(reply.json, "fact"));
        for (size_t i = 0; i < answer_length(reply.json, "items"); i++)
            add_item(table, sum, answer_item(reply.json, "items", i), failures);
        if (answer_text(reply.json, "cursor")[0])
            cursor = mem_strdup(answer_text(reply.json, "cursor"));
        reply_finish(&reply);
    } while (cursor);
    return status;
}

static void print_sum(struct kpictl *kpictl, const struct sum *sum)
{
    const struct figure *figure = &sum->figure;
    struct text_buffer line = { 0 };
    char rate[CELL_SIZE], target[CELL_SIZE];

    text_buffer_addf(&line, "%s %s %s: %lld/%lld = %s", figure->kpi, figure->period, figure->scope,
                     (long long)sum->numerator, (long long)sum->denominator,
                     figure_rate(rate, figure));
    if (sum->excluded)
        text_buffer_addf(&line, ", %lld excluded", (long long)sum->excluded);
    if (sum->pending)
        text_buffer_addf(&line, ", %lld pending", (long long)sum->pending);
    if (figure->target_e4 >= 0)
        text_buffer_addf(&line, ", target %s", figure_target(target, figure));
    text_buffer_adds(&line, ": ");
    colour_add(&line, &kpictl->look, figure_colour(figure), figure_verdict(figure));
    if (figure->shortfall)
        text_buffer_addf(&line, ", %lld %s", (long long)figure->shortfall,
                         figure->at_most ? "too many" : "short");
    printf("%s\n", line.bytes);
    text_buffer_finish(&line);

    if (sum->numerator != figure->numerator || sum->denominator != figure->denominator)
        printf("the figure is now %lld/%lld: it changed while this was read\n",
               (long long)figure->numerator, (long long)figure->denominator);
}

static int print_table(struct kpictl *kpictl)
{
    struct table *table = table_create(columns, LENGTH(columns));
    struct sum sum = { 0 };
    int status = collect(kpictl, table, &sum);

    if (status == EXIT_WELL) {
        if (table_length(table) > 0)
            table_print(table, &kpictl->look, stdout);
        print_sum(kpictl, &sum);
        if (sum.has_evidence && kpictl->look.width > 0)
            printf("the evidence: kpictl ticket KIND TICKET\n");
    }
    table_destroy(table);
    return status;
}

int run_explain(struct kpictl *kpictl)
{
    char *path;
    int status;

    if (!kpictl->json)
        return print_table(kpictl);
    path = explain_path(kpictl->arguments, arguments_value(kpictl->arguments, "cursor"));
    status = print_answer(kpictl, path);
    free(path);
    return status;
}
