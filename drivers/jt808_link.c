/* One connection of a terminal; see jt808_gateway.h.
 *
 * Every link reads into one buffer of the gateway's, because what was read is used up before the
 * next read begins; only the half of a frame is kept, by the framer. Answers of one read go out in
 * one write. What a stranger can make grow is bounded: the frame, the bytes between two frames, the
 * messages in a minute, what waits to go out, the connections in all and of one address.
 *
 * With a platform behind us (`upstream`) each link has a relay: bytes go through both ways as they
 * are, and both directions are read along. Whichever side ends, the other is ended. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "jt808_gateway.h"

enum {
    BYTES_WITHOUT_FRAME_MAX = 65536,
    QUEUE_MAX_BYTES = 65536,    /* that a peer does not read */
    MINUTE_MS = 60000,
};

/* An address that terminals come from. */
struct jt808_origin {
    uint8_t address[16];
    uint32_t count;
    UT_hash_handle hh;
};

/* The platform behind one link. */
struct jt808_relay {
    struct jt808_link *link;    /* NULL once that is gone */
    struct jt808_gateway *gateway;
    uv_tcp_t tcp;
    uv_connect_t connect;
    bool connected;
    struct jt808_framer framer;
    struct text_buffer waiting; /* from the terminal, until it is connected */
};

/* --- Origins */

static void address_of(const struct sockaddr *from, uint8_t ret[16])
{
    memset(ret, 0, 16);
    if (from->sa_family == AF_INET6)
        memcpy(ret, &((const struct sockaddr_in6 *)(const void *)from)->sin6_addr, 16);
    else
        memcpy(ret, &((const struct sockaddr_in *)(const void *)from)->sin_addr, 4);
}

/* NULL: it has as many connections as it may. */
static struct jt808_origin *origin_take(struct jt808_gateway *g, const struct sockaddr *from)
{
    struct jt808_origin *origin;
    uint8_t address[16];

    address_of(from, address);
    HASH_FIND(hh, g->origins, address, sizeof address, origin);
    if (!origin) {
        origin = mem_zalloc(sizeof *origin);
        memcpy(origin->address, address, sizeof address);
        HASH_ADD(hh, g->origins, address, sizeof origin->address, origin);
    }
    if (origin->count >= g->config.per_address_max)
        return NULL;
    origin->count++;
    return origin;
}

static void origin_release(struct jt808_gateway *g, struct jt808_origin *origin)
{
    if (origin && --origin->count == 0) {
        HASH_DEL(g->origins, origin);
        free(origin);
    }
}

/* --- Lists: each in the order in which its links become late */

static void unlist(struct jt808_link *link)
{
    *(link->older ? &link->older->newer : &link->list->oldest) = link->newer;
    *(link->newer ? &link->newer->older : &link->list->newest) = link->older;
}

static void list_in(struct jt808_links *list, struct jt808_link *link)
{
    link->list = list;
    link->older = list->newest;
    link->newer = NULL;
    *(list->newest ? &list->newest->newer : &list->oldest) = link;
    list->newest = link;
}

static void list_again(struct jt808_link *link, struct jt808_links *list)
{
    unlist(link);
    list_in(list, link);
}

void jt808_link_welcome(struct jt808_link *link)
{
    if (link->list == &link->gateway->strangers)
        list_again(link, &link->gateway->known);
}

static void set_up(struct jt808_link *link, struct jt808_gateway *g, struct jt808_origin *origin)
{
    int64_t now = clock_monotonic(g->env.clock);

    link->gateway = g;
    link->origin = origin;
    link->opened_at = link->heard_at = link->refilled_at = now;
    link->tokens = (int32_t)g->config.messages_per_minute;
    list_in(&g->strangers, link);
    g->link_count++;
    g->counters.connections++;
}

static void free_link(struct jt808_link *link)
{
    origin_release(link->gateway, link->origin);
    jt808_framer_reset(&link->framer);
    jt808_joint_drop(link);
    free(link);
}

/* --- Sending */

struct write {
    uv_write_t request;
    char bytes[];
};

static void on_written(uv_write_t *request, int status)
{
    (void)status;       /* the read end tells that a peer is gone */
    free(request->data);
}

