/* One answer of a platform, read as it arrives; see http_page.h.
 *
 * The parser's events go two ways. Inside an item they are written out again as compact JSON, into
 * one buffer that is handed over when the item closes. Outside, the few scalars that somebody
 * configured are kept as text. Everything else is passed over. */
#include "http_page.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "base/json_out.h"
#include "base/mem.h"
#include "pointer.h"

struct http_page {
    struct http_page_settings settings;
    yajl_handle parser;
    struct pointer at;
    int list_depth; /* of the list's items; 0: not inside the list */
    bool in_item;
    bool item_is_cut;
    struct text_buffer item;
    size_t item_count;
    bool has_items;
    struct {
        bool is_set;
        char text[PAGE_VALUE_SIZE];
    } values[PAGE_MEMBERS];
    size_t fed;
    bool began; /* something but blanks and a byte order mark came */
    bool broken;
    struct err err;
};

static int stop(struct http_page *p, const char *why)
{
    p->broken = true;
    err_set(&p->err, -EBADMSG, "%s", why);
    return 0; /* yajl: cancel */
}

/* --- Inside an item */

/* Room is kept for the longest single token: what is cut is no JSON any more, and is not read. */
static bool item_has_room(struct http_page *p, size_t length)
{
    if (p->item.length + length > PAGE_ITEM_MAX)
        p->item_is_cut = true;
    return !p->item_is_cut;
}

static void item_begins(struct http_page *p)
{
    p->in_item = true;
    p->item_is_cut = false;
    p->item.length = 0;
}

static void item_ends(struct http_page *p)
{
    p->in_item = false;
    p->item_count++;
    p->settings.item(p->settings.arg, p->item.bytes ? p->item.bytes : "", p->item.length,
                     p->item_is_cut);
}

static void item_raw(struct http_page *p, const char *text, size_t length)
{
    if (!item_has_room(p, length + 1))
        return;
    json_out_comma(&p->item);
    text_buffer_add(&p->item, text, length);
}

static void item_string(struct http_page *p, const unsigned char *text, size_t length)
{
    if (!item_has_room(p, length + 3))
        return;
    json_out_comma(&p->item);
    json_out_string(&p->item, (const char *)text, length);
}

/* True if the value at hand begins an item of the list. */
static bool is_item(const struct http_page *p)
{
    return !p->in_item && p->list_depth > 0 && p->at.depth == p->list_depth;
}

/* --- What the parser says */

/* A value begins; true if it belongs to an item. */
static bool value(struct http_page *p)
{
    pointer_value(&p->at);
    if (is_item(p))
        item_begins(p);
    return p->in_item;
}

static void value_ended(struct http_page *p)
{
    if (p->in_item && p->at.depth == p->list_depth)
        item_ends(p);
}

static void note_member(struct http_page *p, const char *text, size_t length)
{
    for (int i = 0; i < PAGE_MEMBERS; i++) {
        if (!p->settings.members[i] || !pointer_is(&p->at, p->settings.members[i]))
            continue;
        p->values[i].is_set = true;
        snprintf(p->values[i].text, PAGE_VALUE_SIZE, "%.*s", (int)length, text);
    }
}

static int on_literal(struct http_page *p, const char *text)
{
    if (value(p))
        item_raw(p, text, strlen(text));
    else if (strcmp(text, "null") != 0)
        note_member(p, text, strlen(text));
    else if (pointer_is(&p->at, p->settings.items))
        p->has_items = true;
    value_ended(p);
    return 1;
}

static int on_null(void *arg)
{
    return on_literal(arg, "null");
}

static int on_boolean(void *arg, int is_true)
{
    return on_literal(arg, is_true ? "true" : "false");
}

static int on_number(void *arg, const char *text, size_t length)
{
    struct http_page *p = arg;

    if (value(p))
        item_raw(p, text, length);
    else
        note_member(p, text, length);
    value_ended(p);
    return 1;
}

static int on_string(void *arg, const unsigned char *text, size_t length)
{
    struct http_page *p = arg;

    if (value(p))
        item_string(p, text, length);
    else
        note_member(p, (const char *)text, length);
    value_ended(p);
    return 1;
}

