/* Thin helpers over SQLite: how a ledger is opened, one shape of failure, and NULLs.
 *
 * Every connection of the house is opened here, so that each writer keeps the side files
 * (-wal, -shm) in place when it leaves: without them a reader that may not write the folder
 * cannot open the file. And every failure of SQLite becomes a `struct err` here, with an errno
 * for the program and an instruction for the administrator. A connection belongs to one thread
 * at a time. */
#ifndef KPID_LEDGER_SQL_H
#define KPID_LEDGER_SQL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "base/err.h"

/* Opens `path` for writing, and makes it (mode 0640, the folder's owner if we are root) if there
 * is none. WAL, synchronous=FULL, foreign keys, persistent side files; no automatic checkpoint:
 * the writer calls sql_checkpoint when it suits it. ":memory:" is allowed. Close with sql_close. */
int sql_open_writer(const char *path, sqlite3 **ret, struct err *err);

/* Opens `path` for reading alone: never makes, never writes, never blocks the writer. -ENOENT if
 * there is no such file. */
int sql_open_reader(const char *path, sqlite3 **ret, struct err *err);

/* All statements must be finalized. NULL is allowed. */
void sql_close(sqlite3 *db);

/* Fills `err` from what SQLite answered and returns its code. `what` is the act that failed
 * ("commit", "event log"); it begins the sentence. `db` may be NULL.
 *   FULL                -ENOSPC     BUSY, LOCKED    -EBUSY      CONSTRAINT   -EEXIST
 *   IOERR               -EIO        READONLY        -EROFS      NOMEM        -ENOMEM
 *   CORRUPT, NOTADB     -EBADMSG    INTERRUPT       -EINTR      CANTOPEN     the system's errno */
int sql_error(struct err *err, sqlite3 *db, int rc, const char *what);

/* Prepares one statement that will be used many times; finalize with sqlite3_finalize. */
int sql_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret, struct err *err);
/* The same with `sql` made by printf. */
int sql_preparef(sqlite3 *db, sqlite3_stmt **ret, struct err *err, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Runs statements without results, up to the first that fails. */
int sql_exec(sqlite3 *db, const char *sql, struct err *err);
int sql_execf(sqlite3 *db, struct err *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* 1 with a row, 0 at the end, negative errno. `what` as for sql_error. */
int sql_step(sqlite3_stmt *stmt, const char *what, struct err *err);

/* Steps a statement that has no rows to its end and resets it. 0 or negative errno;
 * sqlite3_changes tells what it did. */
int sql_run(sqlite3_stmt *stmt, const char *what, struct err *err);

/* The single integer that `sql` yields. -ENODATA if it yields no row. */
int sql_integer(sqlite3 *db, const char *sql, int64_t *ret, struct err *err);

/* Moves what is in the write-ahead log into the file, as far as readers let it, and never waits
 * for them; with `truncate` it waits a little for readers and leaves an empty log if it can.
 * `ret_wal_bytes` (may be NULL): how much of the log is still in use. */
int sql_checkpoint(sqlite3 *db, bool truncate, int64_t *ret_wal_bytes, struct err *err);

/* Binding. Texts are not copied: they must live until the statement is stepped and reset. */
void sql_bind_text(sqlite3_stmt *stmt, int index, const char *text);
/* The same, copied: for rows that go to a callback which may change what it was called
 * with. A null pointer becomes NULL. */
void sql_bind_text_copied(sqlite3_stmt *stmt, int index, const char *text);
void sql_bind_bytes(sqlite3_stmt *stmt, int index, const char *text, size_t length);
void sql_bind_blob(sqlite3_stmt *stmt, int index, const void *bytes, size_t length);
/* "" and a null pointer become NULL. */
void sql_bind_text_or_null(sqlite3_stmt *stmt, int index, const char *text);
void sql_bind_integer(sqlite3_stmt *stmt, int index, int64_t value);
/* INSTANT_NONE and INSTANT_NEVER become NULL. */
void sql_bind_instant(sqlite3_stmt *stmt, int index, int64_t at);
/* `none` becomes NULL. */
void sql_bind_integer_or_null(sqlite3_stmt *stmt, int index, int64_t value, int64_t none);

/* Reading. NULL becomes "". False, with `to` empty, if the text does not fit: a file that the
 * daemon did not write. */
bool sql_column_text_into(sqlite3_stmt *stmt, int column, char *to, size_t size);
/* Borrows until the next step; "" for NULL, never a null pointer. */
const char *sql_column_text(sqlite3_stmt *stmt, int column);
/* `none` for NULL. For instants: INSTANT_NONE or INSTANT_NEVER, as the column means it. */
int64_t sql_column_integer_or(sqlite3_stmt *stmt, int column, int64_t none);

#endif
