/* The ledger: one SQLite file, one thread that writes it.
 *
 * Askers submit requests; the ledger thread takes what is queued, up to a bound, and commits it to
 * the event log in one transaction. Then it lets time pass, folds and counts, publishes the
 * changed facts and completes each request, in that order and through one mailbox, so that whoever
 * is told "accepted" already reads the new figure. The tables of tickets, devices and facts follow
 * at most half a second later, and are caught up from the log after a crash.
 *
 * A commit that fails (disk full, I/O error) takes nothing: each request of the group completes
 * with a negative errno, the asker keeps its data and tries again, and the ledger tries its own
 * heartbeat until the disk is well. */
#ifndef KPID_LEDGER_LEDGER_H
#define KPID_LEDGER_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/err.h"
#include "kpi/event.h"
#include "kpi/fact.h"
#include "sink.h"

struct faults;
struct ledger;

enum { LEDGER_QUEUE_MAX = 1024 };       /* requests waiting */

/* One event, or one line that is none, on its way into the log. */
struct ledger_line {
    struct event event;         /* if `reject.reason` is "" */
    struct reject reject;       /* else: to quarantine */
    const char *json;           /* borrows until `done`; word for word what is kept */
    size_t length;
    int64_t number;             /* line or item, from 1 */
    enum line_result result;    /* filled in; a conflict becomes LINE_QUARANTINED with `reject` */
    int64_t seq;                /* filled in for LINE_ACCEPTED: its position in the log */
};

enum ledger_what {
    LEDGER_EVENTS,              /* lines, via, and cursor if not NULL */
    LEDGER_RESUBMIT,            /* quarantine item `n` is replaced by lines[0]; by */
    LEDGER_DISMISS,             /* quarantine item `n`; by, text = the reason */
    LEDGER_NOTE,                /* an explanation is given: note, by */
    LEDGER_SEAL,                /* seals `period` now; by, text = the reason */
    LEDGER_RESTATE,             /* writes its next revision; by, text = the reason */
    LEDGER_EXCLUDE,             /* lines, via and a record in one: a window of exclusion, or (n: its
                                 * record) its undoing; by, text = the reason, settings = content */
    LEDGER_STORE,               /* nothing: completes once readers see what was published */
    LEDGER_RULES,               /* rules, digest, by, text = changed keys, settings: a new
                                 * generation */
};

enum { NOTE_TEXT_SIZE = 4097 };

/* Why a department missed a KPI in a week, in the words of who answers for it. */
struct ledger_note {
    struct period week;
    char department[NAME_SIZE];
    char kpi[KPI_ID_SIZE];
    char text[NOTE_TEXT_SIZE];
};

/* Embedded in the asker's struct; the ledger borrows it from submit to `done`. */
struct ledger_request {
    enum ledger_what what;
    struct ledger_line *lines;
    size_t count;
    const char *via;            /* the input's name, or "socket:USER" */
    const char *source;         /* whose cursor */
    const char *cursor;
    int64_t n;
    const char *by;
    const char *text;
    struct period period;       /* a week */
    const char *digest;
    const char *settings;
    struct rules *rules;        /* takes */
    const struct ledger_note *note;
    /* Filled in: */
    int status;                 /* 0, or negative errno: nothing of the request was taken.
                                 * -ENOENT: no waiting quarantine item `n`; -EEXIST: what was to
                                 * be sealed is, or is not yet to be, or nothing moved */
    struct err err;             /* if status is negative */
    int64_t position;           /* the log's last seq with this request in it */
    int32_t revision;           /* LEDGER_SEAL, LEDGER_RESTATE: of the period; `n` is the record,
                                 * as of LEDGER_EXCLUDE */
    int64_t at;                 /* LEDGER_NOTE: when it was given */
    void (*done)(struct ledger_request *request);   /* loop thread, from ledger_drain */
    void *arg;
};

struct published_fact {
    uint16_t kpi;               /* index into the rules of the present generation */
    struct period period;
    char scope[SCOPE_SIZE];
    struct fact fact;           /* all counts 0: the fact is no more */
};

/* A sealed period: its latest revision. */
struct standing {
    struct period period;
    int32_t revision;
    bool pending;               /* something moved since */
    int64_t as_of;
    struct coverage *coverage;  /* one for each KPI of the rules */
};

/* What the ledger knows of itself, for status and metrics. */
struct ledger_stats {
    uint64_t commits, events, duplicates, quarantined, failures;
    int64_t waiting_quarantine;
    int64_t last_commit_us;     /* how long the last one took */
    int64_t wal_bytes;
    int64_t last_progress_ms;   /* monotonic; the watchdog is fed from it */
    bool well;                  /* the last commit succeeded */
    char why[512];              /* if not: what failed and what to do */
};

