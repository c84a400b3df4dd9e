/* GET /v1/tickets/{kind}/{ticket}: its state, what it adds and to which KPI, and its events as they
 * were received, evidence included. */
#include <stdlib.h>

#include "api/handlers.h"
#include "api/show.h"
#include "api/work.h"

/* An event may be large; a page of events of one ticket is not a thing that anybody asks for. */
enum { TEXT_MAX = 8 * 1024 * 1024 };

struct event_list {
    struct work *work;
    int64_t more;
};

static int show_event(void *arg, const struct event_row *row)
{
    struct event_list *l = arg;
    struct text_buffer *to = &l->work->out;
    const struct zone *zone = &l->work->rules->zone;
    char type[KIND_SIZE + 16];

    if (to->length > TEXT_MAX) {
        l->more++;
        return 0;
    }
    json_out_comma(to);
    text_buffer_adds(to, "{");
    json_out_text(to, "source", row->event.source);
    json_out_text(to, "id", row->event.id);
    json_out_text(to, "type", event_type_format(type, &row->event));
    show_instant(to, "at", row->event.at, zone);
    show_instant(to, "received_at", row->received_at, zone);
    json_out_text(to, "via", row->via);
    json_out_integer(to, "position", row->seq);
    json_out_key(to, "event");
    text_buffer_adds(to, row->json); /* was valid when it was accepted */
    text_buffer_adds(to, "}");
    return 0;
}

static void show_contribution(struct work *w, const struct ticket_row *row, const struct kpi *kpi)
{
    struct text_buffer *to = &w->out;

    json_out_key(to, "contribution");
    if (!kpi) {
        text_buffer_adds(to, "null");
        return;
    }
    text_buffer_adds(to, "{");
    json_out_text(to, "kpi", kpi->id);
    show_counts(to, &row->contribution.counts);
    show_instant(to, "counts_at", row->contribution.counts_at, &w->rules->zone);
    json_out_bool(to, "expired", row->contribution.expired);
    json_out_text(to, "accused_by", row->accuser);
    text_buffer_adds(to, "}");
}

/* Pool thread. */
static int read_ticket(struct work *w, struct reader *reader, struct err *err)
{
    const char *kind = w->call->hit.captures[0], *ticket = w->call->hit.captures[1];
    const struct kpi *kpi = rules_kpi_of_kind(w->rules, kind);
    struct event_list l = { .work = w };
    struct ticket_row row;
    int rc = reader_ticket(reader, kind, ticket, &row, err);

    if (rc < 0)
        return rc;
    if (rc == 0) {
        problem_set(&w->problem, PROBLEM_NOT_FOUND, "no ticket \"%.64s\" of kind \"%.32s\"", ticket,
                    kind);
        return 0;
    }
    text_buffer_adds(&w->out, "{");
    json_out_text(&w->out, "kind", row.ticket.kind);
    json_out_text(&w->out, "ticket", row.ticket.ticket);
    show_ticket(&w->out, &row, kpi, &w->rules->zone);
    json_out_bool(&w->out, "corrected", row.ticket.corrected);
    show_contribution(w, &row, kpi);
    show_instant(&w->out, "as_of", w->as_of, &w->rules->zone);
    json_out_key(&w->out, "events");
    text_buffer_adds(&w->out, "[");
    rc = reader_events(reader, kind, ticket, show_event, &l, err);
    text_buffer_adds(&w->out, "]");
    if (l.more)
        json_out_integer(&w->out, "events_more", l.more);
    text_buffer_adds(&w->out, "}");
    return rc;
}

static void end(struct call *call)
{
    work_begin(call, read_ticket, work_reply, NULL, NULL);
}

const struct handler get_ticket = { .end = end };
