/* The server: libmicrohttpd on the loop, without a thread of its own.
 *
 * Its epoll descriptor is watched by uv_poll, its next time-out by a uv_timer, and MHD_run does
 * what is due. Whoever wakes a suspended connection marks the api dirty; a uv_prepare runs MHD once
 * before the loop goes to sleep, however many were woken in the turn.
 *
 * Bounds, for strangers: connections in all (libmicrohttpd refuses to accept more) and of one user
 * (half of them: one user's mistake leaves the door open to the others); memory of a connection;
 * length of an address; seconds of silence, of a request, of an answer. A connection past a bound
 * is shut down, which costs nobody else anything.
 *
 * The end: no more connections are accepted, what is under way (reads, look-ups, commits) comes to
 * its end, everybody suspended is woken and told, then libmicrohttpd stops. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/api_private.h"
#include "api/serve.h"
#include "api/work.h"
#include "base/mem.h"

enum { SWEEP_MS = 2000, SILENCE_S = 20, RUNS_MAX = 4, RUNS_AT_END = 16 };

/* How long a connection may stay in a phase; 0: for ever. */
static const int64_t phase_limits_ms[] = {
    /* clang-format off */
    [PHASE_IDLE] = 30000,       /* no request, or half a request line */
    [PHASE_HEADERS] = 30000,
    [PHASE_BODY] = 300000,
    [PHASE_WORK] = 0,           /* ours to end */
    [PHASE_REPLY] = 120000,
    [PHASE_STREAM] = 0,         /* silence alone ends it */
    /* clang-format on */
};

void connection_phase(struct connection *c, enum phase phase)
{
    c->phase = phase;
    c->since_ms = clock_monotonic(c->api->house.clock);
}

static void on_timer(uv_timer_t *timer);

/* Does what is due, then sets the clock for what comes. Some turns only: the loop has others to
 * serve. */
static void run(struct listener *l)
{
    MHD_UNSIGNED_LONG_LONG wait_ms = 0;

    if (!l->mhd)
        return;
    for (int i = 0; i < RUNS_MAX; i++) {
        MHD_run(l->mhd);
        if (MHD_get_timeout(l->mhd, &wait_ms) != MHD_YES) {
            uv_timer_stop(&l->timer);
            return;
        }
        if (wait_ms > 0)
            break;
    }
    uv_timer_start(&l->timer, on_timer, wait_ms, 0);
}

static void on_timer(uv_timer_t *timer)
{
    run(timer->data);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)status; /* MHD_run finds out itself */
    (void)events;
    run(poll->data);
}

static void on_prepare(uv_prepare_t *prepare)
{
    struct api *api = prepare->data;

    for (int i = 0; api->dirty && i < RUNS_MAX; i++) {
        api->dirty = false;
        run(&api->local);
        run(&api->web);
    }
    if (api->stopping && api->pending == 0)
        server_finish_stop(api);
}

static void sample_load(struct api *api)
{
    uint64_t idle = uv_metrics_idle_time(api->house.loop), now = uv_hrtime();
    struct loop_load *load = &api->load;

    if (load->at_ns && now > load->at_ns) {
        load->share = 1.0 - (double)(idle - load->idle_ns) / (double)(now - load->at_ns);
        if (load->share < 0)
            load->share = 0;
    }
    load->idle_ns = idle;
    load->at_ns = now;
}

static void on_sweep(uv_timer_t *timer)
{
    struct api *api = timer->data;
    int64_t now = clock_monotonic(api->house.clock);

    for (struct connection *c = api->connections; c; c = c->next) {
        int64_t limit = phase_limits_ms[c->phase];

        if (limit && now - c->since_ms > limit && !c->call.suspended)
            (void)shutdown(c->fd, SHUT_RDWR); /* libmicrohttpd sees the end and closes */
    }
    sse_sweep(api, now);
    post_sweep(api, now);
    sample_load(api);
}

/* --- Connections */

static size_t connections_of(const struct api *api, uid_t uid)
{
    size_t count = 0;

    for (const struct connection *c = api->connections; c; c = c->next)
        count += c->peer.known && c->peer.uid == uid;
    return count;
}

