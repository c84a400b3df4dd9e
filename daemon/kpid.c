/* kpid: options, wiring, signals; nothing else.
 *
 * The house is built from the inside out: configuration, ledger, board, intake, sources, API; and
 * taken down from the outside in, so that nothing is asked of a part that is gone:
 *
 *   SIGTERM ──> sources stop ──> API stops ──> the ledger answers all that it was asked
 *           ──> handles close, the loop ends ──> the ledger writes its last instant and closes
 *
 * News of the ledger thread reach the loop by one uv_async and go to the board first, then to
 * whoever asked. A second SIGTERM ends at once: the log loses nothing by it. */
#include <assert.h>
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>
#include <uv.h>

#include "api/api.h"
#include "base/log.h"
#include "base/mem.h"
#include "board.h"
#include "command_line.h"
#include "config/conf.h"
#include "intake.h"
#include "ledger/ledger.h"
#include "live.h"
#include "lookup/lookup.h"
#include "offline.h"
#include "option_manual.h"
#include "reload.h"
#include "replay.h"
#include "sources.h"
#include "supervise.h"
#include "version.h"

/* --- Wiring */

/* What the inputs bring first after a start or a leap of the clock is about what was missed. */
enum { SEAL_SETTLE_MS = 5000, SEAL_LEAP_WAIT_MS = 10 * 60 * 1000 };

struct house {
    uv_loop_t loop;
    uv_async_t news;                /* from the ledger thread */
    uv_mutex_t news_lock;
    bool deaf;                      /* under news_lock: `news` is closing */
    uv_signal_t terminate, interrupt, hangup, user1;
    const char *path;               /* of the configuration */
    struct conf *conf;
    struct ledger *ledger;
    struct board *board;
    struct intake *intake;
    struct live *live;
    struct conditions *conditions;
    struct sources *sources;
    struct bench *bench;
    struct lookups *lookups;
    struct api *api;
    struct reload *reload;
    struct supervise supervise;
    struct ledger_request last;     /* when it is answered, so is all before it */
    bool stopping;
    int asking;                     /* sources and look-ups that must still end */
    bool wants_last;                /* the ledger had no room for `last` yet */
};

static void submit_last(struct house *h);

static void on_news(uv_async_t *news)
{
    struct house *h = news->data;

    if (!ledger_drain_some(h->ledger, board_publish_some, h->board) &&
        !uv_is_closing((uv_handle_t *)news))
        uv_async_send(news);    /* the rest on the next turn */
    if (h->wants_last)
        submit_last(h);
}

/* Ledger thread. It has news until its very end, after the loop's. */
static void on_ledger_news(void *arg)
{
    struct house *h = arg;

    uv_mutex_lock(&h->news_lock);
    if (!h->deaf)
        uv_async_send(&h->news);
    uv_mutex_unlock(&h->news_lock);
}

static void say_ready(struct house *h)
{
    const struct conf_refusal *refusal = reload_refusal(h->reload);
    const struct publication *now = board_now(h->board);
    char status[400];

    snprintf(status, sizeof status, "generation %lld: %zu KPIs from %zu sources%s%.200s",
             (long long)now->generation, h->conf->rules.kpi_count, h->conf->source_count,
             refusal->at ? "; a newer configuration was refused: " : "", refusal->first);
    supervise_ready(status);
}

static void on_conf_accepted(void *arg, struct conf *conf)
{
    struct house *h = arg;
    struct conf *old = h->conf;

    h->conf = conf;
    log_set_level(conf->log_level);
    intake_set_rules(h->intake, &conf->rules);
    conditions_set_conf(h->conditions, &conf->conditions);
    sources_apply(h->sources, conf);
    bench_set_conf(h->bench, conf);
    lookups_set_conf(h->lookups, conf);
    api_set_conf(h->api, conf);
    conf_destroy(old);
}

static void on_reload_finished(void *arg)
{
    struct house *h = arg;

    if (!h->stopping)
        say_ready(h);
}

/* --- Stopping, one step after the other */

