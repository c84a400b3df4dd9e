/* Backup and restore.
 *
 * A backup is one file without side files: SQLite's online copy, read under one view of the ledger
 * so that a busy daemon neither waits for it nor makes it begin again, then read back, synced and
 * put in place by a rename. A restore goes the same way in the other direction, and what it
 * replaces is kept beside it as FILE.replaced. At every instant there is a whole ledger under the
 * ledger's name: the old one is first made whole without its write-ahead log, because a log that
 * stayed would be applied to the new file. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "ledger/files.h"
#include "ledger/ledger.h"
#include "ledger/lock.h"
#include "ledger/migrate.h"
#include "ledger/rebuild.h"
#include "ledger/sql.h"
#include "ledger/verify.h"

enum { PAGES_AT_ONCE = 1024 };

static const char *const side_files[] = { "-wal", "-shm", "-journal" };

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

static bool same_file(const char *a, const char *b)
{
    struct stat x, y;

    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static int remove_side_files(const char *path, struct err *err)
{
    int rc = 0;

    for (size_t i = 0; i < LENGTH(side_files) && rc == 0; i++) {
        char *name = mem_printf("%s%s", path, side_files[i]);

        rc = file_remove(name, err);
        free(name);
    }
    return rc;
}

static int remove_database(const char *path, struct err *err)
{
    int rc = file_remove(path, err);

    return rc < 0 ? rc : remove_side_files(path, err);
}

static int rename_file(const char *from, const char *to, struct err *err)
{
    if (rename(from, to) < 0)
        return err_set(err, -errno, "%s could not be put in place as %s: %s", from, to,
                       strerror(errno));
    return 0;
}

/* `from` sits in a read transaction: its pages are those of one instant. */
static int copy_pages(sqlite3 *from, sqlite3 *to, struct err *err)
{
    sqlite3_backup *copy = sqlite3_backup_init(to, "main", from, "main");
    int rc;

    if (!copy)
        return sql_error(err, to, sqlite3_extended_errcode(to), "copy");
    do
        rc = sqlite3_backup_step(copy, PAGES_AT_ONCE);
    while (rc == SQLITE_OK);
    (void)sqlite3_backup_finish(copy); /* repeats the failure that the step has told */
    if (rc == SQLITE_DONE)
        return 0;
    /* SQLite does not say on which side it failed: a full disk is the target's. */
    return sql_error(err, (rc & 0xff) == SQLITE_CORRUPT ? from : to, rc, "copy");
}

