/* What can be wrong with a simulated thing. One table says it all: the language of the scripts,
 * `--help` and the documentation are made from it. */
#ifndef KPI_SIM_BENCH_TROUBLE_H
#define KPI_SIM_BENCH_TROUBLE_H

#include <stdbool.h>
#include <stdint.h>

enum trouble {
    TROUBLE_ANTENNA_OPEN,
    TROUBLE_ANTENNA_PASSIVE,
    TROUBLE_ANTENNA_SHORT,
    TROUBLE_BABBLE,
    TROUBLE_BAUD,
    TROUBLE_BROWN_OUT,
    TROUBLE_CLOCK_OFF,
    TROUBLE_COLD_START,
    TROUBLE_CRC,
    TROUBLE_DARK,
    TROUBLE_ECHO,
    TROUBLE_EXCEPTION,
    TROUBLE_FROZEN,
    TROUBLE_HALF_FRAME,
    TROUBLE_HOT,
    TROUBLE_LACKS,
    TROUBLE_LATE,
    TROUBLE_MODULES,
    TROUBLE_NO_ANSWER,
    TROUBLE_NO_FIX,
    TROUBLE_NOISE,
    TROUBLE_PIXELS,
    TROUBLE_STATE,
    TROUBLE_STUCK_DISPLAY,
    TROUBLE_STUCK_SELFTEST,
    TROUBLE_UNPLUGGED,
    TROUBLE_WEAK,
    TROUBLE_WEEK_ROLLOVER,
    TROUBLE_WRONG_UNIT,
    TROUBLE_COUNT
};

/* Kinds of things, as bits. */
enum { ON_BUS = 1, ON_LAMP = 2, ON_ROOF = 4, ON_GPS = 8 };

enum trouble_takes { TAKES_NOTHING, TAKES_NUMBER, TAKES_SPAN };

struct trouble_kind {
    const char *name;
    unsigned on; /* bits of the kinds of things that can have it */
    enum trouble_takes takes;
    int64_t fallback, min, max; /* of the number, or of the span in milliseconds */
    const char *help;
};

/* By enum trouble, which is in order of name. */
extern const struct trouble_kind trouble_kinds[TROUBLE_COUNT];

/* The troubles of one thing. Zeroed it has none. */
struct troubles {
    struct {
        bool on;
        int64_t value;
        int64_t until; /* monotonic; 0: until it is mended */
    } of[TROUBLE_COUNT];
};

/* TROUBLE_COUNT if there is none of that name. */
enum trouble trouble_find(const char *name);
bool has_trouble(const struct troubles *troubles, enum trouble trouble);

#endif
