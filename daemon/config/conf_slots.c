/* `slots`: which devices stand in which place of the bench. A device is named by its source, and
 * by its unit where the source has several: "gps1", "ledbus/lamp1". */
#include "config/conf_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { SLOTS_MAX = 256 };

struct settings {
    char *name;
    char *units[BENCH_ROLES];
    char *profile;
};

#define AT(member) .offset = offsetof(struct settings, member)

const struct option conf_slot_options[] = {
    { .name = "name", .type = OPTION_NAME, AT(name), .required = true,
      .help = "of the slot, as it stands on the bench; at most 24 bytes" },
    { .name = "led", .type = OPTION_TEXT, AT(units[BENCH_LED]), .min = 1,
      .max = INPUT_SIZE + UNIT_SIZE - 2, .help = "its roof light: SOURCE, or SOURCE/UNIT" },
    { .name = "gps", .type = OPTION_TEXT, AT(units[BENCH_GPS]), .min = 1,
      .max = INPUT_SIZE + UNIT_SIZE - 2, .help = "its GPS receiver: SOURCE, or SOURCE/UNIT" },
    { .name = "terminal", .type = OPTION_TEXT, AT(units[BENCH_TERMINAL]), .min = 1,
      .max = INPUT_SIZE + UNIT_SIZE - 2,
      .help = "its JT/T 808 terminal: SOURCE/ID, or the ID alone where one source is a gateway" },
    { .name = "profile", .type = OPTION_TEXT, AT(profile), .required = true,
      .help = "what is checked, unless a profile is for the very model" },
    { 0 },
};

/* One slot being read. */
struct slot_read {
    struct conf_loader *loader;
    const struct option_tree *section;
    struct conf_slot slot;
};

static const struct conf_source *find_source(const struct conf *conf, const char *name,
                                             size_t length)
{
    for (size_t i = 0; i < conf->source_count; i++) {
        if (strlen(conf->sources[i].name) == length &&
            strncmp(conf->sources[i].name, name, length) == 0)
            return &conf->sources[i];
    }
    return NULL;
}

/* A list of names that is built as they are told. */
struct names {
    char **items;
    size_t count;
};

static void add_name(void *arg, const char *name)
{
    struct names *n = arg;

    n->items = mem_realloc_array(n->items, n->count + 2, sizeof(char *));
    n->items[n->count++] = mem_strdup(name);
    n->items[n->count] = NULL;
}

static void names_finish(struct names *n)
{
    for (size_t i = 0; i < n->count; i++)
        free(n->items[i]);
    free(n->items);
}

static bool names_have(const struct names *n, const char *name)
{
    for (size_t i = 0; i < n->count; i++) {
        if (strcmp(n->items[i], name) == 0)
            return true;
    }
    return false;
}

static const char *hint(char to[CONF_HINT_SIZE], const struct names *n, const char *name)
{
    static const char *const none[] = { NULL };

    return conf_hint(to, name, n->count ? (const char *const *)n->items : none);
}

static void refuse_source(struct slot_read *r, const struct option_tree *place, const char *name,
                          size_t length)
{
    const struct conf *conf = r->loader->conf;
    struct names names = { 0 };
    char text[INPUT_SIZE], mend[CONF_HINT_SIZE];

    for (size_t i = 0; i < conf->source_count; i++)
        add_name(&names, conf->sources[i].name);
    if (!text_copy(text, sizeof text, name, length))
        text_set(text, sizeof text, "...");
    fault_add_at(r->loader->faults, place, "there is no source \"%s\": %s", text,
                 hint(mend, &names, text));
    names_finish(&names);
}

/* What the driver knows of its units and points, if it tells: the unit must be one of them, and
 * have what the profile looks at. */
static void check_names(struct slot_read *r, const struct option_tree *place,
                        const struct conf_source *source, const char *unit, enum bench_role role)
{
    const struct conf *conf = r->loader->conf;
    struct names units = { 0 }, points = { 0 };
    char mend[CONF_HINT_SIZE];

    if (!source->sound || !source->driver->names)
        return;
    source->driver->names(source->config, NULL, add_name, &units);
    source->driver->names(source->config, unit, add_name, &points);
    if (!names_have(&units, unit))
        fault_add_at(r->loader->faults, place, "source \"%s\" has no unit \"%s\": %s", source->name,
                     unit, hint(mend, &units, unit));
    for (size_t i = 0; points.count && r->slot.profile < conf->profile_count &&
                       i < conf->profiles[r->slot.profile].check_count; i++) {
        const struct conf_check *check = &conf->profiles[r->slot.profile].checks[i];

        if (check->of == role && check->point[0] && !names_have(&points, check->point))
            fault_add_at(r->loader->faults, place,
                         "check \"%s\" looks at point \"%s\", which %s does not have: %s",
                         check->name, check->point, place->text,
                         hint(mend, &points, check->point));
    }
    names_finish(&units);
    names_finish(&points);
}

/* A terminal's id alone is one of the only gateway. */
static const struct conf_source *only_gateway(struct slot_read *r, const struct option_tree *place)
{
    const struct conf *conf = r->loader->conf;
    const struct conf_source *found = NULL;

    for (size_t i = 0; i < conf->source_count; i++) {
        const struct conf_source *source = &conf->sources[i];

        if (!source->driver || strcmp(source->driver->name, "jt808") != 0)
            continue;
        if (found) {
            fault_add_at(r->loader->faults, place,
                         "terminal \"%s\": several sources are gateways; write \"%s/%s\"",
                         place->text, found->name, place->text);
            return NULL;
        }
        found = source;
    }
    if (!found)
        fault_add_at(r->loader->faults, place,
                     "terminal \"%s\": no source has driver = \"jt808\": add one, or write "
                     "\"SOURCE/%s\"", place->text, place->text);
    return found;
}

