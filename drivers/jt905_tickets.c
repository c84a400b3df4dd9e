/* Orders by phone as dispatch tickets; see jt905_tickets.h.
 *
 *   8B00 placed ──> 0B01 grabbed ──> 8B01 won ──> 0B07 done (or 0B05, the meter's record)
 *                                       └───────> 0B08 the driver cancels, 8B09 the centre cancels
 *
 * Which of these end a ticket, and how, is configured. An order that was lost by its driver and is
 * won by another goes on: the ticket is reopened. */
#include "jt905_tickets.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/instant.h"
#include "base/json_out.h"
#include "base/mem.h"

enum { ORDERS_MAX = 4096, TICKET_SIZE = 24, SOURCE_NAME_SIZE = 33 };
enum { DAY_MS = 86400000 };

struct order {
    uint32_t id;
    char ticket[TICKET_SIZE];       /* "70001-20260310" */
    bool opened, won, ended;
    int64_t heard_at;
    UT_hash_handle hh;              /* in the order of coming, by uthash */
};

struct jt905_tickets {
    char source[SOURCE_NAME_SIZE];
    struct jt905_endings endings;
    struct order *orders;
};

const char *const jt905_ending_choices[] = { "none", "success", "failure", "excluded", NULL };

static struct order *find(const struct jt905_tickets *t, uint32_t id)
{
    struct order *order;

    HASH_FIND(hh, t->orders, &id, sizeof id, order);
    return order;
}

static void drop(struct jt905_tickets *t, struct order *order)
{
    HASH_DEL(t->orders, order);
    free(order);
}

/* Past the bound the oldest goes: what it still says then begins a ticket of its own. */
static struct order *add(struct jt905_tickets *t, uint32_t id, const char *day, int64_t at)
{
    struct order *order = mem_zalloc(sizeof *order);

    if (HASH_COUNT(t->orders) >= ORDERS_MAX)
        drop(t, t->orders);
    order->id = id;
    order->heard_at = at;
    (void)snprintf(order->ticket, sizeof order->ticket, "%" PRIu32 "-%.8s", id, day);
    HASH_ADD(hh, t->orders, id, sizeof order->id, order);
    return order;
}

static void day_of(char day[9], int64_t at)
{
    int32_t year, month, date;

    civil_date((int32_t)((at + JT808_OFFSET_S * 1000) / DAY_MS), &year, &month, &date);
    (void)snprintf(day, 9, "%04u%02u%02u", (unsigned)year % 10000, (unsigned)month % 100,
                   (unsigned)date % 100);
}

/* --- The cursor: "ID-DAY" and a letter for each of opened, won, ended; a blank between orders */

static void load(struct jt905_tickets *t, const char *saved)
{
    uint32_t id;
    char day[9], flags[4];
    int used;

    while (saved && sscanf(saved, "%" SCNu32 "-%8[0-9]%3[owe.]%n", &id, day, flags, &used) == 3) {
        struct order *order = find(t, id);

        order = order ? order : add(t, id, day, 0);
        order->opened = strchr(flags, 'o');
        order->won = strchr(flags, 'w');
        order->ended = strchr(flags, 'e');
        saved += used;
        saved += strspn(saved, " ");
    }
}

char *jt905_tickets_save(const struct jt905_tickets *t)
{
    struct text_buffer text = { 0 };

    for (const struct order *o = t->orders; o; o = o->hh.next)
        text_buffer_addf(&text, "%s%s%s%s%s.", text.length > 0 ? " " : "", o->ticket,
                         o->opened ? "o" : "", o->won ? "w" : "", o->ended ? "e" : "");
    return text_buffer_take(&text);
}

struct jt905_tickets *jt905_tickets_create(const char *source, const struct jt905_endings *endings,
                                           const char *saved)
{
    struct jt905_tickets *t = mem_zalloc(sizeof *t);

    (void)snprintf(t->source, sizeof t->source, "%s", source);
    t->endings = *endings;
    load(t, saved);
    return t;
}

void jt905_tickets_destroy(struct jt905_tickets *t)
{
    if (!t)
        return;
    while (t->orders)
        drop(t, t->orders);
    free(t);
}

void jt905_tickets_forget(struct jt905_tickets *t, int64_t before)
{
    struct order *order, *next;

    HASH_ITER(hh, t->orders, order, next)
        if (order->heard_at < before)
            drop(t, order);
}

size_t jt905_tickets_open(const struct jt905_tickets *t)
{
    return HASH_COUNT(t->orders);
}

/* --- Events */

