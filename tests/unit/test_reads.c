/* Reading a ledger: what is found, in which order, from where a page goes on, and by which index.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The statements and the connection are its own business; the test of its indices needs them. */
#include "ledger/reads.c"

#include "base/text.h"
#include "ledger/rebuild.h"
#include "tests/lib/ledger_fixture.h"

/* Opens a reader on a ledger that was counted at NOON. */
static struct reader *open_counted(struct ledger_fixture *f)
{
    sqlite3 *db = ledger_fixture_make(f);
    struct reader *reader;
    struct err err;

    ledger_fixture_fill(f, db);
    assert_int_equal(rebuild_in_place(db, f->rules, NOON, NULL, NULL, &err), 0);
    sql_close(db);
    assert_int_equal(reader_open(&reader, f->path, &err), 0);
    return reader;
}

static struct period period_named(const char *name)
{
    struct period period;

    assert_true(period_parse(name, &period));
    return period;
}

/* What the callbacks were given, as text; after `limit` rows they stop. */
struct seen {
    struct text_buffer text;
    int limit;
    struct period last_period;
    char last_kpi[KPI_ID_SIZE], last_scope[SCOPE_SIZE], last_ticket[TICKET_SIZE];
    int64_t last_at;
};

static int next(struct seen *s)
{
    return --s->limit == 0;
}

static int see_fact(void *arg, const struct fact_row *row)
{
    struct seen *s = arg;
    char name[PERIOD_SIZE];

    text_buffer_addf(&s->text, "%s %s %s %d/%d\n", period_format(name, row->period), row->kpi,
                     row->scope, (int)row->fact.counts.numerator,
                     (int)row->fact.counts.denominator);
    s->last_period = row->period;
    text_set(s->last_kpi, sizeof s->last_kpi, row->kpi);
    text_set(s->last_scope, sizeof s->last_scope, row->scope);
    return next(s);
}

static void assert_seen(struct seen *s, const char *want)
{
    char *got = text_buffer_take(&s->text);

    assert_string_equal(got, want);
    free(got);
}

static void test_facts(void **state)
{
    static const struct {
        const char *what, *from, *to, *kpi, *scope, *want;
    } cases[] = {
        { "one scope of a KPI", "2026-W46", "2026-W47", "install_success", "company",
          "2026-W46 install_success company 0/1\n2026-W47 install_success company 1/2\n" },
        { "a pattern of scopes", "2026-W47", "2026-W47", NULL, "staff:*",
          "2026-W47 lookup_accuracy staff:wang 1/2\n2026-W47 lookup_accuracy staff:zhao 1/1\n" },
        { "every KPI, by period, then KPI", "2026-W46", "2026-W47", NULL, "company",
          "2026-W46 fault_rate company 0/2\n2026-W46 install_success company 0/1\n"
          "2026-W46 repair_success company 1/1\n2026-W47 dispatch_success company 0/0\n"
          "2026-W47 fault_rate company 1/3\n2026-W47 install_success company 1/2\n"
          "2026-W47 lookup_accuracy company 2/3\n" },
        { "months are no days, though their names are between", "2026-11", "2026-12",
          "lookup_accuracy", "company", "2026-11 lookup_accuracy company 2/3\n" },
        { "days are no months", "2026-11-20", "2026-11-30", "lookup_accuracy", "company",
          "2026-11-20 lookup_accuracy company 2/3\n" },
        { "nothing there", "2025-11", "2025-12", NULL, NULL, "" },
        { "no such KPI", "2026-W47", "2026-W47", "nothing", NULL, "" },
    };
    struct ledger_fixture *f = *state;
    struct reader *r = open_counted(f);

    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct fact_query query = { .from = period_named(cases[i].from),
                                    .to = period_named(cases[i].to),
                                    .kpi = cases[i].kpi,
                                    .scope = cases[i].scope };
        struct seen seen = { 0 };
        struct err err;

        print_message("# %s\n", cases[i].what);
        assert_int_equal(reader_facts(r, &query, see_fact, &seen, &err), 0);
        assert_seen(&seen, cases[i].want);
    }
    reader_close(r);
}

