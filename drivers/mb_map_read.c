/* Maps of Modbus units from a configuration, with every fault in its place; see mb_map.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "command.h"
#include "config/conf_read.h"
#include "mb_map_private.h"

enum { NAMES_MAX = 256, MAPS_MAX = 32 };

static const char *const types[] = { "u16", "i16",  "u32",    "i32",     "f32",
                                     "bit", "enum", "string", "version", NULL };
static const char *const orders[] = { "be", "le", "wswap", "bswap", NULL };
static const char *const polls[] = { "normal", "fast", "slow", NULL };
static const char *const encodings[] = { "gbk", "utf-8", "ascii", NULL };

struct map_settings {
    char *name;
    struct option_tree *points, *acts;
};

const struct option mb_map_options[] = {
    { .name = "name",
      .type = OPTION_NAME,
      .offset = offsetof(struct map_settings, name),
      .required = true,
      .help = "of the map, for the units that have it; \"led\" is built in" },
    { .name = "points",
      .type = OPTION_TREE,
      .offset = offsetof(struct map_settings, points),
      .required = true,
      .help = "list of what is read from a unit, each { name; address; ... }" },
    { .name = "acts",
      .type = OPTION_TREE,
      .offset = offsetof(struct map_settings, acts),
      .help = "list of what can be asked of it, each { verb; address; ... }; only ever done at "
              "somebody's word" },
    { .name = NULL },
};

#define AT(member) .offset = offsetof(struct mb_point, member)

const struct option mb_point_options[] = {
    { .name = "name",
      .type = OPTION_TEXT,
      AT(name),
      .required = true,
      .min = 1,
      .max = POINT_SIZE - 1,
      .help = "of the reading: a-z, 0-9, _ and ." },
    { .name = "function",
      .type = OPTION_UINT,
      AT(function),
      .fallback = "3",
      .min = 1,
      .max = 4,
      .help = "that reads it: 3 holding registers, 4 input registers, 1 coils, 2 discrete inputs" },
    { .name = "address",
      .type = OPTION_UINT,
      AT(address),
      .required = true,
      .max = 65535,
      .help = "as it goes over the wire, from 0: what manuals call 40001 is address 0" },
    { .name = "type",
      .type = OPTION_CHOICE,
      AT(type),
      .choices = types,
      .fallback = "u16",
      .help = "bit: of a register (see bit), a coil or an input; version: BCD main.minor" },
    { .name = "registers",
      .type = OPTION_UINT,
      AT(registers),
      .fallback = "1",
      .min = 1,
      .max = MB_STRING_REGISTERS_MAX,
      .help = "that a string takes, two characters each" },
    { .name = "bit",
      .type = OPTION_UINT,
      AT(bit),
      .max = 15,
      .fallback = "0",
      .help = "of the register, for type = \"bit\"; 0 is the least" },
    { .name = "order",
      .type = OPTION_CHOICE,
      AT(order),
      .choices = orders,
      .fallback = "be",
      .help =
          "of the bytes ABCD: be ABCD, le DCBA, wswap CDAB, bswap BADC; kpid --probe shows all" },
    { .name = "scale",
      .type = OPTION_REAL,
      AT(scale),
      .fallback = "1",
      .help = "what is read is multiplied by this" },
    { .name = "offset",
      .type = OPTION_REAL,
      AT(offset),
      .fallback = "0",
      .help = "and this is added" },
    { .name = "measure",
      .type = OPTION_TEXT,
      AT(measure),
      .fallback = "",
      .max = 15,
      .help = "in which it then is, for people: \"mV\"" },
    { .name = "poll",
      .type = OPTION_CHOICE,
      AT(poll),
      .choices = polls,
      .fallback = "normal",
      .help = "how often it is read: see interval, fast_interval and slow_interval" },
    { .name = "values",
      .type = OPTION_TREE,
      AT(values_tree),
      .help = "list of { from; to; }: what the numbers of an enum are called" },
    { .name = "moves_within",
      .type = OPTION_SPAN,
      AT(moves_within_ms),
      .max = 86400000,
      .fallback = "0",
      .help = "a value that stays the same for longer is frozen; 0: it may stand still" },
    { .name = "age_limit",
      .type = OPTION_SPAN,
      AT(age_limit_ms),
      .max = 86400000,
      .fallback = "0",
      .help = "a value that is older is not shown as present; 0: three polling intervals" },
    { .name = "faulty",
      .type = OPTION_TREE,
      AT(faulty_tree),
      .help = "group { code; mask; equals; below; above; }: when the value means a fault" },
    { .name = NULL },
};

#undef AT

const struct option mb_value_options[] = {
    { .name = "from",
      .type = OPTION_UINT,
      .offset = 0,
      .required = true,
      .max = 65535,
      .help = "the number as it is read" },
    { .name = "to",
      .type = OPTION_TEXT,
      .offset = sizeof(void *),
      .required = true,
      .min = 1,
      .max = READING_TEXT_SIZE - 1,
      .help = "what it is called" },
    { .name = NULL },
};

struct value_settings {
    uint32_t from;
    char *to;
};

_Static_assert(offsetof(struct value_settings, to) == sizeof(void *), "as the table says");

#define AT(member) .offset = offsetof(struct mb_faulty, member)

const struct option mb_faulty_options[] = {
    { .name = "code",
      .type = OPTION_TEXT,
      AT(code),
      .required = true,
      .min = 1,
      .max = 64,
      .help = "of the fault, as in the event device.faulted" },
    { .name = "mask",
      .type = OPTION_UINT,
      AT(mask),
      .fallback = "0",
      .help = "faulty if any of these bits is 1" },
    { .name = "equals", .type = OPTION_REAL, AT(equals), .help = "faulty if it is this" },
    { .name = "below", .type = OPTION_REAL, AT(below), .help = "faulty if it is less" },
    { .name = "above", .type = OPTION_REAL, AT(above), .help = "faulty if it is more" },
    { .name = NULL },
};

#undef AT
#define AT(member) .offset = offsetof(struct mb_act, member)

const struct option mb_act_options[] = {
    { .name = "verb",
      .type = OPTION_TEXT,
      AT(verb),
      .required = true,
      .help = "self_test, show, brightness, text or reset" },
    { .name = "function",
      .type = OPTION_UINT,
      AT(function),
      .fallback = "6",
      .min = 6,
      .max = 16,
      .help = "that writes it: 6 one register, 16 several" },
    { .name = "address",
      .type = OPTION_UINT,
      AT(address),
      .required = true,
      .max = 65535,
      .help = "of the (first) register that is written" },
    { .name = "value",
      .type = OPTION_UINT,
      AT(value),
      .max = 65535,
      .fallback = "1",
      .help = "that self_test and reset write" },
    { .name = "registers",
      .type = OPTION_UINT,
      AT(registers),
      .fallback = "32",
      .min = 1,
      .max = MB_WRITE_REGISTERS_MAX,
      .help = "that a text fills, two bytes each" },
    { .name = "order",
      .type = OPTION_CHOICE,
      AT(order),
      .choices = orders,
      .fallback = "be",
      .help = "of the bytes of a text" },
    { .name = "encoding",
      .type = OPTION_CHOICE,
      AT(encoding),
      .choices = encodings,
      .fallback = "gbk",
      .help = "of a text" },
    { .name = "read_back",
      .type = OPTION_TEXT,
      AT(read_back),
      .help = "point that must say what was written (of self_test: the bit that ends it; of "
              "reset: the counter that begins anew), or \"registers\"; without it the unit is "
              "believed" },
    { .name = "result",
      .type = OPTION_TEXT,
      AT(result),
      .help = "point that holds the outcome of a self-test" },
    { .name = NULL },
};

#undef AT

/* --- Points */

