/* Readings: what a point of a device says now, and the instant at which it was true. They are for
 * people, for the bench and for fault detection; they are not events and are not kept.
 *
 * No reading is better than an old one: whoever shows a reading asks how old it is, and a driver
 * hands over nothing that the device has not just said. Loop thread. */
#ifndef KPID_DRIVERS_READING_H
#define KPID_DRIVERS_READING_H

#include <stdbool.h>
#include <stdint.h>

enum {
    UNIT_SIZE = 65,             /* with its NUL: name of a device within its source */
    POINT_SIZE = 33,            /* name of a point: [a-z0-9][a-z0-9_.]* */
    READING_TEXT_SIZE = 129,
};

enum reading_status {
    READING_NONE,               /* never said anything yet */
    READING_GOOD,
    READING_FAILED,             /* the device does not answer for it; `text` says what happens */
    READING_UNSUPPORTED,        /* the device has no such point: neither good nor bad */
};

struct reading {
    const char *unit;           /* which device of the source; "" where a source is one device */
    const char *point;
    enum reading_status status;
    bool is_text;               /* the value is `text`, else `number` */
    double number;
    const char *text;           /* UTF-8; of an enumerated point its name, and `number` its number;
                                 * of READING_FAILED and READING_UNSUPPORTED why. May be NULL */
    bool at_least;              /* it is `number` or more: the device has no way to tell which */
    const char *measure;        /* "mV", "dB-Hz"; "" if it has none */
    int64_t true_at;            /* when it was true, wall clock */
    int64_t age_limit_ms;       /* older than this it must not be shown as present */
    int64_t moves_within_ms;    /* a good value that stays the same for longer is frozen; 0: it may
                                 * stand still */
};

/* What a device in service is seen to suffer from. Handed over as often as it is seen, in either
 * state; the house makes edges of it, after it has lasted (device.faulted, device.recovered). */
struct condition {
    const char *device;         /* id as in events: 1-64 bytes */
    const char *code;           /* of the fault: 1-64 bytes */
    bool active;
    int64_t at;                 /* when it was seen to be so */
    const char *site, *model;   /* go into the event; NULL: not known */
    const char *evidence;       /* JSON value for the event; NULL: none */
};

#endif
