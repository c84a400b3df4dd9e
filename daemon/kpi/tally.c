/* The tally: cells of (kpi, period, scope) in plain open-addressing tables.
 *
 * Scopes are interned: each text is kept once and is a small number from then on, so that a cell's
 * key is three integers. What a ticket contributes goes into the table of days alone, five cells at
 * most; weeks, months and years are summed from the days when the tally is read, where the many
 * tickets of one transaction have long met in few cells. Devices do not add up (law 3: once in each
 * period) and go straight into a table of their own.
 *
 * Entries stand in an array in order of arrival; the table holds indices into it. Clearing keeps
 * the memory unless one large transaction blew it up. */
#include "kpi/tally.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
    SLOTS_LEAST = 256,          /* powers of two */
    SLOTS_KEPT = 16384,         /* over a clear */
    CHUNK_SCOPES = 128,
    CHUNKS_KEPT = 16,
};

/* Indices into somebody's array, plus one; 0 is free. At most two thirds are taken. */
struct slots {
    uint32_t *at;
    uint32_t size;
};

struct cell {
    uint32_t kpi;
    uint32_t scope;
    struct period period;
    struct counts counts;
};

struct cells {
    struct slots slots;
    struct cell *items;
    uint32_t count, capacity;
};

struct scopes {
    struct slots slots;
    char (**chunks)[SCOPE_SIZE];    /* texts stay where they are until the next clear */
    uint32_t chunk_count;
    uint64_t *hashes;
    uint32_t count, capacity;
};

struct tally {
    const struct rules *rules;
    struct scopes scopes;
    struct cells days;          /* of tickets */
    struct cells sums;          /* weeks, months and years of tickets, while the tally is read */
    struct cells devices;
    int64_t day_begin, day_end; /* bounds of the day last asked for: [begin, end) */
    int32_t day;
};

static void slots_grow(struct slots *slots)
{
    slots->size = slots->size == 0 ? SLOTS_LEAST : 2 * slots->size;
    free(slots->at);
    slots->at = mem_zalloc(slots->size * sizeof *slots->at);
}

static bool slots_are_full(const struct slots *slots, uint32_t count)
{
    return (uint64_t)(count + 1) * 3 > (uint64_t)slots->size * 2;
}

/* Puts `index` where its hash belongs; the caller knows that it is not there. */
static void slots_put(struct slots *slots, uint64_t hash, uint32_t index)
{
    uint32_t mask = slots->size - 1;
    uint32_t at = (uint32_t)hash & mask;

    while (slots->at[at] != 0)
        at = (at + 1) & mask;
    slots->at[at] = index + 1;
}

static void slots_clear(struct slots *slots)
{
    if (slots->size > SLOTS_KEPT) {
        free(slots->at);
        *slots = (struct slots){ 0 };
    } else if (slots->size > 0) {
        memset(slots->at, 0, slots->size * sizeof *slots->at);
    }
}

/* Finalizer of MurmurHash3: every bit of the input reaches the low bits of the table's index. */
static uint64_t mix(uint64_t h)
{
    h ^= h >> 33;
    h *= UINT64_C(0xff51afd7ed558ccd);
    h ^= h >> 33;
    h *= UINT64_C(0xc4ceb9fe1a85ec53);
    return h ^ h >> 33;
}

static uint64_t hash_bytes(uint64_t h, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)     /* FNV-1a */
        h = (h ^ (unsigned char)bytes[i]) * UINT64_C(0x100000001b3);
    return h;
}

static uint64_t hash_scope(const char *text, size_t length)
{
    return mix(hash_bytes(UINT64_C(0xcbf29ce484222325), text, length));
}

static char *scope_text(const struct scopes *scopes, uint32_t index)
{
    return scopes->chunks[index / CHUNK_SCOPES][index % CHUNK_SCOPES];
}

