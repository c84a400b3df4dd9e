/* Frames of JT/T 808 and 905; see jt808_frame.h.
 *
 * The hot path is a terminal that sends whole frames: the flags are found with memchr, the bytes
 * are un-escaped into a buffer on the stack, and nothing is allocated. What is left of a frame at
 * the end of a read waits in the connection's own buffer, un-escaped already.
 *
 *   (outside) ── 7e ──> inside, empty ── byte ──> inside, filling ── 7e ──> a frame; inside, empty
 *                            └── 7e: nothing between two flags is no frame
 *
 * A flag ends one frame and may begin the next: after an end we are inside again, so that
 * "7e A 7e B 7e" gives two frames, and "7e A 7e 7e B 7e" as well. What stands before the first
 * flag is noise and is skipped. */
#include "jt808_frame.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { FLAG = 0x7e, ESCAPE = 0x7d };

enum {
    LENGTH_BITS = 0x03ff, /* of the properties (808-2013 figure 2, 2019 figure 2) */
    ENCRYPTION_SHIFT = 10,
    PART_BIT = 0x2000,
    VERSION_BIT = 0x4000,
    HEADER_2013 = 12,
    HEADER_2019 = 17,
    PART_FIELDS = 4,
    ISU_FIRST_BYTE = 0x10, /* of every 905 sender */
};

const char *jt808_fault_name(enum jt808_fault fault)
{
    static const char *const names[JT808_FAULTS] = {
        [JT808_WELL] = "well",
        [JT808_BAD_ESCAPE] = "escape",
        [JT808_TOO_LONG] = "too_long",
        [JT808_TOO_SHORT] = "too_short",
        [JT808_BAD_CHECKSUM] = "checksum",
        [JT808_BAD_LENGTH] = "length",
    };

    return names[fault];
}

/* Exclusive or. Over a whole frame with its checksum it is 0. */
static uint8_t checksum(const uint8_t *bytes, size_t length)
{
    uint8_t sum = 0;

    for (size_t i = 0; i < length; i++)
        sum ^= bytes[i];
    return sum;
}

/* --- Cutting a stream */

struct output {
    uint8_t *to;
    size_t length;
};

static void put(struct jt808_framer *f, struct output *out, uint8_t byte)
{
    if (out->length == JT808_FRAME_MAX)
        f->fault = JT808_TOO_LONG;
    else
        out->to[out->length++] = byte;
}

/* Un-escapes into `out`; what is wrong is remembered until the next flag. A 7d that escapes nothing
 * is kept as it is: there are terminals that do not escape their own id, and the checksum tells
 * them from a broken frame. */
static void take_bytes(struct jt808_framer *f, struct output *out, const uint8_t *bytes,
                       size_t length)
{
    for (size_t i = 0; i < length && f->fault == JT808_WELL; i++) {
        uint8_t byte = bytes[i];

        if (!f->escaped && byte == ESCAPE) {
            f->escaped = true;
            continue;
        }
        if (f->escaped && (byte == 1 || byte == 2)) {
            byte = byte == 1 ? ESCAPE : FLAG;
        } else if (f->escaped) {
            f->stray = true;
            put(f, out, ESCAPE);
        }
        f->escaped = false;
        put(f, out, byte);
    }
}

/* Moves what is begun out of the buffer on the stack, for the next read. */
static void keep_partial(struct jt808_framer *f, const struct output *out)
{
    bool nothing = out->length == 0 || f->fault != JT808_WELL;

    f->length = nothing ? 0 : (uint16_t)out->length;
    if (nothing) {
        free(f->partial);
        f->partial = NULL;
        return;
    }
    f->partial = mem_realloc(f->partial, out->length);
    memcpy(f->partial, out->to, out->length);
}

