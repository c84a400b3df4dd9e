/* What becomes of a file that is new, older, newer, another program's, or damaged. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "ledger/migrate.h"
#include "ledger/rebuild.h"
#include "ledger/rows.h"
#include "ledger/schema_embedded.h"
#include "tests/lib/ledger_fixture.h"

static void assert_query(sqlite3 *db, const char *sql, const char *want)
{
    char *got = ledger_fixture_query(db, sql);

    assert_string_equal(got, want);
    free(got);
}

static sqlite3 *open_plain(struct ledger_fixture *f)
{
    struct err err;
    sqlite3 *db;

    assert_int_equal(sql_open_writer(f->path, &db, &err), 0);
    return db;
}

static void test_a_new_file_gets_everything(void **state)
{
    struct ledger_fixture *f = *state;
    sqlite3 *db = ledger_fixture_make(f);
    struct err err;
    int64_t version;

    assert_int_equal(sql_integer(db, "PRAGMA user_version", &version, &err), 0);
    assert_int_equal(version, schema_version());
    assert_true(schema_version() >= 1);
    assert_query(db,
                 "SELECT count(*) FROM sqlite_schema WHERE name IN ('event', 'ticket', "
                 "'device', 'fact', 'gap', 'house', 'appraisal_fact')",
                 "7");
    assert_int_equal(schema_check(db, &err), 0);
    sql_close(db);
}

/* An unneeded write at each start would be one more thing to fail on a full disk. */
static void test_a_second_start_writes_nothing(void **state)
{
    struct ledger_fixture *f = *state;
    sqlite3 *db = ledger_fixture_make(f);
    struct err err;
    int64_t before, after;

    assert_int_equal(sql_integer(db, "PRAGMA data_version", &before, &err), 0);
    assert_int_equal(sql_integer(db, "PRAGMA schema_version", &before, &err), 0);
    assert_int_equal(migrate(db, NULL, NULL, &err), 0);
    assert_int_equal(sql_integer(db, "PRAGMA schema_version", &after, &err), 0);
    assert_int_equal(before, after);
    sql_close(db);
}

static void test_views_follow_the_program(void **state)
{
    struct ledger_fixture *f = *state;
    sqlite3 *db = ledger_fixture_make(f);
    char *before = ledger_fixture_query(db, "SELECT sql FROM sqlite_schema WHERE type = 'view'");
    struct err err;

    assert_int_equal(sql_exec(db,
                              "DROP VIEW appraisal_fact;"
                              "CREATE VIEW appraisal_fact AS SELECT 1 AS stale;"
                              "CREATE VIEW appraisal_of_yesterday AS SELECT 2 AS stale;"
                              "CREATE VIEW mine AS SELECT 3 AS kept",
                              &err),
                     0);
    assert_int_equal(migrate(db, NULL, NULL, &err), 0);
    assert_int_equal(sql_exec(db, "DROP VIEW mine", &err), 0);
    assert_query(db, "SELECT sql FROM sqlite_schema WHERE type = 'view'", before);
    free(before);
    sql_close(db);
}

static void test_a_newer_file_is_refused(void **state)
{
    struct ledger_fixture *f = *state;
    sqlite3 *db = ledger_fixture_make(f);
    struct err err;

    assert_int_equal(sql_exec(db, "PRAGMA user_version=999", &err), 0);
    assert_int_equal(migrate(db, NULL, NULL, &err), -ENOTSUP);
    assert_non_null(strstr(err.text, "newer kpid"));
    assert_int_equal(schema_check(db, &err), -ENOTSUP);
    sql_close(db);
}

static void test_another_programs_file_is_left_alone(void **state)
{
    struct ledger_fixture *f = *state;
    sqlite3 *db = open_plain(f);
    struct err err;

    assert_int_equal(sql_exec(db, "CREATE TABLE address (street TEXT)", &err), 0);
    assert_int_equal(migrate(db, NULL, NULL, &err), -EBADMSG);
    assert_non_null(strstr(err.text, "not kpid's"));
    assert_query(db, "SELECT name FROM sqlite_schema", "address");
    sql_close(db);
}

static void test_a_reader_wants_the_present_schema(void **state)
{
    struct ledger_fixture *f = *state;
    sqlite3 *db = open_plain(f);
    struct err err;

    assert_int_equal(schema_check(db, &err), -ENOTSUP);
    assert_non_null(strstr(err.text, "start kpid.service once"));
    assert_int_equal(schema_is_not_newer(db, &err), -EBADMSG);
    sql_close(db);
}

