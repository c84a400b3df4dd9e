/* The golden cases of tests/golden, as the tests read them. */
#ifndef KPID_TESTS_LAW_GOLDEN_H
#define KPID_TESTS_LAW_GOLDEN_H

#include <stddef.h>
#include <stdint.h>

extern const char *const golden_cases[]; /* ends with NULL */

/* Calls `each` for every line of the file that is not blank, without its newline. Ends the process
 * if the file cannot be read. */
void golden_lines(const char *path, void (*each)(void *arg, const char *line, size_t length),
                  void *arg);
/* The first line of the file. */
void golden_line(const char *path, char *to, size_t size);

#endif
