/* The slots of the bench, and what makes their sessions durable; see bench.h.
 *
 * One submission of a slot is on its way at a time:
 *
 *     start   <kind>.opened  + the session as it begins    fails: there was no session
 *     cancel                   how it ended                fails: it goes on
 *     settle  <kind>.settled + how it ended                fails: again, a second later
 *     resume                   the later deadline          fails: again, a second later
 *
 * The timer runs only while a session does. */
#include "bench/bench_private.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "config/conf_read.h"
#include "ledger/ledger.h"

enum { TICK_MS = 250, STORE_AGAIN_MS = 1000 };

void slot_cursor_name(char to[SOURCE_SIZE], const struct slot *slot)
{
    (void)snprintf(to, SOURCE_SIZE, "bench/%s", slot->name); /* a source's name has no slash */
}

static struct slot *find(const struct bench *b, const char *name)
{
    for (size_t i = 0; i < b->slot_count; i++) {
        if (strcmp(b->slots[i]->name, name) == 0)
            return b->slots[i];
    }
    return NULL;
}

static const struct conf_slot *find_conf(const struct conf *conf, const char *name)
{
    for (size_t i = 0; i < conf->slot_count; i++) {
        if (strcmp(conf->slots[i].name, name) == 0)
            return &conf->slots[i];
    }
    return NULL;
}

static bool is_busy(const struct slot *slot)
{
    return slot->now.state != SESSION_NONE || slot->submission || slot->act.under_way ||
           slot->store_again_ms;
}

static void on_tick(uv_timer_t *timer)
{
    bench_look(timer->data);
}

/* Runs the timer while anything is to be done. */
static void set_timer(struct bench *b)
{
    bool busy = false;

    for (size_t i = 0; i < b->slot_count; i++)
        busy = busy || is_busy(b->slots[i]);
    if (b->stopping)
        return;
    if (!busy)
        uv_timer_stop(&b->timer);
    else if (!uv_is_active((uv_handle_t *)&b->timer))
        uv_timer_start(&b->timer, on_tick, TICK_MS, TICK_MS);
}

static void destroy_slot(struct slot *slot)
{
    session_finish(&slot->now);
    session_finish(&slot->last);
    text_buffer_finish(&slot->outcome);
    free(slot);
}

/* --- What must be durable */

/* One line for the journal. */
static void tell(const struct slot *slot, const struct session *s, const char *what)
{
    char ticket[TICKET_SIZE * 2], reason[REASON_SIZE * 2];

    log_notice("bench: slot %s: %s %s: %s%s%s", slot->name, s->kind,
               text_quote(ticket, sizeof ticket, s->ticket, strlen(s->ticket)), what,
               s->reason[0] ? ": " : "",
               s->reason[0] ? text_quote(reason, sizeof reason, s->reason, strlen(s->reason))
                            : "");
}

/* The session is over, and durably so. */
static void close_session(struct slot *slot)
{
    session_finish(&slot->last);
    slot->last = slot->now;
    slot->last.state = SESSION_NONE;
    slot->now = (struct session){ 0 };
    text_buffer_finish(&slot->outcome);
    tell(slot, &slot->last, show_end_name(slot->last.end));
}

static void warn_of_quarantine(const struct slot *slot, const struct submission *s)
{
    char ticket[TICKET_SIZE * 2];

    if (submission_line(s, 0)->result == LINE_QUARANTINED)
        log_warning("bench: slot %s: %s %s was settled, but its event is in quarantine: %s; see "
                    "kpictl quarantine", slot->name, slot->now.kind,
                    text_quote(ticket, sizeof ticket, slot->now.ticket, strlen(slot->now.ticket)),
                    submission_line(s, 0)->reject.reason);
}

static void on_stored(struct slot *slot, const struct submission *s)
{
    switch (slot->storing) {
    case STORE_START:
        slot->now.state = SESSION_RUNNING;
        break;
    case STORE_SETTLE:
        warn_of_quarantine(slot, s);
        close_session(slot);
        break;
    case STORE_CANCEL:
        close_session(slot);
        break;
    case STORE_RESUME:
        break;
    }
}

static void on_not_stored(struct slot *slot)
{
    switch (slot->storing) {
    case STORE_START:
        session_finish(&slot->now);
        break;
    case STORE_CANCEL:
        slot->now.end = END_NONE;
        slot->now.reason[0] = '\0';
        break;
    case STORE_SETTLE:
    case STORE_RESUME:
        slot->store_again_ms = clock_monotonic(slot->bench->house.clock) + STORE_AGAIN_MS;
        break;
    }
}

