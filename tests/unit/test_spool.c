/* The spool driver on a real folder: what is taken, how progress survives, what is said of bad
 * lines, and what it says of itself when it cannot work. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "spool.h"
#include "tests/lib/fake_house.h"

struct fixture {
    struct fake_house house;
    char folder[64];
    char section[2048];
};

static int set_up(void **state)
{
    struct fixture *f = mem_zalloc(sizeof *f);

    snprintf(f->folder, sizeof f->folder, "/tmp/test_spool.XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->section, sizeof f->section,
             "directory = \"%s\"; settle = \"60ms\"; rescan = \"1s\";", f->folder);
    house_init(&f->house, "workorders");
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    char command[256];

    if (f->house.source)
        house_stop(&f->house);
    house_finish(&f->house);
    snprintf(command, sizeof command, "chmod -R u+rwX %s 2>/dev/null; rm -rf %s", f->folder,
             f->folder);
    assert_int_equal(system(command), 0);
    free(f);
    return 0;
}

static char *path_of(const struct fixture *f, const char *name)
{
    static char paths[4][256];
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof paths[0], "%s/%s", f->folder, name);
    return path;
}

static void drop(const struct fixture *f, const char *name, const char *text)
{
    char part[256];
    FILE *file;

    snprintf(part, sizeof part, "%s/.part", f->folder);
    file = fopen(part, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(rename(part, path_of(f, name)), 0);
}

static char *read_text(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = mem_zalloc(65536);

    if (file) {
        size_t length = fread(text, 1, 65535, file);

        text[length] = '\0';
        fclose(file);
    }
    return text;
}

static bool exists(struct fake_house *house, void *path)
{
    (void)house;
    return access(path, F_OK) == 0;
}

static void start(struct fixture *f, const char *more)
{
    char *section = mem_printf("%s%s", f->section, more);

    house_start(&f->house, &driver_spool, section);
    free(section);
}

static void assert_comes(struct fixture *f, const char *name)
{
    if (!house_until(&f->house, exists, path_of(f, name), 5000))
        fail_msg("%s did not come; %s: %s", name, source_state_name(f->house.health.state),
                 f->house.health.why);
}

#define LINE(n) "{\"source\":\"erp\",\"id\":\"" #n "\"}\n"

static void test_ndjson(void **state)
{
    struct fixture *f = *state;

    drop(f, "a.ndjson", LINE(1) "\n  \n" LINE(2) "{\"source\":\"erp\",\"id\":\"3\"}");
    start(f, "");
    assert_comes(f, "done/a.ndjson");
    assert_int_equal(f->house.accepted_count, 3);
    assert_string_equal(f->house.accepted[2], "{\"source\":\"erp\",\"id\":\"3\"}");
    assert_true(house_until(&f->house, house_is_well, NULL, 1000));
    assert_int_not_equal(access(path_of(f, "a.ndjson"), F_OK), 0);
}

static void test_arrives_while_watching(void **state)
{
    struct fixture *f = *state;

    start(f, "");
    assert_true(house_until(&f->house, house_is_well, NULL, 2000));
    drop(f, "later.NDJSON", LINE(1));
    assert_comes(f, "done/later.NDJSON");
    assert_int_equal(f->house.accepted_count, 1);
}

static void test_same_name_again(void **state)
{
    struct fixture *f = *state;

    start(f, "");
    drop(f, "a.ndjson", LINE(1));
    assert_comes(f, "done/a.ndjson");
    drop(f, "a.ndjson", LINE(2));
    assert_comes(f, "done/a.2.ndjson");
    assert_int_equal(f->house.accepted_count, 2);
}

static void test_what_is_not_taken(void **state)
{
    static const char *const names[] = { ".hidden.ndjson", "x.ndjson.part", "x.csv.tmp",
                                         "x.txt",          "folder.csv",    "link.ndjson" };
    struct fixture *f = *state;

    for (size_t i = 0; i < 4; i++)
        drop(f, names[i], LINE(9));
    assert_int_equal(mkdir(path_of(f, names[4]), 0700), 0);
    assert_int_equal(symlink("/etc/passwd", path_of(f, names[5])), 0);
    drop(f, "a.ndjson", LINE(1));
    start(f, "");
    assert_comes(f, "done/a.ndjson");
    house_turn(&f->house, 300);
    assert_int_equal(f->house.accepted_count, 1);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct stat st;

        assert_int_equal(lstat(path_of(f, names[i]), &st), 0);
    }
}

/* A file that is still being written is left alone until it has settled. */
static void test_settles(void **state)
{
    struct fixture *f = *state;
    FILE *file = fopen(path_of(f, "slow.ndjson"), "w");

    assert_non_null(file);
    start(f, "");
    for (int i = 0; i < 6; i++) {
        fprintf(file, "{\"source\":\"erp\",\"id\":\"%d\"}\n", i);
        fflush(file);
        house_turn(&f->house, 30);
        assert_int_equal(f->house.accepted_count, 0);
    }
    fclose(file);
    assert_comes(f, "done/slow.ndjson");
    assert_int_equal(f->house.accepted_count, 6);
}

