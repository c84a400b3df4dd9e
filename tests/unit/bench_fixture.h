/* A bench under test: a ledger that answers when the test says so, devices that act as they are
 * told, scripted readings, and a clock that is turned by hand. */
#ifndef KPID_TESTS_BENCH_FIXTURE_H
#define KPID_TESTS_BENCH_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_tree.h>

#include "base/json_out.h"
#include "base/mem.h"
#include "bench/bench_private.h"
#include "conf_fixture.h"

#define BEGIN INT64_C(1795168800000) /* 2026-11-20T10:00:00Z */

/* --- The ledger of this test */

static struct ledger_request *asked[8];
static size_t asked_count;
static bool refuses;
static int64_t downtime_from;
static char durable[8192];      /* "opened T1 -;settled T1 success;" */
static char last_json[32768];
static char saved[4][32768];    /* by the last letter of the slot: 1 ... */

bool ledger_submit(struct ledger *ledger, struct ledger_request *request)
{
    (void)ledger;
    if (refuses)
        return false;
    assert_true(asked_count < LENGTH(asked));
    asked[asked_count++] = request;
    return true;
}

size_t ledger_queue_length(struct ledger *ledger)
{
    (void)ledger;
    return 0;
}

static inline char *saved_of(const char *source)
{
    assert_int_equal(strncmp(source, "bench/", 6), 0);
    return saved[source[6] - '1'];
}

char *ledger_cursor(struct ledger *ledger, const char *source)
{
    (void)ledger;
    return saved_of(source)[0] ? mem_strdup(saved_of(source)) : NULL;
}

int64_t ledger_downtime_from(struct ledger *ledger)
{
    (void)ledger;
    return downtime_from;
}

static inline void answer(int status)
{
    struct ledger_request *request = asked[0];

    assert_true(asked_count > 0);
    memmove(asked, asked + 1, --asked_count * sizeof asked[0]);
    request->status = status;
    if (status < 0)
        err_set(&request->err, status, "the disk is full");
    for (size_t i = 0; status == 0 && i < request->count; i++) {
        const struct event *e = &request->lines[i].event;
        size_t used = strlen(durable);

        assert_string_equal(request->lines[i].reject.reason, "");
        request->lines[i].result = LINE_ACCEPTED;
        snprintf(durable + used, sizeof durable - used, "%s %s %s %s;", event_verb(e->type),
                 e->kind, e->ticket, e->outcome ? outcome_name(e->outcome) : "-");
        snprintf(last_json, sizeof last_json, "%.*s", (int)request->lines[i].length,
                 request->lines[i].json);
    }
    if (status == 0 && request->cursor)
        snprintf(saved_of(request->source), sizeof saved[0], "%s", request->cursor);
    request->done(request);
}

/* --- The sources of this test: one command at a time, answered when the test says so */

static struct command *told;
static char commands[1024]; /* "self_test;show 0;" */
static int command_refused; /* not 0: what the next one answers at once */

int sources_command(struct sources *sources, const char *name, struct command *command,
                    struct err *err)
{
    size_t used = strlen(commands);
    int rc = command_refused;

    (void)sources;
    snprintf(commands + used, sizeof commands - used, "%s%s%s%s;", strcmp(name, "lamps") ? name : "",
             command->verb, command->argument[0] ? " " : "", command->argument);
    assert_null(told);
    if (rc < 0)
        return err_set(err, rc, "it is refused");
    told = command;
    return 0;
}

size_t sources_count(const struct sources *sources)
{
    (void)sources;
    return 1;
}

struct source_view sources_view(const struct sources *sources, size_t i)
{
    static const struct health health = { .name = "lamps",
                                          .state = SOURCE_DOWN,
                                          .why = "the adapter is gone: plug it in again" };

    (void)sources;
    (void)i;
    return (struct source_view){ .name = "lamps", .enabled = true, .health = &health };
}

void sources_unit_why(const struct sources *sources, size_t i, const char *unit, char why[256])
{
    (void)sources;
    (void)i;
    snprintf(why, 256, "%s", strcmp(unit, "L1") ? "" : "the adapter is gone: plug it in again");
}

