/* The server's side of Modbus; see mb_server.h. */
#include "mb_server.h"

#include <assert.h>
#include <string.h>

enum {
    READ_HOLDING = 3,
    READ_INPUT = 4,
    WRITE_ONE = 6,
    DIAGNOSTICS = 8,
    WRITE_MANY = 16,
    EXCEPTION = 0x80,
    ILLEGAL_FUNCTION = 1,
    ILLEGAL_ADDRESS = 2,
    ILLEGAL_VALUE = 3,
    READ_MAX = 125,
    WRITE_MAX = 123,
    TCP_HEADER = 7,
    PDU_MAX = 253,
    RTU_MIN = 4,
};

static uint16_t word(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static void put_word(uint8_t *to, unsigned value)
{
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
}

uint16_t mb_crc(const uint8_t *bytes, size_t length)
{
    unsigned crc = 0xFFFF;

    for (size_t i = 0; i < length; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0xA001 : crc >> 1;
    }
    return (uint16_t)crc;
}

static bool crc_is_right(const uint8_t *frame, size_t length)
{
    uint16_t crc = mb_crc(frame, length - 2);

    return frame[length - 2] == (uint8_t)crc && frame[length - 1] == crc >> 8;
}

/* Bytes of the RTU request that begins here; 0: not known yet; -1: by its CRC alone. */
static int rtu_length(const uint8_t *bytes, size_t length)
{
    if (length < 2)
        return 0;
    switch (bytes[1]) {
    case 1:
    case 2:
    case READ_HOLDING:
    case READ_INPUT:
    case 5:
    case WRITE_ONE:
    case DIAGNOSTICS:
        return 8;
    case 15:
    case WRITE_MANY:
        return length < 7 ? 0 : 9 + bytes[6];
    default:
        return -1;
    }
}

static enum mb_found find_rtu(const uint8_t *bytes, size_t length, struct mb_request *ret)
{
    int wanted = rtu_length(bytes, length);

    if (wanted == 0 || length < RTU_MIN || (wanted > 0 && length < (size_t)wanted))
        return MB_NEED_MORE;
    if (wanted < 0)
        wanted = length > 256 ? 256 : (int)length;
    *ret = (struct mb_request){ .unit = bytes[0],
                                .pdu = bytes + 1,
                                .pdu_length = (size_t)wanted - 3,
                                .frame_length = (size_t)wanted };
    if (crc_is_right(bytes, (size_t)wanted))
        return MB_REQUEST;
    ret->frame_length = 1;
    return MB_GARBAGE;
}

static enum mb_found find_tcp(const uint8_t *bytes, size_t length, struct mb_request *ret)
{
    size_t rest;

    if (length < TCP_HEADER + 1)
        return MB_NEED_MORE;
    rest = word(bytes + 4);
    if (word(bytes + 2) != 0 || rest < 2 || rest > PDU_MAX + 1) {
        ret->frame_length = length;
        return MB_GARBAGE;
    }
    if (length < 6 + rest)
        return MB_NEED_MORE;
    *ret = (struct mb_request){ .unit = bytes[6],
                                .transaction = word(bytes),
                                .pdu = bytes + TCP_HEADER,
                                .pdu_length = rest - 1,
                                .frame_length = 6 + rest };
    return MB_REQUEST;
}

enum mb_found mb_find_request(enum mb_framing framing, const uint8_t *bytes, size_t length,
                              struct mb_request *ret)
{
    return framing == MB_RTU ? find_rtu(bytes, length, ret) : find_tcp(bytes, length, ret);
}

static uint8_t answer_read(struct lamp *lamp, int64_t now, const uint8_t *pdu, size_t length,
                           uint8_t *to, size_t *ret_length)
{
    unsigned address, count;
    uint16_t value = 0;

    if (length != 5)
        return ILLEGAL_VALUE;
    address = word(pdu + 1);
    count = word(pdu + 3);
    if (count < 1 || count > READ_MAX)
        return ILLEGAL_VALUE;
    for (unsigned i = 0; i < count; i++) {
        uint8_t exception = lamp_read(lamp, now, address + i, &value);

        if (exception)
            return exception;
        put_word(to + 2 + 2 * i, value);
    }
    to[1] = (uint8_t)(2 * count);
    *ret_length = 2 + 2 * (size_t)count;
    return 0;
}

static uint8_t answer_write_one(struct lamp *lamp, int64_t now, const uint8_t *pdu, size_t length,
                                uint8_t *to, size_t *ret_length)
{
    if (length != 5)
        return ILLEGAL_VALUE;
    memcpy(to, pdu, 5);
    *ret_length = 5;
    return lamp_write(lamp, now, word(pdu + 1), word(pdu + 3));
}

static uint8_t answer_write_many(struct lamp *lamp, int64_t now, const uint8_t *pdu, size_t length,
                                 uint8_t *to, size_t *ret_length)
{
    unsigned address, count;

    if (length < 6)
        return ILLEGAL_VALUE;
    address = word(pdu + 1);
    count = word(pdu + 3);
    if (count < 1 || count > WRITE_MAX || pdu[5] != 2 * count || length != 6 + 2 * count)
        return ILLEGAL_VALUE;
    for (unsigned i = 0; i < count; i++) {
        uint8_t exception = lamp_write(lamp, now, address + i, word(pdu + 6 + 2 * i));

        if (exception)
            return exception;
    }
    memcpy(to, pdu, 5);
    *ret_length = 5;
    return 0;
}

/* Sub-function 0, "return query data", alone. */
static uint8_t answer_echo(const uint8_t *pdu, size_t length, uint8_t *to, size_t *ret_length)
{
    if (length < 3 || word(pdu + 1) != 0)
        return ILLEGAL_FUNCTION;
    memcpy(to, pdu, length);
    *ret_length = length;
    return 0;
}

static uint8_t answer(struct lamp *lamp, int64_t now, const struct mb_request *request, uint8_t *to,
                      size_t *ret_length)
{
    const uint8_t *pdu = request->pdu;
    size_t length = request->pdu_length;

    if (has_trouble(lamp->troubles, TROUBLE_EXCEPTION))
        return (uint8_t)lamp->troubles->of[TROUBLE_EXCEPTION].value;
    switch (pdu[0]) {
    case READ_HOLDING:
        return answer_read(lamp, now, pdu, length, to, ret_length);
    case WRITE_ONE:
        return answer_write_one(lamp, now, pdu, length, to, ret_length);
    case DIAGNOSTICS:
        return answer_echo(pdu, length, to, ret_length);
    case WRITE_MANY:
        return answer_write_many(lamp, now, pdu, length, to, ret_length);
    default:
        return ILLEGAL_FUNCTION;
    }
}

size_t mb_answer(struct lamp *lamp, int64_t now, const struct mb_request *request,
                 uint8_t to[MB_FRAME_MAX])
{
    size_t length = 2;
    uint8_t exception = answer(lamp, now, request, to, &length);

    to[0] = request->pdu[0];
    if (!exception)
        return length;
    to[0] |= EXCEPTION;
    to[1] = exception;
    return 2;
}

size_t mb_frame(enum mb_framing framing, const struct mb_request *request, const uint8_t *pdu,
                size_t pdu_length, const struct troubles *troubles, uint8_t to[MB_FRAME_MAX])
{
    uint8_t unit = (uint8_t)(request->unit + has_trouble(troubles, TROUBLE_WRONG_UNIT));
    unsigned spoilt = has_trouble(troubles, TROUBLE_CRC) ? 0x5A : 0, crc;

    assert(pdu_length <= PDU_MAX);
    if (framing == MB_TCP) {
        put_word(to, request->transaction ^ spoilt);
        put_word(to + 2, 0);
        put_word(to + 4, (unsigned)pdu_length + 1);
        to[6] = unit;
        memcpy(to + TCP_HEADER, pdu, pdu_length);
        return TCP_HEADER + pdu_length;
    }
    to[0] = unit;
    memcpy(to + 1, pdu, pdu_length);
    crc = mb_crc(to, pdu_length + 1) ^ spoilt;
    to[pdu_length + 1] = (uint8_t)crc;
    to[pdu_length + 2] = (uint8_t)(crc >> 8);
    return pdu_length + 3;
}
