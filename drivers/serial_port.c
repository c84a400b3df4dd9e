/* A serial line on the loop; see serial_port.h.
 *
 * The happy path: open without waiting for a carrier, lock, set raw, poll; what is readable is read
 * once a turn, what cannot be written at once waits in `queue`.
 *
 * What fails: a line that is pulled out reads as its end, or as EIO, ENODEV or ENXIO, depending on
 * its kernel driver, and polls as an error: all of these are "gone". Two programs on one line read
 * half of each answer: TIOCEXCL keeps others out, and a lock those who may do all. */
#include "serial_port.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>
#include <uv.h>

#include "base/mem.h"

/* Unix98 pseudo-terminals (devices.txt); they know neither parity nor seven bits. */
enum { PTY_MAJOR_FIRST = 136, PTY_MAJOR_LAST = 143 };

const char *const serial_parity_choices[] = { "none", "even", "odd", NULL };

static const struct {
    uint32_t baud;
    speed_t speed;
} rates[] = {
    { 1200, B1200 },     { 2400, B2400 },     { 4800, B4800 },     { 9600, B9600 },
    { 19200, B19200 },   { 38400, B38400 },   { 57600, B57600 },   { 115200, B115200 },
    { 230400, B230400 }, { 460800, B460800 }, { 500000, B500000 }, { 576000, B576000 },
    { 921600, B921600 },
};

struct serial_port {
    uv_poll_t poll;
    int fd;      /* -1: closed, or gone */
    int failed;  /* errno of a write; told on the next turn */
    int watched; /* events that are polled for */
    char *path;
    struct serial_handlers handlers;
    size_t queued;
    unsigned char queue[SERIAL_QUEUE_SIZE];
};

/* B0 if it is none of the standard rates. */
static speed_t speed_of(uint32_t baud)
{
    for (size_t i = 0; i < LENGTH(rates); i++)
        if (rates[i].baud == baud)
            return rates[i].speed;
    return B0;
}

static const char *const rates_text =
    "1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 500000, 576000, 921600";

void serial_check_baud(uint32_t baud, const struct option_tree *section, struct faults *faults)
{
    if (speed_of(baud) == B0)
        fault_add_at(faults, option_tree_place(section, "baud"),
                     "baud %u is no standard rate: write one of %s", baud, rates_text);
}

/* --- What is said of failures */

/* "kpid" if the system does not know. */
static const char *user_name(char *to, size_t size)
{
    struct passwd entry, *found = NULL;
    char text[1024];

    if (getpwuid_r(geteuid(), &entry, text, sizeof text, &found) != 0 || !found)
        snprintf(to, size, "kpid");
    else
        snprintf(to, size, "%s", entry.pw_name);
    return to;
}

/* The group that may read and write the node; false if there is none, or the system cannot say. */
static bool group_that_may(const struct stat *st, char *to, size_t size)
{
    struct group entry, *found = NULL;
    char text[4096];

    if ((st->st_mode & 0060) != 0060 || st->st_gid == 0 ||
        getgrgid_r(st->st_gid, &entry, text, sizeof text, &found) != 0 || !found)
        return false;
    snprintf(to, size, "%s", entry.gr_name);
    return true;
}

static int no_permission(const char *path, int error, struct err *err)
{
    char user[33], group[33];
    struct stat st;

    user_name(user, sizeof user);
    if (error == EPERM)
        return err_set(err, -error,
                       "%s: the service may not use this kind of device: systemctl edit kpid, "
                       "DeviceAllow=",
                       path);
    if (stat(path, &st) < 0)
        return err_set(err, -error, "%s: user %s may not enter its folder", path, user);
    if (!group_that_may(&st, group, sizeof group))
        return err_set(err, -error,
                       "%s is closed to user %s (mode %04o): a udev rule must open it: "
                       "GROUP=\"dialout\", MODE=\"0660\"",
                       path, user, (unsigned)(st.st_mode & 07777));
    return err_set(err, -error,
                   "%s: permission denied: add user %s to group %s (usermod -aG %s %s) and restart "
                   "kpid",
                   path, user, group, group, user);
}

