/* The forms of the report: each turns one week's data into bytes. */
#ifndef KPI_REPORT_REPORT_H
#define KPI_REPORT_REPORT_H

#include "base/err.h"
#include "base/text.h"
#include "document.h"
#include "week_data.h"
#include "words.h"

struct report_options {
    enum language language;
    bool bom;       /* of CSV: for spreadsheets that take UTF-8 for something else without it */
};

/* What the report says, for the three forms that people read; the first block is its title. Pure,
 * as all here but the workbook, which needs a file for a moment. */
void report_content(const struct week_data *data, const struct report_options *options,
                    struct document *to);

/* A page of tables, as wide as they need. */
void report_as_text(const struct week_data *data, const struct report_options *options,
                    struct text_buffer *to);
/* One page that needs nothing beside it, and prints. */
void report_as_html(const struct week_data *data, const struct report_options *options,
                    struct text_buffer *to);
/* For programs and spreadsheets: one line for each fact, RFC 4180. */
void report_as_csv(const struct week_data *data, const struct report_options *options,
                   struct text_buffer *to);
/* A workbook. 0 or negative errno. */
int report_as_xlsx(const struct week_data *data, const struct report_options *options,
                   struct text_buffer *to, struct err *err);

const char *report_kpi_name(const struct week_kpi *kpi, enum language language);

/* content_meeting.c: what the meeting has beside its figures. */
void content_explanations(const struct week_data *data, enum language language,
                          struct document *to);
void content_plans(const struct week_data *data, enum language language, struct document *to);
void content_posts(const struct week_data *data, enum language language, struct document *to);
void content_signs(const struct week_data *data, enum language language, struct document *to);
void content_history(const struct week_data *data, enum language language, struct document *to);

#endif
