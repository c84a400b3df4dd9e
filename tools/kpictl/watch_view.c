/* The live table of `kpictl watch`.
 *
 * A frame, from the top: what the figures speak for; events and sources; the table, one line for
 * each configured KPI whether it has counted anything or not, so that nothing jumps; and below,
 * as far as the terminal reaches, what changed last. Today's facts are part of this week's, so
 * the list of changes follows the week alone. */
#include "watch_view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "base/instant.h"
#include "base/mem.h"

void watch_view_finish(struct watch_view *view)
{
    kpi_names_finish(&view->names);
    free(view->sources);
    free(view->rows);
    *view = (struct watch_view){ 0 };
}

bool week_of_date(const char *date, char to[WATCH_PERIOD_SIZE])
{
    int year, month, day;
    int32_t days, thursday, week, week_year, unused_month, unused_day;

    if (sscanf(date, "%4d-%2d-%2d", &year, &month, &day) != 3 || month < 1 || month > 12)
        return false;
    days = civil_day(year, month, day);
    /* A week belongs to the year of its Thursday (ISO 8601); 1970-01-01 was one. */
    thursday = days - (days + 3) % 7 + 3;
    civil_date(thursday, &week_year, &unused_month, &unused_day);
    week = (thursday - civil_day(week_year, 1, 1)) / 7 + 1;
    snprintf(to, WATCH_PERIOD_SIZE, "%04d-W%02d", week_year, week);
    return true;
}

/* Moves on to the day and week of `date`, if they are later; what was shown of others goes. */
static void turn_to(struct watch_view *view, const char *date)
{
    char week[WATCH_PERIOD_SIZE];

    if (strlen(date) != 10 || !week_of_date(date, week) || strcmp(date, view->today) <= 0)
        return;
    text_set(view->today, sizeof view->today, date);
    for (size_t i = 0; i < view->row_count; i++)
        if (strcmp(view->rows[i].day.period, date) != 0)
            view->rows[i].day = (struct figure){ 0 };
    if (strcmp(week, view->week) == 0)
        return;
    text_set(view->week, sizeof view->week, week);
    for (size_t i = 0; i < view->row_count; i++)
        if (strcmp(view->rows[i].week.period, week) != 0)
            view->rows[i].week = (struct figure){ 0 };
}

static struct watch_row *row_of(struct watch_view *view, const char *kpi)
{
    struct watch_row *row;

    for (size_t i = 0; i < view->row_count; i++)
        if (strcmp(view->rows[i].kpi, kpi) == 0)
            return &view->rows[i];
    view->rows = mem_realloc_array(view->rows, view->row_count + 1, sizeof *view->rows);
    row = &view->rows[view->row_count++];
    *row = (struct watch_row){ 0 };
    snprintf(row->kpi, sizeof row->kpi, "%s", kpi);
    return row;
}

void watch_view_status(struct watch_view *view, yajl_val status, bool chinese)
{
    char date[11];

    kpi_names_finish(&view->names);
    kpi_names_read(&view->names, status, chinese);
    for (size_t i = 0; i < view->names.count; i++)
        (void)row_of(view, view->names.items[i].id);

    view->position = answer_integer(status, "position");
    snprintf(view->as_of, sizeof view->as_of, "%s", answer_text(status, "as_of"));
    snprintf(date, sizeof date, "%.10s", view->as_of);
    turn_to(view, date);
}

void watch_view_sources(struct watch_view *view, yajl_val sources)
{
    free(view->sources);
    view->source_count = answer_length(sources, "sources");
    view->sources = mem_zalloc((view->source_count + 1) * sizeof *view->sources);
    for (size_t i = 0; i < view->source_count; i++) {
        yajl_val source = answer_item(sources, "sources", i);

        snprintf(view->sources[i].name, sizeof view->sources[i].name, "%s",
                 answer_text(source, "name"));
        snprintf(view->sources[i].state, sizeof view->sources[i].state, "%s",
                 answer_text(source, "state"));
    }
}

static bool same_figure(const struct figure *a, const struct figure *b)
{
    return a->numerator == b->numerator && a->denominator == b->denominator
           && a->pending == b->pending && a->excluded == b->excluded
           && strcmp(a->verdict, b->verdict) == 0;
}

static void remember(struct watch_view *view, const struct figure *before,
                     const struct figure *after)
{
    struct watch_change *newest = &view->changes[0];

    memmove(&view->changes[1], &view->changes[0],
            (WATCH_CHANGES - 1) * sizeof view->changes[0]);
    *newest = (struct watch_change){ .before = *before, .after = *after };
    snprintf(newest->time, sizeof newest->time, "%.8s",
             strlen(after->as_of) >= 19 ? after->as_of + 11 : "");
    snprintf(newest->kpi, sizeof newest->kpi, "%s", after->kpi);
    if (view->change_count < WATCH_CHANGES)
        view->change_count++;
}

