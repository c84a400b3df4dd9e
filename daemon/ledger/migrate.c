/* Migrations and views.
 *
 * PRAGMA user_version is the number of the last migration that was applied, so a file says by
 * itself what it lacks; each migration and its number commit together, so one that is killed has
 * not begun. PRAGMA application_id says that the file is ours at all: without it a wrong path in
 * the configuration would plant our tables in somebody else's database.
 *
 * The views are no part of the migrations: they follow the program. Whether those in the file
 * differ is seen by making them in an empty database in memory and comparing what it says. */
#include "ledger/migrate.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ledger/schema_embedded.h"
#include "ledger/sql.h"

enum { APPLICATION_ID = 0x6b706964 }; /* "kpid" */
enum { PROGRESS_STEPS = 10000000 };   /* of SQLite's machine; about half a second */

static const char views_file[] = "appraisal_views.sql";

/* Whom to tell that the work goes on. */
struct told {
    void (*progress)(void *arg, const char *what);
    void *progress_arg;
};

/* "001_ledger.sql" is 1; 0 for what is no migration. */
static int32_t number_of(const char *name)
{
    return isdigit((unsigned char)name[0]) ? (int32_t)strtol(name, NULL, 10) : 0;
}

int32_t schema_version(void)
{
    int32_t last = 0;

    for (const struct schema_file *file = schema_files; file->name; file++)
        if (number_of(file->name) > last)
            last = number_of(file->name);
    return last;
}

static const char *views_source(void)
{
    for (const struct schema_file *file = schema_files; file->name; file++)
        if (strcmp(file->name, views_file) == 0)
            return file->text;
    return "";
}

static const char *path_of(sqlite3 *db)
{
    const char *path = sqlite3_db_filename(db, "main");

    return path && path[0] ? path : "the ledger";
}

static int not_ours(sqlite3 *db, struct err *err)
{
    return err_set(err, -EBADMSG,
                   "%s is an SQLite database, but not kpid's: correct the path in the "
                   "configuration, or move the file away",
                   path_of(db));
}

static int read_identity(sqlite3 *db, int64_t *ret_version, struct err *err)
{
    int64_t version, application, objects;

    if (sql_integer(db, "PRAGMA user_version", &version, err) < 0 ||
        sql_integer(db, "PRAGMA application_id", &application, err) < 0 ||
        sql_integer(db, "SELECT count(*) FROM sqlite_schema", &objects, err) < 0)
        return -EIO;
    if (application != APPLICATION_ID && (application != 0 || version != 0 || objects > 0))
        return not_ours(db, err);
    *ret_version = version;
    return 0;
}

static int check_not_newer(sqlite3 *db, int64_t version, struct err *err)
{
    if (version <= schema_version())
        return 0;
    return err_set(err, -ENOTSUP,
                   "%s was written by a newer kpid (its schema is %lld, this program knows up to "
                   "%d): install that version again, or restore a backup from before",
                   path_of(db), (long long)version, (int)schema_version());
}

/* Reads who the file is; `why` first, so that the errno of a damaged file is told as it was. */
static int version_of(sqlite3 *db, int64_t *ret, struct err *err)
{
    struct err why = { 0 };
    int64_t version = 0;

    if (read_identity(db, &version, &why) < 0)
        return err_set(err, why.code, "%s", why.text);
    *ret = version;
    return check_not_newer(db, version, err);
}

int schema_check(sqlite3 *db, struct err *err)
{
    int64_t version;
    int rc = version_of(db, &version, err);

    if (rc < 0)
        return rc;
    if (version < schema_version())
        return err_set(err, -ENOTSUP,
                       "%s has schema %lld, this program reads %d: start kpid.service once, which "
                       "brings it up to date",
                       path_of(db), (long long)version, (int)schema_version());
    return 0;
}

int schema_is_not_newer(sqlite3 *db, struct err *err)
{
    int64_t version;
    int rc = version_of(db, &version, err);

    if (rc == 0 && version == 0)
        return err_set(err, -EBADMSG, "%s is empty: it holds no ledger", path_of(db));
    return rc;
}

/* Ends a transaction: commits, or takes back after a failure, which is the one to tell. */
static int finish(sqlite3 *db, int rc, struct err *err)
{
    if (rc == 0)
        rc = sql_exec(db, "COMMIT", err);
    if (rc < 0 && !sqlite3_get_autocommit(db))
        (void)sql_exec(db, "ROLLBACK", NULL);
    return rc;
}

