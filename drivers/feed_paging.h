/* Which request comes next: pages, windows and cursors of a polled feed, as pure values.
 *
 * A place is where a feed stands. Asking goes on from a place; a page that was read whole leads to
 * the next place, which is entered only once the page's events are durable. What commits with them
 * is the cursor text: for windows only with the last page of the window (a window is done when it
 * was read whole), else with every page. */
#ifndef KPID_DRIVERS_FEED_PAGING_H
#define KPID_DRIVERS_FEED_PAGING_H

#include "base/err.h"
#include "http_feed.h"

enum { FEED_CURSOR_SIZE = 256, FEED_TEXT_SIZE = FEED_CURSOR_SIZE + 16 };

struct feed_paging_settings {
    enum feed_paging paging;
    bool is_windowed; /* the request has a {from} or {to} */
    uint32_t first_page, page_size, pages_max;
    int64_t lag_ms, window_max_ms;
    int64_t start_at; /* first {from}; if 0: `start_back_ms` before the first poll */
    int64_t start_back_ms;
    char start_cursor[FEED_CURSOR_SIZE];
};

struct feed_place {
    int64_t done_to;               /* windows are done up to here; 0: none yet */
    char cursor[FEED_CURSOR_SIZE]; /* for the next {cursor} */
    bool has_cursor;               /* a page gave one; not the configured first */
    /* Within a poll: */
    int64_t from, to;
    uint32_t page; /* from 0 */
    uint64_t offset;
};

/* Reads `start`; false if it is neither a time nor a span. For windows. */
bool feed_start_parse(const char *start, struct feed_paging_settings *settings);

/* From what last committed (NULL: nothing yet; what cannot be read counts as nothing). */
void feed_place_init(struct feed_place *place, const struct feed_paging_settings *settings,
                     const char *committed);

/* The first page of a poll, or of the next window. */
void feed_place_begin(struct feed_place *place, const struct feed_paging_settings *settings,
                      int64_t now);

/* What a page that was read whole had to say. */
struct feed_page {
    size_t items;
    const char *next;  /* cursor in the answer; NULL: none */
    const char *since; /* greatest number among the items; "": none */
    const char *more;  /* what says whether more follows; NULL: nothing does */
};

enum feed_step {
    FEED_NEXT_PAGE,   /* ask again at once */
    FEED_NEXT_WINDOW, /* the window is done and another lies behind it: ask at once */
    FEED_REST,        /* all is read: wait for the interval */
};

/* Where a page leads. `ret_text` is the cursor that commits with it, "" for none. Fails if the
 * platform goes round in circles or says that there is more but not where. */
int feed_place_after(const struct feed_place *place, const struct feed_paging_settings *settings,
                     const struct feed_page *page, int64_t now, struct feed_place *ret_place,
                     enum feed_step *ret_step, char ret_text[FEED_TEXT_SIZE], struct err *err);

/* Of two numbers of items the one that comes later: by value if both are digits, else bytewise. */
int feed_since_compare(const char *a, const char *b);

#endif
