/* Asking the daemon: what comes back, and what a person is told when nothing good does. The other
 * side is a thread that accepts one connection after the other and answers by a table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "tools/kpictl/answer.h"
#include "tools/kpictl/kpictl.h"

struct fake {
    char folder[64], path[96];
    int listening;
    pthread_t thread;
    const char *answer;         /* to everything; NULL: closes without one */
    char asked[4096];           /* the last request */
};

/* Reads one request: its head, and as much body as it says. */
static void read_request(int fd, char *to, size_t size)
{
    size_t length = 0, body = 0;
    const char *end = NULL, *said;
    ssize_t got;

    while (!end || strlen(end + 4) < body) {
        got = read(fd, to + length, size - 1 - length);
        if (got <= 0)
            return;
        length += (size_t)got;
        to[length] = '\0';
        end = strstr(to, "\r\n\r\n");
        said = strcasestr(to, "content-length: ");
        body = said ? strtoull(said + 16, NULL, 10) : 0;
    }
}

static void *serve(void *arg)
{
    struct fake *fake = arg;
    int fd;

    while ((fd = accept(fake->listening, NULL, NULL)) >= 0) {
        fake->asked[0] = '\0';
        read_request(fd, fake->asked, sizeof fake->asked);
        if (fake->answer)
            assert_true(write(fd, fake->answer, strlen(fake->answer)) > 0);
        close(fd);
    }
    return NULL;
}

static int set_up(void **state)
{
    struct fake *fake = mem_zalloc(sizeof *fake);
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    text_set(fake->folder, sizeof fake->folder, "/tmp/kpictl-client-XXXXXX");
    assert_non_null(mkdtemp(fake->folder));
    snprintf(fake->path, sizeof fake->path, "%s/s", fake->folder);
    text_set(address.sun_path, sizeof address.sun_path, fake->path);
    fake->listening = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fake->listening, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fake->listening, 5), 0);
    pthread_create(&fake->thread, NULL, serve, fake);
    *state = fake;
    return 0;
}

static int tear_down(void **state)
{
    struct fake *fake = *state;

    shutdown(fake->listening, SHUT_RDWR);
    pthread_join(fake->thread, NULL);
    close(fake->listening);
    unlink(fake->path);
    rmdir(fake->folder);
    free(fake);
    return 0;
}

#define OK_JSON "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\n\r\n"
#define NO "HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n"

static void test_answers(void **state)
{
    static const struct {
        const char *what, *answer;
        int want;               /* exit status */
        const char *why;        /* begins the sentence */
    } cases[] = {
        { "well", OK_JSON "{\"a\":1}", EXIT_WELL, NULL },
        { "a problem document", NO "{\"title\":\"Not Found\",\"detail\":\"no KPI \\\"x\\\"\"}",
          EXIT_REFUSED, "no KPI \"x\"" },
        { "a problem without detail", NO "{\"title\":\"Not Found\"}", EXIT_REFUSED, "Not Found" },
        { "a refusal that is no JSON", NO "<html>", EXIT_REFUSED,
          "the daemon answered with HTTP status 404" },
        { "an answer that is no JSON", OK_JSON "hello", EXIT_REFUSED, "what answers on " },
        { "an answer that is empty", OK_JSON, EXIT_REFUSED, "what answers on " },
        { "no answer at all", NULL, EXIT_NO_DAEMON, "the daemon on " },
        { "half an answer",
          "HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\n{\"a\"",
          EXIT_NO_DAEMON, "the daemon on " },
    };
    struct fake *fake = *state;
    struct client *client = client_create(fake->path);

    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct reply reply = { 0 };
        struct err err = { 0 };
        int rc;

        print_message("# %s\n", cases[i].what);
        fake->answer = cases[i].answer;
        rc = client_try(client, "/v1/facts", &reply, &err);
        assert_int_equal(-rc, cases[i].want);
        if (rc < 0) {
            assert_memory_equal(err.text, cases[i].why, strlen(cases[i].why));
        } else {
            assert_int_equal(answer_integer(reply.json, "a"), 1);
            reply_finish(&reply);
        }
    }
    client_destroy(client);
}

