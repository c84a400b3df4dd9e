/* The counterpart of a fact: the same question asked in SQL of the raw log. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"

/* groupby DATABASE week|all: prints microseconds of one GROUP BY over the events. */
int cmd_groupby(int argc, char **argv)
{
    static const char sql[] =
        "SELECT json_extract(json, '$.outcome') AS outcome, count(*) FROM event "
        "WHERE kind = 'dispatch' AND at >= ?1 AND json_extract(json, '$.type') = "
        "'dispatch.settled' GROUP BY outcome";
    sqlite3 *db;
    sqlite3_stmt *st;
    int64_t began, from = 0;

    if (argc != 3)
        die("usage: kpi-bench groupby DATABASE week|all");
    if (sqlite3_open_v2(argv[1], &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK)
        die("bench: %s: %s", argv[1], sqlite3_errmsg(db));
    if (argv[2][0] == 'w') {
        sqlite3_prepare_v2(db, "SELECT max(begin_at) FROM fact WHERE kind = 1", -1, &st, NULL);
        if (sqlite3_step(st) == SQLITE_ROW)
            from = sqlite3_column_int64(st, 0);
        sqlite3_finalize(st);
    }
    if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
        die("bench: %s", sqlite3_errmsg(db));
    began = now_ns();
    sqlite3_bind_int64(st, 1, from);
    while (sqlite3_step(st) == SQLITE_ROW)
        ;
    printf("%.0f\n", (double)(now_ns() - began) / 1000);
    sqlite3_finalize(st);
    sqlite3_close(db);
    return 0;
}
