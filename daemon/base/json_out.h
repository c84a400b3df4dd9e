/* JSON for output, written into a text_buffer. What comes out is valid JSON in UTF-8 whatever goes
 * in: bytes that are no UTF-8 become U+FFFD. Any thread. */
#ifndef KPID_BASE_JSON_OUT_H
#define KPID_BASE_JSON_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

/* A quoted string. */
void json_out_string(struct text_buffer *to, const char *text, size_t length);

/* A comma, unless an object, an array or a line has just begun. */
void json_out_comma(struct text_buffer *to);

/* A comma if one is due, the quoted key and a colon. */
void json_out_key(struct text_buffer *to, const char *key);

/* A whole member, with a comma before it if one is due. A `text` of NULL is written as null. */
void json_out_text(struct text_buffer *to, const char *key, const char *text);
void json_out_integer(struct text_buffer *to, const char *key, int64_t value);
void json_out_bool(struct text_buffer *to, const char *key, bool value);
/* RFC 3339 with the offset (seconds); 0 is written as null. */
void json_out_instant(struct text_buffer *to, const char *key, int64_t at, int32_t offset_s);

#endif
