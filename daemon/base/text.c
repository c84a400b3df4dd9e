/* Small strings. UTF-8 is decoded at one place (`decode`), strictly by RFC 3629; what cannot be
 * decoded is one byte that stands for itself. */
#include "base/text.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

bool text_copy(char *to, size_t size, const char *from, size_t length)
{
    if (length >= size)
        return false;
    memcpy(to, from, length);
    to[length] = '\0';
    return true;
}

void text_set(char *to, size_t size, const char *from)
{
    bool fits = text_copy(to, size, from, strlen(from));

    assert(fits);
}

/* Bytes of the character at `p` and its code point; 0 if the bytes are not well formed. */
static size_t decode(const unsigned char *p, size_t room, uint32_t *ret)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    size_t length;
    uint32_t point;

    if (room == 0)
        return 0;
    if (p[0] < 0x80) {
        *ret = p[0];
        return 1;
    }
    length = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || length > room)
        return 0;
    point = p[0] & (0xffu >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        point = point << 6 | (p[i] & 0x3fu);
    }
    if (point < least[length] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
        return 0;
    *ret = point;
    return length;
}

struct range {
    uint32_t first, last;
};

/* East Asian Width W and F, in the large: what terminals draw in two columns. */
static const struct range wide[] = {
    { 0x1100, 0x115f },   { 0x231a, 0x231b },   { 0x2329, 0x232a },   { 0x23e9, 0x23ec },
    { 0x25fd, 0x25fe },   { 0x2614, 0x2615 },   { 0x26a1, 0x26a1 },   { 0x2705, 0x2705 },
    { 0x274c, 0x274c },   { 0x2753, 0x2755 },   { 0x2795, 0x2797 },   { 0x2b1b, 0x2b1c },
    { 0x2b50, 0x2b50 },   { 0x2e80, 0x303e },   { 0x3041, 0x4dbf },   { 0x4e00, 0xa4cf },
    { 0xa960, 0xa97f },   { 0xac00, 0xd7a3 },   { 0xf900, 0xfaff },   { 0xfe10, 0xfe19 },
    { 0xfe30, 0xfe6f },   { 0xff01, 0xff60 },   { 0xffe0, 0xffe6 },   { 0x1f300, 0x1f64f },
    { 0x1f680, 0x1f6ff }, { 0x1f900, 0x1f9ff }, { 0x20000, 0x3fffd },
};

/* Combining marks, joiners and variation selectors: drawn into the character before. */
static const struct range combining[] = {
    { 0x0300, 0x036f }, { 0x0483, 0x0489 }, { 0x0591, 0x05bd }, { 0x064b, 0x065f },
    { 0x1ab0, 0x1aff }, { 0x1dc0, 0x1dff }, { 0x200b, 0x200f }, { 0x20d0, 0x20ff },
    { 0x302a, 0x302d }, { 0x3099, 0x309a }, { 0xfe00, 0xfe0f }, { 0xfe20, 0xfe2f },
    { 0xfeff, 0xfeff }, { 0xe0100, 0xe01ef },
};

static bool within(const struct range *ranges, size_t count, uint32_t point)
{
    for (size_t i = 0; i < count; i++) {
        if (point >= ranges[i].first && point <= ranges[i].last)
            return true;
    }
    return false;
}

/* Bytes and columns of what stands at `text`, which is not at its end. */
static size_t step(const char *text, size_t *ret_columns)
{
    uint32_t point = '?';
    size_t length = decode((const unsigned char *)text, strnlen(text, 4), &point);

    *ret_columns = 1;
    if (point < 0x300)
        return length ? length : 1;
    if (within(combining, LENGTH(combining), point))
        *ret_columns = 0;
    else if (within(wide, LENGTH(wide), point))
        *ret_columns = 2;
    return length;
}

size_t text_width(const char *text)
{
    size_t sum = 0, columns;

    while (*text) {
        text += step(text, &columns);
        sum += columns;
    }
    return sum;
}

size_t text_prefix(const char *text, size_t columns)
{
    size_t used = 0, taken;

    while (text[used]) {
        size_t length = step(text + used, &taken);

        if (taken > columns)
            break;
        columns -= taken;
        used += length;
    }
    return used;
}

enum { NEAR_MAX = 64 };     /* no name that we know is longer */

static unsigned char lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static size_t least_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Letters to insert, remove, replace or swap with their neighbour (optimal string alignment). */
static size_t distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t rows[3][NEAR_MAX + 1];   /* of the matrix: the present one and the two above */

    for (size_t j = 0; j <= b_length; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t *now = rows[i % 3], *above = rows[(i + 2) % 3], *second = rows[(i + 1) % 3];

        now[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t differs = lower(a[i - 1]) != lower(b[j - 1]);

            now[j] = least_of(least_of(above[j], now[j - 1]) + 1, above[j - 1] + differs);
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
                lower(a[i - 2]) == lower(b[j - 1]))
                now[j] = least_of(now[j], second[j - 2] + 1);
        }
    }
    return rows[a_length % 3][b_length];
}

