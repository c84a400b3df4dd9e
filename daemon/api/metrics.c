/* GET /metrics: what Prometheus scrapes, in its text format 0.0.4 or, by Accept, OpenMetrics 1.0.
 * The two differ, for what is here, in the names of counters (`_total` belongs to the sample and
 * not to the family), in the content type, and in the end mark. */
#include <string.h>

#include "api/get_sources.h"
#include "api/handlers.h"

struct sheet {
    struct text_buffer out;
    bool open; /* OpenMetrics */
};

static void family(struct sheet *s, const char *name, const char *type, const char *help)
{
    bool counter = strcmp(type, "counter") == 0 && !s->open;

    text_buffer_addf(&s->out, "# HELP kpid_%s%s %s\n# TYPE kpid_%s%s %s\n", name,
                     counter ? "_total" : "", help, name, counter ? "_total" : "", type);
}

static void counter(struct sheet *s, const char *name, const char *help, uint64_t value)
{
    family(s, name, "counter", help);
    text_buffer_addf(&s->out, "kpid_%s_total %llu\n", name, (unsigned long long)value);
}

static void gauge(struct sheet *s, const char *name, const char *help, double value)
{
    family(s, name, "gauge", help);
    text_buffer_addf(&s->out, "kpid_%s %.10g\n", name, value);
}

/* --- The house */

static void show_house(struct sheet *s, const struct api *api)
{
    struct intake_load load = intake_load(api->house.intake);
    const struct publication *now = board_now(api->house.board);
    int64_t uptime_ms = clock_monotonic(api->house.clock) - api->started_ms;

    family(s, "build_info", "gauge", "Version of the daemon.");
    text_buffer_addf(&s->out, "kpid_build_info{version=\"%s\"} 1\n", api->house.version);
    gauge(s, "uptime_seconds", "Since the start.", (double)uptime_ms / 1000);
    gauge(s, "as_of_timestamp_seconds", "What the figures speak for.",
          (double)api_as_of(api) / 1000);
    gauge(s, "log_position", "Position of the last event in the log.", (double)now->position);
    gauge(s, "configuration_generation", "Number of the configuration in force.",
          (double)now->generation);
    gauge(s, "queue_requests", "Requests that wait for the ledger.",
          (double)ledger_queue_length(api->house.ledger));
    gauge(s, "queue_lines", "Lines sent and not yet durable.", (double)load.lines);
    gauge(s, "queue_bytes", "Bytes sent and not yet durable.", (double)load.bytes);
    gauge(s, "facts_in_memory", "Facts on the board.", (double)board_facts(api->house.board));
    gauge(s, "loop_utilisation_ratio", "Share of the last seconds in which the loop worked.",
          api->load.share);
    gauge(s, "connections", "Open connections to the socket.", (double)api->connection_count);
    gauge(s, "watchers", "Open streams of GET /v1/watch.", (double)api->stream_count);
    counter(s, "requests", "Requests to the socket.", api->requests);
    counter(s, "requests_refused", "Requests answered with a problem document.", api->refusals);
}

static void show_ledger(struct sheet *s, const struct ledger_stats *stats)
{
    gauge(s, "ledger_well", "1 if the last commit succeeded.", stats->well);
    counter(s, "ledger_commits", "Transactions committed.", stats->commits);
    counter(s, "ledger_failures", "Transactions that failed.", stats->failures);
    counter(s, "events", "Events logged.", stats->events);
    counter(s, "events_duplicate", "Events that the log had already.", stats->duplicates);
    counter(s, "events_quarantined", "Lines put into quarantine.", stats->quarantined);
    gauge(s, "quarantine_waiting", "Items in quarantine that wait for somebody.",
          (double)stats->waiting_quarantine);
    gauge(s, "ledger_commit_seconds", "How long the last commit took.",
          (double)stats->last_commit_us / 1e6);
    gauge(s, "ledger_wal_bytes", "Size of the write-ahead log.", (double)stats->wal_bytes);
}

/* --- Inputs */

/* Names of sources and KPIs are [a-z0-9_-]: nothing to escape. */
static void show_lag_of(struct sheet *s, const char *name, const struct intake_counts *counts)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < LAG_BUCKETS - 1; i++) {
        sum += counts->lag[i];
        text_buffer_addf(&s->out, "kpid_event_lag_seconds_bucket{source=\"%s\",le=\"%.1f\"} %llu\n",
                         name, (double)lag_bounds_ms[i] / 1000, (unsigned long long)sum);
    }
    text_buffer_addf(&s->out,
                     "kpid_event_lag_seconds_bucket{source=\"%s\",le=\"+Inf\"} %llu\n"
                     "kpid_event_lag_seconds_sum{source=\"%s\"} %.3f\n"
                     "kpid_event_lag_seconds_count{source=\"%s\"} %llu\n",
                     name, (unsigned long long)counts->accepted, name,
                     (double)counts->lag_sum_ms / 1000, name, (unsigned long long)counts->accepted);
}

static void show_lags(struct sheet *s, const struct api *api)
{
    family(s, "event_lag_seconds", "histogram", "Received minus happened, of accepted events.");
    show_lag_of(s, "socket", &api->socket_counts);
    for (size_t i = 0; i < sources_count(api->house.sources); i++) {
        const struct source_view view = sources_view(api->house.sources, i);

        show_lag_of(s, view.name, view.counts);
    }
}

