/* The writer: takes a group of requests through one transaction.
 *
 *   begin ─> advance as_of, touch what fell due ─> log each line, fold it into its ticket
 *         ─> count what was touched, store folds and facts ─> commit ─> publish ─> complete
 *
 * Anything that fails before the commit has succeeded rolls the whole group back: every request
 * completes with the failure and nothing of it was taken. The failure is said once in the journal,
 * and so is the recovery, which the next heartbeat or request tries by itself. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "ledger/ledger_private.h"

enum { FREE_TOUCHED_MAX = 2048 };   /* kept for the next transaction, 4 MiB */

/* What one group adds to the statistics, if it commits. */
struct group_counts {
    uint64_t events, duplicates, quarantined;
};

void writer_forget_transaction(struct ledger *l)
{
    struct touched *t, *next;
    struct touched_device *d, *next_device;

    HASH_ITER(hh, l->touched, t, next) {
        HASH_DEL(l->touched, t);
        if (l->free_count >= FREE_TOUCHED_MAX) {
            free(t);
            continue;
        }
        t->next_free = l->free_touched;
        l->free_touched = t;
        l->free_count++;
    }
    HASH_ITER(hh, l->devices, d, next_device) {
        HASH_DEL(l->devices, d);
        free(d);
    }
    free(l->jobs);
    l->jobs = NULL;
    tally_clear(l->tally);
    l->gaps_touched = l->quarantine_touched = false;
}

static void refuse_conflict(struct ledger_line *line)
{
    line->reject = (struct reject){ 0 };
    snprintf(line->reject.field, sizeof line->reject.field, "id");
    snprintf(line->reject.reason, sizeof line->reject.reason,
             "id: event %lld of the log has this source and id, and says something else",
             (long long)line->seq);
    line->seq = -1;     /* the refusal is ours: undone if the group is rolled back */
}

static int fold_line(struct ledger *l, const struct ledger_line *line, struct err *err)
{
    const struct event *event = &line->event;

    if (event->at <= l->as_of && event->at > l->last_at)
        l->last_at = event->at;
    if (event->ticket[0] && event->type <= EVENT_AMENDED)
        return folded_apply(l, event, err);
    if (event->type == EVENT_LOST || event->type == EVENT_FOUND)
        l->gaps_touched = true;
    else
        devices_touch(l, event->device);
    return 0;
}

/* Logs one line or puts it aside. `keep_refused` is false where the refused line is a correction
 * of one that already waits in quarantine. */
static int take_line(struct ledger *l, struct ledger_line *line, const char *via, bool keep_refused,
                     int64_t now, struct group_counts *counts, struct err *err)
{
    int rc;

    if (!line->reject.reason[0]) {
        rc = log_append(l, line, via, now, err);
        if (rc < 0)
            return rc;
        if (rc == 1) {
            line->result = LINE_ACCEPTED;
            counts->events++;
            return fold_line(l, line, err);
        }
        if (rc == 0) {
            line->result = LINE_DUPLICATE;
            counts->duplicates++;
            return 0;
        }
        refuse_conflict(line);
    }
    line->result = LINE_QUARANTINED;
    counts->quarantined++;
    return keep_refused ? quarantine_put(l, line, via, now, err) : 0;
}

static int take_events(struct ledger *l, struct ledger_request *r, int64_t now,
                       struct group_counts *counts, struct err *err)
{
    for (size_t i = 0; i < r->count; i++) {
        int rc = take_line(l, &r->lines[i], r->via, r->what == LEDGER_EVENTS, now, counts, err);

        if (rc < 0)
            return rc;
    }
    return r->cursor ? cursors_put(l, r->source, r->cursor, now, err) : 0;
}

static int take_resubmission(struct ledger *l, struct ledger_request *r, int64_t now,
                             struct group_counts *counts, struct err *err)
{
    char decision[SOURCE_SIZE + ID_SIZE + 1];
    int rc = take_events(l, r, now, counts, err);

    if (rc < 0 || r->count == 0 || r->lines[0].result == LINE_QUARANTINED)
        return rc;
    snprintf(decision, sizeof decision, "%s/%s", r->lines[0].event.source, r->lines[0].event.id);
    return quarantine_decide(l, r->n, "resubmitted", r->by, decision, err);
}

