/* The canonical text of a group: what its tables read, written in one way only, so that two
 * configurations are equal if and only if their texts are. */
#include "config/conf_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/instant.h"
#include "base/json_out.h"
#include "base/mem.h"
#include "base/span.h"

static void write_quoted(struct text_buffer *to, const char *text)
{
    json_out_string(to, text, strlen(text));
}

static char *join(const char *path, const char *name)
{
    return path[0] ? mem_printf("%s.%s", path, name) : mem_strdup(name);
}

/* A line for each leaf; children of a list are called by their number. */
static void write_tree(struct text_buffer *to, const char *path, const struct option_tree *tree)
{
    for (size_t i = 0; i < tree->child_count; i++) {
        const struct option_tree *child = tree->children[i];
        char number[24];
        char *below;

        (void)snprintf(number, sizeof number, "%06zu", i);  /* so that lines sort as the list */
        below = join(path, tree->type == TREE_GROUP ? child->name : number);
        write_tree(to, below, child);
        free(below);
    }
    if (tree->type == TREE_GROUP || tree->type == TREE_LIST) {
        if (!tree->child_count)
            text_buffer_addf(to, "%s = none\n", path);
        return;
    }
    text_buffer_addf(to, "%s = ", path);
    if (tree->type == TREE_TEXT)
        write_quoted(to, tree->text);
    else
        text_buffer_adds(to, tree->text);
    text_buffer_add(to, "\n", 1);
}

static void write_texts(struct text_buffer *to, const struct option_texts *texts)
{
    text_buffer_add(to, "[", 1);
    for (size_t i = 0; i < texts->count; i++) {
        text_buffer_adds(to, i ? ", " : "");
        write_quoted(to, texts->items[i]);
    }
    text_buffer_add(to, "]", 1);
}

static void write_date(struct text_buffer *to, int32_t days)
{
    int32_t year, month, day;

    civil_date(days, &year, &month, &day);
    text_buffer_addf(to, "%04d-%02d-%02d", year, month, day);
}

static void write_value(struct text_buffer *to, const struct option *option, const void *member)
{
    char span[SPAN_SIZE];

    switch (option->type) {
    case OPTION_TEXT:
    case OPTION_PATH:
    case OPTION_URL:
    case OPTION_NAME:
        write_quoted(to, *(char *const *)member);
        break;
    case OPTION_UINT:
        text_buffer_addf(to, "%u", *(const uint32_t *)member);
        break;
    case OPTION_BOOL:
        text_buffer_adds(to, *(const bool *)member ? "true" : "false");
        break;
    case OPTION_SPAN:
        text_buffer_adds(to, span_format(span, *(const int64_t *)member));
        break;
    case OPTION_CHOICE:
        write_quoted(to, option->choices[*(const int *)member]);
        break;
    case OPTION_TEXTS:
        write_texts(to, member);
        break;
    case OPTION_RATE:
        text_buffer_addf(to, "%d.%04d", *(const int32_t *)member / 10000,
                         *(const int32_t *)member % 10000);
        break;
    case OPTION_DATE:
        write_date(to, *(const int32_t *)member);
        break;
    case OPTION_REAL:
        text_buffer_addf(to, "%.17g", *(const double *)member);
        break;
    case OPTION_TREE:
    case OPTION_ANY:
    case OPTION_END:
        abort();
    }
}

static bool has_value(const struct option *option, const void *member)
{
    switch (option->type) {
    case OPTION_TEXT:
    case OPTION_PATH:
    case OPTION_URL:
    case OPTION_NAME:
        return *(char *const *)member != NULL;
    case OPTION_TREE:
    case OPTION_ANY:
        return *(struct option_tree *const *)member != NULL;
    case OPTION_TEXTS:
        return ((const struct option_texts *)member)->items != NULL;
    default:
        return true;
    }
}

void conf_write(struct text_buffer *to, const char *path, const struct option *options,
                const void *config)
{
    for (const struct option *o = options; o->name; o++) {
        const void *member = (const char *)config + o->offset;
        char *full;

        if (!has_value(o, member))
            continue;
        full = join(path, o->name);
        if (o->type == OPTION_TREE || o->type == OPTION_ANY) {
            write_tree(to, full, *(struct option_tree *const *)member);
        } else {
            text_buffer_addf(to, "%s = ", full);
            write_value(to, o, member);
            text_buffer_add(to, "\n", 1);
        }
        free(full);
    }
}
