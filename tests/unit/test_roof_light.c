/* The roof-light driver with a lamp on a pseudo-terminal: what it reads, what it does, and what it
 * says when the lamp, the line or the adapter fails, and by itself comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "roof_light.h"
#include "tests/lib/house_expect.h"
#include "tests/lib/pty.h"

enum manner {
    ANSWERS,
    SILENT,
    GARBAGE,      /* says bytes that are no frame */
    LATE,         /* after the time-out, and before the next question */
    STRANGER,     /* is a taximeter */
    SHORT_STATE,  /* of eleven bytes */
    STUBBORN,     /* accepts and does not do it */
    SLOW_TO_SHOW, /* answers at once, shows it a few answers later */
    REFUSES,      /* with result ff */
};

struct fixture {
    struct fake_house house;
    char folder[64], link[96], section[512];
    struct pty pty;
    uv_timer_t tick;
    /* The lamp: */
    enum manner manner;
    bool echoes; /* the adapter does */
    struct jt905_lamp_state state;
    int shows_soon; /* what it was told to show; -1: nothing */
    int patience;
    int dead_ticks; /* after a reset */
    uint8_t bytes[4096];
    size_t length;
    int64_t late_at;
    struct jt905_frame late;
    size_t asked, states_asked, resets;
    uint8_t last_maker;
    /* Of a command: */
    struct house_act act;
};

/* --- The lamp */

static void answer(struct fixture *f, const struct jt905_frame *question, const uint8_t *data,
                   size_t length)
{
    struct jt905_frame frame = { JT905_ROOF_LIGHT, 9, question->command, data, length };
    uint8_t bytes[JT905_SERIAL_MAX];

    if (f->manner == STRANGER)
        frame.device_type = 0x02;
    pty_say(&f->pty, bytes, jt905_serial_write(bytes, &frame));
}

static void answer_state(struct fixture *f, const struct jt905_frame *question)
{
    uint8_t data[JT905_LAMP_STATE_LENGTH];

    f->states_asked++;
    if (f->shows_soon >= 0 && f->patience-- <= 0) {
        f->state.show_state = (uint8_t)f->shows_soon;
        f->shows_soon = -1;
    }
    jt905_lamp_state_write(data, &f->state);
    answer(f, question, data, f->manner == SHORT_STATE ? 11 : sizeof data);
}

static void act(struct fixture *f, const struct jt905_frame *question)
{
    uint8_t result = f->manner == REFUSES ? 0xff : 0x90;

    if (f->manner != STUBBORN && f->manner != REFUSES && question->command == JT905_LAMP_SHOW) {
        f->shows_soon = question->data[0];
        f->patience = f->manner == SLOW_TO_SHOW ? 2 : 0;
    }
    if (f->manner != STUBBORN && question->command == JT905_LAMP_NIGHT)
        f->state.night_mode = question->data[0];
    if (question->command == JT905_LAMP_RESET) {
        f->resets++;
        f->dead_ticks = 100;
    }
    answer(f, question, &result, 1);
}

static void on_question(struct fixture *f, const struct jt905_frame *question)
{
    f->asked++;
    f->last_maker = question->maker;
    if (f->manner == GARBAGE)
        pty_say(&f->pty, "\x80\xfe\x00\x80", 4);
    if (f->manner == LATE) {
        f->late = *question;
        f->late_at = clock_monotonic(&clock_system) + 150;
    }
    if (f->manner == SILENT || f->manner == GARBAGE || f->manner == LATE || f->dead_ticks > 0)
        return;
    if (question->command == JT905_LAMP_STATE)
        answer_state(f, question);
    else
        act(f, question);
}