/* The target: durable by our own sync at the end, one file by its journal mode. */
static int open_target(const char *path, sqlite3 **ret, struct err *err)
{
    int fd, rc = remove_database(path, err);

    if (rc < 0)
        return rc;
    fd = file_open_or_make(path, err);
    if (fd < 0)
        return fd;
    (void)close(fd); /* empty, nothing was written */
    rc = sqlite3_open_v2(path, ret,
                         SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    if (rc == SQLITE_OK)
        return 0;
    rc = sql_error(err, *ret, rc, "copy");
    sql_close(*ret);
    return rc;
}

static int copy_into(sqlite3 *from, const char *to, struct err *err)
{
    sqlite3 *target = NULL;
    int rc = open_target(to, &target, err);

    if (rc < 0)
        return rc;
    rc = sql_exec(target, "PRAGMA synchronous=OFF", err);
    if (rc == 0)
        rc = copy_pages(from, target, err);
    if (rc == 0)
        rc = sql_exec(target, "PRAGMA journal_mode=DELETE", err);
    sql_close(target);
    return rc;
}

/* Copies the ledger at `from`, in use or not, to the single file `to`. */
static int copy_ledger(const char *from, const char *to, struct err *err)
{
    sqlite3 *source;
    int64_t version;
    int rc = sql_open_reader(from, &source, err);

    if (rc < 0)
        return rc;
    rc = sql_exec(source, "BEGIN", err);
    if (rc == 0)
        rc = sql_integer(source, "PRAGMA schema_version", &version, err);
    if (rc == 0)
        rc = sql_integer(source, "SELECT count(*) FROM sqlite_schema", &version, err);
    if (rc == 0)
        rc = copy_into(source, to, err);
    sql_close(source);
    return rc < 0 ? rc : file_sync(to, err);
}

/* SQLite's own look at every page. `check` is integrity_check or quick_check. */
static int check_pages(sqlite3 *db, const char *path, const char *check, struct err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sql_preparef(db, &stmt, err, "PRAGMA %s(1)", check);

    if (rc < 0)
        return rc;
    rc = sql_step(stmt, check, err);
    if (rc > 0 && strcmp(sql_column_text(stmt, 0), "ok") != 0)
        rc = err_set(err, -EBADMSG, "%s is damaged: %s", path, sql_column_text(stmt, 0));
    sqlite3_finalize(stmt);
    return rc < 0 ? rc : 0;
}

/* Does what the house row says of the log agree with the log? Events that it does not speak for yet
 * are no fault: they are counted at the next start. */
static int check_position(sqlite3 *db, const char *path, struct err *err)
{
    int64_t position, last;
    int rc = sql_integer(db, "SELECT position FROM house", &position, err);

    if (rc == 0)
        rc = sql_integer(db, "SELECT coalesce(max(seq), 0) FROM event", &last, err);
    if (rc < 0)
        return rc;
    if (position > last)
        return err_set(err, -EBADMSG,
                       "%s is damaged: it speaks for event %lld, its log ends at %lld", path,
                       (long long)position, (long long)last);
    return 0;
}

static int check_file(const char *path, const char *check, struct err *err)
{
    sqlite3 *db;
    int rc = sql_open_reader(path, &db, err);

    if (rc < 0)
        return rc;
    rc = check_pages(db, path, check, err);
    if (rc == 0)
        rc = schema_is_not_newer(db, err);
    if (rc == 0)
        rc = check_position(db, path, err);
    sql_close(db);
    return rc;
}

/* 1 if a recount under `rules` ought to find what is stored; else 0 and why not on `out`. */
static int is_comparable(sqlite3 *db, const char *path, const struct rules *rules, FILE *out,
                         struct err *err)
{
    char *counting = rules_counting_text(rules), *valuing = rules_valuing_text(rules);
    sqlite3_stmt *stmt = NULL;
    int rc = sql_prepare(db, "SELECT counting = ?1 AND valuing = ?2 FROM house", &stmt, err);

    if (rc == 0) {
        sql_bind_text(stmt, 1, counting);
        sql_bind_text(stmt, 2, valuing);
        rc = sql_step(stmt, "house", err);
        if (rc > 0)
            rc = sqlite3_column_int(stmt, 0) != 0;
        sqlite3_finalize(stmt);
    }
    if (rc == 0)
        fprintf(out,
                "%s was counted under other rules than today's: its pages are sound, its "
                "facts will be counted anew at the next start\n",
                path);
    free(counting);
    free(valuing);
    return rc;
}

static int should_compare(const char *path, const struct rules *rules, FILE *out, struct err *err)
{
    sqlite3 *db;
    int64_t version;
    int rc = sql_open_reader(path, &db, err);

    if (rc < 0)
        return rc;
    rc = sql_integer(db, "PRAGMA user_version", &version, err);
    if (rc == 0 && version == schema_version())
        rc = is_comparable(db, path, rules, out, err);
    else if (rc == 0)
        fprintf(out,
                "%s is from an older kpid: its pages are sound, its facts can be compared "
                "once it was started\n",
                path);
    sql_close(db);
    return rc;
}

/* Whoever restores wants what was sealed. A ledger from before there were seals has no chain. */
static int check_chain(const char *path, FILE *out, struct err *err)
{
    struct chain_report report;
    int64_t seals = 0;
    sqlite3 *db;
    int rc = sql_open_reader(path, &db, err);

    if (rc < 0)
        return rc;
    rc = sql_integer(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'seal'", &seals, err);
    sql_close(db);
    if (rc == 0 && seals > 0)
        rc = chain_verify(path, NULL, &report, err);
    if (rc < 0 || seals == 0)
        return rc;
    if (report.first_bad)
        return err_set(err, -EBADMSG, "the chain of %s does not hold at %s", path, report.why);
    if (report.records > 0)
        fprintf(out, "%s: the chain holds: %lld records, %lld sealed facts, %lld events\n", path,
            (long long)report.records, (long long)report.facts, (long long)report.events);
    return 0;
}

int ledger_verify(const char *path, const struct rules *rules, FILE *out, struct err *err)
{
    int rc;

    if (!is_there(path))
        return err_set(err, -ENOENT, "there is no file %s", path);
    rc = check_file(path, "integrity_check", err);
    if (rc == 0)
        rc = check_chain(path, out, err);
    if (rc == 0)
        rc = should_compare(path, rules, out, err);
    return rc <= 0 ? rc : rebuild_compare(path, rules, NULL, NULL, out, err);
}

/* Nobody's living database is overwritten by a backup. */
static int check_target(const char *from, const char *to, struct err *err)
{
    char *wal = mem_printf("%s-wal", to);
    bool in_use = is_there(wal);

    free(wal);
    if (same_file(from, to))
        return err_set(err, -EINVAL, "%s is the ledger itself: name another file", to);
    if (in_use)
        return err_set(err, -EEXIST, "%s is a database in use: name another file", to);
    return 0;
}

int ledger_backup(const char *from, const char *to, struct err *err)
{
    char *part;
    int rc = check_target(from, to, err);

    if (rc < 0)
        return rc;
    part = mem_printf("%s.part", to);
    rc = copy_ledger(from, part, err);
    if (rc == 0)
        rc = check_file(part, "quick_check", err);
    if (rc == 0)
        rc = rename_file(part, to, err);
    if (rc == 0)
        rc = file_sync_folder(to, err);
    if (rc < 0)
        (void)remove_database(part, NULL); /* the first failure is the one to tell */
    free(part);
    return rc;
}

/* Moves what the old ledger's write-ahead log holds into its file. */
static int drain_wal(const char *path, struct err *err)
{
    sqlite3 *db;
    int64_t left = 0;
    int rc = sql_open_writer(path, &db, err);

    if (rc < 0)
        return rc;
    rc = sql_checkpoint(db, true, &left, err);
    sql_close(db);
    if (rc == 0 && left > 0)
        return err_set(err, -EBUSY,
                       "a reader of %s sits in a long transaction: end it (fuser -v %s)", path,
                       path);
    return rc;
}

/* A ledger that cannot be opened any more keeps its log under the name that the file will get. */
static int set_wal_aside(const char *path, const char *kept, struct err *err)
{
    char *wal = mem_printf("%s-wal", path), *kept_wal = mem_printf("%s-wal", kept);
    int rc = is_there(wal) ? rename_file(wal, kept_wal, err) : 0;

    free(wal);
    free(kept_wal);
    return rc;
}

/* Keeps the old ledger as `kept`, too, and leaves it under its own name without side files. */
static int keep_old(const char *path, const char *kept, struct err *err)
{
    int rc;

    if (!is_there(path))
        return remove_side_files(path, err);
    rc = remove_database(kept, err);
    if (rc < 0)
        return rc;
    rc = drain_wal(path, err);
    if (rc == -EBUSY)
        return rc;
    if (rc < 0)
        rc = set_wal_aside(path, kept, err);
    if (rc == 0 && link(path, kept) < 0)
        rc = err_set(err, -errno, "%s could not be kept as %s: %s", path, kept, strerror(errno));
    return rc < 0 ? rc : remove_side_files(path, err);
}

/* Makes the side files that readers without write permission need. */
static int open_once(const char *path, struct err *err)
{
    sqlite3 *db;
    int rc = sql_open_writer(path, &db, err);

    if (rc < 0)
        return rc;
    rc = migrate(db, NULL, NULL, err);
    if (rc == 0)
        rc = rebuild_drop_leftovers(db, err);
    sql_close(db);
    return rc;
}

static int put_in_place(const char *part, const char *to, struct err *err)
{
    char *kept = mem_printf("%s.replaced", to);
    int rc;

    if (is_there(to))
        file_copy_owner(part, to);
    rc = keep_old(to, kept, err);
    if (rc == 0)
        rc = rename_file(part, to, err);
    if (rc == 0)
        rc = file_sync_folder(to, err);
    if (rc == 0)
        rc = open_once(to, err);
    free(kept);
    return rc;
}

/* The copy is checked, not the backup: what was read is what will be used. */
static int copy_and_check(const char *from, const char *part, struct err *err)
{
    struct err why;
    int rc = copy_ledger(from, part, &why);

    if (rc == 0)
        rc = check_file(part, "integrity_check", &why);
    return rc < 0 ? err_set(err, rc, "%s cannot be restored: %s", from, why.text) : 0;
}

static int restore_locked(const char *from, const char *to, struct err *err)
{
    char *part = mem_printf("%s.restore", to);
    int rc = copy_and_check(from, part, err);

    if (rc == 0)
        rc = put_in_place(part, to, err);
    if (rc < 0)
        (void)remove_database(part, NULL); /* the first failure is the one to tell */
    free(part);
    return rc;
}

int ledger_restore(const char *from, const char *to, struct err *err)
{
    int lock, rc;

    if (same_file(from, to))
        return err_set(err, -EINVAL, "%s is the ledger itself: name a backup", from);
    if (!is_there(from))
        return err_set(err, -ENOENT, "there is no backup at %s", from);
    rc = ledger_lock(to, &lock, err);
    if (rc < 0)
        return rc;
    rc = restore_locked(from, to, err);
    (void)close(lock); /* nothing was written to it */
    return rc;
}
