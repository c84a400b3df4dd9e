/* The journal. A line is formatted once, kept in the ring, and written with one write(2), so that
 * lines of two threads never mix. Who reads standard error is found out at the first line. */
#include "base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/instant.h"

enum { RING_LINES = 300, LINE_SIZE = 480 };

struct line {
    int64_t at;
    enum log_level level;
    char text[LINE_SIZE];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static enum log_level written_level = LOG_LEVEL_INFO;   /* under `lock`, as all below */
static bool journal_listens;
static struct line ring[RING_LINES];
static uint64_t ring_count;                             /* lines ever put; the next goes to % */

/* systemd names the journal's stream as DEVICE:INODE; a redirected standard error is another. */
static void find_reader(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat is;

    if (!stream || sscanf(stream, "%llu:%llu", &device, &inode) != 2)
        return;
    if (fstat(STDERR_FILENO, &is) < 0)
        return;
    journal_listens = is.st_dev == device && is.st_ino == inode;
}

void log_set_level(enum log_level level)
{
    pthread_mutex_lock(&lock);
    written_level = level;
    pthread_mutex_unlock(&lock);
}

static void write_line(const struct line *line)
{
    char out[LINE_SIZE + INSTANT_SIZE + 4];
    char when[INSTANT_SIZE];
    int length;

    if (journal_listens)
        length = snprintf(out, sizeof out, "<%d>%s\n", (int)line->level, line->text);
    else
        length = snprintf(out, sizeof out, "%s %s\n", instant_format(when, line->at, 0),
                          line->text);
    /* Nobody is left to hear of a standard error that cannot be written. */
    if (write(STDERR_FILENO, out, (size_t)length) < 0)
        return;
}

static void write_ring(void)
{
    uint64_t first = ring_count > RING_LINES ? ring_count - RING_LINES : 0;

    for (uint64_t i = first; i < ring_count; i++) {
        struct line line = ring[i % RING_LINES];
        char when[INSTANT_SIZE];

        /* The journal dates what it gets itself: lines of the past carry their own time. */
        if (journal_listens)
            (void)snprintf(line.text, sizeof line.text, "%s %.*s",
                           instant_format(when, line.at, 0), LINE_SIZE - INSTANT_SIZE,
                           ring[i % RING_LINES].text);
        write_line(&line);
    }
}

void log_dump_ring(void)
{
    pthread_once(&once, find_reader);
    pthread_mutex_lock(&lock);
    write_ring();
    pthread_mutex_unlock(&lock);
}

/* Formats into the ring's next place. A line stays one line, whatever a text carried into it. */
static const struct line *put(enum log_level level, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

static const struct line *put(enum log_level level, const char *format, va_list args)
{
    struct line *line = &ring[ring_count++ % RING_LINES];

    line->at = clock_wall(&clock_system);
    line->level = level;
    (void)vsnprintf(line->text, sizeof line->text, format, args);   /* a long line is cut */
    for (char *p = line->text; *p; p++) {
        if (*p == '\n' || *p == '\r')
            *p = ' ';
    }
    return line;
}

void log_line(enum log_level level, const char *format, ...)
{
    const struct line *line;
    va_list args;

    pthread_once(&once, find_reader);
    pthread_mutex_lock(&lock);
    va_start(args, format);
    line = put(level, format, args);
    va_end(args);
    if (level <= written_level)
        write_line(line);
    pthread_mutex_unlock(&lock);
}

void log_fatal(const char *format, ...)
{
    va_list args;

    pthread_once(&once, find_reader);
    pthread_mutex_lock(&lock);
    va_start(args, format);
    write_line(put(LOG_LEVEL_ERR, format, args));
    va_end(args);
    write_ring();
    abort();
}
