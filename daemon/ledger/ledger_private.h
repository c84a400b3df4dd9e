/* What the writing half of the ledger shares among its files. One struct, one thread: everything
 * here is for the ledger thread, and for whoever calls ledger_run where there is none. */
#ifndef KPID_LEDGER_PRIVATE_H
#define KPID_LEDGER_PRIVATE_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <uthash.h>

#include "base/mailbox.h"
#include "kpi/contribution.h"
#include "kpi/device.h"
#include "kpi/tally.h"
#include "ledger/bulk.h"
#include "ledger/ledger.h"
#include "ledger/seals.h"
#include "ledger/sql.h"

enum {
    GROUP_LINES_MAX = 4096,         /* of one transaction; one request may overshoot it */
    STORE_EVERY_MS = 500,           /* what is counted in memory alone is never older */
    STORE_TICKETS_MAX = 4096,       /* nor more than this */
    HEARTBEAT_MS = 10000,           /* the last durable instant is never older, while idle */
    CHECKPOINT_PAGES = 4000,        /* of the write-ahead log, 16 MiB */
    CHECKPOINT_RETRY_MS = 2000,     /* while it is longer than that */
    WINDOW_DAYS = 36,               /* the board holds periods that ended less than this ago */
};

/* A ticket in memory: as it is now, and as it was last counted. */
struct touched {
    char key[KIND_SIZE + TICKET_SIZE];      /* kind, NUL, ticket: what the table is keyed by */
    unsigned key_length;
    int64_t first_seq;                      /* of its first event: the table's key */
    bool stored;                            /* has a row already */
    bool refold;                            /* fold again from the log before counting */
    bool in_group;                          /* on the group's list, to be counted */
    bool renamed;                           /* its row names another device */
    struct ticket now;
    struct ticket *before;                  /* installs and repairs: when the group began */
    struct attributes counted_is;           /* as last counted */
    struct contribution counts;
    char accuser[TICKET_SIZE];              /* "": none */
    int64_t due_at;
    int64_t stored_counts_at;               /* as its row says; INSTANT_NEVER: nowhere */
    struct touched *next_in_group;
    struct touched_device *filed_under;     /* installs and repairs: the device they name now */
    struct touched *next_filed, *previous_filed;
    struct touched *next_free;
    UT_hash_handle hh;
};

/* A device in memory, with its installs and repairs. */
struct touched_device {
    char device[NAME_SIZE];
    bool in_group;
    bool complete;              /* every install and repair of it is in memory */
    bool counted;               /* `history` is what it was last counted by */
    bool known;                 /* something in the log names it */
    struct device_history history;
    int64_t differs_from;       /* the earliest change since the last store */
    int64_t due_at;
    struct touched *first_job;
    struct touched_device *next_in_group;
    UT_hash_handle hh;
};

/* The counts of one fact in memory, since the last store. */
struct cell {
    char key[8 + SCOPE_SIZE];   /* KPI, kind and number of the period, scope */
    unsigned key_length;
    uint16_t kpi;
    struct period period;
    char scope[SCOPE_SIZE];
    struct counts counts;
    UT_hash_handle hh;
};

/* One row of the log, read back. */
struct logged {
    int64_t seq;
    struct event event;
};

struct logged_list {
    struct logged *items;
    size_t count;
    size_t capacity;
};

/* An event of the log that is to be folded. */
struct arrived {
    const struct event *event;      /* borrows */
    int64_t seq;
};

/* Where an input stands, as last committed. */
struct cursor {
    char source[SOURCE_SIZE];
    char *cursor;
    struct cursor *next;
};

/* What happened on the ledger thread and the loop has not yet heard of. */
struct news {
    struct publication publication;
    struct ledger_request **requests;
    size_t request_count;
    struct news *next;
};

struct statements {
    sqlite3_stmt *begin, *commit, *rollback;
    sqlite3_stmt *event_put, *event_get, *event_of_subject, *event_of_kind, *event_after;
    sqlite3_stmt *ticket_get, *tickets_get, *tickets_insert, *ticket_update;
    sqlite3_stmt *ticket_due, *ticket_jobs;
    sqlite3_stmt *device_put, *device_delete, *device_due;
    sqlite3_stmt *fact_get, *facts_put, *fact_delete, *fact_window, *fact_all;
    sqlite3_stmt *quarantine_put, *quarantine_state, *quarantine_decide, *quarantine_count;
    sqlite3_stmt *gap_clear, *gap_put;
    sqlite3_stmt *cursor_put, *house_put, *next_due;
    sqlite3_stmt *note_place, *amendment_put;
};

struct ledger {
    sqlite3 *db;
    struct statements st;
    struct bulk arriving_event, wanted_ticket, new_ticket, counted_fact;
    const struct clock *clock;
    struct rules *rules;
    char *path;
    int lock_fd;                /* -1: none, in memory */

