/* Files beside the ledger: made with the right owner, synced, put in place of others. */
#ifndef KPID_LEDGER_FILES_H
#define KPID_LEDGER_FILES_H

#include "base/err.h"

/* Opens `path` for reading and writing, and makes it if there is none: mode 0640 whatever the
 * umask, and if we are root, owner and group of its folder, because the daemon that comes later is
 * not root. Gives a descriptor, or negative errno. */
int file_open_or_make(const char *path, struct err *err);

/* Until the bytes of the file, and the name of the file in its folder, are on the disk. */
int file_sync(const char *path, struct err *err);
int file_sync_folder(const char *path, struct err *err);

/* Gives `path` the owner, group and mode of `model`, as far as we may. */
void file_copy_owner(const char *path, const char *model);

/* Removes it if it is there. */
int file_remove(const char *path, struct err *err);

#endif
