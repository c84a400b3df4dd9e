/* From JSON items to events, as configured. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/conf_tree.h"
#include "http_map.h"

struct mapping {
    struct option_tree *tree;
    struct http_map *map;
};

static struct mapping make(const char *text, const char *since)
{
    struct mapping m;
    struct faults faults = { 0 };
    struct err err = { 0 };
    struct event_map_settings s = { .from_key = "path",
                                    .list_key = "fields",
                                    .default_timezone = "Asia/Shanghai",
                                    .source = "feed" };
    const struct option_tree *id;

    m.tree = conf_tree_parse("test", text, strlen(text), &faults);
    assert_non_null(m.tree);
    id = option_tree_get(m.tree, "id");
    s.fields = option_tree_get(m.tree, "fields");
    s.constants = option_tree_get(m.tree, "constants");
    s.events = option_tree_get(m.tree, "events");
    s.when = option_tree_get(m.tree, "when");
    s.id = id ? id->text : NULL;
    if (http_map_create(&m.map, &s, since, &err) < 0)
        fail_msg("%s", err.text);
    return m;
}

static void finish(struct mapping *m)
{
    http_map_destroy(m->map);
    option_tree_destroy(m->tree);
}

/* What an item becomes: its events, or "-REFUSAL". */
static void assert_maps(struct mapping *m, const char *item, const char *want)
{
    struct http_mapped mapped = { 0 };
    int count = http_map_item(m->map, item, strlen(item), &mapped);
    const char *got = count < 0 ? mapped.refusal : count > 0 ? mapped.events.bytes : "";

    if (mapped.events.bytes)
        mapped.events.bytes[mapped.events.length] = '\0';
    assert_int_equal(count < 0, want[0] == '-');
    assert_string_equal(got, want[0] == '-' ? want + 1 : want);
    http_mapped_finish(&mapped);
}

static const char order[] =
    "fields = ( { path = \"/id\"; field = \"ticket\"; },"
    "           { path = \"/car/plate\"; field = \"vehicle\"; },"
    "           { path = \"/st\"; field = \"outcome\"; values = ("
    "             { from = \"5\"; to = \"success\"; }, { from = \"3\"; to = \"excluded\"; } );"
    "             otherwise = \"failure\"; } );"
    "events = ( { type = \"dispatch.opened\"; at = \"/made\"; },"
    "           { type = \"dispatch.settled\"; at = \"/end\"; when = ("
    "             { path = \"/st\"; is = [ \"3\", \"4\", \"5\" ]; } ); } );"
    "id = \"{/id}\";";

static void test_several_events(void **state)
{
    struct mapping m = make(order, NULL);

    (void)state;
    assert_maps(&m, "{\"id\":1,\"st\":1,\"made\":\"2026-11-20 18:00:00\",\"end\":null}",
                "{\"source\":\"feed\",\"id\":\"1:dispatch.opened\",\"type\":\"dispatch.opened\","
                "\"at\":\"2026-11-20T18:00:00.000+08:00\",\"ticket\":\"1\"}\n");
    assert_maps(&m,
                "{\"id\":1,\"st\":4,\"made\":\"2026-11-20 18:00:00\","
                "\"end\":\"2026-11-20 18:05:00\",\"car\":{\"plate\":\"B\"}}",
                "{\"source\":\"feed\",\"id\":\"1:dispatch.opened\",\"type\":\"dispatch.opened\","
                "\"at\":\"2026-11-20T18:00:00.000+08:00\",\"ticket\":\"1\",\"vehicle\":\"B\"}\n"
                "{\"source\":\"feed\",\"id\":\"1:dispatch.settled\",\"type\":\"dispatch.settled\","
                "\"at\":\"2026-11-20T18:05:00.000+08:00\",\"ticket\":\"1\",\"vehicle\":\"B\","
                "\"outcome\":\"failure\"}\n");
    /* An end without a status that means one is not an end. */
    assert_maps(&m, "{\"id\":1,\"st\":2,\"end\":\"2026-11-20 18:05:00\"}", "");
    /* One that cannot be mapped refuses the item as a whole: half of it would mislead. */
    assert_maps(&m, "{\"id\":1,\"st\":5,\"made\":\"2026-11-20 18:00:00\",\"end\":\"soon\"}",
                "-at: \"soon\" in path \"/end\" is no local time YYYY-MM-DD hh:mm:ss");
    finish(&m);
}

