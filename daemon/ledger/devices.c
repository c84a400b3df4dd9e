/* Devices: counted by the difference of two histories.
 *
 * A device's history is folded from the log twice: without and with what this transaction brought.
 * What lies before the first instant at which the two differ counts alike in both, so only the
 * periods from there on are counted, once with each sign; what did not change cancels out. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "ledger/ledger_private.h"
#include "ledger/rows.h"

/* What one history is folded from. */
struct side {
    struct event *events;       /* of the device */
    size_t event_count;
    struct ticket *tickets;     /* its installs and repairs ... */
    struct event **ticket_events;
    size_t *ticket_event_counts;
    size_t ticket_count;
    size_t capacity;
};

void devices_touch(struct ledger *l, const char *device)
{
    struct touched_device *d;
    size_t length = strlen(device);

    if (length == 0)
        return;
    HASH_FIND(hh, l->devices, device, length, d);
    if (d)
        return;
    d = mem_zalloc(sizeof *d);
    text_set(d->device, sizeof d->device, device);
    HASH_ADD_KEYPTR(hh, l->devices, d->device, length, d);
}

static void side_finish(struct side *side)
{
    free(side->events);
    for (size_t i = 0; i < side->ticket_count; i++)
        free(side->ticket_events[i]);
    free(side->tickets);
    free(side->ticket_events);
    free(side->ticket_event_counts);
}

/* The events logged up to `position`, as one array. Gives. */
static struct event *events_up_to(const struct logged_list *list, int64_t position,
                                  size_t *ret_count)
{
    struct event *events = mem_alloc((list->count + 1) * sizeof *events);
    size_t count = 0;

    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].seq <= position)
            events[count++] = list->items[i].event;
    *ret_count = count;
    return events;
}

static struct ticket *side_add_ticket(struct side *side)
{
    size_t n;

    if (side->ticket_count == side->capacity) {
        n = side->capacity = side->capacity ? side->capacity * 2 : 4;
        side->tickets = mem_realloc_array(side->tickets, n, sizeof *side->tickets);
        side->ticket_events = mem_realloc_array(side->ticket_events, n,
                                                sizeof *side->ticket_events);
        side->ticket_event_counts = mem_realloc_array(side->ticket_event_counts, n,
                                                      sizeof *side->ticket_event_counts);
    }
    n = side->ticket_count++;
    side->ticket_events[n] = NULL;
    side->ticket_event_counts[n] = 0;
    return &side->tickets[n];
}

/* The device's jobs as their rows have them: as they were before this transaction. */
static int side_jobs_before(struct ledger *l, const char *device, struct side *side,
                            struct err *err)
{
    sqlite3_stmt *st = l->st.ticket_jobs;
    struct contribution counted;
    char accuser[TICKET_SIZE];
    int rc;

    sql_bind_text(st, 1, device);
    while ((rc = sql_step(st, "reading the tickets of a device", err)) == 1)
        if (!rows_read_ticket(st, 0, side_add_ticket(side), &counted, accuser)) {
            rc = rows_damaged(err, "ticket");
            break;
        }
    (void)sqlite3_reset(st);    /* the step has told what went wrong */
    return rc;
}

/* The device's jobs as this transaction leaves them: folded_count drew them all in. */
static void side_jobs_after(struct ledger *l, const char *device, struct side *side)
{
    struct touched_device *d;

    HASH_FIND(hh, l->devices, device, strlen(device), d);
    for (size_t i = 0; d && i < d->job_count; i++)
        *side_add_ticket(side) = d->jobs[i]->now;
}

