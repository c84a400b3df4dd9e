/* A report before it has a form: headings, lines and tables, with what each cell means. Text, HTML
 * and workbook are three ways of writing one of these, so they cannot say different things. */
#ifndef KPI_REPORT_DOCUMENT_H
#define KPI_REPORT_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

enum { DOCUMENT_COLUMNS_MAX = 16 };

enum tone { TONE_NONE, TONE_GOOD, TONE_BAD, TONE_WARNING };

struct document_column {
    const char *title;      /* borrows until document_finish */
    bool right;             /* numbers */
    bool hide_empty;        /* left out if no row has anything in it */
};

struct document_cell {
    char *text;             /* as people read it */
    enum tone tone;
    bool is_count;          /* `count` is the same as a number */
    int64_t count;
};

enum block_kind { BLOCK_TITLE, BLOCK_HEADING, BLOCK_LINE, BLOCK_TABLE };

struct document_block {
    enum block_kind kind;
    char *text;             /* of all but a table */
    enum tone tone;
    struct document_column columns[DOCUMENT_COLUMNS_MAX];
    size_t column_count;
    struct document_cell *cells;    /* row by row; column_count for each */
    size_t row_count;
    size_t filled;                  /* cells of the last row */
};

/* Zeroed is empty. */
struct document {
    const char *language;   /* "zh", "en" */
    struct document_block *blocks;
    size_t count;
};

void document_finish(struct document *document);

void document_title(struct document *document, const char *text);
void document_heading(struct document *document, const char *text);
/* One line of text under the last heading. */
void document_line(struct document *document, enum tone tone, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Begins a table; rows and cells follow. One without rows is taken back by document_end_table,
 * together with its heading. */
void document_table(struct document *document, const struct document_column *columns,
                    size_t count);
void document_row(struct document *document);
void document_cell(struct document *document, enum tone tone, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A whole number; 0 is an empty cell. */
void document_count(struct document *document, enum tone tone, int64_t count);
void document_end_table(struct document *document);

/* Is the column to be shown? */
bool document_shows(const struct document_block *table, size_t column);
/* Never NULL. */
const struct document_cell *document_cell_at(const struct document_block *table, size_t row,
                                             size_t column);

#endif
