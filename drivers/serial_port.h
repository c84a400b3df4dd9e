/* A serial line on the loop: opened without waiting for a modem, raw and exclusive; bytes come by
 * callback, a bounded queue goes out. What is read from it is the caller's codec's.
 *
 * Every failure is a sentence that says what to do; an adapter that was pulled out is told once.
 * Loop thread, but for the functions that need no loop. */
#ifndef KPID_DRIVERS_SERIAL_PORT_H
#define KPID_DRIVERS_SERIAL_PORT_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/option.h"

struct uv_loop_s;
struct serial_port;

enum serial_parity { SERIAL_PARITY_NONE, SERIAL_PARITY_EVEN, SERIAL_PARITY_ODD };

/* Names of the above, for an OPTION_CHOICE. */
extern const char *const serial_parity_choices[];

struct serial_settings {
    uint32_t baud;              /* see serial_check_baud */
    unsigned data_bits;         /* 5..8; 0: 8 */
    enum serial_parity parity;
    unsigned stop_bits;         /* 1 or 2; 0: 1 */
};

enum {
    SERIAL_BAUD_MIN = 1200,
    SERIAL_BAUD_MAX = 921600,
    SERIAL_QUEUE_SIZE = 4096,   /* bytes that wait to go out */
    SERIAL_READ_SIZE = 4096,    /* at most so many bytes in one callback */
};

struct serial_handlers {
    /* What came; borrows for the call. */
    void (*bytes)(void *arg, const unsigned char *bytes, size_t length);
    /* The line is no more (pulled out, hung up); why, and what to do. Once, and nothing comes after
     * it. Close the port. */
    void (*gone)(void *arg, const struct err *why);
    void *arg;
};

/* For a driver's `check`: adds a fault at option `baud` unless it is one of the standard rates. */
void serial_check_baud(uint32_t baud, const struct option_tree *section, struct faults *faults);

/* The sentence for what open, read or write of `path` failed with; returns -`error`. Any thread. */
int serial_failure(const char *path, int error, struct err *err);

/* Opens and sets the line; the handlers are called on later turns, from any of them the port may be
 * closed. What waited in the input before is thrown away. Negative errno with a sentence. */
int serial_port_open(struct serial_port **ret, struct uv_loop_s *loop, const char *path,
                     const struct serial_settings *settings,
                     const struct serial_handlers *handlers, struct err *err);

/* Sets the line anew (another rate to try); what waits in the input is thrown away. */
int serial_port_set(struct serial_port *port, const struct serial_settings *settings,
                    struct err *err);

/* Sends, or queues, all of it (copies); -ENOBUFS: nothing was taken, the queue lacks the room: the
 * device does not take what was sent before. -EIO: it is gone, `gone` says so. */
int serial_port_write(struct serial_port *port, const void *bytes, size_t length);

/* Throws away what came and was not yet handed over: before a request, so that nothing late
 * answers it. */
void serial_port_discard(struct serial_port *port);

/* Closes the device now; the handlers are not called again. NULL is allowed. */
void serial_port_close(struct serial_port *port);

/* The same device without a loop, for a probe: a descriptor that does not block (and closes with
 * close()), or negative errno with a sentence. Any thread. */
int serial_open_fd(const char *path, const struct serial_settings *settings, struct err *err);

#endif
