/* See oracle_time.h. A day begins at the first instant whose local date has arrived, which is
 * looked for minute by minute: no zone has a rule that this could misunderstand. */
#include "oracle_time.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DAY_S = 86400, SEARCH_S = 26 * 3600, LOOK_BACK_S = 3 * 3600, REMEMBERED = 16384 };

static char zone[64];

void oracle_use_zone(const char *name)
{
    snprintf(zone, sizeof zone, "%s", name);
    setenv("TZ", zone, 1);
    tzset();
}

static struct tm date_of_day(int day)
{
    time_t at = (time_t)day * DAY_S;
    struct tm tm;

    gmtime_r(&at, &tm);
    return tm;
}

static int local_date(time_t at)
{
    struct tm tm;

    localtime_r(&at, &tm);
    return (int)(timegm(&(struct tm){
                     .tm_year = tm.tm_year, .tm_mon = tm.tm_mon, .tm_mday = tm.tm_mday }) /
                 DAY_S);
}

static int64_t search_midnight(int day)
{
    struct tm tm = date_of_day(day);
    time_t at;

    tm.tm_isdst = -1;
    at = mktime(&tm);
    at -= SEARCH_S;
    while (local_date(at) < day)
        at += 3600;
    at -= LOOK_BACK_S; /* a date may have begun, and the one before have come again */
    while (local_date(at) < day)
        at += 60;
    return (int64_t)at * 1000;
}

int64_t oracle_midnight(int day)
{
    /* The same days are asked for over and over. */
    static struct {
        char zone[64];
        int day;
        int64_t at;
    } seen[REMEMBERED];
    size_t i = (size_t)day * 16 % REMEMBERED;

    for (const char *p = zone; *p; p++)
        i = (i * 31 + (unsigned char)*p) % REMEMBERED;
    if (seen[i].day != day || strcmp(seen[i].zone, zone) != 0) {
        seen[i].at = search_midnight(day);
        seen[i].day = day;
        memcpy(seen[i].zone, zone, sizeof zone);
    }
    return seen[i].at;
}

int oracle_day(int64_t at)
{
    int day = (int)(at / 1000 / DAY_S);

    while (oracle_midnight(day) > at)
        day--;
    while (oracle_midnight(day + 1) <= at)
        day++;
    return day;
}

/* The day number of the first of a month; `month` may lie outside of 0..11. */
static int first_of_month(int tm_year, int month)
{
    return (int)(timegm(&(struct tm){ .tm_year = tm_year, .tm_mon = month, .tm_mday = 1 }) / DAY_S);
}

struct oracle_period oracle_period(int kind, int day)
{
    struct oracle_period p = { .kind = kind };
    struct tm tm = date_of_day(day);

    switch (kind) {
    case ORACLE_DAY:
        p.first_day = day;
        p.end_day = day + 1;
        strftime(p.name, sizeof p.name, "%Y-%m-%d", &tm);
        break;
    case ORACLE_WEEK:
        p.first_day = day - (tm.tm_wday + 6) % 7;
        p.end_day = p.first_day + 7;
        strftime(p.name, sizeof p.name, "%G-W%V", &tm);
        break;
    case ORACLE_MONTH:
        p.first_day = first_of_month(tm.tm_year, tm.tm_mon);
        p.end_day = first_of_month(tm.tm_year, tm.tm_mon + 1);
        strftime(p.name, sizeof p.name, "%Y-%m", &tm);
        break;
    default:
        p.first_day = first_of_month(tm.tm_year, 0);
        p.end_day = first_of_month(tm.tm_year + 1, 0);
        strftime(p.name, sizeof p.name, "%Y", &tm);
    }
    p.begin = oracle_midnight(p.first_day);
    p.end = oracle_midnight(p.end_day);
    return p;
}

/* ".5", ".25" or ".125" to milliseconds; false if there is a point and no such thing behind it. */
static bool read_fraction(const char **text, int *ret_ms)
{
    static const int worth[] = { 0, 100, 10, 1 };
    int ms = 0, digits = 0;

    if (**text == '.') {
        for (++*text; **text >= '0' && **text <= '9' && digits < 4; ++*text)
            ms = ms * 10 + (**text - '0'), digits++;
        if (digits < 1 || digits > 3)
            return false;
        ms *= worth[digits];
    }
    *ret_ms = ms;
    return true;
}

static bool read_offset(const char *text, int *ret_s)
{
    int hours, minutes, end = 0;
    char sign;

    if (strcmp(text, "Z") == 0 || strcmp(text, "z") == 0) {
        *ret_s = 0;
        return true;
    }
    if (sscanf(text, "%c%2d:%2d%n", &sign, &hours, &minutes, &end) != 3 || end != 6 || text[6])
        return false;
    if ((sign != '+' && sign != '-') || hours > 23 || minutes > 59)
        return false;
    *ret_s = (sign == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
    return true;
}

/* "2026-11-20T18:00:00" at the beginning of `text`? */
static bool has_shape(const char *text)
{
    static const char shape[] = "0000-00-00T00:00:00";

    for (size_t i = 0; i < sizeof shape - 1; i++)
        if (shape[i] == '0' ? text[i] < '0' || text[i] > '9'
                            : text[i] != shape[i] && !(text[i] == 't' && shape[i] == 'T'))
            return false;
    return true;
}

bool oracle_instant(const char *text, int64_t *ret_at)
{
    struct tm tm = { 0 }, again;
    int ms, offset, end = 0;
    time_t at;

    if (!has_shape(text) || sscanf(text, "%4d-%2d-%2d%*c%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon,
                                   &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &end) != 6)
        return false;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    again = tm;
    at = timegm(&again);
    /* A date that does not exist comes back as another. */
    if (again.tm_mon != tm.tm_mon || again.tm_mday != tm.tm_mday || again.tm_hour != tm.tm_hour ||
        again.tm_min != tm.tm_min || again.tm_sec != tm.tm_sec)
        return false;
    text += end;
    if (!read_fraction(&text, &ms) || !read_offset(text, &offset))
        return false;
    *ret_at = ((int64_t)at - offset) * 1000 + ms;
    return true;
}
