/* A pseudo-terminal behind a link; see pty.h. */
#include "tests/lib/pty.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

/* Else what the device says before the driver has opened comes back as an echo. */
static void make_raw(const char *device)
{
    int fd = open(device, O_RDWR | O_NOCTTY | O_CLOEXEC);
    struct termios line;

    assert(fd >= 0 && tcgetattr(fd, &line) == 0);
    cfmakeraw(&line);
    assert(tcsetattr(fd, TCSANOW, &line) == 0);
    (void)close(fd);
}

void pty_open(struct pty *pty, const char *link)
{
    char fresh[256];

    pty->master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    assert(pty->master >= 0 && grantpt(pty->master) == 0 && unlockpt(pty->master) == 0);
    assert(ptsname_r(pty->master, pty->device, sizeof pty->device) == 0);
    make_raw(pty->device);
    pty->link = link;
    if (!link)
        return;
    snprintf(fresh, sizeof fresh, "%s.new", link);
    assert(symlink(pty->device, fresh) == 0 && rename(fresh, link) == 0);
}

void pty_pull(struct pty *pty)
{
    if (pty->master < 0)
        return;
    (void)close(pty->master);
    pty->master = -1;
    if (pty->link)
        (void)unlink(pty->link); /* the test may have removed its folder */
}

void pty_say(const struct pty *pty, const void *bytes, size_t length)
{
    assert(write(pty->master, bytes, length) == (ssize_t)length);
}

size_t pty_hear(const struct pty *pty, void *bytes, size_t size)
{
    ssize_t n = read(pty->master, bytes, size);

    /* EIO: nobody has it open. */
    assert(n > 0 || errno == EAGAIN || errno == EIO);
    return n > 0 ? (size_t)n : 0;
}
