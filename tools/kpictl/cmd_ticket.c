/* kpictl ticket: one ticket: its state, what it counts, and the events that made it so. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "base/json_out.h"
#include "base/mem.h"
#include "by_hand.h"
#include "figure.h"
#include "kpictl.h"
#include "tickets.h"

const struct flag ticket_flags[] = {
    { "outcome", "OUTCOME", "of amend: what it was in truth", "success failure excluded" },
    { "reason", "TEXT", "of amend: why; everybody sees it with your name", NULL },
    { 0 },
};

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
        { .title = "by", .hide_empty = true },
        { .title = "via", .hide_empty = true },
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
        table_cell(table, COLOUR_WARNING, answer_text(event, "event.by"));
        /* Who sent an amendment, as the kernel told: who is allowed to may send that of another. */
        table_cell(table, COLOUR_DIM, answer_text(event, "event.by")[0] ? answer_text(event, "via")
                                                                         : "");
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

/* The amendment as an event: a line of JSON. */
static void compose(const struct arguments *arguments, struct text_buffer *to)
{
    char now[INSTANT_SIZE], id[64];
    char *type = mem_printf("%s.amended", arguments_operand(arguments, 1));

    now_local(now);
    fresh_id(id);
    text_buffer_adds(to, "{");
    json_out_text(to, "source", "manual");
    json_out_text(to, "id", id);
    json_out_text(to, "type", type);
    json_out_text(to, "at", now);
    json_out_text(to, "ticket", arguments_operand(arguments, 2));
    if (arguments_has(arguments, "outcome"))
        json_out_text(to, "outcome", arguments_value(arguments, "outcome"));
    json_out_text(to, "reason", arguments_value(arguments, "reason"));
    json_out_text(to, "by", user_name());
    text_buffer_adds(to, "}\n");
    free(type);
}

static int send_amendment(struct kpictl *kpictl)
{
    struct text_buffer event = { 0 };
    struct reply reply;
    int status;

    compose(kpictl->arguments, &event);
    status = client_send(kpictl->client, "POST", "/v1/events", "application/x-ndjson", event.bytes,
                         event.length, &reply);
    text_buffer_finish(&event);
    if (status != EXIT_WELL)
        return status;
    if (kpictl->json)
        printf("%s\n", reply.body.bytes);
    if (answer_length(reply.json, "quarantined") > 0) {
        fprintf(stderr, "kpictl: not taken: %s\n",
                answer_text(answer_item(reply.json, "quarantined", 0), "reason"));
        status = EXIT_REFUSED;
    } else if (!kpictl->json) {
        printf("amended, by %s\n", user_name());
    }
    reply_finish(&reply);
    return status;
}

/* A ticket that nobody knows is a slip of the hand: an amendment would make a new one of it. */
static int amend(struct kpictl *kpictl)
{
    const char *reason = arguments_value(kpictl->arguments, "reason");
    struct text_buffer path = { 0 };
    struct reply reply;
    int status;

    if (strcmp(arguments_operand(kpictl->arguments, 0), "amend") != 0)
        return usage_error("it is \"kpictl ticket amend KIND TICKET\"");
    if (!reason || !reason[0])
        return usage_error("why? kpictl ticket amend KIND TICKET --outcome OUTCOME --reason TEXT");
    text_buffer_adds(&path, "/v1/tickets");
    path_add(&path, arguments_operand(kpictl->arguments, 1));
    path_add(&path, arguments_operand(kpictl->arguments, 2));
    status = client_get(kpictl->client, path.bytes, &reply);
    text_buffer_finish(&path);
    if (status != EXIT_WELL)
        return status;
    reply_finish(&reply);
    return send_amendment(kpictl);
}

int run_ticket(struct kpictl *kpictl)
{
    struct text_buffer path = { 0 };
    struct reply reply;
    int status;

    if (kpictl->arguments->operand_count == 3)
        return amend(kpictl);
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
