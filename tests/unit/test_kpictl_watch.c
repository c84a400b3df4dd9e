/* The live table: what its stream is made of, and the frames that come of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "tools/kpictl/answer.h"
#include "tools/kpictl/sse.h"
#include "tools/kpictl/watch_view.h"

static void note_event(void *arg, const char *name, const char *data)
{
    text_buffer_addf(arg, "%s=%s;", name, data);
}

static void test_stream(void **state)
{
    static const struct {
        const char *what, *bytes, *events, *last_id;
    } cases[] = {
        { "one event", "id: 7\nevent: fact\ndata: {}\n\n", "fact={};", "7" },
        { "CR LF", "id: 7\r\nevent: fact\r\ndata: {}\r\n\r\n", "fact={};", "7" },
        { "comments keep alive and say nothing", ": still here\n\n:\n\ndata: x\n\n",
          "message=x;", "" },
        { "data of two lines", "data: a\ndata: b\n\n", "message=a\nb;", "" },
        { "an id stays for later events", "id: 1\ndata: a\n\ndata: b\n\n",
          "message=a;message=b;", "1" },
        { "half an event counts for nothing", "id: 9\nevent: fact\ndata: {}\n", "", "" },
        { "no blank behind the colon", "data:x\n\n", "message=x;", "" },
        { "retry and others are ignored", "retry: 5\nfoo\ndata: x\n\n", "message=x;", "" },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        /* However the bytes are cut on their way. */
        for (size_t piece = 1; piece <= strlen(cases[i].bytes); piece++) {
            struct text_buffer events = { 0 };
            struct sse sse = { .event = note_event, .arg = &events };
            const char *bytes = cases[i].bytes;

            for (size_t left = strlen(bytes); left > 0;) {
                size_t length = piece < left ? piece : left;

                sse_feed(&sse, bytes, length);
                bytes += length;
                left -= length;
            }
            if (piece == 1)
                print_message("# %s\n", cases[i].what);
            assert_string_equal(events.bytes ? events.bytes : "", cases[i].events);
            assert_string_equal(sse.last_id, cases[i].last_id);
            sse_finish(&sse);
            text_buffer_finish(&events);
        }
    }
}

static void test_restart_forgets_half_an_event(void **state)
{
    struct text_buffer events = { 0 };
    struct sse sse = { .event = note_event, .arg = &events };
    static const char half[] = "id: 5\ndata: old\nda", whole[] = "id: 6\ndata: new\n\n";

    (void)state;
    sse_feed(&sse, half, sizeof half - 1);
    sse_restart(&sse);
    sse_feed(&sse, whole, sizeof whole - 1);
    assert_string_equal(events.bytes, "message=new;");
    assert_string_equal(sse.last_id, "6");
    sse_finish(&sse);
    text_buffer_finish(&events);
}

static void test_week_of_date(void **state)
{
    static const struct {
        const char *date, *week;
    } cases[] = {
        { "2026-11-20", "2026-W47" }, { "2026-11-22", "2026-W47" }, { "2026-11-23", "2026-W48" },
        { "2026-01-01", "2026-W01" }, { "2025-12-29", "2026-W01" }, { "2027-01-03", "2026-W53" },
        { "1970-01-01", "1970-W01" },
    };
    char week[WATCH_PERIOD_SIZE];

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        assert_true(week_of_date(cases[i].date, week));
        assert_string_equal(week, cases[i].week);
    }
    assert_false(week_of_date("2026-W47", week));
}

static void take_status(struct watch_view *view, const char *as_of)
{
    char *text = mem_printf("{\"as_of\":\"%s\",\"position\":1234,\"kpis\":["
                            "{\"id\":\"install_success\",\"name\":{\"zh\":\"安装成功率\","
                            "\"en\":\"Installation success rate\"}},"
                            "{\"id\":\"fault_rate\",\"name\":{\"zh\":\"总体故障率\","
                            "\"en\":\"Overall fault rate\"}}]}", as_of);
    yajl_val status = answer_parse(text);

    assert_non_null(status);
    watch_view_status(view, status, false);
    yajl_tree_free(status);
    free(text);
}

static void take_fact(struct watch_view *view, const char *period, int numerator, int denominator,
                      const char *verdict, int shortfall, int64_t now, bool quietly)
{
    char *text = mem_printf("{\"kpi\":\"install_success\",\"period\":\"%s\",\"scope\":\"company\","
                            "\"numerator\":%d,\"denominator\":%d,\"excluded\":0,\"pending\":0,"
                            "\"target\":0.98,\"direction\":\"at_least\",\"verdict\":\"%s\","
                            "\"shortfall\":%d,\"as_of\":\"2026-11-20T18:00:01.000+08:00\"}",
                            period, numerator, denominator, verdict, shortfall);
    yajl_val fact = answer_parse(text);
    struct figure figure;

    assert_non_null(fact);
    figure_read(&figure, fact);
    watch_view_fact(view, &figure, now, quietly);
    yajl_tree_free(fact);
    free(text);
}

