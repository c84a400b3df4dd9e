/* Units on a Modbus bus that do as the test says; see fake_modbus.h. Written without the driver's
 * own code, so that both cannot be wrong in the same way. */
#include "tests/lib/fake_modbus.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

static uint16_t get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static void put16(uint8_t *p, uint16_t value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

static uint16_t crc_of(const uint8_t *bytes, size_t length)
{
    uint16_t crc = 0xFFFF;

    while (length--) {
        crc ^= *bytes++;
        for (int i = 0; i < 8; i++)
            crc = (uint16_t)((crc >> 1) ^ (crc & 1 ? 0xA001 : 0));
    }
    return crc;
}

struct fake_unit *fake_modbus_add(struct fake_modbus *server, uint8_t id)
{
    static const uint16_t led[] = { 0x0003, 0,      0,      0,      60,     0xFFF6 /* -1.0 */,
                                    12034,  350,    1,      0x0123, 0x0001, 0x0002,
                                    0x4C45, 0x4430, 0x3000, 0 };
    struct fake_unit *unit = &server->units[server->unit_count++];

    assert(server->unit_count <= FAKE_UNITS_MAX);
    *unit = (struct fake_unit){ .id = id };
    memcpy(unit->holding, led, sizeof led);
    return unit;
}

struct fake_unit *fake_modbus_unit(struct fake_modbus *server, uint8_t id)
{
    for (size_t i = 0; i < server->unit_count; i++)
        if (server->units[i].id == id)
            return &server->units[i];
    return NULL;
}

/* --- Answers, from the unit on */

static size_t exception(uint8_t *to, const uint8_t *request, int code)
{
    to[0] = request[0];
    to[1] = request[1] | 0x80;
    to[2] = (uint8_t)code;
    return 3;
}

static bool meets_hole(const struct fake_unit *u, uint16_t address, uint16_t count)
{
    return address + count > FAKE_REGISTERS ||
           (address < u->hole_at + u->hole_count && u->hole_at < address + count);
}

static size_t answer_registers(struct fake_unit *u, const uint8_t *request, uint8_t *to)
{
    const uint16_t *from = request[1] == 3 ? u->holding : u->input;
    uint16_t address = get16(request + 2), count = get16(request + 4);

    if (count > (u->registers_max ? u->registers_max : 125))
        return exception(to, request, 3);
    if (meets_hole(u, address, count))
        return exception(to, request, 2);
    memcpy(to, request, 2);
    to[2] = (uint8_t)(2 * count);
    for (int i = 0; i < count; i++)
        put16(to + 3 + 2 * i, from[address + i]);
    return 3 + 2 * (size_t)count;
}

static size_t answer_bits(const struct fake_unit *u, const uint8_t *request, uint8_t *to)
{
    const uint8_t *from = request[1] == 1 ? u->coils : u->discrete;
    uint16_t address = get16(request + 2), count = get16(request + 4);

    if (address + count > FAKE_REGISTERS)
        return exception(to, request, 2);
    memcpy(to, request, 2);
    to[2] = (uint8_t)((count + 7) / 8);
    memset(to + 3, 0, to[2]);
    for (int i = 0; i < count; i++)
        to[3 + i / 8] |= (uint8_t)(from[address + i] << i % 8);
    return 3 + (size_t)to[2];
}

static void write_register(struct fake_unit *u, uint16_t address, uint16_t value)
{
    u->holding[address] = value;
    if (u->on_write)
        u->on_write(u, address, value);
}

static size_t answer_write(struct fake_unit *u, const uint8_t *request, uint8_t *to)
{
    uint16_t address = get16(request + 2), count = request[1] == 16 ? get16(request + 4) : 1;

    if (meets_hole(u, address, count))
        return exception(to, request, 2);
    for (uint16_t i = 0; i < count; i++)
        write_register(u, (uint16_t)(address + i),
                       get16(request[1] == 16 ? request + 7 + 2 * i : request + 4));
    memcpy(to, request, 6);
    return 6;
}

static size_t answer_of(struct fake_unit *u, const uint8_t *request, uint8_t *to)
{
    switch (request[1]) {
    case 1:
    case 2:
        return answer_bits(u, request, to);
    case 3:
    case 4:
        return u->is_write_only ? 0 : answer_registers(u, request, to);
    case 6:
    case 16:
        return answer_write(u, request, to);
    case 8:
        memcpy(to, request, 6);
        put16(to + 4, get16(request + 4) ^ u->diagnostic);
        return 6;
    default:
        return exception(to, request, 1);
    }
}

/* --- Frames */

/* How long the request at `bytes` is, from the unit on; 0: not known yet. */
static size_t request_length(const uint8_t *bytes, size_t length)
{
    if (length < 2)
        return 0;
    if (bytes[1] != 16)
        return 6;
    return length < 7 ? 0 : 7 + (size_t)bytes[6];
}

static void send_bytes(int fd, const uint8_t *bytes, size_t length)
{
    while (length > 0) {
        ssize_t n = write(fd, bytes, length);

        if (n <= 0)
            return; /* the driver went away */
        bytes += n;
        length -= (size_t)n;
    }
}

static bool takes_fault(struct fake_unit *u)
{
    if (u->fault == FAKE_WELL || u->times == 0)
        return false;
    if (u->times > 0)
        u->times--;
    return true;
}

/* Without the lock: it may take its time. */
static void send_frame(struct fake_modbus *s, int fd, const uint8_t *mbap, uint8_t *body,
                       size_t length, enum fake_fault fault, int argument)
{
    uint8_t frame[300], noise[64];
    size_t used = 0;
    uint16_t crc;

    if (fault == FAKE_LATE)
        usleep((useconds_t)argument * 1000);
    if (fault == FAKE_WRONG_UNIT)
        body[0] = (uint8_t)(body[0] + 100);
    if (s->frames_are_tcp) {
        memcpy(frame, mbap, 4);
        put16(frame + 4, (uint16_t)length);
        used = 6;
    }
    memcpy(frame + used, body, length);
    used += length;
    if (!s->frames_are_tcp) {
        crc = crc_of(body, length);
        if (fault == FAKE_BAD_CRC)
            crc ^= 0x5555;
        frame[used++] = (uint8_t)crc;
        frame[used++] = (uint8_t)(crc >> 8);
    }
    memset(noise, 0x5A, sizeof noise);
    if (fault == FAKE_BABBLE)
        send_bytes(fd, noise, (size_t)argument);
    send_bytes(fd, frame, fault == FAKE_HALF ? used / 2 : used);
}

static void serve(struct fake_modbus *s, int fd, const uint8_t *mbap, const uint8_t *request)
{
    struct fake_unit *u;
    uint8_t body[300];
    size_t length = 0;
    enum fake_fault fault = FAKE_WELL;
    int argument = 0;

    pthread_mutex_lock(&s->lock);
    u = fake_modbus_unit(s, request[0]);
    if (u) {
        u->asked++;
        if (takes_fault(u)) {
            fault = u->fault;
            argument = u->argument;
        }
        if (fault == FAKE_EXCEPTION)
            length = exception(body, request, argument);
        else if (fault != FAKE_SILENT)
            length = answer_of(u, request, body);
    }
    pthread_mutex_unlock(&s->lock);
    if (length > 0)
        send_frame(s, fd, mbap, body, length, fault, argument);
}

/* One frame at the front of what came, if it is whole: its length, else 0. */
static size_t serve_front(struct fake_modbus *s, struct fake_connection *c)
{
    const uint8_t *body = c->bytes + (s->frames_are_tcp ? 6 : 0);
    size_t length;

    if (s->frames_are_tcp && c->length < 6)
        return 0;
    length = s->frames_are_tcp ? get16(c->bytes + 4) : request_length(c->bytes, c->length);
    if (length == 0)
        return 0;
    length += s->frames_are_tcp ? 6 : 2;
    if (c->length < length)
        return 0;
    if (!s->frames_are_tcp) {
        uint16_t crc = crc_of(body, length - 2);

        assert(body[length - 2] == (crc & 0xFF) && body[length - 1] == crc >> 8);
        if (s->echoes)
            send_bytes(c->fd, body, length);
    }
    assert(body[0] != 0); /* never a broadcast */
    serve(s, c->fd, c->bytes, body);
    return length;
}

/* --- The thread */

static void drop(struct fake_modbus *s, size_t i)
{
    if (s->connections[i].fd != s->master)
        close(s->connections[i].fd);
    s->connections[i] = s->connections[--s->connection_count];
}

static void hear(struct fake_modbus *s, size_t i)
{
    struct fake_connection *c = &s->connections[i];
    ssize_t n = read(c->fd, c->bytes + c->length, sizeof c->bytes - c->length);
    size_t used;

    if (n <= 0) {
        if (c->fd != s->master)
            drop(s, i);
        return;
    }
    c->length += (size_t)n;
    while ((used = serve_front(s, c)) > 0) {
        memmove(c->bytes, c->bytes + used, c->length - used);
        c->length -= used;
    }
}

static void accept_one(struct fake_modbus *s)
{
    static const int on = 1;
    int fd = accept(s->listener, NULL, NULL);

    if (fd < 0)
        return;
    assert(s->connection_count < FAKE_CONNECTIONS_MAX);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    s->connections[s->connection_count++] = (struct fake_connection){ .fd = fd };
    pthread_mutex_lock(&s->lock);
    s->accepted++;
    pthread_mutex_unlock(&s->lock);
}

static void *run(void *arg)
{
    struct fake_modbus *s = arg;

    for (;;) {
        struct pollfd fds[FAKE_CONNECTIONS_MAX + 2] = { { .fd = s->wake[0], .events = POLLIN },
                                                        { .fd = s->listener, .events = POLLIN } };
        size_t count = s->connection_count;

        for (size_t i = 0; i < count; i++)
            fds[2 + i] = (struct pollfd){ .fd = s->connections[i].fd, .events = POLLIN };
        if (poll(fds, 2 + count, -1) < 0)
            continue;
        if (fds[0].revents)
            return NULL;
        if (fds[1].revents)
            accept_one(s);
        while (count-- > 0)
            if (fds[2 + count].revents)
                hear(s, count);
    }
}

static void begin(struct fake_modbus *s)
{
    assert(pipe(s->wake) == 0);
    pthread_mutex_init(&s->lock, NULL);
    assert(pthread_create(&s->thread, NULL, run, s) == 0);
}

static void end(struct fake_modbus *s)
{
    assert(write(s->wake[1], "", 1) == 1);
    pthread_join(s->thread, NULL);
    close(s->wake[0]);
    close(s->wake[1]);
    pthread_mutex_destroy(&s->lock);
    while (s->connection_count > 0)
        drop(s, 0);
}

void fake_modbus_listen(struct fake_modbus *server, bool frames_are_tcp)
{
    static const int on = 1;
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)server->port),
                                   .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t size = sizeof address;

    server->frames_are_tcp = frames_are_tcp;
    server->master = -1;
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(server->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    assert(bind(server->listener, (struct sockaddr *)&address, size) == 0);
    assert(listen(server->listener, 8) == 0);
    assert(getsockname(server->listener, (struct sockaddr *)&address, &size) == 0);
    server->port = ntohs(address.sin_port);
    begin(server);
}

