/* Comparing: two statements over two tables of the same shape, in the order of the same key, are
 * stepped like a zip: the side whose key is less has a row that the other lacks. */
#include "ledger/compare.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "kpi/coverage.h"
#include "kpi/fact.h"
#include "kpi/ticket.h"
#include "ledger/rows.h"
#include "ledger/sql.h"
#include "ledger/staging.h"

enum { VALUE_SIZE = 160 };

/* Two tables side by side. A side whose row the present key lacks is a null pointer in `each`. */
struct pairing {
    const struct staged_table *table;
    sqlite3_stmt *stored, *computed;
    int (*each)(void *arg, const struct pairing *pairing, sqlite3_stmt *stored,
                sqlite3_stmt *computed);
    void *arg;
};

static int compare_values(sqlite3_stmt *a, sqlite3_stmt *b, int column)
{
    int64_t x, y;

    if (sqlite3_column_type(a, column) != SQLITE_INTEGER ||
        sqlite3_column_type(b, column) != SQLITE_INTEGER)
        return strcmp(sql_column_text(a, column), sql_column_text(b, column));
    x = sqlite3_column_int64(a, column);
    y = sqlite3_column_int64(b, column);
    return x < y ? -1 : x > y;
}

static int compare_keys(const struct pairing *p)
{
    for (int i = 0; i < p->table->key_columns; i++) {
        int order = compare_values(p->stored, p->computed, i);

        if (order != 0)
            return order;
    }
    return 0;
}

static bool values_equal(sqlite3_stmt *a, sqlite3_stmt *b, int column)
{
    return sqlite3_column_type(a, column) == sqlite3_column_type(b, column) &&
           compare_values(a, b, column) == 0;
}

static int step(sqlite3_stmt *stmt, struct err *err)
{
    return sql_step(stmt, "comparing", err);
}

/* Goes through both until `each` says other than 0, and returns that. */
static int pair_up(const struct pairing *p, struct err *err)
{
    int stored = step(p->stored, err);
    int computed = step(p->computed, err);

    while (stored >= 0 && computed >= 0 && (stored > 0 || computed > 0)) {
        int order = stored == 0 ? 1 : computed == 0 ? -1 : compare_keys(p);
        int rc = p->each(p->arg, p, order <= 0 ? p->stored : NULL, order >= 0 ? p->computed : NULL);

        if (rc != 0)
            return rc;
        if (order <= 0)
            stored = step(p->stored, err);
        if (order >= 0)
            computed = step(p->computed, err);
    }
    return stored < 0 ? stored : computed < 0 ? computed : 0;
}

static int pair_table(sqlite3 *db, const char *schema, struct pairing *p, struct err *err)
{
    int rc = sql_preparef(db, &p->stored, err, "SELECT * FROM main.%s ORDER BY %s", p->table->name,
                          p->table->key);

    if (rc < 0)
        return rc;
    rc = sql_preparef(db, &p->computed, err, "SELECT * FROM %s.rebuild_%s ORDER BY %s", schema,
                      p->table->name, p->table->key);
    if (rc == 0) {
        rc = pair_up(p, err);
        sqlite3_finalize(p->computed);
    }
    sqlite3_finalize(p->stored);
    return rc;
}

/* As SQL would write it, with texts of strangers quoted and cut. Returns `to`. */
static const char *format_value(char to[VALUE_SIZE], sqlite3_stmt *stmt, int column)
{
    switch (sqlite3_column_type(stmt, column)) {
    case SQLITE_NULL:
        text_set(to, VALUE_SIZE, "NULL");
        break;
    case SQLITE_INTEGER:
        (void)snprintf(to, VALUE_SIZE, "%" PRId64, (int64_t)sqlite3_column_int64(stmt, column));
        break;
    default:
        text_quote(to, VALUE_SIZE, sql_column_text(stmt, column),
                   (size_t)sqlite3_column_bytes(stmt, column));
    }
    return to;
}

static void print_key(FILE *out, const struct pairing *p, sqlite3_stmt *stmt)
{
    char value[VALUE_SIZE];

    fputs(p->table->name, out);
    for (int i = p->table->untold; i < p->table->key_columns; i++)
        fprintf(out, " %s", format_value(value, stmt, i));
}

