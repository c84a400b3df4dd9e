/* One HTTP request at a time on the loop; see http_client.h.
 *
 *     curl wants a socket watched ──> uv_poll ──> curl_multi_socket_action ──> body, headers
 *     curl wants to be woken      ──> uv_timer ─┘                          └─> finished?
 *
 * curl is never entered from one of its own callbacks: what a callback decides (to stop, to
 * pause) it only notes, and what follows a finished request happens after curl has returned.
 *
 * The loop's time is shared. A compressed answer can unpack to a thousand times its size in one
 * call; after a few milliseconds in one turn the transfer is paused and goes on in the next.
 *
 * Redirects are followed here, not by curl, because curl would carry a header with a secret in it
 * to whatever host the answer names. */
#include "http_client.h"

#include <assert.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <uv.h>

#include "base/mem.h"
#include "base/span.h"
#include "base/text.h"
#include "http_failure.h"
#include "http_url.h"
#include "quota.h"

/* A timer of 0 ms that is set by a timer would go off in the same turn. */
enum { REDIRECTS_MAX = 5, TURN_NS = 2000000, TURN_GAP_MS = 1, REDIRECT_BODY_MAX = 65536 };

struct http_client {
    struct uv_loop_s *loop;
    struct http_client_options options;
    char *ca_file, *proxy;
    CURLM *multi;
    CURL *easy;
    CURLSH *cookies;       /* of a session, from one request to the next */
    uv_timer_t curl_timer; /* when curl wants to be woken */
    uv_timer_t deadline;   /* of the whole answer */
    uv_timer_t next_turn;  /* goes on after a long turn, or starts the next request */
    uv_timer_t allowed;    /* when a quota allows the next request */
    struct quota quotas[2];
    int open_handles;
    void (*closed)(void *arg);
    void *closed_arg;

    const struct http_request *request; /* NULL: idle */
    struct http_request hop;            /* the request as redirected */
    char *url;                          /* of the hop */
    struct curl_slist *headers;
    struct http_result result;
    char error_text[CURL_ERROR_SIZE];
    int redirects;
    int64_t body_bytes;
    bool is_added;   /* to the multi */
    bool is_refused; /* the asker wanted no more of the body */
    bool is_too_large;
    bool is_late;
    bool is_paused, is_paused_for_turn, curl_is_paused;
    uint64_t turn_began; /* nanoseconds; 0: not inside of curl */
    int64_t left_ms;     /* until the deadline, while paused */
};

/* A socket that curl wants watched; freed by its close callback. */
struct watch {
    struct http_client *client;
    uv_poll_t poll;
    curl_socket_t socket;
};

/* --- What curl calls */

static void enter(struct http_client *c, curl_socket_t socket, int events);

static bool header_is(const char *line, size_t length, const char *name, char *to, size_t size)
{
    size_t n = strlen(name);

    if (length <= n || strncasecmp(line, name, n) != 0 || line[n] != ':')
        return false;
    line += n + 1;
    length -= n + 1;
    while (length > 0 && strchr(" \t", *line))
        line++, length--;
    while (length > 0 && strchr("\r\n \t", line[length - 1]))
        length--;
    return text_copy(to, size, line, length);
}

static size_t on_header(char *line, size_t size, size_t count, void *arg)
{
    struct http_client *c = arg;
    struct http_result *r = &c->result;
    char value[128];
    time_t date;

    (void)size; /* always 1 */
    if (header_is(line, count, "ETag", r->etag, sizeof r->etag) ||
        header_is(line, count, "Last-Modified", r->last_modified, sizeof r->last_modified) ||
        header_is(line, count, "Retry-After", r->retry_after, sizeof r->retry_after))
        return count;
    if (header_is(line, count, "Date", value, sizeof value)) {
        date = curl_getdate(value, NULL);
        r->server_at = date > 0 ? date * SPAN_SECOND : 0;
    }
    return count;
}

