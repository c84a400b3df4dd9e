/* Orders by phone as dispatch tickets: what the taxis and the centre say of an order
 * (jt905_order.h) becomes events. An order's id has 32 bits and is used again, so that a ticket is
 * the id and the day (GMT+8) on which the order was first heard of; what is open is remembered, and
 * saved as a cursor that commits with the events, so that an order which a restart or midnight
 * falls into stays one ticket. No I/O, no clock. */
#ifndef KPID_DRIVERS_JT905_TICKETS_H
#define KPID_DRIVERS_JT905_TICKETS_H

#include "base/text.h"
#include "jt905_order.h"

/* What an ending means for the ticket; ENDING_NONE: nothing, it goes on. */
enum jt905_ending { ENDING_NONE, ENDING_SUCCESS, ENDING_FAILURE, ENDING_EXCLUDED };
/* "none", "success", "failure", "excluded"; ends with NULL. */
extern const char *const jt905_ending_choices[];

struct jt905_endings {
    enum jt905_ending won, done, trip, driver_cancels, centre_cancels;
};

struct jt905_tickets;

/* `source` (copies) is the input's name; `saved` the cursor of before, or NULL. */
struct jt905_tickets *jt905_tickets_create(const char *source, const struct jt905_endings *endings,
                                           const char *saved);
void jt905_tickets_destroy(struct jt905_tickets *tickets);

/* Who says it; texts may be "". */
struct jt905_taxi {
    const char *sender;         /* the ISU's id */
    const char *vehicle, *site;
};

/* One message about an order, heard at `at`: appends the events that it makes, one JSON line each
 * (with line ends), and returns how many (0: nothing new, a repetition). `id` is the message's. */
int jt905_tickets_take(struct jt905_tickets *tickets, uint16_t id, const struct jt905_order *order,
                       const struct jt905_taxi *taxi, int64_t at, struct text_buffer *events);
/* The same for a trip record that closes an order. */
int jt905_tickets_trip(struct jt905_tickets *tickets, const struct jt905_trip *trip,
                       const struct jt905_taxi *taxi, int64_t at, struct text_buffer *events);

/* What is open, as a cursor. Gives. */
char *jt905_tickets_save(const struct jt905_tickets *tickets);
/* Forgets orders that nobody spoke of since `before`. */
void jt905_tickets_forget(struct jt905_tickets *tickets, int64_t before);
size_t jt905_tickets_open(const struct jt905_tickets *tickets);

#endif
