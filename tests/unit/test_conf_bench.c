/* The bench's part of a configuration: what it means, and every fault of a bad one. With two
 * drivers of its own: one that tells the names of its units and points, and a gateway. */
#include "conf_fixture.h"

struct toy_config {
    bool unused;
};

static const struct option toy_options[] = {
    { .name = "unused", .type = OPTION_BOOL, .offset = offsetof(struct toy_config, unused) },
    { .name = NULL },
};

/* A bus with two lamps. */
static void toy_names(const void *config, const char *unit,
                      void (*each)(void *arg, const char *name), void *arg)
{
    (void)config;
    if (!unit) {
        each(arg, "lamp1");
        each(arg, "lamp2");
    } else if (strcmp(unit, "lamp1") == 0) {
        each(arg, "supply_mv");
        each(arg, "faults");
    }
}

static const struct driver bus = { .name = "bus", .options = toy_options,
                                   .config_size = sizeof(struct toy_config), .names = toy_names };
static const struct driver gateway = { .name = "jt808", .options = toy_options,
                                       .config_size = sizeof(struct toy_config) };

const struct driver *const driver_registry[] = { &bus, &gateway, NULL };

const struct driver *driver_find(const char *name)
{
    for (size_t i = 0; driver_registry[i]; i++) {
        if (strcmp(driver_registry[i]->name, name) == 0)
            return driver_registry[i];
    }
    return NULL;
}

#define SOURCES                                                                                    \
    "sources = ( { name = \"ledbus\"; driver = \"bus\"; }, { name = \"gps1\"; driver = \"jt808\"; } );\n"
#define GOOD "{ name = \"c\"; of = \"led\"; point = \"supply_mv\"; }"
#define PROFILE "profiles = ( { name = \"p\"; checks = ( " GOOD " ); } );\n"

static void test_what_it_means(void **state)
{
    static const char text[] =
        ZONE KPIS SOURCES
        "bench = { source = \"hall\"; };\n"
        "profiles = ( { name = \"p\"; model = \"LED-3\"; timeout = \"1min\"; checks = (\n"
        "  { name = \"supply\"; of = \"led\"; point = \"supply_mv\"; min = 11; max = 14.5;\n"
        "    hold = \"5s\"; within = \"30s\"; },\n"
        "  { name = \"fix\"; of = \"gps\"; point = \"quality\"; one_of = [ 1, 2 ]; },\n"
        "  { name = \"antenna\"; of = \"gps\"; point = \"antenna\"; equals = \"ok\"; },\n"
        "  { name = \"show\"; of = \"led\"; act = \"show\"; argument = \"3\"; } ); } );\n"
        "slots = ( { name = \"1\"; led = \"ledbus/lamp1\"; gps = \"gps1\"; profile = \"p\";\n"
        "            terminal = \"013912345678\"; } );\n";
    struct fixture f;
    struct faults faults = { 0 };
    struct conf *conf;
    const struct conf_check *c;

    (void)state;
    fixture_init(&f);
    fixture_write(&f, "kpid.conf", text);
    conf = conf_load(f.path, &faults);
    faults_print(&faults);
    assert_non_null(conf);
    assert_string_equal(conf->bench_source, "hall");
    assert_int_equal(conf->profile_count, 1);
    assert_int_equal(conf->profiles[0].timeout_ms, 60000);
    assert_string_equal(conf->profiles[0].model, "LED-3");
    assert_int_equal(conf->profiles[0].check_count, 4);
    c = conf->profiles[0].checks;
    assert_true(c[0].has_min && c[0].has_max && c[0].min > 10.9 && c[0].max < 14.51);
    assert_int_equal(c[0].hold_ms, 5000);
    assert_int_equal(c[0].within_ms, 30000);
    assert_int_equal(c[1].of, BENCH_GPS);
    assert_int_equal(c[1].allowed_count, 2);
    assert_true(c[2].allowed[0].is_text);
    assert_string_equal(c[3].act, "show");
    assert_string_equal(c[3].argument, "3");
    assert_string_equal(conf->slots[0].units[BENCH_LED].source, "ledbus");
    assert_string_equal(conf->slots[0].units[BENCH_LED].unit, "lamp1");
    assert_string_equal(conf->slots[0].units[BENCH_GPS].unit, "");
    assert_string_equal(conf->slots[0].units[BENCH_TERMINAL].source, "gps1");
    assert_string_equal(conf->slots[0].units[BENCH_TERMINAL].unit, "013912345678");
    assert_non_null(strstr(conf->canonical, "slots.1.led = \"ledbus/lamp1\"\n"));
    assert_non_null(strstr(conf->canonical, "profiles.p.checks.000001.one_of.000000 = 1\n"));
    conf_destroy(conf);
    fixture_finish(&f);
}

