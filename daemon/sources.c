/* The inputs that run; see sources.h.
 *
 * An input is a name in the configuration; it outlives the driver's instances that serve it, one
 * after the other, and keeps health, counts and cursor for all of them:
 *
 *     (new) ──> running ── changed ──> stopping ── stopped ──> running (the new section)
 *                  │                      │
 *                  └──── gone ────────────┴──────────────────> (freed)
 *
 * Stopping takes time (a batch is waited for), so an input remembers only what it should be; when
 * the old instance has stopped, whatever the configuration says by then is started.
 *
 * Edges (law 7): after each turn of the loop the inputs' states are compared with what was last
 * told. Down, or switched off, is lost; working again, be it degraded, is found; so is an input
 * that no KPI names any more, or that is gone: a gap must not stay open because nobody is left to
 * close it. */
#include "sources.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/mem.h"
#include "base/text.h"
#include "edges.h"

struct input {
    struct sources *sources;
    char name[INPUT_SIZE];
    const struct conf_source *conf; /* as it should be; NULL: gone */
    const struct driver *driver;    /* of the running instance */
    struct source *source;          /* NULL: none runs */
    bool stopping;                  /* the instance is on its way out */
    bool wants_room;                /* was refused, and is to be told when there is room */
    struct health health;
    struct intake_counts counts;
    int64_t next_attempt_at;
    char *cursor; /* as last committed */

    struct submission *submission; /* the batch in the house */
    struct batch *batch;

    bool watched;    /* a KPI names it */
    bool lost;       /* as last told */
    int64_t edge_at; /* of the last edge; the next must be later */
};

struct sources {
    struct uv_loop_s *loop;
    const struct conf *conf;
    struct intake *intake;
    struct ledger *ledger;
    struct live *live;
    struct conditions *conditions;
    const struct clock *clock;
    struct edges *edges;
    uv_prepare_t turn;
    struct input **inputs; /* by name */
    size_t count;
    bool stopping;
    int open; /* what must still close: edges, `turn` */
    void (*stopped)(void *arg);
    void *stopped_arg;
};

/* --- The house that a driver sees */

static void on_room(void *arg)
{
    struct sources *s = arg;

    edges_flush(s->edges);
    conditions_flush(s->conditions);
    for (size_t i = 0; i < s->count; i++) {
        struct input *in = s->inputs[i];

        if (!in->wants_room || !in->source || in->stopping)
            continue;
        in->wants_room = false;
        in->driver->resume(in->source);
    }
}

static void answer(struct batch_line *line, const struct ledger_line *from)
{
    line->result = from->result;
    if (from->result == LINE_QUARANTINED)
        snprintf(line->reason, sizeof line->reason, "%s", from->reject.reason);
}

static void on_submitted(struct submission *submission, const struct submission_result *result,
                         void *arg)
{
    struct input *in = arg;
    struct batch *batch = in->batch;
    int status = result->status;
    struct err err = { 0 };

    if (status == 0) {
        for (size_t i = 0; i < batch->count; i++)
            answer(&batch->lines[i], submission_line(submission, i));
        if (batch->cursor) {
            free(in->cursor);
            in->cursor = mem_strdup(batch->cursor);
        }
    } else {
        err = result->err;
    }
    in->submission = NULL;
    in->batch = NULL;
    submission_destroy(submission);
    batch->done(batch, status, &err);
}

static bool sink_submit(void *house, struct batch *batch)
{
    struct input *in = house;
    struct submission *submission;

    assert(!in->submission && batch->count <= BATCH_LINES_MAX);
    submission = submission_create(in->sources->intake, in->name, &in->counts);
    for (size_t i = 0; i < batch->count; i++) {
        const struct batch_line *line = &batch->lines[i];

        submission_add(submission, line->bytes, line->length, line->number, line->refusal);
    }
    in->submission = submission;
    in->batch = batch;
    if (submission_send(submission, in->name, batch->cursor, on_submitted, in))
        return true;
    submission_destroy(submission);
    in->submission = NULL;
    in->batch = NULL;
    in->wants_room = true;
    return false;
}