static bool must_pause(struct http_client *c)
{
    if (!c->is_paused && uv_hrtime() - c->turn_began > TURN_NS)
        c->is_paused_for_turn = true;
    return c->is_paused || c->is_paused_for_turn;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
    struct http_client *c = arg;
    long status = 0;

    (void)size;
    if (must_pause(c)) {
        c->curl_is_paused = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    c->body_bytes += (int64_t)count;
    (void)curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
    c->is_too_large = c->body_bytes > (status / 100 == 2 ? c->options.body_max : REDIRECT_BODY_MAX);
    if (c->is_too_large && status / 100 == 2)
        return 0;
    if (status / 100 != 2)
        return count; /* of an error only the status is used */
    c->is_refused = !c->hop.body(c->hop.arg, bytes, count);
    return c->is_refused ? 0 : count;
}

static void on_watch_closed(uv_handle_t *handle)
{
    struct watch *w = handle->data;
    struct http_client *c = w->client;

    free(w);
    if (--c->open_handles == 0 && c->closed) {
        void (*closed)(void *arg) = c->closed;
        void *arg = c->closed_arg;

        free(c);
        closed(arg);
    }
}

static void on_socket_ready(uv_poll_t *poll, int status, int events)
{
    struct watch *w = poll->data;
    int flags = (events & UV_READABLE ? CURL_CSELECT_IN : 0) |
                (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0);

    enter(w->client, w->socket, status < 0 ? CURL_CSELECT_ERR : flags);
}

static int on_socket(CURL *easy, curl_socket_t socket, int what, void *arg, void *socket_arg)
{
    struct http_client *c = arg;
    struct watch *w = socket_arg;
    int events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (w) {
            uv_poll_stop(&w->poll);
            uv_close((uv_handle_t *)&w->poll, on_watch_closed);
            curl_multi_assign(c->multi, socket, NULL);
        }
        return 0;
    }
    if (!w) {
        w = mem_zalloc(sizeof *w);
        w->client = c;
        w->socket = socket;
        if (uv_poll_init_socket(c->loop, &w->poll, socket) < 0) {
            free(w);
            return -1;
        }
        w->poll.data = w;
        c->open_handles++;
        curl_multi_assign(c->multi, socket, w);
    }
    return uv_poll_start(&w->poll, events, on_socket_ready) < 0 ? -1 : 0;
}