/* What manuals call 40001 is holding register 0; 30001, 10001 and 1 likewise. */
static void check_address(const struct mb_point *p, const struct option_tree *group,
                          struct faults *faults)
{
    static const struct {
        uint32_t first;
        const char *what;
    } manuals[] = {
        [MB_READ_DISCRETE_INPUTS] = { 10001, "discrete input" },
        [MB_READ_HOLDING] = { 40001, "holding register" },
        [MB_READ_INPUT] = { 30001, "input register" },
    };
    uint32_t first = p->function < LENGTH(manuals) ? manuals[p->function].first : 0;

    if (first && p->address >= first && p->address < first + 9999)
        fault_add_at(faults, option_tree_place(group, "address"),
                     "point \"%s\": address %u is how manuals number %s %u: write address = %u, as "
                     "it goes over the wire",
                     p->name, p->address, manuals[p->function].what, p->address - first,
                     p->address - first);
    if (p->address + mb_point_width(p) > 65536)
        fault_add_at(faults, option_tree_place(group, "address"),
                     "point \"%s\" of %u registers ends behind address 65535: write a smaller "
                     "address",
                     p->name, mb_point_width(p));
}

static void check_type(const struct mb_point *p, const struct option_tree *group,
                       uint32_t registers_max, struct faults *faults)
{
    const struct option_tree *place = option_tree_place(group, "type");

    if (!mb_reads_registers(p->function) && p->type != MB_BIT)
        fault_add_at(faults, place,
                     "point \"%s\": function %u reads single bits: write type = \"bit\", or "
                     "function = 3 or 4",
                     p->name, p->function);
    if (p->type != MB_STRING && option_tree_get(group, "registers"))
        fault_add_at(faults, option_tree_get(group, "registers"),
                     "point \"%s\": registers is for type = \"string\"; leave it out, or write "
                     "that",
                     p->name);
    if (p->type != MB_BIT && option_tree_get(group, "bit"))
        fault_add_at(faults, option_tree_get(group, "bit"),
                     "point \"%s\": bit is for type = \"bit\"; leave it out, or write that",
                     p->name);
    if (p->type == MB_ENUM && p->name_count == 0)
        fault_add_at(faults, place,
                     "point \"%s\": an enum needs values = ( { from = 0; to = \"...\"; } )",
                     p->name);
    if (mb_point_width(p) > registers_max)
        fault_add_at(faults, place,
                     "point \"%s\" takes %u registers, and one request reads at most "
                     "registers_max = %u: it would tear",
                     p->name, mb_point_width(p), registers_max);
    if (p->scale == 0 || !isfinite(p->scale))
        fault_add_at(faults, option_tree_place(group, "scale"),
                     "point \"%s\": scale = 0 leaves nothing: write 1 for what is read as it is",
                     p->name);
}

