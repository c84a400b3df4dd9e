/* The writer's statements, prepared once, and the tables in memory that some of them read. */
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

    /* A failure leaves the rows before it: the transaction is given up. */
    STATEMENT(event_put, "INSERT OR FAIL INTO event (" EVENT_COLUMNS ") "
                         "SELECT * FROM arriving_event WHERE true "
                         "ON CONFLICT (source, id) DO NOTHING"),
    STATEMENT(event_get, "SELECT seq, json FROM event WHERE source = ?1 AND id = ?2"),
    STATEMENT(event_of_subject, "SELECT seq, json FROM event WHERE kind = ?1 AND subject = ?2"),
    STATEMENT(event_of_kind, "SELECT seq, json FROM event WHERE kind = ?1"),
    STATEMENT(event_after, "SELECT seq, json FROM event WHERE seq > ?1 ORDER BY seq LIMIT ?2"),

    STATEMENT(ticket_get, "SELECT first_seq, " TICKET_COLUMNS " FROM ticket "
                          "WHERE first_seq = " TICKET_FIRST_SEQ("?1", "?2")),
    STATEMENT(tickets_get, "SELECT place, first_seq, " TICKET_COLUMNS " FROM wanted_ticket "
                           "CROSS JOIN ticket "
                           "ON first_seq = " TICKET_FIRST_SEQ("wanted_kind", "wanted_ticket")),
    STATEMENT(tickets_insert, TICKET_INSERT_FROM("new_ticket")),
    STATEMENT(ticket_update, TICKET_UPDATE),
    STATEMENT(ticket_due, "SELECT kind, ticket FROM ticket "
                          "WHERE due_at IS NOT NULL AND due_at <= ?1"),
    STATEMENT(ticket_jobs, "SELECT first_seq, " TICKET_COLUMNS " FROM ticket WHERE device = ?1 "
                           "AND device IS NOT NULL AND kind IN ('install', 'repair')"),

    STATEMENT(device_put, DEVICE_PUT),
    STATEMENT(device_delete, "DELETE FROM device WHERE device = ?1"),
    STATEMENT(device_due, "SELECT device FROM device WHERE due_at IS NOT NULL AND due_at <= ?1"),

    STATEMENT(fact_get, "SELECT numerator, denominator, excluded, pending FROM fact "
                        "WHERE kpi = ?1 AND period = ?2 AND scope = ?3"),
    STATEMENT(facts_put, FACT_PUT_FROM("counted_fact")),
    STATEMENT(fact_delete, "DELETE FROM fact WHERE kpi = ?1 AND period = ?2 AND scope = ?3"),
    /* What people are shown: the latest revision of what is sealed, the present of the rest. */
    STATEMENT(fact_window,
              "SELECT " FACT_COLUMNS " FROM fact WHERE end_at > ?1 "
              "AND period NOT IN (SELECT period FROM sealed_period) UNION ALL "
              "SELECT " SEALED_FACT_COLUMNS " FROM sealed_period p JOIN sealed_fact s "
              "ON s.seal = p.seal AND s.period = p.period WHERE p.end_at > ?1"),
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
    STATEMENT(note_place, "SELECT 1 FROM appraisal_week WHERE week = ?1 AND department = ?2 "
                          "AND kpi = ?3"),
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

/* The tables that are read out of memory. */
static int create_bulks(struct ledger *l, struct err *err)
{
    const struct {
        struct bulk *bulk;
        const char *name, *columns;
    } bulks[] = {
        { &l->arriving_event, "arriving_event", EVENT_COLUMNS },
        { &l->wanted_ticket, "wanted_ticket", "place, wanted_kind TEXT, wanted_ticket TEXT" },
        { &l->new_ticket, "new_ticket", "first_seq, " TICKET_COLUMNS },
        { &l->counted_fact, "counted_fact", FACT_COLUMNS },
    };
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < sizeof bulks / sizeof bulks[0]; i++)
        rc = bulk_create(bulks[i].bulk, l->db, bulks[i].name, bulks[i].columns, err);
    return rc;
}

int statements_prepare(struct ledger *l, struct err *err)
{
    int rc = create_bulks(l, err);

    if (rc < 0)
        return rc;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        rc = sql_prepare(l->db, table[i].sql, member(&l->st, i), err);
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
