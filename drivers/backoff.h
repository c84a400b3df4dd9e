/* How long to wait before the next try: doubling, with jitter, up to a cap; what the other side
 * asked for (Retry-After) stands above it. One for all drivers. Loop thread. */
#ifndef KPID_DRIVERS_BACKOFF_H
#define KPID_DRIVERS_BACKOFF_H

#include <stdint.h>

struct backoff {
    int64_t first_ms;
    int64_t cap_ms;
    uint32_t failures; /* in a row */
    uint64_t random;   /* state of the jitter */
};

/* `seed` tells inputs apart, so that those that failed together do not return together. */
void backoff_init(struct backoff *backoff, int64_t first_ms, int64_t cap_ms, const char *seed);

/* One more failure: how long to wait now, from half of the doubled span to all of it. With
 * `asked_ms` above 0 at least that long (and at most a day), whatever the cap. */
int64_t backoff_next(struct backoff *backoff, int64_t asked_ms);

/* It worked, or somebody asked for a try at once. */
void backoff_reset(struct backoff *backoff);

#endif
