/* Any platform that answers JSON over HTTP, polled.
 *
 *     rest ── interval, poll_now ──> (log in) ──> ask ──> answer read as it arrives
 *      ^                                ^          ^            │ whole, and well
 *      │                  session lapsed│          │next page   v
 *      └─ all is read ──────────────────┴──────────┴──── deliver to the house, batch by batch
 *
 * A page is used only when it was read whole: its events wait in `lines` until the answer ended
 * well. The cursor goes with the last batch of the page (of the window: see feed_paging.h), so that
 * whatever breaks off is asked for again and nothing is skipped; what comes twice the ledger knows.
 *
 * What fails: every failure ends the poll, drops what was not delivered, and is tried again with
 * back-off, or when the platform says. The first failure that may pass by itself is "degraded"; a
 * second one, or one that asking again cannot mend, is "down". */
#include "http_feed.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "backoff.h"
#include "base/mem.h"
#include "base/span.h"
#include "feed_answer.h"
#include "feed_paging.h"
#include "feed_request.h"
#include "http_auth.h"
#include "http_client.h"
#include "http_map.h"
#include "http_page.h"
#include "lines.h"
#include "template.h"

enum { FIRST_RETRY_MS = 1000, CLOCK_OFF_MS = 30000, QUOTA_TOLD_MS = 120000 };

struct source {
    struct driver_env env;
    struct http_feed_config config; /* texts are ours; no trees */
    struct feed_paging_settings paging;
    struct zone zone; /* in which {from} and {to} are written */
    struct http_map *map;
    struct http_auth *auth;
    struct http_client *client;
    uv_timer_t timer;
    struct backoff backoff;

    bool is_polling; /* between rest and rest */
    bool is_paused, is_stopping;
    bool in_house;       /* a batch is the house's */
    bool is_fresh_login; /* this poll has logged in: a second lapse is a failure */
    bool client_closed, timer_closed;
    int64_t poll_began; /* monotonic */
    struct feed_place place, next_place;
    enum feed_step step;         /* after the page that is being delivered */
    char cursor[FEED_TEXT_SIZE]; /* that goes with it; "": none */

    struct http_request request;
    struct feed_request made;
    struct http_page *page;
    struct http_mapped mapped;
    char since[SINCE_SIZE];
    struct lines lines; /* of the page */
    struct batch batch;
    size_t in_batch;

    int64_t clock_off_ms; /* the platform's clock minus ours, if it is much */

    void (*stopped)(void *arg);
    void *stopped_arg;
};

static void begin_poll(struct source *s);
static void ask(struct source *s);
static void deliver(struct source *s);

/* --- Ends of a poll */

static void drop_page(struct source *s)
{
    http_page_destroy(s->page);
    s->page = NULL;
    lines_clear(&s->lines);
    s->since[0] = '\0';
}

static void on_timer(uv_timer_t *timer)
{
    struct source *s = timer->data;

    if (s->is_polling)
        deliver(s); /* a batch is offered again */
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
    drop_page(s);
    wait_for(s, feed_failure_tell(failure, &s->backoff, &s->env));
}

static void fail_with(struct source *s, const struct err *err, bool is_permanent)
{
    fail_poll(s, &(struct feed_failure){ .err = *err, .is_permanent = is_permanent });
}

static void succeed(struct source *s)
{
    int64_t spent = clock_monotonic(s->env.clock) - s->poll_began;
    char why[160];

    s->is_polling = false;
    backoff_reset(&s->backoff);
    snprintf(why, sizeof why,
             "its clock is %lld s %s ours, which cuts the windows: check time "
             "synchronisation on both sides",
             (long long)llabs(s->clock_off_ms) / 1000, s->clock_off_ms > 0 ? "ahead of" : "behind");
    health_is(s->env.health, s->clock_off_ms ? SOURCE_DEGRADED : SOURCE_WELL,
              s->clock_off_ms ? why : "", s->env.clock);
    wait_for(s, spent < s->config.interval_ms ? s->config.interval_ms - spent : 1);
}

/* --- Delivering a page */

static void page_delivered(struct source *s)
{
    s->place = s->next_place;
    drop_page(s);
    switch (s->step) {
    case FEED_NEXT_PAGE:
        ask(s);
        break;
    case FEED_NEXT_WINDOW:
        feed_place_begin(&s->place, &s->paging, clock_wall(s->env.clock));
        ask(s);
        break;
    case FEED_REST:
        feed_request_delivered(&s->made);
        succeed(s);
        break;
    }
}

