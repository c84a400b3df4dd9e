/* A satellite receiver that sends NMEA 0183.
 *
 * It only speaks. Bytes become sentences (nmea_frame.h), sentences become epochs (nmea_fix.h), and
 * each epoch is told as readings (gnss.h) with the instant at which it was heard.
 *
 *               opened                two good checksums
 *     (closed) ────────> LISTENING ─────────────────────> LOCKED
 *        ^               │      ^                          │
 *        │   another     └──────┘    noise instead of      │
 *        │   rate, 1.2 s             sentences             │
 *        └───────── lost, from any  <──────────────────────┘
 *
 * Without auto_baud there is one rate, and nothing to search for.
 *
 * What fails: a line that is closed or gone is down until it is back (byte_link.h). One that is
 * open and carries no sentence for `silence` is down, and what it carries instead is said
 * (nmea_line.h). A loop that was held up, or a house that is full, costs whole sentences, which are
 * counted: what waited in the line is old, and no reading is better than an old one. */
#include "nmea.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/mem.h"
#include "byte_link.h"
#include "gnss.h"
#include "driver_probe.h"
#include "nmea_fix.h"
#include "nmea_frame.h"
#include "nmea_line.h"

/* No receiver that works tells an earlier date: one that does has lost count of its weeks. Raised
 * with each release. */
#define BUILT_AT INT64_C(1767225600000) /* 2026-01-01 */

enum {
    PAUSE_MS = 150,   /* between the bursts of two epochs */
    LISTEN_MS = 1200, /* to one rate: a receiver speaks once a second */
    LOCK_AFTER = 2,   /* good checksums */
    FEW_BYTES = 64,
    LOOKS_MAX = 3,
    OLD_MS = 3000,        /* what waited longer in the line is dropped */
    GOOD_SHARE_E4 = 9000, /* less of the checksums, and somebody should look */
    WELL_SHARE_E4 = 9500, /* enough of them to be well again: between the two it does not flap */
    REOPEN_AFTER = 6,     /* silences: a connection may be dead without a word */
};

struct source {
    struct driver_env env;
    struct gnss_limits limits;
    char *service_device;
    uint32_t baud; /* as it is now; 0: TCP */
    uint32_t first_baud;
    bool searches; /* auto_baud */
    bool paused;

    struct byte_link *link;
    bool is_open, is_locked;
    size_t rate;          /* that is tried; index into `rates`, the last + 1: first_baud */
    unsigned good;        /* checksums since it is tried */
    unsigned looks;       /* at it, so far */
    uint64_t rate_bytes;  /* since it is tried */
    unsigned rates_tried; /* in vain, since the last lock */
    unsigned silences;    /* in a row */
    int64_t heard_at;     /* monotonic: the last byte, or the opening */
    int64_t good_at;      /* the last good checksum, or the opening */
    int64_t rate_at;      /* since when this rate is tried */
    uv_timer_t timer;     /* to the next of these: pause, rate, silence */
    struct nmea_fix fix;
    struct nmea_line line; /* since the last good checksum, or verdict */
    uint64_t dropped;      /* sentences */
    size_t held;
    unsigned char bytes[NMEA_LENGTH_MAX + SERIAL_READ_SIZE];

    void (*stopped)(void *arg);
    void *stopped_arg;
    int open; /* link, timer */
};

static const uint32_t rates[] = { 9600, 38400, 115200, 4800, 57600, 19200, 230400 };

static void on_timer(uv_timer_t *timer);

/* --- Rates */

static void set_rate(struct source *s, uint32_t baud)
{
    s->baud = baud;
    s->fix.gnss.baud = (int32_t)baud;
    s->held = 0;
    byte_link_set_baud(s->link, baud);
}

static void try_rate(struct source *s, int64_t now, bool from_start)
{
    s->is_locked = false;
    s->rate_at = now;
    s->good = s->looks = 0;
    s->rate_bytes = 0;
    nmea_fix_restart(&s->fix, from_start);
}

