/* A peer on a TCP port; see fake_tcp.h. */
#include "tests/lib/fake_tcp.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void on_peer_closed(uv_handle_t *handle)
{
    struct fake_tcp *f = handle->data;

    f->has_peer = false;
}

void fake_tcp_hang_up(struct fake_tcp *f)
{
    if (f->has_peer && !uv_is_closing((uv_handle_t *)&f->peer))
        uv_close((uv_handle_t *)&f->peer, on_peer_closed);
}

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
    static char bytes[256];

    (void)handle;
    (void)size;
    *buf = uv_buf_init(bytes, sizeof bytes);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct fake_tcp *f = stream->data;

    if (n < 0) {
        fake_tcp_hang_up(f);
        return;
    }
    assert(f->length + (size_t)n < sizeof f->heard);
    memcpy(f->heard + f->length, buf->base, (size_t)n);
    f->length += (size_t)n;
    f->heard[f->length] = '\0';
}

static void on_connection(uv_stream_t *server, int status)
{
    struct fake_tcp *f = server->data;

    assert(status == 0 && !f->has_peer);
    assert(uv_tcp_init(server->loop, &f->peer) == 0);
    f->peer.data = f;
    f->has_peer = true;
    f->connections++;
    f->length = 0;
    f->heard[0] = '\0';
    assert(uv_accept(server, (uv_stream_t *)&f->peer) == 0);
    assert(uv_read_start((uv_stream_t *)&f->peer, on_alloc, on_read) == 0);
    if (f->closes_at_once)
        fake_tcp_hang_up(f);
}

void fake_tcp_listen(struct fake_tcp *f, uv_loop_t *loop, int port)
{
    struct sockaddr_in address;
    int length = sizeof address;

    assert(!f->is_listening && uv_ip4_addr("127.0.0.1", port, &address) == 0);
    assert(uv_tcp_init(loop, &f->server) == 0);
    f->server.data = f;
    f->is_listening = true;
    assert(uv_tcp_bind(&f->server, (struct sockaddr *)&address, 0) == 0);
    assert(uv_listen((uv_stream_t *)&f->server, 4, on_connection) == 0);
    assert(uv_tcp_getsockname(&f->server, (struct sockaddr *)&address, &length) == 0);
    f->port = ntohs(address.sin_port);
}

void fake_tcp_say(struct fake_tcp *f, const char *bytes, size_t length)
{
    char *copy = malloc(length);
    uv_buf_t buf = uv_buf_init(copy, (unsigned)length);

    assert(copy);
    memcpy(copy, bytes, length);
    if (f->has_peer && !uv_is_closing((uv_handle_t *)&f->peer))
        (void)uv_try_write((uv_stream_t *)&f->peer, &buf, 1);
    free(copy);
}

void fake_tcp_close(struct fake_tcp *f)
{
    fake_tcp_hang_up(f);
    if (f->is_listening)
        uv_close((uv_handle_t *)&f->server, NULL);
    f->is_listening = false;
}
