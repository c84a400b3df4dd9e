/* The simulated fleet platform; see platform.h.
 *
 *   GET  /api/orders /api/lookups /api/devices
 *        ?cursor=N&limit=N            changes after the N-th, with `next` and `more`
 *        ?from=MS&to=MS&page=N&limit=N    changes in that time (ms since 1970), page from 1
 *   GET  /traccar/api/...             the town's taxis as a Traccar server shows them; traccar.h
 *   POST /api/login                   {"account":..,"password":..} or a form -> {"jsession":..}
 *   POST /control/fault               the body is a fault, as for --fault
 *   GET  /control/stats               what was asked so far
 *
 * One thread for each connection, so that a slow answer keeps nobody else waiting. */
#include "platform.h"

#include <arpa/inet.h>
#include <assert.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json_out.h"
#include "base/mem.h"
#include "base/text.h"
#include "faults.h"
#include "traccar.h"

struct platform {
    struct platform_options options;
    struct MHD_Daemon *daemon;
    struct world *world;
    pthread_mutex_t *lock;
    char *cert, *key;
    char session[40]; /* "": nobody is logged in */
    unsigned logins;
    uint64_t requests, unchanged, refused;
};

/* One request, with its body as it comes in. */
struct call {
    struct platform *platform;
    struct MHD_Connection *connection;
    struct text_buffer body;
};

/* --- Answering */

static enum MHD_Result answer(struct call *call, unsigned status, struct text_buffer *body,
                              const char *type, const char *header, const char *value)
{
    size_t length = body->length;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(length, text_buffer_take(body), MHD_RESPMEM_MUST_FREE);
    enum MHD_Result rc;

    assert(response);
    MHD_add_response_header(response, "Content-Type", type);
    if (header)
        MHD_add_response_header(response, header, value);
    rc = MHD_queue_response(call->connection, status, response);
    MHD_destroy_response(response);
    return rc;
}

static enum MHD_Result answer_text(struct call *call, unsigned status, const char *text,
                                   const char *type)
{
    struct text_buffer body = { 0 };

    text_buffer_adds(&body, text);
    return answer(call, status, &body, type, NULL, NULL);
}

static enum MHD_Result answer_code(struct call *call, int code, const char *message)
{
    struct text_buffer body = { 0 };

    text_buffer_adds(&body, "{");
    json_out_bool(&body, "success", false);
    json_out_integer(&body, "code", code);
    json_out_text(&body, "message", message);
    text_buffer_adds(&body, "}\n");
    return answer(call, MHD_HTTP_OK, &body, "application/json", NULL, NULL);
}

static enum MHD_Result redirect(struct call *call, const char *to)
{
    struct text_buffer body = { 0 };

    text_buffer_adds(&body, "");
    return answer(call, MHD_HTTP_FOUND, &body, "text/plain", "Location", to);
}

static const char *query(struct call *call, const char *name)
{
    return MHD_lookup_connection_value(call->connection, MHD_GET_ARGUMENT_KIND, name);
}

static int64_t query_number(struct call *call, const char *name, int64_t fallback)
{
    const char *text = query(call, name);

    return text && *text ? strtoll(text, NULL, 10) : fallback;
}

/* --- Who asks */

static bool has_session(struct call *call)
{
    struct platform *p = call->platform;
    const char *given = query(call, "jsession");

    if (!given)
        given = MHD_lookup_connection_value(call->connection, MHD_HEADER_KIND, "X-Session");
    if (!given)
        given = MHD_lookup_connection_value(call->connection, MHD_COOKIE_KIND, "jsession");
    return p->session[0] && given && strcmp(given, p->session) == 0;
}

static bool has_token(struct call *call)
{
    const char *given =
        MHD_lookup_connection_value(call->connection, MHD_HEADER_KIND, "Authorization");

    return given && strncmp(given, "Bearer ", 7) == 0 &&
           strcmp(given + 7, call->platform->options.token) == 0;
}

static bool is_allowed(struct call *call)
{
    const struct platform_options *o = &call->platform->options;

    return (!o->login || has_session(call)) && (!o->token || has_token(call));
}

static enum MHD_Result refuse(struct call *call)
{
    call->platform->refused++;
    if (call->platform->options.errors_in_body)
        return answer_code(call, 5, "session gone");
    return answer_text(call, MHD_HTTP_UNAUTHORIZED, "unauthorized\n", "text/plain");
}

