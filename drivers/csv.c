/* CSV by RFC 4180; see csv.h. */
#include "csv.h"

#include <string.h>

/* The record's length without the CR of a CRLF. */
static size_t without_cr(const char *bytes, size_t length)
{
    return length > 0 && bytes[length - 1] == '\r' ? length - 1 : length;
}

enum csv_result csv_extent(const char *bytes, size_t length, bool at_end, char delimiter,
                           struct csv_extent *ret)
{
    bool quoted = false; /* inside of quotes */
    bool cell_begins = true;
    bool is_quoted_cell = false; /* the cell began with a quote: only there quotes count */
    size_t lines = 1;

    for (size_t i = 0; i < length; i++) {
        char c = bytes[i];

        if (quoted) {
            /* A doubled quote closes and opens again: the same to us. */
            quoted = c != '"';
            lines += c == '\n';
            continue;
        }
        if (c == '\n') {
            *ret = (struct csv_extent){ without_cr(bytes, i), i + 1, lines };
            return CSV_RECORD;
        }
        /* Only a quote that begins a cell is one; 5" in the middle is a length. */
        is_quoted_cell = cell_begins ? c == '"' : is_quoted_cell;
        quoted = is_quoted_cell && c == '"';
        cell_begins = c == delimiter;
    }
    if (!at_end)
        return CSV_MORE;
    if (quoted)
        return CSV_OPEN_QUOTE;
    *ret = (struct csv_extent){ without_cr(bytes, length), length, lines };
    return CSV_RECORD;
}

enum csv_result csv_extent_line(const char *bytes, size_t length, bool at_end,
                                struct csv_extent *ret)
{
    const char *end = length > 0 ? memchr(bytes, '\n', length) : NULL;
    size_t line = end ? (size_t)(end - bytes) : length;

    if (!end && !at_end)
        return CSV_MORE;
    *ret = (struct csv_extent){ without_cr(bytes, line), end ? line + 1 : line, 1 };
    return CSV_RECORD;
}

struct cursor {
    char *at, *end;
};

/* Undoes the quotes of one cell in place; `at` is left behind the closing one. */
static struct csv_cell take_quoted(struct cursor *c)
{
    struct csv_cell cell = { ++c->at, 0 };
    char *to = cell.text;

    while (c->at < c->end) {
        if (*c->at == '"') {
            if (c->at + 1 == c->end || c->at[1] != '"') {
                c->at++;
                break;
            }
            c->at++;
        }
        *to++ = *c->at++;
    }
    cell.length = (size_t)(to - cell.text);
    return cell;
}

static struct csv_cell take_plain(struct cursor *c, char delimiter)
{
    struct csv_cell cell = { c->at, 0 };

    while (c->at < c->end && *c->at != delimiter)
        c->at++;
    cell.length = (size_t)(c->at - cell.text);
    return cell;
}

int csv_split(char *record, size_t length, char delimiter, struct csv_cell cells[CSV_CELLS_MAX])
{
    struct cursor c = { record, record + length };
    int count = 0;

    for (;;) {
        if (count == CSV_CELLS_MAX)
            return CSV_TOO_MANY;
        cells[count++] = c.at < c.end && *c.at == '"' ? take_quoted(&c) : take_plain(&c, delimiter);
        if (c.at == c.end)
            return count;
        if (*c.at != delimiter)
            return CSV_AFTER_QUOTE;
        c.at++;
    }
}
