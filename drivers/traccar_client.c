/* Questions to a Traccar server; see traccar_client.h. A session is a cookie that POST /api/session
 * gave for e-mail and password; a lapsed one answers 401 and is renewed once for each question. */
#include "traccar_client.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

const char *const traccar_auth_choices[] = { "token", "basic", "session", NULL };

struct traccar_client {
    const struct clock *clock;
    char *base;
    struct http_feed_config config; /* as a feed would say it: for http_auth and feed_answer */
    struct option_tree login, *login_members[4];
    struct option_tree texts[4];
    char *login_url;
    struct http_auth *auth;
    struct http_client *http;

    struct http_request request;
    struct http_page *page;
    struct text_buffer url, header;
    const char *headers[3];
    char *path;             /* of the question; NULL: none */
    bool is_fresh_login;
    void (*item)(void *arg, const char *json, size_t length);
    void (*done)(void *arg, const struct feed_failure *failure);
    void *arg;
    void (*closed)(void *arg);
    void *closed_arg;
};

/* A login as the section of a feed would say it. */
static void make_login(struct traccar_client *c)
{
    static char names[][14] = { "url", "body", "content_type", "send" };
    static char form[] = "email={user}&password={password}";
    static char type[] = "application/x-www-form-urlencoded", send[] = "cookie";
    char *texts[] = { c->login_url, form, type, send };

    for (size_t i = 0; i < LENGTH(c->texts); i++) {
        c->texts[i] = (struct option_tree){ .type = TREE_TEXT, .name = names[i],
                                            .text = texts[i] };
        c->login_members[i] = &c->texts[i];
    }
    c->login = (struct option_tree){ .type = TREE_GROUP, .children = c->login_members,
                                     .child_count = LENGTH(c->texts) };
    c->config.login = &c->login;
}

static enum feed_auth feed_auth_of(enum traccar_auth auth)
{
    return auth == TRACCAR_TOKEN ? AUTH_BEARER : auth == TRACCAR_BASIC ? AUTH_BASIC : AUTH_LOGIN;
}

struct traccar_client *traccar_client_create(struct uv_loop_s *loop, const struct clock *clock,
                                             const struct traccar_client_options *o)
{
    const struct http_client_options http = { .connect_timeout_ms = o->connect_timeout_ms,
                                              .timeout_ms = o->timeout_ms,
                                              .body_max = o->body_max,
                                              .ca_file = o->ca_file };
    struct traccar_client *c = mem_zalloc(sizeof *c);
    static char list[] = "";

    c->clock = clock;
    c->base = mem_strdup(o->url);
    c->base[strlen(c->base) - (c->base[0] && c->base[strlen(c->base) - 1] == '/')] = '\0';
    c->login_url = mem_printf("%s/api/session", c->base);
    c->config.auth = (int)feed_auth_of(o->auth);
    c->config.credential = o->credential ? mem_strdup(o->credential) : NULL;
    c->config.items = list;
    if (o->auth == TRACCAR_SESSION)
        make_login(c);
    c->auth = http_auth_create(&c->config, o->credentials);
    c->http = http_client_create(loop, &http);
    return c;
}

static void drop_page(struct traccar_client *c)
{
    http_page_destroy(c->page);
    c->page = NULL;
}

static void on_http_closed(void *arg)
{
    struct traccar_client *c = arg;
    void (*closed)(void *arg) = c->closed;
    void *closed_arg = c->closed_arg;

    drop_page(c);
    http_auth_destroy(c->auth);
    text_buffer_finish(&c->url);
    text_buffer_finish(&c->header);
    free(c->config.credential);
    free(c->login_url);
    free(c->path);
    free(c->base);
    free(c);
    closed(closed_arg);
}

void traccar_client_close(struct traccar_client *c, void (*closed)(void *arg), void *arg)
{
    c->closed = closed;
    c->closed_arg = arg;
    http_client_close(c->http, on_http_closed, c);
}

/* --- One question */

static void end(struct traccar_client *c, const struct feed_failure *failure)
{
    drop_page(c);
    free(c->path);
    c->path = NULL;
    c->done(c->arg, failure);
}

