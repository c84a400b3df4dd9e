/* The socket's addresses, fed with any bytes over the real table of paths: each is a hit whose
 * captures and values are UTF-8 and lie within the address, or a problem that says why. Cursors are
 * read, too: what was read and is written again must read the same. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/api_private.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const methods[] = { "GET", "HEAD", "POST", "DELETE", "PUT", "" };

static void check_text(const char *text, const char *begin, size_t size)
{
    assert(text >= begin && text + strlen(text) <= begin + size);
    assert(text_is_utf8(text, strlen(text)));
}

static void check_cursor(const char *cursor)
{
    struct page page, again;
    struct problem problem;
    struct text_buffer out = { 0 };
    char *copy;

    if (!page_read(&page, NULL, cursor, 10, PAGE_FIELDS, &problem))
        return;
    page_cursor(&out, page.fields, PAGE_FIELDS);
    copy = mem_strndup(strchr(out.bytes, ':') + 2, out.length - (size_t)strlen("\"cursor\":\"\""));
    if (strlen(copy) < PAGE_CURSOR_MAX) {
        assert(page_read(&again, NULL, copy, 10, PAGE_FIELDS, &problem));
        for (size_t i = 0; i < PAGE_FIELDS; i++)
            assert(strcmp(page.fields[i], again.fields[i]) == 0);
    }
    free(copy);
    text_buffer_finish(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct route_hit hit;
    struct problem problem;
    char allow[48];
    const char *method = size ? methods[data[0] % LENGTH(methods)] : "GET";
    char *uri = mem_strndup(size ? (const char *)data + 1 : "", size ? size - 1 : 0);
    size_t length = strlen(uri);

    check_cursor(uri);
    (void)route_methods(api_routes, api_route_count, uri, allow);
    assert(strlen(uri) == length);
    if (route_find(api_routes, api_route_count, method, uri, &hit, &problem)) {
        for (size_t i = 0; i < ROUTE_CAPTURES; i++)
            if (hit.captures[i])
                check_text(hit.captures[i], uri, length);
        for (size_t i = 0; hit.route->params[i].name; i++)
            if (hit.values[i])
                check_text(hit.values[i], uri, length);
    } else {
        struct text_buffer out = { 0 };

        assert(problem.kind != PROBLEM_NONE && problem.detail[0]);
        problem_json(&out, &problem);
        text_buffer_finish(&out);
        problem_finish(&problem);
    }
    free(uri);
    return 0;
}
