/* Instants: int64_t milliseconds since 1970-01-01T00:00Z, read and written as RFC 3339. */
#ifndef KPID_BASE_INSTANT_H
#define KPID_BASE_INSTANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { INSTANT_SIZE = 32 };     /* room for "2026-11-20T18:00:00.000+08:00" */

/* Strict RFC 3339 date-time with an offset: 'T' (or 't'), 'Z' (or 'z') or +hh:mm, and none to
 * three decimals of seconds. False for everything else: an impossible date, a leap second (:60),
 * a blank for the 'T', no offset, more decimals, a year before 1970 or after 9999. */
bool instant_parse(const char *text, size_t length, int64_t *ret_at);

/* With milliseconds and the given offset from UTC (seconds, whole minutes). Returns `to`. */
char *instant_format(char to[INSTANT_SIZE], int64_t at, int32_t offset_s);

/* Days since 1970-01-01 of a proleptic Gregorian date, and back. */
int32_t civil_day(int32_t year, int32_t month, int32_t day);
void civil_date(int32_t days, int32_t *ret_year, int32_t *ret_month, int32_t *ret_day);

#endif
