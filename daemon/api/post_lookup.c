/* POST /v1/lookups: where is this vehicle now? Answers once the ticket is durable. */
#include <errno.h>
#include <math.h>
#include <string.h>
#include <yajl/yajl_tree.h>

#include "api/handlers.h"
#include "base/json_out.h"
#include "base/mem.h"

static const char wanted[] = "write {\"vehicle\":\"...\",\"requested_by\":\"...\",\"reference\":"
                             "{\"lat\":30.6,\"lon\":104.0}}; the reference may be left out";

/* --- What is asked */

static bool read_number(yajl_val object, const char *name, double limit, double *ret,
                        struct problem *problem)
{
    const char *path[] = { name, NULL };
    yajl_val value = yajl_tree_get(object, path, yajl_t_number);

    if (!value || !(fabs(YAJL_GET_DOUBLE(value)) <= limit))
        return problem_set(problem, PROBLEM_UNPROCESSABLE,
                           "reference.%s: a number from -%g to %g is wanted", name, limit, limit);
    *ret = YAJL_GET_DOUBLE(value);
    return true;
}

static bool is_member(const char *name, const char *const *names)
{
    while (*names && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

static bool refuse_unknown(yajl_val object, const char *const *names, struct problem *problem)
{
    for (size_t i = 0; i < object->u.object.len; i++) {
        const char *name = object->u.object.keys[i], *near = text_nearest(name, names);

        if (!is_member(name, names))
            return problem_set(problem, PROBLEM_BAD_BODY, "a look-up has no member \"%.40s\"%s%s%s",
                               name, near ? "; did you mean \"" : "", near ? near : "",
                               near ? "\"?" : "");
    }
    return true;
}

/* `datum`: the coordinates of maps made in China are moved; others are as they are. */
static bool read_reference(yajl_val value, struct lookup_point *ret, struct problem *problem)
{
    static const char *const members[] = { "datum", "lat", "lon", NULL };
    static const char *const datum_path[] = { "datum", NULL };
    yajl_val datum;

    if (!YAJL_IS_OBJECT(value))
        return problem_set(problem, PROBLEM_BAD_BODY, "reference: %s", wanted);
    if (!refuse_unknown(value, members, problem) ||
        !read_number(value, "lat", 90, &ret->latitude, problem) ||
        !read_number(value, "lon", 180, &ret->longitude, problem))
        return false;
    datum = yajl_tree_get(value, (const char **)(uintptr_t)datum_path, yajl_t_any);
    if (!datum || (YAJL_IS_STRING(datum) && strcmp(datum->u.string, "wgs84") == 0))
        return true;
    if (!YAJL_IS_STRING(datum) || strcmp(datum->u.string, "gcj02") != 0)
        return problem_set(problem, PROBLEM_UNPROCESSABLE,
                           "reference.datum: write \"wgs84\" or \"gcj02\" (a Chinese map)");
    *ret = lookup_from_gcj02(*ret);
    return true;
}

static bool read_text(yajl_val object, const char *name, const char **ret,
                      struct problem *problem)
{
    const char *path[] = { name, NULL };
    yajl_val value = yajl_tree_get(object, path, yajl_t_any);

    if (value && !YAJL_IS_STRING(value))
        return problem_set(problem, PROBLEM_BAD_BODY, "%s: is no text", name);
    *ret = value ? value->u.string : "";
    return true;
}

/* Points into `tree`, and to `point`. */
static bool read_request(yajl_val tree, struct lookup_request *ret, struct lookup_point *point,
                         struct problem *problem)
{
    static const char *const members[] = { "reference", "requested_by", "vehicle", NULL };
    static const char *const reference_path[] = { "reference", NULL };
    yajl_val reference;

    if (!tree || !YAJL_IS_OBJECT(tree))
        return problem_set(problem, PROBLEM_BAD_BODY, "%s", wanted);
    if (!refuse_unknown(tree, members, problem) ||
        !read_text(tree, "vehicle", &ret->vehicle, problem) ||
        !read_text(tree, "requested_by", &ret->staff, problem))
        return false;
    reference = yajl_tree_get(tree, (const char **)(uintptr_t)reference_path, yajl_t_any);
    if (!reference || YAJL_IS_NULL(reference))
        return true;
    ret->reference = point;
    return read_reference(reference, point, problem);
}

/* --- What is answered */

static void add_position(const struct lookup_result *r, int32_t offset_s, struct text_buffer *out)
{
    const struct lookup_position *p = &r->position;

    json_out_key(out, "position");
    if (r->finding != FINDING_POSITION) {
        text_buffer_adds(out, "null");
        return;
    }
    text_buffer_addf(out, "{\"lat\":%.6f,\"lon\":%.6f", p->at.latitude, p->at.longitude);
    json_out_bool(out, "online", p->online);
    json_out_bool(out, "fixed", p->fixed);
    json_out_instant(out, "at", p->fixed_at, offset_s);
    json_out_key(out, "age_ms");
    if (p->fixed_at)
        text_buffer_addf(out, "%lld", (long long)(r->asked_at - p->fixed_at));
    else
        text_buffer_adds(out, "null");
    text_buffer_adds(out, "}");
}

static void show(const struct lookup_result *r, int32_t offset_s, struct text_buffer *out)
{
    text_buffer_adds(out, "{");
    json_out_text(out, "ticket", r->ticket);
    json_out_text(out, "vehicle", r->vehicle);
    json_out_text(out, "outcome", r->verdict.success ? "success" : "failure");
    json_out_text(out, "reason", r->verdict.reason[0] ? r->verdict.reason : NULL);
    add_position(r, offset_s, out);
    json_out_key(out, "distance_m");
    if (r->verdict.distance_m >= 0)
        text_buffer_addf(out, "%lld", (long long)r->verdict.distance_m);
    else
        text_buffer_adds(out, "null");
    json_out_text(out, "source", r->source[0] ? r->source : NULL);
    json_out_instant(out, "asked_at", r->asked_at, offset_s);
    json_out_integer(out, "took_ms", r->answered_at - r->asked_at);
    text_buffer_adds(out, "}");
}

static void on_done(void *arg, int status, const struct lookup_result *result,
                    const struct err *why)
{
    struct call *call = arg;
    struct text_buffer out = { 0 };

    api_unpend(call->api);
    if (status < 0) {
        call_fail(call, status, why);
        return;
    }
    show(result, api_offset(call->api, result->asked_at), &out);
    call_reply_json(call, 200, &out);
}

static void refuse(struct call *call, const struct err *err)
{
    struct problem problem;

    problem_set(&problem, err->code == -EAGAIN ? PROBLEM_BUSY : PROBLEM_UNPROCESSABLE, "%s",
                err->text);
    problem.retry_after_s = err->code == -EAGAIN ? 2 : 0;
    call_problem(call, &problem);
}

static void begin(struct call *call)
{
    struct text_buffer *body = body_of(call);
    struct lookup_request request = { .staff = "", .by = call->connection->user };
    struct lookup_point point;
    struct problem problem;
    struct err err;
    yajl_val tree;
    bool well;
    int rc = 0;

    if (!body)
        return;
    tree = body->length ? yajl_tree_parse(body->bytes, NULL, 0) : NULL;
    well = read_request(tree, &request, &point, &problem);
    if (well)
        rc = lookup_begin(call->api->house.lookups, &request, on_done, call, &err);
    yajl_tree_free(tree);
    if (!well) {
        call_problem(call, &problem);
    } else if (rc < 0) {
        refuse(call, &err);
    } else {
        api_pend(call->api);
        call_wait(call);
    }
}

const struct handler post_lookup = {
    .begin = body_begin, .body = body_take, .end = begin, .forget = body_forget
};
