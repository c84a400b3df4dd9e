/* The log of a receiver, to be played again: its bytes as they are, less the lines of "#" that the
 * submitters put in, in bursts. A burst begins at each sentence of the kind that tells the time
 * first (RMC or GGA), so that one burst is one of the receiver's seconds. */
#ifndef KPI_SIM_BENCH_GPS_LOG_H
#define KPI_SIM_BENCH_GPS_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct gps_log {
    char *bytes;
    size_t length;
    size_t at;    /* where the next burst begins */
    char kind[4]; /* "RMC" or "GGA"; "": neither occurs, and it is one burst */
};

int gps_log_load(struct gps_log *log, const char *path, struct err *err);
/* The same from memory. Copies. */
void gps_log_set(struct gps_log *log, const char *bytes, size_t length);
void gps_log_finish(struct gps_log *log);

/* The next burst; after the last one the first again. Borrows from the log. */
const char *gps_log_burst(struct gps_log *log, size_t *ret_length);

#endif
