/* The modbus driver beside a bare libmodbus loop, on the same server; with silent units, and with
 * many buses. The server is a child process that answers every read with zeros and counts, for each
 * unit, what it answered; so that a peer (collectd) can be measured on it as well.
 *
 *   modbus rate bare|driver tcp|rtu SECONDS SILENCE_US     transactions/s, CPU us each
 *   modbus poll SECONDS BUSES UNITS DEAD INTERVAL_MS TIMEOUT_MS   how the well units fared
 *   modbus serve FILE WARM SECONDS BUSES UNITS DEAD INTERVAL_MS   the same for somebody else
 *
 * DEAD units, spread over the buses, never answer. */
#include <errno.h>
#include <modbus.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "bench.h"
#include "config/conf_tree.h"
#include "drivers/mb_frame.h"
#include "drivers/mb_source.h"
#include "live.h"

enum { BUSES_MAX = 128, UNITS_MAX = 247, REGISTERS = 16, CONNECTIONS_MAX = 1024 };

/* --- The server */

struct shared {
    atomic_ulong answered[BUSES_MAX][UNITS_MAX + 1];
};

struct server {
    struct shared *shared;
    int listeners[BUSES_MAX];
    int ports[BUSES_MAX];
    int bus_count;
    int unit_count; /* of each bus */
    int dead;       /* units in all; the last ones of the buses in turn */
    int master;     /* of a pseudo terminal instead; -1: none */
    char slave[64];
    pid_t pid;
};

static bool is_dead(const struct server *s, int bus, int unit)
{
    int rank = (s->unit_count - unit) * s->bus_count + bus;

    return rank < s->dead;
}

struct peer {
    int fd, bus;
    uint8_t bytes[600];
    size_t length;
};

/* One request at the front of what came; its length, 0 if it is not whole. The answer is a frame of
 * zeros, made up in place. */
static size_t answer_one(struct server *s, struct peer *p)
{
    uint8_t frame[300] = { 0 };
    bool is_tcp = s->master < 0;
    size_t head = is_tcp ? 6 : 0, length = head + 6 + (is_tcp ? 0 : 2), used;
    const uint8_t *request = p->bytes + head;
    uint16_t crc;

    if (p->length < length)
        return 0;
    if (is_dead(s, p->bus, request[0]))
        return length;
    memcpy(frame, p->bytes, head + 2);
    frame[head + 2] = (uint8_t)(2 * request[5]);
    used = head + 3 + frame[head + 2];
    if (is_tcp) {
        frame[4] = 0;
        frame[5] = (uint8_t)(used - 6);
    } else {
        crc = mb_frame_crc(frame, used);
        frame[used++] = (uint8_t)crc;
        frame[used++] = (uint8_t)(crc >> 8);
    }
    if (write(p->fd, frame, used) == (ssize_t)used)
        atomic_fetch_add(&s->shared->answered[p->bus][request[0]], 1);
    return length;
}

static bool hear(struct server *s, struct peer *p)
{
    ssize_t n = read(p->fd, p->bytes + p->length, sizeof p->bytes - p->length);
    size_t used;

    if (n <= 0)
        return false;
    p->length += (size_t)n;
    while ((used = answer_one(s, p)) > 0)
        memmove(p->bytes, p->bytes + used, p->length -= used);
    return true;
}

static void watch(int epoll, struct peer *p)
{
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = p };

    if (epoll_ctl(epoll, EPOLL_CTL_ADD, p->fd, &event) < 0)
        die("epoll: %s", strerror(errno));
}

static struct peer *new_peer(int fd, int bus)
{
    static const int on = 1;
    struct peer *p = mem_zalloc(sizeof *p);

    p->fd = fd;
    p->bus = bus;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return p;
}

static void serve(struct server *s)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct peer listeners[BUSES_MAX];

    for (int i = 0; i < s->bus_count && s->master < 0; i++) {
        listeners[i] = (struct peer){ .fd = s->listeners[i], .bus = i };
        watch(epoll, &listeners[i]);
    }
    if (s->master >= 0)
        watch(epoll, new_peer(s->master, 0));
    for (;;) {
        struct epoll_event events[64];
        int count = epoll_wait(epoll, events, 64, -1);

        for (int i = 0; i < count; i++) {
            struct peer *p = events[i].data.ptr;

            if (p >= listeners && p < listeners + BUSES_MAX) {
                watch(epoll, new_peer(accept(p->fd, NULL, NULL), p->bus));
            } else if (!hear(s, p) && s->master < 0) {
                close(p->fd);
                free(p);
            }
        }
    }
}

