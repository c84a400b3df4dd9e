/* Logs of real receivers against what an independent scan found in them (manifest.tsv, which also
 * holds gpsd's own last fix); see tests/data/nmea/README.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "nmea_frame.h"
#include "nmea_sentence.h"

#define FOLDER "tests/data/nmea/"

enum column {
    FILE_NAME,
    BYTES,
    SENTENCES,
    BAD_CHECKSUM,
    NONASCII,
    TALKERS,
    TYPES,
    GGA_QUALITY,
    RMC_STATUS,
    FIRST_FIX_LINE,
    MAX_SATS_USED,
    MIN_HDOP,
    MAX_CN0,
    ANTENNA_TEXT,
    LAST_LAT,
    LAST_LON,
    LAST_UTC,
    LAST_DATE,
    GPSD_MODES,
    GPSD_TIME,
    GPSD_LAT,
    GPSD_LON,
    SHA256,
    COLUMNS,
};

/* What we find in one log. */
struct found {
    long good, wrong, malformed;
    long types[NMEA_TYPES];
    long quality[10], status[128];
    long first_fix_line;
    int32_t max_used, min_hdop_e2, max_cn0;
    struct nmea_position last;
    int32_t last_time_ms;
    int32_t last_date; /* ddmmyy */
};

/* Where we are known to differ, and why. */
static const struct {
    const char *file;
    long rescued;   /* sentences behind a cut one in the same line: the scan takes both for one */
    long malformed; /* sum right, and are none */
} differences[] = {
    { "triton400.log", 1, 0 },    /* "$GPGGA,030130$GPGLL,..." */
    { "april6_2019.log", 0, 1 },  /* the date "2208-1" */
    { "eXplorist110.log", 0, 11 } /* GLL with mode and status the wrong way round */
};

static char *load(const char *path, size_t *ret_length)
{
    FILE *file = fopen(path, "rbe");
    char *bytes;
    long length;

    if (!file)
        fail_msg("%s is missing", path);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    length = ftell(file);
    rewind(file);
    bytes = mem_zalloc((size_t)length + 2);
    assert_int_equal(fread(bytes, 1, (size_t)length, file), length);
    assert_int_equal(fclose(file), 0);
    *ret_length = (size_t)length;
    return bytes;
}

static void note_fix(struct found *f, const struct nmea_position *p, int32_t time_ms, long line)
{
    if (f->first_fix_line == 0)
        f->first_fix_line = line;
    if (p->lat_e9 != NMEA_NOWHERE)
        f->last = *p;
    f->last_time_ms = time_ms;
}

static void note_gga(struct found *f, const struct nmea_gga *gga, long line)
{
    if (gga->quality == NMEA_NONE)
        return;
    f->quality[gga->quality]++;
    if (gga->quality == 0)
        return;
    note_fix(f, &gga->position, gga->time_ms, line);
    if (gga->used > f->max_used)
        f->max_used = gga->used;
    if (gga->hdop_e2 != NMEA_NONE && (f->min_hdop_e2 == 0 || gga->hdop_e2 < f->min_hdop_e2))
        f->min_hdop_e2 = gga->hdop_e2;
}

static void note_rmc(struct found *f, const struct nmea_rmc *rmc, long line)
{
    f->status[(int)rmc->status]++;
    if (rmc->status != 'A')
        return;
    note_fix(f, &rmc->position, rmc->time_ms, line);
    if (rmc->day != NMEA_NONE)
        f->last_date = (rmc->day * 100 + rmc->month) * 100 + rmc->year_of_century;
}

static void note_sentence(struct found *f, const struct nmea_frame *frame, long line)
{
    struct nmea_sentence s;

    if (!nmea_decode(frame->text, frame->length, &s)) {
        f->malformed++;
        f->types[s.type]++;
        return;
    }
    f->types[s.type]++;
    if (s.type == NMEA_GGA)
        note_gga(f, &s.gga, line);
    if (s.type == NMEA_RMC)
        note_rmc(f, &s.rmc, line);
    for (int i = 0; s.type == NMEA_GSV && i < s.gsv.count; i++)
        if (s.gsv.satellites[i].cn0 > f->max_cn0)
            f->max_cn0 = s.gsv.satellites[i].cn0;
}

/* Reads it as it would come from a line: `step` bytes at a time. */
static void scan(struct found *f, const char *bytes, size_t length, size_t step)
{
    char held[NMEA_LENGTH_MAX + 4096];
    size_t have = 0;
    long line = 1;

    assert_true(step <= 4096);
    *f = (struct found){ .last = { NMEA_NOWHERE, NMEA_NOWHERE } };
    for (size_t at = 0; at < length; at += step) {
        size_t n = length - at < step ? length - at : step, done = 0;
        struct nmea_frame frame;

        memcpy(held + have, bytes + at, n);
        have += n;
        do {
            nmea_next(held + done, have - done, &frame);
            for (size_t i = 0; i < frame.skipped; i++)
                line += held[done + i] == '\n';
            f->good += frame.kind == NMEA_SENTENCE;
            f->wrong += frame.kind == NMEA_WRONG_SUM;
            if (frame.kind == NMEA_SENTENCE)
                note_sentence(f, &frame, line);
            for (size_t i = frame.skipped; i < frame.consumed; i++)
                line += held[done + i] == '\n';
            done += frame.consumed;
        } while (frame.kind != NMEA_MORE);
        have -= done;
        memmove(held, held + done, have);
        assert_true(have <= NMEA_LENGTH_MAX);
    }
}

