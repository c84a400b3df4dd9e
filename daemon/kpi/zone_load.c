/* Reads a zone from the system's zone data (tzdata).
 *
 * The file is read here, not asked of the C library by turning TZ, for three reasons: setenv beside
 * other threads that call getenv is undefined, and the configuration is read again while they run;
 * probing finds only the changes that its step happens to straddle; and the file says it exactly.
 *
 * Format (RFC 8536): a header with six counts and a block of data with 32-bit times, which we skip;
 * the same again with 64-bit times; then a line with the rule for the years after the last entry.
 *
 *     header   "TZif" version(1) zero(15) isutcnt isstdcnt leapcnt timecnt typecnt charcnt (4 each)
 *     block    times(8 * timecnt) types(1 * timecnt) kinds(6 * typecnt: offset(4) dst(1) name(1))
 *              names(charcnt) leaps(12 * leapcnt) isstd(isstdcnt) isut(isutcnt)
 *     footer   "\n" rule "\n"
 *
 * Zones that count leap seconds ("right/...") are refused: an instant here has none. */
#include "kpi/zone.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/instant.h"
#include "base/mem.h"
#include "base/text.h"
#include "kpi/zone_rule.h"

#define ZONE_FOLDER "/usr/share/zoneinfo"

enum {
    FILE_MAX = 65536,       /* the longest of them has less than 4 KiB */
    HEADER_SIZE = 44,
    FIRST_YEAR = 1970,
    LAST_YEAR = 2100,
};

struct header {
    size_t isut, isstd, leap, time, type, name;
};

struct bytes {
    const unsigned char *at;
    size_t left;
};

/* Takes `count` bytes; NULL if there are not so many. */
static const unsigned char *take_bytes(struct bytes *from, size_t count)
{
    const unsigned char *taken = from->at;

    if (from->left < count)
        return NULL;
    from->at += count;
    from->left -= count;
    return taken;
}

static uint32_t big_endian_32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t big_endian_64(const unsigned char *p)
{
    return (int64_t)((uint64_t)big_endian_32(p) << 32 | big_endian_32(p + 4));
}

static bool take_header(struct bytes *from, struct header *ret)
{
    const unsigned char *p = take_bytes(from, HEADER_SIZE);

    if (!p || memcmp(p, "TZif", 4) != 0 || p[4] < '2')
        return false;
    *ret = (struct header){
        .isut = big_endian_32(p + 20),
        .isstd = big_endian_32(p + 24),
        .leap = big_endian_32(p + 28),
        .time = big_endian_32(p + 32),
        .type = big_endian_32(p + 36),
        .name = big_endian_32(p + 40),
    };
    /* Each of them is bounded by the file, so that the sums below cannot wrap. */
    return ret->isut <= FILE_MAX && ret->isstd <= FILE_MAX && ret->leap <= FILE_MAX &&
           ret->time <= FILE_MAX && ret->type <= FILE_MAX && ret->name <= FILE_MAX;
}

/* Appends a change, unless it changes nothing. Of two at one instant the later counts; what lies
 * before 1970 only says what holds at its beginning. */
static void add_change(struct zone *zone, int64_t at, int32_t offset_s)
{
    size_t n = zone->change_count;

    if (at <= 0) {
        zone->first_offset_s = offset_s;
        return;
    }
    if (n > 0 && zone->changes[n - 1].at == at)
        n = --zone->change_count;
    if (offset_s == (n == 0 ? zone->first_offset_s : zone->changes[n - 1].offset_s))
        return;
    /* Room doubles: at powers of two the array is full. */
    if ((n & (n - 1)) == 0)
        zone->changes = mem_realloc_array(zone->changes, n == 0 ? 1 : 2 * n,
                                          sizeof *zone->changes);
    zone->changes[zone->change_count++] = (struct zone_change){ .at = at, .offset_s = offset_s };
}

/* What the table says. `ret_last` is the instant of its last entry, whatever it changed. */
static bool read_table(struct zone *zone, struct bytes *from, const struct header *h,
                       int64_t *ret_last)
{
    const unsigned char *times = take_bytes(from, 8 * h->time);
    const unsigned char *types = times ? take_bytes(from, h->time) : NULL;
    const unsigned char *kinds = types ? take_bytes(from, 6 * h->type) : NULL;
    int64_t end = (int64_t)civil_day(LAST_YEAR + 1, 1, 1) * 86400;

    if (!kinds || h->type == 0 || h->leap != 0)
        return false;
    if (!take_bytes(from, h->name + h->isstd + h->isut))
        return false;

    zone->first_offset_s = (int32_t)big_endian_32(kinds);
    for (size_t i = 0; i < h->time; i++) {
        int64_t at = big_endian_64(times + 8 * i);

        if (types[i] >= h->type)
            return false;
        if (at >= end)
            break;
        at = at < 0 ? -1 : at;      /* a table may begin with the beginning of the universe */
        int32_t offset_s = (int32_t)big_endian_32(kinds + 6 * (size_t)types[i]);

        if (offset_s <= -93600 || offset_s >= 93600)
            return false;
        *ret_last = at;
        add_change(zone, at * 1000, offset_s);
    }
    return true;
}