/* Pages of every length, put together, are the whole. */
static void test_pages_of_facts(void **state)
{
    struct ledger_fixture *f = *state;
    struct reader *r = open_counted(f);
    struct fact_query query = { .from = period_named("2026-11-01"),
                                .to = period_named("2026-11-30") };
    struct seen whole = { 0 };
    struct err err;

    assert_int_equal(reader_facts(r, &query, see_fact, &whole, &err), 0);
    assert_true(whole.text.length > 1000);
    for (int kpi = 0; kpi < 2; kpi++) {
        query.kpi = kpi ? "fault_rate" : NULL;
        for (int limit = 1; limit < 40; limit += 7) {
            struct seen seen = { 0 };
            size_t before;

            query.after_kpi = NULL;
            do {
                before = seen.text.length;
                seen.limit = limit;
                assert_int_equal(reader_facts(r, &query, see_fact, &seen, &err), 0);
                query.after_period = seen.last_period;
                query.after_kpi = seen.last_kpi;
                query.after_scope = seen.last_scope;
            } while (seen.text.length > before);
            if (!kpi)
                assert_string_equal(seen.text.bytes, whole.text.bytes);
            else
                assert_true(seen.text.length > 500 && seen.text.length < whole.text.length);
            text_buffer_finish(&seen.text);
        }
    }
    text_buffer_finish(&whole.text);
    reader_close(r);
}

static void test_one_ticket(void **state)
{
    struct ledger_fixture *f = *state;
    struct reader *r = open_counted(f);
    struct ticket_row row;
    struct err err;

    assert_int_equal(reader_ticket(r, "install", "I1", &row, &err), 1);
    assert_string_equal(row.accuser, "R1");
    assert_true(row.contribution.accused);
    assert_false(row.contribution.expired);
    assert_int_equal(row.ticket.outcome, OUTCOME_SUCCESS);
    assert_string_equal(row.ticket.is.staff, "li");
    assert_true(row.ticket.has_opened);
    assert_int_equal(row.ticket.events, 2);
    assert_int_equal(reader_ticket(r, "lookup", "L2", &row, &err), 1);
    assert_null(row.accuser);
    assert_true(row.contribution.expired);
    assert_int_equal(row.ticket.settled_at, INSTANT_NONE);
    assert_int_equal(row.ticket.next_at, INSTANT_NEVER);
    assert_int_equal(reader_ticket(r, "lookup", "L3", &row, &err), 1);
    assert_true(row.ticket.corrected && row.ticket.settled_by_amendment);
    assert_false(row.contribution.expired);
    assert_int_equal(reader_ticket(r, "install", "L1", &row, &err), 0);
    reader_close(r);
}

static int see_ticket(void *arg, const struct ticket_row *row)
{
    struct seen *s = arg;

    text_buffer_addf(&s->text, "%s %d/%d ", row->ticket.ticket,
                     (int)row->contribution.counts.numerator,
                     (int)row->contribution.counts.denominator);
    s->last_at = row->contribution.counts_at;
    text_set(s->last_ticket, sizeof s->last_ticket, row->ticket.ticket);
    return next(s);
}

static void test_tickets_of_a_fact(void **state)
{
    static const struct {
        const char *what, *kpi, *scope;
        int64_t begin, end;
        const char *want;
    } cases[] = {
        { "in order of their instants", "lookup_accuracy", "company", NOON - DAY, NOON,
          "L1 1/1 L2 0/1 L3 1/1 " },
        { "half-open", "lookup_accuracy", "company", NOON - HOUR + MINUTE, NOON - HOUR + MINUTE + 1,
          "L2 0/1 L3 1/1 " },
        { "of one scope", "lookup_accuracy", "staff:wang", NOON - DAY, NOON, "L1 1/1 L2 0/1 " },
        { "of the KPI's department", "install_success", "department:installation", NOON - 30 * DAY,
          NOON, "I1 0/1 I2 0/1 I3 1/1 " },
        { "a device scope is none of theirs", "install_success", "model:m2", NOON - 30 * DAY, NOON,
          "" },
    };
    struct ledger_fixture *f = *state;
    struct reader *r = open_counted(f);

    for (size_t i = 0; i < LENGTH(cases); i++) {
        const struct kpi *kpi = rules_kpi(f->rules, cases[i].kpi);
        struct seen whole = { 0 }, pages = { 0 };
        size_t before;
        struct err err;

        print_message("# %s\n", cases[i].what);
        assert_int_equal(reader_tickets_of_fact(r, kpi, cases[i].begin, cases[i].end,
                                                cases[i].scope, 0, NULL, see_ticket, &whole, &err),
                         0);
        assert_seen(&whole, cases[i].want);
        do {
            char after[TICKET_SIZE];

            before = pages.text.length;
            pages.limit = 1;
            text_set(after, sizeof after, pages.last_ticket);
            assert_int_equal(reader_tickets_of_fact(
                                 r, kpi, cases[i].begin, cases[i].end, cases[i].scope,
                                 pages.last_at, after[0] ? after : NULL, see_ticket, &pages, &err),
                             0);
        } while (pages.text.length > before);
        assert_seen(&pages, cases[i].want);
    }
    reader_close(r);
}

