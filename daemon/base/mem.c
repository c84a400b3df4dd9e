/* Allocation that cannot fail: the one place that decides what happens when memory runs out. */
#include "base/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

/* malloc(0) may give NULL, which would look like a failure. */
static size_t at_least_one(size_t size)
{
    return size ? size : 1;
}

void *mem_alloc(size_t size)
{
    void *p = malloc(at_least_one(size));

    if (!p)
        log_fatal("out of memory: %zu bytes were asked for", size);
    return p;
}

void *mem_zalloc(size_t size)
{
    void *p = calloc(1, at_least_one(size));

    if (!p)
        log_fatal("out of memory: %zu bytes were asked for", size);
    return p;
}

void *mem_realloc(void *p, size_t size)
{
    void *grown = realloc(p, at_least_one(size));

    if (!grown)
        log_fatal("out of memory: %zu bytes were asked for", size);
    return grown;
}

void *mem_realloc_array(void *p, size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size)
        log_fatal("out of memory: %zu times %zu bytes were asked for", count, size);
    return mem_realloc(p, count * size);
}

char *mem_strdup(const char *text)
{
    return mem_strndup(text, strlen(text));
}

char *mem_strndup(const char *text, size_t length)
{
    size_t used = strnlen(text, length);
    char *copy = mem_alloc(used + 1);

    memcpy(copy, text, used);
    copy[used] = '\0';
    return copy;
}

char *mem_printf(const char *format, ...)
{
    va_list args;
    char *text;
    int length;

    va_start(args, format);
    length = vasprintf(&text, format, args);
    va_end(args);
    if (length < 0)
        log_fatal("out of memory while formatting \"%s\"", format);
    return text;
}

void *mem_try_alloc(size_t size)
{
    return malloc(at_least_one(size));
}
