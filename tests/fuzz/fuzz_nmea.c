/* Fuzzes NMEA as the driver reads it: frames of a stream, what each sentence says, what all of them
 * say together, and what a line is that says none. The first byte says how the stream is cut into
 * reads. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "nmea_fix.h"
#include "nmea_frame.h"
#include "nmea_line.h"
#include "nmea_sentence.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct nmea_fix fix;
static struct nmea_line line;
static int64_t now;

static void fold(const struct nmea_sentence *s)
{
    const struct gnss_sky *sky = &fix.gnss.last.sky;

    now += 100;
    if (nmea_fix_fold(&fix, s, now, now) || nmea_fix_pause(&fix))
        assert(fix.gnss.last.at > 0 && fix.gnss.last.at <= now);
    assert(fix.set_count <= NMEA_SETS_MAX && fix.coming.count <= NMEA_SET_SIZE);
    assert(sky->tracked_30 <= sky->seen && sky->cn0_best4_e2 <= 9900);
}

/* From memory that ends where the text ends, so that a byte too far is seen. */
static void decode(const char *text, size_t length)
{
    char *copy = malloc(length > 0 ? length : 1);
    struct nmea_sentence s;

    assert(copy);
    memcpy(copy, text, length);
    assert(nmea_decode(copy, length, &s) == !s.fault);
    if (!s.fault && s.type == NMEA_TXT)
        assert(s.txt.text + s.txt.length <= copy + length);
    if (!s.fault && s.type == NMEA_GGA && s.gga.position.lat_e9 != NMEA_NOWHERE)
        assert(llabs(s.gga.position.lat_e9) <= INT64_C(90000000000));
    if (!s.fault)
        fold(&s);
    free(copy);
}

/* Hands over all frames of `bytes`; returns how many bytes are done with. */
static size_t take(const char *bytes, size_t length)
{
    struct nmea_frame frame;
    size_t done = 0;

    do {
        nmea_next(bytes + done, length - done, &frame);
        assert(frame.consumed <= length - done && frame.skipped <= frame.consumed);
        assert(frame.kind == NMEA_MORE || frame.consumed > 0);
        if (frame.kind != NMEA_MORE)
            assert(frame.text + frame.length <= bytes + length);
        nmea_line_noise(&line, (const unsigned char *)bytes + done, frame.skipped);
        line.bytes += frame.consumed;
        nmea_fix_count(&fix, frame.kind);
        if (frame.kind == NMEA_SENTENCE || frame.kind == NMEA_WRONG_SUM)
            decode(frame.text, frame.length);
        done += frame.consumed;
    } while (frame.kind != NMEA_MORE);
    assert(length - done <= NMEA_LENGTH_MAX);
    return done;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[256];
    size_t step = size > 0 ? (size_t)data[0] + 1 : 1, have = 0;

    nmea_fix_init(&fix, 0);
    line = (struct nmea_line){ 0 };
    now = 1;
    for (size_t at = 1; at < size; at += step) {
        size_t n = size - at < step ? size - at : step, done;
        static char held[NMEA_LENGTH_MAX + 256];
        char *exact = malloc(have + n);

        assert(exact);
        memcpy(exact, held, have);
        memcpy(exact + have, data + at, n);
        done = take(exact, have + n);
        have = have + n - done;
        memcpy(held, exact + done, have);
        free(exact);
    }
    nmea_line_say(nmea_line_kind(&line), &line, 9600, NMEA_SEARCH_NONE, text, sizeof text);
    assert(strlen(text) < sizeof text - 1); /* nothing is cut */
    return 0;
}
