/* Tables for people. Cells are kept as text; widths are found when the table is drawn: each column
 * takes its widest cell, columns without content may vanish, and if the sum is more than the
 * terminal has, the flexible columns give way, the widest first. What still does not fit is cut
 * at the terminal's edge: a line that wraps is harder to read than one that ends early. */
#include "table.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/mem.h"

enum { FLEXIBLE_MIN = 8 };

struct cell {
    char *text;
    enum colour colour;
};

struct row {
    struct cell cells[TABLE_COLUMNS_MAX];
    size_t count;
};

struct table {
    struct column columns[TABLE_COLUMNS_MAX];
    size_t column_count;
    struct row *rows;
    size_t row_count;
};

static size_t terminal_width(int fd)
{
    const char *columns = getenv("COLUMNS");
    struct winsize size;
    long said;

    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    said = columns ? strtol(columns, NULL, 10) : 0;
    return said > 0 && said < 10000 ? (size_t)said : 80;
}

struct look look_of(FILE *file)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    struct look look = { 0 };

    if (!isatty(fileno(file)))
        return look;
    look.width = terminal_width(fileno(file));
    look.colour = (!no_color || no_color[0] == '\0') && term && strcmp(term, "dumb") != 0;
    return look;
}

char *text_for_terminal(const char *text)
{
    char *copy = mem_strdup(text);

    for (char *p = copy; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = ' ';
    return copy;
}

void colour_add(struct text_buffer *to, const struct look *look, enum colour colour,
                const char *text)
{
    static const char *const codes[] = {
        [COLOUR_NONE] = "", [COLOUR_GOOD] = "\033[32m", [COLOUR_BAD] = "\033[31m",
        [COLOUR_WARNING] = "\033[33m", [COLOUR_DIM] = "\033[2m", [COLOUR_BOLD] = "\033[1m",
        [COLOUR_ON_GOOD] = "\033[1;30;42m", [COLOUR_ON_BAD] = "\033[1;97;41m",
        [COLOUR_ON_WARNING] = "\033[1;30;43m", [COLOUR_ON_PLAIN] = "\033[1;7m",
    };

    if (!look->colour || colour == COLOUR_NONE || text[0] == '\0') {
        text_buffer_adds(to, text);
        return;
    }
    text_buffer_adds(to, codes[colour]);
    text_buffer_adds(to, text);
    text_buffer_adds(to, "\033[0m");
}

struct table *table_create(const struct column *columns, size_t count)
{
    struct table *table = mem_zalloc(sizeof *table);

    assert(count > 0 && count <= TABLE_COLUMNS_MAX);
    memcpy(table->columns, columns, count * sizeof *columns);
    table->column_count = count;
    return table;
}

void table_destroy(struct table *table)
{
    if (!table)
        return;
    for (size_t i = 0; i < table->row_count; i++)
        for (size_t c = 0; c < table->rows[i].count; c++)
            free(table->rows[i].cells[c].text);
    free(table->rows);
    free(table);
}

void table_row(struct table *table)
{
    table->rows = mem_realloc_array(table->rows, table->row_count + 1, sizeof *table->rows);
    table->rows[table->row_count++] = (struct row){ 0 };
}

void table_cell(struct table *table, enum colour colour, const char *text)
{
    struct row *row = &table->rows[table->row_count - 1];

    assert(table->row_count > 0 && row->count < table->column_count);
    row->cells[row->count++] = (struct cell){ .text = text_for_terminal(text), .colour = colour };
}

void table_cellf(struct table *table, enum colour colour, const char *format, ...)
{
    char text[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    table_cell(table, colour, text);
}

size_t table_length(const struct table *table)
{
    return table->row_count;
}

/* The width of each column as it would like to be; 0: not shown. */
static void natural_widths(const struct table *table, size_t widths[TABLE_COLUMNS_MAX])
{
    for (size_t c = 0; c < table->column_count; c++) {
        size_t widest = 0;

        for (size_t i = 0; i < table->row_count; i++) {
            const struct row *row = &table->rows[i];
            size_t width = c < row->count ? text_width(row->cells[c].text) : 0;

            widest = width > widest ? width : widest;
        }
        if (widest == 0 && table->columns[c].hide_empty) {
            widths[c] = 0;
            continue;
        }
        widths[c] = text_width(table->columns[c].title);
        widths[c] = widest > widths[c] ? widest : widths[c];
        widths[c] = widths[c] ? widths[c] : 1;
    }
}

static size_t gap_before(const struct column *column)
{
    return column->tight ? 1 : 2;
}

static size_t total_width(const struct table *table, const size_t *widths)
{
    size_t total = 0;

    for (size_t c = 0; c < table->column_count; c++)
        if (widths[c] > 0)
            total += widths[c] + (total ? gap_before(&table->columns[c]) : 0);
    return total;
}

/* Takes columns from the widest flexible one until the table fits or none can give more. */
static void fit(const struct table *table, size_t width, size_t widths[TABLE_COLUMNS_MAX])
{
    while (total_width(table, widths) > width) {
        size_t widest = TABLE_COLUMNS_MAX;

        for (size_t c = 0; c < table->column_count; c++)
            if (table->columns[c].flexible && widths[c] > FLEXIBLE_MIN
                && (widest == TABLE_COLUMNS_MAX || widths[c] > widths[widest]))
                widest = c;
        if (widest == TABLE_COLUMNS_MAX)
            return;
        widths[widest]--;
    }
}

static void add_blanks(struct text_buffer *to, size_t count)
{
    while (count-- > 0)
        text_buffer_add(to, " ", 1);
}

/* `text` cut to `width` columns, with an ellipsis if anything was lost. Gives. */
static char *cut(const char *text, size_t width)
{
    if (text_width(text) <= width)
        return mem_strdup(text);
    if (width == 0)
        return mem_strdup("");
    return mem_printf("%.*s…", (int)text_prefix(text, width - 1), text);
}

/* A line being drawn: blanks wait until something follows them. */
struct line {
    size_t column;          /* where the last cell ended */
    size_t blanks;
    size_t limit;           /* of the terminal; SIZE_MAX: none */
};

static void draw_cell(struct text_buffer *to, const struct look *look, struct line *line,
                      const struct column *column, size_t width, const char *text,
                      enum colour colour)
{
    size_t gap = line->column > 0 ? gap_before(column) : 0;
    size_t begin = line->column + gap;
    size_t room = begin < line->limit ? line->limit - begin : 0;
    size_t drawn = width < room ? width : room;
    char *shown = cut(text, drawn);
    size_t pad = drawn - text_width(shown);

    line->column = begin + width;
    line->blanks += gap + (column->right ? pad : 0);
    if (shown[0] != '\0') {
        add_blanks(to, line->blanks);
        colour_add(to, look, colour, shown);
        line->blanks = 0;
    }
    line->blanks += column->right ? 0 : pad;
    free(shown);
}

void table_draw(const struct table *table, const struct look *look, struct text_buffer *to)
{
    size_t widths[TABLE_COLUMNS_MAX] = { 0 };
    size_t limit = look->width ? look->width : (size_t)-1;
    struct line line = { .limit = limit };

    natural_widths(table, widths);
    fit(table, limit, widths);

    for (size_t c = 0; c < table->column_count; c++)
        if (widths[c] > 0)
            draw_cell(to, look, &line, &table->columns[c], widths[c], table->columns[c].title,
                      COLOUR_BOLD);
    text_buffer_add(to, "\n", 1);

    for (size_t i = 0; i < table->row_count; i++) {
        const struct row *row = &table->rows[i];

        line = (struct line){ .limit = limit };
        for (size_t c = 0; c < row->count; c++)
            if (widths[c] > 0)
                draw_cell(to, look, &line, &table->columns[c], widths[c], row->cells[c].text,
                          row->cells[c].colour);
        text_buffer_add(to, "\n", 1);
    }
}

void table_print(const struct table *table, const struct look *look, FILE *file)
{
    struct text_buffer to = { 0 };

    table_draw(table, look, &to);
    /* A failed write shows in ferror(file), which main looks at once, at the end. */
    (void)fwrite(to.bytes, 1, to.length, file);
    text_buffer_finish(&to);
}
