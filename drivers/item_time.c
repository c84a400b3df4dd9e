/* Times as strangers write them; see item_time.h. One reader serves both the local and the
 * RFC 3339 form: what differs is whether an offset must stand at the end. */
#include "item_time.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/instant.h"
#include "base/span.h"

const char *const item_time_choices[] = { "local", "rfc3339", "epoch", "epoch_ms", NULL };

const char *item_time_example(enum item_time format)
{
    static const char *const examples[] = {
        [ITEM_TIME_LOCAL] = "local time YYYY-MM-DD hh:mm:ss",
        [ITEM_TIME_RFC3339] = "RFC 3339 time with an offset",
        [ITEM_TIME_EPOCH] = "number of seconds since 1970",
        [ITEM_TIME_EPOCH_MS] = "number of milliseconds since 1970",
    };

    return examples[format];
}

struct reader {
    const char *at, *end;
};

static bool take(struct reader *r, const char *any_of)
{
    if (r->at == r->end || *r->at == '\0' || strchr(any_of, *r->at) == NULL)
        return false;
    r->at++;
    return true;
}

/* Digits, at least `min` and at most `max` of them. */
static bool take_number(struct reader *r, int min, int max, int32_t *ret)
{
    int32_t value = 0;
    int digits = 0;

    while (digits < max && r->at < r->end && *r->at >= '0' && *r->at <= '9') {
        value = value * 10 + (*r->at++ - '0');
        digits++;
    }
    if (digits < min)
        return false;
    *ret = value;
    return true;
}

static bool is_date(int32_t year, int32_t month, int32_t day)
{
    int32_t y, m, d;

    if (year < 1970 || year > 9999 || month < 1 || month > 12 || day < 1 || day > 31)
        return false;
    civil_date(civil_day(year, month, day), &y, &m, &d);
    return m == month && d == day;
}

/* Decimals of a second beyond the third are cut: an event is known to the millisecond. */
static int32_t take_fraction(struct reader *r)
{
    int32_t ms = 0, digit;

    for (int32_t unit = 100; take_number(r, 1, 1, &digit); unit /= 10)
        ms += digit * unit;
    return ms;
}

static bool take_date(struct reader *r, int64_t *ret_ms)
{
    int32_t year, month, day;

    if (!take_number(r, 4, 4, &year) || !take(r, "-/.") || !take_number(r, 1, 2, &month) ||
        !take(r, "-/.") || !take_number(r, 1, 2, &day) || !is_date(year, month, day))
        return false;
    *ret_ms = civil_day(year, month, day) * SPAN_DAY;
    return true;
}

static bool take_clock(struct reader *r, int64_t *ret_ms)
{
    int32_t hour, minute, second = 0, ms = 0;

    if (!take_number(r, 1, 2, &hour) || !take(r, ":") || !take_number(r, 2, 2, &minute))
        return false;
    if (take(r, ":")) {
        if (!take_number(r, 2, 2, &second))
            return false;
        if (take(r, ".,"))
            ms = take_fraction(r);
    }
    if (hour > 23 || minute > 59 || second > 59)
        return false;
    *ret_ms = hour * SPAN_HOUR + minute * SPAN_MINUTE + second * SPAN_SECOND + ms;
    return true;
}

/* 1 with an offset, 0 if there is none, -1 if what stands there is something else. */
static int take_offset(struct reader *r, int64_t *ret_ms)
{
    int32_t hours, minutes;
    int sign;

    if (r->at == r->end)
        return 0;
    if (take(r, "Zz")) {
        *ret_ms = 0;
        return r->at == r->end ? 1 : -1;
    }
    sign = *r->at == '-' ? -1 : 1;
    if (!take(r, "+-") || !take_number(r, 2, 2, &hours))
        return -1;
    (void)take(r, ":"); /* "+0800" is as clear as "+08:00" */
    if (!take_number(r, 2, 2, &minutes) || hours > 23 || minutes > 59 || r->at != r->end)
        return -1;
    *ret_ms = sign * (hours * SPAN_HOUR + minutes * SPAN_MINUTE);
    return 1;
}

/* The clocks of a zone change at most once within two days, so that the offsets a day before and
 * a day after are the only two that can hold. The earlier one is tried first: it gives the first
 * of two equal local times, and stands in for a local time that never was. */
static int64_t local_instant(const struct zone *zone, int64_t local)
{
    int64_t before = zone_offset(zone, local - SPAN_DAY) * SPAN_SECOND;
    int64_t after = zone_offset(zone, local + SPAN_DAY) * SPAN_SECOND;

    if (zone_offset(zone, local - before) * SPAN_SECOND == before)
        return local - before;
    if (zone_offset(zone, local - after) * SPAN_SECOND == after)
        return local - after;
    return local - before;
}

static bool parse_calendar(enum item_time format, const struct zone *zone, struct reader *r,
                           int64_t *ret_at)
{
    int64_t date, clock, offset = 0;
    int found;

    if (!take_date(r, &date) || !take(r, "Tt ") || !take_clock(r, &clock))
        return false;
    found = take_offset(r, &offset);
    if (found < 0 || (found == 0 && format == ITEM_TIME_RFC3339))
        return false;
    *ret_at = found ? date + clock - offset : local_instant(zone, date + clock);
    return true;
}

static bool parse_epoch(enum item_time format, struct reader *r, int64_t *ret_at)
{
    int64_t value = 0;
    int32_t digit, ms = 0;
    int digits = 0;

    for (; digits < 15 && take_number(r, 1, 1, &digit); digits++)
        value = value * 10 + digit;
    if (digits == 0)
        return false;
    if (take(r, "."))
        ms = take_fraction(r);
    *ret_at = format == ITEM_TIME_EPOCH ? value * SPAN_SECOND + ms : value;
    return r->at == r->end;
}

bool item_time_parse(enum item_time format, const struct zone *zone, const char *text,
                     size_t length, int64_t *ret_at)
{
    static const int64_t end = INT64_C(253402300800000); /* of the year 9999 */
    struct reader r = { text, text + length };
    int64_t at;

    while (r.at < r.end && *r.at == ' ')
        r.at++;
    while (r.end > r.at && r.end[-1] == ' ')
        r.end--;
    if (format == ITEM_TIME_EPOCH || format == ITEM_TIME_EPOCH_MS) {
        if (!parse_epoch(format, &r, &at))
            return false;
    } else if (!parse_calendar(format, zone, &r, &at)) {
        return false;
    }
    if (at < 0 || at >= end)
        return false;
    *ret_at = at;
    return true;
}

char *item_time_format(char to[ITEM_TIME_SIZE], enum item_time format, const struct zone *zone,
                       int64_t at)
{
    int32_t offset = zone_offset(zone, at);

    switch (format) {
    case ITEM_TIME_EPOCH:
        snprintf(to, ITEM_TIME_SIZE, "%" PRId64, at / SPAN_SECOND);
        break;
    case ITEM_TIME_EPOCH_MS:
        snprintf(to, ITEM_TIME_SIZE, "%" PRId64, at);
        break;
    case ITEM_TIME_RFC3339:
        instant_format(to, at, offset);
        break;
    case ITEM_TIME_LOCAL:
        instant_format(to, at, offset);
        to[10] = ' ';
        to[19] = '\0'; /* whole seconds, no offset: "2026-11-20 18:00:00" */
        break;
    }
    return to;
}