/* A flag was met. True: go on. */
static bool end_frame(struct jt808_framer *f, struct output *out,
                      bool (*each)(void *arg, enum jt808_fault fault, const uint8_t *frame,
                                   size_t length),
                      void *arg)
{
    enum jt808_fault fault = f->escaped ? JT808_BAD_ESCAPE : f->fault;
    size_t length = out->length;

    if (fault == JT808_WELL && f->stray && checksum(out->to, length) != 0)
        fault = JT808_BAD_ESCAPE;
    f->fault = JT808_WELL;
    f->escaped = f->stray = false;
    out->length = 0;
    if (!f->inside || (length == 0 && fault == JT808_WELL)) {
        f->inside = true;
        return true;
    }
    return each(arg, fault, fault == JT808_WELL ? out->to : NULL, length);
}

bool jt808_framer_feed(struct jt808_framer *f, const uint8_t *bytes, size_t length,
                       bool (*each)(void *arg, enum jt808_fault fault, const uint8_t *frame,
                                    size_t length),
                       void *arg)
{
    uint8_t buffer[JT808_FRAME_MAX];
    struct output out = { .to = buffer, .length = f->length };
    bool go_on = true;

    if (f->length > 0)
        memcpy(buffer, f->partial, f->length);
    while (length > 0 && go_on) {
        const uint8_t *flag = memchr(bytes, FLAG, length);
        size_t before = flag ? (size_t)(flag - bytes) : length;

        if (f->inside)
            take_bytes(f, &out, bytes, before);
        if (!flag)
            break;
        go_on = end_frame(f, &out, each, arg);
        bytes = flag + 1;
        length -= before + 1;
    }
    keep_partial(f, &out);
    return go_on;
}

void jt808_framer_reset(struct jt808_framer *f)
{
    free(f->partial);
    *f = (struct jt808_framer){ 0 };
}

/* --- Headers */

void jt808_hex(char *to, const uint8_t *bytes, size_t count)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < count; i++) {
        *to++ = digits[bytes[i] >> 4];
        *to++ = digits[bytes[i] & 0x0f];
    }
    *to = '\0';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool jt808_unhex(uint8_t *to, const char *text, size_t count)
{
    for (size_t i = 0; i < count; i++, text += 2) {
        int high = hex_digit(text[0]), low = high < 0 ? -1 : hex_digit(text[1]);

        if (low < 0)
            return false;
        to[i] = (uint8_t)(high << 4 | low);
    }
    return *text == '\0';
}

/* How long header and body together are in a layout; 0 if even the header does not fit. */
static size_t layout_length(const uint8_t *frame, size_t length, enum jt808_dialect dialect)
{
    uint16_t properties = jt808_word(frame + 2);
    size_t header = dialect == JT808_2019 ? HEADER_2019 : HEADER_2013;
    size_t body = dialect == JT905_2014 ? properties : properties & LENGTH_BITS;

    if (dialect != JT905_2014 && (properties & PART_BIT))
        header += PART_FIELDS;
    return header > length ? 0 : header + body;
}

/* A frame of few bytes can fit both 905 and 808-2013: there the sender decides. */
static enum jt808_dialect choose_layout(const uint8_t *frame, size_t length,
                                        enum jt808_dialect known, bool *ret_quirk)
{
    bool flagged = jt808_word(frame + 2) & VERSION_BIT;
    enum jt808_dialect named = flagged ? JT808_2019 : JT808_2013;
    enum jt808_dialect other = flagged ? JT808_2013 : JT808_2019;
    bool may_be_isu = known == JT905_2014 || (known == JT808_UNKNOWN && frame[4] == ISU_FIRST_BYTE);

    *ret_quirk = false;
    if (may_be_isu && layout_length(frame, length, JT905_2014) == length)
        return JT905_2014;
    if (layout_length(frame, length, named) == length)
        return named;
    if (layout_length(frame, length, other) == length) {
        *ret_quirk = true;
        return other;
    }
    return JT808_UNKNOWN;
}

static void read_parts(const uint8_t *frame, size_t at, struct jt808_message *m)
{
    uint16_t properties = jt808_word(frame + 2);

    m->encryption = (uint8_t)(properties >> ENCRYPTION_SHIFT & 7);
    m->is_part = properties & PART_BIT;
    if (m->is_part) {
        m->total = jt808_word(frame + at);
        m->number = jt808_word(frame + at + 2);
    }
}

