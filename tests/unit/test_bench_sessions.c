/* Sessions of the bench: who has a slot, and that an outcome is told once, whatever happens to the
 * ledger, to the configuration and to us. */
#include "bench_fixture.h"

/* --- Who has the slot */

static void test_busy_and_wrong(void **state)
{
    struct world *w = *state;
    struct bench_request r = { .ticket = "T2", .kind = "lookup", .staff = "", .vehicle = "",
                               .device = "", .model = "", .by = "x" };
    struct err err;

    begin(w, SUPPLY);
    assert_int_equal(ask(w, "3", "T1", &err), -ENOENT);
    assert_string_equal(err.text, "no slot \"3\": there is 1, 2");
    assert_int_equal(bench_start(w->bench, "1", &r, on_done, w, &err), -EINVAL);
    assert_string_equal(err.text, "kind: write \"install\" or \"repair\"");
    assert_int_equal(ask(w, "1", "", &err), -EINVAL);
    assert_int_equal(bench_cancel(w->bench, "1", "x", on_done, w, &err), -ENODATA);
    assert_int_equal(asked_count, 0);
    assert_state(w, "free");

    assert_int_equal(ask(w, "1", "T1", &err), 0);
    assert_state(w, "starting");
    assert_int_equal(ask(w, "1", "T2", &err), -EBUSY);
    answer(0);
    assert_int_equal(ask(w, "1", "T2", &err), -EBUSY);
    assert_string_equal(err.text, "slot 1 has install T1, begun by wang");
    assert_int_equal(ask(w, "2", "T2", &err), 0); /* the other slot is free */
    answer(0);
}

static void test_cancel(void **state)
{
    struct world *w = *state;
    struct err err;

    begin(w, SUPPLY ", " TEST);
    start(w);
    both(w, 12, 1, 6);
    w->done_status = 1;
    assert_int_equal(bench_cancel(w->bench, "1", "zhao", on_done, w, &err), 0);
    answer(-ENOSPC); /* it could not be written: the session goes on */
    assert_int_equal(w->done_status, -ENOSPC);
    assert_state(w, "running");
    assert_int_equal(bench_cancel(w->bench, "1", "zhao", on_done, w, &err), 0);
    answer(0);
    assert_int_equal(w->done_status, 0);
    assert_string_equal(durable, "opened install T1 -;");
    assert_last(w, "cancelled", "cancelled by zhao");
    assert_state(w, "acting"); /* the lamp does not know yet */
    assert_int_equal(ask(w, "1", "T2", &err), -EBUSY);
    obey(0, "");
    start(w);
}

/* --- What is durable */

static void test_start_that_is_not_durable(void **state)
{
    struct world *w = *state;
    struct err err;

    begin(w, SUPPLY);
    refuses = true;
    assert_int_equal(ask(w, "1", "T1", &err), -EAGAIN);
    assert_state(w, "free");
    refuses = false;
    assert_int_equal(ask(w, "1", "T1", &err), 0);
    answer(-ENOSPC);
    assert_int_equal(w->done_status, -ENOSPC);
    assert_state(w, "free");
    start(w);
}

static void test_outcome_waits_for_the_ledger(void **state)
{
    struct world *w = *state;
    struct err err;
    char first[sizeof last_json];

    begin(w, SUPPLY);
    start(w);
    both(w, 12, 1, 5);
    refuses = true;
    supply(w, 12);
    assert_state(w, "ending");
    assert_int_equal(ask(w, "1", "T2", &err), -EBUSY);
    pass(w, 5000);
    refuses = false;
    pass(w, 1250);
    answer(-ENOSPC);
    supply(w, 3); /* the next device is plugged in already */
    pass(w, 1250);
    answer(0);
    assert_non_null(strstr(last_json, "\"point\":\"supply\",\"state\":\"good\",\"value\":12,"));
    snprintf(first, sizeof first, "%s", last_json);
    assert_string_equal(durable, "opened install T1 -;settled install T1 success;");
    assert_non_null(strstr(first, "\"at\":\"2026-11-20T18:00:05.000+08:00\""));
    pass(w, 5000);
    assert_int_equal(asked_count, 0);
}

/* Killed at any point: what was acknowledged goes on, the outcome is told once. */
static void test_restart(void **state)
{
    struct world *w = *state;
    yajl_val tree;

    begin(w, SUPPLY ", " FIX);
    start(w);
    both(w, 12, 1, 4);
    downtime_from = clock_wall(&w->clock.clock);
    close_bench(w);
    pass(w, 0);
    w->clock.wall_ms += 600000; /* ten minutes, and the session had two */
    w->clock.monotonic_ms += 600000;
    open_bench(w);
    assert_state(w, "running");
    assert_check(w, 0, "waiting: no reading yet"); /* holds begin anew */
    pass(w, 250);
    answer(0); /* the later deadline */
    tree = shown(w);
    assert_string_equal(text_at(tree, "session", "started_at"), "2026-11-20T18:00:00.000+08:00");
    assert_string_equal(text_at(tree, "session", "deadline_at"), "2026-11-20T18:12:00.000+08:00");
    yajl_tree_free(tree);

    close_bench(w); /* at once again: nothing more is added */
    downtime_from = clock_wall(&w->clock.clock);
    open_bench(w);
    pass(w, 250);
    answer(0);
    both(w, 12, 1, 11);
    assert_state(w, "ending");
    answer(0);
    assert_string_equal(durable, "opened install T1 -;settled install T1 success;");
    assert_non_null(strstr(last_json, "\"outage_ms\":600000"));

    close_bench(w); /* what has ended is only remembered */
    open_bench(w);
    assert_state(w, "free");
    assert_last(w, "success", "");
    assert_string_equal(check_of(w, "last", 1), "passed: 1");
    pass(w, 1000);
    assert_int_equal(asked_count, 0);
}

