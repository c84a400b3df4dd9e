/* The live readings; see live.h.
 *
 * A unit is a source's name and its own; it holds its points sorted by name, few enough that a
 * binary search serves. What a reading is worth is not stored: it is told from its age when it is
 * asked for, so that a source which falls silent needs nobody to say so. */
#include "live.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/mem.h"
#include "base/text.h"

enum { POINTS_MAX = 512 };      /* of one unit; a driver's own bounds lie far below */

struct point {
    size_t follower;            /* which point came after it last time: mostly it does again */
    struct live_value value;    /* with the state as it was said */
    int64_t age_limit_ms, moves_within_ms;
};

struct unit {
    char key[INPUT_SIZE + UNIT_SIZE];   /* source, NUL, unit, NUL: unambiguous, and sorts well */
    unsigned key_length;
    struct point *points;       /* by name */
    size_t count;
    UT_hash_handle hh;
};

struct live {
    const struct clock *clock;
    struct unit *units;
    void (*changed)(void *arg, const char *source, const char *unit);
    void *changed_arg;
};

struct live *live_create(const struct clock *clock)
{
    struct live *live = mem_zalloc(sizeof *live);

    live->clock = clock;
    return live;
}

static void drop_unit(struct live *live, struct unit *unit)
{
    HASH_DEL(live->units, unit);
    free(unit->points);
    free(unit);
}

void live_destroy(struct live *live)
{
    struct unit *unit, *next;

    if (!live)
        return;
    HASH_ITER(hh, live->units, unit, next)
        drop_unit(live, unit);
    free(live);
}

static const char *unit_name(const struct unit *unit)
{
    return unit->key + strlen(unit->key) + 1;
}

static unsigned make_key(char key[INPUT_SIZE + UNIT_SIZE], const char *source, const char *unit)
{
    size_t length = strlen(source) + 1;

    text_set(key, INPUT_SIZE, source);
    text_set(key + length, UNIT_SIZE, unit);
    return (unsigned)(length + strlen(unit) + 1);
}

static struct unit *find_unit(const struct live *live, const char *source, const char *unit)
{
    char key[INPUT_SIZE + UNIT_SIZE];
    unsigned length = make_key(key, source, unit);
    struct unit *found;

    HASH_FIND(hh, live->units, key, length, found);
    return found;
}

static struct unit *want_unit(struct live *live, const char *source, const char *name)
{
    struct unit *unit = find_unit(live, source, name);

    if (unit)
        return unit;
    unit = mem_zalloc(sizeof *unit);
    unit->key_length = make_key(unit->key, source, name);
    HASH_ADD_KEYPTR(hh, live->units, unit->key, unit->key_length, unit);
    return unit;
}