static void close_handles(struct house *h)
{
    uv_mutex_lock(&h->news_lock);
    h->deaf = true;
    uv_mutex_unlock(&h->news_lock);
    uv_close((uv_handle_t *)&h->news, NULL);
    uv_close((uv_handle_t *)&h->terminate, NULL);
    uv_close((uv_handle_t *)&h->interrupt, NULL);
    uv_close((uv_handle_t *)&h->hangup, NULL);
    uv_close((uv_handle_t *)&h->user1, NULL);
}

static void on_last_answered(struct ledger_request *last)
{
    close_handles(last->arg);
}

static void submit_last(struct house *h)
{
    h->last = (struct ledger_request){
        .what = LEDGER_EVENTS, .via = "kpid", .done = on_last_answered, .arg = h
    };
    h->wants_last = !ledger_submit(h->ledger, &h->last);
}

static void on_api_stopped(void *arg)
{
    submit_last(arg);
}

static void on_conditions_stopped(void *arg)
{
    struct house *h = arg;

    if (h->api)
        api_stop(h->api, on_api_stopped, h);
    else
        submit_last(h);
}

/* What the sources saw last may still be an edge. */
static void on_sources_stopped(void *arg)
{
    struct house *h = arg;

    if (--h->asking <= 0)
        conditions_stop(h->conditions, on_conditions_stopped, h);
}

/* The bench asks the sources for acts, and is told how they ended; so are the look-ups, by the
 * sources' own end. */
static void on_bench_stopped(void *arg)
{
    struct house *h = arg;

    h->asking = 2;
    lookups_stop(h->lookups, on_sources_stopped, h);
    sources_stop(h->sources, on_sources_stopped, h);
}

static void stop(struct house *h)
{
    h->stopping = true;
    supervise_stopping();
    supervise_stop(&h->supervise);
    if (h->reload)
        reload_stop(h->reload);
    if (h->bench)
        bench_stop(h->bench, on_bench_stopped, h);
    else if (h->conditions)
        on_sources_stopped(h);
    else
        submit_last(h);
}

/* --- Signals */

static void on_terminate(uv_signal_t *handle, int number)
{
    struct house *h = handle->data;

    if (h->stopping) {
        log_warning("kpid: SIG%s again: ending at once", sigabbrev_np(number));
        _exit(EXIT_FAILED);
    }
    log_info("kpid: SIG%s: stopping", sigabbrev_np(number));
    stop(h);
}

static void on_hangup(uv_signal_t *handle, int number)
{
    struct house *h = handle->data;

    (void)number;
    if (h->reload)
        reload_request(h->reload, "SIGHUP");
}

static void on_user1(uv_signal_t *handle, int number)
{
    (void)handle;
    (void)number;
    log_dump_ring();
}

static void watch_signal(struct house *h, uv_signal_t *handle, int number, uv_signal_cb on_signal)
{
    int rc;

    rc = uv_signal_init(&h->loop, handle);
    assert(rc == 0);
    handle->data = h;
    rc = uv_signal_start(handle, on_signal, number);
    assert(rc == 0);
}

/* --- Building */

static void open_loop(struct house *h)
{
    int rc;

    rc = uv_loop_init(&h->loop);
    assert(rc == 0);
    rc = uv_loop_configure(&h->loop, UV_METRICS_IDLE_TIME);
    assert(rc == 0);
    rc = uv_async_init(&h->loop, &h->news, on_news);
    assert(rc == 0);
    rc = uv_mutex_init(&h->news_lock);
    assert(rc == 0);
    h->news.data = h;
    watch_signal(h, &h->terminate, SIGTERM, on_terminate);
    watch_signal(h, &h->interrupt, SIGINT, on_terminate);
    watch_signal(h, &h->hangup, SIGHUP, on_hangup);
    watch_signal(h, &h->user1, SIGUSR1, on_user1);
}

