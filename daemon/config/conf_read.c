/* Reads settings by their tables. Each type of option is one row of `types`: what it is called,
 * how a wrong one is mended, and the function that reads it. */
#include "config/conf_read.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/instant.h"
#include "base/mem.h"
#include "base/span.h"
#include "config/conf_tree.h"

typedef bool read_function(const struct option *option, const struct option_tree *tree,
                           void *member, struct faults *faults);

static read_function read_text, read_path, read_url, read_name, read_uint, read_bool, read_span,
    read_choice, read_texts, read_tree, read_rate, read_any, read_date, read_real;

static const struct type {
    const char *is;             /* "... is WHAT: write ..." */
    const char *sample;         /* as it would be written; a fallback or choice is better */
    bool quoted;                /* a fallback needs quotes to be written */
    read_function *read;
} types[] = {
    [OPTION_TEXT] = { "text in quotes", "\"...\"", true, read_text },
    [OPTION_PATH] = { "an absolute path in quotes", "\"/...\"", true, read_path },
    [OPTION_URL] = { "a URL in quotes", "\"https://...\"", true, read_url },
    [OPTION_NAME] = { "a name in quotes", "\"...\"", true, read_name },
    [OPTION_UINT] = { "a whole number", "1", false, read_uint },
    [OPTION_BOOL] = { "true or false", "true", false, read_bool },
    [OPTION_SPAN] = { "a span of time with its unit, in quotes", "\"10min\"", true, read_span },
    [OPTION_CHOICE] = { "a word in quotes", "\"...\"", true, read_choice },
    [OPTION_TEXTS] = { "a list of texts", "[ \"...\" ]", false, read_texts },
    [OPTION_TREE] = { "a list or a group", "( { ... } )", false, read_tree },
    [OPTION_RATE] = { "a fraction", "0.98", false, read_rate },
    [OPTION_ANY] = { "a value", "1", false, read_any },
    [OPTION_DATE] = { "a date in quotes", "\"2026-01-01\"", true, read_date },
    [OPTION_REAL] = { "a number", "0.1", false, read_real },
};

enum { SHOWN_SIZE = 64 };

/* What stands there, as the person wrote it. */
static char *shown(char to[SHOWN_SIZE], const struct option_tree *tree)
{
    switch (tree->type) {
    case TREE_GROUP:
        return strcpy(to, "a group { ... }");
    case TREE_LIST:
        return strcpy(to, "a list");
    case TREE_TEXT:
        return text_quote(to, SHOWN_SIZE, tree->text, strlen(tree->text));
    case TREE_INTEGER:
    case TREE_REAL:
    case TREE_BOOL:
        (void)snprintf(to, SHOWN_SIZE, "%s", tree->text);
        return to;
    }
    abort();
}

static char *sample(char to[SHOWN_SIZE], const struct option *option)
{
    const struct type *type = &types[option->type];
    const char *word = option->choices ? option->choices[0] : option->fallback;

    if (word && word[0])
        (void)snprintf(to, SHOWN_SIZE, type->quoted ? "\"%s\"" : "%s", word);
    else
        (void)snprintf(to, SHOWN_SIZE, "%s", type->sample);
    return to;
}

static bool is_scalar(const struct option_tree *tree)
{
    return tree->type == TREE_INTEGER || tree->type == TREE_REAL || tree->type == TREE_BOOL;
}

/* What was meant, where only the quotes are too many or too few; else a sample. */
static char *mended(char to[SHOWN_SIZE], const struct option *option,
                    const struct option_tree *tree)
{
    bool wants_text = option->type == OPTION_TEXT || option->type == OPTION_TEXTS;
    bool is_number = tree->type == TREE_TEXT && tree->text[0] && strlen(tree->text) < 10 &&
                     strspn(tree->text, "0123456789") == strlen(tree->text);
    bool is_switch = tree->type == TREE_TEXT && (strcmp(tree->text, "true") == 0 ||
                                                 strcmp(tree->text, "false") == 0);

    if (wants_text && is_scalar(tree))
        (void)snprintf(to, SHOWN_SIZE, "\"%s\"", tree->text);
    else if (option->type == OPTION_TEXTS && tree->type == TREE_TEXT)
        (void)snprintf(to, SHOWN_SIZE, "[ \"%.40s\" ]", tree->text);
    else if ((option->type == OPTION_UINT && is_number) ||
             (option->type == OPTION_BOOL && is_switch))
        (void)snprintf(to, SHOWN_SIZE, "%s", tree->text);
    else
        return sample(to, option);
    return to;
}

static bool wrong_type(const struct option *option, const struct option_tree *tree,
                       struct faults *faults)
{
    char is[SHOWN_SIZE], better[SHOWN_SIZE];

