/* Where a simulated thing is plugged in; see port.h.
 *
 * A terminal: the master is ours, the other end is found through the link. While nobody has it
 * open the master reports a hang-up without end; then it is not watched, but looked at every 20 ms.
 * When it is pulled the master is closed, by which the other end learns of it, and the link goes.
 */
#include "port.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "baud.h"
#include "noise.h"

enum { LOOK_MS = 20, SILENCE_MS = 200, LINES_MAX = 32, WAITING_MAX = 256, ADDRESS_SIZE = 512 };

/* Something to be sent later. */
struct waiting {
    int64_t due_at;
    uint64_t line;
    uint8_t *bytes;
    size_t length;
};

struct listener {
    uv_poll_t poll;
    int fd;
    struct port *port;
};

struct port {
    struct port_config config;
    const struct clock *clock;
    uv_loop_t *loop;
    uv_timer_t look, outbox, babble;
    int open_handles;          /* of the three; the last one to close frees */
    struct listener *listener; /* of TCP, while it is plugged in */
    char address[ADDRESS_SIZE];
    char node[64], node_before[64];
    uint32_t baud;
    struct line *lines;
    uint64_t lines_ever;
    struct waiting waiting[WAITING_MAX];
    size_t waiting_count;
    int64_t babbled, noised; /* how much chance was used up */
    uint32_t noise_e3;
};

/* --- Lines */

static void on_line_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void drop_line(struct line *line)
{
    struct line **at = &line->port->lines;

    while (*at != line)
        at = &(*at)->next;
    *at = line->next;
    uv_close((uv_handle_t *)&line->poll, on_line_closed);
    (void)close(line->fd); /* nothing was buffered */
}

static void on_readable(uv_poll_t *poll, int status, int events);

static void watch(struct line *line)
{
    line->hung_up = false;
    line->used = 0;
    uv_poll_start(&line->poll, UV_READABLE, on_readable);
}

static void on_line_end(struct line *line)
{
    if (!line->is_terminal) {
        drop_line(line);
        return;
    }
    line->hung_up = true;
    uv_poll_stop(&line->poll);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct line *line = poll->data;
    struct port *port = line->port;
    int64_t now = clock_monotonic(port->clock);
    ssize_t got;

    (void)status, (void)events; /* the read tells */
    if (line->used == sizeof line->bytes || now - line->heard_at > SILENCE_MS)
        line->used = 0; /* nobody made anything of it: garbage, or half a frame */
    line->heard_at = now;
    got = read(line->fd, line->bytes + line->used, sizeof line->bytes - line->used);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        on_line_end(line);
        return;
    }
    if (line->is_terminal && port->baud != baud_get(line->fd)) {
        uint8_t heard[LINE_MAX_BYTES];
        uint32_t theirs = baud_get(line->fd);
        size_t count = baud_resample(line->bytes + line->used, (size_t)got, theirs, port->baud,
                                     heard, sizeof line->bytes - line->used);

        memcpy(line->bytes + line->used, heard, count);
        got = (ssize_t)count;
    }
    line->used += (size_t)got;
    port->config.heard(port->config.arg, line);
}

static struct line *add_line(struct port *port, int fd, bool is_terminal)
{
    struct line *line = mem_zalloc(sizeof *line);
    int rc = uv_poll_init(port->loop, &line->poll, fd);

    assert(rc == 0); /* a terminal or a socket can be watched */
    line->poll.data = line;
    line->port = port;
    line->fd = fd;
    line->is_terminal = is_terminal;
    line->serial = ++port->lines_ever;
    line->next = port->lines;
    port->lines = line;
    return line;
}

void line_end(struct line *line)
{
    if (!line->is_terminal)
        drop_line(line);
}

void line_take(struct line *line, size_t length)
{
    assert(length <= line->used);
    line->used -= length;
    memmove(line->bytes, line->bytes + length, line->used);
}

/* --- Sending */

static void damage(struct port *port, uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        uint64_t bits = noise_bits(port->config.seed, port->config.name, 11, port->noised++);

        if (bits % 1000 < port->noise_e3)
            bytes[i] ^= (uint8_t)(1 << (bits >> 32) % 8);
    }
}

static void write_out(struct line *line, const uint8_t *bytes, size_t length)
{
    uint8_t sent[4 * LINE_MAX_BYTES], heard[4 * LINE_MAX_BYTES];
    uint32_t theirs = line->is_terminal ? baud_get(line->fd) : 0;

    if (line->hung_up)
        return;
    if (line->port->noise_e3 > 0 && length <= sizeof sent) {
        damage(line->port, memcpy(sent, bytes, length), length);
        bytes = sent;
    }
    if (theirs > 0 && theirs != line->port->baud) {
        length = baud_resample(bytes, length, line->port->baud, theirs, heard, sizeof heard);
        bytes = heard;
    }
    /* What does not fit is lost, as on a real line. */
    if (line->is_terminal)
        (void)!write(line->fd, bytes, length);
    else
        (void)send(line->fd, bytes, length, MSG_NOSIGNAL);
}

