/* GET /v1/appraisal: what an appraisal module reads, by post: the KPIs of each in its scope, how
 * far they attained their targets, and who held the post. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/get_facts.h"
#include "api/handlers.h"
#include "api/show.h"
#include "api/work.h"
#include "base/mem.h"
#include "ledger/meeting.h"

struct question {
    struct period period;
    char post[KPI_ID_SIZE]; /* "": all */
};

static void show_fact(struct work *w, const struct appraisal *a, const struct post_appraisal *p,
                      const struct post_fact *f)
{
    struct text_buffer *to = &w->out;

    json_out_comma(to);
    text_buffer_adds(to, "{");
    json_out_text(to, "kpi", f->name.kpi);
    show_name(to, f->name.zh, f->name.en);
    json_out_text(to, "period", a->period);
    json_out_text(to, "scope", p->scope);
    show_counts(to, &f->fact.counts);
    show_fraction(to, "rate", f->fact.rate_e6, 6);
    show_fraction(to, "target", f->fact.target_e4, 4);
    json_out_text(to, "direction", direction_name(f->name.direction));
    json_out_text(to, "verdict", verdict_name(f->fact.verdict));
    json_out_integer(to, "shortfall", f->fact.shortfall);
    show_fraction(to, "attainment", f->attainment_e4, 4);
    if (f->weight == COUNT_NONE)
        json_out_text(to, "weight", NULL);
    else
        json_out_integer(to, "weight", f->weight);
    text_buffer_adds(to, "}");
}

static void show_date(struct text_buffer *to, const char *key, int64_t at, const struct zone *zone)
{
    char day[PERIOD_SIZE];

    json_out_text(to, key, period_format(day, period_at(PERIOD_DAY, zone, at)));
}

/* The holders of one post in one period, with the days on which they held it. */
static void show_holders(struct work *w, const struct appraisal *a, const char *post,
                         const char *period)
{
    struct text_buffer *to = &w->out;
    const struct zone *zone = &w->rules->zone;

    json_out_key(to, "holders");
    text_buffer_adds(to, "[");
    for (size_t i = 0; i < a->holder_count; i++) {
        const struct post_holder *h = &a->holders[i];

        if (strcmp(h->post, post) != 0 || strcmp(h->period, period) != 0)
            continue;
        json_out_comma(to);
        text_buffer_adds(to, "{");
        json_out_text(to, "name", h->name);
        show_text(to, "user", h->user);
        json_out_integer(to, "days", h->days);
        show_date(to, "first_day", h->begin_at, zone);
        show_date(to, "last_day", h->end_at - 1, zone);
        text_buffer_adds(to, "}");
    }
    text_buffer_adds(to, "]");
}

/* Of a month: the weeks whose last day lies in it, and who held the post in each. */
static void show_weeks(struct work *w, const struct appraisal *a, const char *post,
                       struct period month)
{
    int32_t first = period_first_day(month), end = period_end_day(month);
    struct period week = period_of_day(PERIOD_WEEK, first);

    json_out_key(&w->out, "weeks");
    text_buffer_adds(&w->out, "[");
    for (; period_end_day(week) <= end; week = period_next(week)) {
        char text[PERIOD_SIZE];

        if (period_end_day(week) <= first)
            continue;
        json_out_comma(&w->out);
        text_buffer_adds(&w->out, "{");
        json_out_text(&w->out, "week", period_format(text, week));
        show_holders(w, a, post, text);
        text_buffer_adds(&w->out, "}");
    }
    text_buffer_adds(&w->out, "]");
}

static void show_missing(struct text_buffer *to, const struct post_appraisal *p)
{
    json_out_key(to, "missing");
    text_buffer_adds(to, "[");
    for (size_t i = 0; i < p->fact_count; i++) {
        const struct post_fact *f = &p->facts[i];

        if (f->attainment_e4 != SHARE_NONE)
            continue;
        json_out_comma(to);
        json_out_string(to, f->name.kpi, strlen(f->name.kpi));
    }
    text_buffer_adds(to, "]");
}

