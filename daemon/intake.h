/* Intake: the one door for events from anywhere. Parses and validates each line by law 1, bounds
 * what waits, hands the rest to the ledger, and tells the asker what became of each line once it
 * is durable. Loop thread. */
#ifndef KPID_INTAKE_H
#define KPID_INTAKE_H

#include "ledger/ledger.h"

struct intake;

/* Borrows both until destroyed. `rules` says which kinds exist; see intake_set_rules. */
struct intake *intake_create(struct ledger *ledger, const struct rules *rules,
                             const struct clock *clock);
void intake_destroy(struct intake *intake);
void intake_set_rules(struct intake *intake, const struct rules *rules);

/* How late events come: received minus happened, of one input. */
enum { LAG_BUCKETS = 10 };
extern const int64_t lag_bounds_ms[LAG_BUCKETS - 1]; /* 1 s, 5 s, 30 s, 1 min, 5 min, 30 min,
                                                      * 2 h, 1 d, 7 d; the last: later */
struct intake_counts {
    uint64_t accepted, duplicate, quarantined;
    uint64_t lag[LAG_BUCKETS]; /* accepted events, not cumulative */
    int64_t lag_sum_ms;
    int64_t last_event_at; /* greatest `at` accepted; 0: none */
};

/* A submission is lines gathered one by one, then sent as one. */
struct submission;
struct submission_result {
    int status; /* 0: durable; negative errno: nothing was taken */
    struct err err;
    uint64_t accepted, duplicate, quarantined;
    int64_t position;
};

/* `via` is the input's name or "socket:USER" (copies); `counts` (may be NULL) is added to when the
 * answer comes, and must outlive it. */
struct submission *submission_create(struct intake *intake, const char *via,
                                     struct intake_counts *counts);
/* An amendment in it must be by `user` (copies), or it goes to quarantine. */
void submission_speaks_for(struct submission *submission, const char *user);
/* Copies and parses one line at once (about a microsecond). `refusal` not NULL: to quarantine
 * with that reason, unparsed. */
void submission_add(struct submission *submission, const char *bytes, size_t length, int64_t number,
                    const char *refusal);
size_t submission_length(const struct submission *submission);
size_t submission_bytes(const struct submission *submission);
/* Replaces waiting quarantine item `n` by the one line; `by` (copies) is who did it. */
void submission_replaces(struct submission *submission, int64_t n, const char *by);

/* True if submission_send would be refused for lack of room. */
bool intake_is_full(const struct intake *intake);

/* Sends it: `done` comes later with the result; submission_line reads each line until then.
 * False: full, nothing was taken, the submission is still the caller's. */
bool submission_send(struct submission *submission, const char *source, const char *cursor,
                     void (*done)(struct submission *submission,
                                  const struct submission_result *result, void *arg),
                     void *arg);
/* Within or after `done`. Borrows until submission_destroy. */
const struct ledger_line *submission_line(const struct submission *submission, size_t i);
/* Before submit, or after `done`. NULL is allowed. */
void submission_destroy(struct submission *submission);

/* Called when room came back after a refusal; each asker says once that it wants to know. */
void intake_on_room(struct intake *intake, void (*room)(void *arg), void *arg);
void intake_off_room(struct intake *intake, void (*room)(void *arg), void *arg);

/* What has been sent and is not yet durable, and how much of it there may be. */
struct intake_load {
    size_t lines, bytes;
    size_t lines_max, bytes_max;
};
struct intake_load intake_load(const struct intake *intake);

#endif
