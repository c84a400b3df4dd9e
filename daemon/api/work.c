/* Work on the pool. There are fewer readers than pool threads, so that files and names find a
 * thread even while history is read; what finds no free reader waits in a bounded line. A reader
 * that failed is closed and opened anew the next time. */
#include "api/work.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "kpi/coverage.h"

static struct gaps *copy_gaps(const struct gaps *from, size_t count)
{
    struct gaps *to;

    if (!from)
        return NULL;
    to = mem_zalloc((count + 1) * sizeof *to);
    for (size_t i = 0; i < count; i++) {
        if (!from[i].count)
            continue;
        to[i].count = from[i].count;
        to[i].items = mem_realloc_array(NULL, from[i].count, sizeof *to[i].items);
        memcpy(to[i].items, from[i].items, from[i].count * sizeof *to[i].items);
    }
    return to;
}

static void work_destroy(struct work *w)
{
    for (size_t i = 0; w->gaps && i < w->rules->kpi_count; i++)
        gaps_finish(&w->gaps[i]);
    free(w->gaps);
    rules_destroy(w->rules);
    free(w->path);
    if (w->forget)
        w->forget(w->arg);
    text_buffer_finish(&w->out);
    problem_finish(&w->problem);
    free(w);
}

/* Pool thread. */
static void on_pool(uv_work_t *request)
{
    struct work *w = request->data;
    struct work_slot *slot = w->slot;

    if (!slot->reader) {
        w->rc = reader_open(&slot->reader, w->path, &w->err);
        if (w->rc < 0)
            return;
    }
    w->rc = reader_begin(slot->reader, &w->as_of, &w->position, &w->err);
    if (w->rc == 0) {
        w->rc = w->run(w, slot->reader, &w->err);
        reader_end(slot->reader);
    }
    if (w->rc < 0) {
        reader_close(slot->reader);
        slot->reader = NULL;
    }
}

static void start_next(struct api *api);

/* A damaged page may be one that the ledger thread never reads. It stays damaged until a backup is
 * put in its place, which is not done to a daemon that runs: so this is never taken back. */
static void note_damage(struct api *api, const struct err *err)
{
    if (!api->damage.code)
        log_err("ledger: %s", err->text);
    api->damage = *err;
}

static void on_done(uv_work_t *request, int status)
{
    struct work *w = request->data;
    struct api *api = w->call->api;

    (void)status; /* never cancelled */
    w->slot->busy = false;
    if (w->rc == -EBADMSG)
        note_damage(api, &w->err);
    if (w->rc < 0)
        call_fail(w->call, w->rc, &w->err);
    else if (w->problem.kind)
        call_problem(w->call, &w->problem);
    else
        w->done(w);
    work_destroy(w);
    api_unpend(api);
    start_next(api);
}

static struct work_slot *free_slot(struct api *api)
{
    for (size_t i = 0; i < READERS; i++) {
        if (!api->slots[i].busy)
            return &api->slots[i];
    }
    return NULL;
}

static void start_next(struct api *api)
{
    struct work_slot *slot;
    struct work *w;
    int rc;

    while ((w = api->work_first) && (slot = free_slot(api))) {
        api->work_first = w->next;
        if (!api->work_first)
            api->work_last = NULL;
        api->work_waiting--;
        slot->busy = true;
        w->slot = slot;
        rc = uv_queue_work(api->house.loop, &w->request, on_pool, on_done);
        assert(rc == 0); /* it fails only for a missing callback */
    }
}

static void enqueue(struct work *w)
{
    struct api *api = w->call->api;

    if (api->work_last)
        api->work_last->next = w;
    else
        api->work_first = w;
    api->work_last = w;
    api->work_waiting++;
    start_next(api);
}

/* Stored or not: what is there is read. Whoever does not find what the board shows says why. */
static void on_stored(struct ledger_request *request)
{
    struct work *w = request->arg;

    if (request->status < 0)
        w->unstored = request->err;
    enqueue(w);
}

/* The figures on the board may be ahead of the tables by half a second: brings them level first,
 * so that a list never disagrees with the figure that it explains. */
static void store_first(struct work *w)
{
    struct api *api = w->call->api;

    w->store =
        (struct ledger_request){ .what = LEDGER_STORE, .via = "", .done = on_stored, .arg = w };
    if (board_now(api->house.board)->stored || !ledger_submit(api->house.ledger, &w->store))
        enqueue(w);
}

void work_begin(struct call *call, int (*run)(struct work *, struct reader *, struct err *),
                void (*done)(struct work *), void *arg, void (*forget)(void *))
{
    struct api *api = call->api;
    const struct publication *now = board_now(api->house.board);
    struct problem problem;
    struct work *w;

    if (api->work_waiting >= WORK_WAITING_MAX || api->stopping) {
        problem_set(&problem, PROBLEM_BUSY, "%zu questions to the ledger wait already",
                    api->work_waiting);
        problem.retry_after_s = 1;
        if (forget)
            forget(arg);
        call_problem(call, &problem);
        return;
    }
    w = mem_zalloc(sizeof *w);
    w->request.data = w;
    w->call = call;
    w->path = mem_strdup(api->house.conf->database);
    w->rules = rules_copy(now->rules);
    w->gaps = copy_gaps(now->gaps, now->rules->kpi_count);
    w->run = run;
    w->done = done;
    w->arg = arg;
    w->forget = forget;
    api_pend(api);
    call_wait(call);
    store_first(w);
}

void work_reply(struct work *w)
{
    call_reply_json(w->call, 200, &w->out);
}

void work_close_readers(struct api *api)
{
    for (size_t i = 0; i < READERS; i++) {
        assert(!api->slots[i].busy);
        reader_close(api->slots[i].reader);
        api->slots[i].reader = NULL;
    }
}

struct fact_view work_view(const struct work *w, const struct kpi *kpi, struct period period,
                           const char *scope, const struct fact *fact)
{
    const struct zone *zone = &w->rules->zone;
    struct fact_view view = { .kpi = kpi,
                              .period = period,
                              .scope = scope,
                              .fact = fact,
                              .coverage = { .share_e4 = 10000 },
                              .as_of = w->as_of,
                              .state = fact_state_of(period, zone, w->as_of) };

    if (w->gaps)
        view.coverage = coverage_of(&w->gaps[kpi - w->rules->kpis], period_begin(period, zone),
                                    period_end(period, zone), w->as_of);
    return view;
}