bool watch_view_fact(struct watch_view *view, const struct figure *figure, int64_t now,
                     bool quietly)
{
    struct watch_row *row;
    struct figure *shown;
    bool today, changed;

    if (strcmp(figure->scope, view->scope) != 0)
        return false;
    turn_to(view, figure->period);
    today = strcmp(figure->period, view->today) == 0;
    if (!today && strcmp(figure->period, view->week) != 0)
        return false;

    row = row_of(view, figure->kpi);
    shown = today ? &row->day : &row->week;
    changed = !quietly && !same_figure(shown, figure);
    if (changed) {
        *(today ? &row->day_changed_at : &row->week_changed_at) = now;
        if (!today)
            remember(view, shown, figure);
    }
    *shown = *figure;
    if (strcmp(figure->as_of, view->as_of) > 0)
        memcpy(view->as_of, figure->as_of, sizeof view->as_of);
    return changed;
}

static bool is_fresh(int64_t changed_at, int64_t now)
{
    return changed_at != 0 && now - changed_at < WATCH_MARK_MS;
}

int64_t watch_view_due_at(const struct watch_view *view, int64_t now)
{
    int64_t due = 0;

    for (size_t i = 0; i < view->row_count; i++) {
        const int64_t marks[] = { view->rows[i].day_changed_at, view->rows[i].week_changed_at };

        for (size_t m = 0; m < LENGTH(marks); m++)
            if (is_fresh(marks[m], now) && (due == 0 || marks[m] + WATCH_MARK_MS < due))
                due = marks[m] + WATCH_MARK_MS;
    }
    return due;
}

enum { NAME, DAY_RATE, DAY_COUNTS, WEEK_RATE, WEEK_COUNTS, TARGET, VERDICT };

static const struct column columns[] = {
    [NAME] = { .title = "  KPI", .flexible = true },
    [DAY_RATE] = { .title = "today %", .right = true },
    [DAY_COUNTS] = { .title = "n/d", .right = true, .tight = true },
    [WEEK_RATE] = { .title = "week %", .right = true },
    [WEEK_COUNTS] = { .title = "n/d", .right = true, .tight = true },
    [TARGET] = { .title = "target", .right = true },
    [VERDICT] = { .title = "verdict" },
};

static void figure_cells(struct table *table, const struct figure *figure, bool fresh)
{
    char percent[PERCENT_SIZE], counts[CELL_SIZE];

    if (figure->kpi[0] == '\0') {
        table_cell(table, COLOUR_DIM, "–");
        table_cell(table, COLOUR_NONE, "");
        return;
    }
    percent_of(percent, figure->numerator, figure->denominator,
               strcmp(figure->verdict, "missed") == 0, figure->target_e4);
    table_cell(table, figure_colour(figure), percent);
    table_cell(table, fresh ? COLOUR_BOLD : COLOUR_DIM, figure_counts(counts, figure));
}

/* "missed, 3 short": by how many successes too few, or faulty devices too many. */
static void verdict_cell(struct table *table, const struct figure *figure)
{
    if (strcmp(figure->verdict, "missed") == 0 && figure->shortfall > 0)
        table_cellf(table, COLOUR_BAD, "missed %s%lld", figure->at_most ? "+" : "−",
                    (long long)figure->shortfall);
    else
        table_cell(table, figure_colour(figure), figure_verdict(figure));
}

static void draw_table(const struct watch_view *view, const struct look *look, int64_t now,
                       struct text_buffer *to)
{
    struct table *table = table_create(columns, LENGTH(columns));
    char percent[PERCENT_SIZE];

    for (size_t i = 0; i < view->row_count; i++) {
        const struct watch_row *row = &view->rows[i];
        const struct figure *valued = row->week.kpi[0] ? &row->week : &row->day;
        bool day = is_fresh(row->day_changed_at, now), week = is_fresh(row->week_changed_at, now);

        table_row(table);
        table_cellf(table, day || week ? COLOUR_BOLD : COLOUR_NONE, "%s %s",
                    day || week ? "▸" : " ", kpi_names_find(&view->names, row->kpi));
        figure_cells(table, &row->day, day);
        figure_cells(table, &row->week, week);
        if (valued->kpi[0] == '\0')
            continue;
        if (valued->target_e4 < 0)
            table_cell(table, COLOUR_DIM, "–");
        else
            table_cellf(table, COLOUR_NONE, "%s%s", valued->at_most ? "≤" : "≥",
                        percent_of_e4(percent, valued->target_e4));
        verdict_cell(table, &row->week);
    }
    table_draw(table, look, to);
    table_destroy(table);
}

/* Adds `text` in its colour as far as the line has room; `column` moves on. */
static void add_piece(struct text_buffer *to, const struct look *look, size_t *column,
                      enum colour colour, const char *text)
{
    size_t room = look->width ? look->width - *column : (size_t)-1;
    char *shown = mem_strndup(text, text_prefix(text, room));

