/* Secrets; see secret.h. */
#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/mem.h"

static int open_file(const char *folder, const char *before, const char *name)
{
    char *path = mem_printf("%s/%s%s", folder, before, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    int code = errno;

    free(path);
    errno = code;
    return fd;
}

/* LoadCredential= of a whole folder puts the folder's name before those of its files. */
static int open_secret(const char *folder, const char *name)
{
    int fd = open_file(folder, "", name);

    return fd < 0 && errno == ENOENT ? open_file(folder, "credentials_", name) : fd;
}

static int unreadable(const char *folder, const char *name, int code, struct err *err)
{
    return err_set(err, code, "the credential %s/%s cannot be read: %s: put the secret into that file",
                   folder, name, strerror(-code));
}

int secret_read(const char *folder, const char *name, char *to, size_t size, struct err *err)
{
    ssize_t length;
    int fd, code;

    if (!folder)
        return err_set(err, -ENOENT,
                       "there is no folder of credentials: set credentials, or run "
                       "under systemd with LoadCredential=");
    fd = open_secret(folder, name);
    if (fd < 0)
        return unreadable(folder, name, -errno, err);
    length = read(fd, to, size - 1);
    code = -errno;
    (void)close(fd); /* only read from */
    if (length < 0)
        return unreadable(folder, name, code, err);
    while (length > 0 && strchr("\r\n", to[length - 1]))
        length--;
    to[length] = '\0';
    if (length > 0 && !to[strcspn(to, "\r\n")])
        return 0;
    return err_set(err, -EINVAL, "the credential %s/%s is %s: it holds the secret on one line",
                   folder, name, length == 0 ? "empty" : "more than one line");
}
