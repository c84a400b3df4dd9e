/* Bulk: many rows out of memory through one statement.
 *
 * A statement that is stepped row by row opens its cursors, begins and ends anew for each row, and
 * that is a third of what an insert costs. A bulk is a table of SQL whose rows are made while they
 * are read: "INSERT INTO event SELECT * FROM arriving_event" inserts them all in one run, and a
 * join with it looks up many keys at once. Each row is taken before the next one is asked for, as
 * long as nothing has to be sorted. A bulk belongs to one connection, and to its thread. */
#ifndef KPID_LEDGER_BULK_H
#define KPID_LEDGER_BULK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "base/err.h"

enum { BULK_COLUMNS_MAX = 25 };

/* One column of a row on its way. Borrows the text until the next row is asked for. */
struct bulk_value {
    enum { BULK_NULL, BULK_INTEGER, BULK_TEXT } type;
    int64_t integer;
    const char *text;
    size_t length;
};

struct bulk_value bulk_text(const char *text);
/* "" and a null pointer become NULL. */
struct bulk_value bulk_text_or_null(const char *text);
struct bulk_value bulk_bytes(const char *text, size_t length);
struct bulk_value bulk_integer(int64_t value);
/* INSTANT_NONE and INSTANT_NEVER become NULL. */
struct bulk_value bulk_instant(int64_t at);
/* `none` becomes NULL. */
struct bulk_value bulk_integer_or_null(int64_t value, int64_t none);

/* Binds one row to the parameters from 1 on, for a statement that takes one at a time. */
void bulk_bind(sqlite3_stmt *stmt, const struct bulk_value *row, size_t count);

/* Writes the next row; false at the end. */
typedef bool (*bulk_next_function)(void *arg, struct bulk_value *row);

/* Embedded by whoever owns the connection. */
struct bulk {
    const char *columns;
    bulk_next_function next;
    void *arg;
    bool at_end;
    int64_t rows;
    struct bulk_value row[BULK_COLUMNS_MAX];
};

/* Makes the table `name` with the given columns ("seq INTEGER, source TEXT"). Borrows both and the
 * bulk until the connection is closed. Prepare statements over it afterwards. */
int bulk_create(struct bulk *bulk, sqlite3 *db, const char *name, const char *columns,
                struct err *err);
/* What the next statement over it reads. */
void bulk_set(struct bulk *bulk, bulk_next_function next, void *arg);

#endif