/* False: the peer does not read. */
static bool stream_write(uv_stream_t *stream, const uint8_t *bytes, size_t length)
{
    uv_buf_t buffer = uv_buf_init((char *)(uintptr_t)bytes, (unsigned)length);
    int sent = uv_stream_get_write_queue_size(stream) > 0 ? 0 : uv_try_write(stream, &buffer, 1);
    size_t rest = length - (sent > 0 ? (size_t)sent : 0);
    struct write *w;

    if (rest == 0)
        return true;
    if (uv_stream_get_write_queue_size(stream) + rest > QUEUE_MAX_BYTES)
        return false;
    w = mem_alloc(sizeof *w + rest);
    w->request.data = w;
    memcpy(w->bytes, bytes + length - rest, rest);
    buffer = uv_buf_init(w->bytes, (unsigned)rest);
    if (uv_write(&w->request, stream, &buffer, 1, on_written) < 0)
        free(w);        /* closing: the read end tells */
    return true;
}

static void send_bytes(struct jt808_link *link, const uint8_t *bytes, size_t length)
{
    struct jt808_gateway *g = link->gateway;
    uv_buf_t buffer = uv_buf_init((char *)(uintptr_t)bytes, (unsigned)length);

    if (link->over_udp)
        (void)uv_udp_try_send(&g->datagrams, &buffer, 1,
                              (const struct sockaddr *)&link->peer);    /* lost, as UDP may */
    else if (!stream_write((uv_stream_t *)&link->tcp, bytes, length))
        jt808_link_cut(link, CUT_NOT_READING);
}

static void send_gathered(struct jt808_gateway *g)
{
    struct jt808_link *link = g->gathering;
    size_t length = g->out_length;

    g->out_length = 0;
    if (length > 0 && !link->closing)
        send_bytes(link, g->out, length);
}

void jt808_link_send(struct jt808_link *link, const struct jt808_message *message)
{
    struct jt808_gateway *g = link->gateway;
    uint8_t wire[JT808_WIRE_MAX];
    size_t length = jt808_write(wire, message);

    if (link->closing)
        return;
    if (g->gathering != link) {
        send_bytes(link, wire, length);
        return;
    }
    if (g->out_length + length > sizeof g->out)
        send_gathered(g);
    memcpy(g->out + g->out_length, wire, length);
    g->out_length += length;
}

/* --- The platform behind */

static void on_relay_closed(uv_handle_t *handle)
{
    struct jt808_relay *relay = handle->data;
    struct jt808_gateway *g = relay->gateway;

    jt808_framer_reset(&relay->framer);
    text_buffer_finish(&relay->waiting);
    free(relay);
    jt808_on_handle_closed(g);
}

static void close_relay(struct jt808_relay *relay)
{
    relay->link = NULL;
    if (!uv_is_closing((uv_handle_t *)&relay->tcp))
        uv_close((uv_handle_t *)&relay->tcp, on_relay_closed);
}

static bool on_platform_frame(void *arg, enum jt808_fault fault, const uint8_t *frame,
                              size_t length)
{
    struct jt808_link *link = arg;
    struct jt808_message m;

    if (fault == JT808_WELL &&
        jt808_read(frame, length, link->session.dialect, &m) == JT808_WELL)
        jt808_on_platform_message(link, &m);
    return !link->closing;
}

static void on_relay_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct jt808_relay *relay = handle->data;

    (void)suggested;
    *buffer = uv_buf_init(relay->gateway->in, sizeof relay->gateway->in);
}

static void on_platform_bytes(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer)
{
    struct jt808_relay *relay = stream->data;
    struct jt808_link *link = relay->link;
    const uint8_t *bytes = (const uint8_t *)buffer->base;

    if (!link || length == 0)
        return;
    if (length < 0) {
        jt808_link_close(link);
        return;
    }
    send_bytes(link, bytes, (size_t)length);
    if (!link->closing)
        (void)jt808_framer_feed(&relay->framer, bytes, (size_t)length, on_platform_frame, link);
}

static void on_platform_connected(uv_connect_t *connect, int status)
{
    struct jt808_relay *relay = connect->data;
    struct jt808_gateway *g = relay->gateway;

    if (!relay->link)
        return;
    if (status < 0) {
        char why[200];

        (void)snprintf(why, sizeof why, "the platform at %s does not take connections: %s",
                       g->config.upstream, uv_strerror(status));
        health_is(g->env.health, SOURCE_DEGRADED, why, g->env.clock);
        jt808_link_close(relay->link);
        return;
    }
    health_is(g->env.health, SOURCE_WELL, "", g->env.clock);
    relay->connected = true;
    (void)uv_tcp_nodelay(&relay->tcp, 1);       /* only costs time */
    (void)uv_read_start((uv_stream_t *)&relay->tcp, on_relay_buffer, on_platform_bytes);
    if (relay->waiting.length > 0 &&
        !stream_write((uv_stream_t *)&relay->tcp, (const uint8_t *)relay->waiting.bytes,
                      relay->waiting.length))
        jt808_link_cut(relay->link, CUT_NOT_READING);
    text_buffer_finish(&relay->waiting);
}

