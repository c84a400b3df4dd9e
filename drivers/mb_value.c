/* Words to values; see mb_value.h. */
#include "mb_value.h"

#include <assert.h>
#include <iconv.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

static uint16_t swapped(uint16_t word)
{
    return (uint16_t)(word << 8 | word >> 8);
}

static bool swaps_bytes(enum mb_order order)
{
    return order == MB_LE || order == MB_BSWAP;
}

static uint16_t word_of(uint16_t word, enum mb_order order)
{
    return swaps_bytes(order) ? swapped(word) : word;
}

uint32_t mb_value_join(const uint16_t words[2], enum mb_order order)
{
    bool low_first = order == MB_LE || order == MB_WSWAP;
    uint32_t high = word_of(words[low_first ? 1 : 0], order);

    return high << 16 | word_of(words[low_first ? 0 : 1], order);
}

/* --- Texts */

/* Runs one conversion. The bytes written, or -1 if something in `from` has no place in `to`. */
static int convert(const char *to_name, const char *from_name, const char *from, size_t length,
                   char *to, size_t size)
{
    iconv_t cd = iconv_open(to_name, from_name);
    char copy[READING_TEXT_SIZE * 2], *in = copy, *out = to;
    size_t rc;

    assert(cd != (iconv_t)-1); /* part of the C library */
    assert(length <= sizeof copy);
    memcpy(copy, from, length);
    rc = iconv(cd, &in, &length, &out, &size);
    (void)iconv_close(cd); /* cannot fail for one that was opened */
    return rc == (size_t)-1 ? -1 : (int)(out - to);
}

/* Cuts at the end of a character, so that it fits with its NUL. */
static void set_text(struct mb_value *value, const char *bytes, size_t length)
{
    size_t most = sizeof value->text - 1;

    if (length > most) {
        length = most;
        while (length > 0 && ((unsigned char)bytes[length] & 0xC0) == 0x80)
            length--;
    }
    memcpy(value->text, bytes, length);
    value->text[length] = '\0';
    value->is_text = true;
}

/* Two characters a register, the first in the high byte unless swapped, to the first 00. Cards send
 * ASCII or GBK; what is neither is shown escaped. */
static bool read_string(const struct mb_point *point, const uint16_t *words, struct mb_value *ret)
{
    char bytes[2 * MB_STRING_REGISTERS_MAX], utf8[4 * MB_STRING_REGISTERS_MAX];
    size_t length = 0;
    int converted;

    assert(point->registers <= MB_STRING_REGISTERS_MAX);
    for (size_t i = 0; i < point->registers; i++) {
        uint16_t word = word_of(words[i], (enum mb_order)point->order);

        bytes[length++] = (char)(word >> 8);
        bytes[length++] = (char)(word & 0xFF);
    }
    length = strnlen(bytes, length);
    while (length > 0 && bytes[length - 1] == ' ')
        length--;
    if (text_is_utf8(bytes, length)) {
        set_text(ret, bytes, length);
        return true;
    }
    converted = convert("UTF-8", "GB18030", bytes, length, utf8, sizeof utf8);
    if (converted >= 0)
        set_text(ret, utf8, (size_t)converted);
    else
        text_quote(ret->text, sizeof ret->text, bytes, length);
    ret->is_text = true;
    return true;
}

bool mb_text_to_words(const char *text, enum mb_encoding encoding, enum mb_order order,
                      uint16_t *words, size_t count)
{
    static const char *const names[] = {
        [MB_GBK] = "GBK", [MB_UTF8] = "UTF-8", [MB_ASCII] = "ASCII"
    };
    char bytes[2 * MB_WRITE_REGISTERS_MAX] = { 0 };
    size_t length = strlen(text);

    assert(count <= MB_WRITE_REGISTERS_MAX);
    if (length > READING_TEXT_SIZE * 2 ||
        convert(names[encoding], "UTF-8", text, length, bytes, 2 * count) < 0)
        return false;
    for (size_t i = 0; i < count; i++) {
        uint16_t word =
            (uint16_t)((unsigned char)bytes[2 * i] << 8 | (unsigned char)bytes[2 * i + 1]);

        words[i] = word_of(word, order);
    }
    return true;
}