    fault_add_at(faults, tree, "%s is %s: write %s, not %s", option->name,
                 types[option->type].is, mended(better, option, tree), shown(is, tree));
    return false;
}

char *conf_hint(char to[CONF_HINT_SIZE], const char *name, const char *const *candidates)
{
    const char *nearest = text_nearest(name, candidates);
    size_t used = 0;

    to[0] = '\0';
    if (nearest) {
        (void)snprintf(to, CONF_HINT_SIZE, "did you mean \"%s\"?", nearest);
        return to;
    }
    for (; *candidates && used < CONF_HINT_SIZE; candidates++)
        used += (size_t)snprintf(to + used, CONF_HINT_SIZE - used, "%s%s",
                                 used ? ", " : "there is ", *candidates);
    if (used >= CONF_HINT_SIZE)
        memcpy(to + CONF_HINT_SIZE - sizeof " ...", " ...", sizeof " ...");
    else if (!used)
        strcpy(to, "there is none");
    return to;
}

static bool is_bounded(const struct option *option)
{
    return option->min || option->max;
}

static bool read_text(const struct option *option, const struct option_tree *tree, void *member,
                      struct faults *faults)
{
    size_t length;

    if (tree->type != TREE_TEXT)
        return wrong_type(option, tree, faults);
    length = strlen(tree->text);
    if (is_bounded(option) && length < (size_t)option->min) {
        fault_add_at(faults, tree, "%s must not be empty", option->name);
        return false;
    }
    if (is_bounded(option) && length > (size_t)option->max) {
        fault_add_at(faults, tree, "%s has %zu bytes: write at most %lld", option->name, length,
                     (long long)option->max);
        return false;
    }
    *(char **)member = mem_strdup(tree->text);
    return true;
}

static bool read_path(const struct option *option, const struct option_tree *tree, void *member,
                      struct faults *faults)
{
    char is[SHOWN_SIZE];

    if (tree->type == TREE_TEXT && tree->text[0] != '/') {
        fault_add_at(faults, tree, "%s must be an absolute path, which begins with \"/\", not %s",
                     option->name, shown(is, tree));
        return false;
    }
    return read_text(option, tree, member, faults);
}

static bool read_url(const struct option *option, const struct option_tree *tree, void *member,
                     struct faults *faults)
{
    static const char *const schemes[] = { "http://", "https://", "http+unix://" };
    char is[SHOWN_SIZE];

    if (tree->type != TREE_TEXT)
        return wrong_type(option, tree, faults);
    for (size_t i = 0; i < LENGTH(schemes); i++) {
        size_t length = strlen(schemes[i]);

        if (strncmp(tree->text, schemes[i], length) == 0 && tree->text[length])
            return read_text(option, tree, member, faults);
    }
    fault_add_at(faults, tree, "%s must begin with http://, https:// or http+unix://, not be %s",
                 option->name, shown(is, tree));
    return false;
}

static bool read_name(const struct option *option, const struct option_tree *tree, void *member,
                      struct faults *faults)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
    char is[SHOWN_SIZE];
    size_t length;

    if (tree->type != TREE_TEXT)
        return wrong_type(option, tree, faults);
    length = strlen(tree->text);
    if (length < 1 || length > 32 || strspn(tree->text, letters) != length ||
        strchr("_-", tree->text[0])) {
        fault_add_at(faults, tree,
                     "%s %s: write 1 to 32 of a-z, 0-9, _ and -, beginning with a letter or digit",
                     option->name, shown(is, tree));
        return false;
    }
    *(char **)member = mem_strdup(tree->text);
    return true;
}

static bool read_uint(const struct option *option, const struct option_tree *tree, void *member,
                      struct faults *faults)
{
    int64_t least = option->min, most = is_bounded(option) ? option->max : UINT32_MAX;

    if (tree->type != TREE_INTEGER)
        return wrong_type(option, tree, faults);
    if (tree->integer < least || tree->integer > most) {
        fault_add_at(faults, tree, "%s must be from %lld to %lld, not %s", option->name,
                     (long long)least, (long long)most, tree->text);
        return false;
    }
    *(uint32_t *)member = (uint32_t)tree->integer;
    return true;
}

static bool read_bool(const struct option *option, const struct option_tree *tree, void *member,
                      struct faults *faults)
{
    if (tree->type != TREE_BOOL)
        return wrong_type(option, tree, faults);
    *(bool *)member = tree->integer != 0;
    return true;
}

static bool read_span(const struct option *option, const struct option_tree *tree, void *member,
                      struct faults *faults)
{
    char is[SHOWN_SIZE], least[SPAN_SIZE], most[SPAN_SIZE];
    int64_t ms;

