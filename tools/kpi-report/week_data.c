/* One week's facts from the ledger.
 *
 * The file is opened with mode=ro, which works for a user who may only read, beside a running
 * daemon and after it has stopped (the ledger leaves its side files in place for that). The zone
 * is not in the public face, but the bounds of periods are: a period's first instant against its
 * first date gives the offset, which is all that a date and an instant need. */
#include "week_data.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/instant.h"
#include "base/mem.h"
#include "base/span.h"
#include "base/text.h"

enum { BUSY_MS = 5000 };

bool week_monday(const char *week, int32_t *ret_day)
{
    char again[WEEK_SIZE];
    int year, number, end = 0;
    int32_t day;

    if (sscanf(week, "%4d-W%2d%n", &year, &number, &end) != 2 || week[end] != '\0'
        || strlen(week) != 8 || year < 1970)
        return false;
    /* 4 January is always in the first week; 1970-01-01 was a Thursday. */
    day = civil_day(year, 1, 4);
    day = day - (day + 3) % 7 + (number - 1) * 7;
    if (day < 0)
        return false;
    week_of_day(day, again);
    if (strcmp(again, week) != 0)
        return false;
    *ret_day = day;
    return true;
}

void week_of_day(int32_t day, char ret[WEEK_SIZE])
{
    /* A week belongs to the year of its Thursday (ISO 8601). */
    int32_t thursday = day - (day + 3) % 7 + 3;
    int32_t year, unused_month, unused_day;
    char text[64];

    civil_date(thursday, &year, &unused_month, &unused_day);
    snprintf(text, sizeof text, "%04d-W%02d", year, (thursday - civil_day(year, 1, 1)) / 7 + 1);
    text_set(ret, WEEK_SIZE, text);
}

static void write_date(int32_t day, char ret[DATE_SIZE])
{
    int32_t year, month, day_of_month;
    char text[64];

    civil_date(day, &year, &month, &day_of_month);
    snprintf(text, sizeof text, "%04d-%02d-%02d", year, month, day_of_month);
    text_set(ret, DATE_SIZE, text);
}

static int fail(sqlite3 *db, const char *database, struct err *err)
{
    switch (sqlite3_errcode(db)) {
    case SQLITE_NOTADB:
        return err_set(err, -EIO, "%s is no ledger of kpid", database);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return err_set(err, -EBUSY, "%s is busy: try again", database);
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
        return err_set(err, -EACCES,
                       "%s cannot be read: its side files (-wal, -shm) are missing, or you may not "
                       "read them; starting kpid once makes them anew", database);
    default:
        return err_set(err, -EIO, "%s: %s", database, sqlite3_errmsg(db));
    }
}

/* A file name as a URI, so that mode=ro can stand behind it. Gives. */
static char *uri_of(const char *database)
{
    struct text_buffer uri = { 0 };

    text_buffer_adds(&uri, "file:");
    for (const char *p = database; *p; p++) {
        if (strchr("%?#", *p))
            text_buffer_addf(&uri, "%%%02X", (unsigned char)*p);
        else
            text_buffer_add(&uri, p, 1);
    }
    text_buffer_adds(&uri, "?mode=ro");
    return text_buffer_take(&uri);
}

static int open_database(sqlite3 **ret, const char *database, struct err *err)
{
    sqlite3 *db = NULL;
    char *uri;
    int rc = 0;

    if (access(database, R_OK) < 0) {
        if (errno == ENOENT)
            return err_set(err, -ENOENT, "no ledger at %s: has kpid run on this machine? Another "
                           "place is named with --database", database);
        return err_set(err, -errno, "you may not read %s: are you in group kpi?", database);
    }
    uri = uri_of(database);
    if (sqlite3_open_v2(uri, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL) != SQLITE_OK)
        rc = fail(db, database, err);
    free(uri);
    if (rc < 0) {
        sqlite3_close(db);
        return rc;
    }
    sqlite3_busy_timeout(db, BUSY_MS);
    *ret = db;
    return 0;
}

/* What a reading needs at every step. */
struct reading {
    sqlite3 *db;
    const char *database;
    struct week_data *data;
};

