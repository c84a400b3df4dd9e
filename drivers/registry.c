/* Every driver of this build. A new driver is one line here. */
#include "driver.h"

#include <string.h>

#include "gps_daemon.h"
#include "http_feed.h"
#include "jt808.h"
#include "mb_source.h"
#include "nmea.h"
#include "roof_light.h"
#include "spool.h"
#include "traccar.h"

/* Sorted by name: help, manual and near names are printed in this order. */
const struct driver *const driver_registry[] = {
    &driver_gpsd,
    &driver_http_feed,
    &driver_jt808,
    &driver_modbus,
    &driver_nmea,
    &driver_roof_light,
    &driver_spool,
    &driver_traccar,
    NULL,
};

const struct driver *driver_find(const char *name)
{
    for (size_t i = 0; driver_registry[i] != NULL; i++)
        if (strcmp(driver_registry[i]->name, name) == 0)
            return driver_registry[i];
    return NULL;
}