static void read_unit(struct slot_read *r, enum bench_role role, const char *text)
{
    const struct option_tree *place = conf_place(r->section, bench_role_names[role]);
    const char *slash = text ? strchr(text, '/') : NULL;
    size_t length = slash ? (size_t)(slash - text) : text ? strlen(text) : 0;
    const char *unit = slash ? slash + 1 : "";
    const struct conf_source *source;

    if (!text)
        return;
    if (role == BENCH_TERMINAL && !slash) {
        source = only_gateway(r, place);
        unit = text;
    } else {
        source = find_source(r->loader->conf, text, length);
        if (!source)
            refuse_source(r, place, text, length);
    }
    if (strlen(unit) >= UNIT_SIZE) {
        fault_add_at(r->loader->faults, place, "a unit's name has at most %d bytes", UNIT_SIZE - 1);
    } else if (source) {
        text_set(r->slot.units[role].source, INPUT_SIZE, source->name);
        text_set(r->slot.units[role].unit, UNIT_SIZE, unit);
        check_names(r, place, source, unit, role);
    }
}

static void find_profile(struct slot_read *r, const char *name)
{
    const struct conf *conf = r->loader->conf;
    struct names names = { 0 };
    char mend[CONF_HINT_SIZE];

    r->slot.profile = conf->profile_count;
    for (size_t i = 0; i < conf->profile_count; i++) {
        if (strcmp(conf->profiles[i].name, name) == 0)
            r->slot.profile = i;
        add_name(&names, conf->profiles[i].name);
    }
    if (r->slot.profile == conf->profile_count)
        fault_add_at(r->loader->faults, conf_place(r->section, "profile"),
                     "there is no profile \"%s\": %s", name, hint(mend, &names, name));
    names_finish(&names);
}

/* One device in two slots would pass for both. */
static void check_twice(struct slot_read *r, enum bench_role role)
{
    const struct conf *conf = r->loader->conf;
    const struct conf_unit *mine = &r->slot.units[role];

    for (size_t i = 0; i < conf->slot_count && mine->source[0]; i++) {
        const struct conf_unit *other = &conf->slots[i].units[role];

        if (strcmp(other->source, mine->source) == 0 && strcmp(other->unit, mine->unit) == 0)
            fault_add_at(r->loader->faults, conf_place(r->section, bench_role_names[role]),
                         "%s \"%s%s%s\" stands in slot \"%s\" already", bench_role_names[role],
                         mine->source, mine->unit[0] ? "/" : "", mine->unit, conf->slots[i].name);
    }
}

static void fill_slot(struct slot_read *r, const struct settings *settings)
{
    struct faults *faults = r->loader->faults;
    bool is_empty = true;

    if (settings->name && strlen(settings->name) >= SLOT_SIZE)
        fault_add_at(faults, conf_place(r->section, "name"), "name of a slot has at most %d bytes",
                     SLOT_SIZE - 1);
    else if (settings->name)
        text_set(r->slot.name, SLOT_SIZE, settings->name);
    if (settings->profile)
        find_profile(r, settings->profile);
    for (int role = 0; role < BENCH_ROLES; role++) {
        read_unit(r, (enum bench_role)role, settings->units[role]);
        check_twice(r, (enum bench_role)role);
        is_empty = is_empty && !settings->units[role];
    }
    if (is_empty)
        fault_add_at(faults, r->section, "a slot needs a device: add led = \"...\"; or gps = "
                     "\"...\";");
}

static void read_slot(void *arg, const struct option_tree *section)
{
    struct conf_loader *loader = arg;
    struct conf *conf = loader->conf;
    struct settings settings = { 0 };
    struct slot_read r = { .loader = loader, .section = section };
    char *path;

    conf_read_one(section, "a slot", conf_slot_options, &settings, loader->faults);
    fill_slot(&r, &settings);
    for (size_t i = 0; i < conf->slot_count; i++) {
        if (r.slot.name[0] && strcmp(conf->slots[i].name, r.slot.name) == 0)
            conf_refuse_twice(loader, "slot", r.slot.name, conf_place(section, "name"),
                              loader->slot_places[i]);
    }
    path = mem_printf("slots.%s", r.slot.name);
    conf_write(&loader->canonical, path, conf_slot_options, &settings);
    free(path);
    option_finish(conf_slot_options, &settings);

    conf->slots = mem_realloc_array(conf->slots, conf->slot_count + 1, sizeof *conf->slots);
    loader->slot_places = mem_realloc_array(loader->slot_places, conf->slot_count + 1,
                                            sizeof *loader->slot_places);
    loader->slot_places[conf->slot_count] = section;
    conf->slots[conf->slot_count++] = r.slot;
}

void conf_read_slots(struct conf_loader *loader, const struct option_tree *list)
{
    conf_read_list(list, "a slot", read_slot, loader, loader->faults);
    if (loader->conf->slot_count > SLOTS_MAX)
        fault_add_at(loader->faults, list, "a bench has at most %d slots, not %zu", SLOTS_MAX,
                     loader->conf->slot_count);
}
