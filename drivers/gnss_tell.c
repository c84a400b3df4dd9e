/* A satellite receiver as readings and conditions; see gnss.h. */
#include "gnss.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

/* Before this long a receiver may simply not have said yet how its antenna is. */
enum { ANTENNA_WAIT_MS = 3000 };

/* What a row may write its text into. */
struct told {
    const struct gnss *gnss;
    const struct gnss_epoch *epoch;
    char text[32];
};

/* One point. `say` fills number, text and status; false: there is nothing to say. */
struct row {
    const char *point, *measure;
    bool (*say)(struct told *t, struct reading *r);
    bool is_sky; /* comes more seldom */
    bool must_move;
};

/* --- Values */

static bool say_number(struct reading *r, int32_t value, double scale)
{
    if (value == GNSS_NONE)
        return false;
    r->status = value == GNSS_UNSUPPORTED ? READING_UNSUPPORTED : READING_GOOD;
    r->number = value == GNSS_UNSUPPORTED ? 0 : (double)value / scale;
    return true;
}

static bool say_name(struct reading *r, const char *name, int number)
{
    r->status = READING_GOOD;
    r->is_text = true;
    r->text = name;
    r->number = number;
    return true;
}

const char *gnss_fix_name(int32_t fix)
{
    static const char *const names[] = { [GNSS_FIX_2D] = "2d", [GNSS_FIX_3D] = "3d",
                                         [GNSS_FIX_SOME] = "fixed" };

    return fix >= GNSS_FIX_2D && fix <= GNSS_FIX_SOME ? names[fix] : "none";
}

const char *gnss_antenna_name(enum gnss_antenna antenna)
{
    static const char *const names[] = { "", "ok", "open", "short", "init", "unknown" };

    return names[antenna];
}

static bool say_antenna(struct told *t, struct reading *r)
{
    if (t->gnss->antenna != GNSS_ANTENNA_UNSAID)
        return say_name(r, gnss_antenna_name(t->gnss->antenna), (int)t->gnss->antenna);
    if (t->gnss->tells_antenna && t->epoch->monotonic_at - t->gnss->heard_at < ANTENNA_WAIT_MS)
        return false;
    r->status = READING_UNSUPPORTED;
    r->text = "the receiver has not said";
    return true;
}

static bool say_baud(struct told *t, struct reading *r)
{
    return say_number(r, t->gnss->baud, 1);
}

static bool say_clock_offset(struct told *t, struct reading *r)
{
    if (t->epoch->utc_at == GNSS_NEVER)
        return false;
    r->status = READING_GOOD;
    r->number = (double)(t->epoch->utc_at - t->epoch->at);
    return true;
}

static bool say_cn0(struct told *t, struct reading *r)
{
    return t->epoch->has_sky && say_number(r, t->epoch->sky.cn0_best4_e2, 100);
}

static bool say_fix(struct told *t, struct reading *r)
{
    int32_t fix = t->epoch->fix;

    if (fix == GNSS_NONE)
        return false;
    r->at_least = fix == GNSS_FIX_SOME;
    r->text = gnss_fix_name(fix);
    return say_number(r, r->at_least ? GNSS_FIX_2D : fix, 1);
}

static bool say_good_share(struct told *t, struct reading *r)
{
    return say_number(r, t->gnss->good_share_e4, 10000);
}

/* Receivers write "none" as 99.99, 99.0 or 25.5. */
static bool say_hdop(struct told *t, struct reading *r)
{
    int32_t hdop = t->epoch->hdop_e2;

    if (hdop != 2550 && hdop < 9900)
        return say_number(r, hdop, 100);
    r->status = READING_FAILED;
    r->text = "none: too few satellites";
    return true;
}

static bool say_angle(struct told *t, struct reading *r, int64_t angle_e9)
{
    if (angle_e9 == GNSS_NOWHERE || !gnss_has_fix(t->epoch))
        return false;
    r->status = READING_GOOD;
    r->number = (double)angle_e9 / 1e9;
    return true;
}

static bool say_latitude(struct told *t, struct reading *r)
{
    return say_angle(t, r, t->epoch->lat_e9);
}

