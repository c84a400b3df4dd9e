/* Questions to a Traccar server, one at a time: the login and its renewal, the list as it arrives,
 * and what went wrong in a sentence. Loop thread. */
#ifndef KPID_DRIVERS_TRACCAR_CLIENT_H
#define KPID_DRIVERS_TRACCAR_CLIENT_H

#include "feed_answer.h"

struct traccar_client;
struct uv_loop_s;

enum traccar_auth { TRACCAR_TOKEN, TRACCAR_BASIC, TRACCAR_SESSION };
extern const char *const traccar_auth_choices[];

struct traccar_client_options { /* copies */
    const char *url;            /* of the server, without /api */
    enum traccar_auth auth;
    const char *credential;
    const char *credentials;    /* the folder; NULL: none */
    int64_t connect_timeout_ms, timeout_ms;
    uint32_t body_max;
    const char *ca_file;
};

struct traccar_client *traccar_client_create(struct uv_loop_s *loop, const struct clock *clock,
                                             const struct traccar_client_options *options);
/* Ends what is under way without a word, then frees and calls `closed`. */
void traccar_client_close(struct traccar_client *client, void (*closed)(void *arg), void *arg);

/* Asks `path` ("/api/devices?limit=1000"; copies). `item` gets each object of the list as it comes;
 * `done` gets NULL if the list was whole, else why it was not: what came before is then worth
 * nothing. `done` is never called from within. One question at a time. Negative errno: the secret
 * cannot be read, and nothing was asked. */
int traccar_client_ask(struct traccar_client *client, const char *path,
                       void (*item)(void *arg, const char *json, size_t length),
                       void (*done)(void *arg, const struct feed_failure *failure), void *arg,
                       struct err *err);
bool traccar_client_is_busy(const struct traccar_client *client);
/* Ends the question; its callbacks are not called. */
void traccar_client_cancel(struct traccar_client *client);

#endif