/* Nothing of a migration stays if it fails half way. */
static void test_a_failed_migration_leaves_nothing(void **state)
{
    struct ledger_fixture *f = *state;
    sqlite3 *db = open_plain(f);
    struct err err;

    /* The first migration will not fit. */
    assert_int_equal(sql_exec(db, "PRAGMA max_page_count=6", &err), 0);
    assert_int_equal(migrate(db, NULL, NULL, &err), -ENOSPC);
    assert_query(db, "SELECT count(*) FROM sqlite_schema", "0");
    assert_query(db, "PRAGMA user_version", "0");
    assert_int_equal(sql_exec(db, "PRAGMA max_page_count=6000", &err), 0);
    assert_int_equal(migrate(db, NULL, NULL, &err), 0);
    sql_close(db);
}

/* A file as the program of schema `version` would have made it. */
static sqlite3 *make_old(const char *path, int32_t version)
{
    struct err err;
    sqlite3 *db;

    assert_int_equal(sql_open_writer(path, &db, &err), 0);
    for (const struct schema_file *file = schema_files; file->name; file++)
        if (strtol(file->name, NULL, 10) >= 1 && strtol(file->name, NULL, 10) <= version)
            assert_int_equal(sql_exec(db, file->text, &err), 0);
    assert_int_equal(sql_execf(db, &err, "PRAGMA application_id=%d; PRAGMA user_version=%d",
                               0x6b706964, (int)version),
                     0);
    return db;
}

/* Later schemas took columns from the tickets, moved their rows, and say since when a device's
 * faults last: all as if it had been counted so. */
static void test_tickets_become_narrower(void **state)
{
    static const char tickets[] = "SELECT * FROM ticket ORDER BY kind, ticket";
    static const char devices[] = "SELECT device, faults, faults_at FROM device ORDER BY device";
    struct ledger_fixture *f = *state;
    sqlite3 *db = ledger_fixture_make(f), *old;
    struct err err;
    char *before, *devices_before;

    ledger_fixture_fill(f, db);
    assert_int_equal(rebuild_in_place(db, f->rules, NOON, NULL, NULL, &err), 0);
    before = ledger_fixture_query(db, tickets);
    assert_true(strlen(before) > 500);
    devices_before = ledger_fixture_query(db, devices);
    assert_non_null(strstr(devices_before, "]|[1"));    /* an active fault with its beginning */
    sql_close(db);

    old = make_old(ledger_fixture_path(f, "old.db"), 2);
    assert_int_equal(sql_execf(old, &err, "ATTACH '%s' AS new", f->path), 0);
    assert_int_equal(sql_exec(old,
                              "INSERT INTO main.ticket (" TICKET_COLUMNS ", last_source, last_id) "
                              "SELECT " TICKET_COLUMNS ", 'bench', 'e-1' FROM new.ticket;"
                              "INSERT INTO main.event SELECT * FROM new.event;"
                              "INSERT INTO main.house SELECT * FROM new.house;"
                              "INSERT INTO main.device SELECT device, in_service, site, model, "
                              "department, faults, due_at FROM new.device; DETACH new",
                              &err),
                     0);
    assert_int_equal(migrate(old, NULL, NULL, &err), 0);
    assert_query(old, "SELECT count(*) FROM pragma_table_info('ticket') WHERE name GLOB 'last_[si]*'",
                 "0");
    assert_query(old, tickets, before);
    assert_query(old, devices, devices_before);
    assert_query(old, "PRAGMA integrity_check", "ok");
    sql_close(old);
    free(before);
    free(devices_before);
}

static void test_a_damaged_schema_is_told(void **state)
{
    struct ledger_fixture *f = *state;
    sqlite3 *db = ledger_fixture_make(f);
    char garbage[4096 - 100];
    struct err err;
    int fd, rc;

    assert_int_equal(sql_checkpoint(db, true, NULL, &err), 0);
    sql_close(db);
    memset(garbage, 0xa5, sizeof garbage);
    fd = open(f->path, O_WRONLY);
    assert_int_equal(pwrite(fd, garbage, sizeof garbage, 100), (ssize_t)sizeof garbage);
    close(fd);
    rc = sql_open_writer(f->path, &db, &err);
    if (rc == 0) {
        rc = migrate(db, NULL, NULL, &err);
        sql_close(db);
    }
    assert_int_equal(rc, -EBADMSG);
    assert_non_null(strstr(err.text, "--restore"));
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, ledger_fixture_setup, ledger_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_new_file_gets_everything),
        TEST(test_a_second_start_writes_nothing),
        TEST(test_views_follow_the_program),
        TEST(test_a_newer_file_is_refused),
        TEST(test_another_programs_file_is_left_alone),
        TEST(test_a_reader_wants_the_present_schema),
        TEST(test_a_failed_migration_leaves_nothing),
        TEST(test_tickets_become_narrower),
        TEST(test_a_damaged_schema_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
