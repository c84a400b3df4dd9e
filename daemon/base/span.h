/* Spans of time as systemd writes them: "90s", "10min", "1h 30min", "7d". In milliseconds.
 * Units as in systemd.time(7): ms, s/sec, m/min, h/hr, d/day, w/week (and their long forms). */
#ifndef KPID_BASE_SPAN_H
#define KPID_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPAN_SECOND INT64_C(1000)
#define SPAN_MINUTE (60 * SPAN_SECOND)
#define SPAN_HOUR   (60 * SPAN_MINUTE)
#define SPAN_DAY    (24 * SPAN_HOUR)

enum { SPAN_SIZE = 64 };    /* room for any span_format */

/* False if `text` is no span. A bare number is refused: "90" of what? "0" alone is zero. */
bool span_parse(const char *text, int64_t *ret_ms);

/* Largest units first, "1h 30min"; "0" for none. Returns `to`. */
char *span_format(char to[SPAN_SIZE], int64_t ms);

#endif
