/* Checks of the bench over scripted readings and virtual time: when one has held and when it has
 * not, what has its turn, and what ends a session. */
#include "bench_fixture.h"

/* --- Checks that look */

static void test_all_hold(void **state)
{
    struct world *w = *state;

    begin(w, SUPPLY ", " FIX);
    assert_state(w, "free");
    start(w);
    assert_string_equal(durable, "opened install T1 -;");
    assert_null(strstr(last_json, "D1")); /* one that is cancelled accuses nobody */
    assert_check(w, 0, "waiting: no reading");
    both(w, 12, 1, 5);
    assert_check(w, 0, "holding: 12");
    both(w, 12, 1, 1);
    assert_check(w, 0, "passed: 12");
    assert_check(w, 1, "holding: 1");
    both(w, 12, 1, 4);
    quality(w, 1);
    assert_state(w, "ending");
    answer(0);
    assert_state(w, "free");
    assert_string_equal(durable, "opened install T1 -;settled install T1 success;");
    assert_last(w, "success", "");
    assert_non_null(strstr(last_json, "\"device\":\"D1\""));
    assert_non_null(strstr(last_json, "\"verdict\":\"passed\""));
    assert_non_null(strstr(last_json, "\"point\":\"quality\",\"state\":\"good\",\"value\":1"));
}

static void test_what_breaks_a_hold(void **state)
{
    struct world *w = *state;

    begin(w, SUPPLY ", " FIX);
    start(w);
    both(w, 12, 1, 5);
    supply(w, 15);
    assert_check(w, 0, "waiting: 15 is above 14");
    supply(w, 10);
    assert_check(w, 0, "waiting: 10 is below 11");
    supply(w, 12);
    quality(w, 6);
    assert_check(w, 0, "holding: 12");
    assert_check(w, 1, "waiting: 6 is not 1, 2 or 4");
    pass(w, 3500); /* nothing is said, and what was said grows old */
    assert_check(w, 0, "waiting: its last reading is too old");
    supply(w, 12);
    live_forget(w->live, "lamps", "L1");
    assert_check(w, 0, "waiting: no reading");
}

/* Time alone proves nothing: one reading, however long it may be shown, holds nothing. */
static void test_a_hold_is_proved_by_readings(void **state)
{
    struct world *w = *state;
    struct reading r = { .unit = "L1", .point = "supply", .status = READING_GOOD, .number = 12,
                         .age_limit_ms = 60000 };

    begin(w, SUPPLY);
    start(w);
    r.true_at = clock_wall(&w->clock.clock);
    live_put(w->live, "lamps", &r, 1);
    pass(w, 30000);
    assert_check(w, 0, "holding: 12");
    r.true_at = clock_wall(&w->clock.clock);
    live_put(w->live, "lamps", &r, 1);
    assert_state(w, "ending");
}

static void test_readings_that_hold_nothing(void **state)
{
    static const struct {
        enum reading_status status;
        const char *text, *want;
    } cases[] = {
        { READING_FAILED, "no answer", "waiting: cannot be read: no answer" },
        { READING_FAILED, NULL, "waiting: cannot be read" },
        { READING_NONE, NULL, "waiting: no reading" },
        { READING_UNSUPPORTED, "exception 02", "not_supported: exception 02" },
    };
    struct world *w = *state;
    struct reading r = { .unit = "L1", .point = "supply", .age_limit_ms = 3000 };

    begin(w, SUPPLY ", " FIX);
    start(w);
    for (size_t i = 0; i < LENGTH(cases); i++) {
        pass(w, 250);
        r.status = cases[i].status;
        r.text = cases[i].text;
        r.true_at = clock_wall(&w->clock.clock);
        live_put(w->live, "lamps", &r, 1);
        assert_check(w, 0, cases[i].want);
    }
    r = (struct reading){ .unit = "L1", .point = "supply", .status = READING_GOOD, .number = 12,
                          .age_limit_ms = 3000, .moves_within_ms = 2000 };
    for (int i = 0; i < 4; i++) {
        pass(w, 1000);
        r.true_at = clock_wall(&w->clock.clock);
        live_put(w->live, "lamps", &r, 1);
    }
    assert_check(w, 0, "waiting: its reading does not move");
}

