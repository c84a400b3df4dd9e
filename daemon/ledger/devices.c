/* Devices: counted by the difference of two histories.
 *
 * A device's history is folded from the log anew with what this group brought, and compared with
 * the one that it was last counted by (folded without it, if it is not in memory). What lies before
 * the first instant at which the two differ counts alike in both, so only the periods from there
 * on are counted, once with each sign; what did not change cancels out. */
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
    struct device_job *jobs;    /* each with its own array of events */
    size_t job_count;
};

struct touched_device *devices_touch(struct ledger *l, const char *device)
{
    struct touched_device *d;
    size_t length = strlen(device);

    if (length == 0)
        return NULL;
    HASH_FIND(hh, l->devices, device, length, d);
    if (!d) {
        d = mem_zalloc(sizeof *d);
        text_set(d->device, sizeof d->device, device);
        d->due_at = d->differs_from = INSTANT_NEVER;
        HASH_ADD_KEYPTR(hh, l->devices, d->device, length, d);
    }
    if (!d->in_group) {
        d->in_group = true;
        d->next_in_group = l->device_group;
        l->device_group = d;
        l->anything_unstored = true;
    }
    return d;
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

static int side_add_job(struct ledger *l, struct side *side, const struct ticket *ticket,
                        int64_t position, struct err *err)
{
    struct logged_list list = { 0 };
    int rc;

    if (ticket->events == 0 && ticket->next_at == INSTANT_NEVER)
        return 0;       /* nothing is logged of it at that position */
    rc = log_read(l, ticket->kind, ticket->ticket, &list, err);
    if (rc == 0) {
        struct device_job *job;
        size_t count;

        side->jobs = mem_realloc_array(side->jobs, side->job_count + 1, sizeof *side->jobs);
        job = &side->jobs[side->job_count++];
        job->ticket = ticket;
        job->events = events_up_to(&list, position, &count);
        job->event_count = count;
    }
    logged_finish(&list);
    return rc;
}

/* The device's jobs as this group leaves them. */
static int side_jobs_after(struct ledger *l, const struct touched_device *d, struct side *side,
                           struct err *err)
{
    int rc = 0;

    for (struct touched *t = d->first_job; rc == 0 && t; t = t->next_filed)
        rc = side_add_job(l, side, &t->now, l->position, err);
    return rc;
}

/* The device's jobs as this group found them: those that named it then, whatever they name now.
 * Counting the tickets has drawn them all into the group. */
static int side_jobs_before(struct ledger *l, const struct touched_device *d, struct side *side,
                            struct err *err)
{
    int rc = 0;

    for (struct touched *t = d->first_job; rc == 0 && t; t = t->next_filed)
        if (t->before && strcmp(t->before->is.device, d->device) == 0)
            rc = side_add_job(l, side, t->before, l->was_position, err);
    for (struct touched *t = l->group; rc == 0 && t; t = t->next_in_group)
        if (t->before && t->filed_under != d && strcmp(t->before->is.device, d->device) == 0)
            rc = side_add_job(l, side, t->before, l->was_position, err);
    return rc;
}

static void side_finish(struct side *side)
{
    for (size_t i = 0; i < side->job_count; i++)
        free((void *)(uintptr_t)side->jobs[i].events);
    free(side->jobs);
    free(side->events);
}

/* One history, from the log. `ret_known` is false if nothing names the device. */
static int fold_history(struct ledger *l, const struct touched_device *d,
                        const struct logged_list *own, bool after, struct device_history *ret,
                        bool *ret_known, struct err *err)
{
    struct side side = { 0 };
    int rc;

    side.events = events_up_to(own, after ? l->position : l->was_position, &side.event_count);
    rc = after ? side_jobs_after(l, d, &side, err) : side_jobs_before(l, d, &side, err);
    if (rc == 0) {
        device_history_fold(ret, d->device, side.events, side.event_count, side.jobs,
                            side.job_count, l->rules, after ? l->as_of : l->was_as_of);
        *ret_known = side.event_count > 0 || side.job_count > 0;
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

static void count_histories(struct ledger *l, struct touched_device *d,
                            const struct device_history *after)
{
    const struct device_history *before = &d->history;
    int64_t from = device_history_differs_from(before, l->was_as_of, after, l->as_of, l->rules);

    if (from == INSTANT_NEVER)
        return;
    if (from < d->differs_from)
        d->differs_from = from;
    for (size_t k = 0; k < l->rules->kpi_count; k++)
        if (l->rules->kpis[k].counts_devices)
            tally_difference(l, &l->rules->kpis[k], before, after, from);
}

static int count_device(struct ledger *l, struct touched_device *d, struct err *err)
{
    struct logged_list own = { 0 };
    struct device_history after = { 0 };
    bool known;
    int rc = log_read(l, "device", d->device, &own, err);

    if (rc == 0 && !d->counted)
        rc = fold_history(l, d, &own, false, &d->history, &d->known, err);
    if (rc == 0) {
        d->counted = true;
        rc = fold_history(l, d, &own, true, &after, &known, err);
    }
    if (rc == 0) {
        count_histories(l, d, &after);
        device_history_finish(&d->history);
        d->history = after;
        d->known = known;
        d->due_at = device_due_at(&d->history, l->rules, l->as_of);
        deadlines_note(l, d->due_at);
    }
    logged_finish(&own);
    return rc;
}

int devices_count(struct ledger *l, struct err *err)
{
    int rc = 0;

    for (struct touched_device *d = l->device_group; rc == 0 && d; d = d->next_in_group)
        rc = count_device(l, d, err);
    return rc;
}

int devices_store(struct ledger *l, struct err *err)
{
    struct touched_device *d, *next;

    HASH_ITER(hh, l->devices, d, next) {
        sqlite3_stmt *st = d->known ? l->st.device_put : l->st.device_delete;
        int rc = moved_keep_device(l, d->device, d->differs_from, err);

        if (rc < 0)
            return rc;
        if (d->known)
            rows_bind_device(st, &d->history, l->rules, l->as_of);
        else
            sql_bind_text(st, 1, d->device);
        rc = sql_run(st, "writing a device", err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

void devices_end_group(struct ledger *l)
{
    for (struct touched_device *d = l->device_group; d; d = d->next_in_group)
        d->in_group = false;
    l->device_group = NULL;
}

void devices_forget(struct ledger *l)
{
    struct touched_device *d, *next;

    devices_end_group(l);
    HASH_ITER(hh, l->devices, d, next) {
        HASH_DEL(l->devices, d);
        device_history_finish(&d->history);
        free(d);
    }
}
