/* The bench: `profiles` say what a device must show, `slots` (conf_slots.c) which
 * devices stand where. */
#include "config/conf_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/span.h"

const char *const bench_role_names[] = { "led", "gps", "terminal", NULL };

/* --- bench */

struct bench_settings {
    char *source;
};

const struct option conf_bench_options[] = {
    { .name = "source", .type = OPTION_NAME, .offset = offsetof(struct bench_settings, source),
      .fallback = "bench", .help = "of the events that it emits" },
    { 0 },
};

void conf_read_bench(struct conf_loader *loader, const struct option_tree *group)
{
    struct bench_settings settings = { 0 };
    const struct conf *conf = loader->conf;

    if (group && !conf_is_group(group, "bench", loader->faults))
        group = NULL;
    conf_read_one(group, "bench", conf_bench_options, &settings, loader->faults);
    for (size_t i = 0; i < conf->source_count; i++) {
        if (strcmp(conf->sources[i].name, settings.source) == 0)
            fault_add_at(loader->faults, group ? conf_place(group, "source") : conf->sources[i].tree,
                         "source \"%s\" is one of the inputs already, and the bench's events need "
                         "one of their own: write bench = { source = \"...\"; };", settings.source);
    }
    if (strcmp(settings.source, "kpid") == 0)
        fault_add_at(loader->faults, conf_place(group, "source"),
                     "source \"kpid\" is the daemon's own: call the bench's otherwise");
    text_set(loader->conf->bench_source, INPUT_SIZE, settings.source);
    conf_write(&loader->canonical, "bench", conf_bench_options, &settings);
    option_finish(conf_bench_options, &settings);
}

/* --- profiles */

struct check_settings {
    char *name;
    int of;
    char *act;
    char *argument;
    char *point;
    struct option_tree *min, *max, *equals, *one_of;
    int64_t hold_ms, within_ms;
};

#define AT(member) .offset = offsetof(struct check_settings, member)

const struct option conf_check_options[] = {
    { .name = "name", .type = OPTION_TEXT, AT(name), .required = true, .min = 1,
      .max = CHECK_SIZE - 1, .help = "of the check, as the technician reads it" },
    { .name = "of", .type = OPTION_CHOICE, AT(of), .required = true, .choices = bench_role_names,
      .help = "which of the slot's devices" },
    { .name = "point", .type = OPTION_TEXT, AT(point), .min = 1, .max = POINT_SIZE - 1,
      .help = "the reading that decides; kpictl bench --json shows what there is" },
    { .name = "act", .type = OPTION_TEXT, AT(act),
      .help = "what the device is told to do first: self_test, show, show_all, brightness, text, "
              "night, reset or locate" },
    { .name = "argument", .type = OPTION_TEXT, AT(argument), .max = 32, .help = "of the act" },
    { .name = "min", .type = OPTION_ANY, AT(min), .help = "the least that is good" },
    { .name = "max", .type = OPTION_ANY, AT(max), .help = "the most that is good" },
    { .name = "equals", .type = OPTION_ANY, AT(equals),
      .help = "a number or a text: what alone is good" },
    { .name = "one_of", .type = OPTION_ANY, AT(one_of),
      .help = "list of numbers or texts: each is good" },
    { .name = "hold", .type = OPTION_SPAN, AT(hold_ms), .fallback = "0s", .max = SPAN_DAY,
      .help = "for so long without a break" },
    { .name = "within", .type = OPTION_SPAN, AT(within_ms), .min = SPAN_SECOND, .max = SPAN_DAY,
      .help = "after the session began, or the act's turn came; without it the profile's timeout" },
    { 0 },
};

#undef AT

struct profile_settings {
    char *name;
    char *model;
    int64_t timeout_ms;
    struct option_tree *checks;
};

#define AT(member) .offset = offsetof(struct profile_settings, member)

const struct option conf_profile_options[] = {
    { .name = "name", .type = OPTION_NAME, AT(name), .required = true,
      .help = "of the profile" },
    { .name = "model", .type = OPTION_TEXT, AT(model), .max = NAME_SIZE - 1,
      .help = "of the devices that it is for; without it for any" },
    { .name = "timeout", .type = OPTION_SPAN, AT(timeout_ms), .fallback = "5min",
      .min = SPAN_SECOND, .max = SPAN_DAY, .help = "after which a session has failed" },
    { .name = "checks", .type = OPTION_TREE, AT(checks), .required = true,
      .help = "list of the checks, in order" },
    { 0 },
};

