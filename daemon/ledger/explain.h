/* Explaining: what a fact is made of, by the rules that it was counted by. Those of a sealed
 * revision are the rules of the configuration that was in force at its seal, whatever holds today;
 * with them and with reader_look_back, what is listed adds up to what was sealed. Tickets come from
 * reader_tickets_of_fact, by the KPI and the bounds given here; devices from here. Any thread. */
#ifndef KPID_LEDGER_EXPLAIN_H
#define KPID_LEDGER_EXPLAIN_H

#include "ledger/reads.h"

struct explained {
    const struct rules *rules;  /* that it was counted by; their zone is not looked at */
    const struct kpi *kpi;      /* one of those */
    const char *scope;
    int64_t begin_at, end_at;   /* of its period, as it was counted */
    int64_t as_of;
};

/* All settings of the configuration in force at record `seal` of the chain, as they were given to
 * the ledger. 1 if they are known (gives), 0 if not. */
int explain_settings(struct reader *reader, int64_t seal, char **ret, struct err *err);

/* 1 if what is stored now was counted by these rules, 0 if not: others come into force. */
int explain_counted_by(struct reader *reader, const struct rules *rules, struct err *err);

/* What a device adds to the fact, and its attributes there, from its history at fact->as_of
 * (reader_device). False if it is no part of it. */
bool explain_device(const struct explained *fact, const struct device_history *history,
                    struct counts *ret_counts, struct attributes *ret_is);

#endif
