/* Intake: the one door for events from anywhere.
 *
 * A submission gathers lines. Each is copied into an arena of chunks, so that its bytes never
 * move, and parsed at once, so that a big body costs the loop a microsecond here and there instead
 * of a long pause at its end. The lines themselves must lie side by side for the ledger: the array
 * grows in three steps from the one line of a single POST to the thousand of a full batch, and
 * what is not yet filled is memory that the kernel has not yet handed out.
 *
 * What has been sent and is not yet durable is counted, in lines and bytes, over all submissions.
 * Past either bound, or with the ledger's own queue full, the door is shut: the asker keeps what it
 * has and is called when there is room again. It is called only once the load has fallen to three
 * quarters, so that a crowd before the door does not find it shut again at once.
 *
 * Failure: a group that could not be committed comes back with a negative errno; nothing of it was
 * taken, nothing is counted, and the asker still has it. */
#include "intake.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

enum {
    WAITING_LINES_MAX = 20000,
    WAITING_BYTES_MAX = 64 * 1024 * 1024,
    LISTENERS_MAX = 4,
    CHUNK_FIRST = 2048,
    CHUNK_NEXT = 64 * 1024,
    VIA_SIZE = 80,
};

const int64_t lag_bounds_ms[LAG_BUCKETS - 1] = {
    1000, 5000, 30000, 60000, 300000, 1800000, 7200000, 86400000, 604800000,
};

struct listener {
    void (*room)(void *arg);
    void *arg;
};

struct intake {
    struct ledger *ledger;
    const struct rules *rules;
    const struct clock *clock;
    size_t lines, bytes; /* sent and not yet durable */
    bool refused;        /* somebody waits for room */
    struct listener listeners[LISTENERS_MAX];
    size_t listener_count;
};

/* A piece of the arena: its bytes follow. */
struct chunk {
    struct chunk *next;
    size_t used, size;
    char bytes[];
};

struct submission {
    struct intake *intake;
    struct intake_counts *counts;
    struct ledger_request request;
    struct ledger_line *lines;
    size_t count, capacity;
    struct chunk *chunks; /* the newest first */
    size_t bytes;
    int64_t received_at; /* when it was sent */
    bool waiting;        /* with the ledger */
    char via[VIA_SIZE];
    char *by, *source, *cursor;
    char *speaker;      /* who amends; NULL: whoever the event says */
    void (*done)(struct submission *submission, const struct submission_result *result, void *arg);
    void *arg;
};

struct intake *intake_create(struct ledger *ledger, const struct rules *rules,
                             const struct clock *clock)
{
    struct intake *in = mem_zalloc(sizeof *in);

    in->ledger = ledger;
    in->rules = rules;
    in->clock = clock;
    return in;
}

void intake_destroy(struct intake *in)
{
    if (in)
        assert(in->lines == 0);
    free(in);
}

void intake_set_rules(struct intake *in, const struct rules *rules)
{
    in->rules = rules;
}

struct submission *submission_create(struct intake *in, const char *via,
                                     struct intake_counts *counts)
{
    struct submission *s = mem_zalloc(sizeof *s);

    s->intake = in;
    s->counts = counts;
    s->request.what = LEDGER_EVENTS;
    text_set(s->via, sizeof s->via, via);
    return s;
}

/* Copies into the arena; what it returns stays where it is. */
static const char *keep(struct submission *s, const char *bytes, size_t length)
{
    struct chunk *c = s->chunks;
    size_t size;

    if (!c || c->size - c->used < length) {
        size = c ? CHUNK_NEXT : CHUNK_FIRST;
        if (size < length)
            size = length;
        c = mem_alloc(sizeof *c + size);
        *c = (struct chunk){ .next = s->chunks, .size = size };
        s->chunks = c;
    }
    if (length > 0)
        memcpy(c->bytes + c->used, bytes, length);
    c->used += length;
    return c->bytes + c->used - length;
}

static struct ledger_line *next_line(struct submission *s)
{
    static const size_t steps[] = { 1, 32, BATCH_LINES_MAX };

    for (size_t i = 0; s->count == s->capacity; i++) {
        assert(i < LENGTH(steps));
        if (steps[i] <= s->capacity)
            continue;
        s->capacity = steps[i];
        s->lines = mem_realloc_array(s->lines, s->capacity, sizeof *s->lines);
    }
    return &s->lines[s->count++];
}

void submission_speaks_for(struct submission *s, const char *user)
{
    free(s->speaker);
    s->speaker = mem_strdup(user);
}

/* Who amends is told by the kernel, not by himself. */
static void check_speaker(const struct submission *s, struct ledger_line *line)
{
    if (!s->speaker || line->event.type != EVENT_AMENDED ||
        strcmp(line->event.by, s->speaker) == 0)
        return;
    snprintf(line->reject.field, sizeof line->reject.field, "by");
    snprintf(line->reject.reason, sizeof line->reject.reason,
             "by: you are \"%.64s\", not \"%.64s\": amendments carry the name of who sends them",
             s->speaker, line->event.by);
}

void submission_add(struct submission *s, const char *bytes, size_t length, int64_t number,
                    const char *refusal)
{
    struct ledger_line *line = next_line(s);

    assert(!s->waiting);
    line->json = keep(s, bytes, length);
    line->length = length;
    line->number = number;
    line->result = LINE_UNDECIDED;
    line->seq = 0;
    line->reject.field[0] = line->reject.reason[0] = '\0';
    s->bytes += length;

    if (refusal)
        snprintf(line->reject.reason, sizeof line->reject.reason, "%s", refusal);
    else if (!event_parse(line->json, length, s->intake->rules, &line->event, &line->reject))
        assert(line->reject.reason[0]);
    else
        check_speaker(s, line);
}