/* A request that is refused for itself (-ENOENT) has its status set; the group goes on. */
static int take_request(struct ledger *l, struct ledger_request *r, struct group_counts *counts,
                        struct err *err)
{
    int64_t now = clock_wall(l->clock);
    int rc;

    r->status = 0;
    if (r->what == LEDGER_EVENTS)
        return take_events(l, r, now, counts, err);
    rc = quarantine_waits(l, r->n, err);
    if (rc < 0)
        return rc;
    if (rc == 0) {
        r->status = err_set(&r->err, -ENOENT, "no item %lld waits in quarantine", (long long)r->n);
        return 0;
    }
    if (r->what == LEDGER_RESUBMIT)
        return take_resubmission(l, r, now, counts, err);
    return quarantine_decide(l, r->n, "dismissed", r->by, r->text, err);
}

static int store_house(struct ledger *l, struct err *err)
{
    sqlite3_stmt *st = l->st.house_put;

    sqlite3_bind_int64(st, 1, l->as_of);
    sqlite3_bind_int64(st, 2, l->position);
    sqlite3_bind_int64(st, 3, l->last_at);
    return sql_run(st, "writing the house row", err);
}

static int count_and_store(struct ledger *l, struct err *err)
{
    int rc = folded_count(l, err);

    if (rc == 0)
        rc = devices_count(l, err);
    if (rc == 0)
        rc = folded_store(l, err);
    if (rc == 0)
        rc = facts_store(l, err);
    if (rc == 0 && l->gaps_touched)
        rc = gaps_recount(l, err);
    if (rc == 0 && l->quarantine_touched)
        rc = quarantine_count(l, err);
    if (rc == 0)
        rc = store_house(l, err);
    if (rc == 0)
        rc = deadlines_next(l, err);
    return rc;
}

static int transact(struct ledger *l, struct ledger_request **requests, size_t count,
                    struct group_counts *counts, struct err *err)
{
    int rc = sql_run(l->st.begin, "beginning a transaction", err);

    if (rc == 0)
        rc = deadlines_advance(l, err);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = take_request(l, requests[i], counts, err);
    if (rc == 0)
        rc = count_and_store(l, err);
    if (rc == 0)
        rc = sql_run(l->st.commit, "committing", err);
    return rc;
}

static void undo_request(struct ledger_request *r, int status, const struct err *err)
{
    r->status = status;
    r->err = *err;
    for (size_t i = 0; i < r->count; i++) {
        struct ledger_line *line = &r->lines[i];

        if (line->seq < 0)
            line->reject = (struct reject){ 0 };
        line->seq = 0;
        line->result = LINE_UNDECIDED;
    }
}

/* The only place that says in the journal how the store is. */
static void note_health(struct ledger *l, int rc, const struct err *err)
{
    bool well = rc == 0;

    if (!well)
        l->stats.failures++;
    if (!well && (l->stats.well || strcmp(l->stats.why, err->text) != 0))
        log_err("ledger: %s", err->text);
    else if (well && !l->stats.well)
        log_notice("ledger: well again, after %llu failed attempts in all",
                   (unsigned long long)l->stats.failures);
    l->stats.well = well;
    snprintf(l->stats.why, sizeof l->stats.why, "%s", well ? "" : err->text);
}

/* What a failed group must give back, besides what the rollback does. */
struct before_group {
    int64_t as_of, position, next_due_at, last_at, gaps_due_at, waiting_quarantine;
};

static void roll_back(struct ledger *l, const struct before_group *before,
                      struct ledger_request **requests, size_t count, int rc,
                      const struct err *err)
{
    if (!sqlite3_get_autocommit(l->db))
        (void)sql_run(l->st.rollback, "rolling back", NULL);    /* the first failure is told */
    l->as_of = before->as_of;
    l->position = before->position;
    l->next_due_at = before->next_due_at;
    l->last_at = before->last_at;
    l->gaps_due_at = before->gaps_due_at;
    l->stats.waiting_quarantine = before->waiting_quarantine;
    l->changed_count = 0;
    gaps_forget(l, false);
    for (size_t i = 0; i < count; i++)
        undo_request(requests[i], rc, err);
}

