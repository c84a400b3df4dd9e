/* kpictl bench: the slots of the bench, once or as they change; begin a session, and stay with it
 * until it is over; cancel one. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "answer.h"
#include "base/json_out.h"
#include "base/mem.h"
#include "bench_view.h"
#include "kpictl.h"
#include "screen.h"

enum { EVERY_MS = 500 };

const struct flag bench_flags[] = {
    { "device", "DEVICE", "of start: which device it is", NULL },
    { "kind", "KIND", "of start: install or repair; install, if not given", "install repair" },
    { "model", "MODEL", "of start: the device's model, which chooses the profile", NULL },
    { "staff", "STAFF", "of start: who does the work", NULL },
    { "ticket", "TICKET", "of start: the ticket that will be settled", NULL },
    { "vehicle", "VEHICLE", "of start: which vehicle it is for", NULL },
    { "watch", NULL, "show it live; of start: until the session is over", NULL },
    { 0 },
};

/* --- Showing */

struct bench_watch {
    struct kpictl *kpictl;
    const char *slot;           /* NULL: all, until somebody ends it */
    char ticket[160];           /* the session of `slot` whose end is waited for */
    char outcome[16];           /* of it */
    bool live;
    bool ended;
    int status;
    int signals;
};

static char *bench_path(const char *slot)
{
    struct text_buffer path = { 0 };

    text_buffer_adds(&path, "/v1/bench");
    query_add(&path, "slot", slot);
    return text_buffer_take(&path);
}

static void print_slots(struct kpictl *kpictl, yajl_val answer)
{
    struct text_buffer text = { 0 };

    if (answer_length(answer, "slots") == 0)
        text_buffer_adds(&text, "the bench has no slots: see slots in kpid.conf(5)\n");
    bench_view_draw(answer, &kpictl->look, 0, &text);
    /* A failed write shows in ferror(stdout), which main looks at. */
    (void)fwrite(text.bytes, 1, text.length, stdout);
    text_buffer_finish(&text);
}

static int list(struct kpictl *kpictl)
{
    struct reply reply;
    int status;

    if (kpictl->json)
        return print_answer(kpictl, "/v1/bench");
    status = client_get(kpictl->client, "/v1/bench", &reply);
    if (status != EXIT_WELL)
        return status;
    print_slots(kpictl, reply.json);
    reply_finish(&reply);
    return EXIT_WELL;
}

/* One frame; what was seen last stays if the daemon does not answer, with the reason below. */
static void show_frame(const struct bench_watch *w, yajl_val answer, const char *trouble)
{
    struct look look = look_of(stdout);
    struct text_buffer frame = { 0 };
    size_t rows = screen_rows();

    if (answer)
        bench_view_draw(answer, &look, rows - 1, &frame);
    if (trouble)
        colour_add(&frame, &look, COLOUR_BAD, trouble);
    else
        colour_add(&frame, &look, COLOUR_DIM, w->slot ? "" : "q ends");
    text_buffer_adds(&frame, "\n");
    screen_show(&frame);
    text_buffer_finish(&frame);
}

/* The session that was waited for is over when another one, or none, is under way. */
static void look_for_end(struct bench_watch *w, yajl_val answer)
{
    yajl_val slot = answer_item(answer, "slots", 0);

    if (!w->slot || strcmp(answer_text(slot, "session.ticket"), w->ticket) == 0)
        return;
    w->ended = true;
    if (strcmp(answer_text(slot, "last.ticket"), w->ticket) == 0)
        snprintf(w->outcome, sizeof w->outcome, "%s", answer_text(slot, "last.outcome"));
}

static void wait_a_while(struct bench_watch *w)
{
    bool keyboard = w->live && isatty(STDIN_FILENO);
    struct pollfd waits[] = { { .fd = w->signals, .events = POLLIN },
                              { .fd = STDIN_FILENO, .events = POLLIN } };
    char key;

    w->ended = w->ended || screen_is_gone();
    if (poll(waits, keyboard ? 2 : 1, EVERY_MS) <= 0)
        return;
    if (waits[0].revents)
        w->ended = screen_signal(w->signals) || w->ended;
    if (keyboard && waits[1].revents && read(STDIN_FILENO, &key, 1) == 1)
        w->ended = w->ended || key == 'q' || key == 'Q';
}

