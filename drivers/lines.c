/* A growing batch; see lines.h. */
#include "lines.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void grow(struct lines *lines)
{
    lines->capacity = lines->capacity ? lines->capacity * 2 : 16;
    lines->items = mem_realloc_array(lines->items, lines->capacity, sizeof *lines->items);
    lines->extras = mem_realloc_array(lines->extras, lines->capacity, sizeof *lines->extras);
}

/* Bytes as they are: a stranger's line may hold a NUL. */
static char *copy(const char *bytes, size_t length)
{
    char *to = mem_alloc(length + 1);

    if (length > 0)
        memcpy(to, bytes, length);
    to[length] = '\0';
    return to;
}

void lines_add(struct lines *lines, const char *bytes, size_t length, int64_t number,
               const char *raw, size_t raw_length, const char *refusal)
{
    struct line_extra extra = {
        .raw = raw ? copy(raw, raw_length) : NULL,
        .raw_length = raw_length,
        .refusal = refusal ? mem_strdup(refusal) : NULL,
    };

    assert(lines->dropped == 0);
    if (lines->count == lines->capacity)
        grow(lines);
    lines->extras[lines->count] = extra;
    lines->items[lines->count] = (struct batch_line){
        .bytes = copy(bytes, length),
        .length = length,
        .number = number,
        .refusal = extra.refusal,
    };
    lines->count++;
    lines->bytes += length;
}

const char *lines_raw(const struct lines *lines, size_t i, size_t *ret_length)
{
    const struct line_extra *extra = &lines->extras[i];

    assert(i < lines->count);
    *ret_length = extra->raw ? extra->raw_length : lines->items[i].length;
    return extra->raw ? extra->raw : lines->items[i].bytes;
}

bool lines_have_room(const struct lines *lines, size_t count, size_t bytes)
{
    return lines->count + count <= BATCH_LINES_MAX && lines->bytes + bytes <= BATCH_BYTES_MAX;
}

/* What is left stays where it is: a page of many batches is not moved for each. */
void lines_drop(struct lines *lines, size_t count)
{
    assert(count <= lines->count);
    for (size_t i = 0; i < count; i++) {
        lines->bytes -= lines->items[i].length;
        free(lines->items[i].bytes);
        free(lines->extras[i].refusal);
        free(lines->extras[i].raw);
    }
    lines->items += count;
    lines->extras += count;
    lines->dropped += count;
    lines->count -= count;
}

void lines_clear(struct lines *lines)
{
    lines_drop(lines, lines->count);
    lines->items -= lines->dropped;
    lines->extras -= lines->dropped;
    lines->dropped = 0;
}

void lines_finish(struct lines *lines)
{
    lines_clear(lines);
    free(lines->items);
    free(lines->extras);
    *lines = (struct lines){ 0 };
}

size_t lines_batch_length(const struct lines *lines)
{
    size_t count = 0, bytes = 0;

    while (count < lines->count && count < BATCH_LINES_MAX &&
           bytes + lines->items[count].length <= BATCH_BYTES_MAX)
        bytes += lines->items[count++].length;
    return count;
}
