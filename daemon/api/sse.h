/* Server-Sent Events: a stream of changed facts to each watcher. Loop thread. */
#ifndef KPID_API_SSE_H
#define KPID_API_SSE_H

#include "api/api_private.h"

/* Answers the call with a stream of the facts that match (NULL: all) and change after the change
 * of that number (board.h). False, with a problem: too many watch already. */
bool sse_begin(struct call *call, const char *kpi, const char *scope, uint64_t change,
               struct problem *problem);

#endif
