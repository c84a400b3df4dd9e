/* The report beside a rejected file; see spool_report.h. */
#include "spool_report.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEAD_SIZE = 128, RAW_MAX = 4096 };

static int open_report(const struct spool_dirs *dirs, const struct spool_take *take, int flags)
{
    char name[SPOOL_WORK_NAME_SIZE];

    return openat(dirs->work, spool_work_name(name, take, ".report"),
                  flags | O_NOFOLLOW | O_CLOEXEC, 0640);
}

static int failed(const struct spool_take *take, int code, struct err *err)
{
    return err_set(err, code, "the report on \"%.100s\" cannot be written: %s%s", take->name,
                   strerror(-code),
                   code == -ENOSPC || code == -EDQUOT ? ": make room on that disk" : "");
}

static int write_all(int fd, const char *bytes, size_t length, int64_t offset)
{
    while (length > 0) {
        ssize_t wrote = pwrite(fd, bytes, length, offset);

        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return -errno;
        bytes += wrote;
        offset += wrote;
        length -= (size_t)wrote;
    }
    return 0;
}

/* The first line, padded so that it can be written over. */
static int write_head(int fd, const char *text)
{
    char head[HEAD_SIZE + 1];

    snprintf(head, sizeof head, "%-*.*s\n", HEAD_SIZE - 1, HEAD_SIZE - 1, text);
    return write_all(fd, head, HEAD_SIZE, 0);
}

static int write_progress(int fd, const struct spool_report *report)
{
    char text[HEAD_SIZE];

    snprintf(text, sizeof text,
             "read to byte %" PRId64 ", line %" PRId64 "; not taken %" PRId64 "; report of %" PRId64
             " bytes",
             report->position.offset, report->position.line, report->refused, report->length);
    return write_head(fd, text);
}

static bool parse_head(const char *head, struct spool_report *ret)
{
    return sscanf(head,
                  "read to byte %" SCNd64 ", line %" SCNd64 "; not taken %" SCNd64
                  "; report of %" SCNd64,
                  &ret->position.offset, &ret->position.line, &ret->refused, &ret->length) == 4 &&
           ret->length >= HEAD_SIZE;
}

int spool_report_load(const struct spool_dirs *dirs, const struct spool_take *take,
                      struct spool_report *ret, struct err *err)
{
    struct spool_report report = { 0 };
    char head[HEAD_SIZE + 1] = { 0 };
    int rc = 0, fd = open_report(dirs, take, O_RDWR);

    if (fd < 0 && errno != ENOENT)
        return failed(take, -errno, err);
    if (fd < 0 || pread(fd, head, HEAD_SIZE, 0) != HEAD_SIZE || !parse_head(head, &report))
        report = (struct spool_report){ 0 };
    if (fd >= 0 && ftruncate(fd, report.length) < 0)
        rc = failed(take, -errno, err);
    if (fd >= 0)
        (void)close(fd); /* nothing of it must be durable yet */
    if (rc == 0)
        *ret = report;
    return rc;
}

void spool_report_drop(const struct spool_dirs *dirs, const struct spool_take *take)
{
    char name[SPOOL_WORK_NAME_SIZE];

    (void)unlinkat(dirs->work, spool_work_name(name, take, ".report"), 0); /* mostly not there */
}

static void add_entry(struct text_buffer *to, int64_t number, const char *reason, const char *raw,
                      size_t length)
{
    size_t shown = length > RAW_MAX ? RAW_MAX : length;

    text_buffer_addf(to, "line %" PRId64 ": %s\n    ", number, reason);
    while (shown > 0) {
        const char *end = memchr(raw, '\n', shown);
        size_t piece = end ? (size_t)(end - raw) + 1 : shown;

        text_buffer_add(to, raw, piece);
        if (end)
            text_buffer_adds(to, "    ");
        raw += piece;
        shown -= piece;
    }
    text_buffer_adds(to, length > RAW_MAX ? "...\n" : "\n");
}

static int append(const struct spool_dirs *dirs, const struct spool_take *take,
                  struct spool_report *report, const struct text_buffer *entries, int64_t count,
                  struct spool_position position, struct err *err)
{
    struct spool_report next = *report;
    int rc = 0, fd = open_report(dirs, take, O_RDWR | O_CREAT);

    if (fd < 0)
        return failed(take, -errno, err);
    if (next.length == 0)
        next.length = HEAD_SIZE;
    if (entries->length > 0)
        rc = write_all(fd, entries->bytes, entries->length, next.length);
    next.length += (int64_t)entries->length;
    next.refused += count;
    next.position = position;
    if (rc == 0)
        rc = write_progress(fd, &next);
    (void)close(fd); /* spool_report_finish makes it durable */
    if (rc < 0)
        return failed(take, rc, err);
    *report = next;
    return 0;
}

int spool_report_add(const struct spool_dirs *dirs, const struct spool_take *take,
                     struct spool_report *report, const struct lines *lines,
                     struct spool_position position, struct err *err)
{
    struct text_buffer entries = { 0 };
    int64_t count = 0;
    int rc;

    for (size_t i = 0; i < lines->count; i++) {
        size_t length;
        const char *raw = lines_raw(lines, i, &length);

        if (lines->items[i].result != LINE_QUARANTINED)
            continue;
        add_entry(&entries, lines->items[i].number, lines->items[i].reason, raw, length);
        count++;
    }
    rc = append(dirs, take, report, &entries, count, position, err);
    text_buffer_finish(&entries);
    return rc;
}

int spool_report_fault(const struct spool_dirs *dirs, const struct spool_take *take,
                       struct spool_report *report, const char *why, struct err *err)
{
    struct text_buffer entry = { 0 };
    int rc;

    text_buffer_addf(&entry, "the file: %s\n", why);
    rc = append(dirs, take, report, &entry, 1, report->position, err);
    text_buffer_finish(&entry);
    return rc;
}

int spool_report_finish(const struct spool_dirs *dirs, const struct spool_take *take,
                        const struct spool_report *report, struct err *err)
{
    char text[HEAD_SIZE];
    int rc, fd = open_report(dirs, take, O_RDWR);

    if (fd < 0)
        return failed(take, -errno, err);
    snprintf(text, sizeof text,
             "%" PRId64 " not taken, of %" PRId64 " lines: mend them and drop "
             "them again in a file of their own",
             report->refused, report->position.line);
    rc = write_head(fd, text);
    if (rc == 0 && fsync(fd) < 0)
        rc = -errno;
    (void)close(fd);
    return rc < 0 ? failed(take, rc, err) : 0;
}
