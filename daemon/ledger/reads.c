/* Reading the ledger. Each read is one statement over an index that has the order asked for, so
 * that a page of a long list costs what the page costs; what SQL cannot say as well (which scopes
 * a ticket belongs to) is filtered here. Statements are prepared when first used and kept.
 *
 * What a caller passes is copied into the statement: a callback that notes where the next page
 * begins may well write over the place where this page began. */
#include "ledger/reads.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "kpi/scope.h"
#include "ledger/migrate.h"
#include "ledger/rows.h"
#include "ledger/subject.h"

enum read_statement {
    READ_HOUSE,
    READ_FACTS,
    READ_FACTS_OF_KPI,
    READ_TICKET,
    READ_TICKETS_OF_FACT,
    READ_TICKETS_THEN,
    READ_FACT_NOW,
    READ_FACT_OF_SEAL,
    READ_REVISION,
    READ_EVENTS,
    READ_DEVICE_NAMES,
    READ_DEVICE_NAMES_THEN,
    READ_FAULTS,
    READ_QUARANTINE,
    READ_CHAIN,
    READ_TICKETS_OPENED,
    READ_BATCH,
    READ_STATEMENTS,
};

#define FACTS_IN_RANGE(kpi)                                                                        \
    "SELECT " FACT_COLUMNS ", 0, NULL, 0, 0, 0 FROM fact WHERE kind = ?1 AND period >= ?2 "        \
    "AND period <= ?3 AND (?4 IS NULL OR scope = ?4) AND (period, kpi, scope) > (?5, ?6, ?7) "     \
    kpi "AND period NOT IN (SELECT period FROM sealed_period) UNION ALL "                          \
    "SELECT " SEALED_FACT_COLUMNS ", p.revision, p.pending_at, p.sealed_at, s.coverage_e4, "       \
    "s.gaps FROM sealed_period p CROSS JOIN sealed_fact s ON s.seal = p.seal "                     \
    "AND s.period = p.period WHERE p.kind = ?1 AND p.period >= ?2 AND p.period <= ?3 "             \
    "AND (?4 IS NULL OR s.scope = ?4) AND (p.period, s.kpi, s.scope) > (?5, ?6, ?7) " kpi

