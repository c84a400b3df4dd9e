/* GET /v1/quarantine, POST and DELETE /v1/quarantine/{n}: what was received and could not be taken
 * is listed, corrected, or dismissed with a reason. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_tree.h>

#include "api/handlers.h"
#include "api/show.h"
#include "api/work.h"
#include "base/mem.h"

enum { USUAL = 100, TEXT_MAX = 4 * 1024 * 1024 };

/* --- List */

struct rows {
    struct work *work;
    struct page page;
    size_t count;
    bool more;
    int64_t last;
};

/* Bytes that are no text are told from text that looks like them. */
static void show_raw(struct text_buffer *to, const char *raw, size_t length)
{
    static const char digits[] = "0123456789abcdef";

    if (text_is_utf8(raw, length)) {
        json_out_key(to, "raw");
        json_out_string(to, raw, length);
        return;
    }
    json_out_key(to, "raw_hex");
    text_buffer_adds(to, "\"");
    for (size_t i = 0; i < length; i++) {
        const char pair[2] = { digits[(unsigned char)raw[i] >> 4], digits[raw[i] & 15] };

        text_buffer_add(to, pair, 2);
    }
    text_buffer_adds(to, "\"");
}

static int show_row(void *arg, const struct quarantine_row *row)
{
    struct rows *r = arg;
    struct text_buffer *to = &r->work->out;
    const struct zone *zone = &r->work->rules->zone;

    if (r->count == r->page.limit || to->length > TEXT_MAX) {
        r->more = true;
        return 1;
    }
    r->count++;
    r->last = row->n;
    json_out_comma(to);
    text_buffer_adds(to, "{");
    json_out_integer(to, "n", row->n);
    json_out_text(to, "via", row->via);
    json_out_integer(to, "line", row->line);
    show_instant(to, "received_at", row->received_at, zone);
    show_instant(to, "last_at", row->last_at, zone);
    json_out_integer(to, "times", row->times);
    json_out_text(to, "reason", row->reason);
    json_out_text(to, "state", row->state);
    show_raw(to, row->raw, row->raw_length);
    text_buffer_adds(to, "}");
    return 0;
}

/* Pool thread. */
static int read_rows(struct work *w, struct reader *reader, struct err *err)
{
    struct rows *r = w->arg;
    long long after = 0;
    char number[24];
    const char *field = number;
    int rc;

    if (r->page.resumes && !page_integer(r->page.fields[0], &after)) {
        problem_set(&w->problem, PROBLEM_BAD_PARAMETER, "cursor: is that of another question");
        return 0;
    }
    r->work = w;
    text_buffer_adds(&w->out, "{\"quarantine\":[");
    rc = reader_quarantine(reader, after, show_row, r, err);
    snprintf(number, sizeof number, "%lld", (long long)r->last);
    text_buffer_adds(&w->out, "]");
    page_cursor(&w->out, r->more ? &field : NULL, 1);
    text_buffer_adds(&w->out, "}");
    return rc;
}

static void list(struct call *call)
{
    struct rows *r = mem_zalloc(sizeof *r);
    struct problem problem;

    if (page_read(&r->page, call_value(call, "limit"), call_value(call, "cursor"), USUAL, 1,
                  &problem)) {
        work_begin(call, read_rows, work_reply, r, free);
        return;
    }
    free(r);
    call_problem(call, &problem);
}

/* --- Decisions */

static bool read_number(struct call *call, int64_t *ret)
{
    struct problem problem;
    long long n;

    if (page_integer(call->hit.captures[0], &n) && n > 0) {
        *ret = n;
        return true;
    }
    problem_set(&problem, PROBLEM_NOT_FOUND, "quarantine items have numbers from 1");
    call_problem(call, &problem);
    return false;
}

static void fail_decision(struct call *call, int status, const struct err *err)
{
    struct problem problem;

    if (status != -ENOENT) {
        call_fail(call, status, err);
        return;
    }
    problem_set(&problem, PROBLEM_NOT_FOUND, "no item %.20s waits in quarantine",
                call->hit.captures[0]);
    call_problem(call, &problem);
}

