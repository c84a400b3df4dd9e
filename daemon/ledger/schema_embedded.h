/* The files of schema/, as built into the program (schema/embed makes the C file). */
#ifndef KPID_LEDGER_SCHEMA_EMBEDDED_H
#define KPID_LEDGER_SCHEMA_EMBEDDED_H

struct schema_file {
    const char *name; /* "001_ledger.sql" */
    const char *text;
};

/* By name; ends with a null name. */
extern const struct schema_file schema_files[];

#endif
