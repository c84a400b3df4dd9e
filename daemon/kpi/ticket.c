/* Tickets: law 2, the fold of a ticket's events.
 *
 * The fold knows no KPI. What depends on one is asked when it is known: whether the ticket expired,
 * and at which of two instants an amendment settled it. So a changed configuration needs no new
 * fold, and the folded ticket needs only its events in their order.
 *
 *              settled               reopened
 *     open ------------> settled ---------------> open
 *       \                  | amended with outcome
 *        \ amended         v
 *         `----------> corrected   (ended by settled or reopened) */
#include "kpi/ticket.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"

void ticket_init(struct ticket *ticket, const char *kind, const char *id)
{
    *ticket = (struct ticket){ .opened_at = INSTANT_NONE, .settled_at = INSTANT_NONE,
                               .last_at = INSTANT_NONE, .next_at = INSTANT_NEVER };
    text_set(ticket->kind, sizeof ticket->kind, kind);
    text_set(ticket->ticket, sizeof ticket->ticket, id);
}

/* law 2: every event carrying an attribute replaces that attribute. */
static void replace_attributes(struct attributes *is, const struct event *event)
{
    const struct {
        char *to;
        const char *from;
    } pairs[] = {
        { is->device, event->device }, { is->site, event->site },
        { is->department, event->department }, { is->staff, event->staff },
        { is->vehicle, event->vehicle }, { is->model, event->model },
    };

    for (size_t i = 0; i < LENGTH(pairs); i++)
        if (pairs[i].from[0] != '\0')
            memcpy(pairs[i].to, pairs[i].from, NAME_SIZE);
}

/* law 2: the first event sets opened_at, unless an `opened` event exists: then the earliest. Events
 * come in their order, so the first `opened` is the earliest. */
static void take_opened_at(struct ticket *ticket, const struct event *event)
{
    bool is_opened = event->type == EVENT_OPENED;

    if (ticket->opened_at == INSTANT_NONE || (is_opened && !ticket->has_opened))
        ticket->opened_at = event->at;
    ticket->has_opened |= is_opened;
}

static void set_result(struct ticket *ticket, int64_t settled_at, enum outcome outcome,
                       const char *reason)
{
    ticket->settled_at = settled_at;
    ticket->settled_by_amendment = false;
    ticket->corrected = false;
    ticket->outcome = outcome;
    text_set(ticket->reason, sizeof ticket->reason, reason);
}

/* law 2.amended: the result is replaced, the instant stands if there was one. */
static void amend(struct ticket *ticket, const struct event *event)
{
    bool was_settled = ticket->settled_at != INSTANT_NONE;
    bool by_amendment = was_settled ? ticket->settled_by_amendment : true;

    if (event->outcome == OUTCOME_NONE)
        return;
    set_result(ticket, was_settled ? ticket->settled_at : event->at, event->outcome,
               event->reason);
    ticket->settled_by_amendment = by_amendment;
    ticket->corrected = true;
}

static void fold_one(struct ticket *ticket, const struct event *event)
{
    take_opened_at(ticket, event);
    replace_attributes(&ticket->is, event);
    switch (event->type) {
    case EVENT_SETTLED:
        set_result(ticket, event->at, event->outcome, event->reason);
        break;
    case EVENT_REOPENED:
        set_result(ticket, INSTANT_NONE, OUTCOME_NONE, "");
        break;
    case EVENT_AMENDED:
        amend(ticket, event);
        break;
    default:
        break;
    }
    ticket->events++;
    ticket->last_at = event->at;
    text_set(ticket->last_source, sizeof ticket->last_source, event->source);
    text_set(ticket->last_id, sizeof ticket->last_id, event->id);
}

void ticket_fold(struct ticket *ticket, const struct event *events, size_t count, int64_t as_of)
{
    char kind[KIND_SIZE];
    char id[TICKET_SIZE];

    memcpy(kind, ticket->kind, sizeof kind);
    memcpy(id, ticket->ticket, sizeof id);
    ticket_init(ticket, kind, id);
    for (size_t i = 0; i < count; i++) {
        if (events[i].at > as_of) {
            ticket->next_at = events[i].at;     /* they come in order */
            break;
        }
        fold_one(ticket, &events[i]);
    }
}

/* True if `event` comes after every event that the ticket has folded, as far as it knows. */
static bool comes_after(const struct ticket *ticket, const struct event *event)
{
    int order;

    if (ticket->events == 0 || event->at != ticket->last_at)
        return ticket->events == 0 || event->at > ticket->last_at;
    if (ticket->last_source[0] == '\0')
        return false;
    order = strcmp(event->source, ticket->last_source);
    return order != 0 ? order > 0 : strcmp(event->id, ticket->last_id) > 0;
}

bool ticket_apply(struct ticket *ticket, const struct event *event, int64_t as_of)
{
    if (ticket->next_at <= as_of)
        return false;       /* an event that had to wait comes first */
    if (event->at > as_of) {
        if (event->at < ticket->next_at)
            ticket->next_at = event->at;
        return true;
    }
    if (!comes_after(ticket, event))
        return false;
    fold_one(ticket, event);
    return true;
}

/* law 2.expiry: x */
int64_t ticket_expires_at(const struct ticket *ticket, const struct kpi *kpi)
{
    if (!kpi || kpi->expire_after_ms == SPAN_NONE || ticket->opened_at == INSTANT_NONE)
        return INSTANT_NEVER;
    return ticket->opened_at + kpi->expire_after_ms;
}

/* law 2.amended: an amendment settles at x, if the KPI expires and x is earlier. */
int64_t ticket_settled_at(const struct ticket *ticket, const struct kpi *kpi)
{
    int64_t x = ticket_expires_at(ticket, kpi);

    return ticket->settled_by_amendment && x < ticket->settled_at ? x : ticket->settled_at;
}

/* law 2.expiry */
bool ticket_expired(const struct ticket *ticket, const struct kpi *kpi, int64_t as_of)
{
    int64_t x = ticket_expires_at(ticket, kpi);
    bool settled_in_time = ticket->settled_at != INSTANT_NONE && ticket->settled_at <= x;

    return x != INSTANT_NEVER && as_of >= x && !settled_in_time && !ticket->corrected &&
           ticket->outcome != OUTCOME_EXCLUDED;
}
