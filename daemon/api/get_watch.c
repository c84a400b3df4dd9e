/* GET /v1/watch: the changes of facts, as they become durable. Without Last-Event-ID they begin
 * now; with it, with every fact that changed at that position of the log or later, as it is by
 * now. (At it, too: time alone can change a fact while the position stays.) An id that this
 * daemon does not remember brings every fact that matches. */
#include "api/handlers.h"
#include "api/sse.h"

static bool read_last_id(struct call *call, uint64_t *ret, struct problem *problem)
{
    const struct board *board = call->api->house.board;
    const char *text = call_header(call, "Last-Event-ID");
    long long id;

    if (!text) {
        *ret = board_last_change(board);
        return true;
    }
    if (!page_integer(text, &id) || id < 0)
        return problem_set(problem, PROBLEM_BAD_PARAMETER,
                           "Last-Event-ID: use the id of the last event that came, as it is");
    *ret = id > board_now(board)->position ? 0 : board_change_before(board, id);
    return true;
}

static void end(struct call *call)
{
    const char *kpi = call_value(call, "kpi"), *scope = call_value(call, "scope");
    struct problem problem;
    uint64_t change = 0;

    if ((kpi && !api_kpi(api_rules(call->api), kpi, &problem)) ||
        (scope && !api_scope_is_valid(scope, true, &problem)) ||
        !read_last_id(call, &change, &problem) || !sse_begin(call, kpi, scope, change, &problem))
        call_problem(call, &problem);
}

const struct handler get_watch = { .end = end };
