/* Every fault of a bad configuration at once, each with its place and the mend. */
#include "conf_fixture.h"

struct bad {
    const char *what;
    const char *text;
    const char *faults;
};

static void check(const struct bad *cases, size_t count)
{
    struct fixture f;

    fixture_init(&f);
    for (size_t i = 0; i < count; i++) {
        print_message("# %s\n", cases[i].what);
        conf_destroy(fixture_load(&f, cases[i].text, cases[i].faults));
    }
    fixture_finish(&f);
}

static void test_syntax(void **state)
{
    static const struct bad cases[] = {
        { "a comma too many", ZONE "kpis = ( " KPI ",\n );\n",
          "kpid.conf:2: a comma stands before the closing ')': take it out\n" },
        { "a bracket that is not closed", ZONE "kpis = (\n" KPI "\n",
          "kpid.conf:2: the '(' that stands here is not closed\n" },
        { "a bracket that closes another", ZONE "kpis = (\n{ id = \"x\"; );\n",
          "kpid.conf:3: ')' cannot close the '{' of line 3\n" },
        { "a bracket that closes nothing", ZONE KPIS "}\n", "kpid.conf:3: '}' closes nothing\n" },
        { "a text without end", ZONE KPIS "database = \"/x;\n",
          "kpid.conf:3: the text that begins here has no end: add a \"\n" },
        { "a comment without end", ZONE KPIS "/* hm\n",
          "kpid.conf:3: the comment that begins here has no end: add */\n" },
        { "an include", ZONE KPIS "@include \"/etc/passwd\"\n",
          "kpid.conf:3: @include is not read here: put the file into conf.d/\n" },
        { "a number beyond 64 bits", ZONE KPIS "wal_warn = 99999999999999999999;\n",
          "kpid.conf:3: a number with 20 digits is too large to be meant\n" },
        { "nesting without end", "a=((((((((((((((((((((((((((((((((((\n1\n))))))))))))))))))))))))))))))))));",
          "kpid.conf:1: nested more than 32 deep\n" },
        { "a missing equals sign", ZONE KPIS "database \"/x\";\n",
          "kpid.conf:3: syntax error, here or just before: a setting is written name = value;\n" },
        { "one name twice", ZONE ZONE,
          "kpid.conf:2: duplicate setting name, here or just before: a setting is written name = "
          "value;\n" },
        { "GB 18030 instead of UTF-8", ZONE "# \xb0\xb2\xd7\xb0\n",
          "kpid.conf:2: not UTF-8: save the file as UTF-8\n" },
        { "brackets in texts and comments are none", ZONE KPIS "# ({[\n// ({[\n/* ({[ */\n"
          "listen = \"((\\\"[\";\n",
          "kpid.conf:6: listen \"((\"[\" is no address with a port: write \"127.0.0.1:8808\"\n" },
    };

    (void)state;
    check(cases, LENGTH(cases));
}

