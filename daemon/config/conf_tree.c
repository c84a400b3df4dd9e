/* libconfig's settings as plain data. Everything behind this file works on option trees, each node
 * with its file and line, so that faults can name their place and a driver needs no library. */
#include "config/conf_tree.h"

#include <errno.h>
#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { FILE_BYTES_MAX = 4 * 1024 * 1024 };

/* The shortest text that reads back as the same number. */
static char *real_text(double value)
{
    char text[40];

    for (int digits = 6; digits <= 17; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    return mem_strdup(text);
}

static void fill_integer(struct option_tree *tree, long long value)
{
    tree->type = TREE_INTEGER;
    tree->integer = value;
    tree->real = (double)value;
    tree->text = mem_printf("%lld", value);
}

/* libconfig's own conversions cut 1.9 to 1 and refuse 1 for 1.0: the type decides here. */
static void fill_scalar(struct option_tree *tree, const config_setting_t *setting)
{
    switch (config_setting_type(setting)) {
    case CONFIG_TYPE_INT:
        fill_integer(tree, config_setting_get_int(setting));
        break;
    case CONFIG_TYPE_INT64:
        fill_integer(tree, config_setting_get_int64(setting));
        break;
    case CONFIG_TYPE_FLOAT:
        tree->type = TREE_REAL;
        tree->real = config_setting_get_float(setting);
        tree->text = real_text(tree->real);
        break;
    case CONFIG_TYPE_BOOL:
        tree->type = TREE_BOOL;
        tree->integer = config_setting_get_bool(setting);
        tree->text = mem_strdup(tree->integer ? "true" : "false");
        break;
    default:
        tree->type = TREE_TEXT;
        tree->text = mem_strdup(config_setting_get_string(setting));
        break;
    }
}

/* Recursion ends where conf_scan's bound on nesting does. */
static struct option_tree *tree_of(const config_setting_t *setting, const char *file)
{
    struct option_tree *tree = mem_zalloc(sizeof *tree);
    const char *name = config_setting_name(setting);

    tree->name = name ? mem_strdup(name) : NULL;
    tree->file = mem_strdup(file);
    tree->line = config_setting_source_line(setting);
    if (!config_setting_is_aggregate(setting)) {
        fill_scalar(tree, setting);
        return tree;
    }
    tree->type = config_setting_is_group(setting) ? TREE_GROUP : TREE_LIST;
    tree->child_count = (size_t)config_setting_length(setting);
    tree->children = mem_realloc_array(NULL, tree->child_count, sizeof(struct option_tree *));
    for (size_t i = 0; i < tree->child_count; i++)
        tree->children[i] = tree_of(config_setting_get_elem(setting, (unsigned)i), file);
    return tree;
}

static struct option_tree *parse(const char *file, const char *text, struct faults *faults)
{
    struct option_tree *tree = NULL;
    config_t config;

    config_init(&config);
    if (config_read_string(&config, text) == CONFIG_TRUE)
        tree = tree_of(config_root_setting(&config), file);
    else
        fault_add(faults, file, (unsigned)config_error_line(&config),
                  "%s, here or just before: a setting is written name = value;",
                  config_error_text(&config));
    config_destroy(&config);
    return tree;
}

static unsigned line_of(const char *text, const char *place)
{
    unsigned line = 1;

    for (; text < place; text++)
        line += *text == '\n';
    return line;
}

/* Names the first line that is no UTF-8: an editor may have saved the file in GB 18030. */
static bool is_text(const char *file, const char *text, size_t length, struct faults *faults)
{
    const char *line = text, *end = text + length;

    while (line < end) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        const char *next = newline ? newline + 1 : end;

        if (!text_is_utf8(line, (size_t)(next - line))) {
            fault_add(faults, file, line_of(text, line), "not UTF-8: save the file as UTF-8");
            return false;
        }
        line = next;
    }
    return true;
}

struct option_tree *conf_tree_parse(const char *file, const char *text, size_t length,
                                    struct faults *faults)
{
    static const char mark[] = "\xef\xbb\xbf";  /* some editors begin UTF-8 with it */
    struct text_buffer mended = { 0 };
    struct option_tree *tree = NULL;

    if (length >= 3 && memcmp(text, mark, 3) == 0) {
        text += 3;
        length -= 3;
    }
    if (!is_text(file, text, length, faults))
        return NULL;
    text_buffer_adds(&mended, "");
    if (conf_scan(file, text, length, &mended, faults))
        tree = parse(file, mended.bytes, faults);
    text_buffer_finish(&mended);
    return tree;
}

struct option_tree *conf_tree_load(const char *path, struct faults *faults)
{
    struct option_tree *tree = NULL;
    FILE *stream = fopen(path, "re");
    char *text;
    size_t length;

    if (!stream) {
        fault_add(faults, path, 0, "cannot be opened: %s", strerror(errno));
        return NULL;
    }
    text = mem_alloc(FILE_BYTES_MAX + 1);
    length = fread(text, 1, FILE_BYTES_MAX + 1, stream);
    if (ferror(stream))
        fault_add(faults, path, 0, "cannot be read: %s", strerror(errno));
    else if (length > FILE_BYTES_MAX)
        fault_add(faults, path, 0, "larger than %d MiB: is this a configuration?",
                  FILE_BYTES_MAX / 1024 / 1024);
    else
        tree = conf_tree_parse(path, text, length, faults);
    free(text);
    (void)fclose(stream);   /* it was only read */
    return tree;
}

static char *strdup_or_null(const char *text)
{
    return text ? mem_strdup(text) : NULL;
}

struct option_tree *conf_tree_copy(const struct option_tree *tree)
{
    struct option_tree *copy = mem_alloc(sizeof *copy);

    *copy = *tree;
    copy->name = strdup_or_null(tree->name);
    copy->file = strdup_or_null(tree->file);
    copy->text = strdup_or_null(tree->text);
    copy->children = NULL;
    if (tree->child_count)
        copy->children = mem_realloc_array(NULL, tree->child_count, sizeof(struct option_tree *));
    for (size_t i = 0; i < tree->child_count; i++)
        copy->children[i] = conf_tree_copy(tree->children[i]);
    return copy;
}
