/* Calls: what handlers use to answer, to wait, and to read what the caller sent. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yajl/yajl_tree.h>

#include "api/api_private.h"
#include "base/mem.h"
#include "kpi/scope.h"

const char *call_value(const struct call *call, const char *name)
{
    return route_value(&call->hit, name);
}

const char *call_header(const struct call *call, const char *name)
{
    return MHD_lookup_connection_value(call->mhd, MHD_HEADER_KIND, name);
}

void call_reply_response(struct call *call, int status, struct MHD_Response *response)
{
    assert(!call->response);
    call->response = response;
    call->status = status;
    call->stage = CALL_REPLIED;
    call_wake(call);
}

static void add_header(struct MHD_Response *response, const char *name, const char *value)
{
    enum MHD_Result added = MHD_add_response_header(response, name, value);

    assert(added == MHD_YES); /* no line break in it, and memory does not fail */
}

static struct MHD_Response *response_of(struct text_buffer *body, const char *content_type)
{
    size_t length = body->length;
    struct MHD_Response *response;

    response =
        MHD_create_response_from_buffer(length, text_buffer_take(body), MHD_RESPMEM_MUST_FREE);
    assert(response);
    add_header(response, "Content-Type", content_type);
    add_header(response, "Cache-Control", "no-store");
    return response;
}

void call_reply(struct call *call, int status, const char *content_type, struct text_buffer *body)
{
    call_reply_response(call, status, response_of(body, content_type));
}

void call_reply_json(struct call *call, int status, struct text_buffer *body)
{
    call_reply(call, status, "application/json", body);
}

void call_problem(struct call *call, struct problem *problem)
{
    struct text_buffer body = { 0 };
    struct MHD_Response *response;
    char seconds[16];

    assert(problem->kind);
    problem_json(&body, problem);
    response = response_of(&body, "application/problem+json");
    if (problem->allow[0])
        add_header(response, "Allow", problem->allow);
    if (problem->kind == PROBLEM_UNAUTHORIZED)
        add_header(response, "WWW-Authenticate", "Bearer realm=\"kpid\"");
    if (problem->retry_after_s) {
        snprintf(seconds, sizeof seconds, "%d", problem->retry_after_s);
        add_header(response, "Retry-After", seconds);
    }
    call->api->refusals++;
    call_reply_response(call, problem_status(problem->kind), response);
    problem_finish(problem);
}

void call_fail(struct call *call, int status, const struct err *err)
{
    struct problem problem;

    problem_set(&problem, problem_of_failure(status), "%.*s", 500, err->text);
    problem.retry_after_s = 2;
    call_problem(call, &problem);
}

void call_wait(struct call *call)
{
    assert(!call->suspended);
    call->suspended = true;
    MHD_suspend_connection(call->mhd);
}

void call_wake(struct call *call)
{
    if (!call->suspended)
        return;
    call->suspended = false;
    call->api->dirty = true;
    MHD_resume_connection(call->mhd);
}

void api_pend(struct api *api)
{
    api->pending++;
}

void api_unpend(struct api *api)
{
    assert(api->pending > 0);
    api->pending--;
}

const struct rules *api_rules(const struct api *api)
{
    return board_now(api->house.board)->rules;
}

int64_t api_as_of(const struct api *api)
{
    return board_as_of(api->house.board, clock_wall(api->house.clock));
}

int32_t api_offset(const struct api *api, int64_t at)
{
    return zone_offset(&api_rules(api)->zone, at);
}

const struct kpi *api_kpi(const struct rules *rules, const char *id, struct problem *problem)
{
    enum { NAMES_MAX = 64 };
    const char *names[NAMES_MAX + 1] = { 0 };
    const struct kpi *kpi = rules_kpi(rules, id);
    const char *near;
    char quoted[96];

    if (kpi)
        return kpi;
    for (size_t i = 0; i < rules->kpi_count && i < NAMES_MAX; i++)
        names[i] = rules->kpis[i].id;
    text_quote(quoted, sizeof quoted, id, strlen(id));
    near = text_nearest(id, names);
    problem_set(problem, PROBLEM_BAD_PARAMETER, "kpi: no KPI %s is configured%s%s%s", quoted,
                near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    return NULL;
}

bool api_scope_is_valid(const char *scope, bool pattern, struct problem *problem)
{
    char quoted[96];
    const char *colon = strchr(scope, ':');
    bool all = colon && strcmp(colon, ":*") == 0;

    if (scope_is_valid(scope) && (pattern || !all))
        return true;
    text_quote(quoted, sizeof quoted, scope, strlen(scope));
    return problem_set(problem, PROBLEM_BAD_PARAMETER,
                       "scope: %s is none; write company, or site:, department:, staff: or model: "
                       "with a name%s",
                       quoted, pattern ? " or *" : "");
}

void body_begin(struct call *call)
{
    call->state = mem_zalloc(sizeof(struct text_buffer));
}

/* What is too much is not kept, but seen at the end: one byte more than is allowed. */
size_t body_take(struct call *call, const char *bytes, size_t length)
{
    struct text_buffer *body = call->state;
    size_t room = SMALL_BODY_MAX + 1 - body->length;

    text_buffer_add(body, bytes, length < room ? length : room);
    return length;
}

struct text_buffer *body_of(struct call *call)
{
    struct text_buffer *body = call->state;
    struct problem problem;

    if (body->length <= SMALL_BODY_MAX)
        return body;
    problem_set(&problem, PROBLEM_TOO_LARGE, "the body has more than %d bytes", SMALL_BODY_MAX);
    call_problem(call, &problem);
    return NULL;
}

void body_forget(struct call *call)
{
    if (call->state)
        text_buffer_finish(call->state);
    free(call->state);
    call->state = NULL;
}

bool body_reason(struct call *call, const struct text_buffer *body, char to[REASON_SIZE])
{
    static const char *path[] = { "reason", NULL };
    const char *given = call_value(call, "reason");
    yajl_val tree = !given && body->length ? yajl_tree_parse(body->bytes, NULL, 0) : NULL;
    yajl_val value = tree ? yajl_tree_get(tree, path, yajl_t_string) : NULL;
    struct problem problem;
    bool well;

    if (value)
        given = YAJL_GET_STRING(value);
    well = given && *given && text_copy(to, REASON_SIZE, given, strlen(given));
    yajl_tree_free(tree);
    if (well)
        return true;
    problem_set(
        &problem, PROBLEM_BAD_BODY,
        "say why: {\"reason\":\"...\"} with 1 to %d bytes, as body or ?reason=", REASON_SIZE - 1);
    call_problem(call, &problem);
    return false;
}