/* test_reads.c holds each against the index that it is to use. */
static const char *const texts[READ_STATEMENTS] = {
    [READ_HOUSE] = "SELECT as_of, position FROM house",
    [READ_FACTS] = FACTS_IN_RANGE("") "ORDER BY 2, 1, 3",
    [READ_FACTS_OF_KPI] = FACTS_IN_RANGE("AND kpi = ?8 ") "ORDER BY 2, 3",
    [READ_TICKET] = "SELECT " TICKET_COLUMNS " FROM ticket "
                    "WHERE first_seq = " TICKET_FIRST_SEQ("?1", "?2"),
    [READ_TICKETS_OF_FACT] = "SELECT " TICKET_COLUMNS " FROM ticket WHERE kind = ?1 "
                             "AND counts_at >= ?2 AND counts_at < ?3 "
                             "AND (counts_at, ticket) > (?4, ?5) ORDER BY counts_at, ticket",
    /* What was kept since (moved.c), and all the others as they are. */
    [READ_TICKETS_THEN] =
        "SELECT " TICKET_COLUMNS " FROM ticket t WHERE kind = ?1 AND counts_at >= ?2 "
        "AND counts_at < ?3 AND (counts_at, ticket) > (?4, ?5) AND NOT EXISTS (SELECT 1 "
        "FROM ticket_was w WHERE w.kind = t.kind AND w.ticket = t.ticket AND w.seal >= ?6) "
        "UNION ALL SELECT " TICKET_COLUMNS " FROM ticket_was w WHERE kind = ?1 "
        "AND counts_at >= ?2 AND counts_at < ?3 AND (counts_at, ticket) > (?4, ?5) "
        "AND seal >= ?6 AND NOT EXISTS (SELECT 1 FROM ticket_was e WHERE e.kind = w.kind "
        "AND e.ticket = w.ticket AND e.seal >= ?6 AND e.seal < w.seal) "
        "ORDER BY counts_at, ticket",
    [READ_FACT_NOW] = "SELECT " FACT_COLUMNS ", 0, NULL, 0, 0, 0 FROM fact "
                      "WHERE kpi = ?1 AND period = ?2 AND scope = ?3",
    [READ_FACT_OF_SEAL] =
        "SELECT " SEALED_FACT_COLUMNS ", r.revision, CASE p.seal WHEN r.n THEN p.pending_at END, "
        "r.at, s.coverage_e4, s.gaps FROM seal r JOIN sealed_fact s ON s.seal = r.n "
        "JOIN sealed_period p ON p.period = s.period "
        "WHERE r.n = ?4 AND s.period = ?2 AND s.kpi = ?1 AND s.scope = ?3",
    [READ_REVISION] = "SELECT n, revision, at, position FROM seal WHERE period = ?1 "
                      "AND (?2 = 0 OR revision = ?2) AND kind IN ('sealed', 'restated') "
                      "ORDER BY revision DESC LIMIT 1",
    [READ_EVENTS] = "SELECT seq, received_at, via, json FROM event "
                    "WHERE kind = ?1 AND subject = ?2 ORDER BY at, source, id",
    [READ_DEVICE_NAMES] = "SELECT device FROM device WHERE device > ?1 ORDER BY device",
    /* A counting anew forgets a device that no ticket names any more. */
    [READ_DEVICE_NAMES_THEN] =
        "SELECT device FROM device WHERE device > ?1 UNION SELECT device "
        "FROM ticket_was INDEXED BY ticket_was_job WHERE device > ?1 AND device IS NOT NULL "
        "AND kind IN ('install', 'repair') "
        "ORDER BY device",
    [READ_FAULTS] = "SELECT device, code.value, since.value FROM device "
                    "CROSS JOIN json_each(faults) AS code CROSS JOIN json_each(faults_at) AS since "
                    "WHERE faults <> '[]' AND since.key = code.key ORDER BY device",
    [READ_QUARANTINE] = "SELECT n, line, received_at, last_at, times, via, reason, state, raw "
                        "FROM quarantine WHERE state = 'waiting' AND n > ?1 ORDER BY n",
    [READ_TICKETS_OPENED] = "SELECT " TICKET_COLUMNS " FROM ticket WHERE kind = ?1 "
                            "AND opened_at >= ?2 AND opened_at < ?3 ORDER BY ticket",
    [READ_BATCH] = "SELECT seq, received_at, via, json FROM event "
                   "WHERE source = ?1 AND id >= ?2 AND id < ?2 || char(1114111) ORDER BY id",
    [READ_CHAIN] = "SELECT n, at, position, facts, moved, revision, kind, period, by, why, "
                   "quarantine, content, digest FROM seal WHERE n < ?1 ORDER BY n DESC",
};

struct reader {
    sqlite3 *db;
    sqlite3_stmt *statements[READ_STATEMENTS];
    struct subjects subjects;
    bool has_subjects;
    struct subjects subjects_then;
    bool has_subjects_then;
    struct revision then; /* how it was; seal 0: how it is */
    char accuser[TICKET_SIZE]; /* what the last ticket_row borrows */
};

int reader_open(struct reader **ret, const char *path, struct err *err)
{
    struct reader *r = mem_zalloc(sizeof *r);
    int rc = sql_open_reader(path, &r->db, err);

    if (rc == 0)
        rc = schema_check(r->db, err);
    if (rc < 0) {
        reader_close(r);
        return rc;
    }
    *ret = r;
    return 0;
}

void reader_close(struct reader *reader)
{
    if (!reader)
        return;
    for (int i = 0; i < READ_STATEMENTS; i++)
        sqlite3_finalize(reader->statements[i]);
    subjects_finish(&reader->subjects);
    subjects_finish(&reader->subjects_then);
    sql_close(reader->db);
    free(reader);
}

sqlite3 *reader_connection(struct reader *reader)
{
    return reader->db;
}

/* The statement, prepared and reset. */
static int statement(struct reader *r, enum read_statement which, sqlite3_stmt **ret,
                     struct err *err)
{
    int rc = 0;

    if (!r->statements[which])
        rc = sql_prepare(r->db, texts[which], &r->statements[which], err);
    if (rc == 0)
        *ret = r->statements[which];
    return rc;
}

