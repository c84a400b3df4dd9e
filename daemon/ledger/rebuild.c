/* Rebuilding: recount into staging tables, then compare them or swap them in.
 *
 *   rebuild, compare      a reader: one view of the log, staging in a temporary file
 *   rebuild, replace      a writer: staging in the file, chunk by chunk; then one transaction drops
 *                         the old tables, renames the new ones and says in the house row what they
 *                         speak for. Killed before its commit, the old tables stand and the new
 *                         ones are leftovers; killed after, it is done.
 *   what would move       a reader, as compare, with other rules */
#include "ledger/rebuild.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "kpi/fact.h"
#include "ledger/compare.h"
#include "ledger/ledger.h"
#include "ledger/lock.h"
#include "ledger/migrate.h"
#include "ledger/recount.h"
#include "ledger/rows.h"
#include "ledger/seals.h"
#include "ledger/staging.h"

/* The house row follows the tables that it speaks of; position is what the log says. */
static int update_house(sqlite3 *db, const struct rules *rules, int64_t as_of, struct err *err)
{
    char *counting = rules_counting_text(rules), *valuing = rules_valuing_text(rules);
    sqlite3_stmt *stmt = NULL;
    int rc = sql_prepare(db,
                         "UPDATE house SET as_of = ?1, counting = ?2, valuing = ?3, "
                         "position = (SELECT coalesce(max(seq), 0) FROM event)",
                         &stmt, err);

    if (rc == 0) {
        sql_bind_integer(stmt, 1, as_of);
        sql_bind_text(stmt, 2, counting);
        sql_bind_text(stmt, 3, valuing);
        rc = sql_run(stmt, "house", err);
        sqlite3_finalize(stmt);
    }
    free(counting);
    free(valuing);
    return rc;
}

/* Do the stored counts and these rules count alike? Then whatever a rebuild finds otherwise came
 * with an event or with time, as what the daemon counts does. */
static int counts_alike(sqlite3 *db, const struct rules *rules, bool *ret, struct err *err)
{
    char *counting = rules_counting_text(rules);
    sqlite3_stmt *stmt = NULL;
    int rc = sql_prepare(db, "SELECT counting = ?1 FROM house", &stmt, err);

    *ret = false;
    if (rc == 0) {
        sql_bind_text(stmt, 1, counting);
        rc = sql_step(stmt, "house", err);
        if (rc > 0)
            *ret = sqlite3_column_int(stmt, 0) != 0;
        sqlite3_finalize(stmt);
    }
    free(counting);
    return rc < 0 ? rc : 0;
}

/* The old way of renaming leaves the views' texts alone, which is what the swap wants. */
static int swap(sqlite3 *db, const struct rules *rules, int64_t as_of, struct err *err)
{
    bool alike = false;
    int rc = sql_exec(db, "PRAGMA legacy_alter_table=ON; BEGIN IMMEDIATE", err);

    if (rc == 0)
        rc = counts_alike(db, rules, &alike, err);
    if (rc == 0)
        rc = new_seal_clear(db, err);
    if (rc == 0)
        rc = moved_keep_recounted(db, alike ? "events" : "rules", err);
    if (rc == 0)
        rc = staging_swap(db, err);
    if (rc == 0 && alike)
        rc = moved_find_pending(db, as_of, err);
    if (rc == 0)
        rc = update_house(db, rules, as_of, err);
    if (rc == 0)
        rc = sql_exec(db, "COMMIT", err);
    if (!sqlite3_get_autocommit(db))
        (void)sql_exec(db, "ROLLBACK", NULL); /* the first failure is the one to tell */
    (void)sql_exec(db, "PRAGMA legacy_alter_table=OFF", NULL); /* a flag: cannot fail */
    return rc;
}

int rebuild_in_place(sqlite3 *db, const struct rules *rules, int64_t as_of,
                     void (*progress)(void *arg, const char *what), void *progress_arg,
                     struct err *err)
{
    struct recount_options options = { .schema = "main",
                                       .rules = rules,
                                       .as_of = as_of,
                                       .progress = progress,
                                       .progress_arg = progress_arg };
    int rc;

    assert(sqlite3_get_autocommit(db));
    rc = staging_create(db, "main", err);
    if (rc == 0)
        rc = recount(db, &options, err);
    if (rc == 0)
        rc = swap(db, rules, as_of, err);
    if (rc < 0)
        (void)staging_drop(db, "main", NULL); /* else the next start does */
    return rc < 0 ? rc : sql_checkpoint(db, false, NULL, err);
}

int rebuild_drop_leftovers(sqlite3 *db, struct err *err)
{
    return staging_drop(db, "main", err);
}

/* What the row is worth today; false if it is worth that already, or no KPI counts it. */
static bool value_differs(sqlite3_stmt *row, const struct kpi *kpi, struct period *period,
                          char scope[SCOPE_SIZE], struct fact *ret)
{
    struct fact was;

    if (!kpi || !rows_read_fact(row, 0, period, scope, &was))
        return false;
    *ret = fact_of(&was.counts, kpi, *period, scope);
    return ret->rate_e6 != was.rate_e6 || ret->low_e6 != was.low_e6 ||
           ret->high_e6 != was.high_e6 || ret->target_e4 != was.target_e4 ||
           ret->verdict != was.verdict || ret->shortfall != was.shortfall ||
           strcmp(direction_name(kpi->direction), sql_column_text(row, 14)) != 0;
}

