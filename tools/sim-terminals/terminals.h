/* Simulated GPS terminals of JT/T 808 and 905, by the thousand: each connects by TCP or UDP,
 * registers and authenticates as its dialect has it, reports where it is, and answers what it is
 * asked. What becomes of each depends on its number and the seed. One loop, one thread. */
#ifndef KPI_SIM_TERMINALS_H
#define KPI_SIM_TERMINALS_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "jt808_frame.h"
#include "jt808_location.h"

enum mix { MIX_2013, MIX_2019, MIX_905, MIX_ALL };

struct crowd_options {
    struct sockaddr_storage to;
    uint32_t count;
    enum mix mix;
    uint64_t seed;
    bool udp;               /* a frame is a datagram; else by TCP */
    int64_t interval_ms;    /* from report to report; 0: the next when the last was answered */
};

struct crowd_counts {
    uint64_t connected, lost;       /* connections made; ended by the other side */
    uint64_t sent, answered;        /* messages that want an answer; answers */
    uint64_t asked;                 /* questions of the other side, each answered */
};

/* What can be wrong with a terminal. */
enum wrong {
    WRONG_FAULT,        /* alarm bits are set: value, the bits of its dialect's table */
    WRONG_NO_FIX,
    WRONG_SILENT,       /* the connection stays, nothing is said */
    WRONG_LEAVES,       /* the connection is closed, and made again at the end */
    WRONG_GARBAGE,      /* bytes that are no frame */
    WRONG_HALF,         /* frames without an end */
    WRONG_FLOOD,        /* as many messages as go out */
    WRONG_CHECKSUM,
    WRONG_CLOCK,        /* its clock is 1024 weeks behind */
    WRONG_COUNT,
};
extern const char *const wrong_names[WRONG_COUNT];      /* "fault", "no-fix" ... */

struct crowd;

struct crowd *crowd_create(uv_loop_t *loop, const struct crowd_options *options);
/* Connects them, so many in a second. */
void crowd_start(struct crowd *crowd, uint32_t per_second);
/* For terminal `n` (from 0); `until_ms` of the loop's clock, 0: until mended. */
void crowd_set(struct crowd *crowd, uint32_t n, enum wrong wrong, const char *code,
               uint64_t until_ms);
void crowd_mend(struct crowd *crowd, uint32_t n);
/* A taxi's order from grab to its end (905 alone): done, or cancelled by the driver. */
void crowd_order(struct crowd *crowd, uint32_t n, uint32_t order, bool done);
struct crowd_counts crowd_counts(const struct crowd *crowd);
uint32_t crowd_size(const struct crowd *crowd);
/* Closes every handle; free it once the loop has ended. */
void crowd_stop(struct crowd *crowd);
void crowd_free(struct crowd *crowd);

/* script.c: lines "at SPAN WHO WHAT [CODE] [for SPAN]"; WHO is a number, A-B or "all"; WHAT is one
 * of wrong_names, "mend", "order ID done" or "order ID cancelled". Empty lines and # are passed
 * over. False with a sentence on standard error. */
struct script;
struct script *script_read(const char *path);
void script_start(struct script *script, uv_loop_t *loop, struct crowd *crowd);
void script_stop(struct script *script);
void script_free(struct script *script);
const char *script_help(void);

#endif
