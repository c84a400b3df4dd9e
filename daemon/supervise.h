/* What the house tells its supervisor (systemd's notification protocol): ready, reloading,
 * stopping, still alive. Says nothing where nobody listens (no NOTIFY_SOCKET). */
#ifndef KPID_SUPERVISE_H
#define KPID_SUPERVISE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "ledger/ledger.h"

struct supervise {
    const struct clock *clock;
    struct ledger *ledger;
    uv_timer_t tick;
    bool ticks;
    int64_t watchdog_ms;            /* 0: nobody watches */
    struct ledger_request ping;     /* an empty request: its answer proves the whole way */
    bool in_ledger;                 /* the ledger has `ping` */
    int64_t asked_at;               /* monotonic, since when we want an answer; 0: have it */
    bool fed;                       /* the last tick fed the watchdog */
    _Atomic int64_t progress_at;    /* monotonic, of the last supervise_progress */
    _Atomic int64_t extended_at;
};

/* Borrows `clock` until the end. */
void supervise_init(struct supervise *supervise, const struct clock *clock);

/* The work goes on: asks systemd for patience while starting or stopping, and stands for an
 * answer of the ledger while it rebuilds. Shaped for ledger_options; `supervise` is `arg`.
 * Any thread. */
void supervise_progress(void *supervise, const char *what);

/* Feeds the watchdog from now on, if there is one: from the loop, and only as long as the ledger
 * answers. Borrows `ledger` until supervise_stop. */
void supervise_start(struct supervise *supervise, uv_loop_t *loop, struct ledger *ledger);
/* Asks the ledger nothing more; its outstanding answer may still come. */
void supervise_stop(struct supervise *supervise);

/* `status` is the line that `systemctl status` shows. */
void supervise_ready(const char *status);
void supervise_reloading(const struct clock *clock);
void supervise_stopping(void);

/* True unless an answer, wanted since `asked_at` (0: none is), is overdue: neither it nor
 * progress was seen for `limit_ms`. */
bool supervise_is_alive(int64_t now, int64_t limit_ms, int64_t asked_at, int64_t progress_at);

#endif
