/* Asks one question over and over on kept-alive connections: our socket, the bare server with a
 * fixed answer, or Redis, all by the same loop. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

enum { ASKERS_MAX = 64 };

struct asker {
    int fd;
    int64_t began;
    char answer[16384];
    size_t have;
    size_t length;              /* of the last whole answer */
};

static void ask(struct asker *a, const char *question, size_t length)
{
    a->have = 0;
    a->began = now_ns();
    if (!socket_write(a->fd, question, length))
        die("bench: the server closed the connection");
}

static bool answered(struct asker *a)
{
    ssize_t n = read(a->fd, a->answer + a->have, sizeof a->answer - a->have);

    if (n <= 0)
        die("bench: the server closed the connection");
    a->have += (size_t)n;
    a->length = answer_length(a->answer, a->have);
    return a->length > 0;
}

static int64_t run(struct asker *askers, int count, const char *question, int64_t total,
                   struct samples *samples)
{
    struct pollfd polls[ASKERS_MAX] = { 0 };
    size_t length = strlen(question);
    int64_t began = now_ns(), done = 0;

    for (int i = 0; i < count; i++) {
        polls[i] = (struct pollfd){ .fd = askers[i].fd, .events = POLLIN };
        ask(&askers[i], question, length);
    }
    while (done < total) {
        if (poll(polls, (nfds_t)count, 10000) <= 0)
            die("bench: no answer within 10 s");
        for (int i = 0; i < count; i++) {
            if (!polls[i].revents || !answered(&askers[i]))
                continue;
            samples_add(samples, now_ns() - askers[i].began);
            if (++done < total)
                ask(&askers[i], question, length);
        }
    }
    return now_ns() - began;
}

/* ask SOCKET QUESTION CONNECTIONS TOTAL: QUESTION is a path ("/v1/..."), or the words of a Redis
 * command. Prints answers a second, p50 and p99 in microseconds, bytes of one answer, and the
 * slowest answer in microseconds. */
int cmd_ask(int argc, char **argv)
{
    static struct asker askers[ASKERS_MAX];
    struct samples samples = { 0 };
    char question[1024];
    int64_t total, took;
    int connections;

    if (argc != 5)
        die("usage: kpi-bench ask SOCKET PATH|REDIS-COMMAND CONNECTIONS TOTAL");
    connections = atoi(argv[3]);
    total = atoll(argv[4]);
    if (connections < 1 || connections > ASKERS_MAX)
        die("bench: 1 to %d connections", ASKERS_MAX);
    snprintf(question, sizeof question,
             argv[2][0] == '/' ? "GET %s HTTP/1.1\r\nHost: kpid\r\n\r\n" : "%s\r\n", argv[2]);
    for (int i = 0; i < connections; i++)
        askers[i].fd = socket_connect(argv[1]);
    (void)run(askers, connections, question, total / 10, &samples);     /* warms up */
    for (int i = 0; i < connections; i++) {
        close(askers[i].fd);
        askers[i].fd = socket_connect(argv[1]);
    }
    samples_clear(&samples);
    took = run(askers, connections, question, total, &samples);
    printf("%.0f %.1f %.1f %zu %.0f\n", (double)total * 1e9 / (double)took,
           samples_percentile(&samples, 0.5), samples_percentile(&samples, 0.99),
           askers[0].length, samples_percentile(&samples, 1));
    return 0;
}
