/* The built-in map is what docs/modbus.md says, and a configured one is what was written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "command.h"
#include "config/conf_tree.h"
#include "mb_map.h"
#include "mb_plan.h"

static void test_led(void **state)
{
    static const struct {
        const char *name;
        uint32_t address;
        enum mb_type type;
        const char *measure;
    } rows[] = {
        { "status", 0, MB_U16, "" },        { "faults", 1, MB_U16, "" },
        { "module_faults", 2, MB_U16, "" }, { "pixel_faults", 3, MB_U16, "" },
        { "brightness", 4, MB_U16, "%" },   { "temperature", 5, MB_I16, "°C" },
        { "supply_mv", 6, MB_U16, "mV" },   { "led_ma", 7, MB_U16, "mA" },
        { "show_state", 8, MB_ENUM, "" },   { "firmware", 9, MB_VERSION, "" },
        { "run_s", 10, MB_U32, "s" },       { "serial", 12, MB_STRING, "" },
    };
    const struct mb_plan_rules rules = { MB_NORMAL, MB_MERGED, 8, 125 };
    struct faults faults = { 0 };
    const struct mb_map *led;
    struct mb_maps maps;
    struct mb_plan plan;

    (void)state;
    mb_maps_read(&maps, NULL, 125, &faults);
    assert_int_equal(faults.count, 0);
    led = mb_maps_find(&maps, "led");
    for (size_t i = 0; i < LENGTH(rows); i++) {
        const struct mb_point *p = mb_map_point(led, rows[i].name);

        assert_non_null(p);
        assert_int_equal(p->function, 3);
        assert_int_equal(p->address, rows[i].address);
        assert_int_equal(p->type, rows[i].type);
        assert_string_equal(p->measure, rows[i].measure);
    }
    assert_true(mb_map_point(led, "run_s")->moves_within_ms > 0);
    assert_int_equal(mb_map_point(led, "status.selftest_done")->bit, 3);
    assert_int_equal(mb_map_act(led, COMMAND_SELF_TEST)->check, MB_CHECK_ENDS);
    assert_string_equal(mb_map_act(led, COMMAND_SELF_TEST)->tells->name, "pixel_faults");
    assert_int_equal(mb_map_act(led, COMMAND_TEXT)->check, MB_CHECK_SAME);
    assert_null(mb_map_act(led, COMMAND_NIGHT));

    mb_plan_make(&plan, led, NULL, &rules); /* one request is a full poll */
    assert_int_equal(plan.count, 1);
    assert_int_equal(plan.reads[0].count, 16);
    mb_plan_finish(&plan);
    mb_maps_finish(&maps);
}

static void test_configured(void **state)
{
    static const char text[] =
        "maps = ( { name = \"card\"; points = ( "
        "{ name = \"v\"; function = 4; address = 3; type = \"f32\"; order = \"wswap\"; scale = 0.5; "
        "offset = -2; measure = \"V\"; poll = \"slow\"; age_limit = \"9s\"; moves_within = \"8s\"; "
        "faulty = { code = \"low\"; below = 10.5; above = 15; }; }, "
        "{ name = \"lamp.state\"; address = 9; type = \"enum\"; "
        "values = ( { from = 0; to = \"off\"; }, { from = 2; to = \"闪\"; } ); } ); "
        "acts = ( { verb = \"show\"; address = 12; read_back = \"lamp.state\"; } ); } );";
    struct faults faults = { 0 };
    struct option_tree *tree = conf_tree_parse("test", text, strlen(text), &faults);
    const struct mb_map *card;
    const struct mb_point *v, *lamp;
    struct mb_maps maps;

    (void)state;
    mb_maps_read(&maps, option_tree_get(tree, "maps"), 125, &faults);
    option_tree_destroy(tree); /* nothing is borrowed */
    assert_int_equal(faults.count, 0);
    card = mb_maps_find(&maps, "card");
    assert_int_equal(card->point_count, 2);
    v = mb_map_point(card, "v");
    assert_int_equal(v->function, 4);
    assert_int_equal(mb_point_width(v), 2);
    assert_int_equal(v->order, MB_WSWAP);
    assert_true(v->scale == 0.5 && v->offset == -2);
    assert_int_equal(v->poll, MB_SLOW);
    assert_int_equal(v->age_limit_ms, 9000);
    assert_int_equal(v->moves_within_ms, 8000);
    assert_string_equal(v->faulty.code, "low");
    assert_true(v->faulty.has_below && v->faulty.has_above && !v->faulty.has_equals);
    lamp = mb_map_point(card, "lamp.state");
    assert_int_equal(lamp->name_count, 2);
    assert_string_equal(lamp->names[1].name, "闪");
    assert_ptr_equal(mb_map_act(card, "show")->checks, lamp);
    assert_int_equal(mb_map_act(card, "show")->check, MB_CHECK_EQUALS);
    mb_maps_finish(&maps);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_led),
        cmocka_unit_test(test_configured),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
