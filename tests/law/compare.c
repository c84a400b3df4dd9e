/* What is compared at one instant:
 *
 *   the store       every fact, by (period kind, period, kpi, scope), with the oracle's
 *   the board       what was published is what is stored
 *
 * and on a file, which other programs can read:
 *
 *   explain         contributions of tickets and of devices add up to the fact
 *   the view        appraisal_fact shows the same, with the coverage that SQL computes */
#include <assert.h>
#include <math.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "kpi/coverage.h"
#include "kpi/scope.h"
#include "ledger/ledger_private.h"
#include "ledger/reads.h"
#include "runner.h"

/* The facts of the store, in the oracle's order. */
struct stored {
    char key[SCOPE_SIZE + KPI_ID_SIZE + 32];
    struct published_fact is;
};

struct store {
    const struct rules *rules;
    struct stored *items;
    size_t count;
};

const struct rules *rules_of(const struct runner *r)
{
    return r->trial->rules[r->now_in_force];
}

void differ(struct runner *r, const char *format, ...)
{
    char text[1000];
    va_list args;

    if (r->failed)
        return;
    r->failed = true;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (r->why)
        text_buffer_addf(r->why, "%s\n", text);
}

static int add_stored(void *arg, const struct published_fact *fact)
{
    struct store *s = arg;
    struct stored *to;
    char period[PERIOD_SIZE];

    s->items = mem_realloc_array(s->items, s->count + 1, sizeof *s->items);
    to = &s->items[s->count++];
    to->is = *fact;
    snprintf(to->key, sizeof to->key, "%d\t%s\t%s\t%s", (int)fact->period.kind,
             period_format(period, fact->period), s->rules->kpis[fact->kpi].id, fact->scope);
    return 0;
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct stored *)a)->key, ((const struct stored *)b)->key);
}

static void load_store(struct runner *r, struct store *s)
{
    struct err err;

    *s = (struct store){ .rules = rules_of(r) };
    if (ledger_each_fact(r->ledger, add_stored, s, &err) < 0)
        differ(r, "facts could not be read: %s", err.text);
    if (s->count > 0)
        qsort(s->items, s->count, sizeof *s->items, by_key);
}

/* To the sixth decimal, give or take one for the Wilson bounds. */
static bool near(int64_t e6, double want)
{
    return fabs((double)e6 / 1e6 - want) < 1e-6 + 1e-9;
}

static void describe(char to[200], const struct published_fact *f, const struct coverage *c)
{
    snprintf(to, 200,
             "n=%lld d=%lld x=%lld p=%lld rate=%lld low=%lld high=%lld target=%d %s "
             "shortfall=%lld coverage=%d gaps=%d",
             (long long)f->fact.counts.numerator, (long long)f->fact.counts.denominator,
             (long long)f->fact.counts.excluded, (long long)f->fact.counts.pending,
             (long long)f->fact.rate_e6, (long long)f->fact.low_e6, (long long)f->fact.high_e6,
             f->fact.target_e4, verdict_name(f->fact.verdict), (long long)f->fact.shortfall,
             c->share_e4, c->gaps);
}

static void compare_fact(struct runner *r, const struct stored *s, const struct oracle_fact *want,
                         const struct coverage *c)
{
    const struct fact *f = &s->is.fact;
    bool rates = want->denominator == 0
                     ? f->rate_e6 == RATE_NONE && f->low_e6 == RATE_NONE && f->high_e6 == RATE_NONE
                     : f->rate_e6 == llround(want->rate * 1e6) && near(f->low_e6, want->low) &&
                           near(f->high_e6, want->high);
    char is[200];

    if (f->counts.numerator == want->numerator && f->counts.denominator == want->denominator &&
        f->counts.excluded == want->excluded && f->counts.pending == want->pending && rates &&
        f->target_e4 == want->target_e4 && f->shortfall == want->shortfall &&
        strcmp(verdict_name(f->verdict), want->verdict) == 0 && c->share_e4 == want->coverage_e4 &&
        c->gaps == want->gaps)
        return;
    describe(is, &s->is, c);
    differ(r,
           "%s\n  ledger %s\n  oracle n=%lld d=%lld x=%lld p=%lld rate=%.6f low=%.6f high=%.6f "
           "target=%d %s shortfall=%lld coverage=%d gaps=%d",
           s->key, is, (long long)want->numerator, (long long)want->denominator,
           (long long)want->excluded, (long long)want->pending, want->rate, want->low, want->high,
           want->target_e4, want->verdict, (long long)want->shortfall, want->coverage_e4,
           want->gaps);
}