/* What was read before the session is of the device that stood there before. */
static void test_readings_from_before(void **state)
{
    struct world *w = *state;

    begin(w, "{ name = \"supply\"; of = \"led\"; point = \"supply\"; min = 11; }");
    supply(w, 12);
    pass(w, 250);
    start(w);
    pass(w, 500);
    assert_check(w, 0, "waiting: no reading yet");
    supply(w, 12);
    assert_state(w, "ending");
}

static void test_texts_and_enumerations(void **state)
{
    struct world *w = *state;
    struct reading r = { .unit = "", .point = "antenna", .status = READING_GOOD, .is_text = true,
                         .text = "open", .age_limit_ms = 3000, .true_at = BEGIN };

    begin(w, "{ name = \"antenna\"; of = \"gps\"; point = \"antenna\"; equals = \"ok\"; }, " SUPPLY);
    start(w);
    live_put(w->live, "gps1", &r, 1);
    assert_check(w, 0, "waiting: \"open\" is not \"ok\"");
    r.text = "OK";
    r.true_at++;
    live_put(w->live, "gps1", &r, 1);
    assert_check(w, 0, "passed: \"OK\"");
}

/* What the lamp says of what it shows, `ago` milliseconds from now. */
static void show_state(struct world *w, enum reading_status status, double number, const char *text,
                       int64_t ago)
{
    const struct reading r = { .unit = "L1", .point = "show_state", .status = status,
                               .number = number, .text = text, .age_limit_ms = 3000,
                               .true_at = clock_wall(&w->clock.clock) - ago };

    live_put(w->live, "lamps", &r, 1);
}

/* By number and by name alike. */
static void test_an_enumeration(void **state)
{
    struct world *w = *state;

    begin(w, "{ name = \"n\"; of = \"led\"; point = \"show_state\"; equals = 0; }, "
             "{ name = \"t\"; of = \"led\"; point = \"show_state\"; equals = \"vacant\"; }");
    start(w);
    show_state(w, READING_GOOD, 1, "hired", 0);
    assert_check(w, 0, "waiting: 1 (hired) is not 0");
    assert_check(w, 1, "waiting: 1 (hired) is not \"vacant\"");
    pass(w, 250);
    show_state(w, READING_GOOD, 0, "vacant", 0);
    answer(0);
    assert_last(w, "success", "");
}

/* A receiver that says "a fix" and cannot say more: who asks for that much has it, and whoever asks
 * for more learns that this one cannot tell, once it says as much as it can. */
static void test_what_cannot_be_told(void **state)
{
    static const struct {
        const char *asks, *with_fix;
    } cases[] = {
        { "min = 2;", "passed: 2 (fixed)" },
        { "one_of = [ 2, 3 ];", "passed: 2 (fixed)" },
        { "equals = \"3d\";", "not_supported: the device tells no more than 2 (fixed)" },
        { "min = 3;", "not_supported: the device tells no more than 2 (fixed)" },
        { "max = 1; hold = \"5s\";", "waiting: 2 (fixed) is above 1" },
    };
    struct world *w = *state;
    struct reading r = { .unit = "", .point = "fix", .status = READING_GOOD, .age_limit_ms = 3000 };
    struct text_buffer checks = { 0 };

    for (size_t i = 0; i < LENGTH(cases); i++)
        text_buffer_addf(&checks, "{ name = \"c%zu\"; of = \"gps\"; point = \"fix\"; %s }, ", i,
                         cases[i].asks);
    text_buffer_adds(&checks, SUPPLY);
    begin(w, checks.bytes);
    text_buffer_finish(&checks);
    start(w);
    r.number = 1;
    r.text = "none";
    r.true_at = clock_wall(&w->clock.clock);
    live_put(w->live, "gps1", &r, 1);
    assert_check(w, 2, "waiting: 1 (none) is not \"3d\"");
    assert_check(w, 3, "waiting: 1 (none) is below 3");
    pass(w, 250);
    r = (struct reading){ .unit = "", .point = "fix", .status = READING_GOOD, .number = 2,
                          .text = "fixed", .at_least = true, .age_limit_ms = 3000,
                          .true_at = clock_wall(&w->clock.clock) };
    live_put(w->live, "gps1", &r, 1);
    for (size_t i = 0; i < LENGTH(cases); i++)
        assert_check(w, i, cases[i].with_fix);
}