static int prepare(const struct reading *reading, const char *sql, sqlite3_stmt **ret,
                   struct err *err)
{
    if (sqlite3_prepare_v2(reading->db, sql, -1, ret, NULL) == SQLITE_OK)
        return 0;
    if (sqlite3_errcode(reading->db) == SQLITE_ERROR)
        return err_set(err, -EIO, "%s is no ledger of kpid, or of another version: %s",
                       reading->database, sqlite3_errmsg(reading->db));
    return fail(reading->db, reading->database, err);
}

/* Ends a statement whose last step gave `rc`. */
static int finish(const struct reading *reading, sqlite3_stmt *st, int rc, struct err *err)
{
    int result = rc == SQLITE_DONE || rc == SQLITE_ROW ? 0
                                                       : fail(reading->db, reading->database, err);

    sqlite3_finalize(st);
    return result;
}

static const char *text_at(sqlite3_stmt *st, int column)
{
    const unsigned char *text = sqlite3_column_text(st, column);

    return text ? (const char *)text : "";
}

/* A fraction in whole parts, -1 for null. */
static int64_t parts_at(sqlite3_stmt *st, int column, int64_t parts)
{
    if (sqlite3_column_type(st, column) == SQLITE_NULL)
        return -1;
    return llround(sqlite3_column_double(st, column) * (double)parts);
}

/* The offset of the zone at `at`, by the latest period that had begun by then. */
static int read_offset(const struct reading *reading, int64_t at, int32_t *ret_offset_s,
                       struct err *err)
{
    sqlite3_stmt *st;
    const char *period;
    int32_t first_day;
    int year, month, day, rc;

    rc = prepare(reading,
                 "SELECT period, begin_at FROM appraisal_fact "
                 "WHERE period_kind IN ('day', 'week') AND begin_at <= ?1 "
                 "ORDER BY begin_at DESC LIMIT 1", &st, err);
    if (rc < 0)
        return rc;
    sqlite3_bind_int64(st, 1, at);
    rc = sqlite3_step(st);
    if (rc == SQLITE_ROW) {
        period = text_at(st, 0);
        if (sscanf(period, "%4d-%2d-%2d", &year, &month, &day) == 3)
            *ret_offset_s = (int32_t)((civil_day(year, month, day) * SPAN_DAY
                                       - sqlite3_column_int64(st, 1)) / SPAN_SECOND);
        else if (week_monday(period, &first_day))
            *ret_offset_s = (int32_t)((first_day * SPAN_DAY - sqlite3_column_int64(st, 1))
                                      / SPAN_SECOND);
    }
    return finish(reading, st, rc, err);
}

static int read_house(const struct reading *reading, struct err *err)
{
    sqlite3_stmt *st;
    int rc;

    rc = prepare(reading, "SELECT as_of FROM house", &st, err);
    if (rc < 0)
        return rc;
    rc = sqlite3_step(st);
    if (rc == SQLITE_ROW)
        reading->data->as_of = sqlite3_column_int64(st, 0);
    return finish(reading, st, rc, err);
}

static struct week_kpi *add_kpi(struct week_data *data, const char *id)
{
    struct week_kpi *kpi;

    data->kpis = mem_realloc_array(data->kpis, data->kpi_count + 1, sizeof *data->kpis);
    kpi = &data->kpis[data->kpi_count++];
    *kpi = (struct week_kpi){ .id = mem_strdup(id) };
    return kpi;
}

static int read_kpis(const struct reading *reading, struct err *err)
{
    sqlite3_stmt *st;
    struct week_kpi *kpi;
    int rc;

    rc = prepare(reading,
                 "SELECT kpi, name_zh, name_en, coalesce(department, ''), direction FROM kpi "
                 "ORDER BY place", &st, err);
    if (rc < 0)
        return rc;
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        kpi = add_kpi(reading->data, text_at(st, 0));
        kpi->name_zh = mem_strdup(text_at(st, 1)[0] ? text_at(st, 1) : kpi->id);
        kpi->name_en = mem_strdup(text_at(st, 2)[0] ? text_at(st, 2) : kpi->id);
        kpi->department = mem_strdup(text_at(st, 3));
        kpi->at_most = strcmp(text_at(st, 4), "at_most") == 0;
    }
    return finish(reading, st, rc, err);
}

