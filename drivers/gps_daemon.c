/* A receiver that gpsd has: gpsd's reports, decoded by libgps, become the same readings as those of
 * the nmea driver.
 *
 * libgps would connect and read for us, but both of these block: a look-up of a name, or a machine
 * that does not answer, would hold the loop. So the connection is a byte_link, and libgps gets each
 * line of JSON as gpsd sent it (gps_unpack). Each TPV is an epoch; what SKY said last belongs to
 * it.
 *
 * Not told by gpsd, hence unsupported here: the antenna's state, the share of good checksums, and
 * whether the receiver's weeks have rolled over, which gpsd mends by itself.
 *
 * What fails: no gpsd, a gpsd without receivers, without the one that is named, or with several of
 * which none is named; a receiver that gpsd hears nothing from. Each is told in its own words. */
#include "gps_daemon.h"

#include <gps.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/mem.h"
#include "base/span.h"
#include "byte_link.h"
#include "gnss.h"
#include "driver_probe.h"

enum {
    LINE_MAX_BYTES = 32768, /* gpsd's longest report, with all satellites, has some 13,000 */
    REOPEN_AFTER = 6,       /* silences */
};

struct gpsd_config {
    char *host, *device;
    uint32_t port;
    int64_t silence_ms, no_fix_ms;
    char *service_device;
};

struct source {
    struct driver_env env;
    struct gnss_limits limits;
    char *service_device;
    char *device; /* as gpsd calls it; NULL: the one that it has */

    struct byte_link *link;
    bool is_open, paused;
    uv_timer_t timer;  /* to the end of silence */
    int64_t heard_at;  /* monotonic: the last epoch, or the opening */
    unsigned silences; /* in a row */
    bool has_spoken;   /* an epoch came since the opening, or the last silence */
    struct gnss gnss;
    char speaker[GPS_PATH_MAX];  /* the device whose epochs these are; "": none yet */
    char stranger[GPS_PATH_MAX]; /* another that speaks, and none is named; "": none */

    struct gnss_sky sky; /* of the last SKY ... */
    int64_t sky_at;      /* ... monotonic; 0: none */
    int32_t used, hdop_e2;

    struct gps_data_t data;
    bool skips; /* the rest of a line that is too long */
    size_t held;
    char line[LINE_MAX_BYTES];

    void (*stopped)(void *arg);
    void *stopped_arg;
    int open; /* link, timer */
};

#define AT(member) .offset = offsetof(struct gpsd_config, member)

static const struct option options[] = {
    { .name = "host",
      .type = OPTION_TEXT,
      AT(host),
      .min = 1,
      .max = 253,
      .fallback = "localhost",
      .help = "name or address of the machine on which gpsd runs" },
    { .name = "port",
      .type = OPTION_UINT,
      AT(port),
      .min = 1,
      .max = 65535,
      .fallback = "2947",
      .help = "its TCP port" },
    { .name = "device",
      .type = OPTION_TEXT,
      AT(device),
      .min = 1,
      .max = GPS_PATH_MAX - 1,
      .help = "which of gpsd's receivers, as gpsd calls it (gpspipe -w -n 3 shows); without it the "
              "one that it has" },
    { .name = "silence",
      .type = OPTION_SPAN,
      AT(silence_ms),
      .fallback = "5s",
      .min = 500,
      .max = 3600000,
      .help = "how long without a report is a fault; also the age at which a reading is no longer "
              "present" },
    { .name = "no_fix",
      .type = OPTION_SPAN,
      AT(no_fix_ms),
      .fallback = "5min",
      .min = 1000,
      .max = 86400000,
      .help = "how long without a fix is a fault of a device in service" },
    { .name = "service_device",
      .type = OPTION_TEXT,
      AT(service_device),
      .min = 1,
      .max = 64,
      .help = "the device in service that it is: its faults (gnss_no_fix, no_data) then count; "
              "without it the receiver stands on the bench" },
    { .name = NULL },
};

static void on_timer(uv_timer_t *timer);

static void arm(struct source *s)
{
    uv_timer_start(&s->timer, on_timer, (uint64_t)s->limits.silence_ms, 0);
}

static void ask(struct source *s, const char *request)
{
    byte_link_ask(s->link, request, strlen(request));
}

