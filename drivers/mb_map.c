/* Maps of Modbus units: finding one's way in them, and the one that is built in; see mb_map.h. The
 * reading from a configuration is in mb_map_read.c. */
#include "mb_map.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "command.h"
#include "mb_map_private.h"
#include "show_state.h"

bool mb_reads_registers(uint32_t function)
{
    return function == MB_READ_HOLDING || function == MB_READ_INPUT;
}

uint32_t mb_point_width(const struct mb_point *point)
{
    switch ((enum mb_type)point->type) {
    case MB_U32:
    case MB_I32:
    case MB_F32:
        return 2;
    case MB_STRING:
        return point->registers;
    case MB_U16:
    case MB_I16:
    case MB_BIT:
    case MB_ENUM:
    case MB_VERSION:
        return 1;
    }
    abort();
}

char *mb_point_place(char to[MB_PLACE_SIZE], const struct mb_point *point)
{
    snprintf(to, MB_PLACE_SIZE, "function %u, address %u", point->function, point->address);
    return to;
}

const struct mb_map *mb_maps_find(const struct mb_maps *maps, const char *name)
{
    for (size_t i = 0; i < maps->count; i++)
        if (strcmp(maps->items[i].name, name) == 0)
            return &maps->items[i];
    return NULL;
}

const struct mb_point *mb_map_point(const struct mb_map *map, const char *name)
{
    for (size_t i = 0; i < map->point_count; i++)
        if (strcmp(map->points[i].name, name) == 0)
            return &map->points[i];
    return NULL;
}

const struct mb_act *mb_map_act(const struct mb_map *map, const char *verb)
{
    for (size_t i = 0; i < map->act_count; i++)
        if (strcmp(map->acts[i].verb, verb) == 0)
            return &map->acts[i];
    return NULL;
}

static void finish_point(struct mb_point *p)
{
    for (size_t i = 0; i < p->name_count; i++)
        free(p->names[i].name);
    free(p->names);
    free(p->name);
    free(p->measure);
    free(p->faulty.code);
}

static void finish_act(struct mb_act *a)
{
    free(a->verb);
    free(a->read_back);
    free(a->result);
}

void mb_maps_finish(struct mb_maps *maps)
{
    for (size_t i = 0; i < maps->count; i++) {
        struct mb_map *map = &maps->items[i];

        for (size_t j = 0; j < map->point_count; j++)
            finish_point(&map->points[j]);
        for (size_t j = 0; j < map->act_count; j++)
            finish_act(&map->acts[j]);
        free(map->points);
        free(map->acts);
        free(map->name);
    }
    free(maps->items);
    *maps = (struct mb_maps){ 0 };
}

/* --- The built-in map
 *
 * No standard describes a roof light on Modbus; this is one block that reads in one request of 16
 * registers. Its fault bits stand where NTCIP 1203 shortErrorStatus has them. Those that a device
 * in service is accused of are the ones that sign operators count as critical, the lamp itself and
 * modules that do not answer: a pixel bit alone is weak evidence, because it is measured while a
 * message happens to be shown. */

