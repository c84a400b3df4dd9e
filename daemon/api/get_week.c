/* GET /v1/weeks/{week}: what the weekly meeting looks at. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/get_week.h"
#include "api/handlers.h"
#include "api/show.h"
#include "api/work.h"
#include "base/mem.h"
#include "ledger/meeting.h"

static void show_explanation(struct text_buffer *to, const struct meeting_fact *f,
                             const struct zone *zone)
{
    json_out_key(to, "explanation");
    if (f->explanation == EXPLANATION_NONE) {
        text_buffer_adds(to, "null");
        return;
    }
    text_buffer_adds(to, "{");
    json_out_text(to, "state", f->explanation == EXPLANATION_GIVEN ? "given" : "due");
    show_text(to, "text", f->text);
    show_text(to, "author", f->by);
    show_instant(to, "at", f->explanation == EXPLANATION_GIVEN ? f->explained_at : INSTANT_NONE,
                 zone);
    text_buffer_adds(to, "}");
}

static void show_signs(struct text_buffer *to, const struct meeting_sign *sign)
{
    json_out_key(to, "signs");
    if (!sign->known) {
        text_buffer_adds(to, "null");
        return;
    }
    text_buffer_adds(to, "{");
    json_out_integer(to, "tickets", sign->tickets);
    show_fraction(to, "excluded_share", sign->excluded_share_e4, 4);
    json_out_integer(to, "amended", sign->amended);
    json_out_integer(to, "amended_by_own", sign->amended_by_own);
    show_fraction(to, "last_tenth_share", sign->last_tenth_share_e4, 4);
    json_out_integer(to, "same_minute", sign->same_minute);
    if (sign->oldest_pending_ms == COUNT_NONE)
        json_out_text(to, "oldest_pending_s", NULL);
    else
        json_out_integer(to, "oldest_pending_s", sign->oldest_pending_ms / 1000);
    text_buffer_adds(to, "}");
}

/* The fact of the contract, and what a week adds to it. */
static void show_fact(struct text_buffer *to, const struct meeting_fact *f, struct period week,
                      const struct zone *zone)
{
    struct kpi kpi = { .direction = f->name.direction };
    struct fact_view view = { .kpi = &kpi, .period = week, .scope = f->scope, .fact = &f->fact,
                              .coverage = f->coverage, .state = f->state,
                              .revision = f->revision, .pending = f->restatement_pending,
                              .as_of = f->as_of };

    text_set(kpi.id, sizeof kpi.id, f->name.kpi);
    json_out_comma(to);
    fact_json(to, &view, zone);
    to->length--;               /* its closing brace: more follows */
    show_name(to, f->name.zh, f->name.en);
    show_text(to, "department", f->department);
    json_out_integer(to, "make_up", f->make_up);
    json_out_integer(to, "streak", f->streak);
    json_out_bool(to, "penalty_due", f->penalty_due);
    show_explanation(to, f, zone);
    show_signs(to, &f->sign);
    text_buffer_adds(to, "}");
}

static void show_plan(struct text_buffer *to, const struct meeting_plan *p)
{
    json_out_comma(to);
    text_buffer_adds(to, "{");
    json_out_text(to, "kpi", p->name.kpi);
    show_name(to, p->name.zh, p->name.en);
    json_out_text(to, "period", p->period);
    json_out_integer(to, "planned", p->planned);
    json_out_integer(to, "planned_so_far", p->planned_so_far);
    json_out_integer(to, "done", p->done);
    json_out_integer(to, "needed", p->needed);
    json_out_integer(to, "days_left", p->days_left);
    json_out_integer(to, "needed_per_day", p->needed_per_day);
    text_buffer_adds(to, "}");
}

static void show_revision(struct text_buffer *to, const struct meeting_revision *r,
                          const struct zone *zone)
{
    json_out_comma(to);
    text_buffer_adds(to, "{");
    json_out_integer(to, "revision", r->revision);
    show_instant(to, "as_of", r->at, zone);
    json_out_text(to, "by", r->by);
    json_out_text(to, "why", r->why);
    json_out_integer(to, "moved", r->moved);
    json_out_text(to, "quarantine", r->quarantine);
    text_buffer_adds(to, "}");
}

static void show_side(struct text_buffer *to, const char *key, const struct meeting_side *side,
                      const struct zone *zone)
{
    json_out_key(to, key);
    text_buffer_adds(to, "{");
    show_instant(to, "counts_at", side->at, zone);
    show_counts(to, &side->counts);
    show_text(to, "reason", side->reason);
    text_buffer_adds(to, "}");
}

