/* kpictl status: how the daemon is, in the order in which an administrator asks: is it well, does
 * it count, does anything wait, is the disk well, do the inputs come. The rest is in --json. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "base/span.h"
#include "figure.h"
#include "kpictl.h"

/* A line: what, then what about it, in its colour. */
static void line(const struct kpictl *kpictl, const char *what, enum colour colour,
                 const char *format, ...) __attribute__((format(printf, 4, 5)));

static void line(const struct kpictl *kpictl, const char *what, enum colour colour,
                 const char *format, ...)
{
    struct text_buffer out = { 0 };
    char text[640];
    char *safe;
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    safe = text_for_terminal(text);
    text_buffer_addf(&out, "%-14s ", what);
    colour_add(&out, &kpictl->look, colour, safe);
    printf("%s\n", out.bytes);
    text_buffer_finish(&out);
    free(safe);
}

static void print_health(const struct kpictl *kpictl, yajl_val status)
{
    const char *health = answer_text(status, "health");
    bool well = strcmp(health, "well") == 0;
    char span[SPAN_SIZE];

    line(kpictl, "health", well ? COLOUR_GOOD : COLOUR_BAD, "%s", health);
    for (size_t i = 0; i < answer_length(status, "why"); i++)
        line(kpictl, "", COLOUR_BAD, "%s", answer_text(answer_item(status, "why", i), ""));
    line(kpictl, "version", COLOUR_NONE, "%s, up %s", answer_text(status, "version"),
         span_format(span, answer_integer(status, "uptime_s") * SPAN_SECOND));
}

static void print_counting(const struct kpictl *kpictl, yajl_val status)
{
    int64_t quarantined = answer_integer(status, "quarantine_waiting");
    const char *last = answer_text(status, "last_event_at");
    char instant[CELL_SIZE];

    line(kpictl, "as of", COLOUR_NONE, "%s",
         instant_for_people(instant, answer_text(status, "as_of")));
    line(kpictl, "events", COLOUR_NONE, "%" PRId64 " in the log%s%s",
         answer_integer(status, "position"), last[0] ? ", the last of " : "",
         last[0] ? instant_for_people(instant, last) : "");
    line(kpictl, "queue", COLOUR_NONE, "%" PRId64 " requests, %" PRId64 " lines",
         answer_integer(status, "queue.requests"), answer_integer(status, "queue.lines"));
    line(kpictl, "quarantine", quarantined ? COLOUR_WARNING : COLOUR_NONE,
         "%" PRId64 " waiting%s", quarantined, quarantined ? ": see kpictl quarantine" : "");
}

static void print_ledger(const struct kpictl *kpictl, yajl_val status)
{
    bool well = answer_is_true(status, "ledger.well");

    line(kpictl, "ledger", well ? COLOUR_GOOD : COLOUR_BAD, "%s",
         well ? "well" : answer_text(status, "ledger.why"));
    line(kpictl, "", COLOUR_NONE,
         "%" PRId64 " commits, the last in %.1f ms; write-ahead log %.1f MiB",
         answer_integer(status, "ledger.commits"),
         (double)answer_integer(status, "ledger.last_commit_us") / 1000,
         (double)answer_integer(status, "ledger.wal_bytes") / (1024 * 1024));
}

static void print_seal(const struct kpictl *kpictl, yajl_val status)
{
    const char *last = answer_text(status, "seal.last_week");
    size_t pending = answer_length(status, "seal.restatement_pending");

    if (last[0])
        line(kpictl, "sealed", COLOUR_NONE, "%s, revision %" PRId64 "; %" PRId64 " weeks in all",
             last, answer_integer(status, "seal.revision"),
             answer_integer(status, "seal.sealed_weeks"));
    for (size_t i = 0; i < pending; i++)
        line(kpictl, "", COLOUR_WARNING, "%s moved since it was sealed: a restatement is pending",
             answer_text(answer_item(status, "seal.restatement_pending", i), ""));
}

static void print_sources(const struct kpictl *kpictl, yajl_val status)
{
    int64_t down = answer_integer(status, "sources.down");
    int64_t degraded = answer_integer(status, "sources.degraded");

    line(kpictl, "sources", down ? COLOUR_BAD : degraded ? COLOUR_WARNING : COLOUR_NONE,
         "%" PRId64 " well, %" PRId64 " degraded, %" PRId64 " down, %" PRId64 " starting%s",
         answer_integer(status, "sources.well"), degraded, down,
         answer_integer(status, "sources.starting"),
         down + degraded ? ": see kpictl sources" : "");
}

static void print_configuration(const struct kpictl *kpictl, yajl_val status)
{
    char instant[CELL_SIZE];

    line(kpictl, "configuration", COLOUR_NONE, "generation %" PRId64 " of %s, %.12s",
         answer_integer(status, "generation.number"),
         instant_for_people(instant, answer_text(status, "generation.at")),
         answer_text(status, "generation.digest"));
    if (answer_text(status, "generation.refused.at")[0])
        line(kpictl, "", COLOUR_WARNING, "refused at %s, %" PRId64 " faults: %s",
             instant_for_people(instant, answer_text(status, "generation.refused.at")),
             answer_integer(status, "generation.refused.faults"),
             answer_text(status, "generation.refused.first"));
}

int run_status(struct kpictl *kpictl)
{
    struct reply reply;
    int status;

    if (kpictl->json)
        return print_answer(kpictl, "/v1/status");
    status = client_get(kpictl->client, "/v1/status", &reply);
    if (status != EXIT_WELL)
        return status;
    print_health(kpictl, reply.json);
    print_counting(kpictl, reply.json);
    print_ledger(kpictl, reply.json);
    print_seal(kpictl, reply.json);
    print_sources(kpictl, reply.json);
    print_configuration(kpictl, reply.json);
    line(kpictl, "socket", COLOUR_NONE,
         "%" PRId64 " connections, %" PRId64 " watching, %" PRId64 " figures in memory",
         answer_integer(reply.json, "socket.connections"),
         answer_integer(reply.json, "socket.watchers"),
         answer_integer(reply.json, "facts_in_memory"));
    reply_finish(&reply);
    return EXIT_WELL;
}