static int apply(sqlite3 *db, const struct schema_file *file, struct err *err)
{
    int rc = sql_exec(db, "BEGIN IMMEDIATE", err);

    if (rc < 0)
        return rc;
    rc = sql_exec(db, file->text, err);
    if (rc == 0)
        rc = sql_execf(db, err, "PRAGMA application_id=%d; PRAGMA user_version=%d",
                       (int)APPLICATION_ID, (int)number_of(file->name));
    return finish(db, rc, err);
}

/* Every appraisal_* view of the database as one text. Gives. */
static int views_text(sqlite3 *db, char **ret, struct err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sql_prepare(db,
                         "SELECT group_concat(sql, char(10)) FROM (SELECT sql FROM sqlite_schema "
                         "WHERE type = 'view' AND name GLOB 'appraisal_*' ORDER BY name)",
                         &stmt, err);

    if (rc < 0)
        return rc;
    rc = sql_step(stmt, "views", err);
    if (rc >= 0)
        *ret = mem_strdup(sql_column_text(stmt, 0));
    sqlite3_finalize(stmt);
    return rc < 0 ? rc : 0;
}

/* What views_text says of a database that has ours. Gives. */
static int views_wanted(char **ret, struct err *err)
{
    sqlite3 *scratch;
    int rc = sql_open_writer(":memory:", &scratch, err);

    if (rc < 0)
        return rc;
    rc = sql_exec(scratch, views_source(), err);
    if (rc == 0)
        rc = views_text(scratch, ret, err);
    sql_close(scratch);
    return rc;
}

/* One statement for each view that is there; a view of yesterday may be none of today's. */
static int drop_views(sqlite3 *db, struct err *err)
{
    sqlite3_stmt *stmt = NULL;
    char *drops = NULL;
    int rc = sql_prepare(db,
                         "SELECT group_concat('DROP VIEW ' || name, ';') FROM sqlite_schema "
                         "WHERE type = 'view' AND name GLOB 'appraisal_*'",
                         &stmt, err);

    if (rc < 0)
        return rc;
    rc = sql_step(stmt, "views", err);
    if (rc >= 0)
        drops = mem_strdup(sql_column_text(stmt, 0));
    sqlite3_finalize(stmt);
    if (rc >= 0)
        rc = sql_exec(db, drops, err);
    free(drops);
    return rc;
}

static int make_views(sqlite3 *db, struct err *err)
{
    int rc = sql_exec(db, "BEGIN IMMEDIATE", err);

    if (rc < 0)
        return rc;
    rc = drop_views(db, err);
    if (rc == 0)
        rc = sql_exec(db, views_source(), err);
    return finish(db, rc, err);
}

static int refresh_views(sqlite3 *db, struct err *err)
{
    char *have = NULL, *want = NULL;
    int rc = views_text(db, &have, err);

    if (rc == 0)
        rc = views_wanted(&want, err);
    if (rc == 0 && strcmp(have, want) != 0)
        rc = make_views(db, err);
    free(have);
    free(want);
    return rc;
}

static int on_steps(void *arg)
{
    const struct told *told = arg;

    told->progress(told->progress_arg, "bringing the ledger to the present schema");
    return 0;
}

static int apply_missing(sqlite3 *db, int64_t version, struct err *err)
{
    for (const struct schema_file *file = schema_files; file->name; file++) {
        int rc;

        if (number_of(file->name) <= version)
            continue;
        rc = apply(db, file, err);
        if (rc < 0)
            return rc;
    }
    return refresh_views(db, err);
}

int migrate(sqlite3 *db, void (*progress)(void *arg, const char *what), void *progress_arg,
            struct err *err)
{
    struct told told = { .progress = progress, .progress_arg = progress_arg };
    int64_t version;
    int rc;

    assert(sqlite3_get_autocommit(db));
    rc = version_of(db, &version, err);
    if (rc < 0)
        return rc;
    if (progress)
        sqlite3_progress_handler(db, PROGRESS_STEPS, on_steps, &told);
    rc = apply_missing(db, version, err);
    sqlite3_progress_handler(db, 0, NULL, NULL);
    return rc;
}