static void test_without_a_bench(void **state)
{
    struct fixture f;
    struct conf *conf;

    (void)state;
    fixture_init(&f);
    conf = fixture_load(&f, ZONE KPIS, "");
    assert_string_equal(conf->bench_source, "bench");
    assert_int_equal(conf->slot_count, 0);
    assert_int_equal(conf->conditions.faulted_after_ms, 10000);
    conf_destroy(conf);
    fixture_finish(&f);
}

#define CHECKS(text) ZONE KPIS "profiles = ( { name = \"p\"; checks = (\n" text " ); } );\n"
#define SLOTS(text) ZONE KPIS SOURCES PROFILE "slots = (\n" text " );\n"

static void test_faults(void **state)
{
    static const struct {
        const char *what, *text, *faults;
    } cases[] = {
        { "the bench is no group", ZONE KPIS "bench = 3;\n",
          "kpid.conf:3: bench is a list or a group: write ( { ... } ), not 3\n" },
        { "an input of that name", ZONE KPIS "sources = ( { name = \"bench\"; driver = \"bus\"; } );\n",
          "kpid.conf:3: source \"bench\" is one of the inputs already, and the bench's events need "
          "one of their own: write bench = { source = \"...\"; };\n" },
        { "what a profile needs", ZONE KPIS "profiles = (\n{ timout = \"1s\"; } );\n",
          "kpid.conf:4: a profile has no setting \"timout\": did you mean \"timeout\"?\n"
          "kpid.conf:4: a profile needs name: add name = \"...\";\n"
          "kpid.conf:4: a profile needs checks: add checks = ( { ... } );\n" },
        { "a profile without checks, and twice",
          ZONE KPIS "profiles = (\n{ name = \"p\"; checks = ( ); },\n"
                    "{ name = \"p\"; checks = ( " GOOD " ); } );\n",
          "kpid.conf:4: a profile has 1 to 48 checks, not 0\n"
          "kpid.conf:5: profile \"p\" stands at kpid.conf:4 already: give it another name or take "
          "one of the two out\n" },
        { "a check of nothing", CHECKS("{ name = \"c\"; of = \"lamp\"; }"),
          "kpid.conf:4: of cannot be \"lamp\": there is led, gps, terminal\n"
          "kpid.conf:4: a check needs a point to look at, or an act: add point = \"...\";\n" },
        { "an act that is none", CHECKS("{ name = \"c\"; of = \"led\"; act = \"selftest\"; }"),
          "kpid.conf:4: there is no act \"selftest\": did you mean \"self_test\"?\n" },
        { "an argument of no act",
          CHECKS("{ name = \"c\"; of = \"led\"; point = \"p\"; argument = \"3\"; }"),
          "kpid.conf:4: argument belongs to an act: add act = \"show\"; or take it out\n" },
        { "limits that are none",
          CHECKS("{ name = \"c\"; of = \"led\"; point = \"p\"; min = \"3\"; one_of = 3; }"),
          "kpid.conf:4: min is a number: write min = 11000;\n"
          "kpid.conf:4: one_of is a list: write one_of = [ 1, 2, 4 ];\n"
          "kpid.conf:4: write either min and max, or equals, or one_of: one of them says it\n" },
        { "limits that nothing meets",
          CHECKS("{ name = \"c\"; of = \"led\"; point = \"p\"; min = 3; max = 2; hold = \"30s\";\n"
                 "within = \"30s\"; }"),
          "kpid.conf:4: min is above max: no value would be good\n"
          "kpid.conf:4: hold is as long as within: it could never hold in time\n" },
        { "a limit of no point",
          CHECKS("{ name = \"c\"; of = \"led\"; act = \"reset\"; max = 2; }"),
          "kpid.conf:4: a limit needs a point: add point = \"...\";\n" },
        { "two checks of one name, one too late",
          CHECKS(GOOD ",\n{ name = \"c\"; of = \"led\"; point = \"p\"; within = \"10min\"; }"),
          "kpid.conf:5: a second check of that profile is called \"c\": a failed session names its "
          "checks\n"
          "kpid.conf:5: within is longer than the profile's timeout\n" },
        { "sources and profiles that are none",
          SLOTS("{ name = \"1\"; led = \"ledbuss/lamp1\"; profile = \"q\"; }"),
          "kpid.conf:6: there is no profile \"q\": there is p\n"
          "kpid.conf:6: there is no source \"ledbuss\": did you mean \"ledbus\"?\n" },
        { "a unit that is none", SLOTS("{ name = \"1\"; led = \"ledbus/lamp\"; profile = \"p\"; }"),
          "kpid.conf:6: source \"ledbus\" has no unit \"lamp\": did you mean \"lamp1\"?\n" },
        { "no unit at all", SLOTS("{ name = \"1\"; led = \"ledbus\"; profile = \"p\"; }"),
          "kpid.conf:6: source \"ledbus\" has no unit \"\": there is lamp1, lamp2\n" },
        { "a slot of nothing", SLOTS("{ name = \"1\"; profile = \"p\"; }"),
          "kpid.conf:6: a slot needs a device: add led = \"...\"; or gps = \"...\";\n" },
        { "one device in two slots, one slot twice",
          SLOTS("{ name = \"1\"; led = \"ledbus/lamp1\"; profile = \"p\"; },\n"
                "{ name = \"1\"; led = \"ledbus/lamp1\"; profile = \"p\"; }"),
          "kpid.conf:7: led \"ledbus/lamp1\" stands in slot \"1\" already\n"
          "kpid.conf:7: slot \"1\" stands at kpid.conf:6 already: give it another name or take one "
          "of the two out\n" },
        { "a name that is too long",
          SLOTS("{ name = \"a234567890b234567890c2345\"; gps = \"gps1\"; profile = \"p\"; }"),
          "kpid.conf:6: name of a slot has at most 24 bytes\n" },
        { "a point that the unit does not have",
          ZONE KPIS SOURCES "profiles = ( { name = \"p\"; checks = ( { name = \"c\"; of = \"led\"; "
                            "point = \"suply_mv\"; } ); } );\n"
                            "slots = ( { name = \"1\"; led = \"ledbus/lamp1\"; profile = \"p\"; } );\n",
          "kpid.conf:5: check \"c\" looks at point \"suply_mv\", which ledbus/lamp1 does not have: "
          "did you mean \"supply_mv\"?\n" },
        { "a terminal, and no gateway",
          ZONE KPIS "sources = ( { name = \"ledbus\"; driver = \"bus\"; } );\n" PROFILE
                    "slots = ( { name = \"1\"; terminal = \"0139\"; profile = \"p\"; } );\n",
          "kpid.conf:5: terminal \"0139\": no source has driver = \"jt808\": add one, or write "
          "\"SOURCE/0139\"\n" },
        { "a terminal, and two gateways",
          ZONE KPIS "sources = ( { name = \"a\"; driver = \"jt808\"; }, "
                    "{ name = \"b\"; driver = \"jt808\"; } );\n" PROFILE
                    "slots = ( { name = \"1\"; terminal = \"0139\"; profile = \"p\"; } );\n",
          "kpid.conf:5: terminal \"0139\": several sources are gateways; write \"a/0139\"\n" },
        { "conditions", ZONE KPIS "conditions = { faulted_after = 3; gap = \"1ms\"; };\n",
          "kpid.conf:3: faulted_after is a span of time with its unit, in quotes: write \"10s\", "
          "not 3\n"
          "kpid.conf:3: gap must be from 1s to 30d, not \"1ms\"\n" },
    };
    struct fixture f;

    (void)state;
    fixture_init(&f);
    for (size_t i = 0; i < LENGTH(cases); i++) {
        print_message("# %s\n", cases[i].what);
        conf_destroy(fixture_load(&f, cases[i].text, cases[i].faults));
    }
    fixture_finish(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_it_means),
        cmocka_unit_test(test_without_a_bench),
        cmocka_unit_test(test_faults),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
