/* What the weekly meeting looks at beside the figures: explanations, plans, posts, signs of
 * steering, and where the figures come from. Each section is left out if it has nothing to say. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/instant.h"
#include "base/mem.h"
#include "base/span.h"
#include "report.h"
#include "tools/kpictl/percent.h"

/* Fills the titles of `columns`; those of numbers stand right. */
static void begin_table(struct document *to, enum language language, const enum word *words,
                        size_t count, size_t first_number)
{
    struct document_column columns[DOCUMENT_COLUMNS_MAX] = { 0 };

    for (size_t i = 0; i < count; i++)
        columns[i] = (struct document_column){ .title = word_of(language, words[i]),
                                               .right = i >= first_number,
                                               .hide_empty = i >= first_number };
    document_table(to, columns, count);
}

static const char *name_of(const struct meeting_name *name, enum language language)
{
    return language == LANGUAGE_ZH ? name->zh : name->en;
}

/* "2026-11-23 09:00" by the configured clocks. */
static const char *when(const struct week_data *data, int64_t at, char text[INSTANT_SIZE])
{
    instant_format(text, at, data->offset_s);
    text[10] = ' ';
    text[16] = '\0';
    return text;
}

static void share_cell(struct document *to, int64_t e4, bool hide_zero)
{
    char percent[PERCENT_SIZE];

    if (e4 < 0 || (e4 == 0 && hide_zero))
        document_cell(to, TONE_NONE, "%s", hide_zero ? "" : "–");
    else
        document_cell(to, TONE_NONE, "%s %%", percent_of_e4(percent, e4));
}

void content_explanations(const struct week_data *data, enum language language,
                          struct document *to)
{
    static const enum word words[] = { WORD_DEPARTMENT, WORD_KPI, WORD_EXPLANATION, WORD_AUTHOR,
                                       WORD_WHEN };
    char text[INSTANT_SIZE];

    document_heading(to, word_of(language, WORD_EXPLANATIONS));
    begin_table(to, language, words, LENGTH(words), LENGTH(words));
    for (size_t i = 0; i < data->meeting.fact_count; i++) {
        const struct meeting_fact *f = &data->meeting.facts[i];
        bool given = f->explanation == EXPLANATION_GIVEN;

        if (f->explanation == EXPLANATION_NONE)
            continue;
        document_row(to);
        document_cell(to, TONE_NONE, "%s", f->department);
        document_cell(to, TONE_NONE, "%s", name_of(&f->name, language));
        document_cell(to, given ? TONE_NONE : TONE_BAD, "%s",
                      given ? f->text : word_for(language, "due"));
        document_cell(to, TONE_NONE, "%s", f->by);
        document_cell(to, TONE_NONE, "%s", given ? when(data, f->explained_at, text) : "");
    }
    document_end_table(to);
}

/* "12 more by Sunday", and how many that makes a day. */
static void needed_cell(struct document *to, const struct meeting_plan *p, enum language language)
{
    static const enum word by[PERIOD_KINDS] = { [PERIOD_DAY] = WORD_MORE_TODAY,
                                                [PERIOD_WEEK] = WORD_MORE_BY_SUNDAY,
                                                [PERIOD_MONTH] = WORD_MORE_THIS_MONTH,
                                                [PERIOD_YEAR] = WORD_MORE_THIS_YEAR };
    char *text;

    if (p->needed == 0) {
        document_cell(to, TONE_GOOD, "%s", word_of(language, WORD_PLAN_DONE));
    } else if (p->days_left == 0) {
        document_cell(to, TONE_BAD, "%s %" PRId64, word_of(language, WORD_TOO_FEW_BY), p->needed);
    } else {
        text = word_with(language, by[p->kind], p->needed, p->needed_per_day);
        document_cell(to, TONE_WARNING, "%s", text);
        free(text);
    }
}

void content_plans(const struct week_data *data, enum language language, struct document *to)
{
    static const enum word words[] = { WORD_KPI, WORD_PERIOD, WORD_STILL_NEEDED, WORD_PLANNED,
                                       WORD_PLANNED_SO_FAR, WORD_DONE };

    document_heading(to, word_of(language, WORD_PLANS));
    begin_table(to, language, words, LENGTH(words), 3);
    for (size_t i = 0; i < data->meeting.plan_count; i++) {
        const struct meeting_plan *p = &data->meeting.plans[i];

        document_row(to);
        document_cell(to, TONE_NONE, "%s", name_of(&p->name, language));
        document_cell(to, TONE_NONE, "%s", p->period);
        needed_cell(to, p, language);
        document_count(to, TONE_NONE, p->planned);
        document_count(to, TONE_NONE, p->planned_so_far);
        document_count(to, TONE_NONE, p->done);
    }
    document_end_table(to);
}

