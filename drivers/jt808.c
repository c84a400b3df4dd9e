/* The jt808 driver: a gateway to which GPS terminals connect, on the bench and in taxis. They speak
 * JT/T 808 of 2011, 2013 or 2019, or JT/T 905; which one is told apart by each connection.
 *
 * The happy path: a terminal connects, registers, authenticates, and reports where it is and what
 * it suffers from, several times a minute. Each report is answered at once; its fault bits become
 * conditions of its device. A taxi's messages about an order become a dispatch ticket, and are
 * answered when that is durable. A person asks where a vehicle is: the terminal is asked, and its
 * answer is the command's result.
 *
 * Failures: the port is taken (tried again with back-off); a terminal that floods, sends garbage,
 * never greets or never reads is cut and counted, and nobody else notices; a terminal that falls
 * silent is a device with the fault "offline". With `upstream` we stand between the terminals and
 * their platform and only listen. */
#include "jt808.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "jt808_gateway.h"
#include "secret.h"

enum {
    BACKLOG = 511,
    TICK_MS = 1000,
    SILENCE_TICKS = 5,          /* how often silence is looked for */
    ORDER_LIFE_MS = 86400000,   /* an order that nobody spoke of for so long is over */
    COUNTERS_AGE_MS = 30000,
};

static const char *const cut_points[CUT_COUNT] = {
    [CUT_FULL] = "cut.full",
    [CUT_FLOOD] = "cut.flood",
    [CUT_GARBAGE] = "cut.garbage",
    [CUT_SILENT] = "cut.silent",
    [CUT_UNAUTHENTICATED] = "cut.unauthenticated",
    [CUT_OTHER_SENDER] = "cut.other_sender",
    [CUT_NOT_READING] = "cut.not_reading",
};

/* --- Listening */

static void on_connection(uv_stream_t *listener, int status)
{
    if (status == 0)
        jt808_link_accept(listener->data);
}

static void on_datagram_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct jt808_gateway *g = handle->data;

    (void)suggested;
    *buffer = uv_buf_init(g->in, sizeof g->in);
}

static void on_datagram(uv_udp_t *handle, ssize_t length, const uv_buf_t *buffer,
                        const struct sockaddr *from, unsigned flags)
{
    struct jt808_gateway *g = handle->data;
    struct jt808_link *link;

    if (length <= 0 || !from || (flags & UV_UDP_PARTIAL))
        return;
    link = jt808_link_of_peer(g, from);
    if (!link)
        return;
    jt808_framer_reset(&link->framer);      /* a frame ends with its datagram */
    jt808_link_take(link, (const uint8_t *)buffer->base, (size_t)length);
}

static int listen_tcp(struct jt808_gateway *g)
{
    int rc = uv_tcp_bind(&g->listener, (const struct sockaddr *)&g->listen_at, 0);

    return rc < 0 ? rc : uv_listen((uv_stream_t *)&g->listener, BACKLOG, on_connection);
}

static int listen_udp(struct jt808_gateway *g)
{
    int rc = uv_udp_bind(&g->datagrams, (const struct sockaddr *)&g->listen_at, UV_UDP_REUSEADDR);

    return rc < 0 ? rc : uv_udp_recv_start(&g->datagrams, on_datagram_buffer, on_datagram);
}

static void say_trouble(struct jt808_gateway *g, int rc)
{
    char why[200];

    (void)snprintf(why, sizeof why, "cannot listen on %s: %s%s", g->config.listen,
                   uv_strerror(rc),
                   rc == UV_EADDRINUSE ? ": another program has the port; stop it, or choose "
                                         "another with `listen`"
                                       : "");
    health_is(g->env.health, SOURCE_DOWN, why, g->env.clock);
}

static void on_listener_closed(uv_handle_t *handle);

/* The table of terminals may have a bad line: that is told, and what stands above it counts. */
static void say_well(struct jt808_gateway *g)
{
    if (g->table_rc < 0)
        health_is(g->env.health, SOURCE_DEGRADED, g->table_err.text, g->env.clock);
    else
        health_is(g->env.health, SOURCE_WELL, "", g->env.clock);
}

static void try_to_listen(struct jt808_gateway *g)
{
    int rc = listen_tcp(g);

    if (rc == 0 && g->config.udp)
        rc = listen_udp(g);
    if (rc == 0) {
        g->listening = true;
        g->env.sink->next_attempt(g->env.house, 0);
        say_well(g);
        return;
    }
    say_trouble(g, rc);
    /* libuv keeps a bind's failure in the handle: the next try needs a new one. */
    uv_close((uv_handle_t *)&g->listener, on_listener_closed);
}

static void on_datagrams_closed(uv_handle_t *handle);

static void wait_to_listen(struct jt808_gateway *g)
{
    int64_t wait = backoff_next(&g->backoff, 0);

    g->listen_again_at = clock_monotonic(g->env.clock) + wait;
    g->env.sink->next_attempt(g->env.house, clock_wall(g->env.clock) + wait);
}

