/* Which request comes next; see feed_paging.h. */
#include "feed_paging.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/instant.h"
#include "base/span.h"
#include "base/text.h"

bool feed_start_parse(const char *start, struct feed_paging_settings *settings)
{
    int64_t at, back;

    if (span_parse(start, &back)) {
        settings->start_at = 0;
        settings->start_back_ms = back;
        return true;
    }
    if (!instant_parse(start, strlen(start), &at))
        return false;
    settings->start_at = at;
    return true;
}

void feed_place_init(struct feed_place *place, const struct feed_paging_settings *settings,
                     const char *committed)
{
    int64_t to;

    *place = (struct feed_place){ 0 };
    text_set(place->cursor, sizeof place->cursor, settings->start_cursor);
    if (!committed)
        return;
    if (settings->is_windowed && strncmp(committed, "to=", 3) == 0 &&
        instant_parse(committed + 3, strlen(committed + 3), &to))
        place->done_to = to;
    if (!settings->is_windowed && strncmp(committed, "cursor=", 7) == 0)
        place->has_cursor =
            text_copy(place->cursor, sizeof place->cursor, committed + 7, strlen(committed + 7));
}

/* Windows overlap by the lag, because rows appear late and are edited; the ledger knows those that
 * come again. A window ends now, unless we have much to make up for. */
static void begin_window(struct feed_place *place, const struct feed_paging_settings *s,
                         int64_t now)
{
    if (place->done_to > 0)
        place->from = place->done_to - s->lag_ms;
    else
        place->from = s->start_at > 0 ? s->start_at : now - s->start_back_ms;
    if (place->from < 0)
        place->from = 0;
    place->to = now;
    if (place->to - place->from > s->window_max_ms)
        place->to = place->from + s->window_max_ms;
    if (place->to < place->from)
        place->to = place->from; /* our clock was set back: an empty window, not a mad one */
}

void feed_place_begin(struct feed_place *place, const struct feed_paging_settings *s, int64_t now)
{
    place->page = 0;
    place->offset = 0;
    if (!s->is_windowed)
        return;
    begin_window(place, s, now);
    text_set(place->cursor, sizeof place->cursor, s->start_cursor);
    place->has_cursor = false;
}

static bool is_digits(const char *text)
{
    return *text && text[strspn(text, "0123456789")] == '\0';
}

int feed_since_compare(const char *a, const char *b)
{
    if (is_digits(a) && is_digits(b)) {
        a += strspn(a, "0");
        b += strspn(b, "0");
        if (strlen(a) != strlen(b))
            return strlen(a) < strlen(b) ? -1 : 1;
    }
    return strcmp(a, b);
}

/* The cursor that the page gives for the next, or NULL. */
static const char *next_cursor(const struct feed_place *place, const struct feed_paging_settings *s,
                               const struct feed_page *page)
{
    switch (s->paging) {
    case PAGING_CURSOR:
        return page->next && page->next[0] ? page->next : NULL;
    case PAGING_SINCE:
        if (!page->since || !page->since[0])
            return NULL;
        return feed_since_compare(page->since, place->cursor) > 0 ? page->since : NULL;
    default:
        return NULL;
    }
}

static bool says_more(const char *more)
{
    static const char *const no[] = { "false", "0", "no", "" };

    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        if (strcmp(more, no[i]) == 0)
            return false;
    return true;
}

static bool is_more(const struct feed_paging_settings *s, const struct feed_page *page,
                    bool has_next)
{
    if (s->paging == PAGING_NONE || page->items == 0)
        return false;
    if (page->more)
        return says_more(page->more);
    if (s->paging == PAGING_CURSOR)
        return has_next;
    return page->items >= s->page_size;
}

/* The window is done: the next, if we are not yet where time is. */
static void end_window(struct feed_place *place, const struct feed_paging_settings *s, int64_t now,
                       enum feed_step *ret_step, char ret_text[FEED_TEXT_SIZE])
{
    char at[INSTANT_SIZE];

    place->done_to = place->to;
    snprintf(ret_text, FEED_TEXT_SIZE, "to=%s", instant_format(at, place->to, 0));
    *ret_step = place->to + s->window_max_ms / 2 < now && place->to > place->from ? FEED_NEXT_WINDOW
                                                                                  : FEED_REST;
}

static int check_progress(const struct feed_place *place, const struct feed_paging_settings *s,
                          const char *next, struct err *err)
{
    if ((s->paging == PAGING_CURSOR || s->paging == PAGING_SINCE) && !next)
        return err_set(err, -EBADMSG,
                       "says that more follows, but the answer has no cursor for "
                       "it: is %s the right pointer?",
                       s->paging == PAGING_CURSOR ? "next" : "since");
    if (s->paging == PAGING_CURSOR && strcmp(next, place->cursor) == 0)
        return err_set(err, -EBADMSG,
                       "goes round in circles: its next cursor is the one that was "
                       "asked with");
    if (place->page + 1 >= s->pages_max)
        return err_set(err, -EBADMSG,
                       "has more than %" PRIu32 " pages: raise pages_max if that "
                       "is right",
                       s->pages_max);
    return 0;
}

int feed_place_after(const struct feed_place *place, const struct feed_paging_settings *s,
                     const struct feed_page *page, int64_t now, struct feed_place *ret_place,
                     enum feed_step *ret_step, char ret_text[FEED_TEXT_SIZE], struct err *err)
{
    struct feed_place next = *place;
    const char *cursor = next_cursor(place, s, page);
    bool more = is_more(s, page, cursor != NULL);
    int rc;

    if (more && s->paging == PAGING_SINCE && !cursor && !page->more)
        more = false; /* a full page of what we had: nothing newer */
    if (more && (rc = check_progress(place, s, cursor, err)) < 0)
        return rc;
    if (cursor && !text_copy(next.cursor, sizeof next.cursor, cursor, strlen(cursor)))
        return err_set(err, -EBADMSG, "gives a cursor longer than %d bytes", FEED_CURSOR_SIZE - 1);
    next.has_cursor = next.has_cursor || cursor != NULL;
    next.page++;
    next.offset += page->items;

    ret_text[0] = '\0';
    *ret_step = more ? FEED_NEXT_PAGE : FEED_REST;
    if (s->is_windowed) {
        if (!more)
            end_window(&next, s, now, ret_step, ret_text);
    } else if (cursor) {
        snprintf(ret_text, FEED_TEXT_SIZE, "cursor=%s", cursor);
    }
    *ret_place = next;
    return 0;
}
