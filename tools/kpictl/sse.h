/* Server-Sent Events, the reading side: bytes in as they come, events out. The part of the HTML
 * standard's section 9.2.6 that a stream of facts needs. */
#ifndef KPICTL_SSE_H
#define KPICTL_SSE_H

#include <stddef.h>

#include "base/text.h"

struct sse {
    /* Called for each event; the texts live until it returns. `name` is "message" if the stream
     * gave none. */
    void (*event)(void *arg, const char *name, const char *data);
    void *arg;
    char last_id[64];           /* of the last event dispatched; "": none yet */
    /* Of the parser: */
    struct text_buffer line;
    struct text_buffer data;
    char name[64];
    char id[64];
};

void sse_feed(struct sse *sse, const char *bytes, size_t length);
/* Forgets a half-read event, as when the connection ended; keeps `last_id`. */
void sse_restart(struct sse *sse);
void sse_finish(struct sse *sse);

#endif
