/* One unit on a bus, as the bus's thread sees it: what it can do, how it is, and how it is polled.
 * Bus thread. */
#ifndef KPID_DRIVERS_MB_UNIT_H
#define KPID_DRIVERS_MB_UNIT_H

#include "backoff.h"
#include "mb_bus.h"
#include "mb_value.h"

struct mb_unit {
    const struct mb_setup *setup;
    const struct mb_unit_setup *is;
    struct mb_link *link;
    const struct clock *clock;
    struct mb_counts *counts; /* of the bus */

    enum mb_unit_state state;
    struct backoff backoff; /* of probing */
    int64_t probe_at;       /* monotonic, while silent */
    int64_t due[MB_POLLS];  /* monotonic; INT64_MAX: nothing of that class */
    int64_t quiet_until;    /* monotonic: an answer to an old question may still come */

    enum mb_care care;
    enum mb_silence silence;    /* what its last unanswered question met with */
    bool is_late;               /* an answer of it was dropped since its last good one */
    bool *unsupported;          /* of each point: exception 02 named it */
    bool is_unsupported_health; /* function 08 is no function of it */
    struct mb_plan plans[MB_POLLS];

    /* What the poll under way has brought so far. */
    struct mb_block *blocks;
    size_t block_count, block_room;
    uint16_t *words;
    size_t word_count, word_room;
};

void mb_unit_init(struct mb_unit *unit, const struct mb_setup *setup, size_t index,
                  struct mb_link *link, const struct clock *clock, struct mb_counts *counts);
void mb_unit_finish(struct mb_unit *unit);

/* Asks once and again, as the setup says. Fills in unit, time-out and pauses. MB_TIMEOUT: nothing
 * useful came, in all tries (also where a gateway says so, with its exception in `ask`); MB_GONE;
 * MB_EXCEPTION; MB_OK, with the instant before which the answer cannot have been made. */
enum mb_result mb_unit_ask(struct mb_unit *unit, struct mb_ask *ask, uint32_t retries,
                           int64_t *ret_true_at);

/* Reads the points of one class and reports; with `is_probe` asks only once where nobody may be.
 * Returns the last result: MB_OK (also where it answers with exceptions), MB_TIMEOUT (it is silent
 * now) or MB_GONE (`ret_report` is NULL). */
enum mb_result mb_unit_poll(struct mb_unit *unit, enum mb_poll poll, bool is_probe,
                            struct mb_report **ret_report);

/* Reads one point for an errand. */
enum mb_result mb_unit_read(struct mb_unit *unit, const struct mb_point *point,
                            struct mb_value *ret, int *ret_exception);

#endif
