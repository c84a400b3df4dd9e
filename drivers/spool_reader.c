/* One spooled file to batches of lines; see spool_reader.h.
 *
 * A window of the file is kept in memory. Records are cut from it as the bytes stand in the file,
 * then decoded, split and mapped one at a time, so that the position behind each is a byte of the
 * file, from which a restart can go on. A record is taken only if its events fit into the batch;
 * else the batch is full and the record begins the next one. */
#include "spool_reader.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <iconv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "csv.h"

/* No event may be longer (law 1 bounds its JSON), so a record may not either. */
enum { RECORD_MAX = 64 * 1024, WINDOW_SIZE = 4 * RECORD_MAX };

struct spool_reader {
    const struct spool_format *format;
    enum spool_kind kind;
    int fd;
    iconv_t iconv;                  /* (iconv_t)-1: the file is UTF-8 */
    struct spool_position position; /* of the window's first byte */
    char *window;
    size_t length;
    size_t start; /* what lies before it in the window is done with */
    bool at_end;
    bool in_long_line; /* the rest of a refused line is still being passed over */
    /* Of a CSV file: which cell each input of the map is, -1 for none. */
    int cells_of[256];
    int cell_count;
    char *decoded;
};

bool spool_kind_of(const char *name, enum spool_kind *ret)
{
    const char *ending = strrchr(name, '.');

    if (!ending || ending == name)
        return false;
    if (strcasecmp(ending, ".ndjson") == 0)
        *ret = SPOOL_NDJSON;
    else if (strcasecmp(ending, ".csv") == 0)
        *ret = SPOOL_CSV;
    else
        return false;
    return true;
}

struct spool_position spool_reader_position(const struct spool_reader *r)
{
    return r->position;
}

static void consume(struct spool_reader *r, size_t bytes, size_t lines)
{
    assert(bytes <= r->length - r->start);
    r->start += bytes;
    r->position.offset += (int64_t)bytes;
    r->position.line += (int64_t)lines;
}

/* Reads on behind what the window holds. */
static int read_more(struct spool_reader *r, struct err *err)
{
    ssize_t got;

    memmove(r->window, r->window + r->start, r->length - r->start);
    r->length -= r->start;
    r->start = 0;
    assert(r->length < WINDOW_SIZE);
    do
        got = pread(r->fd, r->window + r->length, WINDOW_SIZE - r->length,
                    r->position.offset + (int64_t)r->length);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return err_set(err, -errno, "cannot be read: %s", strerror(errno));
    r->length += (size_t)got;
    r->at_end = got == 0;
    return 0;
}

/* What a spreadsheet on another system puts before the first line. */
static void skip_mark(struct spool_reader *r)
{
    if (r->position.offset == 0 && r->length >= 3 && memcmp(r->window, "\xEF\xBB\xBF", 3) == 0)
        consume(r, 3, 0);
}

/* The record as UTF-8, in a buffer of the reader; NULL if it is not in the file's encoding. */
static char *decode(struct spool_reader *r, const char *bytes, size_t length, size_t *ret_length)
{
    char *from, *to = r->decoded;
    size_t left = length, room = 2 * RECORD_MAX;

    memcpy(r->decoded + 2 * RECORD_MAX, bytes, length);
    from = r->decoded + 2 * RECORD_MAX;
    if (r->iconv == (iconv_t)-1) {
        if (!text_is_utf8(from, length))
            return NULL;
        *ret_length = length;
        return from;
    }
    iconv(r->iconv, NULL, NULL, NULL, NULL);
    if (iconv(r->iconv, &from, &left, &to, &room) == (size_t)-1)
        return NULL;
    *ret_length = 2 * RECORD_MAX - room;
    return r->decoded;
}

static const char *encoding_fault(const struct spool_reader *r)
{
    return r->iconv == (iconv_t)-1
               ? "is not UTF-8: save the file as UTF-8, or set encoding = \"gb18030\""
               : "is not GB18030: set encoding = \"utf-8\"";
}

/* --- CSV: the header */