    /* What the figures speak for; every event up to `position` is durable. */
    int64_t as_of;
    int64_t position;
    int64_t last_at;
    int64_t next_due_at;
    int64_t gaps_due_at;        /* an edge of an input dated after as_of */
    struct gaps *gaps;          /* one for each KPI */
    bool gaps_by_rules;         /* they are folded anew because the rules changed */
    int64_t generation;
    struct rules *(*recorded_rules)(const char *settings, struct faults *faults);
    char digest[65];
    int64_t accepted_at;
    int64_t downtime_from;

    /* In memory since the last store. */
    struct touched *touched;
    struct touched **unread;    /* of these: not yet looked for in the table */
    size_t unread_count, unread_capacity;
    struct touched_device *devices;
    struct cell *cells;
    int64_t memory_due_at;      /* nothing in memory falls due before */
    bool gaps_unstored;
    bool store_now;             /* a stored deadline has passed: its row must say so */
    bool anything_unstored;
    int64_t stored_position;
    int64_t stored_at;          /* monotonic */
    bool astray;                /* counting failed midway: go back to what is stored */

    /* The group at hand. */
    int64_t was_as_of;
    int64_t was_position;
    struct touched *group;
    struct touched_device *device_group;
    struct tally *tally;
    bool gaps_touched;
    bool quarantine_touched;
    bool chain_touched;         /* a record was appended: its head is read back */
    struct published_fact *changed;
    size_t changed_count, changed_capacity;
    struct touched *free_touched;
    size_t free_count;

    struct seals *seals;

    struct ledger_stats stats;
    int64_t wal_warn_bytes;
    int wal_pages;
    int wal_pages_tried;        /* at the last checkpoint of this log */
    int64_t wal_tried_at;       /* monotonic */
    bool clock_is_behind;
    bool gaps_news;             /* the next publication brings the gaps */
    int failed_code;            /* of the failure that `stats.why` tells */
    bool window_stale;          /* the next publication brings the whole window */
    bool window_shown;          /* the board has had one */
    bool opened;
    struct err unreadable;      /* not opened because of this */

    struct mailbox *inbox;
    pthread_mutex_t outbox_lock;        /* of the outbox and of `cursors` */
    struct cursor *cursors;
    struct news *outbox_first, *outbox_last;
    struct news *draining;              /* loop thread: taken out of the outbox */
    void (*notify)(void *arg);
    void *notify_arg;
    void (*progress)(void *arg, const char *what);
    void *progress_arg;
    pthread_t thread;
    bool has_thread;
};

/* statements.c */
int statements_prepare(struct ledger *l, struct err *err);
void statements_finish(struct ledger *l);

/* writer.c */
/* One group through the log, the count and the board. `requests` may be none: then only time
 * passes. */
void writer_group(struct ledger *l, struct ledger_request **requests, size_t count);
/* Publishes (rules and window too, if `window_stale`) and completes `requests`. */
void writer_publish(struct ledger *l, struct ledger_request **requests, size_t count);
/* The only place that says in the journal how the store is. */
void writer_note_health(struct ledger *l, int rc, const struct err *err);

/* count.c */
/* Folds logged events, in the order of the log, into what is in memory. */
int count_fold(struct ledger *l, const struct arrived *events, size_t count, struct err *err);
/* Counts all that was touched since the last call. */
int count_group(struct ledger *l, struct err *err);
/* Around any number of reads: locks are taken once. count_store within it ends it. count_end
 * returns `rc`, or how the commit failed. */
int count_begin(struct ledger *l, struct err *err);
int count_end(struct ledger *l, int rc, struct err *err);
/* Writes what is in memory alone, in one transaction, and forgets it. */
int count_store(struct ledger *l, struct err *err);
/* Forgets what is in memory alone, back to the stored state. */
void count_forget(struct ledger *l);
/* Folds and counts the events that are logged and not yet in the stored state. */
int count_recover(struct ledger *l, struct err *err);

/* event_log.c */
/* Appends the events of all these requests. Each line's `seq` is then its position, or 0 if it is
 * no event or the log has one of its identity. */
int log_append(struct ledger *l, struct ledger_request **requests, size_t count,
               int64_t received_at, struct err *err);
/* The log has an event of this identity (line->seq is set to its position): 0 word for word, 2 it
 * says something else. */
int log_compare(struct ledger *l, struct ledger_line *line, struct err *err);
/* Every event of a subject, in event order. */
int log_read(struct ledger *l, const char *kind, const char *subject, struct logged_list *list,
             struct err *err);
/* Every event of a kind that has few, in event order. */
int log_read_kind(struct ledger *l, const char *kind, struct logged_list *list, struct err *err);
/* Up to `limit` events after a position, in the order of the log. */
int log_read_after(struct ledger *l, int64_t position, int limit, struct logged_list *list,
                   struct err *err);
void logged_finish(struct logged_list *list);

/* folded.c */
/* Before events are applied: finds the ticket that one is about, or remembers to read it, so that
 * folded_read reads all at once. */
