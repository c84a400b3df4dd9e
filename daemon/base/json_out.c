/* JSON for output. The common string needs no escape: it is found so in one pass and copied in
 * one piece. */
#include "base/json_out.h"

#include <stdio.h>
#include <string.h>

#include "base/instant.h"

/* Length of the well-formed UTF-8 character at `p`; 0 if there is none. */
static size_t character(const char *p, size_t room)
{
    for (size_t length = 2; length <= 4 && length <= room; length++) {
        if (text_is_utf8(p, length))
            return length;
    }
    return 0;
}

static void escape(struct text_buffer *to, char c)
{
    static const char plain[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    const char *found = c ? strchr(plain, c) : NULL;

    if (found)
        text_buffer_addf(to, "\\%c", letters[found - plain]);
    else
        text_buffer_addf(to, "\\u%04x", (unsigned)(unsigned char)c);
}

void json_out_string(struct text_buffer *to, const char *text, size_t length)
{
    size_t from = 0, i = 0;     /* text[from..i) needs no escape */

    text_buffer_add(to, "\"", 1);
    while (i < length) {
        unsigned char c = (unsigned char)text[i];
        size_t more = c < 0x80 ? 1 : character(text + i, length - i);

        if (c >= 0x20 && c != '"' && c != '\\' && more) {
            i += more;
            continue;
        }
        text_buffer_add(to, text + from, i - from);
        if (c < 0x80)
            escape(to, text[i]);
        else
            text_buffer_adds(to, "\xef\xbf\xbd");
        from = ++i;
    }
    text_buffer_add(to, text + from, i - from);
    text_buffer_add(to, "\"", 1);
}

void json_out_comma(struct text_buffer *to)
{
    if (to->length && !strchr("{[:,\n", to->bytes[to->length - 1]))
        text_buffer_add(to, ",", 1);
}

void json_out_key(struct text_buffer *to, const char *key)
{
    json_out_comma(to);
    json_out_string(to, key, strlen(key));
    text_buffer_add(to, ":", 1);
}

void json_out_text(struct text_buffer *to, const char *key, const char *text)
{
    json_out_key(to, key);
    if (text)
        json_out_string(to, text, strlen(text));
    else
        text_buffer_adds(to, "null");
}

void json_out_integer(struct text_buffer *to, const char *key, int64_t value)
{
    json_out_key(to, key);
    text_buffer_addf(to, "%lld", (long long)value);
}

void json_out_bool(struct text_buffer *to, const char *key, bool value)
{
    json_out_key(to, key);
    text_buffer_adds(to, value ? "true" : "false");
}

void json_out_instant(struct text_buffer *to, const char *key, int64_t at, int32_t offset_s)
{
    char when[INSTANT_SIZE];

    json_out_text(to, key, at ? instant_format(when, at, offset_s) : NULL);
}
