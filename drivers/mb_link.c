/* One question and its answer on a line to Modbus units; see mb_link.h.
 *
 * Ordinary reads and writes are libmodbus's own. Two things it cannot: function 08, and skipping
 * the echo of a half-duplex adapter; for these it sends (modbus_send_raw_request) and we take the
 * answer apart (mb_frame.h). RTU over TCP is libmodbus's RTU on a descriptor that we connected. */
#include "mb_link.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <modbus.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "mb_frame.h"
#include "mb_map.h"

/* A frame ends where this much is silent. USB adapters deliver in lumps of up to 16 ms; serial
 * servers cut a frame into segments. */
enum { IDLE_SERIAL_MS = 20, IDLE_NETWORK_MS = 200 };
enum { BITS_A_CHARACTER = 11 };

struct mb_link {
    const struct mb_line *line;
    modbus_t *modbus;
    int fd; /* the low descriptor: /dev/null while closed */
    bool is_open;
    int64_t heard_us; /* when the line last carried something */
    int64_t opened_us;
    int64_t timeout_ms; /* as libmodbus was last told */
    int64_t character_us;
    char why[200];
};

/* Microseconds, which the house's clock has not, and a line at 115200 baud needs. */
static int64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void sleep_until(int64_t at_us)
{
    const struct timespec until = { at_us / 1000000, at_us % 1000000 * 1000 };

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
        ;
}

static bool is_tcp(const struct mb_link *link)
{
    return link->line->transport == MB_TCP;
}

static bool is_serial(const struct mb_link *link)
{
    return link->line->transport == MB_RTU;
}

int64_t mb_link_t35_us(uint32_t baud)
{
    return baud > 19200 ? 1750 : 3500000 * BITS_A_CHARACTER / 1000 * 1000 / baud;
}

static int64_t idle_ms(const struct mb_link *link)
{
    int64_t t35_ms = mb_link_t35_us(link->line->baud) / 1000 + 1;

    if (link->line->idle_ms > 0)
        return link->line->idle_ms;
    if (!is_serial(link))
        return IDLE_NETWORK_MS;
    return t35_ms > IDLE_SERIAL_MS ? t35_ms : IDLE_SERIAL_MS;
}

/* --- Birth and death */

static void close_all(int low, int other)
{
    if (low >= 0)
        (void)close(low); /* /dev/null: nothing to lose */
    if (other >= 0)
        (void)close(other);
}

static modbus_t *new_modbus(const struct mb_line *line)
{
    if (line->transport == MB_TCP)
        return modbus_new_tcp("127.0.0.1", 502); /* never used: we connect ourselves */
    return modbus_new_rtu(line->device ? line->device : "/dev/null", (int)line->baud, line->parity,
                          8, (int)line->stop_bits);
}

struct mb_link *mb_link_create(const struct mb_line *line, struct err *err)
{
    struct mb_link *link;
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (fd < 0 || fd >= FD_SETSIZE) {
        close_all(fd, -1);
        err_set(err, fd < 0 ? -errno : -EMFILE,
                "a Modbus bus needs a file descriptor below %d, and all are taken: split the "
                "sources between two daemons",
                FD_SETSIZE);
        return NULL;
    }
    link = mem_zalloc(sizeof *link);
    link->line = line;
    link->fd = fd;
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
    (void)close(link->fd); /* /dev/null */
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

/* libmodbus opens and sets up a serial line: raw, 8 bits, as configured. */
static int open_serial(struct mb_link *link, int *ret_fd, struct err *err)
{
    const char *device = link->line->device;
    int rc;

    if (modbus_connect(link->modbus) == 0) {
        *ret_fd = modbus_get_socket(link->modbus);
        return 0;
    }
    rc = errno ? -errno : -EIO;
    switch (-rc) {
    case ENOENT:
    case ENXIO:
    case ENODEV:
        return err_set(err, rc, "%s is not there: plug the adapter in; it is found by itself",
                       device);
    case EACCES:
        return err_set(err, rc,
                       "%s: %s: add the daemon's user to the group of the device (dialout)", device,
                       strerror(-rc));
    case EBUSY:
        return err_set(err, rc, "%s: another program has it open: end that", device);
    default:
        return err_set(err, rc, "%s: %s: is it a serial line that can do %u baud?", device,
                       modbus_strerror(-rc), link->line->baud);
    }
}

int mb_link_open(struct mb_link *link, struct err *err)
{
    int64_t idle = is_tcp(link) ? 0 : idle_ms(link);
    int fd = -1, rc;

    assert(!link->is_open);
    rc = is_serial(link) ? open_serial(link, &fd, err) : open_network(link, &fd, err);
    if (rc < 0)
        return rc;
    if (dup3(fd, link->fd, O_CLOEXEC) < 0) {
        rc = -errno;
        close_all(fd, -1);
        return err_set(err, rc, "cannot keep the line: %s", strerror(-rc));
    }
    close_all(fd, -1);
    modbus_set_socket(link->modbus, link->fd);
    /* 0 stands for the whole of the answer's time: segments may come apart by any time. */
    modbus_set_byte_timeout(link->modbus, (uint32_t)(idle / 1000), (uint32_t)(idle % 1000 * 1000));
    link->timeout_ms = -1;
    link->is_open = true;
    link->opened_us = link->heard_us = now_us();
    return 0;
}

bool mb_link_is_open(const struct mb_link *link)
{
    return link->is_open;
}

/* The low descriptor stays ours: it points to nothing again. */
void mb_link_close(struct mb_link *link)
{
    int null;

    if (!link->is_open)
        return;
    link->is_open = false;
    null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0)
        (void)shutdown(link->fd, SHUT_RDWR); /* at least the peer learns of it */
    else if (dup3(null, link->fd, O_CLOEXEC) < 0)
        assert(errno == EBUSY || errno == EINTR);
    close_all(null, -1);
}

