/* Recounting, in the order in which things depend on each other:
 *
 *   1. each ticket kind, ticket by ticket through the index on (kind, subject): fold, count, write.
 *      An install or repair that names a device is only folded: what it counts as depends on the
 *      other jobs of the device;
 *   2. each device that the log or a job names: rework among its jobs, its history, what it counts
 *      in each period, its row;
 *   3. the gaps of each KPI's inputs;
 *   4. the facts, out of the tally.
 *
 * Work comes in chunks. In schema "main" each chunk is one transaction, and every cursor over the
 * log is closed at its end and opened again behind the last subject: an open cursor would keep the
 * write-ahead log from being used anew. */
#include "ledger/recount.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "kpi/coverage.h"
#include "kpi/rework.h"
#include "kpi/tally.h"
#include "ledger/rows.h"
#include "ledger/staging.h"
#include "ledger/subject.h"

enum { CHUNK_ROWS = 10000 };

struct recount {
    sqlite3 *db;
    struct recount_options is;
    bool in_file; /* schema "main": chunks are transactions */
    struct tally *tally;
    struct subjects subjects;
    sqlite3_stmt *log;        /* events of a kind behind a subject, by subject */
    sqlite3_stmt *kind;       /* the kind behind a kind */
    sqlite3_stmt *job_device; /* the device behind a device that a job names */
    sqlite3_stmt *put_ticket, *update_ticket, *put_device, *put_fact, *put_gap;
    size_t rows; /* of the chunk at hand */
};

/* The index on the device of jobs, under whichever of its two names (staging.h). */
static int find_job_index(struct recount *r, char name[KIND_SIZE], struct err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sql_preparef(r->db, &stmt, err,
                          "SELECT name FROM %s.sqlite_schema WHERE type = 'index' "
                          "AND tbl_name = '" STAGED("ticket") "' AND name GLOB 'ticket_job*'",
                          r->is.schema);

    if (rc < 0)
        return rc;
    rc = sql_step(stmt, "schema", err);
    if (rc == 0 || (rc > 0 && !sql_column_text_into(stmt, 0, name, KIND_SIZE)))
        rc = err_set(err, -EBADMSG, "the ledger has no index on the device of a ticket");
    sqlite3_finalize(stmt);
    return rc < 0 ? rc : 0;
}

/* The planner would rather read all jobs and sort them, for each device anew: so it is told. */
static int prepare_job_device(struct recount *r, struct err *err)
{
    char index[KIND_SIZE] = "";
    int rc = find_job_index(r, index, err);

    if (rc < 0)
        return rc;
    return sql_preparef(r->db, &r->job_device, err,
                        "SELECT min(name) FROM (SELECT min(device) AS name "
                        "FROM %s.rebuild_ticket INDEXED BY %s WHERE device > ?1 "
                        "AND device IS NOT NULL AND kind IN ('install', 'repair') UNION ALL "
                        "SELECT min(subject) FROM event WHERE kind = 'device' AND subject > ?1)",
                        r->is.schema, index);
}

static int prepare_reads(struct recount *r, struct err *err)
{
    int rc = sql_prepare(r->db,
                         "SELECT subject, json, seq FROM event WHERE kind = ?1 AND subject > ?2 "
                         "ORDER BY subject, seq",
                         &r->log, err);

    if (rc == 0)
        rc = sql_prepare(r->db, "SELECT min(kind) FROM event WHERE kind > ?1", &r->kind, err);
    return rc < 0 ? rc : prepare_job_device(r, err);
}

static int prepare_writes(struct recount *r, struct err *err)
{
    const struct {
        sqlite3_stmt **stmt;
        const char *in_file, *in_temp;
    } all[] = {
        { &r->put_ticket, TICKET_INSERT_INTO("main." STAGED("ticket")),
          TICKET_INSERT_INTO("temp." STAGED("ticket")) },
        { &r->update_ticket, TICKET_UPDATE_IN("main." STAGED("ticket")),
          TICKET_UPDATE_IN("temp." STAGED("ticket")) },
        { &r->put_device, DEVICE_PUT_INTO("main." STAGED("device")),
          DEVICE_PUT_INTO("temp." STAGED("device")) },
        { &r->put_fact, FACT_PUT_INTO("main." STAGED("fact")),
          FACT_PUT_INTO("temp." STAGED("fact")) },
        { &r->put_gap, "INSERT INTO main." STAGED("gap") " VALUES (?1, ?2, ?3)",
          "INSERT INTO temp." STAGED("gap") " VALUES (?1, ?2, ?3)" },
    };
    int rc = 0;

    for (size_t i = 0; i < LENGTH(all) && rc == 0; i++)
        rc = sql_prepare(r->db, r->in_file ? all[i].in_file : all[i].in_temp, all[i].stmt, err);
    return rc;
}

