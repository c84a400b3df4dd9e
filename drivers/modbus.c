/* Units on a Modbus bus: the loop's side.
 *
 * The bus's thread asks (mb_bus.h); here its reports become readings, conditions of devices in
 * service, and the state of the source:
 *
 *   down      the line is gone, or no unit answers: nobody is watching
 *   degraded  some units are silent, say that they have failed, or lack a point of their map
 *   well      all answer
 *
 * A silent unit is only held against its device (code no_answer) while somebody else on the bus is
 * heard: where nobody answers it is the line that is suspect, not every lamp. */
#include "mb_source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/json_out.h"
#include "base/mem.h"
#include "base/text.h"
#include "mb_errand.h"

enum { AGE_INTERVALS = 3, AGE_SLACK_MS = 2000, COUNTS_AGE_MS = 20000 };

/* What is known of a fault that a point tells. */
enum fault_state { FAULT_UNKNOWN, FAULT_ABSENT, FAULT_PRESENT };

struct unit {
    enum mb_unit_state state;
    bool device_failed;
    enum mb_health health;
    size_t unsupported;
    char lacks[MB_PLACE_SIZE + POINT_SIZE + 8];
    char why[256];   /* it is silent */
    uint8_t *faults; /* enum fault_state, of each point */
};

struct source {
    struct driver_env env;
    struct mb_setup setup;
    struct mb_bus *bus;
    struct unit *units; /* as many as the setup's */
    bool line_is_open;
    char line_why[256];
    size_t commands;          /* under way */
    struct reading *readings; /* room for one unit */
    uv_async_t wake;
    bool stopping;
    void (*stopped)(void *arg);
    void *stopped_arg;
};

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

/* --- Conditions */

static void put_condition(struct source *s, const struct mb_report *r, const char *code,
                          bool active, const char *evidence)
{
    const struct condition condition = { .device = s->setup.units[r->unit].device,
                                         .code = code,
                                         .active = active,
                                         .at = r->at,
                                         .evidence = evidence };

    s->env.sink->condition(s->env.house, &condition);
}

/* {"source":..,"unit":..,"point":..,"says":..}. Gives; free with free(). */
static char *evidence_of(const struct source *s, const struct mb_report *r, const char *point,
                         const char *says)
{
    struct text_buffer to = { 0 };

    text_buffer_adds(&to, "{");
    json_out_text(&to, "source", s->env.name);
    json_out_text(&to, "unit", s->setup.units[r->unit].name);
    if (point)
        json_out_text(&to, "point", point);
    json_out_text(&to, "says", says);
    text_buffer_adds(&to, "}");
    return text_buffer_take(&to);
}

/* A fault is there if any of its points says so; it is absent if all of them do. */
static enum fault_state fault_of(const struct source *s, size_t unit, const char *code)
{
    const struct mb_map *map = s->setup.units[unit].map;
    enum fault_state state = FAULT_ABSENT;

    for (size_t i = 0; i < map->point_count; i++) {
        const char *its = map->points[i].faulty.code;

        if (!its || strcmp(its, code) != 0)
            continue;
        if (s->units[unit].faults[i] == FAULT_PRESENT)
            return FAULT_PRESENT;
        if (s->units[unit].faults[i] == FAULT_UNKNOWN)
            state = FAULT_UNKNOWN;
    }
    return state;
}

static bool is_first_of_code(const struct mb_map *map, size_t point)
{
    for (size_t i = 0; i < point; i++)
        if (map->points[i].faulty.code &&
            strcmp(map->points[i].faulty.code, map->points[point].faulty.code) == 0)
            return false;
    return true;
}

static void put_fault(struct source *s, const struct mb_report *r, const char *code,
                      enum fault_state state)
{
    const struct mb_map *map = s->setup.units[r->unit].map;
    char *evidence = NULL;

    for (size_t i = 0; i < r->said_count && state == FAULT_PRESENT && !evidence; i++) {
        const struct mb_said *said = &r->said[i];
        const char *its = map->points[said->point].faulty.code;
        char number[32];

        snprintf(number, sizeof number, "%.10g", said->value.number);
        if (said->faulty && strcmp(its, code) == 0)
            evidence = evidence_of(s, r, map->points[said->point].name,
                                   said->value.is_text ? said->value.text : number);
    }
    put_condition(s, r, code, state == FAULT_PRESENT, evidence);
    free(evidence);
}

/* What the unit itself says of its controller, beside what points say of it. */
static void put_controller(struct source *s, const struct mb_report *r)
{
    enum fault_state points = fault_of(s, r->unit, "led_controller");
    char *evidence;

    if (r->device_failed || r->health == MB_HEALTH_BROKEN) {
        evidence = evidence_of(s, r, NULL,
                               r->device_failed ? "it has failed (exception 04)"
                                                : "its control board is broken (function 08)");
        put_condition(s, r, "led_controller", true, evidence);
        free(evidence);
    } else if (points != FAULT_UNKNOWN) {
        put_fault(s, r, "led_controller", points);
    }
}

static bool somebody_is_heard(const struct source *s, const struct mb_report *r)
{
    if (r->gateway_answered)
        return true;
    for (size_t i = 0; i < s->setup.unit_count; i++)
        if (s->units[i].state == MB_UNIT_WELL)
            return true;
    return false;
}

static void put_silence(struct source *s, const struct mb_report *r)
{
    char *evidence;

    if (r->state == MB_UNIT_WELL) {
        put_condition(s, r, "no_answer", false, NULL);
    } else if (somebody_is_heard(s, r)) {
        evidence = evidence_of(s, r, NULL, r->why);
        put_condition(s, r, "no_answer", true, evidence);
        free(evidence);
    }
}

