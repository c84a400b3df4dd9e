/* The report as a workbook: the page as people see it, and a sheet with one row for each fact in
 * every scope, whose numbers are numbers.
 *
 * libxlsxwriter writes files alone, so it writes one that nobody else sees, which is read back. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <xlsxwriter.h>

#include "base/mem.h"
#include "document.h"
#include "report.h"

struct book {
    lxw_workbook *workbook;
    lxw_format *title, *heading, *column, *tones[4], *percent;
};

static lxw_format *bold(struct book *book, double size)
{
    lxw_format *format = workbook_add_format(book->workbook);

    format_set_bold(format);
    format_set_font_size(format, size);
    return format;
}

static void add_formats(struct book *book)
{
    static const lxw_color_t colours[] = { [TONE_GOOD] = 0x0A7D36, [TONE_BAD] = 0xC0182B,
                                           [TONE_WARNING] = 0x9A5B00 };

    book->title = bold(book, 16);
    book->heading = bold(book, 13);
    book->column = bold(book, 11);
    format_set_bottom(book->column, LXW_BORDER_THIN);
    for (size_t i = TONE_GOOD; i < LENGTH(colours); i++) {
        book->tones[i] = workbook_add_format(book->workbook);
        format_set_font_color(book->tones[i], colours[i]);
    }
    book->percent = workbook_add_format(book->workbook);
    format_set_num_format(book->percent, "0.00%");
}

/* --- The page */

static lxw_row_t write_table(struct book *book, lxw_worksheet *sheet, lxw_row_t at,
                             const struct document_block *table)
{
    lxw_col_t column = 0;

    for (size_t i = 0; i < table->column_count; i++) {
        if (!document_shows(table, i))
            continue;
        worksheet_write_string(sheet, at, column, table->columns[i].title, book->column);
        for (size_t row = 0; row < table->row_count; row++) {
            const struct document_cell *cell = document_cell_at(table, row, i);
            lxw_row_t place = at + 1 + (lxw_row_t)row;

            if (cell->is_count)
                worksheet_write_number(sheet, place, column, (double)cell->count,
                                       book->tones[cell->tone]);
            else
                worksheet_write_string(sheet, place, column, cell->text, book->tones[cell->tone]);
        }
        column++;
    }
    return at + 1 + (lxw_row_t)table->row_count;
}

static void write_page(struct book *book, const struct document *document, const char *name)
{
    lxw_worksheet *sheet = workbook_add_worksheet(book->workbook, name);
    lxw_row_t at = 0;

    for (size_t i = 0; i < document->count; i++) {
        const struct document_block *block = &document->blocks[i];

        if (block->kind == BLOCK_TABLE) {
            at = write_table(book, sheet, at, block);
            continue;
        }
        at += block->kind == BLOCK_HEADING ? 1 : 0;
        worksheet_write_string(sheet, at++, 0, block->text,
                               block->kind == BLOCK_TITLE     ? book->title
                               : block->kind == BLOCK_HEADING ? book->heading
                                                              : book->tones[block->tone]);
    }
    worksheet_set_column(sheet, 0, 0, 26, NULL);
    worksheet_set_column(sheet, 1, DOCUMENT_COLUMNS_MAX, 14, NULL);
    worksheet_set_landscape(sheet);
    worksheet_set_paper(sheet, 9);      /* A4 */
    worksheet_fit_to_pages(sheet, 1, 0);
}

/* --- The facts */

static void write_share(struct book *book, lxw_worksheet *sheet, lxw_row_t row, lxw_col_t column,
                        int64_t value, double parts)
{
    if (value >= 0)
        worksheet_write_number(sheet, row, column, (double)value / parts, book->percent);
}

static void write_fact(struct book *book, lxw_worksheet *sheet, lxw_row_t row,
                       const struct week_data *data, const struct week_fact *fact,
                       enum language language)
{
    const struct week_kpi *kpi = &data->kpis[fact->kpi];
    const char *texts[] = { data->week, word_for(language, fact->scope_kind), fact->scope_id,
                            report_kpi_name(kpi, language) };
    const int64_t counts[] = { fact->numerator, fact->denominator, fact->excluded, fact->pending,
                               fact->shortfall };
    lxw_col_t column = 0;