void port_send(struct port *port, const uint8_t *bytes, size_t length)
{
    for (struct line *line = port->lines; line; line = line->next)
        write_out(line, bytes, length);
}

static void on_outbox(uv_timer_t *timer);

static void wait_for_next(struct port *port)
{
    int64_t now = clock_monotonic(port->clock), next = INT64_MAX;

    for (size_t i = 0; i < port->waiting_count; i++)
        if (port->waiting[i].due_at < next)
            next = port->waiting[i].due_at;
    if (next < INT64_MAX)
        uv_timer_start(&port->outbox, on_outbox, next > now ? (uint64_t)(next - now) : 0, 0);
}

static void on_outbox(uv_timer_t *timer)
{
    struct port *port = timer->data;
    int64_t now = clock_monotonic(port->clock);
    size_t kept = 0;

    for (size_t i = 0; i < port->waiting_count; i++) {
        struct waiting *w = &port->waiting[i];

        if (w->due_at > now) {
            port->waiting[kept++] = *w;
            continue;
        }
        for (struct line *line = port->lines; line; line = line->next)
            if (line->serial == w->line)
                write_out(line, w->bytes, w->length);
        free(w->bytes);
    }
    port->waiting_count = kept;
    wait_for_next(port);
}

void line_send(struct line *line, const uint8_t *bytes, size_t length, int64_t delay_ms)
{
    struct port *port = line->port;

    if (delay_ms <= 0) {
        write_out(line, bytes, length);
        return;
    }
    if (port->waiting_count == WAITING_MAX)
        return;
    port->waiting[port->waiting_count++] =
        (struct waiting){ .due_at = clock_monotonic(port->clock) + delay_ms,
                          .line = line->serial,
                          .bytes = memcpy(mem_alloc(length), bytes, length),
                          .length = length };
    wait_for_next(port);
}

static void on_babble(uv_timer_t *timer)
{
    struct port *port = timer->data;
    uint8_t lump[24];
    uint64_t bits = noise_bits(port->config.seed, port->config.name, 9, port->babbled++);
    size_t length = 1 + bits % sizeof lump;

    for (size_t i = 0; i < length; i++)
        lump[i] = (uint8_t)(noise_bits(bits, port->config.name, 10, (int64_t)i) >> 24);
    port_send(port, lump, length);
}

void port_babble(struct port *port, int64_t every_ms)
{
    if (every_ms > 0)
        uv_timer_start(&port->babble, on_babble, 0, (uint64_t)every_ms);
    else
        uv_timer_stop(&port->babble);
}

void port_set_noise(struct port *port, uint32_t per_mille)
{
    port->noise_e3 = per_mille;
}

void port_set_baud(struct port *port, uint32_t baud)
{
    port->baud = baud;
}

/* --- Terminals */

/* Looks whether somebody has opened the terminal. */
static void on_look(uv_timer_t *timer)
{
    struct port *port = timer->data;

    for (struct line *line = port->lines; line; line = line->next) {
        struct pollfd fd = { .fd = line->fd, .events = POLLIN };

        if (line->hung_up && poll(&fd, 1, 0) >= 0 && !(fd.revents & POLLHUP))
            watch(line);
    }
}

/* A terminal whose name is in `name` (of 64 bytes), raw and at `baud`. */
static int open_terminal(char *name, uint32_t baud)
{
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC), other;

    if (fd < 0)
        return -errno;
    if (grantpt(fd) < 0 || unlockpt(fd) < 0 || ptsname_r(fd, name, 64) != 0 ||
        (other = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC)) < 0) {
        (void)close(fd);
        return -EIO;
    }
    (void)baud_set(other, baud); /* of a terminal that we have just made */
    (void)close(other);          /* by which it is hung up until somebody opens it */
    return fd;
}

/* The link appears whole or not at all, as udev's do. */
static int make_link(const struct port *port)
{
    char fresh[ADDRESS_SIZE + 8];

    snprintf(fresh, sizeof fresh, "%s.new", port->address);
    (void)unlink(fresh); /* of one that was killed */
    if (symlink(port->node, fresh) < 0)
        return -errno;
    return rename(fresh, port->address) < 0 ? -errno : 0;
}