static int open_ledger(struct house *h, struct err *err)
{
    struct conf before = { .canonical = ledger_settings(h->conf->database) };
    char *changed = conf_changes(before.canonical ? &before : NULL, h->conf);
    char *user = offline_user();
    int rc;

    rc = ledger_open(&h->ledger,
                     &(struct ledger_options){ .path = h->conf->database,
                                               .rules = &h->conf->rules,
                                               .digest = h->conf->digest,
                                               .by = user,
                                               .changed = changed,
                                               .settings = h->conf->canonical,
                                               .recorded_rules = conf_recorded_rules,
                                               .clock = &clock_system,
                                               .wal_warn_bytes = h->conf->wal_warn_bytes,
                                               .seals = true,
                                               .seal_settle_ms = SEAL_SETTLE_MS,
                                               .seal_leap_wait_ms = SEAL_LEAP_WAIT_MS,
                                               .progress = supervise_progress,
                                               .progress_arg = &h->supervise,
                                               .notify = on_ledger_news,
                                               .notify_arg = h },
                     err);
    free(before.canonical);
    free(changed);
    free(user);
    if (rc < 0)
        return rc;

    rc = ledger_start(h->ledger, err);
    if (rc < 0)
        ledger_close(h->ledger);
    return rc;
}

/* The socket that systemd opened for us, if it did. -EINVAL if what came is no such. */
static int inherited_socket(int *ret_fd, struct err *err)
{
    int count = sd_listen_fds(1);

    if (count <= 0)
        return 0;
    if (count > 1 || sd_is_socket_unix(SD_LISTEN_FDS_START, SOCK_STREAM, 1, NULL, 0) <= 0)
        return err_set(err, -EINVAL, "systemd handed over %d descriptors: one listening Unix "
                       "stream socket is wanted; look at kpid.socket", count);
    *ret_fd = SD_LISTEN_FDS_START;
    return 0;
}

/* A table that cannot be read is no reason to count nothing at all. */
static void load_faults(const struct house *h)
{
    struct err err;

    if (conditions_load(h->conditions, h->conf->database, &err) < 0)
        log_err("kpid: which devices are faulty cannot be read: %s; a fault that ended while kpid "
                "was down stays active until it is seen to come and go again", err.text);
}

/* All that answers or asks on the loop. */
static int open_doors(struct house *h, struct err *err)
{
    int listen_fd = -1, rc;

    rc = inherited_socket(&listen_fd, err);
    if (rc < 0)
        return rc;
    h->intake = intake_create(h->ledger, &h->conf->rules, &clock_system);
    h->live = live_create(&clock_system);
    h->conditions =
        conditions_create(&h->loop, h->intake, &clock_system, &h->conf->conditions);
    load_faults(h);
    h->sources = sources_create(&h->loop, h->conf, h->intake, h->ledger, h->live, h->conditions,
                                &clock_system);
    h->bench = bench_create(&(struct bench_house){ .loop = &h->loop,
                                                   .clock = &clock_system,
                                                   .live = h->live,
                                                   .intake = h->intake,
                                                   .ledger = h->ledger,
                                                   .sources = h->sources },
                            h->conf);
    h->lookups = lookups_create(&(struct lookups_house){ .loop = &h->loop,
                                                         .clock = &clock_system,
                                                         .intake = h->intake,
                                                         .sources = h->sources },
                                h->conf);
    h->reload = reload_create(&(struct reload_options){ .path = h->path,
                                                        .loop = &h->loop,
                                                        .clock = &clock_system,
                                                        .ledger = h->ledger,
                                                        .conf = h->conf,
                                                        .accepted = on_conf_accepted,
                                                        .finished = on_reload_finished,
                                                        .arg = h });
    return api_create(&h->api,
                      &(struct api_house){ .loop = &h->loop,
                                           .clock = &clock_system,
                                           .board = h->board,
                                           .intake = h->intake,
                                           .ledger = h->ledger,
                                           .sources = h->sources,
                                           .live = h->live,
                                           .bench = h->bench,
                                           .lookups = h->lookups,
                                           .conf = h->conf,
                                           .refusal = reload_refusal(h->reload),
                                           .version = KPID_VERSION },
                      listen_fd, err);
}

static void run_loop(struct house *h)
{
    int rc;

    rc = uv_run(&h->loop, UV_RUN_DEFAULT);
    assert(rc == 0);
    rc = uv_loop_close(&h->loop);
    assert(rc == 0);            /* else a part left a handle open */
}