/* --- How it is */

static bool has_device(const struct source *s, const char *path)
{
    for (int i = 0; i < s->data.devices.ndevices && i < MAXUSERDEVS; i++)
        if (strcmp(s->data.devices.list[i].path, path) == 0)
            return true;
    return false;
}

static void say_silence(struct source *s, char *to, size_t size)
{
    const struct devconfig_t *first = &s->data.devices.list[0];

    if (s->data.devices.ndevices <= 0)
        snprintf(to, size,
                 "gpsd has no receiver: plug it in, or name it in DEVICES= of /etc/default/gpsd");
    else if (s->device && !has_device(s, s->device))
        snprintf(to, size, "gpsd has no receiver %.80s, but %.80s: correct `device`", s->device,
                 first->path);
    else
        snprintf(to, size, "gpsd hears nothing from %.100s: check power and wiring",
                 s->device ? s->device : first->path);
}

static void say_well(struct source *s)
{
    int64_t still_ms = s->gnss.last.monotonic_at - s->gnss.time_moved_at;
    char why[256] = "";

    if (s->stranger[0])
        snprintf(
            why, sizeof why,
            "gpsd has several receivers, %.60s and %.60s: say which by `device`; until then it "
            "is the first",
            s->speaker, s->stranger);
    else if (still_ms >= s->limits.silence_ms)
        snprintf(why, sizeof why,
                 "the receiver repeats one instant for %lld s: it hangs, switch it off and on",
                 (long long)(still_ms / 1000));
    health_is(s->env.health, why[0] ? SOURCE_DEGRADED : SOURCE_WELL, why, s->env.clock);
}

static void on_timer(uv_timer_t *timer)
{
    struct source *s = timer->data;
    char why[256];

    say_silence(s, why, sizeof why);
    health_is(s->env.health, SOURCE_DOWN, why, s->env.clock);
    /* Whether it is this device that is silent is known only if gpsd has it. */
    if (s->data.devices.ndevices > 0 && (!s->device || has_device(s, s->device)))
        gnss_tell_silence(&s->limits, &s->env, true);
    s->has_spoken = false;
    s->speaker[0] = s->stranger[0] = '\0';
    if (++s->silences >= REOPEN_AFTER) {
        s->silences = 0;
        s->is_open = false;
        byte_link_reopen(s->link);
        return;
    }
    ask(s, "?DEVICES;\n");
    arm(s);
}

/* --- Reports */

/* Of gps.h's status as GGA has it: STATUS_NO_FIX also means that gpsd does not say. */
static int32_t quality_of(const struct gps_fix_t *fix)
{
    static const int32_t qualities[] = {
        [STATUS_NO_FIX] = 1,  [STATUS_FIX] = 1,     [STATUS_DGPS_FIX] = 2, [STATUS_RTK_FIX] = 4,
        [STATUS_RTK_FLT] = 5, [STATUS_DR] = 6,      [STATUS_GNSSDR] = 6,   [STATUS_TIME] = 7,
        [STATUS_SIM] = 8,     [STATUS_PPS_FIX] = 3,
    };

    if (fix->status == STATUS_SIM)
        return 8;
    if (fix->mode < MODE_2D)
        return 0;
    return fix->status >= 0 && fix->status < (int)LENGTH(qualities) ? qualities[fix->status] : 1;
}

static void take_place_and_time(struct source *s, struct gnss_epoch *e)
{
    const struct gps_fix_t *fix = &s->data.fix;

    if (isfinite(fix->latitude) && isfinite(fix->longitude) && fabs(fix->latitude) <= 90 &&
        fabs(fix->longitude) <= 180) {
        e->lat_e9 = llround(fix->latitude * 1e9);
        e->lon_e9 = llround(fix->longitude * 1e9);
    }
    if ((s->data.set & TIME_SET) == 0 || fix->time.tv_sec <= 0)
        return;
    e->time_ms = (int32_t)(fix->time.tv_sec % 86400 * 1000 + fix->time.tv_nsec / 1000000);
    if (gnss_has_fix(e))
        e->utc_at = (int64_t)fix->time.tv_sec / 86400 * SPAN_DAY + e->time_ms;
}

