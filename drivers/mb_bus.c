/* The thread of one bus; see mb_bus.h.
 *
 * Whose turn it is: an errand whose step is due (somebody waits for it); then the unit and class of
 * points that has been due for longest; then, when no well unit waits, a silent one whose probe is
 * due. On a bus so full that a well unit always waits, one probe follows each round of them. So a
 * dead unit costs one time-out at a time, ever more rarely, and its neighbours keep their rate.
 *
 * The line: while it cannot be opened nothing else is tried; each try waits longer, up to the cap,
 * and a nudge (hot-plug, a person) starts over. */
#include "mb_bus.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backoff.h"
#include "base/mailbox.h"
#include "base/mem.h"
#include "mb_errand.h"
#include "mb_unit.h"

enum { INBOX_SIZE = 64, OUTBOX_SIZE = 512, OUTBOX_RESERVE = 64 };
enum { FIRST_REOPEN_MS = 500, LONGEST_WAIT_MS = 60000, COUNTS_EVERY_MS = 5000, WAKE_EVERY_MS = 10 };

struct mb_bus {
    const struct mb_setup *setup;
    const struct clock *clock;
    struct mailbox *inbox;  /* struct mb_errand *, or one of those below */
    struct mailbox *outbox; /* struct mb_report * */
    void (*wake)(void *arg);
    void *arg;
    pthread_t thread;
    bool is_started; /* loop thread */
    atomic_bool has_ended;

    /* The bus thread's, once it runs. */
    struct mb_link *link;
    struct mb_unit *units;
    struct mb_errand *errands[MB_ERRANDS_MAX];
    size_t errand_count;
    struct mb_counts counts;
    size_t posted;    /* reports since the loop was last woken ... */
    int64_t woken_at; /* ... then */
    int64_t began_at, counts_at;
    bool was_open, was_said;
    struct backoff reopen;
    int64_t reopen_at;
    size_t polls_since_probe;
};

static char nudge, line_there, line_gone; /* their addresses are the messages */

void mb_report_free(struct mb_report *report)
{
    if (report)
        mb_errand_destroy(report->errand);
    free(report);
}

static const struct {
    const char *text, *mend;
} silences[] = {
    [MB_SILENCE_NOTHING] = { "does not answer", "check power, wiring and id" },
    [MB_SILENCE_GATEWAY] = { "does not answer, as the gateway says", "check power, wiring and id" },
    [MB_SILENCE_DAMAGED] = { "is heard, but damaged",
                             "check wiring, termination, baud, parity and ids, and who babbles" },
    [MB_SILENCE_STRAY] = { "is silent while another unit answers",
                           "check the ids, and who else is on the line" },
    [MB_SILENCE_LATE] = { "answers later than its timeout", "raise timeout" },
    [MB_SILENCE_HALF] = { "sends half an answer",
                          "check its power and wiring; if a serial server cuts frames, raise idle" },
};

bool mb_block_holds(const struct mb_block *block, const struct mb_point *point)
{
    return point->function == block->function && point->address >= block->address &&
           point->address + mb_point_width(point) <= (uint32_t)block->address + block->count &&
           (block->exception == 0 || point->poll == block->poll);
}

bool mb_exception_is_about_map(int exception)
{
    return exception == MB_ILLEGAL_FUNCTION || exception == MB_ILLEGAL_ADDRESS ||
           exception == MB_ILLEGAL_VALUE;
}

const char *mb_silence_text(enum mb_silence silence)
{
    return silences[silence].text;
}

const char *mb_silence_mend(enum mb_silence silence)
{
    return silences[silence].mend;
}

static int64_t now_of(const struct mb_bus *bus)
{
    return clock_monotonic(bus->clock);
}

/* --- Reports */

/* A report of a unit or the line is followed by a newer one: where the loop is so late that the
 * mailbox is full, it is dropped. */
static void post(struct mb_bus *bus, struct mb_report *report)
{
    if (mailbox_length(bus->outbox) + OUTBOX_RESERVE >= OUTBOX_SIZE ||
        !mailbox_put(bus->outbox, report))
        mb_report_free(report);
    else
        bus->posted++;
}

/* The loop is not woken for each report of a busy bus, but before the bus rests, and every few
 * milliseconds. */