static void finish(struct recount *r)
{
    sqlite3_stmt *all[] = { r->log,           r->kind,       r->job_device, r->put_ticket,
                            r->update_ticket, r->put_device, r->put_fact,   r->put_gap };

    for (size_t i = 0; i < LENGTH(all); i++)
        sqlite3_finalize(all[i]);
    subjects_finish(&r->subjects);
    tally_destroy(r->tally);
}

static int chunk_begin(struct recount *r, struct err *err)
{
    r->rows = 0;
    return r->in_file ? sql_exec(r->db, "BEGIN IMMEDIATE", err) : 0;
}

/* Ends the chunk as `rc` says and hands `rc` on: negative takes it back. */
static int chunk_end(struct recount *r, int rc, struct err *err)
{
    struct err why;

    if (r->is.progress)
        r->is.progress(r->is.progress_arg, "counting the event log anew");
    if (!r->in_file)
        return rc;
    if (rc >= 0 &&
        (sql_exec(r->db, "COMMIT", &why) < 0 || sql_checkpoint(r->db, false, NULL, &why) < 0))
        rc = err_set(err, why.code, "%s", why.text);
    if (rc < 0 && !sqlite3_get_autocommit(r->db))
        (void)sql_exec(r->db, "ROLLBACK", NULL); /* the first failure is the one to tell */
    return rc;
}

static bool chunk_is_full(const struct recount *r)
{
    return r->rows >= CHUNK_ROWS;
}

/* Writes the ticket as counted, and counts it. */
static int put_ticket(struct recount *r, sqlite3_stmt *stmt, int64_t first_seq,
                      const struct ticket *ticket, const char *accuser, bool counts,
                      struct err *err)
{
    const struct kpi *kpi = rules_kpi_of_kind(r->is.rules, ticket->kind);
    struct contribution contribution = { 0 };

    if (kpi && counts) {
        contribution = contribution_of(ticket, kpi, accuser != NULL, r->is.as_of);
        tally_ticket(r->tally, kpi, &ticket->is, &contribution, 1);
    }
    rows_bind_ticket(stmt, first_seq, ticket, &contribution, accuser,
                     kpi ? contribution_due_at(ticket, kpi, r->is.as_of) : ticket->next_at);
    r->rows++;
    return sql_run(stmt, "ticket", err);
}

static int count_ticket(struct recount *r, const char *kind, const char *id, int64_t first_seq,
                        struct event_list *events, struct err *err)
{
    struct ticket ticket;
    bool waits; /* for the other jobs of its device */

    if (events->count == 0)
        return 0;
    ticket_init(&ticket, kind, id);
    event_list_sort(events);
    ticket_fold(&ticket, events->items, events->count, r->is.as_of);
    waits = rework_links_kind(kind) && ticket.is.device[0] != '\0';
    events->count = 0;
    return put_ticket(r, r->put_ticket, first_seq, &ticket, NULL, !waits, err);
}

/* Tickets of a kind behind `after`, until the chunk is full. Moves `after` to the last one that is
 * done; 1 if there are more. `events` is scratch. */
static int count_some_tickets(struct recount *r, const char *kind, char after[TICKET_SIZE],
                              struct event_list *events, struct err *err)
{
    sqlite3_stmt *log = r->log;
    char current[TICKET_SIZE] = "";
    int64_t first_seq = 0;
    int rc;

    events->count = 0;
    sql_bind_text(log, 1, kind);
    sql_bind_text(log, 2, after);
    while ((rc = sql_step(log, "event log", err)) > 0) {
        if (strcmp(sql_column_text(log, 0), current) != 0) {
            rc = count_ticket(r, kind, current, first_seq, events, err);
            if (rc < 0 || chunk_is_full(r))
                break;
            first_seq = sqlite3_column_int64(log, 2);
            if (!sql_column_text_into(log, 0, current, sizeof current)) {
                rc = err_set(err, -EBADMSG, "a ticket of the log has too long a name");
                break;
            }
        }
        rc = event_list_add(events, sql_column_text(log, 1), (size_t)sqlite3_column_bytes(log, 1),
                            sqlite3_column_int64(log, 2), err);
        if (rc < 0)
            break;
    }
    (void)sqlite3_reset(log); /* repeats the failure that the step has told */
    if (rc < 0)
        return rc;
    if (chunk_is_full(r)) {
        memcpy(after, current, TICKET_SIZE);
        return 1;
    }
    return count_ticket(r, kind, current, first_seq, events, err);
}

