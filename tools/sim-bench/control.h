/* Who may speak to the bench: clients of a Unix socket, and a person at the prompt. A line in; out
 * come the lines of its answer, and "ok" or "error: SENTENCE" as the last one. Loop thread. */
#ifndef KPI_SIM_BENCH_CONTROL_H
#define KPI_SIM_BENCH_CONTROL_H

#include "bench.h"

struct control;

/* Listens on `path`; copies. */
int control_create(struct control **ret, uv_loop_t *loop, struct bench *bench, const char *path,
                   struct err *err);
/* NULL is allowed. Free once the loop has closed its handles. */
void control_end(struct control *control);

/* Reads standard input from now on. */
int control_prompt(uv_loop_t *loop, struct bench *bench, struct err *err);
void control_prompt_end(void);

/* The client's side: says `line`, and prints the answer. The exit status: 0 done, 1 it said no, 3
 * nobody listens there. Blocks. */
int control_tell(const char *path, const char *line);

#endif