    if (tree->type != TREE_TEXT)
        return wrong_type(option, tree, faults);
    if (!span_parse(tree->text, &ms)) {
        fault_add_at(faults, tree,
                     "%s %s is no span of time: write \"90s\", \"10min\", \"1h 30min\" or \"7d\"",
                     option->name, shown(is, tree));
        return false;
    }
    if (is_bounded(option) && (ms < option->min || ms > option->max)) {
        fault_add_at(faults, tree, "%s must be from %s to %s, not %s", option->name,
                     span_format(least, option->min), span_format(most, option->max),
                     shown(is, tree));
        return false;
    }
    *(int64_t *)member = ms;
    return true;
}

static bool read_choice(const struct option *option, const struct option_tree *tree, void *member,
                        struct faults *faults)
{
    char is[SHOWN_SIZE], hint[CONF_HINT_SIZE];

    if (tree->type != TREE_TEXT)
        return wrong_type(option, tree, faults);
    for (int i = 0; option->choices[i]; i++) {
        if (strcmp(option->choices[i], tree->text) == 0) {
            *(int *)member = i;
            return true;
        }
    }
    fault_add_at(faults, tree, "%s cannot be %s: %s", option->name, shown(is, tree),
                 conf_hint(hint, tree->text, option->choices));
    return false;
}

static bool read_texts(const struct option *option, const struct option_tree *tree, void *member,
                       struct faults *faults)
{
    struct option_texts *texts = member;
    bool good = true;

    if (tree->type != TREE_LIST)
        return wrong_type(option, tree, faults);
    for (size_t i = 0; i < tree->child_count; i++) {
        if (tree->children[i]->type != TREE_TEXT)
            good = wrong_type(option, tree->children[i], faults);
    }
    if (!good)
        return false;
    *texts = (struct option_texts){ 0 };
    texts->items = mem_realloc_array(NULL, tree->child_count, sizeof *texts->items);
    for (; texts->count < tree->child_count; texts->count++)
        texts->items[texts->count] = mem_strdup(tree->children[texts->count]->text);
    return true;
}

static bool read_tree(const struct option *option, const struct option_tree *tree, void *member,
                      struct faults *faults)
{
    if (tree->type != TREE_GROUP && tree->type != TREE_LIST)
        return wrong_type(option, tree, faults);
    *(struct option_tree **)member = conf_tree_copy(tree);
    return true;
}

static bool read_any(const struct option *option, const struct option_tree *tree, void *member,
                     struct faults *faults)
{
    (void)option;
    (void)faults;
    *(struct option_tree **)member = conf_tree_copy(tree);
    return true;
}

/* A fraction that somebody wrote as a text or in per cent still says which one is meant. */
static bool wrong_rate(const struct option *option, const struct option_tree *tree,
                       struct faults *faults)
{
    char is[SHOWN_SIZE];
    char *rest = NULL;
    double value = tree->type == TREE_TEXT ? strtod(tree->text, &rest) : tree->real;

    if (tree->type == TREE_TEXT && (rest == tree->text || (*rest && strcmp(rest, "%") != 0)))
        value = 98;
    if ((rest && *rest == '%') || value > 1)
        value /= 100;
    if (!(value >= 0 && value <= 1))
        value = 0.98;
    fault_add_at(faults, tree, "%s is a fraction: write %.4g, not %s", option->name, value,
                 shown(is, tree));
    return false;
}

/* Exact: a double is the nearest to a decimal of four places or it is not. */
static bool read_rate(const struct option *option, const struct option_tree *tree, void *member,
                      struct faults *faults)
{
    int32_t e4;

    if ((tree->type != TREE_INTEGER && tree->type != TREE_REAL) ||
        !(tree->real >= 0 && tree->real <= 1)) {
        if (tree->type == TREE_GROUP || tree->type == TREE_LIST || tree->type == TREE_BOOL)
            return wrong_type(option, tree, faults);
        return wrong_rate(option, tree, faults);
    }
    e4 = (int32_t)(tree->real * 10000 + 0.5);
    if (e4 / 10000.0 != tree->real) {
        fault_add_at(faults, tree, "%s has at most four decimals: write %.4f, not %s",
                     option->name, tree->real, tree->text);
        return false;
    }
    *(int32_t *)member = e4;
    return true;
}

static bool read_date(const struct option *option, const struct option_tree *tree, void *member,
                      struct faults *faults)
{
    char is[SHOWN_SIZE], midnight[32];
    int64_t at;

    if (tree->type != TREE_TEXT)
        return wrong_type(option, tree, faults);
    (void)snprintf(midnight, sizeof midnight, "%.20sT00:00:00Z", tree->text);
    if (!instant_parse(midnight, strlen(midnight), &at)) {
        fault_add_at(faults, tree, "%s %s is no date: write \"2026-01-31\"", option->name,
                     shown(is, tree));
        return false;
    }
    *(int32_t *)member = (int32_t)(at / 86400000);
    return true;
}