static void sink_next_attempt(void *house, int64_t at)
{
    struct input *in = house;

    in->next_attempt_at = at;
}

static void sink_readings(void *house, const struct reading *readings, size_t count)
{
    struct input *in = house;

    live_put(in->sources->live, in->name, readings, count);
}

static void sink_forget(void *house, const char *unit)
{
    struct input *in = house;

    live_forget(in->sources->live, in->name, unit);
}

static void sink_condition(void *house, const struct condition *condition)
{
    struct input *in = house;

    conditions_take(in->sources->conditions, in->name, condition);
}

static const struct sink sink = { .submit = sink_submit,
                                  .next_attempt = sink_next_attempt,
                                  .readings = sink_readings,
                                  .forget = sink_forget,
                                  .condition = sink_condition };

/* --- Starting and stopping one input */

static const char *credentials_of(const struct conf *conf)
{
    return conf->credentials ? conf->credentials : getenv("CREDENTIALS_DIRECTORY");
}

static void start_input(struct input *in)
{
    struct sources *s = in->sources;
    const struct driver_env env = {
        .name = in->name,
        .loop = s->loop,
        .clock = s->clock,
        .sink = &sink,
        .house = in,
        .health = &in->health,
        .cursor = in->cursor,
        .credentials = credentials_of(s->conf),
        .timezone = s->conf->rules.zone.name,
    };
    struct source *source;
    struct err err;

    health_init(&in->health, in->name, s->clock);
    in->next_attempt_at = 0;
    if (!in->conf->enabled)
        return;
    if (in->conf->driver->create(&source, in->conf->config, &env, &err) < 0) {
        char why[sizeof err.text + 32];

        snprintf(why, sizeof why, "cannot be started: %s", err.text);
        health_is(&in->health, SOURCE_DOWN, why, s->clock);
        return;
    }
    in->driver = in->conf->driver;
    in->source = source;
    in->driver->start(source);
}

static void forget_input(struct input *in);
static void stop_if_last(struct sources *s);

static void on_input_stopped(void *arg)
{
    struct input *in = arg;
    struct sources *s = in->sources;

    assert(!in->submission);
    in->source = NULL;
    in->stopping = false;
    in->wants_room = false;
    live_forget(s->live, in->name, NULL);
    if (!in->conf)
        forget_input(in);
    else if (!s->stopping)
        start_input(in);
    if (s->stopping)
        stop_if_last(s);
}

static void stop_input(struct input *in)
{
    if (in->stopping)
        return;
    in->stopping = true;
    in->driver->stop(in->source, on_input_stopped, in);
}

/* --- The inputs, by name */

static struct input *find_input(const struct sources *s, const char *name)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->inputs[i]->name, name) == 0)
            return s->inputs[i];
    return NULL;
}

static struct input *add_input(struct sources *s, const char *name)
{
    struct input *in = mem_zalloc(sizeof *in);
    size_t at = s->count;

    in->sources = s;
    text_set(in->name, sizeof in->name, name);
    in->cursor = ledger_cursor(s->ledger, name);
    s->inputs = mem_realloc_array(s->inputs, s->count + 1, sizeof(struct input *));
    for (; at > 0 && strcmp(s->inputs[at - 1]->name, name) > 0; at--)
        s->inputs[at] = s->inputs[at - 1];
    s->inputs[at] = in;
    s->count++;
    return in;
}

static void forget_input(struct input *in)
{
    struct sources *s = in->sources;
    size_t i = 0;

    while (s->inputs[i] != in)
        i++;
    memmove(&s->inputs[i], &s->inputs[i + 1], (s->count - i - 1) * sizeof(struct input *));
    s->count--;
    free(in->cursor);
    free(in);
}

/* --- Edges */

static bool is_named(const struct conf *conf, const char *input)
{
    for (size_t i = 0; i < conf->rules.kpi_count; i++)
        for (size_t k = 0; k < conf->rules.kpis[i].source_count; k++)
            if (strcmp(conf->rules.kpis[i].sources[k], input) == 0)
                return true;
    return false;
}

/* The law orders events by their instants: an edge must be later than the one before, even if the
 * clock was set back meanwhile. */
