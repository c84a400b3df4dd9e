/* The line to Modbus units: its birth, opening and closing; see mb_link.h. */
#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "mb_link_private.h"

/* A frame ends where this much is silent. USB adapters deliver in lumps of up to 16 ms; serial
 * servers cut a frame into segments. */
enum { IDLE_SERIAL_MS = 20, IDLE_NETWORK_MS = 200 };
enum { BITS_A_CHARACTER = 11 };

int64_t mb_link_now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

bool mb_link_is_tcp(const struct mb_link *link)
{
    return link->line->transport == MB_TCP;
}

bool mb_link_is_serial(const struct mb_link *link)
{
    return link->line->transport == MB_RTU;
}

int64_t mb_link_t35_us(uint32_t baud)
{
    return baud > 19200 ? 1750 : 3500000 * BITS_A_CHARACTER / baud;
}

int64_t mb_link_idle_ms(const struct mb_link *link)
{
    int64_t t35_ms = mb_link_t35_us(link->line->baud) / 1000 + 1;

    if (link->line->idle_ms > 0)
        return link->line->idle_ms;
    if (!mb_link_is_serial(link))
        return IDLE_NETWORK_MS;
    return t35_ms > IDLE_SERIAL_MS ? t35_ms : IDLE_SERIAL_MS;
}

/* --- Birth and death */

/* Neither opens anything, ever: they are given our descriptor. */
static modbus_t *new_modbus(const struct mb_line *line)
{
    if (line->transport == MB_TCP)
        return modbus_new_tcp("127.0.0.1", 502);
    return modbus_new_rtu("/dev/null", (int)line->baud, 'N', 8, 1);
}

struct mb_link *mb_link_create(const struct mb_line *line)
{
    struct mb_link *link = mem_zalloc(sizeof *link);

    link->line = line;
    link->fd = -1;
    link->modbus = new_modbus(line);
    assert(link->modbus); /* the options were checked */
    link->character_us = 1000000 * BITS_A_CHARACTER / line->baud + 1;
    return link;
}

void mb_link_destroy(struct mb_link *link)
{
    if (!link)
        return;
    mb_link_close(link);
    modbus_free(link->modbus);
    free(link);
}

/* --- Opening */

/* Waits for a connection under way. 0 or negative errno. */
static int finish_connect(int fd, int64_t limit_ms)
{
    struct pollfd ready = { .fd = fd, .events = POLLOUT };
    int error = 0;
    socklen_t size = sizeof error;
    int rc;

    do
        rc = poll(&ready, 1, (int)limit_ms);
    while (rc < 0 && errno == EINTR);
    if (rc == 0)
        return -ETIMEDOUT;
    if (rc < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        return -errno;
    return -error;
}

static int connect_one(const struct addrinfo *address, int64_t limit_ms, int *ret_fd)
{
    static const int on = 1;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int rc;

    if (fd < 0)
        return -errno;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* slower without */
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on); /* time-outs tell as well */
    rc = connect(fd, address->ai_addr, address->ai_addrlen) < 0 ? -errno : 0;
    if (rc == -EINPROGRESS)
        rc = finish_connect(fd, limit_ms);
    if (rc < 0) {
        (void)close(fd); /* nothing was sent */
        return rc;
    }
    *ret_fd = fd;
    return 0;
}

static int open_network(struct mb_link *link, int *ret_fd, struct err *err)
{
    const struct mb_line *line = link->line;
    const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
    struct addrinfo *list;
    char port[8];
    int rc;

    snprintf(port, sizeof port, "%u", line->port);
    rc = getaddrinfo(line->host, port, &hints, &list);
    if (rc != 0)
        return err_set(err, -ENOENT, "host \"%s\": %s: mend host, or the name service", line->host,
                       gai_strerror(rc));
    rc = -ENOENT;
    for (const struct addrinfo *a = list; a && rc < 0; a = a->ai_next)
        rc = connect_one(a, line->connect_ms, ret_fd);
    freeaddrinfo(list);
    if (rc < 0)
        return err_set(err, rc,
                       "%s port %u: %s: is it switched on, its address right, and no other "
                       "master connected?",
                       line->host, line->port, strerror(-rc));
    return 0;
}

/* Exclusive, which libmodbus's own opening is not. */
static int open_serial(struct mb_link *link, int *ret_fd, struct err *err)
{
    const struct mb_line *line = link->line;
    const struct serial_settings settings = { .baud = line->baud,
                                              .parity = line->parity,
                                              .stop_bits = line->stop_bits };
    int fd = serial_open_fd(line->device, &settings, err);

    if (fd == -ENOENT && link->opened_us > 0) /* it was there */
        return serial_failure(line->device, ENODEV, err);
    if (fd < 0)
        return fd;
    *ret_fd = fd;
    return 0;
}

int mb_link_open(struct mb_link *link, struct err *err)
{
    int rc;

    assert(link->fd < 0);
    rc = mb_link_is_serial(link) ? open_serial(link, &link->fd, err)
                                 : open_network(link, &link->fd, err);
    if (rc < 0)
        return rc;
    modbus_set_socket(link->modbus, link->fd);
    link->is_clean = true;
    link->opened_us = link->heard_us = mb_link_now_us();
    return 0;
}

void mb_link_close(struct mb_link *link)
{
    if (link->fd < 0)
        return;
    (void)close(link->fd); /* nothing to lose */
    link->fd = -1;
}
