/* A terminal's position report: 0x0200 of JT/T 808 (2013 tables 23-28, 2019 tables 23-27) and of
 * JT/T 905 (25 bytes, its own units and bits), which also stand inside 0x0201, 0x0704, 0x0203 and
 * 0x0B05. Pure: bytes in, struct out, and back to the same bytes. */
#ifndef KPID_DRIVERS_JT808_LOCATION_H
#define KPID_DRIVERS_JT808_LOCATION_H

#include "jt808_frame.h"

#define JT808_NO_TIME INT64_MIN /* the terminal's clock was never set */

enum {
    JT808_LOCATION_LENGTH = 28,
    JT905_LOCATION_LENGTH = 25,
    JT808_ITEM_MAX = 255,
};

struct jt808_location {
    uint32_t alarm;        /* as sent; see jt808_alarm_find */
    uint32_t status;       /* as sent: its bits differ between 808 and 905 */
    uint32_t latitude_raw; /* 808: 1e-6 degree; 905: 1e-4 minute */
    uint32_t longitude_raw;
    int16_t altitude_m;  /* 808 */
    uint16_t speed_dkmh; /* 0.1 km/h */
    uint16_t course;     /* degrees; 905 sends halves of it */
    uint8_t time[6];     /* BCD YYMMDDhhmmss, GMT+8 */

    /* What the above mean: */
    int32_t latitude_e6; /* degrees; north and east are positive */
    int32_t longitude_e6;
    bool in_range;  /* on the globe; if not, do not compute with them */
    bool fixed;     /* the position is a fix; else it is stale or zero */
    bool encrypted; /* 808 status bit 5: not to be used */
    bool acc, hired, out_of_service, booked;
    int64_t at; /* of `time`; JT808_NO_TIME: no decimals, or no such date */

    /* Items behind it (808-2013 table 27, 2019 table 27): */
    const uint8_t *items; /* borrows */
    size_t items_length;
    bool items_overrun;    /* the last runs over the body: what stands before it counts */
    int16_t signal;        /* item 30, the maker's scale; -1: not sent */
    int16_t satellites;    /* item 31; -1: not sent */
    int64_t odometer_100m; /* item 01; -1: not sent */
};

/* Reads the body of a 0x0200 with whatever items follow. `inverted_fix`: this model says 1 for
 * fixed where 905 says 0. False if it is shorter than its fixed part. `ret` borrows from `body`. */
bool jt808_location_read(const uint8_t *body, size_t length, enum jt808_dialect dialect,
                         bool inverted_fix, struct jt808_location *ret);

/* Writes the raw members, then the items. Returns the length; `to` has room for the fixed part and
 * items_length. */
size_t jt808_location_write(uint8_t *to, const struct jt808_location *location,
                            enum jt808_dialect dialect);

/* Of a position in millionths of a degree, into the raw members and the status bits. */
void jt808_location_place(struct jt808_location *location, enum jt808_dialect dialect,
                          int32_t latitude_e6, int32_t longitude_e6);

/* The next item at `*at`, and moves it. False at the end, or where an item runs over. */
struct jt808_item {
    uint8_t id, length;
    const uint8_t *value;
};
bool jt808_item_next(const struct jt808_location *location, size_t *at, struct jt808_item *ret);

/* BCD YYMMDDhhmmss of the clock at UTC plus `offset_s` (GMT+8 everywhere but in 0x8004) to an
 * instant and back. JT808_NO_TIME if it is not decimal or no such date. */
int64_t jt808_time_read(const uint8_t bcd[6], int32_t offset_s);
void jt808_time_write(uint8_t bcd[6], int64_t at, int32_t offset_s);
enum { JT808_OFFSET_S = 8 * 3600 };

/* --- Alarm words: which bits are faults of a device */

enum jt808_alarm_table { JT808_ALARMS, JT905_ALARMS };

struct jt808_alarm {
    uint8_t bit;
    const char *code; /* "gnss_antenna_open", as in events */
    bool lasting;     /* on the road a fault only if it lasts for minutes: main supply lost
                       * usually means that the master switch is off */
};

/* The faults of a table, by bit; ends with a NULL code. 808-2013 table 24 bits 4-12 and 24; 905
 * bits 2-15, 23, 26-28. Which table a terminal speaks is told by its model, not by its messages
 * alone: 905 bits are met in 808 frames. */
const struct jt808_alarm *jt808_alarms(enum jt808_alarm_table table);
/* The same as a mask: 0x01001FF0, 0x1C80FFFC. */
uint32_t jt808_alarm_mask(enum jt808_alarm_table table);

#endif
