/* The mapping as it is in memory; for event_map.c, which maps, and event_map_read.c, which reads
 * the configuration. */
#ifndef KPID_DRIVERS_EVENT_MAP_PRIVATE_H
#define KPID_DRIVERS_EVENT_MAP_PRIVATE_H

#include "event_map.h"

/* In the order in which they are written into an event, and into its digest. */
enum map_field {
    FIELD_SOURCE,
    FIELD_ID,
    FIELD_TYPE,
    FIELD_AT,
    FIELD_TICKET,
    FIELD_DEVICE,
    FIELD_SITE,
    FIELD_DEPARTMENT,
    FIELD_STAFF,
    FIELD_VEHICLE,
    FIELD_MODEL,
    FIELD_OUTCOME,
    FIELD_REASON,
    FIELD_BY,
    FIELD_CODE,
    FIELD_COUNT,
};

/* Ends with NULL. */
extern const char *const map_field_names[FIELD_COUNT + 1];

struct map_pair {
    const char *from, *to;
};

/* One value of the record to one field of the event. */
struct map_rule {
    size_t input;
    enum map_field field;
    enum item_time time;          /* of FIELD_AT */
    const struct map_pair *pairs; /* NULL: the value goes in as it is */
    size_t pair_count;
    const char *otherwise; /* for a value that no pair names; NULL: a refusal */
};

struct map_condition {
    size_t input;
    const char *const *is;
    size_t is_count;
};

enum { TEMPLATE_PARTS_MAX = 16, SHAPE_RULES_MAX = 32, CONDITIONS_MAX = 8, MAP_INPUTS_MAX = 64 };

/* "{No}-{Changed}": parts are texts and inputs. */
struct map_template {
    struct {
        const char *text; /* NULL: the input */
        size_t input;
    } parts[TEMPLATE_PARTS_MAX];
    size_t count;
};

/* One event that a record can make. */
struct map_shape {
    struct map_rule rules[SHAPE_RULES_MAX];
    size_t rule_count;
    const char *constants[FIELD_COUNT];
    struct map_condition conditions[CONDITIONS_MAX];
    size_t condition_count;
    struct map_template id; /* no parts: a digest */
    bool id_is_shared;      /* by several shapes: the type makes it unique */
    bool is_one_of_several; /* without `at` it has not happened yet */
};

struct event_map {
    const char *from_key;
    const char *inputs[MAP_INPUTS_MAX];
    size_t input_count;
    struct map_shape shapes[EVENTS_PER_RECORD_MAX];
    size_t shape_count;
    const char *source;
    struct zone zone;
    bool has_zone;
    bool is_plain;
    void **owned; /* all that the pointers above lead to */
    size_t owned_count;
};

#endif
