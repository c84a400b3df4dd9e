/* `kpis`: what is counted, how, and against which target. */
#include "config/conf_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/span.h"
#include "kpi/event.h"
#include "kpi/rework.h"
#include "kpi/scope.h"

struct settings {
    char *id;
    char *counts;
    char *department;
    int direction;
    int64_t rework_window_ms;   /* 0: not given; the table allows no 0 */
    int64_t expire_after_ms;
    int64_t confirm_after_ms;
    uint32_t min_sample;
    struct option_tree *name;
    struct option_tree *targets;
    struct option_tree *plans;
    struct option_texts sources;
};

static const char *const directions[] = {
    [DIRECTION_AT_LEAST] = "at_least",
    [DIRECTION_AT_MOST] = "at_most",
    NULL,
};

#define AT(member) .offset = offsetof(struct settings, member)

const struct option conf_kpi_options[] = {
    { .name = "id", .type = OPTION_TEXT, AT(id), .required = true, .min = 1,
      .max = KPI_ID_SIZE - 1, .help = "of the KPI, for programs" },
    { .name = "counts", .type = OPTION_TEXT, AT(counts), .required = true, .min = 1,
      .max = KIND_SIZE - 1, .help = "a kind of ticket, or \"device\" for a fault rate" },
    { .name = "department", .type = OPTION_TEXT, AT(department), .min = 1, .max = NAME_SIZE - 1,
      .help = "of tickets and devices that name none" },
    { .name = "direction", .type = OPTION_CHOICE, AT(direction), .required = true,
      .choices = directions, .help = "at_least: a high rate is good; at_most: a low one" },
    { .name = "rework_window", .type = OPTION_SPAN, AT(rework_window_ms), .min = SPAN_SECOND,
      .max = 366 * SPAN_DAY,
      .help = "a repair of the same device within it makes the earlier job a failure" },
    { .name = "expire_after", .type = OPTION_SPAN, AT(expire_after_ms), .min = SPAN_SECOND,
      .max = 366 * SPAN_DAY, .help = "a ticket not settled by then is a failure" },
    { .name = "confirm_after", .type = OPTION_SPAN, AT(confirm_after_ms), .max = 366 * SPAN_DAY,
      .help = "how long a device's fault must last to count" },
    { .name = "min_sample", .type = OPTION_UINT, AT(min_sample), .fallback = "1", .min = 1,
      .max = 1000000, .help = "with fewer the verdict is too_few" },
    { .name = "name", .type = OPTION_TREE, AT(name),
      .help = "group { zh; en; }: for people; without it the id" },
    { .name = "targets", .type = OPTION_TREE, AT(targets), .help = "list of { from; scope; value; }" },
    { .name = "plans", .type = OPTION_TREE, AT(plans), .help = "list of { year; volume; months; }" },
    { .name = "sources", .type = OPTION_TEXTS, AT(sources),
      .help = "inputs without which nobody was watching (coverage)" },
    { 0 },
};

struct target_settings {
    int32_t from_day;
    char *scope;
    int32_t value_e4;
};

const struct option conf_target_options[] = {
    { .name = "from", .type = OPTION_DATE, .offset = offsetof(struct target_settings, from_day),
      .required = true, .help = "the first day on which it holds" },
    { .name = "scope", .type = OPTION_TEXT, .offset = offsetof(struct target_settings, scope),
      .help = "\"company\", \"site:east\" ...; without it: for all" },
    { .name = "value", .type = OPTION_RATE, .offset = offsetof(struct target_settings, value_e4),
      .required = true, .help = "a fraction of at most four decimals" },
    { 0 },
};

struct plan_settings {
    uint32_t year;
    uint32_t volume;
    struct option_tree *months;
};

const struct option conf_plan_options[] = {
    { .name = "year", .type = OPTION_UINT, .offset = offsetof(struct plan_settings, year),
      .required = true, .min = 1970, .max = 9999, .help = "of the plan" },
    { .name = "volume", .type = OPTION_UINT, .offset = offsetof(struct plan_settings, volume),
      .required = true, .help = "successes in the whole year" },
    { .name = "months", .type = OPTION_TREE, .offset = offsetof(struct plan_settings, months),
      .help = "twelve weights, January first; without it all alike" },
    { 0 },
};

