/* Pages. A cursor is its fields with a tab between, in base64url: safe in an address, and nobody
 * is tempted to make one up. Fields hold no tab: keys of the ledger could, so tabs and backslashes
 * within are escaped. */
#include "api/page.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_out.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void encode(struct text_buffer *to, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i += 3) {
        unsigned long word = 0;
        size_t n = length - i < 3 ? length - i : 3;
        char out[4];

        for (size_t k = 0; k < 3; k++)
            word = word << 8 | (k < n ? (unsigned char)bytes[i + k] : 0);
        for (size_t k = 0; k < 4; k++)
            out[k] = digits[word >> (18 - 6 * k) & 63];
        text_buffer_add(to, out, n + 1);
    }
}

/* Decodes into `to`, NUL-terminated. False for what encode would not have written. */
static bool decode(char *to, size_t size, const char *text)
{
    unsigned long word = 0;
    unsigned bits = 0;
    size_t length = 0;

    for (; *text; text++) {
        const char *digit = strchr(digits, *text);

        if (!digit)
            return false;
        word = (word << 6 | (unsigned long)(digit - digits)) & 0xffffff;
        bits += 6;
        if (bits < 8)
            continue;
        bits -= 8;
        if (length + 1 >= size)
            return false;
        to[length++] = (char)(word >> bits & 0xff);
        if (!to[length - 1])
            return false;
    }
    to[length] = '\0';
    return text_is_utf8(to, length);
}

static void unescape(char *field)
{
    char *to = field;

    for (; *field; field++) {
        if (*field == '\\' && field[1])
            *to++ = *++field == 't' ? '\t' : *field;
        else
            *to++ = *field;
    }
    *to = '\0';
}

bool page_integer(const char *text, long long *ret)
{
    long long value;
    char *end;

    if (*text != '-' && (*text < '0' || *text > '9'))
        return false;
    errno = 0;
    value = strtoll(text, &end, 10);
    if (errno || *end || end == text)
        return false;
    *ret = value;
    return true;
}

static bool read_cursor(struct page *page, const char *cursor, size_t fields)
{
    char *rest = page->key;
    size_t count = 0;

    if (!decode(page->key, sizeof page->key, cursor))
        return false;
    while (rest && count < fields)
        page->fields[count++] = strsep(&rest, "\t");
    if (rest || count < fields)
        return false;
    for (size_t i = 0; i < fields; i++)
        unescape(page->key + (page->fields[i] - page->key));
    return true;
}

bool page_read(struct page *page, const char *limit, const char *cursor, size_t usual,
               size_t fields, struct problem *problem)
{
    long long number = (long long)usual;

    if (limit && (!page_integer(limit, &number) || number < 1 || number > PAGE_MAX))
        return problem_set(problem, PROBLEM_BAD_PARAMETER, "limit: write a number from 1 to %d",
                           PAGE_MAX);
    page->limit = (size_t)number;
    page->resumes = cursor != NULL;
    if (cursor && !read_cursor(page, cursor, fields))
        return problem_set(problem, PROBLEM_BAD_PARAMETER,
                           "cursor: use the one that the page before gave, as it is");
    return true;
}

static void escape(struct text_buffer *to, const char *field)
{
    for (; *field; field++) {
        if (*field == '\t')
            text_buffer_adds(to, "\\t");
        else if (*field == '\\')
            text_buffer_adds(to, "\\\\");
        else
            text_buffer_add(to, field, 1);
    }
}

void page_cursor(struct text_buffer *to, const char *const *fields, size_t count)
{
    struct text_buffer key = { 0 };

    json_out_key(to, "cursor");
    if (!fields) {
        text_buffer_adds(to, "null");
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (i)
            text_buffer_add(&key, "\t", 1);
        escape(&key, fields[i]);
    }
    text_buffer_adds(to, "\"");
    encode(to, key.bytes, key.length);
    text_buffer_adds(to, "\"");
    text_buffer_finish(&key);
}