static void test_settings(void **state)
{
    static const struct bad cases[] = {
        { "an empty file", "",
          "kpid.conf:0: kpid.conf needs timezone: add timezone = \"...\";\n"
          "kpid.conf:0: kpid.conf needs kpis: add kpis = ( { ... } );\n" },
        { "unknown settings, one near, one not",
          ZONE KPIS "conections_max = 9;\nfrobnicate = 1;\n",
          "kpid.conf:3: kpid.conf has no setting \"conections_max\": did you mean "
          "\"connections_max\"?\n"
          "kpid.conf:4: kpid.conf has no setting \"frobnicate\": there is timezone, kpis, posts, "
          "sources, conditions, lookup, bench, profiles, slots, week, database, socket, socket_group, admin_group, listen, "
          "listen_token_file, credentials, log_level, connections_max, body_max, wal_warn\n" },
        { "an unknown zone", "timezone = \"Asia/Shangai\";\n" KPIS,
          "kpid.conf:1: there is no time zone \"Asia/Shangai\": did you mean \"Asia/Shanghai\"?\n" },
        { "the capital's zone", "timezone = \"Asia/Beijing\";\n" KPIS,
          "kpid.conf:1: there is no time zone \"Asia/Beijing\": did you mean "
          "\"Asia/Shanghai\"?\n" },
        { "a zone that is nowhere near one", "timezone = \"here\";\n" KPIS,
          "kpid.conf:1: there is no time zone \"here\": write an IANA name such as "
          "\"Asia/Shanghai\"\n" },
        { "wrong types, each with its mend",
          ZONE KPIS "database = 5;\nlog_level = 3;\nconnections_max = \"9\";\nweek = 7;\n"
               "body_max = 1.5;\n",
          "kpid.conf:3: database is an absolute path in quotes: write \"/var/lib/kpid/kpid.db\", "
          "not 5\n"
          "kpid.conf:4: log_level is a word in quotes: write \"err\", not 3\n"
          "kpid.conf:5: connections_max is a whole number: write 9, not \"9\"\n"
          "kpid.conf:6: week is a list or a group: write ( { ... } ), not 7\n"
          "kpid.conf:7: body_max is a whole number: write 16777216, not 1.5\n" },
        { "out of range",
          ZONE KPIS "connections_max = 0;\nwal_warn = -1;\nweek = { grace = \"31d\"; "
               "penalty_after = 0; };\n",
          "kpid.conf:3: connections_max must be from 8 to 10000, not 0\n"
          "kpid.conf:4: wal_warn must be from 1048576 to 4294967295, not -1\n"
          "kpid.conf:5: grace must be from 0 to 30d, not \"31d\"\n"
          "kpid.conf:5: penalty_after must be from 1 to 52, not 0\n" },
        { "a week that is a list", ZONE KPIS "week = ( );\n",
          "kpid.conf:3: week is a group: write week = { ... };\n" },
        { "spans without a unit", ZONE KPIS "week = {\ngrace = 24;\nrestate_horizon = \"35\"; };\n",
          "kpid.conf:4: grace is a span of time with its unit, in quotes: write \"24h\", not 24\n"
          "kpid.conf:5: restate_horizon \"35\" is no span of time: write \"90s\", \"10min\", "
          "\"1h 30min\" or \"7d\"\n" },
        { "a choice, nearly", ZONE KPIS "log_level = \"warn\";\nsocket = \"kpid.sock\";\n",
          "kpid.conf:3: log_level cannot be \"warn\": there is err, warning, notice, info, debug\n"
          "kpid.conf:4: socket must be an absolute path, which begins with \"/\", not "
          "\"kpid.sock\"\n" },
        { "an open door", ZONE KPIS "listen = \"0.0.0.0:8808\";\n",
          "kpid.conf:3: listen \"0.0.0.0:8808\" can be reached from outside: add "
          "listen_token_file = \"/...\"; or write \"127.0.0.1:8808\"\n" },
        { "a name that only looks like loopback", ZONE KPIS "listen = \"127.example.com:80\";\n",
          "kpid.conf:3: listen \"127.example.com:80\" can be reached from outside: add "
          "listen_token_file = \"/...\"; or write \"127.0.0.1:80\"\n" },
        { "no port", ZONE KPIS "listen = \"127.0.0.1\";\n",
          "kpid.conf:3: listen \"127.0.0.1\" is no address with a port: write "
          "\"127.0.0.1:8808\"\n" },
        { "a port too large", ZONE KPIS "listen = \"127.0.0.1:65536\";\n",
          "kpid.conf:3: listen \"127.0.0.1:65536\" is no address with a port: write "
          "\"127.0.0.1:8808\"\n" },
    };

    (void)state;
    check(cases, LENGTH(cases));
}

#define ONE_KPI(more) ZONE "kpis = ( { id = \"k\"; counts = \"install\"; direction = \"at_least\";\n" more " } );\n"
#define TARGETS(values) ONE_KPI("targets = (\n" values " );")

