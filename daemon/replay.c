/* --replay: see replay.h. The file goes through the intake in batches, each its own transaction of
 * a ledger in memory; what counts is what the daemon would have counted. */
#include "replay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/instant.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/conf.h"
#include "intake.h"
#include "kpi/coverage.h"
#include "ledger/ledger.h"
#include "offline.h"

struct replay {
    const struct replay_options *options;
    const struct rules *rules;
    struct clock_manual clock;
    struct ledger *ledger;
    struct intake *intake;
    struct gaps *gaps; /* one for each KPI; NULL: none yet */
    struct published_fact *facts;
    size_t fact_count, fact_capacity;
    int status; /* of the batch at hand */
    struct err *err;
};

static void free_gaps(struct replay *r)
{
    for (size_t i = 0; r->gaps && i < r->rules->kpi_count; i++)
        gaps_finish(&r->gaps[i]);
    free(r->gaps);
    r->gaps = NULL;
}

/* Facts are read from the store at the end; of the news only the gaps are kept. */
static void on_news(void *arg, struct publication *news)
{
    struct replay *r = arg;

    if (!news->gaps)
        return;
    free_gaps(r);
    r->gaps = news->gaps;
    news->gaps = NULL;
}

/* --- In */

static void on_taken(struct submission *batch, const struct submission_result *result, void *arg)
{
    struct replay *r = arg;

    r->status = result->status;
    if (result->status < 0) {
        *r->err = result->err;
        return;
    }
    for (size_t i = 0; i < submission_length(batch); i++) {
        const struct ledger_line *line = submission_line(batch, i);

        if (line->result == LINE_QUARANTINED)
            fprintf(stderr, "%s:%lld: %s\n", r->options->events, (long long)line->number,
                    line->reject.reason);
    }
}

/* Frees the batch. */
static int take_batch(struct replay *r, struct submission *batch)
{
    r->status = err_set(r->err, -EBUSY, "the ledger has no room");
    if (submission_send(batch, NULL, NULL, on_taken, r)) {
        ledger_run(r->ledger);
        ledger_drain(r->ledger, on_news, r);
    }
    submission_destroy(batch);
    return r->status;
}

static bool is_blank(const char *line, size_t length)
{
    return strspn(line, " \t\r") == length;
}

static int take_lines(struct replay *r, FILE *file)
{
    struct submission *batch = submission_create(r->intake, "replay", NULL);
    char *line = NULL;
    size_t size = 0;
    int64_t number = 0;
    ssize_t length;
    int rc = 0;

    while (rc == 0 && (length = getline(&line, &size, file)) >= 0) {
        number++;
        if (length > 0 && line[length - 1] == '\n')
            line[--length] = 0;
        if (is_blank(line, (size_t)length))
            continue;
        submission_add(batch, line, (size_t)length, number, NULL);
        if (submission_length(batch) < BATCH_LINES_MAX && submission_bytes(batch) < BATCH_BYTES_MAX)
            continue;
        rc = take_batch(r, batch);
        batch = submission_create(r->intake, "replay", NULL);
    }
    free(line);
    if (rc == 0)
        return take_batch(r, batch);
    submission_destroy(batch);
    return rc;
}

static int read_events(struct replay *r)
{
    FILE *file = fopen(r->options->events, "re");
    int rc;

    if (!file)
        return err_set(r->err, -errno, "%s: %s", r->options->events, strerror(errno));
    rc = take_lines(r, file);
    if (rc == 0 && ferror(file))
        rc = err_set(r->err, -EIO, "%s: %s", r->options->events, strerror(errno));
    fclose(file);
    return rc;
}

/* --- Out */

static int add_fact(void *arg, const struct published_fact *fact)
{
    struct replay *r = arg;

    if (r->fact_count == r->fact_capacity) {
        r->fact_capacity = r->fact_capacity * 2 + 256;
        r->facts = mem_realloc_array(r->facts, r->fact_capacity, sizeof *r->facts);
    }
    r->facts[r->fact_count++] = *fact;
    return 0;
}

