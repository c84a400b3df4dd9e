/* Files beside the ledger. A file that root makes by hand (a rebuild before the first start, a
 * restore) must be usable by the daemon, which is somebody else: so owners follow the folder. */
#include "ledger/files.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

enum { FILE_MODE = 0640 };

/* The folder that holds `path`. Gives. */
static char *folder_of(const char *path)
{
    char *copy = mem_strdup(path);
    char *folder = mem_strdup(dirname(copy));

    free(copy);
    return folder;
}

static void own_like_folder(int fd, const char *path)
{
    char *folder = folder_of(path);
    struct stat is;

    if (stat(folder, &is) == 0 && fchown(fd, is.st_uid, is.st_gid) < 0)
        (void)errno; /* not allowed: then the file stays ours, which is all that we can do */
    free(folder);
}

/* With what to do about it, where that is known. */
static int cannot_write(const char *path, struct err *err)
{
    int why = errno;

    if (why == EROFS)
        return err_set(err, -why,
                       "%s: its file system is mounted read-only: look at the kernel's log, and "
                       "mount it for writing",
                       path);
    if (why == EACCES || why == EPERM)
        return err_set(err, -why,
                       "%s: not allowed: check that it and its folder belong to the daemon's user",
                       path);
    if (why == ENOSPC || why == EDQUOT)
        return err_set(err, -why, "%s: its disk is full: free some space", path);
    return err_set(err, -why, "%s: %s", path, strerror(why));
}

int file_open_or_make(const char *path, struct err *err)
{
    int fd = open(path, O_RDWR | O_CLOEXEC | O_CREAT | O_EXCL, FILE_MODE);

    if (fd >= 0) {
        (void)fchmod(fd, FILE_MODE); /* the umask may be stricter; if this fails, so it stays */
        if (geteuid() == 0)
            own_like_folder(fd, path);
        return fd;
    }
    if (errno == EEXIST)
        fd = open(path, O_RDWR | O_CLOEXEC);
    return fd < 0 ? cannot_write(path, err) : fd;
}

static int sync_at(const char *path, int flags, struct err *err)
{
    int fd = open(path, flags | O_RDONLY | O_CLOEXEC);
    int rc = 0;

    if (fd < 0)
        return err_set(err, -errno, "%s: %s", path, strerror(errno));
    if (fsync(fd) < 0)
        rc = err_set(err, -errno, "%s could not be made durable: %s", path, strerror(errno));
    (void)close(fd); /* nothing was written through it */
    return rc;
}

int file_sync(const char *path, struct err *err)
{
    return sync_at(path, 0, err);
}

int file_sync_folder(const char *path, struct err *err)
{
    char *folder = folder_of(path);
    int rc = sync_at(folder, O_DIRECTORY, err);

    free(folder);
    return rc;
}

void file_copy_owner(const char *path, const char *model)
{
    struct stat is;

    if (stat(model, &is) < 0)
        return;
    if (chown(path, is.st_uid, is.st_gid) < 0)
        (void)errno; /* only root may give a file away; others keep their own */
    (void)chmod(path, is.st_mode & 07777); /* our own file: cannot be refused */
}

int file_remove(const char *path, struct err *err)
{
    if (unlink(path) < 0 && errno != ENOENT)
        return err_set(err, -errno, "%s could not be removed: %s", path, strerror(errno));
    return 0;
}
