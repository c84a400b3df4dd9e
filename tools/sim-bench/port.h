/* Where a simulated thing is plugged in: a pseudo terminal with a lasting name (a link, as udev
 * makes them in /dev/serial/by-id), or a TCP port on the loopback. A port can be pulled and put
 * back; what is sent when nobody listens is lost, as on a real line. Loop thread. */
#ifndef KPI_SIM_BENCH_PORT_H
#define KPI_SIM_BENCH_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/clock.h"
#include "base/err.h"

enum { LINE_MAX_BYTES = 1024 };

struct port;

/* One connection: the terminal's other end, or a TCP client. */
struct line {
    struct port *port;
    struct line *next;
    uint64_t serial; /* never used twice */
    int fd;
    bool is_terminal;
    bool hung_up; /* nobody has the terminal open */
    uv_poll_t poll;
    uint8_t bytes[LINE_MAX_BYTES];
    size_t used;
    int64_t heard_at; /* monotonic; what stopped midway is dropped after a silence */
};

struct port_config {
    const char *name;  /* of the link. Borrows while the port lives */
    const char *links; /* folder of the links; likewise */
    bool is_tcp;
    uint16_t tcp_port; /* 0: any; it stays the same when the port is put back */
    uint32_t baud;     /* of the device */
    uint64_t seed;     /* of its babble */
    /* More bytes have come: take what is whole with line_take. */
    void (*heard)(void *arg, struct line *line);
    void *arg;
};

/* Plugged in. */
int port_create(struct port **ret, uv_loop_t *loop, const struct clock *clock,
                const struct port_config *config, struct err *err);
/* Pulls it and frees it, once the loop has turned. NULL is allowed. */
void port_destroy(struct port *port);

void port_pull(struct port *port);
/* Puts it back, as a new node. */
int port_put_back(struct port *port, struct err *err);

/* The path of the link, or ADDRESS:PORT. Borrows. */
const char *port_address(const struct port *port);
/* Whether anybody has it open. */
bool port_is_heard(const struct port *port);
void port_set_baud(struct port *port, uint32_t baud);
/* So many of a thousand bytes are damaged on their way out. */
void port_set_noise(struct port *port, uint32_t per_mille);
/* Chance bytes every `every_ms`; 0: no more. */
void port_babble(struct port *port, int64_t every_ms);

/* To whoever has it open. */
void port_send(struct port *port, const uint8_t *bytes, size_t length);
/* After `delay_ms`, if the line is still there then. Copies. */
void line_send(struct line *line, const uint8_t *bytes, size_t length, int64_t delay_ms);
void line_take(struct line *line, size_t length);
/* Ends a TCP client's connection; a terminal cannot be. Only as the last act of `heard`. */
void line_end(struct line *line);

#endif
