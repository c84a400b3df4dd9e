/* What is to be sealed, and when: law 6.seal.
 *
 *   1. each week `grace` after its end, the oldest first; one that was first heard of after its end
 *      (brought in late) `grace` after that. Once a week is sealed those after it follow, whether
 *      anything was counted in them or not;
 *   2. months and years, once the week that holds their last day is;
 *   3. what moved since it was sealed, once a week was sealed after that, if the week ended less
 *      than `restate_horizon` ago; whatever is older waits for a person.
 *
 * The rules are questions to what is sealed, so nothing has to be remembered: a kill between two
 * sealings leaves the second due. What is due is judged by the clock as it is now, never by as_of
 * alone: a clock that leapt ahead and was set back seals nothing before its time. */
#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "ledger/ledger_private.h"
#include "ledger/seals.h"

enum {
    SLICE_EVENTS = 1000,        /* digested between two groups */
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

/* One sealing as one transaction. 1 if it was written, 0 if nothing differs. */
static int write_order(struct ledger *l, const struct seal_order *order, struct err *err)
{
    int rc = sql_run(l->st.begin, "beginning a transaction", err);

    if (rc == 0)
        rc = seal_write(l, order, err);
    if (rc > 0) {
        int committed = sql_run(l->st.commit, "committing", err);

        rc = committed < 0 ? committed : rc;
    }
    if (!sqlite3_get_autocommit(l->db))
        (void)sql_run(l->st.rollback, "rolling back", NULL);    /* the first failure is told */
    return rc;
}

/* Nothing differs from what was sealed: what moved has moved back. */
static int clear_pending(struct ledger *l, struct period period, struct err *err)
{
    struct sealed *p = seals_find(l, period);

    p->pending_at = INSTANT_NONE;
    p->unstored = true;
    l->seals->news = l->seals->stale = l->anything_unstored = true;
    return count_store(l, err);
}

/* The tables say all that is counted, then the order is written, then memory follows. */
static int carry_out(struct ledger *l, const struct seal_order *order, struct err *err)
{
    struct period period = order->period;
    int64_t was = order->was ? order->was->seal : 0;
    int rc = count_store(l, err);

    if (rc == 0)
        rc = write_order(l, order, err);
    if (rc < 0)
        return rc;
    if (rc == 0)
        return was ? clear_pending(l, period, err) : 0;
    if (seals_sealed(l, was, err) < 0)
        l->astray = true;       /* it is sealed all the same: what is in memory follows later */
    return 1;
}

/* Is it the time to seal anything by itself? Not while the house has just started or the clock has
 * just leapt: what the inputs bring first is about what was missed. */
static bool is_settled(struct ledger *l, int64_t now)
{
    struct seals *s = l->seals;
    int64_t monotonic = clock_monotonic(l->clock);

    if (s->monotonic_at > 0 && now - s->wall_at > monotonic - s->monotonic_at + LEAP_MS)
        s->settled_at = monotonic + s->settle_ms;
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

    if (s->asked)
        return 0;
    if (!s->automatic || (!s->stale && s->next_at == INSTANT_NEVER))
        return INT64_MAX;
    if (settling > 0)
        return settling;
    return s->stale ? 0 : s->next_at - clock_wall(l->clock);
}

bool seals_ask(struct ledger *l, struct ledger_request *request)
{
    if (l->seals->asked)
        return false;
    l->seals->asked = request;
    return true;
}

/* Refuses a person's wish that the law does not grant. */
static int check_wish(struct ledger *l, const struct ledger_request *r, struct err *err)
{
    const struct sealed *was = seals_find(l, r->period);
    int64_t end_at = period_end(r->period, &l->rules->zone);
    char period[PERIOD_SIZE];

    period_format(period, r->period);
    if (clock_wall(l->clock) < end_at || l->as_of < end_at)
        return err_set(err, -EEXIST, "%s has not ended: no week is sealed before its end", period);
    if (r->what == LEDGER_SEAL && was)
        return err_set(err, -EEXIST, "%s is sealed, revision %d: what moved since is restated "
                       "with POST /v1/weeks/%s/restate", period, (int)was->revision, period);
    if (r->what == LEDGER_RESTATE && !was)
        return err_set(err, -EEXIST, "%s is not sealed: there is nothing to restate", period);
    return 0;
}

/* What a restatement by hand brings with it: months and years in which the same moved. One that
 * fails stays pending, and is restated at the next sealing. */
static void follow(struct ledger *l, const struct ledger_request *r)
{
    struct err err;

    for (int kind = PERIOD_MONTH; kind < PERIOD_KINDS; kind++)
        for (int32_t day = r->period.number; day < r->period.number + 7; day += 6) {
            struct period longer = period_of_day((enum period_kind)kind, day);
            struct seal_order order = { .period = longer,
                                        .was = seals_find(l, longer),
                                        .by = r->by,
                                        .why = r->text };

            if (order.was && order.was->pending_at != INSTANT_NONE &&
                carry_out(l, &order, &err) < 0)
                writer_note_health(l, err.code, &err);
        }
}

static int grant(struct ledger *l, struct ledger_request *r)
{
    struct seal_order order = { .period = r->period,
                                .was = seals_find(l, r->period),
                                .by = r->by,
                                .why = r->text };
    int64_t n = l->seals->head + 1;
    int32_t revision = order.was ? order.was->revision + 1 : 1;
    char period[PERIOD_SIZE];
    int rc = check_wish(l, r, &r->err);

    if (rc < 0)
        return rc;
    rc = carry_out(l, &order, &r->err);
    if (rc == 0)
        return err_set(&r->err, -EEXIST, "nothing moved in %s since it was sealed",
                       period_format(period, r->period));
    if (rc < 0)
        return rc;
    r->n = n;
    r->revision = revision;
    if (r->what == LEDGER_RESTATE && !l->astray)
        follow(l, r);
    return 0;
}

bool seals_digest_some(struct ledger *l)
{
    struct err err;

    /* What fails now fails when something is sealed, and is told then. */
    return l->seals->automatic && !l->astray && chain_catch_up(l, SLICE_EVENTS, &err) > 0;
}

static void step_asked(struct ledger *l)
{
    struct ledger_request *r = l->seals->asked;
    int rc = l->astray || !l->stats.well
                 ? err_set(&r->err, -EIO, "nothing is sealed while the ledger is not well: %s",
                           l->stats.why)
                 : chain_catch_up(l, SLICE_EVENTS, &r->err);

    if (rc > 0)
        return;         /* there is more to digest */
    l->seals->asked = NULL;
    r->status = rc < 0 ? rc : grant(l, r);
    r->position = l->position;
    if (r->status < 0 && r->status != -EEXIST) {
        writer_note_health(l, r->status, &r->err);
        (void)chain_load(l, NULL);      /* as it was before */
    }
    writer_publish(l, &r, 1);
}

static bool step_due(struct ledger *l, int64_t now)
{
    struct seal_order order;
    char period[PERIOD_SIZE];
    struct err err;
    int rc;

    if (!find_order(l, now, &order)) {
        l->seals->stale = false;
        return false;
    }
    l->seals->next_at = now;    /* until it is done */
    if (must_wait(l, &order))
        return false;
    rc = chain_catch_up(l, SLICE_EVENTS, &err);
    if (rc > 0)
        return false;
    if (rc == 0)
        rc = carry_out(l, &order, &err);
    if (rc < 0) {
        writer_note_health(l, rc, &err);
        return false;
    }
    if (rc > 0)
        log_info("ledger: %s %s", period_format(period, order.period),
                 order.was ? "restated" : "sealed");
    return true;
}

void seals_go_on(struct ledger *l)
{
    struct seals *s = l->seals;
    int64_t now = clock_wall(l->clock);
    bool settled = is_settled(l, now);

    if (s->asked)
        step_asked(l);
    else if (l->astray || !l->stats.well)
        return;
    else if (s->automatic && settled && (s->stale || s->next_at <= now) && step_due(l, now))
        writer_publish(l, NULL, 0);
}
