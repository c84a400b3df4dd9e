/* Rates as people read them: per cent with two decimals. */
#ifndef KPICTL_PERCENT_H
#define KPICTL_PERCENT_H

#include <stdbool.h>
#include <stdint.h>

enum { PERCENT_SIZE = 48 };

/* "98.00" of numerator/denominator, rounded half up; "–" if the denominator is 0. If the rounding
 * would show a missed target as reached, it shows as many decimals as tell the two apart (at most
 * six), cut away from the target: nobody is to read "98.00" beside a missed 98.00.
 * `target_e4` in ten-thousandths, negative for none. Returns `to`. */
char *percent_of(char to[PERCENT_SIZE], int64_t numerator, int64_t denominator, bool missed,
                 int64_t target_e4);

/* "98.00" of ten-thousandths. Returns `to`. */
char *percent_of_e4(char to[PERCENT_SIZE], int64_t e4);

#endif
