/* Generations: each accepted configuration is one, recorded with who, when and which keys. The
 * house row keeps the rules that the stored counts were made with; when today's differ, the counts
 * are made anew from the log, or only valued anew if just targets and the like changed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "ledger/ledger_private.h"
#include "ledger/rebuild.h"

/* Which of the two texts of the house row differ from those of today's rules. */
static int compare_house(struct ledger *l, const char *counting, const char *valuing,
                         bool *ret_recount, bool *ret_revalue, struct err *err)
{
    sqlite3_stmt *st;
    int rc = sql_prepare(l->db, "SELECT counting, valuing FROM house", &st, err);

    if (rc < 0)
        return rc;
    rc = sql_step(st, "reading the house row", err);
    if (rc == 1) {
        *ret_recount = strcmp(sql_column_text(st, 0), counting) != 0;
        *ret_revalue = strcmp(sql_column_text(st, 1), valuing) != 0;
    }
    sqlite3_finalize(st);
    return rc < 0 ? rc : 0;
}

static int store_house(struct ledger *l, const char *counting, const char *valuing,
                       struct err *err)
{
    sqlite3_stmt *st;
    int rc = sql_prepare(l->db, "UPDATE house SET counting = ?1, valuing = ?2, as_of = ?3", &st,
                         err);

    if (rc < 0)
        return rc;
    sql_bind_text(st, 1, counting);
    sql_bind_text(st, 2, valuing);
    sqlite3_bind_int64(st, 3, l->as_of);
    rc = sql_run(st, "writing the house row", err);
    sqlite3_finalize(st);
    return rc;
}

static int store_all(struct ledger *l, const char *counting, const char *valuing, bool revalue,
                     bool by_rules, struct err *err)
{
    int rc = sql_exec(l->db, "BEGIN IMMEDIATE", err);

    if (rc < 0)
        return rc;
    if (revalue)
        rc = revalue_facts(l->db, l->rules, err);
    l->gaps_by_rules = by_rules;
    if (rc == 0)
        rc = gaps_recount(l, err);
    l->gaps_by_rules = false;
    if (rc == 0)
        rc = gaps_store(l, err);
    if (rc == 0)
        rc = seals_store(l, err);
    if (rc == 0)
        rc = catalogue_store(l->db, l->rules, err);
    if (rc == 0)
        rc = store_house(l, counting, valuing, err);
    if (rc == 0)
        rc = sql_exec(l->db, "COMMIT", err);
    if (rc < 0)
        (void)sql_exec(l->db, "ROLLBACK", NULL);    /* the first failure is the one to tell */
    return rc;
}

int generation_settle(struct ledger *l, struct err *err)
{
    char *counting = rules_counting_text(l->rules), *valuing = rules_valuing_text(l->rules);
    bool recount = false, revalue = false;
    int rc = compare_house(l, counting, valuing, &recount, &revalue, err);

    if (rc == 0 && recount && l->position > 0) {
        log_notice("ledger: the counting rules changed: counting %lld events anew",
                   (long long)l->position);
        rc = rebuild_in_place(l->db, l->rules, l->as_of, l->progress, l->progress_arg, err);
    }
    if (rc == 0)
        rc = store_all(l, counting, valuing, revalue && !recount, revalue || recount, err);
    if (rc == -ENOSPC && !recount && !revalue) {
        /* What could not be written is there already: a full disk keeps nobody from starting. */
        writer_note_health(l, rc, err);
        rc = 0;
    }
    free(counting);
    free(valuing);
    return rc;
}

/* Loads the last generation into the ledger's fields. */
static int load_last(struct ledger *l, struct err *err)
{
    sqlite3_stmt *st;
    int rc = sql_prepare(l->db, "SELECT number, digest, accepted_at FROM generation "
                         "ORDER BY number DESC LIMIT 1", &st, err);

    if (rc < 0)
        return rc;
    rc = sql_step(st, "reading the generations", err);
    if (rc == 1) {
        l->generation = sqlite3_column_int64(st, 0);
        (void)sql_column_text_into(st, 1, l->digest, sizeof l->digest);
        l->accepted_at = sqlite3_column_int64(st, 2);
    }
    sqlite3_finalize(st);
    return rc < 0 ? rc : 0;
}

