/* kpictl audit: the chain of audit records: what was sealed, restated, explained, excluded and
 * configured, by whom and why; and whether it holds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "base/mem.h"
#include "figure.h"
#include "kpictl.h"

const struct flag audit_flags[] = {
    { "cursor", "CURSOR", "with --json: the page that an earlier answer's cursor names", NULL },
    { "limit", "N", "so many records, the newest first", NULL },
    { 0 },
};

static void print_verification(const struct kpictl *kpictl, yajl_val answer)
{
    struct text_buffer line = { 0 };
    char instant[CELL_SIZE];
    bool fits = answer_is_true(answer, "verification.fits");
    char *why = text_for_terminal(answer_text(answer, "verification.why"));

    if (!answer_get(answer, "verification.at")) {
        printf("not verified since kpid started: kpictl audit verify\n");
    } else {
        colour_add(&line, &kpictl->look, fits ? COLOUR_GOOD : COLOUR_BAD,
                   fits ? "the chain holds" : "the chain is broken");
        printf("%s%s%s, verified %s: %lld records, %lld sealed facts, %lld events\n%s\n",
               line.bytes, fits ? "" : " at ", why,
               instant_for_people(instant, answer_text(answer, "verification.at")),
               (long long)answer_integer(answer, "verification.records"),
               (long long)answer_integer(answer, "verification.facts"),
               (long long)answer_integer(answer, "verification.events"),
               answer_text(answer, "verification.digest"));
    }
    text_buffer_finish(&line);
    free(why);
}

static void print_records(const struct kpictl *kpictl, yajl_val answer)
{
    static const struct column columns[] = {
        { .title = "n", .right = true },
        { .title = "at" },
        { .title = "what" },
        { .title = "period", .hide_empty = true },
        { .title = "revision", .right = true, .hide_empty = true },
        { .title = "by" },
        { .title = "why", .flexible = true, .hide_empty = true },
        { .title = "about", .flexible = true, .hide_empty = true },
    };
    struct table *table = table_create(columns, LENGTH(columns));

    for (size_t i = 0; i < answer_length(answer, "records"); i++) {
        yajl_val record = answer_item(answer, "records", i);
        long long revision = answer_integer(record, "revision");
        char instant[CELL_SIZE];

        table_row(table);
        table_cellf(table, COLOUR_BOLD, "%lld", (long long)answer_integer(record, "n"));
        table_cell(table, COLOUR_NONE, instant_for_people(instant, answer_text(record, "at")));
        table_cell(table, COLOUR_NONE, answer_text(record, "kind"));
        table_cell(table, COLOUR_NONE, answer_text(record, "period"));
        if (revision)
            table_cellf(table, COLOUR_NONE, "%lld", revision);
        else
            table_cell(table, COLOUR_NONE, "");
        table_cell(table, COLOUR_NONE, answer_text(record, "by"));
        table_cell(table, COLOUR_NONE, answer_text(record, "why"));
        table_cell(table, COLOUR_DIM, answer_text(record, "content"));
    }
    table_print(table, &kpictl->look, stdout);
    table_destroy(table);
}

/* A chain that does not hold is a no. */
static int status_of(yajl_val answer, bool verify)
{
    return verify && !answer_is_true(answer, "verification.fits") ? EXIT_REFUSED : EXIT_WELL;
}

int run_audit(struct kpictl *kpictl)
{
    const char *act = arguments_operand(kpictl->arguments, 0);
    bool verify = act && strcmp(act, "verify") == 0;
    struct text_buffer path = { 0 };
    struct reply reply;
    int status;

    if (act && !verify)
        return usage_error("audit can verify, not \"%s\"", act);
    text_buffer_adds(&path, "/v1/audit");
    query_add(&path, "verify", verify ? "now" : NULL);
    query_add(&path, "limit", arguments_value(kpictl->arguments, "limit"));
    query_add(&path, "cursor", arguments_value(kpictl->arguments, "cursor"));
    status = client_get(kpictl->client, path.bytes, &reply);
    text_buffer_finish(&path);
    if (status != EXIT_WELL)
        return status;
    status = status_of(reply.json, verify);
    if (kpictl->json) {
        printf("%s\n", reply.body.bytes);
    } else {
        print_verification(kpictl, reply.json);
        if (!verify)
            print_records(kpictl, reply.json);
    }
    reply_finish(&reply);
    return status;
}
