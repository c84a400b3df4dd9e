/* What is to be sealed, and when: law 6.seal.
 *
 *   1. each week `grace` after its end, the oldest first; one that was first heard of after its end
 *      (brought in late) `grace` after that. Once a week is sealed those after it follow, whether
 *      anything was counted in them or not;
 *   2. months and years, once the week that holds their last day is;
 *   3. what moved since it was sealed, once a week was sealed after that, if the week ended less
 *      than `restate_horizon` ago; whatever is older waits for a person.
 *
 * What a person asks for is done before (seal_asked.c). Each is done slice by slice between the
 * groups of the writer (new_seal.h).
 *
 * The rules are questions to what is sealed, so nothing has to be remembered: a kill between two
 * sealings leaves the second due. What is due is judged by the clock as it is now, never by as_of
 * alone: a clock that leapt ahead and was set back seals nothing before its time. */
#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "ledger/new_seal.h"

enum {
    SLICE_EVENTS = 1000,        /* digested at a time while nobody asks */
    REST = 19,                  /* times as long as a slice took, while somebody waits */
    HURRY_WAL_BYTES = 128 * 1024 * 1024,
    LEAP_MS = 2000,             /* more than the clocks drift apart between two looks */
};

static struct period last_week_of(struct period period)
{
    return period_of_day(PERIOD_WEEK, period_end_day(period) - 1);
}

/* --- Weeks. */

static int64_t week_due_at(const struct ledger *l, struct period week, int64_t heard_at)
{
    int64_t end_at = period_end(week, &l->rules->zone);

    return (heard_at > end_at ? heard_at : end_at) + l->rules->grace_ms;
}

/* The earlier of two; notes when the later are due. */
static void consider_week(const struct ledger *l, struct period week, int64_t due_at, int64_t now,
                          struct period *best, bool *found)
{
    struct seals *s = l->seals;

    if (due_at > now) {
        if (due_at < s->next_at)
            s->next_at = due_at;
        return;
    }
    if (!*found || week.number < best->number)
        *best = week;
    *found = true;
}

static bool find_week(const struct ledger *l, int64_t now, struct period *ret)
{
    const struct seals *s = l->seals;
    struct period following = { .kind = PERIOD_WEEK };
    struct heard *w, *next;
    bool found = false, followed = false;

    if (s->last_week != INT32_MIN)
        following = period_next((struct period){ PERIOD_WEEK, s->last_week });
    HASH_ITER (hh, s->weeks, w, next) {
        if (w->week.number == following.number)
            followed = true;
        if (!w->held && !seals_find(l, w->week))
            consider_week(l, w->week, week_due_at(l, w->week, w->at), now, ret, &found);
    }
    if (s->last_week != INT32_MIN && !followed)
        consider_week(l, following, week_due_at(l, following, INT64_MIN), now, ret, &found);
    return found;
}

/* --- Months and years. */

static bool find_longer(const struct ledger *l, struct period *ret)
{
    struct sealed *p, *next;

    HASH_ITER (hh, l->seals->periods, p, next) {
        if (p->period.kind != PERIOD_WEEK)
            continue;
        for (int32_t day = p->period.number; day < p->period.number + 7; day++)
            for (int kind = PERIOD_MONTH; kind < PERIOD_KINDS; kind++) {
                struct period longer = period_of_day((enum period_kind)kind, day);

                if (period_end_day(longer) - 1 != day || seals_find(l, longer))
                    continue;
                *ret = longer;
                return true;
            }
    }
    return false;
}

/* --- Restatements. */

static bool is_due_again(const struct ledger *l, const struct sealed *p, int64_t now)
{
    int64_t ended_at = period_end(last_week_of(p->period), &l->rules->zone);

    return p->pending_at != INSTANT_NONE && p->pending_seal < l->seals->last_sealing &&
           now - ended_at < l->rules->restate_horizon_ms;
}

/* Weeks before the months that they lie in; days go with their weeks. */
static struct sealed *find_moved(const struct ledger *l, int64_t now)
{
    struct sealed *p, *next, *best = NULL;

