/* The installation bench: sessions that watch the devices of a slot until every check of a profile
 * has held, or the time is over, and settle an install or repair ticket (law 8). Loop thread.
 *
 * A session is durable from the moment its start is acknowledged: it goes on after a restart, with
 * its holds begun anew and with the time added that nobody watched. Its outcome is committed
 * together with its end, so that it is neither lost nor told twice. */
#ifndef KPID_BENCH_BENCH_H
#define KPID_BENCH_BENCH_H

#include "base/text.h"
#include "config/conf.h"
#include "intake.h"
#include "live.h"
#include "sources.h"

struct bench;

/* Borrows all until bench_destroy. */
struct bench_house {
    struct uv_loop_s *loop;
    const struct clock *clock;
    struct live *live; /* the bench is its listener */
    struct intake *intake;
    struct ledger *ledger;
    struct sources *sources;
};

/* Borrows `conf` until the next bench_set_conf has returned. Takes up the sessions that were under
 * way. */
struct bench *bench_create(const struct bench_house *house, const struct conf *conf);
/* A session goes on under the profile and with the devices with which it began, even if its slot
 * is no more. */
void bench_set_conf(struct bench *bench, const struct conf *conf);
/* Looks and acts no more, but still takes answers; then calls `stopped`. Before the sources stop;
 * destroy after they and the ledger have answered everything. */
void bench_stop(struct bench *bench, void (*stopped)(void *arg), void *arg);
void bench_destroy(struct bench *bench);

/* What a session is about; "" where nothing is said. Borrows for the call. */
struct bench_request {
    const char *ticket, *kind;
    const char *staff, *vehicle, *device, *model;
    const char *by; /* who asks */
};

/* `done` comes later: status 0 once it is durable; or negative errno: nothing was begun. Not from
 * within the call. */
typedef void bench_done(void *arg, int status, const struct err *why);

/* Begins a session and emits <kind>.opened. 0: `done` will be called. Else it will not: -ENOENT no
 * such slot; -EBUSY the slot has a session (of whom, in `err`); -EINVAL the request breaks a rule;
 * -EAGAIN the house is full or stopping. */
int bench_start(struct bench *bench, const char *slot, const struct bench_request *request,
                bench_done *done, void *arg, struct err *err);
/* Ends the slot's session without an outcome: no event. -ENOENT no such slot, -ENODATA no session,
 * -EBUSY it is just beginning or ending, -EAGAIN as above. */
int bench_cancel(struct bench *bench, const char *slot, const char *by, bench_done *done,
                 void *arg, struct err *err);

size_t bench_slot_count(const struct bench *bench);
const char *bench_slot_name(const struct bench *bench, size_t i);

/* Appends the slot as a JSON object: devices with their live readings, the session under way with
 * each check's state, and the last one. Instants in the clocks of `zone`. False: no such slot. */
bool bench_show(const struct bench *bench, const char *slot, const struct zone *zone,
                struct text_buffer *to);

#endif
