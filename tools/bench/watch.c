/* From an event sent to its fact seen: one connection posts, another watches. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

static void start_watching(int fd)
{
    static const char question[] = "GET /v1/watch?kpi=dispatch_success&scope=company HTTP/1.1\r\n"
                                   "Host: kpid\r\nAccept: text/event-stream\r\n\r\n";
    char bytes[4096];

    if (!socket_write(fd, question, sizeof question - 1) || read(fd, bytes, sizeof bytes) <= 0)
        die("bench: the watch did not begin");
}

/* Reads until the stream says "event: fact". */
static void await_fact(int fd, char *bytes, size_t size)
{
    size_t have = 0;

    do {
        ssize_t n = read(fd, bytes + have, size - 1 - have);

        if (n <= 0)
            die("bench: the watch ended");
        have += (size_t)n;
        bytes[have] = '\0';
        if (have > size / 2)
            have = 0;
    } while (!strstr(bytes, "event: fact") || !strstr(bytes, "\n\n"));
}

/* What the one event changed comes as several facts: lets the rest pass. */
static void drain(int fd, char *bytes, size_t size)
{
    struct timespec pause = { .tv_nsec = 3000000 };

    nanosleep(&pause, NULL);
    while (recv(fd, bytes, size, MSG_DONTWAIT) > 0)
        ;
}

static size_t make_post(char *to, size_t size, int n)
{
    char body[512], when[32];
    time_t now = time(NULL);
    struct tm tm;
    int length;

    gmtime_r(&now, &tm);
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &tm);
    length = snprintf(body, sizeof body,
                      "{\"source\":\"bench\",\"id\":\"w%ld-%d\",\"type\":\"dispatch.settled\","
                      "\"at\":\"%s\",\"ticket\":\"W%ld-%d\",\"outcome\":\"success\"}\n",
                      (long)now, n, when, (long)now, n);
    return (size_t)snprintf(to, size,
                            "POST /v1/events HTTP/1.1\r\nHost: kpid\r\n"
                            "Content-Type: application/x-ndjson\r\nContent-Length: %d\r\n\r\n%s",
                            length, body);
}

/* watch SOCKET COUNT: prints p50 and p99 in microseconds. */
int cmd_watch(int argc, char **argv)
{
    static char bytes[65536];
    struct samples samples = { 0 };
    char post[1024], answer[4096];
    int watch, poster;

    if (argc != 3)
        die("usage: kpi-bench watch SOCKET COUNT");
    watch = socket_connect(argv[1]);
    poster = socket_connect(argv[1]);
    start_watching(watch);
    for (int i = 0; i < atoi(argv[2]); i++) {
        size_t length = make_post(post, sizeof post, i);
        int64_t began = now_ns();

        if (!socket_write(poster, post, length))
            die("bench: the daemon closed the connection");
        await_fact(watch, bytes, sizeof bytes);
        samples_add(&samples, now_ns() - began);
        if (!answer_read(poster, answer, sizeof answer))
            die("bench: no answer to a POST");
        drain(watch, bytes, sizeof bytes);
    }
    printf("%.0f %.0f\n", samples_percentile(&samples, 0.5), samples_percentile(&samples, 0.99));
    return 0;
}