/* Says so and hangs up at once: a connection that waits for its turn would hold a place. */
static void turn_away(struct connection *c)
{
    struct text_buffer body = { 0 };
    struct problem problem;
    char answer[512];
    int length;

    c->turned_away = true;
    c->api->refusals++;
    problem_set(&problem, PROBLEM_TOO_MANY, "this user has too many connections open");
    problem_json(&body, &problem);
    length = snprintf(answer, sizeof answer,
                      "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n"
                      "Retry-After: 1\r\nContent-Type: application/problem+json\r\n"
                      "Content-Length: %zu\r\n\r\n%s",
                      body.length, body.bytes);
    text_buffer_finish(&body);
    assert(length > 0 && (size_t)length < sizeof answer);
    (void)send(c->fd, answer, (size_t)length, MSG_DONTWAIT | MSG_NOSIGNAL); /* a courtesy */
    (void)shutdown(c->fd, SHUT_RDWR);
}

static void connection_open(struct listener *l, struct MHD_Connection *mhd, void **ret)
{
    struct api *api = l->api;
    struct connection *c = mem_zalloc(sizeof *c);
    size_t most = api->house.conf->connections_max / 2;

    c->api = api;
    c->listener = l;
    c->mhd = mhd;
    c->fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    connection_phase(c, PHASE_IDLE);
    if (l->web)
        c->peer.reads = true; /* the token, or being local, decides */
    else if (peer_of_socket(api->peers, c->fd, &c->peer) < 0)
        c->peer = (struct peer){ 0 };
    if (c->peer.known && connections_of(api, c->peer.uid) >= (most > 4 ? most : 4))
        turn_away(c);
    c->next = api->connections;
    if (c->next)
        c->next->previous = c;
    api->connections = c;
    api->connection_count++;
    *ret = c;
}

static void connection_close(struct connection *c)
{
    *(c->previous ? &c->previous->next : &c->api->connections) = c->next;
    if (c->next)
        c->next->previous = c->previous;
    c->api->connection_count--;
    free(c->uri);
    free(c);
}

static void on_connection(void *cls, struct MHD_Connection *mhd, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        connection_open(cls, mhd, context);
    } else if (*context) {
        connection_close(*context);
        *context = NULL;
    }
}

/* --- Requests */

/* Called with the address as it came, before anything takes it apart. What it returns is the
 * request's context. */
static void *on_uri(void *cls, const char *uri, struct MHD_Connection *mhd)
{
    struct connection *c =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    size_t size = strlen(uri) + 1;

    (void)cls;
    c->call = (struct call){ .api = c->api, .connection = c, .mhd = mhd };
    c->api->requests++;
    c->uri_too_long = size > URI_MAX;
    if (c->uri_too_long)
        size = 1;
    if (size > c->uri_capacity) {
        c->uri_capacity = size < 256 ? 256 : size;
        c->uri = mem_realloc(c->uri, c->uri_capacity);
    }
    memcpy(c->uri, uri, size - 1);
    c->uri[size - 1] = '\0';
    connection_phase(c, PHASE_HEADERS);
    return c;
}

static enum MHD_Result queue(struct call *call)
{
    enum MHD_Result rc = MHD_queue_response(call->mhd, (unsigned)call->status, call->response);

    call->queued = true;
    MHD_destroy_response(call->response);
    call->response = NULL;
    if (call->connection->phase != PHASE_STREAM)
        connection_phase(call->connection, PHASE_REPLY);
    return rc;
}

static void ask_for_end(struct call *call)
{
    struct problem problem;

    if (call->api->stopping) {
        problem_set(&problem, PROBLEM_BUSY, "the daemon is stopping");
        call_problem(call, &problem);
        return;
    }
    call->stage = CALL_WORK;
    connection_phase(call->connection, PHASE_WORK);
    call->hit.route->handler->end(call);
    assert(call->suspended || call->stage == CALL_REPLIED);
}

static bool has_body(const struct call *call)
{
    const char *length = call_header(call, "Content-Length");

    return (length && strcmp(length, "0") != 0) || call_header(call, "Transfer-Encoding");
}

/* From libmicrohttpd: once with the headers, once for each piece of the body, once at its end, and
 * again whenever a suspended connection was woken. */