static void on_submitted(struct submission *submission, const struct submission_result *result,
                         void *arg)
{
    struct slot *slot = arg;
    bench_done *done = slot->done;

    slot->submission = NULL;
    slot->done = NULL;
    if (result->status == 0)
        on_stored(slot, submission);
    else
        on_not_stored(slot);
    submission_destroy(submission);
    set_timer(slot->bench);
    if (done)
        done(slot->done_arg, result->status, &result->err);
    session_look(slot);
}

/* Sends `event` (may be NULL) and what is durable of the slot. False: the house is full. */
static bool store(struct slot *slot, enum storing what, const struct text_buffer *event)
{
    const struct bench *b = slot->bench;
    char name[SOURCE_SIZE];
    char *saved = save_write(slot);
    bool sent;

    assert(!slot->submission);
    slot->storing = what;
    slot_cursor_name(name, slot);
    slot->submission = submission_create(b->house.intake, b->conf->bench_source, NULL);
    if (event)
        submission_add(slot->submission, event->bytes, event->length, 1, NULL);
    sent = submission_send(slot->submission, name, saved, on_submitted, slot);
    free(saved);
    if (!sent) {
        submission_destroy(slot->submission);
        slot->submission = NULL;
    }
    return sent;
}

/* The outcome, or the later deadline of a session that was taken up. */
static void store_again(struct slot *slot)
{
    bool settles = slot->now.state == SESSION_ENDING;

    slot->store_again_ms = 0;
    if (!store(slot, settles ? STORE_SETTLE : STORE_RESUME, settles ? &slot->outcome : NULL))
        slot->store_again_ms = clock_monotonic(slot->bench->house.clock) + STORE_AGAIN_MS;
}

void slot_settle(struct slot *slot)
{
    slot->now.state = SESSION_ENDING;
    event_settled(&slot->outcome, slot); /* what was read at the end, however often it is sent */
    if (slot->submission) /* the later deadline is on its way: it makes room for this */
        slot->store_again_ms = clock_monotonic(slot->bench->house.clock);
    else
        store_again(slot);
}

/* --- Beginning and cancelling */

static int check_request(const struct slot *slot, struct err *err)
{
    struct text_buffer json = { 0 };
    struct event event;
    struct reject reject;
    bool well;

    if (strcmp(slot->now.kind, "install") != 0 && strcmp(slot->now.kind, "repair") != 0)
        return err_set(err, -EINVAL, "kind: write \"install\" or \"repair\"");
    event_opened(&json, slot);
    well = event_parse(json.bytes, json.length, &slot->bench->conf->rules, &event, &reject);
    text_buffer_finish(&json);
    return well ? 0 : err_set(err, -EINVAL, "%s", reject.reason);
}

/* Each text of the request into the session; -EINVAL if one is too long for the law. */
static int take_request(struct session *s, const struct bench_request *r, struct err *err)
{
    const struct {
        const char *name, *from;
        char *to;
        size_t size;
    } members[] = {
        { "ticket", r->ticket, s->ticket, sizeof s->ticket },
        { "kind", r->kind, s->kind, sizeof s->kind },
        { "staff", r->staff, s->staff, sizeof s->staff },
        { "vehicle", r->vehicle, s->vehicle, sizeof s->vehicle },
        { "device", r->device, s->device, sizeof s->device },
        { "model", r->model, s->model, sizeof s->model },
        { "by", r->by, s->by, sizeof s->by },
    };

    for (size_t i = 0; i < LENGTH(members); i++) {
        if (!text_copy(members[i].to, members[i].size, members[i].from, strlen(members[i].from)))
            return err_set(err, -EINVAL, "%s: longer than %zu bytes", members[i].name,
                           members[i].size - 1);
    }
    return 0;
}

static int refuse_busy(const struct slot *slot, struct err *err)
{
    const struct session *s = &slot->now;

    if (s->state == SESSION_NONE)
        return err_set(err, -EBUSY, "slot %s is not free: its device still does what the last "
                       "session asked for", slot->name);
    return err_set(err, -EBUSY, "slot %s has %s %s, begun by %s%s", slot->name, s->kind, s->ticket,
                   s->by, s->state == SESSION_ENDING ? ", whose outcome is being written" : "");
}

static int no_such_slot(const struct bench *b, const char *name, struct err *err)
{
    const char **names = mem_realloc_array(NULL, b->slot_count + 1, sizeof *names);
    char hint[CONF_HINT_SIZE];

    for (size_t i = 0; i < b->slot_count; i++)
        names[i] = b->slots[i]->name;
    names[b->slot_count] = NULL;
    conf_hint(hint, name, names);
    free(names);
    return err_set(err, -ENOENT, "no slot \"%.64s\": %s", name, hint);
}