    HASH_ITER (hh, l->seals->periods, p, next) {
        if (p->period.kind != PERIOD_DAY && is_due_again(l, p, now) &&
            (!best || period_compare(p->period, best->period) < 0))
            best = p;
    }
    return best;
}

/* Fills the order with what is due now; false: nothing is, before next_at. */
static bool find_order(struct ledger *l, int64_t now, struct seal_order *order)
{
    struct period period = { 0 };

    l->seals->next_at = INSTANT_NEVER;
    *order = (struct seal_order){ .by = "kpid", .why = "" };
    if (find_week(l, now, &period)) {
        order->why = "its grace is over";
    } else if (find_longer(l, &period)) {
        order->why = "the week of its last day is sealed";
    } else {
        order->was = find_moved(l, now);
        if (!order->was)
            return false;
        period = order->was->period;
    }
    order->period = period;
    return true;
}

/* --- Carrying out. */

/* Nobody watched enough of it: law 7. Said once, and again when the gaps change. */
static bool must_wait(struct ledger *l, const struct seal_order *order)
{
    int64_t begin = period_begin(order->period, &l->rules->zone);
    int64_t end = period_end(order->period, &l->rules->zone);
    char period[PERIOD_SIZE];
    struct heard *w;

    if (order->was || order->period.kind != PERIOD_WEEK || !l->gaps)
        return false;
    for (size_t k = 0; k < l->rules->kpi_count; k++) {
        int32_t share_e4 = coverage_of(&l->gaps[k], begin, end, end).share_e4;

        if (share_e4 >= l->rules->seal_requires_e4)
            continue;
        HASH_FIND(hh, l->seals->weeks, &order->period, sizeof order->period, w);
        if (!w)
            return false;       /* nothing was counted in it */
        w->held = true;
        log_warning("ledger: week %s is not sealed by itself: of %s only %d.%02d %% was watched; "
                    "look into it, then kpictl week seal %s --reason ...",
                    period_format(period, order->period), l->rules->kpis[k].id, share_e4 / 100,
                    share_e4 % 100, period);
        return true;
    }
    return false;
}

/* The clock is ahead of where it should be: if that is wrong, what seems due is not. */
static void note_leap(struct seals *s, int64_t leap_ms, int64_t monotonic)
{
    s->settled_at = monotonic + s->leap_wait_ms;
    if (s->automatic && s->leap_wait_ms > 0)
        log_warning("ledger: the system clock leapt %lld s ahead: nothing is sealed by itself for "
                    "%lld minutes, in which it can be set right if that was wrong",
                    (long long)(leap_ms / 1000), (long long)(s->leap_wait_ms / 60000));
}

/* Is it the time to seal anything by itself? Not while the house has just started (what the inputs
 * bring first is about what was missed) or the clock has just leapt. */
static bool is_settled(struct ledger *l, int64_t now)
{
    struct seals *s = l->seals;
    int64_t monotonic = clock_monotonic(l->clock);
    int64_t leap_ms = (now - s->wall_at) - (monotonic - s->monotonic_at);

    if (s->monotonic_at > 0 && leap_ms > LEAP_MS)
        note_leap(s, leap_ms, monotonic);
    s->wall_at = now;
    s->monotonic_at = monotonic;
    return monotonic >= s->settled_at;
}

int64_t seals_next_at(const struct ledger *l)
{
    return l->seals->automatic ? l->seals->next_at : INSTANT_NEVER;
}

int64_t seals_nap_ms(const struct ledger *l)
{
    const struct seals *s = l->seals;
    int64_t settling = s->settled_at - clock_monotonic(l->clock);

    if (s->asked || s->under_way)
        return s->rests_until - clock_monotonic(l->clock);
    if (!s->automatic || (!s->stale && s->next_at == INSTANT_NEVER))
        return INT64_MAX;
    if (settling > 0)
        return settling;
    return s->stale ? 0 : s->next_at - clock_wall(l->clock);
}

