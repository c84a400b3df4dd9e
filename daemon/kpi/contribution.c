/* What one ticket adds to its KPI at an instant: the table of law 2, row by row. */
#include "kpi/contribution.h"

#include <stdio.h>

#include "base/text.h"

struct contribution contribution_of(const struct ticket *ticket, const struct kpi *kpi,
                                    bool accused, int64_t as_of)
{
    int64_t settled_at = ticket_settled_at(ticket, kpi);

    if (ticket->opened_at == INSTANT_NONE)
        return (struct contribution){ .counts_at = INSTANT_NONE };
    if (ticket->outcome == OUTCOME_EXCLUDED)
        return (struct contribution){ .counts_at = settled_at, .counts = { .excluded = 1 } };
    if (ticket_expired(ticket, kpi, as_of))
        return (struct contribution){ .counts_at = ticket_expires_at(ticket, kpi),
                                      .counts = { .denominator = 1 }, .expired = true };
    if (ticket->outcome == OUTCOME_SUCCESS)
        return (struct contribution){ .counts_at = settled_at,
                                      .counts = { .numerator = accused ? 0 : 1,
                                                  .denominator = 1 },
                                      .accused = accused };
    if (ticket->outcome == OUTCOME_FAILURE)
        return (struct contribution){ .counts_at = settled_at, .counts = { .denominator = 1 } };
    return (struct contribution){ .counts_at = ticket->opened_at, .counts = { .pending = 1 } };
}

int64_t contribution_due_at(const struct ticket *ticket, const struct kpi *kpi, int64_t as_of)
{
    int64_t x = ticket_expires_at(ticket, kpi);

    /* At x the ticket expires if, as it stands, it would have then. */
    if (x > as_of && x < ticket->next_at && ticket_expired(ticket, kpi, x))
        return x;
    return ticket->next_at;
}

char *contribution_reason(char to[REASON_SIZE], const struct ticket *ticket,
                          const struct contribution *contribution, const char *accuser)
{
    if (contribution->expired)
        text_set(to, REASON_SIZE, "expired");
    else if (contribution->accused && accuser)
        (void)snprintf(to, REASON_SIZE, "rework:%s", accuser);      /* a ticket's id is shorter */
    else
        text_set(to, REASON_SIZE, ticket->reason);
    return to;
}

bool counts_are_zero(const struct counts *counts)
{
    return counts->numerator == 0 && counts->denominator == 0 && counts->excluded == 0 &&
           counts->pending == 0;
}

void counts_add(struct counts *to, const struct counts *what, int64_t times)
{
    to->numerator += times * what->numerator;
    to->denominator += times * what->denominator;
    to->excluded += times * what->excluded;
    to->pending += times * what->pending;
}
