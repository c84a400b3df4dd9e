/* Sealing in slices: what comes between them, and kills. */
#include "seals_fixture.h"

/* What a kill at some step of a sealing leaves: a copy of the files at that moment. */
struct stepping {
    struct world *w;
    int step, stop_at;
};

static void copy_file(struct world *w, const char *suffix)
{
    char *command = mem_printf("cp '%s%s' '%s.killed%s'", w->fixture->path, suffix,
                               w->fixture->path, suffix);

    assert_int_equal(system(command), 0);
    free(command);
}

static int on_step(void *arg)
{
    struct stepping *s = arg;

    if (++s->step != s->stop_at)
        return 0;
    copy_file(s->w, "");
    copy_file(s->w, "-wal");
    return 1;       /* and it fails there, too */
}

/* The copy opens, and has the week wholly or not at all; its chain holds. */
static void assert_whole(struct world *w, bool *ret_sealed)
{
    char *path = mem_printf("%s.killed", w->fixture->path);
    struct chain_report report;
    struct err err;
    sqlite3 *db;
    int64_t records = 0, facts = 0, periods = 0;

    assert_int_equal(chain_verify(path, NULL, &report, &err), 0);
    assert_int_equal(report.first_bad, 0);
    assert_int_equal(sql_open_writer(path, &db, &err), 0);
    assert_int_equal(new_seal_clear(db, &err), 0);      /* as a start does */
    assert_int_equal(sql_integer(db, "SELECT count(*) FROM seal WHERE kind = 'sealed'", &records,
                                 &err), 0);
    assert_int_equal(sql_integer(db, "SELECT count(*) FROM sealed_fact", &facts, &err), 0);
    assert_int_equal(sql_integer(db, "SELECT count(*) FROM sealed_period", &periods, &err), 0);
    sql_close(db);
    free(path);
    assert_int_equal(facts, records ? 6 : 0);
    assert_int_equal(periods, records ? 8 : 0);
    *ret_sealed = records > 0;
}

/* Killed or failed at each step in turn: not at all; at last wholly. */
static void test_each_step(void **state)
{
    struct world *w = *state;
    struct stepping s = { .w = w };
    bool sealed = false;
    int failed = 0;

    tell(w, MONDAY - 4 * DAY, "\"type\":\"install.settled\",\"ticket\":\"A\","
                              "\"outcome\":\"success\",\"site\":\"east\"");
    w->ledger->seals->automatic = false;
    turn(w, MONDAY + DAY);
    for (s.stop_at = 1; !sealed; s.stop_at += 1 + s.stop_at / 8) {
        s.step = 0;
        sqlite3_progress_handler(w->ledger->db, 3, on_step, &s);
        w->request = (struct ledger_request){ .what = LEDGER_SEAL, .by = "chen", .text = "x" };
        assert_true(period_parse("2026-W47", &w->request.period));
        submit(w);
        sqlite3_progress_handler(w->ledger->db, 0, NULL, NULL);
        if (w->request.status < 0) {
            assert_whole(w, &sealed);
            assert_false(sealed);
            failed++;
            assert_query(w, "SELECT count(*) FROM appraisal_fact_history", "0");
            w->ledger->stats.well = true;
        } else {
            sealed = true;
        }
        assert_true(s.stop_at < 100000);
    }
    assert_true(failed > 20);
    copy_file(w, "");
    copy_file(w, "-wal");
    assert_whole(w, &sealed);
    assert_true(sealed);
    turn(w, MONDAY + DAY);
    assert_shown(w, "install_success", "2026-W47", "sealed 1 1/1");
}

/* --- What happens between two slices. */

static const char a_success[] = "\"type\":\"install.settled\",\"ticket\":\"A\",\"outcome\":"
                                "\"success\",\"site\":\"east\",\"device\":\"D\"";
static const char b_failure[] = "\"type\":\"install.settled\",\"ticket\":\"B\",\"outcome\":"
                                "\"failure\",\"reason\":\"no power\",\"site\":\"west\"";
static const char c_success[] = "\"type\":\"install.settled\",\"ticket\":\"C\",\"outcome\":"
                                "\"success\",\"device\":\"D\"";

/* A is in the week, which has ended and is not sealed. */
static void begin_by_slices(struct world *w)
{
    w->ledger->seals->automatic = false;
    w->ledger->seals->slice_us = 1;
    tell(w, MONDAY - 4 * DAY, a_success);
    turn(w, MONDAY + DAY);
    w->by_slices = true;
}

static struct ledger_request *ask(struct world *w, struct ledger_request *r, enum ledger_what what)
{
    *r = (struct ledger_request){ .what = what, .by = "chen", .text = "because", .done = on_done };
    assert_true(period_parse("2026-W47", &r->period));
    assert_true(ledger_submit(w->ledger, r));
    take_one(w->ledger);
    return r;
}

static void assert_chain_holds(struct world *w)
{
    struct chain_report report;
    struct err err;

    assert_int_equal(chain_verify(w->fixture->path, NULL, &report, &err), 0);
    if (report.first_bad)
        fail_msg("%s", report.why);
}

/* law 6.seal: the facts are those of one position, whatever comes while they are sealed; and law
 * 6.restatement: that moves them again. */
