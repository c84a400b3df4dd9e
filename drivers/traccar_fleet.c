/* The fleet as the server told it; see traccar_fleet.h. */
#include "traccar_fleet.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/instant.h"
#include "base/json_out.h"
#include "base/mem.h"
#include "base/text.h"

enum { FLEET_MAX = 200000, EVENT_SIZE = 512 };

struct vehicle {
    struct traccar_device is;
    int64_t first_seen_at, heard_at;
    int64_t position;           /* the last one that was looked at */
    int64_t lasting_since;      /* 0: no lasting alarm stands */
    unsigned listing;           /* in which it was seen last */
    bool in_service;            /* as told in events */
    bool was_told;              /* by the server, and not only by our cursor */
    UT_hash_handle hh;
};

struct traccar_fleet {
    const struct driver_env *env;
    struct traccar_fleet_settings settings;
    struct vehicle *vehicles;   /* by the server's id */
    unsigned listing;
};

static struct vehicle *find(const struct traccar_fleet *f, int64_t id)
{
    struct vehicle *v;

    HASH_FIND(hh, f->vehicles, &id, sizeof id, v);
    return v;
}

static struct vehicle *add(struct traccar_fleet *f, int64_t id)
{
    struct vehicle *v = mem_zalloc(sizeof *v);

    v->is.id = id;
    v->first_seen_at = clock_wall(f->env->clock);
    HASH_ADD(hh, f->vehicles, is.id, sizeof v->is.id, v);
    return v;
}

static void drop(struct traccar_fleet *f, struct vehicle *v)
{
    HASH_DEL(f->vehicles, v);
    free(v);
}

static void load(struct traccar_fleet *f, const char *saved)
{
    int64_t id;
    char unique[TRACCAR_TEXT_SIZE];
    int used;

    while (saved && sscanf(saved, "%" SCNd64 " %64[^\n]\n%n", &id, unique, &used) == 2) {
        struct vehicle *v = add(f, id);

        text_set(v->is.unique_id, sizeof v->is.unique_id, unique);
        v->in_service = true;
        v->listing = f->listing;
        saved += used;
    }
}

struct traccar_fleet *traccar_fleet_create(const struct driver_env *env,
                                           const struct traccar_fleet_settings *settings,
                                           const char *saved)
{
    struct traccar_fleet *f = mem_zalloc(sizeof *f);

    f->env = env;
    f->settings = *settings;
    f->listing = 1;
    if (settings->commission)
        load(f, saved);
    return f;
}

void traccar_fleet_destroy(struct traccar_fleet *f)
{
    if (!f)
        return;
    while (f->vehicles)
        drop(f, f->vehicles);
    free(f->settings.codes);
    free(f);
}

char *traccar_fleet_save(const struct traccar_fleet *f)
{
    struct text_buffer text = { 0 };

    for (const struct vehicle *v = f->vehicles; v; v = v->hh.next)
        if (v->in_service)
            text_buffer_addf(&text, "%" PRId64 " %s\n", v->is.id, v->is.unique_id);
    return text_buffer_take(&text);
}

size_t traccar_fleet_count(const struct traccar_fleet *f)
{
    return HASH_COUNT(f->vehicles);
}

static const char *strip(const char *id)
{
    while (id[0] == '0' && id[1] != '\0')
        id++;
    return id;
}

const struct traccar_device *traccar_fleet_named(const struct traccar_fleet *f, const char *name)
{
    for (const struct vehicle *v = f->vehicles; v; v = v->hh.next)
        if (v->was_told &&
            (strcmp(v->is.name, name) == 0 || strcmp(strip(v->is.unique_id), strip(name)) == 0))
            return &v->is;
    return NULL;
}

/* --- In service */

static void add_service_event(struct traccar_fleet *f, const struct vehicle *v, const char *what,
                              struct lines *events)
{
    int64_t now = clock_wall(f->env->clock);
    struct text_buffer json = { 0 };
    char id[TRACCAR_TEXT_SIZE + 48], at[INSTANT_SIZE];

    (void)snprintf(id, sizeof id, "%s-%" PRId64 "-%" PRId64, what, v->is.id, now);
    text_buffer_adds(&json, "{");
    json_out_text(&json, "source", f->env->name);
    json_out_text(&json, "id", id);
    text_buffer_addf(&json, ",\"type\":\"device.%s\"", what);
    json_out_text(&json, "at", instant_format(at, now, 0));
    json_out_text(&json, "device", v->is.unique_id);
    if (v->is.model[0])
        json_out_text(&json, "model", v->is.model);
    text_buffer_adds(&json, "}");
    lines_add(events, json.bytes, json.length, (int64_t)events->count + 1, NULL, 0, NULL);
    text_buffer_finish(&json);
}

