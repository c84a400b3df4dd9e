/* Modbus frames taken apart by hand; see mb_frame.h. */
#include "mb_frame.h"

#include <assert.h>
#include <string.h>

#include "mb_map.h"

enum { EXCEPTION = 0x80, MBAP_LENGTH = 6 /* up to the unit */, CRC_LENGTH = 2 };

uint16_t mb_frame_crc(const uint8_t *bytes, size_t length)
{
    static const uint16_t of_nibble[] = {
        /* four steps of the division each */
        0x0000, 0xCC01, 0xD801, 0x1400, 0xF001, 0x3C00, 0x2800, 0xE401,
        0xA001, 0x6C00, 0x7800, 0xB401, 0x5000, 0x9C01, 0x8801, 0x4400,
    };
    uint16_t crc = 0xFFFF;

    for (size_t i = 0; i < length; i++) {
        crc ^= bytes[i];
        crc = (uint16_t)(crc >> 4 ^ of_nibble[crc & 15]);
        crc = (uint16_t)(crc >> 4 ^ of_nibble[crc & 15]);
    }
    return crc;
}

static void put16(uint8_t *to, uint16_t value)
{
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
}

static uint16_t get16(const uint8_t *from)
{
    return (uint16_t)(from[0] << 8 | from[1]);
}

static bool is_read(uint8_t function)
{
    return function >= MB_READ_COILS && function <= MB_READ_INPUT;
}

size_t mb_frame_request(uint8_t *to, uint8_t unit, uint8_t function, uint16_t address,
                        uint16_t count, const uint16_t *values)
{
    to[0] = unit;
    to[1] = function;
    put16(to + 2, address);
    if (function == MB_WRITE_REGISTER || function == MB_DIAGNOSTICS) {
        put16(to + 4, values[0]);
        return 6;
    }
    put16(to + 4, count);
    if (is_read(function))
        return 6;
    assert(function == MB_WRITE_REGISTERS && count <= MB_WRITE_REGISTERS_MAX);
    to[6] = (uint8_t)(2 * count);
    for (uint16_t i = 0; i < count; i++)
        put16(to + 7 + 2 * i, values[i]);
    return 7 + 2 * (size_t)count;
}

/* Of the answer to that request, from the unit on and without CRC: every answer but an exception
 * has one length only. */
static size_t body_length(struct mb_body request, uint8_t answered)
{
    uint16_t count = get16(request.bytes + 4);

    if (answered & EXCEPTION)
        return 3;
    if (!is_read(request.bytes[1]))
        return 6;
    if (request.bytes[1] <= MB_READ_DISCRETE_INPUTS)
        return 3 + ((size_t)count + 7) / 8;
    return 3 + 2 * (size_t)count;
}

/* A write or a diagnostic repeats the address; all but the data of a diagnostic must be equal, for
 * there it may say that the unit is broken. */
static bool body_fits(struct mb_body request, struct mb_body answer)
{
    uint8_t function = answer.bytes[1];

    if (function == (request.bytes[1] | EXCEPTION))
        return answer.bytes[2] != 0; /* there is no exception 0 */
    if (function != request.bytes[1])
        return false;
    if (is_read(function))
        return answer.bytes[2] == answer.length - 3;
    return memcmp(request.bytes + 2, answer.bytes + 2, function == MB_DIAGNOSTICS ? 2 : 4) == 0;
}

static enum mb_frame_state rtu_answer(struct mb_body request, const uint8_t *bytes, size_t length,
                                      struct mb_body *ret)
{
    size_t want;

    if (length < 2)
        return MB_FRAME_SHORT;
    want = body_length(request, bytes[1]);
    if (length < want + CRC_LENGTH)
        return MB_FRAME_SHORT;
    if (mb_frame_crc(bytes, want) != (bytes[want] | bytes[want + 1] << 8))
        return MB_FRAME_GARBAGE;
    *ret = (struct mb_body){ bytes, want };
    return MB_FRAME_WHOLE;
}

static enum mb_frame_state tcp_answer(struct mb_body request, const uint8_t *bytes, size_t length,
                                      struct mb_body *ret)
{
    size_t want;

    if (length < MBAP_LENGTH)
        return MB_FRAME_SHORT;
    want = get16(bytes + 4);
    /* As libmodbus sends raw requests: transaction 0. */
    if (get16(bytes) != 0 || get16(bytes + 2) != 0 || want < 3 ||
        want > MB_TCP_FRAME_MAX - MBAP_LENGTH)
        return MB_FRAME_GARBAGE;
    if (length < MBAP_LENGTH + want)
        return MB_FRAME_SHORT;
    *ret = (struct mb_body){ bytes + MBAP_LENGTH, want };
    return want == body_length(request, ret->bytes[1]) ? MB_FRAME_WHOLE : MB_FRAME_GARBAGE;
}

enum mb_frame_state mb_frame_answer(enum mb_framing framing, struct mb_body body,
                                    const uint8_t *bytes, size_t length, struct mb_body *ret_answer)
{
    struct mb_body answer = { 0 };
    enum mb_frame_state state;

    assert(body.length >= 6);
    if (framing == MB_FRAMING_RTU)
        state = rtu_answer(body, bytes, length, &answer);
    else
        state = tcp_answer(body, bytes, length, &answer);
    if (state != MB_FRAME_WHOLE)
        return state;
    *ret_answer = answer;
    if (answer.bytes[0] != body.bytes[0])
        return MB_FRAME_STRAY;
    return body_fits(body, answer) ? MB_FRAME_WHOLE : MB_FRAME_GARBAGE;
}

bool mb_frame_begins(enum mb_framing framing, struct mb_body request, const uint8_t *bytes,
                     size_t length)
{
    size_t unit = framing == MB_FRAMING_TCP ? MBAP_LENGTH : 0;

    for (size_t i = 0; i < unit && i < 4; i++) /* transaction and protocol */
        if (i < length && bytes[i] != 0)
            return false;
    return length > 0 && (length <= unit || bytes[unit] == request.bytes[0]) &&
           (length <= unit + 1 || (bytes[unit + 1] & ~EXCEPTION) == request.bytes[1]);
}

int mb_frame_exception(struct mb_body answer)
{
    return answer.bytes[1] & EXCEPTION ? answer.bytes[2] : 0;
}

void mb_frame_values(struct mb_body answer, uint16_t count, uint16_t *values)
{
    const uint8_t *data = answer.bytes + 3;
    bool is_bits = answer.bytes[1] <= MB_READ_DISCRETE_INPUTS;

    for (uint16_t i = 0; i < count; i++) {
        if (is_bits)
            values[i] = (data[i / 8] & 1 << i % 8) != 0;
        else
            values[i] = get16(data + 2 * i);
    }
}
