/* One question and its answer on a line to Modbus units; see mb_link.h.
 *
 * libmodbus frames and sends the question; RTU over TCP is its RTU on a descriptor that we
 * connected. Of the answer it makes too little: it gives up at another unit's late one, though ours
 * may be right behind it; over TCP it does not look whose it is; it knows neither the echo of a
 * half-duplex adapter nor function 08; and it waits and reads three times for one. So the answer is
 * taken apart here (mb_frame.h). Questions over TCP carry transaction 0 for that reason: what could
 * tell a late answer by its number is not needed, for whoever fails to answer loses the connection.
 */
#include "mb_link_private.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "mb_frame.h"
#include "mb_map.h"
#include "serial_port.h"

static void sleep_until(int64_t at_us)
{
    const struct timespec until = { at_us / 1000000, at_us % 1000000 * 1000 };

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
        ;
}

/* --- Listening */

static enum mb_result gone(struct mb_link *link, int error)
{
    struct err err;

    if (mb_link_is_serial(link))
        (void)serial_failure(link->line->device, error ? error : EIO, &err);
    else
        (void)err_set(&err, -EIO,
                      "%.80s port %u: %.50s: is it switched on? It is tried again by itself",
                      link->line->host, link->line->port,
                      error ? strerror(error) : "the other side has closed the connection");
    snprintf(link->why, sizeof link->why, "%.*s", (int)sizeof link->why - 1, err.text);
    mb_link_close(link);
    return MB_GONE;
}

/* A whole frame that nobody waits for any more: whose it is, so that it can be said. */
static void note_late(struct mb_link *link, const uint8_t *bytes, size_t length)
{
    if (!mb_link_is_tcp(link) && length >= 5 &&
        mb_frame_crc(bytes, length - 2) == (bytes[length - 2] | bytes[length - 1] << 8))
        link->late_from = bytes[0];
}

/* Takes what lies there without waiting. The bytes dropped, or -1 if the line has failed (errno; 0:
 * closed by the other side). A serial line that has nothing to say reads as 0. */
static int drain(struct mb_link *link)
{
    uint8_t dropped[512];
    int total = 0;
    ssize_t n;

    while ((n = read(link->fd, dropped, sizeof dropped)) > 0) {
        total += (int)n;
        link->is_clean = false;
        link->heard_us = mb_link_now_us();
        note_late(link, dropped, (size_t)n);
        if (total > 65536)
            break; /* somebody babbles: the answer's CRC will tell */
    }
    if (n == 0 && !mb_link_is_serial(link)) {
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
        int64_t left_ms = (until_us - mb_link_now_us() + 999) / 1000;
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
    int64_t now = mb_link_now_us(),
            longest = now + answer_us(link, ask) + mb_link_idle_ms(link) * 1000;
    bool well = true;

    link->is_clean = link->is_clean && result == MB_EXCEPTION;
    if (mb_link_is_tcp(link)) {
        if (result != MB_OK && result != MB_EXCEPTION && result != MB_GONE)
            mb_link_close(link);
        return result;
    }
    if (result == MB_TIMEOUT || result == MB_STRAY)
        well = listen_until(link, longest, 0);
    else if (result == MB_DAMAGED)
        well = listen_until(link, longest, mb_link_idle_ms(link));
    return well ? result : gone(link, errno);
}

/* --- Asking */

enum { FRESH_US = 2000 };

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* A line that never carried anything but answers, and brought one just now, has nothing to drop. */
static bool is_fresh(const struct mb_link *link)
{
    return link->is_clean && link->heard_us > link->opened_us &&
           mb_link_now_us() - link->heard_us < FRESH_US;
}

/* Drained, and silent for t3.5 and as long as the unit wants. */
static bool make_quiet(struct mb_link *link, const struct mb_ask *ask)
{
    int64_t silence = link->line->silence_us;
    int64_t from;

    if (silence < 0)
        silence = mb_link_t35_us(link->line->baud);
    silence = larger(mb_link_is_tcp(link) ? 0 : silence, ask->pause_ms * 1000);
    if (silence == 0 && is_fresh(link))
        return true;
    do {
        if (drain(link) < 0)
            return false;
        from = larger(link->heard_us + silence, link->opened_us + ask->connect_pause_ms * 1000);
        if (from <= mb_link_now_us())
            return true;
        sleep_until(from);
    } while (true);
}

/* Open, quiet and ready for the question. A connection that was closed while nobody asked anything
 * is no failure: it is made again. */
static bool make_ready(struct mb_link *link, const struct mb_ask *ask)
{
    struct err err;

    if (link->fd >= 0 && make_quiet(link, ask))
        return true;
    if (link->fd >= 0 && mb_link_is_serial(link)) {
        (void)gone(link, errno);
        return false;
    }
    mb_link_close(link);
    if (mb_link_open(link, &err) < 0) {
        snprintf(link->why, sizeof link->why, "%.*s", (int)sizeof link->why - 1, err.text);
        return false;
    }
    if (make_quiet(link, ask))
        return true;
    (void)gone(link, errno);
    return false;
}

/* Collects bytes until `until_us`. The number read, 0 at the end of the time, -1 if the line has
 * failed. */
static int hear(struct mb_link *link, uint8_t *to, size_t room, int64_t until_us)
{
    struct pollfd ready = { .fd = link->fd, .events = POLLIN };
    int64_t left_ms = (until_us - mb_link_now_us() + 999) / 1000;
    ssize_t n;

    if (left_ms <= 0 || poll(&ready, 1, (int)left_ms) <= 0)
        return 0;
    n = read(link->fd, to, room);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n <= 0) {
        errno = n < 0 ? errno : mb_link_is_serial(link) ? EIO : 0;
        return -1;
    }
    link->heard_us = mb_link_now_us();
    return (int)n;
}