static void on_tick(uv_timer_t *timer)
{
    struct fixture *f = timer->data;
    struct jt905_frame question;
    size_t n, used, garbage;

    if (f->pty.master < 0)
        return;
    f->dead_ticks -= f->dead_ticks > 0;
    n = pty_hear(&f->pty, f->bytes + f->length, sizeof f->bytes - f->length);
    if (f->echoes && n > 0)
        pty_say(&f->pty, f->bytes + f->length, n);
    f->length += n;
    while (jt905_serial_find(f->bytes, f->length, false, &question, &used, &garbage)) {
        assert_int_equal(garbage, 0);
        assert_int_equal(question.device_type, JT905_ROOF_LIGHT);
        on_question(f, &question);
        f->length -= used;
        memmove(f->bytes, f->bytes + used, f->length);
    }
    if (f->late_at && clock_monotonic(&clock_system) >= f->late_at) {
        f->late_at = 0;
        answer_state(f, &f->late);
    }
}

/* --- The test */

static int set_up(void **state)
{
    struct fixture *f = mem_zalloc(sizeof *f);

    snprintf(f->folder, sizeof f->folder, "/tmp/test_roof_light.XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->link, sizeof f->link, "%s/lamp", f->folder);
    snprintf(f->section, sizeof f->section,
             "device = \"%s\"; interval = \"100ms\"; timeout = \"100ms\";", f->link);
    house_init(&f->house, "roof1");
    f->state = (struct jt905_lamp_state){ .device_number = "9005001234",
                                          .hardware = 0x01,
                                          .firmware_main = 0x02,
                                          .firmware_minor = 0x13 };
    f->shows_soon = -1;
    f->pty.master = -1;
    f->tick.data = f;
    assert_int_equal(uv_timer_init(&f->house.loop, &f->tick), 0);
    uv_timer_start(&f->tick, on_tick, 5, 5);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    char command[128];

    if (f->house.source)
        house_stop(&f->house);
    uv_close((uv_handle_t *)&f->tick, NULL);
    pty_pull(&f->pty);
    house_finish(&f->house);
    snprintf(command, sizeof command, "rm -rf %s", f->folder);
    assert_int_equal(system(command), 0);
    free(f);
    return 0;
}

static void start(struct fixture *f, const char *more)
{
    char *section = mem_printf("%s%s", f->section, more);

    house_start(&f->house, &driver_roof_light, section);
    free(section);
}

static void start_well(struct fixture *f, const char *more)
{
    pty_open(&f->pty, f->link);
    start(f, more);
    assert_true(house_until(&f->house, house_is_well, NULL, 10000));
}

static struct live_value value(struct fixture *f, const char *point)
{
    struct live_value v = { 0 };

    (void)live_find(f->house.live, "roof1", "", point, &v);
    return v;
}

static bool shows(struct fake_house *house, void *arg)
{
    struct fixture *f = (struct fixture *)house;

    return value(f, "show_state").number == *(double *)arg;
}

static void test_readings(void **state)
{
    struct fixture *f = *state;
    int64_t before = clock_wall(&clock_system);
    double five = 5;

    start_well(f, "maker = 7;");
    assert_string_equal(value(f, "device_number").text, "9005001234");
    assert_string_equal(value(f, "hardware").text, "01");
    assert_string_equal(value(f, "firmware").text, "02.13");
    assert_true(value(f, "firmware").is_text);
    assert_int_equal(value(f, "device_state").state, LIVE_GOOD);
    assert_true(value(f, "device_state").number == 0);
    assert_string_equal(value(f, "show_state").text, "vacant");
    assert_true(value(f, "night_mode").number == 0);
    assert_in_range(value(f, "show_state").true_at, before, clock_wall(&clock_system));
    assert_int_equal(f->last_maker, 7);

    f->state.show_state = 5;
    f->state.device_state = 0x2a;
    f->state.night_mode = 1;
    assert_true(house_until(&f->house, shows, &five, 10000));
    assert_string_equal(value(f, "show_state").text, "mark");
    assert_true(value(f, "device_state").number == 0x2a);
    assert_true(value(f, "night_mode").number == 1);
    assert_int_equal(f->house.health.state, SOURCE_WELL); /* the lamp is not, its line is */
    assert_int_equal(f->house.condition_count, 0);        /* it is on the bench */
}

/* A lamp that is not there is a state; what comes is noticed at once, not after the back-off. */
static void test_plugged_in(void **state)
{
    struct fixture *f = *state;

    start(f, "");
    house_expect_health(&f->house, house_is_down, "lamp is not there: plug the adapter in");
    house_turn(&f->house, 1600); /* the next try is half a second away, or more */
    assert_true(f->house.next_attempt_at > clock_wall(&clock_system));
    pty_open(&f->pty, f->link);
    house_turn(&f->house, 300);
    assert_int_equal(f->house.health.state, SOURCE_WELL);
}

/* Pulled out, and put back as another node behind the same link; the readings go with it. */
static void test_pulled_and_put_back(void **state)
{
    struct fixture *f = *state;
    char before[64];

    start_well(f, "");
    for (int i = 0; i < 3; i++) {
        snprintf(before, sizeof before, "%s", f->pty.device);
        pty_pull(&f->pty);
        house_expect_health(&f->house, house_is_down, "lamp is gone: plug the adapter in again");
        assert_int_equal(value(f, "show_state").state, LIVE_NONE);
        house_turn(&f->house, 200);
        pty_open(&f->pty, f->link);
        assert_true(house_until(&f->house, house_is_well, NULL, 10000));
        assert_int_equal(value(f, "show_state").state, LIVE_GOOD);
    }
}

/* The link is set to another adapter while the old one still hangs on. */
static void test_link_set_elsewhere(void **state)
{
    struct fixture *f = *state;
    struct pty old;
    uint8_t bytes[64];

    start_well(f, "");
    old = f->pty;
    pty_open(&f->pty, f->link);
    f->state.show_state = 1;
    f->length = 0;
    assert_true(house_until(&f->house, shows, &(double){ 1 }, 10000));
    (void)pty_hear(&old, bytes, sizeof bytes);
    house_turn(&f->house, 300);
    assert_int_equal(pty_hear(&old, bytes, sizeof bytes), 0); /* nobody asks there */
    assert_int_equal(f->house.health.state, SOURCE_WELL);
    old.link = NULL;
    pty_pull(&old);
}

/* A trouble of the lamp or the line, in the words that a technician needs, and its end. */
static void test_troubles(void **state)
{
    static const struct {
        const char *what;
        enum manner manner;
        const char *says;
    } cases[] = {
        { "no power", SILENT, "the lamp does not answer: look after its power, its wiring" },
        { "another rate", GARBAGE, "4 bytes came and no frame of JT/T 905: correct `baud` (9600)" },
        { "too slow", LATE, "answers later than 100ms: raise `timeout`" },
        { "another device", STRANGER, "a device of type 02 answers, a roof light has 05" },
        { "another protocol", SHORT_STATE,
          "answers with a state of 11 bytes where JT/T 905 has 16" },
    };
    struct fixture *f = *state;

    start_well(f, "");
    for (size_t i = 0; i < LENGTH(cases); i++) {
        print_message("# %s\n", cases[i].what);
        f->manner = cases[i].manner;
        house_expect_health(&f->house, house_is_down, cases[i].says);
        assert_int_equal(value(f, "show_state").state, LIVE_FAILED);
        assert_int_equal(value(f, "show_state").true_at != 0, 1);
        f->manner = ANSWERS;
        assert_true(driver_roof_light.poll_now(f->house.source));
        assert_true(house_until(&f->house, house_is_well, NULL, 10000));
        assert_int_equal(value(f, "show_state").state, LIVE_GOOD);
    }
}

/* One answer that is lost is no trouble: it is asked for again. */
static void test_one_answer_lost(void **state)
{
    struct fixture *f = *state;
    size_t before;

    start_well(f, "");
    before = f->asked;
    f->manner = SILENT;
    while (f->asked == before)
        house_turn(&f->house, 10);
    f->manner = ANSWERS;
    house_turn(&f->house, 800);
    assert_int_equal(f->house.health.state, SOURCE_WELL);
    assert_int_equal(f->house.health.last_error_at, 0);
}

/* Silence is asked less and less often, and never with a gap beyond the cap. */
static void test_silence_backs_off(void **state)
{
    struct fixture *f = *state;
    size_t before;

    f->manner = SILENT;
    pty_open(&f->pty, f->link);
    start(f, "");
    house_expect_health(&f->house, house_is_down, "does not answer");
    before = f->asked;
    assert_int_equal(before, 3);
    house_turn(&f->house, 1500); /* waits of 0.5, 1, 2 seconds, or half of that */
    assert_in_range(f->asked - before, 1, 3);
    assert_true(f->house.next_attempt_at <= clock_wall(&clock_system) + 15000);
}

/* --- Acts */

static int ask_for(struct fixture *f, const char *verb, const char *argument, int64_t timeout_ms)
{
    return house_act(&f->house, &f->act, "", verb, argument, timeout_ms);
}

static void assert_ends(struct fixture *f, int status, const char *says)
{
    house_expect_done(&f->house, &f->act);
    if (f->act.command.status != status || !strstr(f->act.command.err.text, says))
        fail_msg("%d: %s", f->act.command.status, f->act.command.err.text);
}

static void test_shows_every_state(void **state)
{
    struct fixture *f = *state;
    char argument[16];

    start_well(f, "");
    for (int i = 0; i <= 6; i++) {
        snprintf(argument, sizeof argument, "%d", i);
        assert_int_equal(ask_for(f, COMMAND_SHOW, argument, 5000), 0);
        assert_ends(f, 0, "");
        assert_int_equal(f->state.show_state, i);
        assert_true(value(f, "show_state").number == i);
    }
    assert_string_equal(f->act.command.result, "{\"result\":\"90\",\"device_state\":0,\"show_state\":6,"
                                           "\"shows\":\"shift_change\",\"night_mode\":0}");
    assert_int_equal(ask_for(f, COMMAND_NIGHT, "on", 5000), 0);
    assert_ends(f, 0, "");
    assert_int_equal(f->state.night_mode, 1);
    assert_int_equal(ask_for(f, COMMAND_NIGHT, "off", 5000), 0);
    assert_ends(f, 0, "");
    assert_int_equal(f->state.night_mode, 0);
}

static void test_acts_that_fail(void **state)
{
    static const struct {
        const char *what;
        enum manner manner;
        const char *verb, *argument;
        int status;
        const char *says;
    } cases[] = {
        { "not done", STUBBORN, COMMAND_SHOW, "3", -EBADMSG,
          "show 3 was accepted, and the lamp still says 0" },
        { "not done", STUBBORN, COMMAND_NIGHT, "on", -EBADMSG,
          "night on was accepted, and the lamp still says 0" },
        { "refused", REFUSES, COMMAND_SHOW, "3", -EIO,
          "answers show with result ff, which `ok_results` does not name" },
        { "silent", SILENT, COMMAND_SHOW, "3", -ETIMEDOUT, "no answer in time" },
        { "a reset is asked for once", SILENT, COMMAND_RESET, "", -ETIMEDOUT,
          "does not answer reset" },
        { "a moment later", SLOW_TO_SHOW, COMMAND_SHOW, "3", 0, "" },
    };
    struct fixture *f = *state;

    start_well(f, "");
    for (size_t i = 0; i < LENGTH(cases); i++) {
        print_message("# %s: %s\n", cases[i].verb, cases[i].what);
        f->manner = cases[i].manner;
        assert_int_equal(ask_for(f, cases[i].verb, cases[i].argument, 1500), 0);
        assert_ends(f, cases[i].status, cases[i].says);
        f->manner = ANSWERS;
        assert_true(driver_roof_light.poll_now(f->house.source));
        assert_true(house_until(&f->house, house_is_well, NULL, 10000));
    }
}

static void test_acts_not_taken(void **state)
{
    static const struct {
        const char *verb, *argument;
        int status;
    } cases[] = {
        { COMMAND_SELF_TEST, "", -EOPNOTSUPP }, { COMMAND_BRIGHTNESS, "50", -EOPNOTSUPP },
        { COMMAND_TEXT, "TAXI", -EOPNOTSUPP },  { COMMAND_LOCATE, "", -EOPNOTSUPP },
        { COMMAND_SHOW, "", -EINVAL },          { COMMAND_SHOW, "256", -EINVAL },
        { COMMAND_SHOW, "-1", -EINVAL },        { COMMAND_SHOW, "hired", -EINVAL },
        { COMMAND_NIGHT, "1", -EINVAL },        { COMMAND_RESET, "now", -EINVAL },
    };
    struct fixture *f = *state;
    struct house_act first;

    start_well(f, "");
    for (size_t i = 0; i < LENGTH(cases); i++)
        assert_int_equal(ask_for(f, cases[i].verb, cases[i].argument, 1000), cases[i].status);
    assert_int_equal(house_act(&f->house, &first, "", COMMAND_SHOW, "2", 5000), 0);
    assert_int_equal(ask_for(f, COMMAND_SHOW, "3", 1000), -EBUSY);
    house_expect_done(&f->house, &first);
    f->act.command.unit = "other";
    assert_int_equal(driver_roof_light.command(f->house.source, &f->act.command), -ENOENT);
}

/* The lamp is away for half a second after it: nobody is alarmed, and it is done when it answers.
 */
static void test_reset(void **state)
{
    struct fixture *f = *state;

    start_well(f, "");
    assert_int_equal(ask_for(f, COMMAND_RESET, "", 10000), 0);
    assert_ends(f, 0, "");
    assert_int_equal(f->resets, 1);
    assert_int_equal(f->dead_ticks, 0);
    assert_int_equal(f->house.health.state, SOURCE_WELL);
    assert_int_equal(f->house.health.last_error_at, 0);
}

static void test_acts_without_a_line(void **state)
{
    struct fixture *f = *state;

    start_well(f, "");
    f->manner = SILENT;
    assert_int_equal(ask_for(f, COMMAND_SHOW, "3", 20000), 0);
    house_turn(&f->house, 50);
    pty_pull(&f->pty);
    assert_ends(f, -ENOTCONN, "is gone: plug the adapter in again");
    assert_int_equal(ask_for(f, COMMAND_SHOW, "3", 20000), 0);
    assert_ends(f, -ENOTCONN, "is gone: plug the adapter in again");
}

static void test_act_when_stopped(void **state)
{
    struct fixture *f = *state;

    start_well(f, "");
    f->manner = SILENT;
    assert_int_equal(ask_for(f, COMMAND_SHOW, "3", 20000), 0);
    house_stop(&f->house);
    assert_true(f->act.is_done);
    assert_int_equal(f->act.command.status, -ECANCELED);
}

/* A two-wire adapter hears itself. "show 0" with result 00 is the same frame both ways. */
static void test_adapter_that_echoes(void **state)
{
    struct fixture *f = *state;

    f->echoes = true;
    start_well(f, "");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ask_for(f, COMMAND_SHOW, i == 1 ? "144" : "3", 5000), 0);
        assert_ends(f, 0, "");
        assert_int_equal(f->state.show_state, i == 1 ? 0x90 : 3);
    }
    f->manner = SILENT;
    house_expect_health(&f->house, house_is_down, "the lamp does not answer"); /* its echo is no garbage */
}

