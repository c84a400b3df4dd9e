/* One explicit act on a device, asked for by a person or by a step of a bench session, never by a
 * poll: a lamp test, a text to show, a position request. Loop thread. */
#ifndef KPID_DRIVERS_COMMAND_H
#define KPID_DRIVERS_COMMAND_H

#include <stdint.h>

#include "base/err.h"

/* The acts that drivers know. A driver answers -EOPNOTSUPP to the others, and to one that its
 * device has no way to do: a finding about the device ("not supported"), not a failure of it. */
#define COMMAND_SELF_TEST  "self_test"  /* runs the device's own test and waits for its end */
#define COMMAND_SHOW       "show"       /* argument: number of a display state; read back */
#define COMMAND_BRIGHTNESS "brightness" /* argument: per cent, 0 = automatic; read back */
#define COMMAND_TEXT       "text"       /* argument: UTF-8; read back where it can be */
#define COMMAND_NIGHT      "night"      /* argument: "on" or "off"; read back */
#define COMMAND_RESET      "reset"
#define COMMAND_LOCATE     "locate"     /* asks for a position now */

/* Embedded in the asker's struct; the driver borrows it from a `command` that returned 0 until it
 * calls `done`, once, on a later turn of the loop. */
struct command {
    const char *unit;       /* which device of the source; "" where a source is one device */
    const char *verb;       /* one of the above */
    const char *argument;   /* "" if it has none */
    int64_t timeout_ms;     /* after which it ends with -ETIMEDOUT, whatever the device does */
    /* Filled in before `done`: */
    int status;             /* 0: done, and read back as asked. -EOPNOTSUPP: the device has no such
                             * thing. -ETIMEDOUT: no answer in time. -EBADMSG: it answers, but says
                             * something else than was asked. -EIO: it says that it failed.
                             * -ENOTCONN: its line is gone. -ECANCELED: the source stops. */
    struct err err;         /* if negative: what happened, for a person */
    char result[256];       /* what the device said, as JSON object; "" if nothing */
    void (*done)(struct command *command);
    void *arg;
};

#endif
