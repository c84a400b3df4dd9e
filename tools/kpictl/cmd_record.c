/* kpictl record: events by hand, composed from flags, or a file of them (NDJSON) in pieces that
 * the daemon's limit on one body allows. What the daemon did not take is listed with its line, and
 * the exit status is then 1: the rest was taken all the same. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "answer.h"
#include "base/instant.h"
#include "base/json_out.h"
#include "base/mem.h"
#include "by_hand.h"
#include "kpictl.h"

enum { PIECE_MAX = 4 << 20, LINE_MAX_BYTES = 8 << 20 };

const struct flag record_flags[] = {
    { "at", "INSTANT", "when it happened: 2026-11-20T09:00:00+08:00; now, if not given", NULL },
    { "by", "WHO", "who amended; your user name, if not given", NULL },
    { "code", "CODE", "the fault", NULL },
    { "department", "DEPARTMENT", "whose it was", NULL },
    { "device", "DEVICE", "which device it was about", NULL },
    { "evidence", "JSON", "any JSON value, kept beside the event", NULL },
    { "file", "FILE", "events from a file, one JSON object a line; - for standard input",
      "@files" },
    { "id", "ID", "makes the event the same as an earlier one; fresh, if not given", NULL },
    { "model", "MODEL", "of the device", NULL },
    { "outcome", "OUTCOME", "how it ended", "success failure excluded" },
    { "reason", "REASON", "why; needed to amend", NULL },
    { "site", "SITE", "where it was", NULL },
    { "source", "SOURCE", "who reports it; \"manual\", if not given", NULL },
    { "staff", "STAFF", "who did it", NULL },
    { "ticket", "TICKET", "which ticket it was about", NULL },
    { "vehicle", "VEHICLE", "which vehicle it was about", NULL },
    { 0 },
};

/* What became of everything sent so far. */
struct tally {
    int64_t accepted, duplicate, quarantined;
    int64_t lines;      /* sent before this piece */
};

/* The event that the flags describe, as one line of JSON. EXIT_USAGE if they describe none. */
static int compose(const struct arguments *arguments, const char *type, struct text_buffer *to)
{
    static const char *const plain[] = { "ticket", "device", "site", "department", "staff",
                                         "vehicle", "model", "outcome", "reason", "code" };
    const char *evidence = arguments_value(arguments, "evidence");
    const char *at = arguments_value(arguments, "at");
    const char *by = arguments_value(arguments, "by");
    const char *id = arguments_value(arguments, "id");
    const char *source = arguments_value(arguments, "source");
    char now[INSTANT_SIZE], fresh[64];
    yajl_val value;

    if (!strchr(type, '.'))
        return usage_error("\"%s\" is no type of event: install.settled, device.faulted, ...",
                           type);
    if (evidence) {
        value = answer_parse(evidence);
        if (!value)
            return usage_error("--evidence is no JSON; a text stands in quotes: '\"text\"'");
        yajl_tree_free(value);
    }
    now_local(now);
    fresh_id(fresh);
    if (!by && strcmp(strchr(type, '.'), ".amended") == 0)
        by = user_name();

    text_buffer_adds(to, "{");
    json_out_text(to, "source", source ? source : "manual");
    json_out_text(to, "id", id ? id : fresh);
    json_out_text(to, "type", type);
    json_out_text(to, "at", at ? at : now);
    for (size_t i = 0; i < LENGTH(plain); i++)
        if (arguments_has(arguments, plain[i]))
            json_out_text(to, plain[i], arguments_value(arguments, plain[i]));
    if (by)
        json_out_text(to, "by", by);
    if (evidence) {
        json_out_key(to, "evidence");
        /* Line ends are only blanks in JSON, but would end the line of NDJSON. */
        for (const char *p = evidence; *p; p++)
            text_buffer_add(to, *p == '\n' || *p == '\r' ? " " : p, 1);
    }
    text_buffer_adds(to, "}\n");
    return EXIT_WELL;
}

static int64_t count_lines(const char *bytes, size_t length)
{
    int64_t lines = 0;

    for (size_t i = 0; i < length; i++)
        lines += bytes[i] == '\n';
    return lines;
}

static void print_refused(int64_t line, const char *reason)
{
    char *text = text_for_terminal(reason);

    fprintf(stderr, "line %lld: %s\n", (long long)line, text);
    free(text);
}

