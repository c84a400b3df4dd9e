/* The daemon's own events on their way into the log; see outbox.h.
 *
 * What waits goes out together, in one submission at a time. One that fails, or finds no room, is
 * sent again a second later, for as long as it takes. */
#include "outbox.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

enum { RETRY_MS = 1000 };

struct outbox {
    struct intake *intake;
    uv_timer_t retry;
    const struct outbox_owner *owner;
    void *arg;
    size_t sent;
    struct submission *submission;
    bool stopping;
    void (*stopped)(void *arg);
    void *stopped_arg;
};

struct outbox *outbox_create(uv_loop_t *loop, struct intake *intake,
                             const struct outbox_owner *owner, void *arg)
{
    struct outbox *o = mem_zalloc(sizeof *o);
    int rc = uv_timer_init(loop, &o->retry);

    assert(rc == 0); /* libuv's timers cannot fail to be made */
    o->retry.data = o;
    o->intake = intake;
    o->owner = owner;
    o->arg = arg;
    return o;
}

size_t outbox_sent(const struct outbox *o)
{
    return o->sent;
}

static void on_closed(uv_handle_t *handle)
{
    struct outbox *o = handle->data;

    o->stopped(o->stopped_arg);
}

static void close_if_done(struct outbox *o, bool given_up)
{
    if (o->stopping && !o->submission && (given_up || o->owner->count(o->arg) == 0) &&
        !uv_is_closing((uv_handle_t *)&o->retry))
        uv_close((uv_handle_t *)&o->retry, on_closed);
}

static void on_retry(uv_timer_t *timer)
{
    outbox_flush(timer->data);
}

static void on_done(struct submission *submission, const struct submission_result *result,
                    void *arg)
{
    struct outbox *o = arg;
    size_t sent = o->sent;

    submission_destroy(submission);
    o->submission = NULL;
    o->sent = 0;
    if (result->status == 0)
        o->owner->durable(o->arg, sent);
    if (result->status < 0 && !o->stopping)
        uv_timer_start(&o->retry, on_retry, RETRY_MS, 0);
    else if (result->status == 0)
        outbox_flush(o);
    close_if_done(o, result->status < 0);
}

void outbox_flush(struct outbox *o)
{
    struct submission *submission;
    const char *via;

    if (o->submission || o->owner->count(o->arg) == 0 || uv_is_closing((uv_handle_t *)&o->retry))
        return;
    via = o->owner->via(o->arg);
    submission = submission_create(o->intake, via, NULL);
    o->sent = o->owner->fill(o->arg, submission);
    if (submission_send(submission, via, NULL, on_done, o)) {
        o->submission = submission;
        return;
    }
    o->sent = 0;
    submission_destroy(submission);
    uv_timer_start(&o->retry, on_retry, RETRY_MS, 0);
}

void outbox_stop(struct outbox *o, void (*stopped)(void *arg), void *arg)
{
    o->stopping = true;
    o->stopped = stopped;
    o->stopped_arg = arg;
    outbox_flush(o);
    close_if_done(o, false);
}

void outbox_destroy(struct outbox *o)
{
    if (o)
        assert(!o->submission);
    free(o);
}
