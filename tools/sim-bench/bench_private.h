/* The bench's own state, for bench.c and orders.c alone. */
#ifndef KPI_SIM_BENCH_BENCH_PRIVATE_H
#define KPI_SIM_BENCH_BENCH_PRIVATE_H

#include "thing.h"

/* An order for later. */
struct plan {
    struct plan *next;
    int64_t due_at;   /* monotonic */
    int64_t every_ms; /* and again after that; 0: once */
    char *order;
};

struct bench {
    uv_loop_t *loop;
    const struct bench_options *options;
    struct thing *things, **last_thing;
    struct plan *plans;
    uv_timer_t timer; /* the next plan, or the next end of a trouble */
};

/* Gives the bench a thing; `words` are its settings. */
int bench_add(struct bench *bench, const struct thing_kind *kind, const char *name, uint32_t index,
              char *const *words, size_t count, struct err *err);

/* Begins a trouble (again, if it has begun) for `for_ms` (0: until it is mended). */
int bench_trouble(struct thing *thing, enum trouble trouble, int64_t value, int64_t for_ms,
                  struct err *err);
/* Ends it, if it has begun. */
int bench_mend(struct thing *thing, enum trouble trouble, struct err *err);

/* Plans an order; copies. */
void bench_plan(struct bench *bench, int64_t after_ms, int64_t every_ms, const char *order);

#endif