static void on_curl_timer(uv_timer_t *timer)
{
    enter(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static int on_timer_wanted(CURLM *multi, long timeout_ms, void *arg)
{
    struct http_client *c = arg;

    (void)multi;
    if (timeout_ms < 0)
        uv_timer_stop(&c->curl_timer);
    else
        uv_timer_start(&c->curl_timer, on_curl_timer, (uint64_t)timeout_ms, 0);
    return 0;
}

/* --- One request */

static void leave_multi(struct http_client *c)
{
    if (c->is_added)
        curl_multi_remove_handle(c->multi, c->easy);
    c->is_added = c->curl_is_paused = c->is_paused_for_turn = false;
    uv_timer_stop(&c->deadline);
    uv_timer_stop(&c->next_turn);
    uv_timer_stop(&c->allowed);
    curl_slist_free_all(c->headers);
    c->headers = NULL;
}

static void end_request(struct http_client *c)
{
    leave_multi(c);
    free(c->url);
    c->url = NULL;
    c->request = NULL;
}

static void finish(struct http_client *c)
{
    const struct http_request *request = c->request;
    struct http_result result = c->result;

    end_request(c);
    request->done(request->arg, &result); /* may start the next */
}

/* Fills the result's failure: "http://host/path: WHAT". */
static void fail(struct http_client *c, int code, bool is_permanent, const char *what)
{
    char url[200];

    c->result.error =
        err_set(&c->result.err, code, "%s: %s", http_shown_url(url, sizeof url, c->url), what);
    c->result.is_permanent = is_permanent;
}

static void fail_from_curl(struct http_client *c, CURLcode code)
{
    const struct http_failure *f;
    char what[CURL_ERROR_SIZE + 160];

    if (c->is_too_large || code == CURLE_FILESIZE_EXCEEDED) {
        snprintf(what, sizeof what,
                 "its answer is larger than %lld bytes: ask for less, or raise "
                 "body_max",
                 (long long)c->options.body_max);
        fail(c, -EFBIG, true, what);
        return;
    }
    if (c->is_refused) {
        fail(c, -EBADMSG, false, "its answer was not wanted to the end");
        return;
    }
    f = http_failure_of(code);
    snprintf(what, sizeof what, "%s%s%s",
             c->error_text[0] ? c->error_text : curl_easy_strerror(code), *f->mend ? ": " : "",
             f->mend);
    fail(c, f->error, f->is_permanent, what);
}

static void start_hop(struct http_client *c);

/* True if it is a redirect that will be followed; false with or without a failure. */
static bool follow(struct http_client *c)
{
    const char *to = NULL;
    char shown[200], what[300];
    bool same_scheme, same_host;
    int status = c->result.status;

    if (status != 301 && status != 302 && status != 303 && status != 307 && status != 308)
        return false;
    (void)curl_easy_getinfo(c->easy, CURLINFO_REDIRECT_URL, &to);
    if (!to)
        return false;
    http_compare_urls(c->url, to, &same_scheme, &same_host);
    http_shown_url(shown, sizeof shown, to);
    if (!same_scheme)
        snprintf(what, sizeof what,
                 "redirects to another protocol, %s: if that is right, put it "
                 "into url",
                 shown);
    else if (!same_host && c->hop.is_secret)
        snprintf(what, sizeof what,
                 "redirects to another host, %s, which must not see our "
                 "credential: if that is right, put it into url",
                 shown);
    else if (++c->redirects > REDIRECTS_MAX)
        snprintf(what, sizeof what, "redirects more than %d times, at last to %s: is it a loop?",
                 REDIRECTS_MAX, shown);
    else {
        char *url = mem_strdup(to); /* curl's goes with the request */

        if (status <= 303)
            c->hop.post = NULL;
        leave_multi(c);
        free(c->url);
        c->url = url;
        start_hop(c);
        return true;
    }
    fail(c, -ELOOP, true, what);
    return false;
}

static void on_message(struct http_client *c, CURLcode code)
{
    long status = 0;

    (void)curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
    c->result.status = (int)status;
    /* Of an error page nothing is wanted but its status: that it broke off does not matter. */
    if (code != CURLE_OK && !(status >= 300 && code == CURLE_WRITE_ERROR))
        fail_from_curl(c, code);
    else if (follow(c))
        return;
    finish(c);
}

static void look_for_end(struct http_client *c)
{
    CURLMsg *message;
    int left;

    while (c->is_added && (message = curl_multi_info_read(c->multi, &left)))
        if (message->msg == CURLMSG_DONE && message->easy_handle == c->easy)
            on_message(c, message->data.result);
}

static void on_next_turn(uv_timer_t *timer);

static void enter(struct http_client *c, curl_socket_t socket, int events)
{
    int running;

    if (c->turn_began == 0)
        c->turn_began = uv_hrtime();
    (void)curl_multi_socket_action(c->multi, socket, events, &running); /* see the messages */
    c->turn_began = 0;
    look_for_end(c);
    if (c->is_paused_for_turn && !c->is_paused)
        uv_timer_start(&c->next_turn, on_next_turn, TURN_GAP_MS, 0);
}

/* Unpausing hands over what curl kept: it is a turn like any other. */
static void unpause(struct http_client *c)
{
    if (!c->curl_is_paused || c->is_paused)
        return;
    c->is_paused_for_turn = c->curl_is_paused = false;
    c->turn_began = uv_hrtime();
    (void)curl_easy_pause(c->easy, CURLPAUSE_CONT); /* a failure comes as a message */
    enter(c, CURL_SOCKET_TIMEOUT, 0);
}

static void on_next_turn(uv_timer_t *timer)
{
    unpause(timer->data);
}

static void on_deadline(uv_timer_t *timer)
{
    struct http_client *c = timer->data;
    char what[120];

    snprintf(what, sizeof what,
             "no whole answer within %lld ms: is it overloaded? timeout says "
             "how long we wait",
             (long long)c->options.timeout_ms);
    fail(c, -ETIMEDOUT, false, what);
    finish(c);
}

static void set_headers(struct http_client *c)
{
    char line[128];

    c->headers = curl_slist_append(NULL, "Accept: application/json");
    if (c->hop.post) {
        snprintf(line, sizeof line, "Content-Type: %s", c->hop.content_type);
        c->headers = curl_slist_append(c->headers, line);
        c->headers = curl_slist_append(c->headers, "Expect:");
    }
    for (size_t i = 0; c->hop.headers && c->hop.headers[i]; i++)
        c->headers = curl_slist_append(c->headers, c->hop.headers[i]);
    assert(c->headers);
    (void)curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, c->headers);
}

/* What is the same in every request. None of these can fail but for lack of memory. */
static void set_always(struct http_client *c)
{
    (void)curl_easy_setopt(c->easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(c->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(c->easy, CURLOPT_FOLLOWLOCATION, 0L);
    (void)curl_easy_setopt(c->easy, CURLOPT_SSL_VERIFYPEER, 1L);
    (void)curl_easy_setopt(c->easy, CURLOPT_SSL_VERIFYHOST, 2L);
    (void)curl_easy_setopt(c->easy, CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
    (void)curl_easy_setopt(c->easy, CURLOPT_USERAGENT, "kpid");
    (void)curl_easy_setopt(c->easy, CURLOPT_ERRORBUFFER, c->error_text);
    (void)curl_easy_setopt(c->easy, CURLOPT_WRITEFUNCTION, on_body);
    (void)curl_easy_setopt(c->easy, CURLOPT_WRITEDATA, c);
    (void)curl_easy_setopt(c->easy, CURLOPT_HEADERFUNCTION, on_header);
    (void)curl_easy_setopt(c->easy, CURLOPT_HEADERDATA, c);
    (void)curl_easy_setopt(c->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)c->options.connect_timeout_ms);
    (void)curl_easy_setopt(c->easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)c->options.body_max);
    (void)curl_easy_setopt(c->easy, CURLOPT_PROXY, c->proxy ? c->proxy : "");
    if (c->ca_file) {
        (void)curl_easy_setopt(c->easy, CURLOPT_CAINFO, c->ca_file);
        (void)curl_easy_setopt(c->easy, CURLOPT_CAPATH, NULL);
    }
}

static void send_hop(struct http_client *c)
{
    CURLMcode rc;

    c->result = (struct http_result){ 0 };
    c->error_text[0] = '\0';
    c->body_bytes = 0;
    c->is_refused = c->is_too_large = false;
    /* The reset keeps connections and, shared, the cookies; but it would leak the name of the
     * cookies' file, though there is none. */
    (void)curl_easy_setopt(c->easy, CURLOPT_COOKIEFILE, NULL);
    curl_easy_reset(c->easy);
    set_always(c);
    set_headers(c);
    (void)curl_easy_setopt(c->easy, CURLOPT_URL, c->url);
    if (c->hop.post)
        (void)curl_easy_setopt(c->easy, CURLOPT_COPYPOSTFIELDS, c->hop.post);
    if (c->hop.user_password) {
        (void)curl_easy_setopt(c->easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
        (void)curl_easy_setopt(c->easy, CURLOPT_USERPWD, c->hop.user_password);
    }
    if (c->hop.keeps_cookies) {
        (void)curl_easy_setopt(c->easy, CURLOPT_SHARE, c->cookies);
        (void)curl_easy_setopt(c->easy, CURLOPT_COOKIEFILE, "");
    }
    uv_timer_start(&c->deadline, on_deadline, (uint64_t)c->options.timeout_ms, 0);
    rc = curl_multi_add_handle(c->multi, c->easy);
    assert(rc == CURLM_OK); /* it was not in it */
    c->is_added = true;     /* curl asks for its timer and begins from there */
}

/* --- Quotas: a redirect is a request like any other. */

static int64_t now_ms(void)
{
    return (int64_t)(uv_hrtime() / 1000000);
}

static void on_allowed(uv_timer_t *timer)
{
    start_hop(timer->data);
}

static void start_hop(struct http_client *c)
{
    int64_t wait_ms = quotas_ask(c->quotas, LENGTH(c->quotas), now_ms());

    if (wait_ms == 0)
        send_hop(c);
    else
        uv_timer_start(&c->allowed, on_allowed, (uint64_t)wait_ms, 0);
    if (wait_ms > 0 && c->request->waits)
        c->request->waits(c->request->arg, wait_ms);
}

void http_client_start(struct http_client *c, const struct http_request *request)
{
    assert(!c->request);
    c->request = request;
    c->hop = *request;
    c->url = mem_strdup(request->url);
    c->redirects = 0;
    start_hop(c);
}

void http_client_pause(struct http_client *c)
{
    if (c->is_paused)
        return;
    c->is_paused = true;
    c->left_ms = c->request ? (int64_t)uv_timer_get_due_in(&c->deadline) : 0;
    uv_timer_stop(&c->deadline);
}

void http_client_resume(struct http_client *c)
{
    if (!c->is_paused)
        return;
    c->is_paused = false;
    if (!c->request)
        return;
    uv_timer_start(&c->deadline, on_deadline, (uint64_t)(c->left_ms > 0 ? c->left_ms : 1), 0);
    uv_timer_start(&c->next_turn, on_next_turn, TURN_GAP_MS, 0);
}

void http_client_cancel(struct http_client *c)
{
    if (c->request)
        end_request(c);
}

bool http_client_is_busy(const struct http_client *c)
{
    return c->request != NULL;
}

void http_client_forget_cookies(struct http_client *c)
{
    (void)curl_easy_setopt(c->easy, CURLOPT_SHARE, c->cookies);
    (void)curl_easy_setopt(c->easy, CURLOPT_COOKIELIST, "ALL");
}

/* --- Birth and death */

struct http_client *http_client_create(struct uv_loop_s *loop,
                                       const struct http_client_options *options)
{
    static bool is_curl_ready;
    struct http_client *c = mem_zalloc(sizeof *c);
    uv_timer_t *timers[] = { &c->curl_timer, &c->deadline, &c->next_turn, &c->allowed };

    if (!is_curl_ready) {
        CURLcode rc = curl_global_init(CURL_GLOBAL_DEFAULT);

        assert(rc == CURLE_OK);
        is_curl_ready = true;
    }
    c->loop = loop;
    c->options = *options;
    quota_init(&c->quotas[0], options->requests_per_minute, SPAN_MINUTE, now_ms());
    quota_init(&c->quotas[1], options->requests_per_day, SPAN_DAY, now_ms());
    c->ca_file = options->ca_file ? mem_strdup(options->ca_file) : NULL;
    c->proxy = options->proxy ? mem_strdup(options->proxy) : NULL;
    c->multi = curl_multi_init();
    c->easy = curl_easy_init();
    c->cookies = curl_share_init();
    assert(c->multi && c->easy && c->cookies);
    (void)curl_share_setopt(c->cookies, CURLSHOPT_SHARE, CURL_LOCK_DATA_COOKIE);
    (void)curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    (void)curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
    (void)curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, on_timer_wanted);
    (void)curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
    for (size_t i = 0; i < LENGTH(timers); i++) {
        int rc = uv_timer_init(loop, timers[i]);

        assert(rc == 0);
        timers[i]->data = c;
        c->open_handles++;
    }
    return c;
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct http_client *c = handle->data;
    void (*closed)(void *arg) = c->closed;
    void *arg = c->closed_arg;

    if (--c->open_handles > 0)
        return;
    free(c);
    if (closed)
        closed(arg);
}

void http_client_close(struct http_client *c, void (*closed)(void *arg), void *arg)
{
    http_client_cancel(c);
    c->closed = closed;
    c->closed_arg = arg;
    curl_easy_cleanup(c->easy);
    curl_share_cleanup(c->cookies);
    curl_multi_cleanup(c->multi); /* closes the kept connections, and so their watches */
    uv_close((uv_handle_t *)&c->curl_timer, on_timer_closed);
    uv_close((uv_handle_t *)&c->deadline, on_timer_closed);
    uv_close((uv_handle_t *)&c->next_turn, on_timer_closed);
    uv_close((uv_handle_t *)&c->allowed, on_timer_closed);
    free(c->ca_file);
    free(c->proxy);
}
