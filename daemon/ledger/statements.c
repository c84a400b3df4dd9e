/* The writer's statements, prepared once. */
#include "ledger/ledger_private.h"
#include "ledger/rows.h"

#define EVENT_COLUMNS "seq, source, id, kind, subject, at, received_at, via, json"

struct prepared {
    size_t offset;              /* of the pointer in struct statements */
    const char *sql;
};

#define STATEMENT(member, text) { offsetof(struct statements, member), text }

static const struct prepared table[] = {
    STATEMENT(begin, "BEGIN IMMEDIATE"),
    STATEMENT(commit, "COMMIT"),
    STATEMENT(rollback, "ROLLBACK"),

    STATEMENT(event_put, "INSERT INTO event (" EVENT_COLUMNS ") "
                         "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) "
                         "ON CONFLICT (source, id) DO NOTHING"),
    STATEMENT(event_get, "SELECT seq, json FROM event WHERE source = ?1 AND id = ?2"),
    STATEMENT(event_of_subject, "SELECT seq, json FROM event WHERE kind = ?1 AND subject = ?2"),
    STATEMENT(event_of_kind, "SELECT seq, json FROM event WHERE kind = ?1"),
    STATEMENT(event_after, "SELECT seq, json FROM event WHERE seq > ?1 ORDER BY seq LIMIT ?2"),

    STATEMENT(ticket_get, "SELECT " TICKET_COLUMNS " FROM ticket WHERE kind = ?1 AND ticket = ?2"),
    STATEMENT(ticket_insert, TICKET_INSERT),
    STATEMENT(ticket_update, TICKET_UPDATE),
    STATEMENT(ticket_due, "SELECT kind, ticket FROM ticket "
                          "WHERE due_at IS NOT NULL AND due_at <= ?1"),
    STATEMENT(ticket_jobs, "SELECT " TICKET_COLUMNS " FROM ticket WHERE device = ?1 "
                           "AND device IS NOT NULL AND kind IN ('install', 'repair')"),

    STATEMENT(device_put, DEVICE_PUT),
    STATEMENT(device_delete, "DELETE FROM device WHERE device = ?1"),
    STATEMENT(device_due, "SELECT device FROM device WHERE due_at IS NOT NULL AND due_at <= ?1"),

    STATEMENT(fact_get, "SELECT numerator, denominator, excluded, pending FROM fact "
                        "WHERE kpi = ?1 AND period = ?2 AND scope = ?3"),
    STATEMENT(fact_put, FACT_PUT),
    STATEMENT(fact_delete, "DELETE FROM fact WHERE kpi = ?1 AND period = ?2 AND scope = ?3"),
    STATEMENT(fact_window, "SELECT " FACT_COLUMNS " FROM fact WHERE end_at > ?1"),
    STATEMENT(fact_all, "SELECT " FACT_COLUMNS " FROM fact"),

    STATEMENT(gap_clear, "DELETE FROM gap"),
    STATEMENT(gap_put, "INSERT INTO gap (kpi, begin_at, end_at) VALUES (?1, ?2, ?3)"),

    STATEMENT(quarantine_put,
              "INSERT INTO quarantine (via, line, received_at, last_at, times, reason, raw, digest) "
              "VALUES (?1, ?2, ?3, ?3, 1, ?4, ?5, ?6) "
              "ON CONFLICT (via, digest) DO UPDATE SET times = times + 1, last_at = ?3"),
    STATEMENT(quarantine_state, "SELECT 1 FROM quarantine WHERE n = ?1 AND state = 'waiting'"),
    STATEMENT(quarantine_decide, "UPDATE quarantine SET state = ?2, decided_at = ?3, "
                                 "decided_by = ?4, decision = ?5 WHERE n = ?1"),
    STATEMENT(quarantine_count, "SELECT count(*) FROM quarantine WHERE state = 'waiting'"),

    STATEMENT(cursor_put, "INSERT INTO cursor (source, cursor, moved_at) VALUES (?1, ?2, ?3) "
                          "ON CONFLICT (source) DO UPDATE SET cursor = ?2, moved_at = ?3"),
    STATEMENT(note_put, "INSERT INTO note (week, department, kpi, text, by, at) "
                        "VALUES (?1, ?2, ?3, ?4, ?5, ?6)"),
    STATEMENT(amendment_put, "INSERT INTO amendment (seq, kind, ticket, at, by) "
                             "VALUES (?1, ?2, ?3, ?4, ?5)"),
    STATEMENT(house_put, "UPDATE house SET as_of = ?1, position = ?2, last_at = ?3"),
    STATEMENT(next_due,
              "SELECT min(due_at) FROM ("
              "SELECT due_at FROM (SELECT due_at FROM ticket WHERE due_at IS NOT NULL "
              "                    ORDER BY due_at LIMIT 1) UNION ALL "
              "SELECT due_at FROM (SELECT due_at FROM device WHERE due_at IS NOT NULL "
              "                    ORDER BY due_at LIMIT 1))"),
};

static sqlite3_stmt **member(struct statements *st, size_t i)
{
    return (sqlite3_stmt **)(void *)((char *)st + table[i].offset);
}

int statements_prepare(struct ledger *l, struct err *err)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        int rc = sql_prepare(l->db, table[i].sql, member(&l->st, i), err);

        if (rc < 0)
            return rc;
    }
    return 0;
}

void statements_finish(struct ledger *l)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        sqlite3_finalize(*member(&l->st, i));
        *member(&l->st, i) = NULL;
    }
}
