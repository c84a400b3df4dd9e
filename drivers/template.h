/* Texts with placeholders in braces, filled in with the care that their place needs. Pure. */
#ifndef KPID_DRIVERS_TEMPLATE_H
#define KPID_DRIVERS_TEMPLATE_H

#include <stdbool.h>

#include "base/text.h"

enum template_escape {
    ESCAPE_URL,  /* percent-encoded: a '+' in a time is no blank */
    ESCAPE_JSON, /* within the quotes of a JSON string; digits need none */
    ESCAPE_NONE,
};

struct template_value {
    const char *name; /* NULL ends a table of values */
    const char *text;
};

/* Appends `text` with each {name} replaced. A brace that begins no known name stays as it is, so
 * that a JSON body needs no quoting. */
void template_expand(struct text_buffer *to, const char *text, enum template_escape escape,
                     const struct template_value *values);

/* True if `{name}` stands in `text` (NULL: false). */
bool template_has(const char *text, const char *name);

void template_escape(struct text_buffer *to, const char *text, enum template_escape escape);

#endif
