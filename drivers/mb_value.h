/* From the registers of a Modbus unit to what they say, and from a text to registers. Pure: no
 * allocation, no state. Any thread. */
#ifndef KPID_DRIVERS_MB_VALUE_H
#define KPID_DRIVERS_MB_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mb_map.h"

struct mb_value {
    bool is_text;
    double number;                /* of an enumeration its number, and its name is `text` */
    char text[READING_TEXT_SIZE]; /* UTF-8 */
};

/* What `point` says in `words`, as many as mb_point_width asks (of functions 1 and 2 each word is
 * one bit, 0 or 1). False if that is no value (a float that is no number, a version that is no
 * BCD): `text` says why. */
bool mb_value_of(const struct mb_point *point, const uint16_t *words, struct mb_value *ret);

/* True if the value means a fault of the device. */
bool mb_value_is_faulty(const struct mb_point *point, const struct mb_value *value);

/* The 32 bits of two registers in that order. */
uint32_t mb_value_join(const uint16_t words[2], enum mb_order order);

/* A text (UTF-8) as `count` registers, filled up with zeros. False if it does not fit or a
 * character has no place in that encoding. */
bool mb_text_to_words(const char *text, enum mb_encoding encoding, enum mb_order order,
                      uint16_t *words, size_t count);

#endif