struct map_reading {
    struct faults *faults;
    struct mb_maps *maps;
    struct mb_map *map;
    struct mb_point *point;
    const struct option_tree **places; /* of the map's points */
    uint32_t registers_max;
};

static void read_name(void *arg, const struct option_tree *group)
{
    struct map_reading *r = arg;
    struct mb_point *p = r->point;
    struct value_settings settings = { 0 };

    conf_read_one(group, "a value", mb_value_options, &settings, r->faults);
    if (settings.to && p->name_count < NAMES_MAX) {
        p->names = mem_realloc_array(p->names, p->name_count + 1, sizeof *p->names);
        p->names[p->name_count++] = (struct mb_name){ settings.from, mem_strdup(settings.to) };
    }
    option_finish(mb_value_options, &settings);
}

static void read_faulty(struct map_reading *r, struct mb_point *p, const struct option_tree *group)
{
    struct mb_faulty *f = &p->faulty;

    conf_read_one(group, "faulty", mb_faulty_options, f, r->faults);
    f->has_equals = option_tree_get(group, "equals") != NULL;
    f->has_below = option_tree_get(group, "below") != NULL;
    f->has_above = option_tree_get(group, "above") != NULL;
    if (!f->mask && !f->has_equals && !f->has_below && !f->has_above)
        fault_add_at(r->faults, group,
                     "faulty of point \"%s\" says nothing about when: add mask, equals, below or "
                     "above",
                     p->name);
    if (p->type == MB_STRING || p->type == MB_VERSION)
        fault_add_at(r->faults, group,
                     "faulty of point \"%s\": a text is neither more nor less: use it on a number",
                     p->name);
}

static void check_point_name(struct map_reading *r, const struct mb_point *p,
                             const struct option_tree *group)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_.";
    size_t length = strlen(p->name);

    if (strspn(p->name, letters) != length || strchr("_.", p->name[0]))
        fault_add_at(r->faults, option_tree_place(group, "name"),
                     "point \"%s\": write its name of a-z, 0-9, _ and ., beginning with a letter "
                     "or digit",
                     p->name);
    for (size_t i = 0; i < r->map->point_count; i++)
        if (strcmp(r->map->points[i].name, p->name) == 0)
            fault_add_at(r->faults, option_tree_place(group, "name"),
                         "point \"%s\" is in map \"%s\" already, on line %u: call it otherwise",
                         p->name, r->map->name, r->places[i]->line);
}

