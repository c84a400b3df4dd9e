/* What a person asks for: a week sealed before its grace is over, or restated with a reason and,
 * with it, the months and years in which the same moved. He is answered when all of it is done. */
#include <errno.h>

#include "ledger/new_seal.h"

enum { FOLLOWS = 4 };   /* the months of the week's first and last day, and the years */

bool seals_ask(struct ledger *l, struct ledger_request *request)
{
    if (l->seals->asked)
        return false;
    l->seals->asked = request;
    l->seals->follows = 0;
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

/* What comes next for the person. False: nothing more. */
static bool next_order(struct ledger *l, const struct ledger_request *r, struct seal_order *order)
{
    struct seals *s = l->seals;

    *order = (struct seal_order){ .period = r->period, .by = r->by, .why = r->text, .asked = true };
    order->was = seals_find(l, r->period);
    if (s->follows == 0)
        return true;
    for (; r->what == LEDGER_RESTATE && s->follows <= FOLLOWS; s->follows++) {
        enum period_kind kind = s->follows <= 2 ? PERIOD_MONTH : PERIOD_YEAR;

        order->period = period_of_day(kind, r->period.number + (s->follows % 2 ? 0 : 6));
        order->was = seals_find(l, order->period);
        if (order->was && order->was->pending_at != INSTANT_NONE)
            return true;
    }
    return false;
}

static void answer(struct ledger *l)
{
    struct ledger_request *r = l->seals->asked;

    l->seals->asked = NULL;
    r->position = l->position;
    if (r->status < 0 && r->status != -EEXIST)
        writer_note_health(l, r->status, &r->err);
    writer_publish(l, &r, 1);
}

void seal_asked_begin(struct ledger *l)
{
    struct ledger_request *r = l->seals->asked;
    struct seal_order order;
    bool is_first = l->seals->follows == 0;
    struct err err;
    int rc = 0;

    if (l->astray || !l->stats.well)
        rc = err_set(&err, -EIO, "nothing is sealed while the ledger is not well: %s",
                     l->stats.why);
    else if (is_first)
        rc = check_wish(l, r, &err);
    if (rc == 0 && next_order(l, r, &order))
        rc = new_seal_begin(l, &order, &err);
    if (l->seals->under_way)
        return;
    if (rc < 0 && is_first) {
        r->status = rc;
        r->err = err;
    }
    answer(l);
}

/* A longer period that failed stays pending, and is restated at the next sealing. */
void seal_asked_end(struct ledger *l, const struct new_seal *k, int rc, const struct err *err)
{
    struct ledger_request *r = l->seals->asked;
    char period[PERIOD_SIZE];

    if (l->seals->follows++ > 0) {
        if (rc < 0)
            writer_note_health(l, rc, err);
        return;
    }
    r->status = rc;
    if (rc < 0)
        r->err = *err;
    else if (k->is_equal)
        r->status = err_set(&r->err, -EEXIST, "nothing moved in %s since it was sealed",
                            period_format(period, k->period));
    r->n = k->n;
    r->revision = k->was.revision + 1;
    if (r->status < 0)
        answer(l);
}
