/* Tickets, events and instants as the answers show them. Any thread. */
#ifndef KPID_API_SHOW_H
#define KPID_API_SHOW_H

#include "base/json_out.h"
#include "ledger/reads.h"

/* An instant with the offset of the zone; INSTANT_NONE and INSTANT_NEVER are null. */
void show_instant(struct text_buffer *to, const char *key, int64_t at, const struct zone *zone);

/* `"numerator":..,"denominator":..,"excluded":..,"pending":..` */
void show_counts(struct text_buffer *to, const struct counts *counts);

/* Outcome, reason, opened_at, settled_at and the attributes that the ticket carries. `kpi` (may be
 * NULL) lends its department and its expiry. */
void show_ticket(struct text_buffer *to, const struct ticket_row *row, const struct kpi *kpi,
                 const struct zone *zone);

/* A fraction in units of 10^-decimals, with as many of them as say it and at least one; negative:
 * null. */
void show_fraction(struct text_buffer *to, const char *key, int64_t value, int decimals);

/* `"name":{"zh":"","en":""}`. */
void show_name(struct text_buffer *to, const char *zh, const char *en);

/* A text that is null when it is "". */
void show_text(struct text_buffer *to, const char *key, const char *text);

/* The path of a ticket's own page, encoded, as a member. */
void show_ticket_link(struct text_buffer *to, const char *key, const char *kind,
                      const char *ticket);

/* True if the event carries evidence. */
bool show_has_evidence(const char *json);

/* `"events":[{"source":"","id":""},…]` of one subject, at most SHOW_EVENTS_MAX and how many more,
 * and whether any carries evidence. 0 or negative errno. */
enum { SHOW_EVENTS_MAX = 200 };
int show_identities(struct text_buffer *to, struct reader *reader, const char *kind,
                    const char *subject, bool *ret_evidence, struct err *err);

#endif
