/* The system's clock, and one that stands still until a test turns it. */
#include "base/clock.h"

#include <time.h>

static int64_t system_ms(clockid_t id)
{
    struct timespec now;

    (void)clock_gettime(id, &now);  /* cannot fail for these two clocks */
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t system_wall(const struct clock *clock)
{
    (void)clock;
    return system_ms(CLOCK_REALTIME);
}

static int64_t system_monotonic(const struct clock *clock)
{
    (void)clock;
    return system_ms(CLOCK_MONOTONIC);
}

const struct clock clock_system = { .wall = system_wall, .monotonic = system_monotonic };

static int64_t manual_wall(const struct clock *clock)
{
    return ((const struct clock_manual *)clock)->wall_ms;
}

static int64_t manual_monotonic(const struct clock *clock)
{
    return ((const struct clock_manual *)clock)->monotonic_ms;
}

void clock_manual_init(struct clock_manual *clock, int64_t wall_ms)
{
    *clock = (struct clock_manual){
        .clock = { .wall = manual_wall, .monotonic = manual_monotonic },
        .wall_ms = wall_ms,
    };
}

int64_t clock_wall(const struct clock *clock)
{
    return clock->wall(clock);
}

int64_t clock_monotonic(const struct clock *clock)
{
    return clock->monotonic(clock);
}
