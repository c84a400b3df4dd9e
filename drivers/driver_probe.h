/* `kpid --probe` of a device that is asked or listened to: its driver itself, on a loop and in a
 * house of its own, for a few seconds; then what it handed over. */
#ifndef KPID_DRIVERS_DRIVER_PROBE_H
#define KPID_DRIVERS_DRIVER_PROBE_H

#include "driver.h"

/* Runs `driver` until it has handed over readings (several at once) `epochs` times, at most for
 * `limit_ms`, and prints the last of each point, unless it is down. Fails with the words of its
 * health if it is not well by then. Blocks. */
int driver_probe(const struct driver *driver, const void *config, const struct driver_env *env,
                 int epochs, int64_t limit_ms, FILE *out, struct err *err);

#endif