static int print_column(FILE *out, const struct pairing *p, sqlite3_stmt *stored,
                        sqlite3_stmt *computed, int column)
{
    char before[VALUE_SIZE], after[VALUE_SIZE];

    print_key(out, p, stored);
    fprintf(out, ": %s: stored %s, computed %s\n", sqlite3_column_name(stored, column),
            format_value(before, stored, column), format_value(after, computed, column));
    return 1;
}

static int report_difference(void *arg, const struct pairing *p, sqlite3_stmt *stored,
                             sqlite3_stmt *computed)
{
    FILE *out = arg;

    if (!stored || !computed) {
        print_key(out, p, stored ? stored : computed);
        fputs(stored ? ": stored, but the log does not say so\n"
                     : ": the log says so, but it is not stored\n",
              out);
        return 1;
    }
    for (int i = p->table->key_columns; i < sqlite3_column_count(stored); i++)
        if (!values_equal(stored, computed, i))
            return print_column(out, p, stored, computed, i);
    return 0;
}

int compare_tables(sqlite3 *db, const char *schema, FILE *out, struct err *err)
{
    int rc = 0;

    for (const struct staged_table *t = staged_tables; t->name && rc == 0; t++) {
        struct pairing p = { .table = t, .each = report_difference, .arg = out };

        rc = pair_table(db, schema, &p, err);
    }
    return rc;
}

/* The gaps of one side, one for each KPI of the rules. */
struct gaps_of_kpis {
    const struct rules *rules;
    struct gaps *gaps;
};

struct moved {
    struct gaps_of_kpis before, after;
    const struct rules *rules;
    int64_t as_of;
    FILE *out;
    int count;
};

static void add_gap(struct gaps *gaps, int64_t begin, int64_t end)
{
    struct interval gap = { .begin = begin, .end = end };

    gaps_unite(gaps, &(struct gaps){ .items = &gap, .count = 1 });
}

static int load_gaps(sqlite3 *db, const char *table, struct gaps_of_kpis *ret, struct err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sql_preparef(db, &stmt, err, "SELECT kpi, begin_at, end_at FROM %s", table);

    if (rc < 0)
        return rc;
    while ((rc = step(stmt, err)) > 0) {
        const struct kpi *kpi = rules_kpi(ret->rules, sql_column_text(stmt, 0));

        if (kpi)
            add_gap(&ret->gaps[kpi - ret->rules->kpis], sqlite3_column_int64(stmt, 1),
                    sql_column_integer_or(stmt, 2, INSTANT_NEVER));
    }
    sqlite3_finalize(stmt);
    return rc;
}

static void free_gaps(struct gaps_of_kpis *side)
{
    for (size_t k = 0; k < side->rules->kpi_count; k++)
        gaps_finish(&side->gaps[k]);
    free(side->gaps);
}

/* A fact of one side, as far as a person compares it. */
struct seen {
    bool there;
    struct period period;
    char scope[SCOPE_SIZE];
    struct fact fact;
    struct coverage coverage;
};

static int see(const struct moved *m, const struct gaps_of_kpis *side, sqlite3_stmt *stmt,
               struct seen *ret)
{
    const struct kpi *kpi;

    *ret = (struct seen){ .coverage = { .share_e4 = 10000 } };
    if (!stmt)
        return 0;
    if (!rows_read_fact(stmt, 0, &ret->period, ret->scope, &ret->fact))
        return -EBADMSG;
    ret->there = true;
    kpi = rules_kpi(side->rules, sql_column_text(stmt, 0));
    if (kpi)
        ret->coverage =
            coverage_of(&side->gaps[kpi - side->rules->kpis], sqlite3_column_int64(stmt, 4),
                        sqlite3_column_int64(stmt, 5), m->as_of);
    return 0;
}

static bool facts_equal(const struct seen *a, const struct seen *b)
{
    return a->fact.counts.numerator == b->fact.counts.numerator &&
           a->fact.counts.denominator == b->fact.counts.denominator &&
           a->fact.counts.excluded == b->fact.counts.excluded &&
           a->fact.counts.pending == b->fact.counts.pending &&
           a->fact.target_e4 == b->fact.target_e4 && a->fact.verdict == b->fact.verdict &&
           a->fact.shortfall == b->fact.shortfall && a->coverage.share_e4 == b->coverage.share_e4 &&
           a->coverage.gaps == b->coverage.gaps;
}

