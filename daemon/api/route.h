/* Routes: from a method and an address as they came to a row of a table, with its captures and
 * parameters decoded. Pure; works in place on the address, allocates nothing. */
#ifndef KPID_API_ROUTE_H
#define KPID_API_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "api/problem.h"

enum { ROUTE_CAPTURES = 3, ROUTE_PARAMS = 8 };

enum right { RIGHT_READ, RIGHT_WRITE };

struct route_param {
    const char *name; /* NULL ends a list */
    const char *help;
};

struct handler;

struct route {
    const char *method; /* "GET" answers HEAD, too */
    const char *path;   /* "/v1/tickets/{kind}/{ticket}" */
    enum right right;
    const struct handler *handler;
    const char *summary; /* one line */
    const char *body;    /* content type of the body; NULL: none */
    const struct route_param params[ROUTE_PARAMS + 1];
};

struct route_hit {
    const struct route *route;
    const char *captures[ROUTE_CAPTURES]; /* in order of the path; decoded, UTF-8, not empty */
    const char *values[ROUTE_PARAMS];     /* beside route->params; NULL: not given */
};

/* `uri` is what stood in the request line; what is returned points into it. False, with `problem`
 * filled: no such path or method, unknown, repeated or malformed parameter, bad encoding. */
bool route_find(const struct route *routes, size_t count, const char *method, char *uri,
                struct route_hit *ret, struct problem *problem);

/* The value of a parameter that the route knows (asserted), or NULL. */
const char *route_value(const struct route_hit *hit, const char *name);

/* The methods of the path that `uri` names, "GET, HEAD, OPTIONS", for OPTIONS. False: no such
 * path. Leaves `uri` as it is. */
bool route_methods(const struct route *routes, size_t count, const char *uri, char ret[48]);

/* Decodes %xx in place, and '+' as a blank if `plus`. False for a broken escape, a NUL, or what is
 * no UTF-8 then. */
bool route_decode(char *text, bool plus);

#endif
