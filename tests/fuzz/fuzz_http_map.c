/* Fuzzes what a platform answers: the envelope in pieces, then each item through a mapping. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "config/conf_tree.h"
#include "http_map.h"
#include "http_page.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char mapping[] =
    "fields = ( { path = \"/id\"; field = \"ticket\"; }, { path = \"/a/0/b\"; field = \"site\"; },"
    "           { path = \"/st\"; field = \"outcome\"; values = ("
    "             { from = \"5\"; to = \"success\"; } ); otherwise = \"failure\"; } );"
    "events = ( { type = \"dispatch.opened\"; at = \"/made\"; },"
    "           { type = \"dispatch.settled\"; at = \"/end\"; } );";

static struct http_map *make_map(void)
{
    struct faults faults = { 0 };
    struct option_tree *tree = conf_tree_parse("fuzz", mapping, sizeof mapping - 1, &faults);
    struct event_map_settings s = { .from_key = "path",
                                    .list_key = "fields",
                                    .default_timezone = "Asia/Shanghai",
                                    .source = "fuzz" };
    struct http_map *map;
    struct err err;

    assert(tree);
    s.fields = option_tree_get(tree, "fields");
    s.events = option_tree_get(tree, "events");
    assert(http_map_create(&map, &s, "/n", &err) == 0);
    option_tree_destroy(tree);
    return map;
}

struct run {
    struct http_map *map;
    struct http_mapped mapped;
};

static void on_item(void *arg, const char *json, size_t length, bool is_cut)
{
    struct run *run = arg;
    int count;

    if (is_cut)
        return;
    count = http_map_item(run->map, json, length, &run->mapped);
    assert(count >= 0 || run->mapped.refusal[0]);
    /* What was read out of well-formed JSON is well-formed JSON. */
    assert(count >= 0 || strcmp(run->mapped.refusal, "item: no JSON") != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct http_map *map;
    struct run run = { .map = map ? map : (map = make_map()) };
    const struct http_page_settings settings = {
        .items = "/d",
        .members = { "/ok", "/code", "/msg", "/next", "/more" },
        .item = on_item,
        .arg = &run,
    };
    struct http_page *page = http_page_create(&settings);
    size_t step = size > 0 ? data[0] % 17 + 1 : 1;
    struct err err;

    for (size_t at = size > 0; at < size; at += step)
        if (!http_page_feed(page, (const char *)data + at, size - at < step ? size - at : step))
            break;
    (void)http_page_end(page, &err);
    http_page_destroy(page);
    http_mapped_finish(&run.mapped);
    return 0;
}
