/* Load for the kill test: posts events on several connections until the daemon dies, and writes
 * down which it acknowledged. What stands in the file was answered with 200 before it was written,
 * so every line of it must be found in the log, whenever the daemon was killed.
 *
 *   kill_load SOCKET FILE SEED CONNECTIONS
 *
 * Ids are unique across runs (SEED is part of them); tickets and devices are few, so that events
 * meet each other: late, reopened, amended, accusing, faulting. Ends by itself when the socket is
 * gone, with status 0. */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS_MAX = 40, LINE_SIZE = 320, CONNECTIONS_MAX = 16 };

struct load {
    const char *socket;
    FILE *acknowledged;
    unsigned seed;
    int number;
    uint64_t state;
    pthread_t thread;
};

static pthread_mutex_t file_lock = PTHREAD_MUTEX_INITIALIZER;

static unsigned draw(struct load *load, unsigned bound)
{
    load->state = load->state * 6364136223846793005U + 1442695040888963407U;
    return (unsigned)(load->state >> 33) % bound;
}

static int ticket_event(struct load *load, char *line, const char *head)
{
    static const char *const kinds[] = { "dispatch", "lookup", "install", "repair", "inspection" };
    static const char *const outcomes[] = { "success", "success", "failure", "excluded" };
    const char *kind = kinds[draw(load, 5)];
    const char *outcome = outcomes[draw(load, 4)];
    unsigned ticket = draw(load, 60), device = draw(load, 12), site = draw(load, 3);

    switch (draw(load, 6)) {
    case 0:
        return sprintf(line, "%s\"type\":\"%s.reopened\",\"ticket\":\"T%u\"}\n", head, kind,
                       ticket);
    case 1:
        return sprintf(line,
                       "%s\"type\":\"%s.amended\",\"ticket\":\"T%u\",\"outcome\":\"%s\","
                       "\"reason\":\"checked\",\"by\":\"chen\"}\n",
                       head, kind, ticket, outcome);
    case 2:
    case 3:
        return sprintf(line,
                       "%s\"type\":\"%s.opened\",\"ticket\":\"T%u\",\"device\":\"D%u\","
                       "\"site\":\"s%u\",\"staff\":\"p%u\"}\n",
                       head, kind, ticket, device, site, draw(load, 4));
    default:
        return sprintf(line, "%s\"type\":\"%s.settled\",\"ticket\":\"T%u\",\"outcome\":\"%s\"}\n",
                       head, kind, ticket, outcome);
    }
}

static int device_event(struct load *load, char *line, const char *head)
{
    static const char *const types[] = { "commissioned", "faulted", "recovered", "faulted",
                                         "decommissioned" };

    return sprintf(line, "%s\"type\":\"device.%s\",\"device\":\"D%u\",\"code\":\"c%u\"}\n", head,
                   types[draw(load, 5)], draw(load, 12), draw(load, 2));
}

static int make_event(struct load *load, char *line, const char *id)
{
    char head[160], when[32];
    time_t at = time(NULL) - (time_t)draw(load, 2) * (time_t)draw(load, 300000);
    struct tm tm;

    gmtime_r(&at, &tm);
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &tm);
    snprintf(head, sizeof head, "{\"source\":\"load\",\"id\":\"%s\",\"at\":\"%s\",", id, when);
    return draw(load, 5) == 0 ? device_event(load, line, head) : ticket_event(load, line, head);
}

static int connect_to(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool answered_well(int fd)
{
    char answer[4096];
    size_t have = 0;

    for (;;) {
        ssize_t n = read(fd, answer + have, sizeof answer - 1 - have);
        const char *body;

        if (n <= 0)
            return false;
        have += (size_t)n;
        answer[have] = '\0';
        body = strstr(answer, "\r\n\r\n");
        if (body && strchr(body, '}'))
            return strncmp(answer, "HTTP/1.1 200", 12) == 0 && strstr(body, "\"quarantined\":[]");
    }
}

/* One POST; its ids are written down if it was acknowledged. False when the daemon is gone. */
static bool post_once(struct load *load, int fd, int serial)
{
    char body[EVENTS_MAX * LINE_SIZE], head[200];
    int count = 1 + (int)draw(load, EVENTS_MAX - 1), length = 0, head_length;

    for (int i = 0; i < count; i++) {
        char id[64];

        snprintf(id, sizeof id, "%u-%d-%d-%d", load->seed, load->number, serial, i);
        length += make_event(load, body + length, id);
    }
    head_length = snprintf(head, sizeof head,
                           "POST /v1/events HTTP/1.1\r\nHost: kpid\r\n"
                           "Content-Type: application/x-ndjson\r\nContent-Length: %d\r\n\r\n",
                           length);
    if (send(fd, head, (size_t)head_length, MSG_NOSIGNAL) < 0 ||
        send(fd, body, (size_t)length, MSG_NOSIGNAL) < 0 || !answered_well(fd))
        return false;
    pthread_mutex_lock(&file_lock);
    for (int i = 0; i < count; i++)
        fprintf(load->acknowledged, "%u-%d-%d-%d\n", load->seed, load->number, serial, i);
    pthread_mutex_unlock(&file_lock);
    return true;
}

static void *run(void *arg)
{
    struct load *load = arg;
    int fd = connect_to(load->socket);

    for (int serial = 0; fd >= 0 && post_once(load, fd, serial); serial++)
        ;
    if (fd >= 0)
        close(fd);
    return NULL;
}

int main(int argc, char **argv)
{
    static struct load loads[CONNECTIONS_MAX];
    int connections = argc == 5 ? atoi(argv[4]) : 0;
    FILE *file;

    if (connections < 1 || connections > CONNECTIONS_MAX) {
        fprintf(stderr, "usage: kill_load SOCKET FILE SEED CONNECTIONS\n");
        return 2;
    }
    file = fopen(argv[2], "a");
    if (!file) {
        perror(argv[2]);
        return 1;
    }
    for (int i = 0; i < connections; i++) {
        loads[i] = (struct load){ .socket = argv[1], .acknowledged = file,
                                  .seed = (unsigned)atoi(argv[3]), .number = i };
        loads[i].state = loads[i].seed * 7919U + (unsigned)i;
        pthread_create(&loads[i].thread, NULL, run, &loads[i]);
    }
    for (int i = 0; i < connections; i++)
        pthread_join(loads[i].thread, NULL);
    return fclose(file) == 0 ? 0 : 1;
}