size_t submission_length(const struct submission *s)
{
    return s->count;
}

size_t submission_bytes(const struct submission *s)
{
    return s->bytes;
}

void submission_replaces(struct submission *s, int64_t n, const char *by)
{
    s->request.what = LEDGER_RESUBMIT;
    s->request.n = n;
    free(s->speaker);
    free(s->by);
    s->by = mem_strdup(by);
}

/* A batch may overshoot the bound by itself: else one larger than the bound could never go. */
bool intake_is_full(const struct intake *in)
{
    return in->lines >= WAITING_LINES_MAX || in->bytes >= WAITING_BYTES_MAX ||
           ledger_queue_length(in->ledger) >= LEDGER_QUEUE_MAX;
}

struct intake_load intake_load(const struct intake *in)
{
    return (struct intake_load){ .lines = in->lines,
                                 .bytes = in->bytes,
                                 .lines_max = WAITING_LINES_MAX,
                                 .bytes_max = WAITING_BYTES_MAX };
}

void intake_on_room(struct intake *in, void (*room)(void *arg), void *arg)
{
    assert(in->listener_count < LISTENERS_MAX);
    in->listeners[in->listener_count++] = (struct listener){ .room = room, .arg = arg };
}

void intake_off_room(struct intake *in, void (*room)(void *arg), void *arg)
{
    for (size_t i = 0; i < in->listener_count; i++) {
        if (in->listeners[i].room == room && in->listeners[i].arg == arg) {
            in->listeners[i] = in->listeners[--in->listener_count];
            return;
        }
    }
}

static void tell_of_room(struct intake *in)
{
    struct listener listeners[LISTENERS_MAX];
    size_t count = in->listener_count;

    if (!in->refused || in->lines > WAITING_LINES_MAX / 4 * 3 ||
        in->bytes > WAITING_BYTES_MAX / 4 * 3 ||
        ledger_queue_length(in->ledger) > LEDGER_QUEUE_MAX / 4 * 3)
        return;
    in->refused = false;
    memcpy(listeners, in->listeners, sizeof listeners); /* one may take itself off */
    for (size_t i = 0; i < count; i++)
        listeners[i].room(listeners[i].arg);
}

static void count_lag(struct intake_counts *counts, int64_t lag_ms)
{
    size_t bucket = 0;

    if (lag_ms < 0)
        lag_ms = 0; /* dated ahead of our clock: not late */
    while (bucket < LAG_BUCKETS - 1 && lag_ms > lag_bounds_ms[bucket])
        bucket++;
    counts->lag[bucket]++;
    counts->lag_sum_ms += lag_ms;
}

static void count_line(const struct submission *s, const struct ledger_line *line,
                       struct submission_result *to)
{
    struct intake_counts *counts = s->counts;

    to->accepted += line->result == LINE_ACCEPTED;
    to->duplicate += line->result == LINE_DUPLICATE;
    to->quarantined += line->result == LINE_QUARANTINED;
    if (!counts)
        return;
    counts->accepted += line->result == LINE_ACCEPTED;
    counts->duplicate += line->result == LINE_DUPLICATE;
    counts->quarantined += line->result == LINE_QUARANTINED;
    if (line->result != LINE_ACCEPTED)
        return;
    count_lag(counts, s->received_at - line->event.at);
    if (line->event.at > counts->last_event_at)
        counts->last_event_at = line->event.at;
}

static void on_done(struct ledger_request *request)
{
    struct submission *s = request->arg;
    struct intake *in = s->intake;
    struct submission_result result = { .status = request->status, .position = request->position };

    s->waiting = false;
    in->lines -= s->count;
    in->bytes -= s->bytes;
    if (request->status < 0)
        result.err = request->err;
    else
        for (size_t i = 0; i < s->count; i++)
            count_line(s, &s->lines[i], &result);
    s->done(s, &result, s->arg); /* may destroy `s` */
    tell_of_room(in);
}

static void replace_text(char **to, const char *from)
{
    free(*to);
    *to = from ? mem_strdup(from) : NULL;
}

bool submission_send(struct submission *s, const char *source, const char *cursor,
                     void (*done)(struct submission *submission,
                                  const struct submission_result *result, void *arg),
                     void *arg)
{
    struct intake *in = s->intake;

    assert(!s->waiting);
    if (intake_is_full(in)) {
        in->refused = true;
        return false;
    }
    replace_text(&s->source, source);
    replace_text(&s->cursor, cursor);
    s->done = done;
    s->arg = arg;
    s->received_at = clock_wall(in->clock);
    s->request.lines = s->lines;
    s->request.count = s->count;
    s->request.via = s->via;
    s->request.by = s->by;
    s->request.source = s->source;
    s->request.cursor = s->cursor;
    s->request.done = on_done;
    s->request.arg = s;
    if (!ledger_submit(in->ledger, &s->request)) {
        in->refused = true;
        return false;
    }
    s->waiting = true;
    in->lines += s->count;
    in->bytes += s->bytes;
    return true;
}

const struct ledger_line *submission_line(const struct submission *s, size_t i)
{
    assert(i < s->count);
    return &s->lines[i];
}

void submission_destroy(struct submission *s)
{
    struct chunk *c;

    if (!s)
        return;
    assert(!s->waiting);
    while ((c = s->chunks)) {
        s->chunks = c->next;
        free(c);
    }
    free(s->lines);
    free(s->by);
    free(s->source);
    free(s->cursor);
    free(s);
}