static int count_kind(struct recount *r, const char *kind, struct err *err)
{
    struct event_list events = { 0 };
    char after[TICKET_SIZE] = "";
    int rc;

    do {
        rc = chunk_begin(r, err);
        if (rc == 0)
            rc = chunk_end(r, count_some_tickets(r, kind, after, &events, err), err);
    } while (rc > 0);
    event_list_finish(&events);
    return rc;
}

/* The name behind `name` that `stmt` finds: 1, or 0 at the end. */
static int next_name(sqlite3_stmt *stmt, char *name, size_t size, struct err *err)
{
    int rc;
    bool fits = true;

    sql_bind_text(stmt, 1, name);
    rc = sql_step(stmt, "event log", err);
    if (rc > 0 && sqlite3_column_type(stmt, 0) == SQLITE_NULL)
        rc = 0;
    if (rc > 0)
        fits = sql_column_text_into(stmt, 0, name, size);
    (void)sqlite3_reset(stmt); /* repeats the failure that the step has told */
    return fits ? rc : err_set(err, -EBADMSG, "the log holds a name that is too long");
}

static int count_kinds(struct recount *r, struct err *err)
{
    char kind[KIND_SIZE] = "";
    int rc;

    while ((rc = next_name(r->kind, kind, sizeof kind, err)) > 0) {
        if (strcmp(kind, "device") == 0 || strcmp(kind, "source") == 0)
            continue;
        rc = count_kind(r, kind, err);
        if (rc < 0)
            return rc;
    }
    return rc;
}

/* Law 2.rework among the jobs of one device. */
static int count_jobs(struct recount *r, const struct device_subject *subject, struct err *err)
{
    struct job *jobs = mem_alloc((subject->job_count + 1) * sizeof *jobs);
    int rc = 0;

    for (size_t i = 0; i < subject->job_count; i++)
        jobs[i] = (struct job){ .ticket = &subject->jobs[i].ticket };
    rework_accuse(jobs, subject->job_count, r->is.rules);
    for (size_t i = 0; i < subject->job_count && rc == 0; i++)
        rc = put_ticket(r, r->update_ticket, subject->jobs[i].first_seq, jobs[i].ticket,
                        jobs[i].accuser ? jobs[i].accuser->ticket : NULL, true, err);
    free(jobs);
    return rc;
}

/* What the device adds to one KPI, period by period of one kind, from its first service on. */
static void count_periods(struct recount *r, const struct device_history *history,
                          const struct kpi *kpi, enum period_kind kind)
{
    const struct rules *rules = r->is.rules;
    int64_t until = history->service[history->service_count - 1].end;
    struct period period = period_at(kind, &rules->zone, history->service[0].begin);
    struct attributes is;
    struct counts counts;

    if (until > r->is.as_of)
        until = r->is.as_of;
    for (; period_begin(period, &rules->zone) < until; period = period_next(period)) {
        if (!device_counts(history, kpi, rules, period, r->is.as_of, &counts))
            continue;
        device_attributes(history, kpi, rules, period, r->is.as_of, &is);
        tally_device(r->tally, kpi, period, &is, &counts, 1);
    }
}

static int count_history(struct recount *r, const struct device_history *history, struct err *err)
{
    const struct rules *rules = r->is.rules;

    for (size_t k = 0; k < rules->kpi_count && history->service_count > 0; k++) {
        if (!rules->kpis[k].counts_devices)
            continue;
        for (int kind = PERIOD_DAY; kind < PERIOD_KINDS; kind++)
            count_periods(r, history, &rules->kpis[k], (enum period_kind)kind);
    }
    rows_bind_device(r->put_device, history, rules, r->is.as_of);
    r->rows++;
    return sql_run(r->put_device, "device", err);
}

static int count_device(struct recount *r, const char *device, struct err *err)
{
    struct device_subject subject;
    struct device_history history = { 0 };
    int rc = subjects_device(&r->subjects, device, r->is.as_of, &subject, err);

    if (rc == 0)
        rc = count_jobs(r, &subject, err);
    if (rc == 0) {
        device_subject_fold(&subject, device, r->is.rules, r->is.as_of, &history);
        rc = count_history(r, &history, err);
        device_history_finish(&history);
    }
    device_subject_finish(&subject);
    return rc;
}

