/* Canonical form: the bytes that the chain's digests cover.
 *
 * One row is one line: every column in the order of its table, each as SQL's quote() writes it (an
 * integer in decimal, a text in single quotes with those within doubled, NULL), joined by '|' and
 * ended by a newline. So a SELECT says the same bytes, and sha256sum the same digest:
 * docs/canonical-form.md. Pure. */
#ifndef KPID_KPI_CANON_H
#define KPID_KPI_CANON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "kpi/fact.h"

/* Columns, appended to a line that is empty or goes on. */
void canon_integer(struct text_buffer *line, int64_t value);
/* `length` bytes without NUL. */
void canon_text(struct text_buffer *line, const char *text, size_t length);
void canon_null(struct text_buffer *line);
/* Ends the line. */
void canon_end(struct text_buffer *line);

/* A whole line: a row of table sealed_fact. */
struct canon_fact {
    int64_t seal;
    const char *kpi, *scope;
    struct period period;
    int64_t begin_at, end_at;
    enum direction direction;
    const struct fact *fact;
    struct coverage coverage;
};
void canon_fact(struct text_buffer *line, const struct canon_fact *is);

#endif
