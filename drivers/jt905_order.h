/* The taxi messages of JT/T 905.2-2014 that tell the life of an order by phone, and the inspection
 * of a taxi's devices. Numbers as the public codecs of the standard agree on them; the driver's
 * grab is 0x0B01. Pure; texts are GBK, borrow from the body and end before their zero. */
#ifndef KPID_DRIVERS_JT905_ORDER_H
#define KPID_DRIVERS_JT905_ORDER_H

#include "jt808_body.h"
#include "jt808_location.h"

/* T: from the taxi (ISU), P: from the centre. */
enum {
    JT905_TRACK_REPORT = 0x0202,   /* T: as a location */
    JT905_BACKFILL = 0x0203,       /* T: locations without items */
    JT905_GRAB = 0x0B01,           /* T: the driver wants the order */
    JT905_SIGN_IN = 0x0B03,        /* T */
    JT905_SIGN_OUT = 0x0B04,       /* T */
    JT905_TRIP = 0x0B05,           /* T */
    JT905_DONE = 0x0B07,           /* T: the call task is done */
    JT905_DRIVER_CANCELS = 0x0B08, /* T */
    JT905_INSPECTION = 0x0B11,     /* T */
    JT905_ORDER = 0x8B00,          /* P: to one or many taxis */
    JT905_GRAB_RESULT = 0x8B01,    /* P: won, or not */
    JT905_CENTRE_CANCELS = 0x8B09, /* P */
    JT905_INSPECT = 0x8B11,        /* P */
};

struct jt905_order { /* any of 8B00, 0B01, 8B01, 0B07, 0B08, 8B09 */
    uint32_t order;
    uint8_t kind;            /* 8B00, full 8B01: 0 now, 1 booked ahead, 2 assigned */
    int64_t wanted_at;       /* the same; JT808_NO_TIME if unused */
    bool won;                /* 8B01: a body of the order id alone means that it was not */
    uint8_t reason;          /* 0B08: 0 accident, 1 jam, 2 other */
    struct jt808_text place; /* 8B00: rough; 8B01: exact */
    struct jt808_text phone; /* 8B01 */
};
/* False if `id` is none of them or the body is too short for it. */
bool jt905_order_read(uint16_t id, const uint8_t *body, size_t length, struct jt905_order *ret);
/* Returns the length, 0 if `id` is none of them. `to` has room for JT808_BODY_MAX. A full 8B01 is
 * written with coordinates of 0, which means unused. */
size_t jt905_order_write(uint8_t *to, uint16_t id, const struct jt905_order *order);

struct jt905_trip { /* 0B05 */
    struct jt808_location start, end;
    uint32_t trip;
    uint32_t order; /* 0: hailed in the street */
    uint8_t rating; /* 0 none, 1 good, 2 fair, 3 bad, 4 complaint */
};
bool jt905_trip_read(const uint8_t *body, size_t length, bool inverted_fix, struct jt905_trip *ret);

struct jt905_device { /* one of a 0B11 */
    uint8_t type;     /* 00 ISU, 02 taximeter, 05 roof light ... */
    uint8_t length;
    const uint8_t *value; /* what it answered to "query state" */
};
enum { JT905_DEVICE_ISU = 0x00, JT905_DEVICE_ROOF_LIGHT = 0x05 };
/* `*at` begins at 0; false at the end. A body that is no list and has the 20 bytes of an ISU's
 * record is that one record: a known terminal sends it bare. */
bool jt905_device_next(const uint8_t *body, size_t length, size_t *at, struct jt905_device *ret);

#endif
