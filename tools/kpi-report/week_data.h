/* One week, read from the ledger's public face (the appraisal views and kpi; the meeting by the
 * same code as the socket's) in one short read-only transaction, and kept as plain data for whoever
 * writes the report. */
#ifndef KPI_REPORT_WEEK_DATA_H
#define KPI_REPORT_WEEK_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "ledger/meeting.h"

enum { WEEK_SIZE = 16, DATE_SIZE = 16 };

/* A KPI of the present configuration, or of an earlier one if the week has facts of it. */
struct week_kpi {
    char *id;
    char *name_zh, *name_en;
    char *department;           /* "": none */
    bool at_most;
};

struct week_fact {
    size_t kpi;                 /* index into the KPIs */
    char *scope;
    const char *scope_kind;     /* "company", "department", "site", "staff", "model" */
    const char *scope_id;       /* behind the colon; "" for the company; points into `scope` */
    int64_t numerator, denominator, excluded, pending, shortfall, gaps, revision;
    int64_t rate_e6, low_e6, high_e6;       /* negative: none */
    int64_t target_e4;                      /* negative: none */
    int64_t coverage_e4;
    char verdict[16], direction[16], state[16];
};

struct week_data {
    char week[WEEK_SIZE];
    char first_day[DATE_SIZE], last_day[DATE_SIZE];
    int64_t as_of;              /* 0: the ledger says nothing yet */
    int32_t offset_s;           /* of the configured zone from UTC then */
    char state[16];             /* of the week: "open", "closing", "sealed" */
    struct week_kpi *kpis;      /* in the order of the configuration */
    size_t kpi_count;
    struct week_fact *facts;    /* by kind of scope, scope, KPI */
    size_t fact_count;
    /* What the meeting looks at, and the posts; empty for a week of which nothing is known. */
    struct meeting meeting;
    struct appraisal appraisal;
};

/* Reads the facts of `week`; NULL: the last week that has ended by `clock`, in the configured zone
 * as far as the ledger shows it. -ENOENT, -EACCES, -EINVAL (no such week), -EIO. */
int week_data_read(struct week_data *ret, const char *database, const char *week,
                   const struct clock *clock, struct err *err);
void week_data_finish(struct week_data *data);

/* The day number of a week's Monday. False if `week` is not written "2026-W47" or does not exist. */
bool week_monday(const char *week, int32_t *ret_day);
/* "2026-W47" of any of its days. */
void week_of_day(int32_t day, char ret[WEEK_SIZE]);

/* What the meeting says of a KPI in a scope, or NULL. */
const struct meeting_fact *week_meeting_fact(const struct week_data *data, const char *kpi,
                                             const char *scope);

#endif
