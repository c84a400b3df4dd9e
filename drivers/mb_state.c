/* How the source is, in one sentence that says what to do:
 *
 *   down      the line is gone, or no unit answers: nobody is watching
 *   degraded  some units are silent, say that they have failed, or lack a point of their map
 *   well      all answer */
#include <stdio.h>
#include <string.h>

#include "hotplug.h"
#include "mb_source.h"

/* "lamp3, lamp7 and 2 more". Returns how many units fit. */
static size_t name_units(const struct source *s, bool (*is_so)(const struct mb_known *unit),
                         char *to, size_t size)
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

static bool is_silent(const struct mb_known *u)
{
    return u->state == MB_UNIT_SILENT;
}

static bool is_well(const struct mb_known *u)
{
    return u->state == MB_UNIT_WELL;
}

static bool has_failed(const struct mb_known *u)
{
    return u->state == MB_UNIT_WELL && (u->device_failed || u->health == MB_HEALTH_BROKEN);
}

static bool lacks_points(const struct mb_known *u)
{
    return u->state == MB_UNIT_WELL && u->unsupported > 0;
}

static const char *place_of_line(const struct source *s)
{
    return s->setup.line.transport == MB_RTU ? s->setup.line.device : s->setup.line.host;
}

static enum mb_silence first_silence(const struct source *s)
{
    for (size_t i = 0; i < s->setup.unit_count; i++)
        if (is_silent(&s->units[i]))
            return s->units[i].silence;
    return MB_SILENCE_NOTHING;
}

/* Pure silence of all is mostly the line itself. */
static void say_nobody(const struct source *s, char why[256])
{
    enum mb_silence silence = first_silence(s);

    if (silence == MB_SILENCE_NOTHING)
        snprintf(why, 256,
                 "no unit answers on %.100s: check its power, the wiring (A and B "
                 "swapped?), baud, parity and the ids",
                 place_of_line(s));
    else
        snprintf(why, 256, "no unit can be read on %.60s: %.32s %.40s: %.90s", place_of_line(s),
                 s->setup.units[0].name, mb_silence_text(silence), mb_silence_mend(silence));
}

static void say_line(const struct source *s, char why[256])
{
    const char *blind = s->hotplug ? hotplug_trouble(s->hotplug) : NULL;

    snprintf(why, 256, "%.140s%s%.110s", s->line_why, blind ? "; " : "", blind ? blind : "");
}

static void say_lack(const struct source *s, size_t i, char why[256])
{
    snprintf(why, 256,
             "unit %.32s has no %.72s: take the point out of map %.32s, or mend its address (kpid "
             "--probe %.32s)",
             s->setup.units[i].name, s->units[i].lacks, s->setup.units[i].map->name, s->env.name);
}

/* By far the most frequent case, told without a word. */
static bool all_are_well(const struct source *s)
{
    for (size_t i = 0; i < s->setup.unit_count; i++)
        if (!is_well(&s->units[i]) || has_failed(&s->units[i]) || lacks_points(&s->units[i]))
            return false;
    return s->line_is_open;
}

static enum source_state judge(const struct source *s, char why[256])
{
    char names[128];
    size_t count;
    enum mb_silence silence;

    why[0] = '\0';
    if (all_are_well(s))
        return SOURCE_WELL;
    if (!s->line_is_open) {
        say_line(s, why);
        return SOURCE_DOWN;
    }
    count = name_units(s, is_silent, names, sizeof names);
    if (count > 0 && name_units(s, is_well, names, sizeof names) == 0) {
        if (count < s->setup.unit_count)
            return SOURCE_STARTING;
        say_nobody(s, why);
        return SOURCE_DOWN;
    }
    if (count > 0) {
        (void)name_units(s, is_silent, names, sizeof names);
        silence = first_silence(s);
        snprintf(why, 256, "%s (%zu of %zu) %s: %s", names, count, s->setup.unit_count,
                 mb_silence_text(silence), mb_silence_mend(silence));
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
                say_lack(s, i, why);
                return SOURCE_DEGRADED;
            }
    }
    return name_units(s, is_well, names, sizeof names) > 0 ? SOURCE_WELL : SOURCE_STARTING;
}

void mb_say_state(struct source *s)
{
    char why[256];
    enum source_state state = judge(s, why);

    if (state != SOURCE_STARTING) /* nobody has been asked yet */
        health_is(s->env.health, state, why, s->env.clock);
}

static bool nobody_answers(const struct source *s)
{
    for (size_t i = 0; i < s->setup.unit_count; i++)
        if (!is_silent(&s->units[i]) || s->units[i].silence != MB_SILENCE_NOTHING)
            return false;
    return true;
}

static void say_unit(const struct source *s, size_t i, char why[256])
{
    const struct mb_known *u = &s->units[i];

    if (!s->line_is_open)
        say_line(s, why);
    else if (is_silent(u) && nobody_answers(s))
        say_nobody(s, why);
    else if (is_silent(u))
        snprintf(why, 256, "%s: %s", mb_silence_text(u->silence), mb_silence_mend(u->silence));
    else if (has_failed(u))
        snprintf(why, 256, "the device itself says that it has failed: repair or replace it");
    else if (lacks_points(u))
        say_lack(s, i, why);
}

void mb_source_unit_why(const struct source *s, const char *unit, char why[256])
{
    why[0] = '\0';
    for (size_t i = 0; i < s->setup.unit_count; i++)
        if (strcmp(s->setup.units[i].name, unit) == 0)
            say_unit(s, i, why);
}