static int see_event(void *arg, const struct event_row *row)
{
    struct seen *s = arg;
    char type[KIND_SIZE + 16];

    assert_non_null(strstr(row->json, row->event.id));
    assert_string_equal(row->via, "test");
    text_buffer_addf(&s->text, "%d %s ", (int)row->seq, event_type_format(type, &row->event));
    return next(s);
}

static void test_events_in_their_order(void **state)
{
    struct ledger_fixture *f = *state;
    struct reader *r;
    struct seen seen = { 0 };
    struct err err;
    sqlite3 *db;

    r = open_counted(f);
    db = ledger_fixture_make(f);
    print_message("# an event that came late stands where it happened\n");
    ledger_fixture_log(f, db, NOON - 9 * DAY + 1,
                       "\"type\":\"install.reopened\","
                       "\"ticket\":\"I1\"");
    assert_int_equal(reader_events(r, "install", "I1", see_event, &seen, &err), 0);
    assert_seen(&seen, "1 install.opened 31 install.reopened 2 install.settled ");
    seen.limit = 1;
    assert_int_equal(reader_events(r, "install", "I1", see_event, &seen, &err), 0);
    assert_seen(&seen, "1 install.opened ");
    assert_int_equal(reader_events(r, "device", "I1", see_event, &seen, &err), 0);
    assert_seen(&seen, "");
    sql_close(db);
    reader_close(r);
}

static int see_device(void *arg, const char *device)
{
    struct seen *s = arg;

    text_buffer_addf(&s->text, "%s ", device);
    return next(s);
}

static int see_fault(void *arg, const char *device, const char *code, int64_t since)
{
    struct seen *s = arg;

    text_buffer_addf(&s->text, "%s %s %lld;", device, code, (long long)(since - NOON) / 60000);
    return next(s);
}

static void test_devices(void **state)
{
    struct ledger_fixture *f = *state;
    struct reader *r = open_counted(f);
    struct device_history history;
    struct seen seen = { 0 };
    struct err err;

    assert_int_equal(reader_device_names(r, NULL, see_device, &seen, &err), 0);
    assert_seen(&seen, "D1 D2 D3 ");
    seen.limit = 1;
    assert_int_equal(reader_device_names(r, "D1", see_device, &seen, &err), 0);
    assert_seen(&seen, "D2 ");
    seen.limit = 0;
    assert_int_equal(reader_faults(r, see_fault, &seen, &err), 0);
    assert_seen(&seen, "D2 gps -2879;D2 lamp -2880;");

    assert_int_equal(reader_device(r, "D1", f->rules, NOON, &history, &err), 1);
    assert_int_equal(history.service_count, 1);
    assert_int_equal(history.service[0].begin, NOON - 9 * DAY + HOUR);
    assert_int_equal(history.fault_count, 1);
    device_history_finish(&history);
    assert_int_equal(reader_device(r, "D2", f->rules, NOON - 2 * DAY, &history, &err), 1);
    assert_int_equal(history.fault_count, 1);
    device_history_finish(&history);
    assert_int_equal(reader_device(r, "D9", f->rules, NOON, &history, &err), 0);
    reader_close(r);
}

static int see_quarantine(void *arg, const struct quarantine_row *row)
{
    struct seen *s = arg;

    text_buffer_addf(&s->text, "%d %s %.*s ", (int)row->n, row->reason, (int)row->raw_length,
                     (const char *)row->raw);
    return next(s);
}

static void test_quarantine(void **state)
{
    struct ledger_fixture *f = *state;
    struct reader *r = open_counted(f);
    struct seen seen = { 0 };
    struct err err;
    sqlite3 *db = ledger_fixture_make(f);

    for (int i = 1; i <= 4; i++)
        assert_int_equal(sql_execf(db, &err,
                                   "INSERT INTO quarantine (via, line, received_at, last_at, "
                                   "times, reason, raw, digest, state) VALUES ('test', 1, 2, 3, "
                                   "1, 'at: bad', x'7b%02d', x'%02d', '%s')",
                                   40 + i, i, i == 2 ? "dismissed" : "waiting"),
                         0);
    assert_int_equal(reader_quarantine(r, 0, see_quarantine, &seen, &err), 0);
    assert_seen(&seen, "1 at: bad {A 3 at: bad {C 4 at: bad {D ");
    seen.limit = 1;
    assert_int_equal(reader_quarantine(r, 1, see_quarantine, &seen, &err), 0);
    assert_seen(&seen, "3 at: bad {C ");
    sql_close(db);
    reader_close(r);
}

