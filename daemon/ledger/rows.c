/* Rows: structs of the law to columns and back. What a row can be told from is not stored twice:
 * `expired` and `accused` of a contribution follow from where and how the ticket counts. */
#include "ledger/rows.h"

#include <errno.h>

#include <stdlib.h>
#include <string.h>

#include "base/json_out.h"
#include "base/mem.h"
#include "base/text.h"

enum { FLAG_HAS_OPENED = 1, FLAG_SETTLED_BY_AMENDMENT = 2, FLAG_CORRECTED = 4 };

static int64_t ticket_flags(const struct ticket *ticket)
{
    return (ticket->has_opened ? FLAG_HAS_OPENED : 0) |
           (ticket->settled_by_amendment ? FLAG_SETTLED_BY_AMENDMENT : 0) |
           (ticket->corrected ? FLAG_CORRECTED : 0);
}

static void put_attributes(struct bulk_value *to, const struct attributes *is)
{
    to[0] = bulk_text_or_null(is->device);
    to[1] = bulk_text_or_null(is->site);
    to[2] = bulk_text_or_null(is->department);
    to[3] = bulk_text_or_null(is->staff);
    to[4] = bulk_text_or_null(is->vehicle);
    to[5] = bulk_text_or_null(is->model);
}

static void put_counts(struct bulk_value *to, const struct counts *counts)
{
    to[0] = bulk_integer(counts->numerator);
    to[1] = bulk_integer(counts->denominator);
    to[2] = bulk_integer(counts->excluded);
    to[3] = bulk_integer(counts->pending);
}

void rows_ticket(struct bulk_value to[TICKET_ROW_COUNT], int64_t first_seq,
                 const struct ticket *ticket, const struct contribution *contribution,
                 const char *accuser, int64_t due_at)
{
    bool counts = !counts_are_zero(&contribution->counts);

    to[0] = bulk_integer(first_seq);
    to[1] = bulk_text(ticket->kind);
    to[2] = bulk_text(ticket->ticket);
    to[3] = bulk_instant(ticket->opened_at);
    to[4] = bulk_instant(ticket->settled_at);
    to[5] = bulk_integer(ticket_flags(ticket));
    to[6] = bulk_text_or_null(outcome_name(ticket->outcome));
    to[7] = bulk_text_or_null(ticket->reason);
    put_attributes(to + 8, &ticket->is);
    to[14] = bulk_integer(ticket->events);
    to[15] = bulk_instant(ticket->events > 0 ? ticket->last_at : INSTANT_NONE);
    to[16] = bulk_instant(ticket->next_at);
    to[17] = bulk_text_or_null(accuser);
    to[18] = bulk_instant(counts ? contribution->counts_at : INSTANT_NONE);
    put_counts(to + 19, &contribution->counts);
    to[23] = bulk_instant(due_at);
}

void rows_bind_ticket(sqlite3_stmt *stmt, int64_t first_seq, const struct ticket *ticket,
                      const struct contribution *contribution, const char *accuser, int64_t due_at)
{
    struct bulk_value row[TICKET_ROW_COUNT];

    rows_ticket(row, first_seq, ticket, contribution, accuser, due_at);
    bulk_bind(stmt, row, TICKET_ROW_COUNT);
}

static bool read_outcome(sqlite3_stmt *stmt, int column, enum outcome *ret)
{
    const char *text = sql_column_text(stmt, column);

    if (text[0] == '\0') {
        *ret = OUTCOME_NONE;
        return true;
    }
    return outcome_parse(text, strlen(text), ret);
}

static bool read_attributes(sqlite3_stmt *stmt, int first, struct attributes *is)
{
    return sql_column_text_into(stmt, first, is->device, sizeof is->device) &&
           sql_column_text_into(stmt, first + 1, is->site, sizeof is->site) &&
           sql_column_text_into(stmt, first + 2, is->department, sizeof is->department) &&
           sql_column_text_into(stmt, first + 3, is->staff, sizeof is->staff) &&
           sql_column_text_into(stmt, first + 4, is->vehicle, sizeof is->vehicle) &&
           sql_column_text_into(stmt, first + 5, is->model, sizeof is->model);
}

