/* kpi-sim-terminals: GPS terminals that do not exist, by the thousand, for trying the jt808 driver,
 * testing and measuring it. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/mem.h"
#include "base/span.h"
#include "terminals.h"

enum { CONNECT_PER_SECOND = 2000 };

struct options {
    struct crowd_options crowd;
    const char *script;
    int64_t duration_ms, settle_ms;
    uint32_t per_second;
};

struct run {
    uv_loop_t loop;
    struct options options;
    struct crowd *crowd;
    struct script *script;
    uv_timer_t end, settled;
    uv_signal_t interrupt, terminate;
    struct crowd_counts before;     /* when all had connected */
    uint64_t measured_from_ms;
};

static const struct option known[] = {
    { "connect", 1, NULL, 'c' },  { "count", 1, NULL, 'n' },  { "interval", 1, NULL, 'i' },
    { "dialect", 1, NULL, 'd' },  { "seed", 1, NULL, 's' },   { "script", 1, NULL, 'f' },
    { "duration", 1, NULL, 't' }, { "settle", 1, NULL, 'w' }, { "per-second", 1, NULL, 'p' },
    { "udp", 0, NULL, 'u' },      { "help", 0, NULL, 'h' },   { NULL, 0, NULL, 0 },
};

static int usage(FILE *out, int status)
{
    fprintf(out,
            "usage: kpi-sim-terminals --connect ADDRESS:PORT [OPTION...]\n"
            "  --count N         terminals (10)\n"
            "  --interval SPAN   from report to report (1s); 0: the next when the last was "
            "answered\n"
            "  --udp             by UDP instead of TCP\n"
            "  --dialect NAME    2013, 2019, 905 or mixed (mixed)\n"
            "  --seed N          of all that is chance (1)\n"
            "  --per-second N    connections made in a second (%d)\n"
            "  --script FILE     what goes wrong with whom, and when; \"-\": standard input\n"
            "  --settle SPAN     what is counted at the end begins so long after the start (0)\n"
            "  --duration SPAN   ends after so long, with the counts as JSON; else on SIGINT\n"
            "\nLines of a script:\n%s\n",
            CONNECT_PER_SECOND, script_help());
    return status;
}

static bool read_address(const char *text, struct sockaddr_storage *ret)
{
    const char *colon = strrchr(text, ':');
    char host[64];

    if (!colon || (size_t)(colon - text) >= sizeof host)
        return false;
    (void)snprintf(host, sizeof host, "%.*s", (int)(colon - text), text);
    return uv_ip4_addr(host, atoi(colon + 1), (struct sockaddr_in *)ret) == 0 ||
           uv_ip6_addr(host, atoi(colon + 1), (struct sockaddr_in6 *)ret) == 0;
}

static bool read_dialect(const char *text, enum mix *ret)
{
    static const char *const names[] = { "2013", "2019", "905", "mixed" };

    for (size_t i = 0; i < LENGTH(names); i++)
        if (strcmp(names[i], text) == 0) {
            *ret = (enum mix)i;
            return true;
        }
    return false;
}

static bool set_option(struct options *o, int option)
{
    switch (option) {
    case 'c':
        return read_address(optarg, &o->crowd.to);
    case 'n':
        o->crowd.count = (uint32_t)atoi(optarg);
        return o->crowd.count > 0 && o->crowd.count <= 100000;
    case 'i':
        return span_parse(optarg, &o->crowd.interval_ms);
    case 'd':
        return read_dialect(optarg, &o->crowd.mix);
    case 'u':
        o->crowd.udp = true;
        return true;
    case 's':
        o->crowd.seed = strtoull(optarg, NULL, 10);
        return true;
    case 'p':
        o->per_second = (uint32_t)atoi(optarg);
        return o->per_second > 0;
    case 'f':
        o->script = optarg;
        return true;
    case 't':
        return span_parse(optarg, &o->duration_ms);
    case 'w':
        return span_parse(optarg, &o->settle_ms);
    default:
        return false;
    }
}

static void stop(struct run *r)
{
    if (uv_is_closing((uv_handle_t *)&r->end))
        return;
    crowd_stop(r->crowd);
    if (r->script)
        script_stop(r->script);
    uv_close((uv_handle_t *)&r->end, NULL);
    uv_close((uv_handle_t *)&r->settled, NULL);
    uv_close((uv_handle_t *)&r->interrupt, NULL);
    uv_close((uv_handle_t *)&r->terminate, NULL);
}

static void on_signal(uv_signal_t *handle, int number)
{
    (void)number;
    stop(handle->data);
}

static void on_settled(uv_timer_t *timer)
{
    struct run *r = timer->data;

    r->before = crowd_counts(r->crowd);
    r->measured_from_ms = uv_now(&r->loop);
}

static void on_end(uv_timer_t *timer)
{
    struct run *r = timer->data;
    struct crowd_counts c = crowd_counts(r->crowd);
    uint64_t sent = c.sent - r->before.sent, answered = c.answered - r->before.answered;
    uint64_t ms = uv_now(&r->loop) - r->measured_from_ms;

    printf("{\"connected\":%llu,\"lost\":%llu,\"sent\":%llu,\"answered\":%llu,\"asked\":%llu,"
           "\"rate\":%.0f}\n",
           (unsigned long long)c.connected, (unsigned long long)c.lost, (unsigned long long)sent,
           (unsigned long long)answered, (unsigned long long)c.asked,
           ms > 0 ? (double)answered * 1000 / (double)ms : 0);
    fflush(stdout);
    stop(r);
}

static void raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);     /* then fewer connect */
    }
}

static void watch_signals(struct run *r)
{
    (void)uv_signal_init(&r->loop, &r->interrupt);  /* on a new loop none of these fail */
    (void)uv_signal_init(&r->loop, &r->terminate);
    r->interrupt.data = r->terminate.data = r;
    (void)uv_signal_start(&r->interrupt, on_signal, SIGINT);
    (void)uv_signal_start(&r->terminate, on_signal, SIGTERM);
}

static int run(struct run *r)
{
    raise_file_limit();
    signal(SIGPIPE, SIG_IGN);
    if (uv_loop_init(&r->loop) < 0)
        return 1;
    r->crowd = crowd_create(&r->loop, &r->options.crowd);
    crowd_start(r->crowd, r->options.per_second);
    if (r->script)
        script_start(r->script, &r->loop, r->crowd);
    watch_signals(r);
    (void)uv_timer_init(&r->loop, &r->end);
    (void)uv_timer_init(&r->loop, &r->settled);
    r->end.data = r->settled.data = r;
    r->measured_from_ms = uv_now(&r->loop);
    if (r->options.duration_ms > 0)
        (void)uv_timer_start(&r->end, on_end, (uint64_t)r->options.duration_ms, 0);
    if (r->options.settle_ms > 0)
        (void)uv_timer_start(&r->settled, on_settled, (uint64_t)r->options.settle_ms, 0);
    (void)uv_run(&r->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&r->loop);
    crowd_free(r->crowd);
    script_free(r->script);
    return 0;
}

int main(int argc, char **argv)
{
    static struct run r = { .options = { .crowd = { .count = 10, .mix = MIX_ALL, .seed = 1,
                                                    .interval_ms = 1000 },
                                         .per_second = CONNECT_PER_SECOND } };
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (option == 'h')
            return usage(stdout, 0);
        if (!set_option(&r.options, option))
            return usage(stderr, 2);
    }
    if (r.options.crowd.to.ss_family == 0 || optind < argc)
        return usage(stderr, 2);
    if (r.options.script && !(r.script = script_read(r.options.script)))
        return 2;
    return run(&r);
}
