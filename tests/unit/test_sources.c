/* Supervision of the inputs: who is restarted and who is not, what becomes of batches, and that the
 * edges of coverage reach the log whatever the ledger does. With a driver that does as it is told
 * and a ledger that answers when the test says so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/mem.h"
#include "sources.h"

#define BEGIN INT64_C(1795168800000) /* 2026-11-20T10:00:00Z */

/* --- The ledger of this test: what was durable, one line each */

static struct ledger_request *asked[16];
static size_t asked_count;
static bool refuses;
static int64_t downtime_from;
static char durable[4096];

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

char *ledger_cursor(struct ledger *ledger, const char *source)
{
    (void)ledger;
    return strcmp(source, "a") == 0 ? mem_strdup("old") : NULL;
}

int64_t ledger_downtime_from(struct ledger *ledger)
{
    (void)ledger;
    return downtime_from;
}

static void answer(int status)
{
    struct ledger_request *request = asked[0];

    assert_true(asked_count > 0);
    memmove(asked, asked + 1, --asked_count * sizeof asked[0]);
    request->status = status;
    if (status < 0)
        err_set(&request->err, status, "the disk is full");
    for (size_t i = 0; status == 0 && i < request->count; i++) {
        struct ledger_line *line = &request->lines[i];
        size_t used = strlen(durable);

        line->result = line->reject.reason[0] ? LINE_QUARANTINED : LINE_ACCEPTED;
        if (!line->reject.reason[0])
            snprintf(durable + used, sizeof durable - used, "%s %s %+lld;",
                     line->event.type == EVENT_LOST ? "lost" : "found", line->event.input,
                     (long long)(line->event.at - BEGIN));
    }
    request->done(request);
}

/* --- The driver of this test */

struct toy_config {
    char *text;
};

struct source {
    struct driver_env env;
    char cursor[16];
    uv_timer_t timer;
    bool batch_in_house;
    void (*stopped)(void *arg);
    void *arg;
    char text[16];
};

static struct source *toys[4]; /* by the last letter of the name: a, b, c */
static int created, stopped_count, polled, resumed;

static int toy_create(struct source **ret, const void *config, const struct driver_env *env,
                      struct err *err)
{
    const struct toy_config *c = config;
    struct source *s = mem_zalloc(sizeof *s);

    if (strcmp(c->text, "broken") == 0) {
        free(s);
        return err_set(err, -EMFILE, "too many open files");
    }
    s->env = *env;
    snprintf(s->cursor, sizeof s->cursor, "%s", env->cursor ? env->cursor : "");
    snprintf(s->text, sizeof s->text, "%s", c->text);
    assert_int_equal(uv_timer_init(env->loop, &s->timer), 0);
    s->timer.data = s;
    toys[env->name[0] - 'a'] = s;
    created++;
    *ret = s;
    return 0;
}

static void toy_start(struct source *s)
{
    (void)s;
}

static void toy_resume(struct source *s)
{
    (void)s;
    resumed++;
}

static bool toy_poll_now(struct source *s)
{
    (void)s;
    polled++;
    return true;
}

static void on_toy_closed(uv_handle_t *handle)
{
    struct source *s = handle->data;

    stopped_count++;
    toys[s->env.name[0] - 'a'] = NULL;
    s->stopped(s->arg);
    free(s);
}

static void toy_stop(struct source *s, void (*stopped)(void *arg), void *arg)
{
    s->stopped = stopped;
    s->arg = arg;
    if (!s->batch_in_house)
        uv_close((uv_handle_t *)&s->timer, on_toy_closed);
}

static const struct option toy_options[] = {
    { .name = "text", .type = OPTION_TEXT, .offset = offsetof(struct toy_config, text) },
    { .name = NULL },
};

static void toy_unit_why(const struct source *s, const char *unit, char why[256])
{
    snprintf(why, 256, "%s of %s is dark", unit, s->env.name);
}

static const struct driver toy = {
    .name = "toy",
    .options = toy_options,
    .config_size = sizeof(struct toy_config),
    .create = toy_create,
    .start = toy_start,
    .pause = toy_start,
    .resume = toy_resume,
    .poll_now = toy_poll_now,
    .unit_why = toy_unit_why,
    .stop = toy_stop,
};

/* --- The house of this test */

