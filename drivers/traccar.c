/* A fleet on a Traccar server, polled; see traccar_fleet.h for what is made of it.
 *
 *     rest ──> devices, page by page ──> last positions ──> alarm events of `groups` ──> rest
 *
 * Lists are read as they arrive, item by item. What they make known goes to the house as conditions
 * at once, and as events at the end of the poll, with the cursor behind them: up to when events
 * were asked for, and who is in service. A poll that fails midway is begun anew, with back-off.
 *
 * A person who looks for a vehicle is answered beside the poll; see traccar_locate.h. */
#include "traccar.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "backoff.h"
#include "base/instant.h"
#include "base/mem.h"
#include "base/text.h"
#include "traccar_client.h"
#include "traccar_fleet.h"
#include "traccar_locate.h"

enum { FIRST_RETRY_MS = 1000 };
enum { EVENTS_OVERLAP_MS = 120000 };    /* rows appear late */

struct source {
    struct driver_env env;
    struct traccar_config config;   /* numbers; texts are not kept */
    struct option_texts groups;     /* ours */
    struct traccar_client *poller;
    struct traccar_locator *locator;
    struct traccar_fleet *fleet;
    uv_timer_t timer;
    struct backoff backoff;

    bool is_polling, is_paused, is_stopping, in_house;
    int64_t poll_began;             /* monotonic */
    size_t offset, on_page;         /* of the devices */
    int64_t events_until, next_until;   /* up to where events were asked for */
    struct lines lines;
    size_t in_batch;
    struct batch batch;
    char *cursor;                   /* with the last batch of the poll */
    char *saved;                    /* as it last committed */

    int open;                       /* what must still close: poller, locator, timer */
    void (*stopped)(void *arg);
    void *stopped_arg;
};

/* --- Ends of a poll */

static void begin_poll(struct source *s);
static void deliver(struct source *s);

static void on_timer(uv_timer_t *timer)
{
    struct source *s = timer->data;

    if (s->is_polling)
        deliver(s);         /* a batch is offered again */
    else
        begin_poll(s);
}

static void wait_for(struct source *s, int64_t ms)
{
    s->env.sink->next_attempt(s->env.house, clock_wall(s->env.clock) + ms);
    uv_timer_start(&s->timer, on_timer, (uint64_t)ms, 0);
}

static void fail_poll(struct source *s, const struct feed_failure *failure)
{
    s->is_polling = false;
    wait_for(s, feed_failure_tell(failure, &s->backoff, &s->env));
}

static void succeed(struct source *s)
{
    int64_t spent = clock_monotonic(s->env.clock) - s->poll_began;

    s->is_polling = false;
    backoff_reset(&s->backoff);
    health_is(s->env.health, SOURCE_WELL, "", s->env.clock);
    wait_for(s, spent < s->config.interval_ms ? s->config.interval_ms - spent : 1);
}

/* --- Delivering */

static void close_all(struct source *s);

static void on_delivered(struct batch *batch, int status, const struct err *why)
{
    struct source *s = batch->arg;

    s->in_house = false;
    if (s->is_stopping) {
        close_all(s);
        return;
    }
    if (status < 0) {
        health_is(s->env.health, SOURCE_DEGRADED, why->text, s->env.clock);
        wait_for(s, backoff_next(&s->backoff, 0));
        return;
    }
    lines_drop(&s->lines, s->in_batch);
    if (batch->cursor) {
        free(s->saved);
        s->saved = s->cursor;
        s->cursor = NULL;
    }
    deliver(s);
}

/* What the poll made known, and then its cursor, unless that is as it was. */
static void deliver(struct source *s)
{
    if (s->is_paused || s->in_house)
        return;
    if (s->lines.count == 0 && !s->cursor) {
        lines_clear(&s->lines);
        succeed(s);
        return;
    }
    s->in_batch = lines_batch_length(&s->lines);
    s->batch = (struct batch){ .lines = s->lines.items,
                               .count = s->in_batch,
                               .cursor = s->in_batch == s->lines.count ? s->cursor : NULL,
                               .done = on_delivered,
                               .arg = s };
    s->in_house = s->env.sink->submit(s->env.house, &s->batch);
    s->is_paused = !s->in_house;    /* a full house says resume */
}

static void end_poll(struct source *s)
{
    char *fleet = traccar_fleet_save(s->fleet);

    s->events_until = s->next_until;
    s->cursor = mem_printf("%" PRId64 "\n%s", s->groups.count > 0 ? s->events_until : 0, fleet);
    free(fleet);
    if (s->saved && strcmp(s->saved, s->cursor) == 0) {
        free(s->cursor);
        s->cursor = NULL;
    }
    deliver(s);
}

