/* A report as a list of blocks. */
#include "document.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void finish_block(struct document_block *block)
{
    for (size_t i = 0; i < block->row_count * block->column_count; i++)
        free(block->cells[i].text);
    free(block->cells);
    free(block->text);
}

void document_finish(struct document *document)
{
    for (size_t i = 0; i < document->count; i++)
        finish_block(&document->blocks[i]);
    free(document->blocks);
    *document = (struct document){ 0 };
}

static struct document_block *add_block(struct document *document, enum block_kind kind)
{
    struct document_block *block;

    document->blocks = mem_realloc_array(document->blocks, document->count + 1,
                                         sizeof *document->blocks);
    block = &document->blocks[document->count++];
    *block = (struct document_block){ .kind = kind };
    return block;
}

void document_title(struct document *document, const char *text)
{
    add_block(document, BLOCK_TITLE)->text = mem_strdup(text);
}

void document_heading(struct document *document, const char *text)
{
    add_block(document, BLOCK_HEADING)->text = mem_strdup(text);
}

__attribute__((format(printf, 1, 0))) static char *print(const char *format, va_list arguments)
{
    va_list again;
    char *text;
    int length;

    va_copy(again, arguments);
    length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    assert(length >= 0);
    text = mem_alloc((size_t)length + 1);
    (void)vsnprintf(text, (size_t)length + 1, format, arguments);
    return text;
}

void document_line(struct document *document, enum tone tone, const char *format, ...)
{
    struct document_block *block = add_block(document, BLOCK_LINE);
    va_list arguments;

    va_start(arguments, format);
    block->text = print(format, arguments);
    va_end(arguments);
    block->tone = tone;
}

void document_table(struct document *document, const struct document_column *columns, size_t count)
{
    struct document_block *block = add_block(document, BLOCK_TABLE);

    assert(count > 0 && count <= DOCUMENT_COLUMNS_MAX);
    memcpy(block->columns, columns, count * sizeof *columns);
    block->column_count = count;
}

static struct document_block *table_of(struct document *document)
{
    struct document_block *block = &document->blocks[document->count - 1];

    assert(document->count > 0 && block->kind == BLOCK_TABLE);
    return block;
}

void document_row(struct document *document)
{
    struct document_block *table = table_of(document);
    size_t columns = table->column_count;

    table->cells = mem_realloc_array(table->cells, (table->row_count + 1) * columns,
                                     sizeof *table->cells);
    memset(&table->cells[table->row_count * columns], 0, columns * sizeof *table->cells);
    table->row_count++;
    table->filled = 0;
}

static struct document_cell *next_cell(struct document *document)
{
    struct document_block *table = table_of(document);

    assert(table->row_count > 0 && table->filled < table->column_count);
    return &table->cells[(table->row_count - 1) * table->column_count + table->filled++];
}

void document_cell(struct document *document, enum tone tone, const char *format, ...)
{
    struct document_cell *cell = next_cell(document);
    va_list arguments;

    va_start(arguments, format);
    cell->text = print(format, arguments);
    va_end(arguments);
    cell->tone = tone;
}

void document_count(struct document *document, enum tone tone, int64_t count)
{
    struct document_cell *cell = next_cell(document);

    if (count == 0)
        return;
    *cell = (struct document_cell){ .text = mem_printf("%" PRId64, count), .tone = tone,
                                    .is_count = true, .count = count };
}

void document_end_table(struct document *document)
{
    if (table_of(document)->row_count > 0)
        return;
    finish_block(&document->blocks[--document->count]);
    if (document->count > 0 && document->blocks[document->count - 1].kind == BLOCK_HEADING)
        finish_block(&document->blocks[--document->count]);
}

const struct document_cell *document_cell_at(const struct document_block *table, size_t row,
                                             size_t column)
{
    static char empty[] = "";
    static const struct document_cell none = { .text = empty };
    const struct document_cell *cell = &table->cells[row * table->column_count + column];

    return cell->text ? cell : &none;
}

bool document_shows(const struct document_block *table, size_t column)
{
    if (!table->columns[column].hide_empty)
        return true;
    for (size_t row = 0; row < table->row_count; row++)
        if (document_cell_at(table, row, column)->text[0])
            return true;
    return false;
}
