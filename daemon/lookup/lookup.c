/* Look-ups; see lookup.h.
 *
 *     asked ──> the first source that can be asked ── a position ──────────┐
 *                 │ unknown there, offline, unreachable                    v
 *                 └──> the next one ... ──> none is left ──────────> the verdict
 *                                                                          │ opened, settled
 *                                                                          v
 *                                                            durable ──> answered
 *
 * Opened and settled go into the log together, when the answer is there: a look-up that the end of
 * the daemon cut off was never asked for, and is nobody's failure. */
#include "lookup/lookup.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>
#include <yajl/yajl_tree.h>

#include "base/instant.h"
#include "base/json_out.h"
#include "base/mem.h"
#include "base/text.h"

enum { AT_ONCE_MAX = 64, RETRY_MS = 200, GIVE_UP_MS = 15000 };

/* One look-up under way. */
struct lookup {
    struct lookups *all;
    struct lookup_result result;
    char staff[NAME_SIZE], by[NAME_SIZE];
    struct lookup_point reference;
    bool has_reference;
    char (*sources)[INPUT_SIZE];    /* to ask, in order */
    size_t source_count, next;
    int64_t deadline_ms;            /* monotonic */
    struct command command;
    struct submission *submission;
    uv_timer_t retry;               /* the house was full */
    int64_t give_up_ms;
    lookup_done *done;
    void *arg;
    int status;
    struct err err;
};

struct lookups {
    struct lookups_house house;
    const struct conf *conf;
    size_t under_way;
    uint32_t serial;                /* of this process, to tell those of one millisecond apart */
    bool stopping;
    void (*stopped)(void *arg);
    void *stopped_arg;
};

struct lookups *lookups_create(const struct lookups_house *house, const struct conf *conf)
{
    struct lookups *all = mem_zalloc(sizeof *all);

    all->house = *house;
    all->conf = conf;
    return all;
}

void lookups_set_conf(struct lookups *all, const struct conf *conf)
{
    all->conf = conf;
}

void lookups_destroy(struct lookups *all)
{
    if (all)
        assert(all->under_way == 0);
    free(all);
}

static void stop_if_idle(struct lookups *all)
{
    void (*stopped)(void *arg) = all->stopped;

    if (!all->stopping || all->under_way > 0 || !stopped)
        return;
    all->stopped = NULL;
    stopped(all->stopped_arg);
}

void lookups_stop(struct lookups *all, void (*stopped)(void *arg), void *arg)
{
    all->stopping = true;
    all->stopped = stopped;
    all->stopped_arg = arg;
    stop_if_idle(all);
}

/* --- The end */

static void on_retry_closed(uv_handle_t *handle)
{
    struct lookup *l = handle->data;
    struct lookups *all = l->all;

    free(l->sources);
    free(l);
    all->under_way--;
    stop_if_idle(all);
}

static void end(struct lookup *l, int status, const struct err *why)
{
    l->done(l->arg, status, &l->result, why);
    uv_close((uv_handle_t *)&l->retry, on_retry_closed);
}

static void on_durable(struct submission *submission, const struct submission_result *result,
                       void *arg)
{
    struct lookup *l = arg;
    int status = result->status;
    struct err err = result->err;

    if (status == 0 && result->quarantined > 0)
        status = err_set(&err, -EIO, "the look-up was not recorded: %s",
                         submission_line(submission, 1)->reject.reason);
    submission_destroy(submission);
    l->submission = NULL;
    end(l, status, &err);
}

/* --- Events */

static void begin_event(const struct lookup *l, const char *what, int64_t at,
                        struct text_buffer *to)
{
    char id[TICKET_SIZE + 16], when[INSTANT_SIZE];

    (void)snprintf(id, sizeof id, "%s-%s", l->result.ticket, what);
    text_buffer_adds(to, "{");
    json_out_text(to, "source", l->all->conf->lookup.source);
    json_out_text(to, "id", id);
    text_buffer_addf(to, ",\"type\":\"lookup.%s\"", what);
    json_out_text(to, "at", instant_format(when, at, 0));
    json_out_text(to, "ticket", l->result.ticket);
    json_out_text(to, "vehicle", l->result.vehicle);
    if (l->staff[0])
        json_out_text(to, "staff", l->staff);
}

static void add_point(struct text_buffer *to, const char *key, struct lookup_point p)
{
    json_out_key(to, key);
    text_buffer_addf(to, "{\"lat\":%.6f,\"lon\":%.6f}", p.latitude, p.longitude);
}

