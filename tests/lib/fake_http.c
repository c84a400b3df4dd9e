/* An HTTP server for drivers under test; see fake_http.h. */
#include "tests/lib/fake_http.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

struct connection {
    struct fake_http *server;
    uv_tcp_t tcp;
    uv_write_t write;
    struct text_buffer request;
    char room[65536];
};

static void on_closed(uv_handle_t *handle)
{
    struct connection *c = handle->data;

    c->server->open--;
    text_buffer_finish(&c->request);
    free(c);
}

static void on_written(uv_write_t *write, int status)
{
    struct connection *c = write->data;

    (void)status;
    if (!uv_is_closing((uv_handle_t *)&c->tcp))
        uv_close((uv_handle_t *)&c->tcp, on_closed);
}

static void answer(struct connection *c)
{
    struct fake_http *s = c->server;
    size_t i = s->request_count < s->answer_count ? s->request_count : s->answer_count - 1;
    uv_buf_t buffer;

    assert(s->answer_count > 0);
    buffer = uv_buf_init(s->answers[i], (unsigned)s->lengths[i]);
    if (s->request_count < FAKE_HTTP_MAX)
        s->requests[s->request_count] = mem_strdup(c->request.bytes);
    s->request_count++;
    uv_read_stop((uv_stream_t *)&c->tcp);
    c->write.data = c;
    uv_write(&c->write, (uv_stream_t *)&c->tcp, &buffer, 1, on_written);
}

static bool is_whole(const struct text_buffer *request)
{
    const char *end = request->bytes ? strstr(request->bytes, "\r\n\r\n") : NULL;
    const char *length = request->bytes ? strstr(request->bytes, "Content-Length: ") : NULL;

    if (!end)
        return false;
    return !length || length > end ||
           strlen(end + 4) >= (size_t)atoi(length + strlen("Content-Length: "));
}

static void on_room(uv_handle_t *handle, size_t size, uv_buf_t *buffer)
{
    struct connection *c = handle->data;

    (void)size;
    *buffer = uv_buf_init(c->room, sizeof c->room);
}

static void on_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer)
{
    struct connection *c = stream->data;

    if (length < 0) {
        if (!uv_is_closing((uv_handle_t *)&c->tcp))
            uv_close((uv_handle_t *)&c->tcp, on_closed);
        return;
    }
    text_buffer_add(&c->request, buffer->base, (size_t)length);
    if (is_whole(&c->request))
        answer(c);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct fake_http *s = listener->data;
    struct connection *c = mem_zalloc(sizeof *c);

    assert(status == 0);
    c->server = s;
    s->open++;
    assert(uv_tcp_init(listener->loop, &c->tcp) == 0);
    c->tcp.data = c;
    assert(uv_accept(listener, (uv_stream_t *)&c->tcp) == 0);
    uv_read_start((uv_stream_t *)&c->tcp, on_room, on_read);
}

void fake_http_start(struct fake_http *s, uv_loop_t *loop)
{
    struct sockaddr_in at;
    int size = sizeof at;

    *s = (struct fake_http){ 0 };
    assert(uv_tcp_init(loop, &s->listener) == 0);
    s->listener.data = s;
    assert(uv_ip4_addr("127.0.0.1", 0, &at) == 0);
    assert(uv_tcp_bind(&s->listener, (const struct sockaddr *)&at, 0) == 0);
    assert(uv_listen((uv_stream_t *)&s->listener, 16, on_connection) == 0);
    assert(uv_tcp_getsockname(&s->listener, (struct sockaddr *)&at, &size) == 0);
    s->port = ntohs(at.sin_port);
}

void fake_http_raw(struct fake_http *s, const char *text)
{
    assert(s->answer_count < FAKE_HTTP_MAX);
    s->lengths[s->answer_count] = strlen(text);
    s->answers[s->answer_count++] = mem_strdup(text);
}

void fake_http_answer(struct fake_http *s, const char *status, const char *headers,
                      const char *body)
{
    fake_http_bytes(s, status, headers, body, strlen(body));
}

void fake_http_bytes(struct fake_http *s, const char *status, const char *headers,
                     const void *body, size_t length)
{
    char *head = mem_printf("HTTP/1.1 %s\r\n%sContent-Length: %zu\r\nConnection: close\r\n\r\n",
                            status, headers, length);
    size_t head_length = strlen(head);

    assert(s->answer_count < FAKE_HTTP_MAX);
    head = mem_realloc(head, head_length + length + 1);
    memcpy(head + head_length, body, length);
    s->lengths[s->answer_count] = head_length + length;
    s->answers[s->answer_count++] = head;
}

void fake_http_stop(struct fake_http *s)
{
    uv_close((uv_handle_t *)&s->listener, NULL);
}

void fake_http_free(struct fake_http *s)
{
    assert(s->open == 0);
    for (size_t i = 0; i < s->answer_count; i++)
        free(s->answers[i]);
    for (size_t i = 0; i < s->request_count && i < FAKE_HTTP_MAX; i++)
        free(s->requests[i]);
}
