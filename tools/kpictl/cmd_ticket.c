/* kpictl ticket: one ticket: its state, what it counts, and the events that made it so. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "base/mem.h"
#include "figure.h"
#include "kpictl.h"
#include "tickets.h"

static bool is_instant(const char *name)
{
    size_t length = strlen(name);

    return length > 3 && strcmp(name + length - 3, "_at") == 0;
}

static void print_member(yajl_val ticket, const char *path, const char *label)
{
    char *text = text_for_terminal(answer_text(ticket, path));
    char instant[CELL_SIZE];

    if (text[0] && is_instant(path))
        printf("%-12s %s\n", label, instant_for_people(instant, text));
    else if (text[0])
        printf("%-12s %s\n", label, text);
    free(text);
}

static void print_events(struct kpictl *kpictl, yajl_val ticket)
{
    static const struct column columns[] = {
        { .title = "at" },
        { .title = "event" },
        { .title = "outcome", .hide_empty = true },
        { .title = "source" },
        { .title = "id", .flexible = true },
        { .title = "reason", .flexible = true, .hide_empty = true },
    };
    struct table *table = table_create(columns, LENGTH(columns));
    char instant[CELL_SIZE];

    for (size_t i = 0; i < answer_length(ticket, "events"); i++) {
        yajl_val event = answer_item(ticket, "events", i);

        table_row(table);
        table_cell(table, COLOUR_NONE, instant_for_people(instant, answer_text(event, "at")));
        table_cell(table, COLOUR_NONE, answer_text(event, "type"));
        table_cell(table, COLOUR_NONE, answer_text(event, "event.outcome"));
        table_cell(table, COLOUR_DIM, answer_text(event, "source"));
        table_cell(table, COLOUR_DIM, answer_text(event, "id"));
        table_cell(table, COLOUR_NONE, answer_text(event, "event.reason"));
    }
    table_print(table, &kpictl->look, stdout);
    table_destroy(table);
}

/* What a session of the bench found, check by check. */
static void print_checks(struct kpictl *kpictl, yajl_val evidence)
{
    static const struct column columns[] = {
        { .title = "check" },
        { .title = "verdict" },
        { .title = "what was read", .flexible = true },
    };
    struct table *table = table_create(columns, LENGTH(columns));

    for (size_t i = 0; i < answer_length(evidence, "checks"); i++) {
        yajl_val check = answer_item(evidence, "checks", i);
        const char *verdict = answer_text(check, "verdict");

        table_row(table);
        table_cell(table, COLOUR_NONE, answer_text(check, "check"));
        table_cell(table,
                   strcmp(verdict, "passed") == 0          ? COLOUR_GOOD
                   : strcmp(verdict, "not_supported") == 0 ? COLOUR_DIM
                                                           : COLOUR_BAD,
                   strcmp(verdict, "not_supported") == 0 ? "not supported" : verdict);
        table_cell(table, COLOUR_NONE, answer_text(check, "why"));
    }
    table_print(table, &kpictl->look, stdout);
    table_destroy(table);
}

/* What an event carries as its proof: of the bench in words, of others that there is some. */
static void print_evidence(struct kpictl *kpictl, yajl_val event)
{
    yajl_val evidence = answer_get(event, "event.evidence");
    char *slot = text_for_terminal(answer_text(evidence, "slot"));
    char *profile = text_for_terminal(answer_text(evidence, "profile"));
    char *by = text_for_terminal(answer_text(evidence, "by"));
    char *type = text_for_terminal(answer_text(event, "type"));

    if (answer_length(evidence, "checks") > 0) {
        printf("\n%s on slot %s of the bench, profile %s, begun by %s; every reading: --json\n",
               type, slot, profile, by);
        print_checks(kpictl, evidence);
    } else if (evidence && !slot[0]) {
        printf("\n%s carries evidence: see --json\n", type);
    }
    free(slot);
    free(profile);
    free(by);
    free(type);
}

static void print_ticket(struct kpictl *kpictl, yajl_val ticket)
{
    static const char *const attributes[] = { "device", "site", "department", "staff", "vehicle",
                                              "model" };
    struct text_buffer line = { 0 };
    enum colour colour;
    const char *counted = ticket_counted(ticket, &colour);

    text_buffer_addf(&line, "%-12s ", "counts as");
    colour_add(&line, &kpictl->look, colour, counted);
    if (answer_text(ticket, "contribution.kpi")[0])
        text_buffer_addf(&line, " in %s", answer_text(ticket, "contribution.kpi"));
    if (answer_is_true(ticket, "corrected"))
        text_buffer_adds(&line, ", corrected by hand");
    print_member(ticket, "kind", "kind");
    print_member(ticket, "ticket", "ticket");
    printf("%s\n", line.bytes);
    text_buffer_finish(&line);

    print_member(ticket, "outcome", "outcome");
    print_member(ticket, "reason", "reason");
    print_member(ticket, "opened_at", "opened");
    print_member(ticket, "settled_at", "settled");
    print_member(ticket, "contribution.counts_at", "counts at");
    print_member(ticket, "contribution.accused_by", "accused by");
    for (size_t i = 0; i < LENGTH(attributes); i++)
        print_member(ticket, attributes[i], attributes[i]);
    putchar('\n');
    print_events(kpictl, ticket);
    for (size_t i = 0; i < answer_length(ticket, "events"); i++)
        print_evidence(kpictl, answer_item(ticket, "events", i));
}

int run_ticket(struct kpictl *kpictl)
{
    struct text_buffer path = { 0 };
    struct reply reply;
    int status;

    text_buffer_adds(&path, "/v1/tickets");
    path_add(&path, arguments_operand(kpictl->arguments, 0));
    path_add(&path, arguments_operand(kpictl->arguments, 1));
    if (kpictl->json) {
        status = print_answer(kpictl, path.bytes);
    } else {
        status = client_get(kpictl->client, path.bytes, &reply);
        if (status == EXIT_WELL) {
            print_ticket(kpictl, reply.json);
            reply_finish(&reply);
        }
    }
    text_buffer_finish(&path);
    return status;
}
