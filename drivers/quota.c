/* A quota of the other side; see quota.h.
 *
 * With room for C saved requests and R of them coming in a span, a span that begins with all C sees
 * fewer than C + R whole ones come due, that is at most C + R - 1: so R is most - C + 1. */
#include "quota.h"

static int64_t room(const struct quota *q)
{
    return q->most < 4 ? 1 : q->most / 4;
}

static int64_t rate(const struct quota *q)
{
    return q->most - room(q) + 1;
}

/* What has come since is saved, as far as there is room. */
static void catch_up(struct quota *q, int64_t now)
{
    int64_t full = room(q) * q->span_ms, passed = now - q->at;

    if (passed > q->span_ms)
        passed = q->span_ms; /* fills it */
    q->saved += passed * rate(q);
    if (q->saved > full)
        q->saved = full;
    q->at = now;
}

void quota_init(struct quota *q, int64_t most, int64_t span_ms, int64_t now)
{
    *q = (struct quota){ .most = most, .span_ms = span_ms, .saved = span_ms, .at = now };
}

int64_t quota_wait_ms(struct quota *q, int64_t now)
{
    int64_t missing;

    if (q->most == 0)
        return 0;
    catch_up(q, now);
    missing = q->span_ms - q->saved;
    return missing > 0 ? (missing + rate(q) - 1) / rate(q) : 0;
}

void quota_spend(struct quota *q, int64_t now)
{
    if (q->most == 0)
        return;
    catch_up(q, now);
    q->saved -= q->span_ms;
}

int64_t quotas_ask(struct quota *quotas, size_t count, int64_t now)
{
    int64_t wait_ms = 0;

    for (size_t i = 0; i < count; i++) {
        int64_t one_ms = quota_wait_ms(&quotas[i], now);

        wait_ms = one_ms > wait_ms ? one_ms : wait_ms;
    }
    for (size_t i = 0; wait_ms == 0 && i < count; i++)
        quota_spend(&quotas[i], now);
    return wait_ms;
}
