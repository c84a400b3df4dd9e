/* A ledger for tests, made by hand. */
#include "tests/lib/ledger_fixture.h"

#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/instant.h"
#include "base/mem.h"
#include "base/text.h"
#include "kpi/event.h"
#include "ledger/ledger_private.h"
#include "ledger/migrate.h"

static struct target for_all[] = { { .value_e4 = 9800 } };
static char inputs[][INPUT_SIZE] = { "platform", "bench" };

static struct kpi kpis[] = {
    { .id = "install_success",
      .counts = "install",
      .department = "installation",
      .rework_window_ms = 7 * DAY,
      .expire_after_ms = SPAN_NONE },
    { .id = "repair_success",
      .counts = "repair",
      .department = "installation",
      .rework_window_ms = 7 * DAY,
      .expire_after_ms = SPAN_NONE },
    { .id = "fault_rate",
      .counts = "device",
      .counts_devices = true,
      .department = "technical",
      .direction = DIRECTION_AT_MOST,
      .rework_window_ms = SPAN_NONE,
      .expire_after_ms = SPAN_NONE,
      .confirm_after_ms = 10 * MINUTE },
    { .id = "lookup_accuracy",
      .counts = "lookup",
      .department = "monitoring",
      .rework_window_ms = SPAN_NONE,
      .expire_after_ms = MINUTE,
      .sources = inputs,
      .source_count = 2 },
    { .id = "dispatch_success",
      .counts = "dispatch",
      .department = "monitoring",
      .rework_window_ms = SPAN_NONE,
      .expire_after_ms = 30 * MINUTE },
    { .id = "inspection_success",
      .counts = "inspection",
      .department = "technical",
      .rework_window_ms = SPAN_NONE,
      .expire_after_ms = SPAN_NONE },
};

static struct rules *make_rules(void)
{
    struct rules rules = { .kpis = kpis,
                           .kpi_count = LENGTH(kpis),
                           .grace_ms = DAY,
                           .restate_horizon_ms = 35 * DAY,
                           .penalty_after = 3 };
    struct rules *copy;
    int rc = zone_load(&rules.zone, "Asia/Shanghai", NULL);

    assert(rc == 0);
    for (size_t i = 0; i < LENGTH(kpis); i++) {
        kpis[i].min_sample = 1;
        kpis[i].targets = for_all;
        kpis[i].target_count = 1;
    }
    copy = rules_copy(&rules);
    zone_finish(&rules.zone);
    return copy;
}

int ledger_fixture_setup(void **state)
{
    struct ledger_fixture *f = mem_zalloc(sizeof *f);
    const char *folder;

    text_set(f->folder, sizeof f->folder, "/tmp/kpid-unit-XXXXXX");
    folder = mkdtemp(f->folder);
    assert(folder);
    (void)snprintf(f->path, sizeof f->path, "%s/kpid.db", f->folder);
    f->rules = make_rules();
    *state = f;
    return 0;
}

int ledger_fixture_teardown(void **state)
{
    struct ledger_fixture *f = *state;
    char *command = mem_printf("rm -rf '%s'", f->folder);
    int rc = system(command);

    free(command);
    rules_destroy(f->rules);
    free(f);
    return rc;
}

const char *ledger_fixture_path(struct ledger_fixture *f, const char *name)
{
    static char paths[8][128];
    static unsigned next;
    char *path = paths[next++ % 8];

    (void)snprintf(path, sizeof paths[0], "%s/%s", f->folder, name);
    return path;
}

static void must(int rc, const struct err *err)
{
    if (rc < 0)
        fprintf(stderr, "# %s\n", err->text);
    assert(rc >= 0);
}

sqlite3 *ledger_fixture_make(struct ledger_fixture *f)
{
    sqlite3 *db;
    struct err err;

    must(sql_open_writer(f->path, &db, &err), &err);
    must(migrate(db, NULL, NULL, &err), &err);
    must(sql_execf(db, &err,
                   "INSERT OR IGNORE INTO house (one, as_of, position, last_at, "
                   "counting, valuing) VALUES (1, %lld, 0, 0, '', '')",
                   (long long)NOON),
         &err);
    return db;
}

void ledger_fixture_log(struct ledger_fixture *f, sqlite3 *db, int64_t at, const char *rest)
{
    char when[INSTANT_SIZE];
    /* Only the daemon itself knows what became of its inputs. */
    char *json = mem_printf("{\"source\":\"%s\",\"id\":\"e%05d\",\"at\":\"%s\",%s}",
                            strstr(rest, "\"source.") ? "kpid" : "test", ++f->events,
                            instant_format(when, at, 8 * 3600), rest);
    struct event event;
    struct reject reject = { 0 };
    sqlite3_stmt *stmt;
    struct err err;
    bool is_event = event_parse(json, strlen(json), NULL, &event, &reject);

    if (!is_event)
        fprintf(stderr, "# %s: %s\n", json, reject.reason);
    assert(is_event);
    must(sql_prepare(db,
                     "INSERT INTO event (source, id, kind, subject, at, received_at, via, "
                     "json) VALUES (?1, ?2, ?3, ?4, ?5, ?5, 'test', ?6)",
                     &stmt, &err),
         &err);
    sql_bind_text(stmt, 1, event.source);
    sql_bind_text(stmt, 2, event.id);
    sql_bind_text(stmt, 3, event.kind);
    sql_bind_text(stmt, 4, event_subject(&event));
    sql_bind_integer(stmt, 5, event.at);
    sql_bind_text(stmt, 6, json);
    must(sql_run(stmt, "event", &err), &err);
    sqlite3_finalize(stmt);
    free(json);
}

