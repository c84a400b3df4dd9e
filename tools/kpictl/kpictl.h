/* What every subcommand of kpictl is given, and what it answers with.
 *
 * A subcommand is one file, cmd_NAME.c, and one line in the table of main.c. It asks the daemon
 * through `client`, which says on standard error what went wrong and returns the exit status that
 * fits; the subcommand hands that up and prints nothing more. */
#ifndef KPICTL_KPICTL_H
#define KPICTL_KPICTL_H

#include <stdbool.h>
#include <stddef.h>

#include "arguments.h"
#include "client.h"
#include "table.h"

enum {
    EXIT_WELL = 0,
    EXIT_REFUSED = 1,       /* the daemon said no */
    EXIT_USAGE = 2,
    EXIT_NO_DAEMON = 3,
};

struct kpictl {
    struct client *client;
    const struct arguments *arguments;
    bool json;              /* the daemon's bytes as they are, nothing else */
    bool chinese;           /* names of KPIs, from the locale */
    struct look look;       /* of tables on standard output */
};

struct subcommand {
    const char *name;
    const char *operands;       /* "KPI [PERIOD] [SCOPE]"; "" for none */
    const char *summary;        /* one line */
    const struct flag *flags;   /* its own; NULL for none */
    size_t operands_min, operands_max;
    const char *words;          /* what completion offers as its operand; see flag.words */
    int (*run)(struct kpictl *kpictl);
};

/* The subcommands in order of name, and how many they are. */
const struct subcommand *subcommand_table(size_t *ret_count);

/* "kpictl: TEXT" on standard error; returns EXIT_USAGE. */
int usage_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Asks for `path` and prints the daemon's bytes: what every subcommand does with --json. */
int print_answer(struct kpictl *kpictl, const char *path);

int run_appraisal(struct kpictl *kpictl);
int run_audit(struct kpictl *kpictl);
int run_bench(struct kpictl *kpictl);
int run_completion(struct kpictl *kpictl);
int run_devices(struct kpictl *kpictl);
int run_exclude(struct kpictl *kpictl);
int run_explain(struct kpictl *kpictl);
int run_facts(struct kpictl *kpictl);
int run_help(struct kpictl *kpictl);
int run_lookup(struct kpictl *kpictl);
int run_quarantine(struct kpictl *kpictl);
int run_record(struct kpictl *kpictl);
int run_sources(struct kpictl *kpictl);
int run_status(struct kpictl *kpictl);
int run_ticket(struct kpictl *kpictl);
int run_watch(struct kpictl *kpictl);
int run_week(struct kpictl *kpictl);

extern const struct flag appraisal_flags[], audit_flags[], bench_flags[], devices_flags[],
    exclude_flags[], explain_flags[], facts_flags[], lookup_flags[], quarantine_flags[],
    record_flags[], ticket_flags[], watch_flags[], week_flags[];

#endif
