/* The server's side of Modbus, as bytes: requests found in a stream, answered by a lamp, framed.
 * Written from the public specifications ("Modbus application protocol V1.1b3", "Modbus over serial
 * line V1.02", "Modbus messaging on TCP/IP V1.0b") and not with libmodbus, because some of what a
 * bad controller sends libmodbus will not. Pure of I/O. */
#ifndef KPI_SIM_BENCH_MB_SERVER_H
#define KPI_SIM_BENCH_MB_SERVER_H

#include <stddef.h>
#include <stdint.h>

#include "lamp.h"

enum { MB_FRAME_MAX = 260 };

enum mb_framing { MB_RTU, MB_TCP };

struct mb_request {
    uint8_t unit;
    uint16_t transaction; /* TCP */
    const uint8_t *pdu;   /* borrows from the stream */
    size_t pdu_length;
    size_t frame_length; /* bytes of the stream that it takes */
};

/* CRC-16 of "Modbus over serial line", 6.2.2. */
uint16_t mb_crc(const uint8_t *bytes, size_t length);

enum mb_found { MB_NEED_MORE, MB_REQUEST, MB_GARBAGE };

/* The first request in the stream. MB_GARBAGE: the first `ret->frame_length` bytes are none. */
enum mb_found mb_find_request(enum mb_framing framing, const uint8_t *bytes, size_t length,
                              struct mb_request *ret);

/* What `lamp` answers, as PDU of at most MB_FRAME_MAX bytes. Returns its length. */
size_t mb_answer(struct lamp *lamp, int64_t now, const struct mb_request *request,
                 uint8_t to[MB_FRAME_MAX]);

/* Answer `pdu` to `request` as a frame, with what is wrong about the lamp's frames. Returns its
 * length; `to` has room for MB_FRAME_MAX bytes. */
size_t mb_frame(enum mb_framing framing, const struct mb_request *request, const uint8_t *pdu,
                size_t pdu_length, const struct troubles *troubles, uint8_t to[MB_FRAME_MAX]);

#endif