/* Ends a read: its rows borrow no longer. A wish to stop is no failure. */
static int finish(sqlite3_stmt *stmt, int rc)
{
    (void)sqlite3_reset(stmt); /* repeats the failure that the step has told */
    return rc < 0 ? rc : 0;
}

static int damaged(const char *what, struct err *err)
{
    return err_set(err, -EBADMSG,
                   "the ledger holds a %s that kpid never writes: the file is damaged, put the "
                   "last backup in its place with kpid --restore",
                   what);
}

int reader_begin(struct reader *reader, int64_t *ret_as_of, int64_t *ret_position, struct err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = statement(reader, READ_HOUSE, &stmt, err);

    if (rc == 0)
        rc = sql_exec(reader->db, "BEGIN", err);
    if (rc < 0)
        return rc;
    rc = sql_step(stmt, "house", err);
    if (rc > 0) {
        *ret_as_of = sqlite3_column_int64(stmt, 0);
        *ret_position = sqlite3_column_int64(stmt, 1);
    } else if (rc == 0) {
        rc = err_set(err, -ENODATA, "the ledger is empty: start kpid.service, which fills it");
    }
    rc = finish(stmt, rc);
    if (rc < 0)
        reader_end(reader);
    return rc;
}

void reader_end(struct reader *reader)
{
    reader->then = (struct revision){ 0 };
    /* A reader has nothing to lose: whether it ended well or was ended by a failure is one. */
    if (!sqlite3_get_autocommit(reader->db))
        (void)sql_exec(reader->db, "ROLLBACK", NULL);
}

/* SQL narrows to one scope; a pattern is matched here. */
static const char *single_scope(const char *scope)
{
    size_t length = scope ? strlen(scope) : 0;

    return length > 0 && scope[length - 1] != '*' ? scope : NULL;
}

/* What stands behind FACT_COLUMNS. */
static struct sealing read_sealing(sqlite3_stmt *stmt)
{
    return (struct sealing){ .revision = sqlite3_column_int(stmt, 17),
                             .pending = sqlite3_column_type(stmt, 18) != SQLITE_NULL,
                             .as_of = sqlite3_column_int64(stmt, 19),
                             .coverage = { sqlite3_column_int(stmt, 20),
                                           sqlite3_column_int(stmt, 21) } };
}

static int each_fact(sqlite3_stmt *stmt, const struct fact_query *query,
                     int (*each)(void *arg, const struct fact_row *row), void *arg, struct err *err)
{
    int rc;

    while ((rc = sql_step(stmt, "facts", err)) > 0) {
        char scope[SCOPE_SIZE];
        struct fact_row row = { .kpi = sql_column_text(stmt, 0), .scope = scope };

        if (!rows_read_fact(stmt, 0, &row.period, scope, &row.fact))
            return damaged("fact", err);
        row.sealing = read_sealing(stmt);
        if (query->scope && !scope_matches(query->scope, scope))
            continue;
        if (each(arg, &row))
            return 0;
    }
    return rc;
}

int reader_facts(struct reader *reader, const struct fact_query *query,
                 int (*each)(void *arg, const struct fact_row *row), void *arg, struct err *err)
{
    enum read_statement which = query->kpi ? READ_FACTS_OF_KPI : READ_FACTS;
    bool goes_on = query->after_kpi != NULL;
    char from[PERIOD_SIZE], to[PERIOD_SIZE], after[PERIOD_SIZE] = "";
    sqlite3_stmt *stmt = NULL;
    int rc = statement(reader, which, &stmt, err);

    if (rc < 0)
        return rc;
    if (goes_on)
        period_format(after, query->after_period);
    sql_bind_integer(stmt, 1, query->from.kind);
    period_format(from, query->from);
    sql_bind_text(stmt, 2, strcmp(after, from) > 0 ? after : from);
    sql_bind_text(stmt, 3, period_format(to, query->to));
    sql_bind_text_copied(stmt, 4, single_scope(query->scope));
    sql_bind_text(stmt, 5, after);
    sql_bind_text_copied(stmt, 6, goes_on ? query->after_kpi : "");
    sql_bind_text_copied(stmt, 7, goes_on ? query->after_scope : "");
    if (query->kpi)
        sql_bind_text_copied(stmt, 8, query->kpi);
    return finish(stmt, each_fact(stmt, query, each, arg, err));
}

