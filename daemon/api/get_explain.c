/* GET /v1/explain: the tickets or devices behind one fact, each with what it adds. The sum over
 * all pages is the fact: both come from one state of the ledger, and the contributions are those
 * that were counted, by the rules that they were counted by. Of a sealed revision these are the
 * rules of its seal, which the ledger keeps. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/get_facts.h"
#include "api/handlers.h"
#include "api/show.h"
#include "api/work.h"
#include "base/mem.h"
#include "config/conf.h"
#include "ledger/explain.h"

enum {
    USUAL = 100,
    DEVICES_LOOKED_AT_MAX = 2000, /* for one page: most of them may not match */
};

struct question {
    const char *kpi, *scope; /* point into the call's address */
    struct period period;
    bool open;        /* as the log says now, though it be sealed */
    int32_t revision; /* 0: the one that people are shown */
    struct page page;
    struct rules *then; /* that a sealed revision was counted by; NULL: those in force */
    struct explained fact;
};

static void forget_question(void *arg)
{
    struct question *q = arg;

    rules_destroy(q->then);
    free(q);
}

/* --- The fact itself */

/* Which revision is asked for: from here on everything is read as it was then. 0 or less: `w` or
 * `err` says why not. */
static int look_back(struct work *w, struct reader *reader, int64_t *ret_seal, struct err *err)
{
    const struct question *q = w->arg;
    struct revision revision = { 0 };
    char period[PERIOD_SIZE];
    int rc = q->open ? 0 : reader_revision(reader, q->period, q->revision, &revision, err);

    if (rc == 0 && q->revision > 0) {
        problem_set(&w->problem, PROBLEM_NOT_FOUND, "%s has no revision %d",
                    period_format(period, q->period), (int)q->revision);
        return 0;
    }
    if (rc > 0) {
        reader_look_back(reader, &revision);
        w->as_of = revision.as_of;
    }
    *ret_seal = revision.seal;
    return rc < 0 ? rc : 1;
}

/* 0 if `w` says why they cannot be had: a wrong sum is worse than none. */
static int rules_of_seal(struct work *w, struct reader *reader, int64_t seal, struct err *err)
{
    struct question *q = w->arg;
    struct faults faults = { 0 };
    char *settings = NULL;
    int rc = explain_settings(reader, seal, &settings, err);

    if (rc < 0)
        return rc;
    if (settings)
        q->then = conf_recorded_rules(settings, &faults);
    if (!q->then)
        problem_set(&w->problem, PROBLEM_CONFLICT,
                    "record %lld was counted by rules that %s, so what is listed might not add up "
                    "to the sealed figure%s%s",
                    (long long)seal, settings ? "this version does not read" : "were not recorded",
                    faults.count > 0 ? ": " : "", faults.count > 0 ? faults.items[0].text : "");
    faults_finish(&faults);
    free(settings);
    return q->then != NULL;
}

/* The rules that the fact was counted by. 0 if `w` says why they cannot be had. */
static int find_rules(struct work *w, struct reader *reader, int64_t seal,
                      const struct rules **ret, struct err *err)
{
    const struct question *q = w->arg;
    int rc = seal ? rules_of_seal(w, reader, seal, err)
                  : explain_counted_by(reader, w->rules, err);

    if (rc == 0 && !w->problem.kind) {
        problem_set(&w->problem, PROBLEM_BUSY, "a new configuration is coming into force");
        w->problem.retry_after_s = 1;
    }
    *ret = seal ? q->then : w->rules;
    return rc;
}

/* There is no such fact, and perhaps no such KPI. */
static int say_none(struct work *w, struct err *err)
{
    const struct question *q = w->arg;
    char period[PERIOD_SIZE];

    if (w->unstored.code < 0)
        return err_set(err, w->unstored.code, "%s", w->unstored.text);
    if (api_kpi(w->rules, q->kpi, &w->problem))
        problem_set(&w->problem, PROBLEM_NOT_FOUND, "no fact %s %s %s: nothing was counted there",
                    q->kpi, period_format(period, q->period), q->scope);
    return 0;
}

