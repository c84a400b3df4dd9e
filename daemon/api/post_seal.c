/* POST /v1/weeks/{week}/seal and .../restate: an authorised person seals a week before its grace is
 * over, or writes its next revision, with a reason. The answer comes when the record stands in the
 * chain. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/get_facts.h"
#include "api/handlers.h"
#include "base/json_out.h"
#include "base/mem.h"

struct sealing_call {
    struct ledger_request request;
    struct call *call;
    char reason[REASON_SIZE];
};

static void on_done(struct ledger_request *request)
{
    struct sealing_call *s = request->arg;
    struct call *call = s->call;
    struct text_buffer out = { 0 };
    struct problem problem;
    char week[PERIOD_SIZE];

    api_unpend(call->api);
    if (request->status == -EEXIST) {
        problem_set(&problem, PROBLEM_CONFLICT, "%.400s", request->err.text);
        call_problem(call, &problem);
    } else if (request->status < 0) {
        call_fail(call, request->status, &request->err);
    } else {
        text_buffer_adds(&out, "{");
        json_out_text(&out, "week", period_format(week, request->period));
        json_out_integer(&out, "revision", request->revision);
        json_out_integer(&out, "record", request->n);
        json_out_text(&out, "by", request->by);
        json_out_text(&out, "reason", request->text);
        text_buffer_adds(&out, "}");
        call_reply_json(call, 200, &out);
    }
    free(s);
}

static bool read_week(struct call *call, struct period *ret)
{
    struct problem problem;

    if (facts_period(call->hit.captures[0], ret, &problem)) {
        if (ret->kind == PERIOD_WEEK)
            return true;
        problem_set(&problem, PROBLEM_BAD_PARAMETER,
                    "%.16s is a %s; weeks are sealed, and bring their days: 2026-W47",
                    call->hit.captures[0], period_kind_name(ret->kind));
    }
    call_problem(call, &problem);
    return false;
}

static void submit(struct call *call, enum ledger_what what)
{
    struct text_buffer *body = body_of(call);
    struct sealing_call *s;
    struct period week;
    struct problem problem;
    char reason[REASON_SIZE];

    if (!body || !read_week(call, &week) || !body_reason(call, body, reason))
        return;
    s = mem_zalloc(sizeof *s);
    s->call = call;
    text_set(s->reason, sizeof s->reason, reason);
    s->request = (struct ledger_request){ .what = what,
                                          .period = week,
                                          .text = s->reason,
                                          .by = call->connection->user,
                                          .done = on_done,
                                          .arg = s };
    if (ledger_submit(call->api->house.ledger, &s->request)) {
        api_pend(call->api);
        call_wait(call);
        return;
    }
    free(s);
    problem_set(&problem, PROBLEM_BUSY, "too much waits to be written");
    problem.retry_after_s = 2;
    call_problem(call, &problem);
}

static void seal(struct call *call)
{
    submit(call, LEDGER_SEAL);
}

static void restate(struct call *call)
{
    submit(call, LEDGER_RESTATE);
}

const struct handler post_seal = {
    .begin = body_begin, .body = body_take, .end = seal, .forget = body_forget
};
const struct handler post_restate = {
    .begin = body_begin, .body = body_take, .end = restate, .forget = body_forget
};