static void add_evidence(const struct lookup *l, struct text_buffer *to)
{
    const struct lookup_result *r = &l->result;

    json_out_key(to, "evidence");
    text_buffer_adds(to, "{");
    json_out_text(to, "by", l->by);
    json_out_integer(to, "took_ms", r->answered_at - r->asked_at);
    if (r->source[0])
        json_out_text(to, "source", r->source);
    if (r->finding == FINDING_POSITION) {
        add_point(to, "position", r->position.at);
        json_out_bool(to, "online", r->position.online);
        json_out_bool(to, "fixed", r->position.fixed);
        json_out_instant(to, "fixed_at", r->position.fixed_at, 0);
    }
    if (l->has_reference)
        add_point(to, "reference", l->reference);
    if (r->verdict.distance_m >= 0)
        json_out_integer(to, "distance_m", r->verdict.distance_m);
    text_buffer_adds(to, "}");
}

static void add_line(struct submission *submission, struct text_buffer *json, int64_t number)
{
    text_buffer_adds(json, "}");
    submission_add(submission, json->bytes, json->length, number, NULL);
    text_buffer_finish(json);
}

static struct submission *make_submission(struct lookup *l)
{
    struct submission *submission =
        submission_create(l->all->house.intake, l->all->conf->lookup.source, NULL);
    struct text_buffer json = { 0 };

    begin_event(l, "opened", l->result.asked_at, &json);
    add_line(submission, &json, 1);
    begin_event(l, "settled", l->result.answered_at, &json);
    json_out_text(&json, "outcome", l->result.verdict.success ? "success" : "failure");
    if (l->result.verdict.reason[0])
        json_out_text(&json, "reason", l->result.verdict.reason);
    add_evidence(l, &json);
    add_line(submission, &json, 2);
    return submission;
}

static void record(struct lookup *l);

static void on_retry(uv_timer_t *timer)
{
    record(timer->data);
}

static void record(struct lookup *l)
{
    struct submission *submission = make_submission(l);
    struct err err;

    l->submission = submission;
    if (submission_send(submission, l->all->conf->lookup.source, NULL, on_durable, l))
        return;
    submission_destroy(submission);
    l->submission = NULL;
    if (clock_monotonic(l->all->house.clock) < l->give_up_ms) {
        uv_timer_start(&l->retry, on_retry, RETRY_MS, 0);
        return;
    }
    end(l, err_set(&err, -EAGAIN, "the ledger has no room: the look-up was not recorded"), &err);
}

static void settle(struct lookup *l)
{
    const struct conf_lookup *conf = &l->all->conf->lookup;
    const struct lookup_rules rules = { conf->max_age_ms, conf->max_distance_m };

    l->result.answered_at = clock_wall(l->all->house.clock);
    if (l->result.answered_at < l->result.asked_at)
        l->result.answered_at = l->result.asked_at;     /* the clock was set back meanwhile */
    l->result.verdict = lookup_judge(l->result.finding, &l->result.position,
                                     l->has_reference ? &l->reference : NULL, &rules,
                                     l->result.asked_at);
    l->give_up_ms = clock_monotonic(l->all->house.clock) + GIVE_UP_MS;
    record(l);
}

/* --- Asking */

static double number_at(yajl_val object, const char *name)
{
    const char *path[] = { name, NULL };
    yajl_val value = yajl_tree_get(object, path, yajl_t_number);

    return value ? YAJL_GET_DOUBLE(value) : 0;
}

static int64_t instant_at(yajl_val object, const char *name)
{
    const char *path[] = { name, NULL };
    yajl_val value = yajl_tree_get(object, path, yajl_t_string);
    int64_t at;

    return value && instant_parse(value->u.string, strlen(value->u.string), &at) ? at : 0;
}

/* A source that does not say whether the terminal is online heard it just now. */
static bool flag_at(yajl_val object, const char *name, bool otherwise)
{
    const char *path[] = { name, NULL };
    yajl_val value = yajl_tree_get(object, path, yajl_t_any);

    return value ? YAJL_IS_TRUE(value) : otherwise;
}

/* False: the source's answer is not what command.h promises. */
static bool read_position(const char *json, struct lookup_position *ret)
{
    yajl_val tree = yajl_tree_parse(json, NULL, 0);

    if (!tree || !YAJL_IS_OBJECT(tree)) {
        yajl_tree_free(tree);
        return false;
    }
    *ret = (struct lookup_position){
        .at = { number_at(tree, "latitude"), number_at(tree, "longitude") },
        .online = flag_at(tree, "online", true),
        .fixed = flag_at(tree, "fixed", false),
        .fixed_at = instant_at(tree, "at"),
    };
    yajl_tree_free(tree);
    return true;
}

static enum lookup_finding finding_of(int status)
{
    switch (status) {
    case -ENOENT:
    case -EOPNOTSUPP:       /* a lamp's driver, or a terminal that knows no position query */
        return FINDING_UNKNOWN;
    case -ENOTCONN:
    case -ETIMEDOUT:
    case -EIO:
        return FINDING_OFFLINE;
    case -ENODATA:
        return FINDING_NO_POSITION;
    default:
        return FINDING_UNREACHABLE;
    }
}

