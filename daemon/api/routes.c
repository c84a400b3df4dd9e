/* The contract's table of paths. Sorted by path; the rows of one path stand side by side. */
#include "api/handlers.h"

/* clang-format off */
#define NDJSON "application/x-ndjson"
#define JSON   "application/json"

static const char limit_help[] = "items on a page, 1 to 1000";
static const char cursor_help[] = "of the page before, for the next one";

#define PAGED { "limit", limit_help }, { "cursor", cursor_help }

const struct route api_routes[] = {
    { "GET", "/healthz", RIGHT_READ, &get_healthz,
      "200 when every mandatory input and the store are well, else 503 and why", NULL, { { 0 } } },
    { "GET", "/metrics", RIGHT_READ, &get_metrics,
      "Prometheus text format, or OpenMetrics by Accept", NULL, { { 0 } } },
    { "GET", "/openapi.json", RIGHT_READ, &get_openapi, "This table", NULL, { { 0 } } },
    { "GET", "/v1/appraisal", RIGHT_READ, &get_appraisal,
      "The posts: their KPIs, attainment and holders in a week or a month", NULL,
      { { "post", "id of the post; all if left out" },
        { "week", "a week; the present one if no month is given either" },
        { "month", "or a month" } } },
    { "GET", "/v1/audit", RIGHT_READ, &get_audit,
      "The chain of audit records, newest first; its head; the last verification", NULL,
      { { "verify", "now: verifies the chain first" }, PAGED } },
    { "GET", "/v1/bench", RIGHT_READ, &get_bench,
      "Slots of the bench with live readings, and their sessions", NULL,
      { { "slot", "that slot alone" } } },
    { "POST", "/v1/bench/{slot}/session", RIGHT_WRITE, &post_bench_session,
      "Begins a session: ticket, kind, staff, vehicle, device, model", JSON, { { 0 } } },
    { "DELETE", "/v1/bench/{slot}/session", RIGHT_WRITE, &delete_bench_session,
      "Ends the slot's session without an outcome", NULL, { { 0 } } },
    { "GET", "/v1/devices", RIGHT_READ, &get_devices, "Devices with service and fault state", NULL,
      { { "state", "in_service, out_of_service or faulty" },
        { "site", "of that site" },
        { "model", "of that model" },
        PAGED } },
    { "POST", "/v1/events", RIGHT_WRITE, &post_events,
      "Takes events, one a line; answers when they are durable", NDJSON, { { 0 } } },
    { "GET", "/v1/explain", RIGHT_READ, &get_explain, "The tickets or devices behind one fact",
      NULL,
      { { "kpi", "id of the KPI" },
        { "period", "one period; this week if left out" },
        { "scope", "one scope; company if left out" },
        { "revision", "open, or a sealed one; the one that is shown if left out" },
        PAGED } },
    { "GET", "/v1/facts", RIGHT_READ, &get_facts, "Facts of a period or a range of periods", NULL,
      { { "period", "a period, or from..to; the present one if left out" },
        { "kpi", "id of the KPI; all if left out" },
        { "scope", "a scope, or site:* and the like; all if left out" },
        { "kind", "day, week, month or year; week if left out" },
        PAGED } },
    { "POST", "/v1/lookups", RIGHT_WRITE, &post_lookup,
      "Asks where a vehicle is, and records a look-up ticket with its verdict", JSON, { { 0 } } },
    { "GET", "/v1/quarantine", RIGHT_READ, &get_quarantine,
      "What was received and could not be taken, oldest first", NULL, { PAGED } },
    { "POST", "/v1/quarantine/{n}", RIGHT_WRITE, &post_quarantine,
      "Resubmits an item, corrected: the body is the event", JSON, { { 0 } } },
    { "DELETE", "/v1/quarantine/{n}", RIGHT_WRITE, &delete_quarantine,
      "Dismisses an item with a reason", JSON, { { "reason", "why; or in the body" } } },
    { "GET", "/v1/sources", RIGHT_READ, &get_sources, "Every input and how it is", NULL,
      { { 0 } } },
    { "POST", "/v1/sources/{name}/poll", RIGHT_WRITE, &post_poll, "Asks an input to poll now",
      NULL, { { 0 } } },
    { "GET", "/v1/status", RIGHT_READ, &get_status, "The house at a glance", NULL, { { 0 } } },
    { "GET", "/v1/tickets/{kind}/{ticket}", RIGHT_READ, &get_ticket,
      "One ticket: state, contribution, events", NULL, { { 0 } } },
    { "GET", "/v1/watch", RIGHT_READ, &get_watch, "Changes of facts as Server-Sent Events", NULL,
      { { "kpi", "id of the KPI; all if left out" },
        { "scope", "a scope, or site:* and the like; all if left out" } } },
    { "GET", "/v1/weeks/{week}", RIGHT_READ, &get_week, "The weekly meeting's view of a week", NULL,
      { { 0 } } },
    { "PUT", "/v1/weeks/{week}/notes/{department}/{kpi}", RIGHT_WRITE, &put_note,
      "Explains why a department missed a KPI: {\"text\":\"\"}", JSON, { { 0 } } },
    { "POST", "/v1/weeks/{week}/restate", RIGHT_WRITE, &post_restate,
      "Writes the next revision of a sealed week, with a reason", JSON,
      { { "reason", "why; or in the body" } } },
    { "POST", "/v1/weeks/{week}/seal", RIGHT_WRITE, &post_seal,
      "Seals a week that has ended, before its grace is over, with a reason", JSON,
      { { "reason", "why; or in the body" } } },
};
/* clang-format on */

const size_t api_route_count = sizeof api_routes / sizeof api_routes[0];
