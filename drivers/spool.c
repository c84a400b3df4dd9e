/* Files dropped in a folder.
 *
 * One file at a time goes through these steps; those marked * block and run on libuv's pool, in
 * one job after the other, so that no two threads ever hold the same file:
 *
 *     look* ── nothing ──> wait for the folder to change, for settling, or for the slow rescan
 *       │ taken (renamed into work/)
 *       v
 *     fill* ── no lines, end of file ──> put away* ──> look
 *       │ a batch                  ^
 *       v                          │ batch reported on*
 *     the house ── durable ────────┘
 *
 * The cursor "take=12 offset=3456 line=78" commits with the events that stand before it. After a
 * kill the file is still in work/ under its number, and reading goes on behind what is both
 * durable and reported on; see spool_report.h. Numbers never come twice while a cursor remembers
 * them, so that a new file of an old name is never taken for one half read.
 *
 * What fails: a file that cannot be read goes to rejected/ with a report, and the state is
 * degraded until another file goes well. A folder or disk that cannot be used is down, and is
 * looked at again with back-off. A batch that the house could not take is offered again. */
#include "spool.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "backoff.h"
#include "base/mem.h"
#include "base/span.h"
#include "spool_folder.h"
#include "spool_report.h"

enum { CHANGE_WAIT_MS = 20, FIRST_RETRY_MS = 500, LONGEST_RETRY_MS = 15000 };

enum job { JOB_LOOK, JOB_FILL, JOB_PUT_AWAY };

struct source {
    struct driver_env env;
    char *directory;
    int64_t settle_ms, rescan_ms;
    struct event_map *map;
    struct spool_format format;

    uv_fs_event_t watch;
    uv_timer_t timer;
    uv_work_t work;
    int open_handles;
    bool started, paused, stopping;
    bool working;    /* a job is on the pool */
    bool in_house;   /* the batch is the house's */
    bool has_batch;  /* lines wait to be submitted */
    bool look_again; /* something changed while a job ran */
    void (*stopped)(void *arg);
    void *stopped_arg;

    struct backoff backoff;
    struct backoff batch_backoff;
    char trouble[256];      /* why the state is degraded; "": it is not */
    uint64_t watched_inode; /* of the folder that `watch` looks at; 0: none */

    /* Owned by the job while one runs. */
    enum job job;
    struct spool_dirs dirs;
    struct spool_seen seen;
    struct spool_take take; /* number 0: none under way */
    struct spool_reader *reader;
    struct spool_report report;
    struct spool_position committed; /* of the take numbered committed_take */
    uint64_t committed_take, last_take;
    struct lines lines;
    bool lines_unreported; /* the batch is durable; its report is not yet written */
    bool at_end;
    bool file_faulty; /* the file as a whole was refused */
    char look_trouble[256];
    int status;
    struct err err;

    struct batch batch;
    char cursor[96];
};

/* --- On the pool */

/* Reading goes on behind what is both durable and reported on. */
static int resume_at(struct source *s, struct spool_position *ret)
{
    int rc;

    *ret = (struct spool_position){ 0 };
    s->report = (struct spool_report){ 0 };
    if (s->take.number != s->committed_take) {
        spool_report_drop(&s->dirs, &s->take);
        return 0;
    }
    rc = spool_report_load(&s->dirs, &s->take, &s->report, &s->err);
    if (rc < 0)
        return rc;
    *ret = s->report.position.offset < s->committed.offset ? s->report.position : s->committed;
    return 0;
}

/* The file as a whole is refused: says so in its report. */
static int refuse_file(struct source *s, const struct err *why)
{
    char reason[sizeof why->text];

    snprintf(reason, sizeof reason, "%s", why->text);
    snprintf(s->trouble, sizeof s->trouble, "\"%.60s\" %.180s", s->take.name, reason);
    s->file_faulty = true;
    s->at_end = true;
    return spool_report_fault(&s->dirs, &s->take, &s->report, reason, &s->err);
}

static int open_taken(struct source *s)
{
    char name[SPOOL_WORK_NAME_SIZE];
    struct spool_position from;
    struct err why;
    int rc = resume_at(s, &from);

    s->at_end = s->file_faulty = false;
    if (rc < 0)
        return rc;
    rc = spool_reader_open(&s->reader, &s->format, s->dirs.work,
                           spool_work_name(name, &s->take, ""), from, &why);
    if (rc == -EMFILE || rc == -ENFILE || rc == -ENOMEM || rc == -EIO)
        return err_set(&s->err, rc, "\"%.100s\" %s", s->take.name, why.text);
    return rc < 0 ? refuse_file(s, &why) : 0;
}

