/* Bulk: an eponymous virtual table that knows one way to be read, from its first row to its last,
 * and asks its owner for each. */
#include "ledger/bulk.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "kpi/ticket.h"
#include "ledger/sql.h"

struct table {
    sqlite3_vtab base;
    struct bulk *bulk;
};

static const struct bulk_value null_value = { .type = BULK_NULL };

struct bulk_value bulk_bytes(const char *text, size_t length)
{
    return (struct bulk_value){ .type = BULK_TEXT, .text = text, .length = length };
}

struct bulk_value bulk_text(const char *text)
{
    return bulk_bytes(text, strlen(text));
}

struct bulk_value bulk_text_or_null(const char *text)
{
    return text && text[0] ? bulk_text(text) : null_value;
}

struct bulk_value bulk_integer(int64_t value)
{
    return (struct bulk_value){ .type = BULK_INTEGER, .integer = value };
}

struct bulk_value bulk_instant(int64_t at)
{
    return at == INSTANT_NONE || at == INSTANT_NEVER ? null_value : bulk_integer(at);
}

struct bulk_value bulk_integer_or_null(int64_t value, int64_t none)
{
    return value == none ? null_value : bulk_integer(value);
}

void bulk_bind(sqlite3_stmt *stmt, const struct bulk_value *row, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int parameter = (int)i + 1;

        if (row[i].type == BULK_TEXT)
            sql_bind_bytes(stmt, parameter, row[i].text, row[i].length);
        else if (row[i].type == BULK_INTEGER)
            sql_bind_integer(stmt, parameter, row[i].integer);
        else
            sql_bind_text_or_null(stmt, parameter, NULL);
    }
}

/* --- What SQLite calls */

static int connect_table(sqlite3 *db, void *arg, int argc, const char *const *argv,
                         sqlite3_vtab **ret, char **ret_error)
{
    struct bulk *bulk = arg;
    char *sql = mem_printf("CREATE TABLE x(%s)", bulk->columns);
    struct table *table;
    int rc = sqlite3_declare_vtab(db, sql);

    (void)argc;
    (void)argv;
    (void)ret_error;
    free(sql);
    if (rc != SQLITE_OK)
        return rc;
    table = mem_zalloc(sizeof *table);
    table->bulk = bulk;
    *ret = &table->base;
    return SQLITE_OK;
}

static int disconnect_table(sqlite3_vtab *table)
{
    free(table);
    return SQLITE_OK;
}

static int plan(sqlite3_vtab *table, sqlite3_index_info *info)
{
    (void)table;
    info->estimatedRows = 1000;
    info->estimatedCost = 1000;
    return SQLITE_OK;
}

static int open_cursor(sqlite3_vtab *table, sqlite3_vtab_cursor **ret)
{
    (void)table;
    *ret = mem_zalloc(sizeof **ret);
    return SQLITE_OK;
}

static int close_cursor(sqlite3_vtab_cursor *cursor)
{
    free(cursor);
    return SQLITE_OK;
}

static struct bulk *bulk_of(sqlite3_vtab_cursor *cursor)
{
    return ((struct table *)cursor->pVtab)->bulk;
}

static int next_row(sqlite3_vtab_cursor *cursor)
{
    struct bulk *b = bulk_of(cursor);

    b->at_end = !b->next(b->arg, b->row);
    b->rows++;
    return SQLITE_OK;
}

static int first_row(sqlite3_vtab_cursor *cursor, int number, const char *name, int argc,
                     sqlite3_value **argv)
{
    (void)number;
    (void)name;
    (void)argc;
    (void)argv;
    bulk_of(cursor)->rows = 0;
    return next_row(cursor);
}

static int is_at_end(sqlite3_vtab_cursor *cursor)
{
    return bulk_of(cursor)->at_end;
}

static int give_column(sqlite3_vtab_cursor *cursor, sqlite3_context *to, int column)
{
    const struct bulk_value *value = &bulk_of(cursor)->row[column];

    if (value->type == BULK_TEXT)
        sqlite3_result_text64(to, value->text, value->length, SQLITE_STATIC, SQLITE_UTF8);
    else if (value->type == BULK_INTEGER)
        sqlite3_result_int64(to, value->integer);
    return SQLITE_OK;   /* without a result it is NULL */
}

static int give_rowid(sqlite3_vtab_cursor *cursor, sqlite3_int64 *ret)
{
    *ret = bulk_of(cursor)->rows;
    return SQLITE_OK;
}

/* No xCreate: the table is there by its name, and cannot be made another time. */
static const sqlite3_module module = {
    .xConnect = connect_table,
    .xBestIndex = plan,
    .xDisconnect = disconnect_table,
    .xOpen = open_cursor,
    .xClose = close_cursor,
    .xFilter = first_row,
    .xNext = next_row,
    .xEof = is_at_end,
    .xColumn = give_column,
    .xRowid = give_rowid,
};

int bulk_create(struct bulk *b, sqlite3 *db, const char *name, const char *columns,
                struct err *err)
{
    int rc;

    *b = (struct bulk){ .columns = columns, .at_end = true };
    rc = sqlite3_create_module(db, name, &module, b);
    return rc == SQLITE_OK ? 0 : sql_error(err, db, rc, "prepare");
}

void bulk_set(struct bulk *b, bulk_next_function next, void *arg)
{
    b->next = next;
    b->arg = arg;
}