void fake_modbus_plug_in(struct fake_modbus *server)
{
    struct termios raw;
    char name[64];

    if (!server->folder[0]) {
        snprintf(server->folder, sizeof server->folder, "/tmp/fake_modbus.XXXXXX");
        assert(mkdtemp(server->folder));
        snprintf(server->device, sizeof server->device, "%s/adapter", server->folder);
    }
    server->is_pty = true;
    server->listener = -1;
    assert(openpty(&server->master, &server->slave, name, NULL, NULL) == 0);
    assert(tcgetattr(server->slave, &raw) == 0);
    cfmakeraw(&raw);
    assert(tcsetattr(server->slave, TCSANOW, &raw) == 0);
    assert(symlink(name, server->device) == 0);
    server->connections[0] = (struct fake_connection){ .fd = server->master };
    server->connection_count = 1;
    begin(server);
}

void fake_modbus_pull_out(struct fake_modbus *server)
{
    end(server);
    assert(unlink(server->device) == 0);
    close(server->slave);
    close(server->master);
    server->master = server->slave = -1;
}

void fake_modbus_stop(struct fake_modbus *server)
{
    if (!server->is_pty) {
        end(server);
        close(server->listener);
        return;
    }
    if (server->master >= 0)
        fake_modbus_pull_out(server);
    assert(rmdir(server->folder) == 0);
}

void fake_modbus_lock(struct fake_modbus *server)
{
    pthread_mutex_lock(&server->lock);
}

void fake_modbus_unlock(struct fake_modbus *server)
{
    pthread_mutex_unlock(&server->lock);
}

void fake_modbus_fault(struct fake_modbus *server, uint8_t id, enum fake_fault fault, int argument,
                       int times)
{
    struct fake_unit *unit;

    fake_modbus_lock(server);
    unit = fake_modbus_unit(server, id);
    assert(unit);
    unit->fault = fault;
    unit->argument = argument;
    unit->times = times;
    fake_modbus_unlock(server);
}