/* One KPI being read. */
struct kpi_read {
    struct conf_loader *loader;
    const struct option_tree *section;
    struct kpi *kpi;
};

static void write_target(struct kpi_read *r, size_t i)
{
    struct target *target = &r->kpi->targets[i];
    const struct target_settings settings = { target->from_day, target->scope, target->value_e4 };
    char *path = mem_printf("kpis.%s.targets.%06zu", r->kpi->id, i);

    conf_write(&r->loader->canonical, path, conf_target_options, &settings);
    free(path);
}

static void check_target(struct kpi_read *r, const struct option_tree *group,
                         const struct target *target)
{
    struct faults *faults = r->loader->faults;

    for (size_t i = 0; i < r->kpi->target_count; i++) {
        if (r->kpi->targets[i].from_day == target->from_day &&
            strcmp(r->kpi->targets[i].scope, target->scope) == 0)
            fault_add_at(faults, group, "a second target of %s from that date for %s%s%s",
                         r->kpi->id, target->scope[0] ? "\"" : "all",
                         target->scope, target->scope[0] ? "\"" : "");
    }
    if (r->kpi->counts_devices && strncmp(target->scope, "staff:", 6) == 0)
        fault_add_at(faults, conf_place(group, "scope"),
                     "a KPI that counts devices has no scope \"staff:...\"");
}

static void read_target(void *arg, const struct option_tree *group)
{
    struct kpi_read *r = arg;
    struct target_settings settings = { .from_day = -1 };   /* which no date is */
    struct target target = { 0 };

    conf_read_one(group, "a target", conf_target_options, &settings, r->loader->faults);
    target.from_day = settings.from_day;
    target.value_e4 = settings.value_e4;
    if (settings.scope && (!scope_is_valid(settings.scope) ||
                           !text_copy(target.scope, sizeof target.scope, settings.scope,
                                      strlen(settings.scope))))
        fault_add_at(r->loader->faults, conf_place(group, "scope"),
                     "there is no scope \"%s\": write \"company\", \"site:X\", \"department:X\", "
                     "\"staff:X\" or \"model:X\"", settings.scope);
    option_finish(conf_target_options, &settings);

    if (target.from_day >= 0)
        check_target(r, group, &target);
    r->kpi->targets = mem_realloc_array(r->kpi->targets, r->kpi->target_count + 1,
                                        sizeof *r->kpi->targets);
    r->kpi->targets[r->kpi->target_count++] = target;
}

static int by_date(const void *a, const void *b)
{
    const struct target *one = a, *other = b;

    if (one->from_day != other->from_day)
        return one->from_day < other->from_day ? -1 : 1;
    return strcmp(one->scope, other->scope);
}

static void read_targets(struct kpi_read *r, const struct option_tree *list)
{
    conf_read_list(list, "a target", read_target, r, r->loader->faults);
    if (r->kpi->target_count)
        qsort(r->kpi->targets, r->kpi->target_count, sizeof *r->kpi->targets, by_date);
    for (size_t i = 0; i < r->kpi->target_count; i++)
        write_target(r, i);
}

/* Twelve weights of which one at least counts; without a list every month weighs the same. */
static void read_months(struct kpi_read *r, const struct option_tree *months, struct plan *plan)
{
    static const struct option weight = { .name = "a month's weight", .type = OPTION_UINT,
                                          .max = 1000000 };
    uint32_t sum = 0;

    for (size_t i = 0; i < LENGTH(plan->weights); i++) {
        uint32_t value = 1;

        if (months && i < months->child_count)
            (void)conf_read_value(&weight, months->children[i], &value, r->loader->faults);
        plan->weights[i] = (int32_t)value;
        sum += value;
    }
    if (months && (months->type != TREE_LIST || months->child_count != LENGTH(plan->weights)))
        fault_add_at(r->loader->faults, months, "months has %zu weights: write twelve, "
                     "January first", months->child_count);
    else if (sum == 0)
        fault_add_at(r->loader->faults, months, "months has no weight above 0");
}