static int32_t baud_of(const struct source *s)
{
    for (int i = 0; i < s->data.devices.ndevices && i < MAXUSERDEVS; i++)
        if (strcmp(s->data.devices.list[i].path, s->speaker) == 0 &&
            s->data.devices.list[i].baudrate > 0)
            return (int32_t)s->data.devices.list[i].baudrate;
    return GNSS_NONE;
}

static void begin(struct source *s, int64_t now)
{
    gnss_init(&s->gnss, now, s->silences > 0);
    s->gnss.tells_antenna = false;
    s->gnss.good_share_e4 = GNSS_UNSUPPORTED;
    s->gnss.baud = baud_of(s);
    s->has_spoken = true;
    s->silences = 0;
}

static void take_tpv(struct source *s)
{
    int64_t now = clock_monotonic(s->env.clock);
    const struct gps_fix_t *fix = &s->data.fix;
    struct gnss_epoch e;

    s->heard_at = now;
    arm(s);
    if (!s->has_spoken)
        begin(s, now);
    if (s->paused)
        return;
    gnss_epoch_init(&e, clock_wall(s->env.clock), now);
    e.rollover = GNSS_UNSUPPORTED;
    if (fix->mode >= MODE_NO_FIX) {
        e.fix = fix->mode;
        e.valid = fix->mode >= MODE_2D;
        e.quality = quality_of(fix);
    }
    take_place_and_time(s, &e);
    if (s->sky_at > 0 && now - s->sky_at <= 3 * s->limits.silence_ms) {
        e.has_sky = true;
        e.sky = s->sky;
        e.used = s->used;
        e.hdop_e2 = s->hdop_e2;
    }
    gnss_take(&s->gnss, &e);
    gnss_tell(&s->gnss, &s->limits, &s->env);
    gnss_tell_conditions(&s->gnss, &s->limits, &s->env);
    gnss_tell_silence(&s->limits, &s->env, false);
    say_well(s);
}

/* By u-blox's numbers of systems, which gpsd uses; SBAS counts as GPS. */
static unsigned system_of(const struct satellite_t *satellite)
{
    static const uint8_t systems[] = { GNSS_GPS,     GNSS_GPS,  GNSS_GALILEO, GNSS_BEIDOU,
                                       GNSS_SYSTEMS, GNSS_QZSS, GNSS_GLONASS, GNSS_NAVIC };

    return satellite->gnssid < LENGTH(systems) ? systems[satellite->gnssid] : GNSS_SYSTEMS;
}

static void take_sky(struct source *s)
{
    struct gnss_sky_fold fold;

    memset(&fold, 0, sizeof fold);
    for (int i = 0; i < s->data.satellites_visible && i < MAXCHANNELS; i++) {
        const struct satellite_t *satellite = &s->data.skyview[i];
        bool is_tracked = isfinite(satellite->ss) && satellite->ss > 0 && satellite->ss < 99.5;

        gnss_sky_add(&fold, system_of(satellite), satellite->PRN,
                     is_tracked ? (int32_t)lround(satellite->ss) : GNSS_NONE);
    }
    s->sky = gnss_sky_of(&fold);
    s->sky_at = clock_monotonic(s->env.clock);
    s->used = s->data.satellites_used;
    s->hdop_e2 = isfinite(s->data.dop.hdop) && s->data.dop.hdop > 0 && s->data.dop.hdop < 1000
                     ? (int32_t)lround(s->data.dop.hdop * 100)
                     : GNSS_NONE;
}

/* Is this of the receiver that is meant? */
static bool is_ours(struct source *s, const char *path)
{
    if (path[0] == '\0' || (s->device && strcmp(path, s->device) != 0))
        return false;
    if (s->speaker[0] == '\0')
        snprintf(s->speaker, sizeof s->speaker, "%s", path);
    if (strcmp(path, s->speaker) == 0)
        return true;
    snprintf(s->stranger, sizeof s->stranger, "%s", path);
    return false;
}

static bool is_class(const char *line, const char *class)
{
    static const char key[] = "{\"class\":\"";
    size_t n = strlen(class);

    return strncmp(line, key, sizeof key - 1) == 0 &&
           strncmp(line + sizeof key - 1, class, n) == 0 && line[sizeof key - 1 + n] == '"';
}

