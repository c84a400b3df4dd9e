/* One configuration file as plain data. The only files that know libconfig are behind this. */
#ifndef KPID_CONFIG_CONF_TREE_H
#define KPID_CONFIG_CONF_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/option.h"
#include "base/text.h"

/* Reads the file at `path`. NULL, with at least one fault, if it cannot be read or has an error of
 * syntax. Gives; free with option_tree_destroy. */
struct option_tree *conf_tree_load(const char *path, struct faults *faults);
/* The same from memory; `file` is what faults call it. */
struct option_tree *conf_tree_parse(const char *file, const char *text, size_t length,
                                    struct faults *faults);
/* Gives a deep copy. */
struct option_tree *conf_tree_copy(const struct option_tree *tree);

/* Copies the text of a file into `mended`, so that libconfig reads what a person meant: an integer
 * that needs 64 bits gets the "L" without which it would wrap silently. False, with faults that
 * name the very place, for what libconfig would refuse vaguely or do behind our back: brackets
 * that do not match, a comma too many, a string without an end, @include, nesting without end. */
bool conf_scan(const char *file, const char *text, size_t length, struct text_buffer *mended,
               struct faults *faults);

#endif