static void test_values(void **state)
{
    static const char text[] =
        "constants = { type = \"lookup.settled\"; department = \"monitoring\"; };"
        "fields = ( { path = \"/t\"; field = \"at\"; time = \"epoch_ms\"; },"
        "           { path = \"/id\"; field = \"ticket\"; }, { path = \"/id\"; field = \"id\"; },"
        "           { path = \"/ok\"; field = \"outcome\"; values = ("
        "             { from = \"true\"; to = \"success\"; }, { from = \"\"; to = \"failure\"; },"
        "             { from = \"void\"; to = \"\"; } ); } );";
    static const struct {
        const char *what, *item, *want;
    } cases[] = {
        { "true", "{\"t\":1795168800000,\"id\":\"a\",\"ok\":true}", ",\"outcome\":\"success\"}\n" },
        { "absent stands for something", "{\"t\":1795168800000,\"id\":\"a\"}",
          ",\"outcome\":\"failure\"}\n" },
        { "null, too", "{\"t\":1795168800000,\"id\":\"a\",\"ok\":null}",
          ",\"outcome\":\"failure\"}\n" },
        { "to nothing", "{\"t\":1795168800000,\"id\":\"a\",\"ok\":\"void\"}", "}\n" },
        { "blanks around are nobody's",
          "{\"t\":\" 1795168800000 \",\"id\":\" a \",\"ok\":\" true\"}",
          ",\"outcome\":\"success\"}\n" },
    };
    struct mapping m = make(text, NULL);

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        char *want = mem_printf("{\"source\":\"feed\",\"id\":\"a\",\"type\":\"lookup.settled\","
                                "\"at\":\"2026-11-20T18:00:00.000+08:00\",\"ticket\":\"a\","
                                "\"department\":\"monitoring\"%s",
                                cases[i].want);

        print_message("# %s\n", cases[i].what);
        assert_maps(&m, cases[i].item, want);
        free(want);
    }
    assert_maps(&m, "{\"t\":1795168800000,\"id\":\"a\",\"ok\":false}",
                "-outcome: \"false\" in path \"/ok\" stands for nothing: add it to values, or set "
                "otherwise");
    assert_maps(&m, "{\"id\":\"a\",\"ok\":true}", "-at: missing, nothing in path \"/t\"");
    assert_maps(&m, "[1]", "-item: not an object");
    assert_maps(&m, "{\"t\":", "-item: no JSON");
    finish(&m);
}

static char *id_of(struct mapping *m, const char *item)
{
    struct http_mapped mapped = { 0 };
    char *id;

    assert_int_equal(http_map_item(m->map, item, strlen(item), &mapped), 1);
    id = strstr(mapped.events.bytes, "\"id\":\"");
    assert_non_null(id);
    id = mem_strndup(id + 6, 32);
    http_mapped_finish(&mapped);
    return id;
}

/* The digest of what we look at: an edit there is a new event, one elsewhere is not. */
static void test_digest(void **state)
{
    struct mapping m = make("constants = { type = \"repair.settled\"; };"
                            "fields = ( { path = \"/t\"; field = \"at\"; },"
                            "           { path = \"/id\"; field = \"ticket\"; } );",
                            NULL);
    char *first = id_of(&m, "{\"id\":1,\"t\":\"2026-11-20 18:00:00\",\"note\":\"a\"}");
    char *same = id_of(&m, "{\"note\":\"b\",\"t\":\"2026-11-20 18:00:00\",\"id\":\"1\"}");
    char *other = id_of(&m, "{\"id\":1,\"t\":\"2026-11-20 18:00:01\"}");

    (void)state;
    assert_string_equal(first, same);
    assert_string_not_equal(first, other);
    free(first);
    free(same);
    free(other);
    finish(&m);
}

static void test_bare_and_since(void **state)
{
    struct mapping m = make("", "/n");
    struct http_mapped mapped = { 0 };

    (void)state;
    assert_int_equal(http_map_item(m.map, "{\"n\":17,\"x\":[1,2]}", 18, &mapped), 1);
    assert_string_equal(mapped.events.bytes, "{\"n\":17,\"x\":[1,2]}\n");
    assert_string_equal(mapped.since, "17");
    http_mapped_finish(&mapped);
    finish(&m);
}

static void test_pointers(void **state)
{
    struct mapping m = make("constants = { type = \"repair.settled\"; at = \"x\"; };"
                            "id = \"{/a~1b/1/~0}\";"
                            "fields = ( { path = \"/a~1b/1/~0\"; field = \"ticket\"; } );",
                            NULL);

    (void)state;
    assert_maps(&m, "{\"a/b\":[{\"~\":\"no\"},{\"~\":\"yes\"}],\"~\":\"no\"}",
                "{\"source\":\"feed\",\"id\":\"yes\",\"type\":\"repair.settled\",\"at\":\"x\","
                "\"ticket\":\"yes\"}\n");
    assert_maps(&m, "{\"a/b\":[]}", "-id: empty, because all of its values are");
    finish(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_several_events), cmocka_unit_test(test_values),
        cmocka_unit_test(test_digest),         cmocka_unit_test(test_bare_and_since),
        cmocka_unit_test(test_pointers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
