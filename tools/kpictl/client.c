/* Asking the daemon.
 *
 * What can go wrong, and what the person is told: nobody listens (is the service running?), the
 * socket may not be opened (the group), the daemon does not answer, or it answers with a problem
 * document (RFC 9457), of which the detail is the sentence. */
#include "client.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "answer.h"
#include "base/mem.h"
#include "kpictl.h"

enum { SILENCE_LIMIT_S = 60 };

struct client {
    char *socket;
    CURL *easy;         /* kept, so that several questions use one connection */
};

struct client *client_create(const char *socket)
{
    struct client *client = mem_zalloc(sizeof *client);

    client->socket = mem_strdup(socket);
    return client;
}

void client_destroy(struct client *client)
{
    if (!client)
        return;
    curl_easy_cleanup(client->easy);
    free(client->socket);
    free(client);
}

const char *client_socket(const struct client *client)
{
    return client->socket;
}

void reply_finish(struct reply *reply)
{
    yajl_tree_free(reply->json);
    text_buffer_finish(&reply->body);
    *reply = (struct reply){ 0 };
}

static size_t on_bytes(char *bytes, size_t size, size_t count, void *body)
{
    text_buffer_add(body, bytes, size * count);
    return size * count;
}

static void prepare(struct client *client, CURL *easy, const char *path)
{
    char *url = mem_printf("http://kpid%s", path);

    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, client->socket);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http");
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "kpictl");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    free(url);
}

CURL *client_easy(struct client *client, const char *path)
{
    CURL *easy = curl_easy_init();

    if (easy)
        prepare(client, easy, path);
    return easy;
}

/* Why the socket cannot be connected, as an errno: libcurl says only that it could not. 0: it can
 * be after all. */
static int connect_errno(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd, rc;

    if (!text_copy(address.sun_path, sizeof address.sun_path, path, strlen(path)))
        return ENAMETOOLONG;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    rc = connect(fd, (const struct sockaddr *)&address, sizeof address) < 0 ? errno : 0;
    /* Only a probe: nothing was written that could be lost. */
    (void)close(fd);
    return rc;
}

static int explain_connect(const char *path, struct err *err)
{
    const struct passwd *user;
    int why = connect_errno(path);

    switch (why) {
    case EACCES:
    case EPERM:
        user = getpwuid(geteuid());
        return err_set(err, -EXIT_NO_DAEMON,
                       "you are not in group kpi: %s may not open %s; ask an administrator for "
                       "\"usermod -aG kpi %s\", then log in again", user ? user->pw_name : "you",
                       path, user ? user->pw_name : "NAME");
    case ENAMETOOLONG:
        return err_set(err, -EXIT_NO_DAEMON, "%s is too long for the path of a socket", path);
    case EAGAIN:
        return err_set(err, -EXIT_NO_DAEMON, "the daemon on %s takes no more connections", path);
    default:
        return err_set(err, -EXIT_NO_DAEMON, "no daemon on %s: is kpid.service running?", path);
    }
}

int client_explain(const struct client *client, CURLcode code, struct err *err)
{
    switch (code) {
    case CURLE_COULDNT_CONNECT:
        return explain_connect(client->socket, err);
    case CURLE_OPERATION_TIMEDOUT:
        return err_set(err, -EXIT_NO_DAEMON, "the daemon on %s does not answer", client->socket);
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_PARTIAL_FILE:
        return err_set(err, -EXIT_NO_DAEMON, "the daemon on %s closed the connection: is it "
                       "stopping?", client->socket);
    default:
        return err_set(err, -EXIT_NO_DAEMON, "%s: %s", client->socket, curl_easy_strerror(code));
    }
}

/* The sentence of a problem document, or what there is instead. */
static int explain_refusal(const struct reply *reply, struct err *err)
{
    const char *detail = answer_text(reply->json, "detail");
    const char *title = answer_text(reply->json, "title");

    if (detail[0] != '\0')
        return err_set(err, -EXIT_REFUSED, "%s", detail);
    if (title[0] != '\0')
        return err_set(err, -EXIT_REFUSED, "%s", title);
    return err_set(err, -EXIT_REFUSED, "the daemon answered with HTTP status %ld", reply->status);
}

