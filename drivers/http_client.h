/* One HTTP request at a time, by libcurl's multi interface on the libuv loop: nothing blocks, not
 * even looking up a name. TLS is verified, redirects are few and stay on the same protocol, time
 * and size are bounded, and answers may be compressed. Loop thread. */
#ifndef KPID_DRIVERS_HTTP_CLIENT_H
#define KPID_DRIVERS_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct uv_loop_s;
struct http_client;
struct http_result;

struct http_client_options { /* copies */
    int64_t connect_timeout_ms;
    int64_t timeout_ms; /* of a whole answer, time in pause not counted */
    int64_t body_max;
    const char *ca_file; /* NULL: the system's */
    const char *proxy;   /* NULL: none */
    /* Never more of them in any minute, in any day; 0: no bound. */
    int64_t requests_per_minute, requests_per_day;
};

struct http_client *http_client_create(struct uv_loop_s *loop,
                                       const struct http_client_options *options);
/* Ends what is under way without a word, closes, frees, then calls `closed`. */
void http_client_close(struct http_client *client, void (*closed)(void *arg), void *arg);

/* Borrows everything until `done`. */
struct http_request {
    const char *url;
    const char *post;           /* NULL: GET */
    const char *content_type;   /* of `post` */
    const char *const *headers; /* "Name: value", ends with NULL; may be NULL */
    const char *user_password;  /* basic authentication; NULL: none */
    bool is_secret;             /* carries one: it is not sent on to another host */
    bool keeps_cookies;         /* cookies come and go with it, as the session of a login */
    /* A piece of the body of a good answer (2xx). False ends the request; `done` says so. */
    bool (*body)(void *arg, const char *bytes, size_t length);
    void (*done)(void *arg, const struct http_result *result);
    /* A quota makes it wait so long. May be called from within, and again; may be NULL. */
    void (*waits)(void *arg, int64_t ms);
    void *arg;
};

struct http_result {
    int error;         /* 0: there was an answer; else a negative errno: */
    struct err err;    /* what went wrong and what to do */
    bool is_permanent; /* asking again will not mend it */
    int status;
    char retry_after[64];              /* as it came, for http_retry_after; "": not said */
    int64_t server_at;                 /* its Date; 0: not said */
    char etag[128], last_modified[64]; /* "": none */
};

/* One at a time. `done` is never called from within. */
void http_client_start(struct http_client *client, const struct http_request *request);
/* Reads no more, and goes on; the other side waits by itself. */
void http_client_pause(struct http_client *client);
void http_client_resume(struct http_client *client);
/* Ends it; `done` is not called. */
void http_client_cancel(struct http_client *client);
bool http_client_is_busy(const struct http_client *client);
/* Forgets every cookie: a session that lapsed. */
void http_client_forget_cookies(struct http_client *client);

#endif
