/* One fact of the daemon as kpictl shows it: read from JSON into a value that can be kept, and
 * written into the cells that facts, explain and watch have in common. */
#ifndef KPICTL_FIGURE_H
#define KPICTL_FIGURE_H

#include <stdbool.h>
#include <stdint.h>

#include <yajl/yajl_tree.h>

#include "percent.h"
#include "table.h"

enum { FIGURE_TEXT_SIZE = 96, CELL_SIZE = 64 };

struct figure {
    char kpi[FIGURE_TEXT_SIZE];
    char period[FIGURE_TEXT_SIZE];
    char scope[FIGURE_TEXT_SIZE];
    char verdict[16];
    char state[16];
    char as_of[40];
    bool at_most;           /* direction: lower is better */
    int64_t numerator, denominator, excluded, pending, shortfall, gaps, revision;
    int64_t target_e4;      /* negative: none */
    int64_t coverage_e4;
};

/* Anything missing reads as nothing. */
void figure_read(struct figure *ret, yajl_val fact);

/* "98.00 %", "–". Each returns `to`. */
char *figure_rate(char to[CELL_SIZE], const struct figure *figure);
/* "196/200". */
char *figure_counts(char to[CELL_SIZE], const struct figure *figure);
/* "≥ 98.00 %", "≤ 3.00 %", "–". */
char *figure_target(char to[CELL_SIZE], const struct figure *figure);
/* "met", "missed", "too few", "no data", "no target", and its colour. */
const char *figure_verdict(const struct figure *figure);
enum colour figure_colour(const struct figure *figure);

/* An instant for people: "2026-11-20 18:00:00" of RFC 3339; what it was not, as it is.
 * Returns `to`. */
char *instant_for_people(char to[CELL_SIZE], const char *instant);

#endif
