/* Backups of a ledger in use, and what a restore accepts, replaces and keeps. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "ledger/ledger.h"
#include "ledger/lock.h"
#include "ledger/rebuild.h"
#include "tests/lib/ledger_fixture.h"

static sqlite3 *make_counted(struct ledger_fixture *f)
{
    sqlite3 *db = ledger_fixture_make(f);
    struct err err;

    ledger_fixture_fill(f, db);
    assert_int_equal(rebuild_in_place(db, f->rules, NOON, NULL, NULL, &err), 0);
    return db;
}

static void assert_query(sqlite3 *db, const char *sql, const char *want)
{
    char *got = ledger_fixture_query(db, sql);

    assert_string_equal(got, want);
    free(got);
}

static void assert_works(int rc, const struct err *err)
{
    if (rc < 0)
        fail_msg("%s", err->text);
}

static void assert_refused(int rc, int code, const struct err *err, const char *says)
{
    assert_int_equal(rc, code);
    print_message("# %s\n", err->text);
    assert_non_null(strstr(err->text, says));
}

/* How many of the names are in the folder. */
static int count_files(struct ledger_fixture *f, const char *const *names)
{
    int count = 0;

    for (; *names; names++)
        count += access(ledger_fixture_path(f, *names), F_OK) == 0;
    return count;
}

/* Writes a byte pattern over the middle of every page but the first. */
static void damage(const char *path)
{
    static const char bytes[64] = "this is not what a page holds, and no checksum is needed for it";
    int fd = open(path, O_WRONLY);
    struct stat is;

    assert_int_equal(fstat(fd, &is), 0);
    for (off_t at = 4096; at < is.st_size; at += 4096)
        assert_int_equal(pwrite(fd, bytes, sizeof bytes, at), (ssize_t)sizeof bytes);
    close(fd);
}

static void test_a_backup_is_one_file_and_whole(void **state)
{
    static const char *const beside[] = { "b.db-wal", "b.db-shm", "b.db-journal", "b.db.part",
                                          NULL };
    struct ledger_fixture *f = *state;
    sqlite3 *db = make_counted(f);
    const char *to = ledger_fixture_path(f, "b.db");
    struct err err;
    struct stat is;

    assert_works(ledger_backup(f->path, to, &err), &err);
    assert_int_equal(count_files(f, beside), 0);
    assert_int_equal(stat(to, &is), 0);
    assert_int_equal(is.st_mode & 0777, 0640);
    assert_int_equal(ledger_verify(to, f->rules, stdout, &err), 0);
    print_message("# again, over the first\n");
    ledger_fixture_log(f, db, NOON, "\"type\":\"lookup.opened\",\"ticket\":\"new\"");
    assert_int_equal(rebuild_in_place(db, f->rules, NOON, NULL, NULL, &err), 0);
    assert_works(ledger_backup(f->path, to, &err), &err);
    assert_int_equal(ledger_verify(to, f->rules, stdout, &err), 0);
    assert_int_equal(count_files(f, beside), 0);
    sql_close(db);
}

/* Inserts until it is killed. */
static pid_t start_writer(struct ledger_fixture *f)
{
    pid_t child = fork();
    struct err err;
    sqlite3 *db;

    if (child != 0)
        return child;
    db = ledger_fixture_make(f);
    for (;;)
        if (sql_exec(db,
                     "BEGIN IMMEDIATE;"
                     "INSERT INTO cursor VALUES (hex(randomblob(30)), hex(randomblob(900)), 1);"
                     "UPDATE house SET last_at = last_at + 1; COMMIT",
                     &err) < 0)
            _exit(1);
}

static void test_a_backup_under_load_is_of_one_instant(void **state)
{
    struct ledger_fixture *f = *state;
    const char *to = ledger_fixture_path(f, "b.db");
    struct err err;
    sqlite3 *db;
    int64_t rows = 0;
    pid_t writer;

    sql_close(make_counted(f));
    assert_int_equal(sql_open_reader(f->path, &db, &err), 0);
    writer = start_writer(f);
    for (int tries = 0; rows < 20 && tries < 2000000; tries++)
        assert_int_equal(sql_integer(db, "SELECT last_at FROM house", &rows, &err), 0);
    for (int i = 0; i < 5; i++)
        assert_works(ledger_backup(f->path, to, &err), &err);
    assert_int_equal(kill(writer, SIGKILL), 0);
    assert_int_equal(waitpid(writer, NULL, 0), writer);
    sql_close(db);

    assert_int_equal(sql_open_reader(to, &db, &err), 0);
    assert_query(db, "SELECT (SELECT count(*) FROM cursor) = (SELECT last_at FROM house)", "1");
    assert_int_equal(sql_integer(db, "SELECT count(*) FROM cursor", &rows, &err), 0);
    assert_true(rows >= 20);
    sql_close(db);
}

