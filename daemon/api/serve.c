/* Serving a request: route, rights, then the handler. */
#include "api/serve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"

/* --- Who asks, over TCP */

/* Takes as long for a wrong token as for the right one. */
static bool same_secret(const char *given, const char *secret)
{
    size_t length = strlen(secret), given_length = strlen(given);
    unsigned difference = length != given_length;

    for (size_t i = 0; i < length; i++)
        difference |=
            (unsigned)((unsigned char)secret[i] ^ (unsigned char)(i < given_length ? given[i] : 0));
    return difference == 0;
}

/* Without a token the port is for this machine's own programs: a page from elsewhere, whose name
 * was made to resolve to this machine, shows itself by its Host. */
static bool host_is_ours(const struct call *call)
{
    static const char *const names[] = { "localhost", "127.0.0.1", "[::1]", "::1" };
    const char *host = call_header(call, "Host");
    char name[64];
    const char *port;
    size_t length;

    if (!host)
        return true; /* no browser leaves it out */
    port = strrchr(host, ':');
    length = port && !strchr(port, ']') ? (size_t)(port - host) : strlen(host);
    if (!text_copy(name, sizeof name, host, length))
        return false;
    for (size_t i = 0; i < LENGTH(names); i++) {
        if (strcasecmp(name, names[i]) == 0)
            return true;
    }
    return strcasecmp(name, call->connection->listener->host) == 0;
}

static bool web_may(struct call *call, struct problem *problem)
{
    const struct listener *l = call->connection->listener;
    const char *given;

    if (!l->token && !host_is_ours(call))
        return problem_set(problem, PROBLEM_FORBIDDEN, "the Host of the request is not this one");
    if (l->token) {
        given = call_header(call, "Authorization");
        if (!given || strncasecmp(given, "Bearer ", 7) != 0 || !same_secret(given + 7, l->token))
            return problem_set(problem, PROBLEM_UNAUTHORIZED,
                               "send the token of listen_token_file: Authorization: Bearer TOKEN");
    }
    if (call->hit.route->right == RIGHT_WRITE)
        return problem_set(problem, PROBLEM_FORBIDDEN,
                           "the TCP listener is read-only; write through the Unix socket %s",
                           call->api->house.conf->socket);
    return true;
}

/* --- Who asks, over the Unix socket */

static void on_looked_up(void *arg)
{
    struct call *call = arg;

    api_unpend(call->api);
    call_wake(call);
}

static void look_up(struct call *call)
{
    struct problem problem;

    if (!peers_look_up(call->api->peers, call->connection->peer.uid, on_looked_up, call)) {
        problem_set(&problem, PROBLEM_BUSY, "too many users are being looked up");
        problem.retry_after_s = 1;
        call_problem(call, &problem);
        return;
    }
    api_pend(call->api);
    call_wait(call);
}

static bool peer_may(const struct call *call, const struct peer_name *name, struct problem *problem)
{
    const struct peer *peer = &call->connection->peer;
    const struct conf *conf = call->api->house.conf;
    bool writes = call->hit.route->right == RIGHT_WRITE;
    const char *group = writes ? conf->admin_group : conf->socket_group;

    if (writes ? peer->writes || name->writes : peer->reads || name->reads)
        return true;
    return problem_set(problem, PROBLEM_FORBIDDEN,
                       "user \"%s\" may not %s: this wants membership of group \"%s\" "
                       "(usermod -aG %s %s)",
                       name->name, writes ? "write" : "read", group ? group : "",
                       group ? group : "GROUP", name->name);
}

/* True if the call may go on; else it was answered, or waits for its user's name. */
static bool admit(struct call *call)
{
    struct connection *c = call->connection;
    const struct peer_name *name = NULL;
    struct problem problem;

    if (c->listener->web) {
        if (web_may(call, &problem))
            return true;
        call_problem(call, &problem);
        return false;
    }
    if (!c->peer.known) {
        problem_set(&problem, PROBLEM_FORBIDDEN, "the kernel does not say who asks");
        call_problem(call, &problem);
        return false;
    }
    if (call->hit.route->right == RIGHT_READ && c->peer.reads)
        return true;
    name = peers_find(call->api->peers, c->peer.uid);
    if (!name) {
        look_up(call);
        return false;
    }
    if (peer_may(call, name, &problem)) {
        text_set(c->user, sizeof c->user, name->name);
        return true;
    }
    call_problem(call, &problem);
    return false;
}

/* --- What is asked */

static void reply_options(struct call *call, const char *allow)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);

    MHD_add_response_header(response, "Allow", allow);
    call_reply_response(call, 204, response);
}

/* The address is taken apart in place, so it is read once for each request. */
static bool find_route(struct call *call, const char *method)
{
    struct connection *c = call->connection;
    struct problem problem;
    char allow[48];

    if (call->hit.route)
        return true; /* asked again after a look-up */
    if (c->uri_too_long) {
        problem_set(&problem, PROBLEM_URL_TOO_LONG, "the address has more than %d bytes", URI_MAX);
    } else if (strcmp(method, "OPTIONS") == 0 &&
               route_methods(api_routes, api_route_count, c->uri, allow)) {
        reply_options(call, allow);
        return false;
    } else if (route_find(api_routes, api_route_count, method, c->uri, &call->hit, &problem)) {
        return true;
    }
    call_problem(call, &problem);
    return false;
}

/* Refuses a body by its headers, before any of it was read. */
static bool body_is_welcome(struct call *call)
{
    const char *length = call_header(call, "Content-Length");
    unsigned long most = call->api->house.conf->body_max_bytes;
    struct problem problem;

    if (!length || strtoull(length, NULL, 10) <= most)
        return true;
    problem_set(&problem, PROBLEM_TOO_LARGE,
                "the body has %.20s bytes; %lu are allowed at once: send it in parts", length,
                most);
    call_problem(call, &problem);
    return false;
}

void serve_first(struct call *call, const char *method)
{
    const struct handler *handler;
    struct problem problem;

    if (!find_route(call, method) || !admit(call))
        return;
    if (!api_rules(call->api)) {
        problem_set(&problem, PROBLEM_BUSY, "the daemon is starting; nothing is published yet");
        problem.retry_after_s = 1;
        call_problem(call, &problem);
        return;
    }
    handler = call->hit.route->handler;
    call->head = strcmp(method, "HEAD") == 0;
    if (handler->body && !body_is_welcome(call))
        return;
    call->stage = CALL_BODY;
    if (handler->begin)
        handler->begin(call);
}

/* A body that nobody wants any more is read to its end, so that the caller sees the answer: but
 * not for ever. */
size_t serve_body(struct call *call, const char *bytes, size_t length)
{
    const struct handler *handler = call->hit.route ? call->hit.route->handler : NULL;

    if (call->stage == CALL_BODY && !call->cut && handler->body)
        return handler->body(call, bytes, length);
    call->wasted_bytes += length;
    if (call->wasted_bytes > call->api->house.conf->body_max_bytes)
        (void)shutdown(call->connection->fd, SHUT_RDWR);
    return length;
}
