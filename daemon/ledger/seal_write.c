/* What one sealing writes: the facts of a period (of a week with its days), copied as a revision
 * that never changes, and its record of the chain. Cells are read, never tickets, so a week of a
 * million costs what its facts cost. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/instant.h"
#include "base/mem.h"
#include "ledger/rows.h"
#include "ledger/new_seal.h"

enum { QUARANTINE_LISTED_MAX = 500 };

/* --- Facts, a period and a KPI at a time. */

static int prepare_copying(struct ledger *l, struct new_seal *s, struct err *err)
{
    int rc = sql_prepare(s->then, "SELECT " FACT_COLUMNS " FROM fact "
                         "WHERE kpi = ?1 AND period = ?2", &s->rows, err);

    if (rc == 0)
        rc = sql_prepare(l->db, "INSERT INTO sealed_fact (" FACT_COLUMNS ", seal, coverage_e4, gaps) "
                         "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, "
                         "?15, ?16, ?17, ?18, ?19, ?20)", &s->put, err);
    if (rc == 0)
        rc = sql_prepare(s->then, "SELECT " FACT_COLUMNS ", coverage_e4, gaps FROM sealed_fact "
                         "WHERE kpi = ?1 AND period = ?2 AND scope = ?3 AND seal = ?4", &s->before,
                         err);
    return rc;
}

/* Are the first `count` columns of two rows alike? */
static bool same_columns(sqlite3_stmt *a, sqlite3_stmt *b, int count)
{
    for (int i = 0; i < count; i++) {
        int type = sqlite3_column_type(a, i);

        if (type != sqlite3_column_type(b, i) ||
            (type == SQLITE_INTEGER &&
             sqlite3_column_int64(a, i) != sqlite3_column_int64(b, i)) ||
            (type == SQLITE_TEXT && strcmp(sql_column_text(a, i), sql_column_text(b, i)) != 0))
            return false;
    }
    return true;
}

static int note_changed(struct new_seal *s, uint16_t kpi, struct err *err)
{
    struct published_fact *fact;

    if (s->changed_count == s->changed_capacity) {
        s->changed_capacity = s->changed_capacity ? s->changed_capacity * 2 : 256;
        s->changed = mem_realloc_array(s->changed, s->changed_capacity, sizeof *s->changed);
    }
    fact = &s->changed[s->changed_count++];
    *fact = (struct published_fact){ .kpi = kpi };
    return rows_read_fact(s->rows, 0, &fact->period, fact->scope, &fact->fact)
               ? 0
               : rows_damaged(err, "fact");
}

/* Holds the fact that `rows` stands on against the revision before. */
static int compare_fact(struct new_seal *s, uint16_t kpi, const struct coverage *coverage,
                        struct err *err)
{
    bool same = false;
    int rc;

    for (int i = 0; i < 3; i++)
        sql_bind_text(s->before, i + 1, sql_column_text(s->rows, i));
    sql_bind_integer(s->before, 4, s->was.seal);
    rc = sql_step(s->before, "comparing what is sealed", err);
    if (rc == 1) {
        s->known++;
        same = same_columns(s->rows, s->before, FACT_COLUMN_COUNT);
        if (sqlite3_column_int(s->before, FACT_COLUMN_COUNT) != coverage->share_e4 ||
            sqlite3_column_int(s->before, FACT_COLUMN_COUNT + 1) != coverage->gaps)
            s->differs = true;
    }
    (void)sqlite3_reset(s->before);     /* the step has told what went wrong */
    if (rc < 0 || same)
        return rc < 0 ? rc : 0;
    s->differs = true;
    return note_changed(s, kpi, err);
}

static int copy_fact(struct new_seal *s, size_t kpi, const struct coverage *coverage,
                     struct err *err)
{
    int rc = s->was.seal == 0 ? 0 : compare_fact(s, (uint16_t)kpi, coverage, err);

    if (rc < 0)
        return rc;
    for (int i = 0; i < FACT_COLUMN_COUNT; i++)
        sqlite3_bind_value(s->put, i + 1, sqlite3_column_value(s->rows, i));
    sql_bind_integer(s->put, FACT_COLUMN_COUNT + 1, s->n);
    sql_bind_integer(s->put, FACT_COLUMN_COUNT + 2, coverage->share_e4);
    sql_bind_integer(s->put, FACT_COLUMN_COUNT + 3, coverage->gaps);
    return sql_run(s->put, "sealing facts", err);
}