static void test_kpis(void **state)
{
    static const struct bad cases[] = {
        { "everything is missing", ZONE "kpis = (\n{ } );\n",
          "kpid.conf:3: a KPI needs id: add id = \"...\";\n"
          "kpid.conf:3: a KPI needs counts: add counts = \"...\";\n"
          "kpid.conf:3: a KPI needs direction: add direction = \"at_least\";\n" },
        { "no KPI at all", ZONE "kpis = ( );\n",
          "kpid.conf:2: kpis is empty: without a KPI nothing is counted\n" },
        { "a group instead of a list", ZONE "kpis = { };\n",
          "kpid.conf:2: kpis is a list of groups: write kpis = ( { ... }, { ... } );\n" },
        { "something else in the list", ZONE "kpis = ( " KPI ",\n \"x\" );\n",
          "kpid.conf:3: a KPI is a group: write { ... }, not \"x\"\n" },
        { "names that are none", ZONE "kpis = ( { id = \"Install success\";\n counts = \"1st\";\n"
          " direction = \"atleast\"; } );\n",
          "kpid.conf:2: id \"Install success\": write a-z, 0-9, _ and -, beginning with a letter\n"
          "kpid.conf:3: counts \"1st\": write a-z, 0-9, _ and -, beginning with a letter\n"
          "kpid.conf:4: direction cannot be \"atleast\": did you mean \"at_least\"?\n" },
        { "the daemon's own kind", ZONE "kpis = ( { id = \"k\"; counts = \"source\"; direction = "
          "\"at_least\"; } );\n",
          "kpid.conf:2: counts \"source\": events of that name are the daemon's own\n" },
        { "one id twice", ZONE "kpis = ( " KPI ",\n { id = \"lookup_accuracy\"; counts = \"visit\";"
          " direction = \"at_least\"; } );\n",
          "kpid.conf:3: KPI \"lookup_accuracy\" stands at kpid.conf:2 already: give it another "
          "name or take one of the two out\n" },
        { "one kind twice", ZONE "kpis = ( " KPI ",\n { id = \"other\"; counts = \"lookup\";"
          " direction = \"at_least\"; } );\n",
          "kpid.conf:3: \"lookup\" is counted by lookup_accuracy at kpid.conf:2 already: a kind "
          "of ticket belongs to one KPI\n" },
        { "windows where they mean nothing",
          ZONE "kpis = ( { id = \"a\"; counts = \"lookup\"; direction = \"at_least\";\n"
               "rework_window = \"7d\";\nconfirm_after = \"1min\"; },\n"
               "{ id = \"b\"; counts = \"device\"; direction = \"at_most\";\n"
               "expire_after = \"1min\";\nplans = ( ); } );\n",
          "kpid.conf:3: rework_window belongs to install and repair: take it out of a KPI that "
          "counts \"lookup\"\n"
          "kpid.conf:4: confirm_after belongs to devices (counts = \"device\"): take it out of a "
          "KPI that counts \"lookup\"\n"
          "kpid.conf:6: expire_after belongs to tickets, not to devices: take it out of a KPI "
          "that counts \"device\"\n"
          "kpid.conf:7: plans belongs to tickets, not to devices: take it out of a KPI that "
          "counts \"device\"\n" },
        { "numbers out of range", ONE_KPI("min_sample = 0;\nrework_window = \"0\";"),
          "kpid.conf:3: min_sample must be from 1 to 1000000, not 0\n"
          "kpid.conf:4: rework_window must be from 1s to 366d, not \"0\"\n" },
        { "a name that is a text", ONE_KPI("name = \"x\";"),
          "kpid.conf:3: name is a list or a group: write ( { ... } ), not \"x\"\n" },
        { "a language that is none", ONE_KPI("name = { de = \"x\"; };"),
          "kpid.conf:3: a name has no setting \"de\": there is zh, en\n" },
        { "sources that are none", ONE_KPI("sources = [ \"workorder\", \"bench\" ];")
          "sources = ( { name = \"workorders\"; driver = \"spool\"; directory = \"/x\"; } );\n",
          "kpid.conf:3: there is no source \"workorder\": did you mean \"workorders\"?\n"
          "kpid.conf:3: there is no source \"bench\": there is workorders\n" },
        { "a source twice", ONE_KPI("sources = [ \"in\", \"in\" ];")
          "sources = ( { name = \"in\"; driver = \"spool\"; directory = \"/x\"; } );\n",
          "kpid.conf:3: source \"in\" is named twice\n" },
    };

    (void)state;
    check(cases, LENGTH(cases));
}

