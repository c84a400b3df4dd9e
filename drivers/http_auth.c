/* How a feed shows who it is; see http_auth.h. */
#include "http_auth.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "pointer.h"
#include "secret.h"
#include "template.h"

enum { SECRET_MAX = 8192 };

struct http_auth {
    enum feed_auth kind;
    char *folder;       /* of the secrets; NULL: there is none */
    char *credential;   /* name of the secret */
    char *name;         /* of the header or query parameter */
    char secret[SECRET_MAX];
    struct http_login login;
    char *login_url, *login_body, *login_type, *prefix;
    enum { SEND_HEADER, SEND_QUERY, SEND_COOKIE } send;
    bool has_session;
    char *session;
    struct text_buffer made_url, made_body; /* of the login request */
};

static char *copy(const char *text)
{
    return text ? mem_strdup(text) : NULL;
}

static const char *login_text(const struct http_feed_config *c, const char *name)
{
    const struct option_tree *tree = c->login ? option_tree_get(c->login, name) : NULL;

    return tree ? tree->text : NULL;
}

static void copy_texts(struct option_texts *to, const struct option_tree *list)
{
    if (!list || list->type != TREE_LIST)
        return;
    to->items = mem_zalloc((list->child_count + 1) * sizeof *to->items);
    for (size_t i = 0; i < list->child_count; i++)
        to->items[to->count++] = mem_strdup(list->children[i]->text ? list->children[i]->text : "");
}

static void copy_login(struct http_auth *a, const struct http_feed_config *c)
{
    const char *send = login_text(c, "send"), *type = login_text(c, "content_type");
    const char *prefix = login_text(c, "prefix");

    a->login_url = copy(login_text(c, "url"));
    a->login_body = copy(login_text(c, "body"));
    a->login_type = copy(type ? type : "application/json");
    a->login.token = copy(login_text(c, "token"));
    a->login.ok = copy(login_text(c, "ok"));
    a->login.message = copy(login_text(c, "message"));
    copy_texts(&a->login.ok_values, option_tree_get(c->login, "ok_values"));
    a->name = copy(login_text(c, "name"));
    a->prefix = copy(prefix ? prefix : "");
    a->send = send && strcmp(send, "query") == 0    ? SEND_QUERY
              : send && strcmp(send, "cookie") == 0 ? SEND_COOKIE
                                                    : SEND_HEADER;
}

struct http_auth *http_auth_create(const struct http_feed_config *c, const char *credentials)
{
    struct http_auth *a = mem_zalloc(sizeof *a);

    a->kind = (enum feed_auth)c->auth;
    if (a->kind != AUTH_NONE && c->credential) {
        a->folder = copy(credentials);
        a->credential = copy(c->credential);
    }
    if (a->kind == AUTH_LOGIN && c->login)
        copy_login(a, c);
    else
        a->name = copy(c->auth_name);
    return a;
}

/* A secret must not lie about in freed memory. */
static void wipe(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
}

static void wipe_buffer(struct text_buffer *buffer)
{
    if (buffer->bytes)
        explicit_bzero(buffer->bytes, buffer->capacity);
    text_buffer_finish(buffer);
}

void http_auth_destroy(struct http_auth *a)
{
    if (!a)
        return;
    http_auth_drop_session(a);
    explicit_bzero(a->secret, sizeof a->secret);
    wipe_buffer(&a->made_url);
    wipe_buffer(&a->made_body);
    for (size_t i = 0; i < a->login.ok_values.count; i++)
        free(a->login.ok_values.items[i]);
    free(a->login.ok_values.items);
    free(a->login.token);
    free(a->login.ok);
    free(a->login.message);
    free(a->login_url);
    free(a->login_body);
    free(a->login_type);
    free(a->prefix);
    free(a->folder);
    free(a->credential);
    free(a->name);
    free(a);
}

/* --- Checking */

static void check_login(const struct http_feed_config *c, const struct option_tree *section,
                        struct faults *faults)
{
    static const char *const known[] = { "url",       "method",  "body", "content_type", "token",
                                         "cookie",    "send",    "name", "prefix",       "ok",
                                         "ok_values", "message", NULL };
    static const char *const pointers[] = { "token", "ok", "message" };
    const char *send = login_text(c, "send");
    bool is_cookie = send && strcmp(send, "cookie") == 0;

