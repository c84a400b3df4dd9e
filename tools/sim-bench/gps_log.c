/* The log of a receiver; see gps_log.h. */
#include "gps_log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { LOG_MAX = 64 << 20 };

/* Length of the line at `at`, its end included. */
static size_t line_length(const char *bytes, size_t length, size_t at)
{
    const char *end = memchr(bytes + at, '\n', length - at);

    return end ? (size_t)(end - bytes) + 1 - at : length - at;
}

/* Whether a sentence "$..KKK," of that kind begins the line. */
static bool is_kind(const char *line, size_t length, const char *kind)
{
    return length > 7 && line[0] == '$' && memcmp(line + 3, kind, 3) == 0 && line[6] == ',';
}

void gps_log_set(struct gps_log *log, const char *bytes, size_t length)
{
    *log = (struct gps_log){ .bytes = mem_alloc(length + 1) };
    for (size_t at = 0, line; at < length; at += line) {
        line = line_length(bytes, length, at);
        if (bytes[at] == '#')
            continue;
        if (!log->kind[0] && is_kind(bytes + at, line, "RMC"))
            memcpy(log->kind, "RMC", 4);
        if (!log->kind[0] && is_kind(bytes + at, line, "GGA"))
            memcpy(log->kind, "GGA", 4);
        memcpy(log->bytes + log->length, bytes + at, line);
        log->length += line;
    }
}

int gps_log_load(struct gps_log *log, const char *path, struct err *err)
{
    FILE *file = fopen(path, "re");
    char *bytes = mem_alloc(LOG_MAX);
    int rc = -errno;
    size_t length;

    if (!file) {
        free(bytes);
        return err_set(err, rc, "%s: %s", path, strerror(-rc));
    }
    length = fread(bytes, 1, LOG_MAX, file);
    (void)fclose(file); /* it was only read */
    gps_log_set(log, bytes, length);
    free(bytes);
    return log->length > 0 ? 0 : err_set(err, -EINVAL, "%s: nothing in it to play", path);
}

void gps_log_finish(struct gps_log *log)
{
    free(log->bytes);
    *log = (struct gps_log){ 0 };
}

const char *gps_log_burst(struct gps_log *log, size_t *ret_length)
{
    size_t begin = log->at, at = begin;

    do
        at += line_length(log->bytes, log->length, at);
    while (at < log->length &&
           !(log->kind[0] && is_kind(log->bytes + at, log->length - at, log->kind)));
    log->at = at < log->length ? at : 0;
    *ret_length = at - begin;
    return log->bytes + begin;
}
