/* kpictl appraisal: the posts, what they answer for, how far they attained it, who held them. */
#include <stdio.h>
#include <string.h>

#include "answer.h"
#include "base/mem.h"
#include "figure.h"
#include "kpictl.h"

const struct flag appraisal_flags[] = {
    { "month", "MONTH", "in a month, 2026-11", NULL },
    { "post", "POST", "one post alone", NULL },
    { "week", "WEEK", "in a week, 2026-W47; the present one if no month is given either", NULL },
    { 0 },
};

static const struct column columns[] = {
    { .title = "post", .flexible = true },      { .title = "KPI", .flexible = true },
    { .title = "weight", .right = true, .hide_empty = true },
    { .title = "rate", .right = true },         { .title = "n/d", .right = true },
    { .title = "target", .right = true },       { .title = "verdict" },
    { .title = "attained", .right = true },
};

static const char *name_of(const struct kpictl *kpictl, yajl_val item, const char *id)
{
    const char *name = answer_text(item, kpictl->chinese ? "name.zh" : "name.en");

    return name[0] ? name : answer_text(item, id);
}

static void share_cell(struct table *table, enum colour colour, yajl_val item, const char *path)
{
    int64_t e4 = answer_parts(item, path, 10000, -1);
    char percent[PERCENT_SIZE];

    if (e4 < 0)
        table_cell(table, COLOUR_NONE, "–");
    else
        table_cellf(table, colour, "%s %%", percent_of_e4(percent, e4));
}

static void add_kpi(const struct kpictl *kpictl, struct table *table, yajl_val kpi,
                    const char *post)
{
    struct figure figure;
    char cell[CELL_SIZE];

    figure_read(&figure, kpi);
    table_row(table);
    table_cell(table, COLOUR_BOLD, post);
    table_cell(table, COLOUR_NONE, name_of(kpictl, kpi, "kpi"));
    if (answer_integer(kpi, "weight"))
        table_cellf(table, COLOUR_NONE, "%lld %%", (long long)answer_integer(kpi, "weight"));
    else
        table_cell(table, COLOUR_NONE, "");
    table_cell(table, COLOUR_NONE, figure_rate(cell, &figure));
    table_cell(table, COLOUR_NONE, figure_counts(cell, &figure));
    table_cell(table, COLOUR_NONE, figure_target(cell, &figure));
    table_cell(table, figure_colour(&figure), figure_verdict(&figure));
    share_cell(table, COLOUR_NONE, kpi, "attainment");
}

/* "Li (3 of 7 days), Wang (4)". */
static void add_holders(struct text_buffer *to, yajl_val of)
{
    for (size_t i = 0; i < answer_length(of, "holders"); i++) {
        yajl_val holder = answer_item(of, "holders", i);

        text_buffer_addf(to, "%s%s (%lld day%s)", i ? ", " : "", answer_text(holder, "name"),
                         (long long)answer_integer(holder, "days"),
                         answer_integer(holder, "days") == 1 ? "" : "s");
    }
    if (answer_length(of, "holders") == 0)
        text_buffer_adds(to, "nobody");
}

/* The post as a whole: its sum line, with who held it. */
static void add_whole(struct table *table, yajl_val post)
{
    struct text_buffer holders = { 0 };

    add_holders(&holders, post);
    table_row(table);
    table_cell(table, COLOUR_NONE, "");
    table_cellf(table, COLOUR_DIM, "held by %s", holders.bytes);
    if (answer_parts(post, "weighted_attainment", 10000, -1) >= 0) {
        for (int i = 0; i < 4; i++)
            table_cell(table, COLOUR_NONE, "");
        table_cell(table, COLOUR_BOLD, answer_length(post, "missing") ? "of what has data"
                                                                       : "weighted");
        share_cell(table, COLOUR_BOLD, post, "weighted_attainment");
    }
    text_buffer_finish(&holders);
}

static void print_posts(const struct kpictl *kpictl, yajl_val answer)
{
    struct table *table = table_create(columns, LENGTH(columns));
    yajl_val first = answer_item(answer, "appraisal", 0);
    char instant[CELL_SIZE];

    printf("%s, %s, as of %s\n\n", answer_text(first, "period"), answer_text(first, "state"),
           instant_for_people(instant, answer_text(first, "as_of")));
    for (size_t i = 0; i < answer_length(answer, "appraisal"); i++) {
        yajl_val post = answer_item(answer, "appraisal", i);

        for (size_t k = 0; k < answer_length(post, "kpis"); k++)
            add_kpi(kpictl, table, answer_item(post, "kpis", k),
                    k ? "" : name_of(kpictl, post, "post"));
        add_whole(table, post);
    }
    table_print(table, &kpictl->look, stdout);
    table_destroy(table);
}

int run_appraisal(struct kpictl *kpictl)
{
    struct text_buffer path = { 0 };
    struct reply reply;
    int status;

    text_buffer_adds(&path, "/v1/appraisal");
    query_add(&path, "post", arguments_value(kpictl->arguments, "post"));
    query_add(&path, "week", arguments_value(kpictl->arguments, "week"));
    query_add(&path, "month", arguments_value(kpictl->arguments, "month"));
    if (kpictl->json) {
        status = print_answer(kpictl, path.bytes);
    } else {
        status = client_get(kpictl->client, path.bytes, &reply);
        if (status == EXIT_WELL) {
            print_posts(kpictl, reply.json);
            reply_finish(&reply);
        }
    }
    text_buffer_finish(&path);
    return status;
}