/* The facts of the pair at hand, from its beginning or from where the last slice ended. */
static int copy_pair(struct ledger *l, struct new_seal *s, struct err *err)
{
    const struct sealed *p = &s->periods[s->pair / l->rules->kpi_count];
    size_t k = s->pair % l->rules->kpi_count;
    char period[PERIOD_SIZE];
    int rc = 1;

    if (!sqlite3_stmt_busy(s->rows)) {
        sql_bind_text(s->rows, 1, l->rules->kpis[k].id);
        sql_bind_text_copied(s->rows, 2, period_format(period, p->period));
    }
    while (rc > 0 && new_seal_may(s, COST_FACT)) {
        rc = sql_step(s->rows, "reading facts", err);
        if (rc > 0) {
            int copied = copy_fact(s, k, &p->coverage[k], err);

            rc = copied < 0 ? copied : rc;
        }
    }
    if (rc <= 0)
        (void)sqlite3_reset(s->rows);   /* the step has told what went wrong */
    return rc;
}

/* Facts that are no more differ, too. */
static int count_before(struct new_seal *s, struct err *err)
{
    char sql[64];
    int64_t count = 0;
    int rc;

    if (s->was.seal == 0)
        return 0;
    snprintf(sql, sizeof sql, "SELECT facts FROM seal WHERE n = %lld", (long long)s->was.seal);
    rc = sql_integer(s->then, sql, &count, err);
    s->has_gone = count > s->known;
    s->differs = s->differs || s->has_gone;
    return rc;
}

static void end_copying(struct new_seal *s)
{
    sqlite3_finalize(s->put);
    sqlite3_finalize(s->before);
    s->put = s->before = NULL;
}

int seal_copy_facts(struct ledger *l, struct new_seal *s, struct err *err)
{
    size_t pairs = s->period_count * l->rules->kpi_count;
    int rc = s->rows ? 0 : prepare_copying(l, s, err);

    while (rc == 0 && s->pair < pairs) {
        rc = copy_pair(l, s, err);
        if (rc == 0)
            s->pair++;
    }
    if (rc == 0)
        end_copying(s);
    return rc == 0 ? count_before(s, err) : rc;
}

/* --- The record. */

/* {"kpi":[ten-thousandths, gaps]}. Gives. */
static char *coverage_text(const struct ledger *l, const struct coverage *coverage)
{
    struct text_buffer text = { 0 };

    for (size_t k = 0; k < l->rules->kpi_count; k++)
        text_buffer_addf(&text, "%s\"%s\":[%d,%d]", k > 0 ? "," : "{", l->rules->kpis[k].id,
                         coverage[k].share_e4, coverage[k].gaps);
    text_buffer_adds(&text, text.length > 0 ? "}" : "{}");
    return text_buffer_take(&text);
}

/* When the waiting item happened, if it says so, else when it was received. */
static int64_t item_at(sqlite3_stmt *row)
{
    const char *at = sql_column_text(row, 2);
    int64_t ret;

    return instant_parse(at, strlen(at), &ret) ? ret : sqlite3_column_int64(row, 1);
}

static void list_item(struct new_seal *s, sqlite3_stmt *row)
{
    const struct sealed *p = &s->periods[s->period_count - 1];
    int64_t at = item_at(row);

    if (at < p->begin_at || at >= p->end_at)
        return;
    if (s->listed < QUARANTINE_LISTED_MAX)
        text_buffer_addf(&s->quarantine, "%s%lld", s->listed > 0 ? "," : "",
                         (long long)sqlite3_column_int64(row, 0));
    s->listed++;
}

/* The waiting items that belong to the period: "3,17". */
int seal_list_quarantine(struct ledger *l, struct new_seal *s, struct err *err)
{
    int rc = s->rows ? 1
                     : sql_prepare(s->then, "SELECT n, received_at, CASE WHEN "
                                   "json_valid(CAST(raw AS TEXT)) "
                                   "THEN json_extract(CAST(raw AS TEXT), '$.at') END "
                                   "FROM quarantine WHERE state = 'waiting' ORDER BY n", &s->rows,
                                   err);

    (void)l;
    if (rc < 0)
        return rc;
    rc = 1;
    while (rc > 0 && new_seal_may(s, COST_ITEM)) {
        rc = sql_step(s->rows, "reading the quarantine", err);
        if (rc > 0)
            list_item(s, s->rows);
    }
    if (rc == 0 && s->listed > QUARANTINE_LISTED_MAX)
        text_buffer_addf(&s->quarantine, " and %lld more",
                         (long long)(s->listed - QUARANTINE_LISTED_MAX));
    return rc;
}

