/* The board: published facts in memory, for the loop thread.
 *
 * Two ways lead to a fact. A hash table by (kpi, period, scope) answers for one fact without
 * allocating. A list for each period answers for collections: a page sorts the facts of one period
 * at a time, never the whole board. Facts hang, besides, in a third list in the order in which
 * they last changed, so that a watcher who asks "what since then?" walks what changed and nothing
 * else, and needs no queue of his own.
 *
 * A new generation of rules comes with all facts anew. What it does not change keeps its place in
 * the order of changes: a reload is no flood for those who watch. It is taken beside the old one, a
 * slice at a time, so that it holds up nobody; until it is whole, the old one answers. */
#include "board.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/mem.h"
#include "base/text.h"
#include "board_private.h"
#include "kpi/coverage.h"

enum { SLICE = 500 };             /* facts, under half a millisecond */

_Static_assert(offsetof(struct published_fact, kpi) == 0 &&
                   offsetof(struct published_fact, period) < offsetof(struct published_fact, scope),
               "the key of a fact is the head of the struct");

static unsigned key_length(const struct published_fact *f)
{
    return (unsigned)(offsetof(struct published_fact, scope) + strlen(f->scope));
}

static struct entry *find_entry(const struct table *t, uint16_t kpi, struct period period,
                                const char *scope)
{
    struct published_fact key;
    struct entry *e;
    size_t length = strlen(scope);

    if (length >= sizeof key.scope)
        return NULL;
    memset(&key, 0, offsetof(struct published_fact, scope));
    key.kpi = kpi;
    key.period.kind = period.kind;
    key.period.number = period.number;
    memcpy(key.scope, scope, length + 1);
    HASH_FIND(hh, t->facts, &key, key_length(&key), e);
    return e;
}

static struct board_period *find_period(const struct table *t, struct period period)
{
    struct board_period *p;

    HASH_FIND(hh, t->periods, &period, sizeof period, p);
    return p;
}

static struct board_period *have_period(struct table *t, struct period period,
                                        const struct zone *zone)
{
    struct board_period *p = find_period(t, period);

    if (p)
        return p;
    p = mem_zalloc(sizeof *p);
    p->period = period;
    p->begin_at = period_begin(period, zone);
    p->end_at = period_end(period, zone);
    HASH_ADD(hh, t->periods, period, sizeof p->period, p);
    return p;
}

static void take_out(struct table *t, struct entry *e)
{
    *(e->newer ? &e->newer->older : &t->newest) = e->older;
    *(e->older ? &e->older->newer : &t->oldest) = e->newer;
    e->newer = e->older = NULL;
}

static void put_newest(struct table *t, struct entry *e)
{
    e->older = t->newest;
    e->newer = NULL;
    *(t->newest ? &t->newest->newer : &t->oldest) = e;
    t->newest = e;
}

static struct entry *add_entry(struct table *t, const struct published_fact *f,
                               const struct zone *zone)
{
    struct board_period *p = have_period(t, f->period, zone);
    struct entry *e = mem_zalloc(sizeof *e);

    e->is.kpi = f->kpi;
    e->is.period.kind = f->period.kind;
    e->is.period.number = f->period.number;
    text_set(e->is.scope, sizeof e->is.scope, f->scope);
    e->is.fact = f->fact;
    e->next_in_period = p->first;
    p->first = e;
    p->count++;
    HASH_ADD_KEYPTR(hh, t->facts, &e->is, key_length(&e->is), e);
    return e;
}

static void drop_entry(struct board *b, struct entry *e)
{
    if (b->cursor == e)
        b->cursor = NULL;
    take_out(&b->table, e);
    HASH_DELETE(hh, b->table.facts, e);
    free(e);
}

static void drop_period(struct board *b, struct board_period *p)
{
    struct entry *next;

    for (struct entry *e = p->first; e; e = next) {
        next = e->next_in_period;
        drop_entry(b, e);
    }
    HASH_DELETE(hh, b->table.periods, p);
    free(p);
}