    colour_add(to, look, colour, shown);
    *column += text_width(shown);
    free(shown);
}

static void draw_head(const struct watch_view *view, const struct look *look,
                      struct text_buffer *to)
{
    char instant[CELL_SIZE];
    char *periods = mem_printf("   %s, week %s, %s", view->today, view->week, view->scope);
    char *as_of = mem_printf("as of %s", instant_for_people(instant, view->as_of));
    size_t column = 0, width = text_width(as_of);

    add_piece(to, look, &column, COLOUR_BOLD, "kpid");
    add_piece(to, look, &column, COLOUR_NONE, periods);
    if (look->width == 0 || column + 2 + width <= look->width) {
        size_t blanks = look->width ? look->width - column - width : 3;

        text_buffer_addf(to, "%*s", (int)blanks, "");
        colour_add(to, look, COLOUR_NONE, as_of);
    }
    text_buffer_adds(to, "\n");
    free(periods);
    free(as_of);
}

static enum colour state_colour(const char *state)
{
    if (strcmp(state, "well") == 0)
        return COLOUR_GOOD;
    if (strcmp(state, "down") == 0)
        return COLOUR_BAD;
    return strcmp(state, "disabled") == 0 ? COLOUR_DIM : COLOUR_WARNING;
}

static void draw_house(const struct watch_view *view, const struct look *look,
                       struct text_buffer *to)
{
    size_t column = 0;
    char text[80];

    if (view->trouble[0]) {
        add_piece(to, look, &column, COLOUR_BAD, view->trouble);
        text_buffer_adds(to, "\n");
        return;
    }
    snprintf(text, sizeof text, "event %lld", (long long)view->position);
    add_piece(to, look, &column, COLOUR_NONE, text);
    for (size_t i = 0; i < view->source_count; i++) {
        const struct watch_source *source = &view->sources[i];
        bool well = strcmp(source->state, "well") == 0;

        add_piece(to, look, &column, COLOUR_NONE, i == 0 ? "   sources " : "  ");
        add_piece(to, look, &column, state_colour(source->state), well ? "● " : "○ ");
        add_piece(to, look, &column, COLOUR_NONE, source->name);
        if (!well) {
            snprintf(text, sizeof text, " %s", source->state);
            add_piece(to, look, &column, state_colour(source->state), text);
        }
    }
    text_buffer_adds(to, "\n");
}

static void draw_change(const struct watch_view *view, const struct watch_change *change,
                        const struct look *look, struct text_buffer *to)
{
    const struct figure *before = &change->before, *after = &change->after;
    char counts[CELL_SIZE];
    size_t column = 0;
    char *text;

    text = mem_printf("  %s  ", change->time);
    add_piece(to, look, &column, COLOUR_DIM, text);
    free(text);
    add_piece(to, look, &column, COLOUR_NONE, kpi_names_find(&view->names, change->kpi));
    add_piece(to, look, &column, COLOUR_NONE, "  ");
    if (before->kpi[0]) {
        text = mem_printf("%s → ", figure_counts(counts, before));
        add_piece(to, look, &column, COLOUR_DIM, text);
        free(text);
    }
    add_piece(to, look, &column, COLOUR_NONE, figure_counts(counts, after));
    if (before->pending != after->pending) {
        text = mem_printf("  pending %lld → %lld", (long long)before->pending,
                          (long long)after->pending);
        add_piece(to, look, &column, COLOUR_DIM, text);
        free(text);
    }
    if (strcmp(before->verdict, after->verdict) != 0) {
        add_piece(to, look, &column, COLOUR_NONE, "  ");
        add_piece(to, look, &column, figure_colour(after), figure_verdict(after));
    }
    text_buffer_adds(to, "\n");
}

/* Cuts `to` behind its first `rows` lines. */
static void keep_lines(struct text_buffer *to, size_t from, size_t rows)
{
    char *end = to->bytes + from;

    for (size_t i = 0; i < rows && end; i++) {
        end = strchr(end, '\n');
        end = end ? end + 1 : NULL;
    }
    if (!end)
        return;
    *end = '\0';
    to->length = (size_t)(end - to->bytes);
}

void watch_view_draw(const struct watch_view *view, const struct look *look, size_t rows,
                     int64_t now, struct text_buffer *to)
{
    size_t from = to->length;

    draw_head(view, look, to);
    draw_house(view, look, to);
    text_buffer_adds(to, "\n");
    draw_table(view, look, now, to);
    if (view->change_count > 0)
        text_buffer_adds(to, "\n");
    for (size_t i = 0; i < view->change_count; i++)
        draw_change(view, &view->changes[i], look, to);
    keep_lines(to, from, rows);
}
