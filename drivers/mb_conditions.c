/* What units say of themselves, as faults of devices in service.
 *
 * A silent unit is only held against its device (code no_answer) while somebody else on the bus is
 * heard: where nobody answers it is the line that is suspect, not every lamp. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_out.h"
#include "base/text.h"
#include "mb_source.h"

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
static enum mb_fault_state fault_of(const struct source *s, size_t unit, const char *code)
{
    const struct mb_map *map = s->setup.units[unit].map;
    enum mb_fault_state state = FAULT_ABSENT;

    for (size_t i = 0; i < map->point_count; i++) {
        const char *its = map->points[i].faulty.code;

        if (!its || strcmp(its, code) != 0)
            continue;
        if (s->units[unit].faults[i].state == FAULT_PRESENT)
            return FAULT_PRESENT;
        if (s->units[unit].faults[i].state == FAULT_UNKNOWN)
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
                      enum mb_fault_state state)
{
    const struct mb_map *map = s->setup.units[r->unit].map;
    char *evidence = NULL;

    for (size_t i = 0; i < map->point_count && state == FAULT_PRESENT && !evidence; i++) {
        const char *its = map->points[i].faulty.code;
        const struct mb_known_fault *fault = &s->units[r->unit].faults[i];
        char number[32];

        snprintf(number, sizeof number, "%.10g", fault->number);
        if (its && strcmp(its, code) == 0 && fault->state == FAULT_PRESENT)
            evidence = evidence_of(s, r, map->points[i].name, number);
    }
    put_condition(s, r, code, state == FAULT_PRESENT, evidence);
    free(evidence);
}

/* What the unit itself says of its controller, beside what points say of it. */
static void put_controller(struct source *s, const struct mb_report *r)
{
    enum mb_fault_state points = fault_of(s, r->unit, "led_controller");
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
    if (r->silence == MB_SILENCE_GATEWAY)
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
        evidence = evidence_of(s, r, NULL, mb_silence_text(r->silence));
        put_condition(s, r, "no_answer", true, evidence);
        free(evidence);
    }
}

void mb_put_conditions(struct source *s, const struct mb_report *r)
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
        enum mb_fault_state state;

        if (!code || strcmp(code, "led_controller") == 0 || !is_first_of_code(map, i))
            continue;
        state = fault_of(s, r->unit, code);
        if (state != FAULT_UNKNOWN)
            put_fault(s, r, code, state);
    }
}
