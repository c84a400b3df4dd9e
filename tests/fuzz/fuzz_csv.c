/* Fuzzes CSV as the spool reads it: extents until the end, then cells. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void split(const char *bytes, size_t length)
{
    struct csv_cell cells[CSV_CELLS_MAX];
    char *record = malloc(length + 1);
    int count;

    assert(record);
    memcpy(record, bytes, length);
    count = csv_split(record, length, ',', cells);
    for (int i = 0; i < count; i++)
        assert(cells[i].text >= record && cells[i].text + cells[i].length <= record + length + 1);
    free(record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    size_t at = 0;

    assert(text);
    memcpy(text, data, size);
    while (at < size) {
        struct csv_extent extent;

        if (csv_extent(text + at, size - at, true, ',', &extent) != CSV_RECORD)
            assert(csv_extent_line(text + at, size - at, true, &extent) == CSV_RECORD);
        assert(extent.consumed > 0 && extent.length <= extent.consumed && extent.lines > 0);
        split(text + at, extent.length);
        at += extent.consumed;
    }
    free(text);
    return 0;
}