static void count_group(struct ledger *l, struct ledger_request **requests, size_t count,
                        const struct group_counts *counts)
{
    l->stats.commits++;
    l->stats.events += counts->events;
    l->stats.duplicates += counts->duplicates;
    l->stats.quarantined += counts->quarantined;
    for (size_t i = 0; i < count; i++)
        requests[i]->position = l->position;
}

static void publish_and_checkpoint(struct ledger *l, struct ledger_request **requests,
                                   size_t count)
{
    struct err err;
    int64_t wal_bytes;

    writer_publish(l, requests, count);
    if (l->wal_pages < l->wal_pages_tried + CHECKPOINT_PAGES)
        return;
    if (sql_checkpoint(l->db, false, &wal_bytes, &err) < 0) {
        note_health(l, err.code, &err);
        return;
    }
    /* A reader in the way leaves pages behind: do not try again at every commit. */
    l->wal_pages_tried = wal_bytes > 0 ? l->wal_pages : 0;
    l->stats.wal_bytes = wal_bytes;
    if (wal_bytes == 0)
        l->wal_pages = 0;
}

void writer_group(struct ledger *l, struct ledger_request **requests, size_t count)
{
    struct before_group before = { l->as_of, l->position, l->next_due_at, l->last_at,
                                   l->gaps_due_at, l->stats.waiting_quarantine };
    struct group_counts counts = { 0 };
    int64_t began = clock_monotonic(l->clock);
    struct err err;
    int rc;

    l->was_as_of = l->as_of;
    l->was_position = l->position;
    rc = transact(l, requests, count, &counts, &err);
    note_health(l, rc, &err);
    if (rc < 0) {
        roll_back(l, &before, requests, count, rc, &err);
    } else {
        gaps_take_fresh(l);
        count_group(l, requests, count, &counts);
        cursors_committed(l, requests, count);
        l->stats.last_commit_us = (clock_monotonic(l->clock) - began) * 1000;
    }
    writer_forget_transaction(l);
    l->stats.last_progress_ms = clock_monotonic(l->clock);
    publish_and_checkpoint(l, requests, count);
}

/* Everything that changed since the last publication, for the loop thread. */
static void fill_publication(struct ledger *l, struct publication *p)
{
    struct err err;

    p->position = l->position;
    p->as_of = l->as_of;
    p->next_due_at = l->next_due_at;
    p->last_at = l->last_at;
    p->generation = l->generation;
    memcpy(p->digest, l->digest, sizeof p->digest);
    p->accepted_at = l->accepted_at;
    p->window_from = facts_window_from(l);
    p->stats = l->stats;
    if (l->window_stale && facts_load_window(l, &err) < 0) {
        note_health(l, err.code, &err);
        l->changed_count = 0;
    } else if (l->window_stale) {
        p->rules = rules_copy(l->rules);
        l->window_stale = false;
    }
    if (l->gaps_news) {
        p->gaps = gaps_copy(l);
        p->gap_count = p->gaps ? l->rules->kpi_count : 0;
        l->gaps_news = false;
    }
    if (l->changed_count > 0) {
        p->facts = mem_alloc(l->changed_count * sizeof *p->facts);
        memcpy(p->facts, l->changed, l->changed_count * sizeof *p->facts);
        p->fact_count = l->changed_count;
        l->changed_count = 0;
    }
}

void writer_publish(struct ledger *l, struct ledger_request **requests, size_t count)
{
    struct news *news = mem_zalloc(sizeof *news);

    fill_publication(l, &news->publication);
    if (count > 0) {
        news->requests = mem_alloc(count * sizeof(struct ledger_request *));
        memcpy(news->requests, requests, count * sizeof(struct ledger_request *));
        news->request_count = count;
    }
    pthread_mutex_lock(&l->outbox_lock);
    if (l->outbox_last)
        l->outbox_last->next = news;
    else
        l->outbox_first = news;
    l->outbox_last = news;
    pthread_mutex_unlock(&l->outbox_lock);
    if (l->notify)
        l->notify(l->notify_arg);
}
