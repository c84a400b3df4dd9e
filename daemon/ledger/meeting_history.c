/* How a week came to its figures: its revisions with who, when and why; what moved between them,
 * and since the last one; and what waits in quarantine and belongs to it. */
#include <stdlib.h>
#include <string.h>

#include "base/instant.h"
#include "base/mem.h"
#include "ledger/meeting_rows.h"
#include "ledger/sql.h"

/* --- Revisions */

static bool read_revision(sqlite3_stmt *st, struct meeting *m)
{
    m->revisions = mem_realloc_array(m->revisions, m->revision_count + 1, sizeof *m->revisions);
    m->revisions[m->revision_count++] =
        (struct meeting_revision){ .revision = (int32_t)sqlite3_column_int64(st, 0),
                                   .at = sqlite3_column_int64(st, 1),
                                   .by = mem_strdup(sql_column_text(st, 2)),
                                   .why = mem_strdup(sql_column_text(st, 3)),
                                   .quarantine = mem_strdup(sql_column_text(st, 4)),
                                   .moved = sqlite3_column_int64(st, 5) };
    return true;
}

static const char revisions_sql[] =
    "SELECT revision, at, by, why, quarantine, moved FROM seal "
    "WHERE period = ?1 AND period <> '' AND kind IN ('sealed', 'restated') ORDER BY revision";

/* --- What moved */

#define SIDE(of)                                                                                   \
    of ".counts_at, " of ".numerator, " of ".denominator, " of ".excluded, " of ".pending"

static const char moved_sql[] =
    "SELECT r.revision, m.kpi, m.kind, m.subject, m.before_at, m.before_numerator, "
    "m.before_denominator, m.before_excluded, m.before_pending, m.before_reason, m.after_at, "
    "m.after_numerator, m.after_denominator, m.after_excluded, m.after_pending, m.after_reason "
    "FROM seal r JOIN moved m ON m.seal = r.n WHERE r.period = ?1 AND r.period <> '' "
    "AND (m.kind <> 'device' OR m.period = ?1) ORDER BY r.revision, m.kpi, m.kind, m.subject";

/* Tickets kept as they were since the last revision (table ticket_was), and different by now. */
static const char pending_sql[] =
    "SELECT 0, k.kpi, w.kind, w.ticket, " SIDE("w") ", coalesce(w.reason, ''), " SIDE("t") ", "
    "coalesce(t.reason, '') "
    "FROM sealed_period p JOIN ticket_was w ON w.seal >= p.seal "
    "JOIN ticket t ON t.kind = w.kind AND t.ticket = w.ticket JOIN kpi k ON k.counts = w.kind "
    "WHERE p.period = ?1 AND p.pending_at IS NOT NULL "
    "AND NOT EXISTS (SELECT 1 FROM ticket_was e WHERE e.kind = w.kind AND e.ticket = w.ticket "
    "                AND e.seal >= p.seal AND e.seal < w.seal) "
    "AND (w.counts_at >= p.begin_at AND w.counts_at < p.end_at "
    "     OR t.counts_at >= p.begin_at AND t.counts_at < p.end_at) "
    "AND (w.counts_at IS NOT t.counts_at OR w.numerator <> t.numerator "
    "     OR w.denominator <> t.denominator OR w.excluded <> t.excluded "
    "     OR w.pending <> t.pending OR w.site IS NOT t.site OR w.department IS NOT t.department "
    "     OR w.staff IS NOT t.staff OR w.model IS NOT t.model) "
    "ORDER BY k.kpi, w.kind, w.ticket";

static struct meeting_side read_side(sqlite3_stmt *st, int at)
{
    return (struct meeting_side){ .at = sql_column_integer_or(st, at, INSTANT_NONE),
                                  .counts = { .numerator = sqlite3_column_int64(st, at + 1),
                                              .denominator = sqlite3_column_int64(st, at + 2),
                                              .excluded = sqlite3_column_int64(st, at + 3),
                                              .pending = sqlite3_column_int64(st, at + 4) },
                                  .reason = mem_strdup(sql_column_text(st, at + 5)) };
}

static bool read_move(sqlite3_stmt *st, struct meeting *m)
{
    struct meeting_move *move;

    if (m->move_count == MEETING_MOVES_MAX) {
        m->moves_more++;
        return true;
    }
    m->moves = mem_realloc_array(m->moves, m->move_count + 1, sizeof *m->moves);
    move = &m->moves[m->move_count++];
    *move = (struct meeting_move){ .revision = (int32_t)sqlite3_column_int64(st, 0),
                                   .subject = mem_strdup(sql_column_text(st, 3)),
                                   .before = read_side(st, 4),
                                   .after = read_side(st, 10) };
    return sql_column_text_into(st, 1, move->kpi, sizeof move->kpi) &&
           sql_column_text_into(st, 2, move->kind, sizeof move->kind);
}

/* --- Quarantine */

static const char items_sql[] =
    "SELECT n, received_at, via, reason, CASE WHEN json_valid(CAST(raw AS TEXT)) "
    "THEN json_extract(CAST(raw AS TEXT), '$.at') END FROM quarantine "
    "WHERE state = 'waiting' AND ?1 = ?1 ORDER BY n";

/* By its own date if it has one, else by when it came. */
static bool read_item(sqlite3_stmt *st, struct meeting *m)
{
    const char *text = sql_column_text(st, 4);
    int64_t at = sqlite3_column_int64(st, 1);

    (void)instant_parse(text, strlen(text), &at);   /* else it stays */
    if (at < m->begin_at || at >= m->end_at || m->item_count == MEETING_ITEMS_MAX)
        return true;
    m->items = mem_realloc_array(m->items, m->item_count + 1, sizeof *m->items);
    m->items[m->item_count++] =
        (struct meeting_item){ .n = sqlite3_column_int64(st, 0),
                               .received_at = sqlite3_column_int64(st, 1),
                               .via = mem_strdup(sql_column_text(st, 2)),
                               .reason = mem_strdup(sql_column_text(st, 3)) };
    return true;
}

static int each_row(sqlite3 *db, const char *sql, bool (*read)(sqlite3_stmt *, struct meeting *),
                    struct meeting *m, struct err *err)
{
    sqlite3_stmt *st;
    int rc = sql_prepare(db, sql, &st, err);

    if (rc < 0)
        return rc;
    sql_bind_text(st, 1, m->week);
    while ((rc = sql_step(st, "reading the history of a week", err)) > 0)
        if (!read(st, m)) {
            rc = meeting_damaged("moved", err);
            break;
        }
    sqlite3_finalize(st);
    return rc;
}

int meeting_read_history(sqlite3 *db, struct meeting *m, struct err *err)
{
    int rc = each_row(db, revisions_sql, read_revision, m, err);

    if (rc == 0)
        rc = each_row(db, moved_sql, read_move, m, err);
    if (rc == 0)
        rc = each_row(db, pending_sql, read_move, m, err);
    if (rc == 0)
        rc = each_row(db, items_sql, read_item, m, err);
    return rc;
}

void meeting_finish_history(struct meeting *m)
{
    for (size_t i = 0; i < m->revision_count; i++) {
        free(m->revisions[i].by);
        free(m->revisions[i].why);
        free(m->revisions[i].quarantine);
    }
    free(m->revisions);
    for (size_t i = 0; i < m->move_count; i++) {
        free(m->moves[i].subject);
        free(m->moves[i].before.reason);
        free(m->moves[i].after.reason);
    }
    free(m->moves);
    for (size_t i = 0; i < m->item_count; i++) {
        free(m->items[i].via);
        free(m->items[i].reason);
    }
    free(m->items);
}
