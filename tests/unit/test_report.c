/* The weekly report: weeks and their days, what is read from a ledger, and the texts that come of
 * it. The ledger is made from schema/ and filled by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/mem.h"
#include "tools/kpi-report/output.h"
#include "tools/kpi-report/report.h"

/* 2026-W47 begins on 2026-11-16 at 00:00 in Shanghai. */
#define W47_BEGIN "1794758400000"
#define W47_END "1795363200000"
#define AS_OF INT64_C(1795449605000)        /* 2026-11-24 00:00:05 +08:00 */

static const char kpis[] =
    "INSERT INTO house (one, as_of, position, last_at, counting, valuing)"
    " VALUES (1, 1795449605000, 12, 0, '', '');"
    "INSERT INTO kpi (kpi, place, counts, direction, department, name_zh, name_en) VALUES"
    " ('install_success', 0, 'install', 'at_least', 'installation', '安装成功率', 'Installs'),"
    " ('fault_rate', 1, 'device', 'at_most', 'technical', '总体故障率', 'Faults');"
    "INSERT INTO week_rule VALUES (1, 'Asia/Shanghai', 86400000, 3024000000, 3, NULL, '');"
    "INSERT INTO calendar (kind, period, begin_at, end_at, first_day, previous) VALUES"
    " (1, '2026-W46', " W47_BEGIN " - 604800000, " W47_BEGIN ", 20766, '2026-W45'),"
    " (1, '2026-W47', " W47_BEGIN ", " W47_END ", 20773, '2026-W46');";

/* What the meeting has beside the figures. */
static const char meeting[] =
    "INSERT INTO fact SELECT kpi, '2026-W46', scope, kind, begin_at - 604800000,"
    " end_at - 604800000, 1, 5, 0, 0, 200000, 100000, 300000, target_e4, direction, 'missed', 4"
    " FROM fact WHERE scope = 'department:installation';"
    "INSERT INTO seal (n, kind, period, revision, at, by, why, position, events_digest,"
    " config_digest, facts, facts_digest, moved, moved_digest, coverage, quarantine, content,"
    " previous, digest) VALUES (1, 'noted', '2026-W47', 0, 1795449605000, 'li', 'rain <br>', 0, '',"
    " '', 0, '', 0, '', '', '', 'install_success installation', '', '');"
    "INSERT INTO plan_part VALUES ('install_success', 1, " W47_BEGIN ", " W47_END ", '2026-W47',"
    " 200), ('install_success', 0, " W47_BEGIN ", " W47_BEGIN " + 86400000, '2026-11-16', 200);"
    "INSERT INTO post VALUES ('head', 0, '安装部长', 'Head', 'department:installation');"
    "INSERT INTO post_kpi VALUES ('head', 0, 'install_success', 100);"
    "INSERT INTO holder VALUES ('head', 0, '李明', NULL, 0, NULL);"
    "INSERT INTO quarantine (n, via, line, received_at, last_at, times, reason, raw, digest) VALUES"
    " (7, 'feed', 1, " W47_END ", " W47_END ", 1, 'kind: unknown',"
    "  CAST('{\"at\":\"2026-11-17T10:00:00Z\"}' AS BLOB), x'00');";

