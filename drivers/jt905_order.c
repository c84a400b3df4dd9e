/* Orders and inspections of JT/T 905; see jt905_order.h. */
#include "jt905_order.h"

#include <string.h>

enum {
    ORDER_TEXT_AT = 11,        /* 8B00: order, kind, time */
    RESULT_FULL = 11 + 16 + 2, /* 8B01: ... four coordinates, fee */
    TRIP_FIXED = 2 * JT905_LOCATION_LENGTH + 4 + 4 + 1 + 2 + 4,
    ISU_RECORD = 20,
};

/* A text that ends with 00, or with the body; moves `*at` behind it. */
static struct jt808_text text_at(const uint8_t *body, size_t length, size_t *at)
{
    size_t left = *at < length ? length - *at : 0;
    const uint8_t *begin = body + (left > 0 ? *at : 0);
    const uint8_t *end = left > 0 ? memchr(begin, 0, left) : NULL;
    struct jt808_text text = { begin, end ? (size_t)(end - begin) : left };

    *at += text.length + 1;
    return text;
}

static void read_wish(const uint8_t *body, struct jt905_order *o)
{
    o->kind = body[4];
    o->wanted_at = jt808_time_read(body + 5, JT808_OFFSET_S);
}

static bool read_result(const uint8_t *body, size_t length, struct jt905_order *o)
{
    size_t at = RESULT_FULL;

    o->won = length > 4;
    if (length < RESULT_FULL)
        return length == 4 || length > 5; /* an older body: kind, phone, place; won all the same */
    read_wish(body, o);
    o->phone = text_at(body, length, &at);
    o->place = text_at(body, length, &at);
    return true;
}

bool jt905_order_read(uint16_t id, const uint8_t *body, size_t length, struct jt905_order *ret)
{
    struct jt905_order o = { .wanted_at = JT808_NO_TIME };
    size_t at = ORDER_TEXT_AT;
    bool is_whole = length >= 4;

    if (!is_whole)
        return false;
    o.order = jt808_dword(body);
    switch (id) {
    case JT905_ORDER:
        is_whole = length >= ORDER_TEXT_AT;
        if (is_whole) {
            read_wish(body, &o);
            o.place = text_at(body, length, &at);
        }
        break;
    case JT905_GRAB_RESULT:
        is_whole = read_result(body, length, &o);
        break;
    case JT905_DRIVER_CANCELS:
        is_whole = length >= 5;
        o.reason = is_whole ? body[4] : 0;
        break;
    case JT905_GRAB:
    case JT905_DONE:
    case JT905_CENTRE_CANCELS:
        break;
    default:
        return false;
    }
    if (is_whole)
        *ret = o;
    return is_whole;
}

static size_t put_text(uint8_t *to, struct jt808_text text)
{
    size_t length = text.length < 255 ? text.length : 255;

    if (length > 0)
        memcpy(to, text.bytes, length);
    to[length] = 0;
    return length + 1;
}

static size_t put_wish(uint8_t *to, const struct jt905_order *o)
{
    to[4] = o->kind;
    if (o->wanted_at == JT808_NO_TIME)
        memset(to + 5, 0, 6);
    else
        jt808_time_write(to + 5, o->wanted_at, JT808_OFFSET_S);
    return ORDER_TEXT_AT;
}

size_t jt905_order_write(uint8_t *to, uint16_t id, const struct jt905_order *o)
{
    size_t n = 4;

    jt808_put_dword(to, o->order);
    switch (id) {
    case JT905_ORDER:
        n = put_wish(to, o);
        return n + put_text(to + n, o->place);
    case JT905_GRAB_RESULT:
        if (!o->won)
            return n;
        n = put_wish(to, o);
        memset(to + n, 0, RESULT_FULL - n);
        n = RESULT_FULL;
        n += put_text(to + n, o->phone);
        return n + put_text(to + n, o->place);
    case JT905_DRIVER_CANCELS:
        to[n++] = o->reason;
        return n;
    case JT905_GRAB:
    case JT905_DONE:
    case JT905_CENTRE_CANCELS:
        return n;
    default:
        return 0;
    }
}

bool jt905_trip_read(const uint8_t *body, size_t length, bool inverted_fix, struct jt905_trip *ret)
{
    const uint8_t *rest = body + 2 * JT905_LOCATION_LENGTH;
    struct jt905_trip t;

    if (length < TRIP_FIXED)
        return false;
    (void)jt808_location_read(body, JT905_LOCATION_LENGTH, JT905_2014, inverted_fix, &t.start);
    (void)jt808_location_read(body + JT905_LOCATION_LENGTH, JT905_LOCATION_LENGTH, JT905_2014,
                              inverted_fix, &t.end); /* both are as long as they must be */
    t.trip = jt808_dword(rest);
    t.rating = rest[8];
    t.order = jt808_dword(rest + 11);
    *ret = t;
    return true;
}

/* Do type, length and value follow each other to the very end? */
static bool is_list(const uint8_t *body, size_t length)
{
    size_t at = 0;

    while (at < length && length - at >= 2 && length - at - 2 >= body[at + 1])
        at += 2U + body[at + 1];
    return at == length;
}

bool jt905_device_next(const uint8_t *body, size_t length, size_t *at, struct jt905_device *ret)
{
    if (*at >= length)
        return false;
    if (!is_list(body, length)) {
        if (length != ISU_RECORD)
            return false;
        *ret = (struct jt905_device){ JT905_DEVICE_ISU, ISU_RECORD, body };
        *at = length;
        return true;
    }
    *ret = (struct jt905_device){ body[*at], body[*at + 1], body + *at + 2 };
    *at += 2U + ret->length;
    return true;
}
