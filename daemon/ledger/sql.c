/* Thin helpers over SQLite. What each pragma is for:
 *
 *   journal_mode=WAL          readers never block the writer, nor the writer them
 *   SQLITE_FCNTL_PERSIST_WAL  the side files stay when the last writer leaves, so that a reader
 *                             without write permission can still open the ledger
 *   journal_size_limit        a long reader once made the log large; afterwards it shrinks again
 *   secure_delete=OFF         Debian's library overwrites what it frees: a dropped table would go
 *                             through the log page by page
 *   cell_size_check=ON        a damaged page is found when it is read, not when it has spread
 *   trusted_schema=OFF        a view in a restored file cannot call what it should not */
#include "ledger/sql.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "kpi/ticket.h"
#include "ledger/files.h"

enum { WRITER_PATIENCE_MS = 5000, READER_PATIENCE_MS = 2000, ERROR_ADVICE_SIZE = 320 };

static const char writer_pragmas[] = "PRAGMA synchronous=FULL;"
                                     "PRAGMA foreign_keys=ON;"
                                     "PRAGMA secure_delete=OFF;"
                                     "PRAGMA cell_size_check=ON;"
                                     "PRAGMA trusted_schema=OFF;"
                                     "PRAGMA cache_size=-8192;"
                                     "PRAGMA wal_autocheckpoint=0;"
                                     "PRAGMA journal_size_limit=16777216;";

static const char reader_pragmas[] = "PRAGMA query_only=ON;"
                                     "PRAGMA cell_size_check=ON;"
                                     "PRAGMA trusted_schema=OFF;"
                                     "PRAGMA cache_size=-2048;";

/* What an administrator does about it. `%s` is the file. */
static const struct advice {
    int rc;
    int code;
    const char *sentence;
} advices[] = {
    { SQLITE_FULL, -ENOSPC,
      "the disk that holds %s is full: free some space; nothing acknowledged is lost" },
    { SQLITE_IOERR, -EIO,
      "the disk that holds %s failed: look at the kernel's log; nothing acknowledged is lost" },
    { SQLITE_READONLY, -EROFS,
      "%s cannot be written: check that its file system is not mounted read-only and that the "
      "file and its folder belong to the daemon's user" },
    { SQLITE_CORRUPT, -EBADMSG,
      "%s is damaged: stop the daemon, keep a copy of the file, and put the last backup in its "
      "place with kpid --restore" },
    { SQLITE_NOTADB, -EBADMSG,
      "%s is not an SQLite database: move it away, or put a backup in its place with "
      "kpid --restore" },
    { SQLITE_BUSY, -EBUSY, "another program holds %s: find it with fuser and end it" },
    { SQLITE_LOCKED, -EBUSY, "%s is locked by another statement" },
    { SQLITE_CONSTRAINT, -EEXIST, "%s holds something that contradicts it" },
    { SQLITE_NOMEM, -ENOMEM, "no memory left to work on %s" },
    { SQLITE_INTERRUPT, -EINTR, "the work on %s was interrupted" },
    { SQLITE_ERROR, -EIO, "%s does not have the form that this kpid expects" },
};

static const char *name_of(sqlite3 *db)
{
    const char *name = db ? sqlite3_db_filename(db, "main") : NULL;

    return name && name[0] ? name : "the ledger";
}

/* "cannot open" has many reasons; the system knows which. */
static int cannot_open(struct err *err, sqlite3 *db, const char *what)
{
    int why = db ? sqlite3_system_errno(db) : 0;

    if (why == 0)
        why = EIO;
    if (why == ENOENT)
        return err_set(err, -why,
                       "%s: %s or its side files (-wal, -shm) are missing: start kpid.service, "
                       "which makes them; look at it by hand only with sqlite3 -readonly",
                       what, name_of(db));
    return err_set(err, -why, "%s: %s cannot be opened: %s", what, name_of(db), strerror(why));
}

/* What the system said last of the write-ahead log, or else of the file. SQLite 3.40 keeps it with
 * the file, and forgets it when a commit fails. */
