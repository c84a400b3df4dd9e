/* Folds NMEA sentences into what a bench wants to know of the receiver (gnss.h): epochs, satellites
 * by set, the antenna's state, the share of good checksums. Pure: sentences and instants in, state
 * out. Loop thread.
 *
 * An epoch is all sentences of one instant. RMC and GGA bear its time; GSA and GSV belong to the
 * epoch in which they come. It ends when a sentence bears another time, when one comes a second
 * time, or when the line pauses (nmea_fix_pause) behind all that the epoch before it had: half an
 * epoch may hold the coordinates of a simulator without its word that it is one. */
#ifndef KPID_DRIVERS_NMEA_FIX_H
#define KPID_DRIVERS_NMEA_FIX_H

#include <stdbool.h>
#include <stdint.h>

#include "gnss.h"
#include "nmea_frame.h"
#include "nmea_sentence.h"

enum {
    NMEA_SETS_MAX = 24,  /* talkers times signals */
    NMEA_SET_SIZE = 64,  /* satellites in one set */
    NMEA_SHARE_OF = 256, /* checksums that `good_share` looks back on */
};

/* The satellites of one talker and signal. */
struct nmea_set {
    enum nmea_talker talker;
    int32_t signal;        /* NMEA_NONE: not said */
    int32_t total, number; /* sentences in all, and the last that came */
    int64_t monotonic_at;  /* when it was whole */
    int32_t count;
    struct {
        int16_t id;
        int8_t cn0; /* -1: not tracked */
    } satellites[NMEA_SET_SIZE];
};

struct nmea_fix {
    struct gnss gnss;
    int64_t built_at;        /* no receiver's date is earlier */
    bool has_spoken;         /* a good sentence came since the start */
    bool is_open;            /* an epoch is under way */
    struct gnss_epoch epoch; /* it */
    unsigned heard;          /* bits 1 << enum nmea_type: what came in it */
    unsigned usual;          /* what came in the one before */
    int32_t day_of_zda;      /* days since 1970; NMEA_NONE: there is no ZDA */
    struct nmea_set coming;  /* a set of which sentences are still to come; total 0: none */
    struct nmea_set sets[NMEA_SETS_MAX];
    int32_t set_count;
    bool has_new_set;                                        /* in this epoch */
    int64_t dimension_at;    /* monotonic: when GSA last told it; else its first word */
    uint64_t sums[NMEA_SHARE_OF / 64];                       /* a ring of bits: 1 good */
    uint32_t sum_count;                                      /* that came */
    uint64_t good, wrong, without_sum, malformed, lost_sets; /* since the start */
};

/* `built_at`: see gnss_unroll. */
void nmea_fix_init(struct nmea_fix *fix, int64_t built_at);
/* It falls silent, or its line was closed: what comes next is a start, and it is known to be one if
 * the line was open and silent. */
void nmea_fix_restart(struct nmea_fix *fix, bool from_start);

/* Counts a frame's checksum. */
void nmea_fix_count(struct nmea_fix *fix, enum nmea_frame_kind kind);
/* The share of good checksums begins anew: those so far were of another rate, or of a fault that is
 * over. */
void nmea_fix_forget_sums(struct nmea_fix *fix);
/* One sentence, heard at those instants. True if an epoch before it ended: `fix->gnss.last`. */
bool nmea_fix_fold(struct nmea_fix *fix, const struct nmea_sentence *sentence, int64_t at,
                   int64_t monotonic_at);
/* The line pauses. True if an epoch ended by it: `fix->gnss.last`. */
bool nmea_fix_pause(struct nmea_fix *fix);

/* ANTSTATUS= of u-blox and its many likes, ANTENNA of CASIC; GNSS_ANTENNA_UNSAID for other texts.
 */
enum gnss_antenna nmea_antenna(const char *text, size_t length);

#endif