int serial_failure(const char *path, int error, struct err *err)
{
    static const struct {
        int error;
        const char *text; /* after the path */
    } texts[] = {
        { ENOENT, "is not there: plug the adapter in, or correct `device` (ls -l "
                  "/dev/serial/by-id shows what is plugged in)" },
        { EBUSY, "is in use by another program (fuser -v shows which): stop it; ModemManager and "
                 "getty take serial lines, too" },
        { ENOTTY, "is no serial line: correct `device`" },
        { EIO, "is gone: plug the adapter in again" },
        { ENODEV, "is gone: plug the adapter in again" },
        { ENXIO, "is gone: plug the adapter in again" },
    };

    if (error == EACCES || error == EPERM)
        return no_permission(path, error, err);
    for (size_t i = 0; i < LENGTH(texts); i++)
        if (texts[i].error == error)
            return err_set(err, -error, "%s %s", path, texts[i].text);
    return err_set(err, -error, "%s: %s", path, strerror(error));
}

/* --- The line itself, without a loop */

static bool is_pty(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && major(st.st_rdev) >= PTY_MAJOR_FIRST &&
           major(st.st_rdev) <= PTY_MAJOR_LAST;
}

static struct termios raw_line(const struct serial_settings *s)
{
    static const tcflag_t sizes[] = { CS5, CS6, CS7, CS8 };
    struct termios line = { .c_iflag = IGNBRK, .c_cflag = CLOCAL | CREAD };
    unsigned bits = s->data_bits ? s->data_bits : 8;

    /* A byte of wrong parity becomes a NUL, which no checksum lets pass. */
    if (s->parity != SERIAL_PARITY_NONE) {
        line.c_iflag |= INPCK;
        line.c_cflag |= PARENB | (s->parity == SERIAL_PARITY_ODD ? PARODD : 0);
    }
    line.c_cflag |= sizes[bits - 5] | (s->stop_bits == 2 ? CSTOPB : 0);
    line.c_cc[VMIN] = 1;
    (void)cfsetspeed(&line, speed_of(s->baud)); /* only a rate that is none could fail */
    return line;
}

/* tcsetattr is content if any part of it could be set. */
static bool was_set(int fd, const struct termios *want)
{
    const tcflag_t framing = CSIZE | PARENB | PARODD | CSTOPB;
    struct termios got;

    return tcgetattr(fd, &got) == 0 && cfgetospeed(&got) == cfgetospeed(want) &&
           cfgetispeed(&got) == cfgetispeed(want) &&
           (is_pty(fd) || (got.c_cflag & framing) == (want->c_cflag & framing));
}

static int set_line(int fd, const char *path, const struct serial_settings *s, struct err *err)
{
    static const char letters[] = { 'N', 'E', 'O' };
    struct termios line;
    unsigned bits = s->data_bits ? s->data_bits : 8;

    if (speed_of(s->baud) == B0)
        return err_set(err, -EINVAL, "%s: baud %u is no standard rate: write one of %s", path,
                       s->baud, rates_text);
    if (bits < 5 || bits > 8 || s->stop_bits > 2)
        return err_set(err, -EINVAL, "%s: a line has 5 to 8 data bits and 1 or 2 stop bits", path);
    line = raw_line(s);
    if (tcsetattr(fd, TCSANOW, &line) < 0)
        return serial_failure(path, errno, err);
    if (!was_set(fd, &line))
        return err_set(err, -EINVAL, "%s cannot be set to %u %u%c%u: choose what the adapter can",
                       path, s->baud, bits, letters[s->parity], s->stop_bits ? s->stop_bits : 1);
    (void)tcflush(fd, TCIFLUSH); /* what came at another rate; at worst the codec passes it over */
    return 0;
}