static void test_targets(void **state)
{
    static const struct bad cases[] = {
        { "per cent in every spelling",
          TARGETS("{ from = \"2026-01-01\"; value = \"98%\"; },\n"
                  "{ from = \"2026-01-02\"; value = 98; },\n"
                  "{ from = \"2026-01-03\"; value = 97.5; },\n"
                  "{ from = \"2026-01-04\"; value = \"0.97\"; },\n"
                  "{ from = \"2026-01-05\"; value = \"high\"; },\n"
                  "{ from = \"2026-01-06\"; value = true; },\n"
                  "{ from = \"2026-01-07\"; value = -1; }"),
          "kpid.conf:4: value is a fraction: write 0.98, not \"98%\"\n"
          "kpid.conf:5: value is a fraction: write 0.98, not 98\n"
          "kpid.conf:6: value is a fraction: write 0.975, not 97.5\n"
          "kpid.conf:7: value is a fraction: write 0.97, not \"0.97\"\n"
          "kpid.conf:8: value is a fraction: write 0.98, not \"high\"\n"
          "kpid.conf:9: value is a fraction: write 0.98, not true\n"
          "kpid.conf:10: value is a fraction: write 0.98, not -1\n" },
        { "five decimals", TARGETS("{ from = \"2026-01-01\"; value = 0.98765; }"),
          "kpid.conf:4: value has at most four decimals: write 0.9877, not 0.98765\n" },
        { "dates that are none",
          TARGETS("{ from = \"2026-02-30\"; value = 1; },\n{ from = \"1.1.2026\"; value = 1; },\n"
                  "{ from = 2026; value = 1; }"),
          "kpid.conf:4: from \"2026-02-30\" is no date: write \"2026-01-31\"\n"
          "kpid.conf:5: from \"1.1.2026\" is no date: write \"2026-01-31\"\n"
          "kpid.conf:6: from is a date in quotes: write \"2026-01-01\", not 2026\n" },
        { "what is missing", TARGETS("{ scope = \"company\"; }"),
          "kpid.conf:4: a target needs from: add from = \"2026-01-01\";\n"
          "kpid.conf:4: a target needs value: add value = 0.98;\n" },
        { "the same date and scope",
          TARGETS("{ from = \"2026-01-01\"; value = 1; },\n{ from = \"2026-01-01\"; value = 1; },\n"
                  "{ from = \"2026-01-01\"; scope = \"site:a\"; value = 1; },\n"
                  "{ from = \"2026-01-01\"; scope = \"site:a\"; value = 0.5; }"),
          "kpid.conf:5: a second target of k from that date for all\n"
          "kpid.conf:7: a second target of k from that date for \"site:a\"\n" },
        { "a scope that is none", TARGETS("{ from = \"2026-01-01\"; scope = \"east\"; value = 1; }"),
          "kpid.conf:4: there is no scope \"east\": write \"company\", \"site:X\", "
          "\"department:X\", \"staff:X\" or \"model:X\"\n" },
        { "staff of devices",
          ZONE "kpis = ( { id = \"k\"; counts = \"device\"; direction = \"at_most\"; targets = (\n"
               "{ from = \"2026-01-01\"; scope = \"staff:li\"; value = 1; } ); } );\n",
          "kpid.conf:3: a KPI that counts devices has no scope \"staff:...\"\n" },
        { "plans of eleven months, of nothing, of one year twice",
          ONE_KPI("plans = (\n{ year = 2026; volume = 1; months = [1,1,1,1,1,1,1,1,1,1,1]; },\n"
                  "{ year = 2027; volume = 1; months = [0,0,0,0,0,0,0,0,0,0,0,0]; },\n"
                  "{ year = 2028; volume = 1; },\n{ year = 2028; volume = 1; },\n"
                  "{ year = 2029; volume = -1; months = (\"a\",1,1,1,1,1,1,1,1,1,1,1.5); } );"),
          "kpid.conf:4: months has 11 weights: write twelve, January first\n"
          "kpid.conf:5: months has no weight above 0\n"
          "kpid.conf:7: a second plan of k for 2028\n"
          "kpid.conf:8: volume must be from 0 to 4294967295, not -1\n"
          "kpid.conf:8: a month's weight is a whole number: write 1, not \"a\"\n"
          "kpid.conf:8: a month's weight is a whole number: write 1, not 1.5\n" },
    };

    (void)state;
    check(cases, LENGTH(cases));
}

