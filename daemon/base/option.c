/* What a table of options filled is freed by the same table; faults are gathered, then sorted so
 * that a person walks through each file once, from the top. */
#include "base/option.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

const struct option_tree *option_tree_get(const struct option_tree *tree, const char *name)
{
    if (!tree || tree->type != TREE_GROUP)
        return NULL;
    for (size_t i = 0; i < tree->child_count; i++) {
        if (strcmp(tree->children[i]->name, name) == 0)
            return tree->children[i];
    }
    return NULL;
}

const struct option_tree *option_tree_place(const struct option_tree *tree, const char *name)
{
    const struct option_tree *child = option_tree_get(tree, name);

    return child ? child : tree;
}

void option_tree_add(struct option_tree *tree, struct option_tree *child)
{
    tree->children =
        mem_realloc_array(tree->children, tree->child_count + 1, sizeof(struct option_tree *));
    tree->children[tree->child_count++] = child;
}

void option_tree_destroy(struct option_tree *tree)
{
    if (!tree)
        return;
    for (size_t i = 0; i < tree->child_count; i++)
        option_tree_destroy(tree->children[i]);
    free(tree->children);
    free(tree->name);
    free(tree->file);
    free(tree->text);
    free(tree);
}

static void texts_finish(struct option_texts *texts)
{
    for (size_t i = 0; i < texts->count; i++)
        free(texts->items[i]);
    free(texts->items);
    *texts = (struct option_texts){ 0 };
}

void option_finish(const struct option *options, void *config)
{
    for (const struct option *o = options; o->name; o++) {
        void *member = (char *)config + o->offset;

        switch (o->type) {
        case OPTION_TEXT:
        case OPTION_PATH:
        case OPTION_URL:
        case OPTION_NAME:
            free(*(char **)member);
            *(char **)member = NULL;
            break;
        case OPTION_TEXTS:
            texts_finish(member);
            break;
        case OPTION_TREE:
        case OPTION_ANY:
            option_tree_destroy(*(struct option_tree **)member);
            *(struct option_tree **)member = NULL;
            break;
        case OPTION_UINT:
        case OPTION_BOOL:
        case OPTION_SPAN:
        case OPTION_CHOICE:
        case OPTION_RATE:
        case OPTION_DATE:
        case OPTION_REAL:
        case OPTION_END:
            break;
        }
    }
}

static void add(struct faults *faults, const char *file, unsigned line, const char *format,
                va_list args) __attribute__((format(printf, 4, 0)));

static void add(struct faults *faults, const char *file, unsigned line, const char *format,
                va_list args)
{
    char text[1024];

    (void)vsnprintf(text, sizeof text, format, args);   /* a long sentence is cut */
    faults->items = mem_realloc_array(faults->items, faults->count + 1, sizeof *faults->items);
    faults->items[faults->count++] = (struct fault){
        .file = file ? mem_strdup(file) : NULL,
        .line = line,
        .text = mem_strdup(text),
    };
}

void fault_add(struct faults *faults, const char *file, unsigned line, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add(faults, file, line, format, args);
    va_end(args);
}

void fault_add_at(struct faults *faults, const struct option_tree *tree, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add(faults, tree ? tree->file : NULL, tree ? tree->line : 0, format, args);
    va_end(args);
}

static bool same_file(const struct fault *a, const struct fault *b)
{
    if (!a->file || !b->file)
        return a->file == b->file;
    return strcmp(a->file, b->file) == 0;
}

/* Insertion into a place behind all of the same file that are not below it: stable, and quick
 * enough for what a person can mistype. */
void faults_sort(struct faults *faults)
{
    for (size_t i = 1; i < faults->count; i++) {
        struct fault moving = faults->items[i];
        size_t place = i;

        for (size_t j = i; j > 0; j--) {
            if (!same_file(&faults->items[j - 1], &moving))
                continue;
            if (faults->items[j - 1].line <= moving.line) {
                place = place == i ? j : place;
                break;
            }
            place = j - 1;
        }
        memmove(&faults->items[place + 1], &faults->items[place],
                (i - place) * sizeof *faults->items);
        faults->items[place] = moving;
    }
}

void faults_finish(struct faults *faults)
{
    for (size_t i = 0; i < faults->count; i++) {
        free(faults->items[i].file);
        free(faults->items[i].text);
    }
    free(faults->items);
    *faults = (struct faults){ 0 };
}
