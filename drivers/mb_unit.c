/* Polling one unit; see mb_unit.h.
 *
 *   well ── every try of a request unanswered ──> silent ── a probe answered ──> well
 *
 * Exceptions are answers: the unit is there. 01, 02 and 03 mean that our map is wrong for it: a
 * request of several points is split, and the point that fails alone is left out for as long as the
 * unit stays (another may be in its place after a silence). 04 and 08 are a fault of the device. 05
 * and 06 mean later. 0A and 0B come from a gateway: nobody is behind it. */
#include "mb_unit.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"

enum { BUSY_PAUSE_MS = 50, FIRST_PROBE_MS = 1000 };

/* No answer is later than so many time-outs. */
enum { LATEST_TIMEOUTS = 10 };

static void make_plans(struct mb_unit *u)
{
    for (int poll = 0; poll < MB_POLLS; poll++) {
        const struct mb_plan_rules rules = {
            .poll = (enum mb_poll)poll,
            .care = u->care,
            .gap = u->setup->gap,
            .registers_max = u->is->registers_max,
        };

        mb_plan_finish(&u->plans[poll]);
        mb_plan_make(&u->plans[poll], u->is->map, u->unsupported, &rules);
    }
}

void mb_unit_init(struct mb_unit *unit, const struct mb_setup *setup, size_t index,
                  struct mb_link *link, const struct clock *clock, struct mb_counts *counts)
{
    *unit = (struct mb_unit){
        .setup = setup, .is = &setup->units[index], .link = link, .clock = clock, .counts = counts
    };
    unit->unsupported = mem_zalloc(unit->is->map->point_count + 1);
    backoff_init(&unit->backoff,
                 setup->interval_ms[MB_NORMAL] > FIRST_PROBE_MS ? setup->interval_ms[MB_NORMAL]
                                                                : FIRST_PROBE_MS,
                 setup->backoff_max_ms, unit->is->name);
    make_plans(unit);
}

void mb_unit_finish(struct mb_unit *unit)
{
    for (int poll = 0; poll < MB_POLLS; poll++)
        mb_plan_finish(&unit->plans[poll]);
    free(unit->unsupported);
    free(unit->blocks);
    free(unit->words);
}

/* --- Asking */

static void pause_ms(int64_t ms)
{
    const struct timespec span = { ms / 1000, ms % 1000 * 1000000 };

    (void)nanosleep(&span, NULL); /* an early end does no harm */
}

static void count(struct mb_counts *counts, enum mb_result result)
{
    counts->questions++;
    counts->time_outs += result == MB_TIMEOUT;
    counts->damaged += result == MB_DAMAGED;
    counts->stray += result == MB_STRAY;
    counts->exceptions += result == MB_EXCEPTION;
}

/* An answer on a serial line says neither which question it is to nor, but for its length, which
 * registers it holds. So after one to a later try (whose tries before it may yet be answered, each
 * as late as this one), and after none at all, the unit is not asked until whatever is under way
 * must have come, and been dropped. A TCP connection is dropped instead. */
static void suspect_late_answer(struct mb_unit *u, uint32_t unanswered, int64_t first_at)
{
    int64_t now = clock_monotonic(u->clock);

    if (u->setup->line.transport != MB_TCP)
        u->quiet_until = now + unanswered * (now - first_at) * 5 / 4;
}

static void suspect_any_answer(struct mb_unit *u)
{
    if (u->setup->line.transport != MB_TCP)
        u->quiet_until = clock_monotonic(u->clock) + LATEST_TIMEOUTS * u->is->timeout_ms;
}

static void keep_quiet(const struct mb_unit *u)
{
    int64_t wait = u->quiet_until - clock_monotonic(u->clock);

    if (wait > 0)
        pause_ms(wait);
}

static bool is_gateways(int exception)
{
    return exception == MB_GATEWAY_PATH || exception == MB_GATEWAY_TARGET;
}

static bool is_busy(int exception)
{
    return exception == MB_ACKNOWLEDGE || exception == MB_BUSY;
}

