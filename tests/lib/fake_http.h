/* An HTTP server for drivers under test: on the test's own loop, it remembers each request and
 * answers with the next of the test's texts, word for word, then hangs up. */
#ifndef KPID_TESTS_FAKE_HTTP_H
#define KPID_TESTS_FAKE_HTTP_H

#include <uv.h>

enum { FAKE_HTTP_MAX = 64 };

struct fake_http {
    uv_tcp_t listener;
    int port;
    char *answers[FAKE_HTTP_MAX]; /* beyond the last, the last is repeated */
    size_t lengths[FAKE_HTTP_MAX];
    size_t answer_count;
    char *requests[FAKE_HTTP_MAX]; /* head and body as they came; later ones are not kept */
    size_t request_count;
    int open;
};

void fake_http_start(struct fake_http *server, uv_loop_t *loop);
/* Adds an answer word for word (copies). */
void fake_http_raw(struct fake_http *server, const char *answer);
/* Adds an answer of that status line ("200 OK"), further headers ("" or "A: b\r\n") and body. */
void fake_http_answer(struct fake_http *server, const char *status, const char *headers,
                      const char *body);
/* The same with a body of any bytes (copies). */
void fake_http_bytes(struct fake_http *server, const char *status, const char *headers,
                     const void *body, size_t length);
/* Closes; the loop must turn once more. */
void fake_http_stop(struct fake_http *server);
void fake_http_free(struct fake_http *server);

#endif