static const char facts[] =
    "INSERT INTO fact (kpi, period, scope, kind, begin_at, end_at, numerator, denominator,"
    " excluded, pending, rate_e6, low_e6, high_e6, target_e4, direction, verdict, shortfall)"
    " VALUES"
    " ('install_success', '2026-W47', 'company', 1, " W47_BEGIN ", " W47_END ", 195, 200, 2, 3,"
    "  975000, 942835, 989313, 9800, 'at_least', 'missed', 1),"
    " ('install_success', '2026-W47', 'department:installation', 1, " W47_BEGIN ", " W47_END ","
    "  195, 200, 2, 3, 975000, 942835, 989313, 9800, 'at_least', 'missed', 1),"
    " ('install_success', '2026-W47', 'site:城西, \"2\"', 1, " W47_BEGIN ", " W47_END ", 3, 3, 0,"
    "  0, 1000000, 438503, 1000000, NULL, 'at_least', 'no_target', 0),"
    " ('install_success', '2026-W47', 'staff:=1', 1, " W47_BEGIN ", " W47_END ", 0, 0, 0, 1,"
    "  NULL, NULL, NULL, 9800, 'at_least', 'no_data', 0),"
    " ('gone', '2026-W47', 'department:technical', 1, " W47_BEGIN ", " W47_END ", 5, 100, 0, 0,"
    "  50000, 21500, 111750, 300, 'at_most', 'missed', 2);"
    "INSERT INTO gap (kpi, begin_at, end_at) VALUES ('install_success', 1794800000000,"
    " 1794860480000);";

struct fixture {
    char folder[64], database[96];
};

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "r");
    struct text_buffer text = { 0 };
    char bytes[4096];
    size_t length;

    assert_non_null(file);
    text_buffer_adds(&text, "");
    while ((length = fread(bytes, 1, sizeof bytes, file)) > 0)
        text_buffer_add(&text, bytes, length);
    fclose(file);
    return text_buffer_take(&text);
}

