/* The live readings of all devices: the last thing that each point said, in memory, for people and
 * for the bench. How good a reading is depends on when it is asked: it ages. Loop thread. */
#ifndef KPID_LIVE_H
#define KPID_LIVE_H

#include <stddef.h>

#include "base/clock.h"
#include "kpi/event.h"
#include "reading.h"

enum live_state {
    LIVE_NONE,        /* nothing was ever said, or the unit is gone */
    LIVE_GOOD,
    LIVE_STALE,       /* it was good, and is older than its limit: no longer known */
    LIVE_FROZEN,      /* it comes, and does not move though it must */
    LIVE_FAILED,
    LIVE_UNSUPPORTED,
};

struct live_value {
    char point[POINT_SIZE];
    enum live_state state;
    bool is_text, at_least;
    double number;
    char text[READING_TEXT_SIZE];
    char measure[16];
    int64_t true_at;
    int64_t moved_at;           /* when the value last became another */
};

struct live;

/* Borrows the clock. */
struct live *live_create(const struct clock *clock);
void live_destroy(struct live *live);

/* `source` (copies) is the input's name. A reading older than the one before it is dropped. */
void live_put(struct live *live, const char *source, const struct reading *readings,
              size_t count);
/* Forgets a unit of a source; with `unit` NULL all of the source. */
void live_forget(struct live *live, const char *source, const char *unit);

/* As of now. False, with state LIVE_NONE, if nothing is known of that point. */
bool live_find(const struct live *live, const char *source, const char *unit, const char *point,
               struct live_value *ret);
/* Every point of a unit, in order of name, until `each` answers false. `value` borrows for the
 * call. */
void live_each(const struct live *live, const char *source, const char *unit,
               bool (*each)(void *arg, const struct live_value *value), void *arg);
/* Every unit of a source that has readings, in order of name, until `each` answers false. */
void live_each_unit(const struct live *live, const char *source,
                    bool (*each)(void *arg, const char *unit), void *arg);

/* Called after each live_put and live_forget with the source and the unit of its first reading (""
 * if all of a source went). One listener; NULL: none. */
void live_listen(struct live *live, void (*changed)(void *arg, const char *source,
                                                    const char *unit), void *arg);

/* "none", "good", "stale", "frozen", "failed", "unsupported". */
const char *live_state_name(enum live_state state);

#endif