static bool cell_is(const struct csv_cell *cell, const char *name)
{
    size_t length = cell->length;
    const char *text = cell->text;

    while (length > 0 && text[0] == ' ')
        text++, length--;
    while (length > 0 && text[length - 1] == ' ')
        length--;
    return length == strlen(name) && memcmp(text, name, length) == 0;
}

/* Which column each value of the map stands in. Columns called like our own fields may be missing,
 * those that somebody configured may not: an empty column would go unnoticed for a month. */
static int find_columns(struct spool_reader *r, const struct csv_cell *cells, struct err *err)
{
    const char *const *names;
    size_t count = event_map_inputs(r->format->map, &names), found = 0;

    assert(count <= LENGTH(r->cells_of));
    for (size_t i = 0; i < count; i++) {
        int cell = r->cell_count - 1;

        while (cell >= 0 && !cell_is(&cells[cell], names[i]))
            cell--;
        r->cells_of[i] = cell;
        found += cell >= 0;
        if (cell < 0 && !event_map_is_plain(r->format->map))
            return err_set(err, -EBADMSG,
                           "the header has no column \"%s\": is it the right "
                           "file, and are encoding and delimiter as configured?",
                           names[i]);
    }
    if (found == 0)
        return err_set(err, -EBADMSG,
                       "the header has no column that is called like a field "
                       "(type, at, ticket, ...): rename them, or configure columns");
    return 0;
}

static int parse_header(struct spool_reader *r, const struct csv_extent *extent, struct err *err)
{
    struct csv_cell cells[CSV_CELLS_MAX];
    size_t length;
    char *header = decode(r, r->window + r->start, extent->length, &length);

    if (!header)
        return err_set(err, -EBADMSG, "the header %s", encoding_fault(r));
    r->cell_count = csv_split(header, length, r->format->delimiter, cells);
    if (r->cell_count < 0)
        return err_set(err, -EBADMSG, "the header has %s",
                       r->cell_count == CSV_TOO_MANY ? "more than 256 columns"
                                                     : "text behind a closing quote");
    return find_columns(r, cells, err);
}

static int read_header(struct spool_reader *r, struct err *err)
{
    struct csv_extent extent;
    enum csv_result found;
    int rc;

    do {
        if ((rc = read_more(r, err)) < 0)
            return rc;
        skip_mark(r);
        found = csv_extent(r->window + r->start, r->length - r->start, r->at_end,
                           r->format->delimiter, &extent);
    } while (found == CSV_MORE && r->length < RECORD_MAX);
    if (found == CSV_RECORD && r->length == r->start)
        return err_set(err, -EBADMSG, "the file is empty: not even a header");
    if (found != CSV_RECORD || extent.length > RECORD_MAX)
        return err_set(err, -EBADMSG,
                       "the first line is no header: a quote that never closes, "
                       "or longer than %d bytes",
                       RECORD_MAX);
    rc = parse_header(r, &extent, err);
    if (rc == 0)
        consume(r, extent.consumed, extent.lines);
    return rc;
}

/* --- CSV: rows */

static bool is_blank_row(const struct csv_cell *cells, int count)
{
    for (int i = 0; i < count; i++)
        if (cells[i].length > 0)
            return false;
    return true;
}

/* Cells without a column: a delimiter inside a value moved all that follows it. */
static bool has_stray_cells(const struct spool_reader *r, const struct csv_cell *cells, int count)
{
    return count > r->cell_count && !is_blank_row(cells + r->cell_count, count - r->cell_count);
}

/* Maps one row. As event_map_make. */
static int map_row(const struct spool_reader *r, char *row, size_t length, struct text_buffer *out,
                   char refusal[REFUSAL_SIZE])
{
    struct csv_cell cells[CSV_CELLS_MAX];
    struct event_value values[LENGTH(r->cells_of)] = { 0 };
    const char *const *names;
    size_t inputs = event_map_inputs(r->format->map, &names);
    int count = csv_split(row, length, r->format->delimiter, cells);

    if (count < 0 || has_stray_cells(r, cells, count)) {
        if (count == CSV_AFTER_QUOTE)
            snprintf(refusal, REFUSAL_SIZE, "row: text behind a closing quote");
        else
            snprintf(refusal, REFUSAL_SIZE,
                     "row: more cells than the %d columns of the header: "
                     "quote values that hold the delimiter",
                     r->cell_count);
        return -1;
    }
    if (is_blank_row(cells, count))
        return 0;
    for (size_t i = 0; i < inputs; i++) {
        int cell = r->cells_of[i];

        if (cell >= 0 && cell < count && cells[cell].length > 0)
            values[i] = (struct event_value){ cells[cell].text, cells[cell].length, false };
    }
    return event_map_make(r->format->map, values, out, refusal);
}

