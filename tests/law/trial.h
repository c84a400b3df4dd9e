/* A trial: some rules, and what happens to a ledger under them, act by act. Made at random from a
 * seed; any part of its acts is a trial as well, which is what lets it be shrunk. */
#ifndef KPID_TESTS_LAW_TRIAL_H
#define KPID_TESTS_LAW_TRIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kpi/rules.h"
#include "random.h"

enum act_kind {
    ACT_LINE,         /* `line` arrives */
    ACT_COMMIT,       /* what arrived is committed, the clock says `at` */
    ACT_COMPARE,      /* the facts are compared with the oracle's */
    ACT_RULES,        /* a new generation: the other rules come into force, while it runs */
    ACT_REOPEN,       /* closed and opened again, the clock says `at`; only a file */
    ACT_KILL,         /* killed, and opened again; only a file */
    ACT_REOPEN_RULES, /* the same with the other rules */
};

struct act {
    enum act_kind kind;
    int64_t at;
    int64_t after_ms; /* what the monotonic clock has gone on: the ledger stores now and then */
    char *line;
};

struct trial {
    uint64_t seed;
    struct rules *rules[2]; /* in force at first; the other */
    int64_t start_at;       /* the clock when the ledger is made */
    bool on_file;           /* else in memory */
    bool seals;             /* weeks are sealed, by themselves and by hand */
    struct act *acts;
    size_t count;
};

void trial_make(struct trial *trial, uint64_t seed);
void trial_finish(struct trial *trial);

/* Shared by the files that make trials. */
struct rules *random_rules(struct random *r, const char *zone, int32_t day);
/* A copy that counts some of it otherwise. */
struct rules *changed_rules(struct random *r, const struct rules *rules);
/* The lines of a log near `begin_at`, in the order of their making. */
struct lines {
    char **items;
    size_t count;
};
void random_lines(struct lines *ret, struct random *r, const struct rules *rules, int64_t begin_at,
                  int64_t end_at);

#endif
