/* The catalogue: what is configured, as tables that the views join, so that a reader needs nobody
 * else's configuration. Written when a configuration differs from the one that it was made of. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "kpi/plan.h"
#include "ledger/ledger_private.h"

/* The calendar's years. Facts outside have their own bounds; what they lack is the list of weeks in
 * which nothing was counted. */
enum { CALENDAR_FROM = 2010, CALENDAR_UNTIL = 2060 };

static int store_kpi(sqlite3_stmt *st, const struct rules *rules, size_t i, struct err *err)
{
    const struct kpi *kpi = &rules->kpis[i];

    sql_bind_text(st, 1, kpi->id);
    sqlite3_bind_int64(st, 2, (int64_t)i);
    sql_bind_text(st, 3, kpi->counts);
    sql_bind_text(st, 4, direction_name(kpi->direction));
    sql_bind_text_or_null(st, 5, kpi->department);
    sql_bind_text(st, 6, kpi->name_zh);
    sql_bind_text(st, 7, kpi->name_en);
    sql_bind_integer_or_null(st, 8, kpi->rework_window_ms, SPAN_NONE);
    sql_bind_integer_or_null(st, 9, kpi->expire_after_ms, SPAN_NONE);
    return sql_run(st, "writing the catalogue of KPIs", err);
}

static int store_targets(sqlite3_stmt *st, const struct rules *rules, size_t i, struct err *err)
{
    const struct kpi *kpi = &rules->kpis[i];
    int rc = 0;

    sql_bind_text(st, 1, kpi->id);
    for (size_t n = 0; rc == 0 && n < kpi->target_count; n++) {
        sql_bind_text(st, 2, kpi->targets[n].scope);
        sqlite3_bind_int64(st, 3, kpi->targets[n].from_day);
        sqlite3_bind_int64(st, 4, kpi->targets[n].value_e4);
        rc = sql_run(st, "writing the catalogue of targets", err);
    }
    return rc;
}

static int store_part(sqlite3_stmt *st, const struct rules *rules, const struct kpi *kpi,
                      struct period period, struct err *err)
{
    char text[PERIOD_SIZE];
    int64_t volume;

    if (!plan_volume(kpi, period, &volume) && period.kind != PERIOD_DAY)
        return 0;
    sqlite3_bind_int64(st, 2, period.kind);
    sqlite3_bind_int64(st, 3, period_begin(period, &rules->zone));
    sqlite3_bind_int64(st, 4, period_end(period, &rules->zone));
    sql_bind_text(st, 5, period_format(text, period));
    sqlite3_bind_int64(st, 6, volume);
    return sql_run(st, "writing the plans", err);
}

/* From the Monday before a year with a plan to the Sunday after it: every day of every week that
 * has a part, so that days can be counted. A week of two such years is written twice alike. */
static int store_plans(sqlite3_stmt *st, const struct rules *rules, size_t i, struct err *err)
{
    const struct kpi *kpi = &rules->kpis[i];
    int rc = 0;

    sql_bind_text(st, 1, kpi->id);
    for (size_t n = 0; n < kpi->plan_count; n++) {
        struct period year = { PERIOD_YEAR, kpi->plans[n].year };
        int32_t first = period_of_day(PERIOD_WEEK, period_first_day(year)).number;
        int32_t end = period_end_day(period_of_day(PERIOD_WEEK, period_end_day(year) - 1));

        for (int kind = PERIOD_DAY; kind < PERIOD_KINDS; kind++)
            for (struct period p = period_of_day((enum period_kind)kind, first);
                 rc == 0 && period_first_day(p) < end; p = period_next(p))
                rc = store_part(st, rules, kpi, p, err);
    }
    return rc;
}

static int store_post(sqlite3_stmt *st, const struct rules *rules, size_t i, struct err *err)
{
    const struct appraised_post *post = &rules->posts[i];

    sql_bind_text(st, 1, post->id);
    sqlite3_bind_int64(st, 2, (int64_t)i);
    sql_bind_text(st, 3, post->name_zh);
    sql_bind_text(st, 4, post->name_en);
    sql_bind_text(st, 5, post->scope);
    return sql_run(st, "writing the posts", err);
}

static int store_post_kpis(sqlite3_stmt *st, const struct rules *rules, size_t i, struct err *err)
{
    const struct appraised_post *post = &rules->posts[i];
    int rc = 0;

    sql_bind_text(st, 1, post->id);
    for (size_t n = 0; rc == 0 && n < post->kpi_count; n++) {
        sqlite3_bind_int64(st, 2, (int64_t)n);
        sql_bind_text(st, 3, post->kpis[n].id);
        sql_bind_integer_or_null(st, 4, post->kpis[n].weight, 0);
        rc = sql_run(st, "writing the KPIs of the posts", err);
    }
    return rc;
}

static int store_holders(sqlite3_stmt *st, const struct rules *rules, size_t i, struct err *err)
{
    const struct appraised_post *post = &rules->posts[i];
    int rc = 0;

    sql_bind_text(st, 1, post->id);
    for (size_t n = 0; rc == 0 && n < post->holder_count; n++) {
        const struct holder *h = &post->holders[n];

        sqlite3_bind_int64(st, 2, (int64_t)n);
        sql_bind_text(st, 3, h->name);
        sql_bind_text_or_null(st, 4, h->user);
        sqlite3_bind_int64(st, 5, zone_midnight(&rules->zone, h->from_day));
        sql_bind_integer_or_null(
            st, 6, h->until_day ? zone_midnight(&rules->zone, h->until_day) : -1, -1);
        rc = sql_run(st, "writing the holders of the posts", err);
    }
    return rc;
}

