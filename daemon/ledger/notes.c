/* What people say of a figure: explanations, each of which is a record of the chain ("KPI DEPARTMENT"
 * is its content, the text its why), and which tickets they amended. */
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "kpi/period.h"
#include "ledger/ledger_private.h"
#include "ledger/seals.h"

/* 1 if the meeting of that week looks at the department's KPI: a misspelt name would be an
 * explanation that nobody ever reads. */
static int has_place(struct ledger *l, const char *week, const struct ledger_note *note,
                     struct err *err)
{
    sqlite3_stmt *st = l->st.note_place;
    int rc;

    sql_bind_text(st, 1, week);
    sql_bind_text(st, 2, note->department);
    sql_bind_text(st, 3, note->kpi);
    rc = sql_step(st, "looking for the line to explain", err);
    (void)sqlite3_reset(st);    /* the step has told what went wrong */
    return rc;
}

int notes_put(struct ledger *l, const struct ledger_note *note, const char *by, int64_t now,
              struct err *err)
{
    char week[PERIOD_SIZE], *content;
    int rc = has_place(l, period_format(week, note->week), note, err);

    if (rc < 0)
        return rc;
    if (rc == 0)
        return err_set(err, -ENOENT, "%s has no %s of department \"%s\" to explain", week, note->kpi,
                       note->department);
    content = mem_printf("%s %s", note->kpi, note->department);
    rc = chain_append(l, &(struct chain_record){ .kind = "noted", .period = week, .at = now,
                                                 .by = by, .why = note->text,
                                                 .content = content }, err);
    free(content);
    l->chain_touched = true;
    return rc;
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

int exclusion_is_undone(struct ledger *l, int64_t n, struct err *err)
{
    sqlite3_stmt *st;
    int rc = sql_prepare(l->db, "SELECT 1 FROM seal WHERE kind = 'exclusion_undone' "
                         "AND json_extract(content, '$.exclusion') = ?1", &st, err);

    if (rc < 0)
        return rc;
    sql_bind_integer(st, 1, n);
    rc = sql_step(st, "reading the chain", err);
    sqlite3_finalize(st);
    return rc;
}

int exclusion_record(struct ledger *l, struct ledger_request *r, int64_t now, struct err *err)
{
    int64_t n;
    int rc = chain_next(l, &n, err);

    if (rc == 0)
        rc = chain_append(l, &(struct chain_record){ .kind = r->n ? "exclusion_undone" : "excluded",
                                                     .at = now, .by = r->by, .why = r->text,
                                                     .content = r->settings }, err);
    if (rc == 0)
        r->n = n;
    l->chain_touched = true;
    return rc;
}