static void test_body(void **state)
{
    struct fake *fake = *state;
    struct client *client = client_create(fake->path);
    struct reply reply;

    fake->answer = OK_JSON "{\"accepted\":1}";
    assert_int_equal(client_send(client, "POST", "/v1/events", "application/x-ndjson", "{}\n", 3,
                                 &reply), EXIT_WELL);
    assert_memory_equal(fake->asked, "POST /v1/events HTTP/1.1\r\n", 26);
    assert_non_null(strstr(fake->asked, "Content-Type: application/x-ndjson\r\n"));
    assert_null(strstr(fake->asked, "Expect:"));
    assert_string_equal(strstr(fake->asked, "\r\n\r\n"), "\r\n\r\n{}\n");
    reply_finish(&reply);
    client_destroy(client);
}

static void test_no_daemon(void **state)
{
    struct client *client = client_create("/tmp/kpictl-nobody-here/s");
    struct reply reply;
    struct err err;

    (void)state;
    assert_int_equal(client_try(client, "/v1/status", &reply, &err), -EXIT_NO_DAEMON);
    assert_string_equal(err.text, "no daemon on /tmp/kpictl-nobody-here/s: is kpid.service "
                                  "running?");
    client_destroy(client);
}

/* In a child, because giving up root cannot be undone. */
static void test_no_permission(void **state)
{
    struct fake *fake = *state;
    int status;
    pid_t pid;

    if (geteuid() != 0)
        skip();
    assert_int_equal(chmod(fake->folder, 0755), 0);
    assert_int_equal(chmod(fake->path, 0600), 0);
    pid = fork();
    if (pid == 0) {
        struct client *client;
        struct reply reply;
        struct err err = { 0 };

        if (setresgid(65534, 65534, 65534) < 0 || setresuid(65534, 65534, 65534) < 0)
            _exit(1);
        client = client_create(fake->path);
        if (client_try(client, "/v1/status", &reply, &err) != -EXIT_NO_DAEMON)
            _exit(2);
        _exit(strncmp(err.text, "you are not in group kpi: ", 26) == 0 ? 0 : 3);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void test_paths(void **state)
{
    struct text_buffer path = { 0 };

    (void)state;
    text_buffer_adds(&path, "/v1/tickets");
    path_add(&path, "a/b 城");
    query_add(&path, "scope", "site:*");
    query_add(&path, "kpi", NULL);
    query_add(&path, "period", "2026-W47");
    assert_string_equal(path.bytes,
                        "/v1/tickets/a%2Fb%20%E5%9F%8E?scope=site%3A%2A&period=2026-W47");
    text_buffer_finish(&path);
}

static void test_answer_accessors(void **state)
{
    yajl_val value = answer_parse("{\"a\":{\"b\":\"x\",\"n\":7},\"l\":[1,2],\"r\":0.98,\"one\":1,"
                                  "\"t\":true,\"z\":null}");

    (void)state;
    assert_string_equal(answer_text(value, "a.b"), "x");
    assert_string_equal(answer_text(value, "a.c"), "");
    assert_string_equal(answer_text(value, "z"), "");
    assert_string_equal(answer_text(NULL, "a"), "");
    assert_int_equal(answer_integer(value, "a.n"), 7);
    assert_int_equal(answer_integer(value, "a.b"), 0);
    assert_int_equal(answer_length(value, "l"), 2);
    assert_int_equal(answer_length(value, "a"), 0);
    assert_int_equal(answer_parts(value, "r", 10000, -1), 9800);
    assert_int_equal(answer_parts(value, "one", 10000, -1), 10000);
    assert_int_equal(answer_parts(value, "z", 10000, -1), -1);
    assert_true(answer_is_true(value, "t"));
    assert_false(answer_is_true(value, "z"));
    assert_null(answer_item(value, "l", 2));
    yajl_tree_free(value);
    assert_null(answer_parse("{"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_answers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_body, set_up, tear_down),
        cmocka_unit_test(test_no_daemon),
        cmocka_unit_test_setup_teardown(test_no_permission, set_up, tear_down),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_answer_accessors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
