/* What a driver may hand over: batches of events as JSON text, each with the cursor that stands
 * behind them, which the house validates, quarantines, makes durable, and answers; and, from
 * drivers of devices, readings and conditions, which are never refused. Loop thread. */
#ifndef KPID_DRIVERS_SINK_H
#define KPID_DRIVERS_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "reading.h"

enum { BATCH_LINES_MAX = 1000 };
enum { BATCH_BYTES_MAX = 1024 * 1024 };

enum line_result {
    LINE_UNDECIDED,
    LINE_ACCEPTED,    /* durable, and new */
    LINE_DUPLICATE,   /* the log had it already, word for word */
    LINE_QUARANTINED, /* durable in quarantine; `reason` says why */
};

struct batch_line {
    char *bytes; /* one event as JSON, or a stranger's line as it came */
    size_t length;
    int64_t number;      /* its line in the file, its item in the answer; from 1 */
    const char *refusal; /* not NULL: the driver could not make an event of it, and why, naming
                          * the field; it goes to quarantine as it is. Borrows until `done` */
    /* Filled in before `done`: */
    enum line_result result;
    char reason[208];
};

/* Embedded in the driver's own struct. From `submit` to `done` it belongs to the house. */
struct batch {
    struct batch_line *lines;
    size_t count;       /* 0 with a cursor is allowed: only the cursor commits */
    const char *cursor; /* commits in the same transaction; NULL: leave it */
    /* After the commit with status 0; or with a negative errno, nothing of the batch taken and
     * the cursor unmoved: keep it, back off, submit it again. Never called from within submit. */
    void (*done)(struct batch *batch, int status, const struct err *why);
    void *arg;
};

struct sink {
    /* False: the house is full, nothing was taken; `resume` of the driver will be called. At most
     * BATCH_LINES_MAX lines and BATCH_BYTES_MAX bytes, and one batch of a source at a time. */
    bool (*submit)(void *house, struct batch *batch);
    /* When the driver means to try or poll next, for GET /v1/sources; 0: waiting for input. */
    void (*next_attempt)(void *house, int64_t at);
    /* What points of devices say; the house copies. Never called with a count of 0. */
    void (*readings)(void *house, const struct reading *readings, size_t count);
    /* A unit has gone or was never there (unplugged, no longer configured): its readings with it.
     * "" where the source is one device. */
    void (*forget)(void *house, const char *unit);
    /* A fault of a device in service, seen or seen to be absent; the house copies. */
    void (*condition)(void *house, const struct condition *condition);
};

#endif