static void read_plan(void *arg, const struct option_tree *group)
{
    struct kpi_read *r = arg;
    struct plan_settings settings = { 0 };
    struct plan plan;
    char *path;

    conf_read_one(group, "a plan", conf_plan_options, &settings, r->loader->faults);
    plan = (struct plan){ .year = (int32_t)settings.year, .volume = settings.volume };
    read_months(r, settings.months, &plan);
    for (size_t i = 0; i < r->kpi->plan_count; i++) {
        if (r->kpi->plans[i].year == plan.year && plan.year)
            fault_add_at(r->loader->faults, group, "a second plan of %s for %d", r->kpi->id,
                         plan.year);
    }
    path = mem_printf("kpis.%s.plans.%d", r->kpi->id, plan.year);
    conf_write(&r->loader->canonical, path, conf_plan_options, &settings);
    free(path);
    option_finish(conf_plan_options, &settings);
    r->kpi->plans =
        mem_realloc_array(r->kpi->plans, r->kpi->plan_count + 1, sizeof *r->kpi->plans);
    r->kpi->plans[r->kpi->plan_count++] = plan;
}

static void read_sources(struct kpi_read *r, const struct option_texts *texts)
{
    const struct conf *conf = r->loader->conf;
    const struct option_tree *place = conf_place(r->section, "sources");
    const char **names = mem_realloc_array(NULL, conf->source_count + 1, sizeof *names);
    struct kpi *kpi = r->kpi;

    for (size_t i = 0; i < conf->source_count; i++)
        names[i] = conf->sources[i].name;
    names[conf->source_count] = NULL;
    kpi->sources = mem_realloc_array(NULL, texts->count, sizeof *kpi->sources);
    for (size_t i = 0; i < texts->count; i++) {
        char hint[CONF_HINT_SIZE];
        size_t k = 0;

        while (names[k] && strcmp(names[k], texts->items[i]) != 0)
            k++;
        if (!names[k]) {
            fault_add_at(r->loader->faults, place, "there is no source \"%s\": %s",
                         texts->items[i], conf_hint(hint, texts->items[i], names));
            continue;
        }
        for (k = 0; k < kpi->source_count; k++) {
            if (strcmp(kpi->sources[k], texts->items[i]) == 0)
                fault_add_at(r->loader->faults, place, "source \"%s\" is named twice",
                             texts->items[i]);
        }
        text_set(kpi->sources[kpi->source_count++], INPUT_SIZE, texts->items[i]);
    }
    free(names);
}

/* Some settings mean something for some kinds only; elsewhere they would be ignored silently. */
static void check_windows(const struct option_tree *section, const struct kpi *kpi,
                          struct faults *faults)
{
    bool devices = kpi->counts_devices;
    const struct {
        const char *name;
        bool allowed;
        const char *belongs_to;
    } rows[] = {
        { "rework_window", rework_links_kind(kpi->counts), "install and repair" },
        { "expire_after", !devices, "tickets, not to devices" },
        { "confirm_after", devices, "devices (counts = \"device\")" },
        { "plans", !devices, "tickets, not to devices" },
    };

    for (size_t i = 0; i < LENGTH(rows); i++) {
        const struct option_tree *tree = option_tree_get(section, rows[i].name);

        if (tree && !rows[i].allowed)
            fault_add_at(faults, tree,
                         "%s belongs to %s: take it out of a KPI that counts \"%s\"",
                         rows[i].name, rows[i].belongs_to, kpi->counts);
    }
}

static void check_twice(struct kpi_read *r)
{
    struct conf_loader *loader = r->loader;
    const struct rules *rules = &loader->conf->rules;
    const struct kpi *kpi = r->kpi;

    for (size_t i = 0; i < rules->kpi_count; i++) {
        const struct kpi *other = &rules->kpis[i];
        const struct option_tree *first = loader->kpi_places[i];

        if (kpi->id[0] && strcmp(other->id, kpi->id) == 0)
            conf_refuse_twice(loader, "KPI", kpi->id, conf_place(r->section, "id"), first);
        else if (kpi->counts[0] && !kpi->counts_devices && strcmp(other->counts, kpi->counts) == 0)
            fault_add_at(loader->faults, conf_place(r->section, "counts"),
                         "\"%s\" is counted by %s at %s:%u already: a kind of ticket belongs to "
                         "one KPI", kpi->counts, other->id, first->file, first->line);
    }
}

