/* Streams of changed facts.
 *
 * A stream is a place in the board's order of changes and a few kilobytes of text on their way to
 * the socket; it has no queue. When the socket takes more, the next changes after the place are
 * written: a watcher who reads slowly finds each fact as it is by then, once, however often it
 * changed meanwhile, and one who never reads holds his few kilobytes until libmicrohttpd's
 * time-out ends the connection.
 *
 * A stream that has nothing to say is suspended; a publication wakes it, or the fifteenth second
 * of silence, which sends a comment. */
#include "api/sse.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "kpi/scope.h"

enum { KEEP_ALIVE_MS = 15000, TEXT_MAX = 8192, BLOCK_SIZE = 4096 };

struct stream {
    struct call *call;
    struct api *api;
    char kpi[KPI_ID_SIZE];  /* "": all */
    char scope[SCOPE_SIZE]; /* "": all */
    uint64_t change;        /* the last one that was written, or passed over */
    struct text_buffer text;
    size_t sent; /* of `text` */
    int64_t spoke_at_ms;
    bool closing;
    struct stream *next, *previous;
};

static bool wants(const struct stream *s, const struct kpi *kpi, const char *scope)
{
    return (!s->kpi[0] || strcmp(s->kpi, kpi->id) == 0) &&
           (!s->scope[0] || scope_matches(s->scope, scope));
}

static void write_event(struct stream *s, const struct board_change *change)
{
    const struct board *board = s->api->house.board;
    const struct rules *rules = api_rules(s->api);
    const struct published_fact *f = change->fact;
    struct fact_view view =
        board_view(board, &rules->kpis[f->kpi], f->period, f->scope, &f->fact, api_as_of(s->api));

    text_buffer_addf(&s->text, "event: fact\nid: %lld\ndata: ", (long long)change->position);
    fact_json(&s->text, &view, &rules->zone);
    text_buffer_adds(&s->text, "\n\n");
}

static void fill(struct stream *s)
{
    const struct rules *rules = api_rules(s->api);
    struct board_change change;

    s->text.length = s->sent = 0;
    while (s->text.length < TEXT_MAX &&
           board_next_change(s->api->house.board, s->change, &change)) {
        s->change = change.number;
        if (wants(s, &rules->kpis[change.fact->kpi], change.fact->scope))
            write_event(s, &change);
    }
    if (s->text.length == 0 && s->api->stopping && !s->closing) {
        s->closing = true;
        text_buffer_adds(&s->text, ": the daemon stops\n\n");
    }
}

/* libmicrohttpd asks for more. */
static ssize_t on_read(void *arg, uint64_t position, char *to, size_t room)
{
    struct stream *s = arg;
    size_t length;

    (void)position;
    if (s->sent == s->text.length)
        fill(s);
    length = s->text.length - s->sent;
    if (length == 0) {
        if (s->closing)
            return MHD_CONTENT_READER_END_OF_STREAM;
        call_wait(s->call);
        return 0;
    }
    if (length > room)
        length = room;
    memcpy(to, s->text.bytes + s->sent, length);
    s->sent += length;
    s->spoke_at_ms = clock_monotonic(s->api->house.clock);
    return (ssize_t)length;
}

static void on_free(void *arg)
{
    struct stream *s = arg;

    *(s->previous ? &s->previous->next : &s->api->streams) = s->next;
    if (s->next)
        s->next->previous = s->previous;
    s->api->stream_count--;
    text_buffer_finish(&s->text);
    free(s);
}

static struct stream *stream_create(struct call *call, const char *kpi, const char *scope,
                                    uint64_t change)
{
    struct api *api = call->api;
    struct stream *s = mem_zalloc(sizeof *s);

    s->call = call;
    s->api = api;
    text_set(s->kpi, sizeof s->kpi, kpi ? kpi : "");
    text_set(s->scope, sizeof s->scope, scope ? scope : "");
    s->change = change;
    s->spoke_at_ms = clock_monotonic(api->house.clock);
    text_buffer_adds(&s->text, "retry: 2000\n: kpid\n\n");
    s->next = api->streams;
    if (s->next)
        s->next->previous = s;
    api->streams = s;
    api->stream_count++;
    return s;
}

bool sse_begin(struct call *call, const char *kpi, const char *scope, uint64_t change,
               struct problem *problem)
{
    struct api *api = call->api;
    struct MHD_Response *response;
    struct stream *s;

    if (api->stream_count >= api->house.conf->connections_max / 2) {
        problem_set(problem, PROBLEM_BUSY, "%zu watch already", api->stream_count);
        problem->retry_after_s = 10;
        return false;
    }
    s = stream_create(call, kpi, scope, change);
    response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_SIZE, on_read, s, on_free);
    if (!response)
        log_fatal("socket: no memory for a stream");
    MHD_add_response_header(response, "Content-Type", "text/event-stream");
    MHD_add_response_header(response, "Cache-Control", "no-store");
    connection_phase(call->connection, PHASE_STREAM);
    call_reply_response(call, 200, response);
    return true;
}

void sse_published(struct board_watch *watch, const struct publication *publication)
{
    struct api *api = watch->arg;
    uint64_t last = board_last_change(api->house.board);

    (void)publication;
    for (struct stream *s = api->streams; s; s = s->next) {
        if (s->change < last)
            call_wake(s->call);
    }
}

void sse_wake_all(struct api *api)
{
    for (struct stream *s = api->streams; s; s = s->next)
        call_wake(s->call);
}

void sse_sweep(struct api *api, int64_t now_ms)
{
    for (struct stream *s = api->streams; s; s = s->next) {
        if (!s->call->suspended || now_ms - s->spoke_at_ms < KEEP_ALIVE_MS)
            continue;
        s->text.length = s->sent = 0;
        text_buffer_adds(&s->text, ": still here\n\n");
        call_wake(s->call);
    }
}
