/* One trial: its lines go through event_parse and ledger_submit as they would from any door, the
 * clock is turned by hand, and the oracle is told the same lines one by one. What is compared:
 *
 *   what became of each line     accepted, duplicate or quarantined, as the oracle says
 *   the store                    every fact, by (period kind, period, kpi, scope)
 *   the board                    what was published is what is stored
 *   explain                      stored contributions of tickets add up to the fact (on a file)
 *   --rebuild --compare          counting anew from the log finds nothing else (on a file) */
#include "run_trial.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/instant.h"
#include "base/mem.h"
#include "board.h"
#include "kpi/coverage.h"
#include "ledger/ledger.h"
#include "ledger/reads.h"
#include "oracle.h"

enum { REQUESTS_MAX = 3 };

struct runner {
    const struct trial *trial;
    int now_in_force; /* which of the two rules */
    struct ledger *ledger;
    struct clock_manual clock;
    int64_t latest_at; /* the clock's highest reading at a commit */
    struct board *board;
    struct oracle_log log;
    struct act *waiting[256]; /* lines since the last commit */
    size_t waiting_count;
    bool every_commit;
    char folder[64], path[96];
    struct text_buffer *why;
    bool failed;
};

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

static const struct rules *rules_of(const struct runner *r)
{
    return r->trial->rules[r->now_in_force];
}

static void differ(struct runner *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void differ(struct runner *r, const char *format, ...)
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
    const struct kpi *kpi = &board_now(r->board)->rules->kpis[f->kpi];

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

    (void)fact;
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

        if (!board_holds(r->board, f->period))
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

static void compare_explain(struct runner *r, const struct store *s)
{
    struct reader *reader;
    int64_t as_of, position;
    struct err err;

    if (reader_open(&reader, r->path, &err) < 0) {
        differ(r, "no reader: %s", err.text);
        return;
    }
    if (reader_begin(reader, &as_of, &position, &err) < 0)
        differ(r, "no snapshot: %s", err.text);
    for (size_t i = 0; i < s->count && !r->failed; i++)
        compare_explained(r, reader, &s->items[i]);
    reader_end(reader);
    reader_close(reader);
}

static void compare(struct runner *r)
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
    if (!r->failed && r->trial->on_file)
        compare_explain(r, &store);
    oracle_facts_finish(&want);
    free(store.items);
}

/* --- The acts. */

static struct ledger_options options_of(const struct runner *r)
{
    return (struct ledger_options){
        .path = r->path,
        .rules = rules_of(r),
        .digest = r->now_in_force ? "two" : "one",
        .by = "test",
        .clock = &r->clock.clock,
        .wal_warn_bytes = INT64_C(1) << 40,
    };
}

static bool open_ledger(struct runner *r)
{
    struct ledger_options options = options_of(r);
    struct err err;

    if (ledger_open(&r->ledger, &options, &err) < 0) {
        r->ledger = NULL;
        differ(r, "the ledger does not open: %s", err.text);
        return false;
    }
    board_destroy(r->board);
    r->board = board_create();
    ledger_drain(r->ledger, board_publish, r->board);
    return true;
}

static void turn_clock(struct runner *r, int64_t at)
{
    r->clock.wall_ms = at;
    r->clock.monotonic_ms += 1000;
    if (at > r->latest_at)
        r->latest_at = at;
}

static void on_done(struct ledger_request *request)
{
    bool *done = request->arg;

    *done = true;
}

/* Submits them one after the other, which makes them one group; carries out, publishes. */
static bool carry_out(struct runner *r, struct ledger_request *requests, size_t count)
{
    bool done[REQUESTS_MAX] = { 0 };

    for (size_t i = 0; i < count; i++) {
        requests[i].done = on_done;
        requests[i].arg = &done[i];
        if (!ledger_submit(r->ledger, &requests[i]))
            differ(r, "the ledger is full");
    }
    ledger_run(r->ledger);
    ledger_drain(r->ledger, board_publish, r->board);
    for (size_t i = 0; i < count; i++)
        if (!done[i] || requests[i].status != 0)
            differ(r, "a request of kind %d failed: %s", (int)requests[i].what,
                   done[i] ? requests[i].err.text : "never completed");
    return !r->failed;
}

static void check_line(struct runner *r, const struct ledger_line *line, const char *json)
{
    static const struct {
        enum line_result ledger;
        const char *name;
    } names[] = {
        [ORACLE_ACCEPTED] = { LINE_ACCEPTED, "accepted" },
        [ORACLE_DUPLICATE] = { LINE_DUPLICATE, "duplicate" },
        [ORACLE_REFUSED] = { LINE_QUARANTINED, "quarantined" },
    };
    const char *why = NULL;
    enum oracle_result want = oracle_take(&r->log, json, strlen(json), rules_of(r), &why);

    if (line->result != names[want].ledger)
        differ(r, "%s\n  oracle: %s (%s), ledger: result %d (%s)", json, names[want].name,
               why ? why : "", (int)line->result, line->reject.reason);
}

/* The waiting lines, parsed as a door does. */
static struct ledger_line *take_waiting(struct runner *r)
{
    struct ledger_line *lines = mem_zalloc((r->waiting_count + 1) * sizeof *lines);

