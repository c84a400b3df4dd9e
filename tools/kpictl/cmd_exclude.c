/* kpictl exclude: a window of exclusion as one act, and its undoing as one. */
#include <stdio.h>
#include <stdlib.h>

#include "answer.h"
#include "base/json_out.h"
#include "base/mem.h"
#include "kpictl.h"

const struct flag exclude_flags[] = {
    { "from", "INSTANT", "tickets opened from then on: 2026-11-20T09:00:00+08:00", NULL },
    { "kind", "KIND", "of the tickets", "install repair lookup dispatch inspection" },
    { "reason", "TEXT", "why; it goes into the chain with your name", NULL },
    { "site", "SITE", "at that site alone", NULL },
    { "undo", "N", "undo the exclusion of that number", NULL },
    { "until", "INSTANT", "and before then", NULL },
    { 0 },
};

static int send_act(struct kpictl *kpictl, const char *method, const char *path, const char *body,
                    size_t length, const char *done)
{
    struct reply reply;
    int status = client_send(kpictl->client, method, path, body ? "application/json" : NULL, body,
                             length, &reply);

    if (status != EXIT_WELL)
        return status;
    if (kpictl->json)
        printf("%s\n", reply.body.bytes);
    else
        printf("%s: %lld tickets, record %lld of the chain, by %s\n", done,
               (long long)answer_integer(reply.json, "tickets"),
               (long long)answer_integer(reply.json, "record"), answer_text(reply.json, "by"));
    reply_finish(&reply);
    return EXIT_WELL;
}

static int undo(struct kpictl *kpictl, const char *number)
{
    struct text_buffer path = { 0 };
    int status;

    text_buffer_adds(&path, "/v1/exclusions");
    path_add(&path, number);
    query_add(&path, "reason", arguments_value(kpictl->arguments, "reason"));
    status = send_act(kpictl, "DELETE", path.bytes, NULL, 0, "undone");
    text_buffer_finish(&path);
    return status;
}

static int exclude(struct kpictl *kpictl)
{
    static const char *const names[] = { "kind", "from", "until", "site", "reason" };
    struct text_buffer body = { 0 };
    int status;

    text_buffer_adds(&body, "{");
    for (size_t i = 0; i < LENGTH(names); i++)
        if (arguments_has(kpictl->arguments, names[i]))
            json_out_text(&body, names[i], arguments_value(kpictl->arguments, names[i]));
    text_buffer_adds(&body, "}");
    status = send_act(kpictl, "POST", "/v1/exclusions", body.bytes, body.length, "excluded");
    text_buffer_finish(&body);
    return status;
}

int run_exclude(struct kpictl *kpictl)
{
    static const char *const needed[] = { "kind", "from", "until" };
    const char *number = arguments_value(kpictl->arguments, "undo");
    const char *reason = arguments_value(kpictl->arguments, "reason");

    if (!reason || !reason[0])
        return usage_error("why? --reason TEXT");
    for (size_t i = 0; i < LENGTH(needed); i++)
        if (arguments_has(kpictl->arguments, needed[i]) == (number != NULL))
            return usage_error("write kpictl exclude --kind KIND --from INSTANT --until INSTANT "
                               "--reason TEXT, or kpictl exclude --undo N --reason TEXT");
    return number ? undo(kpictl, number) : exclude(kpictl);
}