static void assert_frame(const struct watch_view *view, size_t rows, int64_t now, const char *want)
{
    struct look look = { .width = 80 };
    struct text_buffer frame = { 0 };

    watch_view_draw(view, &look, rows, now, &frame);
    assert_string_equal(frame.bytes, want);
    text_buffer_finish(&frame);
}

static void test_frames(void **state)
{
    struct watch_view view = { .scope = "company" };
    yajl_val sources = answer_parse("{\"sources\":[{\"name\":\"workorders\",\"state\":\"well\"},"
                                    "{\"name\":\"spool\",\"state\":\"down\"}]}");

    (void)state;
    take_status(&view, "2026-11-20T18:00:00.000+08:00");
    watch_view_sources(&view, sources);
    yajl_tree_free(sources);
    take_fact(&view, "2026-W47", 195, 200, "missed", 1, 1000, true);
    take_fact(&view, "2026-11-20", 49, 50, "met", 0, 1000, true);
    take_fact(&view, "2026-11", 1, 1, "met", 0, 1000, false);

    print_message("# as found: no marks; a KPI without figures has its line\n");
    assert_frame(&view, 24, 1000,
        "kpid   2026-11-20, week 2026-W47, company              as of 2026-11-20 18:00:01\n"
        "event 1234   sources ● workorders  ○ spool down\n"
        "\n"
        "  KPI                        today %   n/d  week %     n/d  target  verdict\n"
        "  Installation success rate    98.00 49/50   97.50 195/200  ≥98.00  missed −1\n"
        "  Overall fault rate               –             –\n");

    print_message("# a change is marked and told, until its mark runs out\n");
    take_fact(&view, "2026-11-20", 50, 51, "met", 0, 2000, false);
    take_fact(&view, "2026-W47", 197, 201, "met", 0, 2000, false);
    assert_int_equal(watch_view_due_at(&view, 2000), 2000 + WATCH_MARK_MS);
    assert_frame(&view, 24, 2000,
        "kpid   2026-11-20, week 2026-W47, company              as of 2026-11-20 18:00:01\n"
        "event 1234   sources ● workorders  ○ spool down\n"
        "\n"
        "  KPI                        today %   n/d  week %     n/d  target  verdict\n"
        "▸ Installation success rate    98.04 50/51   98.01 197/201  ≥98.00  met\n"
        "  Overall fault rate               –             –\n"
        "\n"
        "  18:00:01  Installation success rate  195/200 → 197/201  met\n");
    assert_int_equal(watch_view_due_at(&view, 2000 + WATCH_MARK_MS), 0);

    print_message("# a low terminal shows the first lines\n");
    assert_frame(&view, 2, 9000,
        "kpid   2026-11-20, week 2026-W47, company              as of 2026-11-20 18:00:01\n"
        "event 1234   sources ● workorders  ○ spool down\n");

    print_message("# a new week begins with empty columns\n");
    take_status(&view, "2026-11-23T00:00:00.000+08:00");
    assert_frame(&view, 6, 9000,
        "kpid   2026-11-23, week 2026-W48, company              as of 2026-11-23 00:00:00\n"
        "event 1234   sources ● workorders  ○ spool down\n"
        "\n"
        "  KPI                        today % n/d  week % n/d  target  verdict\n"
        "  Installation success rate        –           –\n"
        "  Overall fault rate               –           –\n");
    watch_view_finish(&view);
}

static void test_other_scopes_and_redeliveries(void **state)
{
    struct watch_view view = { .scope = "site:east" };

    (void)state;
    take_status(&view, "2026-11-20T18:00:00.000+08:00");
    take_fact(&view, "2026-W47", 1, 1, "met", 0, 1000, false);
    assert_string_equal(view.rows[0].week.kpi, "");

    text_set(view.scope, sizeof view.scope, "company");
    take_fact(&view, "2026-W47", 1, 1, "met", 0, 1000, false);
    take_fact(&view, "2026-W47", 1, 1, "met", 0, 5000, false);
    assert_int_equal(view.change_count, 1);
    assert_int_equal(view.rows[0].week_changed_at, 1000);
    watch_view_finish(&view);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stream),
        cmocka_unit_test(test_restart_forgets_half_an_event),
        cmocka_unit_test(test_week_of_date),
        cmocka_unit_test(test_frames),
        cmocka_unit_test(test_other_scopes_and_redeliveries),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
