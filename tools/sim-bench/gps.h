/* One GPS receiver that is made up: GPS and BeiDou satellites of a fixed sky, a cold start, an
 * antenna that is watched, and once every period a burst of NMEA 0183 sentences: GGA, RMC, two GSA,
 * GSV of both systems, VTG, ZDA and the antenna's TXT, as the common Chinese modules (CASIC) send
 * them. Pure of I/O; both clocks go in. */
#ifndef KPI_SIM_BENCH_GPS_H
#define KPI_SIM_BENCH_GPS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "trouble.h"

struct gps {
    /* Set before: */
    const char *name; /* borrows */
    uint64_t seed;
    int64_t ttff_ms;                 /* from power-on to the first fix */
    double latitude, longitude;      /* degrees */
    const struct troubles *troubles; /* borrows */
    /* Its own: */
    int64_t powered_at;
    int64_t locked_at;         /* from when it has a fix, if nothing hinders it */
    struct text_buffer frozen; /* the burst that it repeats */
};

void gps_init(struct gps *gps, int64_t monotonic);
void gps_finish(struct gps *gps);
/* A trouble of it is about to begin or to end. */
void gps_trouble(struct gps *gps, enum trouble trouble, bool begins, int64_t monotonic);
bool gps_has_fix(const struct gps *gps, int64_t monotonic);

/* Adds the burst of now; `wall` is what the satellites' time is. */
void gps_burst(struct gps *gps, int64_t monotonic, int64_t wall, struct text_buffer *to);

/* Adds "$", `body`, its checksum and the line's end. */
void nmea_add(struct text_buffer *to, const char *body);

#endif