static void prepare_body(CURL *easy, const char *method, const char *type, const char *body,
                         size_t length, struct curl_slist **headers)
{
    char *line;

    if (strcmp(method, "GET") == 0)
        return;
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
    if (!type) {
        /* An empty body is a body, too: the length must be said. */
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, "");
        *headers = curl_slist_append(*headers, "Content-Type:");
        return;
    }
    line = mem_printf("Content-Type: %s", type);
    *headers = curl_slist_append(*headers, line);
    /* No waiting for "100 Continue": the daemon judges the body as it comes. */
    *headers = curl_slist_append(*headers, "Expect:");
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)length);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
    free(line);
}

static int ask(struct client *client, const char *method, const char *path, const char *type,
               const char *body, size_t length, struct reply *ret, struct err *err)
{
    struct reply reply = { 0 };
    struct curl_slist *headers = NULL;
    CURLcode code;
    int rc = 0;

    if (client->easy)
        curl_easy_reset(client->easy);
    else
        client->easy = curl_easy_init();
    if (!client->easy)
        return err_set(err, -EXIT_NO_DAEMON, "no memory for a connection");

    prepare(client, client->easy, path);
    prepare_body(client->easy, method, type, body, length, &headers);
    curl_easy_setopt(client->easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(client->easy, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(client->easy, CURLOPT_WRITEDATA, &reply.body);
    curl_easy_setopt(client->easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(client->easy, CURLOPT_LOW_SPEED_TIME, (long)SILENCE_LIMIT_S);
    code = curl_easy_perform(client->easy);
    curl_slist_free_all(headers);

    if (code != CURLE_OK) {
        rc = client_explain(client, code, err);
    } else {
        curl_easy_getinfo(client->easy, CURLINFO_RESPONSE_CODE, &reply.status);
        reply.json = reply.body.length ? answer_parse(reply.body.bytes) : NULL;
        if (reply.status < 200 || reply.status > 299)
            rc = explain_refusal(&reply, err);
    }
    if (rc < 0) {
        reply_finish(&reply);
        return rc;
    }
    *ret = reply;
    return 0;
}

int client_try(struct client *client, const char *path, struct reply *ret, struct err *err)
{
    struct reply reply;
    int rc;

    rc = ask(client, "GET", path, NULL, NULL, 0, &reply, err);
    if (rc < 0)
        return rc;
    if (!reply.json) {
        reply_finish(&reply);
        return err_set(err, -EXIT_REFUSED, "what answers on %s is no kpid: no JSON in its answer",
                       client->socket);
    }
    *ret = reply;
    return 0;
}

int client_get(struct client *client, const char *path, struct reply *ret)
{
    struct err err;
    int rc;

    rc = client_try(client, path, ret, &err);
    if (rc < 0)
        fprintf(stderr, "kpictl: %s\n", err.text);
    return -rc;
}

int client_send(struct client *client, const char *method, const char *path, const char *type,
                const char *body, size_t length, struct reply *ret)
{
    struct err err;
    int rc;

    rc = ask(client, method, path, type, body, length, ret, &err);
    if (rc < 0)
        fprintf(stderr, "kpictl: %s\n", err.text);
    return -rc;
}

static void add_escaped(struct text_buffer *to, const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
            || strchr("-._~", c))
            text_buffer_add(to, text, 1);
        else
            text_buffer_addf(to, "%%%02X", c);
    }
}

void query_add(struct text_buffer *path, const char *name, const char *value)
{
    if (!value)
        return;
    text_buffer_addf(path, "%c%s=", strchr(path->bytes, '?') ? '&' : '?', name);
    add_escaped(path, value);
}

void path_add(struct text_buffer *path, const char *segment)
{
    text_buffer_adds(path, "/");
    add_escaped(path, segment);
}
