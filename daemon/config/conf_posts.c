/* `posts`: who answers for which KPIs, in which scope. */
#include "config/conf_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "kpi/event.h"
#include "kpi/scope.h"

struct settings {
    char *id;
    struct option_tree *name;
    char *scope;
    struct option_tree *kpis;
    struct option_tree *holders;
};

const struct option conf_post_options[] = {
    { .name = "id", .type = OPTION_TEXT, .offset = offsetof(struct settings, id),
      .required = true, .min = 1, .max = KPI_ID_SIZE - 1, .help = "of the post, for programs" },
    { .name = "name", .type = OPTION_TREE, .offset = offsetof(struct settings, name),
      .help = "group { zh; en; }: for people; without it the id" },
    { .name = "scope", .type = OPTION_TEXT, .offset = offsetof(struct settings, scope),
      .fallback = "company", .help = "whose figures the post answers for" },
    { .name = "kpis", .type = OPTION_TREE, .offset = offsetof(struct settings, kpis),
      .required = true, .help = "list of ids, or of { id; weight; }" },
    { .name = "holders", .type = OPTION_TREE, .offset = offsetof(struct settings, holders),
      .help = "list of { name; user; from; until; }: who held it when" },
    { 0 },
};

struct post_kpi_settings {
    char *id;
    uint32_t weight;
};

const struct option conf_post_kpi_options[] = {
    { .name = "id", .type = OPTION_TEXT, .offset = offsetof(struct post_kpi_settings, id),
      .required = true, .help = "of the KPI" },
    { .name = "weight", .type = OPTION_UINT, .offset = offsetof(struct post_kpi_settings, weight),
      .required = true, .min = 1, .max = 100, .help = "whole per cent; together 100" },
    { 0 },
};

struct holder_settings {
    char *name;
    char *user;
    int32_t from_day;
    int32_t until_day;          /* 0: still */
};

const struct option conf_holder_options[] = {
    { .name = "name", .type = OPTION_TEXT, .offset = offsetof(struct holder_settings, name),
      .required = true, .min = 1, .max = NAME_SIZE - 1, .help = "of the person" },
    { .name = "user", .type = OPTION_TEXT, .offset = offsetof(struct holder_settings, user),
      .min = 1, .max = NAME_SIZE - 1,
      .help = "their login name, so that their own amendments are told apart" },
    { .name = "from", .type = OPTION_DATE, .offset = offsetof(struct holder_settings, from_day),
      .required = true, .help = "the first day in the post" },
    { .name = "until", .type = OPTION_DATE, .offset = offsetof(struct holder_settings, until_day),
      .help = "the first day no longer in it; without it: still" },
    { 0 },
};

/* One post being read. */
struct post_read {
    struct conf_loader *loader;
    const struct option_tree *section;
    struct appraised_post *post;
    uint32_t weights;           /* their sum */
};

static void check_kpi(struct post_read *r, const struct option_tree *place, const char *id)
{
    const struct rules *rules = &r->loader->conf->rules;
    const char **ids = mem_realloc_array(NULL, rules->kpi_count + 1, sizeof *ids);
    char hint[CONF_HINT_SIZE];

    for (size_t i = 0; i < rules->kpi_count; i++)
        ids[i] = rules->kpis[i].id;
    ids[rules->kpi_count] = NULL;
    if (!rules_kpi(rules, id))
        fault_add_at(r->loader->faults, place, "there is no KPI \"%s\": %s", id,
                     conf_hint(hint, id, ids));
    for (size_t i = 0; i < r->post->kpi_count; i++) {
        if (strcmp(r->post->kpis[i].id, id) == 0)
            fault_add_at(r->loader->faults, place, "KPI \"%s\" is named twice", id);
    }
    free(ids);
}

static void add_kpi(struct post_read *r, const struct option_tree *place, const char *id,
                    uint32_t weight)
{
    struct appraised_post *post = r->post;
    struct post_kpi kpi = { .weight = (int32_t)weight };

    check_kpi(r, place, id);
    /* An id that is too long is no KPI's, and that was said. */
    if (!text_copy(kpi.id, sizeof kpi.id, id, strlen(id)))
        return;
    post->kpis = mem_realloc_array(post->kpis, post->kpi_count + 1, sizeof *post->kpis);
    post->kpis[post->kpi_count++] = kpi;
    r->weights += weight;
    text_buffer_addf(&r->loader->canonical, "posts.%s.kpis.%06zu = \"%s\" %u\n", post->id,
                     post->kpi_count, id, weight);
}

static void read_weighted(struct post_read *r, const struct option_tree *group)
{
    struct post_kpi_settings settings = { 0 };

    conf_read_one(group, "a KPI of a post", conf_post_kpi_options, &settings, r->loader->faults);
    if (settings.id)
        add_kpi(r, group, settings.id, settings.weight);
    option_finish(conf_post_kpi_options, &settings);
}

