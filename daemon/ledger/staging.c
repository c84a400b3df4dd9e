/* Staging tables, made from the text by which SQLite remembers the stored ones: whatever a
 * migration adds to a table, its twin has as well. */
#include "ledger/staging.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "ledger/sql.h"

const struct staged_table staged_tables[] = {
    { "ticket", "first_seq, kind, ticket", 3, 1 },
    { "device", "device", 1, 0 },
    { "fact", "kpi, period, scope", 3, 0 },
    { "gap", "kpi, begin_at", 2, 0 },
    { 0 },
};

static const char twin_suffix[] = "_b";

/* "ticket_due" to "ticket_due_b" and back. */
static void add_twin_name(struct text_buffer *to, const char *name)
{
    size_t length = strlen(name), suffix = sizeof twin_suffix - 1;

    if (length > suffix && strcmp(name + length - suffix, twin_suffix) == 0)
        text_buffer_add(to, name, length - suffix);
    else
        text_buffer_addf(to, "%s%s", name, twin_suffix);
}

/* Everything from the column list on says what the thing is; what stands before it is its name. */
static int twin_statement(struct text_buffer *to, const char *schema, const char *table,
                          const char *type, const char *name, const char *sql, struct err *err)
{
    const char *columns = strchr(sql, '(');

    if (!columns)
        return err_set(err, -EBADMSG, "%s has no columns in the file's schema", name);
    if (strcmp(type, "table") == 0) {
        text_buffer_addf(to, "CREATE TABLE %s.rebuild_%s %s;", schema, table, columns);
        return 0;
    }
    text_buffer_addf(to, "CREATE %sINDEX %s.",
                     strncmp(sql, "CREATE UNIQUE", 13) == 0 ? "UNIQUE " : "", schema);
    add_twin_name(to, name);
    text_buffer_addf(to, " ON rebuild_%s %s;", table, columns);
    return 0;
}

/* Adds the statements that make the twin of `table` and of its indices. */
static int twin_statements(sqlite3 *db, const char *schema, const char *table,
                           struct text_buffer *to, struct err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sql_prepare(db,
                         "SELECT type, name, sql FROM main.sqlite_schema WHERE tbl_name = ?1 AND "
                         "type IN ('table', 'index') AND sql IS NOT NULL ORDER BY type DESC, name",
                         &stmt, err);

    if (rc < 0)
        return rc;
    sql_bind_text(stmt, 1, table);
    while ((rc = sql_step(stmt, "schema", err)) > 0) {
        rc = twin_statement(to, schema, table, sql_column_text(stmt, 0), sql_column_text(stmt, 1),
                            sql_column_text(stmt, 2), err);
        if (rc < 0)
            break;
    }
    sqlite3_finalize(stmt);
    return rc;
}

int staging_create(sqlite3 *db, const char *schema, struct err *err)
{
    int rc = staging_drop(db, schema, err);

    for (const struct staged_table *t = staged_tables; t->name && rc == 0; t++) {
        struct text_buffer sql = { 0 };

        rc = twin_statements(db, schema, t->name, &sql, err);
        if (rc == 0)
            rc = sql_exec(db, sql.bytes, err);
        text_buffer_finish(&sql);
    }
    return rc;
}

int staging_drop(sqlite3 *db, const char *schema, struct err *err)
{
    int rc = 0;

    for (const struct staged_table *t = staged_tables; t->name && rc == 0; t++)
        rc = sql_execf(db, err, "DROP TABLE IF EXISTS %s.rebuild_%s", schema, t->name);
    return rc;
}

int staging_swap(sqlite3 *db, struct err *err)
{
    int rc = 0;

    for (const struct staged_table *t = staged_tables; t->name && rc == 0; t++)
        rc = sql_execf(db, err, "DROP TABLE main.%s; ALTER TABLE main.rebuild_%s RENAME TO %s",
                       t->name, t->name, t->name);
    return rc;
}