int reader_fact(struct reader *reader, const char *kpi, struct period period, const char *scope,
                int64_t seal, struct fact_row *ret, struct err *err)
{
    struct fact_row row = { .kpi = kpi, .scope = scope };
    char name[PERIOD_SIZE], found[SCOPE_SIZE];
    sqlite3_stmt *stmt = NULL;
    int rc = statement(reader, seal ? READ_FACT_OF_SEAL : READ_FACT_NOW, &stmt, err);

    if (rc < 0)
        return rc;
    sql_bind_text(stmt, 1, kpi);
    sql_bind_text(stmt, 2, period_format(name, period));
    sql_bind_text(stmt, 3, scope);
    if (seal)
        sql_bind_integer(stmt, 4, seal);
    rc = sql_step(stmt, "a fact", err);
    if (rc > 0 && !rows_read_fact(stmt, 0, &row.period, found, &row.fact))
        rc = damaged("fact", err);
    if (rc > 0) {
        row.sealing = read_sealing(stmt);
        row.begin_at = sqlite3_column_int64(stmt, 4);
        row.end_at = sqlite3_column_int64(stmt, 5);
        *ret = row;
    }
    (void)sqlite3_reset(stmt); /* repeats the failure that the step has told */
    return rc;
}

int reader_revision(struct reader *reader, struct period period, int32_t number,
                    struct revision *ret, struct err *err)
{
    char name[PERIOD_SIZE];
    sqlite3_stmt *stmt = NULL;
    int rc = statement(reader, READ_REVISION, &stmt, err);

    if (rc < 0)
        return rc;
    if (period.kind == PERIOD_DAY)
        period = period_of_day(PERIOD_WEEK, period.number);
    sql_bind_text(stmt, 1, period_format(name, period));
    sql_bind_integer(stmt, 2, number);
    rc = sql_step(stmt, "revisions", err);
    if (rc > 0)
        *ret = (struct revision){ .seal = sqlite3_column_int64(stmt, 0),
                                  .revision = sqlite3_column_int(stmt, 1),
                                  .as_of = sqlite3_column_int64(stmt, 2),
                                  .position = sqlite3_column_int64(stmt, 3) };
    (void)sqlite3_reset(stmt); /* repeats the failure that the step has told */
    return rc;
}

void reader_look_back(struct reader *reader, const struct revision *to)
{
    reader->then = *to;
}

static int read_ticket_row(struct reader *r, sqlite3_stmt *stmt, struct ticket_row *ret,
                           struct err *err)
{
    if (!rows_read_ticket(stmt, 0, &ret->ticket, &ret->contribution, r->accuser))
        return damaged("ticket", err);
    ret->accuser = r->accuser[0] ? r->accuser : NULL;
    return 1;
}

int reader_ticket(struct reader *reader, const char *kind, const char *ticket,
                  struct ticket_row *ret, struct err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = statement(reader, READ_TICKET, &stmt, err);

    if (rc < 0)
        return rc;
    sql_bind_text(stmt, 1, kind);
    sql_bind_text(stmt, 2, ticket);
    rc = sql_step(stmt, "ticket", err);
    if (rc > 0)
        rc = read_ticket_row(reader, stmt, ret, err);
    (void)sqlite3_reset(stmt); /* repeats the failure that the step has told */
    return rc;
}

static int each_ticket(struct reader *r, sqlite3_stmt *stmt, const struct kpi *kpi,
                       const char *scope, int (*each)(void *arg, const struct ticket_row *row),
                       void *arg, struct err *err)
{
    int rc;

    while ((rc = sql_step(stmt, "tickets", err)) > 0) {
        struct ticket_row row;

        rc = read_ticket_row(r, stmt, &row, err);
        if (rc < 0)
            return rc;
        if (scope_holds(&row.ticket.is, kpi, scope) && each(arg, &row))
            return 0;
    }
    return rc;
}