static void test_report(void **state)
{
    struct fixture *f = *state;
    char *report;

    f->house.quarantine = "BAD";
    drop(f, "a.ndjson", LINE(1) LINE(BAD1) LINE(2) "{\"BAD2\"\n" LINE(3));
    start(f, "");
    assert_comes(f, "rejected/a.ndjson");
    assert_comes(f, "rejected/a.ndjson.report");
    assert_int_equal(f->house.accepted_count, 3);
    report = read_text(path_of(f, "rejected/a.ndjson.report"));
    assert_memory_equal(report, "2 not taken, of 5 lines", 23);
    assert_non_null(strstr(report,
                           "\nline 2: house: bad\n    {\"source\":\"erp\",\"id\":\"BAD1\"}\n"
                           "line 4: house: bad\n    {\"BAD2\"\n"));
    free(report);
    assert_true(house_until(&f->house, house_is_well, NULL, 1000));
}

/* Many batches; a failing house gets each again; nothing is lost, doubled or out of order. */
static void test_batches(void **state)
{
    struct fixture *f = *state;
    struct text_buffer text = { 0 };

    for (int i = 0; i < 3500; i++)
        text_buffer_addf(&text, "{\"source\":\"erp\",\"id\":\"%d\"}\n", i);
    drop(f, "big.ndjson", text.bytes);
    text_buffer_finish(&text);
    f->house.fail_next = 2;
    f->house.fail_with = -ENOSPC;
    start(f, "");
    assert_true(house_until(&f->house, house_is_degraded, NULL, 2000));
    assert_non_null(strstr(f->house.health.why, "the ledger says no"));
    assert_true(f->house.next_attempt_at > 0);
    assert_comes(f, "done/big.ndjson");
    assert_int_equal(f->house.accepted_count, 3500);
    assert_int_equal(f->house.duplicates, 0);
    assert_int_equal(f->house.batches, 4);
    assert_string_equal(f->house.accepted[3499], "{\"source\":\"erp\",\"id\":\"3499\"}");
    assert_true(house_until(&f->house, house_is_well, NULL, 1000));
}

static void test_full_house(void **state)
{
    struct fixture *f = *state;

    f->house.full = true;
    drop(f, "a.ndjson", LINE(1));
    start(f, "");
    house_turn(&f->house, 300);
    assert_int_equal(f->house.accepted_count, 0);
    f->house.full = false;
    f->house.driver->resume(f->house.source);
    assert_comes(f, "done/a.ndjson");
    assert_int_equal(f->house.accepted_count, 1);
}

static bool has_batch(struct fake_house *h, void *count)
{
    return h->batches == *(size_t *)count && h->batch != NULL;
}

/* Killed with a batch in the house at each point of a file: what was durable is not read again
 * unless its report was not yet written, and nothing is skipped. */
static void test_resumes(void **state)
{
    struct fixture *f = *state;
    struct text_buffer text = { 0 };

    for (int i = 0; i < 2500; i++)
        text_buffer_addf(&text, "{\"source\":\"erp\",\"id\":\"%d%s\"}\n", i, i % 1000 ? "" : "BAD");
    drop(f, "big.ndjson", text.bytes);
    text_buffer_finish(&text);
    f->house.quarantine = "BAD";
    for (size_t round = 0; round < 3; round++) {
        f->house.hold = true;
        f->house.hold_after = round;
        start(f, "");
        assert_true(house_until(&f->house, has_batch, &round, 5000));
        /* The process would be gone here: the batch is never answered. */
        f->house.fail_next = 1;
        f->house.fail_with = -EIO;
        house_stop(&f->house);
    }
    f->house.hold = false;
    start(f, "");
    assert_comes(f, "rejected/big.ndjson.report");
    assert_int_equal(f->house.accepted_count, 2497);
    assert_int_equal(f->house.duplicates, 0);
    assert_int_equal(f->house.refused_count, 3);
    {
        char *report = read_text(path_of(f, "rejected/big.ndjson.report"));

        assert_memory_equal(report, "3 not taken, of 2500 lines", 26);
        assert_non_null(strstr(report, "\nline 1: "));
        assert_non_null(strstr(report, "\nline 1001: "));
        assert_non_null(strstr(report, "\nline 2001: "));
        free(report);
    }
}

