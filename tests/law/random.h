/* Random numbers that a seed repeats, on any machine. */
#ifndef KPID_TESTS_LAW_RANDOM_H
#define KPID_TESTS_LAW_RANDOM_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

struct random {
    uint64_t state;
};

/* splitmix64: every seed is as good as any other. */
static inline uint64_t random_next(struct random *r)
{
    uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* 0 to n - 1; n is above 0. */
static inline int64_t random_below(struct random *r, int64_t n)
{
    assert(n > 0);
    return (int64_t)(random_next(r) % (uint64_t)n);
}

static inline bool random_chance(struct random *r, int percent)
{
    return random_below(r, 100) < percent;
}

#define RANDOM_PICK(r, array)                                                                      \
    ((array)[random_below((r), (int64_t)(sizeof(array) / sizeof((array)[0])))])

#endif