static enum nmea_search search_of(const struct source *s)
{
    if (!s->searches)
        return NMEA_SEARCH_NONE;
    return s->rates_tried > LENGTH(rates) ? NMEA_SEARCH_VAIN : NMEA_SEARCH_ON;
}

static void try_next_rate(struct source *s, int64_t now)
{
    s->rates_tried++;
    do {
        s->rate = (s->rate + 1) % (LENGTH(rates) + 1);
    } while (s->rate < LENGTH(rates) && rates[s->rate] == s->first_baud);
    set_rate(s, s->rate < LENGTH(rates) ? rates[s->rate] : s->first_baud);
    try_rate(s, now, false);
}

/* A rate has had its time. Where nothing comes at all, the rate is not what is wrong; one good
 * checksum, or a few bytes, which may be the beginning of the first sentence, are worth another
 * look. But a fast line at a slow rate always makes a few bytes. */
static void judge_rate(struct source *s, int64_t now)
{
    s->rate_at = now;
    if (s->rate_bytes == 0)
        return;
    if (++s->looks < LOOKS_MAX && (s->good > 0 || s->rate_bytes <= FEW_BYTES))
        return;
    try_next_rate(s, now);
}

/* --- How it is */

static void say_well(struct source *s)
{
    int32_t share = s->fix.gnss.good_share_e4;
    int64_t still_ms = s->fix.gnss.last.monotonic_at - s->fix.gnss.time_moved_at;
    int32_t enough = s->env.health->state == SOURCE_DEGRADED ? WELL_SHARE_E4 : GOOD_SHARE_E4;
    char why[128] = "";

    if (still_ms >= s->limits.silence_ms)
        snprintf(why, sizeof why,
                 "the receiver repeats one instant for %lld s: it hangs, switch it off and on",
                 (long long)(still_ms / 1000));
    else if (share != GNSS_NONE && share < enough)
        snprintf(why, sizeof why,
                 "only %d %% of the checksums are right: noise, a loose wire, or two devices on "
                 "one line",
                 share / 100);
    health_is(s->env.health, why[0] ? SOURCE_DEGRADED : SOURCE_WELL, why, s->env.clock);
}

static void tell_dropped(struct source *s)
{
    const struct reading reading = { .unit = "",
                                     .point = "dropped",
                                     .status = READING_GOOD,
                                     .number = (double)s->dropped,
                                     .true_at = clock_wall(s->env.clock),
                                     .age_limit_ms = s->limits.silence_ms };

    if (s->dropped > 0)
        s->env.sink->readings(s->env.house, &reading, 1);
}

static void tell_epoch(struct source *s)
{
    gnss_tell(&s->fix.gnss, &s->limits, &s->env);
    gnss_tell_conditions(&s->fix.gnss, &s->limits, &s->env);
    gnss_tell_silence(&s->limits, &s->env, false);
    tell_dropped(s);
    if (s->is_locked)
        say_well(s);
}

/* Nothing came that could be used: what came instead? */
static void judge_silence(struct source *s, int64_t now)
{
    enum nmea_line_kind kind = nmea_line_kind(&s->line);
    char why[200];

    nmea_line_say(kind, &s->line, s->baud, search_of(s), why, sizeof why);
    health_is(s->env.health, SOURCE_DOWN, why, s->env.clock);
    s->line = (struct nmea_line){ 0 };
    s->good_at = now;
    if (s->is_locked)
        try_rate(s, now, kind == NMEA_LINE_SILENT);
    else
        nmea_fix_restart(&s->fix, kind == NMEA_LINE_SILENT);
    if (kind != NMEA_LINE_SILENT) {
        s->silences = 0;
        return;
    }
    gnss_tell_silence(&s->limits, &s->env, true);
    if (++s->silences >= REOPEN_AFTER && s->baud == 0) {
        s->silences = 0;
        s->is_open = false;
        byte_link_reopen(s->link);
    }
}

/* --- Bytes */

