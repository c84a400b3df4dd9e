/* A house for drivers under test: a real loop, a sink that remembers what it was handed and answers
 * on the next turn, and answers that a test decides. */
#ifndef KPID_TESTS_FAKE_HOUSE_H
#define KPID_TESTS_FAKE_HOUSE_H

#include <uv.h>

#include "driver.h"
#include "live.h"

struct fake_house {
    uv_loop_t loop;
    uv_timer_t answer; /* the turn on which a batch is answered */
    struct health health;
    struct driver_env env;
    const struct driver *driver;
    struct source *source;
    struct batch *batch; /* in the house */

    /* What was durable: each line, accepted, once; and those that were not. */
    char **accepted;
    size_t accepted_count;
    char **refused; /* "NUMBER REASON" */
    size_t refused_count;
    size_t duplicates;
    size_t batches;
    char *cursor;
    int64_t next_attempt_at;
    struct live *live;  /* the readings; the source is called as the house */
    size_t told;        /* times that any were told */
    char **conditions;  /* "DEVICE CODE active" or "... clear", as often as they came */
    size_t condition_count;

    /* What the test decides. */
    int fail_next;          /* so many batches fail */
    int fail_with;          /* -ENOSPC ... */
    bool full;              /* submit says no */
    bool hold;              /* batches stay in the house until house_let_go ... */
    size_t hold_after;      /* ... once so many were answered */
    const char *quarantine; /* lines that hold this text are quarantined */
    bool is_stopped;
};

void house_init(struct fake_house *house, const char *name);
/* Reads `section` as kpid.conf would (a fault fails the test) and starts the driver with it; what
 * committed before is its cursor. */
void house_start(struct fake_house *house, const struct driver *driver, const char *section);
/* The faults of a section, one a line. Gives. */
char *house_faults(const struct driver *driver, const char *section);
/* Stops it and turns the loop until it has. */
void house_stop(struct fake_house *house);
/* Answers a batch that was held. */
void house_let_go(struct fake_house *house);
void house_finish(struct fake_house *house);

/* Turns the loop until `is_so` or for `limit_ms`; returns what it said last. */
bool house_until(struct fake_house *house, bool (*is_so)(struct fake_house *house, void *arg),
                 void *arg, int limit_ms);
/* Turns it for so long. */
void house_turn(struct fake_house *house, int ms);

bool house_accepted(struct fake_house *house, void *count); /* size_t *: at least so many */
bool house_is_well(struct fake_house *house, void *unused);
bool house_is_degraded(struct fake_house *house, void *unused);
bool house_is_down(struct fake_house *house, void *unused);

#endif
