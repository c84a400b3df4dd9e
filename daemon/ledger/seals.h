/* Seals, within the ledger: what is sealed, what is due, and the chain of audit records. Ledger
 * thread.
 *
 * In memory stands the latest revision of every sealed period, and when each week was first heard
 * of; sealing itself (new_seal.h) reads the stored facts, never tickets. */
#ifndef KPID_LEDGER_SEALS_H
#define KPID_LEDGER_SEALS_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <uthash.h>

#include "base/err.h"
#include "kpi/fact.h"
#include "ledger/digest.h"

struct ledger;
struct ledger_options;
struct ledger_request;
struct publication;
struct touched;

/* The latest revision of one period. */
struct sealed {
    struct period period;
    int64_t begin_at, end_at;
    int64_t seal;               /* its record of the chain */
    int32_t revision;
    int64_t at;
    int64_t pending_at;         /* when something first moved since; INSTANT_NONE: nothing */
    int64_t pending_seal;       /* the chain's last record then */
    bool unstored;
    struct coverage *coverage;  /* one for each KPI, if the board holds the period; else NULL */
    UT_hash_handle hh;
};

/* A week in which something was counted. */
struct heard {
    struct period week;
    int64_t at;
    bool unstored;
    bool held;                  /* nobody watched enough of it: waits for a person */
    UT_hash_handle hh;
};

struct seals {
    struct sealed *periods;
    struct heard *weeks;
    int64_t sealed_until;       /* no sealed period ends later; INSTANT_NONE: nothing is sealed */
    int32_t last_week;          /* day number of the last sealed week's Monday */
    int64_t sealed_weeks;       /* how many */
    int64_t last_sealing;       /* record of the last week that was sealed */
    bool stale;                 /* `next_at` is to be found anew */
    int64_t next_at;            /* nothing is due before; INSTANT_NEVER: nothing */
    int64_t leap_wait_ms;
    int64_t settled_at;         /* monotonic: nothing is sealed by itself before */
    int64_t wall_at, monotonic_at;      /* when the clocks were last looked at */
    bool automatic;             /* weeks are sealed when they are due */
    bool news;                  /* the next publication says what is sealed */
    struct ledger_request *asked;       /* a person's, until it is carried out */
    int follows;                /* of it: which longer period is restated with the week */
    struct new_seal *under_way; /* being made, or NULL */
    int64_t prepared;           /* rows of a record of this number may be there; 0: none are */
    int64_t slice_us;           /* what one step may take, about */
    int64_t rests_until;        /* monotonic */

    int64_t head;               /* the chain's last record; 0: none */
    int64_t covered;            /* the chain covers the events up to here */
    struct digest *events;      /* of those after, up to `digested` */
    int64_t digested, digested_from;

    sqlite3_stmt *keep_ticket, *keep_new_ticket, *keep_device;
};

/* seals.c */
int seals_open(struct ledger *l, const struct ledger_options *options, struct err *err);
void seals_close(struct ledger *l);
/* The period's latest revision, or NULL: it is not sealed. Days find their week's. */
struct sealed *seals_find(const struct ledger *l, struct period period);
/* A fact of the period changes, at this as_of. True if it is sealed: then nobody is shown it. */
bool seals_touch(struct ledger *l, struct period period);
/* The coverage of a KPI may have changed: holds each sealed period against what it was. */
struct gaps;
void seals_touch_gaps(struct ledger *l, const struct gaps *was, const struct gaps *is);
/* Writes what is in memory alone, with the counts that it belongs to. */
int seals_store(struct ledger *l, struct err *err);
/* That was committed. */
void seals_stored(struct ledger *l);
/* Takes in what is stored. */
int seals_load(struct ledger *l, struct err *err);
/* Back to what is stored. */
int seals_reload(struct ledger *l, struct err *err);
/* The rules changed. */
void seals_forget_coverage(struct ledger *l);
void seals_note_coverage(struct ledger *l, struct period period, size_t kpi,
                         struct coverage coverage);
/* For a publication, if there is news. Gives. */
void seals_fill(struct ledger *l, struct publication *p, int64_t window_from);

/* seal_due.c */
/* Nothing is sealed before; INSTANT_NEVER: nothing is to be. */
int64_t seals_next_at(const struct ledger *l);
/* How long seals_step has nothing to do; 0 or less: it has. INT64_MAX: until something changes. */
int64_t seals_nap_ms(const struct ledger *l);
/* While nothing else is to do: brings the digest of the log forward. True if there is more. */
bool seals_digest_some(struct ledger *l);
/* Does what is due, one slice at a time, and publishes it. */
void seals_go_on(struct ledger *l);
/* Takes a person's request; it is completed by a later step. False: another waits already. */
bool seals_ask(struct ledger *l, struct ledger_request *request);

/* new_seal.c */
/* Clears away what a sealing that was not finished has prepared; within the caller's transaction.
 * Any writer. */
int new_seal_clear(sqlite3 *db, struct err *err);

/* moved.c */
/* The row of a ticket that is about to be overwritten, or that there was none. */
int moved_keep_ticket(struct ledger *l, const struct touched *t, struct err *err);
int moved_keep_device(struct ledger *l, const char *device, int64_t from, struct err *err);
/* During the swap of a rebuild: tickets that a rule counts differently. */
int moved_keep_recounted(sqlite3 *db, const char *cause, struct err *err);
/* After it: sealed periods, sealed under the rules in force, that differ from the counted facts. */
int moved_find_pending(sqlite3 *db, int64_t as_of, struct err *err);

/* chain.c */
struct chain_record {
    const char *kind, *period;  /* `period` "": none */
    int32_t revision;
    int64_t at;
    const char *by, *why;
    int64_t prepared;           /* the number under which its rows stand already; 0: it has none */
    int64_t position;           /* it covers the events up to here, to which chain_catch_up was
                                 * called; 0: none that the record before did not */
    int64_t facts, moved;       /* rows of the record */
    char facts_digest[DIGEST_SIZE], moved_digest[DIGEST_SIZE];
    const char *coverage, *quarantine, *content;
};
/* Appends; within the caller's transaction, which chain_load must follow. */
int chain_append(struct ledger *l, const struct chain_record *record, struct err *err);
/* The number that chain_append will give. */
int chain_next(struct ledger *l, int64_t *ret, struct err *err);
/* Reads the head back, after a commit or a roll-back. */
int chain_load(struct ledger *l, struct err *err);
/* Digests up to `limit` more events, and none after `to`. 1: there are more. */
int chain_catch_up(struct ledger *l, int64_t to, int limit, struct err *err);

#endif