char *ledger_settings(const char *path)
{
    sqlite3_stmt *st = NULL;
    sqlite3 *db = NULL;
    char *settings = NULL;

    if (sql_open_reader(path, &db, NULL) == 0 &&
        sql_prepare(db, "SELECT settings FROM generation ORDER BY number DESC LIMIT 1", &st,
                    NULL) == 0 &&
        sql_step(st, "reading the generations", NULL) == 1)
        settings = mem_strdup(sql_column_text(st, 0));
    sqlite3_finalize(st);
    sql_close(db);
    return settings;
}

/* Equal digests are equal settings: it does not matter which of several generations is read. */
int generation_settings(sqlite3 *db, int64_t seal, char **ret, struct err *err)
{
    sqlite3_stmt *row;
    int rc = sql_prepare(db, "SELECT settings FROM generation WHERE settings <> '' AND digest = "
                         "(SELECT config_digest FROM seal WHERE n = ?1) LIMIT 1", &row, err);

    if (rc < 0)
        return rc;
    sql_bind_integer(row, 1, seal);
    rc = sql_step(row, "reading the generations", err);
    if (rc > 0)
        *ret = mem_strdup(sql_column_text(row, 0));
    sqlite3_finalize(row);
    return rc;
}

int generation_rules(const struct ledger *l, sqlite3 *db, int64_t seal, struct rules **ret,
                     struct err *err)
{
    char *settings = NULL;
    int rc = generation_settings(db, seal, &settings, err);

    *ret = settings && l->recorded_rules ? l->recorded_rules(settings, NULL) : NULL;
    free(settings);
    return rc < 0 ? rc : *ret != NULL;
}

static int put_generation(struct ledger *l, const char *digest, const char *by,
                          const char *changed, const char *settings, struct err *err)
{
    sqlite3_stmt *st;
    int rc = sql_prepare(l->db, "INSERT INTO generation (number, digest, accepted_at, by, changed, "
                         "settings) VALUES (?1, ?2, ?3, ?4, ?5, ?6)", &st, err);

    if (rc < 0)
        return rc;
    sqlite3_bind_int64(st, 1, l->generation + 1);
    sql_bind_text(st, 2, digest);
    sqlite3_bind_int64(st, 3, clock_wall(l->clock));
    sql_bind_text(st, 4, by);
    sql_bind_text(st, 5, changed ? changed : "");
    sql_bind_text(st, 6, settings ? settings : "");
    rc = sql_run(st, "recording the configuration", err);
    sqlite3_finalize(st);
    return rc;
}

int generation_record(struct ledger *l, const char *digest, const char *by, const char *changed,
                      const char *settings, struct err *err)
{
    int rc = load_last(l, err);
    bool known = rc == 0 && l->generation > 0 && strcmp(l->digest, digest) == 0;

    if (rc < 0 || (known && l->seals->head > 0))
        return rc;
    rc = sql_exec(l->db, "BEGIN IMMEDIATE", err);
    if (rc == 0 && !known)
        rc = put_generation(l, digest, by, changed, settings, err);
    if (rc == 0)
        rc = load_last(l, err);
    if (rc == 0)
        rc = chain_append(l, &(struct chain_record){ .kind = "configured",
                                                     .at = clock_wall(l->clock),
                                                     .by = by,
                                                     .why = "",
                                                     .content = changed }, err);
    if (rc == 0)
        rc = sql_exec(l->db, "COMMIT", err);
    if (rc == 0)
        return chain_load(l, err);
    if (!sqlite3_get_autocommit(l->db))
        (void)sql_exec(l->db, "ROLLBACK", NULL);    /* the first failure is the one to tell */
    (void)load_last(l, NULL);                       /* likewise */
    return rc;
}
