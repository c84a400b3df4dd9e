/* What the canonical text is good for: a digest, and the settings in which two configurations
 * differ. Its lines are sorted, so that the difference of two is a merge. */
#include "config/conf_private.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct lines {
    char *text;                 /* cut at the newlines */
    char **items;
    size_t count;
};

static void lines_init(struct lines *lines, const char *text)
{
    *lines = (struct lines){ .text = mem_strdup(text) };
    for (char *p = lines->text, *next; *p; p = next) {
        char *newline = strchr(p, '\n');

        next = newline ? newline + 1 : p + strlen(p);
        if (newline)
            *newline = '\0';
        lines->items = mem_realloc_array(lines->items, lines->count + 1, sizeof *lines->items);
        lines->items[lines->count++] = p;
    }
}

static void lines_finish(struct lines *lines)
{
    free(lines->items);
    free(lines->text);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void digest(const char *text, char to[65])
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    int rc = EVP_Digest(text, strlen(text), hash, &length, EVP_sha256(), NULL);

    assert(rc == 1 && length == 32);
    for (unsigned i = 0; i < length; i++)
        (void)snprintf(to + 2 * i, 3, "%02x", (unsigned)hash[i]);
}

void conf_seal(struct conf_loader *loader)
{
    struct text_buffer sorted = { 0 };
    struct lines lines;

    lines_init(&lines, loader->canonical.bytes ? loader->canonical.bytes : "");
    if (lines.count)
        qsort(lines.items, lines.count, sizeof *lines.items, by_text);
    for (size_t i = 0; i < lines.count; i++) {
        text_buffer_adds(&sorted, lines.items[i]);
        text_buffer_add(&sorted, "\n", 1);
    }
    lines_finish(&lines);
    text_buffer_finish(&loader->canonical);
    loader->conf->canonical = text_buffer_take(&sorted);
    digest(loader->conf->canonical, loader->conf->digest);
}

/* Length of the line's path up to component `count`: lists are named by kpis.ID.SETTING. */
static size_t path_length(const char *line, size_t count)
{
    size_t length = 0;

    for (;; length++) {
        if (line[length] == ' ' || (line[length] == '.' && --count == 0))
            return length;
    }
}

static bool has_prefix(const struct lines *lines, const char *prefix, size_t length)
{
    for (size_t i = 0; i < lines->count; i++) {
        if (strncmp(lines->items[i], prefix, length) == 0 && lines->items[i][length] == '.')
            return true;
    }
    return false;
}

/* Lines of one setting stand together on each side, but the two sides alternate. */
static bool has_line(const struct text_buffer *buffer, const char *line)
{
    size_t length = strlen(line);

    for (const char *p = buffer->bytes; p && *p; p = strchr(p, '\n') + 1) {
        if (strncmp(p, line, length) == 0)
            return true;
    }
    return false;
}

/* What changed for the reader: the whole KPI if only one side has it, else one of its settings. */
static void add_change(struct text_buffer *to, const char *line, const struct lines *other)
{
    static const char *const lists[] = { "kpis.", "posts.", "sources.", "profiles.", "slots." };
    size_t length = path_length(line, 3);
    bool is_listed = false;
    char *name;

    for (size_t i = 0; i < LENGTH(lists); i++)
        is_listed = is_listed || strncmp(line, lists[i], strlen(lists[i])) == 0;
    if (is_listed && !has_prefix(other, line, path_length(line, 2)))
        length = path_length(line, 2);
    name = mem_printf("%.*s\n", (int)length, line);
    if (!has_line(to, name))
        text_buffer_adds(to, name);
    free(name);
}

char *conf_changes(const struct conf *from, const struct conf *to)
{
    struct text_buffer changes = { 0 };
    struct lines a, b;
    size_t i = 0, k = 0;

    lines_init(&a, from ? from->canonical : "");
    lines_init(&b, to->canonical);
    while (i < a.count || k < b.count) {
        int order = i == a.count ? 1 : k == b.count ? -1 : strcmp(a.items[i], b.items[k]);

        if (order < 0)
            add_change(&changes, a.items[i], &b);
        else if (order > 0)
            add_change(&changes, b.items[k], &a);
        i += order <= 0;
        k += order >= 0;
    }
    lines_finish(&a);
    lines_finish(&b);
    return text_buffer_take(&changes);
}
