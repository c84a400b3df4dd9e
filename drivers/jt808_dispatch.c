/* Orders on their way into the log: what the taxis said waits for a batch, and each message is
 * acknowledged to its taxi once its events are durable. A taxi that is not answered says it again;
 * so what could not be taken is simply not answered. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "jt808_gateway.h"

enum { RETRY_MS = 1000, ACKS_MAX = BATCH_LINES_MAX };

/* Who waits for an answer. */
struct ack {
    char sender[JT808_ID_SIZE];
    uint16_t serial, id;
};

struct order_batch {
    struct jt808_gateway *gateway;
    struct text_buffer events;      /* a line each */
    size_t count;
    struct ack acks[ACKS_MAX];
    size_t ack_count;
    struct batch_line lines[BATCH_LINES_MAX];
    char *cursor;
    struct batch batch;
};

static void destroy(struct order_batch *b)
{
    if (!b)
        return;
    text_buffer_finish(&b->events);
    free(b->cursor);
    free(b);
}

static void reply(struct jt808_gateway *g, const struct ack *ack)
{
    struct jt808_terminal *t = jt808_terminal_named(g, ack->sender);
    struct jt808_answer answer;

    if (!t || !t->link)
        return;         /* it will say it again, and be told that we know */
    jt808_session_reply(&t->link->session, ack->serial, ack->id, JT808_OK, &answer);
    jt808_link_send(t->link, &answer.message);
}

static void on_again(uv_timer_t *timer)
{
    jt808_dispatch_flush(timer->data);
}

static void on_done(struct batch *batch, int status, const struct err *why)
{
    struct order_batch *b = batch->arg;
    struct jt808_gateway *g = b->gateway;

    (void)why;          /* the ledger tells of its disk */
    g->in_house = NULL;
    if (status < 0 && !g->stopping) {
        /* Nothing of it was taken. What came since stays behind it: they would not fit together. */
        g->in_house = b;
        uv_timer_start(&g->flush, on_again, RETRY_MS, 0);
        b->batch.count = 0;     /* says that it is to be handed over again */
        return;
    }
    for (size_t i = 0; status == 0 && i < b->ack_count; i++)
        reply(g, &b->acks[i]);
    destroy(b);
    if (g->stopping)
        jt808_on_handle_closed(g);
    else
        jt808_dispatch_flush(g);
}

static void fill_lines(struct order_batch *b)
{
    char *line = b->events.bytes;

    for (size_t i = 0; i < b->count; i++) {
        size_t length = strcspn(line, "\n");

        b->lines[i] = (struct batch_line){ .bytes = line, .length = length,
                                           .number = (int64_t)i + 1 };
        line += length + 1;
    }
    b->batch = (struct batch){ .lines = b->lines, .count = b->count, .cursor = b->cursor,
                               .done = on_done, .arg = b };
}

/* True: it is in the house. */
static bool hand_over(struct jt808_gateway *g, struct order_batch *b)
{
    fill_lines(b);
    if (!g->env.sink->submit(g->env.house, &b->batch)) {
        b->batch.count = 0;
        return false;   /* `resume` comes */
    }
    return true;
}

void jt808_dispatch_flush(struct jt808_gateway *g)
{
    struct order_batch *b = g->in_house;

    if (b && b->batch.count > 0)
        return;         /* it is there */
    if (!b) {
        b = g->waiting;
        if (!b)
            return;
        g->waiting = NULL;
        b->cursor = jt905_tickets_save(g->tickets);
        g->in_house = b;
    }
    (void)hand_over(g, b);      /* if not, it is tried again on `resume` */
}

bool jt808_dispatch_is_in_house(const struct jt808_gateway *g)
{
    return g->in_house && g->in_house->batch.count > 0;
}

static struct order_batch *want_waiting(struct jt808_gateway *g)
{
    if (!g->waiting) {
        g->waiting = mem_zalloc(sizeof *g->waiting);
        g->waiting->gateway = g;
    }
    return g->waiting;
}

static int add_events(struct jt808_link *link, const struct jt808_message *m,
                      struct order_batch *b)
{
    struct jt808_gateway *g = link->gateway;
    struct jt808_terminal *t = link->terminal;
    const struct jt905_taxi taxi = { t->is.sender, t->is.vehicle, t->is.site };
    int64_t now = clock_wall(g->env.clock);
    struct jt905_order order;
    struct jt905_trip trip;

    if (m->id == JT905_TRIP)
        return jt905_trip_read(m->body, m->length, jt808_inverted_fix(t), &trip)
                   ? jt905_tickets_trip(g->tickets, &trip, &taxi, now, &b->events)
                   : 0;
    return jt905_order_read(m->id, m->body, m->length, &order)
               ? jt905_tickets_take(g->tickets, m->id, &order, &taxi, now, &b->events)
               : 0;
}

/* At most two events come of one message. */
static bool has_room(const struct order_batch *b)
{
    return b->count + 2 <= BATCH_LINES_MAX && b->ack_count < ACKS_MAX &&
           b->events.length < BATCH_BYTES_MAX - 4096;
}

void jt808_dispatch_take(struct jt808_link *link, const struct jt808_message *m, bool acknowledge)
{
    struct jt808_gateway *g = link->gateway;
    struct order_batch *b = want_waiting(g);

    if (!has_room(b)) {
        g->counters.order_events_lost += !acknowledge;
        return;
    }
    b->count += (size_t)add_events(link, m, b);
    if (acknowledge) {
        struct ack *ack = &b->acks[b->ack_count++];

        memcpy(ack->sender, link->session.sender, sizeof ack->sender);
        ack->serial = m->serial;
        ack->id = m->id;
    }
    if (b->count == 0 && b->ack_count == 0) {
        destroy(b);
        g->waiting = NULL;
    } else if (!g->in_house) {
        uv_timer_start(&g->flush, on_again, 0, 0);
    }
}

void jt808_dispatch_finish(struct jt808_gateway *g)
{
    if (g->in_house)
        destroy(g->in_house);
    destroy(g->waiting);
    g->in_house = g->waiting = NULL;
}
