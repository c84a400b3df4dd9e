/* Cursors: where each input stands. Written with the events that the input brought; a copy in
 * memory answers the loop thread, so that it never waits for a transaction. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "ledger/ledger_private.h"

/* Under the outbox's lock. */
static void remember(struct ledger *l, const char *source, const char *cursor)
{
    struct cursor *c;

    for (c = l->cursors; c; c = c->next)
        if (strcmp(c->source, source) == 0)
            break;
    if (!c) {
        c = mem_zalloc(sizeof *c);
        text_set(c->source, sizeof c->source, source);
        c->next = l->cursors;
        l->cursors = c;
    }
    free(c->cursor);
    c->cursor = mem_strdup(cursor);
}

int cursors_load(struct ledger *l, struct err *err)
{
    sqlite3_stmt *st;
    int rc = sql_prepare(l->db, "SELECT source, cursor FROM cursor", &st, err);

    if (rc < 0)
        return rc;
    while ((rc = sql_step(st, "reading the cursors", err)) == 1)
        remember(l, sql_column_text(st, 0), sql_column_text(st, 1));
    sqlite3_finalize(st);
    return rc;
}

int cursors_put(struct ledger *l, const char *source, const char *cursor, int64_t now,
                struct err *err)
{
    sqlite3_stmt *st = l->st.cursor_put;

    sql_bind_text(st, 1, source);
    sql_bind_text(st, 2, cursor);
    sqlite3_bind_int64(st, 3, now);
    return sql_run(st, "writing a cursor", err);
}

void cursors_committed(struct ledger *l, struct ledger_request *const *requests, size_t count)
{
    pthread_mutex_lock(&l->outbox_lock);
    for (size_t i = 0; i < count; i++)
        if (requests[i]->cursor && requests[i]->status == 0)
            remember(l, requests[i]->source, requests[i]->cursor);
    pthread_mutex_unlock(&l->outbox_lock);
}

void cursors_finish(struct ledger *l)
{
    while (l->cursors) {
        struct cursor *c = l->cursors;

        l->cursors = c->next;
        free(c->cursor);
        free(c);
    }
}

char *ledger_cursor(struct ledger *l, const char *source)
{
    char *cursor = NULL;

    pthread_mutex_lock(&l->outbox_lock);
    for (struct cursor *c = l->cursors; c; c = c->next)
        if (strcmp(c->source, source) == 0)
            cursor = mem_strdup(c->cursor);
    pthread_mutex_unlock(&l->outbox_lock);
    return cursor;
}