static void put_conditions(struct source *s, const struct mb_report *r)
{
    const struct mb_map *map = s->setup.units[r->unit].map;

    if (!s->setup.units[r->unit].device)
        return;
    put_silence(s, r);
    if (r->state != MB_UNIT_WELL)
        return;
    put_controller(s, r);
    for (size_t i = 0; i < map->point_count; i++) {
        const char *code = map->points[i].faulty.code;
        enum fault_state state;

        if (!code || strcmp(code, "led_controller") == 0 || !is_first_of_code(map, i))
            continue;
        state = fault_of(s, r->unit, code);
        if (state != FAULT_UNKNOWN)
            put_fault(s, r, code, state);
    }
}

/* --- Health */

/* "lamp3, lamp7 and 2 more". Returns how many units fit. */
static size_t name_units(const struct source *s, bool (*is_so)(const struct unit *unit), char *to,
                         size_t size)
{
    size_t count = 0, used = 0;

    to[0] = '\0';
    for (size_t i = 0; i < s->setup.unit_count; i++)
        if (is_so(&s->units[i]) && ++count <= 3)
            used += (size_t)snprintf(to + used, size - used, "%s%s", count > 1 ? ", " : "",
                                     s->setup.units[i].name);
    if (count > 3)
        snprintf(to + used, size - used, " and %zu more", count - 3);
    return count;
}

static bool is_silent(const struct unit *u)
{
    return u->state == MB_UNIT_SILENT;
}

static bool is_well(const struct unit *u)
{
    return u->state == MB_UNIT_WELL;
}

static bool has_failed(const struct unit *u)
{
    return u->state == MB_UNIT_WELL && (u->device_failed || u->health == MB_HEALTH_BROKEN);
}

static bool lacks_points(const struct unit *u)
{
    return u->state == MB_UNIT_WELL && u->unsupported > 0;
}

static const char *place_of_line(const struct source *s)
{
    return s->setup.line.transport == MB_RTU ? s->setup.line.device : s->setup.line.host;
}

static enum source_state judge(const struct source *s, char why[256])
{
    char names[128];
    size_t count;

    why[0] = '\0';
    if (!s->line_is_open) {
        snprintf(why, 256, "%s", s->line_why);
        return SOURCE_DOWN;
    }
    count = name_units(s, is_silent, names, sizeof names);
    if (count > 0 && name_units(s, is_well, names, sizeof names) == 0) {
        if (count < s->setup.unit_count)
            return SOURCE_STARTING;
        snprintf(why, 256,
                 "no unit answers on %.80s: check its power, the wiring (A and B "
                 "swapped?), baud, parity and the ids",
                 place_of_line(s));
        return SOURCE_DOWN;
    }
    if (count > 0) {
        (void)name_units(s, is_silent, names, sizeof names);
        snprintf(why, 256, "%s (%zu of %zu) %s: check power, wiring and id", names, count,
                 s->setup.unit_count, count > 1 ? "do not answer" : "does not answer");
        return SOURCE_DEGRADED;
    }
    if (name_units(s, has_failed, names, sizeof names) > 0) {
        snprintf(why, 256, "%s: the device itself says that it has failed: repair or replace it",
                 names);
        return SOURCE_DEGRADED;
    }
    if (name_units(s, lacks_points, names, sizeof names) > 0) {
        for (size_t i = 0; i < s->setup.unit_count; i++)
            if (lacks_points(&s->units[i])) {
                snprintf(why, 256,
                         "unit %.32s has no %.72s: take the point out of map %.32s, or "
                         "mend its address (kpid --probe %.32s)",
                         s->setup.units[i].name, s->units[i].lacks, s->setup.units[i].map->name,
                         s->env.name);
                return SOURCE_DEGRADED;
            }
    }
    return name_units(s, is_well, names, sizeof names) > 0 ? SOURCE_WELL : SOURCE_STARTING;
}

static void say_state(struct source *s)
{
    char why[256];
    enum source_state state = judge(s, why);

    if (state != SOURCE_STARTING) /* nobody has been asked yet */
        health_is(s->env.health, state, why, s->env.clock);
}

/* --- Reports */

static void on_unit(struct source *s, const struct mb_report *r)
{
    struct unit *u = &s->units[r->unit];

    u->state = r->state;
    u->device_failed = r->device_failed;
    u->unsupported = r->unsupported;
    snprintf(u->lacks, sizeof u->lacks, "%s", r->lacks);
    snprintf(u->why, sizeof u->why, "%s", r->why);
    if (r->health != MB_HEALTH_UNKNOWN || r->state != MB_UNIT_WELL)
        u->health = r->health;
    for (size_t i = 0; i < r->said_count; i++)
        u->faults[r->said[i].point] = r->said[i].status != READING_GOOD ? FAULT_UNKNOWN
                                      : r->said[i].faulty               ? FAULT_PRESENT
                                                                        : FAULT_ABSENT;
    put_readings(s, r);
    put_conditions(s, r);
    say_state(s);
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
    say_state(s);
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
    mb_bus_stop(s->bus);
}

const struct driver driver_modbus = {
    .name = "modbus",
    .summary = "LED roof lights and other units on a Modbus line (RTU, TCP, RTU over TCP)",
    .options = mb_source_options,
    .config_size = sizeof(struct mb_source_config),
    .parts = mb_source_parts,
    .check = mb_source_check,
    .create = mb_source_create,
    .start = mb_source_start,
    .pause = mb_source_pause,
    .resume = mb_source_resume,
    .poll_now = mb_source_poll_now,
    .command = mb_source_command,
    .probe = mb_source_probe,
    .stop = mb_source_stop,
};
