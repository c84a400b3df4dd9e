/* The report as text, for a terminal or a mail: headings underlined, columns aligned by what a
 * terminal makes of Chinese. */
#include <string.h>

#include "document.h"
#include "report.h"
#include "tools/kpictl/table.h"

static const struct look plain = { 0 };

static void add_heading(struct text_buffer *to, const char *text)
{
    text_buffer_addf(to, "\n%s\n", text);
    for (size_t i = 0; i < text_width(text); i++)
        text_buffer_adds(to, "-");
    text_buffer_adds(to, "\n");
}

static void add_table(struct text_buffer *to, const struct document_block *block)
{
    struct column columns[DOCUMENT_COLUMNS_MAX] = { 0 };
    struct text_buffer lines = { 0 };
    struct table *table;
    bool titled = false;

    for (size_t i = 0; i < block->column_count; i++) {
        columns[i] = (struct column){ .title = block->columns[i].title,
                                      .right = block->columns[i].right,
                                      .hide_empty = block->columns[i].hide_empty };
        titled = titled || block->columns[i].title[0];
    }
    table = table_create(columns, block->column_count);
    for (size_t row = 0; row < block->row_count; row++) {
        table_row(table);
        for (size_t i = 0; i < block->column_count; i++)
            table_cell(table, COLOUR_NONE, document_cell_at(block, row, i)->text);
    }
    table_draw(table, &plain, &lines);
    table_destroy(table);
    /* Behind the line of titles, where it is empty. */
    text_buffer_adds(to, titled ? lines.bytes : lines.bytes + 1);
    text_buffer_finish(&lines);
}

void report_as_text(const struct week_data *data, const struct report_options *options,
                    struct text_buffer *to)
{
    struct document document = { 0 };

    report_content(data, options, &document);
    for (size_t i = 0; i < document.count; i++) {
        const struct document_block *block = &document.blocks[i];

        switch (block->kind) {
        case BLOCK_HEADING:
            add_heading(to, block->text);
            break;
        case BLOCK_TITLE:
        case BLOCK_LINE:
            text_buffer_addf(to, "%s\n", block->text);
            break;
        case BLOCK_TABLE:
            add_table(to, block);
            break;
        }
    }
    document_finish(&document);
}
