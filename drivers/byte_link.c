/* Bytes from a device or a daemon; see byte_link.h.
 *
 *     WAITING ── time, or the device came ──> (serial: at once) ──────────────────> OPEN
 *        ^                                └─> RESOLVING ──> CONNECTING ──────────────┘
 *        └────────────── failed, gone, or too late, from any ──────────────────────┘
 *
 * What fails: a serial line says why in serial_port.h's words. A server that takes the connection
 * and closes it at once, because another holds its only one, must not be asked twice a second: the
 * back-off is forgotten when bytes come, not when a connection does. */
#include "byte_link.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "backoff.h"
#include "base/mem.h"
#include "hotplug.h"

enum {
    FIRST_RETRY_MS = 500,
    LONGEST_RETRY_MS = 15000,
    CONNECT_MS = 10000,
    KEEPALIVE_S = 30,
};

enum phase { PHASE_IDLE, PHASE_WAITING, PHASE_CONNECTING, PHASE_OPEN };

/* One try over TCP, from the look-up of the name to the end. It outlives the link's interest in
 * it: `link` is NULL from then on. */
struct attempt {
    struct byte_link *link;
    struct byte_link *owner; /* that waits for its end */
    uv_getaddrinfo_t look_up;
    uv_connect_t connect;
    uv_tcp_t tcp;
    struct addrinfo *addresses, *next;
    bool is_looking_up, has_tcp;
    bool is_closing; /* this address; the next takes a new handle */
    char bytes[4096];
};

struct byte_link {
    char *device, *host;
    struct serial_settings serial;
    uint16_t port_number;
    enum byte_peer peer;
    struct byte_link_handlers handlers;
    struct driver_env env;

    enum phase phase;
    uv_timer_t timer; /* WAITING: until the next try; CONNECTING: until it is given up */
    struct backoff backoff;
    struct hotplug *hotplug;
    struct serial_port *port;
    bool was_there; /* it was open before */
    struct attempt *attempt;
    int open; /* attempts that have not ended, and the timer */
    void (*closed)(void *arg);
    void *closed_arg;
};

static void try_open(struct byte_link *l);

static void on_timer(uv_timer_t *timer);

static void release(struct byte_link *l)
{
    void (*closed)(void *arg) = l->closed;
    void *arg = l->closed_arg;

    if (--l->open > 0)
        return;
    free(l->device);
    free(l->host);
    free(l);
    closed(arg);
}

/* --- One try over TCP */

static void end_attempt(struct attempt *a)
{
    struct byte_link *owner = a->owner;

    uv_freeaddrinfo(a->addresses);
    free(a);
    release(owner);
}

static void on_tcp_closed(uv_handle_t *handle)
{
    end_attempt(handle->data);
}

/* What runs on the pool cannot be called back: then its end is waited for. */
static void drop_attempt(struct byte_link *l)
{
    struct attempt *a = l->attempt;

    l->attempt = NULL;
    if (!a)
        return;
    a->link = NULL;
    if (a->is_looking_up)
        (void)uv_cancel((uv_req_t *)&a->look_up);
    else if (a->has_tcp && !a->is_closing)
        uv_close((uv_handle_t *)&a->tcp, on_tcp_closed);
    else if (!a->has_tcp)
        end_attempt(a);
}

static void close_all(struct byte_link *l)
{
    serial_port_close(l->port);
    l->port = NULL;
    drop_attempt(l);
}

static void wait_for_next(struct byte_link *l)
{
    int64_t ms = backoff_next(&l->backoff, 0);

    l->phase = PHASE_WAITING;
    uv_timer_start(&l->timer, on_timer, (uint64_t)ms, 0);
    l->env.sink->next_attempt(l->env.house, clock_wall(l->env.clock) + ms);
}

static void lose(struct byte_link *l, const char *why)
{
    const char *blind = l->hotplug ? hotplug_trouble(l->hotplug) : NULL;
    char text[512];

    snprintf(text, sizeof text, "%s%s%s", why, blind ? "; " : "", blind ? blind : "");
    close_all(l);
    wait_for_next(l);
    l->handlers.lost(l->handlers.arg, text);
}

static void be_open(struct byte_link *l)
{
    uv_timer_stop(&l->timer);
    l->phase = PHASE_OPEN;
    l->was_there = true;
    l->env.sink->next_attempt(l->env.house, 0);
    l->handlers.opened(l->handlers.arg);
}

