/* Verifying: what chain.c wrote is made again from the rows and compared. Each record is read for
 * itself, so what a running daemon appends meanwhile is verified as well.
 *
 * A row that SQLite itself cannot read is a record that does not fit, not a failure to verify. */
#include "ledger/verify.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "kpi/period.h"
#include "ledger/sql.h"

enum { EVENTS_AT_ONCE = 10000 };

struct verifying {
    sqlite3 *db;
    sqlite3_stmt *record, *facts, *moved, *events;
    struct digest *digest;
    const atomic_bool *stop;
    struct chain_report *report;
    int64_t n;                  /* the record at hand */
    int64_t position;           /* of the one before */
    char name[96];              /* "record 12 (2026-W47, revision 1)" */
};

#define RECORD                                                                                     \
    "n, kind, period, revision, at, by, why, position, events_digest, config_digest, facts, "      \
    "facts_digest, moved, moved_digest, coverage, quarantine, content, previous"

/* Columns of a record. */
enum { N, KIND, PERIOD, REVISION, POSITION = 7, EVENTS_DIGEST, FACTS = 10, FACTS_DIGEST, MOVED,
       MOVED_DIGEST, PREVIOUS = 17, DIGEST, COVERED_COLUMNS = 18 };

static int prepare(struct verifying *v, struct err *err)
{
    const struct {
        sqlite3_stmt **stmt;
        const char *sql;
    } all[] = {
        { &v->record, "SELECT " RECORD ", digest FROM seal WHERE n > ?1 ORDER BY n LIMIT 1" },
        { &v->facts, "SELECT * FROM sealed_fact WHERE seal = ?1 ORDER BY period, kpi, scope" },
        { &v->moved, "SELECT * FROM moved WHERE seal = ?1 ORDER BY kpi, kind, subject, period" },
        { &v->events, "SELECT seq, source, id, kind, subject, at, received_at, via, json FROM event "
                      "WHERE seq > ?1 AND seq <= ?2 ORDER BY seq LIMIT ?3" },
    };
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < LENGTH(all); i++)
        rc = sql_prepare(v->db, all[i].sql, all[i].stmt, err);
    return rc;
}

/* The first that does not fit is told; returns false. */
static bool misfit(struct verifying *v, const char *what)
{
    if (v->report->first_bad == 0) {
        v->report->first_bad = v->n;
        snprintf(v->report->why, sizeof v->report->why, "%s: %s", v->name, what);
    }
    return false;
}

static bool unreadable(struct verifying *v, const struct err *err)
{
    char what[200];

    snprintf(what, sizeof what, "cannot be read: %.160s", err->text);
    return misfit(v, what);
}

/* The rows of `stmt` are as many, and of that digest, as the record says. */
static bool rows_fit(struct verifying *v, sqlite3_stmt *stmt, int64_t count, const char *digest,
                     const char *what)
{
    char is[DIGEST_SIZE] = "", said[64];
    int64_t found = 0;
    struct err err;
    int rc;

    digest_reset(v->digest);
    sql_bind_integer(stmt, 1, v->n);
    while ((rc = sql_step(stmt, "reading what is sealed", &err)) > 0) {
        digest_add_row(v->digest, stmt);
        found++;
    }
    (void)sqlite3_reset(stmt); /* repeats the failure that the step has told */
    if (rc < 0)
        return unreadable(v, &err);
    if (found > 0)
        digest_value(v->digest, is);
    snprintf(said, sizeof said, "its %s are not those that were sealed", what);
    return (found == count && strcmp(is, digest) == 0) || misfit(v, said);
}

/* Digests up to EVENTS_AT_ONCE events behind `*at`, and moves it. False: one is missing. */
static bool some_events_fit(struct verifying *v, int64_t *at, int64_t last)
{
    struct err err;
    int rc;

    sql_bind_integer(v->events, 1, *at);
    sql_bind_integer(v->events, 2, last);
    sql_bind_integer(v->events, 3, EVENTS_AT_ONCE);
    while ((rc = sql_step(v->events, "reading the event log", &err)) > 0 &&
           sqlite3_column_int64(v->events, 0) == *at + 1) {
        digest_add_row(v->digest, v->events);
        ++*at;
    }
    (void)sqlite3_reset(v->events); /* repeats the failure that the step has told */
    if (rc < 0)
        return unreadable(v, &err);
    return rc == 0;
}

static bool events_fit(struct verifying *v, int64_t last, const char *digest)
{
    int64_t at = v->position, before;
    char is[DIGEST_SIZE] = "", said[120];

    snprintf(said, sizeof said, "the events %lld to %lld are not those that it covers",
             (long long)v->position + 1, (long long)last);
    if (last < v->position)
        return misfit(v, "it covers fewer events than the record before");
    digest_reset(v->digest);
    while (at < last && !(v->stop && *v->stop)) {
        before = at;
        if (!some_events_fit(v, &at, last) || at == before)
            return misfit(v, said);
    }
    if (last > v->position)
        digest_value(v->digest, is);
    v->report->events += last - v->position;
    return strcmp(is, digest) == 0 || misfit(v, said);
}

static void name_record(struct verifying *v)
{
    const char *period = sql_column_text(v->record, PERIOD);
    char quoted[40];

    if (!period[0])
        snprintf(v->name, sizeof v->name, "record %lld (%s)", (long long)v->n,
                 text_quote(quoted, sizeof quoted, sql_column_text(v->record, KIND),
                            (size_t)sqlite3_column_bytes(v->record, KIND)));
    else
        snprintf(v->name, sizeof v->name, "record %lld (%s, revision %lld)", (long long)v->n,
                 text_quote(quoted, sizeof quoted, period, strlen(period)),
                 (long long)sqlite3_column_int64(v->record, REVISION));
}

