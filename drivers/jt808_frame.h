/* Frames of JT/T 808 and JT/T 905: cut from a stream of bytes, un-escaped, checked, their header
 * read; and written. Pure but for one buffer that a connection owns while a frame is split over
 * two reads: a connection that is idle between frames owns nothing.
 *
 *   7e | header | body | checksum | 7e          JT/T 808-2013 4.4, 2019 4.4; 905.2-2014 alike
 *
 * The checksum is the exclusive or of everything from the header to the end of the body. Between
 * the flags 7d stands for an escape: 7d 01 is 7d, 7d 02 is 7e. */
#ifndef KPID_DRIVERS_JT808_FRAME_H
#define KPID_DRIVERS_JT808_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    JT808_BODY_MAX = 1023,  /* ten bits of the properties (808-2013 figure 2) */
    JT808_FRAME_MAX = 1536, /* un-escaped, header to checksum; 905 knows no limit of ten bits
                             * and its longest message that we read is far below */
    JT808_WIRE_MAX = 2 * JT808_FRAME_MAX + 2,
    JT808_ID_SIZE = 21, /* the sender as hex digits: 12 or 20, and a NUL */
};

enum jt808_dialect {
    JT808_UNKNOWN,
    JT808_2013, /* and 2011: the same header of 12 bytes */
    JT808_2019, /* a version byte, and a sender of 10 bytes */
    JT905_2014, /* header as 2013, a plain 16-bit length, its own bodies */
};

/* Why bytes are no message. Counted by the connection, never a reason to drop the link. */
enum jt808_fault {
    JT808_WELL,
    JT808_BAD_ESCAPE, /* 7d and neither 01 nor 02, in a frame that does not sum right */
    JT808_TOO_LONG,
    JT808_TOO_SHORT,
    JT808_BAD_CHECKSUM,
    JT808_BAD_LENGTH, /* declared and found differ in every layout */
    JT808_FAULTS,
};
/* "checksum", "length" ...: for counts that people read. */
const char *jt808_fault_name(enum jt808_fault fault);

/* --- Cutting a stream */

/* Zeroed is ready. */
struct jt808_framer {
    uint8_t *partial;       /* NULL between frames */
    uint16_t length;        /* of what is in it, un-escaped */
    bool stray;             /* a 7d stood there that escapes nothing */
    bool escaped;           /* the last byte was 7d */
    bool inside;            /* a flag was seen */
    enum jt808_fault fault; /* of the frame at hand: it is skipped up to the next flag */
};

/* Takes bytes as they come and calls `each` for every whole frame, un-escaped, from header to
 * checksum, or with a fault (then `frame` is NULL). Borrows both for the call. Stops when `each`
 * answers false (the connection is to be closed); returns what it last answered. */
bool jt808_framer_feed(struct jt808_framer *framer, const uint8_t *bytes, size_t length,
                       bool (*each)(void *arg, enum jt808_fault fault, const uint8_t *frame,
                                    size_t length),
                       void *arg);
/* Frees the buffer; ready again. */
void jt808_framer_reset(struct jt808_framer *framer);

/* --- Headers */

struct jt808_message {
    enum jt808_dialect dialect;
    uint16_t id;        /* 0x0200 ... */
    uint16_t serial;    /* of the sender, wraps */
    uint8_t version;    /* 2019: of the protocol, from 1 */
    uint8_t encryption; /* 0 none; bit 0 RSA */
    bool is_part;       /* sub-packaged: `number` of `total`, from 1 */
    uint16_t total, number;
    char sender[JT808_ID_SIZE]; /* phone number, terminal or ISU, as hex digits in lower case;
                                 * some makers put an IMEI there, hence no number */
    const uint8_t *body;        /* borrows from the frame */
    size_t length;
    bool layout_quirk;         /* the version flag said one layout, the length the other */
    bool longer_than_declared; /* sums right, and has more bytes than its header says */
};

/* Reads an un-escaped frame, checksum included. `known` is the dialect that the connection spoke
 * before, or JT808_UNKNOWN: a sender that begins with 10 speaks 905 (905.2-2014; the first byte of
 * an ISU's id is always 10) if its length then fits to the byte. `ret` borrows from `frame`. */
enum jt808_fault jt808_read(const uint8_t *frame, size_t length, enum jt808_dialect known,
                            struct jt808_message *ret);

/* Writes header, body and checksum between flags, escaped. Returns the length on the wire, or 0 if
 * the body is too long. `to` has room for JT808_WIRE_MAX. */
size_t jt808_write(uint8_t *to, const struct jt808_message *message);

/* --- Numbers as the standard packs them (big-endian, table 1), for the codecs of bodies */

static inline uint16_t jt808_word(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t jt808_dword(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void jt808_put_word(uint8_t *p, uint16_t value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

static inline void jt808_put_dword(uint8_t *p, uint32_t value)
{
    jt808_put_word(p, (uint16_t)(value >> 16));
    jt808_put_word(p + 2, (uint16_t)value);
}

/* `count` bytes as 2 * count hex digits and a NUL. BCD reads the same. */
void jt808_hex(char *to, const uint8_t *bytes, size_t count);
/* The other way. False if `text` is not just 2 * count hex digits. */
bool jt808_unhex(uint8_t *to, const char *text, size_t count);

#endif
