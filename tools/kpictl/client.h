/* Asking the daemon: HTTP over its Unix socket. A question either has an answer, or the sentence
 * that says why not has been printed and the exit status that fits comes back. */
#ifndef KPICTL_CLIENT_H
#define KPICTL_CLIENT_H

#include <stddef.h>

#include <curl/curl.h>
#include <yajl/yajl_tree.h>

#include "base/err.h"
#include "base/text.h"

struct client;

/* Opens nothing yet. Copies `socket`. */
struct client *client_create(const char *socket);
void client_destroy(struct client *client);
const char *client_socket(const struct client *client);

struct reply {
    long status;
    struct text_buffer body;
    yajl_val json;          /* the body, if it was asked for as JSON; else NULL */
};
void reply_finish(struct reply *reply);

/* GET; the answer must be JSON. EXIT_WELL, or an exit status with the reason on standard error. */
int client_get(struct client *client, const char *path, struct reply *ret);
/* Any method with a body (`type` NULL: none). The answer's JSON is read if there is one. */
int client_send(struct client *client, const char *method, const char *path, const char *type,
                const char *body, size_t length, struct reply *ret);
/* As client_get, but the failure becomes a sentence in `err` whose code is the negative exit
 * status: for those who show it in their own place, or try again. */
int client_try(struct client *client, const char *path, struct reply *ret, struct err *err);

/* A prepared GET of `path` for a multi handle; free with curl_easy_cleanup. */
CURL *client_easy(struct client *client, const char *path);
/* The sentence and the exit status for a transfer that failed as `code`. */
int client_explain(const struct client *client, CURLcode code, struct err *err);

/* Appends "?name=value" or "&name=value", escaped; nothing if `value` is NULL. */
void query_add(struct text_buffer *path, const char *name, const char *value);
/* Appends "/segment", escaped. */
void path_add(struct text_buffer *path, const char *segment);

#endif