static struct coverage coverage_in(struct runner *r, const struct published_fact *f, int64_t as_of)
{
    const struct publication *now = board_now(r->board);
    const struct kpi *kpi = &now->rules->kpis[f->kpi];
    const struct zone *zone = &now->rules->zone;

    if (now->gaps && board_standing(r->board, f->period))   /* what is shown is the sealed one */
        return coverage_of(&now->gaps[f->kpi], period_begin(f->period, zone),
                           period_end(f->period, zone), as_of);
    return board_view(r->board, kpi, f->period, f->scope, &f->fact, as_of).coverage;
}

static void compare_store(struct runner *r, const struct store *s, const struct oracle_facts *want,
                          int64_t as_of)
{
    size_t i = 0, j = 0;

    while (!r->failed && (i < s->count || j < want->count)) {
        char key[sizeof s->items->key] = "\x7f", is[200];
        struct coverage c;
        int order;

        if (j < want->count)
            snprintf(key, sizeof key, "%d\t%s\t%s\t%s", want->items[j].period.kind,
                     want->items[j].period.name, want->items[j].kpi->id, want->items[j].scope);
        order = i < s->count ? strcmp(s->items[i].key, key) : 1;
        if (order < 0) {
            c = coverage_in(r, &s->items[i].is, as_of);
            describe(is, &s->items[i].is, &c);
            differ(r, "%s\n  ledger %s\n  oracle none", s->items[i].key, is);
        } else if (order > 0) {
            differ(r, "%s\n  ledger none\n  oracle n=%lld d=%lld x=%lld p=%lld", key,
                   (long long)want->items[j].numerator, (long long)want->items[j].denominator,
                   (long long)want->items[j].excluded, (long long)want->items[j].pending);
        } else {
            c = coverage_in(r, &s->items[i].is, as_of);
            compare_fact(r, &s->items[i++], &want->items[j++], &c);
        }
    }
}

/* --- The board: what was published is what is stored. */

struct on_board {
    struct runner *r;
    size_t count;
};

static int count_on_board(void *arg, const struct published_fact *fact)
{
    struct on_board *b = arg;

    if (!board_standing(b->r->board, fact->period))
        b->count++;
    return 0;
}

static void compare_board(struct runner *r, const struct store *s)
{
    const struct publication *now = board_now(r->board);
    struct on_board on = { r, 0 };
    size_t held = 0;

    for (size_t i = 0; i < s->count && !r->failed; i++) {
        const struct published_fact *f = &s->items[i].is;
        const struct fact *published;

        if (!board_holds(r->board, f->period) || board_standing(r->board, f->period))
            continue;
        held++;
        published = board_fact(r->board, &now->rules->kpis[f->kpi], f->period, f->scope);
        if (!published || memcmp(&published->counts, &f->fact.counts, sizeof f->fact.counts) != 0 ||
            published->target_e4 != f->fact.target_e4 || published->verdict != f->fact.verdict)
            differ(r, "%s\n  stored, but the board has %s", s->items[i].key,
                   published ? "another" : "none");
    }
    for (int kind = 0; kind < PERIOD_KINDS; kind++)
        board_each(r->board, (struct period){ (enum period_kind)kind, INT32_MIN / 2 },
                   (struct period){ (enum period_kind)kind, INT32_MAX / 2 }, NULL, NULL,
                   count_on_board, &on);
    if (!r->failed && on.count != held)
        differ(r, "the board has %zu facts, the store %zu of its periods", on.count, held);
}

/* --- Explain: the stored contributions add up. */