/* --- In service */

static size_t count_conditions(struct fixture *f, const char *line)
{
    size_t count = 0;

    for (size_t i = 0; i < f->house.condition_count; i++)
        count += strcmp(f->house.conditions[i], line) == 0;
    return count;
}

static bool has_condition(struct fake_house *house, void *line)
{
    return count_conditions((struct fixture *)house, line) >= 2;
}

static void forget_conditions(struct fixture *f)
{
    for (size_t i = 0; i < f->house.condition_count; i++)
        free(f->house.conditions[i]);
    f->house.condition_count = 0;
}

/* Twice, so that it was handed over since. */
static void await_condition(struct fixture *f, char *line)
{
    forget_conditions(f);
    if (!house_until(&f->house, has_condition, line, 60000))
        fail_msg("never: %s", line);
}

static void test_conditions_in_service(void **state)
{
    char fault[] = "L-0001 led_fault_2a active", other[] = "L-0001 led_fault_01 clear",
         gone[] = "L-0001 led_fault_2a clear", silent[] = "L-0001 no_answer active",
         speaks[] = "L-0001 no_answer clear";
    struct fixture *f = *state;

    start_well(f, "service_device = \"L-0001\";");
    await_condition(f, gone);
    f->state.device_state = 0x2a;
    await_condition(f, fault);
    assert_true(count_conditions(f, other) >= 1);
    assert_true(count_conditions(f, speaks) >= 1);
    f->state.device_state = 0;
    await_condition(f, gone);
    f->manner = SILENT;
    await_condition(f, silent);
    f->manner = ANSWERS;
    assert_true(driver_roof_light.poll_now(f->house.source));
    await_condition(f, speaks);

    /* An adapter that was pulled out says nothing of the lamp. */
    pty_pull(&f->pty);
    house_expect_health(&f->house, house_is_down, "is gone");
    forget_conditions(f);
    house_turn(&f->house, 500);
    assert_int_equal(f->house.condition_count, 0);
}