/* One commit's news, for the board. */
struct publication {
    int64_t position;
    bool stored;                /* the tables say what the figures say; if not, LEDGER_STORE
                                 * brings them level */
    int64_t as_of;
    int64_t next_due_at;        /* nothing counts differently by itself before this instant */
    int64_t last_at;            /* greatest `at` not after as_of among the logged; 0: none */
    struct rules *rules;        /* not NULL: forget everything, a new generation begins; takes */
    int64_t generation;
    char digest[65];
    int64_t accepted_at;
    struct published_fact *facts;
    size_t fact_count;
    struct gaps *gaps;          /* one for each KPI; NULL: unchanged */
    size_t gap_count;           /* of them */
    int64_t window_from;        /* the board holds the periods that end after this */
    struct standing *standings; /* every sealed period of the window; NULL: unchanged */
    size_t standing_count;
    int64_t sealed_weeks;       /* in all */
    struct ledger_stats stats;
};

struct ledger_options {
    const char *path;           /* ":memory:" for a replay */
    const struct rules *rules;  /* copies */
    const char *digest;         /* of the configuration */
    const char *by;             /* who started the daemon */
    const char *changed;        /* changed keys, one a line, if the digest is new; may be NULL */
    const char *settings;       /* all of them, one "path = value" a line; may be NULL */
    /* The rules that such settings made, for what counted otherwise before: gives, or NULL if they
     * mean nothing. `faults` may be NULL. Ledger thread. Optional: then `moved` does not list what
     * a rule alone moved without changing its row. */
    struct rules *(*recorded_rules)(const char *settings, struct faults *faults);
    const struct clock *clock;
    int64_t wal_warn_bytes;
    bool seals;                 /* weeks are sealed by themselves when they are due */
    int64_t seal_settle_ms;     /* but not so soon after a start */
    int64_t seal_leap_wait_ms;  /* nor after the clock leapt ahead, so that it can be set right */
    /* Told now and then during a migration, a rebuild or a catch-up that the work goes on (for
     * EXTEND_TIMEOUT_USEC). Optional. */
    void (*progress)(void *arg, const char *what);
    void *progress_arg;
    /* Called on the ledger thread when there is something for ledger_drain. */
    void (*notify)(void *arg);
    void *notify_arg;
};

/* The settings of the last generation in the file at `path`, as they were given, for telling what
 * changed since; NULL if there is none. Gives. Any thread. */
char *ledger_settings(const char *path);

/* Opens or makes the file, migrates, rebuilds if the counting rules changed, fires what fell due
 * while we were away. Blocks; main thread, before the loop. The first ledger_drain publishes the
 * whole window. */
int ledger_open(struct ledger **ret, const struct ledger_options *options, struct err *err);

/* Starts the ledger thread. Without it (replay, tests) ledger_run does one group at a time. */
int ledger_start(struct ledger *ledger, struct err *err);
/* Takes and commits what is queued, on the calling thread. */
void ledger_run(struct ledger *ledger);
/* Finishes what is queued, commits the last durable instant, stops the thread and closes. */
void ledger_close(struct ledger *ledger);

/* Loop thread. False: full; nothing was taken. */
bool ledger_submit(struct ledger *ledger, struct ledger_request *request);
size_t ledger_queue_length(struct ledger *ledger);

/* Loop thread: hands each publication to `publish` (which takes the contents that it keeps and
 * must leave NULL behind), and calls `done` of completed requests, in order. */
void ledger_drain(struct ledger *ledger, void (*publish)(void *arg, struct publication *),
                  void *arg);
/* The same with a `publish` that may take a publication piece by piece, and returns false until it
 * has all of it. False: come again, on another turn of the loop. */
bool ledger_drain_some(struct ledger *ledger, bool (*publish)(void *arg, struct publication *),
                       void *arg);

/* Every fact of the store, in no order. Only where there is no ledger thread (replay, tests). */
int ledger_each_fact(struct ledger *ledger,
                     int (*each)(void *arg, const struct published_fact *fact), void *arg,
                     struct err *err);

/* The cursor of a source as last committed; NULL: none. Gives. Main or loop thread. */
char *ledger_cursor(struct ledger *ledger, const char *source);
/* The last instant that was durable before this start; 0 for a new ledger. */
int64_t ledger_downtime_from(struct ledger *ledger);

/* Offline acts of the command line. */
/* Computes all facts from the log and, with `compare`, reports the first difference on `out` and
 * returns 1; else replaces what is folded and counted. 0, or negative errno. */
int ledger_rebuild(const struct ledger_options *options, bool compare, FILE *out, struct err *err);
/* Lists the open facts that `rules` would move, without writing. Number of them, or negative. */
int ledger_would_move(const char *path, const struct rules *rules, FILE *out, struct err *err);
/* Online: works while the daemon runs. */
int ledger_backup(const char *from, const char *to, struct err *err);
/* Checks a ledger or a backup: every page, and under `rules` every fact against the log. 0, or 1
 * with the first difference on `out`, or negative errno. Rules other than those that it was counted
 * under are told on `out`, and then only the pages count. */
int ledger_verify(const char *path, const struct rules *rules, FILE *out, struct err *err);
/* Checks every page of `from` (ledger_verify knows more), then puts it in place of `to`, which is
 * kept as `<to>.replaced`. Refuses with -EBUSY if a daemon has `to` open. */
int ledger_restore(const char *from, const char *to, struct err *err);

#endif