/* `10` is as good as `10.0`: only libconfig tells them apart. */
static bool read_real(const struct option *option, const struct option_tree *tree, void *member,
                      struct faults *faults)
{
    if (tree->type != TREE_INTEGER && tree->type != TREE_REAL)
        return wrong_type(option, tree, faults);
    if (is_bounded(option) &&
        !(tree->real >= (double)option->min && tree->real <= (double)option->max)) {
        fault_add_at(faults, tree, "%s must be from %lld to %lld, not %s", option->name,
                     (long long)option->min, (long long)option->max, tree->text);
        return false;
    }
    *(double *)member = tree->real;
    return true;
}

bool conf_read_value(const struct option *option, const struct option_tree *tree, void *member,
                     struct faults *faults)
{
    assert(option->type > OPTION_END && (size_t)option->type < LENGTH(types));
    return types[option->type].read(option, tree, member, faults);
}

/* The fallback is read as if it stood in the file, so that a table cannot promise what a person
 * could not write. */
static void fall_back(const struct option *option, void *member)
{
    char text[512];
    struct option_tree tree = { .type = TREE_TEXT, .text = text };
    struct faults none = { 0 };
    bool good;

    if (!option->fallback)
        return;
    text_set(text, sizeof text, option->fallback);
    if (option->type == OPTION_UINT) {
        tree.type = TREE_INTEGER;
        tree.integer = strtoll(text, NULL, 10);
    } else if (option->type == OPTION_RATE || option->type == OPTION_REAL) {
        tree.type = TREE_REAL;
        tree.real = strtod(text, NULL);
    } else if (option->type == OPTION_BOOL) {
        tree.type = TREE_BOOL;
        tree.integer = strcmp(text, "true") == 0;
    }
    good = conf_read_value(option, &tree, member, &none);
    assert(good);
}

void conf_read_known(const struct option_tree *group, const char *what,
                     const struct conf_part *part, struct faults *faults)
{
    for (const struct option *o = part->options; o->name; o++) {
        const struct option_tree *tree = option_tree_get(group, o->name);
        void *member = (char *)part->config + o->offset;
        char better[SHOWN_SIZE];

        if (tree && conf_read_value(o, tree, member, faults))
            continue;
        if (!tree && o->required)
            fault_add_at(faults, group, "%s needs %s: add %s = %s;", what, o->name, o->name,
                         sample(better, o));
        fall_back(o, member);
    }
}

/* Every name of every part, ending with NULL; free with free(). */
static const char **names_of(const struct conf_part *parts, size_t part_count)
{
    const char **names = NULL;
    size_t count = 0;

    for (size_t i = 0; i < part_count; i++) {
        for (const struct option *o = parts[i].options; o->name; o++) {
            names = mem_realloc_array(names, count + 2, sizeof *names);
            names[count++] = o->name;
        }
    }
    assert(names);
    names[count] = NULL;
    return names;
}

static bool is_among(const char *name, const char *const *names)
{
    while (*names && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

static void refuse_unknown(const struct option_tree *group, const char *what,
                           const char *const *names, struct faults *faults)
{
    for (size_t i = 0; i < group->child_count; i++) {
        const struct option_tree *child = group->children[i];
        char hint[CONF_HINT_SIZE];

        if (!is_among(child->name, names))
            fault_add_at(faults, child, "%s has no setting \"%s\": %s", what, child->name,
                         conf_hint(hint, child->name, names));
    }
}

void conf_read(const struct option_tree *group, const char *what, const struct conf_part *parts,
               size_t part_count, struct faults *faults)
{
    const char **names = names_of(parts, part_count);

    if (group && group->type == TREE_GROUP)
        refuse_unknown(group, what, names, faults);
    for (size_t i = 0; i < part_count; i++)
        conf_read_known(group, what, &parts[i], faults);
    free(names);
}

void conf_read_one(const struct option_tree *group, const char *what,
                   const struct option *options, void *config, struct faults *faults)
{
    const struct conf_part part = { options, config };

    conf_read(group, what, &part, 1, faults);
}

void conf_read_list(const struct option_tree *list, const char *what,
                    void (*each)(void *arg, const struct option_tree *group), void *arg,
                    struct faults *faults)
{
    if (!list)
        return;
    if (list->type != TREE_LIST) {
        fault_add_at(faults, list, "%s is a list of groups: write %s = ( { ... }, { ... } );",
                     list->name ? list->name : what, list->name ? list->name : what);
        return;
    }
    for (size_t i = 0; i < list->child_count; i++) {
        char is[SHOWN_SIZE];

        if (list->children[i]->type == TREE_GROUP)
            each(arg, list->children[i]);
        else
            fault_add_at(faults, list->children[i], "%s is a group: write { ... }, not %s", what,
                         shown(is, list->children[i]));
    }
}
