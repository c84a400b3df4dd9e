/* The writer: takes a group of requests through the house.
 *
 *   log each line, commit ─> let time pass, fold, count in memory ─> publish ─> complete
 *                                        └─ now and then ─> store what is in memory, commit
 *
 * The log is what makes an event durable, so nobody is answered before its commit. What is folded
 * and counted is derived from it: it is written at most STORE_EVERY_MS later, once for however
 * many groups have touched it, and after a crash it is caught up from the log (count_recover).
 *
 * A commit of the log that fails takes nothing: every request of the group completes with the
 * failure and nothing of it was kept. The failure is said once in the journal, and so is the
 * recovery, which the next request or heartbeat tries by itself. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/log.h"
#include "base/mem.h"
#include "ledger/ledger_private.h"

enum { DISK_ROOM_BYTES = 8 * 1024 * 1024 };

/* What one group adds to the statistics, if it commits. */
struct group_counts {
    uint64_t events, duplicates, quarantined;
};

static void refuse_conflict(struct ledger_line *line)
{
    line->reject = (struct reject){ 0 };
    snprintf(line->reject.field, sizeof line->reject.field, "id");
    snprintf(line->reject.reason, sizeof line->reject.reason,
             "id: event %lld of the log has this source and id, and says something else",
             (long long)line->seq);
    line->seq = -1;     /* the refusal is ours: undone if the group is rolled back */
}

/* What became of a line: appended already, or known to the log, or put aside. `keep_refused` is
 * false where the refused line is a correction of one that already waits in quarantine. */
