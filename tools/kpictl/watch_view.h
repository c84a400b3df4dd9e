/* The live table of `kpictl watch`, as values: facts and states go in, a frame of text comes out.
 * No terminal, no socket, no clock; the instant is always handed in. */
#ifndef KPICTL_WATCH_VIEW_H
#define KPICTL_WATCH_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "figure.h"
#include "names.h"
#include "table.h"

enum { WATCH_CHANGES = 32, WATCH_MARK_MS = 4000, WATCH_PERIOD_SIZE = 32 };

struct watch_row {
    char kpi[FIGURE_TEXT_SIZE];
    struct figure day, week;        /* kpi "": nothing counted yet */
    int64_t day_changed_at, week_changed_at;    /* 0: not since we look */
};

/* One line of what happened last. */
struct watch_change {
    char time[16];
    char kpi[FIGURE_TEXT_SIZE];
    struct figure before, after;    /* of the week */
};

struct watch_source {
    char name[40];
    char state[16];
};

struct watch_view {
    struct kpi_names names;
    char scope[FIGURE_TEXT_SIZE];
    char today[WATCH_PERIOD_SIZE], week[WATCH_PERIOD_SIZE];
    char as_of[40];
    int64_t position;
    char trouble[256];              /* "": connected */
    struct watch_source *sources;
    size_t source_count;
    struct watch_row *rows;         /* in the order of the configuration */
    size_t row_count;
    struct watch_change changes[WATCH_CHANGES];     /* newest first */
    size_t change_count;
};

void watch_view_finish(struct watch_view *view);

/* Takes as_of, position, and the names and the order of the KPIs. A new day or week begins with
 * empty columns. */
void watch_view_status(struct watch_view *view, yajl_val status, bool chinese);
void watch_view_sources(struct watch_view *view, yajl_val sources);
/* Shows a fact if it is of today or this week; `quietly`: as it was found, not as a change. True
 * if it was a change: a fact that comes again as it was is none. */
bool watch_view_fact(struct watch_view *view, const struct figure *figure, int64_t now,
                     bool quietly);

/* The instant at which a mark runs out by itself; 0: there is none. */
int64_t watch_view_due_at(const struct watch_view *view, int64_t now);

/* Appends at most `rows` lines of at most look->width columns, each with its newline. */
void watch_view_draw(const struct watch_view *view, const struct look *look, size_t rows,
                     int64_t now, struct text_buffer *to);

/* "2026-W47" of "2026-11-20". False if that is no date. */
bool week_of_date(const char *date, char to[WATCH_PERIOD_SIZE]);

#endif
