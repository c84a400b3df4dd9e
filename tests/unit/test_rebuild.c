/* Counting anew: what the log says, whether the stored tables say the same, and that a rebuild
 * which is killed leaves the old state. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "ledger/ledger.h"
#include "ledger/lock.h"
#include "ledger/rebuild.h"
#include "tests/lib/ledger_fixture.h"

static void assert_query(sqlite3 *db, const char *sql, const char *want)
{
    char *got = ledger_fixture_query(db, sql);

    assert_string_equal(got, want);
    free(got);
}

static void rebuild(struct ledger_fixture *f, sqlite3 *db, int64_t as_of)
{
    struct err err = { 0 };

    if (rebuild_in_place(db, f->rules, as_of, NULL, NULL, &err) < 0)
        fail_msg("%s", err.text);
}

/* A ledger that was counted at NOON. */
static sqlite3 *make_counted(struct ledger_fixture *f)
{
    sqlite3 *db = ledger_fixture_make(f);

    ledger_fixture_fill(f, db);
    rebuild(f, db, NOON);
    return db;
}

/* What rebuild_compare or ledger_would_move prints. Gives. */
static char *compared(struct ledger_fixture *f, int want)
{
    char *text;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    struct err err = { 0 };
    int rc = rebuild_compare(f->path, f->rules, NULL, NULL, out, &err);

    fclose(out);
    if (rc != want)
        print_message("# %s%s", text, err.text);
    assert_int_equal(rc, want);
    return text;
}

static char *moved(struct ledger_fixture *f, int *ret_count)
{
    char *text;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    struct err err = { 0 };

    *ret_count = ledger_would_move(f->path, f->rules, out, &err);
    fclose(out);
    if (*ret_count < 0)
        print_message("# %s", err.text);
    return text;
}

#define COUNTED(where)                                                                             \
    "SELECT numerator, denominator, excluded, pending, due_at IS NULL "                            \
    "FROM ticket WHERE " where

static void test_tickets_are_folded_and_counted(void **state)
{
    static const struct {
        const char *what, *sql, *want;
    } cases[] = {
        { "an accused install is a failure, and says by whom",
          "SELECT numerator, denominator, accuser FROM ticket WHERE ticket = 'I1'", "0|1|R1" },
        { "its repair a success, with the device's site",
          "SELECT numerator, denominator, site FROM ticket WHERE ticket = 'R1'", "1|1|west" },
        { "a plain failure keeps its reason",
          "SELECT numerator, denominator, reason FROM ticket WHERE ticket = 'I2'", "0|1|no power" },
        { "a success in time is settled for good", COUNTED("ticket = 'L1'"), "1|1|0|0|1" },
        { "an expired ticket counts at its expiry",
          "SELECT denominator, counts_at - opened_at FROM ticket WHERE ticket = 'L2'", "1|60000" },
        { "a correction after expiry counts at the expiry",
          "SELECT numerator, flags, counts_at - opened_at FROM ticket WHERE ticket = 'L3'",
          "1|7|60000" },
        { "an open ticket is due at the event that comes before its expiry, or at it",
          "SELECT pending, due_at - opened_at, next_at - opened_at FROM ticket "
          "WHERE ticket = 'O1'",
          "1|1800000|4800000" },
        { "an excluded one", COUNTED("ticket = 'O2'"), "0|0|1|0|1" },
        { "an event of tomorrow makes a row that counts nowhere",
          "SELECT events, opened_at, counts_at, due_at - next_at, next_at IS NULL FROM ticket "
          "WHERE ticket = 'N1'",
          "0|||0|0" },
        { "a kind that no KPI counts is folded all the same",
          "SELECT events, counts_at, pending FROM ticket WHERE ticket = 'V1'", "1||0" },
    };
    struct ledger_fixture *f = *state;
    sqlite3 *db = make_counted(f);

    for (size_t i = 0; i < LENGTH(cases); i++) {
        print_message("# %s\n", cases[i].what);
        assert_query(db, cases[i].sql, cases[i].want);
    }
    sql_close(db);
}