static struct counts read_counts(sqlite3_stmt *stmt, int first)
{
    return (struct counts){ .numerator = sqlite3_column_int64(stmt, first),
                            .denominator = sqlite3_column_int64(stmt, first + 1),
                            .excluded = sqlite3_column_int64(stmt, first + 2),
                            .pending = sqlite3_column_int64(stmt, first + 3) };
}

/* A failure that counts elsewhere than where it was settled counts at its expiry, unless it was
 * corrected, which keeps it from expiring. */
static struct contribution read_contribution(sqlite3_stmt *stmt, int first,
                                             const struct ticket *ticket, const char *accuser)
{
    struct contribution is = { .counts_at = sql_column_integer_or(stmt, first, 0),
                               .counts = read_counts(stmt, first + 1) };
    bool failed = is.counts.denominator > is.counts.numerator;

    is.expired = failed && !ticket->corrected && is.counts_at != ticket->settled_at;
    is.accused = failed && !is.expired && accuser[0] != '\0';
    return is;
}

static bool read_ticket_texts(sqlite3_stmt *stmt, int first, struct ticket *ticket,
                              char accuser[TICKET_SIZE])
{
    return read_outcome(stmt, first + 5, &ticket->outcome) &&
           sql_column_text_into(stmt, first + 6, ticket->reason, sizeof ticket->reason) &&
           read_attributes(stmt, first + 7, &ticket->is) &&
           sql_column_text_into(stmt, first + 16, accuser, TICKET_SIZE);
}

bool rows_read_ticket(sqlite3_stmt *stmt, int first, struct ticket *ticket,
                      struct contribution *contribution, char accuser[TICKET_SIZE])
{
    const char *kind = sql_column_text(stmt, first), *id = sql_column_text(stmt, first + 1);
    int64_t flags = sqlite3_column_int64(stmt, first + 4);

    if (strlen(kind) >= KIND_SIZE || strlen(id) >= TICKET_SIZE)
        return false;
    ticket_init(ticket, kind, id);
    ticket->opened_at = sql_column_integer_or(stmt, first + 2, INSTANT_NONE);
    ticket->settled_at = sql_column_integer_or(stmt, first + 3, INSTANT_NONE);
    ticket->has_opened = flags & FLAG_HAS_OPENED;
    ticket->settled_by_amendment = flags & FLAG_SETTLED_BY_AMENDMENT;
    ticket->corrected = flags & FLAG_CORRECTED;
    ticket->events = sqlite3_column_int(stmt, first + 13);
    ticket->last_at = sql_column_integer_or(stmt, first + 14, ticket->last_at);
    ticket->next_at = sql_column_integer_or(stmt, first + 15, INSTANT_NEVER);
    if (!read_ticket_texts(stmt, first, ticket, accuser))
        return false;
    *contribution = read_contribution(stmt, first + 17, ticket, accuser);
    return true;
}

static int compare_codes(const void *a, const void *b)
{
    const struct fault_interval *const *x = a, *const *y = b;

    return strcmp((*x)->code, (*y)->code);
}

/* The active faults as two JSON arrays: their codes, sorted, and since when each lasts. Gives. */
static void active_faults(const struct device_history *history, char **ret_codes,
                          char **ret_begins)
{
    const struct fault_interval **active =
        mem_alloc((history->fault_count + 1) * sizeof(struct fault_interval *));
    struct text_buffer codes = { 0 }, begins = { 0 };
    size_t count = 0;

    for (size_t i = 0; i < history->fault_count; i++)
        if (history->faults[i].during.end == INSTANT_NEVER)
            active[count++] = &history->faults[i];
    qsort(active, count, sizeof(struct fault_interval *), compare_codes);
    text_buffer_adds(&codes, "[");
    text_buffer_adds(&begins, "[");
    for (size_t i = 0; i < count; i++) {
        text_buffer_adds(&codes, i > 0 ? "," : "");
        json_out_string(&codes, active[i]->code, strlen(active[i]->code));
        text_buffer_addf(&begins, "%s%lld", i > 0 ? "," : "",
                         (long long)active[i]->during.begin);
    }
    text_buffer_adds(&codes, "]");
    text_buffer_adds(&begins, "]");
    free(active);
    *ret_codes = text_buffer_take(&codes);
    *ret_begins = text_buffer_take(&begins);
}

