/* Look-ups: where is this vehicle now? Asks the terminal if it is connected, else the platform, and
 * records a ticket with its verdict (law 8). Loop thread. */
#ifndef KPID_LOOKUP_LOOKUP_H
#define KPID_LOOKUP_LOOKUP_H

#include "config/conf.h"
#include "intake.h"
#include "lookup/verdict.h"
#include "sources.h"

struct lookups;

/* Borrows all until lookups_destroy. */
struct lookups_house {
    struct uv_loop_s *loop;
    const struct clock *clock;
    struct intake *intake;
    struct sources *sources;
};

/* Borrows `conf` until the next lookups_set_conf has returned. */
struct lookups *lookups_create(const struct lookups_house *house, const struct conf *conf);
void lookups_set_conf(struct lookups *lookups, const struct conf *conf);
/* Takes no more; waits for those under way (the sources that stop after this answer them); then
 * calls `stopped`. Destroy after that. */
void lookups_stop(struct lookups *lookups, void (*stopped)(void *arg), void *arg);
void lookups_destroy(struct lookups *lookups);

/* Copies. */
struct lookup_request {
    const char *vehicle;
    const char *staff;              /* for whom; "" */
    const char *by;                 /* who asks, as the kernel says */
    const struct lookup_point *reference;   /* where it should be, WGS 84; NULL: not known */
};

struct lookup_result {
    char ticket[TICKET_SIZE];
    char vehicle[NAME_SIZE];
    char source[INPUT_SIZE];        /* whose answer it is; "": none answered */
    enum lookup_finding finding;
    struct lookup_position position;
    struct lookup_verdict verdict;
    int64_t asked_at, answered_at;
};

/* `done` comes later, with status 0 once the ticket is durable, or a negative errno: nothing was
 * recorded. 0: it will be called. -EINVAL, -ENOTSUP (no KPI counts look-ups), -EAGAIN (too many at
 * a time, or stopping): it will not. */
typedef void lookup_done(void *arg, int status, const struct lookup_result *result,
                         const struct err *why);
int lookup_begin(struct lookups *lookups, const struct lookup_request *request, lookup_done *done,
                 void *arg, struct err *err);

#endif
