/* Position reports of JT/T 808 and 905; see jt808_location.h. */
#include "jt808_location.h"

#include <string.h>

#include "base/instant.h"

enum {
    /* 808-2013 table 25, 2019 table 24 */
    ACC_808 = 1 << 0,
    FIXED_808 = 1 << 1,
    SOUTH_808 = 1 << 2,
    WEST_808 = 1 << 3,
    OUT_OF_SERVICE_808 = 1 << 4,
    ENCRYPTED_808 = 1 << 5,
    LOAD_808 = 3 << 8, /* 00 empty, 01 half, 11 full */
    /* 905.2-2014 */
    NOT_FIXED_905 = 1 << 0,
    SOUTH_905 = 1 << 1,
    WEST_905 = 1 << 2,
    OUT_OF_SERVICE_905 = 1 << 3,
    BOOKED_905 = 1 << 4,
    ACC_905 = 1 << 8,
    HIRED_905 = 1 << 9,
};

enum { ITEM_ODOMETER = 0x01, ITEM_SIGNAL = 0x30, ITEM_SATELLITES = 0x31 };

enum { LATITUDE_MAX_E6 = 90000000, LONGITUDE_MAX_E6 = 180000000 };

/* --- Time */

/* -1: not two decimal digits. */
static int bcd_byte(uint8_t byte)
{
    int high = byte >> 4, low = byte & 0x0f;

    return high > 9 || low > 9 ? -1 : high * 10 + low;
}

static int days_of_month(int year, int month)
{
    return month == 12 ? 31 : civil_day(year, month + 1, 1) - civil_day(year, month, 1);
}

int64_t jt808_time_read(const uint8_t bcd[6], int32_t offset_s)
{
    static const int least[6] = { 0, 1, 1, 0, 0, 0 }, most[6] = { 99, 12, 31, 23, 59, 59 };
    int part[6];

    for (int i = 0; i < 6; i++) {
        part[i] = bcd_byte(bcd[i]);
        if (part[i] < least[i] || part[i] > most[i])
            return JT808_NO_TIME;
    }
    if (part[2] > days_of_month(2000 + part[0], part[1]))
        return JT808_NO_TIME;
    int64_t days = civil_day(2000 + part[0], part[1], part[2]);
    return ((days * 24 + part[3]) * 3600 + part[4] * 60 + part[5] - offset_s) * 1000;
}

static uint8_t to_bcd(int value)
{
    return (uint8_t)(value / 10 << 4 | value % 10);
}

void jt808_time_write(uint8_t bcd[6], int64_t at, int32_t offset_s)
{
    int64_t seconds = at / 1000 + offset_s;
    int32_t year, month, day, of_day = (int32_t)(seconds % 86400);

    civil_date((int32_t)(seconds / 86400), &year, &month, &day);
    bcd[0] = to_bcd(year % 100);
    bcd[1] = to_bcd(month);
    bcd[2] = to_bcd(day);
    bcd[3] = to_bcd(of_day / 3600);
    bcd[4] = to_bcd(of_day / 60 % 60);
    bcd[5] = to_bcd(of_day % 60);
}

/* --- Position */

/* Millionths of a degree. Some terminals send a negative number as well as the hemisphere: such a
 * one carries its own sign. Saturates far beyond the globe. */
static int32_t to_e6(uint32_t raw, bool negative, enum jt808_dialect dialect)
{
    bool is_signed = raw & 0x80000000U;
    int64_t value = is_signed ? (int64_t)raw - INT64_C(0x100000000) : (int64_t)raw;
    int64_t e6 = dialect == JT905_2014 ? (value * 10 + (value < 0 ? -3 : 3)) / 6 : value;

    if (negative && !is_signed)
        e6 = -e6;
    return e6 > INT32_MAX ? INT32_MAX : e6 < -INT32_MAX ? -INT32_MAX : (int32_t)e6;
}