static const struct led_row {
    const char *name;
    uint16_t address;
    enum mb_type type;
    uint8_t bit;
    double scale;
    const char *measure;
    const char *fault;
} led_rows[] = {
    { "status", 0, MB_U16, 0, 1, "", NULL },
    { "status.powered", 0, MB_BIT, 0, 1, "", NULL },
    { "status.displaying", 0, MB_BIT, 1, 1, "", NULL },
    { "status.selftest_running", 0, MB_BIT, 2, 1, "", NULL },
    { "status.selftest_done", 0, MB_BIT, 3, 1, "", NULL },
    { "status.night", 0, MB_BIT, 4, 1, "", NULL },
    { "status.fault", 0, MB_BIT, 15, 1, "", NULL },
    { "faults", 1, MB_U16, 0, 1, "", NULL },
    { "faults.other", 1, MB_BIT, 0, 1, "", "led_other" },
    { "faults.communications", 1, MB_BIT, 1, 1, "", "led_communications" },
    { "faults.power", 1, MB_BIT, 2, 1, "", "led_power" },
    { "faults.driver", 1, MB_BIT, 4, 1, "", "led_driver" },
    { "faults.pixel", 1, MB_BIT, 5, 1, "", NULL },
    { "faults.light_sensor", 1, MB_BIT, 6, 1, "", NULL },
    { "faults.controller", 1, MB_BIT, 8, 1, "", "led_controller" },
    { "faults.warm", 1, MB_BIT, 9, 1, "", NULL },
    { "faults.too_hot", 1, MB_BIT, 11, 1, "", "led_too_hot" },
    { "faults.housing_open", 1, MB_BIT, 13, 1, "", NULL },
    { "faults.moisture", 1, MB_BIT, 14, 1, "", NULL },
    { "module_faults", 2, MB_U16, 0, 1, "", "led_module" },
    { "pixel_faults", 3, MB_U16, 0, 1, "", NULL },
    { "brightness", 4, MB_U16, 0, 1, "%", NULL },
    { "temperature", 5, MB_I16, 0, 0.1, "°C", NULL },
    { "supply_mv", 6, MB_U16, 0, 1, "mV", NULL },
    { "led_ma", 7, MB_U16, 0, 1, "mA", NULL },
    { "show_state", 8, MB_ENUM, 0, 1, "", NULL },
    { "firmware", 9, MB_VERSION, 0, 1, "", NULL },
    { "run_s", 10, MB_U32, 0, 1, "s", NULL },
    { "serial", 12, MB_STRING, 0, 1, "", NULL },
};

enum { SERIAL_REGISTERS = 4, RUN_MOVES_WITHIN_MS = 10000 };

static const struct led_act {
    const char *verb;
    uint16_t function, address, value, registers;
    const char *read_back, *result;
} led_acts[] = {
    { COMMAND_SELF_TEST, MB_WRITE_REGISTER, 32, 1, 0, "status.selftest_done", "pixel_faults" },
    { COMMAND_SHOW, MB_WRITE_REGISTER, 33, 0, 0, "show_state", NULL },
    { COMMAND_BRIGHTNESS, MB_WRITE_REGISTER, 34, 0, 0, "brightness", NULL },
    { COMMAND_TEXT, MB_WRITE_REGISTERS, 64, 0, 32, "registers", NULL },
    { COMMAND_RESET, MB_WRITE_REGISTER, 35, 0xA55A, 0, "run_s", NULL },
};

static void name_states(struct mb_point *p)
{
    p->names = mem_alloc(SHOW_STATES * sizeof *p->names);
    for (; p->name_count < SHOW_STATES; p->name_count++)
        p->names[p->name_count] = (struct mb_name){
            .number = (int64_t)p->name_count,
            .name = mem_strdup(show_state_name((int)p->name_count)),
        };
}

static struct mb_point led_point(const struct led_row *row)
{
    struct mb_point p = {
        .name = mem_strdup(row->name),
        .function = MB_READ_HOLDING,
        .address = row->address,
        .type = (int)row->type,
        .bit = row->bit,
        .scale = row->scale,
        .measure = mem_strdup(row->measure),
    };

    if (row->type == MB_STRING)
        p.registers = SERIAL_REGISTERS;
    if (row->type == MB_ENUM)
        name_states(&p);
    if (strcmp(row->name, "run_s") == 0)
        p.moves_within_ms = RUN_MOVES_WITHIN_MS;
    if (row->fault)
        p.faulty = (struct mb_faulty){ .code = mem_strdup(row->fault), .has_above = true };
    return p;
}

void mb_map_make_led(struct mb_map *map)
{
    *map = (struct mb_map){ .name = mem_strdup("led"),
                            .points = mem_alloc(LENGTH(led_rows) * sizeof *map->points),
                            .acts = mem_alloc(LENGTH(led_acts) * sizeof *map->acts) };
    for (; map->point_count < LENGTH(led_rows); map->point_count++)
        map->points[map->point_count] = led_point(&led_rows[map->point_count]);
    for (; map->act_count < LENGTH(led_acts); map->act_count++) {
        const struct led_act *from = &led_acts[map->act_count];

        map->acts[map->act_count] = (struct mb_act){
            .verb = mem_strdup(from->verb),
            .function = from->function,
            .address = from->address,
            .value = from->value,
            .registers = from->registers,
            .read_back = mem_strdup(from->read_back),
            .result = from->result ? mem_strdup(from->result) : NULL,
        };
    }
}
