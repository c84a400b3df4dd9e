/* Simulated terminals; see terminals.h. All share one buffer for reading; answers are counted by
 * their frames, so that the other side may be any server. */
#include "terminals.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "jt905_order.h"

enum { TICK_MS = 10, WRITE_MAX = 65536, FLOOD_AT_ONCE = 64 };

const char *const wrong_names[WRONG_COUNT] = {
    [WRONG_FAULT] = "fault",     [WRONG_NO_FIX] = "no-fix",     [WRONG_SILENT] = "silent",
    [WRONG_LEAVES] = "leaves",   [WRONG_GARBAGE] = "garbage",   [WRONG_HALF] = "half",
    [WRONG_FLOOD] = "flood",     [WRONG_CHECKSUM] = "checksum", [WRONG_CLOCK] = "clock",
};

struct terminal {
    struct crowd *crowd;
    union {
        uv_handle_t handle;
        uv_tcp_t tcp;
        uv_udp_t udp;
    } line;
    uv_connect_t connect;
    bool open, connected, closing;
    enum jt808_dialect dialect;
    char sender[JT808_ID_SIZE];
    uint16_t serial;
    struct jt808_framer framer;
    uint64_t due_ms;            /* of the loop: the next report */
    uint64_t wrong_until[WRONG_COUNT];      /* 0: not wrong; UINT64_MAX: until mended */
    uint32_t alarm;
    int32_t latitude_e6, longitude_e6;
};

struct crowd {
    uv_loop_t *loop;
    struct crowd_options options;
    struct terminal *terminals;
    uv_timer_t tick;
    uint32_t per_second, started;
    uint64_t began_ms;
    struct crowd_counts counts;
    char in[65536];
};

