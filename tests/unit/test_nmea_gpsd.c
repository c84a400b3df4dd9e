/* Where gpsd is installed: on every log our positions are those that gpsd decodes, instant by
 * instant; two programs that share no code read the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "nmea_frame.h"
#include "nmea_sentence.h"

#define GPSDECODE "/usr/bin/gpsdecode"

struct place {
    int32_t time_ms;
    double lat, lon;
};

struct places {
    struct place *items;
    size_t count;
};

static void add(struct places *p, int32_t time_ms, double lat, double lon)
{
    p->items = mem_realloc_array(p->items, p->count + 1, sizeof *p->items);
    p->items[p->count++] = (struct place){ time_ms, lat, lon };
}

static void add_sentence(struct places *p, const struct nmea_sentence *s)
{
    const struct nmea_position *position = NULL;
    int32_t time_ms = NMEA_NONE;

    if (s->type == NMEA_GGA) {
        position = &s->gga.position;
        time_ms = s->gga.time_ms;
    } else if (s->type == NMEA_RMC) {
        position = &s->rmc.position;
        time_ms = s->rmc.time_ms;
    } else if (s->type == NMEA_GLL) {
        position = &s->gll.position;
        time_ms = s->gll.time_ms;
    } else if (s->type == NMEA_GNS) {
        position = &s->gns.position;
        time_ms = s->gns.time_ms;
    }
    if (position && position->lat_e9 != NMEA_NOWHERE)
        add(p, time_ms, (double)position->lat_e9 / 1e9, (double)position->lon_e9 / 1e9);
}

/* Receivers smooth: GGA and RMC of one instant may differ, and gpsd takes whichever came last. So
 * sentences are compared, not epochs. */
static struct places ours(const char *path)
{
    struct places p = { 0 };
    FILE *file = fopen(path, "re");
    char line[1024];

    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        struct nmea_frame frame;
        struct nmea_sentence s;
        size_t length = strlen(line), done = 0;

        for (nmea_next(line, length, &frame); frame.kind != NMEA_MORE;
             nmea_next(line + done, length - done, &frame)) {
            done += frame.consumed;
            if (frame.kind == NMEA_SENTENCE && nmea_decode(frame.text, frame.length, &s))
                add_sentence(&p, &s);
        }
    }
    assert_int_equal(fclose(file), 0);
    return p;
}

/* The number of a member of a report; NAN if it has none. */
static double number_of(const char *report, const char *key)
{
    const char *at = strstr(report, key);

    return at ? strtod(at + strlen(key), NULL) : NAN;
}

static struct places gpsds(const char *path)
{
    struct places p = { 0 };
    char *command = mem_printf(GPSDECODE " -j <'%s' 2>/dev/null", path);
    FILE *pipe = popen(command, "re");
    char report[32768];

    assert_non_null(pipe);
    while (fgets(report, sizeof report, pipe)) {
        double lat = number_of(report, "\"lat\":"), lon = number_of(report, "\"lon\":");
        const char *time = strstr(report, "\"time\":\"");
        int hour, minute, second, ms;

        if (strstr(report, "\"class\":\"TPV\"") && time && isfinite(lat) && isfinite(lon) &&
            sscanf(time, "\"time\":\"%*d-%*d-%*dT%d:%d:%d.%d", &hour, &minute, &second, &ms) == 4)
            add(&p, ((hour * 60 + minute) * 60 + second) * 1000 + ms, lat, lon);
    }
    (void)pclose(pipe);
    free(command);
    return p;
}

/* How far we are from it at that instant, in degrees; NAN: we know nothing of it. */
static double distance(const struct places *our, const struct place *place)
{
    double least = NAN;

    for (size_t i = 0; i < our->count; i++)
        if (our->items[i].time_ms == place->time_ms)
            least = fmin(least, fmax(fabs(our->items[i].lat - place->lat),
                                     fabs(our->items[i].lon - place->lon)));
    return least;
}

static void test_positions(void **state)
{
    glob_t logs;
    size_t count = 0;

    (void)state;
    if (access(GPSDECODE, X_OK) < 0)
        skip();
    assert_int_equal(glob("tests/data/nmea/*.log", 0, NULL, &logs), 0);
    for (size_t i = 0; i < logs.gl_pathc; i++) {
        struct places our = ours(logs.gl_pathv[i]), their = gpsds(logs.gl_pathv[i]);

        for (size_t k = 0; k < their.count; k++, count++) {
            const struct place *place = &their.items[k];

            if (!(distance(&our, place) < 2e-9))
                fail_msg("%s: at %d ms gpsd is at %.9f, %.9f, we are %g off", logs.gl_pathv[i],
                         place->time_ms, place->lat, place->lon, distance(&our, place));
        }
        free(our.items);
        free(their.items);
    }
    globfree(&logs);
    print_message("# %zu positions\n", count);
    assert_true(count > 800);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_positions) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
