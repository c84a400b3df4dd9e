/* Where a vehicle is, asked of a Traccar server on demand: the device as it is now, then its last
 * position. One search at a time, the others wait; each has its own limit. Loop thread. */
#ifndef KPID_DRIVERS_TRACCAR_LOCATE_H
#define KPID_DRIVERS_TRACCAR_LOCATE_H

#include "command.h"
#include "traccar_client.h"

struct traccar_locator;

/* Takes the client. */
struct traccar_locator *traccar_locator_create(struct uv_loop_s *loop,
                                               struct traccar_client *client);
/* As a driver's `command`: `device` is the server's id of it. -EBUSY: too many wait. Ends with 0
 * and { latitude, longitude, fixed, at, received_at, online }, -ENODATA without a position,
 * -EHOSTUNREACH where the server does not answer, -ETIMEDOUT, or -ECANCELED. */
int traccar_locate(struct traccar_locator *locator, int64_t device, struct command *command);
/* Ends all that wait, with -ECANCELED. */
void traccar_locator_cancel(struct traccar_locator *locator);
/* After that: frees, then calls `closed`. */
void traccar_locator_close(struct traccar_locator *locator, void (*closed)(void *arg), void *arg);

#endif
