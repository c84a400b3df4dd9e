/* A GPS receiver that speaks on a line of its own: made up, or from a log. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "gps.h"
#include "gps_log.h"
#include "thing.h"

enum { SENTENCE_MIN = 8 };

struct receiver {
    struct plug plug;
    struct gps gps;
    struct gps_log log; /* if there is one, it speaks and `gps` does not */
    const char *said;   /* its last burst */
    size_t said_length;
    uv_timer_t *period; /* frees itself when it is closed */
    uint64_t bursts;
};

struct gps_config {
    uint32_t baud, port;
    bool tcp;
    int64_t every, ttff;
    char *position, *log;
};

#define AT(member) offsetof(struct gps_config, member)
static const struct option options[] = {
    { .name = "baud",
      .type = OPTION_UINT,
      .offset = AT(baud),
      .fallback = "9600",
      .min = 300,
      .max = 921600,
      .help = "of its line" },
    { .name = "tcp",
      .type = OPTION_BOOL,
      .offset = AT(tcp),
      .help = "behind a serial server instead" },
    { .name = "port",
      .type = OPTION_UINT,
      .offset = AT(port),
      .fallback = "0",
      .max = 65535,
      .help = "of that, on 127.0.0.1; 0: any" },
    { .name = "every",
      .type = OPTION_SPAN,
      .offset = AT(every),
      .fallback = "1s",
      .min = 10,
      .max = 3600000,
      .help = "time between two bursts" },
    { .name = "ttff",
      .type = OPTION_SPAN,
      .offset = AT(ttff),
      .fallback = "30s",
      .max = 3600000,
      .help = "from a cold start to the first fix" },
    { .name = "position",
      .type = OPTION_TEXT,
      .offset = AT(position),
      .fallback = "31.2304,121.4737",
      .help = "where it is, degrees" },
    { .name = "log",
      .type = OPTION_TEXT,
      .offset = AT(log),
      .help = "file with what it says, over and over" },
    { 0 },
};
#undef AT

/* Wrong checksums and cut ends, sentence by sentence. */
static void spoil(const struct troubles *troubles, struct text_buffer *burst)
{
    struct text_buffer spoilt = { 0 };
    char *line = burst->bytes, *end;

    while ((end = memchr(line, '\n', burst->length - (size_t)(line - burst->bytes)))) {
        size_t length = (size_t)(end + 1 - line);

        if (length > SENTENCE_MIN && has_trouble(troubles, TROUBLE_CRC))
            line[length / 2] = (char)(line[length / 2] ^ 1);
        text_buffer_add(&spoilt, line,
                        has_trouble(troubles, TROUBLE_HALF_FRAME) ? length / 2 : length);
        line = end + 1;
    }
    text_buffer_finish(burst);
    *burst = spoilt;
}

static void on_period(uv_timer_t *timer)
{
    struct receiver *r = timer->data;
    const struct clock *clock = bench_clock(r->plug.thing.bench);
    const struct troubles *troubles = &r->plug.thing.troubles;
    struct text_buffer burst = { 0 };

    if (has_trouble(troubles, TROUBLE_NO_ANSWER))
        return;
    if (r->log.bytes) {
        if (!r->said || !has_trouble(troubles, TROUBLE_FROZEN))
            r->said = gps_log_burst(&r->log, &r->said_length);
        text_buffer_add(&burst, r->said, r->said_length);
    } else {
        gps_burst(&r->gps, clock_monotonic(clock), clock_wall(clock), &burst);
    }
    if (has_trouble(troubles, TROUBLE_CRC) || has_trouble(troubles, TROUBLE_HALF_FRAME))
        spoil(troubles, &burst);
    port_send(r->plug.port, (const uint8_t *)burst.bytes, burst.length);
    r->bursts++;
    text_buffer_finish(&burst);
}

static void on_period_closed(uv_handle_t *handle)
{
    free(handle);
}

static void begin_period(struct receiver *r, int64_t every_ms)
{
    r->period = mem_zalloc(sizeof *r->period);
    uv_timer_init(bench_loop(r->plug.thing.bench), r->period);
    r->period->data = r;
    uv_timer_start(r->period, on_period, (uint64_t)every_ms, (uint64_t)every_ms);
}

/* What is said to a receiver changes nothing: there is no command that a bench would send. */
static void on_heard(void *arg, struct line *line)
{
    (void)arg;
    line_take(line, line->used);
}

static int begin(struct thing *thing, const void *arg, uint32_t index, struct err *err)
{
    const struct gps_config *config = arg;
    struct receiver *r = (struct receiver *)thing;
    const struct plug_config plug = { config->tcp, config->port, config->baud, on_heard };
    int rc;

    r->gps = (struct gps){ .name = thing->name,
                           .seed = bench_seed(thing->bench),
                           .ttff_ms = config->ttff,
                           .troubles = &thing->troubles };
    if (sscanf(config->position, "%lf,%lf", &r->gps.latitude, &r->gps.longitude) != 2)
        return err_set(err, -EINVAL, "position: write 31.2304,121.4737, not \"%s\"",
                       config->position);
    if (config->log) {
        rc = gps_log_load(&r->log, config->log, err);
        if (rc < 0)
            return rc;
    }
    rc = plug_in(&r->plug, &plug, index, err);
    if (rc < 0) {
        gps_log_finish(&r->log);
        return rc;
    }
    gps_init(&r->gps, bench_now(thing->bench));
    begin_period(r, config->every);
    return 0;
}

static int trouble(struct thing *thing, enum trouble what, bool begins, int64_t value,
                   struct err *err)
{
    struct receiver *r = (struct receiver *)thing;

    gps_trouble(&r->gps, what, begins, bench_now(thing->bench));
    return plug_trouble(&r->plug, what, begins, value, err);
}

static void show(struct thing *thing, struct text_buffer *to)
{
    const struct receiver *r = (const struct receiver *)thing;

    plug_show(&r->plug, to);
    text_buffer_addf(to, " bursts=%llu", (unsigned long long)r->bursts);
    if (!r->log.bytes)
        text_buffer_addf(to, " fix=%s",
                         gps_has_fix(&r->gps, bench_now(thing->bench)) ? "yes" : "no");
}

static void end(struct thing *thing)
{
    struct receiver *r = (struct receiver *)thing;

    port_destroy(r->plug.port);
    uv_close((uv_handle_t *)r->period, on_period_closed);
    gps_finish(&r->gps);
    gps_log_finish(&r->log);
}

const struct thing_kind kind_gps = {
    .name = "gps",
    .help = "a GPS receiver that sends NMEA 0183",
    .on = ON_GPS,
    .size = sizeof(struct receiver),
    .options = options,
    .config_size = sizeof(struct gps_config),
    .begin = begin,
    .trouble = trouble,
    .show = show,
    .address = plug_address,
    .end = end,
};