static bool on_body(void *arg, const char *bytes, size_t length)
{
    struct traccar_client *c = arg;

    return http_page_feed(c->page, bytes, length);
}

static bool on_any_body(void *arg, const char *bytes, size_t length)
{
    (void)arg;
    (void)bytes;
    (void)length;
    return true;            /* who we are: it was enough to be told that we are */
}

/* One that is cut is larger than any that we read of: it is passed over. */
static void on_item(void *arg, const char *json, size_t length, bool is_cut)
{
    struct traccar_client *c = arg;

    if (!is_cut)
        c->item(c->arg, json, length);
}

static void ask(struct traccar_client *c);

static void on_login(void *arg, const struct http_result *result)
{
    struct traccar_client *c = arg;
    struct feed_failure failure = { 0 };
    const char *token;

    if (!feed_login_judge(http_auth_login(c->auth), c->request.url, result, c->page,
                          clock_wall(c->clock), &token, &failure)) {
        end(c, &failure);
        return;
    }
    http_auth_set_session(c->auth, "");
    c->is_fresh_login = true;
    drop_page(c);
    ask(c);
}

static void log_in(struct traccar_client *c)
{
    const struct http_page_settings nothing = { .items = "none", .item = on_item, .arg = c };

    c->page = http_page_create(&nothing);
    http_auth_make_login(c->auth, &c->request);
    c->request.body = on_any_body;
    c->request.done = on_login;
    c->request.arg = c;
    http_client_start(c->http, &c->request);
}

static void on_answer(void *arg, const struct http_result *result)
{
    struct traccar_client *c = arg;
    struct feed_failure failure = { 0 };

    switch (feed_answer_judge(&c->config, c->request.url, result, c->page, clock_wall(c->clock),
                              &failure)) {
    case ANSWER_GOOD:
    case ANSWER_EMPTY:
    case ANSWER_UNCHANGED:
        end(c, NULL);
        return;
    case ANSWER_LAPSED:
        http_auth_drop_session(c->auth);
        http_client_forget_cookies(c->http);
        if (http_auth_login(c->auth) && !c->is_fresh_login) {
            drop_page(c);
            ask(c);
            return;
        }
        end(c, &failure);
        return;
    case ANSWER_FAILED:
        end(c, &failure);
        return;
    }
}

static void ask(struct traccar_client *c)
{
    const struct http_page_settings settings = { .items = "", .item = on_item, .arg = c };

    if (http_auth_login(c->auth) && !http_auth_has_session(c->auth)) {
        log_in(c);
        return;
    }
    c->request = (struct http_request){ .body = on_body, .done = on_answer, .arg = c };
    c->url.length = c->header.length = 0;
    text_buffer_addf(&c->url, "%s%s", c->base, c->path);
    text_buffer_adds(&c->header, "");
    http_auth_apply(c->auth, &c->url, &c->header, &c->request);
    c->request.url = c->url.bytes;
    c->headers[0] = "Accept: application/json";     /* others are a spreadsheet */
    c->headers[1] = c->header.length > 0 ? c->header.bytes : NULL;
    c->request.headers = c->headers;
    c->page = http_page_create(&settings);
    http_client_start(c->http, &c->request);
}

int traccar_client_ask(struct traccar_client *c, const char *path,
                       void (*item)(void *arg, const char *json, size_t length),
                       void (*done)(void *arg, const struct feed_failure *failure), void *arg,
                       struct err *err)
{
    int rc = http_auth_load(c->auth, err);

    if (rc < 0)
        return rc;
    c->path = mem_strdup(path);
    c->item = item;
    c->done = done;
    c->arg = arg;
    c->is_fresh_login = false;
    ask(c);
    return 0;
}

bool traccar_client_is_busy(const struct traccar_client *c)
{
    return c->path != NULL;
}

void traccar_client_cancel(struct traccar_client *c)
{
    http_client_cancel(c->http);
    drop_page(c);
    free(c->path);
    c->path = NULL;
}