static void read_point(void *arg, const struct option_tree *group)
{
    struct map_reading *r = arg;
    struct mb_map *map = r->map;
    struct mb_point p = { 0 };

    conf_read_one(group, "a point", mb_point_options, &p, r->faults);
    if (p.name)
        check_point_name(r, &p, group);
    else
        p.name = mem_strdup("?");
    if (!p.measure)
        p.measure = mem_strdup("");
    r->point = &p;
    conf_read_list(p.values_tree, "a value", read_name, r, r->faults);
    if (p.faulty_tree)
        read_faulty(r, &p, option_tree_get(group, "faulty"));
    check_address(&p, group, r->faults);
    check_type(&p, group, r->registers_max, r->faults);
    option_tree_destroy(p.values_tree);
    option_tree_destroy(p.faulty_tree);
    p.values_tree = p.faulty_tree = NULL;

    map->points = mem_realloc_array(map->points, map->point_count + 1, sizeof *map->points);
    r->places = mem_realloc_array(r->places, map->point_count + 1, sizeof *r->places);
    r->places[map->point_count] = group;
    map->points[map->point_count++] = p;
}

static bool overlap(const struct mb_point *a, const struct mb_point *b)
{
    return a->function == b->function && a->address < b->address + mb_point_width(b) &&
           b->address < a->address + mb_point_width(a);
}

/* Bits may be taken out of a register that is read as a number, too; all else is one or the
 * other. */
static bool agree(const struct mb_point *a, const struct mb_point *b)
{
    if (a->type == MB_BIT || b->type == MB_BIT)
        return a->type != b->type || a->bit != b->bit || !mb_reads_registers(a->function);
    return a->type == b->type && a->address == b->address && mb_point_width(a) == mb_point_width(b);
}

static void check_overlaps(struct map_reading *r)
{
    const struct mb_map *map = r->map;

    for (size_t i = 0; i < map->point_count; i++)
        for (size_t j = 0; j < i; j++) {
            const struct mb_point *a = &map->points[j], *b = &map->points[i];

            if (overlap(a, b) && !agree(a, b))
                fault_add_at(r->faults, r->places[i],
                             "point \"%s\" (%s at %u) lies over \"%s\" (%s at %u, line %u), which "
                             "reads the same registers as something else: mend the address or the "
                             "type of one of them",
                             b->name, types[b->type], b->address, a->name, types[a->type],
                             a->address, r->places[j]->line);
        }
}

/* --- Acts */

static const struct verb {
    const char *name;
    enum mb_check check; /* of the point that read_back names */
} verbs[] = {
    { COMMAND_SELF_TEST, MB_CHECK_ENDS },    { COMMAND_SHOW, MB_CHECK_EQUALS },
    { COMMAND_BRIGHTNESS, MB_CHECK_EQUALS }, { COMMAND_TEXT, MB_CHECK_NONE },
    { COMMAND_RESET, MB_CHECK_RESTARTS },
};

static const struct verb *verb_find(const char *name)
{
    for (size_t i = 0; i < LENGTH(verbs); i++)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    return NULL;
}

/* How the act is read back; MB_CHECK_NONE and false if the name stands for nothing. */
static bool link_act(const struct mb_map *map, struct mb_act *act)
{
    const struct verb *verb = verb_find(act->verb);

    act->tells = act->result ? mb_map_point(map, act->result) : NULL;
    act->check = MB_CHECK_NONE;
    if (!act->read_back)
        return true;
    if (strcmp(act->read_back, "registers") == 0) {
        act->check = MB_CHECK_SAME;
        return true;
    }
    act->checks = mb_map_point(map, act->read_back);
    if (act->checks && verb)
        act->check = verb->check;
    return act->checks != NULL;
}