/* --- Configuration */

static void test_faults(void **state)
{
    static const struct {
        const char *section, *says;
    } cases[] = {
        { "device = \"/dev/x\";", "" },
        { "device = \"/dev/x\"; ok_results = [ 0, 0x90, 255 ]; maker = 255; baud = 115200;", "" },
        { "", "device" },
        { "device = \"ttyUSB0\";", "device" },
        { "device = \"/dev/x\"; baud = 14400;", "baud 14400 is no standard rate" },
        { "device = \"/dev/x\"; baud = 300;", "baud" },
        { "device = \"/dev/x\"; maker = 256;", "maker" },
        { "device = \"/dev/x\"; ok_results = [ 256 ];", "ok_results holds bytes, 0x00 to 0xff" },
        { "device = \"/dev/x\"; ok_results = ( \"90\" );", "ok_results holds bytes" },
        { "device = \"/dev/x\"; ok_results = [ ];", "write [ 0x00, 0x90 ]" },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        char *got = house_faults(&driver_roof_light, cases[i].section);

        if (cases[i].says[0] ? !strstr(got, cases[i].says) : got[0])
            fail_msg("%s: %s", cases[i].section, got);
        free(got);
    }
}

static void test_ok_results(void **state)
{
    struct fixture *f = *state;

    start_well(f, "ok_results = [ 0xff ];");
    f->manner = REFUSES;
    assert_int_equal(ask_for(f, COMMAND_NIGHT, "on", 5000), 0);
    assert_ends(f, 0, "");
    f->manner = ANSWERS;
    assert_int_equal(ask_for(f, COMMAND_NIGHT, "off", 5000), 0);
    assert_ends(f, -EIO, "answers night with result 90");
    assert_string_equal(f->act.command.result, "{\"result\":\"90\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_readings, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_plugged_in, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_pulled_and_put_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_link_set_elsewhere, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_troubles, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_one_answer_lost, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_silence_backs_off, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_shows_every_state, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_acts_that_fail, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_acts_not_taken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reset, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_acts_without_a_line, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_act_when_stopped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_adapter_that_echoes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_conditions_in_service, set_up, tear_down),
        cmocka_unit_test(test_faults),
        cmocka_unit_test_setup_teardown(test_ok_results, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