static void tell_position(struct jt808_location *l, enum jt808_dialect dialect)
{
    bool is_905 = dialect == JT905_2014;

    l->latitude_e6 = to_e6(l->latitude_raw, l->status & (is_905 ? SOUTH_905 : SOUTH_808), dialect);
    l->longitude_e6 = to_e6(l->longitude_raw, l->status & (is_905 ? WEST_905 : WEST_808), dialect);
    l->in_range = l->latitude_e6 >= -LATITUDE_MAX_E6 && l->latitude_e6 <= LATITUDE_MAX_E6 &&
                  l->longitude_e6 >= -LONGITUDE_MAX_E6 && l->longitude_e6 <= LONGITUDE_MAX_E6;
}

static void tell_status(struct jt808_location *l, enum jt808_dialect dialect, bool inverted_fix)
{
    uint32_t s = l->status;

    if (dialect == JT905_2014) {
        l->fixed = !(s & NOT_FIXED_905) != inverted_fix;
        l->acc = s & ACC_905;
        l->hired = s & HIRED_905;
        l->out_of_service = s & OUT_OF_SERVICE_905;
        l->booked = s & BOOKED_905;
    } else {
        l->fixed = !!(s & FIXED_808) != inverted_fix;
        l->acc = s & ACC_808;
        l->hired = (s & LOAD_808) == LOAD_808;
        l->out_of_service = s & OUT_OF_SERVICE_808;
        l->encrypted = s & ENCRYPTED_808;
    }
}

bool jt808_item_next(const struct jt808_location *l, size_t *at, struct jt808_item *ret)
{
    size_t left = l->items_length - *at;

    if (left < 2 || left - 2 < l->items[*at + 1])
        return false;
    *ret = (struct jt808_item){ l->items[*at], l->items[*at + 1], l->items + *at + 2 };
    *at += 2U + ret->length;
    return true;
}

/* Of an item only in the table's own length: makers reuse ids with others. */
static void tell_items(struct jt808_location *l)
{
    struct jt808_item item;
    size_t at = 0;

    l->signal = l->satellites = -1;
    l->odometer_100m = -1;
    while (jt808_item_next(l, &at, &item)) {
        if (item.id == ITEM_ODOMETER && item.length == 4)
            l->odometer_100m = jt808_dword(item.value);
        else if (item.id == ITEM_SIGNAL && item.length == 1)
            l->signal = item.value[0];
        else if (item.id == ITEM_SATELLITES && item.length == 1)
            l->satellites = item.value[0];
    }
    l->items_overrun = at < l->items_length;
}

static void read_808(const uint8_t *body, struct jt808_location *l)
{
    l->altitude_m = (int16_t)jt808_word(body + 16);
    l->speed_dkmh = jt808_word(body + 18);
    l->course = jt808_word(body + 20);
    memcpy(l->time, body + 22, sizeof l->time);
}

static void read_905(const uint8_t *body, struct jt808_location *l)
{
    l->speed_dkmh = jt808_word(body + 16);
    l->course = (uint16_t)(2 * body[18]);
    memcpy(l->time, body + 19, sizeof l->time);
}

bool jt808_location_read(const uint8_t *body, size_t length, enum jt808_dialect dialect,
                         bool inverted_fix, struct jt808_location *ret)
{
    size_t fixed_part = dialect == JT905_2014 ? JT905_LOCATION_LENGTH : JT808_LOCATION_LENGTH;
    struct jt808_location l = { 0 };

    if (length < fixed_part)
        return false;
    l.alarm = jt808_dword(body);
    l.status = jt808_dword(body + 4);
    l.latitude_raw = jt808_dword(body + 8);
    l.longitude_raw = jt808_dword(body + 12);
    if (dialect == JT905_2014)
        read_905(body, &l);
    else
        read_808(body, &l);
    l.at = jt808_time_read(l.time, JT808_OFFSET_S);
    l.items = body + fixed_part;
    l.items_length = length - fixed_part;
    tell_position(&l, dialect);
    tell_status(&l, dialect, inverted_fix);
    tell_items(&l);
    *ret = l;
    return true;
}