/* --- What ends a session */

static void test_time_is_over(void **state)
{
    struct world *w = *state;

    begin(w, SUPPLY ", " FIX);
    start(w);
    for (int i = 0; i < 59; i++)
        both(w, 12, 0, 1);
    assert_check(w, 1, "waiting: 0 is not 1, 2 or 4");
    both(w, 12, 0, 2);
    answer(0);
    assert_string_equal(durable, "opened install T1 -;settled install T1 failure;");
    assert_last(w, "failure", "fix: 0 is not 1, 2 or 4");
}

/* A check that is too late has failed; the others may still show how they are. */
static void test_late_and_others_open(void **state)
{
    struct world *w = *state;

    begin(w, SUPPLY ", " FIX);
    start(w);
    pass(w, 61000);
    assert_check(w, 1, "failed: no reading");
    assert_state(w, "running");
    pass(w, 58000);
    assert_state(w, "running");
    pass(w, 1000);
    answer(0);
    assert_last(w, "failure", "supply: no reading; fix: no reading");
}

static void test_long_reasons_are_cut(void **state)
{
    struct world *w = *state;
    struct text_buffer checks = { 0 };
    yajl_val tree;

    for (int i = 0; i < 12; i++)
        text_buffer_addf(&checks, "%s{ name = \"电源电压检查%d\"; of = \"led\"; point = \"p%d\"; }",
                         i ? ", " : "", i, i);
    begin(w, checks.bytes);
    text_buffer_finish(&checks);
    start(w);
    pass(w, 120000);
    answer(0); /* which asserts that the law takes it */
    tree = shown(w);
    assert_true(strlen(text_at(tree, "last", "reason")) < REASON_SIZE);
    assert_true(text_is_utf8(text_at(tree, "last", "reason"),
                             strlen(text_at(tree, "last", "reason"))));
    assert_non_null(strstr(text_at(tree, "last", "reason"), "..."));
    yajl_tree_free(tree);
}

static void test_not_supported_counts_neither_way(void **state)
{
    struct world *w = *state;
    struct reading r = { .unit = "L1", .point = "supply", .status = READING_UNSUPPORTED,
                         .true_at = BEGIN };

    begin(w, SUPPLY ", " FIX);
    start(w);
    live_put(w->live, "lamps", &r, 1);
    for (int i = 0; i < 11; i++) {
        quality(w, 1);
        pass(w, 1000);
    }
    answer(0);
    assert_last(w, "success", "");
    assert_string_equal(check_of(w, "last", 0), "not_supported: not supported");
    assert_non_null(strstr(last_json, "\"verdict\":\"not_supported\""));
}

static void test_nothing_is_supported(void **state)
{
    struct world *w = *state;
    struct reading r = { .unit = "L1", .point = "supply", .status = READING_UNSUPPORTED,
                         .true_at = BEGIN };

    begin(w, SUPPLY ", { name = \"t\"; of = \"terminal\"; point = \"x\"; }");
    start(w);
    live_put(w->live, "lamps", &r, 1);
    answer(0);
    assert_last(w, "failure", "no check is supported: nothing was shown to be well");
    assert_string_equal(check_of(w, "last", 1), "not_supported: the slot has no terminal");
}

/* A device that falls silent may come back as another one: its checks begin anew. */
static void test_silence_begins_anew(void **state)
{
    struct world *w = *state;

    begin(w, SUPPLY ", " FIX);
    start(w);
    both(w, 12, 0, 6);
    assert_check(w, 0, "passed: 12");
    both(w, 15, 0, 2); /* it has held: what it says later is another matter */
    assert_check(w, 0, "passed: 12");
    live_forget(w->live, "lamps", "L1");
    pass(w, 2500);
    assert_check(w, 0, "passed: 12");
    pass(w, 1000);
    assert_check(w, 0, "waiting: no reading");
    for (int i = 0; i < 11; i++) {
        quality(w, 1);
        pass(w, 1000);
    }
    assert_check(w, 1, "passed: 1");
    assert_state(w, "running");
    both(w, 12, 1, 6);
    answer(0);
    assert_last(w, "success", "");
}

/* --- Checks that act */

