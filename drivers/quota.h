/* A quota of the other side: at most so many requests in any span of so long. What it allows is
 * partly saved up, a quarter at most, and the rest comes evenly; so no span of that length ever
 * sees more, wherever it begins. A start has one request to spare: how many went before it nobody
 * knows any more. Pure; the caller tells the time. */
#ifndef KPID_DRIVERS_QUOTA_H
#define KPID_DRIVERS_QUOTA_H

#include <stddef.h>
#include <stdint.h>

struct quota {
    int64_t most; /* requests in `span_ms`; 0: no bound */
    int64_t span_ms;
    int64_t saved; /* in requests times span_ms */
    int64_t at;    /* when that was so */
};

/* `now` is monotonic, in milliseconds, as in all that follows. */
void quota_init(struct quota *quota, int64_t most, int64_t span_ms, int64_t now);

/* How long until one more request is allowed; 0: now. */
int64_t quota_wait_ms(struct quota *quota, int64_t now);

/* One request goes out. */
void quota_spend(struct quota *quota, int64_t now);

/* Of several that all hold: spends one of each and returns 0, or how long to wait. */
int64_t quotas_ask(struct quota *quotas, size_t count, int64_t now);

#endif
