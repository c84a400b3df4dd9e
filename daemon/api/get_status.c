/* GET /v1/status: the house at a glance. */
#include <string.h>

#include "api/api_private.h"
#include "api/handlers.h"
#include "api/well.h"
#include "base/json_out.h"

static void instant(struct text_buffer *to, const struct api *api, const char *key, int64_t at)
{
    json_out_instant(to, key, at, at ? api_offset(api, at) : 0);
}

static void object(struct text_buffer *to, const char *key)
{
    json_out_key(to, key);
    text_buffer_adds(to, "{");
}

static void show_queue(struct text_buffer *to, const struct api *api)
{
    struct intake_load load = intake_load(api->house.intake);

    object(to, "queue");
    json_out_integer(to, "requests", (int64_t)ledger_queue_length(api->house.ledger));
    json_out_integer(to, "requests_max", LEDGER_QUEUE_MAX);
    json_out_integer(to, "lines", (int64_t)load.lines);
    json_out_integer(to, "lines_max", (int64_t)load.lines_max);
    json_out_integer(to, "bytes", (int64_t)load.bytes);
    json_out_integer(to, "bytes_max", (int64_t)load.bytes_max);
    text_buffer_adds(to, "}");
}

static void show_generation(struct text_buffer *to, const struct api *api)
{
    const struct publication *now = board_now(api->house.board);
    const struct conf_refusal *refusal = api->house.refusal;

    object(to, "generation");
    json_out_integer(to, "number", now->generation);
    json_out_text(to, "digest", now->digest);
    instant(to, api, "at", now->accepted_at);
    json_out_key(to, "refused");
    if (refusal && refusal->at) {
        text_buffer_adds(to, "{");
        instant(to, api, "at", refusal->at);
        json_out_integer(to, "faults", (int64_t)refusal->fault_count);
        json_out_text(to, "first", refusal->first);
        text_buffer_adds(to, "}");
    } else {
        text_buffer_adds(to, "null");
    }
    text_buffer_adds(to, "}");
}

static void show_ledger(struct text_buffer *to, const struct ledger_stats *stats)
{
    object(to, "ledger");
    json_out_bool(to, "well", stats->well);
    json_out_text(to, "why", stats->well ? NULL : stats->why);
    json_out_integer(to, "commits", (int64_t)stats->commits);
    json_out_integer(to, "failures", (int64_t)stats->failures);
    json_out_integer(to, "events", (int64_t)stats->events);
    json_out_integer(to, "duplicates", (int64_t)stats->duplicates);
    json_out_integer(to, "quarantined", (int64_t)stats->quarantined);
    json_out_integer(to, "last_commit_us", stats->last_commit_us);
    json_out_integer(to, "wal_bytes", stats->wal_bytes);
    text_buffer_adds(to, "}");
}

/* The last week that is sealed, and what is to be restated, as far as the board holds them. */
static void show_seal(struct text_buffer *to, const struct api *api)
{
    const struct publication *now = board_now(api->house.board);
    const struct standing *last = NULL;
    char period[PERIOD_SIZE];

    for (size_t i = 0; i < now->standing_count; i++) {
        const struct standing *s = &now->standings[i];

        if (s->period.kind == PERIOD_WEEK && (!last || s->period.number > last->period.number))
            last = s;
    }
    object(to, "seal");
    json_out_integer(to, "sealed_weeks", now->sealed_weeks);
    json_out_text(to, "last_week", last ? period_format(period, last->period) : NULL);
    json_out_integer(to, "revision", last ? last->revision : 0);
    instant(to, api, "as_of", last ? last->as_of : 0);
    json_out_key(to, "restatement_pending");
    text_buffer_adds(to, "[");
    for (size_t i = 0; i < now->standing_count; i++)
        if (now->standings[i].pending && now->standings[i].period.kind != PERIOD_DAY) {
            json_out_comma(to);
            period_format(period, now->standings[i].period);
            json_out_string(to, period, strlen(period));
        }
    text_buffer_adds(to, "]}");
}

static void show_socket(struct text_buffer *to, const struct api *api)
{
    object(to, "socket");
    json_out_integer(to, "connections", (int64_t)api->connection_count);
    json_out_integer(to, "connections_max", api->house.conf->connections_max);
    json_out_integer(to, "watchers", (int64_t)api->stream_count);
    json_out_integer(to, "requests", (int64_t)api->requests);
    json_out_integer(to, "refused", (int64_t)api->refusals);
    text_buffer_adds(to, "}");
}

static void show_sources(struct text_buffer *to, const struct api *api)
{
    static const char *const names[] = { "starting", "well", "degraded", "down" };
    int64_t counts[4] = { 0 };

    for (size_t i = 0; i < sources_count(api->house.sources); i++) {
        const struct source_view view = sources_view(api->house.sources, i);

        if (view.enabled)
            counts[view.health->state]++;
    }
    object(to, "sources");
    for (size_t i = 0; i < 4; i++)
        json_out_integer(to, names[i], counts[i]);
    text_buffer_adds(to, "}");
}

/* For programs that show figures under their names. */
static void show_kpis(struct text_buffer *to, const struct rules *rules)
{
    json_out_key(to, "kpis");
    text_buffer_adds(to, "[");
    for (size_t i = 0; i < rules->kpi_count; i++) {
        const struct kpi *kpi = &rules->kpis[i];

        json_out_comma(to);
        text_buffer_adds(to, "{");
        json_out_text(to, "id", kpi->id);
        json_out_text(to, "counts", kpi->counts);
        json_out_text(to, "direction", direction_name(kpi->direction));
        object(to, "name");
        json_out_text(to, "zh", kpi->name_zh);
        json_out_text(to, "en", kpi->name_en);
        text_buffer_adds(to, "}}");
    }
    text_buffer_adds(to, "]");
}

static void end(struct call *call)
{
    const struct api *api = call->api;
    const struct publication *now = board_now(api->house.board);
    int64_t uptime_ms = clock_monotonic(api->house.clock) - api->started_ms;
    struct text_buffer out = { 0 }, why = { 0 };
    bool well = house_is_well(api, &why);

    text_buffer_adds(&out, "{");
    json_out_text(&out, "version", api->house.version);
    json_out_integer(&out, "uptime_s", uptime_ms / 1000);
    json_out_text(&out, "health", well ? "well" : "unwell");
    json_out_key(&out, "why");
    text_buffer_addf(&out, "[%s]", why.length ? why.bytes : "");
    text_buffer_finish(&why);
    instant(&out, api, "as_of", api_as_of(api));
    json_out_integer(&out, "position", now->position);
    instant(&out, api, "last_event_at", now->last_at);
    show_queue(&out, api);
    json_out_integer(&out, "quarantine_waiting", now->stats.waiting_quarantine);
    show_generation(&out, api);
    show_ledger(&out, &now->stats);
    show_seal(&out, api);
    show_sources(&out, api);
    json_out_integer(&out, "facts_in_memory", (int64_t)board_facts(api->house.board));
    text_buffer_addf(&out, ",\"loop\":{\"utilisation\":%.4f}", api->load.share);
    show_socket(&out, api);
    show_kpis(&out, api_rules(api));
    text_buffer_adds(&out, "}");
    call_reply_json(call, 200, &out);
}

const struct handler get_status = { .end = end };
