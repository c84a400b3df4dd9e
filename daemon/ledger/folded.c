/* Folded tickets: each ticket's state, and what it was last counted as.
 *
 * A ticket that an event or a deadline touches is read into memory and stays there until the next
 * store. An event in order is folded into it at once; one that comes late marks it to be folded
 * again from the log. At the end of a group each touched ticket is counted anew, and the tally
 * gains the difference to what it was counted as before. Rework links the tickets of a device:
 * whoever touches one install or repair draws in the others of its device. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "kpi/rework.h"
#include "ledger/ledger_private.h"
#include "ledger/rows.h"

enum { FREE_TOUCHED_MAX = 1024 };   /* kept for reuse, 2 MiB */

/* With a NUL behind it, which does not count: it is two texts. */
static unsigned make_key(char key[KIND_SIZE + TICKET_SIZE], const char *kind, const char *ticket)
{
    size_t kind_length = strlen(kind), ticket_length = strlen(ticket);

    memcpy(key, kind, kind_length + 1);
    memcpy(key + kind_length + 1, ticket, ticket_length + 1);
    return (unsigned)(kind_length + 1 + ticket_length);
}

static struct touched *new_touched(struct ledger *l)
{
    struct touched *t = l->free_touched;

    if (t) {
        l->free_touched = t->next_free;
        l->free_count--;
        memset(t, 0, sizeof *t);
    } else {
        t = mem_zalloc(sizeof *t);
    }
    t->due_at = t->stored_counts_at = INSTANT_NEVER;
    return t;
}

static void free_touched(struct ledger *l, struct touched *t)
{
    if (l->free_count >= FREE_TOUCHED_MAX) {
        free(t);
        return;
    }
    t->next_free = l->free_touched;
    l->free_touched = t;
    l->free_count++;
}

/* Installs and repairs are filed under the device that they name now. */
static void file_job(struct ledger *l, struct touched *t)
{
    struct touched_device *d = devices_touch(l, t->now.is.device);

    if (t->filed_under == d)
        return;
    if (t->filed_under) {
        if (t->previous_filed)
            t->previous_filed->next_filed = t->next_filed;
        else
            t->filed_under->first_job = t->next_filed;
        if (t->next_filed)
            t->next_filed->previous_filed = t->previous_filed;
    }
    t->filed_under = d;
    t->previous_filed = NULL;
    t->next_filed = d ? d->first_job : NULL;
    if (t->next_filed)
        t->next_filed->previous_filed = t;
    if (d)
        d->first_job = t;
}

void folded_join_group(struct ledger *l, struct touched *t)
{
    if (t->in_group)
        return;
    t->in_group = true;
    t->next_in_group = l->group;
    l->group = t;
    l->anything_unstored = true;
    if (rework_links_kind(t->now.kind)) {
        t->before = mem_alloc(sizeof *t->before);
        *t->before = t->now;
    }
}

static struct touched *find_touched(struct ledger *l, const char *kind, const char *ticket,
                                    char key[KIND_SIZE + TICKET_SIZE], unsigned *length)
{
    struct touched *t;

    *length = make_key(key, kind, ticket);
    HASH_FIND(hh, l->touched, key, *length, t);
    return t;
}

/* Makes an entry for what has no row, as far as is known. */
static struct touched *add_touched(struct ledger *l, const char *key, unsigned length)
{
    struct touched *t = new_touched(l);

    ticket_init(&t->now, key, key + strlen(key) + 1);
    memcpy(t->key, key, length);
    t->key_length = length;
    HASH_ADD_KEYPTR(hh, l->touched, t->key, length, t);
    return t;
}

/* From the row that `st` stands on: first_seq and the ticket's columns. */
static int fill_touched(struct touched *t, sqlite3_stmt *st, int first, struct err *err)
{
    if (!rows_read_ticket(st, first + 1, &t->now, &t->counts, t->accuser))
        return rows_damaged(err, "ticket");
    t->first_seq = sqlite3_column_int64(st, first);
    t->stored = true;
    if (!counts_are_zero(&t->counts.counts))
        t->stored_counts_at = t->counts.counts_at;
    t->counted_is = t->now.is;
    return 0;
}

int folded_touch(struct ledger *l, const char *kind, const char *ticket, struct touched **ret,
                 struct err *err)
{
    sqlite3_stmt *st = l->st.ticket_get;
    char key[KIND_SIZE + TICKET_SIZE];
    unsigned length;
    struct touched *t = find_touched(l, kind, ticket, key, &length);
    int rc = 0;

