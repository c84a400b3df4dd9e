/* Rates as people read them, in integers throughout: a division in floating point could show a
 * head of department a figure on the wrong side of the target. */
#include "percent.h"

#include <stdio.h>

#include "base/text.h"

/* `value` is per cent times `parts`, a power of ten with `decimals` noughts. */
static char *write_percent(char to[PERCENT_SIZE], int64_t value, int64_t parts, int decimals)
{
    snprintf(to, PERCENT_SIZE, "%lld.%0*lld", (long long)(value / parts), decimals,
             (long long)(value % parts));
    return to;
}

char *percent_of_e4(char to[PERCENT_SIZE], int64_t e4)
{
    return write_percent(to, e4, 100, 2);
}

char *percent_of(char to[PERCENT_SIZE], int64_t numerator, int64_t denominator, bool missed,
                 int64_t target_e4)
{
    int64_t parts = 100;
    int64_t value, target;

    if (denominator <= 0) {
        text_set(to, PERCENT_SIZE, "–");
        return to;
    }
    value = (numerator * 100 * parts * 2 + denominator) / (2 * denominator);
    if (!missed || value != target_e4)
        return write_percent(to, value, parts, 2);

    for (int decimals = 3; decimals <= 6; decimals++) {
        parts *= 10;
        target = target_e4 * (parts / 100);
        value = numerator * 100 * parts / denominator;
        /* Cut downwards below the target, upwards above it. */
        if (value >= target && numerator * 100 * parts % denominator != 0)
            value++;
        if (value != target)
            return write_percent(to, value, parts, decimals);
    }
    return write_percent(to, value, parts, 6);
}