/* --- Numbers */

static bool read_u16(const struct mb_point *point, const uint16_t *words, struct mb_value *ret)
{
    ret->number = word_of(words[0], (enum mb_order)point->order);
    return true;
}

static bool read_i16(const struct mb_point *point, const uint16_t *words, struct mb_value *ret)
{
    ret->number = (int16_t)word_of(words[0], (enum mb_order)point->order);
    return true;
}

static bool read_u32(const struct mb_point *point, const uint16_t *words, struct mb_value *ret)
{
    ret->number = mb_value_join(words, (enum mb_order)point->order);
    return true;
}

static bool read_i32(const struct mb_point *point, const uint16_t *words, struct mb_value *ret)
{
    ret->number = (int32_t)mb_value_join(words, (enum mb_order)point->order);
    return true;
}

static bool read_f32(const struct mb_point *point, const uint16_t *words, struct mb_value *ret)
{
    uint32_t bits = mb_value_join(words, (enum mb_order)point->order);
    float value;

    memcpy(&value, &bits, sizeof value);
    ret->number = (double)value;
    if (isfinite(value))
        return true;
    snprintf(ret->text, sizeof ret->text, "0x%08X is no number: another order?", bits);
    return false;
}

static bool read_bit(const struct mb_point *point, const uint16_t *words, struct mb_value *ret)
{
    uint16_t word = word_of(words[0], (enum mb_order)point->order);

    if (mb_reads_registers(point->function))
        ret->number = word >> point->bit & 1;
    else
        ret->number = words[0] != 0;
    return true;
}

/* A number without a name is shown as it is: a newer device is no faulty one. */
static bool read_enum(const struct mb_point *point, const uint16_t *words, struct mb_value *ret)
{
    uint16_t word = word_of(words[0], (enum mb_order)point->order);

    ret->number = word;
    for (size_t i = 0; i < point->name_count; i++)
        if (point->names[i].number == word) {
            set_text(ret, point->names[i].name, strlen(point->names[i].name));
            ret->is_text = false; /* the name stands beside its number */
            break;
        }
    return true;
}

/* BCD, main in the high byte: 0x0123 is 1.23. */
static bool read_version(const struct mb_point *point, const uint16_t *words, struct mb_value *ret)
{
    uint16_t word = word_of(words[0], (enum mb_order)point->order);

    for (int shift = 0; shift < 16; shift += 4)
        if ((word >> shift & 0xF) > 9) {
            snprintf(ret->text, sizeof ret->text, "0x%04X is no version in BCD", word);
            return false;
        }
    snprintf(ret->text, sizeof ret->text, "%x.%02x", word >> 8, word & 0xFFu);
    ret->is_text = true;
    return true;
}

bool mb_value_of(const struct mb_point *point, const uint16_t *words, struct mb_value *ret)
{
    static const struct {
        bool (*read)(const struct mb_point *, const uint16_t *, struct mb_value *);
        bool scales;
    } types[] = {
        [MB_U16] = { read_u16, true },          [MB_I16] = { read_i16, true },
        [MB_U32] = { read_u32, true },          [MB_I32] = { read_i32, true },
        [MB_F32] = { read_f32, true },          [MB_BIT] = { read_bit, false },
        [MB_ENUM] = { read_enum, false },       [MB_STRING] = { read_string, false },
        [MB_VERSION] = { read_version, false },
    };

    ret->is_text = false;
    ret->number = 0;
    ret->text[0] = '\0';
    if (!types[point->type].read(point, words, ret))
        return false;
    if (types[point->type].scales)
        ret->number = ret->number * point->scale + point->offset;
    return true;
}

bool mb_value_is_faulty(const struct mb_point *point, const struct mb_value *value)
{
    const struct mb_faulty *f = &point->faulty;
    double raw = (value->number - point->offset) / point->scale;

    if (!f->code)
        return false;
    return (f->mask && raw >= 0 && raw <= UINT32_MAX && ((uint32_t)raw & f->mask) != 0) ||
           (f->has_equals && value->number == f->equals) ||
           (f->has_below && value->number < f->below) || (f->has_above && value->number > f->above);
}