struct report {
    const struct jt905_tickets *tickets;
    const struct order *order;
    const struct jt905_taxi *taxi;
    int64_t at;
    struct text_buffer *to;
    int count;
};

static void begin_event(struct report *r, const char *type, const char *what)
{
    char id[80], at[INSTANT_SIZE];

    (void)snprintf(id, sizeof id, "%s-%s-%" PRId64, r->order->ticket, what, r->at);
    text_buffer_adds(r->to, "{");
    json_out_text(r->to, "source", r->tickets->source);
    json_out_text(r->to, "id", id);
    json_out_text(r->to, "type", type);
    json_out_text(r->to, "at", instant_format(at, r->at, JT808_OFFSET_S));
    json_out_text(r->to, "ticket", r->order->ticket);
    r->count++;
}

static void end_event(struct report *r, bool with_taxi)
{
    if (with_taxi && r->taxi->vehicle[0])
        json_out_text(r->to, "vehicle", r->taxi->vehicle);
    if (with_taxi && r->taxi->site[0])
        json_out_text(r->to, "site", r->taxi->site);
    json_out_key(r->to, "evidence");
    text_buffer_adds(r->to, "{");
    json_out_text(r->to, "terminal", r->taxi->sender);
    text_buffer_adds(r->to, "}}\n");
}

static void add_opened(struct report *r, const char *what, bool with_taxi)
{
    begin_event(r, "dispatch.opened", what);
    end_event(r, with_taxi);
}

static void add_ending(struct report *r, struct order *order, enum jt905_ending ending,
                       const char *what, const char *reason)
{
    if (ending == ENDING_NONE || order->ended)
        return;
    begin_event(r, "dispatch.settled", what);
    json_out_text(r->to, "outcome", jt905_ending_choices[ending]);
    if (reason)
        json_out_text(r->to, "reason", reason);
    end_event(r, true);
    order->ended = true;
}

static void open_once(struct report *r, struct order *order)
{
    if (order->opened)
        return;
    add_opened(r, "placed", false);
    order->opened = true;
}

/* A driver has it. A second one after the first was lost: the ticket goes on. */
static void take_won(struct report *r, struct order *order, const struct jt905_endings *endings)
{
    if (order->won && !order->ended)
        return;
    if (order->ended) {
        begin_event(r, "dispatch.reopened", "again");
        end_event(r, true);
        order->ended = false;
    } else {
        add_opened(r, "won", true);
    }
    order->won = true;
    add_ending(r, order, endings->won, "success", NULL);
}

static const char *driver_reason(uint8_t reason)
{
    static const char *const reasons[] = { "driver_cancelled:accident", "driver_cancelled:jam" };

    return reason < LENGTH(reasons) ? reasons[reason] : "driver_cancelled";
}

static struct order *order_of(struct jt905_tickets *t, uint32_t id, int64_t at)
{
    struct order *order = find(t, id);
    char day[9];

    if (!order) {
        day_of(day, at);
        order = add(t, id, day, at);
    }
    order->heard_at = at;
    return order;
}

int jt905_tickets_take(struct jt905_tickets *t, uint16_t id, const struct jt905_order *o,
                       const struct jt905_taxi *taxi, int64_t at, struct text_buffer *events)
{
    struct order *order = order_of(t, o->order, at);
    struct report r = { .tickets = t, .order = order, .taxi = taxi, .at = at, .to = events };

    open_once(&r, order);
    switch (id) {
    case JT905_GRAB_RESULT:
        if (o->won)
            take_won(&r, order, &t->endings);
        break;
    case JT905_DONE:
        add_ending(&r, order, t->endings.done, "done", NULL);
        break;
    case JT905_DRIVER_CANCELS:
        add_ending(&r, order, t->endings.driver_cancels, "lost", driver_reason(o->reason));
        break;
    case JT905_CENTRE_CANCELS:
        add_ending(&r, order, t->endings.centre_cancels, "cancelled", "centre_cancelled");
        break;
    default: /* placed, grabbed: there is an order, and that was said */
        break;
    }
    return r.count;
}

int jt905_tickets_trip(struct jt905_tickets *t, const struct jt905_trip *trip,
                       const struct jt905_taxi *taxi, int64_t at, struct text_buffer *events)
{
    struct order *order;

    if (trip->order == 0)
        return 0; /* hailed in the street: no order of ours */
    order = order_of(t, trip->order, at);

    struct report r = { .tickets = t, .order = order, .taxi = taxi, .at = at, .to = events };

    open_once(&r, order);
    add_ending(&r, order, t->endings.trip, "trip", NULL);
    return r.count;
}