static int take_line(struct ledger *l, struct ledger_line *line, const char *via, bool keep_refused,
                     int64_t now, struct group_counts *counts, struct err *err)
{
    int rc;

    if (line->seq > 0) {
        line->result = LINE_ACCEPTED;
        counts->events++;
        return line->event.type == EVENT_AMENDED
                   ? amendments_put(l, &line->event, line->seq, err)
                   : 0;
    }
    if (!line->reject.reason[0]) {
        rc = log_compare(l, line, err);
        if (rc < 0)
            return rc;
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

/* After its events were appended. */
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
    int rc = log_append(l, &r, 1, now, err);

    if (rc == 0)
        rc = take_events(l, r, now, counts, err);
    if (rc < 0 || r->count == 0 || r->lines[0].result == LINE_QUARANTINED)
        return rc;
    snprintf(decision, sizeof decision, "%s/%s", r->lines[0].event.source, r->lines[0].event.id);
    return quarantine_decide(l, r->n, "resubmitted", r->by, decision, err);
}

/* An explanation of nothing is refused for itself. */
static int take_note(struct ledger *l, struct ledger_request *r, int64_t now, struct err *err)
{
    int rc = notes_put(l, r->note, r->by, now, err);

    r->at = now;
    if (rc != -ENOENT)
        return rc;
    r->status = rc;
    r->err = *err;
    return 0;
}

/* A window of exclusion, or its undoing: all its events, or none. */
static int take_exclusion(struct ledger *l, struct ledger_request *r, int64_t now,
                          struct group_counts *counts, struct err *err)
{
    int64_t undone = r->n;
    int rc = undone ? exclusion_is_undone(l, undone, err) : 0;

    if (rc > 0) {
        r->status = err_set(&r->err, -EEXIST, "exclusion %lld is undone already",
                            (long long)undone);
        return 0;
    }
    if (rc == 0)
        rc = log_append(l, &r, 1, now, err);
    if (rc == 0)
        rc = take_events(l, r, now, counts, err);
    if (rc == 0)
        rc = exclusion_record(l, r, now, err);
    return rc;
}

/* A request that is refused for itself (-ENOENT) has its status set; the group goes on. */
static int take_request(struct ledger *l, struct ledger_request *r, int64_t now,
                        struct group_counts *counts, struct err *err)
{
    int rc;

    if (r->what == LEDGER_RULES)
        return 0;       /* done before the group, and its status is told */
    assert(r->what != LEDGER_SEAL && r->what != LEDGER_RESTATE);
    r->status = 0;
    if (r->what == LEDGER_STORE) {
        l->store_now = true;
        return 0;
    }
    if (r->what == LEDGER_EVENTS)
        return take_events(l, r, now, counts, err);
    if (r->what == LEDGER_EXCLUDE)
        return take_exclusion(l, r, now, counts, err);
    if (r->what == LEDGER_NOTE)
        return take_note(l, r, now, err);
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

/* Appends the events of those requests that bring nothing else, all at once. */
static int append_events(struct ledger *l, struct ledger_request **requests, size_t count,
                         int64_t now, struct err *err)
{
    struct ledger_request *bring[LEDGER_QUEUE_MAX];
    size_t n = 0;

    for (size_t i = 0; i < count; i++)
        if (requests[i]->what == LEDGER_EVENTS)
            bring[n++] = requests[i];
    return n > 0 ? log_append(l, bring, n, now, err) : 0;
}

static int log_group(struct ledger *l, struct ledger_request **requests, size_t count,
                     struct group_counts *counts, struct err *err)
{
    int64_t now = clock_wall(l->clock);
    int rc = sql_run(l->st.begin, "beginning a transaction", err);

    if (rc == 0)
        rc = append_events(l, requests, count, now, err);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = take_request(l, requests[i], now, counts, err);
    if (rc == 0 && l->quarantine_touched)
        rc = quarantine_count(l, err);
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

/* A full disk still takes a small write now and then: it is well again when it has room. */
static bool disk_is_full(const struct ledger *l)
{
    struct statvfs disk;

    return l->failed_code == -ENOSPC && statvfs(l->path, &disk) == 0 &&
           (uint64_t)disk.f_bavail * disk.f_frsize < DISK_ROOM_BYTES;
}

void writer_note_health(struct ledger *l, int rc, const struct err *err)
{
    if (rc < 0) {
        l->stats.failures++;
        if (l->stats.well || l->failed_code != rc)
            log_err("ledger: %s", err->text);
        l->failed_code = rc;
        l->stats.well = false;
        snprintf(l->stats.why, sizeof l->stats.why, "%s", err->text);
        return;
    }
    if (l->stats.well || disk_is_full(l))
        return;
    log_notice("ledger: well again, after %llu failed attempts in all",
               (unsigned long long)l->stats.failures);
    l->stats.well = true;
    l->stats.why[0] = '\0';
}

static void roll_back(struct ledger *l, int64_t waiting, struct ledger_request **requests,
                      size_t count, int rc, const struct err *err)
{
    if (!sqlite3_get_autocommit(l->db))
        (void)sql_run(l->st.rollback, "rolling back", NULL);    /* the first failure is told */
    l->position = l->was_position;
    l->stats.waiting_quarantine = waiting;
    for (size_t i = 0; i < count; i++)
        undo_request(requests[i], rc, err);
}

static void note_commit(struct ledger *l, struct ledger_request **requests, size_t count,
                        const struct group_counts *counts, int64_t began)
{
    l->stats.commits++;
    l->stats.events += counts->events;
    l->stats.duplicates += counts->duplicates;
    l->stats.quarantined += counts->quarantined;
    l->stats.last_commit_us = (clock_monotonic(l->clock) - began) * 1000;
    for (size_t i = 0; i < count; i++)
        requests[i]->position = l->position;
    cursors_committed(l, requests, count);
}

/* Commits the group to the log. False if it failed: the requests say so. */
static bool commit_group(struct ledger *l, struct ledger_request **requests, size_t count)
{
    struct group_counts counts = { 0 };
    int64_t began = clock_monotonic(l->clock), waiting = l->stats.waiting_quarantine;
    struct err err = { 0 };
    int changes = sqlite3_total_changes(l->db);
    int rc = log_group(l, requests, count, &counts, &err);

    l->quarantine_touched = false;
    if (rc == 0 && l->chain_touched)
        rc = chain_load(l, &err);
    l->chain_touched = false;
    if (rc < 0)
        roll_back(l, waiting, requests, count, rc, &err);
    else
        note_commit(l, requests, count, &counts, began);
    /* A commit of nothing succeeds on a dead disk, too: it proves nothing. */
    if (rc < 0 || sqlite3_total_changes(l->db) != changes)
        writer_note_health(l, rc, &err);
    return rc == 0;
}

/* The events of a group that were new; how many go into `ret_count`. Gives. */
static struct arrived *accepted_events(struct ledger_request **requests, size_t count,
                                       size_t *ret_count)
{
    struct arrived *events;
    size_t lines = 0, n = 0;

    for (size_t i = 0; i < count; i++)
        lines += requests[i]->count;
    events = mem_alloc((lines + 1) * sizeof *events);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < requests[i]->count; j++) {
            const struct ledger_line *line = &requests[i]->lines[j];

            if (line->result == LINE_ACCEPTED)
                events[n++] = (struct arrived){ .event = &line->event, .seq = line->seq };
        }
    *ret_count = n;
    return events;
}

static int fold_requests(struct ledger *l, struct ledger_request **requests, size_t count,
                         struct err *err)
{
    size_t n;
    struct arrived *events = accepted_events(requests, count, &n);
    int rc = count_fold(l, events, n, err);

    free(events);
    return rc;
}

/* Folds what the group brought. The events are durable whatever happens here, so a failure is
 * the store's and not the requests': the count goes back to what is stored and is caught up. */
static int count_requests(struct ledger *l, struct ledger_request **requests, size_t count,
                          struct err *err)
{
    bool caught_up = l->astray;     /* recovering folds this group's events, too */
    int rc = l->astray ? count_recover(l, err) : count_begin(l, err);

    if (rc == 0)
        rc = deadlines_advance(l, err);
    if (rc == 0 && !caught_up)
        rc = fold_requests(l, requests, count, err);
    return rc == 0 ? count_group(l, err) : rc;
}

static bool store_is_due(const struct ledger *l)
{
    int64_t age = clock_monotonic(l->clock) - l->stored_at;

    return l->store_now || !l->stats.well || age >= HEARTBEAT_MS ||
           (l->anything_unstored &&
            (age >= STORE_EVERY_MS || HASH_COUNT(l->touched) >= STORE_TICKETS_MAX));
}

/* A reader in the way leaves pages behind: not at every commit is it tried again, but when as much
 * has come again, or a while later, because he may have gone and nothing more may come. */
static bool checkpoint_is_due(const struct ledger *l)
{
    if (l->wal_pages < CHECKPOINT_PAGES)
        return false;
    return l->wal_pages >= l->wal_pages_tried + CHECKPOINT_PAGES ||
           clock_monotonic(l->clock) - l->wal_tried_at >= CHECKPOINT_RETRY_MS;
}

static void checkpoint(struct ledger *l)
{
    struct err err;
    int64_t left;

    if (!checkpoint_is_due(l))
        return;
    l->wal_pages_tried = l->wal_pages;
    l->wal_tried_at = clock_monotonic(l->clock);
    if (sql_checkpoint(l->db, false, &left, &err) < 0) {
        writer_note_health(l, err.code, &err);
        return;
    }
    if (left == 0)
        l->store_now = true;    /* the next commit begins the log anew, and cuts the file */
}

/* Who asked for it to be stored hears that it is not. */
static void tell_unstored(struct ledger_request **requests, size_t count, int rc,
                          const struct err *err)
{
    for (size_t i = 0; i < count; i++)
        if (requests[i]->what == LEDGER_STORE) {
            requests[i]->status = rc;
            requests[i]->err = *err;
        }
}

/* Counts the group and stores if that is due, all in one transaction. */
static void count_and_store(struct ledger *l, struct ledger_request **requests, size_t count)
{
    struct err err = { 0 };
    int rc = count_requests(l, requests, count, &err);
    bool counted = rc == 0, store = counted && store_is_due(l);

    rc = store ? count_store(l, &err) : count_end(l, rc, &err);
    if (!counted) {
        count_forget(l);
        l->astray = true;
    }
    if (rc < 0 || store)
        writer_note_health(l, rc, &err);
    if (rc < 0)
        tell_unstored(requests, count, rc, &err);
}

void writer_group(struct ledger *l, struct ledger_request **requests, size_t count)
{
    l->was_as_of = l->as_of;
    l->was_position = l->position;
    if (count == 0 || commit_group(l, requests, count))
        count_and_store(l, requests, count);
    l->stats.last_progress_ms = clock_monotonic(l->clock);
    writer_publish(l, requests, count);
    checkpoint(l);
}

/* May the window be read from the tables? The first one always: if what time brought since the
 * last stop could not be stored, the figures are shown as they are stored, and the next group
 * begins from there. */
static bool window_is_readable(struct ledger *l)
{
    if (!l->window_shown && !l->astray && l->anything_unstored) {
        count_forget(l);
        l->astray = true;
        l->as_of = l->was_as_of;
    }
    return !l->window_shown || (!l->astray && !l->anything_unstored);
}

/* The whole window, under the rules that it was counted by. */
static void fill_window(struct ledger *l, struct publication *p)
{
    struct err err;

    if (facts_load_window(l, &err) < 0) {
        l->changed_count = 0;
        if (l->opened)
            writer_note_health(l, err.code, &err);
        else
            l->unreadable = err;
        return;
    }
    p->rules = rules_copy(l->rules);
    l->gaps_news = true;        /* who gets rules forgets what he had */
    l->window_shown = true;
    l->window_stale = l->astray;    /* else it is the whole truth */
}

/* Everything that changed since the last publication, for the loop thread. */
static void fill_publication(struct ledger *l, struct publication *p)
{
    bool whole = l->window_stale && window_is_readable(l);

    p->position = l->position;
    p->stored = !l->anything_unstored && !l->astray;
    p->as_of = l->as_of;
    p->next_due_at = l->next_due_at < seals_next_at(l) ? l->next_due_at : seals_next_at(l);
    p->last_at = l->last_at;
    p->generation = l->generation;
    memcpy(p->digest, l->digest, sizeof p->digest);
    p->accepted_at = l->accepted_at;
    p->window_from = facts_window_from(l);
    p->stats = l->stats;
    if (whole)
        fill_window(l, p);
    p->sealed_weeks = l->seals->sealed_weeks;
    seals_fill(l, p, p->window_from);
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
