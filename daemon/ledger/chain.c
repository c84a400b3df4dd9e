/* The chain: audit records, each of which covers the one before it, the facts and movements that it
 * brought, and the events that were logged since. One file, one chain: whoever knows the last
 * digest knows that nothing before it was changed.
 *
 * Events are digested where nobody waits for it: between groups, some at a time, from where the
 * last record ended. What is digested and not yet in a record is in memory alone, and is read
 * again after a restart; the ingest pays nothing. */
#include <assert.h>

#include "ledger/ledger_private.h"
#include "ledger/rows.h"
#include "ledger/new_seal.h"
#include "ledger/seals.h"

#define SEAL_COLUMNS                                                                               \
    "n, kind, period, revision, at, by, why, position, events_digest, config_digest, facts, "      \
    "facts_digest, moved, moved_digest, coverage, quarantine, content, previous"

int chain_load(struct ledger *l, struct err *err)
{
    int rc = sql_integer(l->db, "SELECT coalesce(max(n), 0) FROM seal", &l->seals->head, err);

    if (rc == 0)
        rc = sql_integer(l->db, "SELECT coalesce(max(position), 0) FROM seal", &l->seals->covered,
                         err);
    if (rc == 0)
        rc = sql_integer(l->db, "SELECT coalesce(max(n), 0) FROM seal "
                         "WHERE kind = 'sealed' AND period GLOB '*W*'", &l->seals->last_sealing,
                         err);
    if (rc == 0 && l->seals->prepared && l->seals->head >= l->seals->prepared) {
        l->seals->prepared = 0;
        if (l->seals->under_way && !l->seals->under_way->is_written)
            new_seal_drop(l);    /* another record has its number: it begins anew */
    }
    return rc;
}

int chain_next(struct ledger *l, int64_t *ret, struct err *err)
{
    return sql_integer(l->db, "SELECT coalesce(max(n), 0) + 1 FROM seal", ret, err);
}

/* The digest begins anew behind each record that covers events. */
static void begin_digest(struct seals *s)
{
    if (s->events && s->digested_from == s->covered)
        return;
    if (!s->events)
        s->events = digest_create();
    digest_reset(s->events);
    s->digested = s->digested_from = s->covered;
}

int chain_catch_up(struct ledger *l, int64_t to, int limit, struct err *err)
{
    struct seals *s = l->seals;
    sqlite3_stmt *rows;
    int rc;

    begin_digest(s);
    if (s->digested >= to)
        return 0;
    rc = sql_prepare(l->db, "SELECT seq, source, id, kind, subject, at, received_at, via, json "
                     "FROM event WHERE seq > ?1 AND seq <= ?2 ORDER BY seq LIMIT ?3", &rows, err);
    if (rc < 0)
        return rc;
    sql_bind_integer(rows, 1, s->digested);
    sql_bind_integer(rows, 2, to);
    sql_bind_integer(rows, 3, limit);
    while ((rc = sql_step(rows, "digesting the event log", err)) > 0) {
        digest_add_row(s->events, rows);
        s->digested = sqlite3_column_int64(rows, 0);
    }
    sqlite3_finalize(rows);
    return rc < 0 ? rc : s->digested < to;
}

/* Digest and number of what `rows` yields. Resets it. */
static int digest_rows(sqlite3_stmt *rows, int64_t *ret_count, char ret[DIGEST_SIZE],
                      struct err *err)
{
    struct digest *digest = digest_create();
    int64_t count = 0;
    int rc;

    while ((rc = sql_step(rows, "digesting what is sealed", err)) > 0) {
        digest_add_row(digest, rows);
        count++;
    }
    (void)sqlite3_reset(rows);  /* the step has told what went wrong */
    if (rc == 0) {
        *ret_count = count;
        ret[0] = '\0';
        if (count > 0)
            digest_value(digest, ret);
    }
    digest_destroy(digest);
    return rc;
}