/* One whole answer that came too late tells more than the silence before it. */
static void note_silence(struct mb_unit *u, const struct mb_ask *ask, enum mb_result result)
{
    static const enum mb_silence silences[] = {
        [MB_TIMEOUT] = MB_SILENCE_NOTHING,
        [MB_DAMAGED] = MB_SILENCE_DAMAGED,
        [MB_STRAY] = MB_SILENCE_STRAY,
        [MB_EXCEPTION] = MB_SILENCE_GATEWAY,
    };

    bool knows = ask->lingers && u->setup->line.transport == MB_TCP;
    bool is_late = mb_link_late(u->link) == u->is->id;

    u->silence = silences[result];
    u->is_late = is_late || (u->is_late && !knows);
    if (result == MB_TIMEOUT && ask->half)
        u->silence = MB_SILENCE_HALF;
    else if (result == MB_TIMEOUT && u->is_late)
        u->silence = MB_SILENCE_LATE;
}

enum mb_result mb_unit_ask(struct mb_unit *unit, struct mb_ask *ask, uint32_t retries,
                           int64_t *ret_true_at)
{
    int64_t first_at;
    uint32_t unanswered = 0;
    enum mb_result result = MB_TIMEOUT;

    ask->unit = (uint8_t)unit->is->id;
    ask->timeout_ms = unit->is->timeout_ms;
    ask->pause_ms = unit->is->request_pause_ms;
    ask->connect_pause_ms = unit->is->connect_pause_ms;
    keep_quiet(unit);
    first_at = clock_monotonic(unit->clock);
    *ret_true_at = clock_wall(unit->clock);
    for (uint32_t i = 0; i <= retries; i++) {
        /* Once, when it falls silent, and as long as it is late. */
        ask->lingers = i == retries && (unit->state != MB_UNIT_SILENT || unit->is_late);
        result = mb_link_ask(unit->link, ask);
        count(unit->counts, result);
        if (result == MB_OK || result == MB_EXCEPTION) {
            if (unanswered > 0)
                suspect_late_answer(unit, unanswered, first_at);
            if (result == MB_OK || !(is_busy(ask->exception) || is_gateways(ask->exception)))
                return result;
            if (is_busy(ask->exception) && i < retries)
                pause_ms(BUSY_PAUSE_MS);
        }
        if (result == MB_GONE)
            return result;
        unanswered += result == MB_TIMEOUT || result == MB_STRAY;
        note_silence(unit, ask, result);
    }
    if (result == MB_EXCEPTION && is_busy(ask->exception))
        return result;
    suspect_any_answer(unit);
    return MB_TIMEOUT;
}

/* --- What is said */

struct polling {
    struct mb_unit *unit;
    struct mb_report report; /* all but its blocks */
    enum mb_poll poll;
    bool replan;
    bool found_unsupported;
};

static struct mb_block *add_block(struct polling *p, const struct mb_read *read, int64_t true_at)
{
    struct mb_unit *u = p->unit;
    struct mb_block *block;

    if (u->block_count == u->block_room) {
        u->block_room = u->block_room * 2 + 4;
        u->blocks = mem_realloc_array(u->blocks, u->block_room, sizeof *u->blocks);
    }
    block = &u->blocks[u->block_count++];
    *block = (struct mb_block){ .function = (uint8_t)read->function,
                                .poll = (uint8_t)p->poll,
                                .address = (uint16_t)read->address,
                                .count = (uint16_t)read->count,
                                .true_at = true_at,
                                .words = u->word_count };
    return block;
}

/* Where the next answer of `count` values goes. */
static uint16_t *next_words(struct mb_unit *u, uint32_t count)
{
    if (u->word_count + count > u->word_room) {
        u->word_room = u->word_count + count + 64;
        u->words = mem_realloc_array(u->words, u->word_room, sizeof *u->words);
    }
    return u->words + u->word_count;
}

/* The values are where next_words said. */
static void say_values(struct polling *p, const struct mb_read *read, int64_t true_at)
{
    (void)add_block(p, read, true_at);
    p->unit->word_count += read->count;
}

static void say_exception(struct polling *p, const struct mb_read *read, int exception,
                          int64_t true_at)
{
    add_block(p, read, true_at)->exception = (uint8_t)exception;
    if (exception == MB_DEVICE_FAILURE || exception == MB_MEMORY_PARITY)
        p->report.device_failed = true;
}

/* Of a request for one place alone. */
static void say_unsupported(struct polling *p, const struct mb_read *read, int exception,
                            int64_t true_at)
{
    const struct mb_map *map = p->unit->is->map;
    struct mb_block *block;

    say_exception(p, read, exception, true_at);
    block = &p->unit->blocks[p->unit->block_count - 1];
    for (size_t i = 0; i < map->point_count; i++)
        if (mb_block_holds(block, &map->points[i]))
            p->unit->unsupported[i] = true;
    p->found_unsupported = p->replan = true;
}