/* How much at the front of what was heard is our own request, come back; all of it while that may
 * still be so. `sent` is without the CRC that libmodbus added. */
static size_t echo_length(const struct mb_link *link, struct mb_body sent, const uint8_t *heard,
                          size_t length)
{
    size_t known = length < sent.length ? length : sent.length;

    if (!link->line->echoes || mb_link_is_tcp(link) || memcmp(sent.bytes, heard, known) != 0)
        return 0;
    return length < sent.length + 2 ? length : sent.length + 2;
}

static enum mb_result take(struct mb_ask *ask, struct mb_body answer)
{
    ask->exception = mb_frame_exception(answer);
    if (ask->exception)
        return MB_EXCEPTION;
    if (ask->function == MB_DIAGNOSTICS)
        ask->values[0] = (uint16_t)(answer.bytes[4] << 8 | answer.bytes[5]);
    else if (ask->function <= MB_READ_INPUT)
        mb_frame_values(answer, ask->count, ask->values);
    return MB_OK;
}

/* Until when the next byte must come: the answer has its time to begin; on a serial line it then
 * ends where it is silent, while segments of TCP may come apart by any time. */
static int64_t patience(const struct mb_link *link, bool has_begun, int64_t until)
{
    if (!has_begun || mb_link_is_tcp(link))
        return until;
    return mb_link_now_us() + mb_link_idle_ms(link) * 1000;
}

/* Listens for the answer to the request that was sent. Another unit's, mostly a late one, is passed
 * over: it is no reason to doubt the unit that was asked. */
static enum mb_result take_answer(struct mb_link *link, struct mb_ask *ask, struct mb_body request,
                                  int64_t until)
{
    enum mb_framing framing = mb_link_is_tcp(link) ? MB_FRAMING_TCP : MB_FRAMING_RTU;
    enum mb_result otherwise = MB_TIMEOUT;
    uint8_t heard[MB_RTU_FRAME_MAX * 2];
    size_t length = 0, from = 0;

    for (;;) {
        struct mb_body answer;
        enum mb_frame_state state;
        int n;

        if (otherwise == MB_TIMEOUT) /* what we sent comes back before anything else */
            from = echo_length(link, request, heard, length);
        state = mb_frame_answer(framing, request, heard + from, length - from, &answer);
        if (state == MB_FRAME_WHOLE)
            return take(ask, answer);
        if (state == MB_FRAME_GARBAGE)
            return MB_DAMAGED;
        if (state == MB_FRAME_STRAY) {
            note_late(link, answer.bytes, answer.length + 2);
            from = (size_t)(answer.bytes - heard) + answer.length + (mb_link_is_tcp(link) ? 0 : 2);
            memmove(heard, heard + from, length -= from);
            from = 0;
            otherwise = MB_STRAY;
            continue;
        }
        n = length == sizeof heard ? 0
                                   : hear(link, heard + length, sizeof heard - length,
                                          patience(link, length > from, until));
        if (n < 0)
            return gone(link, errno);
        if (n == 0) {
            ask->half = mb_frame_begins(framing, request, heard + from, length - from);
            return otherwise;
        }
        length += (size_t)n;
    }
}

/* Neither answered in time, but who is late is not silent; and what a gateway says of its unit
 * counts however late it says it. */
static enum mb_result linger(struct mb_link *link, struct mb_ask *ask, struct mb_body request,
                             int64_t until)
{
    enum mb_result result = take_answer(link, ask, request, until);

    if (result == MB_GONE || (result == MB_EXCEPTION && ask->exception >= MB_GATEWAY_PATH))
        return result;
    if (result == MB_OK || result == MB_EXCEPTION)
        link->late_from = ask->unit;
    ask->exception = 0;
    return MB_TIMEOUT;
}

static enum mb_result put_question(struct mb_link *link, struct mb_ask *ask)
{
    int64_t until = mb_link_now_us() + ask->timeout_ms * 1000;
    uint8_t bytes[MB_RTU_FRAME_MAX];
    struct mb_body request = { bytes, mb_frame_request(bytes, ask->unit, ask->function,
                                                       ask->address, ask->count, ask->values) };
    enum mb_result result;

    if (modbus_send_raw_request(link->modbus, request.bytes, (int)request.length) < 0)
        return gone(link, errno);
    result = take_answer(link, ask, request, until);
    if (result == MB_TIMEOUT && ask->lingers && !ask->half && mb_link_is_tcp(link))
        result = linger(link, ask, request, until + ask->timeout_ms * 1000);
    return result;
}

enum mb_result mb_link_ask(struct mb_link *link, struct mb_ask *ask)
{
    enum mb_result result;

    assert(ask->unit != MODBUS_BROADCAST_ADDRESS && ask->timeout_ms > 0);
    ask->exception = 0;
    ask->half = false;
    if (!make_ready(link, ask))
        return MB_GONE;
    result = put_question(link, ask);
    link->heard_us = mb_link_now_us();
    return result == MB_OK ? result : settle(link, ask, result);
}

const char *mb_link_why(const struct mb_link *link)
{
    return link->why;
}

uint8_t mb_link_late(struct mb_link *link)
{
    uint8_t unit = link->late_from;

    link->late_from = 0;
    return unit;
}
