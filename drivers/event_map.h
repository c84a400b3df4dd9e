/* From the named values of a stranger's record to our events, as a site configured it.
 *
 * A record is a CSV row (values named by column) or a JSON item (values named by JSON Pointer);
 * the mapping does not care which. It is read from the configuration once, checked with every
 * fault in its place, and is then immutable: any thread may map with it.
 *
 *   fields    = ( { path = "/status"; field = "outcome";
 *                   values = ( { from = "5"; to = "success"; }, ... ); otherwise = "failure"; },
 *                 { path = "/endtime"; field = "at"; time = "local"; } );
 *   constants = { type = "dispatch.settled"; department = "monitoring"; };
 *   when      = ( { path = "/status"; is = [ "3", "4", "5" ]; } );
 *   id        = "{/orderid}-{/updated}";
 *   events    = ( { type = "dispatch.opened"; at = "/createtime"; }, ... );
 *
 * With `events` a record makes one event for each entry whose `when` fits and whose `at` is not
 * empty; entries add to and override what stands outside. Without it a record makes one event.
 * Without `fields` and `events` the values are called like the fields. */
#ifndef KPID_DRIVERS_EVENT_MAP_H
#define KPID_DRIVERS_EVENT_MAP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/option.h"
#include "base/text.h"
#include "item_time.h"

struct event_map;

/* Borrows everything, for the call. */
struct event_map_settings {
    const char *from_key; /* how an entry names its value: "column" or "path" */
    const char *list_key; /* how the list is called: "columns" or "fields" */
    const struct option_tree *fields;
    const struct option_tree *constants;
    const struct option_tree *events;
    const struct option_tree *when;
    const char *id; /* template; NULL: digest of the mapped fields */
    enum item_time time;
    const char *timezone; /* NULL or "": see default_timezone */
    const char *default_timezone;
    const char *source; /* of the events, unless mapped or constant */
};

/* Adds every fault of the mapping. */
void event_map_check(const struct event_map_settings *settings, const struct option_tree *section,
                     struct faults *faults);
/* Gives; fails for a zone that cannot be read or settings that do not pass the check. */
int event_map_create(struct event_map **ret, const struct event_map_settings *settings,
                     struct err *err);
void event_map_destroy(struct event_map *map);

/* True if neither fields nor events are configured: values are called like the fields. */
bool event_map_is_plain(const struct event_map *map);

/* The names of the values that the map reads, each once. Borrows until destroyed. */
size_t event_map_inputs(const struct event_map *map, const char *const **ret_names);

/* One value of a record, by index of its input. */
struct event_value {
    const char *text; /* NULL: absent, null or empty. Not NUL-terminated */
    size_t length;
    bool is_compound; /* an object or list stands there, which no field can take */
};

enum { EVENTS_PER_RECORD_MAX = 8, REFUSAL_SIZE = 208 };

/* Maps one record. Returns the number of events, each appended to `out` as one line of JSON ended
 * by a newline; 0 if `when` passes it over; -1 if it cannot be mapped, with `ret_refusal` naming
 * the field. On -1 nothing is appended. */
int event_map_make(const struct event_map *map, const struct event_value *values,
                   struct text_buffer *out, char ret_refusal[REFUSAL_SIZE]);

#endif
