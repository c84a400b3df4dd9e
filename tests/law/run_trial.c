/* One trial: its lines go through event_parse and ledger_submit as they would from any door, the
 * clock is turned by hand, and the oracle is told the same lines one by one. What became of each
 * line must be what the oracle says; the facts are compared by compare.c; and at last, on a file,
 * counting anew from the log must find nothing else. */
#include "run_trial.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/instant.h"
#include "base/mem.h"
#include "config/conf.h"
#include "ledger/ledger_private.h"
#include "law_conf.h"
#include "runner.h"

enum {
    REQUESTS_MAX = 3,
    SLICE = 12,             /* three facts */
};

/* --- The acts. */

static struct ledger_options options_of(const struct runner *r)
{
    return (struct ledger_options){
        .path = r->path,
        .rules = rules_of(r),
        .digest = r->now_in_force ? "two" : "one",
        .by = "test",
        .settings = r->settings[r->now_in_force],
        .recorded_rules = conf_recorded_rules,
        .clock = &r->clock.clock,
        .wal_warn_bytes = INT64_C(1) << 40,
        .seals = r->seals,
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
    if (r->slices)
        r->ledger->seals->slice_us = SLICE;
    board_destroy(r->board);
    r->board = board_create();
    ledger_drain(r->ledger, board_publish, r->board);
    return true;
}

static void turn_clock(struct runner *r, int64_t at)
{
    r->clock.wall_ms = at;
    if (at > r->latest_at)
        r->latest_at = at;
}

static void on_done(struct ledger_request *request)
{
    bool *done = request->arg;

    *done = true;
}

/* As the ledger's thread runs: it stores when it is time to, where ledger_run, for those without a
 * thread, stores each group at once; and what is sealed is sealed in slices between the groups. */
static void run_ledger(struct runner *r)
{
    struct ledger *l = r->ledger;
    struct ledger_request *group[REQUESTS_MAX], *request;
    size_t count = 0;
    int slices = r->slices ? r->slice++ % r->slices : INT_MAX;

    while ((request = mailbox_take(l->inbox)) != NULL)
        group[count++] = request;
    writer_group(l, group, count);
    while (slices-- > 0 && seals_nap_ms(l) <= 0 && !l->astray && l->stats.well)
        seals_go_on(l);
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
    if (count > 0 && requests[0].what == LEDGER_RULES)
        ledger_run(r->ledger);
    else
        run_ledger(r);
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

/* A week some weeks ago. That it is refused is as good an end as another. */
static void seal_by_hand(struct runner *r, enum ledger_what what, int64_t weeks)
{
    struct ledger_request request = { .what = what, .by = "li", .text = "by hand" };
    int64_t at = r->clock.wall_ms - weeks * 7 * 24 * 3600 * INT64_C(1000);
    bool done = false;

    request.period = period_at(PERIOD_WEEK, &rules_of(r)->zone, at);
    request.done = on_done;
    request.arg = &done;
    if (!ledger_submit(r->ledger, &request))
        differ(r, "the ledger is full");
    ledger_run(r->ledger);
    ledger_drain(r->ledger, board_publish, r->board);
    if (!done || (request.status < 0 && request.status != -EEXIST))
        differ(r, "sealing by hand failed: %s", done ? request.err.text : "never completed");
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
    if (r->seals && !r->failed && at % (r->trial->on_file ? 3 : 7) == 0)
        seal_by_hand(r, at % 2 == 0 ? LEDGER_SEAL : LEDGER_RESTATE, at % 5);
    if (r->every_commit && !r->failed)
        compare(r);
}

static void change_rules(struct runner *r)
{
    struct ledger_request request = { .what = LEDGER_RULES, .by = "test", .text = "" };

    r->now_in_force = !r->now_in_force;
    request.digest = r->now_in_force ? "two" : "one";
    request.rules = rules_copy(rules_of(r));
    request.settings = r->settings[r->now_in_force];
    (void)carry_out(r, &request, 1);
    for (int64_t weeks = 0; r->seals && weeks < 5 && !r->failed; weeks++)
        if ((r->clock.wall_ms + weeks) % 3 == 0)
            seal_by_hand(r, LEDGER_RESTATE, weeks);
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

static void remove_ledger(const char *name)
{
    static const char *const suffixes[] = { "", "-wal", "-shm", "-lock", ".lock", "-journal" };
    char path[128];

    for (size_t i = 0; i < LENGTH(suffixes); i++) {
        snprintf(path, sizeof path, "%s%s", name, suffixes[i]);
        (void)unlink(path); /* most are not there */
    }
}

static void copy_file(const char *from, const char *to)
{
    FILE *in = fopen(from, "re"), *out = fopen(to, "we");
    char bytes[65536];
    size_t length;

    while (in && out && (length = fread(bytes, 1, sizeof bytes, in)) > 0)
        (void)fwrite(bytes, 1, length, out); /* what is cut does not open */
    if (!in || !out || fclose(in) + fclose(out) != 0) {
        perror(to);
        exit(2);
    }
}

/* What a kill leaves is what is in the files at that moment: a copy of them goes on living. */
static void reopen_killed(struct runner *r, const struct act *act)
{
    static const char *const suffixes[] = { "", "-wal" };
    char from[sizeof r->path + 16], to[sizeof r->path + 16];

    if (!r->trial->on_file)
        return;
    for (size_t i = 0; i < LENGTH(suffixes); i++) {
        snprintf(from, sizeof from, "%s%s", r->path, suffixes[i]);
        snprintf(to, sizeof to, "%s.killed%s", r->path, suffixes[i]);
        copy_file(from, to);
    }
    ledger_close(r->ledger);
    r->ledger = NULL;
    remove_ledger(r->path);
    for (size_t i = 0; i < LENGTH(suffixes); i++) {
        snprintf(to, sizeof to, "%s%s", r->path, suffixes[i]);
        snprintf(from, sizeof from, "%s.killed%s", r->path, suffixes[i]);
        if (rename(from, to) < 0)
            perror(to);
    }
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
        r->clock.monotonic_ms += act->after_ms;
        commit(r, act->at);
        break;
    case ACT_COMPARE:
        compare(r);
        break;
    case ACT_RULES:
        change_rules(r);
        break;
    case ACT_KILL:
        reopen_killed(r, act);
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
    if (r->trial->on_file)
        snprintf(r->path, sizeof r->path, "%s/law.db", r->folder);
    for (size_t i = 0; i < LENGTH(r->settings); i++)
        r->settings[i] = law_conf_settings(r->folder, r->trial->rules[i]);
}

static void remove_folder(struct runner *r)
{
    for (size_t i = 0; i < LENGTH(r->settings); i++)
        free(r->settings[i]);
    if (r->trial->on_file)
        remove_ledger(r->path);
    if (rmdir(r->folder) < 0)
        perror(r->folder);
}

bool run_trial(const struct trial *trial, bool every_commit, struct text_buffer *why)
{
    struct runner r = {
        .trial = trial, .why = why, .every_commit = every_commit, .path = ":memory:",
        .seals = trial->seals,
        .slices = trial->on_file && trial->seed % 4 != 1 ? 2 + (int)(trial->seed % 13) : 0
    };

    clock_manual_init(&r.clock, trial->start_at);
    turn_clock(&r, trial->start_at);
    if (trial->on_file || trial->seals)
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
    if (trial->on_file || trial->seals)
        remove_folder(&r);
    return !r.failed;
}