static void tell(struct input *in, bool lost, int64_t at)
{
    if (at <= in->edge_at)
        at = in->edge_at + 1;
    in->edge_at = at;
    in->lost = lost;
    edges_add(in->sources->edges, in->name, lost, at);
}

static bool is_lost(const struct input *in)
{
    return in->health.state == SOURCE_DOWN || !in->conf->enabled;
}

static bool is_found(const struct input *in)
{
    return in->conf->enabled &&
           (in->health.state == SOURCE_WELL || in->health.state == SOURCE_DEGRADED);
}

static void look_at_edge(struct input *in)
{
    int64_t now = clock_wall(in->sources->clock);

    if (!in->conf || !in->watched) {
        if (in->lost)
            tell(in, false, now);
    } else if (!in->lost && is_lost(in)) {
        tell(in, true, in->conf->enabled ? in->health.since : now);
    } else if (in->lost && is_found(in)) {
        tell(in, false, in->health.since);
    }
}

static void on_turn(uv_prepare_t *turn)
{
    struct sources *s = turn->data;

    for (size_t i = 0; i < s->count; i++)
        look_at_edge(s->inputs[i]);
}

/* Nobody watched from the last durable instant until each input is first well. */
static void tell_downtime(struct input *in, int64_t from)
{
    if (in->watched && from > 0)
        tell(in, true, from);
}

/* --- The whole */

static void set_conf(struct input *in, const struct conf_source *conf)
{
    in->conf = conf;
    in->watched = conf && is_named(in->sources->conf, in->name);
}

struct sources *sources_create(struct uv_loop_s *loop, const struct conf *conf,
                               struct intake *intake, struct ledger *ledger, struct live *live,
                               struct conditions *conditions, const struct clock *clock)
{
    struct sources *s = mem_zalloc(sizeof *s);
    int64_t downtime_from = ledger_downtime_from(ledger);
    int rc;

    *s = (struct sources){ .loop = loop,
                           .conf = conf,
                           .intake = intake,
                           .ledger = ledger,
                           .live = live,
                           .conditions = conditions,
                           .clock = clock,
                           .edges = edges_create(loop, intake) };
    rc = uv_prepare_init(loop, &s->turn);
    assert(rc == 0); /* neither can fail */
    s->turn.data = s;
    rc = uv_prepare_start(&s->turn, on_turn);
    assert(rc == 0);
    intake_on_room(intake, on_room, s);
    for (size_t i = 0; i < conf->source_count; i++) {
        struct input *in = add_input(s, conf->sources[i].name);

        set_conf(in, &conf->sources[i]);
        tell_downtime(in, downtime_from);
        start_input(in);
    }
    return s;
}

static const struct conf_source *find_conf(const struct conf *conf, const char *name)
{
    for (size_t i = 0; i < conf->source_count; i++)
        if (strcmp(conf->sources[i].name, name) == 0)
            return &conf->sources[i];
    return NULL;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* What every instance was lent, whatever its own section says. */
static bool surroundings_differ(const struct conf *a, const struct conf *b)
{
    return !same_text(a->rules.zone.name, b->rules.zone.name) ||
           !same_text(credentials_of(a), credentials_of(b));
}

/* Turns one input from what it was told before into what it is told now. */
static void apply_to_input(struct input *in, const struct conf_source *to, bool restart)
{
    const struct conf_source *from = in->conf;

    set_conf(in, to);
    if (!to) {
        look_at_edge(in);
        if (in->source)
            stop_input(in);
        else
            forget_input(in);
    } else if (!from || restart || from->enabled != to->enabled || conf_source_differs(from, to)) {
        if (in->source)
            stop_input(in); /* and start again, once it has */
        else
            start_input(in);
    }
}

void sources_apply(struct sources *s, const struct conf *conf)
{
    bool restart = surroundings_differ(s->conf, conf);

    s->conf = conf;
    for (size_t i = s->count; i-- > 0;) { /* an input may go */
        const struct conf_source *to = find_conf(conf, s->inputs[i]->name);

        if (s->stopping)
            set_conf(s->inputs[i], to);
        else
            apply_to_input(s->inputs[i], to, restart);
    }
    for (size_t i = 0; i < conf->source_count && !s->stopping; i++) {
        struct input *in = find_input(s, conf->sources[i].name);

        if (in)
            continue;
        in = add_input(s, conf->sources[i].name);
        set_conf(in, &conf->sources[i]);
        start_input(in);
    }
}

static void on_part_closed(struct sources *s)
{
    if (--s->open == 0)
        s->stopped(s->stopped_arg);
}

static void on_turn_closed(uv_handle_t *handle)
{
    on_part_closed(handle->data);
}

static void on_edges_stopped(void *arg)
{
    on_part_closed(arg);
}

/* The inputs stop first: their last states may still be edges. */
static void stop_if_last(struct sources *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->inputs[i]->source)
            return;
    if (s->open > 0)
        return;
    s->open = 2;
    intake_off_room(s->intake, on_room, s);
    uv_close((uv_handle_t *)&s->turn, on_turn_closed);
    edges_stop(s->edges, on_edges_stopped, s);
}