static void test_devices_gaps_and_facts(void **state)
{
    static const struct {
        const char *what, *sql, *want;
    } cases[] = {
        { "devices in service, with their active faults in order",
          "SELECT device, in_service, site, faults FROM device ORDER BY device",
          "D1|1|west|[];D2|1|east|[\"gps\",\"lamp\"];D3|0||[]" },
        { "the gaps of two inputs are one where they overlap, and the last is open",
          "SELECT kpi, (1795147200000 - begin_at) / 3600000, "
          "(1795147200000 - end_at) / 3600000 FROM gap",
          "lookup_accuracy|26|23;lookup_accuracy|0|" },
        { "the week of the fault rate: three in service, one confirmed",
          "SELECT numerator, denominator, verdict FROM fact WHERE kpi = 'fault_rate' AND "
          "period = '2026-W47' AND scope = 'company'",
          "1|3|met" },
        { "the week of the installs lies before",
          "SELECT period, numerator, denominator FROM fact WHERE kpi = 'install_success' AND "
          "kind = 1 AND scope = 'company' ORDER BY period",
          "2026-W46|0|1;2026-W47|1|2" },
        { "lookups of one of the staff",
          "SELECT numerator, denominator FROM fact WHERE kpi = 'lookup_accuracy' AND "
          "period = '2026-11-20' AND scope = 'staff:wang'",
          "1|2" },
        { "the house row speaks for it", "SELECT as_of, position, counting <> '' FROM house",
          "1795147200000|30|1" },
        { "coverage is in the view: five minutes lost of twelve hours, cut at as_of",
          "SELECT coverage, gaps, state FROM appraisal_fact WHERE kpi = 'lookup_accuracy' AND "
          "period = '2026-11-20' AND scope = 'company'",
          "0.9931|1|open" },
    };
    struct ledger_fixture *f = *state;
    sqlite3 *db = make_counted(f);

    for (size_t i = 0; i < LENGTH(cases); i++) {
        print_message("# %s\n", cases[i].what);
        assert_query(db, cases[i].sql, cases[i].want);
    }
    sql_close(db);
}

static void test_time_moves_what_was_due(void **state)
{
    struct ledger_fixture *f = *state;
    sqlite3 *db = make_counted(f);

    rebuild(f, db, NOON + 10 * MINUTE);
    assert_query(db, COUNTED("ticket = 'O1'"), "0|1|0|0|0");
    rebuild(f, db, NOON + 2 * HOUR);
    assert_query(db, COUNTED("ticket = 'N1'"), "0|0|0|1|1");
    sql_close(db);
}

static void test_a_rebuild_compares_equal_again_and_again(void **state)
{
    struct ledger_fixture *f = *state;
    sqlite3 *db = make_counted(f);
    char *schema = ledger_fixture_query(db, "SELECT count(*) FROM sqlite_schema");

    char *names = ledger_fixture_query(db, "SELECT name FROM sqlite_schema ORDER BY name");

    for (int i = 0; i < 4; i++) {
        free(compared(f, 0));
        rebuild(f, db, NOON);
        assert_query(db, "SELECT count(*) FROM sqlite_schema", schema);
        assert_query(db, "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'rebuild%'", "0");
        assert_query(db, "SELECT count(*) > 0 FROM appraisal_fact", "1");
    }
    print_message("# indices change between two names, and take no third\n");
    assert_query(db, "SELECT name FROM sqlite_schema ORDER BY name", names);
    free(names);
    free(schema);
    sql_close(db);
}

static void test_the_first_difference_is_named(void **state)
{
    static const struct {
        const char *damage, *want;
    } cases[] = {
        { "UPDATE ticket SET staff = 'hu' WHERE ticket = 'L1'",
          "ticket \"lookup\" \"L1\": staff: stored \"hu\", computed \"wang\"\n" },
        { "UPDATE ticket SET due_at = 5 WHERE ticket = 'L1'",
          "ticket \"lookup\" \"L1\": due_at: stored 5, computed NULL\n" },
        { "DELETE FROM device WHERE device = 'D2'",
          "device \"D2\": the log says so, but it is not stored\n" },
        { "UPDATE fact SET numerator = 2 WHERE kpi = 'fault_rate' AND period = '2026-W47' "
          "AND scope = 'company'",
          "fact \"fault_rate\" \"2026-W47\" \"company\": numerator: stored 2, computed 1\n" },
        { "UPDATE gap SET end_at = end_at - 60000 WHERE end_at IS NOT NULL",
          "gap \"lookup_accuracy\" 1795053600000: end_at: stored 1795064340000, computed "
          "1795064400000\n" },
        { "INSERT INTO gap VALUES ('zeal', 1, 2)",
          "gap \"zeal\" 1: stored, but the log does not say so\n" },
    };
    struct ledger_fixture *f = *state;
    sqlite3 *db = make_counted(f);

    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct err err;
        char *text;

        print_message("# %s\n", cases[i].damage);
        assert_int_equal(sql_exec(db, cases[i].damage, &err), 0);
        text = compared(f, 1);
        assert_string_equal(text, cases[i].want);
        free(text);
        rebuild(f, db, NOON);
        free(compared(f, 0));
    }
    sql_close(db);
}

