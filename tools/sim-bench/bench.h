/* The simulated bench: things on ports, what troubles them, and what shall happen when. It is
 * spoken to in lines; `bench_help` tells the language. Loop thread. */
#ifndef KPI_SIM_BENCH_BENCH_H
#define KPI_SIM_BENCH_BENCH_H

#include <stdint.h>
#include <uv.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"

struct bench;

struct bench_options {
    uint64_t seed;
    const char *links;         /* folder of the terminals' links; borrows */
    const struct clock *clock; /* borrows */
};

struct bench *bench_create(uv_loop_t *loop, const struct bench_options *options);
/* Pulls everything out; free once the loop has closed its handles, with bench_free. */
void bench_end(struct bench *bench);
void bench_free(struct bench *bench);

/* Does what one line says, and adds to `out` what there is to say. 0, or negative errno with a
 * sentence; what stood before the fault in the line is done. */
int bench_do(struct bench *bench, const char *line, struct text_buffer *out, struct err *err);

/* One line "NAME ADDRESS" for each port. */
void bench_addresses(const struct bench *bench, struct text_buffer *out);

/* The language, for people. */
void bench_help(struct text_buffer *out);

#endif