static void listen_one(struct server *s, int i)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t size = sizeof address;

    s->listeners[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(s->listeners[i], (struct sockaddr *)&address, size) < 0 ||
        listen(s->listeners[i], 64) < 0 ||
        getsockname(s->listeners[i], (struct sockaddr *)&address, &size) < 0)
        die("listen: %s", strerror(errno));
    s->ports[i] = ntohs(address.sin_port);
}

static void open_pty(struct server *s)
{
    struct termios raw;
    int slave;

    if (openpty(&s->master, &slave, s->slave, NULL, NULL) < 0 || tcgetattr(slave, &raw) < 0)
        die("openpty: %s", strerror(errno));
    cfmakeraw(&raw);
    (void)tcsetattr(slave, TCSANOW, &raw); /* stays open: else the master reads EIO */
}

static void server_start(struct server *s, int buses, int units, int dead, bool is_pty)
{
    *s = (struct server){ .bus_count = buses, .unit_count = units, .dead = dead, .master = -1 };
    s->shared = mmap(NULL, sizeof *s->shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                     s->master, 0); /* -1: no file is behind it */
    if (s->shared == MAP_FAILED || buses > BUSES_MAX || units > UNITS_MAX)
        die("bench: at most %d buses of %d units", BUSES_MAX, UNITS_MAX);
    if (is_pty)
        open_pty(s);
    for (int i = 0; i < buses && !is_pty; i++)
        listen_one(s, i);
    s->pid = fork();
    if (s->pid == 0)
        serve(s);
}

static void server_stop(struct server *s)
{
    kill(s->pid, SIGKILL);
}

/* --- How the well units fared */

static void snapshot(const struct server *s, unsigned long *to)
{
    for (int b = 0; b < s->bus_count; b++)
        for (int u = 1; u <= s->unit_count; u++)
            *to++ = atomic_load(&s->shared->answered[b][u]);
}

/* Prints the share of its polls that the worst of the well units got, that of all, and how many
 * answers there were. */
static unsigned long tell(const struct server *s, const unsigned long *from,
                          const unsigned long *to, double seconds, double interval_s)
{
    double wanted = seconds / interval_s, worst = 1e9;
    unsigned long total = 0;
    size_t well = 0;

    for (int b = 0; b < s->bus_count; b++)
        for (int u = 1; u <= s->unit_count; u++, from++, to++) {
            double share = (double)(*to - *from) / wanted;

            total += *to - *from;
            if (is_dead(s, b, u))
                continue;
            worst = share < worst ? share : worst;
            well++;
        }
    printf("%.3f %.3f %lu", worst, (double)total / wanted / (double)well, total);
    return total;
}