static void take(struct byte_link *l, const unsigned char *bytes, size_t length)
{
    backoff_reset(&l->backoff);
    l->handlers.bytes(l->handlers.arg, bytes, length);
}

/* The sentence for what a look-up, a connection or a read failed with. */
static void lose_tcp(struct byte_link *l, int status)
{
    static const struct {
        int status;
        const char *texts[BYTE_PEERS];
    } rows[] = {
        { UV_EOF,
          { "closed the connection: it may serve one client alone, and another has it",
            "closed the connection: gpsd has stopped" } },
        { UV_ECONNREFUSED,
          { "refuses: correct `port`, and set the serial server to TCP server mode",
            "refuses: no gpsd listens there (systemctl start gpsd.socket; for other machines it "
            "needs -G)" } },
        { UV_ETIMEDOUT,
          { "does not answer: is the serial server on, and in this network?",
            "does not answer: is that machine on, and in this network?" } },
        { UV_EHOSTUNREACH,
          { "cannot be reached: is the serial server on, and in this network?",
            "cannot be reached: is that machine on, and in this network?" } },
        { UV_ENETUNREACH,
          { "cannot be reached: is this machine on the network?",
            "cannot be reached: is this machine on the network?" } },
        { UV_ECONNRESET,
          { "reset the connection: was the serial server switched off?",
            "reset the connection: was that machine switched off?" } },
        { UV_EAI_NONAME,
          { "is a name that nobody knows: correct `host`",
            "is a name that nobody knows: correct `host`" } },
        { UV_EAI_AGAIN,
          { "cannot be looked up now: is the name server there?",
            "cannot be looked up now: is the name server there?" } },
    };
    char why[256];
    size_t i = 0;

    while (i < LENGTH(rows) && rows[i].status != status)
        i++;
    snprintf(why, sizeof why, "%s port %u %s", l->host, l->port_number,
             i < LENGTH(rows) ? rows[i].texts[l->peer] : uv_strerror(status));
    lose(l, why);
}

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
    struct attempt *a = handle->data;

    (void)size;
    *buf = uv_buf_init(a->bytes, sizeof a->bytes);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct attempt *a = stream->data;

    if (!a->link || n == 0)
        return;
    if (n < 0)
        lose_tcp(a->link, (int)n);
    else
        take(a->link, (const unsigned char *)buf->base, (size_t)n);
}

static void connect_next(struct attempt *a);

static void on_tried(uv_handle_t *handle)
{
    struct attempt *a = handle->data;

    a->has_tcp = a->is_closing = false;
    if (a->link)
        connect_next(a);
    else
        end_attempt(a);
}

/* This address does not do; there may be another. */
static void fail(struct attempt *a, int status)
{
    if (!a->next->ai_next) {
        lose_tcp(a->link, status);
        return;
    }
    a->next = a->next->ai_next;
    a->is_closing = true;
    uv_close((uv_handle_t *)&a->tcp, on_tried);
}

static void on_connected(uv_connect_t *connect, int status)
{
    struct attempt *a = connect->data;

    if (!a->link || a->is_closing)
        return;
    if (status == 0)
        status = uv_read_start((uv_stream_t *)&a->tcp, on_alloc, on_read);
    if (status < 0) {
        fail(a, status);
        return;
    }
    (void)uv_tcp_keepalive(&a->tcp, 1, KEEPALIVE_S);
    be_open(a->link);
}

static void connect_next(struct attempt *a)
{
    int rc = uv_tcp_init(a->link->env.loop, &a->tcp);

    assert(rc == 0); /* it opens nothing */
    a->tcp.data = a->connect.data = a;
    a->has_tcp = true;
    rc = uv_tcp_connect(&a->connect, &a->tcp, a->next->ai_addr, on_connected);
    if (rc < 0)
        fail(a, rc);
}

static void on_looked_up(uv_getaddrinfo_t *look_up, int status, struct addrinfo *found)
{
    struct attempt *a = look_up->data;

    a->is_looking_up = false;
    a->addresses = a->next = found;
    if (!a->link)
        end_attempt(a);
    else if (status < 0)
        lose_tcp(a->link, status);
    else
        connect_next(a);
}

static void try_tcp(struct byte_link *l)
{
    const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
    struct attempt *a = mem_zalloc(sizeof *a);
    char service[8];
    int rc;

    *a = (struct attempt){ .link = l, .owner = l, .is_looking_up = true };
    a->look_up.data = a;
    l->attempt = a;
    l->open++;
    l->phase = PHASE_CONNECTING;
    uv_timer_start(&l->timer, on_timer, CONNECT_MS, 0);
    snprintf(service, sizeof service, "%u", l->port_number);
    rc = uv_getaddrinfo(l->env.loop, &a->look_up, on_looked_up, l->host, service, &hints);
    if (rc < 0) {
        a->is_looking_up = false;
        lose_tcp(l, rc);
    }
}