static inline void obey(int status, const char *text)
{
    struct command *command = told;

    assert_non_null(command);
    told = NULL;
    command->status = status;
    if (status < 0)
        err_set(&command->err, status, "%s", text);
    else
        snprintf(command->result, sizeof command->result, "%s", text);
    command->done(command);
}

/* --- The house of this test */

struct world {
    uv_loop_t loop;
    struct clock_manual clock;
    struct fixture files;
    struct conf *conf;
    struct intake *intake;
    struct live *live;
    struct bench *bench;
    int done_status; /* of the last bench_start or bench_cancel; 1: not yet */
    bool is_stopped;
};

#define SPOOL(name)                                                                                \
    "{ name = \"" name "\"; driver = \"spool\"; directory = \"/var/spool/kpid\"; }"

static const char head[] =
    "timezone = \"Asia/Shanghai\";\n"
    "kpis = ( { id = \"a\"; counts = \"install\"; direction = \"at_least\"; },\n"
    "         { id = \"b\"; counts = \"repair\"; direction = \"at_least\"; } );\n"
    "sources = ( " SPOOL("lamps") ", " SPOOL("gps1") " );\n"
    "slots = ( { name = \"1\"; led = \"lamps/L1\"; gps = \"gps1\"; profile = \"p\"; },\n"
    "          { name = \"2\"; led = \"lamps/L2\"; profile = \"p\"; } );\n";

#define SUPPLY "{ name = \"supply\"; of = \"led\"; point = \"supply\"; min = 11; max = 14; hold = \"5s\"; }"
#define FIX                                                                                        \
    "{ name = \"fix\"; of = \"gps\"; point = \"quality\"; one_of = [ 1, 2, 4 ]; hold = \"10s\"; "  \
    "within = \"60s\"; }"
#define TEST                                                                                       \
    "{ name = \"self-test\"; of = \"led\"; act = \"self_test\"; point = \"bad\"; max = 0; "        \
    "within = \"30s\"; }"
#define SHOW "{ name = \"states\"; of = \"led\"; act = \"show_all\"; within = \"30s\"; }"

static inline struct conf *load(struct world *w, const char *checks)
{
    struct faults faults = { 0 };
    char *text = mem_printf("%sprofiles = ( { name = \"p\"; timeout = \"2min\"; checks = ( %s ); "
                            "} );\n", head, checks);
    struct conf *conf;

    fixture_write(&w->files, "kpid.conf", text);
    conf = conf_load(w->files.path, &faults);
    faults_print(&faults);
    assert_non_null(conf);
    free(text);
    return conf;
}

static inline void open_bench(struct world *w)
{
    const struct bench_house house = { .loop = &w->loop,
                                       .clock = &w->clock.clock,
                                       .live = w->live,
                                       .intake = w->intake };

    w->bench = bench_create(&house, w->conf);
}

static inline void begin(struct world *w, const char *checks)
{
    w->conf = load(w, checks);
    w->intake = intake_create(NULL, &w->conf->rules, &w->clock.clock);
    w->live = live_create(&w->clock.clock);
    open_bench(w);
}

static inline int set_up(void **state)
{
    struct world *w = mem_zalloc(sizeof *w);

    asked_count = 0;
    refuses = false;
    downtime_from = 0;
    command_refused = 0;
    told = NULL;
    durable[0] = last_json[0] = commands[0] = '\0';
    for (size_t i = 0; i < LENGTH(saved); i++)
        saved[i][0] = '\0';
    clock_manual_init(&w->clock, BEGIN);
    w->clock.monotonic_ms = 1000000;
    fixture_init(&w->files);
    assert_int_equal(uv_loop_init(&w->loop), 0);
    *state = w;
    return 0;
}

static inline void on_stopped(void *arg)
{
    struct world *w = arg;

    w->is_stopped = true;
}

static inline void close_bench(struct world *w)
{
    w->is_stopped = false;
    bench_stop(w->bench, on_stopped, w);
    while (!w->is_stopped)
        uv_run(&w->loop, UV_RUN_NOWAIT);
    if (told)
        obey(-ECANCELED, "the source stops");
    while (asked_count > 0)
        answer(-ENOSPC);
    bench_destroy(w->bench);
    w->bench = NULL;
}