struct touched *folded_expect(struct ledger *l, const struct arrived *event);
int folded_read(struct ledger *l, struct err *err);
/* Folds one event into the ticket, or marks it to be folded again. */
void folded_apply(struct ledger *l, struct touched *t, const struct event *event);
/* Finds or reads a ticket that has a row, and puts it on the group's list. */
int folded_touch(struct ledger *l, const char *kind, const char *ticket, struct touched **ret,
                 struct err *err);
/* Puts it on the list of what this group will count. */
void folded_join_group(struct ledger *l, struct touched *t);
/* Folds the group's tickets, settles who is accused, and counts them into the tally. */
int folded_count(struct ledger *l, struct err *err);
int folded_store(struct ledger *l, struct err *err);
void folded_end_group(struct ledger *l);
void folded_forget(struct ledger *l);

/* devices.c */
/* Finds or makes it and puts it on the group's list; NULL for the empty name. */
struct touched_device *devices_touch(struct ledger *l, const char *device);
int devices_count(struct ledger *l, struct err *err);
int devices_store(struct ledger *l, struct err *err);
void devices_end_group(struct ledger *l);
void devices_forget(struct ledger *l);

/* deadlines.c */
/* Moves as_of to the clock's now and touches what fell due on the way. */
int deadlines_advance(struct ledger *l, struct err *err);
/* Something in memory falls due then. */
void deadlines_note(struct ledger *l, int64_t due_at);
/* Finds next_due_at, among what is stored and what is in memory. */
int deadlines_next(struct ledger *l, struct err *err);

/* facts.c */
/* Adds the tally's differences to the facts in memory, and notes those that the board shows. */
int facts_count(struct ledger *l, struct err *err);
int facts_store(struct ledger *l, struct err *err);
void facts_forget(struct ledger *l);
int facts_load_window(struct ledger *l, struct err *err);
int64_t facts_window_from(const struct ledger *l);
/* Notes for the publication what the fact is now, if the board holds its period. */
void facts_publish(struct ledger *l, const struct published_fact *fact);
/* The same, of each that `rows` (FACT_COLUMNS) yields, that it is no more. */
int facts_publish_gone(struct ledger *l, sqlite3_stmt *rows, struct err *err);

/* gaps.c */
/* Folds the gaps of each KPI anew from the log. */
int gaps_recount(struct ledger *l, struct err *err);
int gaps_store(struct ledger *l, struct err *err);
/* Before the rules change or go. */
void gaps_forget(struct ledger *l);
/* For a publication; NULL if there are none yet. Gives. */
struct gaps *gaps_copy(const struct ledger *l);

/* cursors.c */
int cursors_load(struct ledger *l, struct err *err);
int cursors_put(struct ledger *l, const char *source, const char *cursor, int64_t now,
                struct err *err);
void cursors_committed(struct ledger *l, struct ledger_request *const *requests, size_t count);
void cursors_finish(struct ledger *l);

/* quarantine.c */
int quarantine_put(struct ledger *l, const struct ledger_line *line, const char *via,
                   int64_t received_at, struct err *err);
/* 1 if `n` waits, 0 if not. */
int quarantine_waits(struct ledger *l, int64_t n, struct err *err);
int quarantine_decide(struct ledger *l, int64_t n, const char *state, const char *by,
                      const char *decision, struct err *err);
int quarantine_count(struct ledger *l, struct err *err);

/* notes.c */
/* Keeps an explanation, whatever was given before. -ENOENT: the week has no such line. */
int notes_put(struct ledger *l, const struct ledger_note *note, const char *by, int64_t now,
              struct err *err);
/* Notes that the event amends a ticket. */
/* 1 if a record undoes the exclusion that record `n` is. */
int exclusion_is_undone(struct ledger *l, int64_t n, struct err *err);
/* Appends the record of the act, and sets request->n to it. */
int exclusion_record(struct ledger *l, struct ledger_request *request, int64_t now,
                     struct err *err);
int amendments_put(struct ledger *l, const struct event *event, int64_t seq, struct err *err);

/* catalogue.c */
/* Writes what readers are told of the configuration, if it differs from what they are told now. */
int catalogue_store(sqlite3 *db, const struct rules *rules, struct err *err);

/* generation.c */
/* All settings of the configuration in force at record `seal` of the chain, as they were given. 1
 * if they are known (gives), 0 if not. */
int generation_settings(sqlite3 *db, int64_t seal, char **ret, struct err *err);
/* The rules that they made, without a zone. 1 if they can be had (gives), 0 if not. */
int generation_rules(const struct ledger *l, sqlite3 *db, int64_t seal, struct rules **ret,
                     struct err *err);
/* Makes the stored counts those of l->rules: rebuilds or revalues if the rules that made them
 * differ. */
int generation_settle(struct ledger *l, struct err *err);
/* Records an accepted configuration, unless the last one has the same digest. */
int generation_record(struct ledger *l, const char *digest, const char *by, const char *changed,
                      const char *settings, struct err *err);

#endif
