/* A modbus source in a house, and units that do as the test says. */
#ifndef KPID_TESTS_MODBUS_FIXTURE_H
#define KPID_TESTS_MODBUS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "mb_source.h"
#include "tests/lib/fake_house.h"
#include "tests/lib/fake_modbus.h"

enum { LIMIT_MS = 60000 }; /* a machine may be busy */

struct fixture {
    struct fake_house house; /* first: a pointer to it is one to the fixture */
    struct fake_modbus server;
    bool serves;
    size_t conditions_seen;
};

static inline int set_up(void **state)
{
    struct fixture *f = mem_zalloc(sizeof *f);

    house_init(&f->house, "ledbus");
    *state = f;
    return 0;
}

static inline int tear_down(void **state)
{
    struct fixture *f = *state;

    if (f->house.source)
        house_stop(&f->house);
    house_finish(&f->house);
    if (f->serves)
        fake_modbus_stop(&f->server);
    free(f);
    return 0;
}

enum wire { TCP, PTY, RTU_OVER_TCP };

static inline void serve(struct fixture *f, enum wire wire)
{
    f->serves = true;
    if (wire == PTY)
        fake_modbus_plug_in(&f->server);
    else
        fake_modbus_listen(&f->server, wire == TCP);
}

/* Starts the driver on the server with short times. `more` is the rest of the section. */
static inline void start(struct fixture *f, const char *more)
{
    static const char times[] = "interval = \"50ms\"; timeout = \"150ms\"; backoff_max = \"1s\"; "
                                "baud = 115200; ";
    char *section;

    if (f->server.is_pty)
        section =
            mem_printf("transport = \"rtu\"; device = \"%s\"; %s%s", f->server.device, times, more);
    else
        section = mem_printf("transport = \"%s\"; host = \"127.0.0.1\"; port = %d; %s%s",
                             f->server.frames_are_tcp ? "tcp" : "rtu-over-tcp", f->server.port,
                             times, more);
    house_start(&f->house, &driver_modbus, section);
    free(section);
}

static inline struct live_value value_of(struct fixture *f, const char *unit, const char *point)
{
    struct live_value value = { 0 };

    (void)live_find(f->house.live, "ledbus", unit, point, &value);
    return value;
}

struct wanted {
    const char *unit, *point;
    enum live_state state;
    double number;
    const char *text; /* NULL: the number counts */
};

static inline bool is_as_wanted(struct fake_house *h, void *arg)
{
    const struct wanted *w = arg;
    struct live_value value;

    (void)live_find(h->live, "ledbus", w->unit, w->point, &value);
    if (value.state != w->state)
        return false;
    if (w->state != LIVE_GOOD)
        return true;
    return w->text ? strcmp(value.text, w->text) == 0
                   : value.number > w->number - 1e-6 && value.number < w->number + 1e-6;
}

static inline void wait_wanted(struct fixture *f, struct wanted wanted)
{
    struct live_value value;

    if (house_until(&f->house, is_as_wanted, &wanted, LIMIT_MS))
        return;
    value = value_of(f, wanted.unit, wanted.point);
    fail_msg("%s %s is %s %g \"%s\"; the source %s: %s", wanted.unit, wanted.point,
             live_state_name(value.state), value.number, value.text,
             source_state_name(f->house.health.state), f->house.health.why);
}

static inline void wait_number(struct fixture *f, const char *unit, const char *point,
                               double number)
{
    wait_wanted(f, (struct wanted){ unit, point, LIVE_GOOD, number, NULL });
}

static inline void wait_text(struct fixture *f, const char *unit, const char *point,
                             const char *text)
{
    wait_wanted(f, (struct wanted){ unit, point, LIVE_GOOD, 0, text });
}

static inline void wait_state(struct fixture *f, const char *unit, const char *point,
                              enum live_state state)
{
    wait_wanted(f, (struct wanted){ unit, point, state, 0, NULL });
}

static inline bool has_health(struct fake_house *h, void *arg)
{
    const struct health *wanted = arg;

    return h->health.state == wanted->state && strstr(h->health.why, wanted->why);
}

static inline void wait_health(struct fixture *f, enum source_state state, const char *why)
{
    struct health wanted = { .state = state };

    snprintf(wanted.why, sizeof wanted.why, "%s", why);
    if (!house_until(&f->house, has_health, &wanted, LIMIT_MS))
        fail_msg("%s: %s", source_state_name(f->house.health.state), f->house.health.why);
}

/* What is told to who looks at that unit alone. */
static inline void assert_unit_why(struct fixture *f, const char *unit, const char *want)
{
    char why[256];

    driver_modbus.unit_why(f->house.source, unit, why);
    if (want[0] ? strncmp(why, want, strlen(want)) != 0 : why[0])
        fail_msg("%s: \"%s\" instead of \"%s\"", unit, why, want);
}

static inline bool has_condition(struct fake_house *h, void *text)
{
    struct fixture *f = (struct fixture *)(void *)h;

    for (; f->conditions_seen < h->condition_count; f->conditions_seen++)
        if (strcmp(h->conditions[f->conditions_seen], text) == 0)
            return true;
    return false;
}

/* From now on, or among those not looked at yet. */
static inline void wait_condition(struct fixture *f, const char *text)
{
    char copy[80];

    snprintf(copy, sizeof copy, "%s", text);
    f->conditions_seen = 0;
    if (!house_until(&f->house, has_condition, copy, LIMIT_MS))
        fail_msg("no condition \"%s\"; the source %s: %s", text,
                 source_state_name(f->house.health.state), f->house.health.why);
}

#define TWO_LAMPS                                                                                  \
    "units = ( { name = \"lamp1\"; id = 1; }, "                                                    \
    "{ name = \"lamp2\"; id = 2; } );"

#endif
