/* GET /openapi.json: the table of routes, machine-readable. What the table does not say is not
 * here; kpid-api(7) has the rest. */
#include <string.h>

#include "api/handlers.h"
#include "base/json_out.h"
#include "base/mem.h"

static void show_parameter(struct text_buffer *to, const char *name, size_t length,
                           const char *place, const char *help, bool required)
{
    json_out_comma(to);
    text_buffer_adds(to, "{");
    json_out_key(to, "name");
    json_out_string(to, name, length);
    json_out_text(to, "in", place);
    json_out_bool(to, "required", required);
    if (help)
        json_out_text(to, "description", help);
    text_buffer_adds(to, ",\"schema\":{\"type\":\"string\"}}");
}

static void show_parameters(struct text_buffer *to, const struct route *route)
{
    json_out_key(to, "parameters");
    text_buffer_adds(to, "[");
    for (const char *at = strchr(route->path, '{'); at; at = strchr(at + 1, '{'))
        show_parameter(to, at + 1, strcspn(at + 1, "}"), "path", NULL, true);
    for (const struct route_param *p = route->params; p->name; p++)
        show_parameter(to, p->name, strlen(p->name), "query", p->help, false);
    text_buffer_adds(to, "]");
}

static void show_operation(struct text_buffer *to, const struct route *route)
{
    static const char *const keys[][2] = {
        { "GET", "get" }, { "POST", "post" }, { "PUT", "put" }, { "DELETE", "delete" }
    };

    for (size_t i = 0; i < LENGTH(keys); i++) {
        if (strcmp(route->method, keys[i][0]) == 0)
            json_out_key(to, keys[i][1]);
    }
    text_buffer_adds(to, "{");
    json_out_text(to, "summary", route->summary);
    json_out_text(to, "x-kpid-right", route->right == RIGHT_WRITE ? "write" : "read");
    show_parameters(to, route);
    if (route->body) {
        text_buffer_adds(to, ",\"requestBody\":{\"content\":{");
        json_out_key(to, route->body);
        text_buffer_adds(to, "{}}}");
    }
    text_buffer_adds(to, ",\"responses\":{\"default\":{\"description\":\"the answer, or a problem "
                         "document\",\"content\":{\"application/problem+json\":{}}}}}");
}

/* Routes of one path stand side by side in the table. */
static void end(struct call *call)
{
    struct text_buffer out = { 0 };
    const char *path = "";

    text_buffer_adds(&out, "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"kpid\"");
    json_out_text(&out, "version", call->api->house.version);
    text_buffer_adds(&out, "},\"paths\":{");
    for (size_t i = 0; i < api_route_count; i++) {
        const struct route *route = &api_routes[i];

        if (strcmp(route->path, path) != 0) {
            if (*path)
                text_buffer_adds(&out, "}");
            path = route->path;
            json_out_key(&out, path);
            text_buffer_adds(&out, "{");
        }
        show_operation(&out, route);
    }
    text_buffer_adds(&out, "}}}");
    call_reply_json(call, 200, &out);
}

const struct handler get_openapi = { .end = end };