static void print_side(FILE *out, const struct seen *is)
{
    if (is->there)
        fprintf(out, "%" PRId64 "/%" PRId64 " %s", is->fact.counts.numerator,
                is->fact.counts.denominator, verdict_name(is->fact.verdict));
    else
        fputs("none", out);
}

static void print_target(FILE *out, int32_t target_e4)
{
    if (target_e4 == TARGET_NONE)
        fputs("none", out);
    else
        fprintf(out, "%d.%04d", (int)target_e4 / 10000, (int)target_e4 % 10000);
}

/* What the counts and the verdict do not show. */
static void print_details(FILE *out, const struct seen *before, const struct seen *after)
{
    const struct counts *a = &before->fact.counts, *b = &after->fact.counts;

    if (a->excluded != b->excluded)
        fprintf(out, ", excluded %" PRId64 " -> %" PRId64, a->excluded, b->excluded);
    if (a->pending != b->pending)
        fprintf(out, ", pending %" PRId64 " -> %" PRId64, a->pending, b->pending);
    if (before->fact.target_e4 != after->fact.target_e4) {
        fputs(", target ", out);
        print_target(out, before->fact.target_e4);
        fputs(" -> ", out);
        print_target(out, after->fact.target_e4);
    }
    if (before->fact.shortfall != after->fact.shortfall)
        fprintf(out, ", shortfall %" PRId64 " -> %" PRId64, before->fact.shortfall,
                after->fact.shortfall);
    if (before->coverage.share_e4 != after->coverage.share_e4)
        fprintf(out, ", coverage %d.%04d -> %d.%04d", (int)before->coverage.share_e4 / 10000,
                (int)before->coverage.share_e4 % 10000, (int)after->coverage.share_e4 / 10000,
                (int)after->coverage.share_e4 % 10000);
    if (before->coverage.gaps != after->coverage.gaps)
        fprintf(out, ", gaps %d -> %d", (int)before->coverage.gaps, (int)after->coverage.gaps);
}

static int report_move(void *arg, const struct pairing *p, sqlite3_stmt *stored,
                       sqlite3_stmt *computed)
{
    struct moved *m = arg;
    struct seen before, after;
    sqlite3_stmt *key = stored ? stored : computed;

    (void)p;
    if (see(m, &m->before, stored, &before) < 0 || see(m, &m->after, computed, &after) < 0)
        return -EBADMSG;
    if (before.there && after.there && facts_equal(&before, &after))
        return 0;
    fprintf(m->out, "%s %s %s: ", sql_column_text(key, 0), sql_column_text(key, 1),
            sql_column_text(key, 2));
    print_side(m->out, &before);
    fputs(" -> ", m->out);
    print_side(m->out, &after);
    if (before.there && after.there)
        print_details(m->out, &before, &after);
    fputc('\n', m->out);
    m->count++;
    return 0;
}

static const struct staged_table *table_named(const char *name)
{
    const struct staged_table *t = staged_tables;

    while (strcmp(t->name, name) != 0)
        t++;
    return t;
}

static struct gaps *no_gaps(const struct rules *rules)
{
    return mem_zalloc((rules->kpi_count + 1) * sizeof(struct gaps));
}

int compare_facts(sqlite3 *db, const char *schema, const struct rules *rules, int64_t as_of,
                  FILE *out, struct err *err)
{
    struct moved m = { .before = { rules, no_gaps(rules) },
                       .after = { rules, no_gaps(rules) },
                       .rules = rules,
                       .as_of = as_of,
                       .out = out };
    struct pairing p = { .table = table_named("fact"), .each = report_move, .arg = &m };
    char table[32];
    int rc;

    (void)snprintf(table, sizeof table, "%s." STAGED("gap"), schema);
    rc = load_gaps(db, "main.gap", &m.before, err);
    if (rc == 0)
        rc = load_gaps(db, table, &m.after, err);
    if (rc == 0)
        rc = pair_table(db, schema, &p, err);
    free_gaps(&m.before);
    free_gaps(&m.after);
    return rc < 0 ? rc : m.count;
}