/* Everything in one piece of memory. Gives. */
static struct mb_report *finish_report(struct polling *p)
{
    const struct mb_unit *u = p->unit;
    size_t blocks = u->block_count * sizeof *u->blocks, words = u->word_count * sizeof *u->words;
    struct mb_report *r = mem_alloc(sizeof *r + blocks + words);

    *r = p->report;
    r->block_count = u->block_count;
    r->blocks = (struct mb_block *)(void *)(r + 1);
    r->words = (uint16_t *)(void *)(r->blocks + r->block_count);
    if (blocks > 0)
        memcpy(r->blocks, u->blocks, blocks);
    if (words > 0)
        memcpy(r->words, u->words, words);
    return r;
}

/* --- Reading */

/* Into next_words. */
static enum mb_result ask_read(struct mb_unit *u, const struct mb_read *read, uint32_t retries,
                               int *ret_exception, int64_t *ret_true_at)
{
    struct mb_ask ask = { .function = (uint8_t)read->function,
                          .address = (uint16_t)read->address,
                          .count = (uint16_t)read->count,
                          .values = next_words(u, read->count) };
    enum mb_result result = mb_unit_ask(u, &ask, retries, ret_true_at);

    *ret_exception = ask.exception;
    return result;
}

static bool lies_within(const struct mb_read *inner, const struct mb_read *outer)
{
    return inner->function == outer->function && inner->address >= outer->address &&
           inner->address + inner->count <= outer->address + outer->count;
}

/* The unit refused a request: asks for each of its places alone, so that only the one that it has
 * not is lost. If it has them all, the hole between or the length was refused: from now on more
 * carefully. */
static enum mb_result read_singly(struct polling *p, const struct mb_read *refused, int exception,
                                  int64_t true_at)
{
    struct mb_unit *u = p->unit;
    const struct mb_plan_rules rules = { p->poll, MB_SINGLE, 0, u->is->registers_max };
    enum mb_result result = MB_OK;
    bool found_before = p->found_unsupported;
    struct mb_plan plan;
    size_t places = 0;

    p->found_unsupported = false;
    mb_plan_make(&plan, u->is->map, u->unsupported, &rules);
    for (size_t i = 0; i < plan.count; i++)
        places += lies_within(&plan.reads[i], refused);
    for (size_t i = 0; i < plan.count && result != MB_GONE && result != MB_TIMEOUT; i++) {
        const struct mb_read *read = &plan.reads[i];

        if (!lies_within(read, refused))
            continue;
        /* One place alone was refused just now; a function that it has not serves none of them. */
        if (places > 1 && exception != MB_ILLEGAL_FUNCTION)
            result = ask_read(u, read, u->setup->retries, &exception, &true_at);
        else
            result = MB_EXCEPTION;
        if (result == MB_OK)
            say_values(p, read, true_at);
        else if (result == MB_EXCEPTION && mb_exception_is_about_map(exception))
            say_unsupported(p, read, exception, true_at);
        else if (result == MB_EXCEPTION)
            say_exception(p, read, exception, true_at);
    }
    if (!p->found_unsupported && u->care < MB_SINGLE) {
        u->care++;
        p->replan = true;
    }
    p->found_unsupported = p->found_unsupported || found_before;
    mb_plan_finish(&plan);
    return result == MB_EXCEPTION ? MB_OK : result;
}

static enum mb_result read_one(struct polling *p, const struct mb_read *read, uint32_t retries)
{
    int exception;
    int64_t true_at;
    enum mb_result result = ask_read(p->unit, read, retries, &exception, &true_at);

    if (result == MB_OK)
        say_values(p, read, true_at);
    if (result != MB_EXCEPTION)
        return result;
    if (mb_exception_is_about_map(exception))
        return read_singly(p, read, exception, true_at);
    say_exception(p, read, exception, true_at);
    return MB_OK;
}

/* Function 08 with data 0001: most repeat it; some say 0000 when their control board is broken
 * (and so does the repetition of 0001 say that it works). */
