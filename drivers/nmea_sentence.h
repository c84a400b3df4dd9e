/* What an NMEA 0183 sentence says, as integers scaled by hand: rounding through a double is visible
 * at a ten-millionth of a degree. Pure; no allocation. Any thread.
 *
 * A good checksum does not make a good sentence: receivers have been seen that glue two halves
 * together and sum the result. So every field that is read is held against its form and its range,
 * and one that breaks either makes the whole sentence malformed. Fields may be empty; newer
 * versions of the standard add fields at the end; what is not needed is not looked at. */
#ifndef KPID_DRIVERS_NMEA_SENTENCE_H
#define KPID_DRIVERS_NMEA_SENTENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NMEA_NONE    INT32_MIN /* an empty field */
#define NMEA_NOWHERE INT64_MIN /* the same of a position */

enum {
    NMEA_USED_MAX = 12,   /* satellites in one GSA */
    NMEA_IN_VIEW_MAX = 4, /* satellites in one GSV */
    NMEA_SYSTEMS_MAX = 8, /* mode letters in one GNS */
};

enum nmea_type {
    NMEA_OTHER, /* any other, proprietary ones among them */
    NMEA_GGA,
    NMEA_GLL,
    NMEA_GNS,
    NMEA_GSA,
    NMEA_GST,
    NMEA_GSV,
    NMEA_RMC,
    NMEA_TXT,
    NMEA_VTG,
    NMEA_ZDA,
    NMEA_TYPES, /* how many there are */
};

enum nmea_talker {
    NMEA_TALKER_OTHER,
    NMEA_GP, /* GPS, with SBAS; older receivers say it of all systems */
    NMEA_GL, /* GLONASS */
    NMEA_GA, /* Galileo */
    NMEA_GB, /* BeiDou: GB, BD, and PQ of older Quectel modems */
    NMEA_GQ, /* QZSS: GQ, QZ */
    NMEA_GI, /* NavIC */
    NMEA_GN, /* several systems together */
    NMEA_TALKERS,
};

struct nmea_position {
    int64_t lat_e9, lon_e9; /* degrees, north and east positive; NMEA_NOWHERE if empty, and where
                             * the receiver says that it has no fix */
};

struct nmea_gga {
    int32_t time_ms; /* of the day, UTC */
    struct nmea_position position;
    int32_t quality; /* 0 none, 1 GPS, 2 differential, 3 PPS, 4 RTK fixed, 5 RTK float, 6 dead
                      * reckoning, 7 manual, 8 simulator */
    int32_t used;
    int32_t hdop_e2;
    int32_t altitude_mm;
};

struct nmea_rmc {
    int32_t time_ms;
    char status; /* 'A', 'V' */
    struct nmea_position position;
    int32_t speed_e3;                    /* knots */
    int32_t course_e2;                   /* degrees */
    int32_t day, month, year_of_century; /* all NMEA_NONE without a date or fix */
    char mode;                           /* A D F R P pass, E M S N do not; 0: older than 2.3 */
};

struct nmea_gsa {
    char choice; /* 'A', 'M' */
    int32_t fix; /* 1 none, 2 2D, 3 3D */
    int32_t ids[NMEA_USED_MAX];
    int32_t id_count;
    int32_t pdop_e2, hdop_e2, vdop_e2;
    int32_t system; /* 1 GPS, 2 GLONASS, 3 Galileo, 4 BeiDou, 5 QZSS, 6 NavIC; since 4.1 */
};

struct nmea_satellite {
    int32_t id;
    int32_t elevation, azimuth; /* degrees */
    int32_t cn0;                /* dB-Hz; NMEA_NONE: not tracked */
};

struct nmea_gsv {
    int32_t total, number; /* of the set's sentences, from 1 */
    int32_t in_view;
    struct nmea_satellite satellites[NMEA_IN_VIEW_MAX];
    int32_t count;
    int32_t signal; /* since 4.1 */
};

struct nmea_gll {
    struct nmea_position position;
    int32_t time_ms;
    char status, mode;
};

struct nmea_gns {
    int32_t time_ms;
    struct nmea_position position;
    char modes[NMEA_SYSTEMS_MAX + 1]; /* one letter for each system; a string */
    int32_t used;
    int32_t hdop_e2;
};

struct nmea_gst {
    int32_t time_ms;
    int32_t rms_mm, lat_mm, lon_mm, altitude_mm; /* expected errors */
};

struct nmea_vtg {
    int32_t course_e2;
    int32_t knots_e3, kmh_e3;
    char mode;
};

struct nmea_zda {
    int32_t time_ms;
    int32_t day, month, year;
};

struct nmea_txt {
    int32_t total, number, kind; /* kind: 0 error, 1 warning, 2 notice, 7 user */
    const char *text;            /* borrows from what was decoded; may hold commas */
    size_t length;
};

struct nmea_sentence {
    enum nmea_type type;
    enum nmea_talker talker;
    const char *fault;    /* NULL: it is well. Else what is wrong with `fault_field`, and nothing of
                           * the union may be read. Static */
    unsigned fault_field; /* the address is 0 */
    union {
        struct nmea_gga gga;
        struct nmea_rmc rmc;
        struct nmea_gsa gsa;
        struct nmea_gsv gsv;
        struct nmea_gll gll;
        struct nmea_gns gns;
        struct nmea_gst gst;
        struct nmea_vtg vtg;
        struct nmea_zda zda;
        struct nmea_txt txt;
    };
};

/* Decodes what stands between `$` and `*`. False if it is malformed. `ret` is always filled, and
 * borrows from `text`. */
bool nmea_decode(const char *text, size_t length, struct nmea_sentence *ret);

/* "GGA"; "other". */
const char *nmea_type_name(enum nmea_type type);
/* "GP"; "other". */
const char *nmea_talker_name(enum nmea_talker talker);

/* Do GGA's quality and the mode letters of RMC, GLL and GNS tell of a position that was measured
 * just now? Dead reckoning, typed in and simulated ones were not. A mode of 0 (older than 2.3) does
 * not object. */
bool nmea_quality_passes(int32_t quality);
bool nmea_mode_passes(char mode);

#endif
