/* A configuration that was in force before, from the canonical text that the ledger keeps of it: as
 * much of it as says how things were counted. The text becomes the tree that a file would have
 * given, so that the tables and checks of the KPIs read it like any other. */
#include "config/conf_private.h"

#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_tree.h>

#include "base/mem.h"

static struct option_tree *new_tree(enum option_tree_type type, const char *name, size_t length)
{
    struct option_tree *tree = mem_zalloc(sizeof *tree);

    tree->type = type;
    tree->name = mem_printf("%.*s", (int)length, name);
    tree->file = mem_strdup("the recorded configuration");
    return tree;
}

/* A text is quoted as in JSON; spans, dates and numbers stand as they are. */
static void fill_value(struct option_tree *tree, const char *value)
{
    yajl_val json = value[0] == '"' ? yajl_tree_parse(value, NULL, 0) : NULL;
    char *rest;

    tree->text = mem_strdup(json && YAJL_IS_STRING(json) ? json->u.string : value);
    yajl_tree_free(json);
    tree->integer = strtoll(value, &rest, 10);
    tree->real = (double)tree->integer;
    tree->type = rest != value && !*rest ? TREE_INTEGER : TREE_TEXT;
}

/* The group of that name in `tree`, made if it is not there. */
static struct option_tree *group_in(struct option_tree *tree, const char *name, size_t length)
{
    struct option_tree *group;

    for (size_t i = 0; i < tree->child_count; i++) {
        group = tree->children[i];
        if (strncmp(group->name, name, length) == 0 && !group->name[length])
            return group;
    }
    group = new_tree(TREE_GROUP, name, length);
    option_tree_add(tree, group);
    return group;
}

/* A line's setting at its place below `tree`: a group for each name but the last of its path. */
static void add_setting(struct option_tree *tree, const char *path, const char *value)
{
    const char *dot;

    for (; (dot = strchr(path, '.')) != NULL; path = dot + 1)
        tree = group_in(tree, path, (size_t)(dot - path));
    option_tree_add(tree, new_tree(TREE_TEXT, path, strlen(path)));
    fill_value(tree->children[tree->child_count - 1], value);
}

/* What a KPI is held against and who watches decides no count; a span that was not given is
 * written as 0. */
static bool decides_counts(const char *path, const char *value)
{
    static const char *const others[] = { ".targets", ".plans", ".sources" };
    const char *setting = strchr(path, '.');

    for (size_t i = 0; setting && i < LENGTH(others); i++)
        if (strncmp(setting, others[i], strlen(others[i])) == 0)
            return false;
    return setting != NULL && strcmp(value, "0") != 0;
}

/* "kpis.ID.SETTING = VALUE", a line each; all else is left out. Gives. */
static struct option_tree *kpis_of(const char *canonical)
{
    static const char prefix[] = "kpis.";
    struct option_tree *kpis = new_tree(TREE_LIST, "kpis", 4);
    char *text = mem_strdup(canonical), *next = text, *line;

    while ((line = strsep(&next, "\n")) != NULL) {
        char *value = strstr(line, " = ");

        if (!value || strncmp(line, prefix, strlen(prefix)) != 0)
            continue;
        *value = '\0';
        value += strlen(" = ");
        if (decides_counts(line + strlen(prefix), value))
            add_setting(kpis, line + strlen(prefix), value);
    }
    free(text);
    return kpis;
}

struct rules *conf_recorded_rules(const char *canonical, struct faults *faults)
{
    struct faults own = { 0 };
    struct conf_loader loader = { .conf = mem_zalloc(sizeof(struct conf)),
                                  .faults = faults ? faults : &own };
    struct option_tree *kpis = kpis_of(canonical);
    size_t before = loader.faults->count;
    struct rules *rules = NULL;

    conf_read_kpis(&loader, kpis);
    if (loader.faults->count == before)
        rules = rules_copy(&loader.conf->rules);
    faults_finish(&own);
    free(loader.kpi_places);
    text_buffer_finish(&loader.canonical);
    option_tree_destroy(kpis);
    conf_destroy(loader.conf);
    return rules;
}