static bool say_longitude(struct told *t, struct reading *r)
{
    return say_angle(t, r, t->epoch->lon_e9);
}

static bool say_quality(struct told *t, struct reading *r)
{
    return say_number(r, t->epoch->quality, 1);
}

static bool say_rollover(struct told *t, struct reading *r)
{
    return say_number(r, t->epoch->rollover, 1);
}

static bool say_seen(struct told *t, struct reading *r)
{
    return t->epoch->has_sky && say_number(r, t->epoch->sky.seen, 1);
}

static bool say_used(struct told *t, struct reading *r)
{
    return say_number(r, t->epoch->used, 1);
}

static bool say_systems(struct told *t, struct reading *r)
{
    static const char *const names[GNSS_SYSTEMS] = { "GP", "GL", "GA", "GB", "GQ", "GI" };

    if (!t->epoch->has_sky)
        return false;
    for (size_t i = 0; i < GNSS_SYSTEMS; i++)
        if (t->epoch->sky.systems & (1U << i)) {
            strcat(t->text, t->text[0] ? "," : "");
            strcat(t->text, names[i]);
        }
    return say_name(r, t->text, 0);
}

static bool say_time(struct told *t, struct reading *r)
{
    int32_t ms = t->epoch->time_ms;

    if (ms < 0)
        return false;
    snprintf(t->text, sizeof t->text, "%02d:%02d:%02d.%03d", ms / 3600000, ms / 60000 % 60,
             ms / 1000 % 60, ms % 1000);
    return say_name(r, t->text, 0);
}

static bool say_tracked(struct told *t, struct reading *r)
{
    return t->epoch->has_sky && say_number(r, t->epoch->sky.tracked_30, 1);
}

static bool say_ttff(struct told *t, struct reading *r)
{
    r->text = t->gnss->ttff_ms == GNSS_UNSUPPORTED ? "it had a fix before kpid listened" : NULL;
    return say_number(r, t->gnss->ttff_ms, 1000);
}

static bool say_valid(struct told *t, struct reading *r)
{
    return say_number(r, t->epoch->valid, 1);
}

/* Sorted by point. */
static const struct row rows[] = {
    { "antenna", "", say_antenna, false, false },
    { "baud", "", say_baud, false, false },
    { "clock_offset_ms", "ms", say_clock_offset, false, false },
    { "cn0_best4", "dB-Hz", say_cn0, true, false },
    { "fix", "", say_fix, false, false },
    { "good_share", "", say_good_share, false, false },
    { "hdop", "", say_hdop, false, false },
    { "latitude", "°", say_latitude, false, false },
    { "longitude", "°", say_longitude, false, false },
    { "quality", "", say_quality, false, false },
    { "rollover", "", say_rollover, false, false },
    { "satellites_seen", "", say_seen, true, false },
    { "satellites_used", "", say_used, false, false },
    { "systems", "", say_systems, true, false },
    { "time", "", say_time, false, true },
    { "tracked_30", "", say_tracked, true, false },
    { "ttff_s", "s", say_ttff, false, false },
    { "valid", "", say_valid, false, false },
};

void gnss_tell(const struct gnss *gnss, const struct gnss_limits *limits,
               const struct driver_env *env)
{
    struct reading readings[LENGTH(rows)];
    struct told told[LENGTH(rows)];
    size_t count = 0;

    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct reading *r = &readings[count];

        told[count] = (struct told){ gnss, &gnss->last, "" };
        *r = (struct reading){ .unit = "",
                               .point = rows[i].point,
                               .measure = rows[i].measure,
                               .true_at = gnss->last.at,
                               .age_limit_ms = limits->silence_ms * (rows[i].is_sky ? 3 : 1),
                               .moves_within_ms = rows[i].must_move ? limits->silence_ms : 0 };
        count += rows[i].say(&told[count], r);
    }
    if (count > 0)
        env->sink->readings(env->house, readings, count);
}

void gnss_names(const void *config, const char *unit, void (*each)(void *arg, const char *name),
                void *arg)
{
    (void)config;
    if (!unit)
        each(arg, "");
    for (size_t i = 0; unit && i < LENGTH(rows); i++)
        each(arg, rows[i].point);
}