    for (size_t i = 0; i < r->waiting_count; i++) {
        struct ledger_line *line = &lines[i];

        line->json = r->waiting[i]->line;
        line->length = strlen(line->json);
        line->number = (int64_t)i + 1;
        if (!event_parse(line->json, line->length, rules_of(r), &line->event, &line->reject) &&
            !line->reject.reason[0])
            differ(r, "%s\n  refused without a reason", line->json);
    }
    return lines;
}

static void commit(struct runner *r, int64_t at)
{
    struct ledger_line *lines = take_waiting(r);
    struct ledger_request requests[REQUESTS_MAX];
    size_t count = r->waiting_count, parts = count == 0 ? 0 : 1 + count % REQUESTS_MAX, first = 0;

    /* One to three requests in one group, or none: then only time passes. */
    for (size_t i = 0; i < parts; i++) {
        size_t end = count * (i + 1) / parts;

        requests[i] = (struct ledger_request){
            .what = LEDGER_EVENTS, .lines = lines + first, .count = end - first, .via = "trial"
        };
        first = end;
    }
    turn_clock(r, at);
    if (carry_out(r, requests, parts))
        for (size_t i = 0; i < count; i++)
            check_line(r, &lines[i], lines[i].json);
    r->waiting_count = 0;
    free(lines);
    if (r->every_commit && !r->failed)
        compare(r);
}

static void change_rules(struct runner *r)
{
    struct ledger_request request = { .what = LEDGER_RULES, .by = "test", .text = "" };

    r->now_in_force = !r->now_in_force;
    request.digest = r->now_in_force ? "two" : "one";
    request.rules = rules_copy(rules_of(r));
    (void)carry_out(r, &request, 1);
}

static void reopen(struct runner *r, const struct act *act)
{
    if (!r->trial->on_file)
        return;
    ledger_close(r->ledger);
    r->ledger = NULL;
    if (act->kind == ACT_REOPEN_RULES)
        r->now_in_force = !r->now_in_force;
    turn_clock(r, act->at > r->clock.wall_ms ? act->at : r->clock.wall_ms);
    (void)open_ledger(r);
}

static void do_act(struct runner *r, struct act *act)
{
    switch (act->kind) {
    case ACT_LINE:
        assert(r->waiting_count < LENGTH(r->waiting));
        r->waiting[r->waiting_count++] = act;
        break;
    case ACT_COMMIT:
        commit(r, act->at);
        break;
    case ACT_COMPARE:
        compare(r);
        break;
    case ACT_RULES:
        change_rules(r);
        break;
    case ACT_REOPEN:
    case ACT_REOPEN_RULES:
        reopen(r, act);
        break;
    }
}

/* Counting anew from the log must find what is stored, and replacing it must change nothing. */
static void rebuild(struct runner *r)
{
    struct ledger_options options = options_of(r);
    char *report = NULL;
    size_t size;
    FILE *out = open_memstream(&report, &size);
    struct err err;
    int rc;

    ledger_close(r->ledger);
    r->ledger = NULL;
    rc = ledger_rebuild(&options, true, out, &err);
    fclose(out);
    if (rc != 0)
        differ(r, "rebuild --compare: %s", rc < 0 ? err.text : report);
    free(report);
    if (!r->failed && ledger_rebuild(&options, false, NULL, &err) < 0)
        differ(r, "rebuild: %s", err.text);
    if (!r->failed && open_ledger(r))
        compare(r);
}

static void make_folder(struct runner *r)
{
    const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

    snprintf(r->folder, sizeof r->folder, "%s/kpid-law-XXXXXX", base);
    if (!mkdtemp(r->folder)) {
        perror(r->folder);
        exit(2);
    }
    snprintf(r->path, sizeof r->path, "%s/law.db", r->folder);
}

static void remove_folder(const struct runner *r)
{
    static const char *const suffixes[] = { "", "-wal", "-shm", "-lock", ".lock", "-journal" };
    char path[128];

    for (size_t i = 0; i < LENGTH(suffixes); i++) {
        snprintf(path, sizeof path, "%s%s", r->path, suffixes[i]);
        (void)unlink(path); /* most are not there */
    }
    if (rmdir(r->folder) < 0)
        perror(r->folder);
}

bool run_trial(const struct trial *trial, bool every_commit, struct text_buffer *why)
{
    struct runner r = {
        .trial = trial, .why = why, .every_commit = every_commit, .path = ":memory:"
    };

    clock_manual_init(&r.clock, trial->start_at);
    turn_clock(&r, trial->start_at);
    if (trial->on_file)
        make_folder(&r);
    (void)open_ledger(&r);
    for (size_t i = 0; i < trial->count && !r.failed; i++)
        do_act(&r, &trial->acts[i]);
    if (!r.failed)
        commit(&r, r.clock.wall_ms); /* what a shrunk trial left waiting */
    if (!r.failed)
        compare(&r);
    if (!r.failed && trial->on_file)
        rebuild(&r);
    if (r.ledger)
        ledger_close(r.ledger);
    board_destroy(r.board);
    oracle_log_finish(&r.log);
    if (trial->on_file)
        remove_folder(&r);
    return !r.failed;
}
