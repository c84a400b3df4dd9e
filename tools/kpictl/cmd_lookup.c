/* kpictl lookup: where is this vehicle now? */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "base/json_out.h"
#include "base/mem.h"
#include "base/text.h"
#include "kpictl.h"

const struct flag lookup_flags[] = {
    { "for", "STAFF", "who asked for it", NULL },
    { "map", NULL, "the reference was read off a Chinese map (GCJ-02)", NULL },
    { "near", "LAT,LON", "where it should be, in degrees", NULL },
    { 0 },
};

/* "30.659,104.065". False if it is none. */
static bool read_point(const char *text, double *ret_lat, double *ret_lon)
{
    char *end;

    *ret_lat = strtod(text, &end);
    if (end == text || *end != ',')
        return false;
    text = end + 1;
    *ret_lon = strtod(text, &end);
    return end != text && *end == '\0';
}

/* False, with a usage error told. */
static bool make_body(const struct arguments *a, struct text_buffer *to)
{
    const char *near = arguments_value(a, "near"), *staff = arguments_value(a, "for");
    double lat, lon;

    text_buffer_adds(to, "{");
    json_out_text(to, "vehicle", arguments_operand(a, 0));
    if (staff)
        json_out_text(to, "requested_by", staff);
    if (near && !read_point(near, &lat, &lon)) {
        usage_error("--near %s: write degrees, as in --near 30.659,104.065", near);
        return false;
    }
    if (near)
        text_buffer_addf(to, ",\"reference\":{\"lat\":%.7f,\"lon\":%.7f,\"datum\":\"%s\"}", lat,
                         lon, arguments_has(a, "map") ? "gcj02" : "wgs84");
    text_buffer_adds(to, "}");
    return true;
}

static const char *const reasons[][2] = {
    { "offline", "the terminal is offline" },
    { "no_fix", "its position is not fixed" },
    { "stale", "its fix is too old" },
    { "unknown_vehicle", "nobody knows that vehicle" },
    { "platform_unreachable", "the platform could not be asked" },
};

/* "off_by_812m" says itself. */
static const char *in_words(const char *reason)
{
    for (size_t i = 0; i < LENGTH(reasons); i++)
        if (strcmp(reasons[i][0], reason) == 0)
            return reasons[i][1];
    return reason;
}

static void print(struct kpictl *kpictl, yajl_val answer)
{
    bool found = strcmp(answer_text(answer, "outcome"), "success") == 0;
    struct text_buffer out = { 0 };

    text_buffer_addf(&out, "%s  ", answer_text(answer, "vehicle"));
    colour_add(&out, &kpictl->look, found ? COLOUR_GOOD : COLOUR_BAD,
               found ? "found" : in_words(answer_text(answer, "reason")));
    if (answer_get(answer, "position.lat"))
        text_buffer_addf(&out, "\n  at        %.6f, %.6f\n  fix       %s, %s",
                         (double)answer_parts(answer, "position.lat", 1000000, 0) / 1e6,
                         (double)answer_parts(answer, "position.lon", 1000000, 0) / 1e6,
                         answer_is_true(answer, "position.fixed") ? "valid" : "not valid",
                         answer_text(answer, "position.at"));
    if (answer_get(answer, "position.age_ms"))
        text_buffer_addf(&out, " (%lld s before asking)",
                         (long long)answer_integer(answer, "position.age_ms") / 1000);
    if (answer_get(answer, "distance_m") && YAJL_IS_NUMBER(answer_get(answer, "distance_m")))
        text_buffer_addf(&out, "\n  distance  %lld m from the reference",
                         (long long)answer_integer(answer, "distance_m"));
    text_buffer_addf(&out, "\n  answered  by %s in %lld ms\n  ticket    lookup %s\n",
                     answer_text(answer, "source")[0] ? answer_text(answer, "source") : "nobody",
                     (long long)answer_integer(answer, "took_ms"), answer_text(answer, "ticket"));
    /* A failed write shows in ferror(stdout), which main looks at. */
    (void)fwrite(out.bytes, 1, out.length, stdout);
    text_buffer_finish(&out);
}

int run_lookup(struct kpictl *kpictl)
{
    struct text_buffer body = { 0 };
    struct reply reply;
    int status = EXIT_USAGE;

    if (make_body(kpictl->arguments, &body))
        status = client_send(kpictl->client, "POST", "/v1/lookups", "application/json", body.bytes,
                             body.length, &reply);
    text_buffer_finish(&body);
    if (status != EXIT_WELL)
        return status;
    if (kpictl->json)
        printf("%s\n", reply.body.bytes);
    else
        print(kpictl, reply.json);
    reply_finish(&reply);
    return EXIT_WELL;
}