/* The KPI of that id; one that is no longer configured is added, and called by its id. */
static size_t kpi_of(struct week_data *data, const char *id, const char *direction)
{
    struct week_kpi *kpi;

    for (size_t i = 0; i < data->kpi_count; i++)
        if (strcmp(data->kpis[i].id, id) == 0)
            return i;
    kpi = add_kpi(data, id);
    kpi->name_zh = mem_strdup(id);
    kpi->name_en = mem_strdup(id);
    kpi->department = mem_strdup("");
    kpi->at_most = strcmp(direction, "at_most") == 0;
    return data->kpi_count - 1;
}

static const char *const scope_kinds[] = { "company", "department", "site", "staff", "model" };

static void split_scope(struct week_fact *fact)
{
    const char *colon = strchr(fact->scope, ':');
    size_t length = colon ? (size_t)(colon - fact->scope) : strlen(fact->scope);

    fact->scope_kind = "";
    fact->scope_id = colon ? colon + 1 : "";
    for (size_t i = 0; i < LENGTH(scope_kinds); i++)
        if (strlen(scope_kinds[i]) == length && strncmp(fact->scope, scope_kinds[i], length) == 0)
            fact->scope_kind = scope_kinds[i];
}

static void add_fact(struct week_data *data, sqlite3_stmt *st)
{
    struct week_fact fact = {
        .kpi = kpi_of(data, text_at(st, 0), text_at(st, 14)),
        .scope = mem_strdup(text_at(st, 1)),
        .numerator = sqlite3_column_int64(st, 2),
        .denominator = sqlite3_column_int64(st, 3),
        .excluded = sqlite3_column_int64(st, 4),
        .pending = sqlite3_column_int64(st, 5),
        .rate_e6 = parts_at(st, 6, 1000000),
        .low_e6 = parts_at(st, 7, 1000000),
        .high_e6 = parts_at(st, 8, 1000000),
        .target_e4 = parts_at(st, 9, 10000),
        .shortfall = sqlite3_column_int64(st, 10),
        .coverage_e4 = parts_at(st, 11, 10000),
        .gaps = sqlite3_column_int64(st, 12),
        .revision = sqlite3_column_int64(st, 13),
    };

    snprintf(fact.direction, sizeof fact.direction, "%s", text_at(st, 14));
    snprintf(fact.verdict, sizeof fact.verdict, "%s", text_at(st, 15));
    snprintf(fact.state, sizeof fact.state, "%s", text_at(st, 16));
    split_scope(&fact);
    data->facts = mem_realloc_array(data->facts, data->fact_count + 1, sizeof *data->facts);
    data->facts[data->fact_count++] = fact;
}

static int scope_rank(const struct week_fact *fact)
{
    for (size_t i = 0; i < LENGTH(scope_kinds); i++)
        if (strcmp(fact->scope_kind, scope_kinds[i]) == 0)
            return (int)i;
    return (int)LENGTH(scope_kinds);
}

static int compare_facts(const void *a, const void *b)
{
    const struct week_fact *one = a, *other = b;
    int order = scope_rank(one) - scope_rank(other);

    if (order == 0)
        order = strcmp(one->scope, other->scope);
    if (order == 0)
        order = one->kpi < other->kpi ? -1 : one->kpi > other->kpi;
    return order;
}

static int read_facts(const struct reading *reading, struct err *err)
{
    struct week_data *data = reading->data;
    sqlite3_stmt *st;
    int rc;

    rc = prepare(reading,
                 "SELECT kpi, scope, numerator, denominator, excluded, pending, rate, low, high, "
                 "target, shortfall, coverage, gaps, revision, direction, verdict, state "
                 "FROM appraisal_fact WHERE period = ?1", &st, err);
    if (rc < 0)
        return rc;
    sqlite3_bind_text(st, 1, data->week, -1, SQLITE_STATIC);
    while ((rc = sqlite3_step(st)) == SQLITE_ROW)
        add_fact(data, st);
    if (data->fact_count > 0)
        qsort(data->facts, data->fact_count, sizeof *data->facts, compare_facts);
    return finish(reading, st, rc, err);
}