/* --- A device in service */

static void tell(const struct gnss_limits *limits, const struct driver_env *env, const char *code,
                 bool active, int64_t at, const char *evidence)
{
    const struct condition condition = { .device = limits->service_device,
                                         .code = code,
                                         .active = active,
                                         .at = at,
                                         .evidence = evidence };

    env->sink->condition(env->house, &condition);
}

static void write_evidence(const struct gnss *g, char *to, size_t size)
{
    const struct gnss_epoch *e = &g->last;
    int n = snprintf(to, size, "{\"antenna\":\"%s\",\"fix\":\"%s\"",
                     g->antenna ? gnss_antenna_name(g->antenna) : "unknown", gnss_fix_name(e->fix));

    if (e->quality != GNSS_NONE)
        n += snprintf(to + n, size - (size_t)n, ",\"quality\":%d", e->quality);
    if (e->used != GNSS_NONE)
        n += snprintf(to + n, size - (size_t)n, ",\"satellites_used\":%d", e->used);
    if (e->has_sky)
        n += snprintf(to + n, size - (size_t)n, ",\"satellites_seen\":%d,\"cn0_best4\":%.2f",
                      e->sky.seen, e->sky.cn0_best4_e2 / 100.0);
    snprintf(to + n, size - (size_t)n, "}");
}

enum seen { SEEN_NOTHING, SEEN_CLEAR, SEEN_ACTIVE };

/* Not yet for long is neither: who was faulty before we listened has not recovered by our coming.
 */
static enum seen sees_no_fix(const struct gnss *g, const struct gnss_limits *limits)
{
    if (g->has_fix)
        return SEEN_CLEAR;
    return g->last.monotonic_at - g->fix_lost_at >= limits->no_fix_ms ? SEEN_ACTIVE : SEEN_NOTHING;
}

/* An open antenna alone is no fault: the supervisor measures current, and a passive antenna, or one
 * that is fed elsewhere, draws none while the receiver sees twenty satellites. */
static enum seen sees_open(const struct gnss *g, const struct gnss_limits *limits)
{
    if (g->has_fix || g->antenna == GNSS_ANTENNA_OK || g->antenna == GNSS_ANTENNA_SHORT)
        return SEEN_CLEAR;
    if (g->antenna != GNSS_ANTENNA_OPEN || !limits->active_antenna)
        return SEEN_NOTHING;
    return sees_no_fix(g, limits);
}

/* A short always is one. A receiver that has not said is not said to be well, unless by its fix. */
static enum seen sees_short(const struct gnss *g, const struct gnss_limits *limits)
{
    (void)limits;
    if (g->antenna == GNSS_ANTENNA_SHORT)
        return SEEN_ACTIVE;
    if (g->has_fix || g->antenna == GNSS_ANTENNA_OK || g->antenna == GNSS_ANTENNA_OPEN)
        return SEEN_CLEAR;
    return SEEN_NOTHING;
}

void gnss_tell_conditions(const struct gnss *g, const struct gnss_limits *limits,
                          const struct driver_env *env)
{
    static const struct {
        const char *code;
        enum seen (*sees)(const struct gnss *g, const struct gnss_limits *limits);
    } faults[] = {
        { "gnss_antenna_open", sees_open },
        { "gnss_antenna_short", sees_short },
        { "gnss_no_fix", sees_no_fix },
    };
    char evidence[192];

    if (!limits->service_device)
        return;
    write_evidence(g, evidence, sizeof evidence);
    for (size_t i = 0; i < LENGTH(faults); i++) {
        enum seen seen = faults[i].sees(g, limits);

        if (seen != SEEN_NOTHING)
            tell(limits, env, faults[i].code, seen == SEEN_ACTIVE, g->last.at, evidence);
    }
}

void gnss_tell_silence(const struct gnss_limits *limits, const struct driver_env *env,
                       bool is_silent)
{
    if (limits->service_device)
        tell(limits, env, "no_data", is_silent, clock_wall(env->clock), NULL);
}
