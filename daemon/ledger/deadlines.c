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
        if (t->now.next_at <= l->as_of)
            t->refold = true;
    }
    (void)sqlite3_reset(st);    /* the step has told what went wrong */
    return rc;
}

static int touch_due_devices(struct ledger *l, struct err *err)
{
    sqlite3_stmt *st = l->st.device_due;
    int rc;

    sqlite3_bind_int64(st, 1, l->as_of);
    while (sqlite3_step(st) == SQLITE_ROW)
        devices_touch(l, (const char *)sqlite3_column_text(st, 0));
    rc = sqlite3_reset(st);
    return rc == SQLITE_OK ? 0 : sql_error(err, l->db, rc, "reading deadlines");
}

int deadlines_advance(struct ledger *l, struct err *err)
{
    int64_t now = clock_wall(l->clock);
    int rc = 0;

    watch_clock(l, now);
    if (now > l->as_of)
        l->as_of = now;
    if (l->gaps_due_at <= l->as_of)
        l->gaps_touched = true;
    if (l->next_due_at > l->as_of)
        return 0;
    rc = touch_due_tickets(l, err);
    return rc < 0 ? rc : touch_due_devices(l, err);
}

int deadlines_next(struct ledger *l, struct err *err)
{
    sqlite3_stmt *st = l->st.next_due;
    int rc;

    l->next_due_at = INSTANT_NEVER;
    if (sqlite3_step(st) == SQLITE_ROW && sqlite3_column_type(st, 0) != SQLITE_NULL)
        l->next_due_at = sqlite3_column_int64(st, 0);
    rc = sqlite3_reset(st);
    return rc == SQLITE_OK ? 0 : sql_error(err, l->db, rc, "reading deadlines");
}
