/* GET /healthz: 200 when every mandatory input and the store are well, else 503 and why. */
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/well.h"
#include "base/json_out.h"
#include "base/mem.h"

static void add_reason(struct text_buffer *why, const char *who, const char *what)
{
    char *line = mem_printf("%s: %s", who, what);

    if (why->length)
        text_buffer_adds(why, ",");
    json_out_string(why, line, strlen(line));
    free(line);
}

bool house_is_well(const struct api *api, struct text_buffer *why)
{
    const struct ledger_stats *stats = &board_now(api->house.board)->stats;
    bool well = stats->well;

    if (!well)
        add_reason(why, "ledger", stats->why);
    if (stats->well && api->damage.code) {
        add_reason(why, "ledger", api->damage.text);
        well = false;
    }
    for (size_t i = 0; i < sources_count(api->house.sources); i++) {
        const struct source_view view = sources_view(api->house.sources, i);

        if (!view.mandatory || !view.enabled || view.health->state != SOURCE_DOWN)
            continue;
        add_reason(why, view.name, view.health->why);
        well = false;
    }
    return well;
}

static void end(struct call *call)
{
    struct text_buffer why = { 0 }, out = { 0 };
    struct problem problem;

    if (house_is_well(call->api, &why)) {
        text_buffer_adds(&out, "{\"health\":\"well\"}");
        call_reply_json(call, 200, &out);
        return;
    }
    problem_set(&problem, PROBLEM_UNWELL, "the members of \"why\" say what is wrong");
    problem.members = mem_printf("\"health\":\"unwell\",\"why\":[%s]", why.bytes ? why.bytes : "");
    text_buffer_finish(&why);
    call_problem(call, &problem);
}

const struct handler get_healthz = { .end = end };
