/* Edges of coverage on their way into the log; see edges.h.
 *
 * Waiting edges go out together, in one submission at a time. One that fails is sent again: the
 * ids are made of input and instant, so that an edge which went through unnoticed is a duplicate.
 *
 * What waits is bounded. An input that flaps for days before a full disk must not eat the memory:
 * past the bound the oldest pair "found, lost" of the same input is left out, which joins two gaps
 * into one. It errs to the side of the watched: coverage can only come out lower. */
#include "edges.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/instant.h"
#include "base/mem.h"

enum { WAITING_MAX = 512, RETRY_MS = 1000 };

struct edge {
    char input[INPUT_SIZE];
    bool lost;
    int64_t at;
};

struct edges {
    struct intake *intake;
    uv_timer_t retry;
    struct edge waiting[WAITING_MAX];
    size_t count;
    size_t sent; /* the first so many are with the ledger */
    struct submission *submission;
    bool stopping;
    void (*stopped)(void *arg);
    void *stopped_arg;
};

struct edges *edges_create(uv_loop_t *loop, struct intake *intake)
{
    struct edges *e = mem_zalloc(sizeof *e);
    int rc = uv_timer_init(loop, &e->retry);

    assert(rc == 0); /* libuv's timers cannot fail to be made */
    e->retry.data = e;
    e->intake = intake;
    return e;
}

static void drop(struct edges *e, size_t first, size_t count)
{
    memmove(&e->waiting[first], &e->waiting[first + count],
            (e->count - first - count) * sizeof *e->waiting);
    e->count -= count;
}

/* The next edge of the same input after `i`, or `count`. */
static size_t next_of_input(const struct edges *e, size_t i)
{
    size_t k = i + 1;

    while (k < e->count && strcmp(e->waiting[k].input, e->waiting[i].input) != 0)
        k++;
    return k;
}

static void make_room(struct edges *e)
{
    for (size_t i = e->sent; i < e->count; i++) {
        size_t next = next_of_input(e, i);

        if (e->waiting[i].lost || next == e->count)
            continue;
        drop(e, next, 1);
        drop(e, i, 1);
        return;
    }
}

void edges_add(struct edges *e, const char *input, bool lost, int64_t at)
{
    if (e->count == WAITING_MAX)
        make_room(e);
    if (e->count == WAITING_MAX)
        return; /* more inputs than edges can wait: their gaps are known by now */
    e->waiting[e->count] = (struct edge){ .lost = lost, .at = at };
    text_set(e->waiting[e->count].input, INPUT_SIZE, input);
    e->count++;
    edges_flush(e);
}

static void on_closed(uv_handle_t *handle)
{
    struct edges *e = handle->data;

    e->stopped(e->stopped_arg);
}

static void close_if_done(struct edges *e, bool given_up)
{
    if (e->stopping && !e->submission && (given_up || e->count == 0) &&
        !uv_is_closing((uv_handle_t *)&e->retry))
        uv_close((uv_handle_t *)&e->retry, on_closed);
}

static void on_retry(uv_timer_t *timer)
{
    edges_flush(timer->data);
}

static void on_done(struct submission *submission, const struct submission_result *result,
                    void *arg)
{
    struct edges *e = arg;

    submission_destroy(submission);
    e->submission = NULL;
    if (result->status == 0)
        drop(e, 0, e->sent);
    e->sent = 0;
    if (result->status < 0 && !e->stopping)
        uv_timer_start(&e->retry, on_retry, RETRY_MS, 0);
    else if (result->status == 0)
        edges_flush(e);
    close_if_done(e, result->status < 0);
}

static void add_edge(struct submission *submission, const struct edge *edge, int64_t number)
{
    char json[256], at[INSTANT_SIZE];
    const char *what = edge->lost ? "lost" : "found";
    int length =
        snprintf(json, sizeof json,
                 "{\"source\":\"kpid\",\"id\":\"%s-%s-%" PRId64 "\",\"type\":\"source.%s\","
                 "\"at\":\"%s\",\"input\":\"%s\"}",
                 what, edge->input, edge->at, what, instant_format(at, edge->at, 0), edge->input);

    assert(length > 0 && (size_t)length < sizeof json);
    submission_add(submission, json, (size_t)length, number, NULL);
}

void edges_flush(struct edges *e)
{
    struct submission *submission;

    if (e->submission || e->count == 0)
        return;
    submission = submission_create(e->intake, "kpid", NULL);
    for (size_t i = 0; i < e->count; i++)
        add_edge(submission, &e->waiting[i], (int64_t)i + 1);
    if (submission_send(submission, "kpid", NULL, on_done, e)) {
        e->submission = submission;
        e->sent = e->count;
    } else {
        submission_destroy(submission);
        uv_timer_start(&e->retry, on_retry, RETRY_MS, 0);
    }
}

void edges_stop(struct edges *e, void (*stopped)(void *arg), void *arg)
{
    e->stopping = true;
    e->stopped = stopped;
    e->stopped_arg = arg;
    edges_flush(e);
    close_if_done(e, false);
}

void edges_destroy(struct edges *e)
{
    if (e)
        assert(!e->submission);
    free(e);
}