typedef double (*source_value)(const struct source_view *view);

static double is_up(const struct source_view *view)
{
    return view->health->state == SOURCE_WELL || view->health->state == SOURCE_DEGRADED;
}

static double last_success(const struct source_view *view)
{
    return (double)view->health->last_success_at / 1000;
}

static double last_event(const struct source_view *view)
{
    return (double)view->counts->last_event_at / 1000;
}

static double accepted(const struct source_view *view)
{
    return (double)view->counts->accepted;
}

static double quarantined(const struct source_view *view)
{
    return (double)view->counts->quarantined;
}

static void show_sources(struct sheet *s, const struct api *api)
{
    static const struct {
        const char *name, *type, *help;
        source_value value;
    } families[] = {
        { "source_up", "gauge", "1 if the input is well or degraded.", is_up },
        { "source_last_success_timestamp_seconds", "gauge", "0: never.", last_success },
        { "source_last_event_timestamp_seconds", "gauge", "When the latest event happened.",
          last_event },
        { "source_events", "counter", "Events accepted from the input.", accepted },
        { "source_quarantined", "counter", "Lines of the input in quarantine.", quarantined },
    };

    for (size_t f = 0; f < sizeof families / sizeof families[0]; f++) {
        bool is_counter = strcmp(families[f].type, "counter") == 0;

        family(s, families[f].name, families[f].type, families[f].help);
        for (size_t i = 0; i < sources_count(api->house.sources); i++) {
            const struct source_view view = sources_view(api->house.sources, i);

            if (!view.enabled)
                continue;
            text_buffer_addf(&s->out, "kpid_%s%s{source=\"%s\",driver=\"%s\"} %.15g\n",
                             families[f].name, is_counter ? "_total" : "", view.name, view.driver,
                             families[f].value(&view));
        }
    }
}

/* --- Figures: of the company, this week */

enum figure_kind {
    FIGURE_NUMERATOR,
    FIGURE_DENOMINATOR,
    FIGURE_EXCLUDED,
    FIGURE_PENDING,
    FIGURE_RATE,
    FIGURE_TARGET,
    FIGURE_SHORTFALL,
    FIGURE_MISSED,
};

struct figure {
    const char *name, *help;
    enum figure_kind what;
};

/* False: null. */
static bool value_of(const struct fact *f, enum figure_kind what, double *ret)
{
    const double values[] = {
        [FIGURE_NUMERATOR] = (double)f->counts.numerator,
        [FIGURE_DENOMINATOR] = (double)f->counts.denominator,
        [FIGURE_EXCLUDED] = (double)f->counts.excluded,
        [FIGURE_PENDING] = (double)f->counts.pending,
        [FIGURE_RATE] = (double)f->rate_e6 / 1e6,
        [FIGURE_TARGET] = (double)f->target_e4 / 1e4,
        [FIGURE_SHORTFALL] = (double)f->shortfall,
        [FIGURE_MISSED] = f->verdict == VERDICT_MISSED,
    };

    if ((what == FIGURE_RATE && f->rate_e6 == RATE_NONE) ||
        (what == FIGURE_TARGET && f->target_e4 == TARGET_NONE))
        return false;
    *ret = values[what];
    return true;
}

static void show_figures(struct sheet *s, const struct api *api)
{
    static const struct figure figures[] = {
        { "kpi_numerator", "Of this week, whole company.", FIGURE_NUMERATOR },
        { "kpi_denominator", "Of this week, whole company.", FIGURE_DENOMINATOR },
        { "kpi_excluded", "Of this week, whole company.", FIGURE_EXCLUDED },
        { "kpi_pending", "Of this week, whole company.", FIGURE_PENDING },
        { "kpi_rate_ratio", "Absent without data.", FIGURE_RATE },
        { "kpi_target_ratio", "Absent if none is in force.", FIGURE_TARGET },
        { "kpi_shortfall", "What is missing to the target.", FIGURE_SHORTFALL },
        { "kpi_missed", "1 if the verdict is missed.", FIGURE_MISSED },
    };
    const struct rules *rules = api_rules(api);
    struct period week = period_at(PERIOD_WEEK, &rules->zone, api_as_of(api));
    double value;

    for (size_t f = 0; f < sizeof figures / sizeof figures[0]; f++) {
        family(s, figures[f].name, "gauge", figures[f].help);
        for (size_t i = 0; i < rules->kpi_count; i++) {
            const struct fact *fact =
                board_fact(api->house.board, &rules->kpis[i], week, "company");

            if (fact && value_of(fact, figures[f].what, &value))
                text_buffer_addf(&s->out, "kpid_%s{kpi=\"%s\"} %.10g\n", figures[f].name,
                                 rules->kpis[i].id, value);
        }
    }
}

static void end(struct call *call)
{
    const char *accept = call_header(call, "Accept");
    struct sheet sheet = { .open = accept && strstr(accept, "application/openmetrics-text") };
    const struct api *api = call->api;

    show_house(&sheet, api);
    show_ledger(&sheet, &board_now(api->house.board)->stats);
    show_sources(&sheet, api);
    show_lags(&sheet, api);
    show_figures(&sheet, api);
    if (sheet.open)
        text_buffer_adds(&sheet.out, "# EOF\n");
    call_reply(call, 200,
               sheet.open ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                          : "text/plain; version=0.0.4; charset=utf-8",
               &sheet.out);
}

const struct handler get_metrics = { .end = end };