static enum MHD_Result on_request(void *cls, struct MHD_Connection *mhd, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *data_size, void **context)
{
    struct connection *c = *context;
    struct call *call = &c->call;

    (void)cls, (void)mhd, (void)url, (void)version;
    if (c->turned_away || call->queued)
        return c->turned_away ? MHD_NO : MHD_YES;
    if (call->stage == CALL_NEW) {
        connection_phase(c, PHASE_BODY);
        serve_first(call, method);
        if (call->suspended || call->stage != CALL_REPLIED || !has_body(call))
            return MHD_YES; /* the next call brings the body, or its end */
        return queue(call); /* its body is not read, and the connection is closed */
    }
    if (*data_size > 0) {
        *data_size -= serve_body(call, data, *data_size);
        return MHD_YES;
    }
    if (call->stage == CALL_BODY)
        ask_for_end(call);
    return call->stage == CALL_REPLIED ? queue(call) : MHD_YES;
}

static void on_completed(void *cls, struct MHD_Connection *mhd, void **context,
                         enum MHD_RequestTerminationCode code)
{
    struct connection *c = *context;
    struct call *call = c ? &c->call : NULL;

    (void)cls, (void)mhd, (void)code;
    if (!call)
        return;
    assert(!call->suspended);
    if (call->hit.route && call->hit.route->handler->forget)
        call->hit.route->handler->forget(call);
    if (call->response)
        MHD_destroy_response(call->response);
    memset(call, 0, sizeof *call);
    connection_phase(c, PHASE_IDLE);
    *context = NULL;
}

/* --- Beginning and end */

