/* kpi-sim: a fleet platform and a workshop that do not exist, for trying kpid and testing it.
 *
 * The town's clock begins `history` before now and at once catches up, so that the first poll has
 * a morning to tell of; from then on it goes with the real one, or `speed` times as fast until it
 * has reached it. */
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/instant.h"
#include "base/span.h"
#include "drops.h"
#include "faults.h"
#include "platform.h"
#include "world.h"

struct options {
    struct platform_options platform;
    struct world_options world;
    const char *timezone, *port_file, *spool;
    int64_t history_ms, drop_every_ms, start_at;
    double speed;
    unsigned bad_every;
};

static volatile sig_atomic_t wants_to_end;

static void on_signal(int number)
{
    (void)number;
    wants_to_end = 1;
}

static const struct option_help {
    struct option option;
    const char *argument, *help;
} known[] = {
    { { "listen", 1, NULL, 'l' },
      "IP:PORT",
      "address of the platform, port 0: any (127.0.0.1:8080)" },
    { { "port-file", 1, NULL, 'P' }, "FILE", "write the port there once it listens" },
    { { "spool", 1, NULL, 's' },
      "FOLDER",
      "drop work orders (CSV) and inspections (NDJSON) there" },
    { { "drop-every", 1, NULL, 'd' }, "SPAN", "how often (5s)" },
    { { "bad-every", 1, NULL, 'b' }, "N", "each N-th row is wrong, 0: none (50)" },
    { { "seed", 1, NULL, 'S' }, "N", "of all that is chance (1)" },
    { { "taxis", 1, NULL, 't' }, "N", "of the town (2000); orders come at 12 a taxi and day" },
    { { "history", 1, NULL, 'h' }, "SPAN", "that has already happened at the start (6h)" },
    { { "start", 1, NULL, 'a' },
      "INSTANT",
      "begin there (RFC 3339) and go on from there at speed" },
    { { "speed", 1, NULL, 'x' }, "FACTOR", "how fast time goes after --start (1)" },
    { { "timezone", 1, NULL, 'z' }, "NAME", "of the town (Asia/Shanghai)" },
    { { "login", 1, NULL, 'L' }, "USER:PASSWORD", "the feeds want a session from /api/login" },
    { { "token", 1, NULL, 'T' }, "TOKEN", "the feeds want this bearer token" },
    { { "errors-in-body", 0, NULL, 'e' }, "", "say 200 even when there is no session" },
    { { "tls-cert", 1, NULL, 'c' }, "FILE", "speak HTTPS with this certificate (PEM)" },
    { { "tls-key", 1, NULL, 'k' }, "FILE", "and its key" },
    { { "fault", 1, NULL, 'f' }, "FAULT", fault_help },
    { { "help", 0, NULL, '?' }, "", "print this" },
};

enum { KNOWN = sizeof known / sizeof *known };

static int usage(FILE *out)
{
    fputs("usage: kpi-sim [OPTION...]\n", out);
    for (size_t i = 0; i < KNOWN; i++)
        fprintf(out, "  --%-14s %-14s %s\n", known[i].option.name, known[i].argument,
                known[i].help);
    fputs(
        "\nGET /api/orders /api/lookups /api/devices ?cursor=N&limit=N or ?from=MS&to=MS&page=N;\n"
        "POST /api/login; POST /control/fault (body: a FAULT); GET /control/stats\n",
        out);
    return out == stdout ? 0 : 2;
}

static bool parse_listen(const char *text, struct platform_options *to)
{
    static char address[64];
    const char *colon = strrchr(text, ':');

    if (!colon || colon - text >= (long)sizeof address)
        return false;
    snprintf(address, sizeof address, "%.*s", (int)(colon - text), text);
    to->address = address;
    to->port = (uint16_t)atoi(colon + 1);
    return true;
}

static bool parse_fault(const char *text)
{
    struct fault fault;

    if (!fault_parse(text, &fault))
        return false;
    fault_set(fault);
    return true;
}

/* One option; false if its argument is none. */
static bool set_option(struct options *o, int letter, const char *argument)
{
    switch (letter) {
    case 'l':
        return parse_listen(argument, &o->platform);
    case 'P':
        o->port_file = argument;
        return true;
    case 's':
        o->spool = argument;
        return true;
    case 'd':
        return span_parse(argument, &o->drop_every_ms);
    case 'b':
        o->bad_every = (unsigned)atoi(argument);
        return true;
    case 'S':
        o->world.seed = strtoull(argument, NULL, 10);
        return true;
    case 't':
        o->world.taxis = (uint32_t)atoi(argument);
        return o->world.taxis > 0;
    case 'h':
        return span_parse(argument, &o->history_ms);
    case 'a':
        return instant_parse(argument, strlen(argument), &o->start_at);
    case 'x':
        o->speed = atof(argument);
        return o->speed > 0;
    case 'z':
        o->timezone = argument;
        return true;
    case 'L':
        o->platform.login = argument;
        return strchr(argument, ':') != NULL;
    case 'T':
        o->platform.token = argument;
        return true;
    case 'e':
        o->platform.errors_in_body = true;
        return true;
    case 'c':
        o->platform.tls_cert = argument;
        return true;
    case 'k':
        o->platform.tls_key = argument;
        return true;
    case 'f':
        return parse_fault(argument);
    default:
        return false;
    }
}

