/* What the option table of the http-feed driver cannot say: settings that need each other, pointers
 * that are none, placeholders that nobody fills. */
#include <string.h>
#include <strings.h>

#include "event_map.h"
#include "feed_paging.h"
#include "http_auth.h"
#include "http_feed.h"
#include "pointer.h"
#include "template.h"

static void check_pointers(const struct http_feed_config *c, const struct option_tree *section,
                           struct faults *faults)
{
    const struct {
        const char *name, *text;
    } pointers[] = {
        { "items", c->items },     { "ok", c->ok },     { "code", c->code },
        { "message", c->message }, { "next", c->next }, { "more", c->more },
        { "since", c->since },
    };

    for (size_t i = 0; i < sizeof pointers / sizeof *pointers; i++)
        if (pointers[i].text && !pointer_is_valid(pointers[i].text))
            fault_add_at(faults, option_tree_place(section, pointers[i].name),
                         "%s = \"%s\" is no JSON Pointer: write \"/%s\"", pointers[i].name,
                         pointers[i].text, pointers[i].text);
}

static bool asks_for(const struct http_feed_config *c, const char *name)
{
    return template_has(c->url, name) || template_has(c->body, name);
}

static void check_paging(const struct http_feed_config *c, const struct option_tree *section,
                         struct faults *faults)
{
    static const char *const placeholders[] = {
        [PAGING_PAGE] = "page",
        [PAGING_OFFSET] = "offset",
        [PAGING_CURSOR] = "cursor",
        [PAGING_SINCE] = "cursor",
    };
    const struct option_tree *place = option_tree_place(section, "paging");

    if (c->paging != PAGING_NONE && !asks_for(c, placeholders[c->paging]))
        fault_add_at(faults, place, "with this paging {%s} must stand in url or body",
                     placeholders[c->paging]);
    if (c->paging == PAGING_CURSOR && !c->next)
        fault_add_at(faults, place,
                     "paging = \"cursor\" needs next, the JSON Pointer to the next "
                     "cursor in the answer");
    if (c->paging == PAGING_SINCE && !c->since)
        fault_add_at(faults, place,
                     "paging = \"since\" needs since, the JSON Pointer to the "
                     "number within an item");
}

static void check_window(const struct http_feed_config *c, const struct option_tree *section,
                         struct faults *faults)
{
    struct feed_paging_settings ignored = { 0 };

    if (!asks_for(c, "from") && !asks_for(c, "to"))
        return;
    if (c->window_max_ms < 2 * c->lag_ms)
        fault_add_at(faults, option_tree_place(section, "window_max"),
                     "window_max must be at least twice "
                     "lag, or the windows do not move on");
    if (c->start && !feed_start_parse(c->start, &ignored))
        fault_add_at(faults, option_tree_place(section, "start"),
                     "start = \"%s\" is neither a time "
                     "(\"2026-11-01T00:00:00+08:00\") nor how far back (\"7d\")",
                     c->start);
}

static void check_headers(const struct http_feed_config *c, const struct option_tree *section,
                          struct faults *faults)
{
    const struct option_tree *place = option_tree_place(section, "headers");

    for (size_t i = 0; i < c->headers.count; i++) {
        const char *header = c->headers.items[i];

        if (!strchr(header, ':') || strpbrk(header, "\r\n"))
            fault_add_at(faults, place, "headers: \"%s\": write \"Name: value\"", header);
        if (strncasecmp(header, "authorization:", 14) == 0 ||
            strncasecmp(header, "cookie:", 7) == 0)
            fault_add_at(faults, place, "headers hold no secret: use auth and credential");
    }
}

static bool is_mapped(const struct http_feed_config *c)
{
    return c->fields || c->constants || c->events || c->when || (c->id && c->id[0]);
}

void http_feed_check(const void *config, const struct option_tree *section, struct faults *faults)
{
    const struct http_feed_config *c = config;
    const struct event_map_settings map = {
        .from_key = "path",
        .list_key = "fields",
        .fields = c->fields,
        .constants = c->constants,
        .events = c->events,
        .when = c->when,
        .id = c->id,
        .time = (enum item_time)c->time,
        .timezone = c->timezone,
    };

    if (c->body && c->method != HTTP_POST)
        fault_add_at(faults, option_tree_place(section, "body"), "a body needs method = \"POST\"");
    check_pointers(c, section, faults);
    check_paging(c, section, faults);
    check_window(c, section, faults);
    check_headers(c, section, faults);
    http_auth_check(c, section, faults);
    if (is_mapped(c))
        event_map_check(&map, section, faults);
}
