/* The oracle: the law of docs/semantics.md computed a second time, from nothing, in the order of
 * its sentences. Slow, simple, and written apart from daemon/kpi, of which it uses the structs of
 * the configuration alone: what the two agree on, neither got by copying the other.
 *
 * A log takes lines as any door of the daemon does (law 1), in the order in which they arrive; the
 * facts are then a function of what it accepted, the rules and as_of. */
#ifndef KPID_TESTS_LAW_ORACLE_H
#define KPID_TESTS_LAW_ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kpi/rules.h"
#include "oracle_time.h"

struct yajl_val_s;

/* One accepted event. Strings borrow from `tree`; NULL: not carried. */
struct oracle_event {
    int64_t at;
    const char *source, *id;
    char kind[64], verb[64]; /* the two halves of the type */
    const char *ticket, *device, *site, *department, *staff, *model;
    const char *outcome, *reason, *code, *input;
    struct yajl_val_s *tree;
    char *content; /* the whole, keys sorted: equal if and only if the same */
};

struct oracle_log {
    struct oracle_event **events;
    size_t count;
};

enum oracle_result { ORACLE_ACCEPTED, ORACLE_DUPLICATE, ORACLE_REFUSED };

/* Takes one line, without its newline. `rules` say which kinds of ticket exist. `ret_why` (may be
 * NULL) is set to the name of the field at fault when it is refused. */
enum oracle_result oracle_take(struct oracle_log *log, const char *line, size_t length,
                               const struct rules *rules, const char **ret_why);
void oracle_log_finish(struct oracle_log *log);

/* Law 1.order. */
int oracle_event_compare(const struct oracle_event *a, const struct oracle_event *b);

struct oracle_fact {
    struct oracle_period period;
    const struct kpi *kpi;
    char scope[SCOPE_SIZE];
    int64_t numerator, denominator, excluded, pending;
    double rate, low, high; /* mean something if the denominator is above 0 */
    int32_t target_e4;      /* -1: none */
    const char *verdict;
    int64_t shortfall;
    int32_t coverage_e4, gaps;
};

struct oracle_facts {
    struct oracle_fact *items; /* by period kind, period, kpi, scope */
    size_t count;
};

/* Every fact at `as_of`. Borrows `rules` until oracle_facts_finish. Sets the process's TZ. */
void oracle_facts(struct oracle_facts *ret, const struct oracle_log *log, const struct rules *rules,
                  int64_t as_of);
void oracle_facts_finish(struct oracle_facts *facts);

#endif