struct world {
    uv_loop_t loop;
    struct clock_manual clock;
    struct rules rules;
    struct intake *intake;
    struct live *live;
    struct conditions *conditions;
    struct sources *sources;
    struct conf conf[2]; /* the present and the next */
    int present;
    bool is_stopped;
};

static struct toy_config configs[2][4];

/* "a=x b=y! c=z": names, texts, '!' for switched off. KPIs name all of `watched`. */
static struct conf *make_conf(struct world *w, const char *text, const char *watched)
{
    static struct conf_source sources[2][4];
    static struct kpi kpis[2];
    static char names[2][4][INPUT_SIZE];
    int i = w->present ^= 1;
    struct conf *conf = &w->conf[i];
    static char texts[2][4][16];

    *conf = (struct conf){ .sources = sources[i] };
    conf->rules = w->rules;
    kpis[i] = (struct kpi){ .sources = names[i] };
    for (; *text; text += strcspn(text, " "), text += *text == ' ') {
        size_t n = conf->source_count++, length = strcspn(text, " ");
        bool off = text[length - 1] == '!';

        snprintf(texts[i][n], sizeof texts[i][n], "%.*s", (int)(length - 2 - off), text + 2);
        configs[i][n] = (struct toy_config){ texts[i][n] };
        sources[i][n] =
            (struct conf_source){ .driver = &toy, .config = &configs[i][n], .enabled = !off };
        snprintf(sources[i][n].name, INPUT_SIZE, "%c", text[0]);
    }
    for (; *watched; watched++)
        snprintf(names[i][kpis[i].source_count++], INPUT_SIZE, "%c", *watched);
    conf->rules.kpis = &kpis[i];
    conf->rules.kpi_count = 1;
    return conf;
}

static void turn(struct world *w)
{
    for (int i = 0; i < 5; i++)
        uv_run(&w->loop, UV_RUN_NOWAIT);
}

/* A state of the toy, at so many ms after BEGIN; then a turn, and the ledger answers all. */
static void is(struct world *w, char name, enum source_state state, int64_t at)
{
    w->clock.wall_ms = BEGIN + at;
    health_is(toys[name - 'a']->env.health, state, "because", &w->clock.clock);
    turn(w);
}

static void answer_all(struct world *w)
{
    turn(w);
    while (asked_count > 0) {
        answer(0);
        turn(w);
    }
}

static int set_up(void **state)
{
    struct world *w = mem_zalloc(sizeof *w);

    asked_count = 0;
    refuses = false;
    downtime_from = 0;
    durable[0] = '\0';
    created = stopped_count = polled = resumed = 0;
    clock_manual_init(&w->clock, BEGIN);
    assert_int_equal(uv_loop_init(&w->loop), 0);
    w->rules.zone = (struct zone){ .name = "UTC" };
    w->intake = intake_create(NULL, &w->rules, &w->clock.clock);
    w->live = live_create(&w->clock.clock);
    w->conditions = conditions_create(&w->loop, w->intake, &w->clock.clock,
                                      &(struct conf_conditions){ 1000, 1000, 60000 });
    *state = w;
    return 0;
}

static void begin(struct world *w, const char *text, const char *watched)
{
    w->sources = sources_create(&w->loop, make_conf(w, text, watched), w->intake, NULL, w->live,
                                w->conditions, &w->clock.clock);
    turn(w);
}

static void apply(struct world *w, const char *text, const char *watched)
{
    sources_apply(w->sources, make_conf(w, text, watched));
    turn(w);
}

static void on_stopped(void *arg)
{
    struct world *w = arg;

    w->is_stopped = true;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    if (w->sources) {
        sources_stop(w->sources, on_stopped, w);
        answer_all(w);
        assert_true(w->is_stopped);
        sources_destroy(w->sources);
    }
    w->is_stopped = false;
    conditions_stop(w->conditions, on_stopped, w);
    answer_all(w);
    assert_true(w->is_stopped);
    conditions_destroy(w->conditions);
    intake_destroy(w->intake);
    live_destroy(w->live);
    assert_int_equal(uv_loop_close(&w->loop), 0);
    free(w);
    return 0;
}

