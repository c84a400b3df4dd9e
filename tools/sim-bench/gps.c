/* One made-up GPS receiver; see gps.h. */
#include "gps.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "noise.h"

enum { BODY_SIZE = 96, GPS_COUNT = 10, BEIDOU_COUNT = 7, SATELLITES = GPS_COUNT + BEIDOU_COUNT };
enum { CN0_TRACKED = 12, CN0_USED = 28, CN0_LOST = 26, CN0_CLIMB = 14 };

#define ROLLOVER_MS  (INT64_C(1024) * 7 * 86400 * 1000)
#define REACQUIRE_MS 2000 /* after an interruption the receiver still knows the sky */

/* The sky: GPS first, then BeiDou. C/N0 as under a repeater's antenna. */
static const struct satellite {
    int id, elevation, azimuth, cn0;
} sky[SATELLITES] = {
    { 3, 71, 41, 46 },   { 6, 22, 236, 36 },  { 11, 8, 188, 27 },  { 14, 55, 312, 45 },
    { 17, 63, 227, 46 }, { 19, 31, 251, 39 }, { 21, 17, 52, 34 },  { 22, 48, 146, 43 },
    { 24, 12, 91, 31 },  { 28, 36, 77, 41 },  { 1, 47, 142, 38 },  { 3, 52, 201, 39 },
    { 7, 74, 15, 44 },   { 10, 61, 330, 42 }, { 13, 35, 229, 37 }, { 22, 43, 65, 42 },
    { 29, 19, 301, 33 },
};

static const struct {
    const char *talker; /* of its GSV */
    int id;             /* in GSA */
    unsigned first, count;
} systems[] = { { "GP", 1, 0, GPS_COUNT }, { "GB", 4, GPS_COUNT, BEIDOU_COUNT } };

static bool has(const struct gps *g, enum trouble trouble)
{
    return has_trouble(g->troubles, trouble);
}

void nmea_add(struct text_buffer *to, const char *body)
{
    unsigned sum = 0;

    for (const char *c = body; *c; c++)
        sum ^= (unsigned char)*c;
    text_buffer_addf(to, "$%s*%02X\r\n", body, sum);
}

void gps_init(struct gps *g, int64_t monotonic)
{
    g->powered_at = monotonic;
    g->locked_at = monotonic + g->ttff_ms;
}

void gps_finish(struct gps *g)
{
    text_buffer_finish(&g->frozen);
}

static bool blind(const struct gps *g)
{
    return has(g, TROUBLE_ANTENNA_OPEN) || has(g, TROUBLE_ANTENNA_SHORT);
}

bool gps_has_fix(const struct gps *g, int64_t monotonic)
{
    return monotonic >= g->locked_at && !blind(g) && !has(g, TROUBLE_NO_FIX);
}

void gps_trouble(struct gps *g, enum trouble trouble, bool begins, int64_t monotonic)
{
    bool hinders = trouble == TROUBLE_ANTENNA_OPEN || trouble == TROUBLE_ANTENNA_SHORT ||
                   trouble == TROUBLE_NO_FIX;

    if (trouble == TROUBLE_COLD_START && begins)
        gps_init(g, monotonic);
    if (hinders && !begins && g->locked_at < monotonic + REACQUIRE_MS)
        g->locked_at = monotonic + (g->ttff_ms < REACQUIRE_MS ? g->ttff_ms : REACQUIRE_MS);
    if (trouble == TROUBLE_FROZEN && !begins)
        text_buffer_finish(&g->frozen);
}

/* dB-Hz of a satellite; 0: not tracked. They come up one after the other in the first half of a
 * cold start, and gain strength until the fix. */
