/* PUT /v1/weeks/{week}/notes/{department}/{kpi}: a department says why it missed a KPI. Every
 * version is kept, with who said it and when; the last one is shown. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_tree.h>

#include "api/get_week.h"
#include "api/handlers.h"
#include "api/show.h"
#include "base/mem.h"

struct noting {
    struct ledger_request request;
    struct ledger_note note;
    struct call *call;
};

static void on_noted(struct ledger_request *request)
{
    struct noting *n = request->arg;
    struct call *call = n->call;
    struct text_buffer out = { 0 };
    struct problem problem;
    char week[PERIOD_SIZE];

    api_unpend(call->api);
    if (request->status == -ENOENT) {
        problem_set(&problem, PROBLEM_NOT_FOUND, "%s", request->err.text);
        call_problem(call, &problem);
    } else if (request->status < 0) {
        call_fail(call, request->status, &request->err);
    } else {
        text_buffer_adds(&out, "{");
        json_out_text(&out, "week", period_format(week, n->note.week));
        json_out_text(&out, "department", n->note.department);
        json_out_text(&out, "kpi", n->note.kpi);
        json_out_text(&out, "text", n->note.text);
        json_out_text(&out, "author", request->by);
        json_out_instant(&out, "at", request->at, api_offset(call->api, request->at));
        text_buffer_adds(&out, "}");
        call_reply_json(call, 200, &out);
    }
    free(n);
}

static bool has_begun(struct call *call, struct period week, struct problem *problem)
{
    char text[PERIOD_SIZE];

    if (period_begin(week, &api_rules(call->api)->zone) <= api_as_of(call->api))
        return true;
    return problem_set(problem, PROBLEM_UNPROCESSABLE, "%s has not begun: there is nothing to "
                       "explain yet", period_format(text, week));
}

static bool read_path(struct call *call, struct ledger_note *note, struct problem *problem)
{
    const char *department = call->hit.captures[1], *kpi = call->hit.captures[2];

    if (!week_of_path(call->hit.captures[0], &note->week, problem) ||
        !has_begun(call, note->week, problem))
        return false;
    if (!rules_kpi(api_rules(call->api), kpi))
        return problem_set(problem, PROBLEM_NOT_FOUND, "there is no KPI \"%.64s\"", kpi);
    if (!text_copy(note->department, sizeof note->department, department, strlen(department)))
        return problem_set(problem, PROBLEM_NOT_FOUND,
                           "the name of a department has at most %d bytes", NAME_SIZE - 1);
    text_set(note->kpi, sizeof note->kpi, kpi);
    return true;
}

/* {"text":"..."} */
static bool read_text(const struct text_buffer *body, struct ledger_note *note,
                      struct problem *problem)
{
    static const char *path[] = { "text", NULL };
    yajl_val tree = body->length ? yajl_tree_parse(body->bytes, NULL, 0) : NULL;
    yajl_val value = tree ? yajl_tree_get(tree, path, yajl_t_string) : NULL;
    const char *text = value ? YAJL_GET_STRING(value) : "";
    bool well = text[strspn(text, " \t\r\n")] != '\0' &&
                text_copy(note->text, sizeof note->text, text, strlen(text));

    yajl_tree_free(tree);
    if (well)
        return true;
    return problem_set(problem, PROBLEM_BAD_BODY,
                       "say why: {\"text\":\"...\"} with 1 to %d bytes", NOTE_TEXT_SIZE - 1);
}

static void end(struct call *call)
{
    struct text_buffer *body = body_of(call);
    struct noting *n;
    struct problem problem;

    if (!body)
        return;
    n = mem_zalloc(sizeof *n);
    n->call = call;
    n->request = (struct ledger_request){ .what = LEDGER_NOTE,
                                          .via = "",
                                          .note = &n->note,
                                          .by = call->connection->user,
                                          .done = on_noted,
                                          .arg = n };
    if (read_path(call, &n->note, &problem) && read_text(body, &n->note, &problem)) {
        if (ledger_submit(call->api->house.ledger, &n->request)) {
            api_pend(call->api);
            call_wait(call);
            return;
        }
        problem_set(&problem, PROBLEM_BUSY, "too much waits to be written");
        problem.retry_after_s = 2;
    }
    free(n);
    call_problem(call, &problem);
}

const struct handler put_note = {
    .begin = body_begin, .body = body_take, .end = end, .forget = body_forget
};
