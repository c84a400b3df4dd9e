/* Units on a Modbus bus: LED roof lights and whatever else has registers. One source is one bus. */
#ifndef KPID_DRIVERS_MB_SOURCE_H
#define KPID_DRIVERS_MB_SOURCE_H

#include "driver.h"
#include "mb_bus.h"

struct mb_source_config {
    int transport; /* enum mb_transport */
    char *device;
    uint32_t baud, stop_bits;
    int parity, silence;
    char *host;
    uint32_t port;
    int64_t connect_timeout_ms, idle_ms;
    bool echo;
    int64_t interval_ms, fast_interval_ms, slow_interval_ms;
    int64_t timeout_ms, backoff_max_ms;
    uint32_t retries, gap, registers_max;
    struct option_tree *maps, *units;
};

extern const struct driver driver_modbus;

/* --- Between the files of this driver */

extern const struct option mb_source_options[];
extern const struct option mb_unit_options[];
extern const struct driver_part mb_source_parts[];

void mb_source_check(const void *config, const struct option_tree *section, struct faults *faults);

/* Fills in what the bus needs; copies everything. The configuration has passed the check. Free with
 * mb_setup_finish. */
void mb_setup_init(struct mb_setup *setup, const struct mb_source_config *config);
void mb_setup_finish(struct mb_setup *setup);

/* For `kpid --probe`; see driver.h. */
int mb_source_probe(const void *config, const struct driver_env *env, FILE *out, struct err *err);

#endif
