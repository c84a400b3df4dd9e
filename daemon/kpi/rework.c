/* Rework: law 2. Which job does a repair accuse?
 *
 * The successes of one device, sorted by (settled_at, kind, ticket), are a line in time; a repair
 * looks back from its opened_at and finds the last of them by bisection. What it finds it accuses
 * if the window of that job's KPI reaches so far. Rework looks at raw outcomes alone, so no
 * accusation depends on another. */
#include "kpi/rework.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const char repair[] = "repair";

bool rework_links_kind(const char *kind)
{
    return strcmp(kind, repair) == 0 || strcmp(kind, "install") == 0;
}

/* A job that can be found: raw outcome success. */
struct success {
    struct job *job;
    const struct kpi *kpi;      /* NULL: no KPI counts its kind */
    int64_t settled_at;
};

static int by_settled(const void *a, const void *b)
{
    const struct success *x = a;
    const struct success *y = b;
    int order;

    if (x->settled_at != y->settled_at)
        return x->settled_at < y->settled_at ? -1 : 1;
    order = strcmp(x->job->ticket->kind, y->job->ticket->kind);
    return order != 0 ? order : strcmp(x->job->ticket->ticket, y->job->ticket->ticket);
}

static size_t find_successes(struct success *to, struct job *jobs, size_t count,
                             const struct rules *rules)
{
    size_t found = 0;

    for (size_t i = 0; i < count; i++) {
        const struct ticket *t = jobs[i].ticket;
        const struct kpi *kpi = rules_kpi_of_kind(rules, t->kind);

        if (t->outcome == OUTCOME_SUCCESS && t->settled_at != INSTANT_NONE)
            to[found++] = (struct success){ &jobs[i], kpi, ticket_settled_at(t, kpi) };
    }
    qsort(to, found, sizeof *to, by_settled);
    return found;
}

/* How many were settled before `at`. */
static size_t settled_before(const struct success *successes, size_t count, int64_t at)
{
    size_t low = 0;
    size_t high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (successes[middle].settled_at < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* law 2.rework: pending and failed repairs accuse as well as successful ones. */
static bool can_accuse(const struct ticket *t)
{
    return strcmp(t->kind, repair) == 0 && t->opened_at != INSTANT_NONE &&
           t->outcome != OUTCOME_EXCLUDED;
}

static void accuse(struct success *successes, size_t count, const struct ticket *accuser)
{
    size_t before = settled_before(successes, count, accuser->opened_at);

    /* A repair whose times are out of order can have been settled before it was opened. */
    if (before > 0 && successes[before - 1].job->ticket == accuser)
        before--;
    if (before == 0)
        return;

    const struct success *found = &successes[before - 1];
    struct job *job = found->job;

    if (!found->kpi || found->kpi->rework_window_ms == SPAN_NONE ||
        accuser->opened_at - found->settled_at > found->kpi->rework_window_ms)
        return;
    if (!job->accuser || strcmp(accuser->ticket, job->accuser->ticket) < 0)
        job->accuser = accuser;
}

void rework_accuse(struct job *jobs, size_t count, const struct rules *rules)
{
    struct success *successes = mem_alloc((count + 1) * sizeof *successes);
    size_t found = find_successes(successes, jobs, count, rules);

    for (size_t i = 0; i < count; i++)
        jobs[i].accuser = NULL;
    for (size_t i = 0; i < count; i++)
        if (can_accuse(jobs[i].ticket))
            accuse(successes, found, jobs[i].ticket);
    free(successes);
}
