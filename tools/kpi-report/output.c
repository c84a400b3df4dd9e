/* A report file that is wholly there or not at all: whoever opens it while cron writes the next
 * one reads the last. */
#include "output.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

char *output_path(const char *given, const char *week, const char *extension)
{
    size_t length = strlen(given);
    struct stat is;

    if (stat(given, &is) < 0 || !S_ISDIR(is.st_mode))
        return mem_strdup(given);
    return mem_printf("%s%skpi-%s.%s", given, length && given[length - 1] == '/' ? "" : "/", week,
                      extension);
}

static int write_all(int fd, const char *bytes, size_t length)
{
    ssize_t wrote;

    while (length > 0) {
        wrote = write(fd, bytes, length);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return -errno;
        bytes += wrote;
        length -= (size_t)wrote;
    }
    return fsync(fd) < 0 ? -errno : 0;
}

int output_write_file(const char *path, const char *bytes, size_t length, struct err *err)
{
    char *temporary = mem_printf("%s.XXXXXX", path);
    mode_t mask = umask(0);
    int fd, rc;

    umask(mask);
    fd = mkstemp(temporary);
    if (fd < 0) {
        rc = err_set(err, -errno, "%s cannot be written: %s", path, strerror(errno));
        free(temporary);
        return rc;
    }
    rc = write_all(fd, bytes, length);
    if (rc == 0 && fchmod(fd, 0666 & ~mask) < 0)
        rc = -errno;
    if (close(fd) < 0 && rc == 0)
        rc = -errno;
    if (rc == 0 && rename(temporary, path) < 0)
        rc = -errno;
    if (rc < 0) {
        err_set(err, rc, "%s cannot be written: %s", path, strerror(-rc));
        /* The failure above is the news. */
        (void)unlink(temporary);
    }
    free(temporary);
    return rc;
}