static int job_look(struct source *s)
{
    int rc;

    spool_dirs_close(&s->dirs);
    rc = spool_dirs_open(&s->dirs, s->directory, &s->err);
    if (rc < 0)
        return rc;
    rc = spool_take_next(&s->dirs, &s->seen, clock_monotonic(s->env.clock), s->settle_ms,
                         s->last_take + 1, &s->take, s->look_trouble, &s->err);
    if (rc != 1)
        return rc;
    if (s->take.number > s->last_take)
        s->last_take = s->take.number;
    return open_taken(s);
}

static int job_fill(struct source *s)
{
    int rc;

    if (s->lines_unreported) {
        rc = spool_report_add(&s->dirs, &s->take, &s->report, &s->lines, s->committed, &s->err);
        if (rc < 0)
            return rc;
        s->lines_unreported = false;
        lines_clear(&s->lines);
    }
    if (s->at_end)
        return 0;
    rc = spool_reader_fill(s->reader, &s->lines, &s->err);
    if (rc < 0)
        return rc;
    /* The end is believed only when nothing came before it: until then the file may grow. */
    s->at_end = rc == 0 && s->lines.count == 0;
    return 0;
}

static int job_put_away(struct source *s)
{
    bool rejected = s->report.refused > 0;
    int rc = rejected ? spool_report_finish(&s->dirs, &s->take, &s->report, &s->err) : 0;

    if (rc == 0)
        rc = spool_put_away(&s->dirs, &s->take, rejected, &s->err);
    if (rc == 0) {
        spool_reader_close(s->reader);
        s->reader = NULL;
        s->take.number = 0;
    }
    return rc;
}

static void on_work(uv_work_t *work)
{
    static int (*const jobs[])(struct source *) = {
        [JOB_LOOK] = job_look,
        [JOB_FILL] = job_fill,
        [JOB_PUT_AWAY] = job_put_away,
    };
    struct source *s = work->data;

    s->status = jobs[s->job](s);
}

/* --- On the loop */

static void go_on(struct source *s);
static void on_worked(uv_work_t *work, int status);
static void on_timer(uv_timer_t *timer);

static void finish(struct source *s)
{
    spool_reader_close(s->reader);
    spool_dirs_close(&s->dirs);
    lines_finish(&s->lines);
    event_map_destroy(s->map);
    free(s->directory);
}

static void on_closed(uv_handle_t *handle)
{
    struct source *s = handle->data;
    void (*stopped)(void *arg) = s->stopped;
    void *arg = s->stopped_arg;

    if (--s->open_handles > 0)
        return;
    finish(s);
    free(s);
    if (stopped)
        stopped(arg);
}

/* Only once nothing of ours is with the pool or the house. */
static void close_if_idle(struct source *s)
{
    if (s->working || s->in_house || uv_is_closing((uv_handle_t *)&s->timer))
        return;
    uv_close((uv_handle_t *)&s->timer, on_closed);
    uv_close((uv_handle_t *)&s->watch, on_closed);
}

static void run(struct source *s, enum job job)
{
    int rc;

    assert(!s->working && !s->in_house);
    s->job = job;
    s->working = true;
    uv_timer_stop(&s->timer);
    rc = uv_queue_work(s->env.loop, &s->work, on_work, on_worked);
    assert(rc == 0); /* only a missing callback could fail */
}

static void wait_for(struct source *s, int64_t ms)
{
    uv_timer_start(&s->timer, on_timer, (uint64_t)ms, 0);
}

static void say_state(struct source *s)
{
    const char *why = s->look_trouble[0] ? s->look_trouble : s->trouble;

    health_is(s->env.health, why[0] ? SOURCE_DEGRADED : SOURCE_WELL, why, s->env.clock);
}

static void retry(struct source *s, struct backoff *backoff, enum source_state state,
                  const char *why)
{
    int64_t wait = backoff_next(backoff, 0);

    health_is(s->env.health, state, why, s->env.clock);
    s->env.sink->next_attempt(s->env.house, clock_wall(s->env.clock) + wait);
    wait_for(s, wait);
}