static void note(struct lookup *l, enum lookup_finding finding, const char *source)
{
    if (finding <= l->result.finding)
        return;
    l->result.finding = finding;
    text_set(l->result.source, sizeof l->result.source, source);
}

static void ask_next(struct lookup *l);

static void on_answer(struct command *command)
{
    struct lookup *l = command->arg;
    const char *source = l->sources[l->next - 1];
    struct err err;

    if (command->status == -ECANCELED && l->all->stopping) {
        end(l, err_set(&err, -ECANCELED, "kpid stops: the look-up was not recorded"), &err);
        return;
    }
    if (command->status == 0 && read_position(command->result, &l->result.position))
        note(l, FINDING_POSITION, source);
    else
        note(l, command->status == 0 ? FINDING_UNREACHABLE : finding_of(command->status), source);
    if (l->result.finding == FINDING_POSITION)
        settle(l);
    else
        ask_next(l);
}

/* Half of what is left for each but the last, so that a terminal which does not answer leaves time
 * to ask the platform. */
static int64_t time_for_one(const struct lookup *l)
{
    int64_t left = l->deadline_ms - clock_monotonic(l->all->house.clock);
    int64_t share = l->next + 1 < l->source_count ? left / 2 : left;

    return share > 1 ? share : 1;
}

static void ask_next(struct lookup *l)
{
    struct sources *sources = l->all->house.sources;
    struct err err;

    while (l->next < l->source_count) {
        const char *source = l->sources[l->next];
        int rc;

        l->command = (struct command){ .unit = l->result.vehicle,
                                       .verb = COMMAND_LOCATE,
                                       .argument = "",
                                       .timeout_ms = time_for_one(l),
                                       .done = on_answer,
                                       .arg = l };
        l->next++;
        rc = sources_command(sources, source, &l->command, &err);
        if (rc == 0)
            return;
        /* A source that does not run could have known it. */
        note(l, rc == -ENOTCONN ? FINDING_UNREACHABLE : finding_of(rc), source);
    }
    settle(l);
}

/* Those that are named, or every one that runs a driver with acts. */
static void choose_sources(struct lookup *l)
{
    const struct conf *conf = l->all->conf;

    l->sources = mem_zalloc((conf->source_count + conf->lookup.source_count + 1) * INPUT_SIZE);
    for (size_t i = 0; i < conf->lookup.source_count; i++)
        text_set(l->sources[l->source_count++], INPUT_SIZE, conf->lookup.sources[i]);
    if (l->source_count > 0)
        return;
    for (size_t i = 0; i < conf->source_count; i++)
        if (conf->sources[i].driver->command && conf->sources[i].enabled)
            text_set(l->sources[l->source_count++], INPUT_SIZE, conf->sources[i].name);
}

static void on_begin(uv_timer_t *timer)
{
    ask_next(timer->data);
}

static int refuse(const struct lookups *all, const struct lookup_request *r, struct err *err)
{
    if (!r->vehicle[0] || strlen(r->vehicle) >= NAME_SIZE)
        return err_set(err, -EINVAL, "vehicle: 1 to %d bytes are wanted", NAME_SIZE - 1);
    if (strlen(r->staff) >= NAME_SIZE)
        return err_set(err, -EINVAL, "requested_by: at most %d bytes", NAME_SIZE - 1);
    if (!rules_kpi_of_kind(&all->conf->rules, "lookup"))
        return err_set(err, -ENOTSUP, "no KPI counts look-ups: add one with counts = \"lookup\" to "
                       "kpid.conf");
    if (all->stopping || all->under_way >= AT_ONCE_MAX)
        return err_set(err, -EAGAIN, "too many look-ups at a time: try again");
    return 0;
}

int lookup_begin(struct lookups *all, const struct lookup_request *r, lookup_done *done, void *arg,
                 struct err *err)
{
    struct lookup *l;
    int rc = refuse(all, r, err);

    if (rc < 0)
        return rc;
    l = mem_zalloc(sizeof *l);
    l->all = all;
    l->done = done;
    l->arg = arg;
    l->has_reference = r->reference != NULL;
    if (r->reference)
        l->reference = *r->reference;
    text_set(l->result.vehicle, sizeof l->result.vehicle, r->vehicle);
    text_set(l->staff, sizeof l->staff, r->staff);
    (void)snprintf(l->by, sizeof l->by, "%s", r->by);
    l->result.asked_at = clock_wall(all->house.clock);
    l->deadline_ms = clock_monotonic(all->house.clock) + all->conf->lookup.timeout_ms;
    (void)snprintf(l->result.ticket, sizeof l->result.ticket, "%" PRId64 "-%u", l->result.asked_at,
                   ++all->serial);
    choose_sources(l);
    rc = uv_timer_init(all->house.loop, &l->retry);
    assert(rc == 0);        /* libuv's timers cannot fail to be made */
    l->retry.data = l;
    uv_timer_start(&l->retry, on_begin, 0, 0);
    all->under_way++;
    return 0;
}
