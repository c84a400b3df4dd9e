/* The bare counterpart of the gateway: a libuv server on TCP that sends back whatever comes, and
 * does nothing else. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "bench.h"

enum { BACKLOG = 511 };

static char bytes[65536];       /* every read goes there, and is written before the next */

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
    (void)handle;
    (void)size;
    *buf = uv_buf_init(bytes, sizeof bytes);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    uv_buf_t out = uv_buf_init(buf->base, n > 0 ? (unsigned)n : 0);

    if (n < 0)
        uv_close((uv_handle_t *)stream, on_closed);
    else if (n > 0 && uv_try_write(stream, &out, 1) != (int)n)
        die("bench: echo: a peer does not read");
}

static void on_connection(uv_stream_t *server, int status)
{
    uv_tcp_t *peer = malloc(sizeof *peer);

    if (status < 0 || !peer)
        die("bench: echo");
    uv_tcp_init(server->loop, peer);
    if (uv_accept(server, (uv_stream_t *)peer) < 0)
        die("bench: echo");
    uv_tcp_nodelay(peer, 1);
    uv_read_start((uv_stream_t *)peer, on_alloc, on_read);
}

/* echo PORT: runs until it is killed. */
int cmd_echo(int argc, char **argv)
{
    struct sockaddr_in address;
    uv_loop_t *loop = uv_default_loop();
    uv_tcp_t server;

    if (argc != 2)
        die("usage: kpi-bench echo PORT");
    signal(SIGPIPE, SIG_IGN);
    uv_ip4_addr("127.0.0.1", atoi(argv[1]), &address);
    uv_tcp_init(loop, &server);
    if (uv_tcp_bind(&server, (struct sockaddr *)&address, 0) < 0 ||
        uv_listen((uv_stream_t *)&server, BACKLOG, on_connection) < 0)
        die("bench: echo: port %s", argv[1]);
    return uv_run(loop, UV_RUN_DEFAULT);
}