static void close_all(struct source *s);

static void on_delivered(struct batch *batch, int status, const struct err *why)
{
    struct source *s = batch->arg;
    char text[sizeof why->text + 80];

    s->in_house = false;
    if (s->is_stopping) {
        close_all(s);
        return;
    }
    if (status == 0) {
        lines_drop(&s->lines, s->in_batch);
        if (batch->cursor)
            s->cursor[0] = '\0';
        deliver(s);
        return;
    }
    snprintf(text, sizeof text, "the last batch was not taken: %s; it is kept and offered again",
             why->text);
    health_is(s->env.health, SOURCE_DEGRADED, text, s->env.clock);
    wait_for(s, backoff_next(&s->backoff, 0));
}

static void deliver(struct source *s)
{
    if (s->is_paused || s->in_house)
        return;
    if (s->lines.count == 0 && !s->cursor[0]) {
        page_delivered(s);
        return;
    }
    s->in_batch = lines_batch_length(&s->lines);
    assert(s->in_batch > 0 || s->lines.count == 0);
    s->batch = (struct batch){
        .lines = s->lines.items,
        .count = s->in_batch,
        .done = on_delivered,
        .arg = s,
        .cursor = s->in_batch == s->lines.count && s->cursor[0] ? s->cursor : NULL,
    };
    s->in_house = s->env.sink->submit(s->env.house, &s->batch);
    s->is_paused = !s->in_house; /* a full house says resume */
}

/* --- Reading a page */

static void refuse_item(struct source *s, const char *json, size_t length, const char *why)
{
    size_t number = http_page_item_count(s->page);

    if (length > PAGE_ITEM_MAX)
        length = PAGE_ITEM_MAX;
    lines_add(&s->lines, json, length, (int64_t)number, NULL, 0, why);
}

static void on_item(void *arg, const char *json, size_t length, bool is_cut)
{
    struct source *s = arg;
    struct http_mapped *m = &s->mapped;
    const char *at;
    int count;

    if (is_cut) {
        refuse_item(s, json, length, "item: longer than 65536 bytes; cut here");
        return;
    }
    count = http_map_item(s->map, json, length, m);
    if (m->since[0] && feed_since_compare(m->since, s->since) > 0)
        text_set(s->since, sizeof s->since, m->since);
    if (count < 0 || m->events.length > BATCH_BYTES_MAX) {
        refuse_item(s, json, length, count < 0 ? m->refusal : "item: its events are too long");
        return;
    }
    at = m->events.bytes;
    for (int i = 0; i < count; i++) {
        const char *end = strchr(at, '\n');

        lines_add(&s->lines, at, (size_t)(end - at), (int64_t)http_page_item_count(s->page), NULL,
                  0, NULL);
        at = end + 1;
    }
}

static bool on_body(void *arg, const char *bytes, size_t length)
{
    struct source *s = arg;

    return http_page_feed(s->page, bytes, length);
}

static void use_page(struct source *s, const struct feed_page *page)
{
    struct feed_failure failure = { 0 };

    if (feed_place_after(&s->place, &s->paging, page, clock_wall(s->env.clock), &s->next_place,
                         &s->step, s->cursor, &failure.err) < 0) {
        failure.is_permanent = true;
        fail_poll(s, &failure);
        return;
    }
    http_page_destroy(s->page);
    s->page = NULL;
    deliver(s);
}

static void lapse(struct source *s, struct feed_failure *failure)
{
    http_auth_drop_session(s->auth);
    http_client_forget_cookies(s->client);
    if (!http_auth_login(s->auth) || s->is_fresh_login) {
        fail_poll(s, failure);
        return;
    }
    drop_page(s);
    ask(s);
}

static void note_clock(struct source *s, const struct http_result *result)
{
    int64_t off = result->server_at > 0 ? result->server_at - clock_wall(s->env.clock) : 0;

    s->clock_off_ms = s->paging.is_windowed && llabs(off) > CLOCK_OFF_MS ? off : 0;
}

