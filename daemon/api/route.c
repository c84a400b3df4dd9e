/* Routes. A path is compared segment by segment with the patterns while it is still encoded, so
 * that "%2F" in a ticket's name is not a border of segments; only what was captured is decoded. */
#include "api/route.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool route_decode(char *text, bool plus)
{
    const char *from = text;
    char *to = text;

    while (*from) {
        if (*from == '%') {
            int high = hex(from[1]), low = high < 0 ? -1 : hex(from[2]);

            if (low < 0)
                return false;
            *to++ = (char)(high * 16 + low);
            from += 3;
        } else {
            *to++ = *from == '+' && plus ? ' ' : *from;
            from++;
        }
    }
    *to = '\0';
    return text_is_utf8(text, (size_t)(to - text));
}

/* Does the path, which ends at `end`, fit the pattern? Captures are begun and ended but not yet
 * cut off or decoded: another pattern may fit better. */
static bool path_fits(const char *pattern, const char *path, const char *end,
                      const char *begins[ROUTE_CAPTURES], const char *ends[ROUTE_CAPTURES])
{
    size_t captures = 0;

    for (size_t i = 0; i < ROUTE_CAPTURES; i++)
        begins[i] = ends[i] = NULL;
    while (*pattern) {
        if (*pattern == '{') {
            const char *stop = path;

            while (stop < end && *stop != '/')
                stop++;
            if (stop == path)
                return false;
            assert(captures < ROUTE_CAPTURES);
            begins[captures] = path;
            ends[captures++] = stop;
            path = stop;
            pattern = strchr(pattern, '}') + 1;
        } else if (path < end && *path == *pattern) {
            path++;
            pattern++;
        } else {
            return false;
        }
    }
    return path == end;
}

static void add_method(char list[48], const char *method)
{
    size_t length = strlen(list);

    snprintf(list + length, 48 - length, "%s%s", length ? ", " : "", method);
}

/* The methods of the path, in the table's order, "" if there is no such path. */
static void list_methods(const struct route *routes, size_t count, const char *path,
                         const char *end, char ret[48])
{
    const char *begins[ROUTE_CAPTURES], *ends[ROUTE_CAPTURES];

    ret[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        if (!path_fits(routes[i].path, path, end, begins, ends))
            continue;
        add_method(ret, routes[i].method);
        if (strcmp(routes[i].method, "GET") == 0)
            add_method(ret, "HEAD");
    }
    if (ret[0])
        add_method(ret, "OPTIONS");
}

bool route_methods(const struct route *routes, size_t count, const char *uri, char ret[48])
{
    list_methods(routes, count, uri, uri + strcspn(uri, "?"), ret);
    return ret[0] != '\0';
}

static bool refuse_path(const struct route *routes, size_t count, const char *method,
                        const char *path, const char *end, struct problem *problem)
{
    enum { NAMES_MAX = 64 };
    const char *names[NAMES_MAX + 1] = { 0 };
    char allow[48], quoted[128];
    const char *near;

    list_methods(routes, count, path, end, allow);
    if (allow[0]) {
        problem_set(problem, PROBLEM_METHOD, "%.16s is not a method of this path; it has %s",
                    method, allow);
        text_set(problem->allow, sizeof problem->allow, allow);
        return false;
    }
    for (size_t i = 0; i < count && i < NAMES_MAX; i++)
        names[i] = routes[i].path;
    text_quote(quoted, sizeof quoted, path, (size_t)(end - path));
    near = end - path < 100 ? text_nearest(path, names) : NULL;
    if (near)
        return problem_set(problem, PROBLEM_NO_SUCH_PATH, "no path %s; did you mean %s?", quoted,
                           near);
    return problem_set(problem, PROBLEM_NO_SUCH_PATH, "no path %s; GET /openapi.json lists all",
                       quoted);
}

static bool refuse_parameter(const struct route *route, const char *name, struct problem *problem)
{
    const char *names[ROUTE_PARAMS + 1] = { 0 };
    char quoted[96], known[160] = "";
    const char *near;

    for (size_t i = 0; route->params[i].name; i++) {
        size_t length = strlen(known);

        names[i] = route->params[i].name;
        snprintf(known + length, sizeof known - length, "%s%s", i ? ", " : "", names[i]);
    }
    text_quote(quoted, sizeof quoted, name, strlen(name));
    near = text_nearest(name, names);
    if (near)
        return problem_set(problem, PROBLEM_UNKNOWN_PARAMETER,
                           "unknown query parameter %s; did you mean \"%s\"?", quoted, near);
    if (names[0])
        return problem_set(problem, PROBLEM_UNKNOWN_PARAMETER,
                           "unknown query parameter %s; this path takes %s", quoted, known);
    return problem_set(problem, PROBLEM_UNKNOWN_PARAMETER,
                       "unknown query parameter %s; this path takes none", quoted);
}

static bool take_parameter(struct route_hit *hit, char *name, struct problem *problem)
{
    char *value = strchr(name, '=');
    size_t i;

    if (value)
        *value++ = '\0';
    else
        value = name + strlen(name);
    if (!route_decode(name, true) || !route_decode(value, true))
        return problem_set(problem, PROBLEM_BAD_URL, "the query is not UTF-8 in percent encoding");
    for (i = 0; hit->route->params[i].name; i++) {
        if (strcmp(hit->route->params[i].name, name) == 0)
            break;
    }
    if (!hit->route->params[i].name)
        return refuse_parameter(hit->route, name, problem);
    if (hit->values[i])
        return problem_set(problem, PROBLEM_BAD_PARAMETER, "%s is given twice", name);
    if (!*value)
        return problem_set(problem, PROBLEM_BAD_PARAMETER, "%s is given without a value", name);
    hit->values[i] = value;
    return true;
}

static bool take_query(struct route_hit *hit, char *query, struct problem *problem)
{
    char *rest = query, *pair;

    while ((pair = strsep(&rest, "&"))) {
        if (*pair && !take_parameter(hit, pair, problem))
            return false;
    }
    return true;
}

bool route_find(const struct route *routes, size_t count, const char *method, char *uri,
                struct route_hit *ret, struct problem *problem)
{
    const char *begins[ROUTE_CAPTURES] = { 0 }, *ends[ROUTE_CAPTURES] = { 0 };
    const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;
    char *end = uri + strcspn(uri, "?");
    struct route_hit hit = { 0 };
    size_t i;

    for (i = 0; i < count; i++) {
        if (strcmp(routes[i].method, wanted) == 0 &&
            path_fits(routes[i].path, uri, end, begins, ends))
            break;
    }
    if (i == count) {
        char *query = *end ? end : NULL;

        if (query)
            *query = '\0';
        return refuse_path(routes, count, method, uri, end, problem);
    }
    hit.route = &routes[i];
    if (*end && !(*end = '\0', take_query(&hit, end + 1, problem)))
        return false;
    for (size_t c = 0; c < ROUTE_CAPTURES && ends[c]; c++) {
        char *text = uri + (begins[c] - uri);

        uri[ends[c] - uri] = '\0';
        if (!route_decode(text, false))
            return problem_set(problem, PROBLEM_BAD_URL,
                               "the path is not UTF-8 in percent encoding");
        hit.captures[c] = text;
    }
    *ret = hit;
    return true;
}

const char *route_value(const struct route_hit *hit, const char *name)
{
    size_t i = 0;

    for (; strcmp(hit->route->params[i].name, name) != 0; i++)
        assert(hit->route->params[i + 1].name);
    return hit->values[i];
}
