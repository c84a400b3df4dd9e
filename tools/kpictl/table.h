/* Tables for people: columns aligned by what a terminal makes of the text (a Chinese character
 * takes two columns), cut to the terminal's width, coloured only where somebody looks. */
#ifndef KPICTL_TABLE_H
#define KPICTL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/text.h"

enum { TABLE_COLUMNS_MAX = 16 };

/* A copy in which control characters are blanks, so that what came from outside cannot move the
 * cursor or rename the window. Gives. */
char *text_for_terminal(const char *text);

enum colour {
    COLOUR_NONE, COLOUR_GOOD, COLOUR_BAD, COLOUR_WARNING, COLOUR_DIM, COLOUR_BOLD,
    /* The ground coloured, for what is read from afar. */
    COLOUR_ON_GOOD, COLOUR_ON_BAD, COLOUR_ON_WARNING, COLOUR_ON_PLAIN,
};

/* How output is to look. */
struct look {
    size_t width;       /* columns of the terminal; 0: no limit (a file or a pipe) */
    bool colour;
};

/* What fits `file`: a terminal's width, and colour unless NO_COLOR is set or TERM is "dumb". */
struct look look_of(FILE *file);

/* Appends `text` in that colour, plain if the look has none. */
void colour_add(struct text_buffer *to, const struct look *look, enum colour colour,
                const char *text);

struct column {
    const char *title;
    bool right;             /* numbers */
    bool flexible;          /* may be cut, with an ellipsis, when the terminal is too narrow */
    bool hide_empty;        /* left out if no row has anything in it */
    bool tight;             /* one blank before it instead of two: it belongs to its neighbour */
};

struct table;

/* Copies the columns; borrows their titles until destroyed. */
struct table *table_create(const struct column *columns, size_t count);
void table_destroy(struct table *table);

/* Begins a row; the cells follow from left to right. Missing ones are empty. */
void table_row(struct table *table);
/* Copies `text`; control characters become blanks, so that no value moves the cursor. */
void table_cell(struct table *table, enum colour colour, const char *text);
void table_cellf(struct table *table, enum colour colour, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
size_t table_length(const struct table *table);

/* Appends the title line, then each row, each with its newline and without blanks at its end. */
void table_draw(const struct table *table, const struct look *look, struct text_buffer *to);
void table_print(const struct table *table, const struct look *look, FILE *file);

#endif