static void test_more_than_one_chunk(void **state)
{
    enum { TICKETS = 25000 };
    struct ledger_fixture *f = *state;
    sqlite3 *db = ledger_fixture_make(f);
    struct err err;
    int64_t used;

    assert_int_equal(sql_exec(db, "BEGIN", &err), 0);
    for (int i = 0; i < TICKETS; i++) {
        char rest[160];

        (void)snprintf(rest, sizeof rest, "\"type\":\"%s.opened\",\"ticket\":\"T%d\"%s",
                       i % 2 ? "lookup" : "install", i,
                       i % 2    ? ""
                       : i % 10 ? ""
                                : ",\"device\":\"X\"");
        ledger_fixture_log(f, db, NOON - i, rest);
    }
    assert_int_equal(sql_exec(db, "COMMIT", &err), 0);
    assert_int_equal(sql_checkpoint(db, true, &used, &err), 0);
    rebuild(f, db, NOON);
    assert_query(db, "SELECT kind, count(*), sum(pending) FROM ticket GROUP BY kind",
                 "install|12500|12500;lookup|12500|12500");
    assert_query(db, "SELECT sum(pending) FROM fact WHERE kind = 3 AND scope = 'company'", "25000");
    free(compared(f, 0));
    sql_close(db);
}

/* Ends its process at the n-th sign of progress. */
static void kill_at(void *arg, const char *what)
{
    int *left = arg;

    (void)what;
    if ((*left)-- == 0)
        (void)kill(getpid(), SIGKILL);
}

/* True if the rebuild came to its end before the n-th sign of progress. */
static bool rebuild_killed(struct ledger_fixture *f, int n)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        sqlite3 *db = NULL;
        struct err err;

        if (sql_open_writer(f->path, &db, &err) < 0 ||
            rebuild_in_place(db, f->rules, NOON + 2 * HOUR, kill_at, &n, &err) < 0)
            _exit(1);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    return !WIFSIGNALED(status);
}

static void test_killed_anywhere_the_old_state_stands(void **state)
{
    static const char counted[] =
        "SELECT kind, ticket, events, counts_at, numerator, denominator FROM ticket UNION ALL "
        "SELECT kpi, period, scope, numerator, denominator, pending FROM fact";
    struct ledger_fixture *f = *state;
    char *before, *names;
    int n = 0;
    sqlite3 *db = make_counted(f);

    before = ledger_fixture_query(db, counted);
    names = ledger_fixture_query(db, "SELECT name FROM sqlite_schema ORDER BY name");
    sql_close(db);
    for (; !rebuild_killed(f, n); n++) {
        struct err err;

        db = ledger_fixture_make(f);
        assert_int_equal(rebuild_drop_leftovers(db, &err), 0);
        assert_query(db, "SELECT name FROM sqlite_schema ORDER BY name", names);
        assert_query(db, counted, before);
        assert_query(db, "SELECT as_of FROM house", "1795147200000");
        sql_close(db);
        free(compared(f, 0));
    }
    assert_true(n > 5);
    db = ledger_fixture_make(f);
    assert_query(db, "SELECT as_of FROM house", "1795154400000");
    sql_close(db);
    free(compared(f, 0));
    free(before);
    free(names);
}

static struct kpi *kpi_of(struct ledger_fixture *f, const char *id)
{
    struct kpi *kpi = f->rules->kpis;

    while (strcmp(kpi->id, id) != 0)
        kpi++;
    return kpi;
}

static void test_new_values_without_new_counts(void **state)
{
    struct ledger_fixture *f = *state;
    sqlite3 *db = make_counted(f);
    struct err err;

    kpi_of(f, "fault_rate")->targets[0].value_e4 = 3333;
    kpi_of(f, "lookup_accuracy")->min_sample = 4;
    free(compared(f, 1));
    assert_int_equal(revalue_facts(db, f->rules, &err), 0);
    free(compared(f, 0));
    assert_query(db,
                 "SELECT verdict, shortfall FROM fact WHERE kpi = 'fault_rate' AND "
                 "period = '2026-W47' AND scope = 'company'",
                 "missed|1");
    sql_close(db);
}