/* An update of columns that no index has may happen under the cursor that found the row. */
static int revalue_rows(sqlite3_stmt *rows, sqlite3_stmt *put, const struct rules *rules,
                        struct err *err)
{
    int rc;

    while ((rc = sql_step(rows, "facts", err)) > 0) {
        const struct kpi *kpi = rules_kpi(rules, sql_column_text(rows, 0));
        struct period period;
        char scope[SCOPE_SIZE];
        struct fact fact;

        if (!value_differs(rows, kpi, &period, scope, &fact))
            continue;
        rows_bind_fact(put, kpi, period, scope, &fact, &rules->zone);
        rc = sql_run(put, "fact", err);
        if (rc < 0)
            break;
    }
    return rc;
}

int revalue_facts(sqlite3 *db, const struct rules *rules, struct err *err)
{
    sqlite3_stmt *rows = NULL, *put = NULL;
    int rc = sql_prepare(db, "SELECT " FACT_COLUMNS " FROM fact ORDER BY kpi, period, scope", &rows,
                         err);

    if (rc == 0)
        rc = sql_prepare(db, FACT_PUT, &put, err);
    if (rc == 0)
        rc = revalue_rows(rows, put, rules, err);
    sqlite3_finalize(rows);
    sqlite3_finalize(put);
    return rc;
}

/* Opens a reader that may have temporary tables, and its view of the ledger. The log is seen as far
 * as the stored figures speak for: a daemon that runs stores them a moment after the events. */
static int open_counting_reader(const char *path, sqlite3 **ret, int64_t *ret_as_of,
                                struct err *err)
{
    sqlite3 *db;
    int rc = sql_open_reader(path, &db, err);

    if (rc < 0)
        return rc;
    rc = schema_check(db, err);
    if (rc == 0)
        rc = sql_exec(db,
                      "PRAGMA query_only=OFF;"
                      "CREATE TEMP VIEW event AS SELECT * FROM main.event "
                      "WHERE seq <= (SELECT position FROM main.house);"
                      "BEGIN",
                      err);
    if (rc == 0)
        rc = sql_integer(db, "SELECT as_of FROM house", ret_as_of, err);
    if (rc < 0) {
        sql_close(db);
        return rc;
    }
    *ret = db;
    return 0;
}

static int recount_aside(sqlite3 *db, const struct recount_options *options, struct err *err)
{
    int rc = staging_create(db, "temp", err);

    return rc < 0 ? rc : recount(db, options, err);
}

int rebuild_compare(const char *path, const struct rules *rules,
                    void (*progress)(void *arg, const char *what), void *progress_arg, FILE *out,
                    struct err *err)
{
    struct recount_options is = {
        .schema = "temp", .rules = rules, .progress = progress, .progress_arg = progress_arg
    };
    sqlite3 *db;
    int rc = open_counting_reader(path, &db, &is.as_of, err);

    if (rc < 0)
        return rc;
    rc = recount_aside(db, &is, err);
    if (rc == 0)
        rc = compare_tables(db, "temp", out, err);
    sql_close(db);
    return rc;
}

int ledger_would_move(const char *path, const struct rules *rules, FILE *out, struct err *err)
{
    struct recount_options is = { .schema = "temp", .rules = rules };
    sqlite3 *db;
    int rc = open_counting_reader(path, &db, &is.as_of, err);

    if (rc < 0)
        return rc;
    rc = recount_aside(db, &is, err);
    if (rc == 0)
        rc = compare_facts(db, "temp", rules, is.as_of, out, err);
    sql_close(db);
    return rc;
}

/* Time goes on while nobody writes, but never back. */
static int choose_as_of(sqlite3 *db, const struct clock *clock, int64_t *ret, struct err *err)
{
    int64_t stored, now = clock_wall(clock);
    int rc = sql_integer(db, "SELECT coalesce((SELECT as_of FROM house), 0)", &stored, err);

    if (rc == 0)
        *ret = stored > now ? stored : now;
    return rc;
}

static int rebuild_and_replace(const struct ledger_options *options, struct err *err)
{
    sqlite3 *db;
    int64_t as_of = 0;
    int rc = sql_open_writer(options->path, &db, err);

    if (rc < 0)
        return rc;
    rc = migrate(db, options->progress, options->progress_arg, err);
    if (rc == 0)
        rc = choose_as_of(db, options->clock, &as_of, err);
    if (rc == 0)
        rc = rebuild_in_place(db, options->rules, as_of, options->progress, options->progress_arg,
                              err);
    sql_close(db);
    return rc;
}

int ledger_rebuild(const struct ledger_options *options, bool compare, FILE *out, struct err *err)
{
    int lock, rc;

    if (compare)
        return rebuild_compare(options->path, options->rules, options->progress,
                               options->progress_arg, out, err);
    if (access(options->path, F_OK) < 0)
        return err_set(err, -errno, "there is no ledger at %s to rebuild", options->path);
    rc = ledger_lock(options->path, &lock, err);
    if (rc < 0)
        return rc;
    rc = rebuild_and_replace(options, err);
    (void)close(lock); /* nothing was written to it */
    return rc;
}
