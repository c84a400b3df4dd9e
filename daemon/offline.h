/* The daemon's work without a daemon: check, rebuild, backup, restore, probe. Each prints what a
 * person asked for and returns the exit status: 0 well, 1 it failed or differs, 2 the
 * configuration has faults (all of them printed); the daemon's 3 says that its ledger is damaged,
 * which another start would not mend. Blocks; main thread. */
#ifndef KPID_OFFLINE_H
#define KPID_OFFLINE_H

#include <stdbool.h>

struct conf;

enum { EXIT_WELL = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_DAMAGED = 3 };

/* Reads the configuration or prints its faults and returns NULL. Gives. */
struct conf *offline_conf(const char *path);

/* With `against_ledger`: also the open facts that this configuration would move. */
int offline_check(const char *path, bool against_ledger);
int offline_rebuild(const char *path, bool compare);
int offline_backup(const char *path, const char *to);
int offline_restore(const char *path, const char *from);
/* Verifies the chain of a ledger or a copy of one; needs no configuration. EXIT_FAILED: broken. */
int offline_verify(const char *path);
int offline_probe(const char *path, const char *source);

/* The user who runs this process, for what is written to the ledger. Gives. */
char *offline_user(void);

#endif