static void test_a_backup_overwrites_no_database_in_use(void **state)
{
    struct ledger_fixture *f = *state;
    struct err err;

    assert_refused(ledger_backup(f->path, ledger_fixture_path(f, "b.db"), &err), -ENOENT, &err,
                   "no ledger");
    sql_close(make_counted(f));
    assert_refused(ledger_backup(f->path, f->path, &err), -EINVAL, &err, "the ledger itself");
    assert_int_equal(close(open(ledger_fixture_path(f, "other.db-wal"), O_CREAT | O_WRONLY, 0600)),
                     0);
    assert_refused(ledger_backup(f->path, ledger_fixture_path(f, "other.db"), &err), -EEXIST, &err,
                   "in use");
    assert_int_equal(symlink(f->path, ledger_fixture_path(f, "l.db")), 0);
    assert_refused(ledger_backup(f->path, ledger_fixture_path(f, "l.db"), &err), -EINVAL, &err,
                   "the ledger itself");
    assert_refused(ledger_backup(f->path, ledger_fixture_path(f, "no/b.db"), &err), -ENOENT, &err,
                   "no/b.db");
}

static void test_a_damaged_ledger_gives_no_backup(void **state)
{
    static const char *const made[] = { "b.db", "b.db.part", NULL };
    struct ledger_fixture *f = *state;
    sqlite3 *db = make_counted(f);
    struct err err;

    assert_int_equal(sql_checkpoint(db, true, NULL, &err), 0);
    sql_close(db);
    damage(f->path);
    assert_refused(ledger_backup(f->path, ledger_fixture_path(f, "b.db"), &err), -EBADMSG, &err,
                   "damaged");
    assert_int_equal(count_files(f, made), 0);
}

static void test_a_restore_brings_the_state_back(void **state)
{
    static const char *const kept[] = { "kpid.db", "kpid.db.replaced", "kpid.db-wal", "kpid.db-shm",
                                        NULL };
    static const char *const gone[] = { "kpid.db.restore", "kpid.db.restore-wal",
                                        "kpid.db.replaced-wal", NULL };
    struct ledger_fixture *f = *state;
    const char *backup = ledger_fixture_path(f, "b.db");
    sqlite3 *db = make_counted(f);
    struct err err;
    struct stat is;

    assert_works(ledger_backup(f->path, backup, &err), &err);
    assert_int_equal(chmod(f->path, 0660), 0);
    /* Stays in the write-ahead log, which must not come over the restored file. */
    assert_int_equal(sql_exec(db, "DELETE FROM event; UPDATE house SET position = 0", &err), 0);
    sql_close(db);

    assert_works(ledger_restore(backup, f->path, &err), &err);
    assert_int_equal(count_files(f, kept), 4);
    assert_int_equal(count_files(f, gone), 0);
    assert_int_equal(stat(f->path, &is), 0);
    assert_int_equal(is.st_mode & 0777, 0660);
    assert_int_equal(ledger_verify(f->path, f->rules, stdout, &err), 0);
    db = ledger_fixture_make(f);
    assert_query(db, "SELECT count(*) FROM event", "30");
    sql_close(db);
    print_message("# what was replaced is whole as well\n");
    assert_int_equal(sql_open_writer(ledger_fixture_path(f, "kpid.db.replaced"), &db, &err), 0);
    assert_query(db, "SELECT count(*) FROM event", "0");
    sql_close(db);
}

static void test_a_restore_where_nothing_was(void **state)
{
    struct ledger_fixture *f = *state;
    const char *backup = ledger_fixture_path(f, "b.db"), *to = ledger_fixture_path(f, "new.db");
    struct err err;

    sql_close(make_counted(f));
    assert_works(ledger_backup(f->path, backup, &err), &err);
    assert_works(ledger_restore(backup, to, &err), &err);
    assert_int_equal(ledger_verify(to, f->rules, stdout, &err), 0);
    assert_int_equal(access(ledger_fixture_path(f, "new.db.replaced"), F_OK), -1);
}

