/* Frames of the peripherals' line and the roof light's data; see jt905_serial.h. */
#include "jt905_serial.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "jt808_location.h"

enum { MARK_FIRST = 0x55, MARK_SECOND = 0xaa, AROUND = 7, LENGTH_LEAST = 4 };

static bool is_mark(const uint8_t *p)
{
    return p[0] == MARK_FIRST && p[1] == MARK_SECOND;
}

static uint8_t check_of(const uint8_t *bytes, size_t length)
{
    uint8_t check = 0;

    for (size_t i = 0; i < length; i++)
        check ^= bytes[i];
    return check;
}

enum beginning { BEGINS_NOTHING, BEGINS_MAYBE, BEGINS_FRAME };

/* Whether a frame begins at the first of `left` bytes. `ret_length` is what it counts. */
static enum beginning begins(const uint8_t *p, size_t left, size_t *ret_length)
{
    if (p[0] != MARK_FIRST || (left > 1 && p[1] != MARK_SECOND))
        return BEGINS_NOTHING;
    if (left < 4)
        return BEGINS_MAYBE;
    *ret_length = jt808_word(p + 2);
    if (*ret_length < LENGTH_LEAST || *ret_length > JT905_LENGTH_MAX)
        return BEGINS_NOTHING;
    if (left < *ret_length + AROUND)
        return BEGINS_MAYBE;
    if (!is_mark(p + *ret_length + 5) || check_of(p + 2, *ret_length + 2) != p[*ret_length + 4])
        return BEGINS_NOTHING;
    return BEGINS_FRAME;
}

bool jt905_serial_find(const uint8_t *bytes, size_t length, bool at_end, struct jt905_frame *ret,
                       size_t *ret_used, size_t *ret_garbage)
{
    size_t at = 0, counted = 0;

    for (; at < length; at++) {
        const uint8_t *p = bytes + at;
        enum beginning beginning = begins(p, length - at, &counted);

        if (beginning == BEGINS_MAYBE && !at_end)
            break;
        if (beginning != BEGINS_FRAME)
            continue;
        *ret = (struct jt905_frame){ p[4], p[5], jt808_word(p + 6), p + 8, counted - 4 };
        *ret_used = at + counted + AROUND;
        *ret_garbage = at;
        return true;
    }
    *ret_used = *ret_garbage = at;
    return false;
}

size_t jt905_serial_write(uint8_t *to, const struct jt905_frame *frame)
{
    size_t counted = frame->length + 4;

    assert(frame->length <= JT905_DATA_MAX);
    to[0] = MARK_FIRST;
    to[1] = MARK_SECOND;
    jt808_put_word(to + 2, (uint16_t)counted);
    to[4] = frame->device_type;
    to[5] = frame->maker;
    jt808_put_word(to + 6, frame->command);
    if (frame->length > 0)
        memcpy(to + 8, frame->data, frame->length);
    to[counted + 4] = check_of(to + 2, counted + 2);
    to[counted + 5] = MARK_FIRST;
    to[counted + 6] = MARK_SECOND;
    return counted + AROUND;
}

/* The time of JT/T 808 behind a century. */
void jt905_time_write(uint8_t to[JT905_TIME_LENGTH], int64_t at)
{
    to[0] = 0x20;
    jt808_time_write(to + 1, at, JT808_OFFSET_S);
}

bool jt905_time_read(const uint8_t from[JT905_TIME_LENGTH], int64_t *ret_at)
{
    int64_t at = from[0] == 0x20 ? jt808_time_read(from + 1, JT808_OFFSET_S) : JT808_NO_TIME;

    if (at == JT808_NO_TIME)
        return false;
    *ret_at = at;
    return true;
}

bool jt905_lamp_state_read(const uint8_t *data, size_t length, struct jt905_lamp_state *ret)
{
    if (length != JT905_LAMP_STATE_LENGTH)
        return false;
    *ret = (struct jt905_lamp_state){ .hardware = data[5],
                                      .firmware_main = data[6],
                                      .firmware_minor = data[7],
                                      .device_state = data[8],
                                      .show_state = data[9],
                                      .night_mode = data[10] };
    jt808_hex(ret->device_number, data, 5);
    memcpy(ret->reserved, data + 11, sizeof ret->reserved);
    return true;
}

void jt905_lamp_state_write(uint8_t to[JT905_LAMP_STATE_LENGTH],
                            const struct jt905_lamp_state *state)
{
    const uint8_t middle[] = { state->hardware,     state->firmware_main, state->firmware_minor,
                               state->device_state, state->show_state,    state->night_mode };

    if (!jt808_unhex(to, state->device_number, 5))
        memset(to, 0, 5);
    memcpy(to + 5, middle, sizeof middle);
    memcpy(to + 11, state->reserved, sizeof state->reserved);
}
