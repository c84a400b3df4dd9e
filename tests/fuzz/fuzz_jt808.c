/* Any bytes as a stream of JT/T 808 and 905, in two pieces: what is cut is read, every body by
 * every reader, and a message that was read is written and read again as the same. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "jt905_order.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_locations(const struct jt808_message *m)
{
    struct jt808_location l;
    uint8_t again[JT808_FRAME_MAX];
    const uint8_t *report;
    size_t at = 0, length;

    if (jt808_location_read(m->body, m->length, m->dialect, false, &l)) {
        size_t n = jt808_location_write(again, &l, m->dialect);

        assert(n == m->length);
        /* 905 halves the course, and a byte holds it: nothing is lost. */
        assert(memcmp(again, m->body, n) == 0);
    }
    while (jt808_batch_next(m->body, m->length, m->dialect, &at, &report, &length))
        (void)jt808_location_read(report, length, m->dialect, true, &l);
}

static void read_bodies(const struct jt808_message *m)
{
    struct jt808_reply reply;
    struct jt808_register reg;
    struct jt808_register_reply reg_reply;
    struct jt808_auth auth;
    struct jt808_attributes attributes;
    struct jt808_parameter parameter;
    struct jt905_order order;
    struct jt905_trip trip;
    struct jt905_device device;
    size_t at = 0;

    (void)jt808_reply_read(m->body, m->length, &reply);
    (void)jt808_register_read(m->body, m->length, m->dialect, &reg);
    (void)jt808_register_reply_read(m->body, m->length, &reg_reply);
    (void)jt808_auth_read(m->body, m->length, m->dialect, &auth);
    (void)jt808_attributes_read(m->body, m->length, m->dialect, &attributes);
    (void)jt905_order_read(m->id, m->body, m->length, &order);
    (void)jt905_trip_read(m->body, m->length, false, &trip);
    while (jt808_parameter_next(m->body, m->length, m->dialect, &at, &parameter))
        ;
    at = 0;
    while (jt905_device_next(m->body, m->length, &at, &device))
        ;
    read_locations(m);
}

static bool keep(void *arg, enum jt808_fault fault, const uint8_t *frame, size_t length)
{
    struct jt808_message *again = arg;

    (void)jt808_read(frame, length, JT808_UNKNOWN, again);
    return fault == JT808_WELL;
}

static void write_again(const struct jt808_message *m)
{
    uint8_t wire[JT808_WIRE_MAX];
    struct jt808_framer framer = { 0 };
    struct jt808_message again = { 0 };
    size_t n = jt808_write(wire, m);

    assert(n > 0 || m->length > JT808_BODY_MAX);
    (void)jt808_framer_feed(&framer, wire, n, keep, &again);
    jt808_framer_reset(&framer);
    assert(n == 0 || (again.id == m->id && again.serial == m->serial));
}

static bool take(void *arg, enum jt808_fault fault, const uint8_t *frame, size_t length)
{
    const enum jt808_dialect *known = arg;
    struct jt808_message m;

    if (fault != JT808_WELL) {
        assert(!frame);
        return true;
    }
    if (jt808_read(frame, length, *known, &m) != JT808_WELL)
        return true;
    read_bodies(&m);
    write_again(&m);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct jt808_framer framer = { 0 };
    enum jt808_dialect known;
    size_t first;

    if (size < 2)
        return 0;
    known = (enum jt808_dialect)(data[0] % 4);
    first = data[1] % (size - 1);
    (void)jt808_framer_feed(&framer, data + 2, first < size - 2 ? first : size - 2, take, &known);
    if (first < size - 2)
        (void)jt808_framer_feed(&framer, data + 2 + first, size - 2 - first, take, &known);
    jt808_framer_reset(&framer);
    return 0;
}