/* Killed between the end and its writing: it is still under way. */
static void test_killed_before_the_outcome(void **state)
{
    struct world *w = *state;

    begin(w, SUPPLY);
    start(w);
    both(w, 12, 1, 5);
    supply(w, 12);
    assert_state(w, "ending");
    downtime_from = clock_wall(&w->clock.clock);
    close_bench(w);
    open_bench(w);
    assert_state(w, "running");
    both(w, 12, 1, 6);
    answer(0); /* the deadline */
    pass(w, 250);
    answer(0);
    assert_string_equal(durable, "opened install T1 -;settled install T1 success;");
}

static void test_what_is_saved_is_damaged(void **state)
{
    static const char *const texts[] = { "{", "[]", "{}", "{\"ticket\":3}", "null", "" };
    struct world *w = *state;

    begin(w, SUPPLY);
    for (size_t i = 0; i < LENGTH(texts); i++) {
        close_bench(w);
        snprintf(saved[0], sizeof saved[0], "%s", texts[i]);
        open_bench(w);
        assert_state(w, "free");
    }
    start(w);
}

/* A session goes on under the rules with which it began, even if its slot is no more. */
static void test_reload(void **state)
{
    struct world *w = *state;
    struct conf *old;

    begin(w, SUPPLY);
    start(w);
    both(w, 12, 1, 3);
    old = w->conf;
    w->conf = load(w, FIX);
    w->conf->slots[0].name[0] = '3';
    intake_set_rules(w->intake, &w->conf->rules);
    bench_set_conf(w->bench, w->conf);
    conf_destroy(old);
    assert_int_equal(bench_slot_count(w->bench), 3);
    both(w, 12, 1, 3);
    answer(0);
    assert_string_equal(durable, "opened install T1 -;settled install T1 success;");
    pass(w, 250);
    assert_int_equal(bench_slot_count(w->bench), 2);
    assert_string_equal(bench_slot_name(w->bench, 0), "2");
}

static void test_models(void **state)
{
    struct world *w = *state;
    struct conf_profile *p;
    struct err err;

    begin(w, SUPPLY);
    w->conf->profiles = mem_realloc_array(w->conf->profiles, 2, sizeof *p);
    w->conf->profile_count = 2;
    p = w->conf->profiles;
    p[1] = (struct conf_profile){ .name = "q", .model = "LED-3" };
    assert_ptr_equal(profile_for(w->conf, &w->conf->slots[0], "", &err), &p[0]);
    assert_ptr_equal(profile_for(w->conf, &w->conf->slots[0], "LED-3", &err), &p[1]);
    assert_ptr_equal(profile_for(w->conf, &w->conf->slots[0], "other", &err), &p[0]);
    text_set(p[0].model, sizeof p[0].model, "LED-1");
    assert_null(profile_for(w->conf, &w->conf->slots[0], "other", &err));
    assert_string_equal(err.text,
                        "no profile is for model \"other\": that of slot 1 is for \"LED-1\"");
}

/* Everything at its longest, and the event is still one that the law takes. */
static void test_evidence_is_bounded(void **state)
{
    struct world *w = *state;
    struct text_buffer checks = { 0 };
    char point[16];
    struct reading r = { .unit = "L1", .point = point, .status = READING_GOOD, .is_text = true,
                         .age_limit_ms = 3000 };
    char text[READING_TEXT_SIZE];

    for (int i = 0; i < CHECKS_MAX; i++)
        text_buffer_addf(&checks, "%s{ name = \"%060d\"; of = \"led\"; point = \"p%d\"; }",
                         i ? ", " : "", i, i);
    begin(w, checks.bytes);
    text_buffer_finish(&checks);
    memset(text, '"', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    r.text = text;
    start(w);
    for (int i = 0; i < 200; i++) {
        r.true_at = clock_wall(&w->clock.clock);
        snprintf(point, sizeof point, "p%d", i);
        live_put(w->live, "lamps", &r, 1);
    }
    answer(0);
    assert_string_equal(durable, "opened install T1 -;settled install T1 success;");
    assert_non_null(strstr(last_json, "\"cut\":true"));
}

/* The slot says what its devices say, and what is wrong with where they are plugged in. */
static void test_shown(void **state)
{
    struct world *w = *state;
    struct text_buffer text = { 0 };

    begin(w, SUPPLY);
    supply(w, 12);
    pass(w, 1000);
    assert_true(bench_show(w->bench, "1", &w->conf->rules.zone, &text));
    assert_non_null(strstr(text.bytes, "\"led\":{\"source\":\"lamps\",\"unit\":\"L1\","
                                       "\"source_state\":\"down\",\"why\":\"the adapter is gone: "
                                       "plug it in again\",\"readings\":[{\"point\":\"supply\","
                                       "\"state\":\"good\",\"value\":12,"));
    assert_non_null(strstr(text.bytes, "\"age_ms\":1000}],\"speaks\":true}"));
    assert_non_null(strstr(text.bytes, "\"session\":null,\"last\":null}"));
    text_buffer_finish(&text);
    assert_false(bench_show(w->bench, "9", &w->conf->rules.zone, &text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_OF(test_busy_and_wrong),
        TEST_OF(test_cancel),
        TEST_OF(test_start_that_is_not_durable),
        TEST_OF(test_outcome_waits_for_the_ledger),
        TEST_OF(test_restart),
        TEST_OF(test_killed_before_the_outcome),
        TEST_OF(test_what_is_saved_is_damaged),
        TEST_OF(test_reload),
        TEST_OF(test_models),
        TEST_OF(test_evidence_is_bounded),
        TEST_OF(test_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