static void test_what_other_rules_would_move(void **state)
{
    static const char week[] = "\ninstall_success 2026-W46 company: 0/1 missed -> 1/1 met, "
                               "shortfall 1 -> 0\n";
    struct ledger_fixture *f = *state;
    sqlite3 *db = make_counted(f);
    char *text, *before;
    int count;

    text = moved(f, &count);
    assert_int_equal(count, 0);
    assert_string_equal(text, "");
    free(text);

    print_message("# no rework: the accused install is a success again\n");
    before = ledger_fixture_query(db, "SELECT * FROM fact");
    kpi_of(f, "install_success")->rework_window_ms = SPAN_NONE;
    text = moved(f, &count);
    assert_true(count > 4);
    assert_non_null(strstr(text, week));
    assert_null(strstr(text, "fault_rate"));
    free(text);

    print_message("# no such KPI any more, another input, another target\n");
    kpi_of(f, "dispatch_success")->counts[0] = 'x';
    kpi_of(f, "lookup_accuracy")->source_count = 1;
    kpi_of(f, "inspection_success")->targets[0].value_e4 = 5000;
    kpi_of(f, "repair_success")->targets[0].value_e4 = 5000;
    text = moved(f, &count);
    assert_non_null(strstr(text, "\ndispatch_success 2026-W47 company: 0/0 no_data -> none\n"));
    assert_non_null(strstr(text, "\nlookup_accuracy 2026-11-20 company: 2/3 missed -> 2/3 missed, "
                                 "coverage 0.9931 -> 1.0000, gaps 1 -> 0\n"));
    assert_non_null(strstr(text, "\nrepair_success 2026-W46 company: 1/1 met -> 1/1 met, target "
                                 "0.9800 -> 0.5000\n"));
    free(text);
    assert_query(db, "SELECT * FROM fact", before);
    free(before);
    sql_close(db);
}

static void test_the_acts_of_the_command_line(void **state)
{
    struct ledger_fixture *f = *state;
    struct clock_manual clock;
    struct ledger_options options = { .path = f->path, .rules = f->rules, .clock = &clock.clock };
    struct err err;
    sqlite3 *db;
    int lock;

    clock_manual_init(&clock, NOON + HOUR);
    assert_int_equal(ledger_rebuild(&options, false, stdout, &err), -ENOENT);
    assert_int_equal(ledger_rebuild(&options, true, stdout, &err), -ENOENT);
    sql_close(make_counted(f));
    assert_int_equal(ledger_lock(f->path, &lock, &err), 0);
    print_message("# not while a daemon has it open; comparing is allowed\n");
    assert_int_equal(ledger_rebuild(&options, false, stdout, &err), -EBUSY);
    assert_int_equal(ledger_rebuild(&options, true, stdout, &err), 0);
    (void)close(lock);
    assert_int_equal(ledger_rebuild(&options, false, stdout, &err), 0);
    db = ledger_fixture_make(f);
    assert_query(db, "SELECT as_of FROM house", "1795150800000");
    print_message("# a clock that stepped back does not take time back\n");
    clock_manual_init(&clock, NOON - HOUR);
    sql_close(db);
    assert_int_equal(ledger_rebuild(&options, false, stdout, &err), 0);
    db = ledger_fixture_make(f);
    assert_query(db, "SELECT as_of FROM house", "1795150800000");
    sql_close(db);
}

static void test_a_damaged_event_is_named(void **state)
{
    struct ledger_fixture *f = *state;
    sqlite3 *db = make_counted(f);
    struct err err;

    assert_int_equal(sql_exec(db, "UPDATE event SET json = '{' WHERE seq = 7", &err), 0);
    assert_int_equal(rebuild_in_place(db, f->rules, NOON, NULL, NULL, &err), -EBADMSG);
    assert_non_null(strstr(err.text, "event 7 "));
    assert_query(db, "SELECT count(*) > 0 FROM fact", "1");
    assert_query(db, "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'rebuild%'", "0");
    sql_close(db);
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, ledger_fixture_setup, ledger_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_tickets_are_folded_and_counted),
        TEST(test_devices_gaps_and_facts),
        TEST(test_time_moves_what_was_due),
        TEST(test_a_rebuild_compares_equal_again_and_again),
        TEST(test_the_first_difference_is_named),
        TEST(test_more_than_one_chunk),
        TEST(test_killed_anywhere_the_old_state_stands),
        TEST(test_new_values_without_new_counts),
        TEST(test_what_other_rules_would_move),
        TEST(test_the_acts_of_the_command_line),
        TEST(test_a_damaged_event_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
