/* What a line carries that ought to carry NMEA and does not: told from the bytes that stand in no
 * sentence. Pure. Any thread. */
#ifndef KPID_DRIVERS_NMEA_LINE_H
#define KPID_DRIVERS_NMEA_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum nmea_line_kind {
    NMEA_LINE_SILENT,     /* no byte */
    NMEA_LINE_SENTENCES,  /* at least one that sums right */
    NMEA_LINE_WRONG_SUMS, /* sentences, and none that sums right */
    NMEA_LINE_NO_SUMS,    /* sentences without checksums */
    NMEA_LINE_TERMINAL,   /* JT/T 808 frames: no receiver, a terminal's own port */
    NMEA_LINE_UBX,        /* binary messages of receivers: */
    NMEA_LINE_NOVATEL,
    NMEA_LINE_RTCM,
    NMEA_LINE_SKYTRAQ,
    NMEA_LINE_CASIC,
    NMEA_LINE_TSIP,
    NMEA_LINE_WRONG_BAUD, /* noise */
    NMEA_LINE_STRANGER,   /* text of something else */
    NMEA_LINE_KINDS,
};

/* A JT/T 808 frame that may be under way. */
struct nmea_line_frame {
    size_t length;
    uint16_t attributes;
    uint8_t sum;
    bool is_open, is_escaped;
};

struct nmea_line {
    uint64_t bytes;                    /* all of them */
    uint64_t good, wrong, without_sum; /* sentences */
    uint64_t noise;                    /* bytes in no sentence that no text holds */
    uint32_t marks[NMEA_LINE_KINDS];   /* of binary messages */
    uint32_t last;                     /* the last four bytes in no sentence */
    struct nmea_line_frame frame;
};

/* Bytes that stand in no sentence, in order. */
void nmea_line_noise(struct nmea_line *line, const unsigned char *bytes, size_t length);

enum nmea_line_kind nmea_line_kind(const struct nmea_line *line);

/* Is the line's baud rate given, being searched for, or not to be found? */
enum nmea_search { NMEA_SEARCH_NONE, NMEA_SEARCH_ON, NMEA_SEARCH_VAIN };

/* A sentence that says what is there, and what to do; `baud` 0: the rate is another's business. */
void nmea_line_say(enum nmea_line_kind kind, const struct nmea_line *line, uint32_t baud,
                   enum nmea_search search, char *to, size_t size);

#endif
