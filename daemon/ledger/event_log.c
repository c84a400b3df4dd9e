/* The event log: what happened, word for word, in the order of arrival. Append-only, and the only
 * table from which nothing else could be derived if it were gone. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ledger/ledger_private.h"

/* Is it this one? Word for word almost always; else as parsed JSON (law 1.redelivery). */
int log_compare(struct ledger *l, struct ledger_line *line, struct err *err)
{
    sqlite3_stmt *st = l->st.event_get;
    const char *json;
    size_t length;
    int rc;

    sql_bind_text(st, 1, line->event.source);
    sql_bind_text(st, 2, line->event.id);
    if (sqlite3_step(st) != SQLITE_ROW) {
        rc = sql_error(err, l->db, sqlite3_reset(st), "reading the event log");
        return rc < 0 ? rc : -EIO;
    }
    line->seq = sqlite3_column_int64(st, 0);
    json = (const char *)sqlite3_column_text(st, 1);
    length = (size_t)sqlite3_column_bytes(st, 1);
    rc = (length == line->length && memcmp(json, line->json, length) == 0) ||
                 event_same_content(json, length, line->json, line->length)
             ? 0
             : 2;
    (void)sqlite3_reset(st);    /* the step's own result was taken above */
    return rc;
}

/* Goes through the lines of requests while SQLite asks for rows. */
struct appending {
    struct ledger *l;
    struct ledger_request **requests;
    size_t count;
    size_t request, line;       /* the next one */
    struct ledger_line *asked;  /* what SQLite was given last */
    int64_t received_at;
};

/* A row that was inserted is the connection's last, at the position that it was given. */
static void settle_asked(struct appending *a)
{
    if (a->asked && sqlite3_last_insert_rowid(a->l->db) == a->l->position + 1)
        a->asked->seq = ++a->l->position;
    a->asked = NULL;
}

static struct ledger_line *next_line(struct appending *a)
{
    for (; a->request < a->count; a->request++, a->line = 0) {
        struct ledger_request *r = a->requests[a->request];

        while (a->line < r->count) {
            struct ledger_line *line = &r->lines[a->line++];

            line->seq = 0;
            if (!line->reject.reason[0])
                return line;
        }
    }
    return NULL;
}

static bool next_row(void *arg, struct bulk_value *row)
{
    struct appending *a = arg;
    const struct event *event;

    settle_asked(a);
    a->asked = next_line(a);
    if (!a->asked)
        return false;
    event = &a->asked->event;
    row[0] = bulk_integer(a->l->position + 1);
    row[1] = bulk_text(event->source);
    row[2] = bulk_text(event->id);
    row[3] = bulk_text(event->kind);
    row[4] = bulk_text(event_subject(event));
    row[5] = bulk_integer(event->at);
    row[6] = bulk_integer(a->received_at);
    row[7] = bulk_text(a->requests[a->request]->via);
    row[8] = bulk_bytes(a->asked->json, a->asked->length);
    return true;
}

int log_append(struct ledger *l, struct ledger_request **requests, size_t count,
               int64_t received_at, struct err *err)
{
    struct appending a = { .l = l, .requests = requests, .count = count,
                           .received_at = received_at };

    sqlite3_set_last_insert_rowid(l->db, 0);
    bulk_set(&l->arriving_event, next_row, &a);
    return sql_run(l->st.event_put, "writing the event log", err);
}

static struct logged *list_add(struct logged_list *list)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity ? list->capacity * 2 : 8;
        list->items = mem_realloc_array(list->items, list->capacity, sizeof *list->items);
    }
    return &list->items[list->count++];
}

static int compare_logged(const void *a, const void *b)
{
    return event_compare(&((const struct logged *)a)->event, &((const struct logged *)b)->event);
}

/* Reads what `st` finds, in its order. */
static int read_list(struct ledger *l, sqlite3_stmt *st, struct logged_list *list,
                     struct err *err)
{
    struct reject reject;
    int rc;

    while (sqlite3_step(st) == SQLITE_ROW) {
        struct logged *logged = list_add(list);
        const char *json = (const char *)sqlite3_column_text(st, 1);

        logged->seq = sqlite3_column_int64(st, 0);
        if (!event_parse(json, (size_t)sqlite3_column_bytes(st, 1), NULL, &logged->event,
                         &reject)) {
            (void)sqlite3_reset(st);    /* the step's own result was a row */
            return err_set(err, -EIO, "event %lld of the log cannot be read any more (%s): "
                           "restore a backup with kpid --restore",
                           (long long)logged->seq, reject.reason);
        }
    }
    rc = sqlite3_reset(st);
    if (rc != SQLITE_OK)
        return sql_error(err, l->db, rc, "reading the event log");
    return 0;
}

static void sort_list(struct logged_list *list)
{
    if (list->count > 1)
        qsort(list->items, list->count, sizeof *list->items, compare_logged);
}

int log_read(struct ledger *l, const char *kind, const char *subject, struct logged_list *list,
             struct err *err)
{
    int rc;

    sql_bind_text(l->st.event_of_subject, 1, kind);
    sql_bind_text(l->st.event_of_subject, 2, subject);
    rc = read_list(l, l->st.event_of_subject, list, err);
    sort_list(list);
    return rc;
}

int log_read_kind(struct ledger *l, const char *kind, struct logged_list *list, struct err *err)
{
    int rc;

    sql_bind_text(l->st.event_of_kind, 1, kind);
    rc = read_list(l, l->st.event_of_kind, list, err);
    sort_list(list);
    return rc;
}

int log_read_after(struct ledger *l, int64_t position, int limit, struct logged_list *list,
                   struct err *err)
{
    sqlite3_bind_int64(l->st.event_after, 1, position);
    sqlite3_bind_int64(l->st.event_after, 2, limit);
    return read_list(l, l->st.event_after, list, err);
}

void logged_finish(struct logged_list *list)
{
    free(list->items);
    *list = (struct logged_list){ 0 };
}
