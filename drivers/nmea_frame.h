/* Finds NMEA 0183 sentences in a stream that also holds other things: notes, half sentences, binary
 * messages, noise of a wrong baud rate. Pure; no allocation; each byte is looked at once or twice.
 *
 *     $ GPGGA,125128,...,0133 * 7E CR LF
 *       └──────── text ─────┘   └┴─ exclusive or of the bytes of text, two hex digits
 *
 * A sentence begins with `$`, wherever it stands, and ends before CR, LF or the next `$`: thus no
 * binary block and no lost line end ever hides the sentence behind it. Any thread. */
#ifndef KPID_DRIVERS_NMEA_FRAME_H
#define KPID_DRIVERS_NMEA_FRAME_H

#include <stddef.h>

/* From `$` to before the line end. The standard says 82; real ones reach a good hundred. */
enum { NMEA_LENGTH_MAX = 256 };

enum nmea_frame_kind {
    NMEA_MORE,      /* no whole one: what stands behind `consumed` may be the beginning of one */
    NMEA_SENTENCE,  /* sums right */
    NMEA_WRONG_SUM, /* whole, and does not sum right */
    NMEA_NO_SUM,    /* an address and fields, but no checksum: not usable, and not wrong */
    NMEA_BROKEN,    /* a `$` with no sentence behind it, or one longer than NMEA_LENGTH_MAX */
};

struct nmea_frame {
    enum nmea_frame_kind kind;
    size_t consumed;  /* bytes that can go: up to and with the line end */
    size_t skipped;   /* of these, how many stood before the `$` */
    const char *text; /* between `$` and `*`; borrows from `bytes`. NULL for NMEA_MORE */
    size_t length;    /* of text */
};

/* The first frame of `bytes`. For NMEA_MORE at most NMEA_LENGTH_MAX bytes are not consumed: keep
 * them in front of what comes next. `ret` is always filled. */
void nmea_next(const char *bytes, size_t length, struct nmea_frame *ret);

/* Exclusive or of all bytes. */
unsigned char nmea_sum(const char *text, size_t length);

#endif
