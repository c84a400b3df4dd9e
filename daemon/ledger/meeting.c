/* The weekly meeting, from appraisal_week, appraisal_sign and appraisal_plan. */
#include "ledger/meeting.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ledger/meeting_rows.h"
#include "ledger/sql.h"

static const char facts_sql[] =
    "SELECT " MEETING_NAME_COLUMNS ", " MEETING_VALUE_COLUMNS ", scope, coalesce(department, ''), "
    "coverage, gaps, state, revision, as_of, restatement_pending, make_up, streak, penalty_due, "
    "coalesce(explanation, ''), coalesce(explanation_text, ''), coalesce(explanation_by, ''), "
    "explanation_at, begin_at, end_at FROM appraisal_week WHERE week = ?1 "
    "ORDER BY scope <> 'company', department IS NULL, scope, place IS NULL, place, kpi";

enum {
    SCOPE = MEETING_VALUE_END, DEPARTMENT, COVERAGE, GAPS, STATE, REVISION, AS_OF, PENDING, MAKE_UP,
    STREAK, PENALTY_DUE, EXPLANATION, TEXT, BY, EXPLAINED_AT, BEGIN_AT, END_AT,
};

static enum explanation explanation_of(const char *word)
{
    if (strcmp(word, "given") == 0)
        return EXPLANATION_GIVEN;
    return strcmp(word, "due") == 0 ? EXPLANATION_DUE : EXPLANATION_NONE;
}

static bool read_fact(sqlite3_stmt *st, struct meeting *m)
{
    struct meeting_fact *f;

    m->facts = mem_realloc_array(m->facts, m->fact_count + 1, sizeof *m->facts);
    f = &m->facts[m->fact_count];
    *f = (struct meeting_fact){
        .coverage = { (int32_t)meeting_parts(st, COVERAGE, 10000),
                      (int32_t)sqlite3_column_int64(st, GAPS) },
        .state = meeting_state_of(sql_column_text(st, STATE)),
        .revision = (int32_t)sqlite3_column_int64(st, REVISION),
        .as_of = sqlite3_column_int64(st, AS_OF),
        .restatement_pending = sqlite3_column_int64(st, PENDING) != 0,
        .make_up = sqlite3_column_int64(st, MAKE_UP),
        .streak = sqlite3_column_int64(st, STREAK),
        .penalty_due = sqlite3_column_int64(st, PENALTY_DUE) != 0,
        .explanation = explanation_of(sql_column_text(st, EXPLANATION)),
        .text = mem_strdup(sql_column_text(st, TEXT)),
        .by = mem_strdup(sql_column_text(st, BY)),
        .explained_at = sqlite3_column_int64(st, EXPLAINED_AT),
        .sign = { .excluded_share_e4 = SHARE_NONE, .last_tenth_share_e4 = SHARE_NONE,
                  .oldest_pending_ms = COUNT_NONE },
    };
    m->fact_count++;
    m->begin_at = sqlite3_column_int64(st, BEGIN_AT);
    m->end_at = sqlite3_column_int64(st, END_AT);
    return meeting_name(st, &f->name) && meeting_value(st, &f->fact) &&
           sql_column_text_into(st, SCOPE, f->scope, sizeof f->scope) &&
           sql_column_text_into(st, DEPARTMENT, f->department, sizeof f->department);
}

static int read_facts(sqlite3 *db, struct meeting *m, struct err *err)
{
    sqlite3_stmt *st;
    int rc = sql_prepare(db, facts_sql, &st, err);

    if (rc < 0)
        return rc;
    sql_bind_text(st, 1, m->week);
    while ((rc = sql_step(st, "reading a week", err)) > 0)
        if (!read_fact(st, m)) {
            rc = meeting_damaged("appraisal_week", err);
            break;
        }
    sqlite3_finalize(st);
    if (rc == 0 && m->fact_count == 0)
        rc = err_set(err, -ENOENT, "nothing is known of %s: it has not begun, or lies before the "
                     "first that was counted", m->week);
    return rc;
}

static struct meeting_fact *find_fact(struct meeting *m, const char *kpi, const char *scope)
{
    for (size_t i = 0; i < m->fact_count; i++)
        if (strcmp(m->facts[i].name.kpi, kpi) == 0 && strcmp(m->facts[i].scope, scope) == 0)
            return &m->facts[i];
    return NULL;
}

