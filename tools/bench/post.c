/* Ingest through the whole path: POST /v1/events, each client waiting for its answer, which comes
 * when the events are durable. One thread and poll for all clients, so that the client costs
 * little of the machine. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

enum { CLIENTS_MAX = 64 };

struct poster {
    int fd;
    int64_t began;
    char answer[8192];
    size_t have;
};

/* One whole request, made before the clock starts. */
struct request {
    char *bytes;
    size_t length;
};

static struct request make_request(struct history *h, int64_t batch)
{
    char *body = malloc((size_t)batch * 320);
    struct request request = { 0 };
    size_t length = 0;
    int head;

    if (!body)
        die("bench: out of memory");
    for (int64_t i = 0; i < batch; i++)
        length += history_next(h, body + length);
    request.bytes = malloc(length + 256);
    if (!request.bytes)
        die("bench: out of memory");
    head = sprintf(request.bytes,
                   "POST /v1/events HTTP/1.1\r\nHost: kpid\r\n"
                   "Content-Type: application/x-ndjson\r\nContent-Length: %zu\r\n\r\n", length);
    memcpy(request.bytes + head, body, length);
    request.length = (size_t)head + length;
    free(body);
    return request;
}

static void send_next(struct poster *p, const struct request *request)
{
    p->began = now_ns();
    p->have = 0;
    if (!socket_write(p->fd, request->bytes, request->length))
        die("bench: the daemon closed the connection");
}

/* True once the answer is whole. */
static bool read_some(struct poster *p)
{
    ssize_t n = read(p->fd, p->answer + p->have, sizeof p->answer - 1 - p->have);

    if (n <= 0)
        die("bench: the daemon closed the connection");
    p->have += (size_t)n;
    p->answer[p->have] = '\0';
    if (!answer_length(p->answer, p->have))
        return false;
    if (strncmp(p->answer, "HTTP/1.1 200", 12) != 0)
        die("bench: %s", p->answer);
    return true;
}

static void run(const char *path, struct request *requests, size_t count, int clients,
                struct samples *samples)
{
    struct poster *posters = calloc((size_t)clients, sizeof *posters);
    struct pollfd polls[CLIENTS_MAX] = { 0 };
    size_t sent = 0, answered = 0;

    if (!posters)
        die("bench: out of memory");
    for (int i = 0; i < clients; i++) {
        posters[i].fd = polls[i].fd = socket_connect(path);
        polls[i].events = POLLIN;
        if (sent < count)
            send_next(&posters[i], &requests[sent++]);
    }
    while (answered < count) {
        if (poll(polls, (nfds_t)clients, 30000) <= 0)
            die("bench: no answer within 30 s");
        for (int i = 0; i < clients; i++) {
            if (!polls[i].revents || !read_some(&posters[i]))
                continue;
            samples_add(samples, now_ns() - posters[i].began);
            answered++;
            if (sent < count)
                send_next(&posters[i], &requests[sent++]);
        }
    }
    for (int i = 0; i < clients; i++)
        close(posters[i].fd);
    free(posters);
}

/* post SOCKET COUNT BATCH CLIENTS [SPAN_DAYS [SEED]]: prints events a second, p50 and p99 of one
 * POST in microseconds. */
int cmd_post(int argc, char **argv)
{
    struct samples samples = { 0 };
    struct request *requests;
    struct history h;
    int64_t count, batch, began, took;
    size_t n;
    double days;

    if (argc < 5)
        die("usage: kpi-bench post SOCKET COUNT BATCH CLIENTS [SPAN_DAYS [SEED]]");
    count = atoll(argv[2]);
    batch = atoll(argv[3]);
    days = argc > 5 ? atof(argv[5]) : 1.0 / 24;
    n = (size_t)((count + batch - 1) / batch);
    history_init(&h, argc > 6 ? strtoull(argv[6], NULL, 10) : 7, count,
                 (int64_t)time(NULL) * 1000 - 30000, (int64_t)(days * 86400000));
    requests = calloc(n, sizeof *requests);
    if (!requests)
        die("bench: out of memory");
    for (size_t i = 0; i < n; i++)
        requests[i] = make_request(&h, batch);
    began = now_ns();
    run(argv[1], requests, n, atoi(argv[4]), &samples);
    took = now_ns() - began;
    printf("%.0f %.0f %.0f\n", (double)count * 1e9 / (double)took,
           samples_percentile(&samples, 0.5), samples_percentile(&samples, 0.99));
    for (size_t i = 0; i < n; i++)
        free(requests[i].bytes);
    free(requests);
    return 0;
}

/* history COUNT SPAN_DAYS SEED: prints the made-up history as NDJSON. */
int cmd_history(int argc, char **argv)
{
    struct history h;
    char line[320];
    size_t length;

    if (argc != 4)
        die("usage: kpi-bench history COUNT SPAN_DAYS SEED");
    history_init(&h, strtoull(argv[3], NULL, 10), atoll(argv[1]),
                 (int64_t)time(NULL) * 1000 - 30000, (int64_t)(atof(argv[2]) * 86400000));
    while ((length = history_next(&h, line)) > 0)
        fwrite(line, 1, length, stdout);
    return 0;
}
