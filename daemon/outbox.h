/* Events that the daemon makes itself, on their way into the log: they wait with their owner, in
 * order, until they are durable, whatever the ledger does meanwhile. Loop thread. */
#ifndef KPID_OUTBOX_H
#define KPID_OUTBOX_H

#include <uv.h>

#include "intake.h"

struct outbox;

/* Who keeps what waits. Its ids are made of what happened, not of when it is sent: what went
 * through unnoticed is a duplicate when it is sent again. */
struct outbox_owner {
    size_t (*count)(const void *arg);           /* how many wait */
    const char *(*via)(const void *arg);        /* the input of the first; asked if some wait */
    /* Adds the first of what waits to `submission`, at least one; returns how many. */
    size_t (*fill)(void *arg, struct submission *submission);
    void (*durable)(void *arg, size_t count);   /* the first so many are: they wait no more */
};

/* Borrows all until destroyed. */
struct outbox *outbox_create(uv_loop_t *loop, struct intake *intake,
                             const struct outbox_owner *owner, void *arg);

/* Sends what waits, unless something is on its way: then it follows by itself. */
void outbox_flush(struct outbox *outbox);

/* How many of the first that wait are with the ledger now: the owner leaves them alone. */
size_t outbox_sent(const struct outbox *outbox);

/* Waits until all is durable, or until the ledger says that it cannot be; closes, and calls
 * `stopped`; destroy after that. */
void outbox_stop(struct outbox *outbox, void (*stopped)(void *arg), void *arg);
void outbox_destroy(struct outbox *outbox);

#endif
