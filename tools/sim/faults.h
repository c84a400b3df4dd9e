/* What the simulated platform does wrong, as told by --fault or POST /control/fault: one kind at a
 * time, for so many answers. Any thread. */
#ifndef KPID_SIM_FAULTS_H
#define KPID_SIM_FAULTS_H

#include <stdbool.h>

enum fault_kind {
    FAULT_NONE,
    FAULT_BUSY,      /* 429 with Retry-After */
    FAULT_BROKEN,    /* 500 */
    FAULT_HTML,      /* 200 with a login form */
    FAULT_TRUNCATED, /* JSON that breaks off */
    FAULT_SLOW,      /* a whole answer, late */
    FAULT_LOOP,      /* redirects to itself */
    FAULT_AWAY,      /* redirects to another host */
    FAULT_LAPSE,     /* the session is gone */
    FAULT_CODE,      /* 200 with an error code in the body */
    FAULT_HANGUP,    /* breaks the connection in the middle */
    FAULT_HUGE,      /* a body without an end in sight */
};

struct fault {
    enum fault_kind kind;
    int value; /* seconds of 429, milliseconds of slow, the code */
    int left;  /* answers that will go wrong; -1: all */
};

/* "429:2", "slow:500x3": a kind, its value, how often. False if it is none. */
bool fault_parse(const char *text, struct fault *ret);
/* One line for --help. */
extern const char fault_help[];

void fault_set(struct fault fault);
/* What goes wrong with this answer, used up by asking. */
struct fault fault_take(void);

#endif
