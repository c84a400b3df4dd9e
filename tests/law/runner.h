/* What carrying out a trial and comparing its facts share. */
#ifndef KPID_TESTS_LAW_RUNNER_H
#define KPID_TESTS_LAW_RUNNER_H

#include "base/clock.h"
#include "base/text.h"
#include "board.h"
#include "ledger/ledger.h"
#include "oracle.h"
#include "trial.h"

struct runner {
    const struct trial *trial;
    int now_in_force; /* which of the two rules */
    struct ledger *ledger;
    struct clock_manual clock;
    int64_t latest_at; /* the clock's highest reading at a commit */
    struct board *board;
    struct oracle_log log;
    struct act *waiting[256]; /* lines since the last commit */
    size_t waiting_count;
    bool every_commit;
    bool seals;               /* weeks are sealed, by themselves and by hand */
    int slices, slice;        /* sealed in less than so many slices between commits; 0: at once */
    int64_t sealed_checked;   /* records of the chain up to here were compared */
    char folder[64], path[96];
    char *settings[2];        /* where weeks are sealed: what the ledger keeps of either rules */
    struct text_buffer *why;
    bool failed;
};

/* Those in force. */
const struct rules *rules_of(const struct runner *r);

/* Notes the first difference; what follows from it is not told. */
void differ(struct runner *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Compares all that the ledger shows at its as_of with the oracle, and one with the other. */
void compare(struct runner *r);
/* compare_seals.c: what is sealed, as the oracle has it for that position and instant. */
void compare_seals(struct runner *r);
/* explain_seals.c: on a file: every revision explained, and the chain verified. */
void explain_seals(struct runner *r);

#endif
