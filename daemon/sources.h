/* The inputs that run: creates a driver for each configured source, lends it the house, keeps its
 * health, counts and lag, restarts only what a new configuration changed, and logs the edges of
 * those that a KPI depends on (law 7: source.lost, source.found). Loop thread. */
#ifndef KPID_SOURCES_H
#define KPID_SOURCES_H

#include "conditions.h"
#include "config/conf.h"
#include "intake.h"
#include "live.h"

struct sources;

/* Borrows everything; `conf` until the next sources_apply has returned, or until destroyed. Logs
 * the daemon's own downtime (ledger_downtime_from) as gaps, then starts every source. */
struct sources *sources_create(struct uv_loop_s *loop, const struct conf *conf,
                               struct intake *intake, struct ledger *ledger, struct live *live,
                               struct conditions *conditions, const struct clock *clock);
/* Stops what is gone or changed, starts what is new or changed, leaves the rest alone. */
void sources_apply(struct sources *sources, const struct conf *conf);
/* Stops all, then calls `stopped`; destroy after that. */
void sources_stop(struct sources *sources, void (*stopped)(void *arg), void *arg);
void sources_destroy(struct sources *sources);

struct source_view {
    const char *name, *driver;
    bool mandatory;
    bool enabled;
    const struct health *health;
    const struct intake_counts *counts;
    int64_t next_attempt_at; /* 0: waiting for input */
    const char *cursor;      /* as last committed; NULL: none */
};
size_t sources_count(const struct sources *sources);
/* Borrows until the loop's next turn. In order of name. */
struct source_view sources_view(const struct sources *sources, size_t i);
/* Why `unit` of that source is not well, for who looks at it alone: its own trouble or that of the
 * whole source; "" if it is well. */
void sources_unit_why(const struct sources *sources, size_t i, const char *unit, char why[256]);
/* 1 polled, 0 the source has nothing to ask, -ENOENT no such source. */
int sources_poll(struct sources *sources, const char *name);
/* Hands one explicit act to a source (see command.h). 0: it will call `done`. -ENOENT: no such
 * source, or no such unit of it; -ENOTCONN: it does not run; -EOPNOTSUPP: no such act;
 * -EINVAL: not with this argument; -EBUSY: one at a time. */
int sources_command(struct sources *sources, const char *name, struct command *command,
                    struct err *err);

#endif
