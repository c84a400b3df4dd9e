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

static void bind_attributes(sqlite3_stmt *stmt, int first, const struct attributes *is)
{
    sql_bind_text_or_null(stmt, first, is->device);
    sql_bind_text_or_null(stmt, first + 1, is->site);
    sql_bind_text_or_null(stmt, first + 2, is->department);
    sql_bind_text_or_null(stmt, first + 3, is->staff);
    sql_bind_text_or_null(stmt, first + 4, is->vehicle);
    sql_bind_text_or_null(stmt, first + 5, is->model);
}

static void bind_counts(sqlite3_stmt *stmt, int first, const struct counts *counts)
{
    sql_bind_integer(stmt, first, counts->numerator);
    sql_bind_integer(stmt, first + 1, counts->denominator);
    sql_bind_integer(stmt, first + 2, counts->excluded);
    sql_bind_integer(stmt, first + 3, counts->pending);
}

void rows_bind_ticket(sqlite3_stmt *stmt, const struct ticket *ticket,
                      const struct contribution *contribution, const char *accuser, int64_t due_at)
{
    bool counts = !counts_are_zero(&contribution->counts);

    sql_bind_text(stmt, 1, ticket->kind);
    sql_bind_text(stmt, 2, ticket->ticket);
    sql_bind_instant(stmt, 3, ticket->opened_at);
    sql_bind_instant(stmt, 4, ticket->settled_at);
    sql_bind_integer(stmt, 5, ticket_flags(ticket));
    sql_bind_text_or_null(stmt, 6, outcome_name(ticket->outcome));
    sql_bind_text_or_null(stmt, 7, ticket->reason);
    bind_attributes(stmt, 8, &ticket->is);
    sql_bind_integer(stmt, 14, ticket->events);
    sql_bind_instant(stmt, 15, ticket->events > 0 ? ticket->last_at : INSTANT_NONE);
    sql_bind_text_or_null(stmt, 16, ticket->last_source);
    sql_bind_text_or_null(stmt, 17, ticket->last_id);
    sql_bind_instant(stmt, 18, ticket->next_at);
    sql_bind_text_or_null(stmt, 19, accuser);
    sql_bind_instant(stmt, 20, counts ? contribution->counts_at : INSTANT_NONE);
    bind_counts(stmt, 21, &contribution->counts);
    sql_bind_instant(stmt, 25, due_at);
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
           sql_column_text_into(stmt, first + 15, ticket->last_source,
                                sizeof ticket->last_source) &&
           sql_column_text_into(stmt, first + 16, ticket->last_id, sizeof ticket->last_id) &&
           sql_column_text_into(stmt, first + 18, accuser, TICKET_SIZE);
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
    ticket->next_at = sql_column_integer_or(stmt, first + 17, INSTANT_NEVER);
    if (!read_ticket_texts(stmt, first, ticket, accuser))
        return false;
    *contribution = read_contribution(stmt, first + 19, ticket, accuser);
    return true;
}

static int compare_codes(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;

    return strcmp(*x, *y);
}

/* The active fault codes as a JSON array, sorted. Gives. */
static char *active_faults(const struct device_history *history)
{
    const char **codes = mem_alloc((history->fault_count + 1) * sizeof *codes);
    struct text_buffer json = { 0 };
    size_t count = 0;

    for (size_t i = 0; i < history->fault_count; i++)
        if (history->faults[i].during.end == INSTANT_NEVER)
            codes[count++] = history->faults[i].code;
    qsort(codes, count, sizeof *codes, compare_codes);
    text_buffer_adds(&json, "[");
    for (size_t i = 0; i < count; i++) {
        text_buffer_adds(&json, i > 0 ? "," : "");
        json_out_string(&json, codes[i], strlen(codes[i]));
    }
    text_buffer_adds(&json, "]");
    free(codes);
    return text_buffer_take(&json);
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
    sql_bind_text(stmt, 1, history->device);
    sql_bind_integer(stmt, 2, device_in_service(history, as_of));
    sql_bind_text_or_null(stmt, 3, latest_value(history, DEVICE_SITE));
    sql_bind_text_or_null(stmt, 4, latest_value(history, DEVICE_MODEL));
    sql_bind_text_or_null(stmt, 5, latest_value(history, DEVICE_DEPARTMENT));
    /* SQLite takes the bytes; it fails only without memory, and then the step says so. */
    (void)sqlite3_bind_text(stmt, 6, active_faults(history), -1, free);
    sql_bind_instant(stmt, 7, device_due_at(history, rules, as_of));
}

void rows_bind_fact(sqlite3_stmt *stmt, const struct kpi *kpi, struct period period,
                    const char *scope, const struct fact *fact, const struct zone *zone)
{
    char name[PERIOD_SIZE];

    sql_bind_text(stmt, 1, kpi->id);
    /* Copied: the name lives no longer than this call. */
    (void)sqlite3_bind_text(stmt, 2, period_format(name, period), -1, SQLITE_TRANSIENT);
    sql_bind_text(stmt, 3, scope);
    sql_bind_integer(stmt, 4, period.kind);
    sql_bind_integer(stmt, 5, period_begin(period, zone));
    sql_bind_integer(stmt, 6, period_end(period, zone));
    bind_counts(stmt, 7, &fact->counts);
    sql_bind_integer_or_null(stmt, 11, fact->rate_e6, RATE_NONE);
    sql_bind_integer_or_null(stmt, 12, fact->low_e6, RATE_NONE);
    sql_bind_integer_or_null(stmt, 13, fact->high_e6, RATE_NONE);
    sql_bind_integer_or_null(stmt, 14, fact->target_e4, TARGET_NONE);
    sql_bind_text(stmt, 15, direction_name(kpi->direction));
    sql_bind_text(stmt, 16, verdict_name(fact->verdict));
    sql_bind_integer(stmt, 17, fact->shortfall);
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
