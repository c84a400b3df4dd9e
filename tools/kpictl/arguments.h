/* The command line of one subcommand, read by its table of flags. The same tables give the help
 * and the completion, so that what is offered is what is understood. */
#ifndef KPICTL_ARGUMENTS_H
#define KPICTL_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum { FLAGS_MAX = 24, OPERANDS_MAX = 8 };

struct flag {
    const char *name;       /* without its dashes; NULL ends the table */
    const char *value;      /* what the help calls its value; NULL: a switch */
    const char *help;       /* one line */
    const char *words;      /* what completion offers for the value, separated by blanks; "@kpis",
                             * "@sources" ask the daemon, "@files" looks around; NULL: nothing */
};

/* What every subcommand understands: json, socket, help. */
extern const struct flag common_flags[];

struct arguments {
    const struct flag *flags;           /* the subcommand's; NULL: none */
    const char *values[FLAGS_MAX];      /* of `flags`; NULL: not given; a switch given is "" */
    const char *common[FLAGS_MAX];      /* of common_flags */
    const char *operands[OPERANDS_MAX];
    size_t operand_count;
};

/* Reads `argv` (borrows; without the program's and the subcommand's name). "--name VALUE",
 * "--name=VALUE", "--" before operands that begin with a dash. -EINVAL with what to write. */
int arguments_parse(struct arguments *ret, const struct flag *flags, int argc,
                    const char *const *argv, struct err *err);

/* The value of a flag of the table, NULL if it was not given. The flag must exist. */
const char *arguments_value(const struct arguments *arguments, const char *name);
bool arguments_has(const struct arguments *arguments, const char *name);
/* The operand at `place`, or NULL. */
const char *arguments_operand(const struct arguments *arguments, size_t place);

#endif