static void begin_relay(struct jt808_link *link)
{
    struct jt808_gateway *g = link->gateway;
    struct jt808_relay *relay = mem_zalloc(sizeof *relay);

    if (uv_tcp_init(g->env.loop, &relay->tcp) < 0) {
        free(relay);
        jt808_link_close(link);
        return;
    }
    g->open_handles++;
    relay->gateway = g;
    relay->link = link;
    relay->tcp.data = relay->connect.data = relay;
    link->relay = relay;
    if (uv_tcp_connect(&relay->connect, &relay->tcp, (const struct sockaddr *)&g->upstream_at,
                       on_platform_connected) < 0)
        jt808_link_close(link);
}

static void pass_on(struct jt808_link *link, const uint8_t *bytes, size_t length)
{
    struct jt808_relay *relay = link->relay;

    if (relay->connected
            ? !stream_write((uv_stream_t *)&relay->tcp, bytes, length)
            : relay->waiting.length + length > QUEUE_MAX_BYTES)
        jt808_link_cut(link, CUT_NOT_READING);
    else if (!relay->connected)
        text_buffer_add(&relay->waiting, (const char *)bytes, length);
}

/* --- Reading */

/* True if it may send one message more. */
static bool take_token(struct jt808_link *link, int64_t now)
{
    int32_t most = (int32_t)link->gateway->config.messages_per_minute;
    int64_t more = (now - link->refilled_at) * most / MINUTE_MS;

    if (more > 0) {
        link->refilled_at = now;
        link->tokens = more > most - link->tokens ? most : link->tokens + (int32_t)more;
    }
    return link->tokens > 0 && link->tokens-- > 0;
}

static void count_bad(struct jt808_link *link)
{
    link->gateway->counters.bad_frames++;
    if (++link->bad_in_a_row >= link->gateway->config.bad_frames_max)
        jt808_link_cut(link, CUT_GARBAGE);
}

static bool on_frame(void *arg, enum jt808_fault fault, const uint8_t *frame, size_t length)
{
    struct jt808_link *link = arg;
    struct jt808_message m;

    link->bytes_since_frame = 0;
    if (!take_token(link, link->heard_at)) {
        jt808_link_cut(link, CUT_FLOOD);
        return false;
    }
    if (fault == JT808_WELL)
        fault = jt808_read(frame, length, link->session.dialect, &m);
    if (fault != JT808_WELL) {
        count_bad(link);
        return !link->closing;
    }
    link->bad_in_a_row = 0;
    link->gateway->counters.messages++;
    link->gateway->counters.quirks += m.layout_quirk || m.longer_than_declared;
    jt808_on_message(link, &m);
    return !link->closing;
}

void jt808_link_take(struct jt808_link *link, const uint8_t *bytes, size_t length)
{
    struct jt808_gateway *g = link->gateway;

    link->heard_at = clock_monotonic(g->env.clock);
    if (link->list == &g->known)
        list_again(link, &g->known);
    link->bytes_since_frame += (uint32_t)length;
    g->gathering = link;
    if (link->relay)
        pass_on(link, bytes, length);
    if (!link->closing)
        (void)jt808_framer_feed(&link->framer, bytes, length, on_frame, link);
    send_gathered(g);
    g->gathering = NULL;
    if (!link->closing && link->bytes_since_frame > BYTES_WITHOUT_FRAME_MAX)
        jt808_link_cut(link, CUT_GARBAGE);
}

static void on_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct jt808_link *link = handle->data;

    (void)suggested;
    *buffer = uv_buf_init(link->gateway->in, sizeof link->gateway->in);
}

static void on_bytes(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer)
{
    struct jt808_link *link = stream->data;

    if (length > 0)
        jt808_link_take(link, (const uint8_t *)buffer->base, (size_t)length);
    else if (length < 0)
        jt808_link_close(link);
}

/* --- Beginning and end */

