/* Periods: law 4. Each kind is a rule from a day number to the number of its period and back to its
 * first day; everything else follows from these two. Day numbers count from 1970-01-01, a
 * Thursday. */
#include "kpi/period.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/instant.h"
#include "base/mem.h"

static const char *const kind_names[PERIOD_KINDS] = { "day", "week", "month", "year" };

static int32_t floor_divide(int32_t a, int32_t b)
{
    return a / b - (a % b < 0 ? 1 : 0);
}

/* Day 4 was the first Monday. */
static int32_t monday_of(int32_t day)
{
    return 7 * floor_divide(day - 4, 7) + 4;
}

struct period period_of_day(enum period_kind kind, int32_t day)
{
    int32_t year, month, date;

    if (kind == PERIOD_DAY)
        return (struct period){ kind, day };
    if (kind == PERIOD_WEEK)
        return (struct period){ kind, monday_of(day) };
    civil_date(day, &year, &month, &date);
    if (kind == PERIOD_MONTH)
        return (struct period){ kind, year * 12 + month - 1 };
    return (struct period){ kind, year };
}

struct period period_at(enum period_kind kind, const struct zone *zone, int64_t at)
{
    return period_of_day(kind, zone_day(zone, at));
}

struct period period_next(struct period period)
{
    period.number += period.kind == PERIOD_WEEK ? 7 : 1;
    return period;
}

int32_t period_first_day(struct period period)
{
    int32_t n = period.number;

    switch (period.kind) {
    case PERIOD_DAY:
    case PERIOD_WEEK:
        return n;
    case PERIOD_MONTH:
        return civil_day(floor_divide(n, 12), n - 12 * floor_divide(n, 12) + 1, 1);
    case PERIOD_YEAR:
        return civil_day(n, 1, 1);
    case PERIOD_KINDS:
        break;
    }
    assert(false);
    return 0;
}

int32_t period_end_day(struct period period)
{
    return period_first_day(period_next(period));
}

int64_t period_begin(struct period period, const struct zone *zone)
{
    return zone_midnight(zone, period_first_day(period));
}

int64_t period_end(struct period period, const struct zone *zone)
{
    return zone_midnight(zone, period_end_day(period));
}

int period_compare(struct period a, struct period b)
{
    if (a.kind != b.kind)
        return a.kind < b.kind ? -1 : 1;
    return (a.number > b.number) - (a.number < b.number);
}

/* ISO 8601: a week belongs to the year of its Thursday. */
static int32_t week_year(int32_t monday, int32_t *ret_week)
{
    int32_t year, month, date;

    civil_date(monday + 3, &year, &month, &date);
    *ret_week = (monday + 3 - civil_day(year, 1, 1)) / 7 + 1;
    return year;
}

/* Facts are written by the ten thousand, hence by hand: `count` digits, and where they end. */
static char *put_digits(char *to, int32_t value, int count)
{
    for (int i = count; i > 0; i--) {
        to[i - 1] = (char)('0' + value % 10);
        value /= 10;
    }
    return to + count;
}

/* Years that RFC 3339 does not know have more digits, or a sign. */
static char *put_year(char *to, int32_t year)
{
    if (year >= 0 && year <= 9999)
        return put_digits(to, year, 4);
    return to + snprintf(to, 9, "%04d", (int)year % 10000000);
}

char *period_format(char to[PERIOD_SIZE], struct period period)
{
    int32_t year, month, date, week;
    char *end = to;

    civil_date(period_first_day(period), &year, &month, &date);
    if (period.kind == PERIOD_WEEK) {
        end = put_year(end, week_year(period.number, &week));
        *end++ = '-';
        *end++ = 'W';
        end = put_digits(end, week, 2);
    } else {
        end = put_year(end, year);
    }
    if (period.kind == PERIOD_MONTH || period.kind == PERIOD_DAY) {
        *end++ = '-';
        end = put_digits(end, month, 2);
    }
    if (period.kind == PERIOD_DAY) {
        *end++ = '-';
        end = put_digits(end, date, 2);
    }
    *end = '\0';
    return to;
}

/* The number that `count` digits at `text` say, or -1. */
static int32_t digits(const char *text, size_t count)
{
    int32_t value = 0;

    for (size_t i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

static bool parse_week(const char *text, int32_t year, struct period *ret)
{
    int32_t week = digits(text + 6, 2);
    int32_t week_back;

    if (text[4] != '-' || week < 1)
        return false;
    /* 4 January is always in week 1. */
    int32_t monday = monday_of(civil_day(year, 1, 4)) + 7 * (week - 1);

    if (week_year(monday, &week_back) != year)
        return false;       /* there is no week 53 in most years */
    *ret = (struct period){ PERIOD_WEEK, monday };
    return true;
}

static bool parse_day(const char *text, int32_t year, int32_t month, struct period *ret)
{
    int32_t date = digits(text + 8, 2);
    int32_t year_back, month_back, date_back;

    if (text[7] != '-' || date < 1)
        return false;
    int32_t day = civil_day(year, month, date);

    civil_date(day, &year_back, &month_back, &date_back);
    if (month_back != month || date_back != date)
        return false;
    *ret = (struct period){ PERIOD_DAY, day };
    return true;
}

bool period_parse(const char *text, struct period *ret)
{
    size_t length = strnlen(text, PERIOD_SIZE);
    int32_t year = length >= 4 ? digits(text, 4) : -1;

    if (year < 0)
        return false;
    if (length == 4) {
        *ret = (struct period){ PERIOD_YEAR, year };
        return true;
    }
    if (length == 8 && text[5] == 'W')
        return parse_week(text, year, ret);
    if ((length != 7 && length != 10) || text[4] != '-')
        return false;

    int32_t month = digits(text + 5, 2);

    if (month < 1 || month > 12)
        return false;
    if (length == 10)
        return parse_day(text, year, month, ret);
    *ret = (struct period){ PERIOD_MONTH, year * 12 + month - 1 };
    return true;
}

const char *period_kind_name(enum period_kind kind)
{
    assert(kind < PERIOD_KINDS);
    return kind_names[kind];
}

bool period_kind_parse(const char *text, enum period_kind *ret)
{
    for (size_t i = 0; i < LENGTH(kind_names); i++)
        if (strcmp(kind_names[i], text) == 0) {
            *ret = (enum period_kind)i;
            return true;
        }
    return false;
}