static double cpu_us(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

/* --- The bare loop */

static modbus_t *connect_bare(const struct server *s)
{
    modbus_t *m = s->master >= 0 ? modbus_new_rtu(s->slave, 115200, 'N', 8, 1)
                                 : modbus_new_tcp("127.0.0.1", s->ports[0]);

    if (!m || modbus_set_slave(m, 1) < 0 || modbus_connect(m) < 0)
        die("libmodbus: %s", modbus_strerror(errno));
    return m;
}

static void rate_bare(const struct server *s, double seconds, long silence_us)
{
    modbus_t *m = connect_bare(s);
    int64_t until = now_ns() + (int64_t)(seconds * 1e9), began = now_ns();
    double cpu = cpu_us();
    unsigned long count = 0;
    uint16_t registers[REGISTERS];

    for (; now_ns() < until; count++) {
        const struct timespec silence = { 0, silence_us * 1000 };

        if (modbus_read_registers(m, 0, REGISTERS, registers) != REGISTERS)
            die("libmodbus: %s", modbus_strerror(errno));
        if (silence_us > 0)
            (void)nanosleep(&silence, NULL);
    }
    printf("%.0f %.1f\n", (double)count * 1e9 / (double)(now_ns() - began),
           (cpu_us() - cpu) / (double)count);
    modbus_close(m);
    modbus_free(m);
}

/* --- The driver, in a house that takes its readings */

struct house {
    uv_loop_t loop;
    struct live *live;
    struct bus {
        struct house *house;
        char name[16];
        struct health health;
        struct source *source;
    } buses[BUSES_MAX];
    int count, stopped;
};

static void take_readings(void *bus, const struct reading *readings, size_t count)
{
    const struct bus *b = bus;

    live_put(b->house->live, b->name, readings, count);
}

static void next_attempt(void *bus, int64_t at)
{
    (void)bus;
    (void)at;
}

static const struct sink sink = { .readings = take_readings, .next_attempt = next_attempt };

/* Units 1 to `units` of the map "led". Gives. */
static struct option_tree *units_of(int bus, int units)
{
    struct text_buffer text = { 0 };
    struct faults faults = { 0 };
    struct option_tree *tree;

    text_buffer_adds(&text, "units = ( ");
    for (int u = 1; u <= units; u++)
        text_buffer_addf(&text, "%s{ name = \"b%du%d\"; id = %d; }", u > 1 ? ", " : "", bus, u, u);
    text_buffer_adds(&text, " );");
    tree = conf_tree_parse("bench", text.bytes, text.length, &faults);
    text_buffer_finish(&text);
    return tree;
}

static void add_bus(struct house *h, const struct server *s, int bus, int interval_ms,
                    int timeout_ms, long silence_us)
{
    struct option_tree *tree = units_of(bus, s->unit_count);
    struct mb_source_config config = {
        .transport = s->master >= 0 ? MB_RTU : MB_TCP,
        .device = (char *)(uintptr_t)s->slave,
        .host = (char *)(uintptr_t) "127.0.0.1",
        .port = (uint32_t)s->ports[bus],
        .baud = 115200,
        .stop_bits = 1,
        .silence = silence_us > 0 ? 0 : 1,
        .connect_timeout_ms = 3000,
        .interval_ms = interval_ms,
        .fast_interval_ms = 1000,
        .slow_interval_ms = 60000,
        .timeout_ms = timeout_ms,
        .backoff_max_ms = 15000,
        .retries = 2,
        .gap = 8,
        .registers_max = 125,
        .units = tree->children[0],
    };
    struct bus *b = &h->buses[bus];
    const struct driver_env env = { .name = b->name,
                                    .loop = &h->loop,
                                    .clock = &clock_system,
                                    .sink = &sink,
                                    .house = b,
                                    .health = &b->health };
    struct err err;

    b->house = h;
    snprintf(b->name, sizeof b->name, "b%d", bus);
    health_init(&b->health, b->name, &clock_system);
    if (driver_modbus.create(&b->source, &config, &env, &err) < 0)
        die("bench: %s", err.text);
    option_tree_destroy(tree);
    driver_modbus.start(b->source);
    h->count++;
}

static void on_time(uv_timer_t *timer)
{
    uv_stop(timer->loop);
}

static void turn(struct house *h, double seconds)
{
    uv_timer_t timer;

    uv_timer_init(&h->loop, &timer);
    uv_timer_start(&timer, on_time, (uint64_t)(seconds * 1e3), 0);
    uv_run(&h->loop, UV_RUN_DEFAULT);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&h->loop, UV_RUN_NOWAIT);
}

static void house_start(struct house *h, const struct server *s, int interval_ms, int timeout_ms,
                        long silence_us)
{
    *h = (struct house){ .live = live_create(&clock_system) };
    uv_loop_init(&h->loop);
    for (int i = 0; i < s->bus_count; i++)
        add_bus(h, s, i, interval_ms, timeout_ms, silence_us);
}

static void on_stopped(void *arg)
{
    struct house *h = arg;

    if (++h->stopped == h->count)
        uv_stop(&h->loop);
}

static void house_stop(struct house *h)
{
    for (int i = 0; i < h->count; i++)
        driver_modbus.stop(h->buses[i].source, on_stopped, h);
    while (h->stopped < h->count)
        uv_run(&h->loop, UV_RUN_ONCE);
    live_destroy(h->live);
}

