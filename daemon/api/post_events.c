/* POST /v1/events: NDJSON, taken line by line as it arrives.
 *
 *     piece of the body ──> lines ──> a submission ──(1000 lines, half a MiB, or the end)──> intake
 *
 * A big body becomes several submissions; a few of them may be on their way at once, so that the
 * disk works while the next lines come in. The answer waits for the last. When the intake is full
 * the connection is suspended: the socket fills, and the caller waits without anybody's memory. If
 * there is no room for a while he is told so, with what was taken until then: to send everything
 * again is safe, for what is in the log already is a duplicate. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/handlers.h"
#include "base/json_out.h"
#include "base/mem.h"

enum {
    SEND_BYTES = BATCH_BYTES_MAX / 2,
    UNDER_WAY_MAX = 4,               /* submissions of one body */
    GATHERED_MAX = 32 * 1024 * 1024, /* unsent, of all bodies together */
    LISTED_MAX = 1000,               /* quarantined lines that the answer names */
    ROOM_WAIT_MS = 10000,
};

struct post {
    struct call *call; /* NULL: the caller has gone */
    struct api *api;
    struct text_buffer partial; /* the beginning of a line */
    size_t skipped;             /* bytes of that line that were too many to keep */
    int64_t line;
    uint64_t body_bytes;
    struct submission *current;
    size_t gathered; /* what it counts in api->gathered_bytes */
    size_t under_way;
    bool at_end;  /* the whole body is here */
    bool waiting; /* for room; in api->posts_waiting */
    int64_t waits_since_ms;
    struct post *next_waiting;
    uint64_t accepted, duplicate, quarantined;
    struct text_buffer list; /* of quarantined lines, JSON */
    size_t listed;
    struct problem problem; /* the first that went wrong; kind NONE: nothing */
};

static void post_destroy(struct post *p)
{
    text_buffer_finish(&p->partial);
    text_buffer_finish(&p->list);
    problem_finish(&p->problem);
    free(p);
}

/* --- The answer */

static void write_counts(struct text_buffer *to, const struct post *p)
{
    json_out_integer(to, "accepted", (int64_t)p->accepted);
    json_out_integer(to, "duplicate", (int64_t)p->duplicate);
    json_out_key(to, "quarantined");
    text_buffer_adds(to, "[");
    text_buffer_add(to, p->list.bytes, p->list.length);
    text_buffer_adds(to, "]");
    if (p->quarantined > p->listed)
        json_out_integer(to, "quarantined_more", (int64_t)(p->quarantined - p->listed));
}

static void reply(struct post *p)
{
    struct text_buffer body = { 0 };

    if (p->problem.kind) {
        size_t length = strlen(p->problem.detail);

        if (p->accepted + p->duplicate + p->quarantined)
            snprintf(p->problem.detail + length, sizeof p->problem.detail - length,
                     "; the lines counted here were taken: sending all again is safe");
        write_counts(&body, p);
        p->problem.members = text_buffer_take(&body);
        call_problem(p->call, &p->problem);
        return;
    }
    text_buffer_adds(&body, "{");
    write_counts(&body, p);
    text_buffer_adds(&body, "}");
    call_reply_json(p->call, 200, &body);
}

/* Says once what went wrong; what follows of the body is not wanted. */
static void fail(struct post *p, enum problem_kind kind, const char *why)
{
    if (p->problem.kind)
        return;
    problem_set(&p->problem, kind, "%.400s", why);
    if (kind != PROBLEM_TOO_LARGE)
        p->problem.retry_after_s = 2;
    if (p->call)
        p->call->cut = true;
}

/* --- Waiting for room */

static void wait_for_room(struct post *p)
{
    struct post **last = &p->api->posts_waiting;

    if (p->waiting)
        return;
    p->waiting = true;
    p->waits_since_ms = clock_monotonic(p->api->house.clock);
    p->next_waiting = NULL;
    while (*last)
        last = &(*last)->next_waiting;
    *last = p;
    if (!p->call->suspended)
        call_wait(p->call);
}

static void stop_waiting(struct post *p)
{
    struct post **at = &p->api->posts_waiting;

    if (!p->waiting)
        return;
    while (*at != p)
        at = &(*at)->next_waiting;
    *at = p->next_waiting;
    p->waiting = false;
}

