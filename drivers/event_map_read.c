/* Reads a mapping from the configuration: every fault in its place, every name checked against
 * what is known, so that a mapping that starts cannot be one that was mistyped. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "event_map_private.h"

const char *const map_field_names[FIELD_COUNT + 1] = {
    "source", "id",      "type",  "at",      "ticket", "device", "site", "department",
    "staff",  "vehicle", "model", "outcome", "reason", "by",     "code", NULL,
};

/* One reading: where it stands is what a fault needs to know. */
struct map_reader {
    struct event_map *map;
    const struct event_map_settings *settings;
    struct faults *faults;
};

static void *own(struct event_map *map, void *p)
{
    map->owned = mem_realloc_array(map->owned, map->owned_count + 1, sizeof *map->owned);
    map->owned[map->owned_count++] = p;
    return p;
}

static const char *own_text(struct event_map *map, const char *text)
{
    return own(map, mem_strdup(text));
}

/* The index of an input, new or known. The last one stands in for those that are too many. */
static size_t input_of(struct map_reader *r, const struct option_tree *place, const char *name)
{
    struct event_map *map = r->map;

    if (strcmp(r->settings->from_key, "path") == 0 && name[0] != '/')
        fault_add_at(r->faults, place, "\"%s\" is no JSON Pointer: write \"/%s\"", name, name);
    for (size_t i = 0; i < map->input_count; i++)
        if (strcmp(map->inputs[i], name) == 0)
            return i;
    if (map->input_count == MAP_INPUTS_MAX) {
        fault_add_at(r->faults, place, "more than %d different values are read", MAP_INPUTS_MAX);
        return 0;
    }
    map->inputs[map->input_count] = own_text(map, name);
    return map->input_count++;
}

/* The text of a scalar, or NULL with a fault. */
static const char *scalar(struct map_reader *r, const struct option_tree *tree, const char *what)
{
    if (tree->type != TREE_GROUP && tree->type != TREE_LIST)
        return tree->text;
    fault_add_at(r->faults, tree, "%s is a text: write \"...\"", what);
    return NULL;
}

static const char *scalar_of(struct map_reader *r, const struct option_tree *group,
                             const char *name)
{
    const struct option_tree *tree = option_tree_get(group, name);

    return tree ? scalar(r, tree, name) : NULL;
}

static void fault_unknown(struct map_reader *r, const struct option_tree *place, const char *what,
                          const char *name, const char *const *known)
{
    const char *near = text_nearest(name, known);

    if (near)
        fault_add_at(r->faults, place, "unknown %s \"%s\": did you mean \"%s\"?", what, name, near);
    else
        fault_add_at(r->faults, place, "unknown %s \"%s\"", what, name);
}

static void check_keys(struct map_reader *r, const struct option_tree *group,
                       const char *const *known)
{
    for (size_t i = 0; i < group->child_count; i++) {
        const char *name = group->children[i]->name;
        size_t k = 0;

        while (known[k] && strcmp(known[k], name) != 0)
            k++;
        if (!known[k])
            fault_unknown(r, group->children[i], "setting", name, known);
    }
}

static bool is_list_of_groups(struct map_reader *r, const struct option_tree *list,
                              const char *name, const char *example)
{
    bool well = list->type == TREE_LIST;

    for (size_t i = 0; well && i < list->child_count; i++)
        well = list->children[i]->type == TREE_GROUP;
    if (!well)
        fault_add_at(r->faults, list, "%s is a list of groups: write %s = ( %s )", name, name,
                     example);
    return well;
}

static bool field_parse(const char *name, enum map_field *ret)
{
    for (enum map_field i = 0; i < FIELD_COUNT; i++)
        if (strcmp(map_field_names[i], name) == 0) {
            *ret = i;
            return true;
        }
    return false;
}

static bool time_parse(const char *name, enum item_time *ret)
{
    for (int i = 0; item_time_choices[i]; i++)
        if (strcmp(item_time_choices[i], name) == 0) {
            *ret = (enum item_time)i;
            return true;
        }
    return false;
}

static void read_time(struct map_reader *r, const struct option_tree *group, enum item_time *ret)
{
    const char *name = scalar_of(r, group, "time");

    *ret = r->settings->time;
    if (name && !time_parse(name, ret))
        fault_unknown(r, option_tree_get(group, "time"), "time", name, item_time_choices);
}