static int init_sockets(struct jt808_gateway *g)
{
    int rc = uv_tcp_init(g->env.loop, &g->listener);

    if (rc < 0)
        return rc;
    g->listener.data = g;
    g->open_handles++;
    rc = uv_udp_init(g->env.loop, &g->datagrams);
    g->datagrams.data = g;
    g->open_handles += rc == 0;
    return rc;
}

static void on_datagrams_closed(uv_handle_t *handle)
{
    struct jt808_gateway *g = handle->data;

    if (!g->stopping) {
        g->open_handles--;
        if (init_sockets(g) == 0)
            wait_to_listen(g);
        return;
    }
    jt808_on_handle_closed(g);
}

static void on_listener_closed(uv_handle_t *handle)
{
    struct jt808_gateway *g = handle->data;

    if (!g->stopping) {
        g->open_handles--;
        uv_close((uv_handle_t *)&g->datagrams, on_datagrams_closed);
        return;
    }
    jt808_on_handle_closed(g);
}

/* --- The company's table, read on the pool */

static void read_table(uv_work_t *work)
{
    struct jt808_gateway *g = work->data;

    g->table_rc = jt808_identities_read(g->config.terminals, &g->table_read, &g->table_err);
}

static void on_table_read(uv_work_t *work, int status)
{
    struct jt808_gateway *g = work->data;

    (void)status;               /* it is never cancelled */
    g->reading_table = false;
    free(g->identities.items);
    g->identities = g->table_read;
    if (g->stopping) {
        jt808_on_handle_closed(g);
        return;
    }
    g->open_handles--;
    jt808_watch_identify_all(g);
    if (g->listening)
        say_well(g);
    else if (g->listen_again_at == 0)
        try_to_listen(g);
}

/* Listening waits for it, so that no terminal is met before it is known. */
static void begin_table(struct jt808_gateway *g)
{
    if (g->reading_table)
        return;
    g->table_work.data = g;
    g->reading_table = uv_queue_work(g->env.loop, &g->table_work, read_table, on_table_read) == 0;
    g->open_handles += g->reading_table;
}

/* --- Time */

static void put_counter(struct jt808_gateway *g, const char *point, uint64_t value)
{
    const struct reading r = { .unit = "",
                               .point = point,
                               .status = READING_GOOD,
                               .number = (double)value,
                               .measure = "",
                               .true_at = clock_wall(g->env.clock),
                               .age_limit_ms = COUNTERS_AGE_MS };

    g->env.sink->readings(g->env.house, &r, 1);
}

static uint64_t count_masked(const struct jt808_gateway *g)
{
    uint64_t count = 0;

    for (const struct jt808_terminal *t = g->terminals; t; t = t->hh.next)
        count += t->masked != 0;
    return count;
}

static void show_counters(struct jt808_gateway *g)
{
    const struct jt808_counters *c = &g->counters;

    put_counter(g, "connections", g->link_count);
    put_counter(g, "terminals", HASH_COUNT(g->terminals));
    put_counter(g, "terminals.masked", count_masked(g));
    put_counter(g, "messages", c->messages);
    put_counter(g, "messages.bad", c->bad_frames);
    put_counter(g, "messages.quirks", c->quirks);
    put_counter(g, "orders.open", jt905_tickets_open(g->tickets));
    put_counter(g, "orders.lost", c->order_events_lost);
    for (int i = 0; i < CUT_COUNT; i++)
        put_counter(g, cut_points[i], c->cuts[i]);
}

static void on_tick(uv_timer_t *timer)
{
    struct jt808_gateway *g = timer->data;
    int64_t now = clock_monotonic(g->env.clock);

    jt808_links_expire(g);
    if (!g->listening && g->listen_again_at > 0 && now >= g->listen_again_at)
        try_to_listen(g);
    show_counters(g);
    if (g->ticks++ % SILENCE_TICKS != 0)
        return;
    jt808_watch_silence(g);
    jt905_tickets_forget(g->tickets, clock_wall(g->env.clock) - ORDER_LIFE_MS);
}

/* --- The driver */

struct source {
    struct jt808_gateway gateway;
};

static void copy_texts(struct option_texts *texts)
{
    char **items = mem_zalloc((texts->count + 1) * sizeof *items);

    for (size_t i = 0; i < texts->count; i++)
        items[i] = mem_strdup(texts->items[i]);
    texts->items = items;
}

static char *copy_of(const char *text)
{
    return text ? mem_strdup(text) : NULL;
}

/* What `create` was lent becomes ours. */
static void copy_config(struct jt808_gateway *g, const struct jt808_config *c)
{
    struct faults none = { 0 };

    g->config = *c;
    g->config.listen = copy_of(c->listen);
    g->config.upstream = copy_of(c->upstream);
    g->config.terminals = copy_of(c->terminals);
    g->config.credential = NULL;
    g->config.models = NULL;
    copy_texts(&g->config.bench);
    jt808_models_read(c->models, &g->models, &none);    /* `check` has told of its faults */
    faults_finish(&none);
}