static int add_row(void *arg, const struct ticket_row *row)
{
    counts_add(arg, &row->contribution.counts, 1);
    return 0;
}

static void compare_explained(struct runner *r, struct reader *reader, const struct stored *s)
{
    const struct kpi *kpi = &rules_of(r)->kpis[s->is.kpi];
    const struct zone *zone = &rules_of(r)->zone;
    struct counts sum = { 0 };
    struct err err;

    if (kpi->counts_devices)
        return;
    if (reader_tickets_of_fact(reader, kpi, period_begin(s->is.period, zone),
                               period_end(s->is.period, zone), s->is.scope, 0, NULL, add_row, &sum,
                               &err) < 0)
        differ(r, "%s: explain failed: %s", s->key, err.text);
    else if (memcmp(&sum, &s->is.fact.counts, sizeof sum) != 0)
        differ(r,
               "%s\n  is %lld/%lld, %lld excluded, %lld pending\n"
               "  explained as %lld/%lld, %lld excluded, %lld pending",
               s->key, (long long)s->is.fact.counts.numerator,
               (long long)s->is.fact.counts.denominator, (long long)s->is.fact.counts.excluded,
               (long long)s->is.fact.counts.pending, (long long)sum.numerator,
               (long long)sum.denominator, (long long)sum.excluded, (long long)sum.pending);
}

/* --- The same of devices: their histories, folded as explain folds them. */

enum { DEVICES_MAX = 8 };

struct histories {
    struct device_history items[DEVICES_MAX];
    char names[DEVICES_MAX][NAME_SIZE];
    size_t count;
};

static int add_name(void *arg, const char *device)
{
    struct histories *h = arg;

    assert(h->count < DEVICES_MAX);
    text_set(h->names[h->count++], NAME_SIZE, device);
    return 0;
}

static void load_histories(struct runner *r, struct reader *reader, int64_t as_of,
                           struct histories *h)
{
    struct err err;

    *h = (struct histories){ 0 };
    if (reader_device_names(reader, NULL, add_name, h, &err) < 0)
        differ(r, "devices could not be listed: %s", err.text);
    for (size_t i = 0; i < h->count; i++)
        if (reader_device(reader, h->names[i], rules_of(r), as_of, &h->items[i], &err) < 0)
            differ(r, "device %s could not be read: %s", h->names[i], err.text);
}

static bool device_is_in(const struct runner *r, const struct device_history *h,
                         const struct stored *s, int64_t as_of)
{
    const struct kpi *kpi = &rules_of(r)->kpis[s->is.kpi];
    struct attributes is = { 0 };

    device_attributes(h, kpi, rules_of(r), s->is.period, as_of, &is);
    return scope_holds(&is, kpi, s->is.scope);
}

static void compare_devices(struct runner *r, const struct histories *h, const struct stored *s,
                            int64_t as_of)
{
    const struct kpi *kpi = &rules_of(r)->kpis[s->is.kpi];
    struct counts sum = { 0 }, one;

    if (!kpi->counts_devices)
        return;
    for (size_t i = 0; i < h->count; i++)
        if (device_counts(&h->items[i], kpi, rules_of(r), s->is.period, as_of, &one) &&
            device_is_in(r, &h->items[i], s, as_of))
            counts_add(&sum, &one, 1);
    if (memcmp(&sum, &s->is.fact.counts, sizeof sum) != 0)
        differ(r, "%s\n  is %lld/%lld, its devices are %lld/%lld", s->key,
               (long long)s->is.fact.counts.numerator, (long long)s->is.fact.counts.denominator,
               (long long)sum.numerator, (long long)sum.denominator);
}

/* --- The view that the appraisal reads. */