/* "Li (3), Wang (4)": who held the post, on how many of the seven days. */
static char *holders_of(const struct appraisal *a, const char *post)
{
    struct text_buffer text = { 0 };

    for (size_t i = 0; i < a->holder_count; i++) {
        const struct post_holder *h = &a->holders[i];

        if (strcmp(h->post, post) == 0 && strcmp(h->period, a->period) == 0)
            text_buffer_addf(&text, h->days == 7 ? "%s%s" : "%s%s (%d/7)", text.length ? ", " : "",
                             h->name, (int)h->days);
    }
    return text_buffer_take(&text);
}

static void add_post(const struct week_data *data, const struct post_appraisal *p,
                     enum language language, struct document *to)
{
    char *holders = holders_of(&data->appraisal, p->post);

    for (size_t i = 0; i < p->fact_count; i++) {
        const struct post_fact *f = &p->facts[i];
        char percent[PERCENT_SIZE];

        document_row(to);
        document_cell(to, TONE_NONE, "%s",
                      i ? "" : language == LANGUAGE_ZH ? p->name_zh : p->name_en);
        document_cell(to, TONE_NONE, "%s", i ? "" : holders);
        document_cell(to, TONE_NONE, "%s", name_of(&f->name, language));
        if (f->weight == COUNT_NONE)
            document_cell(to, TONE_NONE, "%s", "");
        else
            document_cell(to, TONE_NONE, "%" PRId64 " %%", f->weight);
        percent_of(percent, f->fact.counts.numerator, f->fact.counts.denominator,
                   f->fact.verdict == VERDICT_MISSED, f->fact.target_e4);
        document_cell(to, TONE_NONE, "%s%s", percent, f->fact.counts.denominator > 0 ? " %" : "");
        share_cell(to, f->attainment_e4, false);
        /* Of the post as a whole, in its last line. */
        if (i + 1 == p->fact_count && p->weighted_e4 != SHARE_NONE)
            share_cell(to, p->weighted_e4, false);
    }
    free(holders);
}

void content_posts(const struct week_data *data, enum language language, struct document *to)
{
    static const enum word words[] = { WORD_POST, WORD_HOLDERS, WORD_KPI, WORD_WEIGHT, WORD_RATE,
                                       WORD_ATTAINMENT, WORD_WEIGHTED };

    document_heading(to, word_of(language, WORD_POSTS));
    begin_table(to, language, words, LENGTH(words), 3);
    for (size_t i = 0; i < data->appraisal.post_count; i++)
        add_post(data, &data->appraisal.posts[i], language, to);
    document_end_table(to);
}

static bool has_sign(const struct meeting_sign *s)
{
    return s->excluded_share_e4 > 0 || s->amended > 0 || s->last_tenth_share_e4 > 0 ||
           s->same_minute > 0 || s->oldest_pending_ms > 0;
}

static void age_cell(struct document *to, int64_t ms)
{
    if (ms < 0)
        document_cell(to, TONE_NONE, "%s", "");
    else if (ms >= SPAN_DAY)
        document_cell(to, TONE_NONE, "%" PRId64 " d %" PRId64 " h", ms / SPAN_DAY,
                      ms % SPAN_DAY / SPAN_HOUR);
    else
        document_cell(to, TONE_NONE, "%" PRId64 " h %" PRId64 " min", ms / SPAN_HOUR,
                      ms % SPAN_HOUR / SPAN_MINUTE);
}

