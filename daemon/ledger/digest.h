/* Digests: SHA-256 over canonical lines, as lower-case hexadecimal text. Any thread. */
#ifndef KPID_LEDGER_DIGEST_H
#define KPID_LEDGER_DIGEST_H

#include <sqlite3.h>
#include <stddef.h>

#include "base/text.h"

enum { DIGEST_SIZE = 65 };

/* A running digest; free with digest_destroy, which allows NULL. */
struct digest;

struct digest *digest_create(void);
void digest_destroy(struct digest *digest);
void digest_reset(struct digest *digest);
void digest_add(struct digest *digest, const void *bytes, size_t length);
/* The digest of what was added until now; more may follow. */
void digest_value(const struct digest *digest, char ret[DIGEST_SIZE]);

/* Adds the row that `row` stands on as a canonical line. */
void digest_add_row(struct digest *digest, sqlite3_stmt *row);
/* Its first `columns` columns as a canonical line behind what `line` holds. */
void digest_row_line(struct text_buffer *line, sqlite3_stmt *row, int columns);

#endif