static void read_pairs(struct map_reader *r, const struct option_tree *list, struct map_rule *rule)
{
    static const char *const known[] = { "from", "to", NULL };
    struct map_pair *pairs;

    if (!is_list_of_groups(r, list, "values", "{ from = \"...\"; to = \"...\"; }"))
        return;
    pairs = own(r->map, mem_zalloc((list->child_count + 1) * sizeof *pairs));
    for (size_t i = 0; i < list->child_count; i++) {
        const struct option_tree *pair = list->children[i];
        const char *from = scalar_of(r, pair, "from"), *to = scalar_of(r, pair, "to");

        check_keys(r, pair, known);
        if (!from || !to)
            fault_add_at(r->faults, pair, "a value is { from = \"...\"; to = \"...\"; }");
        pairs[i].from = own_text(r->map, from ? from : "");
        pairs[i].to = own_text(r->map, to ? to : "");
    }
    rule->pairs = pairs;
    rule->pair_count = list->child_count;
}

/* A later rule for the same field takes the place of an earlier one. */
static void add_rule(struct map_shape *shape, const struct map_rule *rule)
{
    size_t i = 0;

    while (i < shape->rule_count && shape->rules[i].field != rule->field)
        i++;
    assert(i < SHAPE_RULES_MAX);
    shape->rules[i] = *rule;
    if (i == shape->rule_count)
        shape->rule_count++;
    shape->constants[rule->field] = NULL;
}

static void read_rule(struct map_reader *r, const struct option_tree *group,
                      struct map_shape *shape)
{
    const char *const known[] = { r->settings->from_key, "field", "time", "values",
                                  "otherwise",           NULL };
    const char *from = scalar_of(r, group, r->settings->from_key);
    const char *field = scalar_of(r, group, "field"), *otherwise = scalar_of(r, group, "otherwise");
    const struct option_tree *values = option_tree_get(group, "values");
    struct map_rule rule = { 0 };

    check_keys(r, group, known);
    if (!from || !field) {
        fault_add_at(r->faults, group, "an entry needs both: { %s = \"...\"; field = \"...\"; }",
                     r->settings->from_key);
        return;
    }
    rule.input = input_of(r, group, from);
    if (!field_parse(field, &rule.field)) {
        fault_unknown(r, option_tree_get(group, "field"), "field", field, map_field_names);
        return;
    }
    read_time(r, group, &rule.time);
    if (values)
        read_pairs(r, values, &rule);
    if (otherwise)
        rule.otherwise = own_text(r->map, otherwise);
    add_rule(shape, &rule);
}

static void read_rules(struct map_reader *r, const struct option_tree *list,
                       struct map_shape *shape)
{
    if (!list || !is_list_of_groups(r, list, r->settings->list_key, "{ ...; field = \"...\"; }"))
        return;
    for (size_t i = 0; i < list->child_count; i++)
        read_rule(r, list->children[i], shape);
}

static void set_constant(struct map_shape *shape, enum map_field field, const char *text)
{
    shape->constants[field] = text;
    for (size_t i = 0; i < shape->rule_count; i++)
        if (shape->rules[i].field == field) {
            shape->rules[i] = shape->rules[--shape->rule_count];
            break;
        }
}

static void read_constants(struct map_reader *r, const struct option_tree *group,
                           struct map_shape *shape)
{
    if (!group)
        return;
    if (group->type != TREE_GROUP) {
        fault_add_at(r->faults, group, "constants is a group: write { type = \"...\"; }");
        return;
    }
    for (size_t i = 0; i < group->child_count; i++) {
        const struct option_tree *child = group->children[i];
        const char *text = scalar(r, child, child->name);
        enum map_field field;

        if (!field_parse(child->name, &field))
            fault_unknown(r, child, "field", child->name, map_field_names);
        else if (text)
            set_constant(shape, field, own_text(r->map, text));
    }
}

static void read_condition(struct map_reader *r, const struct option_tree *group,
                           struct map_shape *shape)
{
    const char *const known[] = { r->settings->from_key, "is", NULL };
    const char *from = scalar_of(r, group, r->settings->from_key);
    const struct option_tree *is = option_tree_get(group, "is");
    struct map_condition *c = &shape->conditions[shape->condition_count];
    const char **texts;