static void test_one_view_between_begin_and_end(void **state)
{
    struct ledger_fixture *f = *state;
    struct reader *r = open_counted(f);
    sqlite3 *db = ledger_fixture_make(f);
    int64_t as_of, position;
    struct ticket_row row;
    struct err err;

    assert_int_equal(reader_begin(r, &as_of, &position, &err), 0);
    assert_int_equal(as_of, NOON);
    assert_int_equal(position, 30);
    assert_int_equal(sql_exec(db, "DELETE FROM ticket; UPDATE house SET as_of = 7", &err), 0);
    assert_int_equal(reader_ticket(r, "install", "I1", &row, &err), 1);
    reader_end(r);
    assert_int_equal(reader_ticket(r, "install", "I1", &row, &err), 0);
    assert_int_equal(reader_begin(r, &as_of, &position, &err), 0);
    assert_int_equal(as_of, 7);
    reader_end(r);
    print_message("# a rebuild under an open reader\n");
    assert_int_equal(rebuild_in_place(db, f->rules, NOON + 1, NULL, NULL, &err), 0);
    assert_int_equal(reader_begin(r, &as_of, &position, &err), 0);
    assert_int_equal(as_of, NOON + 1);
    assert_int_equal(reader_ticket(r, "install", "I1", &row, &err), 1);
    reader_end(r);
    print_message("# an empty house\n");
    assert_int_equal(sql_exec(db, "DELETE FROM house", &err), 0);
    assert_int_equal(reader_begin(r, &as_of, &position, &err), -ENODATA);
    sql_close(db);
    reader_close(r);
}

/* Each statement, and the index that makes it cost what its answer costs. */
static void test_each_read_has_its_index(void **state)
{
    static const struct {
        enum read_statement which;
        const char *plan; /* must be part of it */
        bool sorts;
    } cases[] = {
        { READ_FACTS, "USING INDEX fact_period", true }, /* what is sealed, a period at a time */
        { READ_FACTS_OF_KPI, "USING PRIMARY KEY", true },
        { READ_TICKET, "USING COVERING INDEX event_subject", false },
        { READ_TICKETS_OF_FACT, "USING INDEX ticket_counts", false },
        { READ_EVENTS, "USING INDEX event_subject", true },
        { READ_DEVICE_NAMES, "USING PRIMARY KEY", false },
        { READ_DEVICE_NAMES_THEN, "USING COVERING INDEX ticket_was_job", false },
        { READ_QUARANTINE, "quarantine_waiting", false },
    }; /* READ_FAULTS looks at every device, once at the start, and says so */
    struct ledger_fixture *f = *state;
    struct reader *r;

    sql_close(ledger_fixture_make(f));
    assert_int_equal(reader_open(&r, f->path, NULL), 0);
    for (size_t i = 0; i < LENGTH(cases); i++) {
        char *sql = mem_printf("EXPLAIN QUERY PLAN %s", texts[cases[i].which]);
        char *plan = ledger_fixture_query(r->db, sql);

        print_message("# %s\n", plan);
        assert_non_null(strstr(plan, cases[i].plan));
        assert_null(strstr(plan, "SCAN"));
        assert_int_equal(strstr(plan, "TEMP B-TREE") != NULL, cases[i].sorts);
        free(plan);
        free(sql);
    }
    reader_close(r);
}

static void test_no_ledger(void **state)
{
    struct ledger_fixture *f = *state;
    struct reader *r = NULL;
    struct err err;

    assert_int_equal(reader_open(&r, f->path, &err), -ENOENT);
    assert_non_null(strstr(err.text, "start kpid.service"));
    assert_null(r);
    reader_close(NULL);
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, ledger_fixture_setup, ledger_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_facts),
        TEST(test_pages_of_facts),
        TEST(test_one_ticket),
        TEST(test_tickets_of_a_fact),
        TEST(test_events_in_their_order),
        TEST(test_devices),
        TEST(test_quarantine),
        TEST(test_one_view_between_begin_and_end),
        TEST(test_each_read_has_its_index),
        TEST(test_no_ledger),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