/* Frees up to `count` entries of a table that nobody reads any more. True if it is empty. */
static bool drop_some(struct table *t, size_t count)
{
    HASH_CLEAR(hh, t->facts);
    t->newest = t->oldest = NULL;
    while (t->periods) {
        struct board_period *p = t->periods;
        struct entry *e;

        while ((e = p->first)) {
            if (count-- == 0)
                return false;
            p->first = e->next_in_period;
            free(e);
        }
        HASH_DELETE(hh, t->periods, p);
        free(p);
    }
    return true;
}

static void free_gaps(struct gaps *gaps, size_t count)
{
    for (size_t i = 0; gaps && i < count; i++)
        gaps_finish(&gaps[i]);
    free(gaps);
}

static void free_standings(struct publication *p)
{
    for (size_t i = 0; i < p->standing_count; i++)
        free(p->standings[i].coverage);
    free(p->standings);
    p->standings = NULL;
    p->standing_count = 0;
}

static const struct standing *find_standing(const struct publication *p, struct period period)
{
    for (size_t i = 0; i < p->standing_count; i++)
        if (period_compare(p->standings[i].period, period) == 0)
            return &p->standings[i];
    return NULL;
}

static size_t kpi_count(const struct board *b)
{
    return b->now.rules ? b->now.rules->kpi_count : 0;
}

struct board *board_create(void)
{
    return mem_zalloc(sizeof(struct board));
}

void board_destroy(struct board *b)
{
    if (!b)
        return;
    (void)drop_some(&b->table, SIZE_MAX);       /* all of it */
    (void)drop_some(&b->taking.table, SIZE_MAX);
    free_gaps(b->now.gaps, kpi_count(b));
    free_standings(&b->now);
    rules_destroy(b->now.rules);
    free(b);
}

static bool same_fact(const struct fact *a, const struct fact *b)
{
    return a->counts.numerator == b->counts.numerator &&
           a->counts.denominator == b->counts.denominator &&
           a->counts.excluded == b->counts.excluded && a->counts.pending == b->counts.pending &&
           a->rate_e6 == b->rate_e6 && a->low_e6 == b->low_e6 && a->high_e6 == b->high_e6 &&
           a->target_e4 == b->target_e4 && a->verdict == b->verdict && a->shortfall == b->shortfall;
}

static void mark_changed(struct board *b, struct entry *e, int64_t position)
{
    e->change = ++b->changes;
    e->changed_at = position;
    put_newest(&b->table, e);
}

/* Takes one changed fact into the present generation. */
static void take_fact(struct board *b, const struct published_fact *f, int64_t position)
{
    struct entry *e = find_entry(&b->table, f->kpi, f->period, f->scope);

    if (!e) {
        if (counts_are_zero(&f->fact.counts))
            return;
        e = add_entry(&b->table, f, &b->now.rules->zone);
        find_period(&b->table, f->period)->standing = find_standing(&b->now, f->period);
    } else if (same_fact(&e->is.fact, &f->fact)) {
        return;
    } else {
        e->is.fact = f->fact;
        take_out(&b->table, e);
    }
    mark_changed(b, e, position);
}

/* The entry of `t` for what the old generation called `old`, if it is the same fact still. */
static struct entry *heir(const struct table *t, const struct rules *rules,
                          const struct rules *old_rules, const struct entry *old)
{
    const struct kpi *kpi = rules_kpi(rules, old_rules->kpis[old->is.kpi].id);
    struct entry *e;

    if (!kpi)
        return NULL;
    e = find_entry(t, (uint16_t)(kpi - rules->kpis), old->is.period, old->is.scope);
    return e && same_fact(&e->is.fact, &old->is.fact) ? e : NULL;
}

/* --- A new generation: the publication brings every fact of the window. */

static bool add_facts(struct board *b, struct publication *p)
{
    struct table *t = &b->taking.table;
    size_t end = b->taking.fact + SLICE;

    for (; b->taking.fact < p->fact_count && b->taking.fact < end; b->taking.fact++) {
        const struct published_fact *f = &p->facts[b->taking.fact];

        if (!counts_are_zero(&f->fact.counts) && !find_entry(t, f->kpi, f->period, f->scope))
            add_entry(t, f, &p->rules->zone);
    }
    return b->taking.fact == p->fact_count;
}