static void wake_loop(struct mb_bus *bus, bool is_resting)
{
    int64_t now;

    if (bus->posted == 0)
        return;
    now = now_of(bus);
    if (!is_resting && bus->posted < OUTBOX_SIZE / 4 && now - bus->woken_at < WAKE_EVERY_MS)
        return;
    bus->posted = 0;
    bus->woken_at = now;
    bus->wake(bus->arg);
}

static void report_line(struct mb_bus *bus, bool is_open, const char *why)
{
    struct mb_report *r = mem_zalloc(sizeof *r);

    r->kind = MB_REPORT_LINE;
    r->is_open = is_open;
    r->at = clock_wall(bus->clock);
    r->counts = bus->counts;
    if (!is_open)
        r->next_attempt_at = r->at + (bus->reopen_at - now_of(bus));
    snprintf(r->why, sizeof r->why, "%s", why);
    bus->was_said = true;
    bus->counts_at = now_of(bus) + COUNTS_EVERY_MS;
    post(bus, r);
}

/* Somebody waits for each errand: there is room for all that may be under way. */
static void report_errand(struct mb_bus *bus, struct mb_errand *errand)
{
    struct mb_report *r = mem_zalloc(sizeof *r);
    bool taken;

    r->kind = MB_REPORT_ERRAND;
    r->errand = errand;
    taken = mailbox_put(bus->outbox, r);
    assert(taken);
    bus->posted++;
}

/* --- The line */

static void line_failed(struct mb_bus *bus, const char *why)
{
    bus->was_open = false;
    bus->reopen_at = now_of(bus) + backoff_next(&bus->reopen, 0);
    report_line(bus, false, why);
}

static void all_due(struct mb_bus *bus, bool is_new_line)
{
    for (size_t i = 0; i < bus->setup->unit_count; i++) {
        struct mb_unit *u = &bus->units[i];

        backoff_reset(&u->backoff);
        if (is_new_line)
            u->quiet_until = 0;
        u->probe_at = u->quiet_until > now_of(bus) ? u->quiet_until : now_of(bus);
        for (int poll = 0; poll < MB_POLLS; poll++)
            if (u->due[poll] != INT64_MAX)
                u->due[poll] = now_of(bus);
    }
}

/* True if there is a line to ask on. */
static bool hold_line(struct mb_bus *bus)
{
    struct err err;

    if (bus->was_open)
        return true;
    if (now_of(bus) < bus->reopen_at)
        return false;
    if (mb_link_open(bus->link, &err) < 0) {
        line_failed(bus, err.text);
        return false;
    }
    bus->was_open = true;
    bus->counts.opened++;
    backoff_reset(&bus->reopen);
    all_due(bus, true);
    report_line(bus, true, "");
    return true;
}

/* --- Turns */

struct turn {
    size_t unit;
    enum mb_poll poll;
    int64_t due;
};

static struct turn next_poll(const struct mb_bus *bus)
{
    struct turn best = { .due = INT64_MAX };

    for (size_t i = 0; i < bus->setup->unit_count; i++) {
        const struct mb_unit *u = &bus->units[i];

        for (int poll = 0; poll < MB_POLLS; poll++) {
            int64_t due = u->due[poll] > u->quiet_until ? u->due[poll] : u->quiet_until;

            if (u->state != MB_UNIT_SILENT && due < best.due)
                best = (struct turn){ i, (enum mb_poll)poll, due };
        }
    }
    return best;
}

static struct turn next_probe(const struct mb_bus *bus)
{
    struct turn best = { .due = INT64_MAX };

    for (size_t i = 0; i < bus->setup->unit_count; i++) {
        const struct mb_unit *u = &bus->units[i];

        if (u->state == MB_UNIT_SILENT && u->probe_at < best.due)
            best = (struct turn){ i, MB_NORMAL, u->probe_at };
    }
    /* Any class serves to see whether somebody is there; some maps have no normal point. */
    while (best.due < INT64_MAX && bus->units[best.unit].due[best.poll] == INT64_MAX &&
           best.poll < MB_SLOW)
        best.poll++;
    return best;
}

static size_t well_units(const struct mb_bus *bus)
{
    size_t count = 0;

    for (size_t i = 0; i < bus->setup->unit_count; i++)
        count += bus->units[i].state != MB_UNIT_SILENT;
    return count;
}

/* The next time of that class: no drift, each unit at its own place within the interval, and what
 * was missed is counted and skipped. */
