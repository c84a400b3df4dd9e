/* One Modbus bus: a thread that asks its units in turn, with a mailbox each way.
 *
 * A bus carries one question at a time, and asking blocks; so each bus has a thread, which owns the
 * line and all that is known of the units. The loop sends it errands (explicit acts)
 * and nudges; it sends back reports. What both read (`struct mb_setup`) never changes. */
#ifndef KPID_DRIVERS_MB_BUS_H
#define KPID_DRIVERS_MB_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "command.h"
#include "mb_link.h"
#include "mb_map.h"
#include "mb_plan.h"

enum { MB_ERRANDS_MAX = 16 }; /* of one bus at once */

struct mb_unit_setup {
    char *name;
    uint32_t id;
    char *device; /* in service, as events call it; NULL: on the bench */
    const struct mb_map *map;
    uint32_t registers_max;
    int64_t timeout_ms, connect_pause_ms, request_pause_ms;
    bool asks_health; /* function 08 with every poll */
};

struct mb_setup {
    struct mb_line line;
    int64_t interval_ms[MB_POLLS];
    uint32_t retries;
    uint32_t gap;
    int64_t backoff_max_ms; /* of the line, and of probing a unit that is silent */
    struct mb_maps maps;
    struct mb_unit_setup *units;
    size_t unit_count;
};

enum mb_unit_state {
    MB_UNIT_NEW, /* not asked yet */
    MB_UNIT_WELL,
    MB_UNIT_SILENT, /* does not answer: probed with back-off */
};

/* One answer, or refusal. It speaks of the points of the unit's map that lie within it. The loop
 * makes values of it: that takes longer than the rest of a transaction, and the bus has no time to
 * lose. */
struct mb_block {
    uint8_t function, poll; /* enum mb_poll: whose turn it was */
    uint8_t exception;      /* 0: `words` hold what the unit said */
    uint16_t address, count;
    int64_t true_at; /* wall clock: before the question was sent */
    size_t words;    /* where they begin in the report's */
};

/* What a silent unit does instead of answering. */
enum mb_silence {
    MB_SILENCE_NOTHING,
    MB_SILENCE_GATEWAY, /* something before it says that it does not answer (0A, 0B) */
    MB_SILENCE_DAMAGED, /* what comes has a wrong CRC or length */
    MB_SILENCE_STRAY,   /* another unit answers in its place */
    MB_SILENCE_LATE,    /* its answers come after their time */
    MB_SILENCE_HALF,    /* its answers begin, and do not end */
};

enum mb_health { MB_HEALTH_UNKNOWN, MB_HEALTH_WELL, MB_HEALTH_BROKEN };

/* What the bus has been through since it started. */
struct mb_counts {
    uint64_t questions, time_outs, damaged, stray, exceptions;
    uint64_t missed; /* polls that were skipped because the bus was busy past their time */
    uint64_t opened; /* times the line was opened */
};

enum mb_report_kind { MB_REPORT_UNIT, MB_REPORT_LINE, MB_REPORT_ERRAND };

struct mb_errand;

/* Owned by whoever holds it; free with mb_report_free. */
struct mb_report {
    enum mb_report_kind kind;
    /* MB_REPORT_UNIT */
    size_t unit;
    enum mb_unit_state state;
    bool device_failed;      /* it answered with exception 04 or 08 */
    enum mb_silence silence; /* of a silent one */
    enum mb_health health;
    int64_t at;                                 /* wall clock */
    size_t unsupported;                         /* points that it has not ... */
    char lacks[MB_PLACE_SIZE + POINT_SIZE + 8]; /* ... and the first of them */
    /* MB_REPORT_LINE */
    bool is_open;
    int64_t next_attempt_at;
    struct mb_counts counts;
    char why[256]; /* of the line */
    /* MB_REPORT_ERRAND */
    struct mb_errand *errand; /* takes */

    size_t block_count;
    struct mb_block *blocks; /* in the same piece of memory, as the words behind them */
    uint16_t *words;
};

void mb_report_free(struct mb_report *report);

/* True of a point that the block speaks of. */
bool mb_block_holds(const struct mb_block *block, const struct mb_point *point);
/* 01, 02, 03: the unit has not what our map says. */
bool mb_exception_is_about_map(int exception);

/* "does not answer": what a silent unit does; and what to do about it. */
const char *mb_silence_text(enum mb_silence silence);
const char *mb_silence_mend(enum mb_silence silence);

struct mb_bus;

/* Reserves what it needs, opens nothing. `setup` and `clock` are borrowed until destroyed. `wake`
 * is called on the bus's thread when there is something to take. */
struct mb_bus *mb_bus_create(const struct mb_setup *setup, const struct clock *clock,
                             const char *name, void (*wake)(void *arg), void *arg);
int mb_bus_start(struct mb_bus *bus, struct err *err);
/* The next report, or NULL. Takes. */
struct mb_report *mb_bus_take(struct mb_bus *bus);
/* Hands over an explicit act; it comes back in a report. At most MB_ERRANDS_MAX at once. -EBUSY,
 * -ENOTCONN: not taken. The unit is an index of the setup; it has the act. */
int mb_bus_send(struct mb_bus *bus, size_t unit, const struct mb_act *act, struct command *command);
/* Forget every back-off and ask everybody now. */
void mb_bus_nudge(struct mb_bus *bus);
/* The device behind a serial line has gone, or is there (again): see hotplug.h. */
void mb_bus_line(struct mb_bus *bus, bool is_there);
/* Asks it to end; `wake` is called once it has, and mb_bus_ended says so. Errands come back with
 * -ECANCELED. */
void mb_bus_stop(struct mb_bus *bus);
bool mb_bus_ended(struct mb_bus *bus);
/* Joins the thread if there was one. NULL is allowed. */
void mb_bus_destroy(struct mb_bus *bus);

#endif