/* The count of NAME in "NAME:count,NAME:count". */
static long count_in(const char *histogram, const char *name)
{
    size_t length = strlen(name);

    for (const char *at = histogram; (at = strstr(at, name)) != NULL; at += length)
        if ((at == histogram || at[-1] == ',') && at[length] == ':')
            return atol(at + length + 1);
    return 0;
}

static void compare_counts(const struct found *f, char *const *row, size_t known)
{
    long rescued = known < LENGTH(differences) ? differences[known].rescued : 0;
    long malformed = known < LENGTH(differences) ? differences[known].malformed : 0;
    long other = 0;

    assert_int_equal(f->malformed, malformed);
    assert_int_equal(f->good + f->wrong, atol(row[SENTENCES]));
    assert_int_equal(f->wrong, atol(row[BAD_CHECKSUM]) - rescued);
    for (int type = NMEA_OTHER + 1; type < NMEA_TYPES; type++)
        other += f->types[type] != count_in(row[TYPES], nmea_type_name((enum nmea_type)type));
    assert_int_equal(other, rescued);
    for (int quality = 0; quality < 10; quality++) {
        char name[2] = { (char)('0' + quality), '\0' };

        assert_int_equal(f->quality[quality], count_in(row[GGA_QUALITY], name));
    }
    /* Of the malformed sentences one is an RMC. */
    assert_int_equal(f->status['A'] + (strcmp(row[FILE_NAME], "april6_2019.log") == 0),
                     count_in(row[RMC_STATUS], "A"));
    assert_int_equal(f->status['V'], count_in(row[RMC_STATUS], "V"));
}

static int32_t time_ms(const char *text)
{
    double t = atof(text);
    long whole = (long)t;

    return (int32_t)(((whole / 10000 * 60) + whole / 100 % 100) * 60000) +
           (int32_t)lround(fmod(t, 100) * 1000);
}

static void compare_fix(const struct found *f, char *const *row)
{
    const char *lat = row[LAST_LAT], *lon = row[LAST_LON];

    assert_int_equal(f->max_cn0, atol(row[MAX_CN0]));
    assert_int_equal(f->max_used, atol(row[MAX_SATS_USED]));
    assert_int_equal(f->min_hdop_e2, lround(atof(row[MIN_HDOP]) * 100));
    assert_int_equal(f->last_date, atol(row[LAST_DATE]));
    if (lat[0] == '\0') {
        assert_true(f->last.lat_e9 == NMEA_NOWHERE);
        return;
    }
    assert_true(fabs((double)f->last.lat_e9 / 1e9 - atof(lat)) <= 0.6e-6);
    assert_true(fabs((double)f->last.lon_e9 / 1e9 - atof(lon)) <= 0.6e-6);
    assert_int_equal(f->last_time_ms, time_ms(row[LAST_UTC]));
    assert_true(fabs((double)f->last.lat_e9 / 1e9 - atof(row[GPSD_LAT])) <= 0.001);
    assert_true(fabs((double)f->last.lon_e9 / 1e9 - atof(row[GPSD_LON])) <= 0.001);
}

static void compare_log(char *const *row)
{
    static const size_t steps[] = { 4096, 61, 1 };
    char *path = mem_printf(FOLDER "%s", row[FILE_NAME]);
    size_t length, known = 0;
    char *bytes = load(path, &length);

    print_message("# %s\n", row[FILE_NAME]);
    assert_int_equal(length, atol(row[BYTES]));
    bytes[length++] = '\n'; /* a last line without an end */
    while (known < LENGTH(differences) && strcmp(differences[known].file, row[FILE_NAME]) != 0)
        known++;
    for (size_t i = 0; i < LENGTH(steps); i++) {
        struct found f;

        scan(&f, bytes, length, steps[i]);
        compare_counts(&f, row, known);
        compare_fix(&f, row);
        /* The April log's only lines with a fix are the malformed one and the last. */
        if (strcmp(row[FILE_NAME], "april6_2019.log") == 0)
            f.first_fix_line--;
        assert_int_equal(f.first_fix_line, atol(row[FIRST_FIX_LINE]));
    }
    free(bytes);
    free(path);
}

static void test_logs(void **state)
{
    size_t length, logs = 0;
    char *manifest = load(FOLDER "manifest.tsv", &length), *rest = manifest, *line;

    (void)state;
    strsep(&rest, "\n"); /* names of the columns */
    while ((line = strsep(&rest, "\n")) != NULL && line[0] != '\0') {
        char *row[COLUMNS] = { NULL };

        for (size_t i = 0; i < COLUMNS; i++)
            assert_non_null(row[i] = strsep(&line, "\t"));
        compare_log(row);
        logs++;
    }
    assert_true(logs >= 49);
    free(manifest);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_logs) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