static int read_signs(sqlite3 *db, struct meeting *m, struct err *err)
{
    sqlite3_stmt *st;
    int rc = sql_prepare(db, "SELECT kpi, scope, tickets, excluded_share, amended, amended_by_own, "
                         "last_tenth_share, same_minute, oldest_pending_ms FROM appraisal_sign "
                         "WHERE week = ?1", &st, err);

    if (rc < 0)
        return rc;
    sql_bind_text(st, 1, m->week);
    while ((rc = sql_step(st, "reading signs of steering", err)) > 0) {
        char kpi[KPI_ID_SIZE];
        struct meeting_fact *f;

        if (!sql_column_text_into(st, 0, kpi, sizeof kpi)) {
            rc = meeting_damaged("appraisal_sign", err);
            break;
        }
        f = find_fact(m, kpi, sql_column_text(st, 1));
        if (f)
            f->sign = (struct meeting_sign){
                .known = true,
                .tickets = sqlite3_column_int64(st, 2),
                .excluded_share_e4 = meeting_parts(st, 3, 10000),
                .amended = sqlite3_column_int64(st, 4),
                .amended_by_own = sqlite3_column_int64(st, 5),
                .last_tenth_share_e4 = meeting_parts(st, 6, 10000),
                .same_minute = sqlite3_column_int64(st, 7),
                .oldest_pending_ms = sql_column_integer_or(st, 8, COUNT_NONE),
            };
    }
    sqlite3_finalize(st);
    return rc;
}

/* The week's own, and the month and the year in which it ends, or in which today lies. */
static const char plans_sql[] =
    "SELECT q.kpi, k.name_zh, k.name_en, k.direction, q.period, q.planned, q.planned_so_far, "
    "q.done, q.needed, q.days_left, q.needed_per_day "
    "FROM kpi k JOIN appraisal_plan q ON q.kpi = k.kpi WHERE q.period IN (?1, ?2, ?3) "
    "ORDER BY k.place, length(q.period) DESC, q.period LIKE '%W%' DESC";

static bool read_plan(sqlite3_stmt *st, struct meeting *m)
{
    struct meeting_plan *p;
    struct period period;

    m->plans = mem_realloc_array(m->plans, m->plan_count + 1, sizeof *m->plans);
    p = &m->plans[m->plan_count++];
    *p = (struct meeting_plan){ .planned = sqlite3_column_int64(st, 5),
                                .planned_so_far = sqlite3_column_int64(st, 6),
                                .done = sqlite3_column_int64(st, 7),
                                .needed = sqlite3_column_int64(st, 8),
                                .days_left = sqlite3_column_int64(st, 9),
                                .needed_per_day = sqlite3_column_int64(st, 10) };
    if (!meeting_name(st, &p->name) || !sql_column_text_into(st, 4, p->period, sizeof p->period) ||
        !period_parse(p->period, &period))
        return false;
    p->kind = period.kind;
    return true;
}

static int read_plans(sqlite3 *db, struct meeting *m, struct period week, struct err *err)
{
    char month[PERIOD_SIZE], year[PERIOD_SIZE];
    int32_t day = period_end_day(week) - 1;
    sqlite3_stmt *st;
    int rc = sql_prepare(db, plans_sql, &st, err);

    if (rc < 0)
        return rc;
    sql_bind_text(st, 1, m->week);
    sql_bind_text(st, 2, period_format(month, period_of_day(PERIOD_MONTH, day)));
    sql_bind_text(st, 3, period_format(year, period_of_day(PERIOD_YEAR, day)));
    while ((rc = sql_step(st, "reading plans", err)) > 0)
        if (!read_plan(st, m)) {
            rc = meeting_damaged("appraisal_plan", err);
            break;
        }
    sqlite3_finalize(st);
    return rc;
}

static int read_house(sqlite3 *db, struct meeting *m, struct err *err)
{
    sqlite3_stmt *st;
    int rc = sql_prepare(db, "SELECT h.as_of, r.timezone FROM house h JOIN week_rule r", &st, err);

    if (rc < 0)
        return rc;
    rc = sql_step(st, "reading the house row", err);
    if (rc > 0) {
        m->as_of = sqlite3_column_int64(st, 0);
        rc = sql_column_text_into(st, 1, m->timezone, sizeof m->timezone)
                 ? 0
                 : meeting_damaged("week_rule", err);
    } else if (rc == 0) {
        rc = err_set(err, -ENODATA, "the ledger is empty: start kpid.service, which fills it");
    }
    sqlite3_finalize(st);
    return rc;
}

int meeting_read(sqlite3 *db, struct period week, struct meeting *ret, struct err *err)
{
    struct meeting m = { 0 };
    int rc = read_house(db, &m, err);

    period_format(m.week, week);
    if (rc == 0)
        rc = read_facts(db, &m, err);
    if (rc == 0)
        rc = read_signs(db, &m, err);
    if (rc == 0)
        rc = read_plans(db, &m, week, err);
    if (rc == 0)
        rc = meeting_read_history(db, &m, err);
    if (rc < 0) {
        meeting_finish(&m);
        return rc;
    }
    *ret = m;
    return 0;
}

void meeting_finish(struct meeting *meeting)
{
    for (size_t i = 0; i < meeting->fact_count; i++) {
        free(meeting->facts[i].text);
        free(meeting->facts[i].by);
    }
    free(meeting->facts);
    free(meeting->plans);
    meeting_finish_history(meeting);
    *meeting = (struct meeting){ 0 };
}

enum fact_state meeting_state(const struct meeting *meeting, int32_t *ret_revision)
{
    *ret_revision = meeting->facts[0].revision;
    return meeting->facts[0].state;
}
