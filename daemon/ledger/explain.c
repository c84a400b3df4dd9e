/* See explain.h. The counts are those that the law makes of what the reader finds; here is what
 * binds both to one fact. */
#include "ledger/explain.h"

#include <stdlib.h>

#include "kpi/scope.h"
#include "ledger/ledger_private.h"

int explain_settings(struct reader *reader, int64_t seal, char **ret, struct err *err)
{
    return generation_settings(reader_connection(reader), seal, ret, err);
}

int explain_counted_by(struct reader *reader, const struct rules *rules, struct err *err)
{
    char *counting = rules_counting_text(rules);
    sqlite3_stmt *row;
    int rc = sql_prepare(reader_connection(reader), "SELECT 1 FROM house WHERE counting = ?1",
                         &row, err);

    if (rc == 0) {
        sql_bind_text(row, 1, counting);
        rc = sql_step(row, "reading the house row", err);
        sqlite3_finalize(row);
    }
    free(counting);
    return rc;
}

bool explain_device(const struct explained *fact, const struct device_history *history,
                    struct counts *ret_counts, struct attributes *ret_is)
{
    const struct interval period = { fact->begin_at, fact->end_at };

    if (!device_counts_within(history, fact->kpi, period, fact->as_of, ret_counts))
        return false;
    device_attributes_until(history, fact->kpi, fact->end_at, fact->as_of, ret_is);
    return scope_holds(ret_is, fact->kpi, fact->scope);
}