static void on_mhd_log(void *cls, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

static void on_mhd_log(void *cls, const char *format, va_list args)
{
    char line[256];

    (void)cls;
    vsnprintf(line, sizeof line, format, args);
    log_debug("socket: %.*s", (int)strcspn(line, "\n"), line);
}

/* Addresses are decoded in route.c, where "%2F" can still be told from "/". */
static size_t leave_as_is(void *cls, struct MHD_Connection *mhd, char *text)
{
    (void)cls, (void)mhd;
    return strlen(text);
}

static int start(struct listener *l, int fd, struct err *err)
{
    unsigned most = l->api->house.conf->connections_max;
    int epoll_fd, rc;

    l->mhd = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL, on_request, l,
        MHD_OPTION_EXTERNAL_LOGGER, on_mhd_log, NULL, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_CONNECTION_LIMIT, most, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SILENCE_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, l, MHD_OPTION_NOTIFY_COMPLETED, on_completed, l, MHD_OPTION_URI_LOG_CALLBACK,
        on_uri, l, MHD_OPTION_UNESCAPE_CALLBACK, leave_as_is, NULL, MHD_OPTION_END);
    if (!l->mhd) {
        (void)close(fd); /* nobody will listen on it */
        return err_set(err, -ENOMEM, "socket: libmicrohttpd cannot start: %s", strerror(errno));
    }
    epoll_fd = MHD_get_daemon_info(l->mhd, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    rc = uv_poll_init(l->api->house.loop, &l->poll, epoll_fd);
    assert(rc == 0);
    l->poll.data = l;
    rc = uv_timer_init(l->api->house.loop, &l->timer);
    assert(rc == 0);
    l->timer.data = l;
    l->api->open_handles += 2;
    uv_poll_start(&l->poll, UV_READABLE, on_readable);
    run(l);
    return 0;
}

static void start_common(struct api *api)
{
    int rc = uv_prepare_init(api->house.loop, &api->prepare);

    assert(rc == 0);
    rc = uv_timer_init(api->house.loop, &api->sweep);
    assert(rc == 0);
    api->open_handles += 2;
    api->prepare.data = api->sweep.data = api;
    uv_prepare_start(&api->prepare, on_prepare);
    uv_timer_start(&api->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
    (void)uv_loop_configure(api->house.loop, UV_METRICS_IDLE_TIME); /* without: utilisation 100 % */
    api->watch.published = sse_published;
    api->watch.arg = api;
    board_watch_add(api->house.board, &api->watch);
    intake_on_room(api->house.intake, post_room, api);
}

static int open_web(struct api *api, struct err *err)
{
    const struct conf *conf = api->house.conf;
    int fd, rc;

    if (!conf->listen)
        return 0;
    api->web.web = true;
    if (conf->listen_token_file) {
        rc = listen_token(conf->listen_token_file, &api->web.token, err);
        if (rc < 0)
            return rc;
    }
    fd = listen_web(conf->listen, api->web.host, err);
    return fd < 0 ? fd : start(&api->web, fd, err);
}

static int open_local(struct api *api, int listen_fd, struct err *err)
{
    const struct conf *conf = api->house.conf;
    int fd = listen_fd, rc;

    if (fd >= 0) {
        rc = fcntl(fd, F_GETFL);
        if (rc < 0 || fcntl(fd, F_SETFL, rc | O_NONBLOCK) < 0)
            return err_set(err, -errno, "socket of systemd: %s", strerror(errno));
    } else {
        fd = listen_local(conf->socket, conf->socket_group, err);
        if (fd < 0)
            return fd;
        api->path = mem_strdup(conf->socket);
    }
    return start(&api->local, fd, err);
}

int api_create(struct api **ret, const struct api_house *house, int listen_fd, struct err *err)
{
    struct api *api = mem_zalloc(sizeof *api);
    int rc;

    api->house = *house;
    api->local.api = api->web.api = api;
    api->started_ms = clock_monotonic(house->clock);
    api->peers = peers_create(house->loop, house->clock);
    peers_set_groups(api->peers, house->conf->socket_group, house->conf->admin_group);
    start_common(api);
    rc = open_local(api, listen_fd, err);
    if (rc == 0)
        rc = open_web(api, err);
    if (rc < 0) {
        api->destroys_itself = true;
        api_stop(api, NULL, NULL);
        return rc;
    }
    *ret = api;
    return 0;
}

void api_set_conf(struct api *api, const struct conf *conf)
{
    api->house.conf = conf;
    peers_set_groups(api->peers, conf->socket_group, conf->admin_group);
}

static void quiesce(struct listener *l)
{
    int fd = l->mhd ? MHD_quiesce_daemon(l->mhd) : -1;

    if (fd >= 0)
        (void)close(fd); /* nobody more is accepted */
}

void api_stop(struct api *api, void (*stopped)(void *arg), void *arg)
{
    assert(!api->stopping);
    api->stopping = true;
    atomic_store(&api->verify_stops, true);
    api->stopped = stopped;
    api->stopped_arg = arg;
    quiesce(&api->local);
    quiesce(&api->web);
    if (api->path)
        (void)unlink(api->path); /* the next start would replace it */
    board_watch_remove(api->house.board, &api->watch);
    intake_off_room(api->house.intake, post_room, api);
    post_room(api); /* who waits for room is told to come again */
}

static void on_closed(uv_handle_t *handle)
{
    struct api *api = handle->data;

    if (--api->open_handles > 0)
        return;
    if (api->stopped)
        api->stopped(api->stopped_arg);
    else if (api->destroys_itself)
        api_destroy(api);
}

static void end(struct listener *l)
{
    if (!l->mhd)
        return;
    for (int i = 0; i < RUNS_AT_END; i++)
        MHD_run(l->mhd); /* the last answers go out, as far as somebody reads */
    uv_poll_stop(&l->poll);
    MHD_stop_daemon(l->mhd);
    l->mhd = NULL;
    l->poll.data = l->timer.data = l->api;
    uv_close((uv_handle_t *)&l->poll, on_closed);
    uv_close((uv_handle_t *)&l->timer, on_closed);
}

void server_finish_stop(struct api *api)
{
    uv_prepare_stop(&api->prepare);
    uv_timer_stop(&api->sweep);
    sse_wake_all(api);
    for (struct connection *c = api->connections; c; c = c->next)
        call_wake(&c->call);
    end(&api->local);
    end(&api->web);
    work_close_readers(api);
    uv_close((uv_handle_t *)&api->prepare, on_closed);
    uv_close((uv_handle_t *)&api->sweep, on_closed);
}

void api_destroy(struct api *api)
{
    if (!api)
        return;
    assert(!api->connections && !api->pending);
    peers_destroy(api->peers);
    if (api->web.token)
        explicit_bzero(api->web.token, strlen(api->web.token));
    free(api->web.token);
    free(api->path);
    free(api);
}