const char *text_nearest(const char *name, const char *const *candidates)
{
    size_t length = strlen(name), best = SIZE_MAX;
    const char *nearest = NULL;

    if (length == 0 || length > NEAR_MAX)
        return NULL;
    for (; *candidates; candidates++) {
        size_t other = strlen(*candidates), far;

        if (other > NEAR_MAX)
            continue;
        far = distance(name, length, *candidates, other);
        /* One slip in three letters is a typing error; more is another word. */
        if (far <= ((length > other ? length : other) + 1) / 3 && far < best) {
            best = far;
            nearest = *candidates;
        }
    }
    return nearest;
}

/* What one character of a stranger becomes; returns how many bytes were read. */
static size_t quote_one(char out[8], const char *from, size_t length)
{
    uint32_t point = 0;
    size_t bytes = decode((const unsigned char *)from, length, &point);

    if (bytes == 0) {
        (void)snprintf(out, 8, "\\x%02x", (unsigned)(unsigned char)*from);
        return 1;
    }
    if (point == '"' || point == '\\')
        (void)snprintf(out, 8, "\\%c", (char)point);
    else if (point == '\n')
        (void)snprintf(out, 8, "\\n");
    else if (point == '\t')
        (void)snprintf(out, 8, "\\t");
    else if (point < 0x20 || point == 0x7f)
        (void)snprintf(out, 8, "\\x%02x", (unsigned)point);
    else if (point >= 0x80 && point < 0xa0)     /* C1 controls: some terminals obey them */
        (void)snprintf(out, 8, "\\u%04x", (unsigned)point);
    else
        (void)snprintf(out, 8, "%.*s", (int)bytes, from);
    return bytes;
}

char *text_quote(char *to, size_t size, const char *from, size_t length)
{
    size_t used = 1, cut_at = 1;    /* where "..." still fits behind what is there */
    size_t i = 0;

    assert(size >= sizeof "\"...\"");
    to[0] = '"';
    while (i < length) {
        char out[8];
        size_t read = quote_one(out, from + i, length - i), bytes = strlen(out);

        if (used + bytes + sizeof "\"" > size) {
            memcpy(to + cut_at, "...\"", sizeof "...\"");
            return to;
        }
        memcpy(to + used, out, bytes);
        used += bytes;
        if (used + sizeof "...\"" <= size)
            cut_at = used;
        i += read;
    }
    memcpy(to + used, "\"", sizeof "\"");
    return to;
}

/* True if the 8 bytes at `p` are ASCII without NUL, as most are: no byte has its top bit, and none
 * gets it when 1 is taken from each. */
static bool is_plain(const char *p)
{
    uint64_t word;

    memcpy(&word, p, sizeof word);
    return ((word | (word - UINT64_C(0x0101010101010101))) & UINT64_C(0x8080808080808080)) == 0;
}

bool text_is_utf8(const char *bytes, size_t length)
{
    uint32_t point;

    for (size_t i = 0; i < length;) {
        if (length - i >= 8 && is_plain(bytes + i)) {
            i += 8;
            continue;
        }
        size_t step_by = decode((const unsigned char *)bytes + i, length - i, &point);

        if (step_by == 0 || point == 0)
            return false;
        i += step_by;
    }
    return true;
}

/* Room for `more` bytes and a NUL. */
static void reserve(struct text_buffer *buffer, size_t more)
{
    size_t needed = buffer->length + more + 1, capacity = buffer->capacity;

    assert(needed > buffer->length);
    if (needed <= capacity)
        return;
    capacity = capacity < 128 ? 128 : capacity * 2;
    buffer->capacity = capacity < needed ? needed : capacity;
    buffer->bytes = mem_realloc(buffer->bytes, buffer->capacity);
}

void text_buffer_add(struct text_buffer *buffer, const char *bytes, size_t length)
{
    reserve(buffer, length);
    if (length)
        memcpy(buffer->bytes + buffer->length, bytes, length);
    buffer->length += length;
    buffer->bytes[buffer->length] = '\0';
}

void text_buffer_adds(struct text_buffer *buffer, const char *text)
{
    text_buffer_add(buffer, text, strlen(text));
}

void text_buffer_addf(struct text_buffer *buffer, const char *format, ...)
{
    va_list args, again;
    int length;

    va_start(args, format);
    va_copy(again, args);
    length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    assert(length >= 0);

    reserve(buffer, (size_t)length);
    (void)vsnprintf(buffer->bytes + buffer->length, (size_t)length + 1, format, again);
    va_end(again);
    buffer->length += (size_t)length;
}

char *text_buffer_take(struct text_buffer *buffer)
{
    char *bytes = buffer->bytes ? buffer->bytes : mem_strdup("");

    *buffer = (struct text_buffer){ 0 };
    return bytes;
}

void text_buffer_finish(struct text_buffer *buffer)
{
    free(buffer->bytes);
    *buffer = (struct text_buffer){ 0 };
}
