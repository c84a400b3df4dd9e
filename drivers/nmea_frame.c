/* Sentences in a stream; see nmea_frame.h.
 *
 * Eight bytes are looked at in one word. All that can end a sentence (LF 0A, CR 0D, `$` 24) lies
 * below 25, and little else of a sentence does: blanks and `!"#` in a text. So one comparison for
 * each word says "nothing here", and the rare hit is looked at by itself. */
#include "nmea_frame.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { SUM_LENGTH = 3 }; /* "*7E" */

static uint64_t word_at(const char *bytes)
{
    uint64_t word;

    memcpy(&word, bytes, sizeof word);
    return word;
}

unsigned char nmea_sum(const char *text, size_t length)
{
    uint64_t words = 0;
    size_t i = 0;

    for (; i + sizeof words <= length; i += sizeof words)
        words ^= word_at(text + i);
    for (; i < length; i++)
        words ^= (unsigned char)text[i];
    words ^= words >> 32;
    words ^= words >> 16;
    words ^= words >> 8;
    return (unsigned char)words;
}

static bool is_end(char c)
{
    return c == '\r' || c == '\n' || c == '$';
}

/* True if a byte of `word` is below 0x25. Which one it does not say: a borrow may have reached its
 * neighbours. */
static bool may_hold_end(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);

    return ((word - ones * 0x25) & ~word & (ones * 0x80)) != 0;
}

/* Bytes before the first that ends a sentence; `length` if none does. */
static size_t length_to_end(const char *bytes, size_t length)
{
    size_t i = 0;

    while (i < length) {
        size_t stop = length;

        if (i + sizeof(uint64_t) <= length) {
            if (!may_hold_end(word_at(bytes + i))) {
                i += sizeof(uint64_t);
                continue;
            }
            stop = i + sizeof(uint64_t);
        }
        for (; i < stop; i++)
            if (is_end(bytes[i]))
                return i;
    }
    return length;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Two capitals and a comma somewhere: what a receiver without checksums sends, and not what a
 * person writes about one. */
static bool is_like_sentence(const char *text, size_t length)
{
    return length > 5 && text[0] >= 'A' && text[0] <= 'Z' && text[1] >= 'A' && text[1] <= 'Z' &&
           memchr(text, ',', length) != NULL;
}

/* Of what stands between `$` and the end. */
static void judge(const char *text, size_t length, struct nmea_frame *ret)
{
    int high, low;

    while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\t'))
        length--;
    ret->text = text;
    ret->length = length;
    ret->kind = is_like_sentence(text, length) ? NMEA_NO_SUM : NMEA_BROKEN;
    if (length < SUM_LENGTH || text[length - SUM_LENGTH] != '*')
        return;
    high = hex_digit(text[length - 2]);
    low = hex_digit(text[length - 1]);
    if (high < 0 || low < 0)
        return;
    ret->length = length - SUM_LENGTH;
    ret->kind = nmea_sum(text, ret->length) == high * 16 + low ? NMEA_SENTENCE : NMEA_WRONG_SUM;
}

static size_t line_end(const char *end, size_t left)
{
    if (*end == '$')
        return 0; /* the next sentence */
    return left > 1 && end[0] == '\r' && end[1] == '\n' ? 2 : 1;
}

void nmea_next(const char *bytes, size_t length, struct nmea_frame *ret)
{
    const char *start = length > 0 ? memchr(bytes, '$', length) : NULL;
    size_t skipped = start ? (size_t)(start - bytes) : length;
    size_t left, bound, text;

    *ret = (struct nmea_frame){ .kind = NMEA_MORE, .consumed = skipped, .skipped = skipped };
    if (!start)
        return;
    start++;
    left = length - skipped - 1;
    bound = left < NMEA_LENGTH_MAX ? left : NMEA_LENGTH_MAX;
    text = length_to_end(start, bound);
    if (text < bound) {
        judge(start, text, ret);
        ret->consumed = skipped + 1 + text + line_end(start + text, left - text);
    } else if (bound == NMEA_LENGTH_MAX) {
        /* No `$` among them: there is nothing to look for a second time. */
        *ret = (struct nmea_frame){ NMEA_BROKEN, skipped + 1 + text, skipped, start, text };
    }
}
