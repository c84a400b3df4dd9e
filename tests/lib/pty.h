/* A pseudo-terminal for drivers of serial lines: the device stands behind a link, as adapters stand
 * in /dev/serial/by-id, and is pulled out and put back. The test plays the device at `master`. */
#ifndef KPID_TESTS_PTY_H
#define KPID_TESTS_PTY_H

#include <stdbool.h>
#include <stddef.h>

struct pty {
    int master;       /* does not block; -1: pulled out */
    char device[64];  /* /dev/pts/N */
    const char *link; /* borrows; NULL: there is none */
};

/* Makes a new one, raw, and points `link` at it, in one step even if it pointed elsewhere. `link`
 * may be NULL. Failures end the test. */
void pty_open(struct pty *pty, const char *link);
/* What the kernel and udev do when an adapter is pulled out: the line hangs up, the link goes. Of
 * one that is pulled out already nothing. */
void pty_pull(struct pty *pty);

/* Bytes from the device to the driver; all of them, or the test ends. */
void pty_say(const struct pty *pty, const void *bytes, size_t length);
/* What the driver sent, up to `size` bytes; 0: nothing now. */
size_t pty_hear(const struct pty *pty, void *bytes, size_t size);

#endif
