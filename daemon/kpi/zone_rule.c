/* The rule for the years after a zone file's last entry.
 *
 *     EST5EDT,M3.2.0,M11.1.0                 name, hours west, name, begin, end
 *     <-02>2<-01>,M3.5.0/-1,M10.5.0/0        with times of day that may be negative
 *     CST-8                                  no summer time
 *
 * A cursor walks the text; each piece either takes its bytes and answers true or the whole is
 * refused. Nothing here trusts the file. */
#include "kpi/zone_rule.h"

#include <ctype.h>
#include <string.h>

#include "base/instant.h"

static bool take(const char **at, char c)
{
    if (**at != c)
        return false;
    (*at)++;
    return true;
}

static bool take_number(const char **at, int32_t max, int32_t *ret)
{
    int32_t value = 0;
    const char *p = *at;

    while (isdigit((unsigned char)*p) && value <= max)
        value = value * 10 + (*p++ - '0');
    if (p == *at || value > max)
        return false;
    *at = p;
    *ret = value;
    return true;
}

static bool take_name(const char **at)
{
    const char *p = *at;

    if (*p == '<') {
        p = strchr(p, '>');
        if (!p)
            return false;
        *at = p + 1;
        return true;
    }
    while (isalpha((unsigned char)*p))
        p++;
    if (p - *at < 3)
        return false;
    *at = p;
    return true;
}

/* [+-]h[h[h]][:mm[:ss]] in seconds. */
static bool take_time(const char **at, int32_t *ret_s)
{
    int32_t hours = 0;
    int32_t minutes = 0;
    int32_t seconds = 0;
    bool negative = take(at, '-');

    if (!negative)
        (void)take(at, '+');    /* optional */
    if (!take_number(at, 167, &hours))
        return false;
    if (take(at, ':')) {
        if (!take_number(at, 59, &minutes))
            return false;
        if (take(at, ':') && !take_number(at, 59, &seconds))
            return false;
    }
    *ret_s = (hours * 3600 + minutes * 60 + seconds) * (negative ? -1 : 1);
    return true;
}

static bool take_weekday_rule(const char **at, struct zone_rule_edge *edge)
{
    edge->rule = ZONE_DAY_OF_WEEK;
    return take_number(at, 12, &edge->month) && edge->month >= 1 && take(at, '.') &&
           take_number(at, 5, &edge->week) && edge->week >= 1 && take(at, '.') &&
           take_number(at, 6, &edge->weekday);
}

static bool take_day_rule(const char **at, struct zone_rule_edge *edge)
{
    if (take(at, 'M'))
        return take_weekday_rule(at, edge);
    if (take(at, 'J')) {
        edge->rule = ZONE_DAY_JULIAN;
        return take_number(at, 365, &edge->day) && edge->day >= 1;
    }
    edge->rule = ZONE_DAY_ZERO_BASED;
    return take_number(at, 365, &edge->day);
}

static bool take_edge(const char **at, struct zone_rule_edge *edge)
{
    if (!take(at, ',') || !take_day_rule(at, edge))
        return false;
    edge->time_s = 2 * 3600;
    return !take(at, '/') || take_time(at, &edge->time_s);
}

bool zone_rule_parse(const char *text, struct zone_rule *ret)
{
    struct zone_rule rule = { 0 };
    int32_t west_s;

    if (!take_name(&text) || !take_time(&text, &west_s))
        return false;
    rule.standard_offset_s = -west_s;
    if (*text != '\0') {
        rule.has_summer = true;
        rule.summer_offset_s = rule.standard_offset_s + 3600;
        if (!take_name(&text))
            return false;
        if (*text != ',') {
            if (!take_time(&text, &west_s))
                return false;
            rule.summer_offset_s = -west_s;
        }
        if (!take_edge(&text, &rule.begin) || !take_edge(&text, &rule.end) || *text != '\0')
            return false;
    }
    *ret = rule;
    return true;
}

static bool is_leap(int32_t year)
{
    return civil_day(year, 3, 1) - civil_day(year, 2, 28) == 2;
}

/* Days since 1970-01-01 of the edge in `year`. */
static int32_t edge_day(const struct zone_rule_edge *edge, int32_t year)
{
    int32_t first = civil_day(year, 1, 1);

    if (edge->rule == ZONE_DAY_ZERO_BASED)
        return first + edge->day;
    if (edge->rule == ZONE_DAY_JULIAN)
        return first + edge->day - 1 + (is_leap(year) && edge->day >= 60 ? 1 : 0);

    first = civil_day(year, edge->month, 1);
    int32_t next = edge->month == 12 ? civil_day(year + 1, 1, 1)
                                     : civil_day(year, edge->month + 1, 1);
    int32_t weekday = (first + 4) % 7;      /* 1970-01-01 was a Thursday; Sunday is 0 */
    int32_t day = first + (edge->weekday - weekday + 7) % 7 + (edge->week - 1) * 7;

    while (day >= next)
        day -= 7;
    return day;
}

static int64_t edge_at(const struct zone_rule_edge *edge, int32_t year, int32_t offset_s)
{
    return ((int64_t)edge_day(edge, year) * 86400 + edge->time_s - offset_s) * 1000;
}

int64_t zone_rule_begin(const struct zone_rule *rule, int32_t year)
{
    return edge_at(&rule->begin, year, rule->standard_offset_s);
}

int64_t zone_rule_end(const struct zone_rule *rule, int32_t year)
{
    return edge_at(&rule->end, year, rule->summer_offset_s);
}