static void show_post(struct work *w, const struct appraisal *a, const struct post_appraisal *p,
                      struct period period)
{
    struct text_buffer *to = &w->out;

    json_out_comma(to);
    text_buffer_adds(to, "{");
    json_out_text(to, "post", p->post);
    show_name(to, p->name_zh, p->name_en);
    json_out_text(to, "scope", p->scope);
    json_out_text(to, "period", a->period);
    json_out_text(to, "state", fact_state_name(p->state));
    json_out_integer(to, "revision", p->revision);
    show_instant(to, "as_of", p->as_of, &w->rules->zone);
    show_holders(w, a, p->post, a->period);
    if (period.kind == PERIOD_MONTH)
        show_weeks(w, a, p->post, period);
    json_out_key(to, "kpis");
    text_buffer_adds(to, "[");
    for (size_t i = 0; i < p->fact_count; i++)
        show_fact(w, a, p, &p->facts[i]);
    text_buffer_adds(to, "]");
    show_fraction(to, "weighted_attainment", p->weighted_e4, 4);
    show_missing(to, p);
    text_buffer_adds(to, "}");
}

/* Pool thread. */
static int read_posts(struct work *w, struct reader *reader, struct err *err)
{
    const struct question *q = w->arg;
    struct appraisal a;
    int rc = appraisal_read(reader_connection(reader), q->period, q->post, &a, err);

    if (rc == -ENOENT) {
        problem_set(&w->problem, PROBLEM_NOT_FOUND, "%s", err->text);
        return 0;
    }
    if (rc < 0)
        return rc;
    text_buffer_adds(&w->out, "{\"appraisal\":[");
    for (size_t i = 0; i < a.post_count; i++)
        show_post(w, &a, &a.posts[i], q->period);
    text_buffer_adds(&w->out, "]}");
    appraisal_finish(&a);
    return 0;
}

static bool read_period(struct call *call, const char *name, enum period_kind kind,
                        struct period *ret, struct problem *problem)
{
    const char *text = call_value(call, name);

    if (!facts_period(text, ret, problem))
        return false;
    return ret->kind == kind ||
           problem_set(problem, PROBLEM_BAD_PARAMETER, "%s: %s is a %s", name, text,
                       period_kind_name(ret->kind));
}

static bool knows_post(const struct rules *rules, const char *id)
{
    for (size_t i = 0; i < rules->post_count; i++)
        if (strcmp(rules->posts[i].id, id) == 0)
            return true;
    return false;
}

static bool read_question(struct call *call, struct question *q, struct problem *problem)
{
    const struct rules *rules = api_rules(call->api);
    const char *post = call_value(call, "post"), *month = call_value(call, "month");
    char quoted[64];

    if (post && !knows_post(rules, post)) {
        text_quote(quoted, sizeof quoted, post, strlen(post));
        return problem_set(problem, PROBLEM_BAD_PARAMETER, "post: there is no %s", quoted);
    }
    text_set(q->post, sizeof q->post, post ? post : "");
    if (call_value(call, "week") && month)
        return problem_set(problem, PROBLEM_BAD_PARAMETER,
                           "month: give a week or a month, not both");
    q->period = period_at(PERIOD_WEEK, &rules->zone, api_as_of(call->api));
    if (month)
        return read_period(call, "month", PERIOD_MONTH, &q->period, problem);
    return !call_value(call, "week") ||
           read_period(call, "week", PERIOD_WEEK, &q->period, problem);
}

static void end(struct call *call)
{
    struct question *q = mem_zalloc(sizeof *q);
    struct problem problem;

    if (read_question(call, q, &problem)) {
        work_begin(call, read_posts, work_reply, q, free);
        return;
    }
    free(q);
    call_problem(call, &problem);
}

const struct handler get_appraisal = { .end = end };
