/* Pages of a collection: `limit` and an opaque `cursor`, which is the key of the last item that the
 * page before had, so that what comes and goes meanwhile shifts nothing. Pure. */
#ifndef KPID_API_PAGE_H
#define KPID_API_PAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "api/problem.h"

enum { PAGE_FIELDS = 3, PAGE_CURSOR_MAX = 512, PAGE_MAX = 1000 };

struct page {
    size_t limit;
    bool resumes; /* a cursor was given: */
    char key[PAGE_CURSOR_MAX];
    const char *fields[PAGE_FIELDS]; /* of the last item; point into `key` */
};

/* Reads `limit` (1 to PAGE_MAX, `usual` if NULL) and `cursor` (NULL: from the first), which must
 * have `fields` fields. Do not copy the struct. */
bool page_read(struct page *page, const char *limit, const char *cursor, size_t usual,
               size_t fields, struct problem *problem);

/* A decimal integer, the whole of `text`. */
bool page_integer(const char *text, long long *ret);

/* Writes the member `"cursor":"..."` for the item with these fields; `fields` NULL: null. */
void page_cursor(struct text_buffer *to, const char *const *fields, size_t count);

#endif
