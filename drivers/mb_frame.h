/* Modbus questions as bodies, and answers taken apart; why not by libmodbus: see mb_link.c. Pure.
 * Any thread. */
#ifndef KPID_DRIVERS_MB_FRAME_H
#define KPID_DRIVERS_MB_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Modbus over serial line 1.02, section 2.5.1.2; messaging on TCP/IP 1.0b, section 3.1.3. */
enum { MB_RTU_FRAME_MAX = 256, MB_TCP_FRAME_MAX = 260 };

enum mb_framing { MB_FRAMING_RTU, MB_FRAMING_TCP };

/* Unit, function and data, as they stand in a frame between its header and its CRC. */
struct mb_body {
    const uint8_t *bytes; /* from the unit on */
    size_t length;
};

enum mb_frame_state {
    MB_FRAME_SHORT, /* not whole yet */
    MB_FRAME_WHOLE,
    MB_FRAME_STRAY,   /* whole, but of another unit */
    MB_FRAME_GARBAGE, /* no answer to that request, or damaged */
};

/* CRC-16 of Modbus (polynomial A001 reflected, start FFFF); its low byte travels first. */
uint16_t mb_frame_crc(const uint8_t *bytes, size_t length);

/* A read (functions 1 to 4), a write or a diagnostic, as body; returns its length. `values` are
 * those to write, or the data of a diagnostic. `to` has MB_RTU_FRAME_MAX bytes. */
size_t mb_frame_request(uint8_t *to, uint8_t unit, uint8_t function, uint16_t address,
                        uint16_t count, const uint16_t *values);

/* Looks for the answer to the request `body` at the beginning of `bytes`. With MB_FRAME_WHOLE
 * `ret_answer` (borrows `bytes`) holds it: its function, or that of an exception, fits, and so does
 * its length. With MB_FRAME_STRAY it holds the other's. */
enum mb_frame_state mb_frame_answer(enum mb_framing framing, struct mb_body body,
                                    const uint8_t *bytes, size_t length,
                                    struct mb_body *ret_answer);

/* True if what there is may be the beginning of the answer to that request; false if nothing is. */
bool mb_frame_begins(enum mb_framing framing, struct mb_body request, const uint8_t *bytes,
                     size_t length);

/* The exception code of an answer; 0: it is none. */
int mb_frame_exception(struct mb_body answer);

/* The values of an answer to the read of `count` bits or registers. */
void mb_frame_values(struct mb_body answer, uint16_t count, uint16_t *values);

#endif
