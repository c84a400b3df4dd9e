/* Scopes: law 4. company, and one for each attribute that the ticket or device carries. */
#ifndef KPID_KPI_SCOPE_H
#define KPID_KPI_SCOPE_H

#include <stdbool.h>
#include <stddef.h>

#include "kpi/ticket.h"

enum { SCOPES_MAX = 5 };

/* Fills the scopes of something with these attributes, `company` first; returns how many.
 * `department` of the KPI stands in for a missing one; `with_staff` is false for devices. */
size_t scope_list(char scopes[SCOPES_MAX][SCOPE_SIZE], const struct attributes *is,
                  const struct kpi *kpi, bool with_staff);

/* Is `scope` among those in which the KPI counts something with these attributes? */
bool scope_holds(const struct attributes *is, const struct kpi *kpi, const char *scope);

/* "company", or one of site: department: staff: model: with 1 to 64 bytes behind it. */
bool scope_is_valid(const char *text);
/* Does a pattern of the API (a scope, or "site:*") match? */
bool scope_matches(const char *pattern, const char *scope);

#endif