/* The last record's digest, and up to where it covers the log. */
static int read_head(struct ledger *l, char digest[DIGEST_SIZE], int64_t *ret_n,
                     int64_t *ret_position, struct err *err)
{
    sqlite3_stmt *row;
    int rc = sql_prepare(l->db, "SELECT n, position, digest FROM seal ORDER BY n DESC LIMIT 1",
                         &row, err);

    if (rc < 0)
        return rc;
    *ret_n = *ret_position = 0;
    digest[0] = '\0';
    rc = sql_step(row, "reading the chain", err);
    if (rc == 1) {
        *ret_n = sqlite3_column_int64(row, 0);
        *ret_position = sqlite3_column_int64(row, 1);
        if (!sql_column_text_into(row, 2, digest, DIGEST_SIZE))
            rc = rows_damaged(err, "seal");
    }
    sqlite3_finalize(row);
    return rc < 0 ? rc : 0;
}

static void bind_record(sqlite3_stmt *st, const struct ledger *l, const struct chain_record *r,
                        int64_t n, int64_t position, const char *events_digest,
                        const char *previous)
{
    sql_bind_integer(st, 1, n);
    sql_bind_text(st, 2, r->kind);
    sql_bind_text(st, 3, r->period ? r->period : "");
    sql_bind_integer(st, 4, r->revision);
    sql_bind_integer(st, 5, r->at);
    sql_bind_text(st, 6, r->by);
    sql_bind_text(st, 7, r->why ? r->why : "");
    sql_bind_integer(st, 8, position);
    sql_bind_text(st, 9, events_digest);
    sql_bind_text(st, 10, l->digest);
    sql_bind_integer(st, 11, r->facts);
    sql_bind_text(st, 12, r->facts_digest);
    sql_bind_integer(st, 13, r->moved);
    sql_bind_text(st, 14, r->moved_digest);
    sql_bind_text(st, 15, r->coverage ? r->coverage : "");
    sql_bind_text(st, 16, r->quarantine ? r->quarantine : "");
    sql_bind_text(st, 17, r->content ? r->content : "");
    sql_bind_text(st, 18, previous);
}

/* The record's own digest, of what stands in the table: what is read back is what was meant. */
static int sign(struct ledger *l, int64_t n, struct err *err)
{
    char digest[DIGEST_SIZE] = "";
    sqlite3_stmt *row, *put = NULL;
    int64_t count = 0;
    int rc = sql_prepare(l->db, "SELECT " SEAL_COLUMNS " FROM seal WHERE n = ?1", &row, err);

    if (rc < 0)
        return rc;
    sql_bind_integer(row, 1, n);
    rc = digest_rows(row, &count, digest, err);
    if (rc == 0)
        rc = sql_prepare(l->db, "UPDATE seal SET digest = ?2 WHERE n = ?1", &put, err);
    if (rc == 0) {
        sql_bind_integer(put, 1, n);
        sql_bind_text(put, 2, digest);
        rc = sql_run(put, "writing the chain", err);
    }
    sqlite3_finalize(put);
    sqlite3_finalize(row);
    return rc;
}

int chain_append(struct ledger *l, const struct chain_record *record, struct err *err)
{
    char previous[DIGEST_SIZE], events_digest[DIGEST_SIZE] = "";
    int64_t n, position;
    sqlite3_stmt *st;
    int rc = read_head(l, previous, &n, &position, err);

    assert(rc < 0 || record->prepared == 0 || record->prepared == n + 1);
    if (rc == 0 && l->seals->prepared && !record->prepared)
        rc = new_seal_clear(l->db, err);     /* what has this number is none of the record's */
    if (rc == 0)
        rc = sql_prepare(l->db, "INSERT INTO seal (" SEAL_COLUMNS ", digest) VALUES (?1, ?2, ?3, "
                         "?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, '')",
                         &st, err);
    if (rc < 0)
        return rc;
    if (record->position > position) {
        assert(l->seals->covered == position && l->seals->digested == record->position);
        digest_value(l->seals->events, events_digest);
        position = record->position;
    }
    bind_record(st, l, record, n + 1, position, events_digest, previous);
    rc = sql_run(st, "writing the chain", err);
    sqlite3_finalize(st);
    return rc < 0 ? rc : sign(l, n + 1, err);
}
