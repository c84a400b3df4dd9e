/* POST /v1/sources/{name}/poll: forget the back-off and ask now. */
#include <errno.h>

#include "api/handlers.h"
#include "base/json_out.h"

enum { NAMES_MAX = 128 };

static void refuse_name(struct call *call, const char *name)
{
    const struct sources *sources = call->api->house.sources;
    const char *names[NAMES_MAX + 1] = { 0 };
    struct problem problem;
    const char *near;

    for (size_t i = 0; i < sources_count(sources) && i < NAMES_MAX; i++)
        names[i] = sources_view(sources, i).name;
    near = text_nearest(name, names);
    problem_set(&problem, PROBLEM_NOT_FOUND, "no source \"%.64s\"%s%s%s", name,
                near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    call_problem(call, &problem);
}

static void end(struct call *call)
{
    const char *name = call->hit.captures[0];
    struct text_buffer out = { 0 };
    struct problem problem;
    int rc = body_of(call) ? sources_poll(call->api->house.sources, name) : -E2BIG;

    if (rc == -E2BIG)
        return;
    if (rc == -ENOENT) {
        refuse_name(call, name);
        return;
    }
    if (rc <= 0) {
        problem_set(&problem, PROBLEM_CONFLICT,
                    "source \"%.64s\" waits for what comes; there is nothing to ask", name);
        call_problem(call, &problem);
        return;
    }
    text_buffer_adds(&out, "{");
    json_out_text(&out, "source", name);
    json_out_bool(&out, "polled", true);
    text_buffer_adds(&out, "}");
    call_reply_json(call, 202, &out);
}

const struct handler post_poll = {
    .begin = body_begin, .body = body_take, .end = end, .forget = body_forget
};