static int plug_terminal(struct port *port, struct err *err)
{
    int fd = open_terminal(port->node, port->baud), rc;

    if (fd >= 0 && strcmp(port->node, port->node_before) == 0) {
        int first = fd; /* holds the old number, so that the new node is another */

        fd = open_terminal(port->node, port->baud);
        (void)close(first);
    }
    if (fd < 0)
        return err_set(err, fd, "no pseudo terminal: %s", strerror(-fd));
    rc = make_link(port);
    if (rc < 0) {
        (void)close(fd);
        return err_set(err, rc, "%s: %s", port->address, strerror(-rc));
    }
    text_set(port->node_before, sizeof port->node_before, port->node);
    add_line(port, fd, true)->hung_up = true;
    return 0;
}

/* --- TCP */

static void on_client(uv_poll_t *poll, int status, int events)
{
    const struct listener *listener = poll->data;
    struct port *port = listener->port;
    int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    size_t count = 0;

    (void)status, (void)events; /* accept tells */
    for (struct line *line = port->lines; line; line = line->next)
        count++;
    if (fd >= 0 && count < LINES_MAX)
        watch(add_line(port, fd, false));
    else if (fd >= 0)
        (void)close(fd);
}

static void listen_on(struct port *port, int fd)
{
    struct listener *listener = mem_zalloc(sizeof *listener);

    listener->fd = fd;
    listener->port = port;
    listener->poll.data = listener;
    uv_poll_init(port->loop, &listener->poll, fd);
    uv_poll_start(&listener->poll, UV_READABLE, on_client);
    port->listener = listener;
}

static int plug_tcp(struct port *port, struct err *err)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_port = htons(port->config.tcp_port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), yes = 1, rc;

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) < 0 ||
        bind(fd, (struct sockaddr *)&at, sizeof at) < 0 || listen(fd, LINES_MAX) < 0 ||
        getsockname(fd, (struct sockaddr *)&at, &size) < 0) {
        rc = -errno;
        if (fd >= 0)
            (void)close(fd);
        return err_set(err, rc, "port %u: %s", port->config.tcp_port, strerror(-rc));
    }
    port->config.tcp_port = ntohs(at.sin_port);
    snprintf(port->address, sizeof port->address, "127.0.0.1:%u", port->config.tcp_port);
    listen_on(port, fd);
    return 0;
}

/* --- The whole */

static void on_closed(uv_handle_t *handle)
{
    struct port *port = handle->data;

    if (--port->open_handles == 0)
        free(port);
}

static void on_listener_closed(uv_handle_t *handle)
{
    free(handle->data);
}

int port_create(struct port **ret, uv_loop_t *loop, const struct clock *clock,
                const struct port_config *config, struct err *err)
{
    struct port *port = mem_zalloc(sizeof *port);
    uv_timer_t *timers[] = { &port->look, &port->outbox, &port->babble };
    int rc;

    port->config = *config;
    port->clock = clock;
    port->loop = loop;
    port->baud = config->baud;
    if (!config->is_tcp)
        snprintf(port->address, sizeof port->address, "%s/%s", config->links, config->name);
    for (size_t i = 0; i < LENGTH(timers); i++) {
        uv_timer_init(loop, timers[i]);
        timers[i]->data = port;
        port->open_handles++;
    }
    rc = port_put_back(port, err);
    if (rc < 0) {
        port_destroy(port);
        return rc;
    }
    *ret = port;
    return 0;
}

void port_destroy(struct port *port)
{
    if (!port)
        return;
    port_pull(port);
    uv_close((uv_handle_t *)&port->look, on_closed);
    uv_close((uv_handle_t *)&port->outbox, on_closed);
    uv_close((uv_handle_t *)&port->babble, on_closed);
}

void port_pull(struct port *port)
{
    struct listener *listener = port->listener;

    if (!port->config.is_tcp && port->lines)
        (void)unlink(port->address); /* gone already: as good */
    while (port->lines)
        drop_line(port->lines);
    port->listener = NULL;
    if (listener) {
        uv_close((uv_handle_t *)&listener->poll, on_listener_closed);
        (void)close(listener->fd);
    }
    for (size_t i = 0; i < port->waiting_count; i++)
        free(port->waiting[i].bytes);
    port->waiting_count = 0;
    uv_timer_stop(&port->look);
}

int port_put_back(struct port *port, struct err *err)
{
    if (port->config.is_tcp)
        return plug_tcp(port, err);
    uv_timer_start(&port->look, on_look, LOOK_MS, LOOK_MS);
    return plug_terminal(port, err);
}

const char *port_address(const struct port *port)
{
    return port->address;
}

bool port_is_heard(const struct port *port)
{
    return port->lines && !port->lines->hung_up;
}
