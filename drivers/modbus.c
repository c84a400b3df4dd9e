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

static void put_readings(struct source *s, const struct mb_report *r)
{
    const struct mb_map *map = s->setup.units[r->unit].map;
    size_t count = 0;

    for (size_t i = 0; i < r->said_count && count < 2 * map->point_count; i++) {
        const struct mb_said *said = &r->said[i];
        struct reading *reading = &s->readings[count++];

        *reading = reading_of(s, r->unit, &map->points[said->point]);
        reading->status = (enum reading_status)said->status;
        reading->is_text = said->value.is_text;
        reading->number = said->value.number;
        reading->text = said->value.text[0] ? said->value.text : NULL;
        reading->true_at = said->true_at;
    }
    if (count > 0)
        s->env.sink->readings(s->env.house, s->readings, count);
    if (r->health != MB_HEALTH_UNKNOWN)
        put_health(s, r);
}

/* The line is gone: no point of any unit says anything now. */
static void fail_readings(struct source *s, int64_t at)
{
    for (size_t i = 0; i < s->setup.unit_count; i++) {
        const struct mb_map *map = s->setup.units[i].map;

        for (size_t j = 0; j < map->point_count; j++) {
            s->readings[j] = reading_of(s, i, &map->points[j]);
            s->readings[j].status = READING_FAILED;
            s->readings[j].text = s->line_why;
            s->readings[j].true_at = at;
        }
        if (map->point_count > 0)
            s->env.sink->readings(s->env.house, s->readings, map->point_count);
    }
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
    snprintf(u->lacks, sizeof u->lacks, "%s", r->lacks);
    u->silence = r->silence;
    if (r->health != MB_HEALTH_UNKNOWN || r->state != MB_UNIT_WELL)
        u->health = r->health;
    for (size_t i = 0; i < r->said_count; i++)
        u->faults[r->said[i].point] = r->said[i].status != READING_GOOD ? FAULT_UNKNOWN
                                      : r->said[i].faulty               ? FAULT_PRESENT
                                                                        : FAULT_ABSENT;
    put_readings(s, r);
    mb_put_conditions(s, r);
    mb_say_state(s);
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
        if (r->kind == MB_REPORT_ERRAND)
            on_errand(s, r);
        else if (!s->stopping && r->kind == MB_REPORT_UNIT)
            on_unit(s, r);
        else if (!s->stopping)
            on_line(s, r);
        mb_report_free(r);
    }
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

        s->units[i].faults = mem_zalloc(points + 1);
        most = points > most ? points : most;
    }
    s->readings = mem_zalloc((2 * most + 1) * sizeof *s->readings);
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
    rc = mb_bus_create(&s->bus, &s->setup, env->clock, env->name, on_bus, s, err);
    if (rc == 0) {
        rc = uv_async_init(env->loop, &s->wake, on_wake);
        if (rc == 0) {
            *ret = s;
            return 0;
        }
        err_set(err, rc, "modbus: %s", uv_strerror(rc));
    }
    finish(s);
    free(s);
    return rc;
}

static void mb_source_start(struct source *s)
{
    struct err err;

    if (s->setup.line.transport == MB_RTU)
        s->hotplug = hotplug_create(s->env.loop, s->setup.line.device, on_plugged, s);
    if (mb_bus_start(s->bus, &err) < 0)
        health_is(s->env.health, SOURCE_DOWN, err.text, s->env.clock);
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
    .command = mb_source_command,
    .probe = mb_source_probe,
    .stop = mb_source_stop,
};
