/* The options of the modbus driver, what a table cannot say of them, and the setup made of them. */
#include "mb_source.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/conf_read.h"

enum { UNITS_MAX = 247, TCP_ITSELF = 255 };

static const char *const transports[] = { "rtu", "tcp", "rtu-over-tcp", NULL };
static const char *const silences[] = { "t3.5", "none", NULL };
static const char *const healths[] = { "none", "diagnostic", NULL };

#define AT(member) .offset = offsetof(struct mb_source_config, member)

const struct option mb_source_options[] = {
    { .name = "transport",
      .type = OPTION_CHOICE,
      AT(transport),
      .choices = transports,
      .required = true,
      .help =
          "a serial line (RS-485), Modbus/TCP, or RTU frames through a serial server's socket" },
    { .name = "device",
      .type = OPTION_PATH,
      AT(device),
      .help = "serial line of transport = \"rtu\"; prefer /dev/serial/by-id/, which survives a "
              "re-plug" },
    { .name = "baud",
      .type = OPTION_UINT,
      AT(baud),
      .fallback = "9600",
      .min = 300,
      .max = 4000000,
      .help = "bits per second of the line (also behind a serial server)" },
    { .name = "parity",
      .type = OPTION_CHOICE,
      AT(parity),
      .choices = serial_parity_choices,
      .fallback = "none",
      .help = "of the serial line" },
    { .name = "stop_bits",
      .type = OPTION_UINT,
      AT(stop_bits),
      .fallback = "1",
      .min = 1,
      .max = 2,
      .help = "of the serial line" },
    { .name = "silence",
      .type = OPTION_CHOICE,
      AT(silence),
      .choices = silences,
      .fallback = "t3.5",
      .help = "that is kept before each request on a serial line: 3.5 characters; none where "
              "something else keeps it" },
    { .name = "idle",
      .type = OPTION_SPAN,
      AT(idle_ms),
      .fallback = "0",
      .max = 5000,
      .help = "silence that ends a frame before its length; 0: 20ms (or t3.5) on a serial line, "
              "200ms through a serial server" },
    { .name = "echo",
      .type = OPTION_BOOL,
      AT(echo),
      .fallback = "false",
      .help = "true where the adapter repeats what is sent: the repetition is dropped" },
    { .name = "host",
      .type = OPTION_TEXT,
      AT(host),
      .help = "name or address, of transport = \"tcp\" and \"rtu-over-tcp\"" },
    { .name = "port",
      .type = OPTION_UINT,
      AT(port),
      .fallback = "502",
      .min = 1,
      .max = 65535,
      .help = "TCP port there" },
    { .name = "connect_timeout",
      .type = OPTION_SPAN,
      AT(connect_timeout_ms),
      .fallback = "3s",
      .min = 100,
      .max = 30000,
      .help = "how long the host may take to accept the connection" },
    { .name = "interval",
      .type = OPTION_SPAN,
      AT(interval_ms),
      .fallback = "2s",
      .min = 20,
      .max = 3600000,
      .help = "from one poll of a unit to the next" },
    { .name = "fast_interval",
      .type = OPTION_SPAN,
      AT(fast_interval_ms),
      .fallback = "500ms",
      .min = 20,
      .max = 3600000,
      .help = "the same for points with poll = \"fast\"" },
    { .name = "slow_interval",
      .type = OPTION_SPAN,
      AT(slow_interval_ms),
      .fallback = "1min",
      .min = 20,
      .max = 86400000,
      .help = "the same for points with poll = \"slow\"" },
    { .name = "timeout",
      .type = OPTION_SPAN,
      AT(timeout_ms),
      .fallback = "300ms",
      .min = 5,
      .max = 30000,
      .help = "how long a unit may take to answer; LED cards with slow memory need 1s" },
    { .name = "retries",
      .type = OPTION_UINT,
      AT(retries),
      .fallback = "2",
      .max = 10,
      .help = "further tries before a unit counts as silent" },
    { .name = "gap",
      .type = OPTION_UINT,
      AT(gap),
      .fallback = "8",
      .max = 124,
      .help = "points with at most so many unused registers between them are read in one request" },
    { .name = "registers_max",
      .type = OPTION_UINT,
      AT(registers_max),
      .fallback = "125",
      .min = 1,
      .max = MB_REGISTERS_MAX,
      .help = "of one request" },
    { .name = "backoff_max",
      .type = OPTION_SPAN,
      AT(backoff_max_ms),
      .fallback = "15s",
      .min = 1000,
      .max = 3600000,
      .help = "the longest wait before a silent unit, or a line that cannot be opened, is tried "
              "again" },
    { .name = "maps",
      .type = OPTION_TREE,
      AT(maps),
      .help = "list of { name; points; acts; }: kinds of units; \"led\" is built in" },
    { .name = "units",
      .type = OPTION_TREE,
      AT(units),
      .required = true,
      .help = "list of { name; id; map; ... }: who is on the bus" },
    { .name = NULL },
};

#undef AT