static void on_answer(void *arg, const struct http_result *result)
{
    struct source *s = arg;
    struct feed_failure failure = { 0 };
    struct feed_page page = { 0 };

    note_clock(s, result);
    switch (feed_answer_judge(&s->config, s->request.url, result, s->page, clock_wall(s->env.clock),
                              &failure)) {
    case ANSWER_UNCHANGED:
        drop_page(s);
        succeed(s);
        return;
    case ANSWER_GOOD:
        feed_request_answered(&s->made, result);
        page = (struct feed_page){ .items = http_page_item_count(s->page),
                                   .next = http_page_value(s->page, PAGE_NEXT),
                                   .since = s->since,
                                   .more = http_page_value(s->page, PAGE_MORE) };
        use_page(s, &page);
        return;
    case ANSWER_EMPTY:
        feed_request_answered(&s->made, result);
        lines_clear(&s->lines);
        use_page(s, &page);
        return;
    case ANSWER_LAPSED:
        lapse(s, &failure);
        return;
    case ANSWER_FAILED:
        fail_poll(s, &failure);
        return;
    }
}

/* A quota of ours holds the request back. If it does so for long, figures stand still: say why. */
static void on_wait(void *arg, int64_t ms)
{
    struct source *s = arg;

    s->env.sink->next_attempt(s->env.house, clock_wall(s->env.clock) + ms);
    if (ms >= QUOTA_TOLD_MS)
        health_is(s->env.health, SOURCE_DEGRADED, FEED_WAITS_FOR_QUOTA, s->env.clock);
}

/* --- Logging in */

static void on_no_item(void *arg, const char *json, size_t length, bool is_cut)
{
    (void)arg;
    (void)json;
    (void)length;
    (void)is_cut;
}

static void on_login(void *arg, const struct http_result *result)
{
    struct source *s = arg;
    const struct http_login *login = http_auth_login(s->auth);
    struct feed_failure failure = { 0 };
    const char *token = NULL;

    if (!feed_login_judge(login, s->request.url, result, s->page, clock_wall(s->env.clock), &token,
                          &failure)) {
        fail_poll(s, &failure);
        return;
    }
    http_auth_set_session(s->auth, token ? token : "");
    s->is_fresh_login = true;
    http_page_destroy(s->page);
    s->page = NULL;
    ask(s);
}

/* Where the session is a cookie the page beside it may be anything. */
static bool on_any_body(void *arg, const char *bytes, size_t length)
{
    (void)arg;
    (void)bytes;
    (void)length;
    return true;
}

static void log_in(struct source *s)
{
    const struct http_login *login = http_auth_login(s->auth);
    const struct http_page_settings settings = {
        .items = "none", /* no pointer: there is no list to look for */
        .members = { [PAGE_OK] = login->ok,
                     [PAGE_NEXT] = login->token,
                     [PAGE_MESSAGE] = login->message },
        .item = on_no_item,
    };

    s->page = http_page_create(&settings);
    http_auth_make_login(s->auth, &s->request);
    s->request.body = login->token || login->ok ? on_body : on_any_body;
    s->request.done = on_login;
    s->request.waits = on_wait;
    s->request.arg = s;
    http_client_start(s->client, &s->request);
}

/* --- Asking */

static void ask(struct source *s)
{
    const struct http_feed_config *c = &s->config;
    const struct http_page_settings settings = {
        .items = c->items,
        .members = { [PAGE_OK] = c->ok,
                     [PAGE_CODE] = c->code ? c->code : c->ok,
                     [PAGE_MESSAGE] = c->message,
                     [PAGE_NEXT] = c->next,
                     [PAGE_MORE] = c->more },
        .item = on_item,
        .arg = s,
    };

    assert(!s->page && s->lines.count == 0);
    if (http_auth_login(s->auth) && !http_auth_has_session(s->auth)) {
        log_in(s);
        return;
    }
    s->request =
        (struct http_request){ .body = on_body, .done = on_answer, .waits = on_wait, .arg = s };
    feed_request_make(&s->made, c, &s->paging, &s->zone, &s->place, s->auth, &s->request);
    s->page = http_page_create(&settings);
    http_client_start(s->client, &s->request);
}

static void begin_poll(struct source *s)
{
    struct err err;

    if (s->is_paused || s->is_stopping)
        return;
    s->is_polling = true;
    s->is_fresh_login = false;
    s->poll_began = clock_monotonic(s->env.clock);
    s->env.sink->next_attempt(s->env.house, 0);
    uv_timer_stop(&s->timer);
    if (http_auth_load(s->auth, &err) < 0) {
        fail_with(s, &err, true);
        return;
    }
    feed_place_begin(&s->place, &s->paging, clock_wall(s->env.clock));
    ask(s);
}

/* --- The vtable */