    for (size_t i = 0; i < LENGTH(texts); i++)
        worksheet_write_string(sheet, row, column++, texts[i], NULL);
    for (size_t i = 0; i < LENGTH(counts); i++)
        worksheet_write_number(sheet, row, column++, (double)counts[i], NULL);
    write_share(book, sheet, row, column++, fact->rate_e6, 1e6);
    write_share(book, sheet, row, column++, fact->target_e4, 1e4);
    worksheet_write_string(sheet, row, column++, word_for(language, fact->verdict), NULL);
    write_share(book, sheet, row, column++, fact->coverage_e4, 1e4);
    worksheet_write_string(sheet, row, column++, word_for(language, fact->state), NULL);
    worksheet_write_number(sheet, row, column, (double)fact->revision, NULL);
}

static void write_facts(struct book *book, const struct week_data *data, enum language language)
{
    static const enum word titles[] = {
        WORD_CSV_WEEK, WORD_CSV_SCOPE_KIND, WORD_CSV_SCOPE, WORD_CSV_NAME, WORD_CSV_NUMERATOR,
        WORD_CSV_DENOMINATOR, WORD_EXCLUDED, WORD_PENDING, WORD_SHORTFALL, WORD_RATE, WORD_TARGET,
        WORD_VERDICT, WORD_CSV_COVERAGE, WORD_CSV_STATE, WORD_CSV_REVISION,
    };
    lxw_worksheet *sheet =
        workbook_add_worksheet(book->workbook, word_of(language, WORD_SHEET_FACTS));

    for (size_t i = 0; i < LENGTH(titles); i++)
        worksheet_write_string(sheet, 0, (lxw_col_t)i, word_of(language, titles[i]), book->column);
    for (size_t i = 0; i < data->fact_count; i++)
        write_fact(book, sheet, (lxw_row_t)i + 1, data, &data->facts[i], language);
    worksheet_freeze_panes(sheet, 1, 0);
    worksheet_autofilter(sheet, 0, 0, (lxw_row_t)data->fact_count, LENGTH(titles) - 1);
    worksheet_set_column(sheet, 0, LENGTH(titles) - 1, 14, NULL);
}

/* --- The file */

static int read_back(const char *path, struct text_buffer *to)
{
    FILE *file = fopen(path, "re");
    char bytes[8192];
    size_t length;
    bool well;

    if (!file)
        return -errno;
    while ((length = fread(bytes, 1, sizeof bytes, file)) > 0)
        text_buffer_add(to, bytes, length);
    well = !ferror(file);
    (void)fclose(file);     /* only read from: nothing can be lost */
    return well ? 0 : -EIO;
}

/* Writes the workbook, and takes it apart. */
static int write_book(const char *path, const struct week_data *data,
                      const struct report_options *options)
{
    struct document document = { 0 };
    struct book book = { .workbook = workbook_new(path) };
    lxw_error rc;

    if (!book.workbook)
        return -ENOMEM;
    add_formats(&book);
    report_content(data, options, &document);
    write_page(&book, &document, word_of(options->language, WORD_SHEET_PAGE));
    write_facts(&book, data, options->language);
    document_finish(&document);
    rc = workbook_close(book.workbook);
    return rc == LXW_NO_ERROR ? 0 : -EIO;
}

int report_as_xlsx(const struct week_data *data, const struct report_options *options,
                   struct text_buffer *to, struct err *err)
{
    const char *folder = getenv("TMPDIR");
    char *path = mem_printf("%s/kpi-report-XXXXXX", folder && folder[0] ? folder : "/tmp");
    int fd = mkstemp(path), rc = fd < 0 ? -errno : 0;

    if (rc == 0) {
        (void)close(fd);        /* only its name is wanted */
        rc = write_book(path, data, options);
        if (rc == 0)
            rc = read_back(path, to);
        (void)unlink(path);     /* a left-over in a folder for such harms nobody */
    }
    if (rc < 0)
        err_set(err, rc, "%s cannot be written: %s", path, strerror(-rc));
    free(path);
    return rc;
}
