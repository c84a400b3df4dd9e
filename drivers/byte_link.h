/* Bytes from a device on a serial line or behind a serial server on TCP, or from gpsd. Opens it,
 * and whenever it goes opens it again: at once if an adapter is plugged in again, else with
 * back-off. Nothing here blocks; names are looked up on libuv's pool. Loop thread. */
#ifndef KPID_DRIVERS_BYTE_LINK_H
#define KPID_DRIVERS_BYTE_LINK_H

#include <stddef.h>
#include <stdint.h>

#include "driver.h"
#include "serial_port.h"

struct byte_link;

/* What is expected behind an address: what may be wrong with it differs. */
enum byte_peer { BYTE_PEER_SERIAL_SERVER, BYTE_PEER_GPSD, BYTE_PEERS };

/* A serial line, or where `device` is NULL an address. Copies the texts. */
struct byte_link_settings {
    const char *device;
    struct serial_settings serial;
    const char *host;
    uint16_t port;
    enum byte_peer peer;
};

/* All come on later turns of the loop, and none after byte_link_destroy. */
struct byte_link_handlers {
    void (*opened)(void *arg);
    /* What came; borrows for the call. */
    void (*bytes)(void *arg, const unsigned char *bytes, size_t length);
    /* It cannot be opened, or is no more; why, and what to do. It is tried again by itself. */
    void (*lost)(void *arg, const char *why);
    void *arg;
};

/* Opens nothing yet. Of `env` it uses loop, name, clock and the sink's next_attempt. */
struct byte_link *byte_link_create(const struct byte_link_settings *settings,
                                   const struct byte_link_handlers *handlers,
                                   const struct driver_env *env);
void byte_link_start(struct byte_link *link);

/* Forgets the back-off, and tries at once if it is not open. */
void byte_link_retry(struct byte_link *link);

/* Closes it, and tries again with back-off: the other side may be gone without a word. `lost` is
 * not called. */
void byte_link_reopen(struct byte_link *link);

/* Sends a question (copies), of at most 256 bytes; nothing if it is not open. What came before on a
 * serial line and was not handed over is thrown away, so that nothing late answers it. A peer that
 * takes nothing is one that does not answer. */
void byte_link_ask(struct byte_link *link, const void *bytes, size_t length);

/* Another rate, from now on. Of a serial line alone. */
void byte_link_set_baud(struct byte_link *link, uint32_t baud);

/* Closes it; `closed` comes once nothing of it is left, on a later turn. */
void byte_link_destroy(struct byte_link *link, void (*closed)(void *arg), void *arg);

#endif