/* Copies a name that other files of the house use as a word; false, with a fault, if it is none. */
static void read_word(struct kpi_read *r, const char *name, const char *text, char *to, size_t size)
{
    char is[96];
    size_t length = text ? strlen(text) : 0;

    if (!text)
        return;
    if (event_kind_is_valid(text, length) && text_copy(to, size, text, length))
        return;
    fault_add_at(r->loader->faults, conf_place(r->section, name),
                 "%s %s: write a-z, 0-9, _ and -, beginning with a letter", name,
                 text_quote(is, sizeof is, text, length));
}

static void fill_kpi(struct kpi_read *r, const struct settings *settings)
{
    struct kpi *kpi = r->kpi;

    read_word(r, "id", settings->id, kpi->id, sizeof kpi->id);
    read_word(r, "counts", settings->counts, kpi->counts, sizeof kpi->counts);
    if (strcmp(kpi->counts, "source") == 0)
        fault_add_at(r->loader->faults, conf_place(r->section, "counts"),
                     "counts \"source\": events of that name are the daemon's own");
    kpi->counts_devices = strcmp(kpi->counts, "device") == 0;
    if (settings->department)
        text_set(kpi->department, sizeof kpi->department, settings->department);
    kpi->direction = (enum direction)settings->direction;
    kpi->rework_window_ms = settings->rework_window_ms ? settings->rework_window_ms : SPAN_NONE;
    kpi->expire_after_ms = settings->expire_after_ms ? settings->expire_after_ms : SPAN_NONE;
    kpi->confirm_after_ms = settings->confirm_after_ms;
    kpi->min_sample = settings->min_sample;
    conf_read_display_name(r->loader, "kpis", settings->name, kpi->id, kpi->name_zh,
                           kpi->name_en);
    read_targets(r, settings->targets);
    conf_read_list(settings->plans, "a plan", read_plan, r, r->loader->faults);
    read_sources(r, &settings->sources);
}

/* The trees were written by those who read them, in one order whatever the file's. */
static void write_kpi(struct kpi_read *r, const struct settings *settings)
{
    struct settings flat = *settings;
    char *path = mem_printf("kpis.%s", r->kpi->id);

    flat.name = flat.targets = flat.plans = NULL;
    conf_write(&r->loader->canonical, path, conf_kpi_options, &flat);
    free(path);
}

static void read_kpi(void *arg, const struct option_tree *section)
{
    struct conf_loader *loader = arg;
    struct rules *rules = &loader->conf->rules;
    struct settings settings = { 0 };
    struct kpi kpi = { 0 };
    struct kpi_read r = { loader, section, &kpi };

    conf_read_one(section, "a KPI", conf_kpi_options, &settings, loader->faults);
    fill_kpi(&r, &settings);
    if (kpi.counts[0])
        check_windows(section, &kpi, loader->faults);
    check_twice(&r);
    write_kpi(&r, &settings);
    option_finish(conf_kpi_options, &settings);

    rules->kpis = mem_realloc_array(rules->kpis, rules->kpi_count + 1, sizeof *rules->kpis);
    loader->kpi_places = mem_realloc_array(loader->kpi_places, rules->kpi_count + 1,
                                           sizeof *loader->kpi_places);
    loader->kpi_places[rules->kpi_count] = section;
    rules->kpis[rules->kpi_count++] = kpi;
}

void conf_read_kpis(struct conf_loader *loader, const struct option_tree *list)
{
    conf_read_list(list, "a KPI", read_kpi, loader, loader->faults);
    if (list && list->type == TREE_LIST && !list->child_count)
        fault_add_at(loader->faults, list, "kpis is empty: without a KPI nothing is counted");
}
