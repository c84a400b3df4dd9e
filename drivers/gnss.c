/* A satellite receiver, epoch by epoch; see gnss.h. */
#include "gnss.h"

#include "base/mem.h"
#include "base/span.h"

enum { BEST = 4, TRACKED_WELL = 30 };

void gnss_epoch_init(struct gnss_epoch *e, int64_t at, int64_t monotonic_at)
{
    *e = (struct gnss_epoch){ .at = at,
                              .monotonic_at = monotonic_at,
                              .time_ms = GNSS_NONE,
                              .utc_at = GNSS_NEVER,
                              .rollover = GNSS_NONE,
                              .fix = GNSS_NONE,
                              .quality = GNSS_NONE,
                              .valid = GNSS_NONE,
                              .used = GNSS_NONE,
                              .hdop_e2 = GNSS_NONE,
                              .lat_e9 = GNSS_NOWHERE,
                              .lon_e9 = GNSS_NOWHERE };
}

void gnss_init(struct gnss *g, int64_t monotonic_at, bool from_start)
{
    *g = (struct gnss){ .heard_at = monotonic_at,
                        .is_from_start = from_start,
                        .fix_lost_at = monotonic_at,
                        .time_moved_at = monotonic_at,
                        .ttff_ms = GNSS_NONE,
                        .tells_antenna = true,
                        .good_share_e4 = GNSS_NONE,
                        .baud = GNSS_NONE };
    gnss_epoch_init(&g->last, 0, monotonic_at);
}

/* Right after it was switched on many a receiver repeats its last position: only its word and the
 * quality count, never that there are coordinates. */
bool gnss_has_fix(const struct gnss_epoch *e)
{
    bool passes = e->quality >= 1 && e->quality <= 5;

    if (e->unmeasured || e->valid == 0 || (e->quality != GNSS_NONE && !passes))
        return false;
    return e->valid == 1 || passes;
}

/* How long it took to the first fix can be told only by whoever was there when it began. */
static void note_first_fix(struct gnss *g, const struct gnss_epoch *e)
{
    int64_t ms = e->monotonic_at - g->heard_at;

    if (g->ttff_ms != GNSS_NONE)
        return;
    if (!g->was_without_fix && !g->is_from_start)
        g->ttff_ms = GNSS_UNSUPPORTED;
    else
        g->ttff_ms = ms < INT32_MAX ? (int32_t)ms : INT32_MAX;
}

void gnss_take(struct gnss *g, const struct gnss_epoch *e)
{
    bool has_fix = gnss_has_fix(e);

    if (has_fix)
        note_first_fix(g, e);
    else if (e->quality != GNSS_NONE || e->valid != GNSS_NONE)
        g->was_without_fix = true;
    if (g->has_fix && !has_fix)
        g->fix_lost_at = e->monotonic_at;
    g->has_fix = has_fix;
    if (e->time_ms == GNSS_NONE || e->time_ms != g->last.time_ms)
        g->time_moved_at = e->monotonic_at;
    g->last = *e;
}

bool gnss_unroll(int64_t *utc_at, int64_t built_at)
{
    if (*utc_at >= built_at)
        return false;
    *utc_at += 1024 * 7 * SPAN_DAY;
    return true;
}

void gnss_sky_add(struct gnss_sky_fold *fold, unsigned system, int32_t id, int32_t cn0)
{
    uint8_t *best, now = (uint8_t)(cn0 > 0 && cn0 < (int32_t)LENGTH(fold->tracked) ? cn0 + 1 : 1);

    if (system >= GNSS_SYSTEMS || id < 0 || id >= (int32_t)LENGTH(fold->best[0]))
        return;
    best = &fold->best[system][id];
    fold->seen += *best == 0;
    if (now <= *best)
        return;
    if (*best > 1)
        fold->tracked[*best - 1]--;
    if (now > 1)
        fold->tracked[now - 1]++;
    if (now > TRACKED_WELL)
        fold->systems |= 1U << system;
    *best = now;
}

struct gnss_sky gnss_sky_of(const struct gnss_sky_fold *fold)
{
    struct gnss_sky sky = { .seen = fold->seen, .systems = fold->systems };
    int32_t left = BEST, sum = 0;

    for (int32_t cn0 = LENGTH(fold->tracked) - 1; cn0 > 0; cn0--) {
        int32_t n = fold->tracked[cn0] < left ? fold->tracked[cn0] : left;

        if (cn0 >= TRACKED_WELL)
            sky.tracked_30 += fold->tracked[cn0];
        sum += n * cn0;
        left -= n;
    }
    sky.cn0_best4_e2 = sum * 100 / BEST;
    return sky;
}
