/* Between meeting.c and appraisal.c: columns that their views have in common. */
#ifndef KPID_LEDGER_MEETING_ROWS_H
#define KPID_LEDGER_MEETING_ROWS_H

#include "ledger/meeting.h"

/* From column 0 on. */
#define MEETING_NAME_COLUMNS "kpi, name_zh, name_en, direction"
#define MEETING_VALUE_COLUMNS                                                                      \
    "numerator, denominator, excluded, pending, rate, low, high, target, verdict, shortfall"
enum { MEETING_VALUE = 4, MEETING_VALUE_END = 14 };

/* False if a column says what the daemon never writes. */
bool meeting_name(sqlite3_stmt *st, struct meeting_name *ret);
bool meeting_value(sqlite3_stmt *st, struct fact *ret);
enum fact_state meeting_state_of(const char *name);

/* A fraction of a view in whole `parts`; -1 for null. */
int64_t meeting_parts(sqlite3_stmt *st, int column, int64_t parts);

/* meeting_history.c: revisions, what moved, and what waits in quarantine. */
int meeting_read_history(sqlite3 *db, struct meeting *m, struct err *err);
void meeting_finish_history(struct meeting *m);

/* Fills `err`, returns -EBADMSG. */
int meeting_damaged(const char *view, struct err *err);

#endif
