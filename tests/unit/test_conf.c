/* A good configuration means what it says; conf.d is merged; digest and differences follow the
 * meaning and not the spelling. */
#include "conf_fixture.h"

#include <glob.h>

#include "base/span.h"

static void test_defaults(void **state)
{
    struct fixture f;
    struct conf *conf;

    (void)state;
    fixture_init(&f);
    conf = fixture_load(&f, ZONE KPIS, "");
    assert_string_equal(conf->database, "/var/lib/kpid/kpid.db");
    assert_string_equal(conf->socket, "/run/kpid/kpid.sock");
    assert_string_equal(conf->socket_group, "kpi");
    assert_string_equal(conf->admin_group, "kpi-admin");
    assert_null(conf->listen);
    assert_null(conf->credentials);
    assert_int_equal(conf->log_level, LOG_LEVEL_INFO);
    assert_int_equal(conf->connections_max, 256);
    assert_int_equal(conf->body_max_bytes, 16 * 1024 * 1024);
    assert_int_equal(conf->wal_warn_bytes, 256 * 1024 * 1024);
    assert_int_equal(conf->rules.grace_ms, 24 * SPAN_HOUR);
    assert_int_equal(conf->rules.restate_horizon_ms, 35 * SPAN_DAY);
    assert_int_equal(conf->rules.penalty_after, 3);
    assert_string_equal(conf->rules.zone.name, "Asia/Shanghai");
    conf_destroy(conf);
    fixture_finish(&f);
}

static void test_kpi(void **state)
{
    static const char text[] =
        ZONE "kpis = ( { id = \"install_success\"; counts = \"install\";\n"
        "  department = \"installation\"; direction = \"at_least\"; rework_window = \"7d\";\n"
        "  min_sample = 3; name = { zh = \"安装成功率\"; en = \"Installation\"; };\n"
        "  targets = ( { from = \"2026-07-01\"; scope = \"site:east\"; value = 0.95; },\n"
        "              { from = \"2026-01-01\"; value = 1; },\n"
        "              { from = \"2026-07-01\"; value = 0.0001; } );\n"
        "  plans = ( { year = 2026; volume = 2400; months = [1,2,3,4,5,6,7,8,9,10,11,0]; } );\n"
        "  sources = [ \"in\" ]; },\n"
        "  { id = \"fault_rate\"; counts = \"device\"; direction = \"at_most\";\n"
        "    confirm_after = \"10min\"; } );\n"
        "sources = ( { name = \"in\"; driver = \"spool\"; directory = \"/tmp/in\"; } );\n";
    struct fixture f;
    struct conf *conf;
    const struct kpi *kpi;

    (void)state;
    fixture_init(&f);
    conf = fixture_load(&f, text, "");
    kpi = &conf->rules.kpis[0];
    assert_string_equal(kpi->name_zh, "安装成功率");
    assert_string_equal(kpi->department, "installation");
    assert_int_equal(kpi->direction, DIRECTION_AT_LEAST);
    assert_int_equal(kpi->rework_window_ms, 7 * SPAN_DAY);
    assert_int_equal(kpi->expire_after_ms, SPAN_NONE);
    assert_int_equal(kpi->min_sample, 3);
    assert_int_equal(kpi->target_count, 3);
    /* By date, then scope, whatever the order in the file. */
    assert_int_equal(kpi->targets[0].from_day, 20454);
    assert_int_equal(kpi->targets[0].value_e4, 10000);
    assert_string_equal(kpi->targets[1].scope, "");
    assert_int_equal(kpi->targets[1].value_e4, 1);
    assert_string_equal(kpi->targets[2].scope, "site:east");
    assert_int_equal(kpi->targets[2].value_e4, 9500);
    assert_int_equal(kpi->plans[0].volume, 2400);
    assert_int_equal(kpi->plans[0].weights[10], 11);
    assert_int_equal(kpi->plans[0].weights[11], 0);
    assert_string_equal(kpi->sources[0], "in");
    kpi = &conf->rules.kpis[1];
    assert_true(kpi->counts_devices);
    assert_int_equal(kpi->direction, DIRECTION_AT_MOST);
    assert_int_equal(kpi->confirm_after_ms, 10 * SPAN_MINUTE);
    assert_int_equal(kpi->min_sample, 1);
    assert_string_equal(kpi->name_en, "fault_rate");    /* falls back to the id */
    conf_destroy(conf);
    fixture_finish(&f);
}