/* 0 to go on, else the exit status plus one. */
static int read_options(struct options *o, int argc, char **argv)
{
    struct option table[KNOWN + 1] = { 0 };
    int letter;

    for (size_t i = 0; i < KNOWN; i++)
        table[i] = known[i].option;
    while ((letter = getopt_long(argc, argv, "", table, NULL)) != -1) {
        if (letter == '?')
            return optopt == 0 && strcmp(argv[optind - 1], "--help") == 0 ? usage(stdout) + 1
                                                                          : usage(stderr) + 1;
        if (!set_option(o, letter, optarg)) {
            fprintf(stderr, "kpi-sim: %s: \"%s\" is none\n", argv[optind - 1], optarg);
            return usage(stderr) + 1;
        }
    }
    return optind < argc ? usage(stderr) + 1 : 0;
}

static void write_port(const char *path, uint16_t port)
{
    FILE *file = fopen(path, "we");

    if (!file || fprintf(file, "%u\n", port) < 0 || fclose(file) != 0)
        fprintf(stderr, "kpi-sim: %s: %s\n", path, strerror(errno));
}

static int64_t town_time(const struct options *o, int64_t begun, int64_t now)
{
    int64_t at = o->start_at;

    if (at == 0)
        return now;
    at += (int64_t)((double)(now - begun) * o->speed);
    return at < now ? at : now;
}

/* Time goes by until a signal. */
static void live(const struct options *o, struct world *world, pthread_mutex_t *lock,
                 const struct zone *zone)
{
    int64_t begun = clock_wall(&clock_system), dropped = 0;

    while (!wants_to_end) {
        int64_t now = clock_wall(&clock_system);
        int rc = 0;

        pthread_mutex_lock(lock);
        world_advance(world, town_time(o, begun, now));
        if (o->spool && now - dropped >= o->drop_every_ms) {
            rc = drop_files(world, o->spool, zone, o->bad_every);
            dropped = now;
        }
        pthread_mutex_unlock(lock);
        if (rc < 0)
            fprintf(stderr, "kpi-sim: %s: %s\n", o->spool, strerror(-rc));
        nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
    }
}

static int run(struct options *o, struct zone *zone)
{
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    int64_t now = clock_wall(&clock_system);
    struct platform *platform;
    struct world *world;

    o->world.zone = o->platform.zone = zone;
    o->world.begin_at = (o->start_at > 0 ? o->start_at : now) - o->history_ms;
    world = world_create(&o->world);
    world_advance(world, o->start_at > 0 ? o->start_at : now);
    platform = platform_start(&o->platform, world, &lock);
    if (!platform) {
        fprintf(stderr, "kpi-sim: cannot listen on %s:%u\n", o->platform.address, o->platform.port);
        world_destroy(world);
        return 1;
    }
    printf("kpi-sim: http%s://%s:%u\n", o->platform.tls_cert ? "s" : "", o->platform.address,
           platform_port(platform));
    fflush(stdout);
    if (o->port_file)
        write_port(o->port_file, platform_port(platform));
    live(o, world, &lock, zone);
    platform_stop(platform);
    world_destroy(world);
    return 0;
}

int main(int argc, char **argv)
{
    struct options o = {
        .platform = { .address = "127.0.0.1", .port = 8080 },
        .world = { .seed = 1, .taxis = 2000 },
        .timezone = "Asia/Shanghai",
        .history_ms = 6 * SPAN_HOUR,
        .drop_every_ms = 5 * SPAN_SECOND,
        .speed = 1,
        .bad_every = 50,
    };
    struct sigaction act = { .sa_handler = on_signal };
    struct zone zone;
    struct err err;
    int status = read_options(&o, argc, argv);

    if (status > 0)
        return status - 1;
    if (zone_load(&zone, o.timezone, &err) < 0) {
        fprintf(stderr, "kpi-sim: %s\n", err.text);
        return 2;
    }
    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
    signal(SIGPIPE, SIG_IGN);
    status = run(&o, &zone);
    zone_finish(&zone);
    return status;
}