static int last_errno(sqlite3 *db)
{
    sqlite3_file *wal = NULL;
    int why = 0;

    if (sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal) == SQLITE_OK && wal &&
        wal->pMethods)
        (void)wal->pMethods->xFileControl(wal, SQLITE_FCNTL_LAST_ERRNO, &why); /* then it is 0 */
    if (why == 0)
        (void)sqlite3_file_control(db, "main", SQLITE_FCNTL_LAST_ERRNO, &why);
    return why ? why : sqlite3_system_errno(db);
}

/* "disk I/O error" has many reasons, too, and some have another mend. */
static int kind_of_io_error(sqlite3 *db)
{
    int why = last_errno(db);

    if (why == ENOSPC || why == EDQUOT)
        return SQLITE_FULL;
    return why == EROFS ? SQLITE_READONLY : SQLITE_IOERR;
}

int sql_error(struct err *err, sqlite3 *db, int rc, const char *what)
{
    char sentence[ERROR_ADVICE_SIZE];
    const char *details = db ? sqlite3_errmsg(db) : sqlite3_errstr(rc);
    int kind = rc & 0xff;

    if (kind == SQLITE_IOERR && db)
        kind = kind_of_io_error(db);
    if (kind == SQLITE_CANTOPEN)
        return cannot_open(err, db, what);
    for (size_t i = 0; i < LENGTH(advices); i++)
        if (advices[i].rc == kind) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            snprintf(sentence, sizeof sentence, advices[i].sentence, name_of(db));
#pragma GCC diagnostic pop
            return err_set(err, advices[i].code, "%s: %s (%s)", what, sentence, details);
        }
    return err_set(err, -EIO, "%s: %s: %s", what, name_of(db), details);
}

static bool is_memory(const char *path)
{
    return strcmp(path, ":memory:") == 0;
}

/* SQLite would make the file by the umask; its side files follow the file. */
static int make_file(const char *path, struct err *err)
{
    int fd;

    if (is_memory(path) || access(path, F_OK) == 0)
        return 0;
    fd = file_open_or_make(path, err);
    if (fd < 0)
        return fd;
    (void)close(fd); /* empty, nothing was written */
    return 0;
}

/* Closes what could not be opened and tells why. */
static int open_failed(sqlite3 *db, int rc, const char *path, struct err *err)
{
    struct err why;
    int code;

    if ((rc & 0xff) == SQLITE_CANTOPEN && access(path, F_OK) < 0 && errno == ENOENT)
        code = err_set(&why, -ENOENT,
                       "there is no ledger at %s: start kpid.service, which makes it", path);
    else
        code = sql_error(&why, db, rc, "open");
    sql_close(db);
    return err_set(err, code, "%s", why.text);
}

static int open_failed_with(sqlite3 *db, struct err *why, struct err *err)
{
    sql_close(db);
    return err_set(err, why->code, "%s", why->text);
}

/* Before anything else: a file that turns out to be damaged keeps its log as well. */
static int keep_side_files(sqlite3 *db, struct err *err)
{
    int keep = 1;
    int rc = sqlite3_file_control(db, "main", SQLITE_FCNTL_PERSIST_WAL, &keep);

    if (rc != SQLITE_OK && rc != SQLITE_NOTFOUND) /* in memory there is nothing to keep */
        return sql_error(err, db, rc, "open");
    return 0;
}

/* WAL is a property of the file: the answer tells whether it took. */
static int choose_wal(sqlite3 *db, const char *path, struct err *err)
{
    sqlite3_stmt *stmt = NULL;
    bool wal;
    int rc = sql_prepare(db, "PRAGMA journal_mode=WAL", &stmt, err);

    if (rc < 0)
        return rc;
    rc = sql_step(stmt, "write-ahead log", err);
    wal = rc > 0 && strcmp(sql_column_text(stmt, 0), "wal") == 0;
    sqlite3_finalize(stmt);
    if (rc < 0)
        return rc;
    if (!wal && !is_memory(path))
        return err_set(err, -ENOTSUP,
                       "%s: this file system cannot hold a write-ahead log: put the ledger on a "
                       "local disk",
                       path);
    return 0;
}

