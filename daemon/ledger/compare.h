/* Comparing the stored tables with those that a recount has staged: row by row, both sides read in
 * the order of their keys, nothing held in memory. */
#ifndef KPID_LEDGER_COMPARE_H
#define KPID_LEDGER_COMPARE_H

#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "kpi/rules.h"

/* Prints the first difference (table, key, column, stored, computed) on `out` and returns 1, or 0
 * if there is none. `schema` is where the staging tables are. */
int compare_tables(sqlite3 *db, const char *schema, FILE *out, struct err *err);

/* Prints each fact that differs, in the words of a person:
 *   dispatch_success 2026-W47 company: 196/200 met -> 195/200 missed
 * and returns how many. Coverage counts as part of a fact. */
int compare_facts(sqlite3 *db, const char *schema, const struct rules *rules, int64_t as_of,
                  FILE *out, struct err *err);

#endif
