/* Counting: from logged events to what is folded and counted, in memory and then in the tables.
 *
 * The tables say what the log said up to the house row's position and as_of; memory holds what has
 * changed since. Storing writes that in one transaction and forgets it. Forgetting without storing
 * is always allowed: the stored state and the rest of the log are enough to come back. */
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "ledger/ledger_private.h"

enum { RECOVER_EVENTS = 2000 };     /* counted at a time */

/* `t` is the ticket that it is about, if it is about one. */
static void fold_one(struct ledger *l, const struct event *event, struct touched *t)
{
    if (event->at <= l->as_of && event->at > l->last_at)
        l->last_at = event->at;
    l->anything_unstored = true;
    if (t)
        folded_apply(l, t, event);
    else if (event->type == EVENT_LOST || event->type == EVENT_FOUND)
        l->gaps_touched = true;
    else
        (void)devices_touch(l, event->device);      /* joining the group is all we want */
}

int count_fold(struct ledger *l, const struct arrived *events, size_t count, struct err *err)
{
    struct touched **tickets = mem_alloc((count + 1) * sizeof(struct touched *));
    int rc;

    for (size_t i = 0; i < count; i++)
        tickets[i] =
            events[i].event->type <= EVENT_AMENDED ? folded_expect(l, &events[i]) : NULL;
    rc = folded_read(l, err);
    for (size_t i = 0; rc == 0 && i < count; i++)
        fold_one(l, events[i].event, tickets[i]);
    free(tickets);
    return rc;
}

static void end_group(struct ledger *l)
{
    folded_end_group(l);
    devices_end_group(l);
    tally_clear(l->tally);
    l->gaps_touched = false;
}

/* Counts what the group's list holds. */
static int count_touched(struct ledger *l, struct err *err)
{
    int rc = folded_count(l, err);

    if (rc == 0)
        rc = devices_count(l, err);
    if (rc == 0)
        rc = facts_count(l, err);
    if (rc == 0 && l->gaps_touched)
        rc = gaps_recount(l, err);
    end_group(l);
    return rc;
}

int count_group(struct ledger *l, struct err *err)
{
    int rc = count_touched(l, err);

    if (rc == 0)
        rc = deadlines_next(l, err);
    return rc;
}

static int store_house(struct ledger *l, struct err *err)
{
    sqlite3_stmt *st = l->st.house_put;

    sqlite3_bind_int64(st, 1, l->as_of);
    sqlite3_bind_int64(st, 2, l->position);
    sqlite3_bind_int64(st, 3, l->last_at);
    return sql_run(st, "writing the house row", err);
}

static int write_tables(struct ledger *l, struct err *err)
{
    int rc = folded_store(l, err);

    if (rc == 0)
        rc = devices_store(l, err);
    if (rc == 0)
        rc = facts_store(l, err);
    if (rc == 0 && l->gaps_unstored)
        rc = gaps_store(l, err);
    if (rc == 0)
        rc = seals_store(l, err);
    if (rc == 0)
        rc = store_house(l, err);
    return rc;
}

static void forget(struct ledger *l)
{
    end_group(l);
    folded_forget(l);
    devices_forget(l);
    facts_forget(l);
    l->memory_due_at = INSTANT_NEVER;
    l->store_now = l->anything_unstored = l->gaps_unstored = false;
}

int count_store(struct ledger *l, struct err *err)
{
    int rc = count_begin(l, err);

    if (rc == 0)
        rc = write_tables(l, err);
    rc = count_end(l, rc, err);
    if (rc < 0)
        return rc;
    forget(l);
    seals_stored(l);
    l->stored_position = l->position;
    l->stored_at = clock_monotonic(l->clock);
    return 0;
}

int count_begin(struct ledger *l, struct err *err)
{
    return sqlite3_get_autocommit(l->db) ? sql_run(l->st.begin, "beginning a transaction", err)
                                         : 0;
}

int count_end(struct ledger *l, int rc, struct err *err)
{
    if (rc == 0 && !sqlite3_get_autocommit(l->db))
        rc = sql_run(l->st.commit, "committing", err);
    if (!sqlite3_get_autocommit(l->db))
        (void)sql_run(l->st.rollback, "rolling back", NULL);    /* the first failure is told */
    return rc;
}

void count_forget(struct ledger *l)
{
    forget(l);
    l->changed_count = 0;
}

static int load_house(struct ledger *l, struct err *err)
{
    sqlite3_stmt *st;
    int rc = sql_prepare(l->db, "SELECT as_of, position, last_at FROM house", &st, err);

    if (rc < 0)
        return rc;
    rc = sql_step(st, "reading the house row", err);
    if (rc == 1) {
        l->as_of = l->was_as_of = sqlite3_column_int64(st, 0);
        l->stored_position = sqlite3_column_int64(st, 1);
        l->last_at = sqlite3_column_int64(st, 2);
    }
    sqlite3_finalize(st);
    return rc < 0 ? rc : 0;
}

/* Folds up to RECOVER_EVENTS events after `*position`, and moves it. 1 if there were any. */
static int fold_some(struct ledger *l, int64_t *position, struct err *err)
{
    struct arrived events[RECOVER_EVENTS];
    struct logged_list list = { 0 };
    int rc = log_read_after(l, *position, RECOVER_EVENTS, &list, err);

    for (size_t i = 0; i < list.count; i++)
        events[i] = (struct arrived){ .event = &list.items[i].event, .seq = list.items[i].seq };
    if (rc == 0)
        rc = count_fold(l, events, list.count, err);
    if (rc == 0 && list.count > 0) {
        *position = list.items[list.count - 1].seq;
        rc = 1;
    }
    logged_finish(&list);
    return rc;
}

int count_recover(struct ledger *l, struct err *err)
{
    int64_t end = l->position, position;
    int rc = load_house(l, err);

    if (rc == 0)
        rc = seals_reload(l, err);
    gaps_forget(l);     /* what is sealed is held against what is stored */
    if (rc == 0)
        rc = gaps_recount(l, err);
    position = l->stored_position;
    while (rc == 0 && position < end) {
        l->was_position = position;
        rc = fold_some(l, &position, err);
        if (rc == 0)
            return err_set(err, -EBADMSG, "the event log ends at %lld and should go on to %lld: "
                           "stop kpid and restore a backup with kpid --restore",
                           (long long)position, (long long)end);
        l->position = position;
        if (rc > 0)
            rc = count_touched(l, err);
        if (rc == 0)
            rc = count_store(l, err);
        if (l->progress)
            l->progress(l->progress_arg, "catching up with the event log");
    }
    l->position = end;
    /* Before time passes: what it passes over must be counted as it was before. */
    if (rc == 0)
        rc = deadlines_next(l, err);
    if (rc == 0) {
        l->was_position = end;
        l->astray = false;
        l->store_now = true;
        l->window_stale = true;
    }
    return rc;
}