static int open_value(struct http_page *p, bool is_list)
{
    bool in_item = value(p);

    if (in_item)
        item_raw(p, is_list ? "[" : "{", 1);
    if (!pointer_open(&p->at, is_list))
        return stop(p, "its JSON is nested deeper than 32 levels");
    if (!in_item && is_list && p->list_depth == 0 && pointer_is(&p->at, p->settings.items)) {
        p->list_depth = p->at.depth;
        p->has_items = true;
    }
    return 1;
}

static int close_value(struct http_page *p, bool is_list)
{
    if (p->list_depth == p->at.depth && !p->in_item)
        p->list_depth = 0;
    pointer_close(&p->at);
    if (p->in_item && item_has_room(p, 1))
        text_buffer_add(&p->item, is_list ? "]" : "}", 1);
    value_ended(p);
    return 1;
}

static int on_open_map(void *arg)
{
    return open_value(arg, false);
}

static int on_key(void *arg, const unsigned char *key, size_t length)
{
    struct http_page *p = arg;

    pointer_key(&p->at, key, length);
    if (p->in_item && item_has_room(p, length + 4)) {
        json_out_comma(&p->item);
        json_out_string(&p->item, (const char *)key, length);
        text_buffer_add(&p->item, ":", 1);
    }
    return 1;
}

static int on_close_map(void *arg)
{
    return close_value(arg, false);
}

static int on_open_list(void *arg)
{
    return open_value(arg, true);
}

static int on_close_list(void *arg)
{
    return close_value(arg, true);
}

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_boolean,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_open_map,
    .yajl_map_key = on_key,
    .yajl_end_map = on_close_map,
    .yajl_start_array = on_open_list,
    .yajl_end_array = on_close_list,
};

/* --- The whole */

struct http_page *http_page_create(const struct http_page_settings *settings)
{
    struct http_page *p = mem_zalloc(sizeof *p);

    p->settings = *settings;
    if (!p->settings.items)
        p->settings.items = "";
    p->parser = yajl_alloc(&callbacks, NULL, p);
    assert(p->parser);
    return p;
}

void http_page_destroy(struct http_page *p)
{
    if (!p)
        return;
    yajl_free(p->parser);
    text_buffer_finish(&p->item);
    free(p);
}

/* The first byte that is no blank tells an error page of a proxy, or a login form, from JSON. */
static bool begins_well(struct http_page *p, const char **bytes, size_t *length)
{
    if (p->fed == 0 && *length >= 3 && memcmp(*bytes, "\xEF\xBB\xBF", 3) == 0) {
        *bytes += 3;
        *length -= 3;
    }
    while (*length > 0 && **bytes != '\0' && strchr(" \t\r\n", **bytes))
        ++*bytes, --*length;
    if (*length == 0)
        return true;
    p->began = true;
    if (**bytes != '<')
        return true;
    stop(p, "answered HTML, not JSON: is the URL right, or did the login lapse?");
    return false;
}

bool http_page_feed(struct http_page *p, const char *bytes, size_t length)
{
    if (p->broken)
        return false;
    if (!p->began && !begins_well(p, &bytes, &length))
        return false;
    p->fed += length;
    if (length == 0 ||
        yajl_parse(p->parser, (const unsigned char *)bytes, length) == yajl_status_ok)
        return true;
    if (!p->broken)
        stop(p, p->fed <= length ? "answered something that is no JSON: is the URL right?"
                                 : "answered JSON that breaks off or is damaged");
    return false;
}

int http_page_end(struct http_page *p, struct err *err)
{
    if (!p->broken &&
        (!p->began || yajl_complete_parse(p->parser) != yajl_status_ok || p->at.depth > 0)) {
        stop(p, p->began ? "answered JSON that breaks off before its end"
                         : "answered nothing, where JSON was wanted");
    }
    return p->broken ? err_set(err, p->err.code, "%s", p->err.text) : 0;
}

const char *http_page_value(const struct http_page *p, enum page_member member)
{
    return p->values[member].is_set ? p->values[member].text : NULL;
}

bool http_page_has_items(const struct http_page *p)
{
    return p->has_items;
}

bool http_page_is_empty(const struct http_page *p)
{
    return !p->began;
}

size_t http_page_item_count(const struct http_page *p)
{
    return p->item_count;
}