static void lock(struct source *s)
{
    s->is_locked = true;
    s->rates_tried = 0;
    s->first_baud = s->baud; /* where to begin next time */
    s->rate = LENGTH(rates);
    nmea_fix_forget_sums(&s->fix);
    say_well(s);
}

static void take_sentence(struct source *s, const struct nmea_frame *frame, int64_t age_ms)
{
    int64_t now = clock_monotonic(s->env.clock);
    struct nmea_sentence sentence;

    s->line = (struct nmea_line){ 0 };
    s->good_at = now;
    s->silences = 0;
    s->good++;
    if (!s->is_locked && s->good >= LOCK_AFTER)
        lock(s);
    if (s->paused || age_ms > OLD_MS)
        s->dropped++;
    else if (!nmea_decode(frame->text, frame->length, &sentence))
        s->fix.malformed++;
    else if (nmea_fix_fold(&s->fix, &sentence, clock_wall(s->env.clock), now))
        tell_epoch(s);
}

static void take_frame(struct source *s, const unsigned char *bytes, const struct nmea_frame *frame,
                       size_t behind)
{
    /* On a serial line what is behind it took at least this long to come. */
    int64_t age_ms = s->baud > 0 ? (int64_t)behind * 10000 / s->baud : 0;

    s->line.bytes += frame->consumed;
    nmea_line_noise(&s->line, bytes, frame->skipped);
    nmea_fix_count(&s->fix, frame->kind);
    s->line.wrong += frame->kind == NMEA_WRONG_SUM;
    s->line.without_sum += frame->kind == NMEA_NO_SUM;
    if (frame->kind == NMEA_SENTENCE)
        take_sentence(s, frame, age_ms);
    else if (frame->kind == NMEA_BROKEN)
        nmea_line_noise(&s->line, (const unsigned char *)frame->text, frame->length);
}

/* What is left of the bytes is the beginning of a sentence; it stays in front. */
static void take_frames(struct source *s)
{
    struct nmea_frame frame;
    size_t done = 0;

    do {
        nmea_next((const char *)s->bytes + done, s->held - done, &frame);
        take_frame(s, s->bytes + done, &frame, s->held - done - frame.consumed);
        done += frame.consumed;
    } while (frame.kind != NMEA_MORE);
    s->held -= done;
    memmove(s->bytes, s->bytes + done, s->held);
}

/* The next of: the pause that ends an epoch, the end of a rate's time, silence. */
static void arm(struct source *s)
{
    int64_t at = s->good_at + s->limits.silence_ms, now = clock_monotonic(s->env.clock);

    if (s->searches && !s->is_locked && s->rate_at + LISTEN_MS < at)
        at = s->rate_at + LISTEN_MS;
    if (s->fix.is_open && s->heard_at + PAUSE_MS > now && s->heard_at + PAUSE_MS < at)
        at = s->heard_at + PAUSE_MS;
    uv_timer_start(&s->timer, on_timer, at > now ? (uint64_t)(at - now) : 1, 0);
}

static void on_bytes(void *arg, const unsigned char *bytes, size_t length)
{
    struct source *s = arg;
    int64_t now = clock_monotonic(s->env.clock);

    /* It was silent and speaks: it starts. */
    if (s->fix.has_spoken && now - s->heard_at >= s->limits.silence_ms)
        nmea_fix_restart(&s->fix, true);
    s->heard_at = now;
    s->rate_bytes += length;
    memcpy(s->bytes + s->held, bytes, length);
    s->held += length;
    take_frames(s);
    if (s->is_open)
        arm(s);
}

static void on_timer(uv_timer_t *timer)
{
    struct source *s = timer->data;
    int64_t now = clock_monotonic(s->env.clock);

    if (now - s->heard_at >= PAUSE_MS && nmea_fix_pause(&s->fix))
        tell_epoch(s);
    if (s->searches && !s->is_locked && now - s->rate_at >= LISTEN_MS)
        judge_rate(s, now);
    if (now - s->good_at >= s->limits.silence_ms)
        judge_silence(s, now);
    if (s->is_open)
        arm(s);
}

/* --- The line */

