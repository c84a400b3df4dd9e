/* Between the files of the bench.
 *
 *     bench_start ──> STARTING ──durable──> RUNNING ──every check has held, or time is over──>
 *     ENDING (the outcome is written again and again until it is durable) ──> (over, kept to show)
 *
 * What is durable of a slot is one text (bench_save, bench_load), which the ledger keeps as the
 * cursor of "bench/SLOT" and moves in the transaction of the events that belong to it. */
#ifndef KPID_BENCH_PRIVATE_H
#define KPID_BENCH_PRIVATE_H

#include <uv.h>

#include "bench/bench.h"
#include "command.h"

enum { WHY_SIZE = 160 };

enum check_state {
    CHECK_WAITING,       /* not so yet; `why` */
    CHECK_HOLDING,       /* so since held_from, not long enough yet */
    CHECK_ACTING,        /* the device does what it was told */
    CHECK_PASSED,        /* final, unless the device falls silent */
    CHECK_FAILED,        /* final */
    CHECK_NOT_SUPPORTED, /* the device has no such thing: counts neither way */
};

struct check_run {
    struct conf_check is;
    enum check_state state;
    int64_t since_at;   /* of the state; wall clock, as all `_at` */
    int64_t begun_ms;   /* what `within` is counted from; 0: an act whose turn has not come. `_ms`
                         * are monotonic */
    int64_t not_before; /* only a reading that was true after this counts */
    int64_t held_from_ms, held_to_ms;
    int64_t seen_at;    /* of the reading that held last */
    bool acted;         /* its act is done */
    int tries;          /* acts that ended otherwise than by time */
    int64_t retry_ms;   /* the act is not tried before */
    struct live_value value; /* as seen last */
    char why[WHY_SIZE];
    char result[256];   /* of the act, JSON; "" none */
};

enum session_state { SESSION_NONE, SESSION_STARTING, SESSION_RUNNING, SESSION_ENDING };

enum session_end { END_NONE, END_SUCCESS, END_FAILURE, END_CANCELLED };

struct session {
    enum session_state state;
    char ticket[TICKET_SIZE];
    char kind[KIND_SIZE];
    char staff[NAME_SIZE], vehicle[NAME_SIZE], device[NAME_SIZE], model[NAME_SIZE];
    char by[NAME_SIZE];
    char profile[PROFILE_SIZE];
    int64_t started_at, deadline_at, ended_at;
    int64_t deadline_ms;
    int64_t outage_ms;  /* that was added because nobody watched */
    enum session_end end;
    char ended_by[NAME_SIZE]; /* who cancelled */
    char reason[REASON_SIZE];
    struct check_run *checks;
    size_t check_count;
};

/* One act under way; the command is the driver's until it is done, even if the session ends. */
struct act {
    struct command command;
    bool under_way;
    struct conf_unit unit;
    char argument[33];
    int64_t asked_at;   /* when the device was told the argument */
    int64_t session;    /* its started_at: whom the result is for */
    size_t check;
    int step;           /* of show_all: the state that is shown; SHOW_STATES: restoring */
    int original;       /* what it showed before; 0, vacant, if that is not known */
    int shown;
    int status;         /* of the whole, while restoring */
    struct err err;
};

struct slot {
    struct bench *bench;
    char name[SLOT_SIZE];
    struct conf_unit units[BENCH_ROLES];
    bool configured;    /* else it goes when its session is over */
    struct session now; /* state SESSION_NONE: none */
    struct session last;
    struct act act;
    int64_t silent_ms[BENCH_ROLES]; /* since when its device says nothing; 0: it speaks */

    struct submission *submission;
    enum storing { STORE_START, STORE_CANCEL, STORE_SETTLE, STORE_RESUME } storing; /* what for */
    struct text_buffer outcome; /* the event of a session that is ENDING */
    int64_t store_again_ms; /* what must be durable is tried again then; 0: nothing */
    bench_done *done;
    void *done_arg;
};

struct bench {
    struct bench_house house;
    const struct conf *conf;
    struct slot **slots; /* in order of the configuration */
    size_t slot_count;
    uv_timer_t timer;
    bool stopping;
    void (*stopped)(void *arg);
    void *stopped_arg;
};

/* check.c: one check against one reading. */
const char *check_state_name(enum check_state state);
bool check_is_final(const struct check_run *check);
void check_begin(struct check_run *check, int64_t now_ms, int64_t now_at);
void check_set(struct check_run *check, enum check_state state, int64_t now_at,
               const char *format, ...) __attribute__((format(printf, 4, 5)));
/* What the reading says to the check. Not for one that has passed or failed. */
void check_look(struct check_run *check, const struct live_value *value, int64_t now_ms,
                int64_t now_at);
/* "0.7", "\"open\"", with its measure. */
char *check_value_text(char to[64], const struct live_value *value);

/* profile.c */
/* The profile for a device of that model in the slot; NULL with the reason. */
const struct conf_profile *profile_for(const struct conf *conf, const struct conf_slot *slot,
                                       const char *model, struct err *err);

/* act.c */
/* Has the slot's device do what check `i` asks for. */
void act_begin(struct slot *slot, size_t i);
/* Has the check whose act is under way say how far that is: at the end of its time this is all that
 * anybody learns. */
void act_tell(struct slot *slot, int64_t now_at);

/* session.c */
void session_init_checks(struct session *session, const struct conf_profile *profile,
                         int64_t now_ms, int64_t now_at);
void session_finish(struct session *session);
/* Looks at the slot's readings and does what follows: checks, acts, the end. */
void session_look(struct slot *slot);
/* The act of check `i` has ended, with `err` if status is negative. */
void session_acted(struct slot *slot, size_t i, int status, const struct err *err,
                   const char *result);

/* event.c: what the bench tells the ledger. Each appends one JSON object. */
enum { EVIDENCE_ROOM = 15 * 1024 };
void event_opened(struct text_buffer *to, const struct slot *slot);
void event_settled(struct text_buffer *to, const struct slot *slot);

/* save.c: a slot as text, and back. */
char *save_write(const struct slot *slot);
/* Fills `now` or `last`. False: it is nothing that we wrote. */
bool save_read(struct slot *slot, const char *text);

/* show.c */
void show_check(struct text_buffer *to, const struct check_run *check, int64_t now_ms,
                const struct zone *zone);
void show_value(struct text_buffer *to, const struct live_value *value, const struct zone *zone);
const char *show_end_name(enum session_end end);

/* slot.c */
void slot_cursor_name(char to[SOURCE_SIZE], const struct slot *slot);
/* The session has its outcome: makes it durable, however long that takes. */
void slot_settle(struct slot *slot);
/* Looks at every slot; what the timer does. */
void bench_look(struct bench *bench);

#endif