void ledger_fixture_fill(struct ledger_fixture *f, sqlite3 *db)
{
    static const struct {
        int64_t before_noon;
        const char *rest;
    } log[] = {
        { 9 * DAY, "\"type\":\"install.opened\",\"ticket\":\"I1\",\"device\":\"D1\","
                   "\"site\":\"east\",\"staff\":\"li\",\"model\":\"m1\"" },
        { 9 * DAY - HOUR, "\"type\":\"install.settled\",\"ticket\":\"I1\","
                          "\"outcome\":\"success\"" },
        { 5 * DAY, "\"type\":\"repair.opened\",\"ticket\":\"R1\",\"device\":\"D1\"" },
        { 5 * DAY - HOUR, "\"type\":\"repair.settled\",\"ticket\":\"R1\","
                          "\"outcome\":\"success\",\"site\":\"west\"" },
        { 4 * DAY, "\"type\":\"install.opened\",\"ticket\":\"I2\",\"site\":\"east\"" },
        { 4 * DAY - HOUR, "\"type\":\"install.settled\",\"ticket\":\"I2\","
                          "\"outcome\":\"failure\",\"reason\":\"no power\"" },
        { 3 * DAY, "\"type\":\"install.opened\",\"ticket\":\"I3\",\"device\":\"D3\"" },
        { 3 * DAY - HOUR, "\"type\":\"install.settled\",\"ticket\":\"I3\","
                          "\"outcome\":\"success\"" },
        { 6 * DAY, "\"type\":\"device.commissioned\",\"device\":\"D2\",\"site\":\"east\"" },
        { 4 * DAY, "\"type\":\"device.faulted\",\"device\":\"D1\",\"code\":\"silent\"" },
        { 4 * DAY - 5 * MINUTE, "\"type\":\"device.recovered\",\"device\":\"D1\","
                                "\"code\":\"silent\"" },
        { 2 * DAY, "\"type\":\"device.faulted\",\"device\":\"D2\",\"code\":\"lamp\"" },
        { 2 * DAY - MINUTE, "\"type\":\"device.faulted\",\"device\":\"D2\",\"code\":\"gps\"" },
        { DAY, "\"type\":\"device.decommissioned\",\"device\":\"D3\"" },
        { HOUR, "\"type\":\"lookup.opened\",\"ticket\":\"L1\",\"staff\":\"wang\"" },
        { HOUR - 1000, "\"type\":\"lookup.settled\",\"ticket\":\"L1\","
                       "\"outcome\":\"success\"" },
        { HOUR, "\"type\":\"lookup.opened\",\"ticket\":\"L2\",\"staff\":\"wang\"" },
        { HOUR, "\"type\":\"lookup.opened\",\"ticket\":\"L3\",\"staff\":\"zhao\"" },
        { HOUR / 2, "\"type\":\"lookup.amended\",\"ticket\":\"L3\",\"outcome\":\"success\","
                    "\"reason\":\"radio\",\"by\":\"chen\"" },
        { 20 * MINUTE, "\"type\":\"dispatch.opened\",\"ticket\":\"O1\",\"site\":\"east\"" },
        { -HOUR, "\"type\":\"dispatch.settled\",\"ticket\":\"O1\",\"outcome\":\"success\"" },
        { 19 * MINUTE, "\"type\":\"dispatch.opened\",\"ticket\":\"O2\",\"site\":\"east\"" },
        { 18 * MINUTE, "\"type\":\"dispatch.settled\",\"ticket\":\"O2\","
                       "\"outcome\":\"excluded\"" },
        { -2 * HOUR, "\"type\":\"inspection.opened\",\"ticket\":\"N1\"" },
        { 26 * HOUR, "\"type\":\"source.lost\",\"input\":\"platform\"" },
        { 24 * HOUR, "\"type\":\"source.found\",\"input\":\"platform\"" },
        { 25 * HOUR, "\"type\":\"source.lost\",\"input\":\"bench\"" },
        { 23 * HOUR, "\"type\":\"source.found\",\"input\":\"bench\"" },
        { 5 * MINUTE, "\"type\":\"source.lost\",\"input\":\"bench\"" },
        { 8 * DAY, "\"type\":\"visit.opened\",\"ticket\":\"V1\"" },
    };

    for (size_t i = 0; i < LENGTH(log); i++)
        ledger_fixture_log(f, db, NOON - log[i].before_noon, log[i].rest);
}

char *ledger_fixture_query(sqlite3 *db, const char *sql)
{
    struct text_buffer text = { 0 };
    sqlite3_stmt *stmt;
    struct err err;
    int rc;

    must(sql_prepare(db, sql, &stmt, &err), &err);
    while ((rc = sql_step(stmt, sql, &err)) > 0) {
        for (int i = 0; i < sqlite3_column_count(stmt); i++) {
            text_buffer_adds(&text, i > 0 ? "|" : text.length > 0 ? ";" : "");
            text_buffer_adds(&text, sql_column_text(stmt, i));
        }
    }
    must(rc, &err);
    sqlite3_finalize(stmt);
    return text_buffer_take(&text);
}

sqlite3 *ledger_fixture_make_catalogued(struct ledger_fixture *f)
{
    sqlite3 *db = ledger_fixture_make(f);
    struct err err;

    must(sql_exec(db, "PRAGMA synchronous=OFF", &err), &err);
    must(catalogue_store(db, f->rules, &err), &err);
    must(sql_execf(db, &err, "UPDATE house SET as_of = %lld", (long long)NOON), &err);
    return db;
}

void ledger_fixture_assert_yields(sqlite3 *db, const char *sql, const char *want)
{
    char *got = ledger_fixture_query(db, sql);

    if (strcmp(got, want) != 0)
        fail_msg("%s\n got:  %s\n want: %s", sql, got, want);
    free(got);
}