/* Killed between the commit of a batch and its report: the batch is asked about once more, so that
 * the report is whole. */
static void test_report_is_made_up(void **state)
{
    struct fixture *f = *state;
    char *report;

    assert_int_equal(mkdir(path_of(f, "work"), 0700), 0);
    drop(f, "work/00000007~a.ndjson", LINE(1) LINE(BAD) LINE(2));
    f->house.cursor = mem_strdup("take=7 offset=80 line=3");
    f->house.quarantine = "BAD";
    start(f, "");
    assert_comes(f, "rejected/a.ndjson.report");
    report = read_text(path_of(f, "rejected/a.ndjson.report"));
    assert_non_null(strstr(report, "\nline 2: "));
    free(report);
}

/* Killed between the link of a report to its place and the end of the old one. */
static void test_spare_link(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(mkdir(path_of(f, "work"), 0700), 0);
    assert_int_equal(mkdir(path_of(f, "rejected"), 0700), 0);
    drop(f, "rejected/a.ndjson.report", "x");
    drop(f, "work/00000006~b.ndjson.report", "the only one");
    assert_int_equal(
        link(path_of(f, "rejected/a.ndjson.report"), path_of(f, "work/00000007~a.ndjson.report")),
        0);
    start(f, "");
    assert_true(house_until(&f->house, house_is_well, NULL, 2000));
    assert_int_not_equal(access(path_of(f, "work/00000007~a.ndjson.report"), F_OK), 0);
    assert_int_equal(access(path_of(f, "work/00000006~b.ndjson.report"), F_OK), 0);
}

/* A cursor of another take says nothing about this file, whatever its name. */
static void test_other_take(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(mkdir(path_of(f, "work"), 0700), 0);
    drop(f, "work/00000008~a.ndjson", LINE(1) LINE(2));
    drop(f, "work/00000008~a.ndjson.report",
         "read to byte 26, line 1; not taken 0; report of 128 bytes                               "
         "                                       \n");
    f->house.cursor = mem_strdup("take=7 offset=26 line=1");
    start(f, "");
    assert_comes(f, "done/a.ndjson");
    assert_int_equal(f->house.accepted_count, 2);
    assert_int_equal(strncmp(f->house.cursor, "take=8 ", 7), 0);
}

static void test_csv(void **state)
{
    static const char columns[] =
        "id = \"{工单号}-{完成时间}\"; constants = { type = \"repair.settled\"; };"
        "columns = ( { column = \"工单号\"; field = \"ticket\"; },"
        "            { column = \"完成时间\"; field = \"at\"; },"
        "            { column = \"结果\"; field = \"outcome\";"
        "              values = ( { from = \"完成\"; to = \"success\"; } ); } );";
    struct fixture *f = *state;
    char *report;

    drop(f, "a.csv",
         "\xEF\xBB\xBF工单号,结果,备注,完成时间\r\n"
         "R1,完成,\"a \"\"b\"\", c\nsecond line\",2026-11-20 18:00:00\r\n"
         "R2,没完成,,2026-11-20 18:00:00\r\n"
         ",,,\r\n"
         "R3,完成,,2026/11/20 8:05\r\n");
    start(f, columns);
    assert_comes(f, "rejected/a.csv.report");
    assert_int_equal(f->house.accepted_count, 2);
    assert_string_equal(f->house.accepted[0],
                        "{\"source\":\"workorders\",\"id\":\"R1-2026-11-20 18:00:00\","
                        "\"type\":\"repair.settled\",\"at\":\"2026-11-20T18:00:00.000+08:00\","
                        "\"ticket\":\"R1\",\"outcome\":\"success\"}");
    report = read_text(path_of(f, "rejected/a.csv.report"));
    assert_non_null(strstr(report, "\nline 4: outcome: \"没完成\" in column \"结果\" stands for "
                                   "nothing: add it to values, or set otherwise\n"
                                   "    R2,没完成,,2026-11-20 18:00:00\n"));
    free(report);
}

static void test_gb18030(void **state)
{
    struct fixture *f = *state;

    /* "ticket,type,at,site" and a site 东站 in GB18030. */
    drop(f, "a.csv",
         "ticket,type,at,site\r\nR1,repair.opened,2026-11-20 18:00:00,\xB6\xAB\xD5\xBE\r\n");
    start(f, "encoding = \"gb18030\";");
    assert_comes(f, "done/a.csv");
    assert_int_equal(f->house.accepted_count, 1);
    assert_non_null(strstr(f->house.accepted[0], "\"site\":\"东站\""));
}