static int full(struct err *err)
{
    return err_set(err, -EAGAIN, "more waits to be written than the daemon may hold");
}

/* The session as it begins, or why not. */
static int fill_session(struct slot *slot, const struct bench_request *request, struct err *err)
{
    const struct bench *b = slot->bench;
    const struct conf_slot *conf = find_conf(b->conf, slot->name);
    struct session *s = &slot->now;
    const struct conf_profile *profile;
    int64_t now_ms = clock_monotonic(b->house.clock);
    int rc;

    rc = take_request(s, request, err);
    if (rc < 0)
        return rc;
    profile = conf ? profile_for(b->conf, conf, s->model, err) : NULL;
    if (!profile)
        return conf ? -EINVAL : no_such_slot(b, slot->name, err);
    s->state = SESSION_STARTING;
    s->started_at = clock_wall(b->house.clock);
    s->deadline_at = s->started_at + profile->timeout_ms;
    s->deadline_ms = now_ms + profile->timeout_ms;
    session_init_checks(s, profile, now_ms, s->started_at);
    return check_request(slot, err);
}

int bench_start(struct bench *b, const char *name, const struct bench_request *request,
                bench_done *done, void *arg, struct err *err)
{
    struct slot *slot = find(b, name);
    struct text_buffer event = { 0 };
    int rc;

    if (!slot || !slot->configured)
        return no_such_slot(b, name, err);
    if (is_busy(slot))
        return refuse_busy(slot, err);
    if (b->stopping)
        return full(err);
    rc = fill_session(slot, request, err);
    if (rc == 0) {
        event_opened(&event, slot);
        rc = store(slot, STORE_START, &event) ? 0 : full(err);
        text_buffer_finish(&event);
    }
    if (rc < 0) {
        session_finish(&slot->now);
        return rc;
    }
    memset(slot->silent_ms, 0, sizeof slot->silent_ms);
    slot->done = done;
    slot->done_arg = arg;
    set_timer(b);
    return 0;
}

int bench_cancel(struct bench *b, const char *name, const char *by, bench_done *done, void *arg,
                 struct err *err)
{
    struct slot *slot = find(b, name);
    struct session *s;

    if (!slot)
        return no_such_slot(b, name, err);
    s = &slot->now;
    if (s->state == SESSION_NONE)
        return err_set(err, -ENODATA, "slot %s has no session", name);
    if (s->state != SESSION_RUNNING || slot->submission)
        return err_set(err, -EBUSY, "the session of slot %s is being written: ask again", name);
    s->end = END_CANCELLED;
    s->ended_at = clock_wall(b->house.clock);
    (void)snprintf(s->ended_by, sizeof s->ended_by, "%s", by);
    (void)snprintf(s->reason, sizeof s->reason, "cancelled by %s", s->ended_by);
    if (b->stopping || !store(slot, STORE_CANCEL, NULL)) {
        s->end = END_NONE;
        s->reason[0] = '\0';
        return full(err);
    }
    slot->store_again_ms = 0; /* a later deadline needs no writing any more */
    slot->done = done;
    slot->done_arg = arg;
    return 0;
}

/* --- Slots as configured */

/* By name; if it is no more, the slot's own. */
static const struct conf_profile *find_profile(const struct conf *conf,
                                               const struct conf_slot *slot, const char *name)
{
    for (size_t i = 0; i < conf->profile_count; i++) {
        if (strcmp(conf->profiles[i].name, name) == 0)
            return &conf->profiles[i];
    }
    return &conf->profiles[slot->profile];
}

/* A session that was under way when the slot was last watched, at `from` or at its beginning: the
 * time until now was nobody's, and does not count against who waits at the bench. */
static void resume(struct slot *slot, const struct conf_slot *conf, int64_t from)
{
    const struct bench *b = slot->bench;
    struct session *s = &slot->now;
    const struct conf_profile *profile;
    int64_t now_ms = clock_monotonic(b->house.clock), now_at = clock_wall(b->house.clock);
    int64_t outage, left;

    if (from < s->started_at)
        from = s->started_at;
    outage = now_at > from ? now_at - from : 0;
    s->outage_ms += outage;
    s->deadline_at += outage;
    profile = find_profile(b->conf, conf, s->profile);
    left = s->deadline_at - now_at;
    if (left > profile->timeout_ms) /* the clock was set back */
        left = profile->timeout_ms;
    s->deadline_ms = now_ms + (left > 0 ? left : 0);
    session_init_checks(s, profile, now_ms, now_at);
    tell(slot, s, "goes on after a restart");
    slot->store_again_ms = now_ms;
}