/* A ledger that nothing can open any more is why one restores. */
static void test_a_restore_over_a_damaged_ledger(void **state)
{
    struct ledger_fixture *f = *state;
    const char *backup = ledger_fixture_path(f, "b.db");
    struct err err;
    int fd;

    sql_close(make_counted(f));
    assert_works(ledger_backup(f->path, backup, &err), &err);
    fd = open(f->path, O_WRONLY);
    assert_int_equal(pwrite(fd, "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz", 32, 0), 32);
    close(fd);
    fd = open(ledger_fixture_path(f, "kpid.db-wal"), O_WRONLY);
    assert_int_equal(pwrite(fd, "old log", 7, 0), 7);
    close(fd);
    assert_works(ledger_restore(backup, f->path, &err), &err);
    assert_int_equal(ledger_verify(f->path, f->rules, stdout, &err), 0);
    assert_int_equal(access(ledger_fixture_path(f, "kpid.db.replaced"), F_OK), 0);
    assert_int_equal(access(ledger_fixture_path(f, "kpid.db.replaced-wal"), F_OK), 0);
}

static void test_what_a_restore_refuses(void **state)
{
    struct ledger_fixture *f = *state;
    const char *backup = ledger_fixture_path(f, "b.db"), *bad = ledger_fixture_path(f, "bad.db");
    struct err err;
    sqlite3 *db;
    int lock;

    sql_close(make_counted(f));
    assert_refused(ledger_restore(backup, f->path, &err), -ENOENT, &err, "no backup");
    assert_works(ledger_backup(f->path, backup, &err), &err);
    assert_refused(ledger_restore(f->path, f->path, &err), -EINVAL, &err, "name a backup");

    print_message("# while a daemon runs\n");
    assert_int_equal(ledger_lock(f->path, &lock, &err), 0);
    assert_refused(ledger_restore(backup, f->path, &err), -EBUSY, &err, "stop it first");
    close(lock);

    print_message("# a damaged backup\n");
    assert_works(ledger_backup(f->path, bad, &err), &err);
    damage(bad);
    assert_refused(ledger_restore(bad, f->path, &err), -EBADMSG, &err, "damaged");

    print_message("# one whose log was cut\n");
    assert_works(ledger_backup(f->path, bad, &err), &err);
    assert_int_equal(sql_open_writer(bad, &db, &err), 0);
    assert_int_equal(sql_exec(db, "DELETE FROM event WHERE seq = 30", &err), 0);
    sql_close(db);
    assert_refused(ledger_restore(bad, f->path, &err), -EBADMSG, &err, "its log ends at 29");

    print_message("# another program's file\n");
    assert_int_equal(unlink(bad), 0);
    assert_int_equal(sql_open_writer(bad, &db, &err), 0);
    assert_int_equal(sql_exec(db, "CREATE TABLE address (street TEXT)", &err), 0);
    sql_close(db);
    assert_refused(ledger_restore(bad, f->path, &err), -EBADMSG, &err, "not kpid's");

    print_message("# and the ledger is as it was\n");
    assert_int_equal(ledger_verify(f->path, f->rules, stdout, &err), 0);
    assert_int_equal(access(ledger_fixture_path(f, "kpid.db.restore"), F_OK), -1);
    assert_int_equal(access(ledger_fixture_path(f, "kpid.db.replaced"), F_OK), -1);
}

static char *verified(struct ledger_fixture *f, int want)
{
    char *text;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    struct err err;
    int rc = ledger_verify(f->path, f->rules, out, &err);

    fclose(out);
    assert_int_equal(rc, want);
    return text;
}

static void test_verifying(void **state)
{
    struct ledger_fixture *f = *state;
    sqlite3 *db = make_counted(f);
    struct err err;
    char *text;

    assert_int_equal(sql_exec(db,
                              "UPDATE fact SET pending = 9 WHERE kind = 3 AND "
                              "kpi = 'lookup_accuracy' AND scope = 'company'",
                              &err),
                     0);
    text = verified(f, 1);
    assert_string_equal(text, "fact \"lookup_accuracy\" \"2026\" \"company\": pending: stored 9, "
                              "computed 0\n");
    free(text);
    print_message("# under other rules the facts cannot be judged\n");
    f->rules->kpis[0].rework_window_ms = HOUR;
    text = verified(f, 0);
    assert_non_null(strstr(text, "other rules"));
    free(text);
    sql_close(db);
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, ledger_fixture_setup, ledger_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_backup_is_one_file_and_whole),
        TEST(test_a_backup_under_load_is_of_one_instant),
        TEST(test_a_backup_overwrites_no_database_in_use),
        TEST(test_a_damaged_ledger_gives_no_backup),
        TEST(test_a_restore_brings_the_state_back),
        TEST(test_a_restore_where_nothing_was),
        TEST(test_a_restore_over_a_damaged_ledger),
        TEST(test_what_a_restore_refuses),
        TEST(test_verifying),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
