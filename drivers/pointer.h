/* Where a stream parser stands in a JSON text, as an RFC 6901 pointer. Pure; any thread. */
#ifndef KPID_DRIVERS_POINTER_H
#define KPID_DRIVERS_POINTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { POINTER_SIZE = 512, POINTER_DEPTH_MAX = 32 };

struct pointer {
    char text[POINTER_SIZE]; /* of the value at hand, NUL-terminated */
    size_t length;
    struct pointer_level {
        size_t length; /* of the pointer to this object or list */
        int64_t index; /* of the item at hand; -1: before the first */
        bool is_list;
    } levels[POINTER_DEPTH_MAX];
    int depth;
    bool is_lost; /* too long to be written: it is no pointer of ours */
};

/* Called for each key, and before each value (also one that opens). */
void pointer_key(struct pointer *pointer, const unsigned char *key, size_t length);
void pointer_value(struct pointer *pointer);
/* Called when an object or list opens, after pointer_value. False: too deep. */
bool pointer_open(struct pointer *pointer, bool is_list);
void pointer_close(struct pointer *pointer);

/* True if the value at hand stands at `text`. */
bool pointer_is(const struct pointer *pointer, const char *text);

/* True if `text` is a pointer: "" or "/..." with ~0 and ~1 alone behind a tilde. */
bool pointer_is_valid(const char *text);

#endif
