/* A group of settings, read by its tables into structs, and written back as canonical text. */
#ifndef KPID_CONFIG_CONF_READ_H
#define KPID_CONFIG_CONF_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/option.h"
#include "base/text.h"

/* One table and the struct that it fills. A group may be described by several. */
struct conf_part {
    const struct option *options;
    void *config;
};

/* Fills the struct of every part from `group` (NULL: only from the tables' own values). A setting
 * that is missing, wrong or unknown is a fault, and its member holds what the table falls back to.
 * `what` names the group in faults: "a KPI", "week". Free each part with option_finish. */
void conf_read(const struct option_tree *group, const char *what, const struct conf_part *parts,
               size_t part_count, struct faults *faults);

/* The same for one part, and whatever else stands in the group is nobody's fault. */
void conf_read_known(const struct option_tree *group, const char *what,
                     const struct conf_part *part, struct faults *faults);

/* As conf_read, for a group described by one table. */
void conf_read_one(const struct option_tree *group, const char *what,
                   const struct option *options, void *config, struct faults *faults);

/* Reads one setting by one row of a table into the member itself. False, with a fault. */
bool conf_read_value(const struct option *option, const struct option_tree *tree, void *member,
                     struct faults *faults);

/* Calls `each` for every group in `list`; what else stands in it is a fault. `list` may be NULL. */
void conf_read_list(const struct option_tree *list, const char *what,
                    void (*each)(void *arg, const struct option_tree *group), void *arg,
                    struct faults *faults);

/* Appends a line "PATH.NAME = VALUE" for each option that has a value ("NAME = VALUE" if `path` is
 * ""), trees as a line for each leaf. Equal structs give equal texts, however they were written. */
void conf_write(struct text_buffer *to, const char *path, const struct option *options,
                const void *config);

/* "did you mean "X"?" or, where nothing is near, a list of what there is; for the end of a fault.
 * `candidates` ends with NULL. Returns `to`. */
enum { CONF_HINT_SIZE = 400 };
char *conf_hint(char to[CONF_HINT_SIZE], const char *name, const char *const *candidates);

#endif
