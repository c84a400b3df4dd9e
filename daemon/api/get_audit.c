/* GET /v1/audit: the chain: its head, its records, newest first, and how the last verification
 * ended. With verify=now the whole chain is verified before the answer: that reads the whole event
 * log, so one at a time, and only for who is on the local socket. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/show.h"
#include "api/work.h"
#include "base/mem.h"

enum { USUAL = 20 };

struct question {
    struct page page;
    int64_t before; /* records of a lower number; 0: from the last */
    bool verify;
    bool *verifying; /* the api's: false again when we are done */
    struct verification verification;
    size_t count;
    bool more;
    int64_t last;
};

static void show_record(struct text_buffer *to, const struct chain_row *row,
                        const struct zone *zone)
{
    text_buffer_adds(to, "{");
    json_out_integer(to, "n", row->n);
    json_out_text(to, "kind", row->kind);
    show_text(to, "period", row->period);
    json_out_integer(to, "revision", row->revision);
    show_instant(to, "at", row->at, zone);
    json_out_text(to, "by", row->by);
    json_out_text(to, "why", row->why);
    json_out_integer(to, "position", row->position);
    json_out_integer(to, "facts", row->facts);
    json_out_integer(to, "moved", row->moved);
    show_text(to, "quarantine", row->quarantine);
    show_text(to, "content", row->content);
    json_out_text(to, "digest", row->digest);
    text_buffer_adds(to, "}");
}

static int add_record(void *arg, const struct chain_row *row)
{
    struct work *w = arg;
    struct question *q = w->arg;

    if (q->count == q->page.limit) {
        q->more = true;
        return 1;
    }
    q->count++;
    q->last = row->n;
    json_out_comma(&w->out);
    show_record(&w->out, row, &w->rules->zone);
    return 0;
}

static int show_head(void *arg, const struct chain_row *row)
{
    struct work *w = arg;

    show_record(&w->out, row, &w->rules->zone);
    return 1;
}

static void show_verification(struct text_buffer *to, const struct verification *v,
                              const struct zone *zone)
{
    json_out_key(to, "verification");
    if (v->at == 0) {
        text_buffer_adds(to, "null");
        return;
    }
    text_buffer_adds(to, "{");
    show_instant(to, "at", v->at, zone);
    json_out_bool(to, "fits", v->report.first_bad == 0);
    json_out_integer(to, "records", v->report.records);
    json_out_integer(to, "facts", v->report.facts);
    json_out_integer(to, "events", v->report.events);
    json_out_text(to, "digest", v->report.digest);
    if (v->report.first_bad) {
        json_out_integer(to, "first_bad", v->report.first_bad);
        json_out_text(to, "why", v->report.why);
    }
    text_buffer_adds(to, "}");
}

/* Pool thread. The log is read through a connection of its own, piece by piece: one long view of
 * it would keep the write-ahead log from being used anew. */
static int verify(struct work *w, struct reader *reader, struct err *err)
{
    struct question *q = w->arg;

    reader_end(reader);
    q->verification.at = clock_wall(&clock_system);
    int rc = chain_verify(w->path, &w->call->api->verify_stops, &q->verification.report, err);

    return rc < 0 ? rc : reader_begin(reader, &w->as_of, &w->position, err);
}

/* Pool thread. */
static int read_chain(struct work *w, struct reader *reader, struct err *err)
{
    struct question *q = w->arg;
    char last[24];
    const char *field = last;
    int rc = q->verify ? verify(w, reader, err) : 0;

    if (rc < 0)
        return rc;
    text_buffer_adds(&w->out, "{\"head\":");
    rc = reader_chain(reader, 0, show_head, w, err);
    if (rc < 0)
        return rc;
    if (w->out.bytes[w->out.length - 1] == ':')
        text_buffer_adds(&w->out, "null");
    show_verification(&w->out, &q->verification, &w->rules->zone);
    json_out_key(&w->out, "records");
    text_buffer_adds(&w->out, "[");
    rc = reader_chain(reader, q->before, add_record, w, err);
    text_buffer_adds(&w->out, "]");
    snprintf(last, sizeof last, "%lld", (long long)q->last);
    page_cursor(&w->out, q->more ? &field : NULL, 1);
    text_buffer_adds(&w->out, "}");
    return rc;
}

/* Loop thread: only now the last verification is another. */
static void done(struct work *w)
{
    const struct question *q = w->arg;

    if (q->verify)
        w->call->api->verification = q->verification;
    work_reply(w);
}

static void forget(void *arg)
{
    struct question *q = arg;

    if (q->verify)
        *q->verifying = false;
    free(q);
}

static bool read_verify(struct call *call, struct question *q, struct problem *problem)
{
    const char *text = call_value(call, "verify");
    struct api *api = call->api;

    q->verification = api->verification;
    if (!text)
        return true;
    if (strcmp(text, "now") != 0)
        return problem_set(problem, PROBLEM_BAD_PARAMETER, "verify: write now, or leave it out");
    if (call->connection->listener->web)
        return problem_set(problem, PROBLEM_FORBIDDEN,
                           "the chain is verified for who asks on the local socket");
    if (api->verifying)
        return problem_set(problem, PROBLEM_BUSY, "a verification is under way already");
    q->verify = api->verifying = true;
    q->verifying = &api->verifying;
    return true;
}

static void end(struct call *call)
{
    struct question *q = mem_zalloc(sizeof *q);
    struct problem problem;
    long long before = 0;
    bool well = page_read(&q->page, call_value(call, "limit"), call_value(call, "cursor"), USUAL,
                          1, &problem);

    if (well && q->page.resumes && !page_integer(q->page.fields[0], &before))
        well = problem_set(&problem, PROBLEM_BAD_PARAMETER, "cursor: is that of another question");
    q->before = before;
    if (well && read_verify(call, q, &problem)) {
        work_begin(call, read_chain, done, q, forget);
        return;
    }
    free(q);
    call_problem(call, &problem);
}

const struct handler get_audit = { .end = end };
