/* What the board's two halves share: board.c takes what is published, board_each.c gives
 * collections. Loop thread. */
#ifndef KPID_BOARD_PRIVATE_H
#define KPID_BOARD_PRIVATE_H

#include <uthash.h>

#include "board.h"

/* One fact. The key is the part of `is` from `kpi` to the end of the text in `scope`, which lie
 * side by side; `is` is zeroed first, so that the padding among them is equal, too. */
struct entry {
    struct published_fact is;
    uint64_t change;
    int64_t changed_at;          /* position of the commit */
    struct entry *newer, *older; /* in order of `change` */
    struct entry *next_in_period;
    UT_hash_handle hh;
};

struct board_period {
    struct period period;
    int64_t begin_at, end_at;
    struct entry *first;
    size_t count;
    const struct standing *standing; /* NULL: it is not sealed */
    UT_hash_handle hh;
};

/* What one generation of rules knows. */
struct table {
    struct entry *facts;          /* hash */
    struct board_period *periods; /* hash */
    struct entry *newest, *oldest;
};

/* A generation on its way in. Each stage goes on until it says that it has nothing left. */
struct taking {
    size_t stage;
    bool begun;                 /* the stage */
    struct table table;         /* the new one; once they are swapped, the old one */
    uint64_t changes;
    size_t fact;                /* of the publication, to be added next */
    struct entry *entry;        /* to be ordered next */
    bool news_taken;            /* what remains is to free the old table */
};

struct board {
    struct publication now;
    struct table table;
    struct taking taking;
    uint64_t changes;
    struct entry *cursor; /* what board_next_change gave last */
    struct board_watch *watches;
};

/* A fact that is no more stays as a change. */
static inline bool entry_is_there(const struct entry *e)
{
    return !counts_are_zero(&e->is.fact.counts);
}

#endif
