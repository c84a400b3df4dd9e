/* Tables that say what a section of the configuration may contain. A driver (or a part of the
 * house) describes its settings once; the reader of the configuration, `kpid --check`, the manual
 * and the tests all work from the table.
 *
 * Strings are gives: the struct owns them (option_finish frees). Lists and groups that a table
 * cannot say (a mapping from item to event) are handed over whole as OPTION_TREE. */
#ifndef KPID_BASE_OPTION_H
#define KPID_BASE_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_type {
    OPTION_END,
    OPTION_TEXT,        /* char *            */
    OPTION_PATH,        /* char *, absolute  */
    OPTION_URL,         /* char *, http(s):// or http+unix */
    OPTION_NAME,        /* char *, [a-z0-9][a-z0-9_-]{0,31} */
    OPTION_UINT,        /* uint32_t, min..max */
    OPTION_BOOL,        /* bool              */
    OPTION_SPAN,        /* int64_t ms, min..max */
    OPTION_CHOICE,      /* int: index into `choices` */
    OPTION_TEXTS,       /* struct option_texts: array or list of strings */
    OPTION_TREE,        /* struct option_tree *: any group or list, as plain data */
    OPTION_RATE,        /* int32_t ten-thousandths: a fraction 0..1 of at most four decimals */
    OPTION_ANY,         /* struct option_tree *: whatever stands there, a scalar too */
    OPTION_DATE,        /* int32_t days since 1970-01-01, written "2026-01-31" */
    OPTION_REAL,        /* double, min..max   */
};

struct option {
    const char *name;           /* as written in the file; NULL ends the table */
    enum option_type type;
    size_t offset;              /* of the member in the struct that the table fills */
    bool required;
    const char *fallback;       /* as it would be written; NULL: zeroed */
    int64_t min, max;           /* both 0: no bound; of a text: its bytes */
    const char *const *choices; /* OPTION_CHOICE; ends with NULL */
    const char *help;           /* one line, for the manual */
};

struct option_texts {
    char **items;
    size_t count;
};

/* A setting as plain data, so that a driver needs no configuration library. */
enum option_tree_type { TREE_GROUP, TREE_LIST, TREE_TEXT, TREE_INTEGER, TREE_REAL, TREE_BOOL };

struct option_tree {
    enum option_tree_type type;
    char *name;                 /* NULL inside a list */
    char *file;                 /* where it stands, for faults */
    unsigned line;
    char *text;                 /* TREE_TEXT; for numbers as they would be written */
    int64_t integer;            /* TREE_INTEGER, TREE_BOOL */
    double real;                /* TREE_REAL */
    struct option_tree **children;
    size_t child_count;
};

/* The child of that name in a group, or NULL. Borrows. */
const struct option_tree *option_tree_get(const struct option_tree *tree, const char *name);
/* Where a fault of it stands: the child of that name, or the group if there is none. Borrows. */
const struct option_tree *option_tree_place(const struct option_tree *tree, const char *name);
/* Takes `child`, as the last of a group or list. */
void option_tree_add(struct option_tree *tree, struct option_tree *child);
void option_tree_destroy(struct option_tree *tree);

/* Frees what the table's reader allocated inside `config` (not `config` itself). */
void option_finish(const struct option *options, void *config);

/* Faults of a configuration, all of them at once. */
struct fault {
    char *file;                 /* NULL: the configuration as a whole */
    unsigned line;
    char *text;                 /* what is wrong and what to write instead */
};

struct faults {
    struct fault *items;
    size_t count;
};

/* Adds one fault. Copies everything. */
void fault_add(struct faults *faults, const char *file, unsigned line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The same at the place of `tree`. */
void fault_add_at(struct faults *faults, const struct option_tree *tree, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* By file (in the order first met), then line. */
void faults_sort(struct faults *faults);
void faults_finish(struct faults *faults);

#endif