/* Hangs those that did not change, in their old order. */
static bool order_unchanged(struct board *b, struct publication *p)
{
    struct taking *taking = &b->taking;

    if (!taking->begun)
        taking->entry = b->table.oldest;
    taking->begun = true;
    for (int i = 0; i < SLICE && taking->entry; i++, taking->entry = taking->entry->newer) {
        struct entry *e = heir(&taking->table, p->rules, b->now.rules, taking->entry);

        if (!e)
            continue;
        e->change = taking->entry->change;
        e->changed_at = taking->entry->changed_at;
        put_newest(&taking->table, e);
    }
    return !taking->entry;
}

/* Hangs the others, as changed now. */
static bool order_changed(struct board *b, struct publication *p)
{
    struct taking *taking = &b->taking;

    if (!taking->begun) {
        taking->entry = taking->table.facts;
        taking->changes = b->changes;
    }
    taking->begun = true;
    for (int i = 0; i < SLICE && taking->entry; i++, taking->entry = taking->entry->hh.next) {
        if (taking->entry->change)
            continue;
        taking->entry->change = ++taking->changes;
        taking->entry->changed_at = p->position;
        put_newest(&taking->table, taking->entry);
    }
    return !taking->entry;
}

static bool swap_tables(struct board *b, struct publication *p)
{
    struct table old = b->table;

    b->table = b->taking.table;
    b->taking.table = old;
    b->changes = b->taking.changes;
    b->cursor = NULL;
    free_gaps(b->now.gaps, kpi_count(b));
    b->now.gaps = NULL;
    rules_destroy(b->now.rules);
    b->now.rules = p->rules;
    return true;
}

static bool take_generation(struct board *b, struct publication *p)
{
    static bool (*const stages[])(struct board *b, struct publication *p) = {
        add_facts, order_unchanged, order_changed, swap_tables,
    };

    if (stages[b->taking.stage](b, p)) {
        b->taking.stage++;
        b->taking.begun = false;
    }
    return b->taking.stage == LENGTH(stages);
}

static void evict(struct board *b)
{
    struct board_period *p, *next;

    HASH_ITER (hh, b->table.periods, p, next) {
        if (p->end_at <= b->now.window_from)
            drop_period(b, p);
    }
}

/* Each fact of a period that is sealed now, or restated, or to be restated, is shown otherwise. */
static void take_standings(struct board *b, struct publication *p)
{
    struct board_period *at, *next;

    HASH_ITER (hh, b->table.periods, at, next) {
        const struct standing *was = find_standing(&b->now, at->period);
        const struct standing *is = find_standing(p, at->period);

        at->standing = is;
        if (!is || (was && was->revision == is->revision && was->pending == is->pending))
            continue;
        for (struct entry *e = at->first; e; e = e->next_in_period) {
            take_out(&b->table, e);
            mark_changed(b, e, p->position);
        }
    }
    free_standings(&b->now);
}

/* What else the publication brings, and whoever watches hears of it. */
static void take_news(struct board *b, struct publication *p)
{
    struct board_watch *next;
    struct publication kept;
    bool moved = p->window_from != b->now.window_from;

    if (p->gaps) {
        free_gaps(b->now.gaps, kpi_count(b));
        b->now.gaps = p->gaps;
    }
    if (p->standings) {
        take_standings(b, p);
    } else {
        p->standings = b->now.standings;
        p->standing_count = b->now.standing_count;
    }
    kept = *p;
    kept.rules = b->now.rules;
    kept.gaps = b->now.gaps;
    kept.facts = NULL;
    kept.fact_count = 0;
    b->now = kept;
    for (size_t i = 0; !p->rules && i < p->fact_count; i++)
        take_fact(b, &p->facts[i], p->position);
    if (moved)
        evict(b);

    for (struct board_watch *w = b->watches; w; w = next) {
        next = w->next;
        w->published(w, p);
    }
    p->rules = NULL;
    p->gaps = NULL;
    p->standings = NULL;
    p->standing_count = 0;
}

