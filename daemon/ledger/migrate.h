/* The schema of the ledger: schema/NNN_*.sql in their order, each applied once, and the
 * appraisal_* views. Both are built into the program. */
#ifndef KPID_LEDGER_MIGRATE_H
#define KPID_LEDGER_MIGRATE_H

#include <sqlite3.h>
#include <stdint.h>

#include "base/err.h"

/* Brings the file to the schema that this program knows, each migration in one transaction, and
 * makes the views anew if they differ. -ENOTSUP if the file is newer than the program, -EBADMSG if
 * it is another program's database or damaged. `progress` (optional) is called now and then.
 * A writing connection, outside of a transaction. */
int migrate(sqlite3 *db, void (*progress)(void *arg, const char *what), void *progress_arg,
            struct err *err);

/* The schema that this program knows: PRAGMA user_version of an up-to-date file. */
int32_t schema_version(void);

/* Is this file a ledger of that version? For readers: -ENOTSUP or -EBADMSG with what to do. */
int schema_check(sqlite3 *db, struct err *err);

/* The same, but an older ledger will do: a backup from before an update can be restored. */
int schema_is_not_newer(sqlite3 *db, struct err *err);

#endif
