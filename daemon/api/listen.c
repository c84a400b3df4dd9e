/* Where the daemon listens: its Unix socket, and a TCP port of this machine if one is asked for. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "api/api_private.h"
#include "base/mem.h"

enum { BACKLOG = 512, TOKEN_MIN = 16, TOKEN_MAX = 512 };

/* True if somebody answers at the socket: another daemon lives. */
static bool is_alive(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool alive;

    if (fd < 0)
        return true; /* nobody knows: do not take its place */
    alive = connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 || errno == EAGAIN;
    (void)close(fd); /* nothing was written */
    return alive;
}

static int clear_place(const struct sockaddr_un *address, struct err *err)
{
    struct stat is;

    if (lstat(address->sun_path, &is) < 0)
        return errno == ENOENT
                   ? 0
                   : err_set(err, -errno, "socket %s: %s", address->sun_path, strerror(errno));
    if (!S_ISSOCK(is.st_mode))
        return err_set(err, -EEXIST,
                       "socket %s: a file of that name is there and is no socket; "
                       "remove it or set another path",
                       address->sun_path);
    if (is_alive(address))
        return err_set(err, -EADDRINUSE, "socket %s: another daemon listens there",
                       address->sun_path);
    if (unlink(address->sun_path) < 0)
        return err_set(err, -errno, "socket %s: cannot remove the dead one: %s", address->sun_path,
                       strerror(errno));
    return 0;
}

/* A missing group is no reason not to serve root and ourselves. */
static void give_to_group(const char *path, const char *name)
{
    const struct group *group = name ? getgrnam(name) : NULL;

    if (!group) {
        log_warning("socket %s: there is no group \"%s\"; only root and the daemon's own user can "
                    "connect",
                    path, name ? name : "");
        return;
    }
    if (chown(path, (uid_t)-1, group->gr_gid) < 0)
        log_warning("socket %s: cannot be given to group \"%s\": %s; its members cannot connect",
                    path, name, strerror(errno));
}

int listen_local(const char *path, const char *group, struct err *err)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    mode_t mask;
    int fd, rc;

    if (!text_copy(address.sun_path, sizeof address.sun_path, path, strlen(path)))
        return err_set(err, -ENAMETOOLONG, "socket %s: the path is longer than %zu bytes", path,
                       sizeof address.sun_path - 1);
    rc = clear_place(&address, err);
    if (rc < 0)
        return rc;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_set(err, -errno, "socket %s: %s", path, strerror(errno));
    mask = umask(0117); /* 0660 from its first moment */
    rc = bind(fd, (const struct sockaddr *)&address, sizeof address) < 0 ? -errno : 0;
    umask(mask);
    if (rc == 0)
        give_to_group(path, group);
    if (rc == 0 && listen(fd, BACKLOG) < 0)
        rc = -errno;
    if (rc == 0)
        return fd;
    (void)close(fd); /* it never listened */
    return err_set(err, rc, "socket %s: %s", path, strerror(-rc));
}

/* "127.0.0.1:8808", "[::1]:8808", "localhost:8808" into host and port. */
static bool split_address(const char *address, char host[64], const char **ret_port)
{
    const char *colon = strrchr(address, ':');
    size_t length = colon ? (size_t)(colon - address) : 0;

    if (!length || !colon[1])
        return false;
    if (address[0] == '[' && address[length - 1] == ']') {
        address++;
        length -= 2;
    }
    *ret_port = colon + 1;
    return text_copy(host, 64, address, length);
}

static int listen_on(const struct addrinfo *at)
{
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const int on = 1;
    int rc;

    if (fd < 0)
        return -errno;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on); /* a convenience */
    if (bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    rc = -errno;
    (void)close(fd); /* it never listened */
    return rc;
}

int listen_web(const char *address, char host[64], struct err *err)
{
    const struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV,
                                    .ai_socktype = SOCK_STREAM };
    struct addrinfo *found = NULL;
    const char *port;
    int rc;

    if (!split_address(address, host, &port))
        return err_set(err, -EINVAL, "listen \"%s\": write HOST:PORT, as in 127.0.0.1:8808",
                       address);
    rc = getaddrinfo(host, port, &hints, &found);
    if (rc)
        return err_set(err, -EADDRNOTAVAIL, "listen \"%s\": %s", address, gai_strerror(rc));
    rc = listen_on(found);
    freeaddrinfo(found);
    if (rc < 0)
        return err_set(err, rc, "listen \"%s\": %s", address, strerror(-rc));
    return rc;
}

int listen_token(const char *path, char **ret, struct err *err)
{
    char token[TOKEN_MAX + 2];
    size_t length;
    FILE *file = fopen(path, "re");

    if (!file)
        return err_set(err, -errno, "listen_token_file %s: %s", path, strerror(errno));
    length = fread(token, 1, sizeof token - 1, file);
    (void)fclose(file); /* only read */
    token[length] = '\0';
    length = strcspn(token, "\r\n");
    if (length < TOKEN_MIN || length > TOKEN_MAX)
        return err_set(err, -EINVAL,
                       "listen_token_file %s: its first line should be a token of %d "
                       "to %d characters",
                       path, TOKEN_MIN, TOKEN_MAX);
    *ret = mem_strndup(token, length);
    explicit_bzero(token, sizeof token);
    return 0;
}
