/* POST /v1/exclusions, DELETE /v1/exclusions/{n}: a window of exclusion (law 6): one authorised act
 * amends every ticket that was opened in the window, as one batch with one record in the chain,
 * whose number is the exclusion's; and one act undoes it.
 *
 * The tickets are looked up on the pool, which composes the events; the ledger takes them and the
 * record in one transaction. Undone, each ticket counts again as it would without the batch: what
 * was settled in time gets its outcome back, and what was not is reopened. One that was settled or
 * corrected since the exclusion is left alone. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_tree.h>

#include "api/handlers.h"
#include "api/show.h"
#include "api/work.h"
#include "base/instant.h"
#include "base/mem.h"

enum { TICKETS_MAX = 20000 };

static const char source[] = "exclusion";

struct act {
    struct call *call;
    char kind[KIND_SIZE], site[NAME_SIZE], reason[REASON_SIZE], by[PEER_NAME_SIZE];
    int64_t from_at, until_at;
    int64_t n;                  /* of the exclusion to undo; 0: a new one */
    char batch[32];             /* what the ids of its events begin with */
    int64_t at;                 /* of the events that are composed */
    struct text_buffer events;  /* one JSON object a line */
    size_t count;
    char *content;
    char via[PEER_NAME_SIZE + 8];
    struct ledger_line *lines;
    struct ledger_request request;
};

static void act_destroy(void *arg)
{
    struct act *a = arg;

    text_buffer_finish(&a->events);
    free(a->content);
    free(a->lines);
    free(a);
}

/* --- Composing. Pool thread. */

static void compose(struct act *a, const char *kind, const char *ticket, const char *verb,
                    const char *outcome, const char *reason)
{
    struct text_buffer *to = &a->events;
    char id[64], when[INSTANT_SIZE], type[KIND_SIZE + 16];

    snprintf(id, sizeof id, "%s-%lld-%zu", a->n ? "undo" : "exclude", (long long)a->at, a->count++);
    snprintf(type, sizeof type, "%s.%s", kind, verb);
    text_buffer_adds(to, "{");
    json_out_text(to, "source", source);
    json_out_text(to, "id", id);
    json_out_text(to, "type", type);
    json_out_text(to, "at", instant_format(when, a->at, 0));
    json_out_text(to, "ticket", ticket);
    if (outcome)
        json_out_text(to, "outcome", outcome);
    json_out_text(to, "reason", reason);
    json_out_text(to, "by", a->by);
    text_buffer_adds(to, "}\n");
}

static int exclude_ticket(void *arg, const struct ticket_row *row)
{
    struct act *a = arg;

    if (row->ticket.outcome == OUTCOME_EXCLUDED ||
        (a->site[0] && strcmp(row->ticket.is.site, a->site) != 0))
        return 0;
    compose(a, row->ticket.kind, row->ticket.ticket, "amended", "excluded", a->reason);
    return a->count > TICKETS_MAX;
}

/* The events of one ticket, with and without those of the batch. */
struct folding {
    const struct act *act;
    struct event *all, *others;
    size_t all_count, other_count;
};

static int take_event(void *arg, const struct event_row *row)
{
    struct folding *f = arg;
    size_t length = strlen(f->act->batch);
    bool ours = strcmp(row->event.source, source) == 0 &&
                strncmp(row->event.id, f->act->batch, length) == 0;

    f->all = mem_realloc_array(f->all, f->all_count + 1, sizeof *f->all);
    f->all[f->all_count++] = row->event;
    if (ours)
        return 0;
    f->others = mem_realloc_array(f->others, f->other_count + 1, sizeof *f->others);
    f->others[f->other_count++] = row->event;
    return 0;
}

/* Brings a ticket back to what it would count as without the batch. */
static void restore(struct act *a, const struct kpi *kpi, const struct ticket *was)
{
    char reason[64];
    bool late = kpi && !was->corrected && ticket_settled_at(was, kpi) != INSTANT_NONE &&
                ticket_settled_at(was, kpi) > ticket_expires_at(was, kpi);

    snprintf(reason, sizeof reason, "exclusion %lld undone", (long long)a->n);
    if (was->outcome == OUTCOME_NONE || late)
        compose(a, was->kind, was->ticket, "reopened", NULL, a->reason);
    else
        compose(a, was->kind, was->ticket, "amended", outcome_name(was->outcome),
                was->reason[0] ? was->reason : reason);
}

static int undo_ticket(struct work *w, struct reader *reader, const char *kind, const char *ticket,
                       struct err *err)
{
    struct act *a = w->arg;
    struct folding f = { .act = a };
    struct ticket was, is;
    int rc = reader_events(reader, kind, ticket, take_event, &f, err);

