/* Where a vehicle is; see traccar_locate.h. */
#include "traccar_locate.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "base/instant.h"
#include "base/mem.h"
#include "traccar_item.h"

enum { LOCATES_MAX = 256 };

/* One search. */
struct locate {
    struct traccar_locator *locator;
    struct command *command;
    int64_t device, position;
    bool online;
    bool found;                 /* the command has its result */
    uv_timer_t limit;
    struct locate *next;
};

struct traccar_locator {
    struct uv_loop_s *loop;
    struct traccar_client *client;
    struct locate *first;       /* is being asked; the others wait */
    int open_timers;
    bool cancels;
    void (*closed)(void *arg);
    void *closed_arg;
};

static void ask_next(struct traccar_locator *s);

static void on_client_closed(void *arg)
{
    struct traccar_locator *s = arg;
    void (*closed)(void *arg) = s->closed;
    void *closed_arg = s->closed_arg;

    free(s);
    closed(closed_arg);
}

static void close_if_idle(struct traccar_locator *s)
{
    if (s->closed && s->open_timers == 0)
        traccar_client_close(s->client, on_client_closed, s);
}

static void on_limit_closed(uv_handle_t *handle)
{
    struct locate *l = handle->data;
    struct traccar_locator *s = l->locator;

    free(l);
    s->open_timers--;
    close_if_idle(s);
}

/* The command is answered; the next one is asked, if this was the one at hand. */
static void end_locate(struct locate *l, int status, const char *why)
{
    struct traccar_locator *s = l->locator;
    struct command *command = l->command;
    struct locate **at = &s->first;
    bool was_asked = s->first == l;

    while (*at != l)
        at = &(*at)->next;
    *at = l->next;
    uv_close((uv_handle_t *)&l->limit, on_limit_closed);
    if (was_asked)
        traccar_client_cancel(s->client);
    command->status = status;
    if (status < 0)
        (void)err_set(&command->err, status, "%s", why);
    command->done(command);
    if (was_asked && !s->cancels)
        ask_next(s);
}

static void on_too_late(uv_timer_t *timer)
{
    end_locate(timer->data, -ETIMEDOUT, "the platform did not answer in time");
}

static void on_found_position(void *arg, const char *json, size_t length)
{
    struct locate *l = arg;
    struct traccar_position p;
    char fixed[INSTANT_SIZE] = "", heard[INSTANT_SIZE];

    if (!traccar_position_read(json, length, &p) || p.device != l->device)
        return;
    if (p.fixed_at)
        instant_format(fixed, p.fixed_at, 0);
    (void)snprintf(l->command->result, sizeof l->command->result,
                   "{\"latitude\":%.6f,\"longitude\":%.6f,\"fixed\":%s,\"at\":%s%s%s,"
                   "\"received_at\":\"%s\",\"online\":%s}",
                   p.latitude, p.longitude, p.valid ? "true" : "false", fixed[0] ? "\"" : "",
                   fixed[0] ? fixed : "null", fixed[0] ? "\"" : "",
                   instant_format(heard, p.heard_at, 0), l->online ? "true" : "false");
    l->found = true;
}

static void on_positions_found(void *arg, const struct feed_failure *failure)
{
    struct locate *l = arg;

    if (failure)
        end_locate(l, -EHOSTUNREACH, failure->err.text);
    else if (!l->found)
        end_locate(l, -ENODATA, "the platform has no position of it");
    else
        end_locate(l, 0, NULL);
}

static void on_found_device(void *arg, const char *json, size_t length)
{
    struct locate *l = arg;
    struct traccar_device d;

    if (!traccar_device_read(json, length, &d) || d.id != l->device)
        return;
    l->online = d.status == TRACCAR_ONLINE;
    l->position = d.position;
}

static void on_devices_found(void *arg, const struct feed_failure *failure)
{
    struct locate *l = arg;
    char path[80];
    struct err err;

    (void)snprintf(path, sizeof path, "/api/positions?id=%" PRId64, l->position);
    if (failure)
        end_locate(l, -EHOSTUNREACH, failure->err.text);
    else if (l->position == 0)
        end_locate(l, -ENODATA, "the platform has no position of it");
    else if (traccar_client_ask(l->locator->client, path, on_found_position, on_positions_found, l,
                                &err) < 0)
        end_locate(l, -EHOSTUNREACH, err.text);
}

static void ask_next(struct traccar_locator *s)
{
    struct locate *l = s->first;
    char path[80];
    struct err err;

    if (!l || traccar_client_is_busy(s->client))
        return;
    (void)snprintf(path, sizeof path, "/api/devices?id=%" PRId64, l->device);
    if (traccar_client_ask(s->client, path, on_found_device, on_devices_found, l, &err) < 0)
        end_locate(l, -EHOSTUNREACH, err.text);
}

static void on_begin(uv_timer_t *timer)
{
    struct locate *l = timer->data;

    uv_timer_start(&l->limit, on_too_late, (uint64_t)l->command->timeout_ms, 0);
    if (l->locator->first == l)
        ask_next(l->locator);
}

static void append(struct traccar_locator *s, struct locate *l)
{
    struct locate **at = &s->first;

    while (*at)
        at = &(*at)->next;
    *at = l;
}

int traccar_locate(struct traccar_locator *s, int64_t device, struct command *command)
{
    struct locate *l = mem_zalloc(sizeof *l);
    int rc;

    if (s->open_timers >= LOCATES_MAX) {
        free(l);
        return -EBUSY;
    }
    l->locator = s;
    l->command = command;
    l->device = device;
    command->result[0] = '\0';
    rc = uv_timer_init(s->loop, &l->limit);
    assert(rc == 0);        /* libuv's timers cannot fail to be made */
    l->limit.data = l;
    s->open_timers++;
    append(s, l);
    uv_timer_start(&l->limit, on_begin, 0, 0);
    return 0;
}

struct traccar_locator *traccar_locator_create(struct uv_loop_s *loop,
                                               struct traccar_client *client)
{
    struct traccar_locator *s = mem_zalloc(sizeof *s);

    s->loop = loop;
    s->client = client;
    return s;
}

void traccar_locator_cancel(struct traccar_locator *s)
{
    s->cancels = true;
    while (s->first)
        end_locate(s->first, -ECANCELED, "the source stops");
}

void traccar_locator_close(struct traccar_locator *s, void (*closed)(void *arg), void *arg)
{
    s->closed = closed;
    s->closed_arg = arg;
    close_if_idle(s);
}