static void on_tcp_closed(uv_handle_t *handle)
{
    struct jt808_link *link = handle->data;
    struct jt808_gateway *g = link->gateway;

    free_link(link);
    jt808_on_handle_closed(g);
}

void jt808_link_close(struct jt808_link *link)
{
    struct jt808_gateway *g = link->gateway;

    if (link->closing)
        return;
    link->closing = true;
    unlist(link);
    g->link_count--;
    if (link->terminal)
        jt808_on_link_gone(link);
    if (link->relay)
        close_relay(link->relay);
    link->relay = NULL;
    if (!link->over_udp) {
        uv_close((uv_handle_t *)&link->tcp, on_tcp_closed);
        return;
    }
    HASH_DEL(g->udp_links, link);
    link->newer = g->udp_gone;
    g->udp_gone = link;
}

static void free_gone(struct jt808_gateway *g)
{
    struct jt808_link *next;

    for (struct jt808_link *link = g->udp_gone; link; link = next) {
        next = link->newer;
        free_link(link);
    }
    g->udp_gone = NULL;
}

void jt808_link_cut(struct jt808_link *link, enum jt808_cut why)
{
    if (link->closing)
        return;
    link->gateway->counters.cuts[why]++;
    jt808_link_close(link);
}

/* Takes the connection off the listener, only to close it. */
static void turn_away(struct jt808_link *link)
{
    struct jt808_gateway *g = link->gateway;

    link->closing = true;
    g->counters.cuts[CUT_FULL]++;
    uv_close((uv_handle_t *)&link->tcp, on_tcp_closed);
}

void jt808_link_accept(struct jt808_gateway *g)
{
    struct jt808_link *link = mem_zalloc(sizeof *link);
    struct sockaddr_storage from;
    int length = sizeof from;
    struct jt808_origin *origin = NULL;

    link->gateway = g;
    if (uv_tcp_init(g->env.loop, &link->tcp) < 0) {
        free(link);
        return;
    }
    link->tcp.data = link;
    g->open_handles++;
    if (uv_accept((uv_stream_t *)&g->listener, (uv_stream_t *)&link->tcp) == 0 &&
        g->link_count < g->config.connections_max &&
        uv_tcp_getpeername(&link->tcp, (struct sockaddr *)&from, &length) == 0)
        origin = origin_take(g, (const struct sockaddr *)&from);
    if (!origin) {
        turn_away(link);
        return;
    }
    set_up(link, g, origin);
    (void)uv_tcp_nodelay(&link->tcp, 1);        /* only costs time */
    (void)uv_read_start((uv_stream_t *)&link->tcp, on_buffer, on_bytes);
    if (g->config.upstream)
        begin_relay(link);
}

struct jt808_link *jt808_link_of_peer(struct jt808_gateway *g, const struct sockaddr *from)
{
    struct sockaddr_storage peer = { 0 };
    struct jt808_link *link;
    struct jt808_origin *origin;

    memcpy(&peer, from, from->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                    : sizeof(struct sockaddr_in));
    HASH_FIND(hh, g->udp_links, &peer, sizeof peer, link);
    if (link)
        return link;
    origin = g->link_count < g->config.connections_max ? origin_take(g, from) : NULL;
    if (!origin) {
        g->counters.cuts[CUT_FULL]++;
        return NULL;
    }
    link = mem_zalloc(sizeof *link);
    link->over_udp = true;
    link->peer = peer;
    HASH_ADD(hh, g->udp_links, peer, sizeof link->peer, link);
    set_up(link, g, origin);
    return link;
}

/* --- Silence */

void jt808_links_expire(struct jt808_gateway *g)
{
    const struct jt808_config *c = &g->config;
    int64_t now = clock_monotonic(g->env.clock);
    struct jt808_link *link;

    while ((link = g->known.oldest) && now - link->heard_at > c->idle_ms)
        jt808_link_cut(link, CUT_SILENT);
    while ((link = g->strangers.oldest) && now - link->opened_at > c->greet_within_ms)
        jt808_link_cut(link, link->session.greeted ? CUT_UNAUTHENTICATED : CUT_SILENT);
    free_gone(g);
}

void jt808_links_close_all(struct jt808_gateway *g)
{
    while (g->known.oldest)
        jt808_link_close(g->known.oldest);
    while (g->strangers.oldest)
        jt808_link_close(g->strangers.oldest);
    free_gone(g);
}
