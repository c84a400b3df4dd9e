/* An explicit act on a unit, from the write to its being read back. It goes one step at a time, so
 * that the other units of the bus keep their turn while a lamp tests itself. Bus thread, between
 * the loop that creates it and the loop that gets it back. */
#ifndef KPID_DRIVERS_MB_ERRAND_H
#define KPID_DRIVERS_MB_ERRAND_H

#include "mb_unit.h"

enum mb_phase { MB_PHASE_BEFORE, MB_PHASE_WRITE, MB_PHASE_CHECK, MB_PHASE_DONE };

struct mb_errand {
    struct command *command; /* the loop's; not looked at on the bus */
    size_t unit;
    const struct mb_act *act;
    char *argument;
    int64_t deadline; /* monotonic */
    enum mb_phase phase;
    int64_t next_at;                        /* monotonic: when the next step is due */
    uint16_t words[MB_WRITE_REGISTERS_MAX]; /* as written */
    uint16_t word_count;
    double before;  /* what the checking point said first */
    bool was_ended; /* self-test: the bit of an older one still stood */
    /* The answer. */
    int status;
    struct err err;
    char result[256];
};

/* Copies the argument; borrows the command and the act. Gives. */
struct mb_errand *mb_errand_create(struct command *command, size_t unit, const struct mb_act *act,
                                   int64_t deadline);
void mb_errand_destroy(struct mb_errand *errand);

/* Goes one step. True once it has ended, with its answer; MB_GONE in `ret_result` if the line has
 * failed (the errand ends, too). */
bool mb_errand_step(struct mb_errand *errand, struct mb_unit *unit, enum mb_result *ret_result);

/* Ends it from outside, with that sentence. */
void mb_errand_fail(struct mb_errand *errand, int status, const char *why);

#endif
