/* Small strings: bounded copies, near names, what a terminal makes of CJK, quoting of strangers. */
#ifndef KPID_BASE_TEXT_H
#define KPID_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Copies `length` bytes and a NUL into `to` of `size` bytes. False, with `to` untouched, if they
 * do not fit. */
bool text_copy(char *to, size_t size, const char *from, size_t length);

/* The same for a NUL-terminated string that is known to fit (asserted). */
void text_set(char *to, size_t size, const char *from);

/* Columns that `text` (UTF-8) takes on a terminal: 2 for wide CJK, 0 for combining marks. */
size_t text_width(const char *text);

/* Bytes of the longest prefix of `text` that takes at most `columns`; never splits a character. */
size_t text_prefix(const char *text, size_t columns);

/* The candidate nearest to `name` if it is near enough to be meant (did-you-mean), else NULL.
 * `candidates` ends with NULL. Borrows; the answer is one of the candidates. */
const char *text_nearest(const char *name, const char *const *candidates);

/* A stranger's bytes for the journal or a report: quoted, control and non-UTF-8 bytes escaped,
 * cut with "..." so that the result with its NUL fits `size`. Returns `to`. */
char *text_quote(char *to, size_t size, const char *from, size_t length);

/* True if `bytes` are well-formed UTF-8 (RFC 3629) without NUL. */
bool text_is_utf8(const char *bytes, size_t length);

/* A growing buffer for output. Zeroed is empty; free with text_buffer_finish. */
struct text_buffer {
    char *bytes;            /* NUL-terminated once anything was added */
    size_t length;
    size_t capacity;
};

void text_buffer_add(struct text_buffer *buffer, const char *bytes, size_t length);
void text_buffer_adds(struct text_buffer *buffer, const char *text);
void text_buffer_addf(struct text_buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Gives the bytes (free with free()) and leaves the buffer empty. Never NULL. */
char *text_buffer_take(struct text_buffer *buffer);
void text_buffer_finish(struct text_buffer *buffer);

#endif
