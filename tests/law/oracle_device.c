/* Law 3 and law 7, a second time: devices in service, their faults, and who was watching. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "oracle_parts.h"

/* What opens or closes something, at an instant. */
struct edge {
    int64_t at;
    int closes;
};

static bool is(const char *a, const char *b)
{
    return a && strcmp(a, b) == 0;
}

static void span_add(struct oracle_span **spans, size_t *count, int64_t begin, int64_t end)
{
    *spans = mem_realloc_array(*spans, *count + 1, sizeof **spans);
    (*spans)[(*count)++] = (struct oracle_span){ begin, end };
}

static struct oracle_span meet(struct oracle_span a, struct oracle_span b)
{
    return (struct oracle_span){ a.begin > b.begin ? a.begin : b.begin,
                                 a.end < b.end ? a.end : b.end };
}

static bool is_empty(struct oracle_span a)
{
    return a.begin >= a.end;
}

static void edge_add(struct edge **edges, size_t *count, int64_t at, int closes)
{
    *edges = mem_realloc_array(*edges, *count + 1, sizeof **edges);
    (*edges)[(*count)++] = (struct edge){ at, closes };
}

static int edge_compare(const void *a, const void *b)
{
    const struct edge *x = a, *y = b;

    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return x->closes - y->closes;
}

/* Service and ticket instants in time order; at equal instants beginnings come before ends. */
static void fold_service(struct oracle_device *d, const struct oracle_list *set,
                         const struct oracle_tickets *tickets)
{
    struct edge *edges = NULL;
    size_t count = 0;
    bool open = false;
    int64_t begin = 0;

    for (size_t i = 0; i < set->count; i++) {
        const struct oracle_event *e = set->items[i];

        if (!is(e->kind, "device") || !is(e->device, d->device))
            continue;
        if (is(e->verb, "commissioned") || is(e->verb, "decommissioned"))
            edge_add(&edges, &count, e->at, is(e->verb, "decommissioned"));
    }
    for (size_t i = 0; i < tickets->count; i++) {
        const struct oracle_ticket *t = &tickets->items[i];

        if (is(t->kind, "install") && is(t->device, d->device) && is(t->outcome, "success"))
            edge_add(&edges, &count, t->settled_at, 0);
    }
    if (count > 0)
        qsort(edges, count, sizeof *edges, edge_compare);
    for (size_t i = 0; i < count; i++) {
        if (edges[i].closes && open)
            span_add(&d->service, &d->service_count, begin, edges[i].at);
        else if (!edges[i].closes && !open)
            begin = edges[i].at;
        open = !edges[i].closes;
    }
    if (open)
        span_add(&d->service, &d->service_count, begin, INT64_MAX);
    free(edges);
}

/* The end of the fault that event `i` begins: the next recovery of its code, else as_of. */
static int64_t fault_end(const struct oracle_list *set, size_t i, int64_t as_of)
{
    for (size_t j = i + 1; j < set->count; j++)
        if (is(set->items[j]->verb, "recovered") && is(set->items[j]->kind, "device") &&
            is(set->items[j]->device, set->items[i]->device) &&
            is(set->items[j]->code, set->items[i]->code))
            return set->items[j]->at;
    return as_of;
}

/* Is the code of event `i` active already when it comes? */
static bool is_active(const struct oracle_list *set, size_t i)
{
    for (size_t j = i; j-- > 0;) {
        if (!is(set->items[j]->kind, "device") ||
            !is(set->items[j]->device, set->items[i]->device) ||
            !is(set->items[j]->code, set->items[i]->code))
            continue;
        if (is(set->items[j]->verb, "recovered"))
            return false;
        if (is(set->items[j]->verb, "faulted"))
            return true;
    }
    return false;
}

static void fold_faults(struct oracle_device *d, const struct oracle_list *set, int64_t as_of)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct oracle_event *e = set->items[i];

        if (is(e->kind, "device") && is(e->verb, "faulted") && is(e->device, d->device) &&
            !is_active(set, i))
            span_add(&d->faults, &d->fault_count, e->at, fault_end(set, i, as_of));
    }
}

/* The device that tells something through this event: its own, or that of its job. */
static const char *device_of(const struct oracle_event *e, const struct oracle_tickets *tickets)
{
    if (is(e->kind, "device"))
        return e->device;
    for (size_t i = 0; i < tickets->count; i++) {
        const struct oracle_ticket *t = &tickets->items[i];

        if (is(t->kind, e->kind) && is(t->ticket, e->ticket ? e->ticket : ""))
            return oracle_is_job(t) ? t->device : NULL;
    }
    return NULL;
}

static struct oracle_device *find(struct oracle_devices *devices, const char *name)
{
    struct oracle_device *d;