static void free_gateway(struct jt808_gateway *g)
{
    jt808_dispatch_finish(g);
    jt808_watch_finish(g);
    jt905_tickets_destroy(g->tickets);
    for (size_t i = 0; i < g->config.bench.count; i++)
        free(g->config.bench.items[i]);
    free(g->config.bench.items);
    free(g->config.listen);
    free(g->config.upstream);
    free(g->config.terminals);
    free(g->models.items);
    free(g->identities.items);
    free(g);
}

void jt808_on_handle_closed(struct jt808_gateway *g)
{
    void (*stopped)(void *arg) = g->stopped;
    void *arg = g->stopped_arg;

    if (--g->open_handles > 0)
        return;
    free_gateway(g);
    stopped(arg);
}

static void init_timers(struct jt808_gateway *g)
{
    int rc = uv_timer_init(g->env.loop, &g->tick);

    assert(rc == 0);            /* libuv's timers cannot fail to be made */
    rc = uv_timer_init(g->env.loop, &g->flush);
    assert(rc == 0);
    g->tick.data = g->flush.data = g;
    g->open_handles += 2;
}

static int jt808_create(struct source **ret, const void *config, const struct driver_env *env,
                        struct err *err)
{
    const struct jt808_config *c = config;
    struct jt808_gateway *g = mem_zalloc(sizeof *g);
    const struct jt905_endings endings = { (enum jt905_ending)c->won, (enum jt905_ending)c->done,
                                           (enum jt905_ending)c->trip,
                                           (enum jt905_ending)c->driver_cancels,
                                           (enum jt905_ending)c->centre_cancels };
    int rc = 0;

    g->env = *env;
    copy_config(g, c);
    if (c->credential)
        rc = secret_read(env->credentials, c->credential, g->secret, sizeof g->secret, err);
    g->tickets = jt905_tickets_create(env->name, &endings, env->cursor);
    if (rc < 0) {
        free_gateway(g);
        return rc;
    }
    (void)jt808_address(c->listen, &g->listen_at);      /* `check` has seen to it */
    if (c->upstream)
        (void)jt808_address(c->upstream, &g->upstream_at);
    backoff_init(&g->backoff, 1000, 15000, env->name);
    *ret = (struct source *)g;
    return 0;
}

static void jt808_start(struct source *source)
{
    struct jt808_gateway *g = &source->gateway;
    int rc = init_sockets(g);

    init_timers(g);
    uv_timer_start(&g->tick, on_tick, TICK_MS, TICK_MS);
    if (rc < 0)
        say_trouble(g, rc);
    else if (g->config.terminals)
        begin_table(g);
    else
        try_to_listen(g);
}

static void jt808_pause(struct source *source)
{
    (void)source;       /* locations need no room; an order that is not answered is said again */
}

static void jt808_resume(struct source *source)
{
    jt808_dispatch_flush(&source->gateway);
}

static bool jt808_poll_now(struct source *source)
{
    struct jt808_gateway *g = &source->gateway;

    backoff_reset(&g->backoff);
    if (!g->listening && g->listen_again_at > 0)
        g->listen_again_at = 1;
    if (g->config.terminals)
        begin_table(g);
    return !g->listening || g->config.terminals;
}

static int jt808_command(struct source *source, struct command *command)
{
    if (strcmp(command->verb, COMMAND_LOCATE) != 0)
        return -EOPNOTSUPP;
    return jt808_locate(&source->gateway, command);
}

static void on_closed(uv_handle_t *handle)
{
    jt808_on_handle_closed(handle->data);
}

static void jt808_stop(struct source *source, void (*stopped)(void *arg), void *arg)
{
    struct jt808_gateway *g = &source->gateway;

    g->stopping = true;
    g->stopped = stopped;
    g->stopped_arg = arg;
    jt808_locate_end(g, NULL, -ECANCELED, "the gateway stops");
    jt808_links_close_all(g);
    jt808_dispatch_flush(g);
    if (jt808_dispatch_is_in_house(g))
        g->open_handles++;
    if (!uv_is_closing((uv_handle_t *)&g->listener))
        uv_close((uv_handle_t *)&g->listener, on_listener_closed);
    if (!uv_is_closing((uv_handle_t *)&g->datagrams))
        uv_close((uv_handle_t *)&g->datagrams, on_datagrams_closed);
    uv_close((uv_handle_t *)&g->tick, on_closed);
    uv_close((uv_handle_t *)&g->flush, on_closed);
}

const struct driver driver_jt808 = {
    .name = "jt808",
    .summary = "gateway for GPS terminals that speak JT/T 808 or 905",
    .options = jt808_options,
    .config_size = sizeof(struct jt808_config),
    .check = jt808_check,
    .create = jt808_create,
    .start = jt808_start,
    .pause = jt808_pause,
    .resume = jt808_resume,
    .poll_now = jt808_poll_now,
    .command = jt808_command,
    .stop = jt808_stop,
};