/* --- A serial line */

static void on_port_bytes(void *arg, const unsigned char *bytes, size_t length)
{
    take(arg, bytes, length);
}

static void on_port_gone(void *arg, const struct err *why)
{
    lose(arg, why->text);
}

static void try_serial(struct byte_link *l)
{
    const struct serial_handlers handlers = { on_port_bytes, on_port_gone, l };
    struct err err;

    if (serial_port_open(&l->port, l->env.loop, l->device, &l->serial, &handlers, &err) < 0) {
        l->port = NULL;
        if (err.code == -ENOENT && l->was_there)
            (void)serial_failure(l->device, ENODEV, &err);
        lose(l, err.text);
    } else {
        be_open(l);
    }
}

static void on_changed(void *arg, bool is_there)
{
    struct byte_link *l = arg;
    struct err err;

    if (is_there) {
        byte_link_retry(l);
    } else if (l->port) {
        (void)serial_failure(l->device, ENODEV, &err);
        lose(l, err.text);
    }
}

/* --- The whole */

static void try_open(struct byte_link *l)
{
    if (l->device)
        try_serial(l);
    else
        try_tcp(l);
}

static void on_timer(uv_timer_t *timer)
{
    struct byte_link *l = timer->data;

    if (l->phase == PHASE_CONNECTING)
        lose_tcp(l, UV_ETIMEDOUT);
    else
        try_open(l);
}

struct byte_link *byte_link_create(const struct byte_link_settings *settings,
                                   const struct byte_link_handlers *handlers,
                                   const struct driver_env *env)
{
    struct byte_link *l = mem_zalloc(sizeof *l);

    l->device = settings->device ? mem_strdup(settings->device) : NULL;
    l->host = settings->host ? mem_strdup(settings->host) : NULL;
    l->serial = settings->serial;
    l->port_number = settings->port;
    l->peer = settings->peer;
    l->handlers = *handlers;
    l->env = *env;
    backoff_init(&l->backoff, FIRST_RETRY_MS, LONGEST_RETRY_MS, env->name);
    (void)uv_timer_init(env->loop, &l->timer); /* cannot fail */
    l->timer.data = l;
    l->open = 1;
    return l;
}

/* The first try comes on the next turn: its handlers are not called from within. */
void byte_link_start(struct byte_link *l)
{
    if (l->device)
        l->hotplug = hotplug_create(l->env.loop, l->device, on_changed, l);
    l->phase = PHASE_WAITING;
    uv_timer_start(&l->timer, on_timer, 0, 0);
}

void byte_link_retry(struct byte_link *l)
{
    backoff_reset(&l->backoff);
    if (l->phase == PHASE_WAITING)
        uv_timer_start(&l->timer, on_timer, 0, 0);
}

void byte_link_reopen(struct byte_link *l)
{
    close_all(l);
    wait_for_next(l);
}

void byte_link_ask(struct byte_link *l, const void *bytes, size_t length)
{
    char copy[256];
    uv_buf_t buf = uv_buf_init(copy, (unsigned)length);

    assert(length <= sizeof copy);
    memcpy(copy, bytes, length);
    if (l->port) {
        serial_port_discard(l->port);
        (void)serial_port_write(l->port, copy, length); /* one that is gone says so by itself */
    } else if (l->attempt && l->phase == PHASE_OPEN) {
        (void)uv_try_write((uv_stream_t *)&l->attempt->tcp, &buf, 1);
    }
}

void byte_link_set_baud(struct byte_link *l, uint32_t baud)
{
    struct err err;

    l->serial.baud = baud;
    /* A line that cannot be set is one that is gone; it says so itself. */
    if (l->port)
        (void)serial_port_set(l->port, &l->serial, &err);
}

static void on_timer_closed(uv_handle_t *handle)
{
    release(handle->data);
}

void byte_link_destroy(struct byte_link *l, void (*closed)(void *arg), void *arg)
{
    l->closed = closed;
    l->closed_arg = arg;
    hotplug_destroy(l->hotplug);
    l->hotplug = NULL;
    close_all(l);
    uv_close((uv_handle_t *)&l->timer, on_timer_closed);
}
