/* The simulated town; see world.h.
 *
 * One heap holds what will happen next. Each thing that happens shows itself in a feed and puts
 * into the heap what follows from it: an order placed leads to one dispatched or timed out, that
 * to one boarded, cancelled or not met, and so on. Arrivals follow the hours of a town's day. */
#include "world.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/instant.h"
#include "base/json_out.h"
#include "base/mem.h"
#include "base/span.h"
#include "base/text.h"

/* As call centres number them. */
enum order_status {
    ORDER_NO_ANSWER,
    ORDER_DISPATCHING,
    ORDER_DISPATCHED,
    ORDER_CANCELLED,
    ORDER_TIMED_OUT,
    ORDER_COMPLETED
};

enum happening {
    PLACED,
    DISPATCHED,
    ORDER_ENDED,
    ASKED,
    FAULTED,
    RECOVERED,
    WORK_ORDERED,
    WORK_SETTLED
};

struct pending {
    int64_t at;
    uint64_t order; /* of equal instants: first in, first out */
    enum happening what;
    uint32_t number; /* of the order, the device ... */
    int64_t since;   /* when it began */
    int status;      /* what it will come to */
    uint32_t taxi;
};

struct world {
    struct world_options options;
    uint64_t random;
    struct pending *heap;
    size_t pending, capacity;
    uint64_t scheduled;
    uint32_t orders, lookups, works;
    struct changes changes[FEED_COUNT];
    struct work_order *done;
    size_t done_count, done_capacity, done_taken;
    unsigned char *is_faulty; /* by taxi: number of its code, from 1; 0: it is not */
};

static const char *const sites[] = { "east", "west", "north", "airport" };
static const char *const codes[] = { "gps_antenna_cut", "offline", "led_fault", "power_cut" };

/* Orders in each hour of the day, as a share of the busiest. */
static const unsigned char hours[24] = {
    25, 18, 12, 10, 12, 25, 45,  85, 100, 75, 60, 60,
    65, 60, 55, 58, 65, 90, 100, 92, 80,  70, 55, 38,
};

/* --- Chance */