/* The body holds both somewhere: JSON or a form, no matter. */
static bool knows_password(struct call *call)
{
    const char *login = call->platform->options.login;
    const char *colon = login ? strchr(login, ':') : NULL;
    char user[80];

    if (!colon || !call->body.bytes)
        return false;
    snprintf(user, sizeof user, "%.*s", (int)(colon - login), login);
    return strstr(call->body.bytes, user) && strstr(call->body.bytes, colon + 1);
}

static enum MHD_Result log_in(struct call *call)
{
    struct platform *p = call->platform;
    struct text_buffer body = { 0 };
    char cookie[80];

    if (!knows_password(call))
        return answer_code(call, 1, "account or password wrong");
    snprintf(p->session, sizeof p->session, "S%08X-%u", 0x5EED0000U + p->logins * 7919U, p->logins);
    p->logins++;
    text_buffer_adds(&body, "{");
    json_out_integer(&body, "result", 0);
    json_out_text(&body, "jsession", p->session);
    text_buffer_adds(&body, "}\n");
    snprintf(cookie, sizeof cookie, "jsession=%s; Path=/", p->session);
    return answer(call, MHD_HTTP_OK, &body, "application/json", "Set-Cookie", cookie);
}

/* --- The feeds */

struct slice {
    size_t first, count, total;
};