static void set_due(struct mb_bus *bus, size_t unit, enum mb_poll poll, int64_t was_due)
{
    struct mb_unit *u = &bus->units[unit];
    int64_t interval = bus->setup->interval_ms[poll], now = now_of(bus);
    int64_t phase = interval * (int64_t)unit / (int64_t)bus->setup->unit_count;
    int64_t due = was_due + interval;

    if ((due - bus->began_at - phase) % interval != 0) /* the first: from now on in step */
        due = now + interval - (now - bus->began_at - phase + interval) % interval;
    if (due <= now - interval) {
        bus->counts.missed += (uint64_t)((now - due) / interval);
        due += (now - due) / interval * interval;
    }
    u->due[poll] = due;
}

static void take_turn(struct mb_bus *bus, const struct turn *turn)
{
    struct mb_unit *u = &bus->units[turn->unit];
    bool was_silent = u->state == MB_UNIT_SILENT;
    struct mb_report *report;

    bus->polls_since_probe = was_silent ? 0 : bus->polls_since_probe + 1;
    if (mb_unit_poll(u, turn->poll, was_silent, &report) == MB_GONE) {
        line_failed(bus, mb_link_why(bus->link));
        return;
    }
    if (u->state == MB_UNIT_WELL)
        set_due(bus, turn->unit, turn->poll, turn->due);
    report->unit = turn->unit;
    post(bus, report);
}

/* --- Errands */

static void end_errand(struct mb_bus *bus, size_t i)
{
    struct mb_errand *e = bus->errands[i];
    struct mb_unit *u = &bus->units[e->unit];

    bus->errands[i] = bus->errands[--bus->errand_count];
    for (int poll = 0; poll < MB_POLLS; poll++) /* what it changed is to be seen at once */
        if (u->due[poll] != INT64_MAX && u->state != MB_UNIT_SILENT)
            u->due[poll] = now_of(bus);
    report_errand(bus, e);
}

static void fail_errands(struct mb_bus *bus, int status, const char *why)
{
    while (bus->errand_count > 0) {
        mb_errand_fail(bus->errands[0], status, why);
        end_errand(bus, 0);
    }
}

static int64_t next_step(const struct mb_bus *bus, size_t *ret_errand)
{
    int64_t best = INT64_MAX;

    for (size_t i = 0; i < bus->errand_count; i++)
        if (bus->errands[i]->next_at < best) {
            best = bus->errands[i]->next_at;
            *ret_errand = i;
        }
    return best;
}

static void step_errand(struct mb_bus *bus, size_t i)
{
    struct mb_errand *e = bus->errands[i];
    struct mb_unit *u = &bus->units[e->unit];
    enum mb_result result;
    bool ended;

    if (u->quiet_until > now_of(bus)) {
        e->next_at = u->quiet_until;
        return;
    }
    ended = mb_errand_step(e, u, &result);
    if (ended)
        end_errand(bus, i);
    if (result == MB_GONE)
        line_failed(bus, mb_link_why(bus->link));
}

static void take_message(struct mb_bus *bus, void *message)
{
    if (message == &line_gone && bus->was_open) {
        struct err err;

        mb_link_close(bus->link);
        (void)serial_failure(bus->setup->line.device, ENODEV, &err);
        line_failed(bus, err.text);
    }
    if (message == &nudge || message == &line_there) {
        backoff_reset(&bus->reopen);
        bus->reopen_at = now_of(bus);
    }
    if (message == &nudge)
        all_due(bus, false);
    if (message == &nudge || message == &line_there || message == &line_gone)
        return;
    bus->errands[bus->errand_count++] = message;
}

static void take_all(struct mb_bus *bus, void *message)
{
    for (; message; message = mailbox_take(bus->inbox))
        take_message(bus, message);
}

/* --- The thread */

/* Does what is due; returns how long to wait for more. */
static int64_t go_on(struct mb_bus *bus)
{
    int64_t now, step_at, wait_until;
    struct turn poll, probe;
    size_t errand = 0;

    if (!hold_line(bus)) {
        fail_errands(bus, -ENOTCONN, "the line is down");
        return bus->reopen_at - now_of(bus);
    }
    now = now_of(bus);
    step_at = next_step(bus, &errand);
    poll = next_poll(bus);
    probe = next_probe(bus);
    if (step_at <= now)
        step_errand(bus, errand);
    else if (poll.due <= now && (probe.due > now || bus->polls_since_probe < well_units(bus)))
        take_turn(bus, &poll);
    else if (probe.due <= now)
        take_turn(bus, &probe);
    else {
        wait_until = poll.due < probe.due ? poll.due : probe.due;
        return (step_at < wait_until ? step_at : wait_until) - now;
    }
    return 0;
}