static void test_header_does_not_fit(void **state)
{
    struct fixture *f = *state;
    char *report;

    drop(f, "a.csv", "wrong,header\r\n1,2\r\n");
    start(f, "");
    assert_comes(f, "rejected/a.csv.report");
    report = read_text(path_of(f, "rejected/a.csv.report"));
    assert_non_null(strstr(report, "the file: the header has no column that is called like"));
    free(report);
    assert_true(house_until(&f->house, house_is_degraded, NULL, 1000));
    drop(f, "b.ndjson", LINE(1));
    assert_comes(f, "done/b.ndjson");
    assert_true(house_until(&f->house, house_is_well, NULL, 1000));
}

static void test_missing_folder(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(rmdir(f->folder), 0);
    start(f, "");
    assert_true(house_until(&f->house, house_is_down, NULL, 2000));
    assert_non_null(strstr(f->house.health.why, "there is no folder"));
    assert_true(f->house.next_attempt_at > 0);
    assert_int_equal(mkdir(f->folder, 0700), 0);
    drop(f, "a.ndjson", LINE(1));
    assert_comes(f, "done/a.ndjson");
    assert_true(house_until(&f->house, house_is_well, NULL, 2000));
}

static void test_line_too_long(void **state)
{
    struct fixture *f = *state;
    char *text = mem_zalloc(300 * 1024);
    size_t length;

    memset(text, 'x', 200 * 1024);
    length = 200 * 1024;
    memcpy(text + length, "\n" LINE(1), sizeof "\n" LINE(1));
    drop(f, "a.ndjson", text);
    free(text);
    start(f, "");
    assert_comes(f, "rejected/a.ndjson.report");
    assert_int_equal(f->house.accepted_count, 1);
    assert_int_equal(f->house.refused_count, 1);
    assert_string_equal(f->house.refused[0], "1 line: longer than 65536 bytes; cut here");
}

static void test_open_quote(void **state)
{
    struct fixture *f = *state;

    drop(f, "a.csv",
         "ticket,type,at\n\"R1,repair.opened,2026-11-20 18:00:00\n"
         "R2,repair.opened,2026-11-20 18:00:00\n");
    start(f, "");
    assert_comes(f, "rejected/a.csv.report");
    assert_int_equal(f->house.accepted_count, 1);
    assert_non_null(strstr(f->house.accepted[0], "\"R2\""));
    assert_string_equal(f->house.refused[0], "2 row: a quote that never closes");
}

static void test_faults(void **state)
{
    static const struct {
        const char *section, *want;
    } cases[] = {
        { "directory = \"/x\"; delimiter = \"ab\";", "delimiter \"ab\": write" },
        { "directory = \"/x\"; delimiter = \"|\"; encoding = \"gb18030\";", "half a character" },
        { "directory = \"/x\"; columns = ( { column = \"a\"; field = \"tiket\"; } );",
          "unknown field \"tiket\": did you mean \"ticket\"?" },
        { "directory = \"/x\"; columns = ( { column = \"a\"; field = \"ticket\"; } );",
          "nothing says the events' type" },
        { "directory = \"/x\"; columns = ( { colum = \"a\"; field = \"ticket\"; } );",
          "unknown setting \"colum\": did you mean \"column\"?" },
        { "directory = \"/x\"; id = \"{a\";", "a value is written {NAME}" },
        { "directory = \"/x\"; id = \"a\";", "names no value" },
        { "directory = \"/x\"; timezone = \"Mars/Base\";", "timezone: " },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *faults = house_faults(&driver_spool, cases[i].section);

        if (!strstr(faults, cases[i].want))
            fail_msg("%s\ngives %s", cases[i].section, faults);
        free(faults);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_ndjson),
        CASE(test_arrives_while_watching),
        CASE(test_same_name_again),
        CASE(test_what_is_not_taken),
        CASE(test_settles),
        CASE(test_report),
        CASE(test_batches),
        CASE(test_full_house),
        CASE(test_resumes),
        CASE(test_report_is_made_up),
        CASE(test_spare_link),
        CASE(test_other_take),
        CASE(test_csv),
        CASE(test_gb18030),
        CASE(test_header_does_not_fit),
        CASE(test_missing_folder),
        CASE(test_line_too_long),
        CASE(test_open_quote),
        cmocka_unit_test(test_faults),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