size_t jt808_location_write(uint8_t *to, const struct jt808_location *l, enum jt808_dialect dialect)
{
    size_t n = JT808_LOCATION_LENGTH;

    jt808_put_dword(to, l->alarm);
    jt808_put_dword(to + 4, l->status);
    jt808_put_dword(to + 8, l->latitude_raw);
    jt808_put_dword(to + 12, l->longitude_raw);
    if (dialect == JT905_2014) {
        jt808_put_word(to + 16, l->speed_dkmh);
        to[18] = (uint8_t)(l->course / 2);
        memcpy(to + 19, l->time, sizeof l->time);
        n = JT905_LOCATION_LENGTH;
    } else {
        jt808_put_word(to + 16, (uint16_t)l->altitude_m);
        jt808_put_word(to + 18, l->speed_dkmh);
        jt808_put_word(to + 20, l->course);
        memcpy(to + 22, l->time, sizeof l->time);
    }
    if (l->items_length > 0)
        memcpy(to + n, l->items, l->items_length);
    return n + l->items_length;
}

static uint32_t to_raw(int32_t e6, enum jt808_dialect dialect)
{
    int64_t magnitude = e6 < 0 ? -(int64_t)e6 : e6;

    return (uint32_t)(dialect == JT905_2014 ? (magnitude * 6 + 5) / 10 : magnitude);
}

static void set_bit(uint32_t *word, uint32_t bit, bool on)
{
    *word = on ? *word | bit : *word & ~bit;
}

void jt808_location_place(struct jt808_location *l, enum jt808_dialect dialect, int32_t latitude_e6,
                          int32_t longitude_e6)
{
    bool is_905 = dialect == JT905_2014;

    l->latitude_raw = to_raw(latitude_e6, dialect);
    l->longitude_raw = to_raw(longitude_e6, dialect);
    set_bit(&l->status, is_905 ? SOUTH_905 : SOUTH_808, latitude_e6 < 0);
    set_bit(&l->status, is_905 ? WEST_905 : WEST_808, longitude_e6 < 0);
    tell_position(l, dialect);
}

/* --- Alarm words */

/* 808-2013 table 24, 2019 table 25. */
static const struct jt808_alarm alarms_808[] = {
    { 4, "gnss_module", false },
    { 5, "gnss_antenna_open", false },
    { 6, "gnss_antenna_short", false },
    { 7, "main_power_undervoltage", false },
    { 8, "main_power_lost", true },
    { 9, "lcd", false },
    { 10, "tts", false },
    { 11, "camera", false },
    { 12, "ic_card_module", false },
    { 24, "speed_sensor", false },
    { 0, NULL, false },
};

/* 905.2-2014, the alarm bits of the location message. */
static const struct jt808_alarm alarms_905[] = {
    { 2, "gnss_module", false },
    { 3, "gnss_antenna_open", false },
    { 4, "gnss_antenna_short", false },
    { 5, "main_power_undervoltage", false },
    { 6, "main_power_lost", true },
    { 7, "isu_lcd", false },
    { 8, "tts", false },
    { 9, "camera", false },
    { 10, "taximeter", false },
    { 11, "evaluator", false },
    { 12, "led_ad_screen", false },
    { 13, "lcd_screen", false },
    { 14, "security_module", false },
    { 15, "led_roof_light", false },
    { 23, "speed_sensor", false },
    { 26, "isu_storage", false },
    { 27, "audio_recorder", false },
    { 28, "taximeter_clock", false },
    { 0, NULL, false },
};

const struct jt808_alarm *jt808_alarms(enum jt808_alarm_table table)
{
    return table == JT905_ALARMS ? alarms_905 : alarms_808;
}

uint32_t jt808_alarm_mask(enum jt808_alarm_table table)
{
    uint32_t mask = 0;

    for (const struct jt808_alarm *a = jt808_alarms(table); a->code; a++)
        mask |= UINT32_C(1) << a->bit;
    return mask;
}