static int store_calendar(sqlite3_stmt *st, const struct rules *rules, size_t kind, struct err *err)
{
    int32_t first = period_first_day((struct period){ PERIOD_YEAR, CALENDAR_FROM });
    int32_t end = period_first_day((struct period){ PERIOD_YEAR, CALENDAR_UNTIL });
    struct period p = period_of_day((enum period_kind)kind, first);
    char text[PERIOD_SIZE], before[PERIOD_SIZE];
    int rc = 0;

    period_format(before, period_of_day(p.kind, period_first_day(p) - 1));
    sqlite3_bind_int64(st, 1, p.kind);
    for (; rc == 0 && period_first_day(p) < end; p = period_next(p)) {
        sql_bind_text(st, 2, period_format(text, p));
        sqlite3_bind_int64(st, 3, period_begin(p, &rules->zone));
        sqlite3_bind_int64(st, 4, period_end(p, &rules->zone));
        sqlite3_bind_int64(st, 5, period_first_day(p));
        sql_bind_text(st, 6, before);
        rc = sql_run(st, "writing the calendar", err);
        memcpy(before, text, sizeof before);
    }
    return rc;
}

static int store_rule(sqlite3_stmt *st, const struct rules *rules, const char *text,
                      struct err *err)
{
    sql_bind_text(st, 1, rules->zone.name);
    sqlite3_bind_int64(st, 2, rules->grace_ms);
    sqlite3_bind_int64(st, 3, rules->restate_horizon_ms);
    sqlite3_bind_int64(st, 4, rules->penalty_after);
    sql_bind_integer_or_null(st, 5, rules->seal_requires_e4, 0);
    sql_bind_text(st, 6, text);
    return sql_run(st, "writing how weeks are judged", err);
}

/* One table: emptied, and filled by `store` for each index from `from` to `end`. */
struct filling {
    const char *table, *values;
    int (*store)(sqlite3_stmt *st, const struct rules *rules, size_t i, struct err *err);
    size_t from, end;
};

static int fill_table(sqlite3 *db, const struct rules *rules, const struct filling *f,
                      struct err *err)
{
    sqlite3_stmt *st = NULL;
    int rc = sql_execf(db, err, "DELETE FROM %s", f->table);

    if (rc == 0)
        rc = sql_preparef(db, &st, err, "INSERT OR REPLACE INTO %s VALUES (%s)", f->table,
                          f->values);
    for (size_t i = f->from; rc == 0 && i < f->end; i++)
        rc = f->store(st, rules, i, err);
    sqlite3_finalize(st);
    return rc;
}

static int fill_all(sqlite3 *db, const struct rules *rules, const char *text, struct err *err)
{
    const struct filling all[] = {
        { "kpi", "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9", store_kpi, 0, rules->kpi_count },
        { "target", "?1, ?2, ?3, ?4", store_targets, 0, rules->kpi_count },
        { "plan_part", "?1, ?2, ?3, ?4, ?5, ?6", store_plans, 0, rules->kpi_count },
        { "post", "?1, ?2, ?3, ?4, ?5", store_post, 0, rules->post_count },
        { "post_kpi", "?1, ?2, ?3, ?4", store_post_kpis, 0, rules->post_count },
        { "holder", "?1, ?2, ?3, ?4, ?5, ?6", store_holders, 0, rules->post_count },
        { "calendar", "?1, ?2, ?3, ?4, ?5, ?6", store_calendar, PERIOD_WEEK, PERIOD_MONTH + 1 },
    };
    sqlite3_stmt *st = NULL;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < LENGTH(all); i++)
        rc = fill_table(db, rules, &all[i], err);
    if (rc == 0)
        rc = sql_prepare(db, "INSERT OR REPLACE INTO week_rule VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6)",
                         &st, err);
    if (rc == 0)
        rc = store_rule(st, rules, text, err);
    sqlite3_finalize(st);
    return rc;
}

/* Was the catalogue made of this text? */
static int is_made_of(sqlite3 *db, const char *text, struct err *err)
{
    sqlite3_stmt *st;
    int rc = sql_prepare(db, "SELECT catalogue FROM week_rule", &st, err);

    if (rc < 0)
        return rc;
    rc = sql_step(st, "reading the catalogue", err);
    if (rc == 1)
        rc = strcmp(sql_column_text(st, 0), text) == 0;
    sqlite3_finalize(st);
    return rc;
}

int catalogue_store(sqlite3 *db, const struct rules *rules, struct err *err)
{
    char *counting = rules_counting_text(rules), *valuing = rules_valuing_text(rules);
    char *naming = rules_naming_text(rules);
    char *text = mem_printf("%s%s%s", counting, valuing, naming);
    int rc = is_made_of(db, text, err);

    if (rc == 0)
        rc = fill_all(db, rules, text, err);
    free(text);
    free(naming);
    free(valuing);
    free(counting);
    return rc < 0 ? rc : 0;
}
