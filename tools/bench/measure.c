/* The clock, percentiles, and the small client. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

void die(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

int64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

void samples_add(struct samples *s, int64_t ns)
{
    if (s->count == s->capacity) {
        s->capacity = s->capacity ? s->capacity * 2 : 65536;
        s->items = realloc(s->items, s->capacity * sizeof *s->items);
        if (!s->items)
            die("bench: out of memory");
    }
    s->items[s->count++] = ns;
}

static int compare_ns(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

double samples_percentile(struct samples *s, double share)
{
    if (s->count == 0)
        return 0;
    qsort(s->items, s->count, sizeof *s->items, compare_ns);
    return (double)s->items[(size_t)(share * (double)(s->count - 1))] / 1000.0;
}

void samples_clear(struct samples *s)
{
    s->count = 0;
}

int socket_connect(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || strlen(path) >= sizeof address.sun_path)
        die("bench: no socket for %s", path);
    strcpy(address.sun_path, path);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        die("bench: cannot connect to %s: is the server running?", path);
    return fd;
}

bool socket_write(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t n = send(fd, bytes, length, MSG_NOSIGNAL);

        if (n <= 0)
            return false;
        bytes += n;
        length -= (size_t)n;
    }
    return true;
}

static size_t redis_length(const char *bytes, size_t length)
{
    const char *end = memchr(bytes, '\n', length);
    size_t whole;

    if (!end)
        return 0;
    whole = (size_t)(end - bytes) + 1 + (size_t)strtoul(bytes + 1, NULL, 10) + 2;
    return length >= whole ? whole : 0;
}

size_t answer_length(const char *bytes, size_t length)
{
    const char *end, *field;
    size_t whole;

    if (length > 0 && bytes[0] == '$')
        return redis_length(bytes, length);
    end = memmem(bytes, length, "\r\n\r\n", 4);
    if (!end)
        return 0;
    field = memmem(bytes, (size_t)(end - bytes), "Content-Length: ", 16);
    whole = (size_t)(end - bytes) + 4 + (field ? (size_t)strtoul(field + 16, NULL, 10) : 0);
    return length >= whole ? whole : 0;
}

size_t answer_read(int fd, char *buffer, size_t size)
{
    size_t have = 0, whole;

    do {
        ssize_t n = read(fd, buffer + have, size - have);

        if (n <= 0)
            return 0;
        have += (size_t)n;
        whole = answer_length(buffer, have);
    } while (whole == 0 && have < size);
    return whole;
}