    for (size_t i = 0; i < devices->count; i++)
        if (is(devices->items[i].device, name))
            return &devices->items[i];
    devices->items = mem_realloc_array(devices->items, devices->count + 1, sizeof *d);
    d = &devices->items[devices->count++];
    *d = (struct oracle_device){ .device = name };
    return d;
}

void oracle_devices_fold(struct oracle_devices *ret, const struct oracle_list *set,
                         const struct oracle_tickets *tickets, int64_t as_of)
{
    *ret = (struct oracle_devices){ 0 };
    for (size_t i = 0; i < set->count; i++) {
        const char *name = device_of(set->items[i], tickets);

        if (name)
            oracle_list_add(&find(ret, name)->events, set->items[i]);
    }
    for (size_t i = 0; i < ret->count; i++) {
        fold_service(&ret->items[i], set, tickets);
        fold_faults(&ret->items[i], set, as_of);
    }
}

void oracle_devices_finish(struct oracle_devices *devices)
{
    for (size_t i = 0; i < devices->count; i++) {
        free(devices->items[i].service);
        free(devices->items[i].faults);
        free(devices->items[i].events.items);
    }
    free(devices->items);
}

static struct oracle_span cut(const struct oracle_period *period, int64_t as_of)
{
    return (struct oracle_span){ period->begin, period->end < as_of ? period->end : as_of };
}

bool oracle_device_counts(const struct oracle_device *d, const struct kpi *kpi,
                          const struct oracle_period *period, int64_t as_of, bool *ret_faulty)
{
    struct oracle_span p = cut(period, as_of);
    bool in_service = false;

    *ret_faulty = false;
    for (size_t i = 0; i < d->service_count; i++) {
        struct oracle_span serving = meet(d->service[i], p);

        if (is_empty(serving))
            continue;
        in_service = true;
        for (size_t j = 0; j < d->fault_count; j++)
            if (d->faults[j].end - d->faults[j].begin >= kpi->confirm_after_ms &&
                !is_empty(meet(d->faults[j], serving)))
                *ret_faulty = true;
    }
    return in_service;
}

void oracle_device_attributes(const struct oracle_device *d, const struct oracle_period *period,
                              const char **ret_site, const char **ret_model,
                              const char **ret_department)
{
    *ret_site = *ret_model = *ret_department = NULL;
    for (size_t i = 0; i < d->events.count; i++) {
        const struct oracle_event *e = d->events.items[i];

        if (e->at >= period->end)
            break;
        *ret_site = e->site ? e->site : *ret_site;
        *ret_model = e->model ? e->model : *ret_model;
        if (is(e->kind, "device") && e->department)
            *ret_department = e->department;
    }
}

/* Adds when the one input was lost. */
static void add_lost(struct edge **edges, size_t *count, const char *input,
                     const struct oracle_list *set, struct oracle_span p)
{
    bool lost = false;
    struct oracle_span span = { 0 };

    for (size_t i = 0; i <= set->count; i++) {
        const struct oracle_event *e = i < set->count ? set->items[i] : NULL;
        bool ends = !e || (is(e->kind, "source") && is(e->verb, "found"));

        if (e && (!is(e->kind, "source") || !is(e->input, input)))
            continue;
        if (!ends && !lost)
            span.begin = e->at;
        if (ends && lost) {
            struct oracle_span within;

            span.end = e ? e->at : INT64_MAX;
            within = meet(span, p);
            if (!is_empty(within)) {
                edge_add(edges, count, within.begin, 0);
                edge_add(edges, count, within.end, 1);
            }
        }
        lost = !ends;
    }
}

void oracle_coverage(const struct kpi *kpi, const struct oracle_list *set,
                     const struct oracle_period *period, int64_t as_of, int32_t *ret_e4,
                     int32_t *ret_gaps)
{
    struct oracle_span p = cut(period, as_of);
    int64_t length = p.end - p.begin, lost = 0, begin = 0;
    struct edge *edges = NULL;
    size_t count = 0;
    int depth = 0;

    *ret_e4 = 10000;
    *ret_gaps = 0;
    if (is_empty(p))
        return;
    for (size_t i = 0; i < kpi->source_count; i++)
        add_lost(&edges, &count, kpi->sources[i], set, p);
    if (count > 0)
        qsort(edges, count, sizeof *edges, edge_compare);
    /* Openings come before closings at equal instants: what touches is one gap. */
    for (size_t i = 0; i < count; i++) {
        if (!edges[i].closes && depth++ == 0)
            begin = edges[i].at;
        if (edges[i].closes && --depth == 0) {
            lost += edges[i].at - begin;
            ++*ret_gaps;
        }
    }
    free(edges);
    /* Half down: the least n with n >= share - 1/2. */
    *ret_e4 = (int32_t)((2 * 10000 * (length - lost) + length - 1) / (2 * length));
}