/* --- Listening */

static enum mb_result gone(struct mb_link *link, const char *what, int error)
{
    if (error == 0 && is_serial(link))
        error = EIO;
    snprintf(link->why, sizeof link->why, "%.80s: %.50s: %s", what,
             error ? strerror(error) : "the other side has closed the connection",
             is_serial(link) ? "is the adapter plugged in? It is found by itself"
                             : "is it switched on? It is tried again by itself");
    mb_link_close(link);
    return MB_GONE;
}

static const char *name_of(const struct mb_link *link)
{
    return is_serial(link) ? link->line->device : link->line->host;
}

/* Takes what lies there without waiting. The bytes dropped, or -1 if the line has failed (errno; 0:
 * closed by the other side). A serial line that has nothing to say reads as 0. */
static int drain(struct mb_link *link)
{
    char dropped[512];
    int total = 0;
    ssize_t n;

    while ((n = read(link->fd, dropped, sizeof dropped)) > 0) {
        total += (int)n;
        link->heard_us = now_us();
        if (total > 65536)
            break; /* somebody babbles: the answer's CRC will tell */
    }
    if (n == 0 && !is_serial(link)) {
        errno = 0;
        return -1;
    }
    if (n < 0 && errno != EAGAIN && errno != EINTR)
        return -1;
    return total;
}

/* Listens until then and drops what comes; where `quiet_ms` is given, only until it is quiet for so
 * long. False if the line has failed. */
static bool listen_until(struct mb_link *link, int64_t until_us, int64_t quiet_ms)
{
    struct pollfd ready = { .fd = link->fd, .events = POLLIN };

    for (;;) {
        int64_t left_ms = (until_us - now_us() + 999) / 1000;
        int rc;

        if (left_ms <= 0)
            return true;
        rc = poll(&ready, 1, (int)(quiet_ms > 0 && quiet_ms < left_ms ? quiet_ms : left_ms));
        if (rc == 0)
            return true;
        if (rc > 0 && (drain(link) < 0 || ready.revents & (POLLHUP | POLLERR)))
            return false;
    }
}

/* Of the longest answer to that question. */
static int64_t answer_us(const struct mb_link *link, const struct mb_ask *ask)
{
    int64_t characters = ask->function <= MB_READ_DISCRETE_INPUTS ? 5 + ask->count / 8 + 1
                         : ask->function <= MB_READ_INPUT         ? 5 + 2 * ask->count
                                                                  : 8;

    return characters * link->character_us;
}

/* What is left of the answer that did not come in time, or came damaged, must not be taken for the
 * next one. */
static enum mb_result settle(struct mb_link *link, const struct mb_ask *ask, enum mb_result result)
{
    int64_t now = now_us(), longest = now + answer_us(link, ask) + idle_ms(link) * 1000;
    bool well = true;

