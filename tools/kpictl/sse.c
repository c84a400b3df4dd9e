/* Server-Sent Events, the reading side. Lines end in LF or CR LF (a lone CR, which the standard
 * also allows, no daemon of ours sends); an empty line dispatches what was gathered. */
#include "sse.h"

#include <stdio.h>
#include <string.h>

static void clear(struct text_buffer *buffer)
{
    buffer->length = 0;
    if (buffer->bytes)
        buffer->bytes[0] = '\0';
}

static void dispatch(struct sse *sse)
{
    if (sse->data.length > 0) {
        memcpy(sse->last_id, sse->id, sizeof sse->last_id);
        sse->event(sse->arg, sse->name[0] ? sse->name : "message", sse->data.bytes);
    }
    clear(&sse->data);
    sse->name[0] = '\0';
}

static void field(struct sse *sse, const char *name, const char *value)
{
    if (strcmp(name, "data") == 0) {
        if (sse->data.length > 0)
            text_buffer_adds(&sse->data, "\n");
        text_buffer_adds(&sse->data, value);
    } else if (strcmp(name, "event") == 0) {
        snprintf(sse->name, sizeof sse->name, "%s", value);
    } else if (strcmp(name, "id") == 0) {
        snprintf(sse->id, sizeof sse->id, "%s", value);
    }
}

static void end_line(struct sse *sse)
{
    char *line = sse->line.bytes;
    char *colon;

    if (sse->line.length > 0 && line[sse->line.length - 1] == '\r')
        line[--sse->line.length] = '\0';
    if (sse->line.length == 0) {
        dispatch(sse);
        return;
    }
    colon = strchr(line, ':');
    if (colon == line)
        return;     /* a comment: the stream is alive */
    if (!colon) {
        field(sse, line, "");
        return;
    }
    *colon = '\0';
    field(sse, line, colon[1] == ' ' ? colon + 2 : colon + 1);
}

void sse_feed(struct sse *sse, const char *bytes, size_t length)
{
    const char *end;

    while (length > 0) {
        end = memchr(bytes, '\n', length);
        if (!end) {
            text_buffer_add(&sse->line, bytes, length);
            return;
        }
        text_buffer_add(&sse->line, bytes, (size_t)(end - bytes));
        end_line(sse);
        clear(&sse->line);
        length -= (size_t)(end - bytes) + 1;
        bytes = end + 1;
    }
}

void sse_restart(struct sse *sse)
{
    clear(&sse->line);
    clear(&sse->data);
    sse->name[0] = '\0';
}

void sse_finish(struct sse *sse)
{
    text_buffer_finish(&sse->line);
    text_buffer_finish(&sse->data);
}
