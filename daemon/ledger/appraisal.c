/* The posts, from appraisal_post and appraisal_holder. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ledger/meeting_rows.h"
#include "ledger/sql.h"

static const char posts_sql[] =
    "SELECT " MEETING_NAME_COLUMNS ", numerator, denominator, excluded, pending, rate, NULL, NULL, "
    "target, verdict, shortfall, post, post_zh, post_en, scope, weight, attainment, "
    "weighted_attainment, state, revision, as_of "
    "FROM appraisal_post WHERE period = ?1 AND (?2 IS NULL OR post = ?2) "
    "ORDER BY post_place, place";

enum {
    POST = MEETING_VALUE_END, POST_ZH, POST_EN, SCOPE, WEIGHT, ATTAINMENT, WEIGHTED, STATE,
    REVISION, AS_OF,
};

static bool begin_post(sqlite3_stmt *st, struct appraisal *a)
{
    struct post_appraisal *p;

    a->posts = mem_realloc_array(a->posts, a->post_count + 1, sizeof *a->posts);
    p = &a->posts[a->post_count++];
    *p = (struct post_appraisal){ .state = meeting_state_of(sql_column_text(st, STATE)),
                                  .revision = (int32_t)sqlite3_column_int64(st, REVISION),
                                  .as_of = sqlite3_column_int64(st, AS_OF),
                                  .weighted_e4 = meeting_parts(st, WEIGHTED, 10000) };
    return sql_column_text_into(st, POST, p->post, sizeof p->post) &&
           sql_column_text_into(st, POST_ZH, p->name_zh, sizeof p->name_zh) &&
           sql_column_text_into(st, POST_EN, p->name_en, sizeof p->name_en) &&
           sql_column_text_into(st, SCOPE, p->scope, sizeof p->scope);
}

static bool read_post_fact(sqlite3_stmt *st, struct appraisal *a)
{
    struct post_appraisal *p = a->post_count ? &a->posts[a->post_count - 1] : NULL;
    struct post_fact *f;

    if (!p || strcmp(p->post, sql_column_text(st, POST)) != 0) {
        if (!begin_post(st, a))
            return false;
        p = &a->posts[a->post_count - 1];
    }
    p->facts = mem_realloc_array(p->facts, p->fact_count + 1, sizeof *p->facts);
    f = &p->facts[p->fact_count++];
    *f = (struct post_fact){ .weight = sql_column_integer_or(st, WEIGHT, COUNT_NONE),
                             .attainment_e4 = meeting_parts(st, ATTAINMENT, 10000) };
    return meeting_name(st, &f->name) && meeting_value(st, &f->fact);
}

/* Of the period, and of the weeks whose last day lies in it. */
static const char holders_sql[] =
    "SELECT post, period, name, coalesce(user, ''), days, begin_at, end_at FROM appraisal_holder "
    "WHERE (?2 IS NULL OR post = ?2) AND (period = ?1 OR period IN ("
    "    SELECT w.period FROM calendar m JOIN calendar w ON w.kind = 1 AND w.end_at > m.begin_at "
    "    AND w.end_at <= m.end_at WHERE m.period = ?1 AND m.kind = 2)) "
    "ORDER BY post, period, begin_at, place";

static bool read_holder(sqlite3_stmt *st, struct appraisal *a)
{
    struct post_holder *h;

    a->holders = mem_realloc_array(a->holders, a->holder_count + 1, sizeof *a->holders);
    h = &a->holders[a->holder_count++];
    *h = (struct post_holder){ .days = sqlite3_column_int64(st, 4),
                               .begin_at = sqlite3_column_int64(st, 5),
                               .end_at = sqlite3_column_int64(st, 6) };
    return sql_column_text_into(st, 0, h->post, sizeof h->post) &&
           sql_column_text_into(st, 1, h->period, sizeof h->period) &&
           sql_column_text_into(st, 2, h->name, sizeof h->name) &&
           sql_column_text_into(st, 3, h->user, sizeof h->user);
}

static int each_row(sqlite3 *db, const char *sql, const char *post,
                    bool (*read)(sqlite3_stmt *st, struct appraisal *a), struct appraisal *a,
                    struct err *err)
{
    sqlite3_stmt *st;
    int rc = sql_prepare(db, sql, &st, err);

    if (rc < 0)
        return rc;
    sql_bind_text(st, 1, a->period);
    sql_bind_text_or_null(st, 2, post);
    while ((rc = sql_step(st, "reading an appraisal", err)) > 0)
        if (!read(st, a)) {
            rc = meeting_damaged("appraisal_post", err);
            break;
        }
    sqlite3_finalize(st);
    return rc;
}

int appraisal_read(sqlite3 *db, struct period period, const char *post, struct appraisal *ret,
                   struct err *err)
{
    struct appraisal a = { 0 };
    int rc;

    period_format(a.period, period);
    rc = each_row(db, posts_sql, post, read_post_fact, &a, err);
    if (rc == 0)
        rc = each_row(db, holders_sql, post, read_holder, &a, err);
    if (rc == 0 && a.post_count == 0)
        rc = err_set(err, -ENOENT, "nothing is known of %s: no post is configured, or it has not "
                     "begun, or lies before the first that was counted", a.period);
    if (rc < 0) {
        appraisal_finish(&a);
        return rc;
    }
    *ret = a;
    return 0;
}

void appraisal_finish(struct appraisal *appraisal)
{
    for (size_t i = 0; i < appraisal->post_count; i++)
        free(appraisal->posts[i].facts);
    free(appraisal->posts);
    free(appraisal->holders);
    *appraisal = (struct appraisal){ 0 };
}