/* Sends whole lines; adds to the tally and prints what was not taken. */
static int send_piece(struct kpictl *kpictl, const char *bytes, size_t length, struct tally *tally)
{
    struct reply reply;
    int64_t more;
    int status;

    status = client_send(kpictl->client, "POST", "/v1/events", "application/x-ndjson", bytes,
                         length, &reply);
    if (status != EXIT_WELL)
        return status;
    if (kpictl->json)
        printf("%s%s", reply.body.bytes,
               reply.body.bytes[reply.body.length - 1] == '\n' ? "" : "\n");
    tally->accepted += answer_integer(reply.json, "accepted");
    tally->duplicate += answer_integer(reply.json, "duplicate");
    for (size_t i = 0; i < answer_length(reply.json, "quarantined"); i++) {
        yajl_val line = answer_item(reply.json, "quarantined", i);

        tally->quarantined++;
        if (!kpictl->json)
            print_refused(answer_integer(line, "line") + tally->lines,
                          answer_text(line, "reason"));
    }
    more = answer_integer(reply.json, "quarantined_more");
    tally->quarantined += more;
    if (more > 0 && !kpictl->json)
        fprintf(stderr, "and %lld more lines\n", (long long)more);
    tally->lines += count_lines(bytes, length);
    reply_finish(&reply);
    return EXIT_WELL;
}

/* Sends the whole lines of what is gathered, and keeps the rest of the last one. */
static int send_lines(struct kpictl *kpictl, struct text_buffer *gathered, bool at_end,
                      struct tally *tally)
{
    const char *last = memrchr(gathered->bytes, '\n', gathered->length);
    size_t length = at_end ? gathered->length : last ? (size_t)(last - gathered->bytes) + 1 : 0;
    int status;

    if (length == 0)
        return gathered->length > LINE_MAX_BYTES
                   ? usage_error("line %lld is longer than any event may be",
                                 (long long)tally->lines + 1)
                   : EXIT_WELL;
    status = send_piece(kpictl, gathered->bytes, length, tally);
    gathered->length -= length;
    memmove(gathered->bytes, gathered->bytes + length, gathered->length + 1);
    return status;
}

static int send_file(struct kpictl *kpictl, FILE *file, const char *name, struct tally *tally)
{
    struct text_buffer gathered = { 0 };
    char bytes[65536];
    size_t length;
    int status = EXIT_WELL;

    while (status == EXIT_WELL && (length = fread(bytes, 1, sizeof bytes, file)) > 0) {
        text_buffer_add(&gathered, bytes, length);
        if (gathered.length >= PIECE_MAX)
            status = send_lines(kpictl, &gathered, false, tally);
    }
    if (status == EXIT_WELL && ferror(file))
        status = usage_error("%s: %s", name, strerror(errno));
    else if (status == EXIT_WELL && gathered.length > 0)
        status = send_lines(kpictl, &gathered, true, tally);
    text_buffer_finish(&gathered);
    return status;
}

static int record_file(struct kpictl *kpictl, const char *name, struct tally *tally)
{
    FILE *file = strcmp(name, "-") == 0 ? stdin : fopen(name, "re");
    int status;

    if (!file)
        return usage_error("%s: %s", name, strerror(errno));
    status = send_file(kpictl, file, name, tally);
    if (file != stdin)
        /* Only read from: nothing can be lost. */
        (void)fclose(file);
    return status;
}

static int record_one(struct kpictl *kpictl, const char *type, struct tally *tally)
{
    struct text_buffer line = { 0 };
    int status = compose(kpictl->arguments, type, &line);

    if (status == EXIT_WELL)
        status = send_piece(kpictl, line.bytes, line.length, tally);
    text_buffer_finish(&line);
    return status;
}

static void print_tally(const struct tally *tally)
{
    printf("accepted %lld", (long long)tally->accepted);
    if (tally->duplicate)
        printf(", known already %lld", (long long)tally->duplicate);
    if (tally->quarantined)
        printf(", quarantined %lld: see kpictl quarantine", (long long)tally->quarantined);
    putchar('\n');
}

int run_record(struct kpictl *kpictl)
{
    const char *type = arguments_operand(kpictl->arguments, 0);
    const char *file = arguments_value(kpictl->arguments, "file");
    struct tally tally = { 0 };
    int status;

    if (type && file)
        return usage_error("either one event by its TYPE or a --file of events, not both");
    if (!type && !file && isatty(STDIN_FILENO))
        return usage_error("what happened? kpictl record install.settled --ticket IN-1 --outcome "
                           "success, or --file EVENTS.ndjson");

    if (type)
        status = record_one(kpictl, type, &tally);
    else
        status = record_file(kpictl, file ? file : "-", &tally);
    if (!kpictl->json && (status == EXIT_WELL || tally.lines > 0))
        print_tally(&tally);
    return status == EXIT_WELL && tally.quarantined > 0 ? EXIT_REFUSED : status;
}
