/* What a bench wants to know of a satellite receiver, whatever language it speaks: made of epochs
 * (all that a receiver said of one instant), told as readings and, for a device in service, as
 * conditions. Pure but for the tellers. Loop thread. */
#ifndef KPID_DRIVERS_GNSS_H
#define KPID_DRIVERS_GNSS_H

#include <stdbool.h>
#include <stdint.h>

#include "driver.h"

#define GNSS_NONE        INT32_MIN       /* not said, or none */
#define GNSS_UNSUPPORTED (INT32_MIN + 1) /* never will be said */
#define GNSS_NOWHERE     INT64_MIN
#define GNSS_NEVER       INT64_MIN

/* The order in which `systems` names them. */
enum gnss_system {
    GNSS_GPS,
    GNSS_GLONASS,
    GNSS_GALILEO,
    GNSS_BEIDOU,
    GNSS_QZSS,
    GNSS_NAVIC,
    GNSS_SYSTEMS,
};

enum gnss_antenna {
    GNSS_ANTENNA_UNSAID,
    GNSS_ANTENNA_OK,
    GNSS_ANTENNA_OPEN,
    GNSS_ANTENNA_SHORT,
    GNSS_ANTENNA_INIT,
    GNSS_ANTENNA_UNKNOWN, /* the receiver says that it does not know */
};

enum gnss_fix {
    GNSS_FIX_NONE = 1,
    GNSS_FIX_2D,
    GNSS_FIX_3D,
    GNSS_FIX_SOME, /* 2D or 3D: the receiver does not tell which */
};

/* Satellites, each counted once however many of its signals are received. */
struct gnss_sky {
    int32_t seen;
    int32_t tracked_30;   /* at 30 dB-Hz or better */
    int32_t cn0_best4_e2; /* mean of the four best; one that is missing counts as 0 */
    unsigned systems;     /* bits 1 << enum gnss_system: those with one at 30 dB-Hz or better */
};

/* All that a receiver said of one instant; what it did not say is GNSS_NONE. */
struct gnss_epoch {
    int64_t at; /* when it was heard, wall clock */
    int64_t monotonic_at;
    int32_t time_ms;  /* the receiver's time of the day, UTC */
    int64_t utc_at;   /* the receiver's instant; GNSS_NEVER: no date that can be believed */
    int32_t rollover; /* 1: weeks were added to the date */
    int32_t fix;      /* enum gnss_fix */
    int32_t quality;  /* as in GGA: 0 none, 1 GPS, 2 differential, 3 PPS, 4 RTK fixed, 5 RTK
                       * float, 6 dead reckoning, 7 manual, 8 simulator */
    int32_t valid;    /* 1, 0: the receiver's own word */
    bool unmeasured;  /* it says that the position is estimated, typed in or simulated */
    int32_t used;
    int32_t hdop_e2;
    int64_t lat_e9, lon_e9;
    bool has_sky;
    struct gnss_sky sky;
};

/* A receiver since it began to speak. */
struct gnss {
    struct gnss_epoch last; /* `at` 0: none yet */
    int64_t heard_at;       /* monotonic: its first word */
    bool is_from_start;     /* it was heard to begin: else it may have had a fix before us */
    int64_t fix_lost_at;    /* monotonic: since when it has no fix, if it has none */
    int64_t time_moved_at;  /* monotonic */
    bool has_fix;
    bool was_without_fix; /* it has said so */
    int32_t ttff_ms;      /* GNSS_NONE: no fix yet. GNSS_UNSUPPORTED: it had one before us */
    enum gnss_antenna antenna;
    bool tells_antenna;    /* false: its language has no word for it */
    int32_t good_share_e4; /* of its checksums */
    int32_t baud;
};

void gnss_epoch_init(struct gnss_epoch *epoch, int64_t at, int64_t monotonic_at);

/* It speaks for the first time, or again after a silence. `from_start`: it was silent before and
 * is thus known to start now. */
void gnss_init(struct gnss *gnss, int64_t monotonic_at, bool from_start);
void gnss_take(struct gnss *gnss, const struct gnss_epoch *epoch);

/* A position that was measured, with all that the receiver says of it agreeing. */
bool gnss_has_fix(const struct gnss_epoch *epoch);

/* Puts `utc_at` right if it is earlier than this program, which is impossible unless the receiver's
 * count of weeks has rolled over: adds 1024 weeks, once. True if it did. */
bool gnss_unroll(int64_t *utc_at, int64_t built_at);

/* One satellite after the other makes a sky. */
struct gnss_sky_fold {
    uint8_t best[GNSS_SYSTEMS][1024]; /* by id: 0 not seen, else 1 + C/N0 */
    uint16_t tracked[100];            /* how many at each C/N0 */
    int32_t seen;
    unsigned systems;
};

/* `cn0`: GNSS_NONE or 0..99. A system or id out of bounds is not counted. */
void gnss_sky_add(struct gnss_sky_fold *fold, unsigned system, int32_t id, int32_t cn0);
struct gnss_sky gnss_sky_of(const struct gnss_sky_fold *fold);

/* --- Telling (drivers/gnss_tell.c) */

struct gnss_limits {
    int64_t silence_ms;         /* age limit of readings; of satellites three times this */
    int64_t no_fix_ms;          /* without a fix for longer: a fault of a device in service */
    bool active_antenna;        /* an open antenna means something */
    const char *service_device; /* the device in service that it is; NULL: none */
};

/* The last epoch as readings of unit "", all with the instant at which it was heard. */
void gnss_tell(const struct gnss *gnss, const struct gnss_limits *limits,
               const struct driver_env *env);
/* The names of the points, and "" as the only unit; see `names` in driver.h. */
void gnss_names(const void *config, const char *unit, void (*each)(void *arg, const char *name),
                void *arg);
/* What the last epoch says of a device in service; nothing without one. */
void gnss_tell_conditions(const struct gnss *gnss, const struct gnss_limits *limits,
                          const struct driver_env *env);
/* The line is open, and it says nothing, or does again. */
void gnss_tell_silence(const struct gnss_limits *limits, const struct driver_env *env,
                       bool is_silent);

const char *gnss_antenna_name(enum gnss_antenna antenna);
const char *gnss_fix_name(int32_t fix);

#endif
