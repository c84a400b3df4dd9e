/* One JSON item of a platform's answer to events. Loop thread; pure but for its memory. */
#ifndef KPID_DRIVERS_HTTP_MAP_H
#define KPID_DRIVERS_HTTP_MAP_H

#include "event_map.h"

struct http_map;

/* `since` is the pointer to an item's number, NULL: none is wanted. Copies. As event_map_create. */
int http_map_create(struct http_map **ret, const struct event_map_settings *settings,
                    const char *since, struct err *err);
void http_map_destroy(struct http_map *map);

enum { SINCE_SIZE = 128 };
struct http_mapped {
    struct text_buffer events; /* one a line; reused from item to item */
    char since[SINCE_SIZE];    /* "": the item has none */
    char refusal[REFUSAL_SIZE];
};

/* As event_map_make. Without any mapping configured the item is an event already and goes through
 * as it is. */
int http_map_item(struct http_map *map, const char *json, size_t length,
                  struct http_mapped *mapped);
void http_mapped_finish(struct http_mapped *mapped);

#endif