/* --- Asking */

static void ask(struct source *s, const char *path,
                void (*item)(void *arg, const char *json, size_t length),
                void (*done)(void *arg, const struct feed_failure *failure))
{
    struct feed_failure failure = { .is_permanent = true };

    if (traccar_client_ask(s->poller, path, item, done, s, &failure.err) < 0)
        fail_poll(s, &failure);
}

static void on_event(void *arg, const char *json, size_t length)
{
    struct source *s = arg;
    struct traccar_event event;

    if (traccar_event_read(json, length, &event))
        traccar_fleet_event(s->fleet, &event);
}

static void on_events(void *arg, const struct feed_failure *failure)
{
    struct source *s = arg;

    if (failure)
        fail_poll(s, failure);
    else
        end_poll(s);
}

/* With a Z: a plus would have to be escaped. */
static char *format_utc(char to[INSTANT_SIZE], int64_t at)
{
    instant_format(to, at, 0);
    memcpy(to + strlen("2026-11-20T18:00:00.000"), "Z", 2);
    return to;
}

static void ask_events(struct source *s)
{
    struct text_buffer path = { 0 };
    char from[INSTANT_SIZE], to[INSTANT_SIZE];

    s->next_until = clock_wall(s->env.clock);
    if (s->groups.count == 0) {
        end_poll(s);
        return;
    }
    text_buffer_addf(&path, "/api/reports/events?type=alarm&from=%s&to=%s",
                     format_utc(from, s->events_until - EVENTS_OVERLAP_MS),
                     format_utc(to, s->next_until));
    for (size_t i = 0; i < s->groups.count; i++)
        text_buffer_addf(&path, "&groupId=%s", s->groups.items[i]);
    ask(s, path.bytes, on_event, on_events);
    text_buffer_finish(&path);
}

static void on_position(void *arg, const char *json, size_t length)
{
    struct source *s = arg;
    struct traccar_position position;

    if (traccar_position_read(json, length, &position))
        traccar_fleet_position(s->fleet, &position);
}

static void on_positions(void *arg, const struct feed_failure *failure)
{
    struct source *s = arg;

    if (failure)
        fail_poll(s, failure);
    else
        ask_events(s);
}

static void on_device(void *arg, const char *json, size_t length)
{
    struct source *s = arg;
    struct traccar_device device;

    s->on_page++;
    if (traccar_device_read(json, length, &device))
        traccar_fleet_device(s->fleet, &device, &s->lines);
}

static void ask_devices(struct source *s);

static void on_devices(void *arg, const struct feed_failure *failure)
{
    struct source *s = arg;

    if (failure) {
        fail_poll(s, failure);
    } else if (s->on_page >= s->config.page_size) {
        s->offset += s->on_page;
        ask_devices(s);
    } else {
        traccar_fleet_end(s->fleet, &s->lines);
        ask(s, "/api/positions", on_position, on_positions);
    }
}

static void ask_devices(struct source *s)
{
    char path[120];

    s->on_page = 0;
    (void)snprintf(path, sizeof path, "/api/devices?limit=%u&offset=%zu", s->config.page_size,
                   s->offset);
    ask(s, path, on_device, on_devices);
}

/* Events of a poll that failed midway stay among the lines: what they say happened. */
static void begin_poll(struct source *s)
{
    if (s->is_paused || s->is_stopping)
        return;
    s->is_polling = true;
    s->poll_began = clock_monotonic(s->env.clock);
    s->env.sink->next_attempt(s->env.house, 0);
    uv_timer_stop(&s->timer);
    s->offset = 0;
    traccar_fleet_begin(s->fleet);
    ask_devices(s);
}

/* --- The vtable */

static int traccar_command(struct source *s, struct command *command)
{
    const struct traccar_device *device;

    if (strcmp(command->verb, COMMAND_LOCATE) != 0)
        return -EOPNOTSUPP;
    device = traccar_fleet_named(s->fleet, command->unit);
    return device ? traccar_locate(s->locator, device->id, command) : -ENOENT;
}

static void copy_groups(struct option_texts *to, const struct option_texts *from)
{
    to->items = mem_zalloc((from->count + 1) * sizeof *to->items);
    for (; to->count < from->count; to->count++)
        to->items[to->count] = mem_strdup(from->items[to->count]);
}

