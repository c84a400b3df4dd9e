/* A bounded queue of owned pointers: a ring under a mutex, with one condition for the taker that
 * blocks. Time-outs follow the monotonic clock, so that a step of the wall clock wakes nobody. */
#include "base/mailbox.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"

struct mailbox {
    pthread_mutex_t lock;
    pthread_cond_t filled;      /* or closed */
    void (*notify)(void *arg);
    void *arg;
    size_t capacity;
    size_t first, count;        /* under `lock`, as all below */
    bool closed;
    void *messages[];
};

struct mailbox *mailbox_create(size_t capacity, void (*notify)(void *arg), void *arg)
{
    struct mailbox *m;
    pthread_condattr_t monotonic;

    assert(capacity > 0 && capacity < SIZE_MAX / sizeof m->messages[0] / 2);
    m = mem_zalloc(sizeof *m + capacity * sizeof m->messages[0]);
    m->capacity = capacity;
    m->notify = notify;
    m->arg = arg;
    pthread_mutex_init(&m->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&m->filled, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return m;
}

void mailbox_destroy(struct mailbox *mailbox)
{
    if (!mailbox)
        return;
    pthread_cond_destroy(&mailbox->filled);
    pthread_mutex_destroy(&mailbox->lock);
    free(mailbox);
}

bool mailbox_put(struct mailbox *mailbox, void *message)
{
    bool taken;

    assert(message);
    pthread_mutex_lock(&mailbox->lock);
    taken = !mailbox->closed && mailbox->count < mailbox->capacity;
    if (taken) {
        mailbox->messages[(mailbox->first + mailbox->count++) % mailbox->capacity] = message;
        pthread_cond_signal(&mailbox->filled);
    }
    pthread_mutex_unlock(&mailbox->lock);

    if (taken && mailbox->notify)
        mailbox->notify(mailbox->arg);
    return taken;
}

/* With the lock held. */
static void *take(struct mailbox *m)
{
    void *message;

    if (!m->count)
        return NULL;
    message = m->messages[m->first];
    m->first = (m->first + 1) % m->capacity;
    m->count--;
    return message;
}

void *mailbox_take(struct mailbox *mailbox)
{
    void *message;

    pthread_mutex_lock(&mailbox->lock);
    message = take(mailbox);
    pthread_mutex_unlock(&mailbox->lock);
    return message;
}

static struct timespec monotonic_in(int64_t ms)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);   /* cannot fail for this clock */
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    return until;
}

void *mailbox_wait(struct mailbox *mailbox, int64_t timeout_ms)
{
    struct timespec until = monotonic_in(timeout_ms < 0 ? 0 : timeout_ms);
    void *message;
    int rc = 0;

    pthread_mutex_lock(&mailbox->lock);
    while (!mailbox->count && !mailbox->closed && rc != ETIMEDOUT) {
        if (timeout_ms < 0)
            rc = pthread_cond_wait(&mailbox->filled, &mailbox->lock);
        else
            rc = pthread_cond_timedwait(&mailbox->filled, &mailbox->lock, &until);
    }
    message = take(mailbox);
    pthread_mutex_unlock(&mailbox->lock);
    return message;
}

void mailbox_close(struct mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->lock);
    mailbox->closed = true;
    pthread_cond_broadcast(&mailbox->filled);
    pthread_mutex_unlock(&mailbox->lock);
}

bool mailbox_is_closed(struct mailbox *mailbox)
{
    bool closed;

    pthread_mutex_lock(&mailbox->lock);
    closed = mailbox->closed;
    pthread_mutex_unlock(&mailbox->lock);
    return closed;
}

size_t mailbox_length(struct mailbox *mailbox)
{
    size_t count;

    pthread_mutex_lock(&mailbox->lock);
    count = mailbox->count;
    pthread_mutex_unlock(&mailbox->lock);
    return count;
}