static void test_sources_and_posts(void **state)
{
    static const struct bad cases[] = {
        { "an unknown driver is the only fault of its section",
          ZONE KPIS "sources = ( { name = \"in\"; driver = \"spol\"; dirctory = \"/x\"; } );\n",
          "kpid.conf:3: there is no driver \"spol\": did you mean \"spool\"?\n" },
        { "an unknown option of a driver, and one that is missing",
          ZONE KPIS "sources = (\n{ name = \"in\"; driver = \"spool\"; dirctory = \"/x\"; } );\n",
          "kpid.conf:4: a source has no setting \"dirctory\": did you mean \"directory\"?\n"
          "kpid.conf:4: a source needs directory: add directory = \"/...\";\n" },
        { "names", ZONE KPIS "sources = (\n{ name = \"In\"; driver = \"spool\"; directory = \"/x\"; },\n"
          "{ name = \"kpid\"; driver = \"spool\"; directory = \"/x\"; },\n"
          "{ name = \"a\"; driver = \"spool\"; directory = \"/x\"; },\n"
          "{ name = \"a\"; driver = \"spool\"; directory = \"/y\"; } );\n",
          "kpid.conf:4: name \"In\": write 1 to 32 of a-z, 0-9, _ and -, beginning with a letter "
          "or digit\n"
          "kpid.conf:5: name \"kpid\" is the daemon's own: call the source otherwise\n"
          "kpid.conf:7: source \"a\" stands at kpid.conf:6 already: give it another name or take "
          "one of the two out\n" },
        { "quotes too many, quotes too few, a text for a list of one",
          ZONE "kpis = ( " KPI ",\n{ id = 5; counts = \"visit\"; direction = \"at_least\";\n"
               "sources = \"a\"; } );\n"
               "sources = (\n{ name = \"a\"; driver = \"spool\"; directory = \"/x\";\n"
               "enabled = \"false\"; id = true; } );\n",
          "kpid.conf:3: id is text in quotes: write \"5\", not 5\n"
          "kpid.conf:4: sources is a list of texts: write [ \"a\" ], not \"a\"\n"
          "kpid.conf:7: enabled is true or false: write false, not \"false\"\n"
          "kpid.conf:7: id is text in quotes: write \"true\", not true\n" },
        { "a switch in words", ZONE KPIS "sources = (\n{ name = \"a\"; driver = \"spool\";\n"
          "directory = \"/x\"; enabled = \"yes\"; } );\n",
          "kpid.conf:5: enabled is true or false: write true, not \"yes\"\n" },
        { "posts", ZONE KPIS "posts = (\n{ id = \"a\"; kpis = [ \"lookup_accuracy\",\n"
          "\"lookup_acuracy\" ]; },\n"
          "{ id = \"a\"; scope = \"branch:x\"; kpis = [ ]; },\n"
          "{ name = { }; },\n"
          "{ id = \"b\"; kpis = ( { id = \"lookup_accuracy\"; weight = 50; } );\n"
          "holders = ( { name = \"Li\"; from = \"2026-02-01\"; until = \"2026-01-01\"; } ); } );\n",
          "kpid.conf:5: there is no KPI \"lookup_acuracy\": did you mean \"lookup_accuracy\"?\n"
          "kpid.conf:6: there is no scope \"branch:x\": write \"company\", \"site:X\", "
          "\"department:X\", \"staff:X\" or \"model:X\"\n"
          "kpid.conf:6: kpis of a post is empty: name at least one KPI\n"
          "kpid.conf:6: post \"a\" stands at kpid.conf:4 already: give it another name or take "
          "one of the two out\n"
          "kpid.conf:7: a post needs id: add id = \"...\";\n"
          "kpid.conf:7: a post needs kpis: add kpis = ( { ... } );\n"
          "kpid.conf:8: the weights of a post sum up to 100, not to 50\n"
          "kpid.conf:9: until must come after from: it is the first day no longer in the post\n" },
    };

    (void)state;
    check(cases, LENGTH(cases));
}

static void test_across_files(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    fixture_write(&f, "conf.d/a.conf", "\nkpis = ( " KPI " );\nlog_levl = \"err\";\n");
    fixture_load(&f, ZONE KPIS "databse = \"/x\";\n",
                 "kpid.conf:3: kpid.conf has no setting \"databse\": did you mean \"database\"?\n"
                 "conf.d/a.conf:2: KPI \"lookup_accuracy\" stands at kpid.conf:2 already: give it "
                 "another name or take one of the two out\n"
                 "conf.d/a.conf:3: kpid.conf has no setting \"log_levl\": did you mean "
                 "\"log_level\"?\n");
    /* The syntax of every file is said before the meaning of any. */
    fixture_write(&f, "conf.d/b.conf", "(\n");
    fixture_load(&f, ZONE "kpis = ( ;\n",
                 "kpid.conf:2: the '(' that stands here is not closed\n"
                 "conf.d/b.conf:1: the '(' that stands here is not closed\n");
    fixture_finish(&f);
}

static void test_no_file(void **state)
{
    struct fixture f;
    struct faults faults = { 0 };
    char *got;

    (void)state;
    fixture_init(&f);
    assert_null(conf_load(f.path, &faults));
    got = fixture_faults(&f, &faults);
    assert_string_equal(got, "kpid.conf:0: cannot be opened: No such file or directory\n");
    free(got);
    faults_finish(&faults);
    fixture_finish(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_syntax),
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_kpis),
        cmocka_unit_test(test_targets),
        cmocka_unit_test(test_sources_and_posts),
        cmocka_unit_test(test_across_files),
        cmocka_unit_test(test_no_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