static struct traccar_client *make_client(struct source *s, const struct traccar_config *c)
{
    const struct traccar_client_options options = { .url = c->url,
                                                    .auth = (enum traccar_auth)c->auth,
                                                    .credential = c->credential,
                                                    .credentials = s->env.credentials,
                                                    .connect_timeout_ms = c->connect_timeout_ms,
                                                    .timeout_ms = c->timeout_ms,
                                                    .body_max = c->body_max,
                                                    .ca_file = c->ca_file };

    return traccar_client_create(s->env.loop, s->env.clock, &options);
}

static int traccar_create(struct source **ret, const void *config, const struct driver_env *env,
                          struct err *err)
{
    const struct traccar_config *c = config;
    struct source *s = mem_zalloc(sizeof *s);
    struct traccar_fleet_settings fleet = { .commission = c->commission,
                                            .offline_after_ms = c->offline_after_ms,
                                            .power_hold_ms = c->power_hold_ms };
    const char *line = env->cursor ? strchr(env->cursor, '\n') : NULL;
    struct faults none = { 0 };
    int rc;

    (void)err;
    s->env = *env;
    s->config = *c;
    copy_groups(&s->groups, &c->groups);
    fleet.codes = traccar_codes(c->alarms, &fleet.code_count, &none);
    faults_finish(&none);   /* `check` has told of them */
    s->fleet = traccar_fleet_create(&s->env, &fleet, line ? line + 1 : NULL);
    s->events_until = env->cursor ? strtoll(env->cursor, NULL, 10) : 0;
    if (s->events_until == 0)
        s->events_until = clock_wall(env->clock);
    s->saved = env->cursor ? mem_strdup(env->cursor) : NULL;
    backoff_init(&s->backoff,
                 FIRST_RETRY_MS < c->backoff_max_ms ? FIRST_RETRY_MS : c->backoff_max_ms,
                 c->backoff_max_ms, env->name);
    rc = uv_timer_init(env->loop, &s->timer);
    assert(rc == 0);        /* libuv's timers cannot fail to be made */
    s->timer.data = s;
    s->poller = make_client(s, c);
    s->locator = traccar_locator_create(env->loop, make_client(s, c));
    *ret = s;
    return 0;
}

static void traccar_start(struct source *s)
{
    begin_poll(s);
}

static void traccar_pause(struct source *s)
{
    s->is_paused = true;
}

static void traccar_resume(struct source *s)
{
    s->is_paused = false;
    if (s->is_stopping || traccar_client_is_busy(s->poller))
        return;
    if (s->is_polling)
        deliver(s);
    else if (!uv_is_active((uv_handle_t *)&s->timer))
        begin_poll(s);
}

static bool traccar_poll_now(struct source *s)
{
    backoff_reset(&s->backoff);
    if (s->is_stopping || s->in_house || traccar_client_is_busy(s->poller))
        return !s->is_stopping;     /* it is asking at this moment */
    if (s->is_polling)
        deliver(s);
    else
        begin_poll(s);
    return true;
}

static void finish(struct source *s)
{
    void (*stopped)(void *arg) = s->stopped;
    void *arg = s->stopped_arg;

    traccar_fleet_destroy(s->fleet);
    lines_finish(&s->lines);
    for (size_t i = 0; i < s->groups.count; i++)
        free(s->groups.items[i]);
    free(s->groups.items);
    free(s->cursor);
    free(s->saved);
    free(s);
    stopped(arg);
}

static void on_part_closed(void *arg)
{
    struct source *s = arg;

    if (--s->open == 0)
        finish(s);
}

static void on_timer_closed(uv_handle_t *handle)
{
    on_part_closed(handle->data);
}

static void close_all(struct source *s)
{
    s->open = 3;
    traccar_client_close(s->poller, on_part_closed, s);
    traccar_locator_close(s->locator, on_part_closed, s);
    uv_close((uv_handle_t *)&s->timer, on_timer_closed);
}

static void traccar_stop(struct source *s, void (*stopped)(void *arg), void *arg)
{
    s->is_stopping = true;
    s->stopped = stopped;
    s->stopped_arg = arg;
    uv_timer_stop(&s->timer);
    traccar_client_cancel(s->poller);
    traccar_locator_cancel(s->locator);
    if (!s->in_house)
        close_all(s);
}

const struct driver driver_traccar = {
    .name = "traccar",
    .summary = "fleet on a Traccar server, polled",
    .options = traccar_options,
    .config_size = sizeof(struct traccar_config),
    .check = traccar_check,
    .create = traccar_create,
    .start = traccar_start,
    .pause = traccar_pause,
    .resume = traccar_resume,
    .poll_now = traccar_poll_now,
    .command = traccar_command,
    .stop = traccar_stop,
};
