/* Units on a Modbus bus: the loop's side. The bus's thread asks (mb_bus.h); here its reports become
 * readings, conditions of devices in service (mb_conditions.c) and the state of the source
 * (mb_state.c). */
#include "mb_source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/mem.h"
#include "hotplug.h"
#include "mb_errand.h"

enum { AGE_INTERVALS = 3, AGE_SLACK_MS = 2000, COUNTS_AGE_MS = 20000 };

/* --- Readings */

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static struct reading reading_of(const struct source *s, size_t unit, const struct mb_point *p)
{
    int64_t few_polls = AGE_INTERVALS * s->setup.interval_ms[p->poll] + AGE_SLACK_MS;

    return (struct reading){
        .unit = s->setup.units[unit].name,
        .point = p->name,
        .measure = p->measure,
        .age_limit_ms = p->age_limit_ms ? p->age_limit_ms : few_polls,
        .moves_within_ms = p->moves_within_ms ? larger(p->moves_within_ms, few_polls) : 0,
    };
}

static void put_health(struct source *s, const struct mb_report *r)
{
    const struct reading reading = {
        .unit = s->setup.units[r->unit].name,
        .point = "health",
        .status = READING_GOOD,
        .is_text = true,
        .number = r->health == MB_HEALTH_WELL,
        .text = r->health == MB_HEALTH_WELL ? "works" : "broken",
        .measure = "",
        .true_at = r->at,
        .age_limit_ms = AGE_INTERVALS * s->setup.interval_ms[MB_NORMAL] + AGE_SLACK_MS,
    };

    s->env.sink->readings(s->env.house, &reading, 1);
}

/* Why a block brought nothing. */
static const char *refusal_of(int exception)
{
    static const struct {
        int exception;
        const char *text;
    } rows[] = {
        { MB_ILLEGAL_FUNCTION, "the unit has not that function (exception 01)" },
        { MB_ILLEGAL_ADDRESS, "the unit has nothing at that address (exception 02)" },
        { MB_ILLEGAL_VALUE, "the unit does not give so many registers (exception 03)" },
        { MB_DEVICE_FAILURE, "the unit says that it has failed (exception 04)" },
        { MB_ACKNOWLEDGE, "the unit is working on something (exception 05)" },
        { MB_BUSY, "the unit is busy (exception 06)" },
        { MB_MEMORY_PARITY, "the unit says that its memory has failed (exception 08)" },
    };

    for (size_t i = 0; i < LENGTH(rows); i++)
        if (rows[i].exception == exception)
            return rows[i].text;
    return "the unit refuses";
}

static void read_point(struct source *s, const struct mb_report *r, const struct mb_block *block,
                       size_t index, size_t place)
{
    const struct mb_point *point = &s->setup.units[r->unit].map->points[index];
    struct mb_known_fault *fault = &s->units[r->unit].faults[index];
    struct reading *reading = &s->readings[place];
    struct mb_value *value = &s->values[place];

    *reading = reading_of(s, r->unit, point);
    reading->true_at = block->true_at;
    fault->state = FAULT_UNKNOWN;
    if (block->exception) {
        reading->status =
            mb_exception_is_about_map(block->exception) ? READING_UNSUPPORTED : READING_FAILED;
        reading->text = refusal_of(block->exception);
        return;
    }
    reading->status =
        mb_value_of(point, r->words + block->words + (point->address - block->address), value)
            ? READING_GOOD
            : READING_FAILED;
    reading->is_text = value->is_text;
    reading->number = value->number;
    reading->text = value->text[0] ? value->text : NULL;
    if (reading->status != READING_GOOD)
        return;
    fault->state = mb_value_is_faulty(point, value) ? FAULT_PRESENT : FAULT_ABSENT;
    fault->number = value->number;
}

static void put_readings(struct source *s, const struct mb_report *r)
{
    const struct mb_map *map = s->setup.units[r->unit].map;

    for (size_t b = 0; b < r->block_count; b++) {
        size_t count = 0;

        for (size_t i = 0; i < map->point_count; i++)
            if (mb_block_holds(&r->blocks[b], &map->points[i]))
                read_point(s, r, &r->blocks[b], i, count++);
        if (count > 0)
            s->env.sink->readings(s->env.house, s->readings, count);
    }
    if (r->health != MB_HEALTH_UNKNOWN)
        put_health(s, r);
}

static void fail_unit(struct source *s, size_t unit, const char *why, int64_t at)
{
    const struct mb_map *map = s->setup.units[unit].map;

    for (size_t j = 0; j < map->point_count; j++) {
        s->readings[j] = reading_of(s, unit, &map->points[j]);
        s->readings[j].status = READING_FAILED;
        s->readings[j].text = why;
        s->readings[j].true_at = at;
        s->units[unit].faults[j].state = FAULT_UNKNOWN;
    }
    if (map->point_count > 0)
        s->env.sink->readings(s->env.house, s->readings, map->point_count);
}