/* Finds it, and what it is explained by. 1, or 0 if `w` says why not. */
static int find_fact(struct work *w, struct reader *reader, struct fact_row *ret, struct err *err)
{
    struct question *q = w->arg;
    const struct rules *rules = NULL;
    int64_t seal = 0;
    int rc = look_back(w, reader, &seal, err);

    if (rc > 0)
        rc = reader_fact(reader, q->kpi, q->period, q->scope, seal, ret, err);
    if (rc == 0 && !w->problem.kind)
        return say_none(w, err);
    if (rc > 0)
        rc = find_rules(w, reader, seal, &rules, err);
    if (rc <= 0)
        return rc;
    q->fact = (struct explained){ .rules = rules,
                                  .kpi = rules_kpi(rules, q->kpi),
                                  .scope = q->scope,
                                  .begin_at = ret->begin_at,
                                  .end_at = ret->end_at,
                                  .as_of = w->as_of };
    return q->fact.kpi ? 1 : err_set(err, -EBADMSG, "fact %s is of no KPI: the file is damaged, put "
                                     "the last backup in its place with kpid --restore", q->kpi);
}

/* 1, or 0 if `w` says why not. */
static int show_fact(struct work *w, struct reader *reader, struct err *err)
{
    const struct question *q = w->arg;
    struct fact_row found;
    struct fact_view view;
    int rc = find_fact(w, reader, &found, err);

    if (rc <= 0)
        return rc;
    view = found.sealing.revision > 0
               ? (struct fact_view){ .kpi = q->fact.kpi,
                                     .period = q->period,
                                     .scope = q->scope,
                                     .fact = &found.fact }
               : work_view(w, q->fact.kpi, q->period, q->scope, &found.fact);
    fact_view_seal(&view, &found.sealing);
    text_buffer_adds(&w->out, "{\"fact\":");
    fact_json(&w->out, &view, &w->rules->zone);
    text_buffer_adds(&w->out, ",\"items\":[");
    return 1;
}

/* --- Tickets */

/* Gathered first: their events are other reads. */
struct row_list {
    struct ticket_row *rows;
    char (*accusers)[TICKET_SIZE];
    size_t count, limit;
    bool more;
};

static int take_row(void *arg, const struct ticket_row *row)
{
    struct row_list *l = arg;

    if (l->count == l->limit) {
        l->more = true;
        return 1;
    }
    l->rows[l->count] = *row;
    text_set(l->accusers[l->count], TICKET_SIZE, row->accuser ? row->accuser : "");
    l->rows[l->count].accuser = row->accuser ? l->accusers[l->count] : NULL;
    l->count++;
    return 0;
}

static int show_ticket_item(struct work *w, struct reader *reader, const struct ticket_row *row,
                            struct err *err)
{
    const struct question *q = w->arg;
    struct text_buffer *to = &w->out;
    bool evidence = false;
    int rc;

    json_out_comma(to);
    text_buffer_adds(to, "{");
    json_out_text(to, "ticket", row->ticket.ticket);
    json_out_text(to, "kind", row->ticket.kind);
    show_counts(to, &row->contribution.counts);
    show_ticket(to, row, q->fact.kpi, &w->rules->zone);
    show_instant(to, "counts_at", row->contribution.counts_at, &w->rules->zone);
    rc = show_identities(to, reader, row->ticket.kind, row->ticket.ticket, &evidence, err);
    if (rc < 0)
        return rc;
    if (evidence)
        show_ticket_link(to, "evidence", row->ticket.kind, row->ticket.ticket);
    else
        json_out_text(to, "evidence", NULL);
    text_buffer_adds(to, "}");
    return 0;
}

static int show_rows(struct work *w, struct reader *reader, const struct row_list *l,
                     struct err *err)
{
    const struct ticket_row *last = l->count ? &l->rows[l->count - 1] : NULL;
    char at[24];
    const char *fields[2] = { at, last ? last->ticket.ticket : "" };
    int rc = 0;