    check_keys(r, group, known);
    if (!from || !is || is->type != TREE_LIST) {
        fault_add_at(r->faults, group, "a condition is { %s = \"...\"; is = [ \"...\" ]; }",
                     r->settings->from_key);
        return;
    }
    if (shape->condition_count == CONDITIONS_MAX) {
        fault_add_at(r->faults, group, "more than %d conditions", CONDITIONS_MAX);
        return;
    }
    texts = own(r->map, mem_zalloc((is->child_count + 1) * sizeof *texts));
    for (size_t i = 0; i < is->child_count; i++) {
        const char *text = scalar(r, is->children[i], "each of is");

        texts[i] = own_text(r->map, text ? text : "");
    }
    *c = (struct map_condition){ input_of(r, group, from), texts, is->child_count };
    shape->condition_count++;
}

static void read_conditions(struct map_reader *r, const struct option_tree *list,
                            struct map_shape *shape)
{
    if (!list || !is_list_of_groups(r, list, "when", "{ ...; is = [ \"...\" ]; }"))
        return;
    for (size_t i = 0; i < list->child_count; i++)
        read_condition(r, list->children[i], shape);
}

static void add_part(struct map_reader *r, const struct option_tree *place, struct map_template *to,
                     const char *text, size_t length, bool is_input)
{
    char *part = own(r->map, mem_strndup(text, length));

    if (to->count == TEMPLATE_PARTS_MAX) {
        fault_add_at(r->faults, place, "id: more than %d parts", TEMPLATE_PARTS_MAX);
        return;
    }
    to->parts[to->count].text = is_input ? NULL : part;
    to->parts[to->count].input = is_input ? input_of(r, place, part) : 0;
    to->count++;
}

static void read_template(struct map_reader *r, const struct option_tree *place, const char *text,
                          struct map_template *to)
{
    bool has_input = false;

    to->count = 0;
    while (*text) {
        size_t plain = strcspn(text, "{");
        size_t name = text[plain] ? strcspn(text + plain + 1, "}") : 0;

        if (plain > 0)
            add_part(r, place, to, text, plain, false);
        text += plain;
        if (!*text)
            break;
        if (name == 0 || !text[name + 1]) {
            fault_add_at(r->faults, place, "id: a value is written {NAME}, in \"%s\"", text);
            return;
        }
        add_part(r, place, to, text + 1, name, true);
        has_input = true;
        text += name + 2;
    }
    if (!has_input)
        fault_add_at(r->faults, place,
                     "id: names no value, so that every record would be the "
                     "same event: write \"{NAME}\"");
}

static bool shape_has(const struct map_shape *shape, enum map_field field)
{
    if (shape->constants[field])
        return true;
    for (size_t i = 0; i < shape->rule_count; i++)
        if (shape->rules[i].field == field)
            return true;
    return false;
}

static void check_shape(struct map_reader *r, const struct option_tree *place,
                        const struct map_shape *shape)
{
    if (!shape_has(shape, FIELD_TYPE))
        fault_add_at(r->faults, place,
                     "nothing says the events' type: map it in %s, or write "
                     "constants = { type = \"repair.settled\"; }",
                     r->settings->list_key);
    if (!shape_has(shape, FIELD_AT))
        fault_add_at(r->faults, place,
                     "nothing says when the events happened: map a time to "
                     "\"at\" in %s",
                     r->settings->list_key);
}

/* What opens a ticket says nothing yet of how it ends, though the record, read later, does. */
static void drop_ending(struct map_shape *shape)
{
    const char *type = shape->constants[FIELD_TYPE];
    const char *verb = type ? strrchr(type, '.') : NULL;

    if (!verb || (strcmp(verb, ".opened") != 0 && strcmp(verb, ".reopened") != 0))
        return;
    set_constant(shape, FIELD_OUTCOME, NULL);
    set_constant(shape, FIELD_REASON, NULL);
}

/* One entry of `events`, over what stands outside. */
static void read_event(struct map_reader *r, const struct option_tree *group,
                       struct map_shape *shape)
{
    const char *const known[] = { "type", "at",        "time", "when", r->settings->list_key,
                                  "id",   "constants", NULL };
    const char *type = scalar_of(r, group, "type"), *at = scalar_of(r, group, "at");
    const char *id = scalar_of(r, group, "id");
    struct map_rule rule = { .field = FIELD_AT };

