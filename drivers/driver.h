/* A driver is one kind of input, written once and instantiated for each entry of `sources`.
 *
 * Everything here runs on the loop thread and nothing here blocks. A driver knows bytes and
 * devices; it does not know what a KPI is, where events are kept, or who is watching. */
#ifndef KPID_DRIVERS_DRIVER_H
#define KPID_DRIVERS_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/health.h"
#include "base/option.h"
#include "command.h"
#include "sink.h"

struct uv_loop_s;
struct source; /* one running instance; every driver defines its own */

/* What the house lends to a source for as long as the source lives. */
struct driver_env {
    const char *name; /* of the source, as configured */
    struct uv_loop_s *loop;
    const struct clock *clock; /* the only clock: tests turn it by hand */
    const struct sink *sink;   /* where batches and plans go */
    void *house;               /* first argument of every function in `sink` */
    struct health *health;     /* say how it is through health_is, and nowhere else */
    const char *cursor;        /* what last committed for this source; NULL: nothing yet.
                                * Borrows, for the call of `create` */
    const char *credentials;   /* folder of the secrets' files; NULL: none. Secret NAME is the file
                                * NAME or, as systemd calls what LoadCredential= takes from a
                                * folder, credentials_NAME. Borrows */
    const char *timezone;      /* of the configuration: what a local time means unless an option
                                * says otherwise. Borrows, for the call of `create` */
};

/* The table of a group within an option that is a list or a group of groups. */
struct driver_part {
    const char *title; /* "units of it", for the manual; NULL ends the list */
    const struct option *options;
};

struct driver {
    const char *name;             /* as in `driver = "spool"` */
    const char *summary;          /* one line, for `kpid --drivers` and the manual */
    const struct option *options; /* what its section may say; ends with a null name */
    size_t config_size;           /* of the struct that `options` fills */
    const struct driver_part *parts; /* what stands within its lists of groups; optional */

    /* Finds what no single option can show: two units with one address, a map that overlaps.
     * `section` is the source's whole section, for the place of a fault. Adds every fault, not
     * the first. Opens nothing. It is called even where the table found faults: a member of such
     * an option holds its fallback, or zero. Optional. */
    void (*check)(const void *config, const struct option_tree *section, struct faults *faults);

    /* What can be named of a source with that configuration: with `unit` NULL its units ("" where
     * it is one device), else the points of that unit. For who checks references to them (slots of
     * the bench); a name that is not told then is a fault. Called for a section without faults.
     * Optional: without it any name may be. */
    void (*names)(const void *config, const char *unit,
                  void (*each)(void *arg, const char *name), void *arg);

    /* Copies what it needs of `config`; opens nothing, so that a missing device is a state
     * and never a reason not to start. Fails only for lack of resources. */
    int (*create)(struct source **source, const void *config, const struct driver_env *env,
                  struct err *err);

    void (*start)(struct source *source);
    void (*pause)(struct source *source); /* the house is full: take nothing more */
    void (*resume)(struct source *source);
    bool (*poll_now)(struct source *source); /* forget the back-off; false: nothing to ask */

    /* Why one of its units is not well, for who looks at that one alone: its own trouble or that of
     * the line, not its neighbour's; "" if it is well. Optional: without it the source's own state
     * is said of each of its units. */
    void (*unit_why)(const struct source *source, const char *unit, char why[256]);

    /* Takes one explicit act (lamp test, position request) and completes `command`, which it
     * borrows until then; see command.h. Negative errno: not taken, `done` is not called. NULL if
     * the device only speaks. */
    int (*command)(struct source *source, struct command *command);

    /* `kpid --probe`: talks to the device once, prints on `out` what it says, changes nothing.
     * Blocks; there is no loop and no house (`env` has name, clock, credentials and time zone
     * alone). 0, or negative errno with a sentence that says what to do. Optional. */
    int (*probe)(const void *config, const struct driver_env *env, FILE *out, struct err *err);

    /* Closes every handle, then frees the source, then calls `stopped`, once. A batch in the
     * house is waited for: its `done` comes before `stopped`. A command under way is completed
     * with -ECANCELED. */
    void (*stop)(struct source *source, void (*stopped)(void *arg), void *arg);
};

/* The drivers of this build, sorted by name; ends with NULL. */
extern const struct driver *const driver_registry[];
/* NULL if there is none of that name. */
const struct driver *driver_find(const char *name);

#endif
