/* Chance that can be repeated: a pure function of seed, name, channel and step, so that a value
 * never depends on how often somebody asked for another. */
#ifndef KPI_SIM_BENCH_NOISE_H
#define KPI_SIM_BENCH_NOISE_H

#include <stdint.h>

uint64_t noise_bits(uint64_t seed, const char *name, unsigned channel, int64_t step);

/* From -1 (included) to 1 (not). */
double noise(uint64_t seed, const char *name, unsigned channel, int64_t step);

#endif