    for (size_t i = 0; i < l->count && rc == 0; i++)
        rc = show_ticket_item(w, reader, &l->rows[i], err);
    if (rc < 0)
        return rc;
    snprintf(at, sizeof at, "%lld", last ? (long long)last->contribution.counts_at : 0);
    text_buffer_adds(&w->out, "]");
    page_cursor(&w->out, l->more ? fields : NULL, LENGTH(fields));
    text_buffer_adds(&w->out, "}");
    return 0;
}

static int explain_tickets(struct work *w, struct reader *reader, struct err *err)
{
    const struct question *q = w->arg;
    struct row_list l = { .limit = q->page.limit };
    const char *after = q->page.resumes ? q->page.fields[1] : NULL;
    long long after_at = 0;
    int rc;

    if (after && !page_integer(q->page.fields[0], &after_at)) {
        problem_set(&w->problem, PROBLEM_BAD_PARAMETER, "cursor: is that of another question");
        return 0;
    }
    l.rows = mem_realloc_array(NULL, l.limit, sizeof *l.rows);
    l.accusers = mem_realloc_array(NULL, l.limit, sizeof *l.accusers);
    rc = reader_tickets_of_fact(reader, q->fact.kpi, q->fact.begin_at, q->fact.end_at, q->scope,
                                after_at, after, take_row, &l, err);
    if (rc == 0)
        rc = show_rows(w, reader, &l, err);
    free(l.rows);
    free(l.accusers);
    return rc;
}

/* --- Devices */

struct device_list {
    struct work *work;
    struct reader *reader;
    char (*names)[NAME_SIZE];
    size_t count;
    bool more;
};

static int take_name(void *arg, const char *device)
{
    struct device_list *l = arg;

    if (l->count == DEVICES_LOOKED_AT_MAX) {
        l->more = true;
        return 1;
    }
    text_set(l->names[l->count++], NAME_SIZE, device);
    return 0;
}

static bool overlaps(const struct interval *i, int64_t begin, int64_t end)
{
    return i->begin < end && i->end > begin;
}

static void show_interval(struct text_buffer *to, const struct interval *i, const char *code,
                          const struct zone *zone)
{
    json_out_comma(to);
    text_buffer_adds(to, "{");
    if (code)
        json_out_text(to, "code", code);
    show_instant(to, "from", i->begin, zone);
    show_instant(to, "until", i->end, zone);
    text_buffer_adds(to, "}");
}

/* What made it count: service, and the faults that were confirmed, within the period. */
static void show_history(struct work *w, const struct device_history *h)
{
    const struct question *q = w->arg;
    const struct explained *of = &q->fact;
    const struct zone *zone = &w->rules->zone;
    int64_t begin = of->begin_at, end = of->end_at < of->as_of ? of->end_at : of->as_of;

    json_out_key(&w->out, "service");
    text_buffer_adds(&w->out, "[");
    for (size_t i = 0; i < h->service_count; i++) {
        if (overlaps(&h->service[i], begin, end))
            show_interval(&w->out, &h->service[i], NULL, zone);
    }
    text_buffer_adds(&w->out, "]");
    json_out_key(&w->out, "faults");
    text_buffer_adds(&w->out, "[");
    for (size_t i = 0; i < h->fault_count; i++) {
        const struct interval *f = &h->faults[i].during;
        int64_t lasted = (f->end < of->as_of ? f->end : of->as_of) - f->begin;

        if (lasted >= of->kpi->confirm_after_ms && overlaps(f, begin, end))
            show_interval(&w->out, f, h->faults[i].code, zone);
    }
    text_buffer_adds(&w->out, "]");
}

/* 1 if it is part of the fact, 0 if not. */
static int show_device(struct device_list *l, const struct device_history *h, struct err *err)
{
    struct work *w = l->work;
    const struct question *q = w->arg;
    struct counts counts;
    struct attributes is;
    bool evidence; /* devices have no page of their own to link to */
    int rc;

    if (!explain_device(&q->fact, h, &counts, &is))
        return 0;
    json_out_comma(&w->out);
    text_buffer_adds(&w->out, "{");
    json_out_text(&w->out, "device", h->device);
    show_counts(&w->out, &counts);
    show_text(&w->out, "site", is.site);
    show_text(&w->out, "model", is.model);
    show_text(&w->out, "department", is.department);
    show_history(w, h);
    rc = show_identities(&w->out, l->reader, "device", h->device, &evidence, err);
    text_buffer_adds(&w->out, "}");
    return rc < 0 ? rc : 1;
}