static int side_read_ticket_events(struct ledger *l, struct side *side, int64_t position,
                                   struct err *err)
{
    for (size_t i = 0; i < side->ticket_count; i++) {
        struct logged_list list = { 0 };
        int rc = log_read(l, side->tickets[i].kind, side->tickets[i].ticket, &list, err);

        if (rc == 0)
            side->ticket_events[i] = events_up_to(&list, position,
                                                  &side->ticket_event_counts[i]);
        logged_finish(&list);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static void side_fold(const struct ledger *l, const char *device, const struct side *side,
                      int64_t as_of, struct device_history *ret)
{
    struct device_job *jobs = mem_alloc((side->ticket_count + 1) * sizeof *jobs);

    for (size_t i = 0; i < side->ticket_count; i++)
        jobs[i] = (struct device_job){ .ticket = &side->tickets[i],
                                       .events = side->ticket_events[i],
                                       .event_count = side->ticket_event_counts[i] };
    device_history_fold(ret, device, side->events, side->event_count, jobs, side->ticket_count,
                        l->rules, as_of);
    free(jobs);
}

/* One history, from the log up to `position`. `ret_known` is false if nothing names the device. */
static int fold_history(struct ledger *l, const char *device, const struct logged_list *own,
                        bool after, struct device_history *ret, bool *ret_known, struct err *err)
{
    int64_t position = after ? l->position : l->was_position;
    struct side side = { 0 };
    int rc = 0;

    side.events = events_up_to(own, position, &side.event_count);
    if (after)
        side_jobs_after(l, device, &side);
    else
        rc = side_jobs_before(l, device, &side, err);
    if (rc == 0)
        rc = side_read_ticket_events(l, &side, position, err);
    if (rc == 0) {
        side_fold(l, device, &side, after ? l->as_of : l->was_as_of, ret);
        *ret_known = side.event_count > 0 || side.ticket_count > 0;
    }
    side_finish(&side);
    return rc;
}

static void tally_period(struct ledger *l, const struct kpi *kpi, struct period period,
                         const struct device_history *history, int64_t as_of, int64_t times)
{
    struct counts counts;
    struct attributes is;

    if (!device_counts(history, kpi, l->rules, period, as_of, &counts))
        return;
    device_attributes(history, kpi, l->rules, period, as_of, &is);
    tally_device(l->tally, kpi, period, &is, &counts, times);
}

static void tally_difference(struct ledger *l, const struct kpi *kpi,
                             const struct device_history *before,
                             const struct device_history *after, int64_t from)
{
    const struct zone *zone = &l->rules->zone;

    for (int kind = PERIOD_DAY; kind < PERIOD_KINDS; kind++) {
        struct period p = period_at((enum period_kind)kind, zone, from);

        for (; period_begin(p, zone) < l->as_of; p = period_next(p)) {
            tally_period(l, kpi, p, before, l->was_as_of, -1);
            tally_period(l, kpi, p, after, l->as_of, 1);
        }
    }
}

static int store_device(struct ledger *l, const char *device,
                        const struct device_history *history, bool known, struct err *err)
{
    sqlite3_stmt *st = known ? l->st.device_put : l->st.device_delete;

    if (known)
        rows_bind_device(st, history, l->rules, l->as_of);
    else
        sql_bind_text(st, 1, device);
    return sql_run(st, "writing a device", err);
}

static void count_histories(struct ledger *l, const struct device_history *before,
                            const struct device_history *after)
{
    int64_t from = device_history_differs_from(before, l->was_as_of, after, l->as_of, l->rules);

    if (from == INSTANT_NEVER)
        return;
    for (size_t k = 0; k < l->rules->kpi_count; k++)
        if (l->rules->kpis[k].counts_devices)
            tally_difference(l, &l->rules->kpis[k], before, after, from);
}

static int count_device(struct ledger *l, const char *device, struct err *err)
{
    struct logged_list own = { 0 };
    struct device_history before = { 0 }, after = { 0 };
    bool known;
    int rc = log_read(l, "device", device, &own, err);

    if (rc == 0)
        rc = fold_history(l, device, &own, false, &before, &known, err);
    if (rc == 0)
        rc = fold_history(l, device, &own, true, &after, &known, err);
    if (rc == 0) {
        count_histories(l, &before, &after);
        rc = store_device(l, device, &after, known, err);
    }
    device_history_finish(&before);
    device_history_finish(&after);
    logged_finish(&own);
    return rc;
}

int devices_count(struct ledger *l, struct err *err)
{
    struct touched_device *d, *next;

    HASH_ITER(hh, l->devices, d, next) {
        int rc = count_device(l, d->device, err);

        if (rc < 0)
            return rc;
    }
    return 0;
}
