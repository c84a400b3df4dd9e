/* kpictl status: how the daemon is, one line for each thing that an administrator looks for. Members
 * that this program does not know are shown as well, by their own names: a newer daemon says more. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "base/mem.h"
#include "base/span.h"
#include "figure.h"
#include "kpictl.h"

static bool is_seconds(const char *name)
{
    size_t length = strlen(name);

    return length > 2 && strcmp(name + length - 2, "_s") == 0;
}

/* A scalar for people. */
static void add_value(struct text_buffer *to, const char *name, yajl_val value)
{
    char text[CELL_SIZE];

    static_assert((int)SPAN_SIZE <= (int)CELL_SIZE, "a span fits a cell");

    if (YAJL_IS_STRING(value))
        text_buffer_adds(to, instant_for_people(text, answer_text(value, "")));
    else if (YAJL_IS_INTEGER(value) && is_seconds(name))
        text_buffer_adds(to, span_format(text, YAJL_GET_INTEGER(value) * SPAN_SECOND));
    else if (YAJL_IS_NUMBER(value))
        text_buffer_adds(to, YAJL_GET_NUMBER(value));
    else if (YAJL_IS_TRUE(value) || YAJL_IS_FALSE(value))
        text_buffer_adds(to, YAJL_IS_TRUE(value) ? "yes" : "no");
    else
        text_buffer_adds(to, "–");
}

static enum colour value_colour(yajl_val value)
{
    const char *text = answer_text(value, "");

    if (strcmp(text, "down") == 0 || strcmp(text, "failed") == 0)
        return COLOUR_BAD;
    return strcmp(text, "well") == 0 || strcmp(text, "ok") == 0 ? COLOUR_GOOD : COLOUR_NONE;
}

/* One row for each scalar; an object's members stand under its name. Lists are other subcommands'
 * business (sources, facts). */
static void add_rows(struct table *table, const char *prefix, yajl_val object)
{
    for (size_t i = 0; i < object->u.object.len; i++) {
        yajl_val value = object->u.object.values[i];
        char *name = mem_printf("%s%s%s", prefix, prefix[0] ? " " : "", object->u.object.keys[i]);
        struct text_buffer text = { 0 };

        for (char *p = name; *p; p++)
            *p = *p == '_' ? ' ' : *p;
        if (YAJL_IS_OBJECT(value)) {
            add_rows(table, name, value);
        } else if (!YAJL_IS_ARRAY(value)) {
            add_value(&text, object->u.object.keys[i], value);
            table_row(table);
            table_cell(table, COLOUR_DIM, name);
            table_cell(table, value_colour(value), text.bytes);
        }
        text_buffer_finish(&text);
        free(name);
    }
}

int run_status(struct kpictl *kpictl)
{
    static const struct column columns[] = { { .title = "" }, { .title = "", .flexible = true } };
    struct text_buffer text = { 0 };
    struct table *table;
    struct reply reply;
    int status;

    if (kpictl->json)
        return print_answer(kpictl, "/v1/status");
    status = client_get(kpictl->client, "/v1/status", &reply);
    if (status != EXIT_WELL)
        return status;
    table = table_create(columns, LENGTH(columns));
    if (YAJL_IS_OBJECT(reply.json))
        add_rows(table, "", reply.json);
    table_draw(table, &kpictl->look, &text);
    /* Without the line of titles, which is empty here. */
    printf("%s", strchr(text.bytes, '\n') + 1);
    text_buffer_finish(&text);
    table_destroy(table);
    reply_finish(&reply);
    return EXIT_WELL;
}
