/* Tells at once when the device behind a path comes, goes or is replaced by another: inotify on
 * every folder on the way, symbolic links followed, nothing polled. The folders need not exist yet:
 * /dev/serial/by-id is made with the first adapter and goes with the last. Loop thread. */
#ifndef KPID_DRIVERS_HOTPLUG_H
#define KPID_DRIVERS_HOTPLUG_H

#include <stdbool.h>

struct uv_loop_s;
struct hotplug;

/* Watches `path` (absolute; copies). Says nothing of how it is now: try to open it after this.
 *
 * `changed` comes on later turns. false: what lay there is gone; close it. true: something lies
 * there now, or its rights are others now (udev makes a node first and hands it to its group a
 * moment later); open it unless it is open. A node or link that came to be another says false, then
 * true; one that went and came back the same says nothing. */
struct hotplug *hotplug_create(struct uv_loop_s *loop, const char *path,
                               void (*changed)(void *arg, bool is_there), void *arg);

/* NULL, or why a change may go unnoticed (the system's limits of inotify) and what to do: then only
 * trying again finds the device. Borrows, until hotplug_destroy. */
const char *hotplug_trouble(const struct hotplug *hotplug);

/* `changed` is not called again. From within it, too; NULL is allowed. */
void hotplug_destroy(struct hotplug *hotplug);

#endif