static int choose(sqlite3 *db, const char *pragmas, struct err *err)
{
    int rc = sqlite3_exec(db, pragmas, NULL, NULL, NULL);

    return rc == SQLITE_OK ? 0 : sql_error(err, db, rc, "open");
}

/* SQLite's count of its memory takes a lock at each allocation, and nobody reads it. */
static void configure(void)
{
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); /* refused once it runs: then it counts */
}

int sql_open_writer(const char *path, sqlite3 **ret, struct err *err)
{
    static pthread_once_t configured = PTHREAD_ONCE_INIT;
    sqlite3 *db = NULL;
    struct err why;
    int rc = make_file(path, err);

    if (rc < 0)
        return rc;
    (void)pthread_once(&configured, configure);
    rc = sqlite3_open_v2(path, &db,
                         SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    if (rc != SQLITE_OK)
        return open_failed(db, rc, path, err);
    (void)sqlite3_busy_timeout(db, WRITER_PATIENCE_MS); /* cannot fail on an open connection */
    if (keep_side_files(db, &why) < 0 || choose_wal(db, path, &why) < 0 ||
        choose(db, writer_pragmas, &why) < 0)
        return open_failed_with(db, &why, err);
    *ret = db;
    return 0;
}

int sql_open_reader(const char *path, sqlite3 **ret, struct err *err)
{
    sqlite3 *db = NULL;
    struct err why;
    int64_t version;
    int rc = sqlite3_open_v2(
        path, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);

    if (rc != SQLITE_OK)
        return open_failed(db, rc, path, err);
    (void)sqlite3_busy_timeout(db, READER_PATIENCE_MS); /* cannot fail on an open connection */
    /* SQLite opens lazily: the first read shows whether we may. */
    if (choose(db, reader_pragmas, &why) < 0 ||
        sql_integer(db, "PRAGMA schema_version", &version, &why) < 0)
        return open_failed_with(db, &why, err);
    *ret = db;
    return 0;
}

void sql_close(sqlite3 *db)
{
    int rc = sqlite3_close(db);

    assert(rc == SQLITE_OK); /* else a statement was forgotten */
}

int sql_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret, struct err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL);

    if (rc != SQLITE_OK)
        return sql_error(err, db, rc, "prepare");
    *ret = stmt;
    return 0;
}

int sql_preparef(sqlite3 *db, sqlite3_stmt **ret, struct err *err, const char *format, ...)
{
    va_list arguments;
    char *sql;
    int rc;

    va_start(arguments, format);
    rc = vasprintf(&sql, format, arguments);
    va_end(arguments);
    if (rc < 0)
        return err_set(err, -ENOMEM, "no memory left for a statement");
    rc = sql_prepare(db, sql, ret, err);
    free(sql);
    return rc;
}

int sql_exec(sqlite3 *db, const char *sql, struct err *err)
{
    int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    char what[32];

    if (rc == SQLITE_OK)
        return 0;
    snprintf(what, sizeof what, "%s", sql);
    return sql_error(err, db, rc, what);
}

int sql_execf(sqlite3 *db, struct err *err, const char *format, ...)
{
    va_list arguments;
    char *sql;
    int rc;

    va_start(arguments, format);
    rc = vasprintf(&sql, format, arguments);
    va_end(arguments);
    if (rc < 0)
        return err_set(err, -ENOMEM, "no memory left for a statement");
    rc = sql_exec(db, sql, err);
    free(sql);
    return rc;
}

int sql_step(sqlite3_stmt *stmt, const char *what, struct err *err)
{
    int rc = sqlite3_step(stmt);

    if (rc == SQLITE_ROW)
        return 1;
    if (rc == SQLITE_DONE)
        return 0;
    return sql_error(err, sqlite3_db_handle(stmt), rc, what);
}

int sql_run(sqlite3_stmt *stmt, const char *what, struct err *err)
{
    int rc = sql_step(stmt, what, err);

    assert(rc <= 0);
    (void)sqlite3_reset(stmt); /* repeats the failure that the step has told */
    return rc;
}

