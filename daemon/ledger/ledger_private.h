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
#include "ledger/ledger.h"
#include "ledger/sql.h"

enum {
    GROUP_LINES_MAX = 4096,         /* of one transaction; one request may overshoot it */
    HEARTBEAT_MS = 10000,           /* the last durable instant is never older, while idle */
    CHECKPOINT_PAGES = 4000,        /* of the write-ahead log, 16 MiB */
    WINDOW_DAYS = 36,               /* the board holds periods that ended less than this ago */
};

/* A ticket that the transaction at hand has touched: as it is now, and as it was last counted. */
struct touched {
    char key[KIND_SIZE + TICKET_SIZE];      /* kind, NUL, ticket: what the table is keyed by */
    unsigned key_length;
    bool stored;                            /* has a row already */
    bool refold;                            /* fold again from the log before counting */
    struct ticket now;
    struct contribution counts;
    char accuser[TICKET_SIZE];              /* "": none */
    struct attributes was_is;               /* as counted before this transaction */
    struct contribution was;
    struct touched *next_free;
    UT_hash_handle hh;
};

/* A device that the transaction at hand has touched. */
struct touched_device {
    char device[NAME_SIZE];
    struct touched **jobs;      /* its installs and repairs; a part of `jobs` of the ledger */
    size_t job_count;
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
    sqlite3_stmt *event_put, *event_get, *event_of_subject, *event_of_kind;
    sqlite3_stmt *ticket_get, *ticket_insert, *ticket_update, *ticket_due, *ticket_jobs;
    sqlite3_stmt *device_put, *device_delete, *device_due;
    sqlite3_stmt *fact_get, *fact_put, *fact_delete, *fact_window, *fact_all;
    sqlite3_stmt *quarantine_put, *quarantine_state, *quarantine_decide, *quarantine_count;
    sqlite3_stmt *gap_clear, *gap_put;
    sqlite3_stmt *cursor_put, *house_put, *next_due;
};

struct ledger {
    sqlite3 *db;
    struct statements st;
    const struct clock *clock;
    struct rules *rules;
    char *path;
    int lock_fd;                /* -1: none, in memory */

    /* What is durable, unless a transaction is open. */
    int64_t as_of;
    int64_t position;
    int64_t generation;
    char digest[65];
    int64_t accepted_at;
    int64_t next_due_at;
    int64_t last_at;
    int64_t downtime_from;
    struct gaps *gaps;          /* one for each KPI */
    int64_t gaps_due_at;        /* an edge of an input dated after as_of */

    /* The transaction at hand. */
    int64_t was_as_of;
    int64_t was_position;
    struct touched *touched;
    struct touched *free_touched;
    size_t free_count;
    struct touched_device *devices;
    struct touched **jobs;      /* the touched installs and repairs, grouped by device */
    struct gaps *fresh_gaps;    /* take the place of `gaps` at the commit */
    struct tally *tally;
    bool gaps_touched;
    bool quarantine_touched;
    bool gaps_news;             /* the next publication brings the gaps */
    struct published_fact *changed;
    size_t changed_count, changed_capacity;

    struct ledger_stats stats;
    int64_t wal_warn_bytes;
    int wal_pages;
    int wal_pages_tried;        /* at the last checkpoint that could not finish */
    bool clock_is_behind;
    bool window_stale;          /* the next publication brings the whole window */

    struct mailbox *inbox;
    pthread_mutex_t outbox_lock;        /* of the outbox and of `cursors` */
    struct cursor *cursors;
    struct news *outbox_first, *outbox_last;
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

/* writer.c: one group. `requests` may be none: then only time passes. */
void writer_group(struct ledger *l, struct ledger_request **requests, size_t count);
/* Publishes (rules and window too, if `window_stale`) and completes `requests`. */
void writer_publish(struct ledger *l, struct ledger_request **requests, size_t count);
void writer_forget_transaction(struct ledger *l);

/* event_log.c */
/* 1 new (line->seq set), 0 the log had it word for word, 2 the log has another of that identity. */
int log_append(struct ledger *l, struct ledger_line *line, const char *via, int64_t received_at,
               struct err *err);
/* Every event of a subject, in event order. */
int log_read(struct ledger *l, const char *kind, const char *subject, struct logged_list *list,
             struct err *err);
/* Every event of a kind that has few, in event order. */
int log_read_kind(struct ledger *l, const char *kind, struct logged_list *list, struct err *err);
void logged_finish(struct logged_list *list);

/* folded.c */
int folded_apply(struct ledger *l, const struct event *event, struct err *err);
int folded_touch(struct ledger *l, const char *kind, const char *ticket, struct touched **ret,
                 struct err *err);
/* Counts every touched ticket anew into the tally and notes the devices that they touch. */
int folded_count(struct ledger *l, struct err *err);
int folded_store(struct ledger *l, struct err *err);

/* devices.c */
void devices_touch(struct ledger *l, const char *device);
int devices_count(struct ledger *l, struct err *err);

/* deadlines.c */
/* Moves as_of to the clock's now and touches what fell due on the way. */
int deadlines_advance(struct ledger *l, struct err *err);
int deadlines_next(struct ledger *l, struct err *err);

/* facts.c */
int facts_store(struct ledger *l, struct err *err);
int facts_load_window(struct ledger *l, struct err *err);
int64_t facts_window_from(const struct ledger *l);

/* gaps.c */
/* Folds the gaps of each KPI anew and stores them; `fresh_gaps` until the commit. */
int gaps_recount(struct ledger *l, struct err *err);
void gaps_take_fresh(struct ledger *l);
/* Frees the fresh ones, or all: before the rules change or go. */
void gaps_forget(struct ledger *l, bool all);
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

/* generation.c */
/* Makes the stored counts those of l->rules: rebuilds or revalues if the rules that made them
 * differ. */
int generation_settle(struct ledger *l, struct err *err);
/* Records an accepted configuration, unless the last one has the same digest. */
int generation_record(struct ledger *l, const char *digest, const char *by, const char *changed,
                      struct err *err);

#endif
