/* Coverage: law 7. Gaps are kept as ascending intervals that lie apart, so that the share of a
 * period and the number of its gaps are read off by one walk. */
#include "kpi/coverage.h"

#include <stdlib.h>

#include "base/mem.h"

/* Appends an interval that begins no earlier than the last one; what touches or overlaps it melts
 * into it, what is empty is none. `items` has room. */
static void append(struct gaps *gaps, struct interval gap)
{
    if (gap.begin >= gap.end)
        return;
    struct interval *last = gaps->count > 0 ? &gaps->items[gaps->count - 1] : NULL;

    if (last && gap.begin <= last->end) {
        if (gap.end > last->end)
            last->end = gap.end;
        return;
    }
    gaps->items[gaps->count++] = gap;
}

void gaps_fold(struct gaps *gaps, const struct event *events, size_t count, int64_t as_of)
{
    struct gaps folded = { .items = mem_alloc((count + 1) * sizeof *folded.items) };
    int64_t lost_at = INSTANT_NONE;

    for (size_t i = 0; i < count && events[i].at <= as_of; i++) {
        if (events[i].type == EVENT_LOST && lost_at == INSTANT_NONE) {
            lost_at = events[i].at;
        } else if (events[i].type == EVENT_FOUND && lost_at != INSTANT_NONE) {
            append(&folded, (struct interval){ lost_at, events[i].at });
            lost_at = INSTANT_NONE;
        }
    }
    if (lost_at != INSTANT_NONE)
        append(&folded, (struct interval){ lost_at, INSTANT_NEVER });
    *gaps = folded;
}

void gaps_unite(struct gaps *gaps, const struct gaps *other)
{
    size_t room = gaps->count + other->count + 1;
    struct gaps united = { .items = mem_alloc(room * sizeof *united.items) };
    size_t a = 0;
    size_t b = 0;

    while (a < gaps->count || b < other->count) {
        bool take_a = b == other->count ||
                      (a < gaps->count && gaps->items[a].begin <= other->items[b].begin);

        append(&united, take_a ? gaps->items[a++] : other->items[b++]);
    }
    gaps_finish(gaps);
    *gaps = united;
}

void gaps_finish(struct gaps *gaps)
{
    free(gaps->items);
    gaps->items = NULL;
    gaps->count = 0;
}

struct coverage coverage_of(const struct gaps *gaps, int64_t begin, int64_t end, int64_t as_of)
{
    int64_t cut = end < as_of ? end : as_of;
    int64_t span = cut - begin;
    int64_t covered = span;
    int32_t count = 0;

    if (span <= 0)
        return (struct coverage){ .share_e4 = 10000 };
    for (size_t i = 0; i < gaps->count; i++) {
        int64_t from = gaps->items[i].begin > begin ? gaps->items[i].begin : begin;
        int64_t until = gaps->items[i].end < cut ? gaps->items[i].end : cut;

        if (from < until) {
            covered -= until - from;
            count++;
        }
    }
    /* Half down: x.5 becomes x. */
    return (struct coverage){ .share_e4 = (int32_t)((2 * covered * 10000 + span - 1) / (2 * span)),
                              .gaps = count };
}
