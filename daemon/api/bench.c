/* /v1/bench: the slots with their live readings and sessions; begin a session, cancel one. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_tree.h>

#include "api/handlers.h"
#include "base/json_out.h"
#include "base/mem.h"

/* --- GET */

static void no_such_slot(struct call *call, const char *slot)
{
    struct problem problem;

    problem_set(&problem, PROBLEM_NOT_FOUND, "no slot \"%.64s\"", slot);
    call_problem(call, &problem);
}

static void list(struct call *call)
{
    const struct bench *bench = call->api->house.bench;
    const struct zone *zone = &api_rules(call->api)->zone;
    const char *only = call_value(call, "slot");
    struct text_buffer out = { 0 };
    bool found = !only;

    text_buffer_adds(&out, "{\"slots\":[");
    for (size_t i = 0; i < bench_slot_count(bench); i++) {
        const char *name = bench_slot_name(bench, i);

        if (only && strcmp(only, name) != 0)
            continue;
        json_out_comma(&out);
        found = bench_show(bench, name, zone, &out);
    }
    text_buffer_adds(&out, "],\"cursor\":null");
    json_out_instant(&out, "at", clock_wall(call->api->house.clock),
                     api_offset(call->api, clock_wall(call->api->house.clock)));
    text_buffer_adds(&out, "}");
    if (found) {
        call_reply_json(call, 200, &out);
        return;
    }
    text_buffer_finish(&out);
    no_such_slot(call, only);
}

/* --- POST */

/* What the body may say, in the order of struct bench_request. */
static const struct member {
    const char *name;
    size_t offset;
} members[] = {
    { "ticket", offsetof(struct bench_request, ticket) },
    { "kind", offsetof(struct bench_request, kind) },
    { "staff", offsetof(struct bench_request, staff) },
    { "vehicle", offsetof(struct bench_request, vehicle) },
    { "device", offsetof(struct bench_request, device) },
    { "model", offsetof(struct bench_request, model) },
};

static const char **member_of(struct bench_request *request, const char *name)
{
    for (size_t i = 0; i < LENGTH(members); i++) {
        if (strcmp(members[i].name, name) == 0)
            return (const char **)(void *)((char *)request + members[i].offset);
    }
    return NULL;
}

static bool refuse_member(struct problem *problem, const char *name)
{
    const char *names[LENGTH(members) + 1] = { NULL };
    const char *near;

    for (size_t i = 0; i < LENGTH(members); i++)
        names[i] = members[i].name;
    near = text_nearest(name, names);
    return problem_set(problem, PROBLEM_BAD_BODY, "a session has no member \"%.40s\"%s%s%s", name,
                       near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

/* Points into `tree`. */
static bool read_request(yajl_val tree, struct bench_request *ret, struct problem *problem)
{
    if (!tree || tree->type != yajl_t_object)
        return problem_set(problem, PROBLEM_BAD_BODY, "write {\"ticket\":\"...\",\"kind\":"
                           "\"install\",\"staff\":\"\",\"vehicle\":\"\",\"device\":\"\","
                           "\"model\":\"\"}");
    for (size_t i = 0; i < tree->u.object.len; i++) {
        const char **member = member_of(ret, tree->u.object.keys[i]);

        if (!member)
            return refuse_member(problem, tree->u.object.keys[i]);
        if (tree->u.object.values[i]->type != yajl_t_string)
            return problem_set(problem, PROBLEM_BAD_BODY, "%s: is no text",
                               tree->u.object.keys[i]);
        *member = tree->u.object.values[i]->u.string;
    }
    if (!*ret->ticket)
        return problem_set(problem, PROBLEM_UNPROCESSABLE,
                           "ticket: missing: which order is it that is installed or repaired?");
    return true;
}

/* What the bench refused at once. */
static void refuse(struct call *call, const struct err *err)
{
    static const struct {
        int code;
        enum problem_kind kind;
    } kinds[] = { { -ENOENT, PROBLEM_NOT_FOUND },
                  { -EBUSY, PROBLEM_CONFLICT },
                  { -ENODATA, PROBLEM_CONFLICT },
                  { -EINVAL, PROBLEM_UNPROCESSABLE },
                  { -EAGAIN, PROBLEM_BUSY } };
    struct problem problem;
    enum problem_kind kind = PROBLEM_INTERNAL;

    for (size_t i = 0; i < LENGTH(kinds); i++) {
        if (kinds[i].code == err->code)
            kind = kinds[i].kind;
    }
    problem_set(&problem, kind, "%s", err->text);
    problem.retry_after_s = kind == PROBLEM_BUSY ? 2 : 0;
    call_problem(call, &problem);
}

/* Durable, or not. */
static void on_done(void *arg, int status, const struct err *why)
{
    struct call *call = arg;
    struct text_buffer out = { 0 };

    api_unpend(call->api);
    if (status < 0) {
        call_fail(call, status, why);
        return;
    }
    if (bench_show(call->api->house.bench, call->hit.captures[0], &api_rules(call->api)->zone,
                   &out))
        call_reply_json(call, strcmp(call->hit.route->method, "POST") == 0 ? 201 : 200, &out);
    else
        no_such_slot(call, call->hit.captures[0]);
}

static void answer(struct call *call, int rc, const struct err *err)
{
    if (rc < 0) {
        refuse(call, err);
        return;
    }
    api_pend(call->api);
    call_wait(call);
}

static void start(struct call *call)
{
    struct text_buffer *body = body_of(call);
    struct bench_request request = { "", "", "", "", "", "", call->connection->user };
    struct problem problem;
    struct err err = { 0 };
    yajl_val tree;
    int rc = 0;
    bool well;

    if (!body)
        return;
    tree = body->length ? yajl_tree_parse(body->bytes, NULL, 0) : NULL;
    well = read_request(tree, &request, &problem);
    if (well)
        rc = bench_start(call->api->house.bench, call->hit.captures[0], &request, on_done, call,
                         &err);
    yajl_tree_free(tree);
    if (well)
        answer(call, rc, &err);
    else
        call_problem(call, &problem);
}

static void cancel(struct call *call)
{
    struct err err = { 0 };

    if (body_of(call))
        answer(call,
               bench_cancel(call->api->house.bench, call->hit.captures[0], call->connection->user,
                            on_done, call, &err),
               &err);
}

const struct handler get_bench = { .end = list };
const struct handler post_bench_session = {
    .begin = body_begin, .body = body_take, .end = start, .forget = body_forget
};
const struct handler delete_bench_session = {
    .begin = body_begin, .body = body_take, .end = cancel, .forget = body_forget
};