static int run_house(struct house *h)
{
    struct err err = { 0 };
    int status = EXIT_WELL;

    if (open_ledger(h, &err) < 0) {
        log_err("kpid: %s", err.text);
        close_handles(h);
        run_loop(h);
        return err.code == -EBADMSG ? EXIT_DAMAGED : EXIT_FAILED;
    }
    h->board = board_create();
    ledger_drain(h->ledger, board_publish, h->board);
    supervise_start(&h->supervise, &h->loop, h->ledger);

    if (open_doors(h, &err) < 0) {
        log_err("kpid: %s", err.text);
        status = EXIT_FAILED;
        stop(h);
    } else {
        log_info("kpid " KPID_VERSION ": %zu KPIs, %zu sources, %s", h->conf->rules.kpi_count,
                 h->conf->source_count, h->conf->socket);
        say_ready(h);
    }
    run_loop(h);

    api_destroy(h->api);
    lookups_destroy(h->lookups);
    bench_destroy(h->bench);
    sources_destroy(h->sources);
    conditions_destroy(h->conditions);
    live_destroy(h->live);
    reload_destroy(h->reload);
    intake_destroy(h->intake);
    ledger_close(h->ledger);
    board_destroy(h->board);
    if (status == EXIT_WELL)
        log_info("kpid: stopped");
    return status;
}

/* Each terminal and each asker is a descriptor: the usual 1024 are the system's caution, and not
 * our measure. */
static void raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);     /* then it stays, and who comes too many is told */
}

static int serve(const char *path)
{
    struct house h = { .path = path, .conf = offline_conf(path) };
    int status;

    if (!h.conf)
        return EXIT_USAGE;
    umask(0027);
    signal(SIGPIPE, SIG_IGN);
    raise_file_limit();
    /* A batch takes the memory of the one before it, not new pages from the system each time. What
     * a rush needed goes back when the ledger has become quiet. */
    (void)mallopt(M_MMAP_THRESHOLD, 4 * 1024 * 1024);
    (void)mallopt(M_TRIM_THRESHOLD, 32 * 1024 * 1024);
    log_set_level(h.conf->log_level);
    supervise_init(&h.supervise, &clock_system);
    open_loop(&h);
    status = run_house(&h);
    uv_mutex_destroy(&h.news_lock);
    conf_destroy(h.conf);
    return status;
}

/* --- The command line */

static int replay(const struct command_line *line)
{
    struct err err = { 0 };
    int rc;

    rc = replay_run(&(struct replay_options){ .conf = line->conf,
                                              .events = line->argument,
                                              .as_of = line->as_of,
                                              .facts_out = line->facts_out },
                    &err);
    if (rc < 0)
        fprintf(stderr, "kpid: %s\n", err.text);
    return rc < 0 ? EXIT_FAILED : rc;
}

int main(int argc, char **argv)
{
    struct command_line line;

    if (!command_line_parse(argc, argv, &line))
        return EXIT_USAGE;
    switch (line.act) {
    case ACT_SERVE:
        return serve(line.conf);
    case ACT_CHECK:
        return offline_check(line.conf, line.against_ledger);
    case ACT_REPLAY:
        return replay(&line);
    case ACT_REBUILD:
        return offline_rebuild(line.conf, line.compare);
    case ACT_BACKUP:
        return offline_backup(line.conf, line.argument);
    case ACT_RESTORE:
        return offline_restore(line.conf, line.argument);
    case ACT_VERIFY:
        return offline_verify(line.argument);
    case ACT_PROBE:
        return offline_probe(line.conf, line.argument);
    case ACT_DRIVERS:
        option_manual_drivers(stdout);
        return EXIT_WELL;
    case ACT_MANUAL:
        option_manual_mdoc(stdout);
        return EXIT_WELL;
    case ACT_VERSION:
        puts("kpid " KPID_VERSION);
        return EXIT_WELL;
    case ACT_HELP:
        command_line_help();
        return EXIT_WELL;
    }
    return EXIT_USAGE;
}
