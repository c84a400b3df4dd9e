/* The report as one page of HTML that needs nothing beside it: no script, no font, no picture. It
 * prints on A4, reads in the dark, and is narrow enough for a telephone, where tables scroll. */
#include <string.h>

#include "document.h"
#include "report.h"

static const char style[] =
    ":root{color-scheme:light dark}"
    "body{font:15px/1.5 system-ui,\"Noto Sans CJK SC\",\"WenQuanYi Zen Hei\",\"Microsoft YaHei\","
    "sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}"
    "h1{font-size:1.5rem;margin:0 0 .25rem}"
    "h2{font-size:1.1rem;margin:1.75rem 0 .5rem;border-bottom:1px solid #8886}"
    "p{margin:.15rem 0}"
    ".table{overflow-x:auto}"
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums}"
    "th,td{padding:.2rem .75rem .2rem 0;text-align:left;vertical-align:top;max-width:32rem}"
    "th{font-weight:600;border-bottom:1px solid #8886}"
    "tr+tr td{border-top:1px solid #8883}"
    "th,.right{white-space:nowrap}.right{text-align:right}"
    ".good{color:#0a7d36}.bad{color:#c0182b;font-weight:600}.warning{color:#9a5b00}"
    "@media(prefers-color-scheme:dark){.good{color:#5fd38d}.bad{color:#ff7b86}"
    ".warning{color:#f0b35a}}"
    "@media print{body{margin:0;font-size:10pt;max-width:none}"
    "h2{break-after:avoid}tr{break-inside:avoid}.table{overflow:visible}"
    "th,td{white-space:normal}@page{size:A4 landscape;margin:12mm}}";

static const char *const tones[] = {
    [TONE_NONE] = "", [TONE_GOOD] = "good", [TONE_BAD] = "bad", [TONE_WARNING] = "warning",
};

static void add_escaped(struct text_buffer *to, const char *text)
{
    static const struct {
        char character;
        const char *entity;
    } table[] = { { '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" }, { '"', "&quot;" } };

    while (*text) {
        size_t length = strcspn(text, "&<>\"");

        text_buffer_add(to, text, length);
        text += length;
        for (size_t i = 0; *text && i < sizeof table / sizeof table[0]; i++)
            if (table[i].character == *text) {
                text_buffer_adds(to, table[i].entity);
                text++;
                break;
            }
    }
}

/* <NAME class="...">TEXT</NAME> */
static void add_element(struct text_buffer *to, const char *name, bool right, enum tone tone,
                        const char *text)
{
    text_buffer_addf(to, "<%s", name);
    if (right || tone != TONE_NONE)
        text_buffer_addf(to, " class=\"%s%s%s\"", right ? "right" : "",
                         right && tone != TONE_NONE ? " " : "", tones[tone]);
    text_buffer_adds(to, ">");
    add_escaped(to, text);
    text_buffer_addf(to, "</%s>", name);
}

static bool has_titles(const struct document_block *table)
{
    for (size_t i = 0; i < table->column_count; i++)
        if (table->columns[i].title[0])
            return true;
    return false;
}

static void add_table(struct text_buffer *to, const struct document_block *table)
{
    text_buffer_adds(to, "<div class=\"table\"><table>\n");
    if (has_titles(table)) {
        text_buffer_adds(to, "<thead><tr>");
        for (size_t i = 0; i < table->column_count; i++)
            if (document_shows(table, i))
                add_element(to, "th", table->columns[i].right, TONE_NONE, table->columns[i].title);
        text_buffer_adds(to, "</tr></thead>\n");
    }
    text_buffer_adds(to, "<tbody>\n");
    for (size_t row = 0; row < table->row_count; row++) {
        text_buffer_adds(to, "<tr>");
        for (size_t i = 0; i < table->column_count; i++) {
            const struct document_cell *cell = document_cell_at(table, row, i);

            if (document_shows(table, i))
                add_element(to, "td", table->columns[i].right, cell->tone, cell->text);
        }
        text_buffer_adds(to, "</tr>\n");
    }
    text_buffer_adds(to, "</tbody></table></div>\n");
}

static void add_block(struct text_buffer *to, const struct document_block *block)
{
    static const char *const names[] = {
        [BLOCK_TITLE] = "h1", [BLOCK_HEADING] = "h2", [BLOCK_LINE] = "p",
    };

    if (block->kind == BLOCK_TABLE) {
        add_table(to, block);
        return;
    }
    add_element(to, names[block->kind], false, block->tone, block->text);
    text_buffer_adds(to, "\n");
}

void report_as_html(const struct week_data *data, const struct report_options *options,
                    struct text_buffer *to)
{
    struct document document = { 0 };

    report_content(data, options, &document);
    text_buffer_addf(to, "<!doctype html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n"
                     "<meta name=\"viewport\" content=\"width=device-width\">\n<title>",
                     document.language);
    add_escaped(to, document.blocks[0].text);
    text_buffer_addf(to, "</title>\n<style>%s</style>\n</head>\n<body>\n", style);
    for (size_t i = 0; i < document.count; i++)
        add_block(to, &document.blocks[i]);
    text_buffer_adds(to, "</body>\n</html>\n");
    document_finish(&document);
}
