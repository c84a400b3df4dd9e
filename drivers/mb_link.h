/* One line to Modbus units, and one question with its answer at a time: the only file that knows
 * libmodbus. It blocks: everything here is for the one thread that owns the link (or for a probe).
 *
 * What it guarantees, whatever the units do:
 *   - a late answer never answers the next question: input is drained before each; after a time-out
 *     a serial line is listened to until the longest answer has passed, a TCP connection is
 * dropped;
 *   - t3.5 of silence before each request on a serial line;
 *   - nothing is ever sent to unit 0, which would be everybody. */
#ifndef KPID_DRIVERS_MB_LINK_H
#define KPID_DRIVERS_MB_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "serial_port.h"

enum mb_transport { MB_RTU, MB_TCP, MB_RTU_OVER_TCP };

/* Borrowed by the link for as long as it lives. */
struct mb_line {
    enum mb_transport transport;
    char *device; /* RTU: path */
    uint32_t baud, stop_bits;
    enum serial_parity parity;
    char *host; /* TCP */
    uint32_t port;
    int64_t idle_ms;    /* silence that ends a frame before its length; 0: by transport */
    int64_t silence_us; /* before each request; negative: t3.5 of the baud rate */
    int64_t connect_ms; /* how long a connection may take to come about */
    bool echoes;        /* what we send comes back before the answer */
};

enum mb_result {
    MB_OK,
    MB_TIMEOUT,   /* no answer, or half of one: see `half` */
    MB_DAMAGED,   /* an answer with a wrong CRC or length */
    MB_STRAY,     /* an answer of another unit */
    MB_EXCEPTION, /* the unit says no: see `exception` */
    MB_GONE,      /* the line itself has failed and is closed */
};

/* Exceptions of the application protocol 1.1b3, section 7. */
enum mb_exception {
    MB_ILLEGAL_FUNCTION = 1,
    MB_ILLEGAL_ADDRESS = 2,
    MB_ILLEGAL_VALUE = 3,
    MB_DEVICE_FAILURE = 4,
    MB_ACKNOWLEDGE = 5,
    MB_BUSY = 6,
    MB_MEMORY_PARITY = 8,
    MB_GATEWAY_PATH = 0x0A,
    MB_GATEWAY_TARGET = 0x0B,
};

/* One question. */
struct mb_ask {
    uint8_t unit;
    uint8_t function; /* 1-4 read, 6 and 16 write, 8 with sub-function 0 */
    uint16_t address, count;
    int64_t timeout_ms;
    int64_t pause_ms;         /* at least so long after whatever the line carried last */
    int64_t connect_pause_ms; /* and after it was opened */
    uint16_t *values;         /* `count` of them: read into (a bit is 0 or 1), or written from.
                               * Of function 8: one, sent and then answered */
    bool lingers;             /* over TCP: who does not answer in time is listened to for as long
                               * again, before the connection is dropped; see mb_link_late */
    int exception;            /* after MB_EXCEPTION */
    bool half;                /* after MB_TIMEOUT: an answer began, and did not end */
};

struct mb_link;

/* Opens nothing yet. Never NULL. */
struct mb_link *mb_link_create(const struct mb_line *line);
void mb_link_destroy(struct mb_link *link);

/* 0, or negative errno with a sentence that says what to do. */
int mb_link_open(struct mb_link *link, struct err *err);
void mb_link_close(struct mb_link *link);

/* Opens the line first if it is closed: a TCP connection is dropped after each time-out, and the
 * other side may close one that was idle. */
enum mb_result mb_link_ask(struct mb_link *link, struct mb_ask *ask);
/* Why the last question ended with MB_GONE. Borrows until the next one. */
const char *mb_link_why(const struct mb_link *link);

/* Which unit's whole answer was dropped, because it came too late, since this was last asked; 0:
 * none. Over TCP it is known of a question that lingered. */
uint8_t mb_link_late(struct mb_link *link);

/* t3.5 at that rate, in microseconds: 3.5 characters of 11 bits, 1750 above 19200 baud (serial line
 * 1.02, section 2.5.1.1). */
int64_t mb_link_t35_us(uint32_t baud);

#endif
