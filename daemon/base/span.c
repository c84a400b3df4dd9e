/* Spans of time as systemd writes them. A span is a row of (number, unit); the numbers may have a
 * fraction, as systemd's may, if it comes out in whole milliseconds. */
#include "base/span.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

static const struct unit {
    const char *name;
    int64_t ms;
} units[] = {
    { "ms", 1 },                { "msec", 1 },              { "s", SPAN_SECOND },
    { "sec", SPAN_SECOND },     { "second", SPAN_SECOND },  { "seconds", SPAN_SECOND },
    { "m", SPAN_MINUTE },       { "min", SPAN_MINUTE },     { "minute", SPAN_MINUTE },
    { "minutes", SPAN_MINUTE }, { "h", SPAN_HOUR },         { "hr", SPAN_HOUR },
    { "hour", SPAN_HOUR },      { "hours", SPAN_HOUR },     { "d", SPAN_DAY },
    { "day", SPAN_DAY },        { "days", SPAN_DAY },       { "w", 7 * SPAN_DAY },
    { "week", 7 * SPAN_DAY },   { "weeks", 7 * SPAN_DAY },
};

/* Beyond ten thousand years nothing is meant; below it no product here overflows. */
#define SPAN_MAX (INT64_C(10000) * 366 * SPAN_DAY)

static const char *skip_blanks(const char *p)
{
    return p + strspn(p, " \t");
}

/* The digits at `*p`, at most `max` of them. Moves `*p` behind. */
static bool digits(const char **p, size_t max, int64_t *ret)
{
    size_t length = strspn(*p, "0123456789");
    int64_t value = 0;

    if (length == 0 || length > max)
        return false;
    for (size_t i = 0; i < length; i++)
        value = value * 10 + ((*p)[i] - '0');
    *p += length;
    *ret = value;
    return true;
}

static bool unit_at(const char **p, int64_t *ret_ms)
{
    size_t length = strspn(*p, "abcdefghijklmnopqrstuvwxyz");

    for (size_t i = 0; i < LENGTH(units); i++) {
        if (strlen(units[i].name) == length && memcmp(units[i].name, *p, length) == 0) {
            *p += length;
            *ret_ms = units[i].ms;
            return true;
        }
    }
    return false;
}

/* One number with its unit. */
static bool part(const char **p, int64_t *ret_ms)
{
    int64_t whole, fraction = 0, scale = 1, unit_ms;

    if (!digits(p, 15, &whole))
        return false;
    if (**p == '.') {
        const char *from = ++*p;

        if (!digits(p, 3, &fraction))
            return false;
        for (; from < *p; from++)
            scale *= 10;
    }
    *p = skip_blanks(*p);
    if (!unit_at(p, &unit_ms) || whole > SPAN_MAX / unit_ms || fraction * unit_ms % scale)
        return false;
    *ret_ms = whole * unit_ms + fraction * unit_ms / scale;
    return true;
}

bool span_parse(const char *text, int64_t *ret_ms)
{
    const char *p = skip_blanks(text);
    int64_t sum = 0, ms;

    if (strcmp(p, "0") == 0) {
        *ret_ms = 0;
        return true;
    }
    do {
        if (!part(&p, &ms))
            return false;
        sum += ms;
        if (sum > SPAN_MAX)
            return false;
        p = skip_blanks(p);
    } while (*p);
    *ret_ms = sum;
    return true;
}

char *span_format(char to[SPAN_SIZE], int64_t ms)
{
    static const struct unit largest_first[] = {
        { "d", SPAN_DAY }, { "h", SPAN_HOUR }, { "min", SPAN_MINUTE }, { "s", SPAN_SECOND },
        { "ms", 1 },
    };
    /* Unsigned, because the most negative span has no positive twin. */
    uint64_t left = ms < 0 ? 0 - (uint64_t)ms : (uint64_t)ms;
    size_t used = 0;

    if (ms == 0) {
        memcpy(to, "0", 2);
        return to;
    }
    if (ms < 0)
        to[used++] = '-';
    for (size_t i = 0; i < LENGTH(largest_first); i++) {
        uint64_t count = left / (uint64_t)largest_first[i].ms;

        if (!count)
            continue;
        used += (size_t)snprintf(to + used, SPAN_SIZE - used, "%s%llu%s",
                                 used > (ms < 0) ? " " : "", (unsigned long long)count,
                                 largest_first[i].name);
        left %= (uint64_t)largest_first[i].ms;
    }
    return to;
}