bool seals_digest_some(struct ledger *l)
{
    const struct new_seal *under_way = l->seals->under_way;
    int64_t to = under_way ? under_way->position : l->position;
    struct err err;

    /* What fails now fails when something is sealed, and is told then. */
    return l->seals->automatic && !l->astray && chain_catch_up(l, to, SLICE_EVENTS, &err) > 0;
}

/* Nothing differs from what was sealed: what moved until then has moved back. */
static int clear_pending(struct ledger *l, const struct new_seal *k, struct err *err)
{
    for (size_t i = 0; i < k->period_count; i++) {
        struct sealed *p = seals_find(l, k->periods[i].period);

        if (!p)
            continue;
        p->pending_at = k->periods[i].pending_at;
        p->pending_seal = l->seals->head;
        p->unstored = true;
    }
    l->seals->news = l->seals->stale = l->anything_unstored = true;
    return count_store(l, err);
}

static void tell(const struct new_seal *k)
{
    char period[PERIOD_SIZE];

    log_info("ledger: %s %s: %lld facts, %lld moved, in %d steps of at most %lld ms",
             period_format(period, k->period), k->was.seal ? "restated" : "sealed",
             (long long)k->facts, (long long)k->moved, k->steps, (long long)k->longest_ms);
}

/* It is written, or nothing differs, or it failed (rc) and is tried again when it is due. */
static void end_sealing(struct ledger *l, int rc, struct err *err)
{
    struct new_seal *k = l->seals->under_way;
    bool asked = k->asked;

    if (rc == 0 && k->is_equal)
        rc = clear_pending(l, k, err);
    else if (rc == 0 && seal_written(l, k, err) < 0)
        l->astray = true;       /* it is sealed all the same: what is in memory follows later */
    if (rc == 0 && !k->is_equal)
        tell(k);
    if (asked)
        seal_asked_end(l, k, rc, err);
    else if (rc < 0)
        writer_note_health(l, rc, err);
    new_seal_drop(l);
    if (!asked)
        writer_publish(l, NULL, 0);
}

static void go_on(struct ledger *l)
{
    struct new_seal *k = l->seals->under_way;
    int64_t began = clock_monotonic(l->clock), took;
    struct err err;
    int rc = l->astray || !l->stats.well
                 ? err_set(&err, -EIO, "%s", l->stats.why)
                 : new_seal_step(l, &err);

    took = clock_monotonic(l->clock) - began;
    k->steps++;
    if (took > k->longest_ms)
        k->longest_ms = took;
    if (rc <= 0)
        end_sealing(l, rc, &err);
}

static void begin_due(struct ledger *l, int64_t now)
{
    struct seal_order order;
    struct err err;
    int rc;

    if (!find_order(l, now, &order)) {
        l->seals->stale = false;
        return;
    }
    l->seals->next_at = now;    /* until it is done */
    if (must_wait(l, &order))
        return;
    rc = new_seal_begin(l, &order, &err);
    if (rc < 0)
        writer_note_health(l, rc, &err);
}

/* Whoever waits meanwhile comes first: of the thread's time he has the greater part. Not at the
 * cost of the disk, though: the log grows while the new seal's reader looks at what was. */
static void rest(struct ledger *l, int64_t began)
{
    int64_t now = clock_monotonic(l->clock);

    if (mailbox_length(l->inbox) > 0 && l->stats.wal_bytes < HURRY_WAL_BYTES)
        l->seals->rests_until = now + REST * (now - began + 1);
}

void seals_go_on(struct ledger *l)
{
    struct seals *s = l->seals;
    int64_t now = clock_wall(l->clock), began = clock_monotonic(l->clock);
    bool settled = is_settled(l, now);

    if (began < s->rests_until)
        return;
    if (s->under_way)
        go_on(l);
    else if (s->asked)
        seal_asked_begin(l);
    else if (!l->astray && l->stats.well && s->automatic && settled &&
             (s->stale || s->next_at <= now))
        begin_due(l, now);
    else
        return;
    rest(l, began);
}