    if (!t) {
        sql_bind_text(st, 1, kind);
        sql_bind_text(st, 2, ticket);
        rc = sql_step(st, "reading a ticket", err);
        if (rc == 0)
            rc = rows_damaged(err, "ticket");
        if (rc == 1) {
            t = add_touched(l, key, length);
            rc = fill_touched(t, st, 0, err);
        }
        (void)sqlite3_reset(st);    /* the step has told what went wrong */
    }
    if (rc < 0)
        return rc;
    folded_join_group(l, t);
    *ret = t;
    return 0;
}

struct touched *folded_expect(struct ledger *l, const struct arrived *arrived)
{
    const struct event *event = arrived->event;
    char key[KIND_SIZE + TICKET_SIZE];
    unsigned length;
    struct touched *t = find_touched(l, event->kind, event->ticket, key, &length);

    if (t)
        return t;
    t = add_touched(l, key, length);
    t->first_seq = arrived->seq;    /* unless it has a row */
    if (l->unread_count == l->unread_capacity) {
        l->unread_capacity = l->unread_capacity ? l->unread_capacity * 2 : 256;
        l->unread = mem_realloc_array(l->unread, l->unread_capacity, sizeof(struct touched *));
    }
    return l->unread[l->unread_count++] = t;
}

/* How far folded_read has asked. */
struct asking {
    const struct ledger *l;
    size_t next;
};

static bool next_wanted(void *arg, struct bulk_value *row)
{
    struct asking *asking = arg;
    const struct touched *t;

    if (asking->next == asking->l->unread_count)
        return false;
    t = asking->l->unread[asking->next];
    row[0] = bulk_integer((int64_t)asking->next++);
    row[1] = bulk_text(t->now.kind);
    row[2] = bulk_text(t->now.ticket);
    return true;
}

int folded_read(struct ledger *l, struct err *err)
{
    sqlite3_stmt *st = l->st.tickets_get;
    struct asking asking = { .l = l };
    int rc = 0;

    bulk_set(&l->wanted_ticket, next_wanted, &asking);
    while (l->unread_count > 0 && (rc = sql_step(st, "reading tickets", err)) == 1) {
        rc = fill_touched(l->unread[sqlite3_column_int64(st, 0)], st, 1, err);
        if (rc < 0)
            break;
    }
    (void)sqlite3_reset(st);    /* the step has told what went wrong */
    l->unread_count = 0;
    return rc;
}

void folded_apply(struct ledger *l, struct touched *t, const struct event *event)
{
    folded_join_group(l, t);
    if (!t->refold && !ticket_apply(&t->now, event, l->as_of))
        t->refold = true;
}

static int fold_again(struct ledger *l, struct touched *t, struct err *err)
{
    struct logged_list list = { 0 };
    struct event *events;
    int rc = log_read(l, t->now.kind, t->now.ticket, &list, err);

    if (rc == 0) {
        events = mem_alloc((list.count + 1) * sizeof *events);
        for (size_t i = 0; i < list.count; i++)
            events[i] = list.items[i].event;
        ticket_fold(&t->now, events, list.count, l->as_of);
        t->refold = false;
        free(events);
    }
    logged_finish(&list);
    return rc;
}

/* Folds what must be folded again, and touches the devices of jobs under both their names. */
static int settle_folds(struct ledger *l, struct err *err)
{
    for (struct touched *t = l->group; t; t = t->next_in_group) {
        int rc = t->refold ? fold_again(l, t, err) : 0;

        if (rc < 0)
            return rc;
        if (!t->before)
            continue;
        (void)devices_touch(l, t->before->is.device);   /* joining the group is all we want */
        t->renamed = t->renamed || (t->before->is.device[0] &&
                                    strcmp(t->before->is.device, t->now.is.device) != 0);
        file_job(l, t);
    }
    return 0;
}