static int by_place(const void *a, const void *b, void *arg)
{
    const struct published_fact *x = a, *y = b;
    const struct rules *rules = ((const struct replay *)arg)->rules;
    int order = period_compare(x->period, y->period);

    if (order == 0)
        order = strcmp(rules->kpis[x->kpi].id, rules->kpis[y->kpi].id);
    return order != 0 ? order : strcmp(x->scope, y->scope);
}

static struct fact_view view_of(const struct replay *r, const struct published_fact *f)
{
    const struct zone *zone = &r->rules->zone;
    int64_t as_of = clock_wall(&r->clock.clock);
    static const struct gaps none;

    return (struct fact_view){
        .kpi = &r->rules->kpis[f->kpi],
        .period = f->period,
        .scope = f->scope,
        .fact = &f->fact,
        .coverage = coverage_of(r->gaps ? &r->gaps[f->kpi] : &none, period_begin(f->period, zone),
                                period_end(f->period, zone), as_of),
        .state = fact_state_of(f->period, zone, as_of),
        .as_of = as_of,
    };
}

static bool write_to(const struct replay *r, FILE *file)
{
    struct text_buffer line = { 0 };
    bool well = true;

    for (size_t i = 0; well && i < r->fact_count; i++) {
        struct fact_view view = view_of(r, &r->facts[i]);

        line.length = 0;
        fact_json(&line, &view, &r->rules->zone);
        text_buffer_adds(&line, "\n");
        well = fwrite(line.bytes, 1, line.length, file) == line.length;
    }
    text_buffer_finish(&line);
    return well;
}

static int write_facts(struct replay *r)
{
    const char *name = r->options->facts_out;
    FILE *file = name ? fopen(name, "we") : stdout;
    bool well;

    if (!file)
        return err_set(r->err, -errno, "%s: %s", name, strerror(errno));
    if (r->fact_count > 0)
        qsort_r(r->facts, r->fact_count, sizeof *r->facts, by_place, r);
    well = write_to(r, file);
    well = (name ? fclose(file) : fflush(file)) == 0 && well;
    if (!well)
        return err_set(r->err, -EIO, "%s: %s", name ? name : "standard output", strerror(errno));
    return 0;
}

/* --- The whole */

static int run(struct replay *r, const struct conf *conf)
{
    const struct ledger_options options = {
        .path = ":memory:",
        .rules = r->rules,
        .digest = conf->digest,
        .by = "replay",
        .clock = &r->clock.clock,
        .wal_warn_bytes = conf->wal_warn_bytes,
    };
    int rc = ledger_open(&r->ledger, &options, r->err);

    if (rc < 0)
        return rc;
    r->intake = intake_create(r->ledger, r->rules, &r->clock.clock);
    rc = read_events(r);
    if (rc == 0)
        rc = ledger_each_fact(r->ledger, add_fact, r, r->err);
    if (rc == 0)
        rc = write_facts(r);
    free(r->facts);
    free_gaps(r);
    intake_destroy(r->intake);
    ledger_close(r->ledger);
    return rc;
}

int replay_run(const struct replay_options *options, struct err *err)
{
    struct replay r = { .options = options, .err = err };
    int64_t as_of = clock_wall(&clock_system);
    struct conf *conf;
    int rc;

    if (options->as_of && !instant_parse(options->as_of, strlen(options->as_of), &as_of)) {
        fprintf(stderr, "kpid: --as-of \"%s\" is no instant: write \"2026-11-20T18:00:00+08:00\"\n",
                options->as_of);
        return EXIT_USAGE;
    }
    conf = offline_conf(options->conf);
    if (!conf)
        return EXIT_USAGE;
    clock_manual_init(&r.clock, as_of);
    r.rules = &conf->rules;
    rc = run(&r, conf);
    conf_destroy(conf);
    return rc;
}
