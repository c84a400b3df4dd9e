/* The request that a feed asks with; see feed_request.h. */
#include "feed_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "template.h"

static void fill_in(struct feed_request *r, const struct http_feed_config *c,
                    const struct feed_paging_settings *paging, const struct zone *zone,
                    const struct feed_place *place)
{
    char from[ITEM_TIME_SIZE], to[ITEM_TIME_SIZE], page[24], offset[24], limit[24];
    bool is_form = strstr(c->content_type, "form") != NULL;
    const struct template_value values[] = {
        { "from", item_time_format(from, (enum item_time)c->window_time, zone, place->from) },
        { "to", item_time_format(to, (enum item_time)c->window_time, zone, place->to) },
        { "cursor", place->cursor },
        { "page", page },
        { "offset", offset },
        { "limit", limit },
        { NULL, NULL },
    };

    snprintf(page, sizeof page, "%llu", (unsigned long long)place->page + paging->first_page);
    snprintf(offset, sizeof offset, "%llu", (unsigned long long)place->offset);
    snprintf(limit, sizeof limit, "%u", (unsigned)paging->page_size);
    r->url.length = r->body.length = r->auth_header.length = 0;
    template_expand(&r->url, c->url, ESCAPE_URL, values);
    template_expand(&r->body, c->body ? c->body : "", is_form ? ESCAPE_URL : ESCAPE_JSON, values);
    r->bare_url = r->url.length;
}

/* The same question as the last that was answered in one piece: only a change is wanted. */
static size_t add_conditions(struct feed_request *r, const struct feed_place *place, size_t count)
{
    const struct feed_validators *v = &r->valid;

    if (!v->url || place->page > 0 || strlen(v->url) != r->bare_url ||
        memcmp(v->url, r->url.bytes, r->bare_url) != 0)
        return count;
    if (v->etag[0]) {
        snprintf(r->condition[0], sizeof r->condition[0], "If-None-Match: %s", v->etag);
        r->headers[count++] = r->condition[0];
    }
    if (v->last_modified[0]) {
        snprintf(r->condition[1], sizeof r->condition[1], "If-Modified-Since: %s",
                 v->last_modified);
        r->headers[count++] = r->condition[1];
    }
    return count;
}

void feed_request_make(struct feed_request *r, const struct http_feed_config *c,
                       const struct feed_paging_settings *paging, const struct zone *zone,
                       const struct feed_place *place, struct http_auth *auth,
                       struct http_request *ret)
{
    size_t count = 0;

    fill_in(r, c, paging, zone, place);
    http_auth_apply(auth, &r->url, &r->auth_header, ret);
    for (size_t i = 0; i < c->headers.count && i < FEED_HEADERS_MAX - 3; i++)
        r->headers[count++] = c->headers.items[i];
    if (c->method == HTTP_GET)
        count = add_conditions(r, place, count);
    if (r->auth_header.length > 0)
        r->headers[count++] = r->auth_header.bytes;
    r->headers[count] = NULL;
    ret->url = r->url.bytes;
    ret->post = c->method == HTTP_POST ? r->body.bytes : NULL;
    ret->content_type = c->content_type;
    ret->headers = r->headers;
}

void feed_request_answered(struct feed_request *r, const struct http_result *result)
{
    struct feed_validators *v = &r->next;

    free(v->url);
    v->url = mem_strndup(r->url.bytes, r->bare_url);
    text_set(v->etag, sizeof v->etag, result->etag);
    text_set(v->last_modified, sizeof v->last_modified, result->last_modified);
}

void feed_request_delivered(struct feed_request *r)
{
    free(r->valid.url);
    r->valid = r->next;
    r->next.url = NULL;
}

static void wipe(struct text_buffer *buffer)
{
    if (buffer->bytes)
        explicit_bzero(buffer->bytes, buffer->capacity);
    text_buffer_finish(buffer);
}

void feed_request_finish(struct feed_request *r)
{
    wipe(&r->url);
    wipe(&r->body);
    wipe(&r->auth_header);
    free(r->valid.url);
    free(r->next.url);
}