static uint64_t next_random(struct world *w)
{
    uint64_t z = w->random += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static int64_t between(struct world *w, int64_t low, int64_t high)
{
    return low + (int64_t)(next_random(w) % (uint64_t)(high - low + 1));
}

static bool chance(struct world *w, int per_mille)
{
    return between(w, 0, 999) < per_mille;
}

/* --- What will happen */

static bool is_before(const struct pending *a, const struct pending *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void swap(struct pending *a, struct pending *b)
{
    struct pending kept = *a;

    *a = *b;
    *b = kept;
}

static void schedule(struct world *w, struct pending p)
{
    size_t i = w->pending++;

    if (w->pending > w->capacity) {
        w->capacity = w->capacity ? w->capacity * 2 : 256;
        w->heap = mem_realloc_array(w->heap, w->capacity, sizeof *w->heap);
    }
    p.order = w->scheduled++;
    w->heap[i] = p;
    for (; i > 0 && is_before(&w->heap[i], &w->heap[(i - 1) / 2]); i = (i - 1) / 2)
        swap(&w->heap[i], &w->heap[(i - 1) / 2]);
}

static struct pending take_first(struct world *w)
{
    struct pending first = w->heap[0];
    size_t i = 0;

    w->heap[0] = w->heap[--w->pending];
    for (;;) {
        size_t least = i;

        for (size_t child = 2 * i + 1; child <= 2 * i + 2; child++)
            if (child < w->pending && is_before(&w->heap[child], &w->heap[least]))
                least = child;
        if (least == i)
            return first;
        swap(&w->heap[i], &w->heap[least]);
        i = least;
    }
}

/* --- What the feeds show */

static void add_time(const struct world *w, struct text_buffer *to, const char *key, int64_t at)
{
    char text[INSTANT_SIZE];

    if (at == 0) {
        json_out_text(to, key, NULL);
        return;
    }
    instant_format(text, at, zone_offset(w->options.zone, at));
    text[10] = ' ';
    text[23] = '\0'; /* "2026-11-20 18:00:00.123", as such platforms write it */
    json_out_text(to, key, text);
}

static void show(struct world *w, enum feed feed, int64_t at, struct text_buffer *item)
{
    struct changes *c = &w->changes[feed];

    if (c->count == c->capacity) {
        c->capacity = c->capacity ? c->capacity * 2 : 1024;
        c->items = mem_realloc_array(c->items, c->capacity, sizeof *c->items);
    }
    json_out_integer(item, "seq", (int64_t)c->count + 1);
    add_time(w, item, "updated", at);
    text_buffer_adds(item, "}");
    c->items[c->count++] = (struct change){ at, text_buffer_take(item) };
}

static const char *plate(char to[24], uint32_t taxi)
{
    snprintf(to, 24, "粤B%05" PRIu32, taxi % 100000);
    return to;
}

static const char *device_name(char to[24], uint32_t taxi)
{
    snprintf(to, 24, "ISU%08" PRIu32, taxi + 1);
    return to;
}

static void show_order(struct world *w, const struct pending *p, int status)
{
    struct text_buffer item = { 0 };
    char id[48], number[24];
    bool ended = status >= ORDER_CANCELLED || status == ORDER_NO_ANSWER;

    snprintf(id, sizeof id, "%" PRId64 "%05" PRIu32, p->since, p->number % 100000);
    text_buffer_adds(&item, "{");
    json_out_text(&item, "orderid", id);
    json_out_integer(&item, "source", 1 + p->number % 2);
    json_out_integer(&item, "status", status);
    json_out_text(&item, "carnumber", status >= ORDER_DISPATCHED ? plate(number, p->taxi) : NULL);
    json_out_text(&item, "site", sites[p->taxi % LENGTH(sites)]);
    add_time(w, &item, "createtime", p->since);
    add_time(w, &item, "endtime", ended ? p->at : 0);
    show(w, FEED_ORDERS, p->at, &item);
}

static void show_lookup(struct world *w, const struct pending *p)
{
    static const char *const reasons[] = { "", "offline", "no_fix", "stale" };
    struct text_buffer item = { 0 };
    char id[24], number[24];

    snprintf(id, sizeof id, "L%08" PRIu32, p->number);
    text_buffer_adds(&item, "{");
    json_out_text(&item, "id", id);
    json_out_text(&item, "vehicle", plate(number, p->taxi));
    json_out_text(&item, "site", sites[p->taxi % LENGTH(sites)]);
    json_out_bool(&item, "ok", p->status == 0);
    json_out_text(&item, "reason", p->status ? reasons[p->status] : NULL);
    add_time(w, &item, "asked", p->since);
    add_time(w, &item, "answered", p->at);
    show(w, FEED_LOOKUPS, p->at, &item);
}

static void show_device(struct world *w, uint32_t taxi, const char *what, const char *code,
                        int64_t at)
{
    struct text_buffer item = { 0 };
    char name[24], number[24];

    text_buffer_adds(&item, "{");
    json_out_text(&item, "device", device_name(name, taxi));
    json_out_text(&item, "vehicle", plate(number, taxi));
    json_out_text(&item, "site", sites[taxi % LENGTH(sites)]);
    json_out_text(&item, "model", taxi % 3 ? "JT905-B" : "JT905-A");
    json_out_text(&item, "what", what);
    json_out_text(&item, "code", code);
    show(w, FEED_DEVICES, at, &item);
}

/* --- What happens */

static uint32_t any_taxi(struct world *w)
{
    return (uint32_t)between(w, 0, w->options.taxis - 1);
}

/* The next arrival of something that comes `per_day` times on an ordinary day. */
static int64_t next_arrival(struct world *w, int64_t at, int64_t per_day)
{
    int64_t mean = SPAN_DAY / (per_day > 0 ? per_day : 1);
    int64_t local = at + zone_offset(w->options.zone, at) * SPAN_SECOND;
    int64_t share = hours[local / SPAN_HOUR % 24];

    /* 56 is the mean of the day; the sum of two even spans is near enough to chance. */
    mean = mean * 56 / share;
    return at + 1 + (between(w, 0, mean) + between(w, 0, mean));
}

static void place_order(struct world *w, struct pending p)
{
    p.number = ++w->orders;
    p.since = p.at;
    p.taxi = any_taxi(w);
    show_order(w, &p, ORDER_DISPATCHING);
    schedule(w, (struct pending){ .at = next_arrival(w, p.at, w->options.taxis * INT64_C(12)),
                                  .what = PLACED });
    if (chance(w, 35)) { /* nobody near */
        p.status = ORDER_TIMED_OUT;
        p.what = ORDER_ENDED;
        p.at += 5 * SPAN_MINUTE;
    } else {
        p.what = DISPATCHED;
        p.at += between(w, 3, 45) * SPAN_SECOND;
    }
    schedule(w, p);
}

static void dispatch_order(struct world *w, struct pending p)
{
    show_order(w, &p, ORDER_DISPATCHED);
    p.what = ORDER_ENDED;
    if (chance(w, 60)) { /* changed their mind */
        p.status = ORDER_CANCELLED;
        p.at += between(w, 20, 240) * SPAN_SECOND;
    } else if (chance(w, 45)) { /* not there, or not found */
        p.status = ORDER_NO_ANSWER;
        p.at += between(w, 300, 900) * SPAN_SECOND;
    } else {
        p.status = ORDER_COMPLETED;
        p.at += between(w, 120, 1500) * SPAN_SECOND;
    }
    schedule(w, p);
}

static void ask_lookup(struct world *w, struct pending p)
{
    p.number = ++w->lookups;
    p.taxi = any_taxi(w);
    p.since = p.at;
    p.status = w->is_faulty[p.taxi] || chance(w, 12) ? (int)between(w, 1, 3) : 0;
    schedule(w, (struct pending){ .at = next_arrival(w, p.at, w->options.taxis * INT64_C(3)),
                                  .what = ASKED });
    p.at += between(w, 200, 4000);
    show_lookup(w, &p);
}

static void order_work(struct world *w, const char *kind, uint32_t taxi, int64_t at, int64_t takes)
{
    struct pending p = { .at = at + takes, .what = WORK_SETTLED, .since = at, .taxi = taxi };

    p.number = ++w->works;
    p.status = strcmp(kind, "安装") == 0 ? 0 : strcmp(kind, "维修") == 0 ? 1 : 2;
    schedule(w, p);
}

static void settle_work(struct world *w, struct pending p)
{
    static const char *const kinds[] = { "安装", "维修", "返厂检测" };
    static const char *const people[] = { "李工", "王工", "陈工", "赵工", "刘工" };
    struct work_order *order;

    if (w->done_count == w->done_capacity) {
        w->done_capacity = w->done_capacity ? w->done_capacity * 2 : 64;
        w->done = mem_realloc_array(w->done, w->done_capacity, sizeof *w->done);
    }
    order = &w->done[w->done_count++];
    *order = (struct work_order){
        .kind = kinds[p.status],
        .site = sites[p.taxi % LENGTH(sites)],
        .result = chance(w, 965)   ? "合格"
                  : chance(w, 300) ? "取消"
                                   : "不合格",
        .opened_at = p.since,
        .settled_at = p.at,
    };
    snprintf(order->ticket, sizeof order->ticket, "WO%08" PRIu32, p.number);
    device_name(order->device, p.taxi);
    snprintf(order->staff, sizeof order->staff, "%s", people[p.number % LENGTH(people)]);
}

/* Work that comes by itself, besides what faults lead to. */
static void plan_work(struct world *w, struct pending p)
{
    const char *kind = chance(w, 600) ? "安装" : "返厂检测";

    order_work(w, kind, any_taxi(w), p.at, between(w, 1, 40) * SPAN_MINUTE);
    p.at = next_arrival(w, p.at, 4 + w->options.taxis / 4);
    schedule(w, p);
}

static void fault_device(struct world *w, struct pending p)
{
    p.taxi = any_taxi(w);
    schedule(w, (struct pending){ .at = next_arrival(w, p.at, 4 + w->options.taxis / 20),
                                  .what = FAULTED });
    if (w->is_faulty[p.taxi])
        return;
    p.number = (uint32_t)between(w, 0, LENGTH(codes) - 1);
    w->is_faulty[p.taxi] = (unsigned char)(p.number + 1);
    show_device(w, p.taxi, "faulted", codes[p.number], p.at);
    p.what = RECOVERED;
    p.since = p.at;
    p.at += chance(w, 600) ? between(w, 20, 500) * SPAN_SECOND : between(w, 10, 240) * SPAN_MINUTE;
    if (p.at - p.since > 10 * SPAN_MINUTE)
        order_work(w, "维修", p.taxi, p.since, p.at - p.since);
    schedule(w, p);
}

static void recover_device(struct world *w, struct pending p)
{
    w->is_faulty[p.taxi] = 0;
    show_device(w, p.taxi, "recovered", codes[p.number], p.at);
}

static void end_order(struct world *w, struct pending p)
{
    show_order(w, &p, p.status);
}

static void happen(struct world *w, struct pending p)
{
    static void (*const acts[])(struct world *, struct pending) = {
        [PLACED] = place_order,     [DISPATCHED] = dispatch_order, [ORDER_ENDED] = end_order,
        [ASKED] = ask_lookup,       [FAULTED] = fault_device,      [RECOVERED] = recover_device,
        [WORK_ORDERED] = plan_work, [WORK_SETTLED] = settle_work,
    };

    acts[p.what](w, p);
}

/* --- The whole */

struct world *world_create(const struct world_options *options)
{
    static const enum happening first[] = { PLACED, ASKED, FAULTED, WORK_ORDERED };
    struct world *w = mem_zalloc(sizeof *w);

    assert(options->taxis > 0);
    w->options = *options;
    w->random = options->seed;
    w->is_faulty = mem_zalloc(options->taxis);
    for (uint32_t i = 0; i < options->taxis; i++)
        show_device(w, i, "commissioned", NULL, options->begin_at);
    for (size_t i = 0; i < LENGTH(first); i++)
        schedule(w, (struct pending){ .at = options->begin_at + 1 + (int64_t)i * 700,
                                      .what = first[i] });
    return w;
}

void world_destroy(struct world *w)
{
    if (!w)
        return;
    for (int feed = 0; feed < FEED_COUNT; feed++) {
        for (size_t i = 0; i < w->changes[feed].count; i++)
            free(w->changes[feed].items[i].json);
        free(w->changes[feed].items);
    }
    free(w->heap);
    free(w->done);
    free(w->is_faulty);
    free(w);
}

void world_advance(struct world *w, int64_t now)
{
    while (w->pending > 0 && w->heap[0].at <= now)
        happen(w, take_first(w));
}

const struct changes *world_changes(const struct world *w, enum feed feed)
{
    return &w->changes[feed];
}

struct taxi world_taxi(const struct world *w, uint32_t i)
{
    struct taxi t = { .fault = w->is_faulty[i] ? codes[w->is_faulty[i] - 1] : NULL };

    device_name(t.device, i);
    plate(t.plate, i);
    t.model = i % 3 ? "JT905-B" : "JT905-A";
    return t;
}

uint32_t world_taxis(const struct world *w)
{
    return w->options.taxis;
}

const struct work_order *world_next_work_order(struct world *w)
{
    return w->done_taken < w->done_count ? &w->done[w->done_taken++] : NULL;
}