/* Changes are in order of time. */
static size_t first_at_or_after(const struct changes *c, int64_t at)
{
    size_t low = 0, high = c->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (c->items[middle].at < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct slice slice_of(struct call *call, const struct changes *c)
{
    size_t limit = (size_t)query_number(call, "limit", 100);
    size_t first = 0, end = c->count;
    size_t skip;

    if (query(call, "from")) {
        first = first_at_or_after(c, query_number(call, "from", 0));
        end = first_at_or_after(c, query_number(call, "to", INT64_MAX));
        skip = (size_t)(query_number(call, "page", 1) - 1) * limit;
        skip = (size_t)query_number(call, "offset", (int64_t)skip);
    } else {
        skip = (size_t)query_number(call, "cursor", 0);
    }
    if (end < first)
        end = first;
    if (skip > end - first)
        skip = end - first;
    return (struct slice){ first + skip, end - first - skip < limit ? end - first - skip : limit,
                           end - first };
}

static void write_feed(struct text_buffer *body, const struct changes *c, struct slice slice)
{
    char next[24];

    snprintf(next, sizeof next, "%zu", slice.first + slice.count);
    text_buffer_adds(body, "{");
    json_out_bool(body, "success", true);
    json_out_integer(body, "code", 0);
    json_out_key(body, "result");
    text_buffer_adds(body, "{");
    json_out_integer(body, "total", (int64_t)slice.total);
    json_out_text(body, "next", slice.count > 0 ? next : NULL);
    json_out_bool(body, "more", slice.first + slice.count < c->count && slice.count > 0);
    json_out_key(body, "list");
    text_buffer_adds(body, "[");
    for (size_t i = 0; i < slice.count; i++) {
        json_out_comma(body);
        text_buffer_adds(body, c->items[slice.first + i].json);
    }
    text_buffer_adds(body, "]}}\n");
}

static enum MHD_Result show_feed(struct call *call, enum feed feed)
{
    const struct changes *c = world_changes(call->platform->world, feed);
    struct slice slice = slice_of(call, c);
    const char *known =
        MHD_lookup_connection_value(call->connection, MHD_HEADER_KIND, "If-None-Match");
    struct text_buffer body = { 0 };
    char etag[64];

    snprintf(etag, sizeof etag, "\"%d-%zu-%zu\"", (int)feed, slice.first, slice.count);
    if (known && strcmp(known, etag) == 0) {
        call->platform->unchanged++;
        text_buffer_adds(&body, "");
        return answer(call, MHD_HTTP_NOT_MODIFIED, &body, "application/json", "ETag", etag);
    }
    write_feed(&body, c, slice);
    return answer(call, MHD_HTTP_OK, &body, "application/json", "ETag", etag);
}

/* --- Going wrong */

static ssize_t break_off(void *arg, uint64_t position, char *to, size_t max)
{
    (void)arg;
    (void)max;
    if (position > 0)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    memcpy(to, "{\"succ", 6);
    return 6;
}

/* Large items: the bytes must be too many, and not the work that they make. */
static ssize_t never_end(void *arg, uint64_t position, char *to, size_t max)
{
    static const char begin[] = "{\"result\":{\"list\":[";
    char item[1024];
    size_t length = 0, item_length;

    (void)arg;
    if (position == 0) {
        memcpy(to, begin, sizeof begin - 1);
        return sizeof begin - 1;
    }
    item_length = (size_t)snprintf(item, sizeof item, "{\"orderid\":\"1\",\"memo\":\"%0900d\"},", 0);
    for (; length + item_length <= max; length += item_length)
        memcpy(to + length, item, item_length);
    return (ssize_t)length;
}

static enum MHD_Result stream(struct call *call, MHD_ContentReaderCallback reader)
{
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 32768, reader, NULL, NULL);
    enum MHD_Result rc;

    assert(response);
    rc = MHD_queue_response(call->connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return rc;
}

static enum MHD_Result go_wrong(struct call *call, struct fault fault, const char *url)
{
    struct text_buffer body = { 0 };
    char text[64];

    switch (fault.kind) {
    case FAULT_BUSY:
        snprintf(text, sizeof text, "%d", fault.value);
        text_buffer_adds(&body, "slow down\n");
        return answer(call, MHD_HTTP_TOO_MANY_REQUESTS, &body, "text/plain", "Retry-After", text);
    case FAULT_HTML:
        return answer_text(call, MHD_HTTP_OK,
                           "<!DOCTYPE html><html><body>Please log in</body></html>\n", "text/html");
    case FAULT_TRUNCATED:
        return answer_text(
            call, MHD_HTTP_OK,
            "{\"success\":true,\"result\":{\"list\":[{\"orderid\":", "application/json");
    case FAULT_LOOP:
        return redirect(call, url);
    case FAULT_AWAY:
        return redirect(call, "http://elsewhere.invalid/");
    case FAULT_LAPSE:
        call->platform->session[0] = '\0';
        return refuse(call);
    case FAULT_CODE:
        return answer_code(call, fault.value, "an error inside of a 200");
    case FAULT_HANGUP:
        return stream(call, break_off);
    case FAULT_HUGE:
        return stream(call, never_end);
    default:
        return answer_text(call, MHD_HTTP_INTERNAL_SERVER_ERROR, "java.lang.Exception\n",
                           "text/plain");
    }
}

/* --- Routes */

static enum MHD_Result control(struct call *call, const char *path)
{
    struct platform *p = call->platform;
    struct text_buffer body = { 0 };
    struct fault fault;

    if (strcmp(path, "/control/fault") == 0) {
        if (!call->body.bytes || !fault_parse(call->body.bytes, &fault))
            return answer_text(call, MHD_HTTP_BAD_REQUEST, fault_help, "text/plain");
        fault_set(fault);
        return answer_text(call, MHD_HTTP_OK, "ok\n", "text/plain");
    }
    text_buffer_adds(&body, "{");
    json_out_integer(&body, "requests", (int64_t)p->requests);
    json_out_integer(&body, "unchanged", (int64_t)p->unchanged);
    json_out_integer(&body, "refused", (int64_t)p->refused);
    json_out_integer(&body, "logins", p->logins);
    for (int i = 0; i < FEED_COUNT; i++)
        json_out_integer(&body, (const char *const[]){ "orders", "lookups", "devices" }[i],
                         (int64_t)world_changes(p->world, (enum feed)i)->count);
    text_buffer_adds(&body, "}\n");
    return answer(call, MHD_HTTP_OK, &body, "application/json", NULL, NULL);
}

static enum MHD_Result show_traccar(struct call *call, const char *path)
{
    const struct traccar_query q = { .id = query_number(call, "id", 0),
                                     .limit = query_number(call, "limit", INT64_MAX),
                                     .offset = query_number(call, "offset", 0) };
    struct text_buffer body = { 0 };

    if (traccar_show(call->platform->world, path, &q, &body))
        return answer(call, MHD_HTTP_OK, &body, "application/json", NULL, NULL);
    text_buffer_finish(&body);
    return answer_text(call, MHD_HTTP_NOT_FOUND, "nothing here\n", "text/plain");
}

static enum MHD_Result route(struct call *call, const char *path)
{
    static const char *const feeds[] = { "/api/orders", "/api/lookups", "/api/devices" };

    for (int i = 0; i < FEED_COUNT; i++)
        if (strcmp(path, feeds[i]) == 0)
            return is_allowed(call) ? show_feed(call, (enum feed)i) : refuse(call);
    if (strcmp(path, "/api/login") == 0)
        return log_in(call);
    if (strncmp(path, TRACCAR_API, strlen(TRACCAR_API)) == 0)
        return is_allowed(call) ? show_traccar(call, path + strlen(TRACCAR_API)) : refuse(call);
    return answer_text(call, MHD_HTTP_NOT_FOUND, "nothing here\n", "text/plain");
}

static enum MHD_Result serve(struct call *call, const char *path)
{
    bool is_api = strncmp(path, "/control/", 9) != 0;
    struct fault fault =
        is_api && strcmp(path, "/api/login") != 0 ? fault_take() : (struct fault){ 0 };
    enum MHD_Result rc;

    if (fault.kind == FAULT_SLOW)
        usleep((useconds_t)fault.value * 1000);
    pthread_mutex_lock(call->platform->lock);
    call->platform->requests += is_api;
    if (!is_api)
        rc = control(call, path);
    else if (fault.kind != FAULT_NONE && fault.kind != FAULT_SLOW)
        rc = go_wrong(call, fault, path);
    else
        rc = route(call, path);
    pthread_mutex_unlock(call->platform->lock);
    return rc;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **state)
{
    struct call *call = *state;

    (void)method;
    (void)version;
    if (!call) {
        *state = call = mem_zalloc(sizeof *call);
        call->platform = arg;
        call->connection = connection;
        return MHD_YES;
    }
    if (*size > 0) {
        if (call->body.length + *size < 65536)
            text_buffer_add(&call->body, data, *size);
        *size = 0;
        return MHD_YES;
    }
    return serve(call, url);
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode why)
{
    struct call *call = *state;

    (void)arg;
    (void)connection;
    (void)why;
    if (!call)
        return;
    text_buffer_finish(&call->body);
    free(call);
    *state = NULL;
}

static char *read_pem(const char *path)
{
    FILE *file = path ? fopen(path, "re") : NULL;
    char *text;
    size_t length;

    if (!file)
        return NULL;
    text = mem_zalloc(65536);
    length = fread(text, 1, 65535, file);
    text[length] = '\0';
    (void)fclose(file); /* only read from */
    return text;
}

struct platform *platform_start(const struct platform_options *options, struct world *world,
                                pthread_mutex_t *lock)
{
    struct platform *p = mem_zalloc(sizeof *p);
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(options->port) };
    struct MHD_OptionItem tls[] = {
        { MHD_OPTION_HTTPS_MEM_CERT, 0, NULL },
        { MHD_OPTION_HTTPS_MEM_KEY, 0, NULL },
        { MHD_OPTION_END, 0, NULL },
    };
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL;

    p->options = *options;
    p->world = world;
    p->lock = lock;
    tls[0].ptr_value = p->cert = read_pem(options->tls_cert);
    tls[1].ptr_value = p->key = read_pem(options->tls_key);
    if (p->cert && p->key)
        flags |= MHD_USE_TLS;
    else
        tls[0].option = MHD_OPTION_END;
    if (inet_pton(AF_INET, options->address, &at.sin_addr) == 1)
        p->daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_request, p, MHD_OPTION_SOCK_ADDR,
                                     (struct sockaddr *)&at, MHD_OPTION_NOTIFY_COMPLETED,
                                     on_completed, NULL, MHD_OPTION_LISTENING_ADDRESS_REUSE, 1U,
                                     MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
    if (p->daemon)
        return p;
    free(p->cert);
    free(p->key);
    free(p);
    return NULL;
}

uint16_t platform_port(const struct platform *p)
{
    return MHD_get_daemon_info(p->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}

void platform_stop(struct platform *p)
{
    if (!p)
        return;
    MHD_stop_daemon(p->daemon);
    free(p->cert);
    free(p->key);
    free(p);
}
