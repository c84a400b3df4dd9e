/* Satellite receivers that send NMEA 0183, on a serial line or behind a serial server on TCP. */
#ifndef KPID_DRIVERS_NMEA_H
#define KPID_DRIVERS_NMEA_H

#include <stdbool.h>
#include <stdint.h>

#include "driver.h"

extern const struct driver driver_nmea;

struct nmea_config {
    char *device, *host;
    uint32_t port, baud;
    bool auto_baud;
    int64_t silence_ms, no_fix_ms;
    bool active_antenna;
    char *service_device;
};

extern const struct option nmea_options[];
void nmea_check(const void *config, const struct option_tree *section, struct faults *faults);

#endif