int sql_integer(sqlite3 *db, const char *sql, int64_t *ret, struct err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sql_prepare(db, sql, &stmt, err);

    if (rc < 0)
        return rc;
    rc = sql_step(stmt, sql, err);
    if (rc > 0)
        *ret = sqlite3_column_int64(stmt, 0);
    else if (rc == 0)
        rc = err_set(err, -ENODATA, "%s: %s has no such row", sql, name_of(db));
    sqlite3_finalize(stmt);
    return rc < 0 ? rc : 0;
}

int sql_checkpoint(sqlite3 *db, bool truncate, int64_t *ret_wal_bytes, struct err *err)
{
    int mode = truncate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
    int frames = -1, moved = -1;
    int64_t page_size;
    int rc = sqlite3_wal_checkpoint_v2(db, "main", mode, &frames, &moved);

    /* Busy is no failure: a reader keeps the log for now, and the next call goes on. */
    if (rc != SQLITE_OK && (rc & 0xff) != SQLITE_BUSY)
        return sql_error(err, db, rc, "checkpoint");
    if (!ret_wal_bytes)
        return 0;
    rc = sql_integer(db, "PRAGMA page_size", &page_size, err);
    if (rc < 0)
        return rc;
    *ret_wal_bytes = frames > moved ? (frames - moved) * (page_size + 24) : 0;
    return 0;
}

/* Binding fails only for a wrong index or a text above SQLite's gigabyte: both are ours. */
static void bound(int rc)
{
    assert(rc == SQLITE_OK);
}

void sql_bind_text(sqlite3_stmt *stmt, int index, const char *text)
{
    bound(sqlite3_bind_text(stmt, index, text, -1, SQLITE_STATIC));
}

void sql_bind_text_copied(sqlite3_stmt *stmt, int index, const char *text)
{
    int rc = text ? sqlite3_bind_text(stmt, index, text, -1, SQLITE_TRANSIENT)
                  : sqlite3_bind_null(stmt, index);

    bound(rc);
}

void sql_bind_bytes(sqlite3_stmt *stmt, int index, const char *text, size_t length)
{
    bound(sqlite3_bind_text64(stmt, index, text, length, SQLITE_STATIC, SQLITE_UTF8));
}

void sql_bind_blob(sqlite3_stmt *stmt, int index, const void *bytes, size_t length)
{
    bound(sqlite3_bind_blob64(stmt, index, bytes, length, SQLITE_STATIC));
}

void sql_bind_text_or_null(sqlite3_stmt *stmt, int index, const char *text)
{
    if (text && text[0])
        sql_bind_text(stmt, index, text);
    else
        bound(sqlite3_bind_null(stmt, index));
}

void sql_bind_integer(sqlite3_stmt *stmt, int index, int64_t value)
{
    bound(sqlite3_bind_int64(stmt, index, value));
}

void sql_bind_instant(sqlite3_stmt *stmt, int index, int64_t at)
{
    if (at == INSTANT_NONE || at == INSTANT_NEVER)
        bound(sqlite3_bind_null(stmt, index));
    else
        sql_bind_integer(stmt, index, at);
}

void sql_bind_integer_or_null(sqlite3_stmt *stmt, int index, int64_t value, int64_t none)
{
    if (value == none)
        bound(sqlite3_bind_null(stmt, index));
    else
        sql_bind_integer(stmt, index, value);
}

bool sql_column_text_into(sqlite3_stmt *stmt, int column, char *to, size_t size)
{
    const char *text = sql_column_text(stmt, column);
    size_t length = (size_t)sqlite3_column_bytes(stmt, column);

    to[0] = '\0';
    return text_copy(to, size, text, length);
}

const char *sql_column_text(sqlite3_stmt *stmt, int column)
{
    const unsigned char *text = sqlite3_column_text(stmt, column);

    return text ? (const char *)text : "";
}

int64_t sql_column_integer_or(sqlite3_stmt *stmt, int column, int64_t none)
{
    if (sqlite3_column_type(stmt, column) == SQLITE_NULL)
        return none;
    return sqlite3_column_int64(stmt, column);
}