/* Where a point of that name stands, or would. */
static size_t place_of(const struct unit *unit, const char *name)
{
    size_t low = 0, high = unit->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(unit->points[middle].value.point, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool stands_at(const struct unit *unit, size_t i, const char *name)
{
    return i < unit->count && strcmp(unit->points[i].value.point, name) == 0;
}

/* NULL: the unit has as many points as it may. `guess` is where it may stand. */
static struct point *want_point(struct unit *unit, const char *name, size_t guess)
{
    size_t i = stands_at(unit, guess, name) ? guess : place_of(unit, name);

    if (stands_at(unit, i, name))
        return &unit->points[i];
    if (unit->count == POINTS_MAX)
        return NULL;
    unit->points = mem_realloc_array(unit->points, unit->count + 1, sizeof *unit->points);
    memmove(&unit->points[i + 1], &unit->points[i], (unit->count - i) * sizeof *unit->points);
    unit->count++;
    unit->points[i] = (struct point){ .value = { .state = LIVE_NONE } };
    text_set(unit->points[i].value.point, POINT_SIZE, name);
    return &unit->points[i];
}

static enum live_state state_of(enum reading_status status)
{
    switch (status) {
    case READING_GOOD:
        return LIVE_GOOD;
    case READING_FAILED:
        return LIVE_FAILED;
    case READING_UNSUPPORTED:
        return LIVE_UNSUPPORTED;
    case READING_NONE:
        break;
    }
    return LIVE_NONE;
}

/* Numbers are compared as they came: a device that measures at all does not repeat itself to the
 * last bit, and one that counts is meant to move by whole steps. */
static bool has_moved(const struct live_value *before, const struct reading *now,
                      const char *text)
{
    return before->state != LIVE_GOOD || before->is_text != now->is_text ||
           before->number < now->number || before->number > now->number ||
           strcmp(before->text, text) != 0;
}

/* A text that is too long is cut. */
static void keep(char *to, size_t size, const char *text)
{
    size_t length = text ? strnlen(text, size - 1) : 0;

    if (length > 0)
        memcpy(to, text, length);
    to[length] = '\0';
}

/* A busy bus brings tens of thousands of these a second: nothing is written twice. */
static void put(struct point *p, const struct reading *r)
{
    struct live_value *v = &p->value;
    char text[sizeof v->text];

    keep(text, sizeof text, r->text);
    if (has_moved(v, r, text))
        v->moved_at = r->true_at;
    v->state = state_of(r->status);
    v->is_text = r->is_text;
    v->at_least = r->at_least;
    v->number = r->number;
    v->true_at = r->true_at;
    keep(v->text, sizeof v->text, text);
    keep(v->measure, sizeof v->measure, r->measure);
    p->age_limit_ms = r->age_limit_ms;
    p->moves_within_ms = r->moves_within_ms;
}

void live_put(struct live *live, const char *source, const struct reading *readings,
              size_t count)
{
    struct unit *unit = NULL;
    size_t before = 0;

    for (size_t i = 0; i < count; i++) {
        struct point *point;

        if (!unit || strcmp(unit_name(unit), readings[i].unit) != 0)
            unit = want_unit(live, source, readings[i].unit);
        point = want_point(unit, readings[i].point,
                           before < unit->count ? unit->points[before].follower : 0);
        if (!point)
            continue;
        if (before < unit->count)
            unit->points[before].follower = (size_t)(point - unit->points);
        before = (size_t)(point - unit->points);
        if (readings[i].true_at >= point->value.true_at)
            put(point, &readings[i]);
    }
    if (live->changed)
        live->changed(live->changed_arg, source, readings[0].unit);
}

static bool is_of_source(const struct unit *unit, const char *source)
{
    return strcmp(unit->key, source) == 0;
}

void live_forget(struct live *live, const char *source, const char *name)
{
    struct unit *unit, *next;

    HASH_ITER(hh, live->units, unit, next)
        if (is_of_source(unit, source) && (!name || strcmp(unit_name(unit), name) == 0))
            drop_unit(live, unit);
    if (live->changed)
        live->changed(live->changed_arg, source, name ? name : "");
}

static enum live_state state_now(const struct point *p, int64_t now)
{
    const struct live_value *v = &p->value;

    if (v->state != LIVE_GOOD)
        return v->state;
    if (now - v->true_at > p->age_limit_ms)
        return LIVE_STALE;
    if (p->moves_within_ms > 0 && v->true_at - v->moved_at > p->moves_within_ms)
        return LIVE_FROZEN;
    return LIVE_GOOD;
}

bool live_find(const struct live *live, const char *source, const char *name, const char *point,
               struct live_value *ret)
{
    const struct unit *unit = find_unit(live, source, name);
    size_t i = unit ? place_of(unit, point) : 0;

    if (!unit || !stands_at(unit, i, point)) {
        *ret = (struct live_value){ .state = LIVE_NONE };
        return false;
    }
    *ret = unit->points[i].value;
    ret->state = state_now(&unit->points[i], clock_wall(live->clock));
    return true;
}

void live_each(const struct live *live, const char *source, const char *name,
               bool (*each)(void *arg, const struct live_value *value), void *arg)
{
    const struct unit *unit = find_unit(live, source, name);
    int64_t now = clock_wall(live->clock);

    for (size_t i = 0; unit && i < unit->count; i++) {
        struct live_value value = unit->points[i].value;

        value.state = state_now(&unit->points[i], now);
        if (!each(arg, &value))
            return;
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void live_each_unit(const struct live *live, const char *source,
                    bool (*each)(void *arg, const char *unit), void *arg)
{
    const char **names = mem_alloc((HASH_COUNT(live->units) + 1) * sizeof *names);
    size_t count = 0;

    for (const struct unit *unit = live->units; unit; unit = unit->hh.next)
        if (is_of_source(unit, source))
            names[count++] = unit_name(unit);
    qsort(names, count, sizeof *names, by_name);
    for (size_t i = 0; i < count && each(arg, names[i]); i++)
        ;
    free(names);
}

void live_listen(struct live *live, void (*changed)(void *arg, const char *source,
                                                    const char *unit), void *arg)
{
    live->changed = changed;
    live->changed_arg = arg;
}

const char *live_state_name(enum live_state state)
{
    static const char *const names[] = {
        [LIVE_NONE] = "none",     [LIVE_GOOD] = "good",     [LIVE_STALE] = "stale",
        [LIVE_FROZEN] = "frozen", [LIVE_FAILED] = "failed", [LIVE_UNSUPPORTED] = "unsupported",
    };

    return names[state];
}