/* Says of each period which record is its latest, and what moved in it since that began. */
static int point_at(struct ledger *l, const struct sealed *p, struct err *err)
{
    char name[PERIOD_SIZE];
    sqlite3_stmt *st;
    int rc = sql_prepare(l->db, "INSERT OR REPLACE INTO sealed_period (period, kind, begin_at, "
                         "end_at, seal, revision, sealed_at, pending_at, pending_seal) "
                         "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)", &st, err);

    if (rc < 0)
        return rc;
    sql_bind_text(st, 1, period_format(name, p->period));
    sql_bind_integer(st, 2, p->period.kind);
    sql_bind_integer(st, 3, p->begin_at);
    sql_bind_integer(st, 4, p->end_at);
    sql_bind_integer(st, 5, p->seal);
    sql_bind_integer(st, 6, p->revision);
    sql_bind_integer(st, 7, p->at);
    sql_bind_instant(st, 8, p->pending_at);
    sql_bind_integer_or_null(st, 9, p->pending_at == INSTANT_NONE ? 0 : p->seal, 0);
    rc = sql_run(st, "sealing facts", err);
    sqlite3_finalize(st);
    return rc;
}

static int append(struct ledger *l, struct new_seal *s, struct err *err)
{
    const struct sealed *own = &s->periods[s->period_count - 1];
    char *coverage = coverage_text(l, own->coverage);
    char period[PERIOD_SIZE], why[64];
    struct chain_record record = { .kind = s->was.seal ? "restated" : "sealed",
                                   .period = period_format(period, s->period),
                                   .revision = own->revision,
                                   .at = s->as_of,
                                   .by = s->by,
                                   .why = s->why,
                                   .prepared = s->n,
                                   .position = s->position,
                                   .facts = s->facts,
                                   .moved = s->moved,
                                   .coverage = coverage,
                                   .quarantine = s->quarantine.bytes };
    int rc;

    memcpy(record.facts_digest, s->facts_digest, DIGEST_SIZE);
    memcpy(record.moved_digest, s->moved_digest, DIGEST_SIZE);
    if (!s->why[0]) {
        snprintf(why, sizeof why, "%lld moved", (long long)s->moved);
        record.why = why;
    }
    rc = chain_append(l, &record, err);
    free(coverage);
    return rc;
}

int seal_append(struct ledger *l, struct new_seal *s, struct err *err)
{
    int rc = append(l, s, err);

    for (size_t i = 0; rc == 0 && i < s->period_count; i++)
        rc = point_at(l, &s->periods[i], err);
    return rc;
}

/* --- Afterwards. */

/* Facts that the revision before had and this one has not. */
static int publish_gone(struct ledger *l, const struct new_seal *s, struct err *err)
{
    sqlite3_stmt *row;
    int rc = sql_prepare(l->db, "SELECT " FACT_COLUMNS " FROM sealed_fact o WHERE seal = ?2 "
                         "AND NOT EXISTS (SELECT 1 FROM sealed_fact n WHERE n.seal = ?1 "
                         "AND n.period = o.period AND n.kpi = o.kpi AND n.scope = o.scope)", &row,
                         err);

    if (rc < 0)
        return rc;
    sql_bind_integer(row, 1, s->n);
    sql_bind_integer(row, 2, s->was.seal);
    rc = facts_publish_gone(l, row, err);
    sqlite3_finalize(row);
    return rc;
}

static bool moved_meanwhile(const struct new_seal *s)
{
    for (size_t i = 0; i < s->period_count; i++)
        if (s->periods[i].pending_at != INSTANT_NONE)
            return true;
    return false;
}

/* The board shows what is sealed. A first revision is what it shows already, unless something
 * moved in the meantime: then it gets its window anew. */
static int publish(struct ledger *l, const struct new_seal *s, struct err *err)
{
    for (size_t i = 0; i < s->changed_count; i++)
        facts_publish(l, &s->changed[i]);
    if (s->has_gone)
        return publish_gone(l, s, err);
    if (s->was.seal != 0 || !moved_meanwhile(s))
        return 0;
    l->window_stale = true;
    return count_store(l, err);
}

int seal_written(struct ledger *l, struct new_seal *s, struct err *err)
{
    int rc = seals_load(l, err);

    for (size_t i = 0; rc == 0 && i < s->period_count; i++)
        for (size_t k = 0; k < l->rules->kpi_count; k++)
            seals_note_coverage(l, s->periods[i].period, k, s->periods[i].coverage[k]);
    return rc < 0 ? rc : publish(l, s, err);
}