static void compare_row(struct runner *r, sqlite3_stmt *row, const struct store *s, int64_t as_of)
{
    struct stored key, *f;
    struct coverage c;

    snprintf(key.key, sizeof key.key, "%d\t%s\t%s\t%s", sqlite3_column_int(row, 0),
             (const char *)sqlite3_column_text(row, 1), (const char *)sqlite3_column_text(row, 2),
             (const char *)sqlite3_column_text(row, 3));
    f = bsearch(&key, s->items, s->count, sizeof key, by_key);
    if (!f) {
        differ(r, "%s\n  in appraisal_fact, but not stored", key.key);
        return;
    }
    c = coverage_in(r, &f->is, as_of);
    if (sqlite3_column_int64(row, 4) != f->is.fact.counts.numerator ||
        sqlite3_column_int64(row, 5) != f->is.fact.counts.denominator ||
        llround(sqlite3_column_double(row, 6) * 10000) != c.share_e4 ||
        sqlite3_column_int(row, 7) != c.gaps)
        differ(r, "%s\n  appraisal_fact %lld/%lld coverage %.4f gaps %d, the law %d gaps %d",
               key.key, sqlite3_column_int64(row, 4), sqlite3_column_int64(row, 5),
               sqlite3_column_double(row, 6), sqlite3_column_int(row, 7), c.share_e4, c.gaps);
}

static size_t not_sealed(const struct runner *r, const struct store *s)
{
    size_t count = 0;

    for (size_t i = 0; i < s->count; i++)
        count += !seals_find(r->ledger, s->items[i].is.period);
    return count;
}

static void compare_view(struct runner *r, const struct store *s, int64_t as_of)
{
    static const char sql[] = "SELECT CASE period_kind WHEN 'day' THEN 0 WHEN 'week' THEN 1 "
                              "WHEN 'month' THEN 2 ELSE 3 END, period, kpi, scope, numerator, "
                              "denominator, coverage, gaps FROM appraisal_fact WHERE revision = 0";
    sqlite3 *db = NULL;
    sqlite3_stmt *row = NULL;
    size_t rows = 0;

    if (sqlite3_open_v2(r->path, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(db, sql, -1, &row, NULL) != SQLITE_OK)
        differ(r, "appraisal_fact cannot be read: %s", sqlite3_errmsg(db));
    while (row && !r->failed && sqlite3_step(row) == SQLITE_ROW) {
        rows++;
        compare_row(r, row, s, as_of);
    }
    if (!r->failed && rows != not_sealed(r, s))
        differ(r, "appraisal_fact has %zu rows, the store %zu", rows, not_sealed(r, s));
    sqlite3_finalize(row);
    sqlite3_close(db);
}

static void compare_explain(struct runner *r, const struct store *s)
{
    struct histories histories;
    struct reader *reader;
    int64_t as_of = 0, position;
    struct err err;

    if (reader_open(&reader, r->path, &err) < 0) {
        differ(r, "no reader: %s", err.text);
        return;
    }
    if (reader_begin(reader, &as_of, &position, &err) < 0)
        differ(r, "no snapshot: %s", err.text);
    load_histories(r, reader, as_of, &histories);
    for (size_t i = 0; i < s->count && !r->failed; i++) {
        compare_explained(r, reader, &s->items[i]);
        compare_devices(r, &histories, &s->items[i], as_of);
    }
    for (size_t i = 0; i < histories.count; i++)
        device_history_finish(&histories.items[i]);
    reader_end(reader);
    reader_close(reader);
}

void compare(struct runner *r)
{
    int64_t as_of = board_now(r->board)->as_of;
    struct oracle_facts want;
    struct store store;

    if (as_of != r->latest_at)
        differ(r, "the figures speak for %lld, the clock has been at %lld", (long long)as_of,
               (long long)r->latest_at);
    load_store(r, &store);
    oracle_facts(&want, &r->log, rules_of(r), as_of);
    if (!r->failed)
        compare_store(r, &store, &want, as_of);
    if (!r->failed)
        compare_board(r, &store);
    if (!r->failed && r->seals)
        compare_seals(r);
    if (!r->failed && r->trial->on_file)
        compare_explain(r, &store);
    if (!r->failed && r->seals && r->trial->on_file)
        explain_seals(r);
    if (!r->failed && r->trial->on_file)
        compare_view(r, &store, as_of);
    oracle_facts_finish(&want);
    free(store.items);
}
