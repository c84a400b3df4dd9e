/* Quarantine: what was received and could not be taken. Kept as it came, with the reason, until
 * somebody corrects and resubmits it or dismisses it. The same bytes through the same door are
 * one item that came several times, so that a feed that repeats itself cannot fill the disk. */
#include <errno.h>
#include <openssl/evp.h>

#include "ledger/ledger_private.h"

int quarantine_put(struct ledger *l, const struct ledger_line *line, const char *via,
                   int64_t received_at, struct err *err)
{
    sqlite3_stmt *st = l->st.quarantine_put;
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    int rc;

    if (!EVP_Digest(line->json, line->length, digest, &length, EVP_sha256(), NULL))
        return err_set(err, -ENOMEM, "quarantine: SHA-256 failed");
    sql_bind_text(st, 1, via);
    sqlite3_bind_int64(st, 2, line->number);
    sqlite3_bind_int64(st, 3, received_at);
    sql_bind_text(st, 4, line->reject.reason);
    sqlite3_bind_blob(st, 5, line->length > 0 ? line->json : "", (int)line->length,
                      SQLITE_STATIC);
    sqlite3_bind_blob(st, 6, digest, (int)length, SQLITE_STATIC);
    rc = sql_run(st, "writing the quarantine", err);
    if (rc < 0)
        return rc;
    l->quarantine_touched = true;
    return 0;
}

int quarantine_waits(struct ledger *l, int64_t n, struct err *err)
{
    sqlite3_stmt *st = l->st.quarantine_state;
    int found, rc;

    sqlite3_bind_int64(st, 1, n);
    found = sqlite3_step(st) == SQLITE_ROW;
    rc = sqlite3_reset(st);
    if (rc != SQLITE_OK)
        return sql_error(err, l->db, rc, "reading the quarantine");
    return found;
}

int quarantine_decide(struct ledger *l, int64_t n, const char *state, const char *by,
                      const char *decision, struct err *err)
{
    sqlite3_stmt *st = l->st.quarantine_decide;
    int rc;

    sqlite3_bind_int64(st, 1, n);
    sql_bind_text(st, 2, state);
    sqlite3_bind_int64(st, 3, clock_wall(l->clock));
    sql_bind_text(st, 4, by);
    sql_bind_text(st, 5, decision);
    rc = sql_run(st, "writing the quarantine", err);
    if (rc < 0)
        return rc;
    l->quarantine_touched = true;
    return 0;
}

int quarantine_count(struct ledger *l, struct err *err)
{
    sqlite3_stmt *st = l->st.quarantine_count;
    int rc;

    if (sqlite3_step(st) == SQLITE_ROW)
        l->stats.waiting_quarantine = sqlite3_column_int64(st, 0);
    rc = sqlite3_reset(st);
    return rc == SQLITE_OK ? 0 : sql_error(err, l->db, rc, "reading the quarantine");
}
