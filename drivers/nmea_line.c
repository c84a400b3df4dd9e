/* What a line carries instead of NMEA; see nmea_line.h. */
#include "nmea_line.h"

#include <stdio.h>

#include "base/mem.h"

enum {
    NOISE_PERCENT = 20, /* more of it is no text */
    MARKS_MIN = 2,      /* once is chance */
    MARK_EVERY = 2000,  /* fewer than one in so many bytes is chance, too */
    FRAME_MAX = 1100,   /* bytes of a JT/T 808 frame */
};

/* The beginnings of binary messages, as the last bytes seen. */
static const struct {
    uint32_t mask, value;
    enum nmea_line_kind kind;
} marks[] = {
    { 0xffff, 0xb562, NMEA_LINE_UBX },   { 0xffffff, 0xaa4412, NMEA_LINE_NOVATEL },
    { 0xfffc, 0xd300, NMEA_LINE_RTCM },  { 0xffff, 0xa0a1, NMEA_LINE_SKYTRAQ },
    { 0xffff, 0xbace, NMEA_LINE_CASIC }, { 0xffffff, 0x100310, NMEA_LINE_TSIP },
};

/* A whole one: its length is that of the header (12 bytes, 17 since 2019, 4 more in a packet of
 * several), the body as the header has it, and the check byte. */
static bool is_frame(const struct nmea_line *line)
{
    static const size_t around_body[] = { 13, 17, 18, 22 };

    for (size_t i = 0; i < LENGTH(around_body); i++)
        if (line->frame.sum == 0 &&
            line->frame.length == around_body[i] + (line->frame.attributes & 0x3ff))
            return true;
    return false;
}

/* JT/T 808-2019 4.4: between two 7E, which are escaped as 7D 02 (and 7D as 7D 01) elsewhere; the
 * exclusive or of all, check byte included, is 0. */
static void note_frame(struct nmea_line *line, uint8_t byte)
{
    if (byte == 0x7e) {
        line->marks[NMEA_LINE_TERMINAL] += line->frame.is_open && is_frame(line);
        line->frame = (struct nmea_line_frame){ .is_open = true };
        return;
    }
    if (!line->frame.is_open)
        return;
    if (byte == 0x7d && !line->frame.is_escaped) {
        line->frame.is_escaped = true;
        return;
    }
    if (line->frame.is_escaped)
        byte = byte == 0x02 ? 0x7e : 0x7d;
    line->frame.is_escaped = false;
    if (line->frame.length == 2 || line->frame.length == 3)
        line->frame.attributes = (uint16_t)(line->frame.attributes << 8 | byte);
    line->frame.sum ^= byte;
    line->frame.is_open = ++line->frame.length < FRAME_MAX;
}

static bool is_text(unsigned char c)
{
    return (c >= ' ' && c <= '~') || c == '\r' || c == '\n' || c == '\t';
}

void nmea_line_noise(struct nmea_line *line, const unsigned char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        line->noise += !is_text(bytes[i]);
        line->last = line->last << 8 | bytes[i];
        for (size_t k = 0; k < LENGTH(marks); k++)
            line->marks[marks[k].kind] += (line->last & marks[k].mask) == marks[k].value;
        note_frame(line, bytes[i]);
    }
}

enum nmea_line_kind nmea_line_kind(const struct nmea_line *line)
{
    enum nmea_line_kind best = NMEA_LINE_SILENT;

    if (line->bytes == 0)
        return NMEA_LINE_SILENT;
    if (line->good > 0)
        return NMEA_LINE_SENTENCES;
    if (line->marks[NMEA_LINE_TERMINAL] > 0)
        return NMEA_LINE_TERMINAL;
    for (enum nmea_line_kind kind = NMEA_LINE_UBX; kind <= NMEA_LINE_TSIP; kind++)
        if (line->marks[kind] >= MARKS_MIN && line->marks[kind] > line->marks[best] &&
            line->bytes / line->marks[kind] < MARK_EVERY)
            best = kind;
    if (best != NMEA_LINE_SILENT)
        return best;
    if (line->wrong > 0 || line->without_sum > 0)
        return line->wrong > 0 ? NMEA_LINE_WRONG_SUMS : NMEA_LINE_NO_SUMS;
    return line->noise * 100 > line->bytes * NOISE_PERCENT ? NMEA_LINE_WRONG_BAUD
                                                           : NMEA_LINE_STRANGER;
}

static void say_baud(const struct nmea_line *line, uint32_t baud, enum nmea_search search, char *to,
                     size_t size)
{
    unsigned long long bytes = (unsigned long long)line->bytes;

    if (baud == 0)
        snprintf(to, size,
                 "%llu bytes of noise: the serial server's baud rate is wrong, or the line is "
                 "inverted",
                 bytes);
    else if (search == NMEA_SEARCH_ON)
        snprintf(to, size, "noise at %u baud: trying other rates", baud);
    else if (search == NMEA_SEARCH_VAIN)
        snprintf(to, size,
                 "noise at every baud rate tried: an inverted line, a loose ground wire, or no "
                 "GNSS module");
    else
        snprintf(to, size,
                 "%llu bytes of noise at %u baud: correct `baud` (auto_baud = true finds it), or "
                 "the line is inverted",
                 bytes, baud);
}

void nmea_line_say(enum nmea_line_kind kind, const struct nmea_line *line, uint32_t baud,
                   enum nmea_search search, char *to, size_t size)
{
    static const char *const texts[NMEA_LINE_KINDS] = {
        [NMEA_LINE_SILENT] = "no data: check power and wiring; are TX and RX swapped?",
        [NMEA_LINE_SENTENCES] = "",
        [NMEA_LINE_WRONG_SUMS] = "no checksum is right: noise, a baud rate that is a little off, "
                                 "or two devices on one line",
        [NMEA_LINE_NO_SUMS] = "sentences without checksums: switch them on in the receiver, "
                              "nothing can be trusted without them",
        [NMEA_LINE_TERMINAL] = "this is no GNSS module but a JT/T 808 terminal: connect the "
                               "receiver's own line",
        [NMEA_LINE_UBX] =
            "binary UBX only: switch the receiver's port to NMEA (u-blox: UBX-CFG-PRT)",
        [NMEA_LINE_NOVATEL] = "binary NovAtel messages only: switch the receiver to NMEA",
        [NMEA_LINE_RTCM] = "RTCM corrections only: this is a base station's line, connect the "
                           "receiver's NMEA output",
        [NMEA_LINE_SKYTRAQ] = "binary SkyTraq messages only: switch the receiver to NMEA",
        [NMEA_LINE_CASIC] = "binary CASIC messages only: switch the receiver to NMEA",
        [NMEA_LINE_TSIP] = "binary TSIP messages only: switch the receiver to NMEA",
        [NMEA_LINE_STRANGER] = "text that is no NMEA: another device is connected",
    };

    if (kind == NMEA_LINE_WRONG_BAUD)
        say_baud(line, baud, search, to, size);
    else
        snprintf(to, size, "%s", texts[kind]);
}
