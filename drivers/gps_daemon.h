/* A satellite receiver that gpsd has, for sites where gpsd runs already. */
#ifndef KPID_DRIVERS_GPS_DAEMON_H
#define KPID_DRIVERS_GPS_DAEMON_H

#include "driver.h"

extern const struct driver driver_gpsd;

#endif