/* The line is gone: no point of any unit says anything now. */
static void fail_readings(struct source *s, int64_t at)
{
    for (size_t i = 0; i < s->setup.unit_count; i++)
        fail_unit(s, i, s->line_why, at);
}

static void put_counts(struct source *s, const struct mb_report *r)
{
    const struct {
        const char *point;
        uint64_t count;
    } rows[] = {
        { "questions", r->counts.questions },   { "time_outs", r->counts.time_outs },
        { "damaged", r->counts.damaged },       { "stray", r->counts.stray },
        { "exceptions", r->counts.exceptions }, { "missed", r->counts.missed },
        { "opened", r->counts.opened },
    };
    struct reading readings[LENGTH(rows)];

    for (size_t i = 0; i < LENGTH(rows); i++)
        readings[i] = (struct reading){ .unit = "bus",
                                        .point = rows[i].point,
                                        .status = READING_GOOD,
                                        .number = (double)rows[i].count,
                                        .measure = "",
                                        .true_at = r->at,
                                        .age_limit_ms = COUNTS_AGE_MS };
    s->env.sink->readings(s->env.house, readings, LENGTH(rows));
}

/* --- Reports */

static void on_unit(struct source *s, const struct mb_report *r)
{
    struct mb_known *u = &s->units[r->unit];

    u->state = r->state;
    u->device_failed = r->device_failed;
    u->unsupported = r->unsupported;
    memcpy(u->lacks, r->lacks, sizeof u->lacks);
    u->silence = r->silence;
    if (r->health != MB_HEALTH_UNKNOWN || r->state != MB_UNIT_WELL)
        u->health = r->health;
    if (r->state == MB_UNIT_SILENT)
        fail_unit(s, r->unit, mb_silence_text(r->silence), r->at);
    else
        put_readings(s, r);
    mb_put_conditions(s, r);
    mb_say_state(s);
}

/* Does the newer of two reports of a unit tell all that the older does? */
static bool tells_all(const struct mb_report *newer, const struct mb_report *older)
{
    return newer->state == MB_UNIT_WELL && older->state == MB_UNIT_WELL && newer->block_count > 0 &&
           older->block_count > 0 && newer->blocks[0].poll == older->blocks[0].poll;
}

/* Where a bus is so fast that several reports of a unit wait, values are made of the newest: what
 * the older ones said was over before anybody could have seen it. Takes. */
static void hold_unit(struct source *s, struct mb_report *r)
{
    struct mb_report **held = &s->units[r->unit].held;

    if (*held && !tells_all(r, *held))
        on_unit(s, *held);
    mb_report_free(*held);
    *held = r;
}

static void take_held(struct source *s)
{
    for (size_t i = 0; i < s->setup.unit_count; i++) {
        struct mb_report *held = s->units[i].held;

        s->units[i].held = NULL;
        if (held)
            on_unit(s, held);
        mb_report_free(held);
    }
}

static void on_line(struct source *s, const struct mb_report *r)
{
    s->line_is_open = r->is_open;
    snprintf(s->line_why, sizeof s->line_why, "%s", r->why);
    if (!r->is_open) {
        fail_readings(s, r->at);
        for (size_t i = 0; i < s->setup.unit_count; i++)
            if (s->units[i].state == MB_UNIT_WELL)
                s->units[i].state = MB_UNIT_NEW;
    }
    s->env.sink->next_attempt(s->env.house, r->is_open ? 0 : r->next_attempt_at);
    put_counts(s, r);
    mb_say_state(s);
}

static void on_errand(struct source *s, struct mb_report *r)
{
    struct command *command = r->errand->command;

    command->status = r->errand->status;
    command->err = r->errand->err;
    snprintf(command->result, sizeof command->result, "%s", r->errand->result);
    s->commands--;
    command->done(command);
}

static void finish(struct source *s)
{
    for (size_t i = 0; s->units && i < s->setup.unit_count; i++)
        free(s->units[i].faults);
    free(s->units);
    free(s->readings);
    free(s->values);
    mb_bus_destroy(s->bus);
    mb_setup_finish(&s->setup);
}

static void on_closed(uv_handle_t *handle)
{
    struct source *s = handle->data;
    void (*stopped)(void *arg) = s->stopped;
    void *arg = s->stopped_arg;

    finish(s);
    free(s);
    if (stopped)
        stopped(arg);
}

