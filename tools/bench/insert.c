/* The bare counterpart of ingest: a loop that inserts the same rows into the same table with the
 * same two indices, the same batches and the same durability, and does nothing else. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench.h"

static const char schema[] =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
    "CREATE TABLE event (seq INTEGER PRIMARY KEY, source TEXT NOT NULL, id TEXT NOT NULL,"
    " kind TEXT NOT NULL, subject TEXT NOT NULL, at INTEGER NOT NULL,"
    " received_at INTEGER NOT NULL, via TEXT NOT NULL, json TEXT NOT NULL) STRICT;"
    "CREATE UNIQUE INDEX event_identity ON event (source, id);"
    "CREATE INDEX event_subject ON event (kind, subject);";

/* One row, taken apart before the clock starts. */
struct row {
    char id[40], kind[24], subject[24];
    char *json;
    int length;
};

static void cut(char *to, size_t size, const char *json, const char *key, char end)
{
    const char *from = strstr(json, key);
    const char *to_end;
    size_t length;

    if (!from)
        return;
    from += strlen(key);
    to_end = strchr(from, end);
    length = to_end ? (size_t)(to_end - from) : 0;
    if (length >= size)
        length = size - 1;
    memcpy(to, from, length);
    to[length] = '\0';
}

static struct row *make_rows(int64_t count)
{
    struct row *rows = calloc((size_t)count, sizeof *rows);
    struct history h;
    char line[320];
    size_t length;

    if (!rows)
        die("bench: out of memory");
    history_init(&h, 7, count, (int64_t)time(NULL) * 1000, 3600 * 1000);
    for (int64_t i = 0; i < count; i++) {
        length = history_next(&h, line) - 1;
        rows[i].json = strndup(line, length);
        rows[i].length = (int)length;
        cut(rows[i].id, sizeof rows[i].id, line, "\"id\":\"", '"');
        cut(rows[i].kind, sizeof rows[i].kind, line, "\"type\":\"", '.');
        cut(rows[i].subject, sizeof rows[i].subject, line,
            strcmp(rows[i].kind, "device") ? "\"ticket\":\"" : "\"device\":\"", '"');
    }
    return rows;
}

static void insert(sqlite3_stmt *st, int64_t seq, const struct row *row)
{
    sqlite3_bind_int64(st, 1, seq);
    sqlite3_bind_text(st, 2, "bench", -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 3, row->id, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 4, row->kind, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 5, row->subject, -1, SQLITE_STATIC);
    sqlite3_bind_int64(st, 6, seq);
    sqlite3_bind_int64(st, 7, seq);
    sqlite3_bind_text(st, 8, "socket:root", -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 9, row->json, row->length, SQLITE_STATIC);
    if (sqlite3_step(st) != SQLITE_DONE)
        die("bench: insert: %s", sqlite3_errmsg(sqlite3_db_handle(st)));
    sqlite3_reset(st);
}

/* insert FILE COUNT BATCH: prints events a second. */
int cmd_insert(int argc, char **argv)
{
    int64_t count, batch, began;
    struct row *rows;
    sqlite3 *db;
    sqlite3_stmt *st;

    if (argc != 4)
        die("usage: kpi-bench insert FILE COUNT BATCH");
    count = atoll(argv[2]);
    batch = atoll(argv[3]);
    rows = make_rows(count);
    if (sqlite3_open(argv[1], &db) != SQLITE_OK || sqlite3_exec(db, schema, NULL, NULL, NULL))
        die("bench: %s: %s", argv[1], sqlite3_errmsg(db));
    sqlite3_wal_autocheckpoint(db, 4000);
    sqlite3_prepare_v2(db, "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", -1, &st, NULL);
    began = now_ns();
    for (int64_t i = 0; i < count; i++) {
        if (i % batch == 0)
            sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
        insert(st, i + 1, &rows[i]);
        if (i % batch == batch - 1 || i == count - 1)
            sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    }
    printf("%.0f\n", (double)count * 1e9 / (double)(now_ns() - began));
    sqlite3_finalize(st);
    sqlite3_close(db);
    for (int64_t i = 0; i < count; i++)
        free(rows[i].json);
    free(rows);
    return 0;
}
