/* Sealing a week by hand, and writing its next revision: each with a reason, which goes into the
 * chain with the name of who asks. */
#include "week_seal.h"

#include <stdio.h>

#include "answer.h"
#include "base/json_out.h"

static int act(struct kpictl *kpictl, const char *verb, const char *done)
{
    const char *week = arguments_operand(kpictl->arguments, 1);
    const char *reason = arguments_value(kpictl->arguments, "reason");
    struct text_buffer path = { 0 }, body = { 0 };
    struct reply reply;
    int status;

    if (!week)
        return usage_error("which one? kpictl week %s 2026-W47 --reason TEXT", verb);
    if (!reason || !reason[0])
        return usage_error("why? kpictl week %s %s --reason TEXT", verb, week);
    text_buffer_adds(&path, "/v1/weeks");
    path_add(&path, week);
    text_buffer_addf(&path, "/%s", verb);
    text_buffer_adds(&body, "{");
    json_out_text(&body, "reason", reason);
    text_buffer_adds(&body, "}");
    status = client_send(kpictl->client, "POST", path.bytes, "application/json", body.bytes,
                         body.length, &reply);
    text_buffer_finish(&path);
    text_buffer_finish(&body);
    if (status != EXIT_WELL)
        return status;
    if (kpictl->json)
        printf("%s\n", reply.body.bytes);
    else
        printf("%s %s, revision %lld, record %lld of the chain, by %s\n", week, done,
               (long long)answer_integer(reply.json, "revision"),
               (long long)answer_integer(reply.json, "record"), answer_text(reply.json, "by"));
    reply_finish(&reply);
    return EXIT_WELL;
}

int week_seal(struct kpictl *kpictl)
{
    return act(kpictl, "seal", "sealed");
}

int week_restate(struct kpictl *kpictl)
{
    return act(kpictl, "restate", "restated");
}
