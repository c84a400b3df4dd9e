/* The jt808 driver: a gateway for GPS terminals that speak JT/T 808 or 905. */
#ifndef KPID_DRIVERS_JT808_H
#define KPID_DRIVERS_JT808_H

#include "driver.h"

extern const struct driver driver_jt808;

#endif