static void set_service(struct traccar_fleet *f, struct vehicle *v, bool in_service,
                        struct lines *events)
{
    if (!f->settings.commission || v->in_service == in_service)
        return;
    v->in_service = in_service;
    add_service_event(f, v, in_service ? "commissioned" : "decommissioned", events);
}

/* --- Conditions */

static void tell(struct traccar_fleet *f, const struct vehicle *v, const char *code, bool active,
                 int64_t at)
{
    const struct condition c = { .device = v->is.unique_id,
                                 .code = code,
                                 .active = active,
                                 .at = at,
                                 .model = v->is.model[0] ? v->is.model : NULL };

    f->env->sink->condition(f->env->house, &c);
}

/* By when the server last heard of it, whatever it calls the connection: "online" lasts as long as
 * a socket does, "unknown" is what becomes of one that is silent. */
static void look_at_silence(struct traccar_fleet *f, struct vehicle *v)
{
    int64_t now = clock_wall(f->env->clock);
    int64_t heard = v->is.updated_at > v->heard_at ? v->is.updated_at : v->heard_at;

    if (heard == 0)
        heard = v->first_seen_at;
    tell(f, v, "offline", now - heard > f->settings.offline_after_ms, now);
}

void traccar_fleet_begin(struct traccar_fleet *f)
{
    f->listing++;
}

void traccar_fleet_device(struct traccar_fleet *f, const struct traccar_device *device,
                          struct lines *events)
{
    struct vehicle *v = find(f, device->id);

    if (!v && HASH_COUNT(f->vehicles) >= FLEET_MAX)
        return;
    if (!v)
        v = add(f, device->id);
    v->is = *device;
    v->was_told = true;
    v->listing = f->listing;
    set_service(f, v, !device->disabled, events);
    if (!device->disabled)
        look_at_silence(f, v);
}

void traccar_fleet_end(struct traccar_fleet *f, struct lines *events)
{
    struct vehicle *v, *next;

    HASH_ITER(hh, f->vehicles, v, next) {
        if (v->listing + 1 >= f->listing)
            continue;
        set_service(f, v, false, events);
        drop(f, v);
    }
}

static bool has_alarm(const char *alarms, const char *alarm)
{
    char one[TRACCAR_TEXT_SIZE];

    while ((alarms = traccar_alarm_next(alarms, one)))
        if (strcmp(one, alarm) == 0)
            return true;
    return false;
}

/* Does a lasting alarm stand for long enough, as of this position? */
static bool has_lasted(struct traccar_fleet *f, struct vehicle *v,
                       const struct traccar_position *p)
{
    bool stands = false;

    for (size_t i = 0; i < f->settings.code_count; i++)
        stands = stands || (f->settings.codes[i].lasting &&
                            has_alarm(p->alarm, f->settings.codes[i].alarm));
    if (!stands)
        v->lasting_since = 0;
    else if (v->lasting_since == 0)
        v->lasting_since = p->heard_at;
    return stands && p->heard_at - v->lasting_since >= f->settings.power_hold_ms;
}

/* Several alarms may mean one fault: it is there if any of them is. */
static bool is_faulty(const struct traccar_fleet *f, const char *code, const char *alarms,
                      bool lasted)
{
    for (size_t i = 0; i < f->settings.code_count; i++) {
        const struct traccar_code *c = &f->settings.codes[i];

        if (strcmp(c->code, code) == 0 && has_alarm(alarms, c->alarm) && (!c->lasting || lasted))
            return true;
    }
    return false;
}

/* The end of an alarm is a position without it: there is no event for that. */
void traccar_fleet_position(struct traccar_fleet *f, const struct traccar_position *p)
{
    struct vehicle *v = find(f, p->device);
    bool lasted;

    if (!v || v->is.disabled || p->id == v->position || p->heard_at < v->heard_at)
        return;
    v->position = p->id;
    v->heard_at = p->heard_at;
    lasted = has_lasted(f, v, p);
    for (size_t i = 0; i < f->settings.code_count; i++) {
        const char *code = f->settings.codes[i].code;

        if (code[0])
            tell(f, v, code, is_faulty(f, code, p->alarm, lasted), p->heard_at);
    }
}

void traccar_fleet_event(struct traccar_fleet *f, const struct traccar_event *e)
{
    struct vehicle *v = find(f, e->device);

    if (!v || v->is.disabled || strcmp(e->type, "alarm") != 0)
        return;
    for (size_t i = 0; i < f->settings.code_count; i++) {
        const struct traccar_code *c = &f->settings.codes[i];

        if (c->code[0] && !c->lasting && has_alarm(e->alarm, c->alarm))
            tell(f, v, c->code, true, e->at);
    }
}
