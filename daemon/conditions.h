/* Conditions: what drivers see devices suffer from, message by message, made into edges that count:
 * device.faulted and device.recovered (law 8), each once, and only after the state has lasted.
 *
 * A state begins with the first sighting of it and is confirmed by a later one, if nothing else was
 * seen between them. So a flapping contact and a single message cause nothing, and silence is no
 * recovery. Loop thread. */
#ifndef KPID_CONDITIONS_H
#define KPID_CONDITIONS_H

#include <uv.h>

#include "config/conf.h"
#include "intake.h"
#include "reading.h"

struct conditions;

/* Borrows all until destroyed, but copies `conf`. */
struct conditions *conditions_create(uv_loop_t *loop, struct intake *intake,
                                     const struct clock *clock,
                                     const struct conf_conditions *conf);
void conditions_set_conf(struct conditions *conditions, const struct conf_conditions *conf);

/* Takes over the faults that are active in the ledger at `path`, so that one which ended while
 * nobody watched is recovered, and none is told twice. Blocks: once, before the loop. 0, or
 * negative errno. */
int conditions_load(struct conditions *conditions, const char *path, struct err *err);

/* One sighting by `input`, the source of the events that may come of it. Copies both. */
void conditions_take(struct conditions *conditions, const char *input,
                     const struct condition *condition);

/* Sends what waits, now that there may be room. */
void conditions_flush(struct conditions *conditions);

struct conditions_view {
    size_t known;       /* faults that are active, or may be */
    size_t waiting;     /* edges that are not durable yet */
};
struct conditions_view conditions_view(const struct conditions *conditions);

/* Waits until all is durable, or until the ledger says that it cannot be; then calls `stopped`;
 * destroy after that. */
void conditions_stop(struct conditions *conditions, void (*stopped)(void *arg), void *arg);
void conditions_destroy(struct conditions *conditions);

#endif
