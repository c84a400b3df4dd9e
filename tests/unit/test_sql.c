/* How a ledger is opened, who can read it, and what a failure of SQLite says. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "kpi/ticket.h"
#include "ledger/files.h"
#include "ledger/lock.h"
#include "tests/lib/ledger_fixture.h"

static void test_failures_have_an_errno_and_an_instruction(void **state)
{
    static const struct {
        int rc;
        int code;
        const char *says;
    } cases[] = {
        { SQLITE_FULL, -ENOSPC, "free some space" },
        { SQLITE_IOERR_FSYNC, -EIO, "kernel's log" },
        { SQLITE_READONLY_DBMOVED, -EROFS, "read-only" },
        { SQLITE_CORRUPT, -EBADMSG, "--restore" },
        { SQLITE_NOTADB, -EBADMSG, "not an SQLite database" },
        { SQLITE_BUSY_SNAPSHOT, -EBUSY, "fuser" },
        { SQLITE_CONSTRAINT_UNIQUE, -EEXIST, "contradicts" },
        { SQLITE_NOMEM, -ENOMEM, "memory" },
        { SQLITE_INTERRUPT, -EINTR, "interrupted" },
        { SQLITE_MISUSE, -EIO, "misuse" },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct err err;

        print_message("# %s\n", sqlite3_errstr(cases[i].rc));
        assert_int_equal(sql_error(&err, NULL, cases[i].rc, "commit"), cases[i].code);
        assert_int_equal(err.code, cases[i].code);
        assert_ptr_equal(strstr(err.text, "commit: "), err.text);
        assert_non_null(strstr(err.text, cases[i].says));
    }
}

static void test_a_full_disk_says_so(void **state)
{
    struct ledger_fixture *f = *state;
    sqlite3 *db = ledger_fixture_make(f);
    struct err err;
    int rc = 0;

    assert_int_equal(sql_exec(db, "PRAGMA max_page_count=60", &err), 0);
    while (rc == 0)
        rc = sql_exec(db, "INSERT INTO cursor VALUES (hex(randomblob(400)), 'x', 1)", &err);
    assert_int_equal(rc, -ENOSPC);
    assert_non_null(strstr(err.text, f->path));
    sql_close(db);
}

static void test_a_writer_makes_the_file_for_its_group(void **state)
{
    struct ledger_fixture *f = *state;
    static const char *const names[] = { "kpid.db", "kpid.db-wal", "kpid.db-shm" };
    mode_t before = umask(077);
    sqlite3 *db = ledger_fixture_make(f);

    for (size_t i = 0; i < LENGTH(names); i++) {
        struct stat is;

        print_message("# %s\n", names[i]);
        assert_int_equal(stat(ledger_fixture_path(f, names[i]), &is), 0);
        assert_int_equal(is.st_mode & 0777, 0640);
    }
    umask(before);
    sql_close(db);
}

/* In a child who is nobody, in the file's group alone: what sql_open_reader answers. */
static int read_as_nobody(struct ledger_fixture *f, gid_t group)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        sqlite3 *db;
        struct err err;
        int64_t as_of = 0;
        int rc;

        if (setgroups(1, &group) < 0 || setgid(65534) < 0 || setuid(65534) < 0)
            _exit(100);
        rc = sql_open_reader(f->path, &db, &err);
        if (rc == 0)
            rc = sql_integer(db, "SELECT as_of FROM house", &as_of, &err);
        _exit(rc == 0 && as_of == NOON ? 0 : rc < 0 ? -rc : 101);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void test_another_user_reads(void **state)
{
    struct ledger_fixture *f = *state;
    struct stat is;
    sqlite3 *db;
    pid_t child;

    if (geteuid() != 0)
        skip();
    assert_int_equal(chmod(f->folder, 0755), 0);
    db = ledger_fixture_make(f);
    assert_int_equal(stat(f->path, &is), 0);
    print_message("# while the writer runs\n");
    assert_int_equal(read_as_nobody(f, is.st_gid), 0);
    sql_close(db);
    print_message("# after a clean stop\n");
    assert_int_equal(read_as_nobody(f, is.st_gid), 0);

    child = fork();
    if (child == 0) {
        (void)ledger_fixture_make(f);
        _exit(0); /* as if killed: nothing is closed */
    }
    assert_int_equal(waitpid(child, NULL, 0), child);
    print_message("# after a writer that was killed\n");
    assert_int_equal(read_as_nobody(f, is.st_gid), 0);

    assert_int_equal(unlink(ledger_fixture_path(f, "kpid.db-wal")), 0);
    assert_int_equal(unlink(ledger_fixture_path(f, "kpid.db-shm")), 0);
    print_message("# not once somebody removed the side files\n");
    assert_int_not_equal(read_as_nobody(f, is.st_gid), 0);
    sql_close(ledger_fixture_make(f));
    print_message("# and again once the daemon has made them\n");
    assert_int_equal(read_as_nobody(f, is.st_gid), 0);
}

