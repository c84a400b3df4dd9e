/* What is sealed on a file, explained, law 6.rules: the tickets and devices that a revision lists
 * add up to each of its facts, whatever rules are in force today; and the chain holds. The rules of
 * a revision come from the ledger, as the daemon reads them. */
#include <assert.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/conf.h"
#include "ledger/explain.h"
#include "ledger/ledger_private.h"
#include "ledger/verify.h"
#include "runner.h"

enum { DEVICES_MAX = 8 };

/* One revision, looked back to. */
struct revisited {
    struct runner *r;
    struct reader *reader;
    struct revision is;
    struct rules *rules;
    char names[DEVICES_MAX][NAME_SIZE];
    struct device_history devices[DEVICES_MAX];
    size_t device_count;
};

static int add_ticket(void *arg, const struct ticket_row *row)
{
    counts_add(arg, &row->contribution.counts, 1);
    return 0;
}

static int add_name(void *arg, const char *device)
{
    struct revisited *then = arg;

    assert(then->device_count < DEVICES_MAX);
    text_set(then->names[then->device_count++], NAME_SIZE, device);
    return 0;
}

static void add_devices(const struct revisited *then, const struct explained *fact,
                        struct counts *sum)
{
    for (size_t i = 0; i < then->device_count; i++) {
        struct counts one;
        struct attributes is;

        if (explain_device(fact, &then->devices[i], &one, &is))
            counts_add(sum, &one, 1);
    }
}

static void check_sum(struct revisited *then, const struct explained *fact, const char *period,
                      const struct counts *sealed)
{
    struct counts sum = { 0 };
    struct err err;

    if (fact->kpi->counts_devices)
        add_devices(then, fact, &sum);
    else if (reader_tickets_of_fact(then->reader, fact->kpi, fact->begin_at, fact->end_at,
                                    fact->scope, 0, NULL, add_ticket, &sum, &err) < 0)
        differ(then->r, "explain of a revision failed: %s", err.text);
    if (memcmp(&sum, sealed, sizeof sum) != 0)
        differ(then->r,
               "record %lld: %s %s %s is sealed as %lld/%lld, %lld excluded, %lld pending\n"
               "  explained as %lld/%lld, %lld excluded, %lld pending",
               (long long)then->is.seal, period, fact->kpi->id, fact->scope,
               (long long)sealed->numerator, (long long)sealed->denominator,
               (long long)sealed->excluded, (long long)sealed->pending, (long long)sum.numerator,
               (long long)sum.denominator, (long long)sum.excluded, (long long)sum.pending);
}

/* `row`: period, kpi, scope, bounds, counts. */
static void explain_fact(struct revisited *then, sqlite3_stmt *row)
{
    const char *kpi = (const char *)sqlite3_column_text(row, 1);
    const struct explained fact = { .rules = then->rules,
                                    .kpi = rules_kpi(then->rules, kpi),
                                    .scope = (const char *)sqlite3_column_text(row, 2),
                                    .begin_at = sqlite3_column_int64(row, 3),
                                    .end_at = sqlite3_column_int64(row, 4),
                                    .as_of = then->is.as_of };
    const struct counts sealed = { .numerator = sqlite3_column_int64(row, 5),
                                   .denominator = sqlite3_column_int64(row, 6),
                                   .excluded = sqlite3_column_int64(row, 7),
                                   .pending = sqlite3_column_int64(row, 8) };

    if (!fact.kpi)
        differ(then->r, "record %lld has facts of %s, its rules have not",
               (long long)then->is.seal, kpi);
    else
        check_sum(then, &fact, (const char *)sqlite3_column_text(row, 0), &sealed);
}

static void explain_facts(struct revisited *then)
{
    sqlite3_stmt *row = NULL;

    sqlite3_prepare_v2(reader_connection(then->reader),
                       "SELECT period, kpi, scope, begin_at, end_at, numerator, denominator, "
                       "excluded, pending FROM sealed_fact WHERE seal = ?1", -1, &row, NULL);
    sqlite3_bind_int64(row, 1, then->is.seal);
    while (!then->r->failed && sqlite3_step(row) == SQLITE_ROW)
        explain_fact(then, row);
    sqlite3_finalize(row);
}

static void load_rules(struct revisited *then)
{
    struct faults faults = { 0 };
    char *settings = NULL;
    struct err err;
    int rc = explain_settings(then->reader, then->is.seal, &settings, &err);

    if (rc > 0)
        then->rules = conf_recorded_rules(settings, &faults);
    if (!then->rules)
        differ(then->r, "record %lld has no rules: %s", (long long)then->is.seal,
               rc < 0 ? err.text : faults.count ? faults.items[0].text : "none are kept");
    faults_finish(&faults);
    free(settings);
}

static void load_devices(struct revisited *then)
{
    struct err err;

    if (reader_device_names(then->reader, NULL, add_name, then, &err) < 0)
        differ(then->r, "devices could not be listed: %s", err.text);
    for (size_t i = 0; i < then->device_count && !then->r->failed; i++)
        if (reader_device(then->reader, then->names[i], then->rules, then->is.as_of,
                          &then->devices[i], &err) < 0)
            differ(then->r, "device %s could not be read: %s", then->names[i], err.text);
}

static void explain_revision(struct runner *r, struct reader *reader,
                             const struct revision *revision)
{
    struct revisited then = { .r = r, .reader = reader, .is = *revision };
    int64_t as_of, position;
    struct err err;

    if (reader_begin(reader, &as_of, &position, &err) < 0) {
        differ(r, "no snapshot: %s", err.text);
        return;
    }
    reader_look_back(reader, revision);
    load_rules(&then);
    if (!r->failed)
        load_devices(&then);
    if (!r->failed)
        explain_facts(&then);
    for (size_t i = 0; i < then.device_count; i++)
        device_history_finish(&then.devices[i]);
    rules_destroy(then.rules);
    reader_end(reader);
}

static void explain_all(struct runner *r, struct reader *reader)
{
    sqlite3_stmt *row = NULL;

    sqlite3_prepare_v2(r->ledger->db, "SELECT n, revision, at, position FROM seal "
                       "WHERE kind IN ('sealed', 'restated') ORDER BY n", -1, &row, NULL);
    while (!r->failed && sqlite3_step(row) == SQLITE_ROW)
        explain_revision(r, reader,
                         &(struct revision){ .seal = sqlite3_column_int64(row, 0),
                                             .revision = sqlite3_column_int(row, 1),
                                             .as_of = sqlite3_column_int64(row, 2),
                                             .position = sqlite3_column_int64(row, 3) });
    sqlite3_finalize(row);
}

void explain_seals(struct runner *r)
{
    struct chain_report report;
    struct reader *reader;
    struct err err;

    if (chain_verify(r->path, NULL, &report, &err) < 0)
        differ(r, "the chain cannot be read: %s", err.text);
    else if (report.first_bad)
        differ(r, "the chain: %s", report.why);
    if (r->failed)
        return;
    if (reader_open(&reader, r->path, &err) < 0) {
        differ(r, "no reader: %s", err.text);
        return;
    }
    explain_all(r, reader);
    reader_close(reader);
}
