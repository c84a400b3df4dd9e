/* Rows out of memory through one statement: all values as they were, each row taken before the next
 * is asked for, and a run that fails leaves nothing once it is taken back. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kpi/ticket.h"
#include "ledger/bulk.h"
#include "ledger/sql.h"
#include "tests/lib/ledger_fixture.h"

/* What the bulk under test gives: `names`, numbered from 1. */
struct list {
    const char *const *names;
    sqlite3 *db;
    int64_t last;           /* number of the row that was given last */
    int64_t inserted;       /* how many of those before it went in */
};

static bool next_name(void *arg, struct bulk_value *row)
{
    struct list *list = arg;

    list->inserted += list->last > 0 && sqlite3_last_insert_rowid(list->db) == list->last;
    if (!list->names[list->last])
        return false;
    row[0] = bulk_integer(list->last + 1);
    row[1] = bulk_text(list->names[list->last++]);
    return true;
}

static sqlite3 *open_with(struct bulk *bulk)
{
    struct err err;
    sqlite3 *db;

    assert_int_equal(sql_open_writer(":memory:", &db, &err), 0);
    assert_int_equal(sql_exec(db, "CREATE TABLE thing (n INTEGER PRIMARY KEY, name TEXT NOT NULL, "
                                  "CHECK (name <> 'bad')) STRICT;"
                                  "CREATE UNIQUE INDEX thing_name ON thing (name)", &err), 0);
    assert_int_equal(bulk_create(bulk, db, "listed", "place INTEGER, word TEXT", &err), 0);
    return db;
}

static int run(sqlite3 *db, const char *sql, struct err *err)
{
    sqlite3_stmt *st;
    int rc = sql_prepare(db, sql, &st, err);

    assert_int_equal(rc, 0);
    rc = sql_run(st, "a bulk", err);
    sqlite3_finalize(st);
    return rc;
}

static void assert_things(sqlite3 *db, const char *want)
{
    char *got = ledger_fixture_query(db, "SELECT n, name FROM thing ORDER BY n");

    assert_string_equal(got, want);
    free(got);
}

static const char put[] = "INSERT OR FAIL INTO thing SELECT * FROM listed WHERE true "
                          "ON CONFLICT (name) DO NOTHING";

static void test_who_went_in_is_known_row_by_row(void **state)
{
    static const char *const names[] = { "a", "b", "a", "c", "b", NULL };
    struct list list = { .names = names };
    struct bulk bulk;
    struct err err;
    sqlite3 *db = open_with(&bulk);

    (void)state;
    list.db = db;
    bulk_set(&bulk, next_name, &list);
    assert_int_equal(run(db, put, &err), 0);
    assert_things(db, "1|a;2|b;4|c");
    assert_int_equal(list.inserted, 3);
    sql_close(db);
}

static void test_a_failed_run_is_taken_back_with_its_transaction(void **state)
{
    static const char *const names[] = { "a", "bad", "c", NULL };
    struct list list = { .names = names };
    struct bulk bulk;
    struct err err;
    sqlite3 *db = open_with(&bulk);

    (void)state;
    list.db = db;
    bulk_set(&bulk, next_name, &list);
    assert_int_equal(sql_exec(db, "BEGIN", &err), 0);
    assert_int_equal(run(db, put, &err), -EEXIST);
    assert_int_equal(list.last, 2);
    assert_int_equal(sql_exec(db, "ROLLBACK", &err), 0);
    assert_things(db, "");
    sql_close(db);
}

static void test_many_keys_are_looked_up_at_once(void **state)
{
    static const char *const names[] = { "c", "nobody", "a", NULL };
    struct list list = { .names = names };
    struct bulk bulk;
    struct err err;
    sqlite3 *db = open_with(&bulk);
    char *got;

    (void)state;
    assert_int_equal(sql_exec(db, "INSERT INTO thing VALUES (10, 'a'), (11, 'b'), (12, 'c')", &err),
                     0);
    list.db = db;
    bulk_set(&bulk, next_name, &list);
    got = ledger_fixture_query(db, "SELECT place, n FROM listed CROSS JOIN thing ON name = word");
    assert_string_equal(got, "1|12;3|10");
    free(got);
    sql_close(db);
}

static bool next_values(void *arg, struct bulk_value *row)
{
    bool *given = arg;

    if (*given)
        return false;
    *given = true;
    row[0] = bulk_text("");
    row[1] = bulk_text_or_null("");
    row[2] = bulk_text_or_null(NULL);
    row[3] = bulk_bytes("longer", 4);
    row[4] = bulk_integer(INT64_MIN);
    row[5] = bulk_instant(INSTANT_NONE);
    row[6] = bulk_instant(INSTANT_NEVER);
    row[7] = bulk_instant(-5);
    row[8] = bulk_integer_or_null(7, 7);
    row[9] = bulk_integer_or_null(8, 7);
    return true;
}

#define AS_LITERALS                                                                                \
    "SELECT quote(a), quote(b), quote(c), quote(d), quote(e), quote(f), quote(g), quote(h), "      \
    "quote(i), quote(j) FROM "

/* Read as a table or bound to parameters, a row says the same. */
static void test_values_come_as_they_are(void **state)
{
    static const char want[] = "''|NULL|NULL|'long'|-9223372036854775808|NULL|NULL|-5|NULL|8";
    struct bulk_value row[BULK_COLUMNS_MAX];
    bool given = false, bound = false;
    struct bulk bulk;
    struct err err;
    sqlite3_stmt *st;
    sqlite3 *db;
    char *got;

    (void)state;
    assert_int_equal(sql_open_writer(":memory:", &db, &err), 0);
    assert_int_equal(bulk_create(&bulk, db, "one", "a, b, c, d, e, f, g, h, i, j", &err), 0);
    bulk_set(&bulk, next_values, &given);
    got = ledger_fixture_query(db, AS_LITERALS "one");
    assert_string_equal(got, want);
    free(got);

    assert_int_equal(sql_exec(db, "CREATE TABLE kept (a, b, c, d, e, f, g, h, i, j)", &err), 0);
    assert_int_equal(sql_prepare(db, "INSERT INTO kept VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", &st,
                                 &err), 0);
    assert_true(next_values(&bound, row));
    bulk_bind(st, row, 10);
    assert_int_equal(sql_run(st, "binding", &err), 0);
    sqlite3_finalize(st);
    got = ledger_fixture_query(db, AS_LITERALS "kept");
    assert_string_equal(got, want);
    free(got);
    sql_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_went_in_is_known_row_by_row),
        cmocka_unit_test(test_a_failed_run_is_taken_back_with_its_transaction),
        cmocka_unit_test(test_many_keys_are_looked_up_at_once),
        cmocka_unit_test(test_values_come_as_they_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