static void test_a_reader_changes_nothing(void **state)
{
    struct ledger_fixture *f = *state;
    struct err err;
    sqlite3 *db;

    assert_int_equal(sql_open_reader(f->path, &db, &err), -ENOENT);
    assert_non_null(strstr(err.text, "start kpid.service"));
    assert_int_equal(access(f->path, F_OK), -1);
    sql_close(ledger_fixture_make(f));
    assert_int_equal(sql_open_reader(f->path, &db, &err), 0);
    assert_int_equal(sql_exec(db, "DELETE FROM house", &err), -EROFS);
    sql_close(db);
}

static void test_what_is_no_database_is_refused(void **state)
{
    struct ledger_fixture *f = *state;
    static const char text[] = "timezone = \"Asia/Shanghai\";\n# a configuration, and long enough "
                               "to be taken for a header of a hundred bytes or more: surely so.\n";
    int fd = file_open_or_make(f->path, NULL);
    struct err err;
    sqlite3 *db;

    assert_int_equal(write(fd, text, sizeof text), sizeof text);
    close(fd);
    assert_int_equal(sql_open_writer(f->path, &db, &err), -EBADMSG);
    assert_non_null(strstr(err.text, "not an SQLite database"));
    assert_int_equal(sql_open_reader(f->path, &db, &err), -EBADMSG);
}

static void test_null_is_none_both_ways(void **state)
{
    struct ledger_fixture *f = *state;
    char small[4];
    sqlite3_stmt *stmt;
    struct err err;
    sqlite3 *db;

    assert_int_equal(sql_open_writer(":memory:", &db, &err), 0);
    (void)f;
    assert_int_equal(sql_prepare(db, "SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7", &stmt, &err), 0);
    sql_bind_text_or_null(stmt, 1, "");
    sql_bind_text_or_null(stmt, 2, "abc");
    sql_bind_instant(stmt, 3, INSTANT_NONE);
    sql_bind_instant(stmt, 4, INSTANT_NEVER);
    sql_bind_instant(stmt, 5, 0);
    sql_bind_integer_or_null(stmt, 6, -1, -1);
    sql_bind_text(stmt, 7, "abcd");
    assert_int_equal(sql_step(stmt, "row", &err), 1);
    for (int i = 0; i < 7; i++)
        assert_int_equal(sqlite3_column_type(stmt, i) == SQLITE_NULL,
                         i == 0 || i == 2 || i == 3 || i == 5);
    assert_string_equal(sql_column_text(stmt, 0), "");
    assert_true(sql_column_text_into(stmt, 1, small, sizeof small));
    assert_string_equal(small, "abc");
    assert_false(sql_column_text_into(stmt, 6, small, sizeof small));
    assert_string_equal(small, "");
    assert_int_equal(sql_column_integer_or(stmt, 3, 7), 7);
    assert_int_equal(sql_column_integer_or(stmt, 4, 7), 0);
    sqlite3_finalize(stmt);
    sql_close(db);
}

static void test_a_checkpoint_waits_for_no_reader(void **state)
{
    struct ledger_fixture *f = *state;
    sqlite3 *db = ledger_fixture_make(f), *reader;
    int64_t used, one;
    struct err err;

    assert_int_equal(sql_checkpoint(db, false, &used, &err), 0);
    assert_int_equal(used, 0);
    assert_int_equal(sql_open_reader(f->path, &reader, &err), 0);
    assert_int_equal(sql_exec(reader, "BEGIN", &err), 0);
    assert_int_equal(sql_integer(reader, "SELECT count(*) FROM cursor", &one, &err), 0);
    assert_int_equal(sql_exec(db, "INSERT INTO cursor VALUES ('a', 'b', 1)", &err), 0);
    assert_int_equal(sql_checkpoint(db, false, &used, &err), 0);
    assert_true(used > 0);
    sql_close(reader);
    assert_int_equal(sql_checkpoint(db, true, &used, &err), 0);
    assert_int_equal(used, 0);
    sql_close(db);
}

static void test_two_daemons_cannot_hold_one_ledger(void **state)
{
    struct ledger_fixture *f = *state;
    int first, second;
    struct err err;

    assert_int_equal(ledger_lock(f->path, &first, &err), 0);
    assert_int_equal(ledger_lock(f->path, &second, &err), -EBUSY);
    assert_non_null(strstr(err.text, "systemctl stop"));
    close(first);
    assert_int_equal(ledger_lock(f->path, &second, &err), 0);
    close(second);
    assert_int_equal(ledger_lock(":memory:", &second, &err), 0);
    assert_int_equal(second, -1);
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, ledger_fixture_setup, ledger_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_failures_have_an_errno_and_an_instruction),
        TEST(test_a_full_disk_says_so),
        TEST(test_a_writer_makes_the_file_for_its_group),
        TEST(test_another_user_reads),
        TEST(test_a_reader_changes_nothing),
        TEST(test_what_is_no_database_is_refused),
        TEST(test_null_is_none_both_ways),
        TEST(test_a_checkpoint_waits_for_no_reader),
        TEST(test_two_daemons_cannot_hold_one_ledger),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