static void scopes_reserve(struct scopes *scopes)
{
    if (scopes->count == scopes->capacity) {
        scopes->capacity = scopes->capacity == 0 ? CHUNK_SCOPES : 2 * scopes->capacity;
        scopes->hashes = mem_realloc_array(scopes->hashes, scopes->capacity,
                                           sizeof *scopes->hashes);
    }
    if (scopes->count == scopes->chunk_count * CHUNK_SCOPES) {
        scopes->chunks = mem_realloc_array(scopes->chunks, scopes->chunk_count + 1,
                                           sizeof *scopes->chunks);
        scopes->chunks[scopes->chunk_count++] = mem_realloc_array(NULL, CHUNK_SCOPES, SCOPE_SIZE);
    }
    if (slots_are_full(&scopes->slots, scopes->count)) {
        slots_grow(&scopes->slots);
        for (uint32_t i = 0; i < scopes->count; i++)
            slots_put(&scopes->slots, scopes->hashes[i], i);
    }
}

/* The number of a scope, given it if it has none yet. */
static uint32_t scopes_intern(struct scopes *scopes, const char *text)
{
    size_t length = strlen(text);
    uint64_t hash = hash_scope(text, length);

    scopes_reserve(scopes);
    uint32_t mask = scopes->slots.size - 1;

    for (uint32_t at = (uint32_t)hash & mask; scopes->slots.at[at] != 0; at = (at + 1) & mask) {
        uint32_t index = scopes->slots.at[at] - 1;

        if (scopes->hashes[index] == hash && strcmp(scope_text(scopes, index), text) == 0)
            return index;
    }
    slots_put(&scopes->slots, hash, scopes->count);
    scopes->hashes[scopes->count] = hash;
    memcpy(scope_text(scopes, scopes->count), text, length + 1);
    return scopes->count++;
}

static void scopes_clear(struct scopes *scopes)
{
    slots_clear(&scopes->slots);
    scopes->count = 0;
    while (scopes->chunk_count > CHUNKS_KEPT)
        free(scopes->chunks[--scopes->chunk_count]);
}

static void scopes_finish(struct scopes *scopes)
{
    while (scopes->chunk_count > 0)
        free(scopes->chunks[--scopes->chunk_count]);
    free(scopes->chunks);
    free(scopes->hashes);
    free(scopes->slots.at);
}

static uint64_t hash_cell(uint32_t kpi, struct period period, uint32_t scope)
{
    uint64_t when = (uint64_t)(uint32_t)period.number << 2 | (uint64_t)period.kind;

    return mix(when << 30 ^ (uint64_t)scope << 6 ^ kpi);
}

static void cells_reserve(struct cells *cells)
{
    if (cells->count == cells->capacity) {
        cells->capacity = cells->capacity == 0 ? SLOTS_LEAST / 2 : 2 * cells->capacity;
        cells->items = mem_realloc_array(cells->items, cells->capacity, sizeof *cells->items);
    }
    if (slots_are_full(&cells->slots, cells->count)) {
        slots_grow(&cells->slots);
        for (uint32_t i = 0; i < cells->count; i++) {
            const struct cell *c = &cells->items[i];

            slots_put(&cells->slots, hash_cell(c->kpi, c->period, c->scope), i);
        }
    }
}

static void cells_add(struct cells *cells, uint32_t kpi, struct period period, uint32_t scope,
                      const struct counts *counts, int64_t times)
{
    uint64_t hash = hash_cell(kpi, period, scope);

    cells_reserve(cells);
    uint32_t mask = cells->slots.size - 1;

    for (uint32_t at = (uint32_t)hash & mask; cells->slots.at[at] != 0; at = (at + 1) & mask) {
        struct cell *c = &cells->items[cells->slots.at[at] - 1];

        if (c->kpi == kpi && c->scope == scope && c->period.kind == period.kind &&
            c->period.number == period.number) {
            counts_add(&c->counts, counts, times);
            return;
        }
    }
    slots_put(&cells->slots, hash, cells->count);
    struct cell *c = &cells->items[cells->count++];

    *c = (struct cell){ .kpi = kpi, .scope = scope, .period = period };
    counts_add(&c->counts, counts, times);
}

static void cells_clear(struct cells *cells)
{
    slots_clear(&cells->slots);
    cells->count = 0;
    if (cells->capacity > SLOTS_KEPT) {
        free(cells->items);
        cells->items = NULL;
        cells->capacity = 0;
    }
}

static void cells_finish(struct cells *cells)
{
    free(cells->items);
    free(cells->slots.at);
}