static void test_lost_and_found(void **state)
{
    struct world *w = *state;

    begin(w, "a=x b=x c=x", "ab");
    is(w, 'a', SOURCE_WELL, 10);
    is(w, 'a', SOURCE_DEGRADED, 20);
    answer_all(w);
    assert_string_equal(durable, "");
    is(w, 'a', SOURCE_DOWN, 30);
    is(w, 'a', SOURCE_DOWN, 40);
    is(w, 'c', SOURCE_DOWN, 50); /* no KPI depends on it */
    is(w, 'a', SOURCE_WELL, 60);
    answer_all(w);
    assert_string_equal(durable, "lost a +30;found a +60;");
}

/* A unit's own trouble is the driver's to tell; where none runs it is the source's. */
static void test_why_a_unit_is_not_well(void **state)
{
    struct world *w = *state;
    char why[256];

    begin(w, "a=x b=broken", "");
    sources_unit_why(w->sources, 0, "L1", why);
    assert_string_equal(why, "L1 of a is dark");
    sources_unit_why(w->sources, 1, "L1", why);
    assert_string_equal(why, sources_view(w->sources, 1).health->why);
    assert_non_null(strstr(why, "too many open files"));
}

static void test_down_from_the_start(void **state)
{
    struct world *w = *state;

    begin(w, "a=x", "a");
    is(w, 'a', SOURCE_DOWN, 30);
    is(w, 'a', SOURCE_DEGRADED, 60); /* it works again, if not well */
    answer_all(w);
    assert_string_equal(durable, "lost a +30;found a +60;");
}

static void test_downtime_of_the_daemon(void **state)
{
    struct world *w = *state;

    downtime_from = BEGIN - 5000;
    begin(w, "a=x b=x c=x", "ab");
    is(w, 'a', SOURCE_WELL, 10);
    is(w, 'b', SOURCE_DOWN, 20); /* lost already */
    is(w, 'b', SOURCE_WELL, 30);
    answer_all(w);
    assert_string_equal(durable, "lost a -5000;lost b -5000;found a +10;found b +30;");
}

/* Edges of one input never stand in the wrong order, whatever the clock does. */
static void test_clock_set_back(void **state)
{
    struct world *w = *state;

    begin(w, "a=x", "a");
    is(w, 'a', SOURCE_DOWN, 5000);
    is(w, 'a', SOURCE_WELL, 1000);
    is(w, 'a', SOURCE_DOWN, 2000);
    answer_all(w);
    assert_string_equal(durable, "lost a +5000;found a +5001;lost a +5002;");
}

/* A ledger that fails or is full: every edge comes in the end, once, in order. */
static void test_ledger_fails(void **state)
{
    struct world *w = *state;

    begin(w, "a=x", "a");
    refuses = true;
    is(w, 'a', SOURCE_DOWN, 10);
    is(w, 'a', SOURCE_WELL, 20);
    refuses = false;
    is(w, 'a', SOURCE_DOWN, 30);
    assert_int_equal(asked_count, 1);
    answer(-ENOSPC);
    turn(w);
    assert_string_equal(durable, "");
    is(w, 'a', SOURCE_WELL, 40);
    answer_all(w);
    assert_string_equal(durable, "lost a +10;found a +20;lost a +30;found a +40;");
}

/* Nothing comes and goes but time: it is tried again. */
static void test_tries_again_by_itself(void **state)
{
    struct world *w = *state;

    begin(w, "a=x", "a");
    is(w, 'a', SOURCE_DOWN, 10);
    answer(-ENOSPC);
    for (int i = 0; i < 300 && asked_count == 0; i++) {
        uv_run(&w->loop, UV_RUN_NOWAIT);
        uv_sleep(10);
    }
    answer_all(w);
    assert_string_equal(durable, "lost a +10;");
}

static void test_gone_while_lost(void **state)
{
    struct world *w = *state;

    begin(w, "a=x b=x", "ab");
    is(w, 'a', SOURCE_DOWN, 10);
    is(w, 'b', SOURCE_DOWN, 20);
    w->clock.wall_ms = BEGIN + 30;
    apply(w, "b=x", "b");
    w->clock.wall_ms = BEGIN + 40;
    apply(w, "b=x", ""); /* still there, but nobody depends on it */
    answer_all(w);
    assert_string_equal(durable, "lost a +10;lost b +20;found a +30;found b +40;");
    assert_int_equal(sources_count(w->sources), 1);
}