static void test_acts_have_their_turn(void **state)
{
    struct world *w = *state;

    begin(w, SUPPLY ", " TEST ", " SHOW);
    start(w);
    assert_check(w, 1, "waiting: its turn comes later");
    both(w, 12, 1, 6);
    assert_string_equal(commands, "self_test;");
    assert_check(w, 1, "acting: under way");
    assert_check(w, 2, "waiting: its turn comes later");
    assert_in_range(told->timeout_ms, 29000, 30000);
    pass(w, 8000); /* it is busy, and says nothing */
    assert_check(w, 0, "passed: 12");
    obey(0, "{\"pixel_faults\":0}");
    assert_check(w, 1, "waiting: no reading");
    pass(w, 250);
    say(w, "lamps", "L1", "show_state", 1);
    say(w, "lamps", "L1", "bad", 0);
    assert_check(w, 1, "passed: 0");
    for (int i = 0; i < 8; i++)
        obey(0, "");
    assert_string_equal(commands, "self_test;show 0;show 1;show 2;show 3;show 4;show 5;show 6;"
                                  "show 1;");
    answer(0);
    assert_last(w, "success", "");
    assert_non_null(strstr(last_json, "\"result\":{\"pixel_faults\":0}"));
    assert_non_null(strstr(last_json, "\"result\":{\"states_shown\":7,\"not_supported\":0}"));
}

static void test_self_test_that_finds_something(void **state)
{
    struct world *w = *state;

    begin(w, TEST ", " SUPPLY);
    start(w);
    pass(w, 250);
    obey(0, "");
    say(w, "lamps", "L1", "bad", 3);
    answer(0);
    assert_last(w, "failure", "self-test: 3 is above 0; supply: no reading");
}

static void test_acts_that_do_not_end_well(void **state)
{
    static const struct {
        const char *what;
        int status[3];
        const char *commands, *outcome, *reason;
    } cases[] = {
        { "what it does not know", { -EOPNOTSUPP }, "brightness 50;", "failure",
          "no check is supported: nothing was shown to be well" },
        { "it fails twice", { -EIO, -EIO }, "brightness 50;brightness 50;", "failure",
          "light: it says 3" },
        { "it fails, and then does not", { -EIO, 0 }, "brightness 50;brightness 50;", "success",
          "" },
        { "it says something else, twice", { -EBADMSG, -EBADMSG },
          "brightness 50;brightness 50;", "failure", "light: it says 3" },
        { "it does not answer, and then it does", { -ETIMEDOUT, -ETIMEDOUT, 0 },
          "brightness 50;brightness 50;brightness 50;", "success", "" },
    };
    struct world *w = *state;

    begin(w, "{ name = \"light\"; of = \"led\"; act = \"brightness\"; argument = \"50\"; "
             "within = \"10s\"; }");
    for (size_t i = 0; i < LENGTH(cases); i++) {
        print_message("# %s\n", cases[i].what);
        commands[0] = '\0';
        start(w);
        for (int k = 0; asked_count == 0; k++) {
            pass(w, 1250);
            obey(cases[i].status[k], "it says 3");
        }
        answer(0);
        assert_string_equal(commands, cases[i].commands);
        assert_last(w, cases[i].outcome, cases[i].reason);
    }
}

/* A source that does not run is asked again, until the act's time is over. */
static void test_source_is_down(void **state)
{
    struct world *w = *state;

    begin(w, TEST);
    command_refused = -ENOTCONN;
    start(w);
    pass(w, 29500);
    assert_check(w, 0, "waiting: it is refused");
    pass(w, 1000);
    answer(0);
    assert_last(w, "failure", "self-test: it is refused");
}