/* Draws every install and repair of a device into memory and into the group. */
static int touch_jobs_of(struct ledger *l, struct touched_device *d, struct err *err)
{
    sqlite3_stmt *st = l->st.ticket_jobs;
    int rc = 0;

    sql_bind_text(st, 1, d->device);
    while (!d->complete && (rc = sql_step(st, "reading the tickets of a device", err)) == 1) {
        char key[KIND_SIZE + TICKET_SIZE];
        unsigned length;
        struct touched *t = find_touched(l, sql_column_text(st, 1), sql_column_text(st, 2), key,
                                         &length);

        if (t)
            continue;
        t = add_touched(l, key, length);
        rc = fill_touched(t, st, 0, err);
        if (rc < 0)
            break;
        folded_join_group(l, t);
        file_job(l, t);
    }
    (void)sqlite3_reset(st);    /* the step has told what went wrong */
    if (rc < 0)
        return rc;
    d->complete = true;
    for (struct touched *t = d->first_job; t; t = t->next_filed)
        folded_join_group(l, t);
    return 0;
}

/* Law 2.rework among the jobs of one device. */
static void accuse(struct ledger *l, const struct touched_device *d)
{
    size_t count = 0;
    struct job *jobs;

    for (struct touched *t = d->first_job; t; t = t->next_filed)
        count++;
    if (count == 0)
        return;
    jobs = mem_alloc(count * sizeof *jobs);
    count = 0;
    for (struct touched *t = d->first_job; t; t = t->next_filed)
        jobs[count++] = (struct job){ .ticket = &t->now };
    rework_accuse(jobs, count, l->rules);
    count = 0;
    for (struct touched *t = d->first_job; t; t = t->next_filed, count++)
        text_set(t->accuser, sizeof t->accuser,
                 jobs[count].accuser ? jobs[count].accuser->ticket : "");
    free(jobs);
}

static void count_ticket(struct ledger *l, struct touched *t)
{
    const struct kpi *kpi = rules_kpi_of_kind(l->rules, t->now.kind);

    if (t->before && !t->filed_under)
        t->accuser[0] = '\0';
    if (!kpi) {
        t->due_at = t->now.next_at;
        deadlines_note(l, t->due_at);
        t->counts = (struct contribution){ 0 };
        return;
    }
    tally_ticket(l->tally, kpi, &t->counted_is, &t->counts, -1);
    t->counts = contribution_of(&t->now, kpi, t->accuser[0] != '\0', l->as_of);
    t->counted_is = t->now.is;
    t->due_at = contribution_due_at(&t->now, kpi, l->as_of);
    deadlines_note(l, t->due_at);
    tally_ticket(l->tally, kpi, &t->counted_is, &t->counts, 1);
}

int folded_count(struct ledger *l, struct err *err)
{
    int rc = settle_folds(l, err);

    /* A job that is drawn in names a device that is in the group already: the list of devices
     * does not grow here. */
    for (struct touched_device *d = l->device_group; rc == 0 && d; d = d->next_in_group)
        rc = touch_jobs_of(l, d, err);
    if (rc < 0)
        return rc;
    for (struct touched_device *d = l->device_group; d; d = d->next_in_group)
        accuse(l, d);
    for (struct touched *t = l->group; t; t = t->next_in_group)
        count_ticket(l, t);
    return 0;
}

static bool next_new_ticket(void *arg, struct bulk_value *row)
{
    struct touched **next = arg, *t = *next;

    while (t && t->stored)
        t = t->hh.next;
    if (!t)
        return false;
    rows_ticket(row, t->first_seq, &t->now, &t->counts, t->accuser, t->due_at);
    *next = t->hh.next;
    return true;
}

int folded_store(struct ledger *l, struct err *err)
{
    struct touched *t, *next, *first = l->touched;
    int rc;

    bulk_set(&l->new_ticket, next_new_ticket, &first);
    rc = sql_run(l->st.tickets_insert, "writing tickets", err);
    HASH_ITER(hh, l->touched, t, next) {
        if (rc == 0)
            rc = moved_keep_ticket(l, t, err);
        if (rc < 0)
            return rc;
        if (!t->stored)
            continue;
        rows_bind_ticket(l->st.ticket_update, t->first_seq, &t->now, &t->counts, t->accuser,
                         t->due_at);
        rc = sql_run(l->st.ticket_update, "writing a ticket", err);
    }
    return rc;
}

void folded_end_group(struct ledger *l)
{
    for (struct touched *t = l->group; t; t = t->next_in_group) {
        free(t->before);
        t->before = NULL;
        t->in_group = false;
    }
    l->group = NULL;
}

void folded_forget(struct ledger *l)
{
    struct touched *t, *next;

    folded_end_group(l);
    l->unread_count = 0;
    HASH_ITER(hh, l->touched, t, next) {
        HASH_DEL(l->touched, t);
        free_touched(l, t);
    }
}