static void test_switched_off_is_lost(void **state)
{
    struct world *w = *state;

    begin(w, "a=x", "a");
    is(w, 'a', SOURCE_WELL, 10);
    w->clock.wall_ms = BEGIN + 20;
    apply(w, "a=x!", "a");
    assert_null(toys[0]);
    w->clock.wall_ms = BEGIN + 30;
    apply(w, "a=x", "a");
    is(w, 'a', SOURCE_WELL, 40);
    answer_all(w);
    assert_string_equal(durable, "lost a +20;found a +40;");
}

static void test_restarts_only_what_changed(void **state)
{
    struct world *w = *state;
    struct source *b;

    begin(w, "a=x b=x", "");
    b = toys[1];
    assert_string_equal(toys[0]->cursor, "old");
    assert_int_equal(created, 2);
    apply(w, "a=y b=x c=x", "");
    assert_int_equal(stopped_count, 1);
    assert_int_equal(created, 4);
    assert_ptr_equal(toys[1], b);
    assert_string_equal(toys[0]->text, "y");
    assert_string_equal(sources_view(w->sources, 2).name, "c");
}

static void on_batch(struct batch *batch, int status, const struct err *why)
{
    struct source *s = batch->arg;

    (void)why;
    assert_int_equal(status, 0);
    assert_int_equal(batch->lines[0].result, LINE_QUARANTINED);
    assert_string_equal(batch->lines[0].reason, "site: too long");
    s->batch_in_house = false;
    if (s->stopped)
        uv_close((uv_handle_t *)&s->timer, on_toy_closed);
}

/* A changed input is restarted once its batch is durable, with the cursor that came with it. */
static void test_batch_before_restart(void **state)
{
    struct world *w = *state;
    char raw[] = "raw";
    struct batch_line line = {
        .bytes = raw, .length = 3, .number = 1, .refusal = "site: too long"
    };
    struct batch batch = { .lines = &line, .count = 1, .cursor = "new", .done = on_batch };

    begin(w, "a=x", "");
    batch.arg = toys[0];
    toys[0]->batch_in_house = true;
    assert_true(toys[0]->env.sink->submit(toys[0]->env.house, &batch));
    apply(w, "a=y", "");
    apply(w, "a=z", "");
    assert_string_equal(toys[0]->text, "x");
    assert_string_equal(sources_view(w->sources, 0).cursor, "old");
    answer_all(w);
    assert_string_equal(toys[0]->text, "z");
    assert_string_equal(toys[0]->cursor, "new");
    assert_int_equal(sources_view(w->sources, 0).counts->quarantined, 1);
    assert_int_equal(created, 2);
}

static void test_full_house(void **state)
{
    struct world *w = *state;
    char raw[] = "raw";
    struct batch_line line = {
        .bytes = raw, .length = 3, .number = 1, .refusal = "site: too long"
    };
    struct batch batch = { .lines = &line, .count = 1, .done = on_batch };

    begin(w, "a=x b=x", "");
    refuses = true;
    assert_false(toys[0]->env.sink->submit(toys[0]->env.house, &batch));
    refuses = false;
    /* Another's batch makes room; then whoever was refused is told. */
    batch.arg = toys[1];
    toys[1]->batch_in_house = true;
    assert_true(toys[1]->env.sink->submit(toys[1]->env.house, &batch));
    answer_all(w);
    assert_int_equal(resumed, 1);
}

static void test_poll(void **state)
{
    struct world *w = *state;

    begin(w, "a=x b=x! c=broken", "c");
    assert_int_equal(sources_poll(w->sources, "a"), 1);
    assert_int_equal(sources_poll(w->sources, "b"), 0);
    assert_int_equal(sources_poll(w->sources, "c"), 0);
    assert_int_equal(sources_poll(w->sources, "d"), -ENOENT);
    assert_int_equal(polled, 1);
    assert_int_equal(sources_view(w->sources, 2).health->state, SOURCE_DOWN);
    assert_string_equal(sources_view(w->sources, 2).health->why,
                        "cannot be started: too many open files");
    answer_all(w);
    assert_string_equal(durable, "lost c +0;");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_lost_and_found),
        CASE(test_why_a_unit_is_not_well),
        CASE(test_down_from_the_start),
        CASE(test_downtime_of_the_daemon),
        CASE(test_clock_set_back),
        CASE(test_ledger_fails),
        CASE(test_tries_again_by_itself),
        CASE(test_gone_while_lost),
        CASE(test_switched_off_is_lost),
        CASE(test_restarts_only_what_changed),
        CASE(test_batch_before_restart),
        CASE(test_full_house),
        CASE(test_poll),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
