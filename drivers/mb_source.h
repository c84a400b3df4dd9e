/* Units on a Modbus bus: LED roof lights and whatever else has registers. One source is one bus. */
#ifndef KPID_DRIVERS_MB_SOURCE_H
#define KPID_DRIVERS_MB_SOURCE_H

#include <uv.h>

#include "driver.h"
#include "mb_bus.h"
#include "mb_value.h"

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

/* Units, and the points of their maps; see `names` in driver.h. */
void mb_source_names(const void *config, const char *unit,
                     void (*each)(void *arg, const char *name), void *arg);

/* Fills in what the bus needs; copies everything. The configuration has passed the check. Free with
 * mb_setup_finish. */
void mb_setup_init(struct mb_setup *setup, const struct mb_source_config *config);
void mb_setup_finish(struct mb_setup *setup);

/* What is known of a fault that a point tells. */
enum mb_fault_state { FAULT_UNKNOWN, FAULT_ABSENT, FAULT_PRESENT };

struct mb_known_fault {
    enum mb_fault_state state;
    double number; /* that said so */
};

/* One unit, as the loop knows it. */
struct mb_known {
    enum mb_unit_state state;
    bool device_failed;
    enum mb_health health;
    size_t unsupported;
    char lacks[MB_PLACE_SIZE + POINT_SIZE + 8];
    enum mb_silence silence;
    struct mb_known_fault *faults; /* of each point */
    struct mb_report *held;        /* its newest so far, while reports are taken */
};

/* One running bus. */
struct source {
    struct driver_env env;
    struct mb_setup setup;
    struct mb_bus *bus;
    struct mb_known *units; /* as many as the setup's */
    bool line_is_open;
    char line_why[256];
    size_t commands;          /* under way */
    struct reading *readings; /* room for one unit */
    struct mb_value *values;  /* behind them */
    struct hotplug *hotplug;  /* of a serial line */
    uv_async_t wake;
    bool stopping;
    void (*stopped)(void *arg);
    void *stopped_arg;
};

/* Faults of the device that the unit is, if it is one in service. */
void mb_put_conditions(struct source *source, const struct mb_report *report);
/* The state of the source, from all that is known. */
void mb_say_state(struct source *source);
/* See `unit_why` in driver.h. */
void mb_source_unit_why(const struct source *source, const char *unit, char why[256]);

/* For `kpid --probe`; see driver.h. */
int mb_source_probe(const void *config, const struct driver_env *env, FILE *out, struct err *err);

#endif
