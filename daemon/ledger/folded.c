/* Folded tickets: each ticket's state, and what it was last counted as.
 *
 * Within a transaction the tickets that it touches stand in a table in memory. An event in order
 * is folded into its ticket at once; one that comes late marks the ticket to be folded again from
 * the log. At the end each touched ticket is counted anew, and the tally gains the difference
 * between what it counts as now and what its row says it was counted as before. Rework links the
 * tickets of a device: whoever touches one install or repair draws in the others of its device. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "kpi/rework.h"
#include "base/text.h"
#include "ledger/ledger_private.h"
#include "ledger/rows.h"

static unsigned make_key(char key[KIND_SIZE + TICKET_SIZE], const char *kind, const char *ticket)
{
    size_t kind_length = strlen(kind), ticket_length = strlen(ticket);

    memcpy(key, kind, kind_length + 1);
    memcpy(key + kind_length + 1, ticket, ticket_length);
    return (unsigned)(kind_length + 1 + ticket_length);
}

static struct touched *new_touched(struct ledger *l)
{
    struct touched *t = l->free_touched;

    if (!t)
        return mem_zalloc(sizeof *t);
    l->free_touched = t->next_free;
    l->free_count--;
    memset(t, 0, sizeof *t);
    return t;
}

/* What the row says it was counted as is what the tally will take back. */
static int fill_from_row(struct touched *t, sqlite3_stmt *st, struct err *err)
{
    if (!rows_read_ticket(st, 0, &t->now, &t->was, t->accuser))
        return rows_damaged(err, "ticket");
    t->stored = true;
    t->was_is = t->now.is;
    return 0;
}

static struct touched *find_touched(struct ledger *l, const char *kind, const char *ticket,
                                    char key[KIND_SIZE + TICKET_SIZE], unsigned *length)
{
    struct touched *t;

    *length = make_key(key, kind, ticket);
    HASH_FIND(hh, l->touched, key, *length, t);
    return t;
}

static void add_touched(struct ledger *l, struct touched *t, const char *key, unsigned length)
{
    memcpy(t->key, key, length);
    t->key_length = length;
    HASH_ADD_KEYPTR(hh, l->touched, t->key, length, t);
}

int folded_touch(struct ledger *l, const char *kind, const char *ticket, struct touched **ret,
                 struct err *err)
{
    sqlite3_stmt *st = l->st.ticket_get;
    char key[KIND_SIZE + TICKET_SIZE];
    unsigned length;
    struct touched *t = find_touched(l, kind, ticket, key, &length);
    int rc;

    if (t) {
        *ret = t;
        return 0;
    }
    t = new_touched(l);
    sql_bind_text(st, 1, kind);
    sql_bind_text(st, 2, ticket);
    rc = sql_step(st, "reading a ticket", err);
    if (rc == 1)
        rc = fill_from_row(t, st, err);
    else
        ticket_init(&t->now, kind, ticket);
    (void)sqlite3_reset(st);    /* the step has told what went wrong */
    if (rc < 0) {
        free(t);
        return rc;
    }
    add_touched(l, t, key, length);
    *ret = t;
    return 0;
}

int folded_apply(struct ledger *l, const struct event *event, struct err *err)
{
    struct touched *t;
    int rc = folded_touch(l, event->kind, event->ticket, &t, err);

    if (rc < 0)
        return rc;
    if (!t->refold && !ticket_apply(&t->now, event, l->as_of))
        t->refold = true;
    return 0;
}

static int fold_again(struct ledger *l, struct touched *t, struct err *err)
{
    struct logged_list list = { 0 };
    struct event *events;
    int rc = log_read(l, t->now.kind, t->now.ticket, &list, err);

    if (rc < 0) {
        logged_finish(&list);
        return rc;
    }
    events = mem_alloc((list.count + 1) * sizeof *events);
    for (size_t i = 0; i < list.count; i++)
        events[i] = list.items[i].event;
    ticket_fold(&t->now, events, list.count, l->as_of);
    t->refold = false;
    free(events);
    logged_finish(&list);
    return 0;
}

/* Draws the other install and repair tickets of a device in. */
static int touch_jobs_of(struct ledger *l, const char *device, struct err *err)
{
    sqlite3_stmt *st = l->st.ticket_jobs;
    int rc;

    sql_bind_text(st, 1, device);
    while ((rc = sql_step(st, "reading the tickets of a device", err)) == 1) {
        char key[KIND_SIZE + TICKET_SIZE];
        unsigned length;
        struct touched *t = find_touched(l, sql_column_text(st, 0), sql_column_text(st, 1), key,
                                         &length);

        if (t)
            continue;
        t = new_touched(l);
        rc = fill_from_row(t, st, err);
        add_touched(l, t, key, length);
        if (rc < 0)
            break;
    }
    (void)sqlite3_reset(st);    /* the step has told what went wrong */
    return rc;
}