/* Sixty-four units polled each millisecond are more than any bus can do: it never rests. */
static void rate_driver(const struct server *s, double seconds, long silence_us)
{
    struct house h;
    unsigned long from[64], to[64], count = 0;
    int64_t began;
    double cpu;

    house_start(&h, s, 1, 300, silence_us);
    turn(&h, 0.3);
    snapshot(s, from);
    began = now_ns();
    cpu = cpu_us();
    turn(&h, seconds);
    snapshot(s, to);
    for (int i = 0; i < s->unit_count; i++)
        count += to[i] - from[i];
    printf("%.0f %.1f\n", (double)count * 1e9 / (double)(now_ns() - began),
           (cpu_us() - cpu) / (double)count);
    house_stop(&h);
}

/* --- Commands */

static int cmd_rate(char **argv)
{
    bool is_bare = strcmp(argv[0], "bare") == 0;
    struct server s;

    server_start(&s, 1, 64, 0, strcmp(argv[1], "rtu") == 0);
    (is_bare ? rate_bare : rate_driver)(&s, atof(argv[2]), atol(argv[3]));
    server_stop(&s);
    return 0;
}

/* Polls that were skipped because a bus was busy past their time. */
static double missed(const struct house *h)
{
    double total = 0;

    for (int i = 0; i < h->count; i++) {
        struct live_value value;

        (void)live_find(h->live, h->buses[i].name, "bus", "missed", &value);
        total += value.number;
    }
    return total;
}

enum { WARM_S = 4 };

static int cmd_poll(char **argv)
{
    int buses = atoi(argv[1]), units = atoi(argv[2]), interval_ms = atoi(argv[4]);
    size_t size = (size_t)(buses * units) * sizeof(unsigned long);
    unsigned long *from = mem_alloc(size), *to = mem_alloc(size), total;
    struct server s;
    struct house h;
    int64_t began;
    double cpu;

    server_start(&s, buses, units, atoi(argv[3]), false);
    house_start(&h, &s, interval_ms, atoi(argv[5]), 0);
    turn(&h, WARM_S);
    snapshot(&s, from);
    began = now_ns();
    cpu = cpu_us();
    turn(&h, atof(argv[0]));
    snapshot(&s, to);
    cpu = cpu_us() - cpu;
    total = tell(&s, from, to, (double)(now_ns() - began) / 1e9, interval_ms / 1e3);
    printf(" %.1f %.0f\n", cpu / (double)total, missed(&h));
    house_stop(&h);
    server_stop(&s);
    free(from);
    free(to);
    return 0;
}

static int cmd_serve(char **argv)
{
    int buses = atoi(argv[3]), units = atoi(argv[4]);
    size_t size = (size_t)(buses * units) * sizeof(unsigned long);
    unsigned long *from = mem_alloc(size), *to = mem_alloc(size);
    struct server s;
    FILE *ports;
    int64_t began;

    server_start(&s, buses, units, atoi(argv[5]), false);
    ports = fopen(argv[0], "we");
    for (int i = 0; ports && i < buses; i++)
        fprintf(ports, "%d\n", s.ports[i]);
    if (!ports || fclose(ports) != 0)
        die("%s: %s", argv[0], strerror(errno));
    sleep((unsigned)atoi(argv[1]));
    snapshot(&s, from);
    began = now_ns();
    sleep((unsigned)atoi(argv[2]));
    snapshot(&s, to);
    (void)tell(&s, from, to, (double)(now_ns() - began) / 1e9, atof(argv[6]) / 1e3);
    putchar('\n');
    server_stop(&s);
    free(from);
    free(to);
    return 0;
}

int cmd_modbus(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    log_set_level(LOG_LEVEL_ERR);
    if (argc == 6 && strcmp(argv[1], "rate") == 0)
        return cmd_rate(argv + 2);
    if (argc == 8 && strcmp(argv[1], "poll") == 0)
        return cmd_poll(argv + 2);
    if (argc == 9 && strcmp(argv[1], "serve") == 0)
        return cmd_serve(argv + 2);
    die("usage: kpi-bench modbus rate|poll|serve ...");
}