/* The record itself: its number, the digest of its columns, and that of the one before. */
static bool record_fits(struct verifying *v, int64_t expected, const char *previous)
{
    struct text_buffer line = { 0 };
    char is[DIGEST_SIZE];

    if (v->n != expected) {
        snprintf(v->name, sizeof v->name, "record %lld", (long long)expected);
        v->n = expected;
        return misfit(v, "is not there");
    }
    digest_row_line(&line, v->record, COVERED_COLUMNS);
    digest_reset(v->digest);
    digest_add(v->digest, line.bytes, line.length);
    digest_value(v->digest, is);
    text_buffer_finish(&line);
    if (strcmp(is, sql_column_text(v->record, DIGEST)) != 0)
        return misfit(v, "its digest is not that of what it says");
    return strcmp(previous, sql_column_text(v->record, PREVIOUS)) == 0 ||
           misfit(v, "it follows another record than the one before it");
}

static bool contents_fit(struct verifying *v)
{
    sqlite3_stmt *r = v->record;
    int64_t facts = sqlite3_column_int64(r, FACTS), moved = sqlite3_column_int64(r, MOVED);
    int64_t position = sqlite3_column_int64(r, POSITION);

    if (!rows_fit(v, v->facts, facts, sql_column_text(r, FACTS_DIGEST), "facts") ||
        !rows_fit(v, v->moved, moved, sql_column_text(r, MOVED_DIGEST), "movements") ||
        !events_fit(v, position, sql_column_text(r, EVENTS_DIGEST)))
        return false;
    v->report->facts += facts;
    v->report->moved += moved;
    v->position = position;
    return true;
}

/* The record behind the last one. 1 fits, 0 there is none or it does not fit. */
static int verify_next(struct verifying *v)
{
    int64_t expected = v->report->records + 1;
    struct err err;
    int rc;
    bool fits;

    snprintf(v->name, sizeof v->name, "record %lld", (long long)expected);
    v->n = expected;
    sql_bind_integer(v->record, 1, expected - 1);
    rc = sql_step(v->record, "reading the chain", &err);
    if (rc > 0) {
        v->n = sqlite3_column_int64(v->record, N);
        name_record(v);
        fits = record_fits(v, expected, v->report->digest) && contents_fit(v);
        if (fits) {
            (void)sql_column_text_into(v->record, DIGEST, v->report->digest, DIGEST_SIZE);
            v->report->records++;
        }
        rc = fits;
    } else if (rc < 0) {
        rc = unreadable(v, &err);
    }
    (void)sqlite3_reset(v->record); /* repeats the failure that the step has told */
    return rc;
}

/* Rows that no record brought, and periods that do not point at their latest revision. What stands
 * under the number behind the last is being sealed, or was when the daemon was killed: no reader
 * looks at it, and the next sealing begins by clearing it away. */
#define NO_RECORD "seal NOT IN (SELECT n FROM seal UNION ALL SELECT coalesce(max(n), 0) + 1 FROM seal)"
static const struct stray {
    const char *sql, *what;
} strays[] = {
    { "SELECT min(seal) FROM sealed_fact WHERE " NO_RECORD,
      "facts are sealed with it, and there is no such record" },
    { "SELECT min(seal) FROM moved WHERE " NO_RECORD,
      "something moved with it, and there is no such record" },
    { "SELECT min(p.seal) FROM sealed_period p WHERE NOT EXISTS (SELECT 1 FROM seal r "
      "WHERE r.n = p.seal AND r.revision = p.revision AND r.at = p.sealed_at AND (r.period = "
      "p.period OR (p.kind = 0 AND r.period = (SELECT w.period FROM sealed_period w WHERE "
      "w.kind = 1 AND w.begin_at <= p.begin_at AND w.end_at >= p.end_at))))",
      "a period points at it that it did not seal" },
    { "SELECT min(r.n) FROM seal r LEFT JOIN sealed_period p ON p.period = r.period "
      "WHERE r.kind IN ('sealed', 'restated') AND (p.seal IS NULL OR p.seal < r.n)",
      "its period does not point at it" },
};

static void find_strays(struct verifying *v)
{
    for (size_t i = 0; i < LENGTH(strays) && v->report->first_bad == 0; i++) {
        struct err err;
        int64_t n = 0;

        snprintf(v->name, sizeof v->name, "the last record");
        v->n = v->report->records;
        if (sql_integer(v->db, strays[i].sql, &n, &err) < 0) {
            (void)unreadable(v, &err);
        } else if (n != 0) {
            v->n = n;
            snprintf(v->name, sizeof v->name, "record %lld", (long long)n);
            (void)misfit(v, strays[i].what);
        }
    }
}

int chain_verify(const char *path, const atomic_bool *stop, struct chain_report *ret,
                 struct err *err)
{
    struct verifying v = { .stop = stop, .report = ret };
    int rc = sql_open_reader(path, &v.db, err);

    *ret = (struct chain_report){ 0 };
    if (rc < 0)
        return rc;
    rc = prepare(&v, err);
    if (rc == 0) {
        v.digest = digest_create();
        while (!(stop && *stop) && verify_next(&v) > 0)
            ;
        if (stop && *stop)
            rc = err_set(err, -ECANCELED, "the verification was stopped");
        else
            find_strays(&v);
    }
    digest_destroy(v.digest);
    sqlite3_finalize(v.record);
    sqlite3_finalize(v.facts);
    sqlite3_finalize(v.moved);
    sqlite3_finalize(v.events);
    sql_close(v.db);
    return rc;
}