static void test_posts_and_sources(void **state)
{
    static const char text[] =
        ZONE KPIS
        "sources = ( { name = \"in\"; driver = \"spool\"; directory = \"/tmp/in\";\n"
        "              mandatory = false; } );\n"
        "posts = ( { id = \"head\"; scope = \"department:monitoring\";\n"
        "            kpis = ( { id = \"lookup_accuracy\"; weight = 100; } );\n"
        "            holders = ( { name = \"Li\"; user = \"li\"; from = \"2026-01-01\";\n"
        "                          until = \"2026-02-01\"; },\n"
        "                        { name = \"Wang\"; from = \"2026-02-01\"; } ); },\n"
        "          { id = \"director\"; kpis = [ \"lookup_accuracy\" ]; } );\n";
    struct fixture f;
    struct conf *conf;

    (void)state;
    fixture_init(&f);
    conf = fixture_load(&f, text, "");
    assert_int_equal(conf->source_count, 1);
    assert_string_equal(conf->sources[0].name, "in");
    assert_string_equal(conf->sources[0].driver->name, "spool");
    assert_false(conf->sources[0].mandatory);
    assert_true(conf->sources[0].enabled);
    assert_int_equal(conf->rules.post_count, 2);
    assert_string_equal(conf->rules.posts[0].scope, "department:monitoring");
    assert_string_equal(conf->rules.posts[0].kpis[0].id, "lookup_accuracy");
    assert_int_equal(conf->rules.posts[0].kpis[0].weight, 100);
    assert_int_equal(conf->rules.posts[0].holder_count, 2);
    assert_string_equal(conf->rules.posts[0].holders[0].name, "Li");
    assert_string_equal(conf->rules.posts[0].holders[0].user, "li");
    assert_int_equal(conf->rules.posts[0].holders[0].from_day, 20454);
    assert_int_equal(conf->rules.posts[0].holders[0].until_day, 20485);
    assert_int_equal(conf->rules.posts[0].holders[1].until_day, 0);
    assert_int_equal(conf->rules.posts[1].kpis[0].weight, 0);
    assert_string_equal(conf->rules.posts[1].scope, "company");
    assert_string_equal(conf->rules.posts[1].name_zh, "director");
    conf_destroy(conf);
    fixture_finish(&f);
}

/* libconfig 1.5 alone would read -1294967296. */
static void test_large_integers(void **state)
{
    struct fixture f;
    struct conf *conf;

    (void)state;
    fixture_init(&f);
    conf = fixture_load(&f, ZONE KPIS "wal_warn = 3000000000;\n", "");
    assert_int_equal(conf->wal_warn_bytes, 3000000000);
    conf_destroy(conf);
    conf = fixture_load(&f, ZONE KPIS "wal_warn = 0xB2D05E00;\n", "");
    assert_int_equal(conf->wal_warn_bytes, 3000000000);
    conf_destroy(conf);
    conf = fixture_load(&f, ZONE KPIS "wal_warn = 3000000000L;\n", "");
    assert_int_equal(conf->wal_warn_bytes, 3000000000);
    conf_destroy(conf);
    fixture_finish(&f);
}

static void test_merge(void **state)
{
    struct fixture f;
    struct conf *conf;

    (void)state;
    fixture_init(&f);
    fixture_write(&f, "conf.d/20-later.conf",
                  "kpis = ( { id = \"visit\"; counts = \"visit\"; direction = \"at_least\"; } );\n"
                  "log_level = \"debug\";\n");
    fixture_write(&f, "conf.d/10-first.conf", "log_level = \"err\"; connections_max = 9;\n");
    fixture_write(&f, "conf.d/ignored.conf.bak", "nonsense\n");
    fixture_write(&f, "conf.d/.hidden.conf", "nonsense\n");
    conf = fixture_load(&f, ZONE KPIS "connections_max = 8;\n", "");
    assert_int_equal(conf->rules.kpi_count, 2);
    assert_string_equal(conf->rules.kpis[1].id, "visit");
    assert_int_equal(conf->log_level, LOG_LEVEL_DEBUG);
    assert_int_equal(conf->connections_max, 9);
    conf_destroy(conf);
    fixture_finish(&f);
}

