/* Columns that the views of the meeting and of the appraisal have in common. */
#include "ledger/meeting_rows.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "ledger/sql.h"

int64_t meeting_parts(sqlite3_stmt *st, int column, int64_t parts)
{
    if (sqlite3_column_type(st, column) == SQLITE_NULL)
        return -1;
    return llround(sqlite3_column_double(st, column) * (double)parts);
}

bool meeting_name(sqlite3_stmt *st, struct meeting_name *ret)
{
    ret->direction = strcmp(sql_column_text(st, 3), direction_name(DIRECTION_AT_MOST)) == 0
                         ? DIRECTION_AT_MOST
                         : DIRECTION_AT_LEAST;
    return sql_column_text_into(st, 0, ret->kpi, sizeof ret->kpi) &&
           sql_column_text_into(st, 1, ret->zh, sizeof ret->zh) &&
           sql_column_text_into(st, 2, ret->en, sizeof ret->en);
}

static bool verdict_of(const char *name, enum verdict *ret)
{
    for (int v = VERDICT_NO_DATA; v <= VERDICT_MISSED; v++)
        if (strcmp(name, verdict_name((enum verdict)v)) == 0) {
            *ret = (enum verdict)v;
            return true;
        }
    return false;
}

bool meeting_value(sqlite3_stmt *st, struct fact *ret)
{
    const int at = MEETING_VALUE;

    *ret = (struct fact){ .counts = { .numerator = sqlite3_column_int64(st, at),
                                      .denominator = sqlite3_column_int64(st, at + 1),
                                      .excluded = sqlite3_column_int64(st, at + 2),
                                      .pending = sqlite3_column_int64(st, at + 3) },
                          .rate_e6 = meeting_parts(st, at + 4, 1000000),
                          .low_e6 = meeting_parts(st, at + 5, 1000000),
                          .high_e6 = meeting_parts(st, at + 6, 1000000),
                          .target_e4 = (int32_t)meeting_parts(st, at + 7, 10000),
                          .shortfall = sqlite3_column_int64(st, at + 9) };
    return verdict_of(sql_column_text(st, at + 8), &ret->verdict);
}

enum fact_state meeting_state_of(const char *name)
{
    for (int s = FACT_OPEN; s < FACT_SEALED; s++)
        if (strcmp(name, fact_state_name((enum fact_state)s)) == 0)
            return (enum fact_state)s;
    return FACT_SEALED;
}

int meeting_damaged(const char *view, struct err *err)
{
    return err_set(err, -EBADMSG, "%s says what kpid never writes: the file is damaged, put the "
                   "last backup in its place with kpid --restore", view);
}