int reader_tickets_of_fact(struct reader *reader, const struct kpi *kpi, int64_t begin, int64_t end,
                           const char *scope, int64_t after_at, const char *after_ticket,
                           int (*each)(void *arg, const struct ticket_row *row), void *arg,
                           struct err *err)
{
    int64_t seal = reader->then.seal;
    sqlite3_stmt *stmt = NULL;
    int rc = statement(reader, seal ? READ_TICKETS_THEN : READ_TICKETS_OF_FACT, &stmt, err);

    if (rc < 0)
        return rc;
    if (seal)
        sql_bind_integer(stmt, 6, seal);
    sql_bind_text(stmt, 1, kpi->counts);
    sql_bind_integer(stmt, 2, after_ticket && after_at > begin ? after_at : begin);
    sql_bind_integer(stmt, 3, end);
    sql_bind_integer(stmt, 4, after_ticket ? after_at : INT64_MIN);
    sql_bind_text_copied(stmt, 5, after_ticket ? after_ticket : "");
    return finish(stmt, each_ticket(reader, stmt, kpi, scope, each, arg, err));
}

static int read_event_row(sqlite3_stmt *stmt, struct event_row *row, struct err *err)
{
    struct reject why;

    row->seq = sqlite3_column_int64(stmt, 0);
    row->received_at = sqlite3_column_int64(stmt, 1);
    row->via = sql_column_text(stmt, 2);
    row->json = sql_column_text(stmt, 3);
    if (!event_parse(row->json, (size_t)sqlite3_column_bytes(stmt, 3), NULL, &row->event, &why))
        return damaged("event", err);
    return 0;
}

int reader_events(struct reader *reader, const char *kind, const char *subject,
                  int (*each)(void *arg, const struct event_row *row), void *arg, struct err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = statement(reader, READ_EVENTS, &stmt, err);

    if (rc < 0)
        return rc;
    sql_bind_text_copied(stmt, 1, kind);
    sql_bind_text_copied(stmt, 2, subject);
    while ((rc = sql_step(stmt, "events", err)) > 0) {
        struct event_row row;

        if (reader->then.seal && sqlite3_column_int64(stmt, 0) > reader->then.position)
            continue; /* came later */
        rc = read_event_row(stmt, &row, err);
        if (rc < 0 || each(arg, &row))
            break;
    }
    return finish(stmt, rc);
}

/* The subjects to read devices by: as they are, or as they were. */
static int find_subjects(struct reader *reader, struct subjects **ret, struct err *err)
{
    bool back = reader->then.seal != 0;
    bool *has = back ? &reader->has_subjects_then : &reader->has_subjects;
    int rc = 0;

    *ret = back ? &reader->subjects_then : &reader->subjects;
    if (!*has)
        rc = subjects_init(*ret, reader->db, back ? SUBJECT_TICKETS_EVER : "ticket", err);
    if (rc < 0)
        return rc;
    *has = true;
    if (back)
        (*ret)->up_to = reader->then.position;
    return 0;
}

int reader_device(struct reader *reader, const char *device, const struct rules *rules,
                  int64_t as_of, struct device_history *ret, struct err *err)
{
    struct device_subject subject;
    struct subjects *subjects;
    bool known;
    int rc = find_subjects(reader, &subjects, err);

    if (rc < 0)
        return rc;
    rc = subjects_device(subjects, device, as_of, &subject, err);
    known = rc == 0 && device_subject_is_known(&subject);
    if (known)
        device_subject_fold(&subject, device, rules, as_of, ret);
    device_subject_finish(&subject);
    return rc < 0 ? rc : known;
}

int reader_device_names(struct reader *reader, const char *after,
                        int (*each)(void *arg, const char *device), void *arg, struct err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = statement(reader, reader->then.seal ? READ_DEVICE_NAMES_THEN : READ_DEVICE_NAMES,
                       &stmt, err);

    if (rc < 0)
        return rc;
    sql_bind_text_copied(stmt, 1, after ? after : "");
    while ((rc = sql_step(stmt, "devices", err)) > 0)
        if (each(arg, sql_column_text(stmt, 0)))
            break;
    return finish(stmt, rc);
}

