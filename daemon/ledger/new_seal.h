/* One sealing, done in slices between the groups of the writer, so that nobody waits for it.
 * Ledger thread.
 *
 * It begins by bringing the tables level, and opens a reader of its own there: whatever arrives
 * from then on is none of this revision. The facts, and what moved, are copied slice by slice under
 * the number that its record of the chain will have; no reader looks at rows whose record is not
 * there. The record itself, and the periods that point at it, are one short transaction at the
 * end: killed before that it has not happened, and the next start clears away what was prepared. */
#ifndef KPID_LEDGER_NEW_SEAL_H
#define KPID_LEDGER_NEW_SEAL_H

#include "base/text.h"
#include "ledger/ledger_private.h"
#include "ledger/seals.h"

enum {
    NEW_SEAL_PERIODS_MAX = 8,
    SLICE_US = 5000,            /* one slice holds the ledger thread for about so long */
    /* What each of these costs of it, about. */
    COST_FACT = 4,
    COST_MOVED = 10,
    COST_DEVICE = 100,
    COST_ITEM = 5,
    COST_DIGEST = 2,
};

struct moving;

struct new_seal {
    struct period period;
    bool asked;                 /* by the person whose request waits */
    char *by, *why;             /* `why` "": says what moved */
    struct sealed was;          /* the revision before; seal 0: none */
    int64_t n;                  /* its record */
    int64_t position, as_of;    /* what its facts speak for */
    struct sealed periods[NEW_SEAL_PERIODS_MAX];     /* a week's days and the week, or one longer */
    size_t period_count;
    sqlite3 *then;              /* reads what was stored at the beginning; of a ledger in memory
                                 * the writer's own */
    int64_t left;               /* of the slice at hand */
    size_t stage;
    sqlite3_stmt *rows;         /* of the stage; on `then` */
    size_t pair;                /* of a period and a KPI, whose facts are being copied */
    sqlite3_stmt *put, *before;
    int64_t known;              /* facts that the revision before had as well */
    bool has_gone;              /* it had others, too */
    struct published_fact *changed;     /* since the revision before */
    size_t changed_count, changed_capacity;
    bool differs;               /* from the revision before */
    bool is_equal;              /* to it, in everything: nothing is written */
    bool is_written;            /* with its record */
    struct moving *moving;
    struct digest *digest;
    int64_t facts, moved;
    char facts_digest[DIGEST_SIZE], moved_digest[DIGEST_SIZE];
    struct text_buffer quarantine;
    int64_t listed;             /* items that belong to the period */
    int steps;
    int64_t longest_ms;         /* of them */
};

/* new_seal.c */
/* What is to be sealed; borrowed by new_seal_begin. */
struct seal_order {
    struct period period;
    const struct sealed *was;   /* NULL: the first revision */
    const char *by, *why;       /* `why` "": says what moved */
    bool asked;
};
/* Stores what is counted and begins; there is none under way. */
int new_seal_begin(struct ledger *l, const struct seal_order *order, struct err *err);
/* One slice. 1: there is more; 0: it is written, or nothing is because it is_equal. */
int new_seal_step(struct ledger *l, struct err *err);
/* Forgets the sealing under way, if there is one. What it prepared stays behind. */
void new_seal_drop(struct ledger *l);
/* Does new_seal_clear in a transaction of its own, if there may be anything. */
int new_seal_clear_leftovers(struct ledger *l, struct err *err);
/* Is the period part of the sealing under way? Else NULL. */
struct sealed *new_seal_find(const struct ledger *l, struct period period);
/* Whether there is room in the slice. Takes `cost` of it. */
bool new_seal_may(struct new_seal *s, int64_t cost);

/* seal_write.c and moved.c: stages. 1: the slice is over, and there is more; 0: done. */
int seal_copy_facts(struct ledger *l, struct new_seal *s, struct err *err);
int seal_list_quarantine(struct ledger *l, struct new_seal *s, struct err *err);
int seal_append(struct ledger *l, struct new_seal *s, struct err *err);
int moved_write(struct ledger *l, struct new_seal *s, struct err *err);
void moved_end(struct moving *moving);
/* It was committed: memory follows, and the board is told what differs. */
int seal_written(struct ledger *l, struct new_seal *s, struct err *err);

/* seal_asked.c */
/* Begins what a person asked for, or goes on with it, or answers. */
void seal_asked_begin(struct ledger *l);
/* A sealing of his has ended, as end_sealing has it. */
void seal_asked_end(struct ledger *l, const struct new_seal *new_seal, int rc,
                    const struct err *err);

#endif
