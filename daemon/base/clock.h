/* The only clock. Whoever needs the time is given a `const struct clock *`, so that tests turn it
 * by hand and nothing in the house asks the system behind their back. Any thread. */
#ifndef KPID_BASE_CLOCK_H
#define KPID_BASE_CLOCK_H

#include <stdint.h>

struct clock {
    int64_t (*wall)(const struct clock *clock);         /* ms since 1970, may step */
    int64_t (*monotonic)(const struct clock *clock);    /* ms, never steps back */
};

extern const struct clock clock_system;

/* A clock that stands still until it is turned. */
struct clock_manual {
    struct clock clock;     /* first, so that a pointer to it serves as a `struct clock *` */
    int64_t wall_ms;
    int64_t monotonic_ms;
};

void clock_manual_init(struct clock_manual *clock, int64_t wall_ms);

int64_t clock_wall(const struct clock *clock);
int64_t clock_monotonic(const struct clock *clock);

#endif