static void on_resubmitted(struct submission *s, const struct submission_result *result, void *arg)
{
    struct call *call = arg;
    struct text_buffer out = { 0 };

    api_unpend(call->api);
    if (result->status < 0) {
        fail_decision(call, result->status, &result->err);
        submission_destroy(s);
        return;
    }
    text_buffer_adds(&out, "{");
    json_out_integer(&out, "accepted", (int64_t)result->accepted);
    json_out_integer(&out, "duplicate", (int64_t)result->duplicate);
    json_out_key(&out, "quarantined");
    text_buffer_adds(&out, "[");
    if (result->quarantined) {
        text_buffer_adds(&out, "{");
        json_out_integer(&out, "line", 1);
        json_out_text(&out, "reason", submission_line(s, 0)->reject.reason);
        text_buffer_adds(&out, "}");
    }
    text_buffer_adds(&out, "]}");
    submission_destroy(s);
    call_reply_json(call, 200, &out);
}

/* A person may send it over several lines; the log keeps one. Between tokens a line break is a
 * blank, and within a string it is an error that event_parse has found before. */
static void put_on_one_line(struct text_buffer *body)
{
    for (size_t i = 0; i < body->length; i++) {
        if (body->bytes[i] == '\n' || body->bytes[i] == '\r')
            body->bytes[i] = ' ';
    }
    while (body->length && body->bytes[body->length - 1] == ' ')
        body->length--;
}

static bool is_an_event(struct call *call, const struct text_buffer *body)
{
    struct event event;
    struct reject reject;
    struct problem problem;

    if (body->length &&
        event_parse(body->bytes, body->length, api_rules(call->api), &event, &reject))
        return true;
    problem_set(&problem, PROBLEM_UNPROCESSABLE, "%s; item %.20s stays as it is",
                body->length ? reject.reason : "the body is empty: send the corrected event",
                call->hit.captures[0]);
    call_problem(call, &problem);
    return false;
}

static void resubmit(struct call *call)
{
    struct text_buffer *body = body_of(call);
    struct problem problem;
    struct submission *s;
    int64_t n;

    if (!body || !read_number(call, &n) || !is_an_event(call, body))
        return;
    put_on_one_line(body);
    s = socket_submission(call);
    submission_add(s, body->bytes, body->length, 1, NULL);
    submission_replaces(s, n, call->connection->user);
    if (submission_send(s, NULL, NULL, on_resubmitted, call)) {
        api_pend(call->api);
        call_wait(call);
        return;
    }
    submission_destroy(s);
    problem_set(&problem, PROBLEM_BUSY, "more events wait to be written than the daemon may hold");
    problem.retry_after_s = 2;
    call_problem(call, &problem);
}

struct dismissal {
    struct ledger_request request;
    struct call *call;
    char reason[REASON_SIZE];
};

static void on_dismissed(struct ledger_request *request)
{
    struct dismissal *d = request->arg;
    struct call *call = d->call;
    struct text_buffer out = { 0 };

    api_unpend(call->api);
    if (request->status < 0) {
        fail_decision(call, request->status, &request->err);
    } else {
        text_buffer_adds(&out, "{");
        json_out_integer(&out, "n", request->n);
        json_out_text(&out, "state", "dismissed");
        json_out_text(&out, "by", request->by);
        json_out_text(&out, "reason", request->text);
        text_buffer_adds(&out, "}");
        call_reply_json(call, 200, &out);
    }
    free(d);
}

static void dismiss(struct call *call)
{
    struct text_buffer *body = body_of(call);
    struct dismissal *d;
    struct problem problem;
    char reason[REASON_SIZE];
    int64_t n;

    if (!body || !read_number(call, &n) || !body_reason(call, body, reason))
        return;
    d = mem_zalloc(sizeof *d);
    d->call = call;
    text_set(d->reason, sizeof d->reason, reason);
    d->request = (struct ledger_request){ .what = LEDGER_DISMISS,
                                          .n = n,
                                          .text = d->reason,
                                          .by = call->connection->user,
                                          .done = on_dismissed,
                                          .arg = d };
    if (ledger_submit(call->api->house.ledger, &d->request)) {
        api_pend(call->api);
        call_wait(call);
        return;
    }
    free(d);
    problem_set(&problem, PROBLEM_BUSY, "too much waits to be written");
    problem.retry_after_s = 2;
    call_problem(call, &problem);
}

const struct handler get_quarantine = { .end = list };
const struct handler post_quarantine = {
    .begin = body_begin, .body = body_take, .end = resubmit, .forget = body_forget
};
const struct handler delete_quarantine = {
    .begin = body_begin, .body = body_take, .end = dismiss, .forget = body_forget
};
