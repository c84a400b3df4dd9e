/* Devices: law 3, what is read from a history: counts of a period, attributes, and from when on two
 * histories of one device differ. */
#include "kpi/device.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

static int64_t min_of(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* What two intervals share; begin >= end if nothing. */
static struct interval overlap(struct interval a, struct interval b)
{
    return (struct interval){ a.begin > b.begin ? a.begin : b.begin, min_of(a.end, b.end) };
}

static bool is_empty(struct interval i)
{
    return i.begin >= i.end;
}

/* law 3.fault: confirmed if it lasted at least confirm_after; while open, up to as_of. As a whole,
 * before anything is cut. */
static bool is_confirmed(const struct fault_interval *fault, const struct kpi *kpi, int64_t as_of)
{
    return min_of(fault->during.end, as_of) - fault->during.begin >= kpi->confirm_after_ms;
}

bool device_counts(const struct device_history *history, const struct kpi *kpi,
                   const struct rules *rules, struct period period, int64_t as_of,
                   struct counts *ret)
{
    struct interval bounds = { period_begin(period, &rules->zone),
                               period_end(period, &rules->zone) };

    return device_counts_within(history, kpi, bounds, as_of, ret);
}

bool device_counts_within(const struct device_history *history, const struct kpi *kpi,
                          struct interval period, int64_t as_of, struct counts *ret)
{
    struct interval cut = { period.begin, min_of(period.end, as_of) };
    struct counts counts = { 0 };

    for (size_t s = 0; s < history->service_count; s++) {
        struct interval in = overlap(history->service[s], cut);

        if (is_empty(in))
            continue;
        counts.denominator = 1;
        for (size_t f = 0; f < history->fault_count && history->faults[f].during.begin < in.end;
             f++)
            if (!is_empty(overlap(history->faults[f].during, in)) &&
                is_confirmed(&history->faults[f], kpi, as_of))
                counts.numerator = 1;
    }
    if (counts.denominator == 0)
        return false;
    *ret = counts;
    return true;
}

void device_attributes(const struct device_history *history, const struct kpi *kpi,
                       const struct rules *rules, struct period period, int64_t as_of,
                       struct attributes *ret)
{
    device_attributes_until(history, kpi, period_end(period, &rules->zone), as_of, ret);
}

void device_attributes_until(const struct device_history *history, const struct kpi *kpi,
                             int64_t end, int64_t as_of, struct attributes *ret)
{
    const char *last[DEVICE_ATTRIBUTES] = { "", "", kpi->department };

    for (size_t i = 0; i < history->value_count; i++) {
        const struct device_value *v = &history->values[i];

        if (v->at >= end || v->at > as_of)
            break;
        last[v->attribute] = v->value;
    }
    memset(ret, 0, sizeof *ret);
    text_set(ret->device, sizeof ret->device, history->device);
    text_set(ret->site, sizeof ret->site, last[DEVICE_SITE]);
    text_set(ret->model, sizeof ret->model, last[DEVICE_MODEL]);
    text_set(ret->department, sizeof ret->department, last[DEVICE_DEPARTMENT]);
}

/* A set of instants as ascending intervals that lie apart. */
struct set {
    struct interval *items;
    size_t count;
};

/* Adds an interval that begins no earlier than the last one, cut at as_of. */
static void set_add(struct set *set, struct interval i, int64_t as_of)
{
    i.end = min_of(i.end, as_of);
    if (is_empty(i))
        return;
    struct interval *last = set->count > 0 ? &set->items[set->count - 1] : NULL;

    if (last && i.begin <= last->end)
        last->end = i.end > last->end ? i.end : last->end;
    else
        set->items[set->count++] = i;
}

static struct set service_set(const struct device_history *h, int64_t as_of)
{
    struct set set = { .items = mem_alloc((h->service_count + 1) * sizeof *set.items) };

    for (size_t i = 0; i < h->service_count; i++)
        set_add(&set, h->service[i], as_of);
    return set;
}

static struct set fault_set(const struct device_history *h, const struct kpi *kpi, int64_t as_of)
{
    struct set set = { .items = mem_alloc((h->fault_count + 1) * sizeof *set.items) };

    for (size_t i = 0; i < h->fault_count; i++)
        if (is_confirmed(&h->faults[i], kpi, as_of))
            set_add(&set, h->faults[i].during, as_of);
    return set;
}

/* The first instant that is in one set and not in the other. Frees both. */
static int64_t sets_differ_from(struct set a, struct set b)
{
    int64_t from = INSTANT_NEVER;

    for (size_t i = 0; from == INSTANT_NEVER && (i < a.count || i < b.count); i++) {
        if (i >= a.count || i >= b.count)
            from = i >= a.count ? b.items[i].begin : a.items[i].begin;
        else if (a.items[i].begin != b.items[i].begin)
            from = min_of(a.items[i].begin, b.items[i].begin);
        else if (a.items[i].end != b.items[i].end)
            from = min_of(a.items[i].end, b.items[i].end);
    }
    free(a.items);
    free(b.items);
    return from;
}

/* Steps over the values of one attribute to the last one dated `at` the same instant as the next:
 * of several at one instant the last in event order decides. NULL at the end. */
static const struct device_value *next_value(const struct device_history *h, size_t *at,
                                             enum device_attribute attribute)
{
    const struct device_value *found = NULL;

    for (; *at < h->value_count; (*at)++) {
        const struct device_value *v = &h->values[*at];

        if (v->attribute != attribute)
            continue;
        if (found && v->at != found->at)
            break;
        found = v;
    }
    return found;
}

/* The next value that is another than the one that held, `was`. */
static const struct device_value *next_change(const struct device_history *h, size_t *at,
                                              enum device_attribute attribute,
                                              const char *was)
{
    const struct device_value *v = next_value(h, at, attribute);

    while (v && strcmp(v->value, was) == 0)
        v = next_value(h, at, attribute);
    return v;
}

/* The first instant at which one attribute differs. */
static int64_t values_differ_from(const struct device_history *a, const struct device_history *b,
                                  enum device_attribute attribute)
{
    size_t i = 0;
    size_t k = 0;
    const char *was = "";

    for (;;) {
        const struct device_value *x = next_change(a, &i, attribute, was);
        const struct device_value *y = next_change(b, &k, attribute, was);

        if (!x && !y)
            return INSTANT_NEVER;
        if (!x || !y)
            return x ? x->at : y->at;
        if (x->at != y->at || strcmp(x->value, y->value) != 0)
            return min_of(x->at, y->at);
        was = x->value;
    }
}

/* Counts of a period that ends at or before `from` are made of the instants before `from` alone:
 * of the service and of the confirmed faults, both cut at as_of, and of the values dated before.
 * So `from` is the first instant at which one of these three differs. An open service or confirmed
 * fault ends, for this comparison, at the as_of of its side: what as_of passed since is new. */
int64_t device_history_differs_from(const struct device_history *a, int64_t a_as_of,
                                    const struct device_history *b, int64_t b_as_of,
                                    const struct rules *rules)
{
    int64_t from = sets_differ_from(service_set(a, a_as_of), service_set(b, b_as_of));

    for (enum device_attribute i = 0; i < DEVICE_ATTRIBUTES; i++)
        from = min_of(from, values_differ_from(a, b, i));
    for (size_t i = 0; i < rules->kpi_count; i++) {
        const struct kpi *kpi = &rules->kpis[i];

        if (kpi->counts_devices)
            from = min_of(from, sets_differ_from(fault_set(a, kpi, a_as_of),
                                                 fault_set(b, kpi, b_as_of)));
    }
    return from;
}

/* The first instant after as_of at which one instant more than `begin` has passed. */
static int64_t moment_after(int64_t begin, int64_t as_of)
{
    return begin >= as_of ? begin + 1 : INSTANT_NEVER;
}

static int64_t service_due_at(const struct device_history *h, const struct zone *zone,
                              int64_t as_of)
{
    const struct interval *last = h->service_count > 0 ? &h->service[h->service_count - 1] : NULL;

    if (!last || last->end != INSTANT_NEVER)
        return INSTANT_NEVER;
    /* A period counts once as_of has passed its beginning: law 3, empty if as_of <= p0. */
    int32_t day = zone_day(zone, as_of);
    int64_t today = moment_after(zone_midnight(zone, day), as_of);
    int64_t due = min_of(today, moment_after(zone_midnight(zone, day + 1), as_of));

    return min_of(due, moment_after(last->begin, as_of));
}

static int64_t faults_due_at(const struct device_history *h, const struct kpi *kpi, int64_t as_of)
{
    /* A fault that needs no confirmation counts once any time of it has passed. */
    int64_t after = kpi->confirm_after_ms > 0 ? kpi->confirm_after_ms : 1;
    int64_t due = INSTANT_NEVER;

    for (size_t i = 0; i < h->fault_count; i++) {
        int64_t at = h->faults[i].during.begin + after;

        if (h->faults[i].during.end == INSTANT_NEVER && at > as_of)
            due = min_of(due, at);
    }
    return due;
}

int64_t device_due_at(const struct device_history *history, const struct rules *rules,
                      int64_t as_of)
{
    int64_t due = history->next_at;

    for (size_t i = 0; i < rules->kpi_count; i++) {
        const struct kpi *kpi = &rules->kpis[i];

        if (!kpi->counts_devices)
            continue;
        due = min_of(due, service_due_at(history, &rules->zone, as_of));
        due = min_of(due, faults_due_at(history, kpi, as_of));
    }
    return due;
}

bool device_in_service(const struct device_history *history, int64_t at)
{
    for (size_t i = 0; i < history->service_count; i++)
        if (history->service[i].begin <= at && at < history->service[i].end)
            return true;
    return false;
}
