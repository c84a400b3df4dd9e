/* The board: the published facts of the periods that people look at, in memory, for the loop
 * thread. It learns a figure only after its commit, so what is read here is on the disk. Periods
 * that ended long ago are not kept: reads.h has them. */
#ifndef KPID_BOARD_H
#define KPID_BOARD_H

#include "ledger/ledger.h"

struct board;

struct board *board_create(void);
void board_destroy(struct board *board);

/* Takes one commit's news; leaves NULL behind in what it kept. Shaped for ledger_drain. */
void board_publish(void *board, struct publication *publication);
/* The same for ledger_drain_some: takes half a millisecond of it. False: call again with the same
 * one; until it has been taken the board answers as before it. */
bool board_publish_some(void *board, struct publication *publication);

/* Present rules, as_of, position and so on; borrows until the next board_publish. The struct's
 * `facts` are NULL. `rules` is NULL before the first publication. */
const struct publication *board_now(const struct board *board);

/* What the figures speak for at this moment: the ledger's as_of, or the wall clock if that is
 * later and nothing fell due between. */
int64_t board_as_of(const struct board *board, int64_t wall);

/* True if the board holds every fact of the period, so that absence means "no such fact". */
bool board_holds(const struct board *board, struct period period);

/* One fact, or NULL. Borrows until the next board_publish. */
const struct fact *board_fact(const struct board *board, const struct kpi *kpi,
                              struct period period, const char *scope);

/* Every fact with period in [from, to] of one kind, in order of (period, kpi, scope); kpi NULL:
 * all; scope as scope_matches, NULL: all. `each` returns 1 to stop. Sorts what it found. */
void board_each(const struct board *board, struct period from, struct period to, const char *kpi,
                const char *scope, int (*each)(void *arg, const struct published_fact *fact),
                void *arg);

/* Is the period sealed, and how does its latest revision stand? NULL: it is open, or the board does
 * not hold it. Borrows until the next board_publish. */
const struct standing *board_standing(const struct board *board, struct period period);

/* Fills all that fact_json needs. */
struct fact_view board_view(const struct board *board, const struct kpi *kpi, struct period period,
                            const char *scope, const struct fact *fact, int64_t as_of);

/* What changed, for whoever resumes. Each change of a fact has a number, rising; a fact has that of
 * its last one. A fact that is no more is a change, too, and stays with all counts 0 until its
 * period leaves the window. */
struct board_change {
    uint64_t number;
    int64_t position; /* of the commit that brought it */
    const struct published_fact *fact;
};
/* The number of the latest change. */
uint64_t board_last_change(const struct board *board);
/* The latest change that came before `position`; 0: none that is remembered. */
uint64_t board_change_before(const struct board *board, int64_t position);
/* The first change after `number`; false if there is none. Borrows until the next board_publish.
 * `number` that is the one of a change which this function gave last is found at once. */
bool board_next_change(struct board *board, uint64_t number, struct board_change *ret);

/* How many facts it holds, and of how many periods. */
size_t board_facts(const struct board *board);

/* Watchers are called after each publication, with it (its rules and facts still inside). */
struct board_watch {
    void (*published)(struct board_watch *watch, const struct publication *publication);
    void *arg;
    struct board_watch *next, *previous;
};
void board_watch_add(struct board *board, struct board_watch *watch);
void board_watch_remove(struct board *board, struct board_watch *watch);

#endif
