/* GET /v1/facts: facts of one period or a range of them.
 *
 * Almost every question is for one fact of the present week, and is answered from the board with
 * one look into a hash table. What the board no longer holds is read from the ledger on the pool;
 * a page looks the same from either. */
#include "api/get_facts.h"

#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/work.h"
#include "base/mem.h"

struct query {
    struct period from, to;
    const char *kpi, *scope; /* point into the call's address, or NULL */
    struct page page;
    struct period after; /* if page.resumes: the last item of the page before */
};

/* A page while it is written. */
struct list {
    const struct query *query;
    struct text_buffer *out;
    size_t count;
    bool more;
    struct period period; /* of the last item */
    char kpi[KPI_ID_SIZE], scope[SCOPE_SIZE];
};

bool facts_period(const char *text, struct period *ret, struct problem *problem)
{
    char quoted[64];

    if (period_parse(text, ret))
        return true;
    text_quote(quoted, sizeof quoted, text, strlen(text));
    return problem_set(problem, PROBLEM_BAD_PARAMETER,
                       "period: %s is none; write a day 2026-11-16, a week 2026-W47, a month "
                       "2026-11 or a year 2026",
                       quoted);
}

/* "2026-W40..2026-W47", or one of them. Cuts `text` in two. */
static bool read_range(char *text, struct period *ret_from, struct period *ret_to,
                       struct problem *problem)
{
    char *dots = strstr(text, "..");
    struct period from, to;

    if (dots)
        *dots = '\0';
    if (!facts_period(text, &from, problem) || !facts_period(dots ? dots + 2 : text, &to, problem))
        return false;
    if (from.kind != to.kind)
        return problem_set(problem, PROBLEM_BAD_PARAMETER,
                           "period: %s is a %s and %s a %s; a range has one kind", text,
                           period_kind_name(from.kind), dots + 2, period_kind_name(to.kind));
    if (from.number > to.number)
        return problem_set(problem, PROBLEM_BAD_PARAMETER,
                           "period: %s comes after %s; write the earlier first", text, dots + 2);
    *ret_from = from;
    *ret_to = to;
    return true;
}

static bool read_periods(struct call *call, struct query *q, struct problem *problem)
{
    const char *text = call_value(call, "period"), *kind_text = call_value(call, "kind");
    enum period_kind kind = PERIOD_WEEK;
    char quoted[64];

    if (kind_text && !period_kind_parse(kind_text, &kind)) {
        text_quote(quoted, sizeof quoted, kind_text, strlen(kind_text));
        return problem_set(problem, PROBLEM_BAD_PARAMETER,
                           "kind: %s is none; write day, week, month or year", quoted);
    }
    if (!text) {
        q->from = q->to = period_at(kind, &api_rules(call->api)->zone, api_as_of(call->api));
        return true;
    }
    /* The address is the connection's own copy. */
    if (!read_range(call->connection->uri + (text - call->connection->uri), &q->from, &q->to,
                    problem))
        return false;
    if (kind_text && q->from.kind != kind)
        return problem_set(problem, PROBLEM_BAD_PARAMETER,
                           "kind: the period is a %s, not a %s; leave one of the two out",
                           period_kind_name(q->from.kind), period_kind_name(kind));
    return true;
}

static bool read_query(struct call *call, struct query *q, struct problem *problem)
{
    const struct rules *rules = api_rules(call->api);

    q->kpi = call_value(call, "kpi");
    q->scope = call_value(call, "scope");
    if (!read_periods(call, q, problem) || (q->kpi && !api_kpi(rules, q->kpi, problem)) ||
        (q->scope && !api_scope_is_valid(q->scope, true, problem)) ||
        !page_read(&q->page, call_value(call, "limit"), call_value(call, "cursor"), PAGE_MAX, 3,
                   problem))
        return false;
    if (q->page.resumes && !facts_period(q->page.fields[0], &q->after, problem))
        return problem_set(problem, PROBLEM_BAD_PARAMETER,
                           "cursor: use the one that the page before gave, as it is");
    return true;
}

/* --- Writing a page */

static bool comes_after(const struct query *q, struct period period, const char *kpi,
                        const char *scope)
{
    int order;

    if (!q->page.resumes)
        return true;
    order = period_compare(period, q->after);
    if (!order)
        order = strcmp(kpi, q->page.fields[1]);
    if (!order)
        order = strcmp(scope, q->page.fields[2]);
    return order > 0;
}