    if (rc == 0) {
        ticket_init(&was, kind, ticket);
        ticket_init(&is, kind, ticket);
        ticket_fold(&is, f.all, f.all_count, w->as_of);
        ticket_fold(&was, f.others, f.other_count, w->as_of);
        if (is.outcome == OUTCOME_EXCLUDED && is.corrected && was.outcome != OUTCOME_EXCLUDED)
            restore(a, rules_kpi_of_kind(w->rules, kind), &was);
    }
    free(f.all);
    free(f.others);
    return rc;
}

/* Names of the tickets of the batch: gathered first, for their events are other reads. */
struct names {
    struct name {
        char kind[KIND_SIZE], ticket[TICKET_SIZE];
    } *items;
    size_t count;
};

static int take_name(void *arg, const struct event_row *row)
{
    struct names *n = arg;

    n->items = mem_realloc_array(n->items, n->count + 1, sizeof *n->items);
    text_set(n->items[n->count].kind, KIND_SIZE, row->event.kind);
    text_set(n->items[n->count++].ticket, TICKET_SIZE, row->event.ticket);
    return 0;
}

static int undo_all(struct work *w, struct reader *reader, struct err *err)
{
    struct act *a = w->arg;
    struct names names = { 0 };
    int rc = reader_batch(reader, source, a->batch, take_name, &names, err);

    for (size_t i = 0; rc == 0 && i < names.count; i++)
        rc = undo_ticket(w, reader, names.items[i].kind, names.items[i].ticket, err);
    free(names.items);
    return rc;
}

/* What the record of the chain says of the act. */
static void describe(struct work *w)
{
    struct act *a = w->arg;
    struct text_buffer to = { 0 };

    text_buffer_adds(&to, "{");
    if (a->n) {
        json_out_integer(&to, "exclusion", a->n);
    } else {
        json_out_text(&to, "kind", a->kind);
        show_instant(&to, "from", a->from_at, &w->rules->zone);
        show_instant(&to, "until", a->until_at, &w->rules->zone);
        show_text(&to, "site", a->site);
        snprintf(a->batch, sizeof a->batch, "exclude-%lld-", (long long)a->at);
        json_out_text(&to, "batch", a->batch);
    }
    json_out_integer(&to, "tickets", (int64_t)a->count);
    text_buffer_adds(&to, "}");
    a->content = text_buffer_take(&to);
}

static int find_batch(void *arg, const struct chain_row *row)
{
    struct act *a = arg;
    static const char *path[] = { "batch", NULL };
    yajl_val tree, batch;
    const char *text;

    if (row->n != a->n || strcmp(row->kind, "excluded") != 0)
        return 1;
    tree = yajl_tree_parse(row->content, NULL, 0);
    batch = tree ? yajl_tree_get(tree, path, yajl_t_string) : NULL;
    text = batch ? YAJL_GET_STRING(batch) : NULL;
    if (text && strlen(text) < sizeof a->batch)
        text_set(a->batch, sizeof a->batch, text);
    yajl_tree_free(tree);
    return 1;
}

/* Pool thread. */
static int look_up(struct work *w, struct reader *reader, struct err *err)
{
    struct act *a = w->arg;
    int rc;

    if (a->n) {
        rc = reader_chain(reader, a->n + 1, find_batch, a, err);
        if (rc == 0 && !a->batch[0]) {
            problem_set(&w->problem, PROBLEM_NOT_FOUND, "record %lld is no exclusion: kpictl audit "
                        "lists them", (long long)a->n);
            return 0;
        }
        if (rc == 0)
            rc = undo_all(w, reader, err);
    } else {
        rc = reader_tickets_opened(reader, a->kind, a->from_at, a->until_at, exclude_ticket, a,
                                   err);
    }
    if (rc == 0 && a->count > TICKETS_MAX)
        problem_set(&w->problem, PROBLEM_UNPROCESSABLE,
                    "more than %d tickets were opened in the window: take a shorter one",
                    TICKETS_MAX);
    else if (rc == 0 && a->count == 0 && !a->n)
        problem_set(&w->problem, PROBLEM_UNPROCESSABLE,
                    "no ticket of kind \"%.32s\" was opened in the window that is not excluded",
                    a->kind);
    if (rc == 0)
        describe(w);
    return rc;
}

/* --- Writing. Loop thread. */

static void on_written(struct ledger_request *request)
{
    struct act *a = request->arg;
    struct call *call = a->call;
    struct text_buffer out = { 0 };
    struct problem problem;

    api_unpend(call->api);
    if (request->status == -EEXIST) {
        problem_set(&problem, PROBLEM_CONFLICT, "%.400s", request->err.text);
        call_problem(call, &problem);
    } else if (request->status < 0) {
        call_fail(call, request->status, &request->err);
    } else {
        text_buffer_adds(&out, "{");
        json_out_integer(&out, a->n ? "exclusion" : "n", a->n ? a->n : request->n);
        json_out_integer(&out, "record", request->n);
        json_out_integer(&out, "tickets", (int64_t)a->count);
        json_out_text(&out, "by", a->by);
        json_out_text(&out, "reason", a->reason);
        text_buffer_adds(&out, "}");
        call_reply_json(call, 200, &out);
    }
    act_destroy(a);
}