static void on_change(uv_fs_event_t *watch, const char *name, int events, int status)
{
    struct source *s = watch->data;

    (void)name;
    (void)events;
    if (status < 0)
        s->watched_inode = 0; /* watched anew at the next look */
    if (s->working || s->in_house || s->take.number != 0)
        s->look_again = true;
    else if (s->backoff.failures == 0 && uv_timer_get_due_in(&s->timer) > CHANGE_WAIT_MS)
        wait_for(s, CHANGE_WAIT_MS);
}

/* Another folder may lie there now; without a watch the rescan still finds everything. */
static void watch_folder(struct source *s)
{
    if (s->watched_inode == s->dirs.inode)
        return;
    uv_fs_event_stop(&s->watch);
    s->watched_inode =
        uv_fs_event_start(&s->watch, on_change, s->directory, 0) == 0 ? s->dirs.inode : 0;
    s->look_again = true; /* for what came between the look and the watch */
}

static void looked(struct source *s)
{
    backoff_reset(&s->backoff);
    s->env.sink->next_attempt(s->env.house, 0);
    watch_folder(s);
    say_state(s);
}

static void on_done(struct batch *batch, int status, const struct err *why)
{
    struct source *s = batch->arg;

    s->in_house = false;
    if (status == 0) {
        backoff_reset(&s->batch_backoff);
        s->has_batch = false;
        s->committed = spool_reader_position(s->reader);
        s->committed_take = s->take.number;
        s->lines_unreported = true;
    }
    if (s->stopping) {
        close_if_idle(s);
    } else if (status < 0) {
        char text[sizeof why->text + 64];

        snprintf(text, sizeof text,
                 "the last batch was not taken: %s; it is kept and offered "
                 "again",
                 why->text);
        retry(s, &s->batch_backoff, SOURCE_DEGRADED, text);
    } else {
        say_state(s);
        run(s, JOB_FILL);
    }
}

static void submit(struct source *s)
{
    struct spool_position at = spool_reader_position(s->reader);

    if (s->paused)
        return;
    snprintf(s->cursor, sizeof s->cursor, "take=%" PRIu64 " offset=%" PRId64 " line=%" PRId64,
             s->take.number, at.offset, at.line);
    s->batch = (struct batch){ .lines = s->lines.items,
                               .count = s->lines.count,
                               .cursor = s->cursor,
                               .done = on_done,
                               .arg = s };
    s->in_house = s->env.sink->submit(s->env.house, &s->batch);
    s->paused = !s->in_house; /* a full house says resume */
}

/* What comes after a look that found nothing, or after a file was put away. */
static void rest(struct source *s)
{
    bool settling = s->seen.count > 0;
    int64_t wait = settling ? s->settle_ms / 2 + 1 : s->rescan_ms;

    if (s->look_again)
        wait = CHANGE_WAIT_MS;
    s->look_again = false;
    wait_for(s, wait < s->rescan_ms ? wait : s->rescan_ms);
}

/* One step further, whatever the step is. */
static void go_on(struct source *s)
{
    if (s->working || s->in_house || s->paused)
        return;
    if (s->has_batch)
        submit(s);
    else if (s->take.number == 0)
        run(s, JOB_LOOK);
    else if (s->at_end && !s->lines_unreported)
        run(s, JOB_PUT_AWAY);
    else
        run(s, JOB_FILL);
}

static void on_timer(uv_timer_t *timer)
{
    go_on(timer->data);
}

/* A failed job is begun again by the step that it stopped at; a file that could not be read to its
 * end is opened anew, and one whose folder was taken away under us is let go. */
static void job_failed(struct source *s)
{
    if (s->status == -ENOENT || (s->job != JOB_PUT_AWAY && !s->lines_unreported)) {
        s->lines_unreported = false;
        spool_reader_close(s->reader);
        s->reader = NULL;
        s->take.number = 0;
        lines_clear(&s->lines);
    }
    retry(s, &s->backoff, SOURCE_DOWN, s->err.text);
}