static int cn0_of(const struct gps *g, unsigned i, int64_t monotonic)
{
    int64_t up = monotonic - g->powered_at;
    int64_t seen_at = g->ttff_ms * ((i * 5) % SATELLITES) / (2 * SATELLITES);
    double climbed = g->ttff_ms > 0 ? (double)(up - seen_at) / (double)g->ttff_ms * 2 : 1;
    double cn0 = sky[i].cn0 - CN0_CLIMB * fmax(0, 1 - climbed) +
                 1.4 * noise(g->seed, g->name, i, monotonic / 1000);

    if (blind(g) || up < seen_at)
        return 0;
    if (has(g, TROUBLE_WEAK))
        cn0 -= (double)g->troubles->of[TROUBLE_WEAK].value;
    if (has(g, TROUBLE_NO_FIX) && cn0 > CN0_LOST)
        cn0 = CN0_LOST + noise(g->seed, g->name, i, monotonic / 1000);
    return cn0 < CN0_TRACKED ? 0 : (int)lround(cn0);
}

/* Weak satellites still serve; only those that are not tracked do not. */
static bool used(const struct gps *g, unsigned i, int64_t monotonic)
{
    int limit = has(g, TROUBLE_WEAK) ? CN0_TRACKED : CN0_USED;

    return gps_has_fix(g, monotonic) && cn0_of(g, i, monotonic) >= limit;
}

/* Degrees and minutes, in whole hundred-thousandths of a minute so that no 60th appears. */
static long minutes_e5(double degrees)
{
    return lround(fabs(degrees) * 6000000);
}

/* "3114.02231,N,12128.42290,E", or the four fields empty. */
static void format_position(const struct gps *g, int64_t monotonic, char to[BODY_SIZE])
{
    long lat = minutes_e5(g->latitude + 4e-6 * noise(g->seed, g->name, 40, monotonic / 1000));
    long lon = minutes_e5(g->longitude + 4e-6 * noise(g->seed, g->name, 41, monotonic / 1000));

    if (gps_has_fix(g, monotonic))
        snprintf(to, BODY_SIZE, "%02ld%02ld.%05ld,%c,%03ld%02ld.%05ld,%c", lat / 6000000,
                 lat / 100000 % 60, lat % 100000, g->latitude < 0 ? 'S' : 'N', lon / 6000000,
                 lon / 100000 % 60, lon % 100000, g->longitude < 0 ? 'W' : 'E');
    else
        snprintf(to, BODY_SIZE, ",,,");
}

/* hhmmss.sss and ddmmyy (or empty): the time is known once the first satellites tell it. */
static struct tm satellite_time(const struct gps *g, int64_t wall, char time_text[16],
                                char date_text[8])
{
    int64_t at = wall;
    time_t seconds;
    struct tm tm;

    if (has(g, TROUBLE_CLOCK_OFF))
        at -= g->troubles->of[TROUBLE_CLOCK_OFF].value;
    if (has(g, TROUBLE_WEEK_ROLLOVER))
        at -= ROLLOVER_MS;
    seconds = (time_t)(at / 1000);
    gmtime_r(&seconds, &tm);
    snprintf(time_text, 16, "%02u%02u%02u.%03u", (unsigned)tm.tm_hour % 100u,
             (unsigned)tm.tm_min % 100u, (unsigned)tm.tm_sec % 100u, (unsigned)(at % 1000));
    snprintf(date_text, 8, "%02u%02u%02u", (unsigned)tm.tm_mday % 100u,
             (unsigned)(tm.tm_mon + 1) % 100u, (unsigned)tm.tm_year % 100u);
    return tm;
}

static unsigned used_in_all(const struct gps *g, int64_t monotonic)
{
    unsigned count = 0;

    for (unsigned i = 0; i < SATELLITES; i++)
        count += used(g, i, monotonic);
    return count;
}

static void add_gsa(const struct gps *g, int64_t monotonic, struct text_buffer *to)
{
    for (size_t s = 0; s < LENGTH(systems); s++) {
        struct text_buffer body = { 0 };
        unsigned listed = 0;

        text_buffer_addf(&body, "GNGSA,A,%c", gps_has_fix(g, monotonic) ? '3' : '1');
        for (unsigned i = systems[s].first; i < systems[s].first + systems[s].count; i++)
            if (used(g, i, monotonic) && listed++ < 12)
                text_buffer_addf(&body, ",%02d", sky[i].id);
        for (; listed < 12; listed++)
            text_buffer_adds(&body, ",");
        text_buffer_addf(&body, ",%s,%d",
                         gps_has_fix(g, monotonic) ? "1.5,0.9,1.2" : "25.5,25.5,25.5",
                         systems[s].id);
        nmea_add(to, body.bytes);
        text_buffer_finish(&body);
    }
}