/* The composed events as lines. False, with the reason told, if one is none (which is a bug). */
static bool parse_lines(struct act *a)
{
    const char *at = a->events.bytes;

    a->lines = mem_zalloc((a->count + 1) * sizeof *a->lines);
    for (size_t i = 0; i < a->count; i++) {
        struct ledger_line *line = &a->lines[i];

        line->json = at;
        line->length = strcspn(at, "\n");
        line->number = (int64_t)i + 1;
        at += line->length + 1;
        if (!event_parse(line->json, line->length, NULL, &line->event, &line->reject))
            return false;
    }
    return true;
}

static void submit(struct work *w)
{
    struct act *a = w->arg;
    struct call *call = w->call;
    struct problem problem;

    a->request = (struct ledger_request){ .what = LEDGER_EXCLUDE, .lines = a->lines,
                                          .count = a->count, .n = a->n, .by = a->by,
                                          .text = a->reason, .settings = a->content,
                                          .done = on_written, .arg = a };
    snprintf(a->via, sizeof a->via, "socket:%s", a->by);
    a->request.via = a->via;
    if (!parse_lines(a)) {
        problem_set(&problem, PROBLEM_INTERNAL, "an event could not be composed");
    } else {
        a->request.lines = a->lines;
        if (ledger_submit(call->api->house.ledger, &a->request)) {
            w->arg = NULL;      /* the request has it now */
            w->forget = NULL;
            api_pend(call->api);
            return;
        }
        problem_set(&problem, PROBLEM_BUSY, "too much waits to be written");
        problem.retry_after_s = 2;
    }
    call_problem(call, &problem);
}

/* --- The request. */

static const char *member(yajl_val tree, const char *name)
{
    const char *path[] = { name, NULL };
    yajl_val value = tree ? yajl_tree_get(tree, path, yajl_t_string) : NULL;

    return value ? YAJL_GET_STRING(value) : "";
}

static bool read_window(struct act *a, yajl_val tree, struct problem *problem)
{
    const char *kind = member(tree, "kind"), *site = member(tree, "site");
    const char *from = member(tree, "from"), *until = member(tree, "until");
    const struct rules *rules = api_rules(a->call->api);

    if (!rules_kpi_of_kind(rules, kind) || strlen(kind) >= sizeof a->kind)
        return problem_set(problem, PROBLEM_BAD_BODY, "kind: no KPI counts tickets of \"%.32s\"",
                           kind);
    if (!instant_parse(from, strlen(from), &a->from_at) ||
        !instant_parse(until, strlen(until), &a->until_at) || a->from_at >= a->until_at)
        return problem_set(problem, PROBLEM_BAD_BODY, "from, until: write two instants, the earlier "
                           "first, like \"2026-11-20T09:00:00+08:00\"");
    if (!text_copy(a->site, sizeof a->site, site, strlen(site)))
        return problem_set(problem, PROBLEM_BAD_BODY, "site: has more than %d bytes",
                           NAME_SIZE - 1);
    text_set(a->kind, sizeof a->kind, kind);
    return true;
}

static void begin_act(struct call *call, int64_t n)
{
    struct text_buffer *body = body_of(call);
    struct problem problem;
    struct act *a;
    yajl_val tree;
    bool well;

    if (!body)
        return;
    a = mem_zalloc(sizeof *a);
    a->call = call;
    a->n = n;
    a->at = api_as_of(call->api);
    text_set(a->by, sizeof a->by, call->connection->user);
    if (!body_reason(call, body, a->reason)) {
        act_destroy(a);
        return;
    }
    tree = n || !body->length ? NULL : yajl_tree_parse(body->bytes, NULL, 0);
    well = n || read_window(a, tree, &problem);
    yajl_tree_free(tree);
    if (well) {
        work_begin(call, look_up, submit, a, act_destroy);
        return;
    }
    act_destroy(a);
    call_problem(call, &problem);
}

static void exclude(struct call *call)
{
    begin_act(call, 0);
}

static void undo(struct call *call)
{
    struct problem problem;
    long long n;

    if (page_integer(call->hit.captures[0], &n) && n > 0) {
        begin_act(call, n);
        return;
    }
    problem_set(&problem, PROBLEM_NOT_FOUND, "exclusions have numbers from 1");
    call_problem(call, &problem);
}

const struct handler post_exclusion = {
    .begin = body_begin, .body = body_take, .end = exclude, .forget = body_forget
};
const struct handler delete_exclusion = {
    .begin = body_begin, .body = body_take, .end = undo, .forget = body_forget
};