static void check_act(struct map_reading *r, const struct mb_act *a,
                      const struct option_tree *group)
{
    struct faults *faults = r->faults;

    if (!verb_find(a->verb))
        fault_add_at(faults, option_tree_place(group, "verb"),
                     "there is no act \"%s\": write self_test, show, brightness, text or reset",
                     a->verb);
    if (a->function != MB_WRITE_REGISTER && a->function != MB_WRITE_REGISTERS)
        fault_add_at(faults, option_tree_place(group, "function"),
                     "function %u writes no register: write 6 (one) or 16 (several)", a->function);
    if (a->address >= 40001 && a->address < 50000)
        fault_add_at(faults, option_tree_place(group, "address"),
                     "act \"%s\": address %u is how manuals number register %u: write address = %u",
                     a->verb, a->address, a->address - 40001, a->address - 40001);
    if (a->read_back && strcmp(a->read_back, "registers") != 0 &&
        !mb_map_point(r->map, a->read_back))
        fault_add_at(faults, option_tree_place(group, "read_back"),
                     "act \"%s\": there is no point \"%s\" in this map: name one, or \"registers\"",
                     a->verb, a->read_back);
    if (strcmp(a->verb, COMMAND_TEXT) == 0 && a->read_back &&
        strcmp(a->read_back, "registers") != 0)
        fault_add_at(faults, option_tree_place(group, "read_back"),
                     "a text is read back with read_back = \"registers\", or not at all");
    if (a->result && !mb_map_point(r->map, a->result))
        fault_add_at(faults, option_tree_place(group, "result"),
                     "act \"%s\": there is no point \"%s\" in this map", a->verb, a->result);
}

static void read_act(void *arg, const struct option_tree *group)
{
    struct map_reading *r = arg;
    struct mb_map *map = r->map;
    struct mb_act a = { 0 };

    conf_read_one(group, "an act", mb_act_options, &a, r->faults);
    if (!a.verb) {
        option_finish(mb_act_options, &a);
        return;
    }
    check_act(r, &a, group);
    if (mb_map_act(map, a.verb))
        fault_add_at(r->faults, option_tree_place(group, "verb"),
                     "act \"%s\" is in map \"%s\" already: leave one out", a.verb, map->name);
    map->acts = mem_realloc_array(map->acts, map->act_count + 1, sizeof *map->acts);
    map->acts[map->act_count++] = a;
}

static void link_acts(struct mb_map *map)
{
    for (size_t i = 0; i < map->act_count; i++)
        (void)link_act(map, &map->acts[i]); /* a name that stands for nothing is a fault already */
}

/* --- Maps */

static void check_size(struct map_reading *r, const struct option_tree *group)
{
    if (r->map->point_count == 0)
        fault_add_at(r->faults, option_tree_place(group, "points"),
                     "map \"%s\" has no point: write points = ( { name = \"...\"; address = 0; } )",
                     r->map->name);
    if (r->map->point_count > MB_POINTS_MAX)
        fault_add_at(r->faults, option_tree_place(group, "points"),
                     "map \"%s\" has %zu points: write at most %d", r->map->name,
                     r->map->point_count, MB_POINTS_MAX);
}

static void read_map(void *arg, const struct option_tree *group)
{
    struct map_reading *r = arg;
    struct mb_maps *maps = r->maps;
    struct map_settings settings = { 0 };
    struct mb_map map = { 0 };

    conf_read_one(group, "a map", mb_map_options, &settings, r->faults);
    map.name = mem_strdup(settings.name ? settings.name : "?");
    if (mb_maps_find(maps, map.name))
        fault_add_at(r->faults, option_tree_place(group, "name"),
                     strcmp(map.name, "led") == 0 ? "map \"%s\" is built in: call yours otherwise"
                                                  : "there are two maps \"%s\": call one otherwise",
                     map.name);
    r->map = &map;
    conf_read_list(settings.points, "a point", read_point, r, r->faults);
    check_size(r, group);
    check_overlaps(r);
    conf_read_list(settings.acts, "an act", read_act, r, r->faults);
    link_acts(&map);
    option_finish(mb_map_options, &settings);
    free(r->places);
    r->places = NULL;

    maps->items = mem_realloc_array(maps->items, maps->count + 1, sizeof *maps->items);
    maps->items[maps->count++] = map;
}

void mb_maps_read(struct mb_maps *maps, const struct option_tree *list, uint32_t registers_max,
                  struct faults *faults)
{
    struct map_reading r = { .faults = faults, .maps = maps, .registers_max = registers_max };

    *maps = (struct mb_maps){ .items = mem_alloc(sizeof *maps->items), .count = 1 };
    mb_map_make_led(&maps->items[0]);
    link_acts(&maps->items[0]);
    conf_read_list(list, "a map", read_map, &r, faults);
    if (maps->count > MAPS_MAX)
        fault_add_at(faults, list, "%zu maps are too many: write at most %d", maps->count - 1,
                     MAPS_MAX - 1);
}