/* splitmix64: the same for the same seed and number, whoever asks first. */
static uint64_t chance(uint64_t seed, uint64_t n)
{
    uint64_t z = seed + (n + 1) * UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static enum jt808_dialect dialect_of(enum mix mix, uint32_t n)
{
    static const enum jt808_dialect of[] = { JT808_2013, JT808_2019, JT905_2014 };

    return of[mix == MIX_ALL ? n % 3 : (uint32_t)mix];
}

static void begin(struct crowd *c, struct terminal *t, uint32_t n)
{
    uint64_t draw = chance(c->options.seed, n);

    t->crowd = c;
    t->dialect = dialect_of(c->options.mix, n);
    /* The first byte of an ISU's id is always 10 (905.2-2014). */
    (void)snprintf(t->sender, sizeof t->sender,
                   t->dialect == JT808_2019   ? "0000000001390%07u"
                   : t->dialect == JT905_2014 ? "10901%07u"
                                              : "01390%07u",
                   n % 10000000);
    t->latitude_e6 = 30600000 + (int32_t)(draw % 120000);
    t->longitude_e6 = 104000000 + (int32_t)(draw / 120000 % 160000);
    t->due_ms = draw % (uint64_t)(c->options.interval_ms > 0 ? c->options.interval_ms : 1);
}

struct crowd *crowd_create(uv_loop_t *loop, const struct crowd_options *options)
{
    struct crowd *c = mem_zalloc(sizeof *c);
    int rc;

    c->loop = loop;
    c->options = *options;
    c->terminals = mem_zalloc(options->count * sizeof *c->terminals);
    for (uint32_t i = 0; i < options->count; i++)
        begin(c, &c->terminals[i], i);
    rc = uv_timer_init(loop, &c->tick);
    assert(rc == 0); /* libuv's timers cannot fail to be made */
    c->tick.data = c;
    return c;
}

static bool is_wrong(const struct terminal *t, enum wrong wrong)
{
    return t->wrong_until[wrong] > uv_now(t->crowd->loop);
}

/* --- Saying */

static void on_written(uv_write_t *request, int status)
{
    (void)status;
    free(request);
}

/* A datagram that does not go out is lost, as on the air. */
static void say_bytes(struct terminal *t, const uint8_t *bytes, size_t length)
{
    uv_buf_t buffer = uv_buf_init((char *)(uintptr_t)bytes, (unsigned)length);
    uv_stream_t *stream = (uv_stream_t *)&t->line.tcp;
    uv_write_t *request;
    size_t rest;
    int sent;

    if (t->crowd->options.udp) {
        (void)uv_udp_try_send(&t->line.udp, &buffer, 1, NULL);
        return;
    }
    sent = uv_stream_get_write_queue_size(stream) > 0 ? 0 : uv_try_write(stream, &buffer, 1);
    rest = length - (sent > 0 ? (size_t)sent : 0);
    if (rest == 0 || uv_stream_get_write_queue_size(stream) > WRITE_MAX)
        return; /* who does not read misses some */
    request = mem_alloc(sizeof *request + rest);
    memcpy(request + 1, bytes + length - rest, rest);
    buffer = uv_buf_init((char *)(request + 1), (unsigned)rest);
    if (uv_write(request, stream, &buffer, 1, on_written) < 0)
        free(request);
}

static void say(struct terminal *t, uint16_t id, const uint8_t *body, size_t length)
{
    struct jt808_message m = { .dialect = t->dialect, .version = 1, .id = id,
                               .serial = t->serial++, .body = body, .length = length };
    uint8_t wire[JT808_WIRE_MAX];
    size_t n;

    memcpy(m.sender, t->sender, sizeof m.sender);
    n = jt808_write(wire, &m);
    if (is_wrong(t, WRONG_CHECKSUM))
        wire[n / 2] ^= 0x11;
    if (is_wrong(t, WRONG_HALF))
        n /= 2;
    say_bytes(t, wire, n);
}

static size_t make_location(struct terminal *t, uint8_t *body)
{
    static const uint32_t fixed_808 = 3, not_fixed_905 = 1; /* ACC on; 905 says what is not */
    bool fixed = !is_wrong(t, WRONG_NO_FIX), is_905 = t->dialect == JT905_2014;
    struct jt808_location l = { .alarm = is_wrong(t, WRONG_FAULT) ? t->alarm : 0,
                                .speed_dkmh = 321,
                                .course = 90 };
    int64_t now = (int64_t)time(NULL) * 1000;

    l.status = is_905 ? (fixed ? 0 : not_fixed_905) : (fixed ? fixed_808 : 1);
    jt808_location_place(&l, t->dialect, t->latitude_e6, t->longitude_e6);
    if (is_wrong(t, WRONG_CLOCK))
        now -= INT64_C(1024) * 7 * 86400000;
    jt808_time_write(l.time, now, JT808_OFFSET_S);
    return jt808_location_write(body, &l, t->dialect);
}

static void report(struct terminal *t)
{
    uint8_t body[JT808_LOCATION_LENGTH];

    say(t, JT808_LOCATION, body, make_location(t, body));
    t->crowd->counts.sent++;
}

static void register_self(struct terminal *t)
{
    struct jt808_register reg = { .province = 51,
                                  .city = 100,
                                  .maker = { (const uint8_t *)"MAKER", 5 },
                                  .model = { (const uint8_t *)"SIM-1", 5 },
                                  .terminal = { (const uint8_t *)"0000001", 7 },
                                  .plate_colour = 1,
                                  .plate = { (const uint8_t *)"A12345", 6 },
                                  .layout = t->dialect == JT808_2019 ? 2019 : 2013 };
    uint8_t body[JT808_BODY_MAX];

    say(t, JT808_REGISTER, body, jt808_register_write(body, &reg));
}

/* --- Hearing */

static void answer_query(struct terminal *t, const struct jt808_message *m)
{
    uint8_t body[2 + JT808_LOCATION_LENGTH];

    t->crowd->counts.asked++;
    jt808_put_word(body, m->serial);
    say(t, JT808_LOCATION_REPLY, body, 2 + make_location(t, body + 2));
}

static void authenticate(struct terminal *t, const struct jt808_message *m)
{
    struct jt808_register_reply reply;
    struct jt808_auth auth = { .imei = { (const uint8_t *)"123456789012345", 15 } };
    uint8_t body[JT808_BODY_MAX];

    if (!jt808_register_reply_read(m->body, m->length, &reply))
        return;
    auth.code = reply.code;
    say(t, JT808_AUTHENTICATE, body, jt808_auth_write(body, &auth, t->dialect));
}

static void hear(struct terminal *t, const struct jt808_message *m)
{
    struct crowd *c = t->crowd;
    struct jt808_reply reply;
    bool is_answer = m->id == JT808_PLATFORM_REPLY &&
                     jt808_reply_read(m->body, m->length, &reply) && reply.id == JT808_LOCATION;

    if (m->id == JT808_REGISTER_REPLY)
        authenticate(t, m);
    else if (m->id == JT808_QUERY_LOCATION && !is_wrong(t, WRONG_SILENT))
        answer_query(t, m);
    /* One that comes back as it went is an echo, the bare counterpart's answer. */
    if (!is_answer && m->id != JT808_LOCATION)
        return;
    c->counts.answered++;
    if (c->options.interval_ms == 0)
        report(t);
}

static bool on_frame(void *arg, enum jt808_fault fault, const uint8_t *frame, size_t length)
{
    struct terminal *t = arg;
    struct jt808_message m;

    if (fault == JT808_WELL && jt808_read(frame, length, t->dialect, &m) == JT808_WELL)
        hear(t, &m);
    return !t->closing;
}

static void on_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct terminal *t = handle->data;

    (void)suggested;
    *buffer = uv_buf_init(t->crowd->in, sizeof t->crowd->in);
}

