/* CSV by RFC 4180, in two steps that need no memory of their own: where a record ends, and what
 * its cells are. Accepts LF, CRLF and a last line without either. Any thread. */
#ifndef KPID_DRIVERS_CSV_H
#define KPID_DRIVERS_CSV_H

#include <stdbool.h>
#include <stddef.h>

enum csv_result {
    CSV_RECORD,     /* one whole record */
    CSV_MORE,       /* the record goes on past what there is */
    CSV_OPEN_QUOTE, /* the end of the file, inside of quotes */
};

struct csv_extent {
    size_t length;   /* of the record, without its line end */
    size_t consumed; /* with it */
    size_t lines;    /* that it takes in the file, 1 or more */
};

/* Finds the end of the first record. Works on the bytes as they are in the file: neither a quote
 * nor a comma, semicolon, tab or line end is part of a longer character in UTF-8 or GB18030.
 * `at_end`: nothing follows what there is. `ret` is filled for CSV_RECORD. */
enum csv_result csv_extent(const char *bytes, size_t length, bool at_end, char delimiter,
                           struct csv_extent *ret);

/* The first line alone, whatever its quotes say: to go on behind a quote that never closes. */
enum csv_result csv_extent_line(const char *bytes, size_t length, bool at_end,
                                struct csv_extent *ret);

struct csv_cell {
    char *text; /* not NUL-terminated; lies within the record */
    size_t length;
};

enum { CSV_CELLS_MAX = 256, CSV_TOO_MANY = -1, CSV_AFTER_QUOTE = -2 };

/* Splits one record, undoing the quotes in place. Returns the number of cells, CSV_TOO_MANY, or
 * CSV_AFTER_QUOTE if text follows a closing quote. */
int csv_split(char *record, size_t length, char delimiter, struct csv_cell cells[CSV_CELLS_MAX]);

#endif