/* --- Sending */

static void drop_current(struct post *p)
{
    p->api->gathered_bytes -= p->gathered;
    p->gathered = 0;
    submission_destroy(p->current);
    p->current = NULL;
}

static void list_quarantined(struct post *p, const struct ledger_line *line)
{
    if (p->listed == LISTED_MAX)
        return;
    if (p->listed++)
        text_buffer_add(&p->list, ",", 1);
    text_buffer_adds(&p->list, "{");
    json_out_integer(&p->list, "line", line->number);
    json_out_text(&p->list, "reason", line->reject.reason);
    text_buffer_adds(&p->list, "}");
}

static void proceed(struct post *p);
static bool is_due(const struct post *p);
static void end_line(struct post *p, const char *bytes, size_t length);

static void on_done(struct submission *s, const struct submission_result *result, void *arg)
{
    struct post *p = arg;

    p->under_way--;
    api_unpend(p->api);
    p->accepted += result->accepted;
    p->duplicate += result->duplicate;
    p->quarantined += result->quarantined;
    for (size_t i = 0; result->status == 0 && result->quarantined && i < submission_length(s) &&
                       p->listed < LISTED_MAX;
         i++) {
        const struct ledger_line *line = submission_line(s, i);

        if (line->result == LINE_QUARANTINED)
            list_quarantined(p, line);
    }
    submission_destroy(s);
    if (result->status < 0)
        fail(p, problem_of_failure(result->status), result->err.text);
    if (p->call)
        proceed(p);
    else if (p->under_way == 0)
        post_destroy(p);
}

/* False: no room; the post waits. */
static bool send_current(struct post *p)
{
    struct submission *s = p->current;

    if (!s)
        return true;
    if (p->problem.kind) {
        drop_current(p);
        return true;
    }
    if (p->under_way == UNDER_WAY_MAX || !submission_send(s, NULL, NULL, on_done, p)) {
        wait_for_room(p);
        return false;
    }
    p->api->gathered_bytes -= p->gathered;
    p->gathered = 0;
    p->current = NULL;
    p->under_way++;
    api_pend(p->api);
    return true;
}

/* Something changed for the better or the worse: go on with what `waited`. */
static void go_on(struct post *p, bool waited)
{
    if (!p->at_end) {
        if (waited && send_current(p))
            call_wake(p->call); /* the body goes on */
        return;
    }
    if (p->partial.length || p->skipped) {
        if (is_due(p) && !send_current(p))
            return;
        end_line(p, "", 0); /* the last one, which nothing ended */
    }
    if (send_current(p) && p->under_way == 0)
        reply(p);
}

static void proceed(struct post *p)
{
    bool waited = p->waiting;

    stop_waiting(p);
    go_on(p, waited);
}

void post_room(void *arg)
{
    struct api *api = arg;
    struct post *p = api->posts_waiting, *next;

    api->posts_waiting = NULL; /* who finds no room gets in line again */
    for (; p; p = next) {
        next = p->next_waiting;
        p->waiting = false;
        if (api->stopping)
            fail(p, PROBLEM_BUSY, "the daemon is stopping");
        go_on(p, true);
    }
}

void post_sweep(struct api *api, int64_t now_ms)
{
    struct post *next;

    for (struct post *p = api->posts_waiting; p; p = next) {
        next = p->next_waiting;
        if (now_ms - p->waits_since_ms < ROOM_WAIT_MS)
            continue;
        fail(p, PROBLEM_BUSY, "more events wait to be written than the daemon may hold");
        proceed(p);
    }
}

/* --- Lines */

struct submission *socket_submission(struct call *call)
{
    const struct connection *c = call->connection;
    char via[PEER_NAME_SIZE + 8];
    struct submission *s;

    snprintf(via, sizeof via, "socket:%s", c->user);
    s = submission_create(call->api->house.intake, via, &call->api->socket_counts);
    if (c->peer.uid != 0 && c->peer.uid != geteuid())
        submission_speaks_for(s, c->user);
    return s;
}

