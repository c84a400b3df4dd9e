/* Problem documents. The `type` is what programs tell kinds apart by; `detail` is for people. */
#include "api/problem.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json_out.h"

static const struct {
    int status;
    const char *type, *title;
} kinds[PROBLEM_KINDS] = {
    [PROBLEM_BAD_URL] = { 400, "bad-url", "The address is malformed" },
    [PROBLEM_UNKNOWN_PARAMETER] = { 400, "unknown-parameter", "Unknown query parameter" },
    [PROBLEM_BAD_PARAMETER] = { 400, "bad-parameter", "A parameter has no meaning" },
    [PROBLEM_BAD_BODY] = { 400, "bad-body", "The body is malformed" },
    [PROBLEM_UNAUTHORIZED] = { 401, "unauthorized", "A token is needed" },
    [PROBLEM_FORBIDDEN] = { 403, "forbidden", "Not allowed" },
    [PROBLEM_NO_SUCH_PATH] = { 404, "no-such-path", "No such path" },
    [PROBLEM_NOT_FOUND] = { 404, "not-found", "Not found" },
    [PROBLEM_METHOD] = { 405, "method-not-allowed", "The path has no such method" },
    [PROBLEM_CONFLICT] = { 409, "conflict", "Not in this state" },
    [PROBLEM_TOO_LARGE] = { 413, "too-large", "The body is too large" },
    [PROBLEM_URL_TOO_LONG] = { 414, "url-too-long", "The address is too long" },
    [PROBLEM_MEDIA_TYPE] = { 415, "media-type", "Another content type is needed" },
    [PROBLEM_UNPROCESSABLE] = { 422, "not-acceptable-event", "The event breaks a rule" },
    [PROBLEM_TOO_MANY] = { 503, "too-many-connections", "Too many connections" },
    [PROBLEM_INTERNAL] = { 500, "internal", "The daemon failed" },
    [PROBLEM_BUSY] = { 503, "busy", "The daemon is busy" },
    [PROBLEM_UNWELL] = { 503, "unwell", "Something is not well" },
    [PROBLEM_STORAGE] = { 507, "storage-full", "The disk is full" },
    [PROBLEM_STORAGE_FAILED] = { 503, "storage-failed", "The disk failed" },
};

bool problem_set(struct problem *p, enum problem_kind kind, const char *format, ...)
{
    va_list args;

    assert(kind > PROBLEM_NONE && kind < PROBLEM_KINDS);
    *p = (struct problem){ .kind = kind };
    va_start(args, format);
    vsnprintf(p->detail, sizeof p->detail, format, args);
    va_end(args);
    return false;
}

void problem_finish(struct problem *p)
{
    free(p->members);
    p->members = NULL;
}

enum problem_kind problem_of_failure(int status)
{
    switch (status) {
    case -ENOSPC:
    case -EDQUOT:
        return PROBLEM_STORAGE;
    case -EROFS:
    case -EIO:
    case -EBADMSG:
        return PROBLEM_STORAGE_FAILED;
    default:
        return PROBLEM_BUSY;
    }
}

int problem_status(enum problem_kind kind)
{
    return kinds[kind].status;
}

void problem_json(struct text_buffer *to, const struct problem *p)
{
    char type[64];

    snprintf(type, sizeof type, "urn:kpid:problem:%s", kinds[p->kind].type);
    text_buffer_adds(to, "{");
    json_out_text(to, "type", type);
    json_out_text(to, "title", kinds[p->kind].title);
    json_out_integer(to, "status", kinds[p->kind].status);
    json_out_text(to, "detail", p->detail);
    if (p->members) {
        json_out_comma(to);
        text_buffer_adds(to, p->members);
    }
    text_buffer_adds(to, "}");
}