/* The last value, "" if there is none. */
static const char *latest_value(const struct device_history *history, int attribute)
{
    for (size_t i = history->value_count; i > 0; i--)
        if ((int)history->values[i - 1].attribute == attribute)
            return history->values[i - 1].value;
    return "";
}

void rows_bind_device(sqlite3_stmt *stmt, const struct device_history *history,
                      const struct rules *rules, int64_t as_of)
{
    char *codes, *begins;

    sql_bind_text(stmt, 1, history->device);
    sql_bind_integer(stmt, 2, device_in_service(history, as_of));
    sql_bind_text_or_null(stmt, 3, latest_value(history, DEVICE_SITE));
    sql_bind_text_or_null(stmt, 4, latest_value(history, DEVICE_MODEL));
    sql_bind_text_or_null(stmt, 5, latest_value(history, DEVICE_DEPARTMENT));
    active_faults(history, &codes, &begins);
    /* SQLite takes the bytes; it fails only without memory, and then the step says so. */
    (void)sqlite3_bind_text(stmt, 6, codes, -1, free);
    (void)sqlite3_bind_text(stmt, 7, begins, -1, free);
    sql_bind_instant(stmt, 8, device_due_at(history, rules, as_of));
}

void rows_fact(struct bulk_value to[FACT_COLUMN_COUNT], char name[PERIOD_SIZE],
               const struct kpi *kpi, struct period period, const char *scope,
               const struct fact *fact, const struct zone *zone)
{
    to[0] = bulk_text(kpi->id);
    to[1] = bulk_text(period_format(name, period));
    to[2] = bulk_text(scope);
    to[3] = bulk_integer(period.kind);
    to[4] = bulk_integer(period_begin(period, zone));
    to[5] = bulk_integer(period_end(period, zone));
    put_counts(to + 6, &fact->counts);
    to[10] = bulk_integer_or_null(fact->rate_e6, RATE_NONE);
    to[11] = bulk_integer_or_null(fact->low_e6, RATE_NONE);
    to[12] = bulk_integer_or_null(fact->high_e6, RATE_NONE);
    to[13] = bulk_integer_or_null(fact->target_e4, TARGET_NONE);
    to[14] = bulk_text(direction_name(kpi->direction));
    to[15] = bulk_text(verdict_name(fact->verdict));
    to[16] = bulk_integer(fact->shortfall);
}

void rows_bind_fact(sqlite3_stmt *stmt, const struct kpi *kpi, struct period period,
                    const char *scope, const struct fact *fact, const struct zone *zone)
{
    struct bulk_value row[FACT_COLUMN_COUNT];
    char name[PERIOD_SIZE];

    rows_fact(row, name, kpi, period, scope, fact, zone);
    bulk_bind(stmt, row, FACT_COLUMN_COUNT);
    /* Copied: the name lives no longer than this call. */
    sql_bind_text_copied(stmt, 2, name);
}

static bool read_verdict(sqlite3_stmt *stmt, int column, enum verdict *ret)
{
    const char *text = sql_column_text(stmt, column);

    for (enum verdict v = VERDICT_NO_DATA; v <= VERDICT_MISSED; v++)
        if (strcmp(verdict_name(v), text) == 0) {
            *ret = v;
            return true;
        }
    return false;
}

bool rows_read_fact(sqlite3_stmt *stmt, int first, struct period *period, char scope[SCOPE_SIZE],
                    struct fact *fact)
{
    fact->counts = read_counts(stmt, first + 6);
    fact->rate_e6 = sql_column_integer_or(stmt, first + 10, RATE_NONE);
    fact->low_e6 = sql_column_integer_or(stmt, first + 11, RATE_NONE);
    fact->high_e6 = sql_column_integer_or(stmt, first + 12, RATE_NONE);
    fact->target_e4 = (int32_t)sql_column_integer_or(stmt, first + 13, TARGET_NONE);
    fact->shortfall = sqlite3_column_int64(stmt, first + 16);
    return period_parse(sql_column_text(stmt, first + 1), period) &&
           sql_column_text_into(stmt, first + 2, scope, SCOPE_SIZE) &&
           read_verdict(stmt, first + 15, &fact->verdict);
}

int rows_damaged(struct err *err, const char *table)
{
    return err_set(err, -EBADMSG,
                   "a row of table %s cannot be read: the file is damaged; stop "
                   "kpid and restore a backup with kpid --restore",
                   table);
}
