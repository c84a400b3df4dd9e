/* Reload: what is recorded, what comes into force, what is refused, with a ledger that answers
 * when the test says so and configurations of a scratch folder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "conf_fixture.h"
#include "reload.h"

/* --- The ledger of this test */

static struct ledger_request *in_ledger;
static bool ledger_is_full;
static int submissions;

bool ledger_submit(struct ledger *ledger, struct ledger_request *request)
{
    (void)ledger;
    submissions++;
    if (ledger_is_full)
        return false;
    assert_null(in_ledger);
    in_ledger = request;
    return true;
}

static void ledger_answers(int status)
{
    struct ledger_request *request = in_ledger;

    in_ledger = NULL;
    rules_destroy(request->rules);          /* takes */
    request->status = status;
    if (status < 0)
        snprintf(request->err.text, sizeof request->err.text, "the disk is full");
    request->done(request);
}

/* --- The house of this test */

struct house {
    struct fixture files;
    uv_loop_t loop;
    struct clock_manual clock;
    struct conf *conf;          /* in force */
    struct reload *reload;
    int accepted, finished;
};

static void on_accepted(void *arg, struct conf *conf)
{
    struct house *h = arg;

    conf_destroy(h->conf);
    h->conf = conf;
    h->accepted++;
}

static void on_finished(void *arg)
{
    ((struct house *)arg)->finished++;
}

/* A configuration with one KPI of that target. */
static void write_conf(const struct house *h, const char *target)
{
    char text[400];

    snprintf(text, sizeof text,
             "timezone = \"UTC\";\nkpis = ( { id = \"repair_success\"; counts = \"repair\";\n"
             "direction = \"at_least\"; rework_window = \"7d\";\n"
             "targets = ( { from = \"2026-01-01\"; value = %s; } ); } );\n", target);
    fixture_write(&h->files, "kpid.conf", text);
}

static int set_up(void **state)
{
    struct house *h = mem_zalloc(sizeof *h);
    struct faults faults = { 0 };

    in_ledger = NULL;
    ledger_is_full = false;
    submissions = 0;
    fixture_init(&h->files);
    write_conf(h, "0.9");
    h->conf = conf_load(h->files.path, &faults);
    assert_non_null(h->conf);
    clock_manual_init(&h->clock, 1700000000000);
    assert_int_equal(uv_loop_init(&h->loop), 0);
    h->reload = reload_create(&(struct reload_options){ .path = h->files.path,
                                                        .loop = &h->loop,
                                                        .clock = &h->clock.clock,
                                                        .conf = h->conf,
                                                        .accepted = on_accepted,
                                                        .finished = on_finished,
                                                        .arg = h });
    *state = h;
    return 0;
}

static int tear_down(void **state)
{
    struct house *h = *state;

    reload_stop(h->reload);
    assert_int_equal(uv_run(&h->loop, UV_RUN_DEFAULT), 0);
    if (in_ledger)
        ledger_answers(0);
    reload_destroy(h->reload);
    assert_int_equal(uv_loop_close(&h->loop), 0);
    conf_destroy(h->conf);
    fixture_finish(&h->files);
    free(h);
    return 0;
}

/* --- The cases */

static void test_same(void **state)
{
    struct house *h = *state;

    reload_request(h->reload, "test");
    assert_int_equal(submissions, 0);
    assert_int_equal(h->accepted, 0);
    assert_int_equal(h->finished, 1);
    assert_int_equal(reload_refusal(h->reload)->at, 0);
}

static void test_changed(void **state)
{
    struct house *h = *state;

    write_conf(h, "0.95");
    reload_request(h->reload, "test");
    assert_non_null(in_ledger);
    assert_int_equal(in_ledger->what, LEDGER_RULES);
    assert_string_equal(in_ledger->by, "test");
    assert_non_null(strstr(in_ledger->text, "kpis.repair_success.targets"));
    assert_int_equal(in_ledger->rules->kpis[0].targets[0].value_e4, 9500);
    assert_int_equal(h->accepted, 0);       /* not before it is durable */

    ledger_answers(0);
    assert_int_equal(h->accepted, 1);
    assert_int_equal(h->finished, 1);
    assert_int_equal(h->conf->rules.kpis[0].targets[0].value_e4, 9500);
}

static void test_refused(void **state)
{
    struct house *h = *state;
    const struct conf *before = h->conf;
    char place[120];

    write_conf(h, "95");
    reload_request(h->reload, "test");
    assert_int_equal(submissions, 0);
    assert_ptr_equal(h->conf, before);
    assert_int_equal(h->finished, 1);
    assert_int_equal(reload_refusal(h->reload)->at, 1700000000000);
    assert_int_equal(reload_refusal(h->reload)->fault_count, 1);
    snprintf(place, sizeof place, "%s:4: ", h->files.path);
    assert_non_null(strstr(reload_refusal(h->reload)->first, place));

    /* Mended, it comes into force, and the refusal is forgotten. */
    write_conf(h, "0.95");
    reload_request(h->reload, "test");
    ledger_answers(0);
    assert_int_equal(h->accepted, 1);
    assert_int_equal(reload_refusal(h->reload)->at, 0);
}

static void test_not_recorded(void **state)
{
    struct house *h = *state;
    const struct conf *before = h->conf;

    write_conf(h, "0.95");
    reload_request(h->reload, "test");
    ledger_answers(-28);
    assert_ptr_equal(h->conf, before);
    assert_int_equal(h->accepted, 0);
    assert_int_equal(h->finished, 1);
    assert_string_equal(reload_refusal(h->reload)->first, "the disk is full");
}

static void test_once_more(void **state)
{
    struct house *h = *state;

    write_conf(h, "0.95");
    reload_request(h->reload, "test");
    write_conf(h, "0.96");
    reload_request(h->reload, "test");
    reload_request(h->reload, "test");
    assert_int_equal(submissions, 1);

    ledger_answers(0);          /* the first is in force, and the file is read once more */
    assert_int_equal(h->conf->rules.kpis[0].targets[0].value_e4, 9500);
    assert_int_equal(submissions, 2);
    ledger_answers(0);
    assert_int_equal(h->conf->rules.kpis[0].targets[0].value_e4, 9600);
    assert_int_equal(submissions, 2);
    assert_int_equal(h->finished, 2);
}

static void test_full_ledger(void **state)
{
    struct house *h = *state;

    ledger_is_full = true;
    write_conf(h, "0.95");
    reload_request(h->reload, "test");
    assert_int_equal(submissions, 1);
    ledger_is_full = false;
    uv_run(&h->loop, UV_RUN_DEFAULT);       /* until the one timer has fired */
    assert_int_equal(submissions, 2);
    ledger_answers(0);
    assert_int_equal(h->accepted, 1);
}

static void test_stop_meanwhile(void **state)
{
    struct house *h = *state;

    write_conf(h, "0.95");
    reload_request(h->reload, "test");
    reload_request(h->reload, "test");
    reload_stop(h->reload);
    ledger_answers(0);
    assert_int_equal(h->accepted, 0);       /* the house is being taken down */
    assert_int_equal(submissions, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_same, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_changed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_not_recorded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_once_more, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_full_ledger, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stop_meanwhile, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
