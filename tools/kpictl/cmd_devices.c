/* kpictl devices: devices with their service and the faults that are active. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "base/mem.h"
#include "figure.h"
#include "kpictl.h"

const struct flag devices_flags[] = {
    { "cursor", "CURSOR", "with --json: the page that an earlier answer's cursor names", NULL },
    { "faulty", NULL, "those alone that have a fault now", NULL },
    { "limit", "N", "so many at most", NULL },
    { "model", "MODEL", "of one model", NULL },
    { "site", "SITE", "of one site", NULL },
    { "state", "STATE", "in one state", "in_service faulty out_of_service" },
    { 0 },
};

static const struct column columns[] = {
    { .title = "device" },
    { .title = "in service since" },
    { .title = "site", .hide_empty = true },
    { .title = "model", .hide_empty = true },
    { .title = "department", .hide_empty = true },
    { .title = "faults", .flexible = true, .hide_empty = true },
};

static char *devices_path(const struct arguments *arguments, const char *cursor)
{
    static const char *const names[] = { "state", "site", "model", "limit" };
    struct text_buffer path = { 0 };

    text_buffer_adds(&path, "/v1/devices");
    if (arguments_has(arguments, "faulty"))
        query_add(&path, "state", "faulty");
    for (size_t i = 0; i < LENGTH(names); i++)
        query_add(&path, names[i], arguments_value(arguments, names[i]));
    query_add(&path, "cursor", cursor);
    return text_buffer_take(&path);
}

static void add_device(struct table *table, yajl_val device)
{
    struct text_buffer faults = { 0 };
    size_t count = answer_length(device, "faults");
    bool in_service = answer_is_true(device, "in_service");
    char instant[CELL_SIZE];

    for (size_t i = 0; i < count; i++)
        text_buffer_addf(&faults, "%s%s", i ? ", " : "",
                         answer_text(answer_item(device, "faults", i), "code"));
    table_row(table);
    table_cell(table, COLOUR_NONE, answer_text(device, "device"));
    table_cell(table, in_service ? COLOUR_NONE : COLOUR_DIM,
               in_service ? instant_for_people(instant, answer_text(device, "in_service_since"))
                          : "no");
    table_cell(table, COLOUR_NONE, answer_text(device, "site"));
    table_cell(table, COLOUR_NONE, answer_text(device, "model"));
    table_cell(table, COLOUR_NONE, answer_text(device, "department"));
    table_cell(table, COLOUR_BAD, faults.bytes ? faults.bytes : "");
    text_buffer_finish(&faults);
}

static int collect(struct kpictl *kpictl, struct table *table)
{
    const char *limit = arguments_value(kpictl->arguments, "limit");
    char *cursor = NULL;
    int status;

    do {
        char *path = devices_path(kpictl->arguments, cursor);
        struct reply reply;

        status = client_get(kpictl->client, path, &reply);
        free(path);
        free(cursor);
        cursor = NULL;
        if (status != EXIT_WELL)
            break;
        for (size_t i = 0; i < answer_length(reply.json, "devices"); i++)
            add_device(table, answer_item(reply.json, "devices", i));
        if (answer_text(reply.json, "cursor")[0] && !limit)
            cursor = mem_strdup(answer_text(reply.json, "cursor"));
        reply_finish(&reply);
    } while (cursor);
    return status;
}

int run_devices(struct kpictl *kpictl)
{
    struct table *table;
    char *path;
    int status;

    if (arguments_has(kpictl->arguments, "faulty") && arguments_has(kpictl->arguments, "state"))
        return usage_error("--faulty is a state: write either --faulty or --state STATE");
    if (kpictl->json) {
        path = devices_path(kpictl->arguments, arguments_value(kpictl->arguments, "cursor"));
        status = print_answer(kpictl, path);
        free(path);
        return status;
    }
    table = table_create(columns, LENGTH(columns));
    status = collect(kpictl, table);
    if (status == EXIT_WELL && table_length(table) == 0)
        printf("no such devices\n");
    else if (status == EXIT_WELL)
        table_print(table, &kpictl->look, stdout);
    table_destroy(table);
    return status;
}
