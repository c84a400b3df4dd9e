/* Work: reads of the ledger on libuv's pool, with a few read-only connections that stay open. The
 * call that asked is suspended meanwhile. */
#ifndef KPID_API_WORK_H
#define KPID_API_WORK_H

#include <uv.h>

#include "api/api_private.h"
#include "ledger/reads.h"

struct work {
    uv_work_t request;
    struct call *call;
    struct work_slot *slot;
    struct work *next;
    struct ledger_request store; /* so that what is read agrees with the figures shown */
    struct err unstored; /* why not; code 0: it does */
    /* What the pool thread may look at: its own copies, taken when the work was asked for. */
    char *path;
    struct rules *rules;
    struct gaps *gaps; /* one for each KPI; NULL: none */
    /* The state of the ledger that is read. */
    int64_t as_of, position;
    /* Pool thread, between reader_begin and reader_end. 0 or negative errno. */
    int (*run)(struct work *work, struct reader *reader, struct err *err);
    /* Loop thread: replies. Only after run succeeded; else the call has been told. */
    void (*done)(struct work *work);
    void (*forget)(void *arg); /* frees `arg`; NULL: nothing to free */
    void *arg;
    struct text_buffer out; /* what `run` wrote; freed afterwards */
    struct problem problem; /* if `run` found one: kind is not PROBLEM_NONE */
    int rc;
    struct err err;
};

/* Suspends the call and runs `run`, later; takes `arg`. If too many wait, the call is told so. */
void work_begin(struct call *call, int (*run)(struct work *, struct reader *, struct err *),
                void (*done)(struct work *), void *arg, void (*forget)(void *));

/* A `done` that replies with `out` as JSON. */
void work_reply(struct work *work);

void work_close_readers(struct api *api);

/* Fills what fact_json needs from what was copied. */
struct fact_view work_view(const struct work *work, const struct kpi *kpi, struct period period,
                           const char *scope, const struct fact *fact);

#endif
