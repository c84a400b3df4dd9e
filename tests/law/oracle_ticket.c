/* Law 2, a second time: tickets, expiry and rework. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "oracle_parts.h"

void oracle_list_add(struct oracle_list *list, const struct oracle_event *event)
{
    list->items = mem_realloc_array(list->items, list->count + 1, sizeof list->items[0]);
    list->items[list->count++] = event;
}

static bool is(const char *a, const char *b)
{
    return a && strcmp(a, b) == 0;
}

static struct oracle_ticket *ticket_of(struct oracle_tickets *tickets, const struct oracle_event *e,
                                       const struct rules *rules)
{
    struct oracle_ticket *t;

    for (size_t i = 0; i < tickets->count; i++)
        if (is(e->kind, tickets->items[i].kind) && is(e->ticket, tickets->items[i].ticket))
            return &tickets->items[i];
    tickets->items = mem_realloc_array(tickets->items, tickets->count + 1, sizeof *t);
    t = &tickets->items[tickets->count++];
    *t = (struct oracle_ticket){ .kind = e->kind, .ticket = e->ticket };
    for (size_t i = 0; i < rules->kpi_count; i++)
        if (!rules->kpis[i].counts_devices && is(e->kind, rules->kpis[i].counts))
            t->kpi = &rules->kpis[i];
    return t;
}

/* The first event sets opened_at, unless an `opened` event exists: then the earliest does. */
static int64_t opened_at(const struct oracle_ticket *t)
{
    for (size_t i = 0; i < t->events.count; i++)
        if (is(t->events.items[i]->verb, "opened"))
            return t->events.items[i]->at;
    return t->events.items[0]->at;
}

/* Every event carrying an attribute replaces that attribute. */
static void replace_attributes(struct oracle_ticket *t, const struct oracle_event *e)
{
    t->device = e->device ? e->device : t->device;
    t->site = e->site ? e->site : t->site;
    t->department = e->department ? e->department : t->department;
    t->staff = e->staff ? e->staff : t->staff;
    t->model = e->model ? e->model : t->model;
}

static void amend(struct oracle_ticket *t, const struct oracle_event *e)
{
    if (!e->outcome)
        return;
    t->outcome = e->outcome;
    t->corrected = true;
    if (!t->settled) {
        t->settled = true;
        t->settled_at = e->at < t->x ? e->at : t->x;
    }
}

static void fold(struct oracle_ticket *t, int64_t as_of)
{
    t->opened_at = opened_at(t);
    t->x = t->kpi && t->kpi->expire_after_ms != SPAN_NONE ? t->opened_at + t->kpi->expire_after_ms
                                                          : INT64_MAX;
    for (size_t i = 0; i < t->events.count; i++) {
        const struct oracle_event *e = t->events.items[i];

        replace_attributes(t, e);
        if (is(e->verb, "settled")) {
            t->settled = true;
            t->settled_at = e->at;
            t->outcome = e->outcome;
            t->corrected = false;
        } else if (is(e->verb, "reopened")) {
            t->settled = false;
            t->outcome = NULL;
            t->corrected = false;
        } else if (is(e->verb, "amended")) {
            amend(t, e);
        }
    }
    if (!t->department && t->kpi && t->kpi->department[0])
        t->department = t->kpi->department;
    t->expired = as_of >= t->x && (!t->settled || t->settled_at > t->x) && !t->corrected &&
                 !is(t->outcome, "excluded");
}

bool oracle_is_job(const struct oracle_ticket *t)
{
    return is(t->kind, "install") || is(t->kind, "repair");
}

/* By (settled_at, kind, ticket). */
static bool is_later_job(const struct oracle_ticket *a, const struct oracle_ticket *b)
{
    if (a->settled_at != b->settled_at)
        return a->settled_at > b->settled_at;
    if (!is(a->kind, b->kind))
        return strcmp(a->kind, b->kind) > 0;
    return strcmp(a->ticket, b->ticket) > 0;
}

/* The one earlier job that the repair `r` accuses, whatever the windows say. */
static struct oracle_ticket *job_before(struct oracle_tickets *tickets,
                                        const struct oracle_ticket *r)
{
    struct oracle_ticket *best = NULL;

    for (size_t i = 0; i < tickets->count; i++) {
        struct oracle_ticket *t = &tickets->items[i];

        if (t == r || !oracle_is_job(t) || !is(t->device, r->device) ||
            !is(t->outcome, "success") || t->settled_at >= r->opened_at)
            continue;
        if (!best || is_later_job(t, best))
            best = t;
    }
    return best;
}

static void accuse(struct oracle_tickets *tickets)
{
    for (size_t i = 0; i < tickets->count; i++) {
        const struct oracle_ticket *r = &tickets->items[i];
        struct oracle_ticket *job;

        if (!is(r->kind, "repair") || !r->device || is(r->outcome, "excluded"))
            continue;
        job = job_before(tickets, r);
        if (job && job->kpi && job->kpi->rework_window_ms != SPAN_NONE &&
            r->opened_at - job->settled_at <= job->kpi->rework_window_ms)
            job->accused = true;
    }
}

void oracle_tickets_fold(struct oracle_tickets *ret, const struct oracle_list *set,
                         const struct rules *rules, int64_t as_of)
{
    *ret = (struct oracle_tickets){ 0 };
    for (size_t i = 0; i < set->count; i++)
        if (!is(set->items[i]->kind, "device") && !is(set->items[i]->kind, "source"))
            oracle_list_add(&ticket_of(ret, set->items[i], rules)->events, set->items[i]);
    for (size_t i = 0; i < ret->count; i++)
        fold(&ret->items[i], as_of);
    accuse(ret);
}

void oracle_tickets_finish(struct oracle_tickets *tickets)
{
    for (size_t i = 0; i < tickets->count; i++)
        free(tickets->items[i].events.items);
    free(tickets->items);
}