static void test_states_that_cannot_be_shown(void **state)
{
    struct world *w = *state;

    begin(w, SHOW);
    start(w);
    pass(w, 250);
    obey(0, "");
    obey(-EOPNOTSUPP, "no such state");
    for (int i = 2; i <= 6; i++)
        obey(0, "");
    assert_non_null(told); /* vacant again: what it showed before is not known */
    assert_string_equal(told->argument, "0");
    obey(0, "");
    answer(0);
    assert_last(w, "success", "");
    assert_non_null(strstr(last_json, "{\"states_shown\":6,\"not_supported\":1}"));

    start(w);
    pass(w, 250);
    for (int i = 0; i <= 6; i++)
        obey(-EOPNOTSUPP, "no such thing");
    answer(0);
    assert_last(w, "failure", "no check is supported: nothing was shown to be well");

    start(w);
    pass(w, 250);
    obey(0, "");
    obey(-EBADMSG, "it shows 5");
    obey(0, ""); /* restored, and then tried once more */
    pass(w, 1250);
    obey(-EBADMSG, "it shows 5");
    assert_null(told);
    answer(0);
    assert_last(w, "failure", "states: state 0 (vacant): it shows 5");
}

/* A lamp that hangs: who looks sees at which state, and what it says instead. */
static void test_state_that_is_never_shown(void **state)
{
    struct world *w = *state;

    begin(w, "{ name = \"states\"; of = \"led\"; act = \"show_all\"; }");
    start(w);
    pass(w, 500);
    obey(0, "");
    assert_string_equal(told->argument, "1");
    show_state(w, READING_GOOD, 0, "vacant", 1); /* from before it was told */
    assert_check(w, 0, "acting: state 1 (hired): asked for, not read back yet");
    show_state(w, READING_GOOD, 0, "vacant", 0);
    assert_check(w, 0, "acting: state 1 (hired): asked for, still reads 0 (vacant)");
    show_state(w, READING_GOOD, 1, "hired", 0);
    assert_check(w, 0, "acting: state 1 (hired): asked for, reads 1 (hired)");
    show_state(w, READING_FAILED, 0, "does not answer", 0);
    assert_check(w, 0,
                 "acting: state 1 (hired): asked for, cannot be read: does not answer");
    show_state(w, READING_GOOD, 0, "vacant", 0);
    pass(w, 3500);
    assert_check(w, 0, "acting: state 1 (hired): asked for, last read 0 (vacant)");
    pass(w, 115000);
    show_state(w, READING_GOOD, 0, "vacant", 0);
    pass(w, 1000);
    answer(0);
    assert_last(w, "failure", "states: state 1 (hired): asked for, still reads 0 (vacant)");
}

/* While the old state is restored the trouble is what is told, and so it is at the end of time. */
static void test_time_is_over_while_restoring(void **state)
{
    struct world *w = *state;

    begin(w, SHOW);
    show_state(w, READING_GOOD, 2, "out_of_service", 0);
    start(w);
    pass(w, 250);
    obey(0, "");
    obey(-EBADMSG, "it shows 5");
    assert_string_equal(told->argument, "2"); /* what it showed before */
    assert_check(w, 0, "acting: state 1 (hired): it shows 5");
    pass(w, 120000);
    answer(0);
    assert_last(w, "failure", "states: state 1 (hired): it shows 5");
    obey(0, "");

    start(w);
    pass(w, 250);
    for (int i = 0; i <= 6; i++)
        obey(0, "");
    assert_check(w, 0, "acting: restoring state 0 (vacant): asked for, not read back yet");
    obey(-ETIMEDOUT, "the unit does not answer");
    assert_check(w, 0, "waiting: restoring state 0 (vacant): the unit does not answer");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_OF(test_all_hold),
        TEST_OF(test_what_breaks_a_hold),
        TEST_OF(test_a_hold_is_proved_by_readings),
        TEST_OF(test_readings_that_hold_nothing),
        TEST_OF(test_readings_from_before),
        TEST_OF(test_texts_and_enumerations),
        TEST_OF(test_an_enumeration),
        TEST_OF(test_what_cannot_be_told),
        TEST_OF(test_time_is_over),
        TEST_OF(test_late_and_others_open),
        TEST_OF(test_long_reasons_are_cut),
        TEST_OF(test_not_supported_counts_neither_way),
        TEST_OF(test_nothing_is_supported),
        TEST_OF(test_silence_begins_anew),
        TEST_OF(test_acts_have_their_turn),
        TEST_OF(test_self_test_that_finds_something),
        TEST_OF(test_acts_that_do_not_end_well),
        TEST_OF(test_source_is_down),
        TEST_OF(test_states_that_cannot_be_shown),
        TEST_OF(test_state_that_is_never_shown),
        TEST_OF(test_time_is_over_while_restoring),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