struct unit_settings {
    char *name, *map, *device;
    uint32_t id, registers_max;
    int64_t timeout_ms, connect_pause_ms, request_pause_ms;
    int health;
};

#define AT(member) .offset = offsetof(struct unit_settings, member)

const struct option mb_unit_options[] = {
    { .name = "name",
      .type = OPTION_NAME,
      AT(name),
      .required = true,
      .help = "of the unit, for its readings" },
    { .name = "id",
      .type = OPTION_UINT,
      AT(id),
      .required = true,
      .min = 1,
      .max = TCP_ITSELF,
      .help = "its Modbus address, 1 to 247; 255 for a Modbus/TCP device itself" },
    { .name = "map",
      .type = OPTION_TEXT,
      AT(map),
      .fallback = "led",
      .help = "what it has to say: \"led\", or the name of one of `maps`" },
    { .name = "device",
      .type = OPTION_TEXT,
      AT(device),
      .min = 1,
      .max = 64,
      .help = "the device in service that it is, as events call it: its faults then become "
              "device.faulted; without it the unit is a place on the bench" },
    { .name = "timeout",
      .type = OPTION_SPAN,
      AT(timeout_ms),
      .fallback = "0",
      .max = 30000,
      .help = "how long it may take to answer; 0: as the bus says" },
    { .name = "registers_max",
      .type = OPTION_UINT,
      AT(registers_max),
      .fallback = "0",
      .max = MB_REGISTERS_MAX,
      .help = "that it gives in one request; 0: as the bus says" },
    { .name = "connect_pause",
      .type = OPTION_SPAN,
      AT(connect_pause_ms),
      .fallback = "0",
      .max = 30000,
      .help = "that it needs after the line was opened, before its first request" },
    { .name = "request_pause",
      .type = OPTION_SPAN,
      AT(request_pause_ms),
      .fallback = "0",
      .max = 5000,
      .help = "that it needs before each request" },
    { .name = "health",
      .type = OPTION_CHOICE,
      AT(health),
      .choices = healths,
      .fallback = "none",
      .help = "diagnostic: with each poll function 08 asks whether its control board works" },
    { .name = NULL },
};

#undef AT

const struct driver_part mb_source_parts[] = {
    { "units", mb_unit_options },
    { "maps", mb_map_options },
    { "points of a map", mb_point_options },
    { "values of a point", mb_value_options },
    { "faulty of a point", mb_faulty_options },
    { "acts of a map", mb_act_options },
    { NULL, NULL },
};

/* --- Units */

struct unit_reading {
    const struct mb_source_config *config;
    struct mb_setup *setup;
    const struct option_tree **places; /* of the units */
    struct faults *faults;
};

static void check_unit(struct unit_reading *r, const struct mb_unit_setup *u, const char *map,
                       const struct option_tree *group)
{
    const char *names[64] = { 0 };
    char hint[CONF_HINT_SIZE];

    for (size_t i = 0; i < r->setup->maps.count && i + 1 < LENGTH(names); i++)
        names[i] = r->setup->maps.items[i].name;
    if (map && !u->map)
        fault_add_at(r->faults, option_tree_place(group, "map"), "there is no map \"%s\": %s", map,
                     conf_hint(hint, map, names));
    if (u->id > UNITS_MAX && !(u->id == TCP_ITSELF && r->config->transport == MB_TCP))
        fault_add_at(r->faults, option_tree_place(group, "id"),
                     "id %u is reserved: write 1 to 247%s", u->id,
                     r->config->transport == MB_TCP ? ", or 255 for the TCP device itself" : "");
    if (strcmp(u->name, "bus") == 0)
        fault_add_at(r->faults, option_tree_place(group, "name"),
                     "name \"bus\" is where the bus itself has its readings: call the unit "
                     "otherwise");
    for (size_t i = 0; u->map && i < u->map->point_count; i++)
        if (mb_point_width(&u->map->points[i]) > u->registers_max)
            fault_add_at(
                r->faults, option_tree_place(group, "registers_max"),
                "unit \"%s\" gives %u registers at once, and point \"%s\" of its map takes "
                "%u: it would tear; write at least that",
                u->name, u->registers_max, u->map->points[i].name,
                mb_point_width(&u->map->points[i]));
    for (size_t i = 0; i < r->setup->unit_count; i++) {
        const struct mb_unit_setup *other = &r->setup->units[i];

        if (other->id == u->id)
            fault_add_at(
                r->faults, option_tree_place(group, "id"),
                "unit \"%s\" has id %u, and so has \"%s\" on line %u: both would answer at "
                "once; give one of them another",
                u->name, u->id, other->name, r->places[i]->line);
        if (strcmp(other->name, u->name) == 0)
            fault_add_at(r->faults, option_tree_place(group, "name"),
                         "unit \"%s\" is on line %u already: call one of them otherwise", u->name,
                         r->places[i]->line);
        if (other->device && u->device && strcmp(other->device, u->device) == 0)
            fault_add_at(r->faults, option_tree_place(group, "device"),
                         "unit \"%s\" is device \"%s\", and so is \"%s\" on line %u: a device is "
                         "one unit",
                         u->name, u->device, other->name, r->places[i]->line);
    }
}

