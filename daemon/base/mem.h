/* Allocation that cannot fail, and the `try_` kind that can.
 *
 * Where the program chose the size, a machine without memory for it cannot run us: the process
 * ends with a line in the journal, and the log loses nothing. Where a stranger chose the size,
 * check a bound first and then use mem_try_alloc. Free with free(). Any thread. */
#ifndef KPID_BASE_MEM_H
#define KPID_BASE_MEM_H

#include <stddef.h>

void *mem_alloc(size_t size);
void *mem_zalloc(size_t size);
void *mem_realloc(void *p, size_t size);
/* `count` elements of `size`; the product is checked. */
void *mem_realloc_array(void *p, size_t count, size_t size);
char *mem_strdup(const char *text);
char *mem_strndup(const char *text, size_t length);
/* sprintf into fresh memory; gives, free with free(). */
char *mem_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* NULL if there is not that much. */
void *mem_try_alloc(size_t size);

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

#endif
