/* Events: law 1. One JSON object in, one struct or one reason for quarantine out. */
#ifndef KPID_KPI_EVENT_H
#define KPID_KPI_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kpi/rules.h"

enum { SOURCE_SIZE = 33, ID_SIZE = 129, TICKET_SIZE = 129, REASON_SIZE = 257,
       EVIDENCE_MAX = 16384, EVENT_JSON_MAX = 65536 };

enum event_type {
    EVENT_NONE,
    EVENT_OPENED, EVENT_SETTLED, EVENT_REOPENED, EVENT_AMENDED,             /* of a ticket */
    EVENT_COMMISSIONED, EVENT_DECOMMISSIONED, EVENT_FAULTED, EVENT_RECOVERED,   /* of a device */
    EVENT_LOST, EVENT_FOUND,                                                /* of an input */
};

enum outcome { OUTCOME_NONE, OUTCOME_SUCCESS, OUTCOME_FAILURE, OUTCOME_EXCLUDED };

/* An attribute that the event does not carry is "". */
struct event {
    char source[SOURCE_SIZE];
    char id[ID_SIZE];
    enum event_type type;
    enum outcome outcome;
    int64_t at;
    char kind[KIND_SIZE];       /* "install" ...; "device"; "source" */
    char ticket[TICKET_SIZE];
    char device[NAME_SIZE];
    char site[NAME_SIZE];
    char department[NAME_SIZE];
    char staff[NAME_SIZE];
    char vehicle[NAME_SIZE];
    char model[NAME_SIZE];
    char code[NAME_SIZE];
    char by[NAME_SIZE];
    char input[INPUT_SIZE];     /* which input was lost or found */
    char reason[REASON_SIZE];
};

/* Why something was not taken. */
struct reject {
    char field[48];             /* the field at fault; "" for the whole */
    char reason[208];           /* "at: missing": names the field, and says why */
};

/* Reads one event. `rules` says which ticket kinds exist; NULL accepts any (an event that the log
 * once accepted stays readable whatever is configured today). False, with `reject` filled, if a
 * rule of law 1 is broken. Pure, no allocation that outlives the call. */
bool event_parse(const char *json, size_t length, const struct rules *rules, struct event *ret,
                 struct reject *reject);

/* Law 1.order: (at, source, id), strings bytewise. <0, 0, >0. */
int event_compare(const struct event *a, const struct event *b);

/* What the event is about within its kind: the ticket, the device, or the input. Borrows. */
const char *event_subject(const struct event *event);

/* Law 1.redelivery: same content as parsed JSON, key order apart. Both must be valid JSON. */
bool event_same_content(const char *a, size_t a_length, const char *b, size_t b_length);

/* What stands behind the dot of a type: "settled"; "" for EVENT_NONE. */
const char *event_verb(enum event_type type);
/* "install.settled". Returns `to`. */
char *event_type_format(char to[KIND_SIZE + 16], const struct event *event);
/* "success", "failure", "excluded", or "" for none. */
const char *outcome_name(enum outcome outcome);
bool outcome_parse(const char *text, size_t length, enum outcome *ret);

/* The patterns of law 1: source, and (for KPI ids and kinds in a configuration) kind. */
bool event_source_is_valid(const char *text, size_t length);
bool event_kind_is_valid(const char *text, size_t length);

#endif