void content_signs(const struct week_data *data, enum language language, struct document *to)
{
    static const enum word words[] = { WORD_DEPARTMENT, WORD_KPI, WORD_EXCLUDED_SHARE,
                                       WORD_AMENDED, WORD_AMENDED_BY_OWN, WORD_LAST_TENTH,
                                       WORD_SAME_MINUTE, WORD_OLDEST_PENDING };

    document_heading(to, word_of(language, WORD_SIGNS));
    begin_table(to, language, words, LENGTH(words), 2);
    for (size_t i = 0; i < data->meeting.fact_count; i++) {
        const struct meeting_fact *f = &data->meeting.facts[i];
        const struct meeting_sign *s = &f->sign;

        if (!f->department[0] || !s->known || !has_sign(s))
            continue;
        document_row(to);
        document_cell(to, TONE_NONE, "%s", f->department);
        document_cell(to, TONE_NONE, "%s", name_of(&f->name, language));
        share_cell(to, s->excluded_share_e4, true);
        document_count(to, TONE_NONE, s->amended);
        document_count(to, TONE_NONE, s->amended_by_own);
        share_cell(to, s->last_tenth_share_e4, true);
        document_count(to, TONE_NONE, s->same_minute);
        age_cell(to, s->oldest_pending_ms);
    }
    document_end_table(to);
}

static void add_revisions(const struct week_data *data, enum language language,
                          struct document *to)
{
    static const enum word words[] = { WORD_CSV_REVISION, WORD_WHEN, WORD_BY, WORD_WHY,
                                       WORD_MOVED_COUNT };
    char text[INSTANT_SIZE];

    document_heading(to, word_of(language, WORD_REVISIONS));
    begin_table(to, language, words, LENGTH(words), 4);
    for (size_t i = 0; i < data->meeting.revision_count; i++) {
        const struct meeting_revision *r = &data->meeting.revisions[i];

        document_row(to);
        document_cell(to, TONE_NONE, "%" PRId32, r->revision);
        document_cell(to, TONE_NONE, "%s", when(data, r->at, text));
        document_cell(to, TONE_NONE, "%s", r->by);
        document_cell(to, TONE_NONE, "%s", r->why);
        document_count(to, TONE_NONE, r->moved);
    }
    document_end_table(to);
}

static void side_cell(struct document *to, const struct meeting_side *side, enum language language)
{
    const char *as = side->counts.numerator     ? "success"
                     : side->counts.denominator ? "failure"
                     : side->counts.excluded    ? "excluded"
                     : side->counts.pending     ? "pending"
                                                : "nowhere";

    document_cell(to, TONE_NONE, "%s%s%s%s", word_for(language, as), side->reason[0] ? " (" : "",
                  side->reason, side->reason[0] ? ")" : "");
}

static void add_moves(const struct week_data *data, enum language language, struct document *to)
{
    static const enum word words[] = { WORD_CSV_REVISION, WORD_MOVED, WORD_KPI, WORD_BEFORE,
                                       WORD_AFTER };

    document_heading(to, word_of(language, WORD_WHAT_MOVED));
    begin_table(to, language, words, LENGTH(words), LENGTH(words));
    for (size_t i = 0; i < data->meeting.move_count; i++) {
        const struct meeting_move *m = &data->meeting.moves[i];

        document_row(to);
        if (m->revision > 0)
            document_cell(to, TONE_NONE, "%" PRId32, m->revision);
        else
            document_cell(to, TONE_WARNING, "%s", word_of(language, WORD_PENDING_MOVE));
        document_cell(to, TONE_NONE, "%s %s", m->kind, m->subject);
        document_cell(to, TONE_NONE, "%s", m->kpi);
        side_cell(to, &m->before, language);
        side_cell(to, &m->after, language);
    }
    document_end_table(to);
    if (data->meeting.moves_more > 0)
        document_line(to, TONE_NONE, "+ %" PRId64, data->meeting.moves_more);
}

static void add_items(const struct week_data *data, enum language language, struct document *to)
{
    static const enum word words[] = { WORD_NUMBER, WORD_VIA, WORD_WHY };

    document_heading(to, word_of(language, WORD_QUARANTINE));
    begin_table(to, language, words, LENGTH(words), LENGTH(words));
    for (size_t i = 0; i < data->meeting.item_count; i++) {
        const struct meeting_item *item = &data->meeting.items[i];

        document_row(to);
        document_cell(to, TONE_NONE, "%" PRId64, item->n);
        document_cell(to, TONE_NONE, "%s", item->via);
        document_cell(to, TONE_NONE, "%s", item->reason);
    }
    document_end_table(to);
}

void content_history(const struct week_data *data, enum language language, struct document *to)
{
    add_revisions(data, language, to);
    add_moves(data, language, to);
    add_items(data, language, to);
}
