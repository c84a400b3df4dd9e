/* How a feed shows who it is: its credential, and the session that a login gave. The secret is read
 * from its file and goes into requests alone, never into a text for people. Loop thread. */
#ifndef KPID_DRIVERS_HTTP_AUTH_H
#define KPID_DRIVERS_HTTP_AUTH_H

#include "base/text.h"
#include "http_client.h"
#include "http_feed.h"

struct http_auth;

/* How a login answers, as configured. Borrows until destroyed. */
struct http_login {
    char *ok;
    struct option_texts ok_values;
    char *token; /* pointer in the answer; NULL: the session is a cookie */
    char *message;
};

/* Copies. `credentials` is the folder of secrets, NULL: there is none. */
struct http_auth *http_auth_create(const struct http_feed_config *config, const char *credentials);
void http_auth_destroy(struct http_auth *auth);
/* Adds what is wrong with the auth settings. */
void http_auth_check(const struct http_feed_config *config, const struct option_tree *section,
                     struct faults *faults);

/* Reads the secret anew, so that a changed file is taken up. Fails with what to do. */
int http_auth_load(struct http_auth *auth, struct err *err);

/* NULL: there is no login. */
const struct http_login *http_auth_login(const struct http_auth *auth);
bool http_auth_has_session(const struct http_auth *auth);
/* `token` "" for a session that is a cookie. */
void http_auth_set_session(struct http_auth *auth, const char *token);
void http_auth_drop_session(struct http_auth *auth);

/* The request that logs in; its texts live until the next call. `body` and `done` are left. */
void http_auth_make_login(struct http_auth *auth, struct http_request *ret);

/* Adds the credential or session to a request: to its URL, its headers (a text for the list, ""
 * for none) or its other members. */
void http_auth_apply(struct http_auth *auth, struct text_buffer *url, struct text_buffer *header,
                     struct http_request *request);

#endif
