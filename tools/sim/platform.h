/* The simulated fleet platform: JSON over HTTP, as the platforms of the trade answer it. */
#ifndef KPID_SIM_PLATFORM_H
#define KPID_SIM_PLATFORM_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "world.h"

struct platform_options {
    const char *address;            /* IPv4 */
    uint16_t port;                  /* 0: any free one */
    const char *login;              /* "user:password" that opens a session; NULL: none is needed */
    const char *token;              /* bearer token; NULL: none is needed */
    bool errors_in_body;            /* a session that is missing is told in a 200 */
    const char *tls_cert, *tls_key; /* PEM files; NULL: plain HTTP */
    const struct zone *zone;
};

struct platform;

/* Answers on threads of its own, under `lock`, which guards the world. NULL if it cannot listen. */
struct platform *platform_start(const struct platform_options *options, struct world *world,
                                pthread_mutex_t *lock);
uint16_t platform_port(const struct platform *platform);
void platform_stop(struct platform *platform);

#endif