    check_keys(r, group, known);
    shape->is_one_of_several = true;
    shape->id_is_shared = id == NULL;
    read_rules(r, option_tree_get(group, r->settings->list_key), shape);
    read_constants(r, option_tree_get(group, "constants"), shape);
    read_conditions(r, option_tree_get(group, "when"), shape);
    if (type)
        set_constant(shape, FIELD_TYPE, own_text(r->map, type));
    if (at) {
        rule.input = input_of(r, group, at);
        read_time(r, group, &rule.time);
        add_rule(shape, &rule);
    }
    if (id)
        read_template(r, option_tree_get(group, "id"), id, &shape->id);
    drop_ending(shape);
    check_shape(r, group, shape);
}

static void read_events(struct map_reader *r, const struct option_tree *list,
                        const struct map_shape *common)
{
    if (!is_list_of_groups(r, list, "events", "{ type = \"...\"; at = \"...\"; }"))
        return;
    if (list->child_count > EVENTS_PER_RECORD_MAX || list->child_count == 0) {
        fault_add_at(r->faults, list, "events: 1 to %d entries, not %zu", EVENTS_PER_RECORD_MAX,
                     list->child_count);
        return;
    }
    for (size_t i = 0; i < list->child_count; i++) {
        r->map->shapes[i] = *common;
        read_event(r, list->children[i], &r->map->shapes[i]);
    }
    r->map->shape_count = list->child_count;
}

/* Values that are called like the fields. */
static void add_plain_rules(struct map_reader *r, struct map_shape *shape)
{
    bool is_path = strcmp(r->settings->from_key, "path") == 0;

    for (enum map_field i = 0; i < FIELD_COUNT; i++) {
        char name[40];
        struct map_rule rule = { .field = i, .time = r->settings->time };

        text_set(name, sizeof name, is_path ? "/" : "");
        text_set(name + strlen(name), sizeof name - 1, map_field_names[i]);
        rule.input = input_of(r, NULL, name);
        add_rule(shape, &rule);
    }
}

static void read_zone(struct map_reader *r, const struct option_tree *section)
{
    const struct event_map_settings *s = r->settings;
    const struct option_tree *place = option_tree_place(section, "timezone");
    const char *name = s->timezone && s->timezone[0] ? s->timezone : s->default_timezone;
    struct err err;

    if (!name)
        name = "UTC"; /* only while checking, when the daemon's own is not at hand */
    if (zone_load(&r->map->zone, name, &err) < 0)
        fault_add_at(r->faults, place, "timezone: %s", err.text);
    else
        r->map->has_zone = true;
}

static void read_map(struct map_reader *r, const struct option_tree *section)
{
    const struct event_map_settings *s = r->settings;
    struct event_map *map = r->map;
    const struct option_tree *id = section ? option_tree_get(section, "id") : NULL;
    struct map_shape *common = mem_zalloc(sizeof *common);

    map->from_key = own_text(map, s->from_key);
    map->source = own_text(map, s->source ? s->source : "");
    map->is_plain = !s->fields && !s->events;
    if (map->is_plain)
        add_plain_rules(r, common);
    read_rules(r, s->fields, common);
    read_constants(r, s->constants, common);
    read_conditions(r, s->when, common);
    if (s->id && s->id[0])
        read_template(r, id ? id : section, s->id, &common->id);
    read_zone(r, section);
    if (s->events) {
        read_events(r, s->events, common);
    } else {
        check_shape(r, s->fields ? s->fields : section, common);
        map->shapes[0] = *common;
        map->shape_count = 1;
    }
    free(common);
}

void event_map_check(const struct event_map_settings *settings, const struct option_tree *section,
                     struct faults *faults)
{
    struct event_map *map = mem_zalloc(sizeof *map);
    struct map_reader r = { map, settings, faults };

    read_map(&r, section);
    event_map_destroy(map);
}

int event_map_create(struct event_map **ret, const struct event_map_settings *settings,
                     struct err *err)
{
    struct event_map *map = mem_zalloc(sizeof *map);
    struct faults faults = { 0 };
    struct map_reader r = { map, settings, &faults };
    int rc = 0;

    read_map(&r, NULL);
    if (faults.count > 0) {
        rc = err_set(err, -EINVAL, "mapping: %s", faults.items[0].text);
        event_map_destroy(map);
    } else {
        *ret = map;
    }
    faults_finish(&faults);
    return rc;
}

void event_map_destroy(struct event_map *map)
{
    if (!map)
        return;
    for (size_t i = 0; i < map->owned_count; i++)
        free(map->owned[i]);
    free(map->owned);
    if (map->has_zone)
        zone_finish(&map->zone);
    free(map);
}