static char *copy_or_null(const char *text)
{
    return text ? mem_strdup(text) : NULL;
}

static void read_unit(void *arg, const struct option_tree *group)
{
    struct unit_reading *r = arg;
    struct mb_setup *setup = r->setup;
    struct unit_settings s = { 0 };
    struct mb_unit_setup unit;

    conf_read_one(group, "a unit", mb_unit_options, &s, r->faults);
    unit = (struct mb_unit_setup){
        .name = mem_strdup(s.name ? s.name : "?"),
        .id = s.id,
        .device = copy_or_null(s.device),
        .map = s.map ? mb_maps_find(&setup->maps, s.map) : NULL,
        .registers_max = s.registers_max ? s.registers_max : r->config->registers_max,
        .timeout_ms = s.timeout_ms ? s.timeout_ms : r->config->timeout_ms,
        .connect_pause_ms = s.connect_pause_ms,
        .request_pause_ms = s.request_pause_ms,
        .asks_health = s.health != 0,
    };
    if (s.name && s.id)
        check_unit(r, &unit, s.map, group);
    option_finish(mb_unit_options, &s);

    setup->units = mem_realloc_array(setup->units, setup->unit_count + 1, sizeof *setup->units);
    r->places = mem_realloc_array(r->places, setup->unit_count + 1, sizeof *r->places);
    r->places[setup->unit_count] = group;
    setup->units[setup->unit_count++] = unit;
}

/* Maps and units; adds their faults. */
static void read_trees(struct mb_setup *setup, const struct mb_source_config *c,
                       struct faults *faults)
{
    struct unit_reading r = { .config = c, .setup = setup, .faults = faults };

    mb_maps_read(&setup->maps, c->maps, c->registers_max, faults);
    conf_read_list(c->units, "a unit", read_unit, &r, faults);
    free(r.places);
}

void mb_source_check(const void *config, const struct option_tree *section, struct faults *faults)
{
    const struct mb_source_config *c = config;
    struct mb_setup setup = { 0 };

    if (c->transport == MB_RTU && !c->device && option_tree_get(section, "transport"))
        fault_add_at(faults, section,
                     "transport = \"rtu\" needs device: add device = \"/dev/serial/by-id/...\";");
    if (c->transport != MB_RTU && !c->host)
        fault_add_at(faults, section, "transport = \"%s\" needs host: add host = \"192.168.1.20\";",
                     transports[c->transport]);
    if (c->transport == MB_RTU)
        serial_check_baud(c->baud, section, faults);
    if (c->echo && c->transport == MB_TCP)
        fault_add_at(faults, option_tree_place(section, "echo"),
                     "echo is a matter of RS-485 lines: leave it out with transport = \"tcp\"");
    read_trees(&setup, c, faults);
    if (c->units && setup.unit_count == 0)
        fault_add_at(faults, option_tree_place(section, "units"),
                     "the bus has no unit: write units = ( { name = \"lamp1\"; id = 1; } );");
    mb_setup_finish(&setup);
}

/* --- The setup */

void mb_setup_init(struct mb_setup *setup, const struct mb_source_config *config)
{
    struct faults none = { 0 };

    *setup = (struct mb_setup){
        .line = { .transport = (enum mb_transport)config->transport,
                  .device = copy_or_null(config->device),
                  .baud = config->baud,
                  .stop_bits = config->stop_bits,
                  .parity = (enum serial_parity)config->parity,
                  .host = copy_or_null(config->host),
                  .port = config->port,
                  .idle_ms = config->idle_ms,
                  .silence_us = config->silence == 0 ? -1 : 0,
                  .connect_ms = config->connect_timeout_ms,
                  .echoes = config->echo },
        .interval_ms = { [MB_NORMAL] = config->interval_ms,
                         [MB_FAST] = config->fast_interval_ms,
                         [MB_SLOW] = config->slow_interval_ms },
        .retries = config->retries,
        .gap = config->gap,
        .backoff_max_ms = config->backoff_max_ms,
    };
    read_trees(setup, config, &none);
    faults_finish(&none);
}

void mb_setup_finish(struct mb_setup *setup)
{
    for (size_t i = 0; i < setup->unit_count; i++) {
        free(setup->units[i].name);
        free(setup->units[i].device);
    }
    free(setup->units);
    mb_maps_finish(&setup->maps);
    free(setup->line.device);
    free(setup->line.host);
    *setup = (struct mb_setup){ 0 };
}

void mb_source_names(const void *config, const char *unit,
                     void (*each)(void *arg, const char *name), void *arg)
{
    struct mb_setup setup;

    mb_setup_init(&setup, config);
    for (size_t i = 0; i < setup.unit_count; i++) {
        const struct mb_unit_setup *u = &setup.units[i];

        if (!unit)
            each(arg, u->name);
        for (size_t k = 0; unit && strcmp(u->name, unit) == 0 && k < u->map->point_count; k++)
            each(arg, u->map->points[k].name);
    }
    mb_setup_finish(&setup);
}