/* --- Connecting */

static void on_closed(uv_handle_t *handle)
{
    struct terminal *t = handle->data;

    jt808_framer_reset(&t->framer);
    t->open = t->closing = t->connected = false;
}

static void hang_up(struct terminal *t)
{
    if (!t->open || t->closing)
        return;
    t->closing = true;
    t->crowd->counts.connected -= t->connected;
    uv_close(&t->line.handle, on_closed);
}

static void on_bytes(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer)
{
    struct terminal *t = stream->data;

    if (length > 0)
        (void)jt808_framer_feed(&t->framer, (const uint8_t *)buffer->base, (size_t)length, on_frame,
                                t);
    if (length >= 0)
        return;
    t->crowd->counts.lost++;
    hang_up(t);
}

static void begin_to_speak(struct terminal *t)
{
    t->connected = true;
    t->crowd->counts.connected++;
    if (t->dialect != JT905_2014)
        register_self(t);
    if (t->crowd->options.interval_ms == 0)
        report(t);
}

static void on_connected(uv_connect_t *connect, int status)
{
    struct terminal *t = connect->data;

    if (status < 0 || t->closing) {
        hang_up(t);
        return;
    }
    (void)uv_tcp_nodelay(&t->line.tcp, 1); /* only costs time */
    (void)uv_read_start((uv_stream_t *)&t->line.tcp, on_buffer, on_bytes);
    begin_to_speak(t);
}

static void dial_tcp(struct terminal *t, const struct sockaddr *to)
{
    if (uv_tcp_init(t->crowd->loop, &t->line.tcp) < 0)
        return;
    t->open = true;
    if (uv_tcp_connect(&t->connect, &t->line.tcp, to, on_connected) < 0)
        hang_up(t);
}

/* A whole frame is in one datagram; what is unfinished at its end is dropped with it. */
static void on_datagram(uv_udp_t *handle, ssize_t length, const uv_buf_t *buffer,
                        const struct sockaddr *from, unsigned flags)
{
    struct terminal *t = handle->data;

    (void)flags;
    if (length <= 0 || !from)
        return;
    (void)jt808_framer_feed(&t->framer, (const uint8_t *)buffer->base, (size_t)length, on_frame, t);
    jt808_framer_reset(&t->framer);
}

static void dial_udp(struct terminal *t, const struct sockaddr *to)
{
    if (uv_udp_init(t->crowd->loop, &t->line.udp) < 0)
        return;
    t->open = true;
    if (uv_udp_connect(&t->line.udp, to) < 0 ||
        uv_udp_recv_start(&t->line.udp, on_buffer, on_datagram) < 0)
        hang_up(t);
    else
        begin_to_speak(t);
}

