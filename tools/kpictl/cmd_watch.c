/* kpictl watch: the figures as they change.
 *
 * The happy path: ask for the status and the facts of today and this week, then follow the stream
 * from the position of that status, so that nothing falls between. On a terminal each change
 * redraws the table in place; on a pipe each is a line. What the stream brings again (it resumes
 * with the last position, not behind it) compares equal and is no change. With --json nothing is
 * compared: every fact that comes is a line.
 *
 * Failures: no daemon at the start ends with the reason. Once we have been connected, a daemon that
 * goes is waited for; the stream is resumed with the last event that was seen.
 *
 * Everything that can happen comes out of one curl_multi_poll: the stream, signals (through a
 * signalfd, so that they never interrupt a write to the terminal), the keyboard. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <curl/curl.h>

#include "answer.h"
#include "base/clock.h"
#include "base/mem.h"
#include "figure.h"
#include "kpictl.h"
#include "screen.h"
#include "sse.h"
#include "watch_view.h"

enum { REFRESH_MS = 2000, RETRY_MS = 1000 };

const struct flag watch_flags[] = {
    { "kpi", "KPI", "one KPI alone", "@kpis" },
    { "scope", "SCOPE", "site:east, department:technical, ... (company if not given)",
      "company site: department: staff: model:" },
    { 0 },
};

struct watch {
    struct kpictl *kpictl;
    struct watch_view view;
    bool live;              /* on a terminal: redraw; else a line for each change */
    CURLM *multi;
    CURL *stream;           /* NULL: not connected */
    struct curl_slist *headers;
    struct sse sse;
    struct text_buffer refusal;     /* the body, if the stream was refused */
    int signals;            /* signalfd */
    int64_t refresh_at;     /* monotonic: when to ask for the status again, or to connect */
    bool changed;           /* the frame is no longer what the screen shows */
    bool ended;
    int status;
};

static int64_t now_ms(void)
{
    return clock_monotonic(&clock_system);
}

/* A line for each change: what a pipe gets. */
static void print_change(const struct watch *watch, const struct figure *figure)
{
    char instant[CELL_SIZE], rate[CELL_SIZE], counts[CELL_SIZE];

    printf("%s  %s  %s  %s  %s  %s  %s\n", instant_for_people(instant, figure->as_of),
           kpi_names_find(&watch->view.names, figure->kpi), figure->period, figure->scope,
           figure_rate(rate, figure), figure_counts(counts, figure), figure_verdict(figure));
    if (fflush(stdout) != 0)
        exit(EXIT_REFUSED);     /* nobody reads any more */
}

static void on_event(void *arg, const char *name, const char *data)
{
    struct watch *watch = arg;
    struct figure figure;
    yajl_val fact;

    if (strcmp(name, "fact") != 0)
        return;
    watch->view.position = strtoll(watch->sse.last_id, NULL, 10);
    if (watch->kpictl->json) {
        printf("%s\n", data);
        if (fflush(stdout) != 0)
            exit(EXIT_REFUSED);
        return;
    }
    fact = answer_parse(data);
    if (!fact)
        return;
    figure_read(&figure, fact);
    yajl_tree_free(fact);
    if (watch_view_fact(&watch->view, &figure, now_ms(), false) && !watch->live)
        print_change(watch, &figure);
    watch->changed = true;
}

static size_t on_bytes(char *bytes, size_t size, size_t count, void *arg)
{
    struct watch *watch = arg;
    long status = 0;

    curl_easy_getinfo(watch->stream, CURLINFO_RESPONSE_CODE, &status);
    if (status == 200)
        sse_feed(&watch->sse, bytes, size * count);
    else
        text_buffer_add(&watch->refusal, bytes, size * count);
    return size * count;
}

/* The facts of one period, as they are found. */
static int read_facts(struct watch *watch, const char *period, struct err *err)
{
    struct text_buffer path = { 0 };
    struct figure figure;
    struct reply reply;
    int rc;

    text_buffer_adds(&path, "/v1/facts");
    query_add(&path, "period", period);
    query_add(&path, "scope", watch->view.scope);
    query_add(&path, "kpi", arguments_value(watch->kpictl->arguments, "kpi"));
    rc = client_try(watch->kpictl->client, path.bytes, &reply, err);
    text_buffer_finish(&path);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < answer_length(reply.json, "facts"); i++) {
        figure_read(&figure, answer_item(reply.json, "facts", i));
        watch_view_fact(&watch->view, &figure, now_ms(), true);
    }
    reply_finish(&reply);
    return 0;
}