/* gpsd writes the class first. One line is one report. */
static void take_line(struct source *s, char *line)
{
    bool is_tpv = is_class(line, "TPV"), is_sky = is_class(line, "SKY");

    if (!is_tpv && !is_sky && !is_class(line, "DEVICES"))
        return;
    s->data.set = 0;
    s->data.dev.path[0] = '\0';
    if (gps_unpack(line, &s->data) != 0 || s->data.set == 0)
        return; /* a report that libgps does not understand says nothing */
    if (is_tpv && is_ours(s, s->data.dev.path))
        take_tpv(s);
    else if (is_sky && is_ours(s, s->data.dev.path))
        take_sky(s);
}

static void on_bytes(void *arg, const unsigned char *bytes, size_t length)
{
    struct source *s = arg;

    for (size_t i = 0; i < length && s->is_open; i++) {
        if (bytes[i] == '\n') {
            s->line[s->held] = '\0';
            s->held = 0;
            if (!s->skips)
                take_line(s, s->line);
            s->skips = false;
        } else if (s->held + 1 < sizeof s->line) {
            s->line[s->held++] = (char)bytes[i];
        } else {
            s->skips = true;
        }
    }
}

static void on_opened(void *arg)
{
    struct source *s = arg;

    s->is_open = true;
    s->held = 0;
    s->skips = false;
    s->silences = 0;
    s->has_spoken = false;
    s->speaker[0] = s->stranger[0] = '\0';
    s->sky_at = 0;
    s->data.devices.ndevices = 0;
    ask(s, "?WATCH={\"enable\":true,\"json\":true};\n");
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

static int gpsd_source_create(struct source **ret, const void *config, const struct driver_env *env,
                              struct err *err)
{
    const struct gpsd_config *c = config;
    struct source *s = mem_zalloc(sizeof *s);
    const struct byte_link_settings settings = { .host = c->host,
                                                 .port = (uint16_t)c->port,
                                                 .peer = BYTE_PEER_GPSD };
    const struct byte_link_handlers handlers = { on_opened, on_bytes, on_lost, s };

    (void)err; /* nothing here can fail */
    s->env = *env;
    s->device = c->device ? mem_strdup(c->device) : NULL;
    s->service_device = c->service_device ? mem_strdup(c->service_device) : NULL;
    s->limits = (struct gnss_limits){ .silence_ms = c->silence_ms,
                                      .no_fix_ms = c->no_fix_ms,
                                      .service_device = s->service_device };
    s->link = byte_link_create(&settings, &handlers, env);
    (void)uv_timer_init(env->loop, &s->timer);
    s->timer.data = s;
    s->open = 2;
    *ret = s;
    return 0;
}

static void gpsd_source_start(struct source *s)
{
    byte_link_start(s->link);
}

static void gpsd_source_pause(struct source *s)
{
    s->paused = true;
}

static void gpsd_source_resume(struct source *s)
{
    s->paused = false;
}

static bool gpsd_source_poll_now(struct source *s)
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
    free(s->device);
    free(s->service_device);
    free(s);
    stopped(stopped_arg);
}

static void on_timer_closed(uv_handle_t *handle)
{
    release(handle->data);
}

static void gpsd_source_stop(struct source *s, void (*stopped)(void *arg), void *arg)
{
    s->is_open = false;
    s->stopped = stopped;
    s->stopped_arg = arg;
    byte_link_destroy(s->link, release, s);
    uv_close((uv_handle_t *)&s->timer, on_timer_closed);
}

static int gpsd_source_probe(const void *config, const struct driver_env *env, FILE *out,
                             struct err *err)
{
    const struct gpsd_config *c = config;

    return driver_probe(&driver_gpsd, config, env, 3, c->silence_ms + 1000, out, err);
}

const struct driver driver_gpsd = {
    .name = "gpsd",
    .summary = "GPS or BeiDou receiver that gpsd has",
    .options = options,
    .config_size = sizeof(struct gpsd_config),
    .names = gnss_names,
    .create = gpsd_source_create,
    .start = gpsd_source_start,
    .pause = gpsd_source_pause,
    .resume = gpsd_source_resume,
    .poll_now = gpsd_source_poll_now,
    .probe = gpsd_source_probe,
    .stop = gpsd_source_stop,
};