static void on_wake(uv_async_t *wake)
{
    struct source *s = wake->data;
    bool ended = mb_bus_ended(s->bus); /* asked first: what it said before is then all there */
    struct mb_report *r;

    while ((r = mb_bus_take(s->bus))) {
        if (!s->stopping && r->kind == MB_REPORT_UNIT) {
            hold_unit(s, r);
            continue;
        }
        take_held(s); /* what came before the line failed, or an errand ended, is told before */
        if (r->kind == MB_REPORT_ERRAND)
            on_errand(s, r);
        else if (!s->stopping && r->kind == MB_REPORT_LINE)
            on_line(s, r);
        mb_report_free(r);
    }
    take_held(s);
    if (ended && s->stopping && !uv_is_closing((uv_handle_t *)wake))
        uv_close((uv_handle_t *)wake, on_closed);
}

/* On the bus's thread. */
static void on_bus(void *arg)
{
    struct source *s = arg;

    (void)uv_async_send(&s->wake); /* cannot fail for a handle that is open */
}

static void on_plugged(void *arg, bool is_there)
{
    struct source *s = arg;

    mb_bus_line(s->bus, is_there);
}

/* --- The vtable */

static void make_units(struct source *s)
{
    size_t most = 0;

    s->units = mem_zalloc((s->setup.unit_count + 1) * sizeof *s->units);
    for (size_t i = 0; i < s->setup.unit_count; i++) {
        size_t points = s->setup.units[i].map->point_count;

        s->units[i].faults = mem_zalloc((points + 1) * sizeof *s->units[i].faults);
        most = points > most ? points : most;
    }
    s->readings = mem_zalloc((most + 1) * sizeof *s->readings);
    s->values = mem_zalloc((most + 1) * sizeof *s->values);
}

static int mb_source_create(struct source **ret, const void *config, const struct driver_env *env,
                            struct err *err)
{
    struct source *s = mem_zalloc(sizeof *s);
    int rc;

    s->env = *env;
    s->wake.data = s;
    mb_setup_init(&s->setup, config);
    make_units(s);
    s->bus = mb_bus_create(&s->setup, env->clock, env->name, on_bus, s);
    rc = uv_async_init(env->loop, &s->wake, on_wake);
    if (rc < 0) {
        finish(s);
        free(s);
        return err_set(err, rc, "modbus: %s", uv_strerror(rc));
    }
    *ret = s;
    return 0;
}

static void mb_source_start(struct source *s)
{
    struct err err;

    if (s->setup.line.transport == MB_RTU)
        s->hotplug = hotplug_create(s->env.loop, s->setup.line.device, on_plugged, s);
    if (mb_bus_start(s->bus, &err) < 0) {
        snprintf(s->line_why, sizeof s->line_why, "%.*s", (int)sizeof s->line_why - 1, err.text);
        health_is(s->env.health, SOURCE_DOWN, err.text, s->env.clock);
    }
}

/* Readings are never refused, so there is nothing to hold back. */
static void mb_source_pause(struct source *s)
{
    (void)s;
}

static void mb_source_resume(struct source *s)
{
    (void)s;
}

static bool mb_source_poll_now(struct source *s)
{
    mb_bus_nudge(s->bus);
    return true;
}

static int mb_source_command(struct source *s, struct command *command)
{
    for (size_t i = 0; i < s->setup.unit_count; i++) {
        const struct mb_act *act;
        int rc;

        if (strcmp(s->setup.units[i].name, command->unit) != 0)
            continue;
        act = mb_map_act(s->setup.units[i].map, command->verb);
        if (!act)
            return -EOPNOTSUPP;
        if (s->stopping || s->commands >= MB_ERRANDS_MAX)
            return s->stopping ? -ENOTCONN : -EBUSY;
        command->result[0] = '\0';
        rc = mb_bus_send(s->bus, i, act, command);
        s->commands += rc == 0;
        return rc;
    }
    return -ENOENT;
}

static void mb_source_stop(struct source *s, void (*stopped)(void *arg), void *arg)
{
    s->stopping = true;
    s->stopped = stopped;
    s->stopped_arg = arg;
    hotplug_destroy(s->hotplug);
    s->hotplug = NULL;
    mb_bus_stop(s->bus);
}

const struct driver driver_modbus = {
    .name = "modbus",
    .summary = "LED roof lights and other units on a Modbus line (RTU, TCP, RTU over TCP)",
    .options = mb_source_options,
    .config_size = sizeof(struct mb_source_config),
    .parts = mb_source_parts,
    .check = mb_source_check,
    .names = mb_source_names,
    .create = mb_source_create,
    .start = mb_source_start,
    .pause = mb_source_pause,
    .resume = mb_source_resume,
    .poll_now = mb_source_poll_now,
    .unit_why = mb_source_unit_why,
    .command = mb_source_command,
    .probe = mb_source_probe,
    .stop = mb_source_stop,
};
