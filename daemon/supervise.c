/* The supervisor's view of the house.
 *
 * The watchdog is fed by a timer of the loop, which proves the loop; with each tick an empty
 * request goes through the ledger, which proves the ledger thread and its disk. A ledger that
 * works on something long (a rebuild after a change of rules) says so by supervise_progress, so
 * that a busy but healthy daemon is not shot. A request that fails is an answer, too: a full disk
 * is a state of the house, and a restart would not mend it. */
#include "supervise.h"

#include <assert.h>
#include <systemd/sd-daemon.h>

#include "base/log.h"

enum { EXTEND_EVERY_MS = 1000, EXTEND_BY_S = 60 };

void supervise_init(struct supervise *s, const struct clock *clock)
{
    *s = (struct supervise){ .clock = clock, .fed = true };
}

void supervise_progress(void *arg, const char *what)
{
    struct supervise *s = arg;
    int64_t now = clock_monotonic(s->clock);
    int64_t last = atomic_load(&s->extended_at);

    atomic_store(&s->progress_at, now);
    if (last && now - last < EXTEND_EVERY_MS)
        return;
    atomic_store(&s->extended_at, now);
    /* Failing to tell is not worth a word: then nobody waits for us either. */
    (void)sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%d000000\nSTATUS=%s", EXTEND_BY_S, what);
}

bool supervise_is_alive(int64_t now, int64_t limit_ms, int64_t asked_at, int64_t progress_at)
{
    int64_t since = progress_at > asked_at ? progress_at : asked_at;

    return !asked_at || now - since < limit_ms;
}

static void on_answer(struct ledger_request *ping)
{
    struct supervise *s = ping->arg;

    s->in_ledger = false;
    s->asked_at = 0;
}

static void ask_ledger(struct supervise *s)
{
    if (!s->asked_at)
        s->asked_at = clock_monotonic(s->clock);
    if (s->in_ledger)
        return;
    s->ping = (struct ledger_request){
        .what = LEDGER_EVENTS, .via = "kpid", .done = on_answer, .arg = s
    };
    s->in_ledger = ledger_submit(s->ledger, &s->ping);
}

static void on_tick(uv_timer_t *timer)
{
    struct supervise *s = timer->data;
    bool alive = supervise_is_alive(clock_monotonic(s->clock), s->watchdog_ms / 2, s->asked_at,
                                    atomic_load(&s->progress_at));

    if (alive)
        (void)sd_notify(0, "WATCHDOG=1");
    else if (s->fed)
        log_err("the ledger has not answered for %lld s: the watchdog will restart kpid; look "
                "for a disk that hangs",
                (long long)(clock_monotonic(s->clock) - s->asked_at) / 1000);
    s->fed = alive;
    ask_ledger(s);
}

void supervise_start(struct supervise *s, uv_loop_t *loop, struct ledger *ledger)
{
    uint64_t usec = 0;
    int rc;

    s->ledger = ledger;
    rc = uv_timer_init(loop, &s->tick);
    assert(rc == 0);
    s->tick.data = s;
    s->ticks = true;

    if (sd_watchdog_enabled(0, &usec) <= 0)
        return;
    s->watchdog_ms = (int64_t)(usec / 1000);
    rc = uv_timer_start(&s->tick, on_tick, 0, (uint64_t)s->watchdog_ms / 4 + 1);
    assert(rc == 0);
}

void supervise_stop(struct supervise *s)
{
    if (s->ticks)
        uv_close((uv_handle_t *)&s->tick, NULL);
    s->ticks = false;
}

void supervise_ready(const char *status)
{
    (void)sd_notifyf(0, "READY=1\nSTATUS=%s", status);
}

void supervise_reloading(const struct clock *clock)
{
    (void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld000\nSTATUS=reading the configuration",
                     (long long)clock_monotonic(clock));
}

void supervise_stopping(void)
{
    (void)sd_notify(0, "STOPPING=1\nSTATUS=stopping");
}