static void test_no_conf_d(void **state)
{
    struct fixture f;
    char conf_d[128];

    (void)state;
    fixture_init(&f);
    (void)snprintf(conf_d, sizeof conf_d, "%s/conf.d", f.folder);
    assert_int_equal(rmdir(conf_d), 0);
    conf_destroy(fixture_load(&f, ZONE KPIS, ""));
    fixture_finish(&f);
}

static void test_digest_follows_meaning(void **state)
{
    static const struct {
        const char *what;
        const char *one, *other;
        bool equal;
    } cases[] = {
        { "comments and blanks", ZONE KPIS, "# hello\n\n" ZONE "  " KPIS, true },
        { "a default spelt out", ZONE KPIS, ZONE KPIS "log_level = \"info\";", true },
        { "an hour in other words", ZONE KPIS "week = { grace = \"24h\"; };",
          ZONE KPIS "week = { grace = \"1d\"; };", true },
        { "another span", ZONE KPIS "week = { grace = \"24h\"; };",
          ZONE KPIS "week = { grace = \"25h\"; };", false },
        { "another zone", ZONE KPIS, "timezone = \"Asia/Tokyo\";" KPIS, false },
        { "a byte order mark", ZONE KPIS, "\xef\xbb\xbf" ZONE KPIS, true },
        { "line ends of another system", ZONE KPIS, "timezone = \"Asia/Shanghai\";\r\n" KPIS, true },
    };
    struct fixture f;

    (void)state;
    fixture_init(&f);
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct conf *one = fixture_load(&f, cases[i].one, "");
        struct conf *other = fixture_load(&f, cases[i].other, "");

        print_message("# %s\n", cases[i].what);
        assert_int_equal(strlen(one->digest), 64);
        assert_int_equal(strcmp(one->digest, other->digest) == 0, cases[i].equal);
        assert_int_equal(strcmp(one->canonical, other->canonical) == 0, cases[i].equal);
        conf_destroy(one);
        conf_destroy(other);
    }
    fixture_finish(&f);
}

#define SOURCES(more)                                                                             \
    "sources = ( { name = \"in\"; driver = \"spool\"; directory = \"/tmp/in\"; " more " } );\n"

static void test_changes(void **state)
{
    static const char target[] =
        ZONE "kpis = ( { id = \"lookup_accuracy\"; counts = \"lookup\"; direction = \"at_least\";"
             " targets = ( { from = \"2026-01-01\"; value = 0.9; } ); } );";
    static const char other_target[] =
        ZONE "kpis = ( { id = \"lookup_accuracy\"; counts = \"lookup\"; direction = \"at_least\";"
             " targets = ( { from = \"2026-01-01\"; value = 0.8; },"
             "             { from = \"2026-02-01\"; value = 0.8; } ); } );";
    static const struct {
        const char *what;
        const char *from, *to, *want;
    } cases[] = {
        { "nothing", ZONE KPIS, ZONE KPIS, "" },
        { "a plain setting", ZONE KPIS, ZONE KPIS "log_level = \"debug\";", "log_level\n" },
        { "a target, and one more: one setting", target, other_target,
          "kpis.lookup_accuracy.targets\n" },
        { "a new source: as a whole", ZONE KPIS, ZONE KPIS SOURCES(""), "sources.in\n" },
        { "a source that is gone", ZONE KPIS SOURCES(""), ZONE KPIS, "sources.in\n" },
        { "an option of a source", ZONE KPIS SOURCES(""), ZONE KPIS SOURCES("settle = \"3s\";"),
          "sources.in.settle\n" },
        { "the same key in two places",
          ZONE KPIS SOURCES("timezone = \"Asia/Tokyo\";"),
          "timezone = \"Asia/Tokyo\";" KPIS SOURCES(""), "sources.in.timezone\ntimezone\n" },
        { "a week's setting", ZONE KPIS, ZONE KPIS "week = { penalty_after = 4; };",
          "week.penalty_after\n" },
    };
    struct fixture f;

    (void)state;
    fixture_init(&f);
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct conf *from = fixture_load(&f, cases[i].from, "");
        struct conf *to = fixture_load(&f, cases[i].to, "");
        char *got = conf_changes(from, to);

        print_message("# %s\n", cases[i].what);
        assert_string_equal(got, cases[i].want);
        free(got);
        got = conf_changes(to, from);
        assert_string_equal(got, cases[i].want);
        free(got);
        conf_destroy(from);
        conf_destroy(to);
    }
    fixture_finish(&f);
}