struct tally *tally_create(const struct rules *rules)
{
    struct tally *tally = mem_zalloc(sizeof *tally);

    tally->rules = rules;
    return tally;
}

void tally_destroy(struct tally *tally)
{
    if (!tally)
        return;
    scopes_finish(&tally->scopes);
    cells_finish(&tally->days);
    cells_finish(&tally->sums);
    cells_finish(&tally->devices);
    free(tally);
}

void tally_clear(struct tally *tally)
{
    scopes_clear(&tally->scopes);
    cells_clear(&tally->days);
    cells_clear(&tally->sums);
    cells_clear(&tally->devices);
}

static uint32_t index_of(const struct tally *tally, const struct kpi *kpi)
{
    assert(kpi >= tally->rules->kpis && kpi < tally->rules->kpis + tally->rules->kpi_count);
    return (uint32_t)(kpi - tally->rules->kpis);
}

/* Tickets come mostly in order of time: the day last found is nearly always the next one's. */
static int32_t day_of(struct tally *tally, int64_t at)
{
    const struct zone *zone = &tally->rules->zone;

    if (at < tally->day_begin || at >= tally->day_end) {
        tally->day = zone_day(zone, at);
        tally->day_begin = zone_midnight(zone, tally->day);
        tally->day_end = zone_midnight(zone, tally->day + 1);
    }
    return tally->day;
}

static void add_in_scopes(struct tally *tally, struct cells *cells, const struct kpi *kpi,
                          struct period period, const struct attributes *is,
                          const struct counts *counts, int64_t times)
{
    char scopes[SCOPES_MAX][SCOPE_SIZE];
    size_t count = scope_list(scopes, is, kpi, !kpi->counts_devices);
    uint32_t index = index_of(tally, kpi);

    for (size_t i = 0; i < count; i++)
        cells_add(cells, index, period, scopes_intern(&tally->scopes, scopes[i]), counts, times);
}

void tally_ticket(struct tally *tally, const struct kpi *kpi, const struct attributes *is,
                  const struct contribution *contribution, int64_t times)
{
    assert(!kpi->counts_devices);
    if (counts_are_zero(&contribution->counts))
        return;
    add_in_scopes(tally, &tally->days, kpi,
                  (struct period){ PERIOD_DAY, day_of(tally, contribution->counts_at) }, is,
                  &contribution->counts, times);
}

void tally_device(struct tally *tally, const struct kpi *kpi, struct period period,
                  const struct attributes *is, const struct counts *counts, int64_t times)
{
    assert(kpi->counts_devices);
    if (!counts_are_zero(counts))
        add_in_scopes(tally, &tally->devices, kpi, period, is, counts, times);
}

/* law 4: each day lies in one week, one month and one year. */
static void sum_days(struct tally *tally)
{
    cells_clear(&tally->sums);
    for (uint32_t i = 0; i < tally->days.count; i++) {
        const struct cell *c = &tally->days.items[i];

        if (counts_are_zero(&c->counts))
            continue;
        for (enum period_kind kind = PERIOD_WEEK; kind < PERIOD_KINDS; kind++)
            cells_add(&tally->sums, c->kpi, period_of_day(kind, c->period.number), c->scope,
                      &c->counts, 1);
    }
}

static int each_of(struct tally *tally, const struct cells *cells,
                   int (*each)(void *arg, const struct tally_cell *cell), void *arg)
{
    for (uint32_t i = 0; i < cells->count; i++) {
        const struct cell *c = &cells->items[i];

        if (counts_are_zero(&c->counts))
            continue;
        struct tally_cell cell = {
            .kpi = &tally->rules->kpis[c->kpi],
            .period = c->period,
            .scope = scope_text(&tally->scopes, c->scope),
            .counts = c->counts,
        };
        int rc = each(arg, &cell);

        if (rc < 0)
            return rc;
    }
    return 0;
}

int tally_each(struct tally *tally, int (*each)(void *arg, const struct tally_cell *cell),
               void *arg)
{
    sum_days(tally);
    int rc = each_of(tally, &tally->days, each, arg);

    if (rc == 0)
        rc = each_of(tally, &tally->sums, each, arg);
    return rc < 0 ? rc : each_of(tally, &tally->devices, each, arg);
}