/* Shows one KPI alone, if that was asked for. */
static void keep_one(struct watch_view *view, const char *kpi)
{
    size_t kept = 0;

    for (size_t i = 0; kpi && i < view->row_count; i++)
        if (strcmp(view->rows[i].kpi, kpi) == 0)
            view->rows[kept++] = view->rows[i];
    view->row_count = kpi ? kept : view->row_count;
}

static int read_state(struct watch *watch, struct err *err)
{
    struct client *client = watch->kpictl->client;
    struct reply reply;
    int rc;

    rc = client_try(client, "/v1/status", &reply, err);
    if (rc < 0)
        return rc;
    watch_view_status(&watch->view, reply.json, watch->kpictl->chinese);
    keep_one(&watch->view, arguments_value(watch->kpictl->arguments, "kpi"));
    reply_finish(&reply);

    if (watch->live) {
        rc = client_try(client, "/v1/sources", &reply, err);
        if (rc < 0)
            return rc;
        watch_view_sources(&watch->view, reply.json);
        reply_finish(&reply);
    }
    watch->refresh_at = now_ms() + REFRESH_MS;
    watch->changed = true;
    return 0;
}

static void open_stream(struct watch *watch)
{
    struct text_buffer path = { 0 };
    char *resume;

    text_buffer_adds(&path, "/v1/watch");
    query_add(&path, "scope", watch->view.scope);
    query_add(&path, "kpi", arguments_value(watch->kpictl->arguments, "kpi"));
    watch->stream = client_easy(watch->kpictl->client, path.bytes);
    text_buffer_finish(&path);

    curl_slist_free_all(watch->headers);
    watch->headers = curl_slist_append(NULL, "Accept: text/event-stream");
    if (watch->sse.last_id[0])
        resume = mem_printf("Last-Event-ID: %s", watch->sse.last_id);
    else
        resume = mem_printf("Last-Event-ID: %lld", (long long)watch->view.position);
    if (watch->sse.last_id[0] || !watch->kpictl->json)
        watch->headers = curl_slist_append(watch->headers, resume);
    free(resume);

    sse_restart(&watch->sse);
    curl_easy_setopt(watch->stream, CURLOPT_HTTPHEADER, watch->headers);
    curl_easy_setopt(watch->stream, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(watch->stream, CURLOPT_WRITEDATA, watch);
    curl_multi_add_handle(watch->multi, watch->stream);
}

static void close_stream(struct watch *watch)
{
    if (!watch->stream)
        return;
    curl_multi_remove_handle(watch->multi, watch->stream);
    curl_easy_cleanup(watch->stream);
    watch->stream = NULL;
}

static int connect_stream(struct watch *watch, struct err *err)
{
    int rc;

    rc = read_state(watch, err);
    if (rc < 0)
        return rc;
    if (!watch->kpictl->json && watch->view.trouble[0] == '\0') {
        rc = read_facts(watch, watch->view.today, err);
        if (rc == 0)
            rc = read_facts(watch, watch->view.week, err);
        if (rc < 0)
            return rc;
    }
    open_stream(watch);
    if (!watch->live && watch->view.trouble[0])
        fprintf(stderr, "kpictl: connected again\n");
    watch->view.trouble[0] = '\0';
    return 0;
}

/* The daemon is gone, or not yet back: says so once, and tries again in a moment. */
static void lose_stream(struct watch *watch, const struct err *err)
{
    close_stream(watch);
    if (!watch->live && watch->view.trouble[0] == '\0')
        fprintf(stderr, "kpictl: waiting: %s\n", err->text);
    snprintf(watch->view.trouble, sizeof watch->view.trouble, "waiting: %.240s", err->text);
    watch->refresh_at = now_ms() + RETRY_MS;
    watch->changed = true;
}

/* The stream has ended: by the daemon's refusal, which is final, or by its end, which is not. */
static void on_stream_end(struct watch *watch, CURLcode code)
{
    struct err err = { 0 };
    long status = 0;
    yajl_val problem;

    curl_easy_getinfo(watch->stream, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_OK && status >= 400 && status < 500) {
        problem = watch->refusal.length ? answer_parse(watch->refusal.bytes) : NULL;
        screen_leave();
        fprintf(stderr, "kpictl: %s\n", answer_text(problem, "detail"));
        yajl_tree_free(problem);
        close_stream(watch);
        watch->status = EXIT_REFUSED;
        watch->ended = true;
        return;
    }
    client_explain(watch->kpictl->client, code == CURLE_OK ? CURLE_GOT_NOTHING : code, &err);
    lose_stream(watch, &err);
}

static void run_transfers(struct watch *watch)
{
    CURLMsg *message;
    int running, left;

    curl_multi_perform(watch->multi, &running);
    while ((message = curl_multi_info_read(watch->multi, &left)))
        if (message->msg == CURLMSG_DONE) {
            on_stream_end(watch, message->data.result);
            return;
        }
}

/* Asks again for what the stream does not tell, or connects again. */
static void refresh(struct watch *watch)
{
    struct err err;
    int rc;

    if (now_ms() < watch->refresh_at)
        return;
    if (watch->stream && !watch->live) {
        watch->refresh_at = now_ms() + REFRESH_MS;
        return;
    }
    rc = watch->stream ? read_state(watch, &err) : connect_stream(watch, &err);
    if (rc < 0)
        lose_stream(watch, &err);
}

static void on_signal(struct watch *watch)
{
    watch->changed = true;
    watch->ended = screen_signal(watch->signals) || watch->ended;
}

static void on_key(struct watch *watch)
{
    char key;

    if (read(STDIN_FILENO, &key, 1) == 1 && (key == 'q' || key == 'Q'))
        watch->ended = true;
}

static void show(struct watch *watch)
{
    struct text_buffer frame = { 0 };
    struct look look = look_of(stdout);

    watch_view_draw(&watch->view, &look, screen_rows(), now_ms(), &frame);
    screen_show(&frame);
    text_buffer_finish(&frame);
    watch->changed = false;
}

/* How long nothing will move by itself. */
static int idle_ms(const struct watch *watch)
{
    int64_t now = now_ms();
    int64_t mark = watch->live ? watch_view_due_at(&watch->view, now) : 0;
    int64_t due = mark && mark < watch->refresh_at ? mark : watch->refresh_at;

    return due <= now ? 0 : due - now < 60000 ? (int)(due - now) : 60000;
}

static void turn(struct watch *watch)
{
    bool keyboard = watch->live && isatty(STDIN_FILENO);
    struct curl_waitfd waits[] = {
        { .fd = watch->signals, .events = CURL_WAIT_POLLIN },
        { .fd = STDIN_FILENO, .events = CURL_WAIT_POLLIN },
    };
    int64_t mark = watch->live ? watch_view_due_at(&watch->view, now_ms()) : 0;

    if (watch->live && watch->changed)
        show(watch);
    curl_multi_poll(watch->multi, waits, keyboard ? 2 : 1, idle_ms(watch), NULL);
    if (waits[0].revents)
        on_signal(watch);
    if (keyboard && waits[1].revents)
        on_key(watch);
    watch->ended = watch->ended || screen_is_gone();
    run_transfers(watch);
    if (!watch->ended)
        refresh(watch);
    if (mark != 0 && now_ms() >= mark)
        watch->changed = true;      /* a mark ran out */
}

static void loop(struct watch *watch)
{
    struct text_buffer frame = { 0 };
    struct look look;

    if (watch->live)
        screen_enter();
    while (!watch->ended)
        turn(watch);
    screen_leave();
    if (!watch->live || watch->status != EXIT_WELL)
        return;

    /* What was seen last stays behind on the ordinary page. */
    look = look_of(stdout);
    watch_view_draw(&watch->view, &look, watch->view.row_count + 4, now_ms(), &frame);
    /* A failed write shows in ferror(stdout), which main looks at. */
    (void)fwrite(frame.bytes, 1, frame.length, stdout);
    text_buffer_finish(&frame);
}

int run_watch(struct kpictl *kpictl)
{
    const char *scope = arguments_value(kpictl->arguments, "scope");
    struct watch watch = { .kpictl = kpictl, .sse = { .event = on_event } };
    struct err err;
    int rc;

    watch.sse.arg = &watch;
    watch.live = kpictl->look.width > 0 && !kpictl->json && getenv("TERM")
                 && strcmp(getenv("TERM"), "dumb") != 0;
    snprintf(watch.view.scope, sizeof watch.view.scope, "%s", scope ? scope : "company");
    watch.multi = curl_multi_init();
    watch.signals = screen_signals(watch.live);

    rc = connect_stream(&watch, &err);
    if (rc < 0) {
        fprintf(stderr, "kpictl: %s\n", err.text);
        watch.status = -rc;
    } else {
        loop(&watch);
    }

    close_stream(&watch);
    curl_multi_cleanup(watch.multi);
    curl_slist_free_all(watch.headers);
    /* Only read from. */
    (void)close(watch.signals);
    sse_finish(&watch.sse);
    text_buffer_finish(&watch.refusal);
    watch_view_finish(&watch.view);
    return watch.status;
}
