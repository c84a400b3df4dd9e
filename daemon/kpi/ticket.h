/* Tickets: law 2. The fold of a ticket's events, independent of any KPI and of arrival order. */
#ifndef KPID_KPI_TICKET_H
#define KPID_KPI_TICKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kpi/event.h"

#define INSTANT_NONE INT64_MIN      /* no such instant */
#define INSTANT_NEVER INT64_MAX

/* The attributes that scopes and rework read. */
struct attributes {
    char device[NAME_SIZE];
    char site[NAME_SIZE];
    char department[NAME_SIZE];
    char staff[NAME_SIZE];
    char vehicle[NAME_SIZE];
    char model[NAME_SIZE];
};

struct ticket {
    char kind[KIND_SIZE];
    char ticket[TICKET_SIZE];
    int64_t opened_at;          /* INSTANT_NONE: no event takes part yet */
    int64_t settled_at;         /* INSTANT_NONE: not settled. Read through ticket_settled_at */
    bool has_opened;            /* opened_at comes from an `opened` event */
    bool settled_by_amendment;  /* law 2.amended: expiry may move settled_at forward */
    bool corrected;
    enum outcome outcome;
    char reason[REASON_SIZE];
    struct attributes is;
    int32_t events;             /* that take part */
    int64_t last_at;            /* order key of the last event that takes part */
    char last_source[SOURCE_SIZE];  /* "" with events: forgotten, the log knows */
    char last_id[ID_SIZE];
    int64_t next_at;            /* the earliest event after as_of; INSTANT_NEVER: none */
};

void ticket_init(struct ticket *ticket, const char *kind, const char *id);

/* Folds from nothing. `events` are all of this ticket's, in the order of event_compare. */
void ticket_fold(struct ticket *ticket, const struct event *events, size_t count, int64_t as_of);

/* Folds one more event into a ticket. False, with the ticket untouched, if that cannot be done
 * without the others (it comes before the last one, or at its instant with what orders the two
 * forgotten, or one that waited for as_of comes first): fold again from the log. An event after
 * `as_of` only lowers next_at. */
bool ticket_apply(struct ticket *ticket, const struct event *event, int64_t as_of);

/* When the ticket counts as settled under its KPI (an amendment after expiry settles at x);
 * INSTANT_NONE if it is not. */
int64_t ticket_settled_at(const struct ticket *ticket, const struct kpi *kpi);

/* Law 2.expiry: x, or INSTANT_NEVER if the KPI does not expire. */
int64_t ticket_expires_at(const struct ticket *ticket, const struct kpi *kpi);
bool ticket_expired(const struct ticket *ticket, const struct kpi *kpi, int64_t as_of);

#endif