static void read_kpis(struct post_read *r, const struct option_tree *list)
{
    size_t groups = 0;

    for (size_t i = 0; i < list->child_count; i++) {
        const struct option_tree *child = list->children[i];

        if (list->type == TREE_LIST && child->type == TREE_TEXT) {
            add_kpi(r, child, child->text, 0);
        } else if (list->type == TREE_LIST && child->type == TREE_GROUP) {
            read_weighted(r, child);
            groups++;
        } else {
            fault_add_at(r->loader->faults, child,
                         "kpis of a post is a list of ids: write [ \"install_success\" ]");
        }
    }
    if (!list->child_count)
        fault_add_at(r->loader->faults, list, "kpis of a post is empty: name at least one KPI");
    else if (groups && groups < list->child_count)
        fault_add_at(r->loader->faults, list, "either all KPIs of a post have a weight or none");
    else if (groups && r->weights != 100)
        fault_add_at(r->loader->faults, list, "the weights of a post sum up to 100, not to %u",
                     r->weights);
}

static void add_holder(struct appraised_post *post, const struct holder_settings *settings)
{
    struct holder holder = { .from_day = settings->from_day, .until_day = settings->until_day };

    if (settings->name)
        text_set(holder.name, sizeof holder.name, settings->name);
    if (settings->user)
        text_set(holder.user, sizeof holder.user, settings->user);
    post->holders =
        mem_realloc_array(post->holders, post->holder_count + 1, sizeof *post->holders);
    post->holders[post->holder_count++] = holder;
}

static void read_holder(void *arg, const struct option_tree *group)
{
    struct post_read *r = arg;
    struct holder_settings settings = { 0 };
    char *path;

    conf_read_one(group, "a holder", conf_holder_options, &settings, r->loader->faults);
    if (settings.until_day && settings.until_day <= settings.from_day)
        fault_add_at(r->loader->faults, conf_place(group, "until"),
                     "until must come after from: it is the first day no longer in the post");
    path = mem_printf("posts.%s.holders.%06zu", r->post->id, r->post->holder_count);
    conf_write(&r->loader->canonical, path, conf_holder_options, &settings);
    free(path);
    add_holder(r->post, &settings);
    option_finish(conf_holder_options, &settings);
}

static void fill_post(struct post_read *r, const struct settings *settings)
{
    struct conf_loader *loader = r->loader;
    struct appraised_post *post = r->post;
    char is[96];

    if (settings->id && event_kind_is_valid(settings->id, strlen(settings->id)))
        text_set(post->id, sizeof post->id, settings->id);
    else if (settings->id)
        fault_add_at(loader->faults, conf_place(r->section, "id"),
                     "id %s: write a-z, 0-9, _ and -, beginning with a letter",
                     text_quote(is, sizeof is, settings->id, strlen(settings->id)));
    if (scope_is_valid(settings->scope))
        text_set(post->scope, sizeof post->scope, settings->scope);
    else
        fault_add_at(loader->faults, conf_place(r->section, "scope"),
                     "there is no scope \"%s\": write \"company\", \"site:X\", \"department:X\", "
                     "\"staff:X\" or \"model:X\"", settings->scope);
    conf_read_display_name(loader, "posts", settings->name, post->id, post->name_zh,
                           post->name_en);
    if (settings->kpis)
        read_kpis(r, settings->kpis);
    conf_read_list(settings->holders, "a holder", read_holder, r, loader->faults);
}

static void write_post(struct post_read *r, const struct settings *settings)
{
    struct settings flat = *settings;
    char *path = mem_printf("posts.%s", r->post->id);

    flat.name = flat.kpis = flat.holders = NULL;
    conf_write(&r->loader->canonical, path, conf_post_options, &flat);
    free(path);
}

static void read_post(void *arg, const struct option_tree *section)
{
    struct conf_loader *loader = arg;
    struct rules *rules = &loader->conf->rules;
    struct settings settings = { 0 };
    struct appraised_post post = { 0 };
    struct post_read r = { .loader = loader, .section = section, .post = &post };

    conf_read_one(section, "a post", conf_post_options, &settings, loader->faults);
    fill_post(&r, &settings);
    write_post(&r, &settings);
    for (size_t i = 0; i < rules->post_count; i++) {
        if (post.id[0] && strcmp(rules->posts[i].id, post.id) == 0)
            conf_refuse_twice(loader, "post", post.id, conf_place(section, "id"),
                              loader->post_places[i]);
    }
    option_finish(conf_post_options, &settings);

    rules->posts = mem_realloc_array(rules->posts, rules->post_count + 1, sizeof *rules->posts);
    loader->post_places = mem_realloc_array(loader->post_places, rules->post_count + 1,
                                            sizeof *loader->post_places);
    loader->post_places[rules->post_count] = section;
    rules->posts[rules->post_count++] = post;
}

void conf_read_posts(struct conf_loader *loader, const struct option_tree *list)
{
    conf_read_list(list, "a post", read_post, loader, loader->faults);
}