static int count_some_devices(struct recount *r, char device[NAME_SIZE], struct err *err)
{
    int rc;

    while ((rc = next_name(r->job_device, device, NAME_SIZE, err)) > 0) {
        rc = count_device(r, device, err);
        if (rc < 0)
            return rc;
        if (chunk_is_full(r))
            return 1;
    }
    return rc;
}

static int count_devices(struct recount *r, struct err *err)
{
    char device[NAME_SIZE] = "";
    int rc;

    do {
        rc = chunk_begin(r, err);
        if (rc == 0)
            rc = chunk_end(r, count_some_devices(r, device, err), err);
    } while (rc > 0);
    return rc;
}

/* Law 7: the union of the gaps of the inputs that the KPI depends on. */
static int fold_gaps(struct recount *r, const struct kpi *kpi, struct gaps *all, struct err *err)
{
    for (size_t i = 0; i < kpi->source_count; i++) {
        struct event_list events = { 0 };
        struct gaps gaps = { 0 };
        int rc = subjects_events(&r->subjects, "source", kpi->sources[i], &events, err);

        if (rc == 0)
            gaps_fold(&gaps, events.items, events.count, r->is.as_of);
        event_list_finish(&events);
        gaps_unite(all, &gaps);
        gaps_finish(&gaps);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int count_gaps_of(struct recount *r, const struct kpi *kpi, struct err *err)
{
    struct gaps gaps = { 0 };
    int rc = fold_gaps(r, kpi, &gaps, err);

    for (size_t i = 0; i < gaps.count && rc == 0; i++) {
        sql_bind_text(r->put_gap, 1, kpi->id);
        sql_bind_integer(r->put_gap, 2, gaps.items[i].begin);
        sql_bind_instant(r->put_gap, 3, gaps.items[i].end);
        rc = sql_run(r->put_gap, "gap", err);
    }
    gaps_finish(&gaps);
    return rc;
}

static int count_gaps(struct recount *r, struct err *err)
{
    int rc = chunk_begin(r, err);

    if (rc < 0)
        return rc;
    for (size_t k = 0; k < r->is.rules->kpi_count && rc == 0; k++)
        rc = count_gaps_of(r, &r->is.rules->kpis[k], err);
    return chunk_end(r, rc, err);
}

/* What put_cell carries through tally_each. */
struct putting {
    struct recount *r;
    struct err *err;
};

static int put_cell(void *arg, const struct tally_cell *cell)
{
    struct putting *putting = arg;
    struct recount *r = putting->r;
    struct fact fact = fact_of(&cell->counts, cell->kpi, cell->period, cell->scope);
    int rc;

    rows_bind_fact(r->put_fact, cell->kpi, cell->period, cell->scope, &fact, &r->is.rules->zone);
    rc = sql_run(r->put_fact, "fact", putting->err);
    r->rows++;
    if (rc < 0 || !chunk_is_full(r))
        return rc;
    rc = chunk_end(r, rc, putting->err);
    return rc < 0 ? rc : chunk_begin(r, putting->err);
}

static int put_facts(struct recount *r, struct err *err)
{
    struct putting putting = { .r = r, .err = err };
    int rc = chunk_begin(r, err);

    return rc < 0 ? rc : chunk_end(r, tally_each(r->tally, put_cell, &putting), err);
}

static int count_all(struct recount *r, struct err *err)
{
    int rc = count_kinds(r, err);

    if (rc == 0)
        rc = count_devices(r, err);
    if (rc == 0)
        rc = count_gaps(r, err);
    if (rc == 0)
        rc = put_facts(r, err);
    return rc;
}

int recount(sqlite3 *db, const struct recount_options *options, struct err *err)
{
    bool in_file = strcmp(options->schema, "main") == 0;
    struct recount r = { .db = db, .is = *options, .in_file = in_file };
    int rc;

    assert(!in_file || sqlite3_get_autocommit(db));
    r.tally = tally_create(options->rules);
    rc = subjects_init(&r.subjects, db,
                       in_file ? "main." STAGED("ticket") : "temp." STAGED("ticket"), err);
    if (rc == 0)
        rc = prepare_reads(&r, err);
    if (rc == 0)
        rc = prepare_writes(&r, err);
    if (rc == 0)
        rc = count_all(&r, err);
    finish(&r);
    return rc;
}