void sources_stop(struct sources *s, void (*stopped)(void *arg), void *arg)
{
    s->stopping = true;
    s->stopped = stopped;
    s->stopped_arg = arg;
    for (size_t i = s->count; i-- > 0;)
        if (s->inputs[i]->source)
            stop_input(s->inputs[i]);
    stop_if_last(s);
}

void sources_destroy(struct sources *s)
{
    if (!s)
        return;
    while (s->count > 0)
        forget_input(s->inputs[0]);
    free(s->inputs);
    edges_destroy(s->edges);
    free(s);
}

size_t sources_count(const struct sources *s)
{
    return s->count;
}

struct source_view sources_view(const struct sources *s, size_t i)
{
    const struct input *in = s->inputs[i];

    return (struct source_view){
        .name = in->name,
        .driver = in->conf ? in->conf->driver->name : in->driver->name,
        .mandatory = in->conf && in->conf->mandatory,
        .enabled = in->conf && in->conf->enabled,
        .health = &in->health,
        .counts = &in->counts,
        .next_attempt_at = in->next_attempt_at,
        .cursor = in->cursor,
    };
}

void sources_unit_why(const struct sources *s, size_t i, const char *unit, char why[256])
{
    const struct input *in = s->inputs[i];

    if (in->source && !in->stopping && in->driver->unit_why)
        in->driver->unit_why(in->source, unit, why);
    else
        (void)snprintf(why, 256, "%s", in->health.why);
}

int sources_poll(struct sources *s, const char *name)
{
    struct input *in = find_input(s, name);

    if (!in || !in->conf)
        return -ENOENT;
    if (in->stopping || s->stopping || !in->conf->enabled)
        return 0;
    if (!in->source) { /* it could not be started: try that again */
        start_input(in);
        return in->source != NULL;
    }
    return in->driver->poll_now && in->driver->poll_now(in->source) ? 1 : 0;
}

int sources_command(struct sources *s, const char *name, struct command *command,
                    struct err *err)
{
    struct input *in = find_input(s, name);
    int rc;

    if (!in || !in->conf)
        return err_set(err, -ENOENT, "there is no source %s", name);
    if (!in->source || in->stopping)
        return err_set(err, -ENOTCONN, "source %s does not run: %s", name,
                       in->conf->enabled ? in->health.why : "it is not enabled");
    if (!in->driver->command)
        return err_set(err, -EOPNOTSUPP, "driver %s has no acts: its device only speaks",
                       in->driver->name);
    rc = in->driver->command(in->source, command);
    if (rc == -ENOENT)
        return err_set(err, rc, "source %s has no unit \"%s\"", name, command->unit);
    if (rc == -EINVAL)
        return err_set(err, rc, "source %s: %s does not take \"%s\"", name, command->verb,
                       command->argument);
    if (rc == -EBUSY)
        return err_set(err, rc, "source %s is at another act: ask again when it is done", name);
    return rc < 0 ? err_set(err, rc, "source %s has no act %s", name, command->verb) : 0;
}