/* Folds what must be folded again, and notes the devices whose jobs were touched, under their
 * names before and after. */
static int settle_folds(struct ledger *l, struct err *err)
{
    struct touched *t, *next;
    int rc;

    HASH_ITER(hh, l->touched, t, next) {
        if (t->refold) {
            rc = fold_again(l, t, err);
            if (rc < 0)
                return rc;
        }
        if (rework_links_kind(t->now.kind)) {
            devices_touch(l, t->was_is.device);
            devices_touch(l, t->now.is.device);
        }
    }
    return 0;
}

static int compare_by_device(const void *a, const void *b)
{
    const struct touched *x = *(struct touched *const *)a, *y = *(struct touched *const *)b;

    return strcmp(x->now.is.device, y->now.is.device);
}

/* The touched install and repair tickets that name a device, grouped by it. Kept by the
 * transaction. */
static struct touched **jobs_by_device(struct ledger *l, size_t *ret_count)
{
    struct touched **jobs = mem_alloc((HASH_COUNT(l->touched) + 1) * sizeof(struct touched *));
    struct touched *t, *next;
    size_t count = 0;

    HASH_ITER(hh, l->touched, t, next) {
        if (!rework_links_kind(t->now.kind))
            continue;
        t->accuser[0] = '\0';
        if (t->now.is.device[0])
            jobs[count++] = t;
    }
    if (count > 1)
        qsort(jobs, count, sizeof(struct touched *), compare_by_device);
    l->jobs = jobs;
    *ret_count = count;
    return jobs;
}

/* Law 2.rework among the jobs of one device, which remembers them for its history. */
static void accuse_group(struct ledger *l, struct touched **members, size_t count)
{
    struct job *jobs = mem_alloc(count * sizeof *jobs);
    struct touched_device *d;
    const char *device = members[0]->now.is.device;

    HASH_FIND(hh, l->devices, device, strlen(device), d);
    if (d) {
        d->jobs = members;
        d->job_count = count;
    }

    for (size_t i = 0; i < count; i++)
        jobs[i] = (struct job){ .ticket = &members[i]->now };
    rework_accuse(jobs, count, l->rules);
    for (size_t i = 0; i < count; i++)
        if (jobs[i].accuser)
            text_set(members[i]->accuser, sizeof members[i]->accuser, jobs[i].accuser->ticket);
    free(jobs);
}

/* For each device that was touched. */
static int accuse(struct ledger *l, struct err *err)
{
    struct touched_device *d, *next;
    struct touched **jobs;
    size_t count;

    HASH_ITER(hh, l->devices, d, next) {
        int rc = touch_jobs_of(l, d->device, err);

        if (rc < 0)
            return rc;
    }
    jobs = jobs_by_device(l, &count);
    for (size_t from = 0, to; from < count; from = to) {
        to = from + 1;
        while (to < count && compare_by_device(&jobs[from], &jobs[to]) == 0)
            to++;
        accuse_group(l, &jobs[from], to - from);
    }
    return 0;
}

static void count_ticket(struct ledger *l, struct touched *t)
{
    const struct kpi *kpi = rules_kpi_of_kind(l->rules, t->now.kind);

    if (!kpi) {
        t->counts = (struct contribution){ 0 };
        return;
    }
    t->counts = contribution_of(&t->now, kpi, t->accuser[0] != '\0', l->as_of);
    tally_ticket(l->tally, kpi, &t->was_is, &t->was, -1);
    tally_ticket(l->tally, kpi, &t->now.is, &t->counts, 1);
}

int folded_count(struct ledger *l, struct err *err)
{
    struct touched *t, *next;
    int rc = settle_folds(l, err);

    if (rc == 0 && l->devices)
        rc = accuse(l, err);
    if (rc < 0)
        return rc;
    HASH_ITER(hh, l->touched, t, next)
        count_ticket(l, t);
    return 0;
}

int folded_store(struct ledger *l, struct err *err)
{
    struct touched *t, *next;

    HASH_ITER(hh, l->touched, t, next) {
        const struct kpi *kpi = rules_kpi_of_kind(l->rules, t->now.kind);
        int64_t due_at = kpi ? contribution_due_at(&t->now, kpi, l->as_of) : t->now.next_at;
        sqlite3_stmt *st = t->stored ? l->st.ticket_update : l->st.ticket_insert;
        int rc;

        rows_bind_ticket(st, &t->now, &t->counts, t->accuser, due_at);
        rc = sql_run(st, "writing a ticket", err);
        if (rc < 0)
            return rc;
    }
    return 0;
}
