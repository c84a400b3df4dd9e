/* Deadlines: time moves as_of forward, and what falls due on the way is counted again through the
 * same path as an event. Each folded row says when it next counts differently by itself (due_at:
 * an expiry, a fault's confirmation, a new day in service, an event dated ahead), and the index
 * over it is the queue of timers.
 *
 * as_of never moves back. If the system's clock steps back, the figures stand still until it has
 * caught up: a figure that was told once is not taken back because a clock was wrong. */
#include "base/log.h"
#include "ledger/ledger_private.h"

enum { CLOCK_TOLERANCE_MS = 2000 };

/* Says once that the clock is behind, and once that it has caught up. */
static void watch_clock(struct ledger *l, int64_t now)
{
    bool behind = now < l->as_of - CLOCK_TOLERANCE_MS;

    if (behind == l->clock_is_behind)
        return;
    l->clock_is_behind = behind;
    if (behind)
        log_warning("ledger: the system clock is %lld s behind the last durable instant; figures "
                    "stand still until it catches up. If that instant was wrong, correct the "
                    "clock, stop kpid, and run kpid --rebuild",
                    (long long)((l->as_of - now) / 1000));
    else
        log_notice("ledger: the system clock has caught up, figures move again");
}

void deadlines_note(struct ledger *l, int64_t due_at)
{
    if (due_at < l->memory_due_at)
        l->memory_due_at = due_at;
}

/* A row that fell due says so until it is stored again: that must not wait. */
static int touch_due_tickets(struct ledger *l, struct err *err)
{
    sqlite3_stmt *st = l->st.ticket_due;
    int rc;

    sqlite3_bind_int64(st, 1, l->as_of);
    while ((rc = sql_step(st, "reading deadlines", err)) == 1) {
        struct touched *t;

        rc = folded_touch(l, sql_column_text(st, 0), sql_column_text(st, 1), &t, err);
        if (rc < 0)
            break;
        t->refold = t->refold || t->now.next_at <= l->as_of;
        l->store_now = true;
    }
    (void)sqlite3_reset(st);    /* the step has told what went wrong */
    return rc;
}

static int touch_due_devices(struct ledger *l, struct err *err)
{
    sqlite3_stmt *st = l->st.device_due;
    int rc;

    sqlite3_bind_int64(st, 1, l->as_of);
    while ((rc = sql_step(st, "reading deadlines", err)) == 1) {
        (void)devices_touch(l, sql_column_text(st, 0));     /* joining the group is all we want */
        l->store_now = true;
    }
    (void)sqlite3_reset(st);    /* the step has told what went wrong */
    return rc;
}

/* What is in memory may fall due before its row says so. */
static void touch_due_in_memory(struct ledger *l)
{
    struct touched *t, *next;
    struct touched_device *d, *next_device;

    l->memory_due_at = INSTANT_NEVER;
    HASH_ITER(hh, l->touched, t, next) {
        if (t->due_at <= l->as_of) {
            folded_join_group(l, t);
            t->refold = t->refold || t->now.next_at <= l->as_of;
        } else {
            deadlines_note(l, t->due_at);
        }
    }
    HASH_ITER(hh, l->devices, d, next_device) {
        if (d->due_at <= l->as_of)
            (void)devices_touch(l, d->device);      /* joining the group is all we want */
        else
            deadlines_note(l, d->due_at);
    }
}

int deadlines_advance(struct ledger *l, struct err *err)
{
    int64_t now = clock_wall(l->clock);
    int rc;

    watch_clock(l, now);
    if (now > l->as_of)
        l->as_of = now;
    if (l->gaps_due_at <= l->as_of)
        l->gaps_touched = true;
    if (l->next_due_at > l->as_of)
        return 0;
    if (l->memory_due_at <= l->as_of)
        touch_due_in_memory(l);
    rc = touch_due_tickets(l, err);
    return rc < 0 ? rc : touch_due_devices(l, err);
}

int deadlines_next(struct ledger *l, struct err *err)
{
    sqlite3_stmt *st = l->st.next_due;
    int rc = sql_step(st, "reading deadlines", err);

    if (rc == 1)
        l->next_due_at = sql_column_integer_or(st, 0, INSTANT_NEVER);
    (void)sqlite3_reset(st);    /* the step has told what went wrong */
    if (rc < 0)
        return rc;
    if (l->memory_due_at < l->next_due_at)
        l->next_due_at = l->memory_due_at;
    return 0;
}