static void dial(struct terminal *t)
{
    const struct sockaddr *to = (const struct sockaddr *)&t->crowd->options.to;

    if (t->open)
        return;
    if (t->crowd->options.udp)
        dial_udp(t, to);
    else
        dial_tcp(t, to);
    t->line.handle.data = t->connect.data = t;
}

/* --- Time */

static void misbehave(struct terminal *t)
{
    static const uint8_t garbage[512] = "no frame, and without an end: ";

    if (is_wrong(t, WRONG_GARBAGE))
        say_bytes(t, garbage, sizeof garbage);
    if (is_wrong(t, WRONG_FLOOD))
        for (int i = 0; i < FLOOD_AT_ONCE; i++)
            say(t, JT808_HEARTBEAT, NULL, 0);
}

static void live(struct terminal *t, uint64_t now)
{
    if (!t->open) {
        if (!is_wrong(t, WRONG_LEAVES))
            dial(t);
        return;
    }
    if (is_wrong(t, WRONG_LEAVES))
        hang_up(t);
    if (!t->connected || t->closing)
        return;
    misbehave(t);
    if (t->crowd->options.interval_ms == 0 || now < t->due_ms || is_wrong(t, WRONG_SILENT))
        return;
    t->due_ms = (t->due_ms + (uint64_t)t->crowd->options.interval_ms > now ? t->due_ms : now) +
                (uint64_t)t->crowd->options.interval_ms;
    report(t);
}

static void on_tick(uv_timer_t *timer)
{
    struct crowd *c = timer->data;
    uint64_t now = uv_now(c->loop), started = (now - c->began_ms) * c->per_second / 1000 + 1;

    c->started = started < c->options.count ? (uint32_t)started : c->options.count;
    for (uint32_t i = 0; i < c->started; i++)
        live(&c->terminals[i], now);
}

void crowd_start(struct crowd *c, uint32_t per_second)
{
    c->per_second = per_second;
    c->began_ms = uv_now(c->loop);
    for (uint32_t i = 0; i < c->options.count; i++)
        c->terminals[i].due_ms += c->began_ms;
    uv_timer_start(&c->tick, on_tick, 0, TICK_MS);
}

/* --- From outside */

static uint32_t bit_named(const struct terminal *t, const char *code)
{
    for (const struct jt808_alarm *a =
             jt808_alarms(t->dialect == JT905_2014 ? JT905_ALARMS : JT808_ALARMS);
         a->code; a++)
        if (strcmp(a->code, code) == 0)
            return UINT32_C(1) << a->bit;
    return 0;
}

void crowd_set(struct crowd *c, uint32_t n, enum wrong wrong, const char *code, uint64_t until_ms)
{
    struct terminal *t = &c->terminals[n];

    t->wrong_until[wrong] = until_ms ? until_ms : UINT64_MAX;
    if (wrong == WRONG_FAULT)
        t->alarm |= bit_named(t, code);
}

void crowd_mend(struct crowd *c, uint32_t n)
{
    memset(c->terminals[n].wrong_until, 0, sizeof c->terminals[n].wrong_until);
    c->terminals[n].alarm = 0;
}

void crowd_order(struct crowd *c, uint32_t n, uint32_t order, bool done)
{
    const struct jt905_order o = { .order = order, .wanted_at = JT808_NO_TIME, .reason = 1 };
    uint16_t ids[] = { JT905_GRAB, done ? JT905_DONE : JT905_DRIVER_CANCELS };
    uint8_t body[JT808_BODY_MAX];

    if (!c->terminals[n].connected || c->terminals[n].dialect != JT905_2014)
        return;
    for (size_t i = 0; i < LENGTH(ids); i++)
        say(&c->terminals[n], ids[i], body, jt905_order_write(body, ids[i], &o));
}

struct crowd_counts crowd_counts(const struct crowd *c)
{
    return c->counts;
}

uint32_t crowd_size(const struct crowd *c)
{
    return c->options.count;
}

void crowd_stop(struct crowd *c)
{
    uv_close((uv_handle_t *)&c->tick, NULL);
    for (uint32_t i = 0; i < c->options.count; i++)
        hang_up(&c->terminals[i]);
}

void crowd_free(struct crowd *c)
{
    free(c->terminals);
    free(c);
}
