/* The weekly meeting and the appraisal as the views tell them, read whole and kept as plain data.
 * The socket and kpi-report both read them here, and the appraisal module reads the same views, so
 * that no two of them can disagree. Any thread, with a connection of its own. */
#ifndef KPID_LEDGER_MEETING_H
#define KPID_LEDGER_MEETING_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "kpi/fact.h"
#include "kpi/rules.h"
#include "kpi/scope.h"

#define SHARE_NONE INT64_C(-1)      /* null */
#define COUNT_NONE INT64_C(-1)

/* What a KPI is called in the present configuration; its id if it has no place there. */
struct meeting_name {
    char kpi[KPI_ID_SIZE];
    char zh[NAME_SIZE * 2], en[NAME_SIZE * 2];
    enum direction direction;
};

/* law 6.steering: beside a figure, and without a verdict. */
struct meeting_sign {
    bool known;                 /* there are tickets to look at */
    int64_t tickets;
    int64_t excluded_share_e4;  /* of what was excluded or counted; SHARE_NONE: nothing was */
    int64_t amended, amended_by_own;
    int64_t last_tenth_share_e4;    /* of what was settled in time; SHARE_NONE: nothing expires */
    int64_t same_minute;
    int64_t oldest_pending_ms;  /* COUNT_NONE: nothing is pending */
};

enum explanation { EXPLANATION_NONE, EXPLANATION_DUE, EXPLANATION_GIVEN };

/* One KPI of the company, of a department, or of a post's scope, in one week. */
struct meeting_fact {
    struct meeting_name name;
    char scope[SCOPE_SIZE];
    char department[NAME_SIZE]; /* "": the scope is none */
    struct fact fact;
    struct coverage coverage;
    enum fact_state state;
    int32_t revision;
    int64_t as_of;
    bool restatement_pending;
    int64_t make_up;            /* last week's shortfall */
    int64_t streak;
    bool penalty_due;
    enum explanation explanation;
    char *text, *by;            /* of the explanation; "" if there is none */
    int64_t explained_at;
    struct meeting_sign sign;
};

/* A KPI's volume plan in one period. */
struct meeting_plan {
    struct meeting_name name;
    char period[PERIOD_SIZE];
    enum period_kind kind;
    int64_t planned, planned_so_far, done;
    int64_t needed;             /* until the end of the period */
    int64_t days_left;          /* today and those to come; 0: it has ended */
    int64_t needed_per_day;     /* rounded up; 0 if it has ended */
};

/* What a ticket or a device counted as, before or after it moved. */
struct meeting_side {
    int64_t at;                 /* where it counted; INSTANT_NONE: nowhere, or a device */
    struct counts counts;
    char *reason;               /* "" if there is none */
};

struct meeting_move {
    int32_t revision;           /* that it brought; 0: the one that is pending */
    char kpi[KPI_ID_SIZE];
    char kind[KIND_SIZE];       /* of the ticket; "device" */
    char *subject;
    struct meeting_side before, after;
};

/* One revision of the week, oldest first. */
struct meeting_revision {
    int32_t revision;
    int64_t at;                 /* the instant that its facts speak for */
    char *by, *why;
    char *quarantine;           /* items that waited and belong to the week: "3,17" */
    int64_t moved;              /* since the revision before */
};

/* An item in quarantine that belongs to the week, by its own date or by when it came. */
struct meeting_item {
    int64_t n;
    int64_t received_at;
    char *via, *reason;
};

enum { MEETING_MOVES_MAX = 500, MEETING_ITEMS_MAX = 500 };

struct meeting {
    char week[PERIOD_SIZE];
    int64_t begin_at, end_at;
    int64_t as_of;              /* of what is not sealed */
    char timezone[64];
    struct meeting_fact *facts; /* company first, then departments, then other scopes; by KPI */
    size_t fact_count;
    struct meeting_plan *plans; /* by KPI: the week's, the month's and the year's */
    size_t plan_count;
    struct meeting_revision *revisions;
    size_t revision_count;
    struct meeting_move *moves;     /* of restatements, then what is pending; by KPI and subject */
    size_t move_count;
    int64_t moves_more;             /* beyond MEETING_MOVES_MAX */
    struct meeting_item *items;     /* that wait now */
    size_t item_count;
};

/* Reads the week. -ENOENT: the ledger knows nothing of it (it has not begun, or lies before the
 * first fact). Free with meeting_finish. */
int meeting_read(sqlite3 *db, struct period week, struct meeting *ret, struct err *err);
void meeting_finish(struct meeting *meeting);
/* The state of the week as a whole, and its revision. */
enum fact_state meeting_state(const struct meeting *meeting, int32_t *ret_revision);

/* One KPI of a post in a week or a month. */
struct post_fact {
    struct meeting_name name;
    int64_t weight;             /* whole per cent; COUNT_NONE: none given */
    struct fact fact;
    int64_t attainment_e4;      /* SHARE_NONE: no data, or no target */
};

struct post_holder {
    char post[KPI_ID_SIZE];
    char period[PERIOD_SIZE];
    char name[NAME_SIZE], user[NAME_SIZE];
    int64_t days;               /* of the period */
    int64_t begin_at, end_at;   /* within the period */
};

struct post_appraisal {
    char post[KPI_ID_SIZE];
    char name_zh[NAME_SIZE * 2], name_en[NAME_SIZE * 2];
    char scope[SCOPE_SIZE];
    enum fact_state state;
    int32_t revision;
    int64_t as_of;
    int64_t weighted_e4;        /* SHARE_NONE: no weights, or nothing has data */
    struct post_fact *facts;    /* in the order of the post */
    size_t fact_count;
};

struct appraisal {
    char period[PERIOD_SIZE];
    struct post_appraisal *posts;
    size_t post_count;
    struct post_holder *holders;    /* of the period; of a month, also of each week that ends in
                                     * it */
    size_t holder_count;
};

/* Reads every post, or the one called `post`, in a week or a month. -ENOENT as meeting_read. Free
 * with appraisal_finish. */
int appraisal_read(sqlite3 *db, struct period period, const char *post, struct appraisal *ret,
                   struct err *err);
void appraisal_finish(struct appraisal *appraisal);

#endif