static int read_map(struct source *s, const struct http_feed_config *c,
                    const struct driver_env *env, struct err *err)
{
    const struct event_map_settings settings = {
        .from_key = "path",
        .list_key = "fields",
        .fields = c->fields,
        .constants = c->constants,
        .events = c->events,
        .when = c->when,
        .id = c->id,
        .time = (enum item_time)c->time,
        .timezone = c->timezone,
        .default_timezone = env->timezone,
        .source = env->name,
    };
    const char *zone = c->timezone && c->timezone[0] ? c->timezone : env->timezone;
    int rc = zone_load(&s->zone, zone ? zone : "UTC", err);

    return rc < 0 ? rc : http_map_create(&s->map, &settings, c->since, err);
}

static void finish(struct source *s)
{
    drop_page(s);
    lines_finish(&s->lines);
    http_mapped_finish(&s->mapped);
    http_map_destroy(s->map);
    http_auth_destroy(s->auth);
    zone_finish(&s->zone);
    feed_request_finish(&s->made);
    option_finish(http_feed_options, &s->config);
    free(s);
}

static int feed_create(struct source **ret, const void *config, const struct driver_env *env,
                       struct err *err)
{
    const struct http_feed_config *c = config;
    const struct http_client_options options = {
        .connect_timeout_ms = c->connect_timeout_ms,
        .timeout_ms = c->timeout_ms,
        .body_max = c->body_max,
        .ca_file = c->ca_file,
        .proxy = c->proxy,
        .requests_per_minute = c->requests_per_minute,
        .requests_per_day = c->requests_per_day,
    };
    struct source *s = mem_zalloc(sizeof *s);
    int rc = read_map(s, c, env, err);

    http_feed_config_copy(&s->config, c);
    s->env = *env;
    http_feed_paging(&s->paging, c);
    feed_place_init(&s->place, &s->paging, env->cursor);
    s->auth = http_auth_create(c, env->credentials);
    backoff_init(&s->backoff,
                 FIRST_RETRY_MS < c->backoff_max_ms ? FIRST_RETRY_MS : c->backoff_max_ms,
                 c->backoff_max_ms, env->name);
    if (rc < 0) {
        finish(s);
        return rc;
    }
    rc = uv_timer_init(env->loop, &s->timer);
    assert(rc == 0); /* libuv's timers cannot fail to be made */
    s->timer.data = s;
    s->client = http_client_create(env->loop, &options);
    *ret = s;
    return 0;
}

static void feed_start(struct source *s)
{
    begin_poll(s);
}

static void feed_pause(struct source *s)
{
    s->is_paused = true;
    http_client_pause(s->client);
}

static void feed_resume(struct source *s)
{
    s->is_paused = false;
    if (s->is_stopping)
        return;
    http_client_resume(s->client);
    if (!s->is_polling && !uv_is_active((uv_handle_t *)&s->timer))
        begin_poll(s);
    else if (s->is_polling && !http_client_is_busy(s->client))
        deliver(s);
}

static bool feed_poll_now(struct source *s)
{
    backoff_reset(&s->backoff);
    if (s->is_stopping || s->in_house || http_client_is_busy(s->client))
        return !s->is_stopping; /* it is asking at this moment */
    if (s->is_polling)
        deliver(s);
    else
        begin_poll(s);
    return true;
}

static void close_if_closed(struct source *s)
{
    void (*stopped)(void *arg) = s->stopped;
    void *arg = s->stopped_arg;

    if (!s->client_closed || !s->timer_closed)
        return;
    finish(s);
    stopped(arg);
}

static void on_client_closed(void *arg)
{
    struct source *s = arg;

    s->client_closed = true;
    close_if_closed(s);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct source *s = handle->data;

    s->timer_closed = true;
    close_if_closed(s);
}

static void close_all(struct source *s)
{
    http_client_close(s->client, on_client_closed, s);
    uv_close((uv_handle_t *)&s->timer, on_timer_closed);
}

static void feed_stop(struct source *s, void (*stopped)(void *arg), void *arg)
{
    s->is_stopping = true;
    s->stopped = stopped;
    s->stopped_arg = arg;
    uv_timer_stop(&s->timer);
    http_client_cancel(s->client);
    if (!s->in_house)
        close_all(s);
}

const struct driver driver_http_feed = {
    .name = "http-feed",
    .summary = "any platform that answers JSON over HTTP or HTTPS, polled",
    .options = http_feed_options,
    .config_size = sizeof(struct http_feed_config),
    .check = http_feed_check,
    .create = feed_create,
    .start = feed_start,
    .pause = feed_pause,
    .resume = feed_resume,
    .poll_now = feed_poll_now,
    .stop = feed_stop,
};
