/* What the measuring commands share: one made-up history, one clock, one client, percentiles.
 *
 * Figures of different days or machines cannot be compared; ratios of one run can. So each command
 * measures one thing and its bare counterpart with the same rows, sizes and connections, and
 * `tools/bench/bench` prints them side by side. */
#ifndef KPID_BENCH_H
#define KPID_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A made-up history, the same for the same seed: `count` events of which each is one line of
 * NDJSON, ending `end_ms` and spread evenly over `span_ms`. Mostly dispatches, then lookups,
 * installs, repairs, inspections and device faults, with sites, staff and models. */
struct history {
    uint64_t seed;
    int64_t count, next;
    int64_t end_ms, span_ms;
    uint64_t state;
    int64_t serial;
    char pending[64][320];      /* events that belong to a ticket already begun */
    int pending_count;
};

void history_init(struct history *history, uint64_t seed, int64_t count, int64_t end_ms,
                  int64_t span_ms);
/* Writes the next event with its newline into `line` (320 bytes); returns its length, 0 at the
 * end. */
size_t history_next(struct history *history, char *line);

int64_t now_ns(void);

/* Latencies in nanoseconds; sorted when asked. */
struct samples {
    int64_t *items;
    size_t count, capacity;
};

void samples_add(struct samples *samples, int64_t ns);
/* In microseconds; `share` from 0 to 1. */
double samples_percentile(struct samples *samples, double share);
void samples_clear(struct samples *samples);

/* A blocking connection to a Unix socket. */
int socket_connect(const char *path);
bool socket_write(int fd, const char *bytes, size_t length);

/* How many bytes at the front of `bytes` are one whole answer: HTTP with Content-Length, or one
 * of Redis ("$"). 0: not whole yet. */
size_t answer_length(const char *bytes, size_t length);

/* Reads one whole answer; returns its length, 0 on failure. */
size_t answer_read(int fd, char *buffer, size_t size);

void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

int cmd_insert(int argc, char **argv);
int cmd_post(int argc, char **argv);
int cmd_ask(int argc, char **argv);
int cmd_echo(int argc, char **argv);
int cmd_fixed(int argc, char **argv);
int cmd_watch(int argc, char **argv);
int cmd_groupby(int argc, char **argv);
int cmd_history(int argc, char **argv);
int cmd_nmea(int argc, char **argv);
int cmd_modbus(int argc, char **argv);

#endif