int reader_faults(struct reader *reader,
                  int (*each)(void *arg, const char *device, const char *code, int64_t since),
                  void *arg, struct err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = statement(reader, READ_FAULTS, &stmt, err);

    if (rc < 0)
        return rc;
    while ((rc = sql_step(stmt, "devices", err)) > 0)
        if (each(arg, sql_column_text(stmt, 0), sql_column_text(stmt, 1),
                 sqlite3_column_int64(stmt, 2)))
            break;
    return finish(stmt, rc);
}

int reader_quarantine(struct reader *reader, int64_t after,
                      int (*each)(void *arg, const struct quarantine_row *row), void *arg,
                      struct err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = statement(reader, READ_QUARANTINE, &stmt, err);

    if (rc < 0)
        return rc;
    sql_bind_integer(stmt, 1, after);
    while ((rc = sql_step(stmt, "quarantine", err)) > 0) {
        struct quarantine_row row = { .n = sqlite3_column_int64(stmt, 0),
                                      .line = sqlite3_column_int64(stmt, 1),
                                      .received_at = sqlite3_column_int64(stmt, 2),
                                      .last_at = sqlite3_column_int64(stmt, 3),
                                      .times = sqlite3_column_int64(stmt, 4),
                                      .via = sql_column_text(stmt, 5),
                                      .reason = sql_column_text(stmt, 6),
                                      .state = sql_column_text(stmt, 7),
                                      .raw = sqlite3_column_blob(stmt, 8),
                                      .raw_length = (size_t)sqlite3_column_bytes(stmt, 8) };

        if (each(arg, &row))
            break;
    }
    return finish(stmt, rc);
}

int reader_chain(struct reader *reader, int64_t before,
                 int (*each)(void *arg, const struct chain_row *row), void *arg, struct err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = statement(reader, READ_CHAIN, &stmt, err);

    if (rc < 0)
        return rc;
    sql_bind_integer(stmt, 1, before > 0 ? before : INT64_MAX);
    while ((rc = sql_step(stmt, "the chain", err)) > 0) {
        struct chain_row row = { .n = sqlite3_column_int64(stmt, 0),
                                 .at = sqlite3_column_int64(stmt, 1),
                                 .position = sqlite3_column_int64(stmt, 2),
                                 .facts = sqlite3_column_int64(stmt, 3),
                                 .moved = sqlite3_column_int64(stmt, 4),
                                 .revision = sqlite3_column_int(stmt, 5),
                                 .kind = sql_column_text(stmt, 6),
                                 .period = sql_column_text(stmt, 7),
                                 .by = sql_column_text(stmt, 8),
                                 .why = sql_column_text(stmt, 9),
                                 .quarantine = sql_column_text(stmt, 10),
                                 .content = sql_column_text(stmt, 11),
                                 .digest = sql_column_text(stmt, 12) };

        if (each(arg, &row))
            break;
    }
    return finish(stmt, rc);
}

int reader_tickets_opened(struct reader *reader, const char *kind, int64_t from, int64_t until,
                          int (*each)(void *arg, const struct ticket_row *row), void *arg,
                          struct err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = statement(reader, READ_TICKETS_OPENED, &stmt, err);

    if (rc < 0)
        return rc;
    sql_bind_text_copied(stmt, 1, kind);
    sql_bind_integer(stmt, 2, from);
    sql_bind_integer(stmt, 3, until);
    while ((rc = sql_step(stmt, "tickets", err)) > 0) {
        struct ticket_row row;

        rc = read_ticket_row(reader, stmt, &row, err);
        if (rc < 0 || each(arg, &row))
            break;
    }
    return finish(stmt, rc);
}

int reader_batch(struct reader *reader, const char *source, const char *prefix,
                 int (*each)(void *arg, const struct event_row *row), void *arg, struct err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = statement(reader, READ_BATCH, &stmt, err);

    if (rc < 0)
        return rc;
    sql_bind_text_copied(stmt, 1, source);
    sql_bind_text_copied(stmt, 2, prefix);
    while ((rc = sql_step(stmt, "events", err)) > 0) {
        struct event_row row;

        rc = read_event_row(stmt, &row, err);
        if (rc < 0 || each(arg, &row))
            break;
    }
    return finish(stmt, rc);
}
