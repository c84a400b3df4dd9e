/* Devices: law 3. Folding a device's history into intervals and dated values; what is read from it
 * is in device_counts.c.
 *
 * Four lists are made from the same events and jobs:
 *
 *   service   edges (begin or end, at) in order of time, a beginning before an end at one instant;
 *             two states: out --begin--> in --end--> out, all else is ignored
 *   faults    the same for each code by itself, in event order
 *   values    of site, model and department, in event order over all events of device and jobs
 *   next_at   the first event that is still to come
 *
 * An interval that ends where it begins overlaps nothing (law 3) and is not kept. */
#include "kpi/device.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

struct edge {
    int64_t at;
    bool is_end;
};

static int by_time(const void *a, const void *b)
{
    const struct edge *x = a;
    const struct edge *y = b;

    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return (int)x->is_end - (int)y->is_end;
}

/* law 3.service: commissioned, decommissioned, and install tickets that succeeded, accused or not,
 * at the instant at which they count as settled. */
static size_t gather_edges(struct edge *edges, const struct event *events, size_t event_count,
                           const struct device_job *jobs, size_t job_count,
                           const struct rules *rules, int64_t as_of)
{
    size_t count = 0;

    for (size_t i = 0; i < event_count && events[i].at <= as_of; i++)
        if (events[i].type == EVENT_COMMISSIONED || events[i].type == EVENT_DECOMMISSIONED)
            edges[count++] = (struct edge){ events[i].at,
                                            events[i].type == EVENT_DECOMMISSIONED };
    for (size_t i = 0; i < job_count; i++) {
        const struct ticket *t = jobs[i].ticket;
        int64_t settled_at = ticket_settled_at(t, rules_kpi_of_kind(rules, t->kind));

        if (strcmp(t->kind, "install") == 0 && t->outcome == OUTCOME_SUCCESS &&
            settled_at <= as_of)
            edges[count++] = (struct edge){ .at = settled_at };
    }
    qsort(edges, count, sizeof *edges, by_time);
    return count;
}

static void fold_service(struct device_history *h, const struct edge *edges, size_t count)
{
    int64_t since = INSTANT_NONE;

    h->service = mem_alloc((count + 1) * sizeof *h->service);
    for (size_t i = 0; i < count; i++) {
        if (!edges[i].is_end && since == INSTANT_NONE) {
            since = edges[i].at;
        } else if (edges[i].is_end && since != INSTANT_NONE) {
            if (since < edges[i].at)
                h->service[h->service_count++] = (struct interval){ since, edges[i].at };
            since = INSTANT_NONE;
        }
    }
    if (since != INSTANT_NONE)
        h->service[h->service_count++] = (struct interval){ since, INSTANT_NEVER };
}

/* The active fault of that code, or NULL. */
static struct fault_interval *active_fault(struct device_history *h, const char *code)
{
    for (size_t i = h->fault_count; i > 0; i--)
        if (h->faults[i - 1].during.end == INSTANT_NEVER &&
            strcmp(h->faults[i - 1].code, code) == 0)
            return &h->faults[i - 1];
    return NULL;
}

/* law 3.fault: faults are appended as they begin, so they stand by their beginnings. */
static void fold_fault(struct device_history *h, const struct event *event)
{
    struct fault_interval *active = active_fault(h, event->code);

    if (event->type == EVENT_FAULTED && !active) {
        struct fault_interval *f = &h->faults[h->fault_count++];

        f->during = (struct interval){ event->at, INSTANT_NEVER };
        text_set(f->code, sizeof f->code, event->code);
    } else if (event->type == EVENT_RECOVERED && active) {
        active->during.end = event->at;
    }
}

static void fold_faults(struct device_history *h, const struct event *events, size_t count,
                        int64_t as_of)
{
    size_t kept = 0;

    h->faults = mem_alloc((count + 1) * sizeof *h->faults);
    for (size_t i = 0; i < count && events[i].at <= as_of; i++)
        fold_fault(h, &events[i]);
    for (size_t i = 0; i < h->fault_count; i++)
        if (h->faults[i].during.begin < h->faults[i].during.end)
            h->faults[kept++] = h->faults[i];
    h->fault_count = kept;
}

static int by_event_order(const void *a, const void *b)
{
    const struct event *const *x = a;
    const struct event *const *y = b;

    return event_compare(*x, *y);
}

static void add_value(struct device_history *h, int64_t at, enum device_attribute attribute,
                      const char *value)
{
    if (value[0] == '\0')
        return;
    struct device_value *v = &h->values[h->value_count++];

    v->at = at;
    v->attribute = attribute;
    text_set(v->value, sizeof v->value, value);
}

/* law 3.attributes: site and model from device events and the events of jobs, department from
 * device events alone. `all` has room for every event. */
static void fold_values(struct device_history *h, const struct event **all,
                        const struct event *events, size_t event_count,
                        const struct device_job *jobs, size_t job_count, int64_t as_of)
{
    size_t count = 0;

    for (size_t i = 0; i < event_count && events[i].at <= as_of; i++)
        all[count++] = &events[i];
    for (size_t i = 0; i < job_count; i++)
        for (size_t k = 0; k < jobs[i].event_count && jobs[i].events[k].at <= as_of; k++)
            all[count++] = &jobs[i].events[k];
    qsort(all, count, sizeof(const struct event *), by_event_order);

    h->values = mem_alloc((DEVICE_ATTRIBUTES * count + 1) * sizeof *h->values);
    for (size_t i = 0; i < count; i++) {
        const struct event *e = all[i];

        add_value(h, e->at, DEVICE_SITE, e->site);
        add_value(h, e->at, DEVICE_MODEL, e->model);
        if (strcmp(e->kind, "device") == 0)
            add_value(h, e->at, DEVICE_DEPARTMENT, e->department);
    }
}

/* The first of events in their order that is still to come. */
static int64_t first_after(const struct event *events, size_t count, int64_t as_of)
{
    for (size_t i = 0; i < count; i++)
        if (events[i].at > as_of)
            return events[i].at;
    return INSTANT_NEVER;
}

static int64_t next_event(const struct event *events, size_t event_count,
                          const struct device_job *jobs, size_t job_count, int64_t as_of)
{
    int64_t next_at = first_after(events, event_count, as_of);

    for (size_t i = 0; i < job_count; i++) {
        int64_t at = first_after(jobs[i].events, jobs[i].event_count, as_of);

        if (at < next_at)
            next_at = at;
    }
    return next_at;
}

void device_history_fold(struct device_history *history, const char *device,
                         const struct event *events, size_t event_count,
                         const struct device_job *jobs, size_t job_count,
                         const struct rules *rules, int64_t as_of)
{
    struct device_history h = { .next_at = next_event(events, event_count, jobs, job_count,
                                                      as_of) };
    size_t all_count = event_count;

    for (size_t i = 0; i < job_count; i++)
        all_count += jobs[i].event_count;
    const struct event **all = mem_alloc((all_count + 1) * sizeof *all);
    struct edge *edges = mem_alloc((event_count + job_count + 1) * sizeof *edges);
    size_t edge_count = gather_edges(edges, events, event_count, jobs, job_count, rules, as_of);

    text_set(h.device, sizeof h.device, device);
    fold_service(&h, edges, edge_count);
    fold_faults(&h, events, event_count, as_of);
    fold_values(&h, all, events, event_count, jobs, job_count, as_of);
    free(edges);
    free(all);
    *history = h;
}

void device_history_finish(struct device_history *history)
{
    free(history->service);
    free(history->faults);
    free(history->values);
    *history = (struct device_history){ 0 };
}