static void on_opened(void *arg)
{
    struct source *s = arg;

    s->is_open = true;
    s->held = 0;
    s->silences = 0;
    s->heard_at = s->good_at = clock_monotonic(s->env.clock);
    s->line = (struct nmea_line){ 0 };
    try_rate(s, s->good_at, false);
    if (s->baud > 0)
        s->fix.gnss.baud = (int32_t)s->baud;
    arm(s);
}

static void on_lost(void *arg, const char *why)
{
    struct source *s = arg;

    s->is_open = false;
    uv_timer_stop(&s->timer);
    s->env.sink->forget(s->env.house, "");
    health_is(s->env.health, SOURCE_DOWN, why, s->env.clock);
}

/* --- The vtable */

static int nmea_create(struct source **ret, const void *config, const struct driver_env *env,
                       struct err *err)
{
    const struct nmea_config *c = config;
    struct source *s = mem_zalloc(sizeof *s);
    const struct byte_link_settings settings = { .device = c->device,
                                                 .serial = { .baud = c->baud },
                                                 .host = c->host,
                                                 .port = (uint16_t)c->port };
    const struct byte_link_handlers handlers = { on_opened, on_bytes, on_lost, s };

    (void)err; /* nothing here can fail */
    s->env = *env;
    s->service_device = c->service_device ? mem_strdup(c->service_device) : NULL;
    s->limits = (struct gnss_limits){ .silence_ms = c->silence_ms,
                                      .no_fix_ms = c->no_fix_ms,
                                      .active_antenna = c->active_antenna,
                                      .service_device = s->service_device };
    s->baud = s->first_baud = c->device ? c->baud : 0;
    s->searches = c->auto_baud && c->device;
    s->rate = LENGTH(rates);
    nmea_fix_init(&s->fix, BUILT_AT);
    s->link = byte_link_create(&settings, &handlers, env);
    (void)uv_timer_init(env->loop, &s->timer);
    s->timer.data = s;
    s->open = 2;
    *ret = s;
    return 0;
}

static void nmea_start(struct source *s)
{
    byte_link_start(s->link);
}

static void nmea_pause(struct source *s)
{
    s->paused = true;
}

static void nmea_resume(struct source *s)
{
    s->paused = false;
}

static bool nmea_poll_now(struct source *s)
{
    byte_link_retry(s->link);
    return true;
}

static void release(void *arg)
{
    struct source *s = arg;
    void (*stopped)(void *arg) = s->stopped;
    void *stopped_arg = s->stopped_arg;

    if (--s->open > 0)
        return;
    free(s->service_device);
    free(s);
    stopped(stopped_arg);
}

static void on_timer_closed(uv_handle_t *handle)
{
    release(handle->data);
}

static void nmea_stop(struct source *s, void (*stopped)(void *arg), void *arg)
{
    s->is_open = false;
    s->stopped = stopped;
    s->stopped_arg = arg;
    byte_link_destroy(s->link, release, s);
    uv_close((uv_handle_t *)&s->timer, on_timer_closed);
}

/* A few epochs, and with auto_baud the time to find the rate. */
static int nmea_probe(const void *config, const struct driver_env *env, FILE *out, struct err *err)
{
    const struct nmea_config *c = config;
    int64_t limit_ms = c->silence_ms + 1000;

    if (c->auto_baud)
        limit_ms += LISTEN_MS * (int64_t)(LENGTH(rates) + 1);
    return driver_probe(&driver_nmea, config, env, 3, limit_ms, out, err);
}

const struct driver driver_nmea = {
    .name = "nmea",
    .summary = "GPS or BeiDou receiver that sends NMEA 0183, on a serial line or over TCP",
    .options = nmea_options,
    .config_size = sizeof(struct nmea_config),
    .check = nmea_check,
    .names = gnss_names,
    .create = nmea_create,
    .start = nmea_start,
    .pause = nmea_pause,
    .resume = nmea_resume,
    .poll_now = nmea_poll_now,
    .probe = nmea_probe,
    .stop = nmea_stop,
};