static void add_line(struct post *p, const char *bytes, size_t length, const char *refusal)
{
    size_t cost;

    while (length &&
           (bytes[length - 1] == '\r' || bytes[length - 1] == ' ' || bytes[length - 1] == '\t'))
        length--;
    if (length == 0)
        return;
    if (!p->current)
        p->current = socket_submission(p->call);
    submission_add(p->current, bytes, length, p->line, refusal);
    cost = length + sizeof(struct ledger_line);
    p->gathered += cost;
    p->api->gathered_bytes += cost;
}

/* Ends the line that `partial` began with these last bytes. */
static void end_line(struct post *p, const char *bytes, size_t length)
{
    char refusal[96];

    p->line++;
    if (p->partial.length == 0 && p->skipped == 0 && length <= EVENT_JSON_MAX) {
        add_line(p, bytes, length, NULL);
        return;
    }
    if (p->partial.length + length > EVENT_JSON_MAX) {
        p->skipped += p->partial.length + length - EVENT_JSON_MAX;
        length = EVENT_JSON_MAX - p->partial.length;
    }
    text_buffer_add(&p->partial, bytes, length);
    snprintf(refusal, sizeof refusal, "the line has %zu bytes; the first %d are kept",
             p->partial.length + p->skipped, EVENT_JSON_MAX);
    add_line(p, p->partial.bytes, p->partial.length, p->skipped ? refusal : NULL);
    p->partial.length = 0;
    p->skipped = 0;
}

static void begin_line(struct post *p, const char *bytes, size_t length)
{
    size_t room = EVENT_JSON_MAX - p->partial.length;

    text_buffer_add(&p->partial, bytes, length < room ? length : room);
    p->skipped += length < room ? 0 : length - room;
}

static bool is_due(const struct post *p)
{
    return p->current &&
           (submission_length(p->current) >= BATCH_LINES_MAX ||
            submission_bytes(p->current) >= SEND_BYTES || p->api->gathered_bytes > GATHERED_MAX);
}

static size_t body(struct call *call, const char *bytes, size_t length)
{
    struct post *p = call->state;
    size_t taken = 0;

    while (taken < length && !call->cut) {
        const char *line = bytes + taken;
        const char *newline = memchr(line, '\n', length - taken);

        if (is_due(p) && !send_current(p))
            break;
        if (newline)
            end_line(p, line, (size_t)(newline - line));
        else
            begin_line(p, line, length - taken);
        taken = newline ? (size_t)(newline - bytes) + 1 : length;
    }
    if (call->cut)
        taken = length;
    p->body_bytes += taken;
    if (p->body_bytes > call->api->house.conf->body_max_bytes)
        fail(p, PROBLEM_TOO_LARGE,
             "the body has more bytes than are allowed at once: send it in "
             "parts");
    return taken;
}

/* --- The request */

static bool is_ndjson(const char *type)
{
    static const char *const names[] = { "application/x-ndjson", "application/ndjson" };
    size_t length = type ? strcspn(type, "; \t") : 0;

    for (size_t i = 0; i < LENGTH(names); i++) {
        if (length == strlen(names[i]) && strncasecmp(type, names[i], length) == 0)
            return true;
    }
    return false;
}

static void begin(struct call *call)
{
    struct problem problem;
    struct post *p;

    if (!is_ndjson(call_header(call, "Content-Type"))) {
        problem_set(&problem, PROBLEM_MEDIA_TYPE,
                    "send Content-Type: application/x-ndjson, one event a line");
        call_problem(call, &problem);
        return;
    }
    p = mem_zalloc(sizeof *p);
    p->call = call;
    p->api = call->api;
    call->state = p;
}

static void end(struct call *call)
{
    struct post *p = call->state;

    p->at_end = true;
    go_on(p, false);
    if (call->stage != CALL_REPLIED && !call->suspended)
        call_wait(call);
}

static void forget(struct call *call)
{
    struct post *p = call->state;

    if (!p)
        return;
    stop_waiting(p);
    drop_current(p);
    p->call = NULL;
    call->state = NULL;
    if (p->under_way == 0)
        post_destroy(p);
}

const struct handler post_events = { .begin = begin, .body = body, .end = end, .forget = forget };