/* Both edges of each year after `last` (s since 1970), in order; south of the equator the end comes
 * before the beginning. */
static void add_rule_changes(struct zone *zone, const struct zone_rule *rule, int64_t last)
{
    for (int32_t year = FIRST_YEAR - 1; year <= LAST_YEAR; year++) {
        struct zone_change begin = { .at = zone_rule_begin(rule, year),
                                     .offset_s = rule->summer_offset_s };
        struct zone_change end = { .at = zone_rule_end(rule, year),
                                   .offset_s = rule->standard_offset_s };
        bool north = begin.at < end.at;
        struct zone_change edges[2] = { north ? begin : end, north ? end : begin };

        for (size_t i = 0; i < 2; i++)
            if (edges[i].at / 1000 > last)
                add_change(zone, edges[i].at, edges[i].offset_s);
    }
}

/* The rule of the footer, for the years that the table leaves to it. */
static bool read_footer(struct zone *zone, struct bytes *from, int64_t last)
{
    char text[128];
    struct zone_rule rule;

    if (from->left < 2 || from->at[0] != '\n')
        return false;
    const unsigned char *end = memchr(from->at + 1, '\n', from->left - 1);

    if (!end)
        return false;
    if (end == from->at + 1)
        return true;        /* no rule: the last entry holds for ever */
    if (!text_copy(text, sizeof text, (const char *)from->at + 1,
                   (size_t)(end - from->at - 1)) ||
        !zone_rule_parse(text, &rule))
        return false;
    if (rule.has_summer)
        add_rule_changes(zone, &rule, last);
    else if (zone->change_count == 0 && last == INT64_MIN)
        zone->first_offset_s = rule.standard_offset_s;
    return true;
}

static bool read_zone(struct zone *zone, struct bytes file)
{
    struct header h;
    int64_t last = INT64_MIN;

    if (!take_header(&file, &h))
        return false;
    if (!take_bytes(&file, 5 * h.time + 6 * h.type + h.name + 8 * h.leap + h.isstd + h.isut))
        return false;
    return take_header(&file, &h) && read_table(zone, &file, &h, &last) &&
           read_footer(zone, &file, last);
}

/* IANA names begin with a capital; what else lies in the folder (posix/, right/, localtime,
 * tzdata.zi) does not. They have no dot, so that none leads out of it. */
static bool name_is_iana(const char *name)
{
    if (!isupper((unsigned char)name[0]) || strlen(name) >= 64)
        return false;
    for (const char *p = name; *p; p++)
        if (!isalnum((unsigned char)*p) && !strchr("/_+-", *p))
            return false;
    return true;
}

static int read_file(const char *name, unsigned char *to, size_t *ret_length)
{
    char path[sizeof ZONE_FOLDER + 65];

    (void)snprintf(path, sizeof path, "%s/%s", ZONE_FOLDER, name);      /* bounded by its caller */
    FILE *file = fopen(path, "re");

    if (!file)
        return -errno;
    *ret_length = fread(to, 1, FILE_MAX, file);
    int rc = ferror(file) ? -errno : 0;     /* -EISDIR: "Asia" alone */

    (void)fclose(file);     /* only read from */
    return rc;
}

int zone_load(struct zone *zone, const char *name, struct err *err)
{
    struct zone loaded = { 0 };
    char quoted[100];
    size_t length = 0;
    int rc;

    if (!name_is_iana(name))
        return err_set(err, -ENOENT, "%s is no time zone: write an IANA name such as "
                       "\"Asia/Shanghai\"",
                       text_quote(quoted, sizeof quoted, name, strlen(name)));
    unsigned char *bytes = mem_alloc(FILE_MAX);

    rc = read_file(name, bytes, &length);
    if (rc == 0 && !read_zone(&loaded, (struct bytes){ .at = bytes, .left = length }))
        rc = -EINVAL;
    free(bytes);

    if (rc == 0) {
        text_set(loaded.name, sizeof loaded.name, name);
        *zone = loaded;
        return 0;
    }
    zone_finish(&loaded);
    if (rc == -EINVAL)
        return err_set(err, rc, "%s/%s is no zone file that can be read: install tzdata again",
                       ZONE_FOLDER, name);
    if (rc == -ENOENT || rc == -ENOTDIR || rc == -EISDIR)
        return err_set(err, -ENOENT, "there is no time zone \"%s\" in %s: write an IANA name such "
                       "as \"Asia/Shanghai\", and install tzdata", name, ZONE_FOLDER);
    return err_set(err, rc, "%s/%s: %s", ZONE_FOLDER, name, strerror(-rc));
}
