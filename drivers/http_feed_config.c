/* The configuration of a feed beyond the life of the file that it was read from, and what its
 * paging settings come to. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/span.h"
#include "base/text.h"
#include "feed_paging.h"
#include "http_feed.h"
#include "template.h"

static void copy_texts(struct option_texts *texts)
{
    char **items = mem_zalloc((texts->count + 1) * sizeof *items);

    for (size_t i = 0; i < texts->count; i++)
        items[i] = mem_strdup(texts->items[i]);
    texts->items = items;
}

void http_feed_config_copy(struct http_feed_config *to, const struct http_feed_config *from)
{
    *to = *from;
    for (const struct option *o = http_feed_options; o->name; o++) {
        void *member = (char *)to + o->offset;
        char **text = member;

        if (o->type == OPTION_TREE)
            *(struct option_tree **)member = NULL;
        else if (o->type == OPTION_TEXTS)
            copy_texts(member);
        else if (o->type == OPTION_TEXT || o->type == OPTION_URL || o->type == OPTION_PATH)
            *text = *text ? mem_strdup(*text) : NULL;
    }
}

static bool asks_for(const struct http_feed_config *c, const char *name)
{
    return template_has(c->url, name) || template_has(c->body, name);
}

void http_feed_paging(struct feed_paging_settings *p, const struct http_feed_config *c)
{
    *p = (struct feed_paging_settings){
        .paging = (enum feed_paging)c->paging,
        .is_windowed = asks_for(c, "from") || asks_for(c, "to"),
        .first_page = c->first_page,
        .page_size = c->page_size,
        .pages_max = c->pages_max,
        .lag_ms = c->lag_ms,
        .window_max_ms = c->window_max_ms,
        .start_back_ms = SPAN_DAY,
    };
    if (p->is_windowed && c->start)
        (void)feed_start_parse(c->start, p); /* the check has seen that it can be read */
    else if (!p->is_windowed && c->start)
        (void)text_copy(p->start_cursor, sizeof p->start_cursor, c->start, strlen(c->start));
    else if (c->paging == PAGING_SINCE)
        text_set(p->start_cursor, sizeof p->start_cursor, "0");
}