static void load(struct slot *slot, const struct conf_slot *conf, int64_t watched_until)
{
    char name[SOURCE_SIZE];
    char *saved;

    slot_cursor_name(name, slot);
    saved = ledger_cursor(slot->bench->house.ledger, name);
    if (saved && !save_read(slot, saved))
        log_warning("bench: slot %s: what the ledger holds of it cannot be read: it begins empty",
                    slot->name);
    free(saved);
    if (slot->now.state == SESSION_RUNNING)
        resume(slot, conf, watched_until);
}

static struct slot *add_slot(struct bench *b, const struct conf_slot *conf)
{
    struct slot *slot = mem_zalloc(sizeof *slot);

    slot->bench = b;
    text_set(slot->name, sizeof slot->name, conf->name);
    memcpy(slot->units, conf->units, sizeof slot->units);
    slot->configured = true;
    b->slots = mem_realloc_array(b->slots, b->slot_count + 1, sizeof(struct slot *));
    b->slots[b->slot_count++] = slot;
    return slot;
}

static void forget_slot(struct bench *b, size_t i)
{
    destroy_slot(b->slots[i]);
    memmove(&b->slots[i], &b->slots[i + 1], (b->slot_count - i - 1) * sizeof(struct slot *));
    b->slot_count--;
}

/* Those that are no longer configured go when nothing of theirs is under way. */
static void forget_idle(struct bench *b)
{
    for (size_t i = b->slot_count; i-- > 0;) {
        struct slot *slot = b->slots[i];
        const struct conf_slot *conf = find_conf(b->conf, slot->name);

        slot->configured = conf != NULL;
        if (is_busy(slot))
            continue;
        if (conf)
            memcpy(slot->units, conf->units, sizeof slot->units);
        else
            forget_slot(b, i);
    }
}

void bench_look(struct bench *b)
{
    int64_t now = clock_monotonic(b->house.clock);

    for (size_t i = 0; i < b->slot_count; i++) {
        struct slot *slot = b->slots[i];

        if (slot->store_again_ms && now >= slot->store_again_ms && !slot->submission)
            store_again(slot);
        session_look(slot);
    }
    forget_idle(b);
    set_timer(b);
}

static void on_readings(void *arg, const char *source, const char *unit)
{
    const struct bench *b = arg;

    (void)unit; /* one call may be for several units of a source */
    for (size_t i = 0; i < b->slot_count; i++) {
        struct slot *slot = b->slots[i];

        if (slot->now.state != SESSION_RUNNING)
            continue;
        for (int role = 0; role < BENCH_ROLES; role++) {
            if (strcmp(slot->units[role].source, source) == 0) {
                session_look(slot);
                break;
            }
        }
    }
}

/* --- The whole */

struct bench *bench_create(const struct bench_house *house, const struct conf *conf)
{
    struct bench *b = mem_zalloc(sizeof *b);
    int rc = uv_timer_init(house->loop, &b->timer);

    assert(rc == 0); /* libuv's timers cannot fail to be made */
    b->timer.data = b;
    b->house = *house;
    b->conf = conf;
    for (size_t i = 0; i < conf->slot_count; i++)
        load(add_slot(b, &conf->slots[i]), &conf->slots[i],
             ledger_downtime_from(house->ledger));
    live_listen(house->live, on_readings, b);
    set_timer(b);
    return b;
}

void bench_set_conf(struct bench *b, const struct conf *conf)
{
    b->conf = conf;
    for (size_t i = 0; i < conf->slot_count; i++) {
        if (!find(b, conf->slots[i].name))
            load(add_slot(b, &conf->slots[i]), &conf->slots[i], 0);
    }
    forget_idle(b);
    set_timer(b);
}

static void on_closed(uv_handle_t *handle)
{
    struct bench *b = handle->data;

    b->stopped(b->stopped_arg);
}

void bench_stop(struct bench *b, void (*stopped)(void *arg), void *arg)
{
    b->stopping = true;
    b->stopped = stopped;
    b->stopped_arg = arg;
    live_listen(b->house.live, NULL, NULL);
    uv_close((uv_handle_t *)&b->timer, on_closed);
}

void bench_destroy(struct bench *b)
{
    if (!b)
        return;
    while (b->slot_count > 0)
        forget_slot(b, 0);
    free(b->slots);
    free(b);
}

size_t bench_slot_count(const struct bench *b)
{
    return b->slot_count;
}

const char *bench_slot_name(const struct bench *b, size_t i)
{
    return b->slots[i]->name;
}
