/* The simulated bench: its things, and its time; see bench.h. The language is in orders.c. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "bench_private.h"

struct bench *bench_create(uv_loop_t *loop, const struct bench_options *options)
{
    struct bench *bench = mem_zalloc(sizeof *bench);

    bench->loop = loop;
    bench->options = options;
    bench->last_thing = &bench->things;
    uv_timer_init(loop, &bench->timer);
    bench->timer.data = bench;
    return bench;
}

void bench_end(struct bench *bench)
{
    for (struct thing *t = bench->things; t; t = t->next)
        t->kind->end(t);
    uv_close((uv_handle_t *)&bench->timer, NULL);
}

void bench_free(struct bench *bench)
{
    for (struct thing *t = bench->things, *next; t; t = next) {
        next = t->next;
        free(t);
    }
    for (struct plan *p = bench->plans, *next; p; p = next) {
        next = p->next;
        free(p->order);
        free(p);
    }
    free(bench);
}

struct thing *bench_find(const struct bench *bench, const char *name)
{
    struct thing *t = bench->things;

    while (t && strcmp(t->name, name) != 0)
        t = t->next;
    return t;
}

uv_loop_t *bench_loop(const struct bench *bench)
{
    return bench->loop;
}

const struct clock *bench_clock(const struct bench *bench)
{
    return bench->options->clock;
}

uint64_t bench_seed(const struct bench *bench)
{
    return bench->options->seed;
}

const char *bench_links(const struct bench *bench)
{
    return bench->options->links;
}

int64_t bench_now(const struct bench *bench)
{
    return clock_monotonic(bench->options->clock);
}

void bench_addresses(const struct bench *bench, struct text_buffer *out)
{
    for (const struct thing *t = bench->things; t; t = t->next)
        if (t->kind->address(t))
            text_buffer_addf(out, "%s %s\n", t->name, t->kind->address(t));
}

int bench_add(struct bench *bench, const struct thing_kind *kind, const char *name, uint32_t index,
              char *const *words, size_t count, struct err *err)
{
    void *config = mem_zalloc(kind->config_size);
    struct thing *thing = mem_zalloc(kind->size);
    int rc;

    thing->kind = kind;
    thing->bench = bench;
    text_set(thing->name, sizeof thing->name, name);
    rc = words_read(kind->options, words, count, config, err);
    if (rc == 0)
        rc = kind->begin(thing, config, index, err);
    option_finish(kind->options, config);
    free(config);
    if (rc < 0) {
        free(thing);
        return rc;
    }
    *bench->last_thing = thing;
    bench->last_thing = &thing->next;
    return 0;
}

/* --- Time */

static void on_time(uv_timer_t *timer);

/* Wakes up for whatever comes next. */
static void wait_for_next(struct bench *bench)
{
    int64_t now = bench_now(bench), next = INT64_MAX;

    for (const struct plan *p = bench->plans; p; p = p->next)
        if (p->due_at < next)
            next = p->due_at;
    for (const struct thing *t = bench->things; t; t = t->next)
        for (enum trouble i = 0; i < TROUBLE_COUNT; i++)
            if (t->troubles.of[i].on && t->troubles.of[i].until > 0 &&
                t->troubles.of[i].until < next)
                next = t->troubles.of[i].until;
    if (next < INT64_MAX)
        uv_timer_start(&bench->timer, on_time, next > now ? (uint64_t)(next - now) : 0, 0);
    else
        uv_timer_stop(&bench->timer);
}

static void complain(const char *what, const struct err *err)
{
    fprintf(stderr, "kpi-sim-bench: %s: %s\n", what, err->text);
}

static void end_what_is_over(struct bench *bench, int64_t now)
{
    struct err err;

    for (struct thing *t = bench->things; t; t = t->next)
        for (enum trouble i = 0; i < TROUBLE_COUNT; i++)
            if (t->troubles.of[i].on && t->troubles.of[i].until > 0 &&
                t->troubles.of[i].until <= now && bench_mend(t, i, &err) < 0)
                complain(t->name, &err);
}

/* The plan that is due longest, taken out of the list; NULL if none is due. */
static struct plan *take_due(struct bench *bench, int64_t now)
{
    struct plan **first = NULL, *plan;

    for (struct plan **at = &bench->plans; *at; at = &(*at)->next)
        if ((*at)->due_at <= now && (!first || (*at)->due_at < (*first)->due_at))
            first = at;
    if (!first)
        return NULL;
    plan = *first;
    *first = plan->next;
    return plan;
}

static void on_time(uv_timer_t *timer)
{
    struct bench *bench = timer->data;
    int64_t now = bench_now(bench);
    struct text_buffer out = { 0 };
    struct plan *plan;
    struct err err;

    end_what_is_over(bench, now);
    while ((plan = take_due(bench, now))) {
        if (plan->every_ms > 0)
            bench_plan(bench, plan->due_at + plan->every_ms - now, plan->every_ms, plan->order);
        if (bench_do(bench, plan->order, &out, &err) < 0)
            complain(plan->order, &err);
        free(plan->order);
        free(plan);
    }
    if (out.length > 0)
        fputs(out.bytes, stdout);
    text_buffer_finish(&out);
    wait_for_next(bench);
}

void bench_plan(struct bench *bench, int64_t after_ms, int64_t every_ms, const char *order)
{
    struct plan **at = &bench->plans, *plan = mem_zalloc(sizeof *plan);

    plan->due_at = bench_now(bench) + after_ms;
    plan->every_ms = every_ms;
    plan->order = mem_strdup(order);
    while (*at)
        at = &(*at)->next;
    *at = plan;
    wait_for_next(bench);
}

/* --- Troubles */

int bench_trouble(struct thing *thing, enum trouble trouble, int64_t value, int64_t for_ms,
                  struct err *err)
{
    int rc = 0;

    /* Pulled already: what is asked for is how long it stays so. */
    if (trouble != TROUBLE_UNPLUGGED || !thing->troubles.of[trouble].on)
        rc = thing->kind->trouble(thing, trouble, true, value, err);
    if (rc < 0)
        return rc;
    thing->troubles.of[trouble].on = trouble != TROUBLE_COLD_START; /* which is but a moment */
    thing->troubles.of[trouble].value = value;
    thing->troubles.of[trouble].until = for_ms > 0 ? bench_now(thing->bench) + for_ms : 0;
    wait_for_next(thing->bench);
    return 0;
}

int bench_mend(struct thing *thing, enum trouble trouble, struct err *err)
{
    int rc;

    if (!thing->troubles.of[trouble].on)
        return 0;
    rc = thing->kind->trouble(thing, trouble, false, 0, err);
    if (rc < 0) {
        /* It stays, and is tried again when somebody mends it. */
        thing->troubles.of[trouble].until = 0;
        return rc;
    }
    thing->troubles.of[trouble].on = false;
    return 0;
}
