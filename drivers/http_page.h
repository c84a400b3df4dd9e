/* One answer of a platform, read as it arrives: the items of its list one at a time, and what the
 * envelope around them says. Never a whole tree; bounded by the largest item. Loop thread. */
#ifndef KPID_DRIVERS_HTTP_PAGE_H
#define KPID_DRIVERS_HTTP_PAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct http_page;

enum page_member { PAGE_OK, PAGE_CODE, PAGE_MESSAGE, PAGE_NEXT, PAGE_MORE, PAGE_MEMBERS };
enum { PAGE_VALUE_SIZE = 4096, PAGE_ITEM_MAX = 64 * 1024 };

/* Borrows all as long as the page lives. Pointers are RFC 6901; NULL: not looked for. */
struct http_page_settings {
    const char *items;
    const char *members[PAGE_MEMBERS];
    /* One item as compact JSON, which borrows until it returns. `is_cut`: it was longer than
     * PAGE_ITEM_MAX, and this is only its beginning. */
    void (*item)(void *arg, const char *json, size_t length, bool is_cut);
    void *arg;
};

struct http_page *http_page_create(const struct http_page_settings *settings);
void http_page_destroy(struct http_page *page);

/* False when the answer is no JSON, or not the JSON that we want: nothing more is to be fed. */
bool http_page_feed(struct http_page *page, const char *bytes, size_t length);
/* At the end of the answer: 0 if it was whole and well, else -EBADMSG with the reason. Whether the
 * list was there is not its business: see http_page_has_items. */
int http_page_end(struct http_page *page, struct err *err);

/* A scalar of the envelope as text; NULL: absent, null, or not a scalar. */
const char *http_page_value(const struct http_page *page, enum page_member member);
/* True if the list was there (null counts as an empty one). */
bool http_page_has_items(const struct http_page *page);
/* True if nothing but blanks was fed. */
bool http_page_is_empty(const struct http_page *page);
size_t http_page_item_count(const struct http_page *page);

#endif