bool board_publish_some(void *board, struct publication *p)
{
    struct board *b = board;

    if (b->taking.news_taken) {
        if (!drop_some(&b->taking.table, SLICE))
            return false;
        b->taking = (struct taking){ 0 };
        return true;
    }
    if (p->rules && !take_generation(b, p))
        return false;
    assert(b->now.rules);
    b->taking.news_taken = p->rules != NULL;
    take_news(b, p);
    return !b->taking.news_taken;
}

void board_publish(void *board, struct publication *p)
{
    while (!board_publish_some(board, p))
        ;
}

const struct publication *board_now(const struct board *b)
{
    return &b->now;
}

int64_t board_as_of(const struct board *b, int64_t wall)
{
    if (wall >= b->now.next_due_at)
        wall = b->now.next_due_at - 1;
    return wall > b->now.as_of ? wall : b->now.as_of;
}

bool board_holds(const struct board *b, struct period period)
{
    return b->now.rules && period_end(period, &b->now.rules->zone) > b->now.window_from;
}

const struct fact *board_fact(const struct board *b, const struct kpi *kpi, struct period period,
                              const char *scope)
{
    const struct entry *e;

    e = find_entry(&b->table, (uint16_t)(kpi - b->now.rules->kpis), period, scope);
    return e && entry_is_there(e) ? &e->is.fact : NULL;
}

const struct standing *board_standing(const struct board *b, struct period period)
{
    const struct board_period *p = find_period(&b->table, period);

    return p ? p->standing : find_standing(&b->now, period);
}

struct fact_view board_view(const struct board *b, const struct kpi *kpi, struct period period,
                            const char *scope, const struct fact *fact, int64_t as_of)
{
    const struct zone *zone = &b->now.rules->zone;
    const struct board_period *p = find_period(&b->table, period);
    const struct standing *standing = p ? p->standing : find_standing(&b->now, period);
    int64_t begin = p ? p->begin_at : period_begin(period, zone);
    int64_t end = p ? p->end_at : period_end(period, zone);
    struct fact_view view = { .kpi = kpi,
                              .period = period,
                              .scope = scope,
                              .fact = fact,
                              .coverage = { .share_e4 = 10000 },
                              .as_of = as_of };

    if (b->now.gaps)
        view.coverage = coverage_of(&b->now.gaps[kpi - b->now.rules->kpis], begin, end, as_of);
    view.state = end <= as_of ? FACT_CLOSING : FACT_OPEN;
    if (standing) {
        struct sealing sealing = { .revision = standing->revision,
                                   .pending = standing->pending,
                                   .as_of = standing->as_of,
                                   .coverage = standing->coverage[kpi - b->now.rules->kpis] };

        fact_view_seal(&view, &sealing);
    }
    return view;
}

uint64_t board_last_change(const struct board *b)
{
    return b->changes;
}

uint64_t board_change_before(const struct board *b, int64_t position)
{
    const struct entry *e = b->table.newest;

    while (e && e->changed_at >= position)
        e = e->older;
    return e ? e->change : 0;
}

bool board_next_change(struct board *b, uint64_t number, struct board_change *ret)
{
    struct entry *e = b->cursor && b->cursor->change == number ? b->cursor->newer : NULL;

    if (!e) {
        for (struct entry *at = b->table.newest; at && at->change > number; at = at->older)
            e = at;
    }
    if (!e)
        return false;
    b->cursor = e;
    *ret = (struct board_change){ .number = e->change, .position = e->changed_at, .fact = &e->is };
    return true;
}

size_t board_facts(const struct board *b)
{
    return HASH_COUNT(b->table.facts);
}

void board_watch_add(struct board *b, struct board_watch *watch)
{
    watch->previous = NULL;
    watch->next = b->watches;
    if (b->watches)
        b->watches->previous = watch;
    b->watches = watch;
}

void board_watch_remove(struct board *b, struct board_watch *watch)
{
    *(watch->previous ? &watch->previous->next : &b->watches) = watch->next;
    if (watch->next)
        watch->next->previous = watch->previous;
    watch->next = watch->previous = NULL;
}