static void test_source_differs(void **state)
{
    static const struct {
        const char *what;
        const char *one, *other;
        bool differs;
    } cases[] = {
        { "the same", "", "", false },
        { "on another line", "", "\n\n", false },
        { "a default spelt out", "", "settle = \"2s\";", false },
        { "an option", "", "settle = \"3s\";", true },
        { "switched off", "", "enabled = false;", true },
        { "not mandatory: no reason to restart", "", "mandatory = false;", false },
        { "the order of a list",
          "when = ( { column = \"a\"; is = [ \"1\" ]; }, { column = \"b\"; is = [ \"1\" ]; } );",
          "when = ( { column = \"b\"; is = [ \"1\" ]; }, { column = \"a\"; is = [ \"1\" ]; } );",
          true },
        { "a mapping", "constants = { type = \"lookup.settled\"; };",
          "constants = { type = \"lookup.opened\"; };", true },
    };
    struct fixture f;

    (void)state;
    fixture_init(&f);
    for (size_t i = 0; i < LENGTH(cases); i++) {
        char *one = mem_printf(ZONE KPIS SOURCES("%s"), cases[i].one);
        char *other = mem_printf(ZONE KPIS SOURCES("%s"), cases[i].other);
        struct conf *a = fixture_load(&f, one, ""), *b = fixture_load(&f, other, "");

        print_message("# %s\n", cases[i].what);
        assert_int_equal(conf_source_differs(&a->sources[0], &b->sources[0]), cases[i].differs);
        conf_destroy(a);
        conf_destroy(b);
        free(one);
        free(other);
    }
    fixture_finish(&f);
}

static void test_changes_from_nothing(void **state)
{
    struct fixture f;
    struct conf *conf;
    char *changes;

    (void)state;
    fixture_init(&f);
    conf = fixture_load(&f, ZONE KPIS, "");
    changes = conf_changes(NULL, conf);
    assert_non_null(strstr(changes, "kpis.lookup_accuracy\n"));
    assert_non_null(strstr(changes, "timezone\n"));
    assert_null(strstr(changes, "lookup_accuracy.counts"));
    free(changes);
    conf_destroy(conf);
    fixture_finish(&f);
}

/* The canonical text, read back, counts like the configuration that it is of. */
static void assert_recorded(const struct conf *conf)
{
    struct faults faults = { 0 };
    struct rules *recorded = conf_recorded_rules(conf->canonical, &faults);
    char *want, *got;

    faults_print(&faults);
    assert_non_null(recorded);
    assert_string_equal(recorded->zone.name, "");
    zone_copy(&recorded->zone, &conf->rules.zone);
    want = rules_counting_text(&conf->rules);
    got = rules_counting_text(recorded);
    assert_string_equal(got, want);
    for (size_t i = 0; i < conf->rules.kpi_count; i++) {
        const struct kpi *kpi = &conf->rules.kpis[i], *is = rules_kpi(recorded, kpi->id);

        assert_string_equal(is->name_zh, kpi->name_zh);
        assert_string_equal(is->name_en, kpi->name_en);
        assert_int_equal(is->direction, kpi->direction);
    }
    free(want);
    free(got);
    rules_destroy(recorded);
}

