/* The forms of the report: each turns one week's data into bytes. Pure. */
#ifndef KPI_REPORT_REPORT_H
#define KPI_REPORT_REPORT_H

#include "base/text.h"
#include "week_data.h"
#include "words.h"

struct report_options {
    enum language language;
    bool bom;       /* of CSV: for spreadsheets that take UTF-8 for something else without it */
};

/* For people: a page of tables, as wide as they need. */
void report_as_text(const struct week_data *data, const struct report_options *options,
                    struct text_buffer *to);
/* For programs and spreadsheets: one line for each fact, RFC 4180. */
void report_as_csv(const struct week_data *data, const struct report_options *options,
                   struct text_buffer *to);

const char *report_kpi_name(const struct week_kpi *kpi, enum language language);

#endif
