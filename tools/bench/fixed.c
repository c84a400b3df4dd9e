/* The bare counterpart of a query: a libuv server that answers every request with the same bytes
 * of HTTP, as many as the daemon's own answer has. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "bench.h"

static char answer[16384];
static size_t answer_size;

struct peer {
    uv_pipe_t pipe;
    char bytes[4096];
};

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
    struct peer *peer = handle->data;

    (void)size;
    *buf = uv_buf_init(peer->bytes, sizeof peer->bytes);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void on_written(uv_write_t *write, int status)
{
    (void)status;
    free(write);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    uv_buf_t out = uv_buf_init(answer, (unsigned)answer_size);
    uv_write_t *write;

    if (n < 0) {
        uv_close((uv_handle_t *)stream, on_closed);
        return;
    }
    if (n < 4 || memcmp(buf->base + n - 4, "\r\n\r\n", 4) != 0)
        return;
    write = malloc(sizeof *write);
    if (!write || uv_write(write, stream, &out, 1, on_written) < 0)
        die("bench: fixed answer");
}

static void on_connection(uv_stream_t *server, int status)
{
    struct peer *peer = calloc(1, sizeof *peer);

    if (status < 0 || !peer)
        die("bench: fixed answer");
    uv_pipe_init(server->loop, &peer->pipe, 0);
    peer->pipe.data = peer;
    if (uv_accept(server, (uv_stream_t *)&peer->pipe) < 0)
        die("bench: fixed answer");
    uv_read_start((uv_stream_t *)&peer->pipe, on_alloc, on_read);
}

/* fixed SOCKET BYTES: serves until it is killed. BYTES counts the whole answer. */
int cmd_fixed(int argc, char **argv)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                               "Content-Length: %5zu\r\n\r\n";
    size_t head_size = sizeof head - 1;         /* "%5zu" is replaced by five digits */
    uv_pipe_t server;

    if (argc != 3)
        die("usage: kpi-bench fixed SOCKET BYTES");
    answer_size = (size_t)atoi(argv[2]);
    head_size += 1;
    if (answer_size <= head_size || answer_size > sizeof answer)
        die("bench: %zu to %zu bytes", head_size + 1, sizeof answer);
    memset(answer, 'x', sizeof answer);
    answer[sprintf(answer, head, answer_size - head_size)] = 'x';
    signal(SIGPIPE, SIG_IGN);
    uv_pipe_init(uv_default_loop(), &server, 0);
    if (uv_pipe_bind(&server, argv[1]) < 0 ||
        uv_listen((uv_stream_t *)&server, 128, on_connection) < 0)
        die("bench: cannot listen on %s", argv[1]);
    return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