static void add_gsv_of(const struct gps *g, size_t system, int64_t monotonic,
                       struct text_buffer *to)
{
    unsigned seen[SATELLITES], count = 0, first = systems[system].first;

    for (unsigned i = first; i < first + systems[system].count; i++)
        if (cn0_of(g, i, monotonic) > 0)
            seen[count++] = i;
    for (unsigned i = 0; i == 0 || i < count; i += 4) {
        struct text_buffer body = { 0 };

        text_buffer_addf(&body, "%sGSV,%u,%u,%02u", systems[system].talker,
                         count == 0 ? 1 : (count + 3) / 4, i / 4 + 1, count);
        for (unsigned j = i; j < i + 4 && j < count; j++)
            text_buffer_addf(&body, ",%02d,%02d,%03d,%02d", sky[seen[j]].id, sky[seen[j]].elevation,
                             sky[seen[j]].azimuth, cn0_of(g, seen[j], monotonic));
        nmea_add(to, body.bytes);
        text_buffer_finish(&body);
    }
}

static void add_antenna(const struct gps *g, struct text_buffer *to)
{
    const char *state = "OK";
    char body[BODY_SIZE];

    if (has(g, TROUBLE_ANTENNA_SHORT))
        state = "SHORT";
    else if (has(g, TROUBLE_ANTENNA_OPEN) || has(g, TROUBLE_ANTENNA_PASSIVE))
        state = "OPEN";
    snprintf(body, sizeof body, "GPTXT,01,01,01,ANTENNA %s", state);
    nmea_add(to, body);
}

static void add_burst(const struct gps *g, int64_t monotonic, int64_t wall, struct text_buffer *to)
{
    bool fix = gps_has_fix(g, monotonic);
    bool knows_time = fix || monotonic >= g->powered_at + g->ttff_ms / 2;
    char time_text[16], date_text[8], position[BODY_SIZE], body[2 * BODY_SIZE];
    struct tm tm = satellite_time(g, wall, time_text, date_text);

    if (!knows_time)
        time_text[0] = date_text[0] = '\0';
    format_position(g, monotonic, position);
    snprintf(body, sizeof body, "GNGGA,%s,%s,%d,%02u,%s,%s,M,%s,M,,", time_text, position, fix,
             used_in_all(g, monotonic), fix ? "0.9" : "25.5", fix ? "21.4" : "", fix ? "8.3" : "");
    nmea_add(to, body);
    snprintf(body, sizeof body, "GNRMC,%s,%c,%s,%s,%s,%s,,,%c", time_text, fix ? 'A' : 'V',
             position, fix ? "0.02" : "", fix ? "0.00" : "", date_text, fix ? 'A' : 'N');
    nmea_add(to, body);
    add_gsa(g, monotonic, to);
    for (size_t s = 0; s < LENGTH(systems); s++)
        add_gsv_of(g, s, monotonic, to);
    snprintf(body, sizeof body, "GNVTG,%s,T,,M,%s,N,%s,K,%c", fix ? "0.00" : "", fix ? "0.02" : "",
             fix ? "0.04" : "", fix ? 'A' : 'N');
    nmea_add(to, body);
    if (knows_time) {
        snprintf(body, sizeof body, "GNZDA,%s,%02d,%02d,%04d,00,00", time_text, tm.tm_mday,
                 tm.tm_mon + 1, tm.tm_year + 1900);
        nmea_add(to, body);
    }
    add_antenna(g, to);
}

void gps_burst(struct gps *g, int64_t monotonic, int64_t wall, struct text_buffer *to)
{
    if (!has(g, TROUBLE_FROZEN)) {
        add_burst(g, monotonic, wall, to);
        return;
    }
    if (g->frozen.length == 0)
        add_burst(g, monotonic, wall, &g->frozen);
    text_buffer_add(to, g->frozen.bytes, g->frozen.length);
}
