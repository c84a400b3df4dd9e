/* The lock file beside the ledger. It stays when the daemon leaves: removing it would let two
 * daemons hold locks on two files of one name. */
#include "ledger/lock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/mem.h"
#include "ledger/files.h"

static int lock_file(int fd, const char *path, struct err *err)
{
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    if (errno == EWOULDBLOCK)
        return err_set(err, -EBUSY,
                       "a daemon has %s open: stop it first (systemctl stop kpid.service)", path);
    return err_set(err, -errno, "%s cannot be locked: %s", path, strerror(errno));
}

int ledger_lock(const char *path, int *ret_fd, struct err *err)
{
    char *name;
    int fd, rc;

    if (strcmp(path, ":memory:") == 0) {
        *ret_fd = -1;
        return 0;
    }
    name = mem_printf("%s.lock", path);
    fd = file_open_or_make(name, err);
    free(name);
    if (fd < 0)
        return fd;
    rc = lock_file(fd, path, err);
    if (rc < 0) {
        (void)close(fd); /* nothing was written to it */
        return rc;
    }
    *ret_fd = fd;
    return 0;
}
