/* Edges of coverage on their way into the log; see edges.h. The outbox sends them; their ids are
 * made of input and instant.
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
#include "outbox.h"

enum { WAITING_MAX = 512 };

struct edge {
    char input[INPUT_SIZE];
    bool lost;
    int64_t at;
};

struct edges {
    struct outbox *outbox;
    struct edge waiting[WAITING_MAX];
    size_t count;
};

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
    for (size_t i = outbox_sent(e->outbox); i < e->count; i++) {
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

static size_t count_waiting(const void *arg)
{
    const struct edges *e = arg;

    return e->count;
}

static const char *via(const void *arg)
{
    (void)arg;
    return "kpid";
}

static size_t fill(void *arg, struct submission *submission)
{
    const struct edges *e = arg;

    for (size_t i = 0; i < e->count; i++)
        add_edge(submission, &e->waiting[i], (int64_t)i + 1);
    return e->count;
}

static void durable(void *arg, size_t count)
{
    drop(arg, 0, count);
}

static const struct outbox_owner owner = { count_waiting, via, fill, durable };

struct edges *edges_create(uv_loop_t *loop, struct intake *intake)
{
    struct edges *e = mem_zalloc(sizeof *e);

    e->outbox = outbox_create(loop, intake, &owner, e);
    return e;
}

void edges_flush(struct edges *e)
{
    outbox_flush(e->outbox);
}

void edges_stop(struct edges *e, void (*stopped)(void *arg), void *arg)
{
    outbox_stop(e->outbox, stopped, arg);
}

void edges_destroy(struct edges *e)
{
    if (e)
        outbox_destroy(e->outbox);
    free(e);
}