static void *run(void *arg)
{
    struct mb_bus *bus = arg;

    bus->began_at = now_of(bus);
    while (!mailbox_is_closed(bus->inbox)) {
        int64_t wait = go_on(bus);
        void *message;

        if (bus->was_open && now_of(bus) >= bus->counts_at)
            report_line(bus, true, "");
        if (wait > LONGEST_WAIT_MS)
            wait = LONGEST_WAIT_MS;
        wake_loop(bus, wait > 0);
        message = wait > 0 ? mailbox_wait(bus->inbox, wait) : mailbox_take(bus->inbox);
        take_all(bus, message);
    }
    take_all(bus, mailbox_take(bus->inbox));
    fail_errands(bus, -ECANCELED, "the source stops");
    mb_link_close(bus->link);
    atomic_store(&bus->has_ended, true);
    bus->wake(bus->arg);
    return NULL;
}

/* --- For the loop */

struct mb_bus *mb_bus_create(const struct mb_setup *setup, const struct clock *clock,
                             const char *name, void (*wake)(void *arg), void *arg)
{
    struct mb_bus *bus = mem_zalloc(sizeof *bus);

    bus->link = mb_link_create(&setup->line);
    bus->setup = setup;
    bus->clock = clock;
    bus->wake = wake;
    bus->arg = arg;
    bus->inbox = mailbox_create(INBOX_SIZE, NULL, NULL);
    bus->outbox = mailbox_create(OUTBOX_SIZE, NULL, NULL);
    backoff_init(&bus->reopen, FIRST_REOPEN_MS, setup->backoff_max_ms, name);
    bus->units = mem_zalloc((setup->unit_count + 1) * sizeof *bus->units);
    for (size_t i = 0; i < setup->unit_count; i++) {
        struct mb_unit *u = &bus->units[i];

        mb_unit_init(u, setup, i, bus->link, clock, &bus->counts);
        for (int poll = 0; poll < MB_POLLS; poll++)
            u->due[poll] = u->plans[poll].count > 0 ? 0 : INT64_MAX;
    }
    return bus;
}

int mb_bus_start(struct mb_bus *bus, struct err *err)
{
    int rc = pthread_create(&bus->thread, NULL, run, bus);

    if (rc != 0)
        return err_set(err, -rc, "no thread for the bus: %s", strerror(rc));
    bus->is_started = true;
    return 0;
}

struct mb_report *mb_bus_take(struct mb_bus *bus)
{
    return mailbox_take(bus->outbox);
}

int mb_bus_send(struct mb_bus *bus, size_t unit, const struct mb_act *act, struct command *command)
{
    struct mb_errand *e;

    if (!bus->is_started)
        return -ENOTCONN;
    e = mb_errand_create(command, unit, act, now_of(bus) + command->timeout_ms);
    if (mailbox_put(bus->inbox, e))
        return 0;
    mb_errand_destroy(e);
    return -EBUSY;
}

void mb_bus_nudge(struct mb_bus *bus)
{
    (void)mailbox_put(bus->inbox, &nudge); /* a full inbox wakes it as well */
}

void mb_bus_line(struct mb_bus *bus, bool is_there)
{
    (void)mailbox_put(bus->inbox, is_there ? &line_there : &line_gone); /* as above */
}

void mb_bus_stop(struct mb_bus *bus)
{
    mailbox_close(bus->inbox);
    if (!bus->is_started) {
        atomic_store(&bus->has_ended, true);
        bus->wake(bus->arg);
    }
}

bool mb_bus_ended(struct mb_bus *bus)
{
    return atomic_load(&bus->has_ended);
}

void mb_bus_destroy(struct mb_bus *bus)
{
    struct mb_report *report;

    if (!bus)
        return;
    if (bus->is_started)
        (void)pthread_join(bus->thread, NULL); /* it has ended */
    while ((report = mailbox_take(bus->outbox)))
        mb_report_free(report);
    for (size_t i = 0; i < bus->setup->unit_count; i++)
        mb_unit_finish(&bus->units[i]);
    free(bus->units);
    mb_link_destroy(bus->link);
    mailbox_destroy(bus->inbox);
    mailbox_destroy(bus->outbox);
    free(bus);
}
