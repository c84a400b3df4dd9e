/* A growing batch: lines that a driver gathers for the house, each with its bytes, its refusal and
 * the raw text that it was made of. Owns all that it holds. */
#ifndef KPID_DRIVERS_LINES_H
#define KPID_DRIVERS_LINES_H

#include <stddef.h>
#include <stdint.h>

#include "sink.h"

struct line_extra {
    char *raw; /* NULL: the raw text is what the line holds */
    size_t raw_length;
    char *refusal;
};

struct lines {
    struct batch_line *items;
    struct line_extra *extras;
    size_t count, capacity;
    size_t dropped; /* before `items`, until the next clear */
    size_t bytes;   /* of all items together */
};

/* Copies everything. `raw` may be NULL, and so may `refusal`. */
void lines_add(struct lines *lines, const char *bytes, size_t length, int64_t number,
               const char *raw, size_t raw_length, const char *refusal);
/* The text from which line `i` was made. Borrows until the lines are cleared. */
const char *lines_raw(const struct lines *lines, size_t i, size_t *ret_length);
/* True if `count` more with `bytes` fit into what a batch may hold. */
bool lines_have_room(const struct lines *lines, size_t count, size_t bytes);
/* Removes the first `count`; nothing is added any more until the next clear. */
void lines_drop(struct lines *lines, size_t count);
/* Forgets the lines and keeps the room. */
void lines_clear(struct lines *lines);
void lines_finish(struct lines *lines);

/* How many of the first ones a batch may hold. */
size_t lines_batch_length(const struct lines *lines);

#endif