    if (!c->login || c->login->type != TREE_GROUP) {
        fault_add_at(faults, c->login ? c->login : section,
                     "auth = \"login\" needs a group login "
                     "= { url = \"...\"; body = \"...\"; token = \"/...\"; ... }");
        return;
    }
    for (size_t i = 0; i < c->login->child_count; i++) {
        const struct option_tree *child = c->login->children[i];
        size_t k = 0;

        while (known[k] && strcmp(known[k], child->name) != 0)
            k++;
        if (!known[k]) {
            const char *near = text_nearest(child->name, known);

            fault_add_at(faults, child, "unknown setting \"%s\"%s%s%s", child->name,
                         near ? ": did you mean \"" : "", near ? near : "", near ? "\"?" : "");
        }
    }
    for (size_t i = 0; i < LENGTH(pointers); i++) {
        const char *text = login_text(c, pointers[i]);

        if (text && !pointer_is_valid(text))
            fault_add_at(faults, option_tree_get(c->login, pointers[i]),
                         "\"%s\" is no JSON Pointer: write \"/%s\"", text, text);
    }
    if (!login_text(c, "url"))
        fault_add_at(faults, c->login, "login needs its url");
    if (!is_cookie && !login_text(c, "token"))
        fault_add_at(faults, c->login,
                     "login needs token, the JSON Pointer to the session in the "
                     "answer, or send = \"cookie\"");
    if (!is_cookie && !login_text(c, "name"))
        fault_add_at(faults, c->login,
                     "login needs name, of the header or query parameter that "
                     "takes the session");
    if (send && !is_cookie && strcmp(send, "header") != 0 && strcmp(send, "query") != 0)
        fault_add_at(faults, option_tree_get(c->login, "send"),
                     "send = \"%s\": write \"header\", \"query\" or \"cookie\"", send);
}

void http_auth_check(const struct http_feed_config *c, const struct option_tree *section,
                     struct faults *faults)
{
    const struct option_tree *place = option_tree_get(section, "auth");

    if (!place)
        place = section;
    if (c->auth != AUTH_NONE && !(c->credential && c->credential[0]))
        fault_add_at(faults, place,
                     "auth needs credential, the name of a file in the credentials "
                     "folder");
    if (c->credential && (strchr(c->credential, '/') || c->credential[0] == '.'))
        fault_add_at(faults, option_tree_get(section, "credential"),
                     "credential is the name of a "
                     "file in the credentials folder, not a path and not the secret itself");
    if ((c->auth == AUTH_HEADER || c->auth == AUTH_QUERY) && !c->auth_name)
        fault_add_at(faults, place, "auth needs auth_name, of the header or query parameter");
    if (c->auth == AUTH_LOGIN)
        check_login(c, section, faults);
}

/* --- The secret */

int http_auth_load(struct http_auth *a, struct err *err)
{
    if (a->kind == AUTH_NONE)
        return 0;
    return secret_read(a->folder, a->credential, a->secret, sizeof a->secret, err);
}

/* --- The session */

const struct http_login *http_auth_login(const struct http_auth *a)
{
    return a->kind == AUTH_LOGIN ? &a->login : NULL;
}

bool http_auth_has_session(const struct http_auth *a)
{
    return a->has_session;
}

void http_auth_set_session(struct http_auth *a, const char *token)
{
    http_auth_drop_session(a);
    a->has_session = true;
    a->session = mem_strdup(token);
}

void http_auth_drop_session(struct http_auth *a)
{
    wipe(a->session);
    free(a->session);
    a->session = NULL;
    a->has_session = false;
}

void http_auth_make_login(struct http_auth *a, struct http_request *ret)
{
    char user[SECRET_MAX];
    char *colon = strchr(a->secret, ':');
    const struct template_value values[] = {
        { "user", user },
        { "password", colon ? colon + 1 : "" },
        { NULL, NULL },
    };
    bool is_form = strstr(a->login_type, "form") != NULL;

    snprintf(user, sizeof user, "%.*s", (int)strcspn(a->secret, ":"), a->secret);
    a->made_url.length = a->made_body.length = 0;
    template_expand(&a->made_url, a->login_url, ESCAPE_URL, values);
    if (a->login_body)
        template_expand(&a->made_body, a->login_body, is_form ? ESCAPE_URL : ESCAPE_JSON, values);
    explicit_bzero(user, sizeof user);
    *ret = (struct http_request){
        .url = a->made_url.bytes,
        .post = a->login_body ? a->made_body.bytes : NULL,
        .content_type = a->login_type,
        .is_secret = true,
        .keeps_cookies = true,
    };
}

static void add_query(struct text_buffer *url, const char *name, const char *value)
{
    text_buffer_adds(url, strchr(url->bytes, '?') ? "&" : "?");
    template_escape(url, name, ESCAPE_URL);
    text_buffer_adds(url, "=");
    template_escape(url, value, ESCAPE_URL);
}

static void apply_session(struct http_auth *a, struct text_buffer *url, struct text_buffer *header,
                          struct http_request *request)
{
    assert(a->has_session);
    request->keeps_cookies = true;
    if (a->send == SEND_QUERY)
        add_query(url, a->name, a->session);
    else if (a->send == SEND_HEADER)
        text_buffer_addf(header, "%s: %s%s", a->name, a->prefix, a->session);
}

void http_auth_apply(struct http_auth *a, struct text_buffer *url, struct text_buffer *header,
                     struct http_request *request)
{
    request->is_secret = a->kind != AUTH_NONE;
    switch (a->kind) {
    case AUTH_NONE:
        break;
    case AUTH_BASIC:
        request->user_password = a->secret;
        break;
    case AUTH_BEARER:
        text_buffer_addf(header, "Authorization: Bearer %s", a->secret);
        break;
    case AUTH_HEADER:
        text_buffer_addf(header, "%s: %s", a->name, a->secret);
        break;
    case AUTH_QUERY:
        add_query(url, a->name, a->secret);
        break;
    case AUTH_LOGIN:
        apply_session(a, url, header, request);
        break;
    }
}
