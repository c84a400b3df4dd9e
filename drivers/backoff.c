/* How long to wait before the next try; see backoff.h. */
#include "backoff.h"

#include <assert.h>

#include "base/span.h"

void backoff_init(struct backoff *b, int64_t first_ms, int64_t cap_ms, const char *seed)
{
    assert(first_ms > 0);
    *b = (struct backoff){ .first_ms = first_ms,
                           .cap_ms = cap_ms,
                           .random = UINT64_C(14695981039346656037) };
    for (; *seed; seed++) /* FNV-1a */
        b->random = (b->random ^ (unsigned char)*seed) * UINT64_C(1099511628211);
}

/* xorshift64: not for secrets. */
static uint64_t next_random(struct backoff *b)
{
    b->random ^= b->random << 13;
    b->random ^= b->random >> 7;
    b->random ^= b->random << 17;
    return b->random;
}

int64_t backoff_next(struct backoff *b, int64_t asked_ms)
{
    int64_t span = b->first_ms;

    for (uint32_t i = 0; i < b->failures && span < b->cap_ms; i++)
        span *= 2;
    if (span > b->cap_ms)
        span = b->cap_ms;
    b->failures++;
    span = span - (int64_t)(next_random(b) % (uint64_t)(span / 2 + 1));
    if (asked_ms > SPAN_DAY)
        asked_ms = SPAN_DAY;
    /* The jitter goes on top of what was asked for: earlier would be refused again. */
    return asked_ms > 0 ? asked_ms + span % (asked_ms / 10 + 1) : span;
}

void backoff_reset(struct backoff *b)
{
    b->failures = 0;
}
