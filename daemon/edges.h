/* Edges of coverage (law 7): when an input that a KPI depends on was lost, and when it was found
 * again, as events of the source "kpid". They wait here until they are durable, in order, whatever
 * the ledger does meanwhile. Loop thread. */
#ifndef KPID_EDGES_H
#define KPID_EDGES_H

#include <uv.h>

#include "intake.h"

struct edges;

/* Borrows both until destroyed. */
struct edges *edges_create(uv_loop_t *loop, struct intake *intake);

/* `input` (copies) was lost, or found, at that instant. The caller keeps them in turn for one
 * input, and each later than the one before. */
void edges_add(struct edges *edges, const char *input, bool lost, int64_t at);

/* Sends what waits, now that there may be room. */
void edges_flush(struct edges *edges);

/* Waits until all is durable, or until the ledger says that it cannot be (its last durable instant
 * then marks the gap at the next start), closes, and calls `stopped`; destroy after that. */
void edges_stop(struct edges *edges, void (*stopped)(void *arg), void *arg);
void edges_destroy(struct edges *edges);

#endif