/* Which week: the one asked for, or the last that has ended. Fills its days. */
static int choose_week(const struct reading *reading, const char *week, const struct clock *clock,
                       struct err *err)
{
    struct week_data *data = reading->data;
    int64_t now = clock_wall(clock);
    int32_t offset_s = 0, monday;
    int rc;

    if (!week) {
        rc = read_offset(reading, now, &offset_s, err);
        if (rc < 0)
            return rc;
        week_of_day((int32_t)((now + offset_s * SPAN_SECOND) / SPAN_DAY) - 7, data->week);
        week = data->week;
    }
    if (!week_monday(week, &monday))
        return err_set(err, -EINVAL, "there is no week \"%s\": weeks are written 2026-W47", week);
    if (week != data->week)
        text_set(data->week, sizeof data->week, week);
    write_date(monday, data->first_day);
    write_date(monday + 6, data->last_day);
    return read_offset(reading, data->as_of, &data->offset_s, err);
}

/* The week's own state: that of its facts, or by the calendar if it has none. */
static void set_state(struct week_data *data)
{
    int32_t monday = 0;
    int64_t end_at;

    if (data->fact_count > 0) {
        memcpy(data->state, data->facts[0].state, sizeof data->state);
        return;
    }
    (void)week_monday(data->week, &monday);
    end_at = (monday + 7) * SPAN_DAY - data->offset_s * SPAN_SECOND;
    text_set(data->state, sizeof data->state, end_at <= data->as_of ? "closing" : "open");
}

/* A week of which nothing is known has no meeting, and that is no failure. */
static int read_meeting(const struct reading *reading, struct err *err)
{
    struct week_data *data = reading->data;
    struct period week = { .kind = PERIOD_WEEK };
    int rc;

    (void)week_monday(data->week, &week.number);
    rc = meeting_read(reading->db, week, &data->meeting, err);
    if (rc == 0)
        rc = appraisal_read(reading->db, week, NULL, &data->appraisal, err);
    return rc == -ENOENT || rc == -ENODATA ? 0 : rc;
}

static int read_all(const struct reading *reading, const char *week, const struct clock *clock,
                    struct err *err)
{
    int rc;

    rc = read_house(reading, err);
    if (rc < 0)
        return rc;
    rc = choose_week(reading, week, clock, err);
    if (rc < 0)
        return rc;
    rc = read_kpis(reading, err);
    if (rc < 0)
        return rc;
    rc = read_facts(reading, err);
    if (rc < 0)
        return rc;
    set_state(reading->data);
    return read_meeting(reading, err);
}

int week_data_read(struct week_data *ret, const char *database, const char *week,
                   const struct clock *clock, struct err *err)
{
    struct week_data data = { 0 };
    struct reading reading = { .database = database, .data = &data };
    int rc;

    rc = open_database(&reading.db, database, err);
    if (rc < 0)
        return rc;
    /* One transaction: all that is read is of one instant. */
    if (sqlite3_exec(reading.db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK)
        rc = fail(reading.db, database, err);
    else
        rc = read_all(&reading, week, clock, err);
    sqlite3_close(reading.db);

    if (rc < 0) {
        week_data_finish(&data);
        return rc;
    }
    *ret = data;
    return 0;
}

void week_data_finish(struct week_data *data)
{
    for (size_t i = 0; i < data->kpi_count; i++) {
        free(data->kpis[i].id);
        free(data->kpis[i].name_zh);
        free(data->kpis[i].name_en);
        free(data->kpis[i].department);
    }
    for (size_t i = 0; i < data->fact_count; i++)
        free(data->facts[i].scope);
    free(data->kpis);
    free(data->facts);
    meeting_finish(&data->meeting);
    appraisal_finish(&data->appraisal);
    *data = (struct week_data){ 0 };
}

const struct meeting_fact *week_meeting_fact(const struct week_data *data, const char *kpi,
                                             const char *scope)
{
    for (size_t i = 0; i < data->meeting.fact_count; i++)
        if (strcmp(data->meeting.facts[i].name.kpi, kpi) == 0 &&
            strcmp(data->meeting.facts[i].scope, scope) == 0)
            return &data->meeting.facts[i];
    return NULL;
}