#undef AT

struct profile_read {
    struct conf_loader *loader;
    struct conf_profile profile;
};

static const char *const acts[] = { COMMAND_SELF_TEST, COMMAND_SHOW, BENCH_SHOW_ALL,
                                    COMMAND_BRIGHTNESS, COMMAND_TEXT, COMMAND_NIGHT, COMMAND_RESET,
                                    COMMAND_LOCATE, NULL };

static bool is_among(const char *name, const char *const *names)
{
    while (*names && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

static bool is_number(const struct option_tree *tree)
{
    return tree->type == TREE_INTEGER || tree->type == TREE_REAL;
}

static bool read_bound(struct conf_loader *loader, const struct option_tree *tree, double *ret)
{
    if (!tree)
        return false;
    if (is_number(tree)) {
        *ret = tree->real;
        return true;
    }
    fault_add_at(loader->faults, tree, "%s is a number: write %s = 11000;", tree->name, tree->name);
    return false;
}

static void read_allowed(struct conf_loader *loader, const struct option_tree *tree,
                         const char *what, struct conf_check *check)
{
    struct conf_value *value = &check->allowed[check->allowed_count];

    if (check->allowed_count == CHECK_VALUES) {
        fault_add_at(loader->faults, tree, "%s has more than %d values", what, CHECK_VALUES);
        return;
    }
    if (is_number(tree))
        *value = (struct conf_value){ .number = tree->real };
    else if (tree->type == TREE_TEXT && strlen(tree->text) < sizeof value->text)
        *value = (struct conf_value){ .is_text = true };
    else {
        fault_add_at(loader->faults, tree, "%s is a number or a text of at most %zu bytes", what,
                     sizeof value->text - 1);
        return;
    }
    if (value->is_text)
        text_set(value->text, sizeof value->text, tree->text);
    check->allowed_count++;
}

static void read_one_of(struct conf_loader *loader, const struct option_tree *list,
                        struct conf_check *check)
{
    if (list->type != TREE_LIST || list->child_count == 0) {
        fault_add_at(loader->faults, list, "one_of is a list: write one_of = [ 1, 2, 4 ];");
        return;
    }
    for (size_t i = 0; i < list->child_count; i++)
        read_allowed(loader, list->children[i], "a value of one_of", check);
}

static void check_act(struct conf_loader *loader, const struct option_tree *group,
                      const struct check_settings *s)
{
    char hint[CONF_HINT_SIZE];

    if (s->act && !is_among(s->act, acts))
        fault_add_at(loader->faults, conf_place(group, "act"), "there is no act \"%s\": %s", s->act,
                     conf_hint(hint, s->act, acts));
    if (!s->act && !s->point)
        fault_add_at(loader->faults, group,
                     "a check needs a point to look at, or an act: add point = \"...\";");
    if (s->argument && !s->act)
        fault_add_at(loader->faults, conf_place(group, "argument"),
                     "argument belongs to an act: add act = \"show\"; or take it out");
    if (!s->point && (s->min || s->max || s->equals || s->one_of))
        fault_add_at(loader->faults, group, "a limit needs a point: add point = \"...\";");
}

static void check_limits(struct conf_loader *loader, const struct option_tree *group,
                         const struct check_settings *s, const struct conf_check *check)
{
    if (check->has_min && check->has_max && check->min > check->max)
        fault_add_at(loader->faults, conf_place(group, "min"),
                     "min is above max: no value would be good");
    if ((s->equals && s->one_of) || ((s->equals || s->one_of) && (s->min || s->max)))
        fault_add_at(loader->faults, group,
                     "write either min and max, or equals, or one_of: one of them says it");
    if (s->within_ms && s->hold_ms >= s->within_ms)
        fault_add_at(loader->faults, conf_place(group, "hold"),
                     "hold is as long as within: it could never hold in time");
}

static void fill_check(struct conf_loader *loader, const struct option_tree *group,
                       const struct check_settings *s, struct conf_check *check)
{
    check->of = (enum bench_role)s->of;
    check->hold_ms = s->hold_ms;
    check->within_ms = s->within_ms;
    text_set(check->name, sizeof check->name, s->name ? s->name : "");
    text_set(check->point, sizeof check->point, s->point ? s->point : "");
    text_set(check->argument, sizeof check->argument, s->argument ? s->argument : "");
    if (s->act && is_among(s->act, acts))
        text_set(check->act, sizeof check->act, s->act);
    check->has_min = read_bound(loader, s->min, &check->min);
    check->has_max = read_bound(loader, s->max, &check->max);
    if (s->equals)
        read_allowed(loader, s->equals, "equals", check);
    if (s->one_of)
        read_one_of(loader, s->one_of, check);
    check_act(loader, group, s);
    check_limits(loader, group, s, check);
}

static void read_check(void *arg, const struct option_tree *group)
{
    struct profile_read *r = arg;
    struct conf_profile *p = &r->profile;
    struct check_settings settings = { 0 };
    struct conf_check check = { 0 };
    char *path = mem_printf("profiles.%s.checks.%06zu", p->name, p->check_count);

    conf_read_one(group, "a check", conf_check_options, &settings, r->loader->faults);
    fill_check(r->loader, group, &settings, &check);
    for (size_t i = 0; i < p->check_count; i++) {
        if (strcmp(p->checks[i].name, check.name) == 0)
            fault_add_at(r->loader->faults, conf_place(group, "name"),
                         "a second check of that profile is called \"%s\": a failed session names "
                         "its checks", check.name);
    }
    if (check.within_ms > p->timeout_ms)
        fault_add_at(r->loader->faults, conf_place(group, "within"),
                     "within is longer than the profile's timeout");
    conf_write(&r->loader->canonical, path, conf_check_options, &settings);
    free(path);
    option_finish(conf_check_options, &settings);
    p->checks = mem_realloc_array(p->checks, p->check_count + 1, sizeof *p->checks);
    p->checks[p->check_count++] = check;
}

static void write_profile(struct conf_loader *loader, const struct profile_settings *settings)
{
    struct profile_settings flat = *settings;
    char *path = mem_printf("profiles.%s", settings->name ? settings->name : "");

    flat.checks = NULL;
    conf_write(&loader->canonical, path, conf_profile_options, &flat);
    free(path);
}

static void read_profile(void *arg, const struct option_tree *section)
{
    struct conf_loader *loader = arg;
    struct conf *conf = loader->conf;
    struct profile_settings settings = { 0 };
    struct profile_read r = { .loader = loader };
    struct conf_profile *p = &r.profile;

    conf_read_one(section, "a profile", conf_profile_options, &settings, loader->faults);
    text_set(p->name, sizeof p->name, settings.name ? settings.name : "");
    text_set(p->model, sizeof p->model, settings.model ? settings.model : "");
    p->timeout_ms = settings.timeout_ms;
    conf_read_list(settings.checks, "a check", read_check, &r, loader->faults);
    if (settings.checks && (p->check_count == 0 || p->check_count > CHECKS_MAX))
        fault_add_at(loader->faults, conf_place(section, "checks"),
                     "a profile has 1 to %d checks, not %zu", CHECKS_MAX, p->check_count);
    for (size_t i = 0; i < conf->profile_count; i++) {
        if (p->name[0] && strcmp(conf->profiles[i].name, p->name) == 0)
            conf_refuse_twice(loader, "profile", p->name, conf_place(section, "name"),
                              loader->profile_places[i]);
    }
    write_profile(loader, &settings);
    option_finish(conf_profile_options, &settings);

    conf->profiles = mem_realloc_array(conf->profiles, conf->profile_count + 1, sizeof *p);
    loader->profile_places = mem_realloc_array(
        loader->profile_places, conf->profile_count + 1, sizeof *loader->profile_places);
    loader->profile_places[conf->profile_count] = section;
    conf->profiles[conf->profile_count++] = *p;
}

void conf_read_profiles(struct conf_loader *loader, const struct option_tree *list)
{
    conf_read_list(list, "a profile", read_profile, loader, loader->faults);
}