static void execute(const char *database, const char *sql)
{
    sqlite3 *db;
    char *why = NULL;

    assert_int_equal(sqlite3_open(database, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s", why);
    sqlite3_close(db);
}

static int set_up(void **state)
{
    static const char *const files[] = { "schema/001_ledger.sql", "schema/002_weeks.sql",
                                         "schema/003_narrow_ticket.sql", "schema/004_seals.sql",
                                         "schema/appraisal_views.sql" };
    struct fixture *fixture = mem_zalloc(sizeof *fixture);

    text_set(fixture->folder, sizeof fixture->folder, "/tmp/kpi-report-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    snprintf(fixture->database, sizeof fixture->database, "%s/k?1.db", fixture->folder);
    for (size_t i = 0; i < LENGTH(files); i++) {
        char *sql = read_file(files[i]);

        execute(fixture->database, sql);
        free(sql);
    }
    execute(fixture->database, kpis);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    unlink(fixture->database);
    assert_int_equal(rmdir(fixture->folder), 0);    /* nothing was left behind */
    free(fixture);
    return 0;
}

static void test_weeks(void **state)
{
    static const struct {
        const char *week;
        int32_t monday;     /* -1: there is none */
    } cases[] = {
        { "1970-W02", 4 }, { "2026-W47", 20773 }, { "2026-W53", 20815 }, { "2026-W01", 20451 },
        { "2025-W53", -1 }, { "2026-W00", -1 }, { "2026-W54", -1 }, { "2026-47", -1 },
        { "2026-W7", -1 }, { "2026-W471", -1 }, { "", -1 }, { "next", -1 }, { "1970-W01", -1 },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        char again[WEEK_SIZE];
        int32_t monday = -1;

        print_message("# %s\n", cases[i].week);
        assert_int_equal(week_monday(cases[i].week, &monday), cases[i].monday >= 0);
        assert_int_equal(monday, cases[i].monday);
        for (int32_t day = monday; monday >= 0 && day < monday + 7; day++) {
            week_of_day(day, again);
            assert_string_equal(again, cases[i].week);
        }
    }
}

static void test_language(void **state)
{
    enum language language;

    (void)state;
    assert_true(language_parse("zh_CN.UTF-8", &language) && language == LANGUAGE_ZH);
    assert_true(language_parse("en", &language) && language == LANGUAGE_EN);
    assert_false(language_parse("english", &language));
    assert_false(language_parse("de", &language));
    for (int w = 0; w < WORDS; w++)
        for (int l = 0; l < LANGUAGES; l++)
            assert_true(word_of((enum language)l, (enum word)w)[0] != '\0');
}

/* The last ended week is that of the configured zone, which the ledger shows in its periods. */
static void test_default_week(void **state)
{
    static const struct {
        const char *what;
        int64_t now;
        const char *want;
    } cases[] = {
        { "a moment before Monday in Shanghai", INT64_C(1795363199999), "2026-W46" },
        { "Monday 00:00 in Shanghai, still Sunday in UTC", INT64_C(1795363200000), "2026-W47" },
        { "the Sunday after", INT64_C(1795967999999), "2026-W47" },
    };
    struct fixture *fixture = *state;

    execute(fixture->database, facts);
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct clock_manual clock;
        struct week_data data;
        struct err err;

        print_message("# %s\n", cases[i].what);
        clock_manual_init(&clock, cases[i].now);
        assert_int_equal(week_data_read(&data, fixture->database, NULL, &clock.clock, &err), 0);
        assert_string_equal(data.week, cases[i].want);
        week_data_finish(&data);
    }
}

typedef void write_report(const struct week_data *data, const struct report_options *options,
                          struct text_buffer *to);

static void assert_report(const struct fixture *fixture, write_report *write,
                          struct report_options options, const char *want)
{
    struct text_buffer got = { 0 };
    struct week_data data;
    struct err err = { 0 };

    if (week_data_read(&data, fixture->database, "2026-W47", &clock_system, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(data.as_of, AS_OF);
    write(&data, &options, &got);
    assert_string_equal(got.bytes, want);
    text_buffer_finish(&got);
    week_data_finish(&data);
}

static void test_text_english(void **state)
{
    struct fixture *fixture = *state;

    execute(fixture->database, facts);
    assert_report(fixture, report_as_text, (struct report_options){ .language = LANGUAGE_EN },
        "Weekly KPI report  2026-W47 (2026-11-16 – 2026-11-22)\n"
        "figures as of 2026-11-24 00:00:05 +08:00 · ended, not yet sealed\n"
        "\n"
        "Company\n"
        "-------\n"
        "KPI          rate      n/d    95 % bounds     target  verdict  shortfall  streak  pending"
        "  excluded  watched  gaps\n"
        "Installs  97.50 %  195/200  94.28 – 98.93  ≥ 98.00 %  missed           1       1        3"
        "         2  90.00 %     1\n"
        "Faults          –      0/0              –          –  no data\n"
        "\n"
        "Department installation\n"
        "-----------------------\n"
        "KPI          rate      n/d    95 % bounds     target  verdict  shortfall  streak"
        "  explanation  pending  excluded  watched  gaps\n"
        "Installs  97.50 %  195/200  94.28 – 98.93  ≥ 98.00 %  missed           1       1"
        "  due                3         2  90.00 %     1\n"
        "\n"
        "Department technical\n"
        "--------------------\n"
        "KPI       rate    n/d   95 % bounds    target  verdict  shortfall  streak  explanation\n"
        "Faults       –    0/0             –         –  no data\n"
        "gone    5.00 %  5/100  2.15 – 11.18  ≤ 3.00 %  missed           2       1  due\n"
        "\n"
        "To be made up next week\n"
        "-----------------------\n"
        "installation  Installs  too few by 1\n"
        "technical     gone      too many by 2\n"
        "\n"
        "Explanations\n"
        "------------\n"
        "Department    KPI       explanation  by  when\n"
        "installation  Installs  due\n"
        "technical     gone      due\n"
        "\n"
        "By site\n"
        "-------\n"
        "KPI       site           rate  n/d     95 % bounds  target  verdict    watched  gaps\n"
        "Installs  城西, \"2\"  100.00 %  3/3  43.85 – 100.00       –  no target  90.00 %     1\n"
        "\n"
        "By staff\n"
        "--------\n"
        "KPI       staff  rate  n/d  95 % bounds     target  verdict  pending  watched  gaps\n"
        "Installs  =1        –  0/0            –  ≥ 98.00 %  no data        1  90.00 %     1\n");
}

static void test_text_chinese_without_data(void **state)
{
    assert_report(*state, report_as_text, (struct report_options){ .language = LANGUAGE_ZH },
        "运营指标周报  2026-W47 (2026-11-16 – 2026-11-22)\n"
        "数据截至 2026-11-23 16:00:05 +00:00 · 已结束，待封存\n"
        "本周没有任何统计数据。\n");
}

/* Everything that the meeting has beside its figures, in one page. */
static void test_meeting(void **state)
{
    static const char *const wants[] = {
        "  ≥ 98.00 %  missed           1           4       2  given  ",
        "installation  Installs  rain <br>    li  2026-11-24 00:00\n",
        "Installs  2026-W47  too few by 5      200     200   195\n",
        "Head  李明     Installs   100 %  97.50 %   99.49 %   99.49 %\n",
        "7    feed  kind: unknown\n",
    };
    struct fixture *fixture = *state;
    struct report_options options = { .language = LANGUAGE_EN };
    struct text_buffer got = { 0 };
    struct week_data data;
    struct err err = { 0 };

    execute(fixture->database, facts);
    execute(fixture->database, meeting);
    if (week_data_read(&data, fixture->database, "2026-W47", &clock_system, &err) < 0)
        fail_msg("%s", err.text);
    report_as_text(&data, &options, &got);
    for (size_t i = 0; i < LENGTH(wants); i++)
        if (!strstr(got.bytes, wants[i]))
            fail_msg("\"%s\" is not in:\n%s", wants[i], got.bytes);
    text_buffer_finish(&got);
    week_data_finish(&data);
}

/* One page that needs nothing beside it, in which nobody's words are markup. */
static void test_html(void **state)
{
    static const char *const wants[] = {
        "<!doctype html>\n<html lang=\"zh-CN\">",
        "<title>运营指标周报  2026-W47 (2026-11-16 – 2026-11-22)</title>",
        "<td class=\"bad\">未达标</td>",
        "<td>rain &lt;br&gt;</td>",
        "<td>城西, &quot;2&quot;</td>",
    };
    static const char *const never[] = { "<br>", "<script", "http:", "https:", "src=", "href=" };
    struct fixture *fixture = *state;
    struct report_options options = { .language = LANGUAGE_ZH };
    struct text_buffer got = { 0 };
    struct week_data data;
    struct err err = { 0 };

    execute(fixture->database, facts);
    execute(fixture->database, meeting);
    if (week_data_read(&data, fixture->database, "2026-W47", &clock_system, &err) < 0)
        fail_msg("%s", err.text);
    report_as_html(&data, &options, &got);
    for (size_t i = 0; i < LENGTH(wants); i++)
        if (!strstr(got.bytes, wants[i]))
            fail_msg("\"%s\" is not in:\n%s", wants[i], got.bytes);
    for (size_t i = 0; i < LENGTH(never); i++)
        assert_null(strstr(got.bytes, never[i]));
    text_buffer_finish(&got);
    week_data_finish(&data);
}

static void test_csv(void **state)
{
    struct fixture *fixture = *state;

    execute(fixture->database, facts);
    print_message("# English: the ledger's words, nothing added\n");
    assert_report(fixture, report_as_csv, (struct report_options){ .language = LANGUAGE_EN },
        "week,scope_kind,scope,kpi,name,numerator,denominator,excluded,pending,rate,low,high,"
        "direction,target,verdict,shortfall,coverage,gaps,state,revision,as_of,make_up,streak,"
        "penalty_due,explanation,explanation_text\r\n"
        "2026-W47,company,,install_success,Installs,195,200,2,3,0.975000,0.942835,0.989313,"
        "at_least,0.9800,missed,1,0.9000,1,closing,0,2026-11-24T00:00:05.000+08:00,0,1,false,,\r\n"
        "2026-W47,department,installation,install_success,Installs,195,200,2,3,0.975000,0.942835,"
        "0.989313,at_least,0.9800,missed,1,0.9000,1,closing,0,2026-11-24T00:00:05.000+08:00,"
        "0,1,false,due,\r\n"
        "2026-W47,department,technical,gone,gone,5,100,0,0,0.050000,0.021500,0.111750,at_most,"
        "0.0300,missed,2,1.0000,0,closing,0,2026-11-24T00:00:05.000+08:00,0,1,false,due,\r\n"
        "2026-W47,site,\"城西, \"\"2\"\"\",install_success,Installs,3,3,0,0,1.000000,0.438503,"
        "1.000000,at_least,,no_target,0,0.9000,1,closing,0,2026-11-24T00:00:05.000+08:00,,,,,\r\n"
        "2026-W47,staff,=1,install_success,Installs,0,0,0,1,,,,at_least,0.9800,no_data,0,0.9000,1,"
        "closing,0,2026-11-24T00:00:05.000+08:00,,,,,\r\n");

    print_message("# Chinese for a spreadsheet: a byte order mark, no formulas\n");
    execute(fixture->database, "DELETE FROM fact WHERE scope <> 'staff:=1'");
    assert_report(fixture, report_as_csv,
                  (struct report_options){ .language = LANGUAGE_ZH, .bom = true },
        "\xef\xbb\xbf周,范围类别,范围,指标代码,指标,分子,分母,剔除,未结,完成率,置信下限,置信上限,方向,"
        "目标,结论,缺口,监测覆盖率,中断次数,状态,修订号,数据截至,上周补足,连续未达标,应处罚,说明状态,"
        "说明\r\n"
        "2026-W47,员工,'=1,install_success,安装成功率,0,0,0,1,,,,不低于,0.9800,无数据,0,0.9000,1,"
        "已结束，待封存,0,2026-11-24T00:00:05.000+08:00,,,,,\r\n");
}

static void test_failures(void **state)
{
    struct fixture *fixture = *state;
    char other[128];
    struct week_data data;
    struct err err;

    assert_int_equal(week_data_read(&data, "/nowhere/kpid.db", NULL, &clock_system, &err), -2);
    assert_string_equal(err.text, "no ledger at /nowhere/kpid.db: has kpid run on this machine? "
                                  "Another place is named with --database");

    snprintf(other, sizeof other, "%s/other", fixture->folder);
    execute(other, "CREATE TABLE t (a)");
    assert_true(week_data_read(&data, other, "2026-W47", &clock_system, &err) < 0);
    assert_non_null(strstr(err.text, "is no ledger of kpid, or of another version"));
    unlink(other);

    assert_int_equal(output_write_file(other, "not a database, not at all", 26, &err), 0);
    assert_true(week_data_read(&data, other, "2026-W47", &clock_system, &err) < 0);
    assert_non_null(strstr(err.text, "is no ledger of kpid"));
    unlink(other);
}

static void test_output(void **state)
{
    struct fixture *fixture = *state;
    struct stat is;
    struct err err;
    mode_t mask = umask(027);
    char *path, *text;

    path = output_path(fixture->folder, "2026-W47", "txt");
    assert_string_equal(strrchr(path, '/'), "/kpi-2026-W47.txt");
    assert_int_equal(output_write_file(path, "one", 3, &err), 0);
    assert_int_equal(output_write_file(path, "two", 3, &err), 0);
    text = read_file(path);
    assert_string_equal(text, "two");
    assert_int_equal(stat(path, &is), 0);
    assert_int_equal(is.st_mode & 0777, 0640);
    umask(mask);
    unlink(path);
    free(text);
    free(path);

    path = output_path("/nowhere/report", "2026-W47", "txt");
    assert_string_equal(path, "/nowhere/report");
    assert_true(output_write_file(path, "x", 1, &err) < 0);
    assert_string_equal(err.text, "/nowhere/report cannot be written: No such file or directory");
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_weeks),
        cmocka_unit_test(test_language),
        cmocka_unit_test_setup_teardown(test_default_week, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_text_english, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_text_chinese_without_data, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_meeting, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_html, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_csv, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_failures, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_output, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