static void list_begin(struct list *list)
{
    text_buffer_adds(list->out, "{\"facts\":[");
}

/* 1 if the page is full. */
static int list_add(struct list *list, const struct fact_view *view, const struct zone *zone)
{
    if (list->count == list->query->page.limit) {
        list->more = true;
        return 1;
    }
    if (list->count++)
        text_buffer_add(list->out, ",", 1);
    fact_json(list->out, view, zone);
    list->period = view->period;
    text_set(list->kpi, sizeof list->kpi, view->kpi->id);
    text_set(list->scope, sizeof list->scope, view->scope);
    return 0;
}

static void list_end(struct list *list)
{
    char period[PERIOD_SIZE];
    const char *fields[] = { period, list->kpi, list->scope };

    text_buffer_adds(list->out, "]");
    if (list->more)
        period_format(period, list->period);
    page_cursor(list->out, list->more ? fields : NULL, LENGTH(fields));
    text_buffer_adds(list->out, "}");
}

/* --- From the board */

struct board_list {
    struct list list;
    const struct board *board;
    const struct rules *rules;
    int64_t as_of;
};

static int add_published(void *arg, const struct published_fact *f)
{
    struct board_list *b = arg;
    const struct kpi *kpi = &b->rules->kpis[f->kpi];
    struct fact_view view;

    if (!comes_after(b->list.query, f->period, kpi->id, f->scope))
        return 0;
    view = board_view(b->board, kpi, f->period, f->scope, &f->fact, b->as_of);
    return list_add(&b->list, &view, &b->rules->zone);
}

static bool is_one_fact(const struct query *q)
{
    return q->kpi && q->scope && !strchr(q->scope, '*') && q->from.number == q->to.number &&
           !q->page.resumes;
}

static void reply_from_board(struct call *call, const struct query *q)
{
    struct text_buffer out = { 0 };
    struct board_list b = { .list = { .query = q, .out = &out },
                            .board = call->api->house.board,
                            .rules = api_rules(call->api),
                            .as_of = api_as_of(call->api) };

    list_begin(&b.list);
    if (is_one_fact(q)) {
        const struct kpi *kpi = rules_kpi(b.rules, q->kpi);
        const struct fact *fact = board_fact(b.board, kpi, q->from, q->scope);
        struct fact_view view;

        if (fact) {
            view = board_view(b.board, kpi, q->from, q->scope, fact, b.as_of);
            list_add(&b.list, &view, &b.rules->zone);
        }
    } else {
        board_each(b.board, q->page.resumes ? q->after : q->from, q->to, q->kpi, q->scope,
                   add_published, &b);
    }
    list_end(&b.list);
    call_reply_json(call, 200, &out);
}

/* --- From the ledger */

struct ledger_list {
    struct list list;
    const struct work *work;
};

static int add_row(void *arg, const struct fact_row *row)
{
    struct ledger_list *l = arg;
    const struct kpi *kpi = rules_kpi(l->work->rules, row->kpi);
    struct fact_view view;

    if (!kpi)
        return 0; /* counted under another configuration, which left it behind */
    view = work_view(l->work, kpi, row->period, row->scope, &row->fact);
    fact_view_seal(&view, &row->sealing);
    return list_add(&l->list, &view, &l->work->rules->zone);
}

/* Pool thread. */
static int read_facts(struct work *work, struct reader *reader, struct err *err)
{
    const struct query *q = work->arg;
    struct ledger_list l = { .list = { .query = q, .out = &work->out }, .work = work };
    struct fact_query query = { .from = q->from, .to = q->to, .kpi = q->kpi, .scope = q->scope };
    int rc;

    if (q->page.resumes) {
        query.after_period = q->after;
        query.after_kpi = q->page.fields[1];
        query.after_scope = q->page.fields[2];
    }
    list_begin(&l.list);
    rc = reader_facts(reader, &query, add_row, &l, err);
    if (rc < 0)
        return rc;
    list_end(&l.list);
    return 0;
}

static void end(struct call *call)
{
    struct query *q = mem_zalloc(sizeof *q);
    struct problem problem;

    if (!read_query(call, q, &problem)) {
        call_problem(call, &problem);
    } else if (board_holds(call->api->house.board, q->from)) {
        reply_from_board(call, q);
    } else {
        work_begin(call, read_facts, work_reply, q, free);
        return;
    }
    free(q);
}

const struct handler get_facts = { .end = end };