/* Adds the events of a row. False: the batch has no room for them. */
static bool add_events(struct lines *lines, const struct text_buffer *events, int count,
                       int64_t number, const char *raw, size_t raw_length)
{
    const char *at = events->bytes;

    if (!lines_have_room(lines, (size_t)count, events->length))
        return false;
    for (int i = 0; i < count; i++) {
        const char *end = strchr(at, '\n');

        lines_add(lines, at, (size_t)(end - at), number, raw, raw_length, NULL);
        at = end + 1;
    }
    return true;
}

static bool add_refusal(struct lines *lines, const char *raw, size_t length, int64_t number,
                        const char *refusal)
{
    if (length > RECORD_MAX)
        length = RECORD_MAX;
    if (!lines_have_room(lines, 1, length))
        return false;
    lines_add(lines, raw, length, number, NULL, 0, refusal);
    return true;
}

static bool add_row(struct spool_reader *r, struct lines *lines, const char *row, size_t length)
{
    char refusal[REFUSAL_SIZE], *raw, *cells;
    int64_t number = r->position.line + 1;
    struct text_buffer events = { 0 };
    size_t raw_length;
    bool added = true;
    int count;

    raw = decode(r, row, length, &raw_length);
    if (!raw) {
        snprintf(refusal, sizeof refusal, "row: %s", encoding_fault(r));
        return add_refusal(lines, row, length, number, refusal);
    }
    cells = mem_strndup(raw, raw_length); /* splitting undoes the quotes in place */
    count = map_row(r, cells, raw_length, &events, refusal);
    if (count < 0)
        added = add_refusal(lines, raw, raw_length, number, refusal);
    else if (events.length > BATCH_BYTES_MAX)
        added = add_refusal(lines, raw, raw_length, number, "row: its events are too long");
    else if (count > 0)
        added = add_events(lines, &events, count, number, raw, raw_length);
    text_buffer_finish(&events);
    free(cells);
    return added;
}

/* --- Both kinds: one record after the other */

static bool is_blank(const char *line, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (line[i] != ' ' && line[i] != '\t' && line[i] != '\r')
            return false;
    return true;
}

static bool add_record(struct spool_reader *r, struct lines *lines, const char *record,
                       size_t length)
{
    if (is_blank(record, length))
        return true;
    if (memchr(record, '\0', length))
        return add_refusal(lines, record, length, r->position.line + 1,
                           "line: holds a NUL: is this a text file in UTF-8?");
    if (r->kind == SPOOL_CSV)
        return add_row(r, lines, record, length);
    if (!lines_have_room(lines, 1, length))
        return false;
    lines_add(lines, record, length, r->position.line + 1, NULL, 0, NULL);
    return true;
}

static enum csv_result next_extent(const struct spool_reader *r, struct csv_extent *ret)
{
    const char *at = r->window + r->start;
    size_t left = r->length - r->start;
    size_t looked = left > RECORD_MAX + 1 ? RECORD_MAX + 1 : left;
    bool at_end = r->at_end && looked == left;

    if (r->kind == SPOOL_CSV)
        return csv_extent(at, looked, at_end, r->format->delimiter, ret);
    return csv_extent_line(at, looked, at_end, ret);
}

/* What never ends within a record's bound: an open quote costs only its first line, so that the
 * rows behind it are read; a line that is itself too long is passed over in pieces. */