static void on_worked(uv_work_t *work, int status)
{
    struct source *s = work->data;

    (void)status; /* never cancelled */
    s->working = false;
    if (s->stopping) {
        close_if_idle(s);
        return;
    }
    if (s->status < 0) {
        job_failed(s);
        return;
    }
    if (s->job == JOB_LOOK)
        looked(s);
    if (s->job == JOB_PUT_AWAY && !s->file_faulty)
        s->trouble[0] = '\0';
    if (s->job == JOB_PUT_AWAY)
        say_state(s);
    s->has_batch = s->job == JOB_FILL && s->lines.count > 0;
    if (s->job == JOB_LOOK && s->take.number == 0)
        rest(s);
    else
        go_on(s);
}

/* --- The vtable */

static struct event_map_settings map_settings(const struct spool_config *c,
                                              const struct driver_env *env)
{
    return (struct event_map_settings){
        .from_key = "column",
        .list_key = "columns",
        .fields = c->columns,
        .constants = c->constants,
        .events = c->events,
        .when = c->when,
        .id = c->id,
        .time = (enum item_time)c->time,
        .timezone = c->timezone,
        .default_timezone = env->timezone,
        .source = env->name,
    };
}

static void parse_cursor(struct source *s, const char *cursor)
{
    if (!cursor || sscanf(cursor, "take=%" SCNu64 " offset=%" SCNd64 " line=%" SCNd64,
                          &s->committed_take, &s->committed.offset, &s->committed.line) != 3) {
        s->committed_take = 0;
        s->committed = (struct spool_position){ 0 };
    }
    s->last_take = s->committed_take;
}

static int init_handles(struct source *s, struct err *err)
{
    int rc = uv_timer_init(s->env.loop, &s->timer);

    s->timer.data = s->watch.data = s->work.data = s;
    if (rc == 0) {
        s->open_handles++;
        rc = uv_fs_event_init(s->env.loop, &s->watch);
    }
    if (rc == 0)
        s->open_handles++;
    return rc == 0 ? 0 : err_set(err, rc, "spool: %s", uv_strerror(rc));
}

static int spool_create(struct source **ret, const void *config, const struct driver_env *env,
                        struct err *err)
{
    const struct spool_config *c = config;
    const struct event_map_settings settings = map_settings(c, env);
    struct source *s = mem_zalloc(sizeof *s);
    int rc;

    s->env = *env;
    s->directory = mem_strdup(c->directory);
    s->settle_ms = c->settle_ms;
    s->rescan_ms = c->rescan_ms;
    s->dirs.folder = s->dirs.work = -1;
    backoff_init(&s->backoff, FIRST_RETRY_MS, LONGEST_RETRY_MS, env->name);
    backoff_init(&s->batch_backoff, FIRST_RETRY_MS, LONGEST_RETRY_MS, env->name);
    parse_cursor(s, env->cursor);
    rc = event_map_create(&s->map, &settings, err);
    if (rc == 0) {
        s->format = (struct spool_format){ s->map, spool_delimiter(c->delimiter),
                                           (enum spool_encoding)c->encoding };
        rc = init_handles(s, err);
    }
    if (rc == 0) {
        *ret = s;
        return 0;
    }
    if (s->open_handles > 0) {
        uv_close((uv_handle_t *)&s->timer, on_closed); /* frees, on a later turn */
    } else {
        finish(s);
        free(s);
    }
    return rc;
}

static void spool_start(struct source *s)
{
    s->started = true;
    go_on(s);
}

static void spool_pause(struct source *s)
{
    s->paused = true;
}

static void spool_resume(struct source *s)
{
    s->paused = false;
    if (s->started && !s->stopping)
        go_on(s);
}

static bool spool_poll_now(struct source *s)
{
    backoff_reset(&s->backoff);
    backoff_reset(&s->batch_backoff);
    s->look_again = true;
    if (!s->working && !s->in_house && !s->stopping)
        go_on(s);
    return true;
}

static void spool_stop(struct source *s, void (*stopped)(void *arg), void *arg)
{
    s->stopping = true;
    s->stopped = stopped;
    s->stopped_arg = arg;
    uv_timer_stop(&s->timer);
    uv_fs_event_stop(&s->watch);
    close_if_idle(s);
}

const struct driver driver_spool = {
    .name = "spool",
    .summary = "folder into which people and programs drop .ndjson and .csv files",
    .options = spool_options,
    .config_size = sizeof(struct spool_config),
    .check = spool_check,
    .create = spool_create,
    .start = spool_start,
    .pause = spool_pause,
    .resume = spool_resume,
    .poll_now = spool_poll_now,
    .stop = spool_stop,
};