    if (is_tcp(link)) {
        if (result != MB_OK && result != MB_EXCEPTION && result != MB_GONE)
            mb_link_close(link);
        return result;
    }
    if (result == MB_TIMEOUT)
        well = listen_until(link, longest, 0);
    else if (result == MB_DAMAGED)
        well = listen_until(link, longest, idle_ms(link));
    else if (result == MB_STRAY)
        well = listen_until(link, longest + ask->timeout_ms * 1000, 0);
    return well ? result : gone(link, name_of(link), errno);
}

/* --- Asking */

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Drained, and silent for t3.5 and as long as the unit wants. */
static bool make_quiet(struct mb_link *link, const struct mb_ask *ask)
{
    int64_t silence = link->line->silence_us;
    int64_t from;

    if (silence < 0)
        silence = mb_link_t35_us(link->line->baud);
    silence = larger(is_tcp(link) ? 0 : silence, ask->pause_ms * 1000);
    do {
        if (drain(link) < 0)
            return false;
        from = larger(link->heard_us + silence, link->opened_us + ask->connect_pause_ms * 1000);
        if (from <= now_us())
            return true;
        sleep_until(from);
    } while (true);
}

/* Open, quiet and ready for the question. A connection that was closed while nobody asked anything
 * is no failure: it is made again. */
static bool make_ready(struct mb_link *link, const struct mb_ask *ask)
{
    struct err err;

    if (link->is_open && make_quiet(link, ask))
        return true;
    if (link->is_open && is_serial(link)) {
        (void)gone(link, name_of(link), errno);
        return false;
    }
    mb_link_close(link);
    if (mb_link_open(link, &err) < 0) {
        snprintf(link->why, sizeof link->why, "%.*s", (int)sizeof link->why - 1, err.text);
        return false;
    }
    if (make_quiet(link, ask))
        return true;
    (void)gone(link, name_of(link), errno);
    return false;
}

static enum mb_result result_of(struct mb_link *link, int error, struct mb_ask *ask)
{
    static const int damages[] = { EMBBADCRC, EMBBADDATA, EMBBADEXC, EMBUNKEXC, EMBMDATA };

    if (error == ETIMEDOUT)
        return MB_TIMEOUT;
    if (error == EMBBADSLAVE)
        return MB_STRAY;
    for (size_t i = 0; i < LENGTH(damages); i++)
        if (error == damages[i])
            return MB_DAMAGED;
    if (error > MODBUS_ENOBASE && error <= EMBXGTAR) {
        ask->exception = error - MODBUS_ENOBASE;
        return MB_EXCEPTION;
    }
    /* It is what libmodbus says of a read that brings nothing. */
    return gone(link, name_of(link), error == ECONNRESET && is_serial(link) ? EIO : error);
}

static int read_bits(struct mb_link *link, const struct mb_ask *ask)
{
    uint8_t bits[MB_BITS_MAX];
    int rc;

    assert(ask->count <= MB_BITS_MAX);
    if (ask->function == MB_READ_COILS)
        rc = modbus_read_bits(link->modbus, ask->address, ask->count, bits);
    else
        rc = modbus_read_input_bits(link->modbus, ask->address, ask->count, bits);
    for (int i = 0; i < rc; i++)
        ask->values[i] = bits[i];
    return rc;
}

/* As libmodbus does it; negative with its errno. */
static int ask_libmodbus(struct mb_link *link, const struct mb_ask *ask)
{
    modbus_t *m = link->modbus;

    switch ((enum mb_function)ask->function) {
    case MB_READ_COILS:
    case MB_READ_DISCRETE_INPUTS:
        return read_bits(link, ask);
    case MB_READ_HOLDING:
        return modbus_read_registers(m, ask->address, ask->count, ask->values);
    case MB_READ_INPUT:
        return modbus_read_input_registers(m, ask->address, ask->count, ask->values);
    case MB_WRITE_REGISTER:
        return modbus_write_register(m, ask->address, ask->values[0]);
    case MB_WRITE_REGISTERS:
        return modbus_write_registers(m, ask->address, ask->count, ask->values);
    case MB_DIAGNOSTICS:
        break;
    }
    abort();
}

/* Collects bytes until `until_us`. The number read, 0 at the end of the time, -1 if the line has
 * failed. */
