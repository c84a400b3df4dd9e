/* The report beside a rejected file: each line that was not taken, why, and what stood there.
 *
 * It grows in work/ while the file is read. Its first line, of fixed width, says how far the file
 * has been reported on; it is written after the entries, so that a kill between the two is seen at
 * the next start: what stands behind the length that it names is cut off, and that stretch of the
 * file is asked about once more (its events come back as duplicates). Blocks: runs on the pool. */
#ifndef KPID_DRIVERS_SPOOL_REPORT_H
#define KPID_DRIVERS_SPOOL_REPORT_H

#include "spool_folder.h"

struct spool_report {
    struct spool_position position; /* reported on up to here */
    int64_t refused;                /* entries */
    int64_t length;                 /* bytes, with the first line */
};

/* What an earlier run left; all zero if there is none. Cuts off what came after. */
int spool_report_load(const struct spool_dirs *dirs, const struct spool_take *take,
                      struct spool_report *ret, struct err *err);
/* Begins anew, for a take that only looks like one left over. */
void spool_report_drop(const struct spool_dirs *dirs, const struct spool_take *take);

/* Adds the lines that went to quarantine, and the position behind them. */
int spool_report_add(const struct spool_dirs *dirs, const struct spool_take *take,
                     struct spool_report *report, const struct lines *lines,
                     struct spool_position position, struct err *err);
/* Adds why the file as a whole was not taken. */
int spool_report_fault(const struct spool_dirs *dirs, const struct spool_take *take,
                       struct spool_report *report, const char *why, struct err *err);
/* Says in the first line what people want to know first, and makes it durable. */
int spool_report_finish(const struct spool_dirs *dirs, const struct spool_take *take,
                        const struct spool_report *report, struct err *err);

#endif