static void test_what_comes_meanwhile(void **state)
{
    bool there_was_more = true;
    int slices;

    for (slices = 0; there_was_more; slices += 1 + slices / 3) {
        struct ledger_request seal, restate;
        struct world *w = *state;

        begin_by_slices(w);
        ask(w, &seal, LEDGER_SEAL);
        there_was_more = seal_some(w, slices);
        tell(w, MONDAY - 3 * DAY, b_failure);
        while (seal_some(w, 1))
            ;
        assert_int_equal(seal.status, 0);
        /* The answer comes a slice after the record. */
        assert_shown(w, "install_success", "2026-W47",
                     slices == 0 ? "sealed 1 1/2" : "sealed 1 1/1 pending");
        assert_shown(w, "install_success", "2026-11-20",
                     slices == 0 ? "sealed 1 0/1" : "none");
        tell(w, MONDAY - 2 * DAY, "\"type\":\"repair.opened\",\"ticket\":\"R\",\"device\":\"D\"");
        ask(w, &restate, LEDGER_RESTATE);
        (void)seal_some(w, slices);
        tell(w, MONDAY - DAY, c_success);
        while (seal_some(w, 1))
            ;
        assert_int_equal(restate.status, 0);
        assert_shown(w, "install_success", "2026-W47",
                     slices == 0 ? "sealed 2 1/3" : "sealed 2 0/2 pending");
        assert_query(w, "SELECT subject, after_numerator, after_denominator FROM moved "
                        "WHERE kind = 'install' ORDER BY subject",
                     slices == 0 ? "A|0|1;C|1|1" : "A|0|1;B|0|1");
        if (slices > 0) {
            ask(w, &restate, LEDGER_RESTATE);
            while (seal_some(w, 1))
                ;
            assert_shown(w, "install_success", "2026-W47", "sealed 3 1/3");
            assert_query(w, "SELECT subject, before_denominator, after_numerator FROM moved "
                            "WHERE kind = 'install' AND seal = (SELECT max(seal) FROM moved)",
                         "C|0|1");
        }
        assert_chain_holds(w);
        assert_int_equal(tear_down(state), 0);
        assert_int_equal(set_up(state), 0);
    }
    print_message("# %d slices\n", slices);
    assert_true(slices > 20);
}

static void take_note(struct world *w)
{
    static struct ledger_note note = { .department = "installation", .kpi = "install_success",
                                       .text = "the van was broken" };
    struct ledger_request r = { .what = LEDGER_NOTE, .by = "li", .note = &note, .done = on_done };

    assert_true(period_parse("2026-W47", &note.week));
    assert_true(ledger_submit(w->ledger, &r));
    take_one(w->ledger);
    drain(w);
    assert_int_equal(r.status, 0);
}

/* Another record takes the number: the sealing begins anew, and nothing of the first remains. */
static void test_another_record_meanwhile(void **state)
{
    bool there_was_more = true;

    for (int slices = 0; there_was_more; slices += 1 + slices / 3) {
        struct world *w = *state;
        struct ledger_request seal;

        begin_by_slices(w);
        ask(w, &seal, LEDGER_SEAL);
        there_was_more = seal_some(w, slices);
        tell(w, MONDAY - 3 * DAY, b_failure);
        take_note(w);
        while (seal_some(w, 1))
            ;
        assert_int_equal(seal.status, 0);
        assert_query(w, "SELECT count(*) FROM seal WHERE kind = 'sealed'", "1");
        assert_query(w, "SELECT count(*) FROM sealed_fact WHERE seal NOT IN "
                        "(SELECT n FROM seal WHERE kind = 'sealed')", "0");
        assert_chain_holds(w);
        assert_int_equal(tear_down(state), 0);
        assert_int_equal(set_up(state), 0);
    }
}

/* Killed between two slices: the next start knows nothing of it, and a ticket that changed
 * meanwhile is still told as it was at the revision before. */
static void test_killed_between_slices(void **state)
{
    bool there_was_more = true;

    for (int slices = 0; there_was_more; slices += 1 + slices / 3) {
        struct world *w = *state;
        struct ledger_request asked;
        int64_t asked_after;
        bool is_written;

        begin_by_slices(w);
        ask(w, &asked, LEDGER_SEAL);
        while (seal_some(w, 1))
            ;
        tell(w, MONDAY - 3 * DAY, b_failure);
        ask(w, &asked, LEDGER_RESTATE);
        asked_after = w->ledger->seals->head;
        there_was_more = seal_some(w, slices);
        is_written = w->ledger->seals->head > asked_after;
        tell(w, MONDAY + DAY, "\"type\":\"install.amended\",\"ticket\":\"A\",\"by\":\"li\","
                              "\"reason\":\"wrong\",\"outcome\":\"failure\"");
        w->ledger->seals->asked = NULL;     /* nobody hears of it any more */
        w->by_slices = false;
        reopen(w);
        w->ledger->seals->automatic = false;
        assert_query(w, "SELECT count(*) FROM sealed_fact WHERE seal > (SELECT max(n) FROM seal)",
                     "0");
        (void)by_hand(w, LEDGER_RESTATE, "2026-W47");
        assert_shown(w, "install_success", "2026-W47",
                     is_written ? "sealed 3 0/2" : "sealed 2 0/2");
        assert_query(w, "SELECT before_numerator, after_numerator FROM moved WHERE subject = 'A' "
                        "AND kind = 'install'", "1|0");
        assert_chain_holds(w);
        assert_int_equal(tear_down(state), 0);
        assert_int_equal(set_up(state), 0);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_each_step),
        TEST(test_what_comes_meanwhile),
        TEST(test_another_record_meanwhile),
        TEST(test_killed_between_slices),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