static int hear(struct mb_link *link, uint8_t *to, size_t room, int64_t until_us)
{
    struct pollfd ready = { .fd = link->fd, .events = POLLIN };
    int64_t left_ms = (until_us - now_us() + 999) / 1000;
    ssize_t n;

    if (left_ms <= 0 || poll(&ready, 1, (int)left_ms) <= 0)
        return 0;
    n = read(link->fd, to, room);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n <= 0) {
        errno = n < 0 ? errno : is_serial(link) ? EIO : 0;
        return -1;
    }
    link->heard_us = now_us();
    return (int)n;
}

/* Where the answer begins in what was heard: behind our own request if that came back. */
static size_t behind_echo(const struct mb_link *link, const uint8_t *sent, size_t sent_length,
                          const uint8_t *heard, size_t length)
{
    size_t whole = sent_length + 2; /* with the CRC that libmodbus added */

    if (!link->line->echoes || is_tcp(link))
        return 0;
    if (length < whole)
        return length > 0 && memcmp(sent, heard, length < sent_length ? length : sent_length) == 0
                   ? length
                   : 0;
    return memcmp(sent, heard, sent_length) == 0 ? whole : 0;
}

static enum mb_result take_answer(struct mb_link *link, struct mb_ask *ask, struct mb_body request)
{
    uint8_t heard[MB_RTU_FRAME_MAX * 2];
    int64_t until = now_us() + ask->timeout_ms * 1000;
    size_t length = 0;

    for (;;) {
        size_t from = behind_echo(link, request.bytes, request.length, heard, length);
        struct mb_body answer;
        enum mb_frame_state state = mb_frame_answer(is_tcp(link) ? MB_FRAMING_TCP : MB_FRAMING_RTU,
                                                    request, heard + from, length - from, &answer);
        int n;

        if (state == MB_FRAME_WHOLE) {
            ask->exception = mb_frame_exception(answer);
            if (ask->exception)
                return MB_EXCEPTION;
            if (ask->function == MB_DIAGNOSTICS)
                ask->values[0] = (uint16_t)(answer.bytes[4] << 8 | answer.bytes[5]);
            else if (ask->function <= MB_READ_INPUT)
                mb_frame_values(answer, ask->count, ask->values);
            return MB_OK;
        }
        if (state != MB_FRAME_SHORT)
            return state == MB_FRAME_STRAY ? MB_STRAY : MB_DAMAGED;
        n = length < sizeof heard ? hear(link, heard + length, sizeof heard - length, until) : 0;
        if (n < 0)
            return gone(link, name_of(link), errno);
        if (n == 0)
            return MB_TIMEOUT;
        length += (size_t)n;
    }
}

static enum mb_result ask_by_hand(struct mb_link *link, struct mb_ask *ask)
{
    uint8_t request[MB_RTU_FRAME_MAX];
    size_t length =
        mb_frame_request(request, ask->unit, ask->function, ask->address, ask->count, ask->values);

    if (modbus_send_raw_request(link->modbus, request, (int)length) < 0)
        return gone(link, name_of(link), errno);
    return take_answer(link, ask, (struct mb_body){ request, length });
}

static void set_timeout(struct mb_link *link, int64_t timeout_ms)
{
    if (link->timeout_ms == timeout_ms)
        return;
    modbus_set_response_timeout(link->modbus, (uint32_t)(timeout_ms / 1000),
                                (uint32_t)(timeout_ms % 1000 * 1000));
    link->timeout_ms = timeout_ms;
}

enum mb_result mb_link_ask(struct mb_link *link, struct mb_ask *ask)
{
    bool by_hand = ask->function == MB_DIAGNOSTICS || (link->line->echoes && !is_tcp(link));
    enum mb_result result;

    assert(ask->unit != MODBUS_BROADCAST_ADDRESS && ask->timeout_ms > 0);
    ask->exception = 0;
    if (!make_ready(link, ask))
        return MB_GONE;
    set_timeout(link, ask->timeout_ms);
    modbus_set_slave(link->modbus, ask->unit);
    if (by_hand)
        result = ask_by_hand(link, ask);
    else
        result = ask_libmodbus(link, ask) < 0 ? result_of(link, errno, ask) : MB_OK;
    link->heard_us = now_us();
    return result == MB_OK ? result : settle(link, ask, result);
}

const char *mb_link_why(const struct mb_link *link)
{
    return link->why;
}