static bool add_broken(struct spool_reader *r, struct lines *lines)
{
    const char *at = r->window + r->start;
    size_t left = r->length - r->start;
    struct csv_extent line;

    if (csv_extent_line(at, left > RECORD_MAX ? RECORD_MAX : left, left <= RECORD_MAX, &line) ==
        CSV_RECORD) {
        if (!add_refusal(lines, at, line.length, r->position.line + 1,
                         "row: a quote that never closes"))
            return false;
        consume(r, line.consumed, 1);
        return true;
    }
    if (!add_refusal(lines, at, RECORD_MAX, r->position.line + 1,
                     "line: longer than 65536 bytes; cut here"))
        return false;
    r->in_long_line = true;
    consume(r, RECORD_MAX, 0);
    return true;
}

static void pass_long_line(struct spool_reader *r)
{
    const char *at = r->window + r->start;
    const char *end = memchr(at, '\n', r->length - r->start);

    r->in_long_line = end == NULL;
    consume(r, end ? (size_t)(end - at) + 1 : r->length - r->start, end != NULL);
}

/* Takes what the window holds. 1: the batch is full; 0: more of the file is wanted. */
static int take_records(struct spool_reader *r, struct lines *lines)
{
    while (r->start < r->length) {
        struct csv_extent extent;
        enum csv_result found;

        if (r->in_long_line) {
            pass_long_line(r);
            continue;
        }
        found = next_extent(r, &extent);
        if (found == CSV_MORE && r->length - r->start <= RECORD_MAX)
            return 0;
        if (found != CSV_RECORD || extent.length > RECORD_MAX) {
            if (!add_broken(r, lines))
                return 1;
            continue;
        }
        if (!add_record(r, lines, r->window + r->start, extent.length))
            return 1;
        consume(r, extent.consumed, extent.lines);
    }
    return 0;
}

int spool_reader_fill(struct spool_reader *r, struct lines *lines, struct err *err)
{
    int rc;

    for (;;) {
        if (take_records(r, lines) == 1)
            return 1;
        if (r->at_end && r->start == r->length)
            break;
        if ((rc = read_more(r, err)) < 0)
            return rc;
        skip_mark(r);
    }
    r->at_end = false; /* whoever asks again looks whether the file has grown */
    return 0;
}

/* --- Opening */

static int open_file(struct spool_reader *r, int dir_fd, const char *name, struct err *err)
{
    struct stat st;

    /* Not blocking: something that became a pipe must not hold us. */
    r->fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (r->fd < 0)
        return err_set(err, -errno,
                       errno == EACCES
                           ? "cannot be read: %s: give the daemon's user the right to read it, and "
                             "drop it again"
                           : "cannot be read: %s",
                       strerror(errno));
    if (fstat(r->fd, &st) < 0 || !S_ISREG(st.st_mode))
        return err_set(err, -EBADMSG, "is no ordinary file");
    return 0;
}

int spool_reader_open(struct spool_reader **ret, const struct spool_format *format, int dir_fd,
                      const char *name, struct spool_position from, struct err *err)
{
    struct spool_reader *r = mem_zalloc(sizeof *r);
    int rc;

    r->format = format;
    r->fd = -1;
    r->iconv = (iconv_t)-1;
    r->window = mem_alloc(WINDOW_SIZE);
    r->decoded = mem_alloc(3 * RECORD_MAX);
    if (!spool_kind_of(name, &r->kind))
        r->kind = SPOOL_NDJSON;
    if (r->kind == SPOOL_CSV && format->encoding == ENCODING_GB18030) {
        r->iconv = iconv_open("UTF-8", "GB18030");
        assert(r->iconv != (iconv_t)-1); /* part of the C library */
    }
    rc = open_file(r, dir_fd, name, err);
    if (rc == 0 && r->kind == SPOOL_CSV)
        rc = read_header(r, err);
    if (rc < 0) {
        spool_reader_close(r);
        return rc;
    }
    if (from.offset > r->position.offset) {
        r->position = from;
        r->start = r->length = 0;
        r->at_end = false;
    }
    *ret = r;
    return 0;
}

void spool_reader_close(struct spool_reader *r)
{
    if (!r)
        return;
    if (r->fd >= 0)
        (void)close(r->fd); /* only read from */
    if (r->iconv != (iconv_t)-1)
        (void)iconv_close(r->iconv);
    free(r->window);
    free(r->decoded);
    free(r);
}
