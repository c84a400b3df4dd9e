/* Instants and civil dates in the proleptic Gregorian calendar. The calendar's arithmetic counts
 * years from March, so that the leap day is a year's last and no month needs a special case. */
#include "base/instant.h"

#include <assert.h>

enum { DAYS_OF_400_YEARS = 146097, DAYS_TO_1970_03 = 719468 };

int32_t civil_day(int32_t year, int32_t month, int32_t day)
{
    int32_t y = month <= 2 ? year - 1 : year;
    int32_t era = (y >= 0 ? y : y - 399) / 400;
    int32_t year_of_era = y - era * 400;
    int32_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int32_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * DAYS_OF_400_YEARS + day_of_era - DAYS_TO_1970_03;
}

void civil_date(int32_t days, int32_t *ret_year, int32_t *ret_month, int32_t *ret_day)
{
    int32_t z = days + DAYS_TO_1970_03;
    int32_t era = (z >= 0 ? z : z - (DAYS_OF_400_YEARS - 1)) / DAYS_OF_400_YEARS;
    int32_t day_of_era = z - era * DAYS_OF_400_YEARS;
    int32_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int32_t march_month = (5 * day_of_year + 2) / 153;

    *ret_day = day_of_year - (153 * march_month + 2) / 5 + 1;
    *ret_month = march_month < 10 ? march_month + 3 : march_month - 9;
    *ret_year = year_of_era + era * 400 + (*ret_month <= 2);
}

/* What is left of the text. Every step checks its own room. */
struct rest {
    const char *p;
    const char *end;
};

static bool digits(struct rest *rest, int count, int32_t *ret)
{
    int32_t value = 0;

    if (rest->end - rest->p < count)
        return false;
    for (int i = 0; i < count; i++) {
        char c = rest->p[i];

        if (c < '0' || c > '9')
            return false;
        value = value * 10 + (c - '0');
    }
    rest->p += count;
    *ret = value;
    return true;
}

static bool one_of(struct rest *rest, char a, char b)
{
    if (rest->p == rest->end || (*rest->p != a && *rest->p != b))
        return false;
    rest->p++;
    return true;
}

static bool date(struct rest *rest, int32_t *ret_days)
{
    int32_t year, month, day, back_year, back_month, back_day;

    if (!digits(rest, 4, &year) || !one_of(rest, '-', '-') || !digits(rest, 2, &month) ||
        !one_of(rest, '-', '-') || !digits(rest, 2, &day))
        return false;
    if (year < 1970 || month < 1 || month > 12 || day < 1 || day > 31)
        return false;

    /* A date that does not exist comes back as another one. */
    *ret_days = civil_day(year, month, day);
    civil_date(*ret_days, &back_year, &back_month, &back_day);
    return back_day == day;
}

/* None to three decimals, in milliseconds. */
static bool fraction(struct rest *rest, int32_t *ret_ms)
{
    int32_t value = 0, scale = 100;

    if (!one_of(rest, '.', '.')) {
        *ret_ms = 0;
        return true;
    }
    for (; rest->p < rest->end && *rest->p >= '0' && *rest->p <= '9'; rest->p++) {
        if (scale == 0)
            return false;
        value += (*rest->p - '0') * scale;
        scale /= 10;
    }
    *ret_ms = value;
    return scale < 100;
}

static bool time_of_day(struct rest *rest, int64_t *ret_ms)
{
    int32_t hour, minute, second, ms;

    if (!digits(rest, 2, &hour) || !one_of(rest, ':', ':') || !digits(rest, 2, &minute) ||
        !one_of(rest, ':', ':') || !digits(rest, 2, &second) || !fraction(rest, &ms))
        return false;
    if (hour > 23 || minute > 59 || second > 59)
        return false;
    *ret_ms = ((hour * 60 + minute) * 60 + second) * INT64_C(1000) + ms;
    return true;
}

static bool offset(struct rest *rest, int64_t *ret_ms)
{
    int32_t hour, minute, sign;

    if (one_of(rest, 'Z', 'z')) {
        *ret_ms = 0;
        return true;
    }
    sign = rest->p < rest->end && *rest->p == '-' ? -1 : 1;
    if (!one_of(rest, '+', '-') || !digits(rest, 2, &hour) || !one_of(rest, ':', ':') ||
        !digits(rest, 2, &minute) || hour > 23 || minute > 59)
        return false;
    *ret_ms = sign * (hour * 60 + minute) * INT64_C(60000);
    return true;
}

bool instant_parse(const char *text, size_t length, int64_t *ret_at)
{
    struct rest rest = { text, text + length };
    int64_t ms, offset_ms, at;
    int32_t days;

    if (!date(&rest, &days) || !one_of(&rest, 'T', 't') || !time_of_day(&rest, &ms) ||
        !offset(&rest, &offset_ms) || rest.p != rest.end)
        return false;

    /* The year counts in UTC, too: an offset must not lead out of what can be written back. */
    at = days * INT64_C(86400000) + ms - offset_ms;
    if (at < 0 || at >= civil_day(10000, 1, 1) * INT64_C(86400000))
        return false;
    *ret_at = at;
    return true;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* `count` digits and what stands behind them; returns where that ends. By hand, because every fact
 * that is read carries an instant, and printf took a third of its time. */
static char *put_digits(char *to, int32_t value, int count, char behind)
{
    for (int i = count; i > 0; i--) {
        to[i - 1] = (char)('0' + value % 10);
        value /= 10;
    }
    to[count] = behind;
    return to + count + 1;
}

char *instant_format(char to[INSTANT_SIZE], int64_t at, int32_t offset_s)
{
    int64_t local = at + offset_s * INT64_C(1000);
    int64_t days = floor_div(local, 86400000);
    int32_t ms = (int32_t)(local - days * 86400000);
    int32_t minutes = (offset_s < 0 ? -offset_s : offset_s) / 60;
    int32_t year, month, day;
    char *end = to;

    assert(days > INT32_MIN / 2 && days < INT32_MAX / 2);
    civil_date((int32_t)days, &year, &month, &day);
    assert(year >= 0 && year <= 99999);
    end = put_digits(end, year, year > 9999 ? 5 : 4, '-');
    end = put_digits(end, month, 2, '-');
    end = put_digits(end, day, 2, 'T');
    end = put_digits(end, ms / 3600000, 2, ':');
    end = put_digits(end, ms / 60000 % 60, 2, ':');
    end = put_digits(end, ms / 1000 % 60, 2, '.');
    end = put_digits(end, ms % 1000, 3, offset_s < 0 ? '-' : '+');
    end = put_digits(end, minutes / 60 % 100, 2, ':');
    (void)put_digits(end, minutes % 60, 2, '\0');    /* that is the end */
    return to;
}