int serial_open_fd(const char *path, const struct serial_settings *settings, struct err *err)
{
    int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    int rc;

    if (fd < 0)
        return serial_failure(path, errno, err);
    if (!isatty(fd))
        rc = serial_failure(path, errno == EIO ? EIO : ENOTTY, err);
    else if (flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
        rc = serial_failure(path, EBUSY, err);
    else if (ioctl(fd, TIOCEXCL) < 0)
        rc = serial_failure(path, errno, err);
    else
        rc = set_line(fd, path, settings, err);
    if (rc < 0) {
        (void)close(fd); /* nothing was written */
        return rc;
    }
    return fd;
}

/* What waits to go out is thrown away: else close would wait for the device to take it. */
static void close_line(int fd)
{
    (void)tcflush(fd, TCIOFLUSH);
    (void)ioctl(fd, TIOCNXCL); /* outlives us where others hold the device open */
    (void)close(fd);
}

/* --- On the loop */

static void on_ready(uv_poll_t *poll, int status, int events);

static void on_closed(uv_handle_t *handle)
{
    struct serial_port *port = handle->data;

    free(port->path);
    free(port);
}

static void watch(struct serial_port *port)
{
    int events = UV_READABLE | UV_DISCONNECT;

    if (port->queued > 0 || port->failed)
        events |= UV_WRITABLE;
    if (events != port->watched)
        (void)uv_poll_start(&port->poll, events, on_ready); /* fails only for a closing handle */
    port->watched = events;
}

static void release(struct serial_port *port)
{
    if (port->fd < 0)
        return;
    (void)uv_poll_stop(&port->poll); /* cannot fail */
    close_line(port->fd);
    port->fd = -1;
}

static void go(struct serial_port *port, int error)
{
    struct err err;

    (void)serial_failure(port->path, error, &err);
    release(port);
    port->handlers.gone(port->handlers.arg, &err);
}

static bool is_passing(int error)
{
    return error == EAGAIN || error == EINTR;
}

static void send_queue(struct serial_port *port)
{
    ssize_t n = write(port->fd, port->queue, port->queued);

    if (n < 0) {
        port->failed = is_passing(errno) ? 0 : errno;
        return;
    }
    port->queued -= (size_t)n;
    memmove(port->queue, port->queue + n, port->queued);
}

static void receive(struct serial_port *port, bool must_be_gone)
{
    unsigned char bytes[SERIAL_READ_SIZE];
    ssize_t n = read(port->fd, bytes, sizeof bytes);

    if (n > 0)
        port->handlers.bytes(port->handlers.arg, bytes, (size_t)n);
    else if (n == 0 || must_be_gone || !is_passing(errno))
        go(port, n < 0 && !is_passing(errno) ? errno : EIO);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct serial_port *port = poll->data;

    if (status < 0)
        port->watched = 0; /* libuv has stopped it; bytes may still wait before the end */
    if (port->failed) {
        go(port, port->failed);
        return;
    }
    if (port->queued > 0 && status == 0 && (events & UV_WRITABLE))
        send_queue(port);
    if (status < 0 || (events & (UV_READABLE | UV_DISCONNECT)))
        receive(port, status < 0 || (events & UV_DISCONNECT));
    if (port->fd >= 0)
        watch(port);
}

int serial_port_open(struct serial_port **ret, uv_loop_t *loop, const char *path,
                     const struct serial_settings *settings, const struct serial_handlers *handlers,
                     struct err *err)
{
    int fd = serial_open_fd(path, settings, err);
    struct serial_port *port;
    int rc;

    if (fd < 0)
        return fd;
    port = mem_zalloc(sizeof *port);
    rc = uv_poll_init(loop, &port->poll, fd);
    if (rc < 0) {
        close_line(fd);
        free(port);
        return err_set(err, rc, "%s: %s", path, uv_strerror(rc));
    }
    port->poll.data = port;
    port->fd = fd;
    port->path = mem_strdup(path);
    port->handlers = *handlers;
    watch(port);
    *ret = port;
    return 0;
}

int serial_port_set(struct serial_port *port, const struct serial_settings *settings,
                    struct err *err)
{
    if (port->fd < 0)
        return serial_failure(port->path, EIO, err);
    return set_line(port->fd, port->path, settings, err);
}

int serial_port_write(struct serial_port *port, const void *bytes, size_t length)
{
    if (port->fd < 0 || port->failed)
        return -EIO;
    if (length > sizeof port->queue - port->queued)
        return -ENOBUFS;
    memcpy(port->queue + port->queued, bytes, length);
    port->queued += length;
    send_queue(port);
    watch(port);
    return 0;
}

void serial_port_discard(struct serial_port *port)
{
    if (port->fd >= 0)
        (void)tcflush(port->fd, TCIFLUSH); /* of a line that is gone nothing waits */
}

void serial_port_close(struct serial_port *port)
{
    if (!port)
        return;
    release(port);
    uv_close((uv_handle_t *)&port->poll, on_closed);
}
