/* Staging: empty twins of the counted tables (ticket, device, fact, gap), to be filled beside the
 * stored ones and either compared with them or put in their place.
 *
 * In schema "main" they are part of the file, for a rebuild; in "temp" they live in a temporary
 * file of this connection alone, so that a reader can count anew as well. They are called
 * rebuild_ticket and so on, and are made from the stored tables' own definitions. */
#ifndef KPID_LEDGER_STAGING_H
#define KPID_LEDGER_STAGING_H

#include <sqlite3.h>

#include "base/err.h"

#define STAGED(table) "rebuild_" table

/* The counted tables, with columns that order and name their rows; ends with a null name. */
struct staged_table {
    const char *name;
    const char *key; /* "kpi, begin_at" */
    int key_columns; /* the first of the table */
    int untold;      /* the first of these, which say nothing to a person */
};

extern const struct staged_table staged_tables[];

/* Makes them, empty; drops what was there. */
int staging_create(sqlite3 *db, const char *schema, struct err *err);
int staging_drop(sqlite3 *db, const char *schema, struct err *err);

/* Drops the stored tables and gives their names to those of schema "main". Within the caller's
 * transaction, with legacy_alter_table on: the views name these tables and are to keep doing so.
 *
 * An index keeps its name for life, and each name is there once: so a twin's index is called as
 * the stored one with "_b" behind it, or without it if that one has it. */
int staging_swap(sqlite3 *db, struct err *err);

#endif
