/* kpictl sources: every input and how it is; `kpictl sources poll NAME` has one ask now. */
#include <stdio.h>
#include <string.h>

#include "answer.h"
#include "base/mem.h"
#include "figure.h"
#include "kpictl.h"

static const struct column columns[] = {
    { .title = "source" },
    { .title = "driver" },
    { .title = "state" },
    { .title = "last success" },
    { .title = "accepted", .right = true },
    { .title = "known", .right = true, .hide_empty = true },
    { .title = "quarantined", .right = true, .hide_empty = true },
    { .title = "why", .flexible = true, .hide_empty = true },
};

static enum colour state_colour(const char *state)
{
    if (strcmp(state, "well") == 0)
        return COLOUR_GOOD;
    if (strcmp(state, "disabled") == 0)
        return COLOUR_DIM;
    return strcmp(state, "down") == 0 ? COLOUR_BAD : COLOUR_WARNING;
}

static void count_cell(struct table *table, enum colour colour, int64_t count)
{
    if (count == 0)
        table_cell(table, COLOUR_NONE, "");
    else
        table_cellf(table, colour, "%lld", (long long)count);
}

static void add_source(struct table *table, yajl_val source)
{
    const char *state = answer_text(source, "state");
    const char *success = answer_text(source, "last_success_at");
    char instant[CELL_SIZE];

    table_row(table);
    table_cell(table, COLOUR_NONE, answer_text(source, "name"));
    table_cell(table, COLOUR_DIM, answer_text(source, "driver"));
    table_cell(table, state_colour(state), state);
    table_cell(table, COLOUR_NONE, success[0] ? instant_for_people(instant, success) : "never");
    table_cellf(table, COLOUR_NONE, "%lld", (long long)answer_integer(source, "accepted"));
    count_cell(table, COLOUR_DIM, answer_integer(source, "duplicate"));
    count_cell(table, COLOUR_WARNING, answer_integer(source, "quarantined"));
    table_cell(table, COLOUR_NONE, answer_text(source, "why"));
}

static int list(struct kpictl *kpictl)
{
    struct table *table;
    struct reply reply;
    int status = client_get(kpictl->client, "/v1/sources", &reply);

    if (status != EXIT_WELL)
        return status;
    table = table_create(columns, LENGTH(columns));
    for (size_t i = 0; i < answer_length(reply.json, "sources"); i++)
        add_source(table, answer_item(reply.json, "sources", i));
    if (table_length(table) == 0)
        printf("no inputs are configured: events come through kpictl record alone\n");
    else
        table_print(table, &kpictl->look, stdout);
    table_destroy(table);
    reply_finish(&reply);
    return EXIT_WELL;
}

static int poll_one(struct kpictl *kpictl, const char *name)
{
    struct text_buffer path = { 0 };
    struct reply reply;
    int status;

    text_buffer_adds(&path, "/v1/sources");
    path_add(&path, name);
    text_buffer_adds(&path, "/poll");
    status = client_send(kpictl->client, "POST", path.bytes, NULL, NULL, 0, &reply);
    text_buffer_finish(&path);
    if (status != EXIT_WELL)
        return status;
    if (kpictl->json)
        printf("%s", reply.body.length ? reply.body.bytes : "");
    else
        printf("%s was told to ask now\n", name);
    reply_finish(&reply);
    return EXIT_WELL;
}

int run_sources(struct kpictl *kpictl)
{
    const char *act = arguments_operand(kpictl->arguments, 0);
    const char *name = arguments_operand(kpictl->arguments, 1);

    if (act && strcmp(act, "poll") != 0)
        return usage_error("it is \"kpictl sources\" or \"kpictl sources poll NAME\"");
    if (act && !name)
        return usage_error("which one? kpictl sources poll NAME, with NAME from kpictl sources");
    if (act)
        return poll_one(kpictl, name);
    return kpictl->json ? print_answer(kpictl, "/v1/sources") : list(kpictl);
}