/* Looks at the devices one by one until the page is full; returns how many it looked at. */
static int show_devices(struct device_list *l, size_t limit, struct err *err)
{
    const struct question *q = l->work->arg;
    size_t shown = 0, i;
    int rc = 0;

    for (i = 0; i < l->count && shown < limit; i++) {
        struct device_history history = { 0 };

        rc = reader_device(l->reader, l->names[i], q->fact.rules, q->fact.as_of, &history, err);
        if (rc < 0)
            return rc;
        if (rc > 0) {
            rc = show_device(l, &history, err);
            device_history_finish(&history);
            if (rc < 0)
                return rc;
            shown += (size_t)rc;
        }
    }
    return (int)i;
}

static int explain_devices(struct work *w, struct reader *reader, struct err *err)
{
    const struct question *q = w->arg;
    struct device_list l = { .work = w, .reader = reader };
    int rc;

    l.names = mem_realloc_array(NULL, DEVICES_LOOKED_AT_MAX, sizeof *l.names);
    rc =
        reader_device_names(reader, q->page.resumes ? q->page.fields[1] : NULL, take_name, &l, err);
    if (rc == 0)
        rc = show_devices(&l, q->page.limit, err);
    if (rc >= 0) {
        bool more = l.more || (size_t)rc < l.count;
        const char *fields[2] = { "0", rc > 0 ? l.names[rc - 1] : "" };

        text_buffer_adds(&w->out, "]");
        page_cursor(&w->out, more && rc > 0 ? fields : NULL, LENGTH(fields));
        text_buffer_adds(&w->out, "}");
    }
    free(l.names);
    return rc < 0 ? rc : 0;
}

/* --- The question */

/* Pool thread. */
static int explain(struct work *w, struct reader *reader, struct err *err)
{
    const struct question *q = w->arg;
    int rc = show_fact(w, reader, err);

    if (rc <= 0)
        return rc;
    return q->fact.kpi->counts_devices ? explain_devices(w, reader, err)
                                       : explain_tickets(w, reader, err);
}

/* "open", or the number of a sealed revision. */
static bool read_revision(const char *text, struct question *q, struct problem *problem)
{
    long long number;

    if (!text)
        return true;
    q->open = strcmp(text, "open") == 0 || strcmp(text, "0") == 0;
    if (!q->open && (!page_integer(text, &number) || number < 1 || number > INT32_MAX))
        return problem_set(problem, PROBLEM_BAD_PARAMETER,
                           "revision: write open, or the number of a sealed revision");
    q->revision = q->open ? 0 : (int32_t)number;
    return true;
}

static bool read_question(struct call *call, struct question *q, struct problem *problem)
{
    const struct rules *rules = api_rules(call->api);
    const char *period = call_value(call, "period"), *scope = call_value(call, "scope");

    q->kpi = call_value(call, "kpi");
    q->scope = scope ? scope : "company";
    q->period = period_at(PERIOD_WEEK, &rules->zone, api_as_of(call->api));
    if (!q->kpi)
        return problem_set(problem, PROBLEM_BAD_PARAMETER, "kpi: say which one");
    return api_scope_is_valid(q->scope, false, problem) &&
           read_revision(call_value(call, "revision"), q, problem) &&
           (!period || facts_period(period, &q->period, problem)) &&
           page_read(&q->page, call_value(call, "limit"), call_value(call, "cursor"), USUAL, 2,
                     problem);
}

static void end(struct call *call)
{
    struct question *q = mem_zalloc(sizeof *q);
    struct problem problem;

    if (read_question(call, q, &problem)) {
        work_begin(call, explain, work_reply, q, forget_question);
        return;
    }
    forget_question(q);
    call_problem(call, &problem);
}

const struct handler get_explain = { .end = end };