static void show_move(struct text_buffer *to, const struct meeting_move *move,
                      const struct zone *zone)
{
    json_out_comma(to);
    text_buffer_adds(to, "{");
    if (move->revision > 0)
        json_out_integer(to, "revision", move->revision);
    else
        json_out_text(to, "revision", NULL);
    json_out_text(to, "kpi", move->kpi);
    json_out_text(to, "kind", move->kind);
    json_out_text(to, "subject", move->subject);
    show_side(to, "before", &move->before, zone);
    show_side(to, "after", &move->after, zone);
    text_buffer_adds(to, "}");
}

static void show_item(struct text_buffer *to, const struct meeting_item *item,
                      const struct zone *zone)
{
    json_out_comma(to);
    text_buffer_adds(to, "{");
    json_out_integer(to, "n", item->n);
    show_instant(to, "received_at", item->received_at, zone);
    json_out_text(to, "via", item->via);
    json_out_text(to, "reason", item->reason);
    text_buffer_adds(to, "}");
}

/* Where the figures come from: revisions, what moved between them, what waits. */
static void show_history(struct text_buffer *to, const struct meeting *m, const struct zone *zone)
{
    json_out_key(to, "revisions");
    text_buffer_adds(to, "[");
    for (size_t i = 0; i < m->revision_count; i++)
        show_revision(to, &m->revisions[i], zone);
    text_buffer_adds(to, "]");
    json_out_key(to, "moved");
    text_buffer_adds(to, "[");
    for (size_t i = 0; i < m->move_count; i++)
        show_move(to, &m->moves[i], zone);
    text_buffer_adds(to, "]");
    json_out_integer(to, "moved_more", m->moves_more);
    json_out_key(to, "quarantine");
    text_buffer_adds(to, "[");
    for (size_t i = 0; i < m->item_count; i++)
        show_item(to, &m->items[i], zone);
    text_buffer_adds(to, "]");
}

static void show_meeting(struct work *w, const struct meeting *m, struct period week)
{
    struct text_buffer *to = &w->out;
    const struct zone *zone = &w->rules->zone;
    int32_t revision;
    enum fact_state state = meeting_state(m, &revision);

    text_buffer_adds(to, "{");
    json_out_text(to, "week", m->week);
    show_instant(to, "begin", m->begin_at, zone);
    show_instant(to, "end", m->end_at, zone);
    show_instant(to, "as_of", m->as_of, zone);
    json_out_text(to, "state", fact_state_name(state));
    json_out_integer(to, "revision", revision);
    json_out_bool(to, "restatement_pending", m->facts[0].restatement_pending);
    json_out_key(to, "facts");
    text_buffer_adds(to, "[");
    for (size_t i = 0; i < m->fact_count; i++)
        show_fact(to, &m->facts[i], week, zone);
    text_buffer_adds(to, "]");
    json_out_key(to, "plans");
    text_buffer_adds(to, "[");
    for (size_t i = 0; i < m->plan_count; i++)
        show_plan(to, &m->plans[i]);
    text_buffer_adds(to, "]");
    show_history(to, m, zone);
    text_buffer_adds(to, "}");
}

/* Pool thread. */
static int read_week(struct work *w, struct reader *reader, struct err *err)
{
    const struct period *week = w->arg;
    struct meeting meeting;
    int rc = meeting_read(reader_connection(reader), *week, &meeting, err);

    if (rc == -ENOENT) {
        problem_set(&w->problem, PROBLEM_NOT_FOUND, "%s", err->text);
        return 0;
    }
    if (rc < 0)
        return rc;
    show_meeting(w, &meeting, *week);
    meeting_finish(&meeting);
    return 0;
}

bool week_of_path(const char *text, struct period *ret, struct problem *problem)
{
    char quoted[64];

    if (period_parse(text, ret) && ret->kind == PERIOD_WEEK)
        return true;
    text_quote(quoted, sizeof quoted, text, strlen(text));
    return problem_set(problem, PROBLEM_NOT_FOUND, "%s is no week: weeks are written 2026-W47",
                       quoted);
}

static void end(struct call *call)
{
    struct period *week = mem_alloc(sizeof *week);
    struct problem problem;

    if (week_of_path(call->hit.captures[0], week, &problem)) {
        work_begin(call, read_week, work_reply, week, free);
        return;
    }
    free(week);
    call_problem(call, &problem);
}

const struct handler get_week = { .end = end };