static void read_header(const uint8_t *frame, size_t length, struct jt808_message *m)
{
    bool is_2019 = m->dialect == JT808_2019;
    size_t id_at = is_2019 ? 5 : 4, id_length = is_2019 ? 10 : 6;
    size_t header = is_2019 ? HEADER_2019 : HEADER_2013;

    m->id = jt808_word(frame);
    m->version = is_2019 ? frame[4] : 0;
    jt808_hex(m->sender, frame + id_at, id_length);
    m->serial = jt808_word(frame + id_at + id_length);
    if (m->dialect != JT905_2014)
        read_parts(frame, header, m);
    header += m->is_part ? PART_FIELDS : 0;
    m->body = frame + header;
    m->length = length - header;
}

enum jt808_fault jt808_read(const uint8_t *frame, size_t length, enum jt808_dialect known,
                            struct jt808_message *ret)
{
    struct jt808_message m = { 0 };

    if (length < HEADER_2013 + 1)
        return JT808_TOO_SHORT;
    length--;
    if (checksum(frame, length) != frame[length])
        return JT808_BAD_CHECKSUM;
    m.dialect = choose_layout(frame, length, known, &m.layout_quirk);
    if (m.dialect == JT808_UNKNOWN) {
        /* It sums right: a captured terminal sends one byte more than it declares. */
        m.dialect = jt808_word(frame + 2) & VERSION_BIT ? JT808_2019 : JT808_2013;
        m.longer_than_declared = true;
        size_t declared = layout_length(frame, length, m.dialect);
        if (declared == 0 || declared > length)
            return JT808_BAD_LENGTH;
        length = declared;
    }
    read_header(frame, length, &m);
    *ret = m;
    return JT808_WELL;
}

/* --- Writing */

static size_t escape(uint8_t *to, const uint8_t *bytes, size_t length)
{
    size_t n = 0;

    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == FLAG || bytes[i] == ESCAPE) {
            to[n++] = ESCAPE;
            to[n++] = bytes[i] == ESCAPE ? 1 : 2;
        } else {
            to[n++] = bytes[i];
        }
    }
    return n;
}

static uint16_t properties_of(const struct jt808_message *m)
{
    unsigned properties = (unsigned)m->length;

    if (m->dialect == JT905_2014)
        return (uint16_t)properties;
    properties |= (unsigned)m->encryption << ENCRYPTION_SHIFT;
    properties |= m->is_part ? PART_BIT : 0;
    /* A terminal that sets the flag and sends the short header is answered as it speaks. */
    if ((m->dialect == JT808_2019) != m->layout_quirk)
        properties |= VERSION_BIT;
    return (uint16_t)properties;
}

/* False if the sender is no id of the dialect's length. */
static bool write_header(uint8_t *frame, const struct jt808_message *m, size_t *ret_length)
{
    bool is_2019 = m->dialect == JT808_2019;
    size_t at = 4, id_length = is_2019 ? 10 : 6;

    jt808_put_word(frame, m->id);
    jt808_put_word(frame + 2, properties_of(m));
    if (is_2019)
        frame[at++] = m->version;
    if (!jt808_unhex(frame + at, m->sender, id_length))
        return false;
    at += id_length;
    jt808_put_word(frame + at, m->serial);
    at += 2;
    if (m->is_part) {
        jt808_put_word(frame + at, m->total);
        jt808_put_word(frame + at + 2, m->number);
        at += PART_FIELDS;
    }
    *ret_length = at;
    return true;
}

size_t jt808_write(uint8_t *to, const struct jt808_message *m)
{
    uint8_t frame[JT808_FRAME_MAX];
    size_t length, n = 0;

    if (m->dialect != JT905_2014 && m->length > JT808_BODY_MAX)
        return 0;
    if (m->length > JT808_FRAME_MAX - HEADER_2019 - PART_FIELDS - 1 ||
        !write_header(frame, m, &length))
        return 0;
    if (m->length > 0)
        memcpy(frame + length, m->body, m->length);
    length += m->length;
    frame[length] = checksum(frame, length);
    to[n++] = FLAG;
    n += escape(to + n, frame, length + 1);
    to[n++] = FLAG;
    return n;
}
