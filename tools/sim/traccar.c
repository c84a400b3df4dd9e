/* The town as a Traccar server shows it; see traccar.h. */
#include "traccar.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/instant.h"
#include "base/json_out.h"
#include "base/mem.h"

/* What the town's faults are in Traccar's words; silence is none of them. */
static const char *const alarms[][2] = {
    { "gps_antenna_cut", "gpsAntennaCut" },
    { "led_fault", "fault" },
    { "power_cut", "powerCut" },
};

enum { SILENT_S = 7200 };

static bool is_offline(const struct taxi *t)
{
    return t->fault && strcmp(t->fault, "offline") == 0;
}

static void add_time(struct text_buffer *to, const char *key, const struct taxi *t)
{
    char text[INSTANT_SIZE];
    int64_t at = ((int64_t)time(NULL) - (is_offline(t) ? SILENT_S : 0)) * 1000;

    json_out_text(to, key, instant_format(text, at, 0));
}

static void add_device(struct text_buffer *to, uint32_t i, const struct taxi *t)
{
    json_out_comma(to);
    text_buffer_adds(to, "{");
    json_out_integer(to, "id", i + 1);
    json_out_text(to, "name", t->plate);
    json_out_text(to, "uniqueId", t->device);
    json_out_text(to, "status", is_offline(t) ? "offline" : i % 50 ? "online" : "unknown");
    json_out_bool(to, "disabled", false);
    add_time(to, "lastUpdate", t);
    json_out_integer(to, "positionId", i + 1);
    json_out_text(to, "model", t->model);
    text_buffer_adds(to, ",\"groupId\":0,\"phone\":null,\"attributes\":{}}");
}

static void add_position(struct text_buffer *to, uint32_t i, const struct taxi *t)
{
    json_out_comma(to);
    text_buffer_adds(to, "{");
    json_out_integer(to, "id", (int64_t)time(NULL) * 100000 + i + 1);
    json_out_integer(to, "deviceId", i + 1);
    json_out_text(to, "protocol", "jt808");
    add_time(to, "serverTime", t);
    add_time(to, "deviceTime", t);
    add_time(to, "fixTime", t);
    text_buffer_addf(to, ",\"valid\":true,\"latitude\":%.6f,\"longitude\":%.6f,\"speed\":%.1f",
                     30.6 + (i * 37 % 1000) / 1e4, 104.0 + (i * 91 % 1000) / 1e4, i % 40 / 1.852);
    text_buffer_adds(to, ",\"attributes\":{");
    for (size_t k = 0; t->fault && k < LENGTH(alarms); k++)
        if (strcmp(alarms[k][0], t->fault) == 0)
            json_out_text(to, "alarm", alarms[k][1]);
    text_buffer_adds(to, "}}");
}

/* A position's id holds its device's, behind the time. */
static uint32_t taxi_of(int64_t id)
{
    return (uint32_t)(id % 100000 - 1);
}

static void add_list(const struct world *world, const struct traccar_query *q,
                     void (*add)(struct text_buffer *to, uint32_t i, const struct taxi *t),
                     struct text_buffer *to)
{
    uint32_t taxis = world_taxis(world);
    int64_t begin = q->id ? taxi_of(q->id) : q->offset, count = q->id ? 1 : q->limit;

    text_buffer_adds(to, "[");
    for (int64_t i = begin; i >= 0 && i < taxis && i - begin < count; i++) {
        struct taxi t = world_taxi(world, (uint32_t)i);

        add(to, (uint32_t)i, &t);
    }
    text_buffer_adds(to, "]");
}

bool traccar_show(const struct world *world, const char *path, const struct traccar_query *q,
                  struct text_buffer *to)
{
    if (strcmp(path, "/devices") == 0)
        add_list(world, q, add_device, to);
    else if (strcmp(path, "/positions") == 0)
        add_list(world, q, add_position, to);
    else if (strcmp(path, "/reports/events") == 0)
        text_buffer_adds(to, "[]");
    else
        return false;
    return true;
}