static void test_what_is_recorded_counts_alike(void **state)
{
    static const char text[] =
        ZONE "kpis = ( { id = \"install_success\"; counts = \"install\"; direction = \"at_least\";\n"
        "  department = \"7 = \\\"7\\\"\\n安装\"; rework_window = \"1d 12h\"; min_sample = 3;\n"
        "  name = { zh = \"0\"; en = \"kpis.x.y = 1\"; }; sources = [ \"in\" ];\n"
        "  targets = ( { from = \"2026-01-01\"; value = 0.95; } );\n"
        "  plans = ( { year = 2026; volume = 2400; } ); },\n"
        "  { id = \"install-2\"; counts = \"visit\"; direction = \"at_most\"; department = \"0\";\n"
        "    expire_after = \"90ms 1s\"; },\n"
        "  { id = \"fault_rate\"; counts = \"device\"; direction = \"at_most\";\n"
        "    confirm_after = \"10min\"; },\n"
        "  { id = \"faults\"; counts = \"device\"; direction = \"at_most\"; } );\n"
        "sources = ( { name = \"in\"; driver = \"spool\"; directory = \"/tmp/in\"; } );\n";
    struct faults faults = { 0 };
    struct fixture f;
    struct conf *conf;

    (void)state;
    fixture_init(&f);
    conf = fixture_load(&f, text, "");
    assert_recorded(conf);
    conf_destroy(conf);
    fixture_finish(&f);
    conf = conf_load("etc/kpid.conf", &faults);
    assert_non_null(conf);
    assert_recorded(conf);
    conf_destroy(conf);
}

/* What this version does not understand is no reason to count otherwise. */
static void test_what_is_recorded_is_not_guessed_at(void **state)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        { "", "without a KPI nothing is counted" },
        { "log_level = \"info\"\n", "without a KPI nothing is counted" },
        { "kpis.x.id = \"x\"\nkpis.x.direction = \"at_least\"\n", "needs counts" },
        { "kpis.x.counts = \"x\"\nkpis.x.direction = \"at_least\"\nkpis.x.id = \"x\"\n"
          "kpis.x.twice = \"1h\"\n", "has no setting \"twice\"" },
        { "kpis.x.counts = \"x\"\nkpis.x.direction = \"sideways\"\nkpis.x.id = \"x\"\n",
          "direction cannot be" },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct faults faults = { 0 };

        assert_null(conf_recorded_rules(cases[i].text, &faults));
        assert_true(faults.count > 0);
        assert_non_null(strstr(faults.items[0].text, cases[i].why));
        faults_finish(&faults);
    }
}

/* The golden cases name a zone and KPIs, and nothing else. */
static void test_golden_cases_load(void **state)
{
    glob_t paths;

    (void)state;
    assert_int_equal(glob("tests/golden/*/kpid.conf", 0, NULL, &paths), 0);
    for (size_t i = 0; i < paths.gl_pathc; i++) {
        struct faults faults = { 0 };
        struct conf *conf = conf_load(paths.gl_pathv[i], &faults);

        print_message("# %s\n", paths.gl_pathv[i]);
        faults_print(&faults);
        assert_non_null(conf);
        assert_true(conf->rules.kpi_count > 0);
        assert_recorded(conf);
        conf_destroy(conf);
        faults_finish(&faults);
    }
    globfree(&paths);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_kpi),
        cmocka_unit_test(test_posts_and_sources),
        cmocka_unit_test(test_large_integers),
        cmocka_unit_test(test_merge),
        cmocka_unit_test(test_no_conf_d),
        cmocka_unit_test(test_digest_follows_meaning),
        cmocka_unit_test(test_changes),
        cmocka_unit_test(test_source_differs),
        cmocka_unit_test(test_changes_from_nothing),
        cmocka_unit_test(test_what_is_recorded_counts_alike),
        cmocka_unit_test(test_what_is_recorded_is_not_guessed_at),
        cmocka_unit_test(test_golden_cases_load),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
