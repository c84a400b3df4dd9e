/* The traccar driver: a fleet on a Traccar server, polled. */
#ifndef KPID_DRIVERS_TRACCAR_H
#define KPID_DRIVERS_TRACCAR_H

#include "driver.h"
#include "traccar_item.h"

extern const struct driver driver_traccar;

struct traccar_config {
    char *url;
    int auth;
    char *credential;
    int64_t interval_ms;
    uint32_t page_size;
    struct option_texts groups;
    bool commission;
    int64_t offline_after_ms, power_hold_ms;
    struct option_tree *alarms;
    int64_t connect_timeout_ms, timeout_ms;
    uint32_t body_max;
    char *ca_file;
    int64_t backoff_max_ms;
};
extern const struct option traccar_options[];
void traccar_check(const void *config, const struct option_tree *section, struct faults *faults);

/* An alarm value, and the fault that it means. */
struct traccar_code {
    char alarm[TRACCAR_TEXT_SIZE], code[TRACCAR_TEXT_SIZE];
    bool lasting;               /* on the road a fault only if it lasts */
};
enum { TRACCAR_CODES_MAX = 32 };
/* The usual ones (fault, gpsAntennaCut, powerCut, powerOff), and those of `alarms`, which may name
 * a usual one anew; with code "" it is none. At most TRACCAR_CODES_MAX. Gives; adds faults. */
struct traccar_code *traccar_codes(const struct option_tree *alarms, size_t *ret_count,
                                   struct faults *faults);

#endif