/* A daemon that restarts is waited for: the session goes on when it is there again. */
static void watch_loop(struct bench_watch *w)
{
    char *path = bench_path(w->slot);
    struct reply seen = { 0 }, fresh;
    struct err err;

    while (!w->ended) {
        int rc = client_try(w->kpictl->client, path, &fresh, &err);

        if (rc == 0) {
            reply_finish(&seen);
            seen = fresh;
            look_for_end(w, seen.json);
        } else if (rc == -EXIT_REFUSED) {
            w->status = EXIT_REFUSED;
            w->ended = true;
        }
        if (w->live)
            show_frame(w, seen.json, rc < 0 ? err.text : NULL);
        if (!w->ended)
            wait_a_while(w);
    }
    screen_leave();
    if (w->status == EXIT_WELL && seen.json && !w->kpictl->json)
        print_slots(w->kpictl, seen.json);
    else if (w->status == EXIT_WELL && seen.json)
        printf("%s\n", seen.body.bytes);
    else
        fprintf(stderr, "kpictl: %s\n", err.text);
    reply_finish(&seen);
    free(path);
}

static int watch(struct kpictl *kpictl, const char *slot, const char *ticket)
{
    struct bench_watch w = { .kpictl = kpictl, .slot = slot };

    w.live = kpictl->look.width > 0 && !kpictl->json && getenv("TERM") &&
             strcmp(getenv("TERM"), "dumb") != 0;
    if (!w.live && !slot)
        return usage_error("--watch redraws a terminal: without one, kpictl bench shows it once");
    snprintf(w.ticket, sizeof w.ticket, "%s", ticket);
    w.signals = screen_signals(w.live);
    if (w.live)
        screen_enter();
    watch_loop(&w);
    /* Only read from. */
    (void)close(w.signals);
    if (slot && w.status == EXIT_WELL && strcmp(w.outcome, "success") != 0)
        return EXIT_REFUSED;
    return w.status;
}

/* --- Acts */

static char *session_path(const char *slot)
{
    struct text_buffer path = { 0 };

    text_buffer_adds(&path, "/v1/bench");
    path_add(&path, slot);
    text_buffer_adds(&path, "/session");
    return text_buffer_take(&path);
}

static int send_session(struct kpictl *kpictl, const char *method, const char *slot,
                        const struct text_buffer *body, struct reply *ret)
{
    char *path = session_path(slot);
    int status = client_send(kpictl->client, method, path, body ? "application/json" : NULL,
                             body ? body->bytes : NULL, body ? body->length : 0, ret);

    free(path);
    return status;
}

static int start(struct kpictl *kpictl, const char *slot)
{
    static const char *const members[] = { "device", "model", "staff", "ticket", "vehicle" };
    const struct arguments *arguments = kpictl->arguments;
    const char *ticket = arguments_value(arguments, "ticket");
    const char *kind = arguments_value(arguments, "kind");
    struct text_buffer body = { 0 };
    struct reply reply;
    int status;

    if (!ticket || !ticket[0])
        return usage_error("which order is it? kpictl bench start %s --ticket TICKET", slot);
    text_buffer_adds(&body, "{");
    json_out_text(&body, "kind", kind ? kind : "install");
    for (size_t i = 0; i < LENGTH(members); i++) {
        if (arguments_has(arguments, members[i]))
            json_out_text(&body, members[i], arguments_value(arguments, members[i]));
    }
    text_buffer_adds(&body, "}");
    status = send_session(kpictl, "POST", slot, &body, &reply);
    text_buffer_finish(&body);
    if (status != EXIT_WELL)
        return status;
    if (!arguments_has(arguments, "watch")) {
        if (kpictl->json)
            printf("%s\n", reply.body.bytes);
        else
            printf("slot %s tests for %s\n", slot, ticket);
    }
    reply_finish(&reply);
    return arguments_has(arguments, "watch") ? watch(kpictl, slot, ticket) : EXIT_WELL;
}

static int cancel(struct kpictl *kpictl, const char *slot)
{
    struct reply reply;
    int status = send_session(kpictl, "DELETE", slot, NULL, &reply);

    if (status != EXIT_WELL)
        return status;
    if (kpictl->json)
        printf("%s\n", reply.body.bytes);
    else
        printf("the session of slot %s is cancelled: it counts nowhere\n", slot);
    reply_finish(&reply);
    return EXIT_WELL;
}

int run_bench(struct kpictl *kpictl)
{
    const char *act = arguments_operand(kpictl->arguments, 0);
    const char *slot = arguments_operand(kpictl->arguments, 1);

    if (!act)
        return arguments_has(kpictl->arguments, "watch") ? watch(kpictl, NULL, "") : list(kpictl);
    if (strcmp(act, "start") != 0 && strcmp(act, "cancel") != 0)
        return usage_error("bench can start and cancel a session, not \"%s\"", act);
    if (!slot)
        return usage_error("which slot? kpictl bench %s SLOT, with SLOT from kpictl bench", act);
    return strcmp(act, "start") == 0 ? start(kpictl, slot) : cancel(kpictl, slot);
}