static inline int tear_down(void **state)
{
    struct world *w = *state;

    if (w->bench)
        close_bench(w);
    intake_destroy(w->intake);
    live_destroy(w->live);
    conf_destroy(w->conf);
    fixture_finish(&w->files);
    assert_int_equal(uv_loop_close(&w->loop), 0);
    free(w);
    return 0;
}

static inline void on_done(void *arg, int status, const struct err *why)
{
    struct world *w = arg;

    (void)why;
    w->done_status = status;
}

static inline int ask(struct world *w, const char *slot, const char *ticket, struct err *err)
{
    const struct bench_request request = { .ticket = ticket,
                                           .kind = "install",
                                           .staff = "li",
                                           .vehicle = "川A-T1234",
                                           .device = "D1",
                                           .model = "",
                                           .by = "wang" };

    w->done_status = 1;
    return bench_start(w->bench, slot, &request, on_done, w, err);
}

static inline void start(struct world *w)
{
    struct err err = { 0 };

    if (ask(w, "1", "T1", &err) != 0)
        fail_msg("%s", err.text);
    answer(0);
    assert_int_equal(w->done_status, 0);
}

/* Time passes, with a look four times a second. */
static inline void pass(struct world *w, int64_t ms)
{
    for (; ms > 0; ms -= 250) {
        w->clock.wall_ms += 250;
        w->clock.monotonic_ms += 250;
        bench_look(w->bench);
    }
}

/* A reading of now. */
static inline void say(struct world *w, const char *source, const char *unit, const char *point,
                double value)
{
    const struct reading r = { .unit = unit,
                               .point = point,
                               .status = READING_GOOD,
                               .number = value,
                               .true_at = clock_wall(&w->clock.clock),
                               .age_limit_ms = 3000 };

    live_put(w->live, source, &r, 1);
}

static inline void supply(struct world *w, double value)
{
    say(w, "lamps", "L1", "supply", value);
}

static inline void quality(struct world *w, double value)
{
    say(w, "gps1", "", "quality", value);
}

/* So many seconds with a reading of each kind every second. */
static inline void both(struct world *w, double volts, double fix, int seconds)
{
    for (int i = 0; i < seconds; i++) {
        supply(w, volts);
        quality(w, fix);
        pass(w, 1000);
    }
}

/* What GET /v1/bench shows of slot 1. */
static inline yajl_val shown(struct world *w)
{
    struct text_buffer text = { 0 };
    yajl_val tree;

    assert_true(bench_show(w->bench, "1", &w->conf->rules.zone, &text));
    tree = yajl_tree_parse(text.bytes, NULL, 0);
    if (!tree)
        fail_msg("no JSON: %s", text.bytes);
    text_buffer_finish(&text);
    return tree;
}

static inline const char *text_at(yajl_val tree, const char *a, const char *b)
{
    const char *path[] = { a, b, NULL };
    yajl_val value = yajl_tree_get(tree, path, yajl_t_string);

    return value ? YAJL_GET_STRING(value) : "";
}

/* "verdict: why" of check `i` of the session, or of the last one. */
static inline const char *check_of(struct world *w, const char *which, size_t i)
{
    static char to[256];
    yajl_val tree = shown(w);
    const char *path[] = { which, "checks", NULL };
    yajl_val list = yajl_tree_get(tree, path, yajl_t_array);

    assert_non_null(list);
    assert_true(i < list->u.array.len);
    snprintf(to, sizeof to, "%s: %s", text_at(list->u.array.values[i], "verdict", NULL),
             text_at(list->u.array.values[i], "why", NULL));
    yajl_tree_free(tree);
    return to;
}

static inline void assert_check(struct world *w, size_t i, const char *want)
{
    assert_string_equal(check_of(w, "session", i), want);
}

static inline void assert_state(struct world *w, const char *want)
{
    yajl_val tree = shown(w);

    assert_string_equal(text_at(tree, "state", NULL), want);
    yajl_tree_free(tree);
}

static inline void assert_last(struct world *w, const char *outcome, const char *reason)
{
    yajl_val tree = shown(w);

    assert_string_equal(text_at(tree, "last", "outcome"), outcome);
    assert_string_equal(text_at(tree, "last", "reason"), reason);
    yajl_tree_free(tree);
}

#define TEST_OF(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