static enum mb_result ask_health(struct polling *p, uint32_t retries)
{
    struct mb_unit *u = p->unit;
    uint16_t data = 1;
    struct mb_ask ask = { .function = MB_DIAGNOSTICS, .values = &data };
    int64_t true_at;
    enum mb_result result;

    if (!u->is->asks_health || u->is_unsupported_health)
        return MB_OK;
    result = mb_unit_ask(u, &ask, retries, &true_at);
    if (result == MB_OK)
        p->report.health = data == 1 ? MB_HEALTH_WELL : MB_HEALTH_BROKEN;
    if (result == MB_EXCEPTION && mb_exception_is_about_map(ask.exception))
        u->is_unsupported_health = true;
    return result == MB_EXCEPTION ? MB_OK : result;
}

/* --- Polls */

static void fell_silent(struct polling *p)
{
    struct mb_unit *u = p->unit;

    u->state = MB_UNIT_SILENT;
    u->probe_at = clock_monotonic(u->clock) + backoff_next(&u->backoff, 0);
    if (u->probe_at < u->quiet_until)
        u->probe_at = u->quiet_until;
    p->report.silence = u->silence;
    u->block_count = u->word_count = 0; /* all its points have failed */
}

static void came_back(struct mb_unit *u)
{
    bool was_silent = u->state == MB_UNIT_SILENT;

    u->state = MB_UNIT_WELL;
    u->is_late = false;
    backoff_reset(&u->backoff);
    for (int poll = 0; was_silent && poll < MB_POLLS; poll++)
        if (u->due[poll] != INT64_MAX)
            u->due[poll] = clock_monotonic(u->clock);
}

/* Whatever stands there now may be another: nothing that the old one lacked is known of it. */
static void forget_abilities(struct mb_unit *u)
{
    memset(u->unsupported, 0, u->is->map->point_count);
    u->is_unsupported_health = false;
    u->care = MB_MERGED;
    make_plans(u);
}

static void tell_lacks(struct polling *p)
{
    const struct mb_unit *u = p->unit;
    char place[MB_PLACE_SIZE];

    for (size_t i = u->is->map->point_count; i-- > 0;)
        if (u->unsupported[i]) {
            const struct mb_point *point = &u->is->map->points[i];

            p->report.unsupported++;
            snprintf(p->report.lacks, sizeof p->report.lacks, "%.32s (%s)", point->name,
                     mb_point_place(place, point));
        }
}

static enum mb_result poll_all(struct polling *p, uint32_t retries)
{
    struct mb_unit *u = p->unit;
    const struct mb_plan *plan = &u->plans[p->poll]; /* made anew only afterwards */
    enum mb_result result = MB_OK;

    if (p->poll == MB_NORMAL)
        result = ask_health(p, retries);
    for (size_t i = 0; i < plan->count && result == MB_OK; i++) {
        result = read_one(p, &plan->reads[i], retries);
        retries = u->setup->retries; /* somebody is there */
    }
    return result;
}

enum mb_result mb_unit_poll(struct mb_unit *unit, enum mb_poll poll, bool is_probe,
                            struct mb_report **ret_report)
{
    struct polling p = { .unit = unit, .poll = poll };
    enum mb_result result;

    p.report = (struct mb_report){ .kind = MB_REPORT_UNIT, .at = clock_wall(unit->clock) };
    unit->block_count = unit->word_count = 0;
    if (unit->state == MB_UNIT_SILENT)
        forget_abilities(unit);
    result = poll_all(&p, is_probe ? 0 : unit->setup->retries);
    *ret_report = NULL;
    if (result == MB_GONE)
        return result;
    if (result == MB_OK)
        came_back(unit);
    else
        fell_silent(&p);
    if (p.replan)
        make_plans(unit);
    tell_lacks(&p);
    p.report.state = unit->state;
    *ret_report = finish_report(&p);
    return result == MB_OK ? MB_OK : MB_TIMEOUT;
}

enum mb_result mb_unit_read(struct mb_unit *unit, const struct mb_point *point,
                            struct mb_value *ret, int *ret_exception)
{
    const struct mb_read read = { .function = point->function,
                                  .address = point->address,
                                  .count = mb_point_width(point) };
    int64_t true_at;
    enum mb_result result;

    unit->word_count = 0;
    result = ask_read(unit, &read, unit->setup->retries, ret_exception, &true_at);
    if (result == MB_OK && !mb_value_of(point, unit->words, ret))
        return MB_DAMAGED;
    return result;
}
