/* The fleet as the server told it: each device, what it was last seen to suffer from, and whether
 * it is in service. Items come in as they arrive, and conditions and events go out at once, so that
 * a fleet of twenty thousand never holds the loop. Loop thread. */
#ifndef KPID_DRIVERS_TRACCAR_FLEET_H
#define KPID_DRIVERS_TRACCAR_FLEET_H

#include "lines.h"
#include "traccar.h"

struct traccar_fleet;

struct traccar_fleet_settings { /* copies */
    bool commission;
    int64_t offline_after_ms, power_hold_ms;
    struct traccar_code *codes;         /* takes */
    size_t code_count;
};

/* Borrows `env`. `saved` is what traccar_fleet_save gave, or NULL. */
struct traccar_fleet *traccar_fleet_create(const struct driver_env *env,
                                           const struct traccar_fleet_settings *settings,
                                           const char *saved);
void traccar_fleet_destroy(struct traccar_fleet *fleet);

/* A whole listing begins; and ends well: a device that was in neither this one nor the one before
 * is gone (the server sorts by name, so that one which is renamed meanwhile slips a page). */
void traccar_fleet_begin(struct traccar_fleet *fleet);
void traccar_fleet_device(struct traccar_fleet *fleet, const struct traccar_device *device,
                          struct lines *events);
void traccar_fleet_end(struct traccar_fleet *fleet, struct lines *events);

void traccar_fleet_position(struct traccar_fleet *fleet, const struct traccar_position *position);
void traccar_fleet_event(struct traccar_fleet *fleet, const struct traccar_event *event);

/* By name (the plate, as a rule), unique id (with or without leading zeros); NULL. Borrows until
 * the next listing. */
const struct traccar_device *traccar_fleet_named(const struct traccar_fleet *fleet,
                                                 const char *name);
size_t traccar_fleet_count(const struct traccar_fleet *fleet);

/* Who is in service, for the cursor: one "ID UNIQUEID" a line. Gives; "" unless `commission`. */
char *traccar_fleet_save(const struct traccar_fleet *fleet);

#endif
