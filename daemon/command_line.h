/* kpid's command line: one act, or none to be the daemon. */
#ifndef KPID_COMMAND_LINE_H
#define KPID_COMMAND_LINE_H

#include <stdbool.h>

enum act {
    ACT_SERVE,
    ACT_CHECK,
    ACT_REPLAY,
    ACT_REBUILD,
    ACT_BACKUP,
    ACT_RESTORE,
    ACT_VERIFY,
    ACT_PROBE,
    ACT_DRIVERS,
    ACT_MANUAL,
    ACT_VERSION,
    ACT_HELP,
};

/* All texts borrow from argv. */
struct command_line {
    enum act act;
    const char *conf;           /* path of kpid.conf */
    const char *argument;       /* FILE or SOURCE of the act */
    const char *as_of;          /* ACT_REPLAY; NULL: not given */
    const char *facts_out;      /* ACT_REPLAY; NULL: standard output */
    bool against_ledger;        /* ACT_CHECK */
    bool compare;               /* ACT_REBUILD */
};

/* False, after a sentence on standard error, if `argv` is no command of kpid. */
bool command_line_parse(int argc, char **argv, struct command_line *ret);

void command_line_help(void);

#endif
