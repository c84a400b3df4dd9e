/* The simulated town: orders that people place, look-ups in the monitoring room, terminals that
 * fail and are mended. Deterministic by its seed; time is told from outside.
 *
 * What happens is kept as a log of changes for each feed: a change is one item as the platform
 * would show it from then on. Not for two threads at once: the server locks. */
#ifndef KPID_SIM_WORLD_H
#define KPID_SIM_WORLD_H

#include <stddef.h>
#include <stdint.h>

#include "kpi/zone.h"

enum feed { FEED_ORDERS, FEED_LOOKUPS, FEED_DEVICES, FEED_COUNT };

struct change {
    int64_t at; /* ms since 1970 */
    char *json; /* one item */
};

struct changes {
    struct change *items; /* item i has the number i + 1 */
    size_t count, capacity;
};

/* A finished work order, for the files that people drop. */
struct work_order {
    char ticket[32], device[32], staff[16];
    const char *kind;          /* "安装", "维修", "返厂检测" */
    const char *site, *result; /* "合格", "不合格", "取消" */
    int64_t opened_at, settled_at;
};

struct world_options {
    uint64_t seed;
    int64_t begin_at; /* when the town came to be */
    uint32_t taxis;
    const struct zone *zone; /* of its clocks; borrows */
};

struct world;

struct world *world_create(const struct world_options *options);
void world_destroy(struct world *world);

/* Lets everything happen up to `now`. */
void world_advance(struct world *world, int64_t now);

const struct changes *world_changes(const struct world *world, enum feed feed);
/* A taxi as it is now. */
struct taxi {
    char device[24], plate[24];
    const char *model;
    const char *fault; /* NULL: it has none */
};
uint32_t world_taxis(const struct world *world);
struct taxi world_taxi(const struct world *world, uint32_t i);

/* The next finished work order, in order; NULL: none since. Borrows until the next call. */
const struct work_order *world_next_work_order(struct world *world);

#endif
