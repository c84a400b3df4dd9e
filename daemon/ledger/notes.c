/* What people say of a figure: explanations, and which tickets they amended. Both are rows beside
 * the log that commit with what brought them. */
#include "kpi/period.h"
#include "ledger/ledger_private.h"

int notes_put(struct ledger *l, const struct ledger_note *note, const char *by, int64_t now,
              struct err *err)
{
    sqlite3_stmt *st = l->st.note_put;
    char week[PERIOD_SIZE];

    sql_bind_text(st, 1, period_format(week, note->week));
    sql_bind_text(st, 2, note->department);
    sql_bind_text(st, 3, note->kpi);
    sql_bind_text(st, 4, note->text);
    sql_bind_text(st, 5, by);
    sqlite3_bind_int64(st, 6, now);
    return sql_run(st, "writing an explanation", err);
}

int amendments_put(struct ledger *l, const struct event *event, int64_t seq, struct err *err)
{
    sqlite3_stmt *st = l->st.amendment_put;

    sqlite3_bind_int64(st, 1, seq);
    sql_bind_text(st, 2, event->kind);
    sql_bind_text(st, 3, event->ticket);
    sqlite3_bind_int64(st, 4, event->at);
    sql_bind_text(st, 5, event->by);
    return sql_run(st, "noting an amendment", err);
}
