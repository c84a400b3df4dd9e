/* From a request as it came to a handler: route, rights, body. Between server.c, which knows
 * libmicrohttpd, and the handlers, which know the figures. */
#ifndef KPID_API_SERVE_H
#define KPID_API_SERVE_H

#include "api/api_private.h"

/* Stage CALL_NEW: finds the route and decides whether the caller may. Afterwards the call is
 * CALL_BODY with its handler begun, or CALL_REPLIED, or suspended (its user is being looked up):
 * then ask again once it is woken. */
void serve_first(struct call *call, const char *method);

/* A piece of the body. Returns how much was taken. */
size_t serve_body(struct call *call, const char *bytes, size_t length);

#endif
