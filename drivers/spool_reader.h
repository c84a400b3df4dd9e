/* One spooled file to batches of lines. Blocks: runs on libuv's pool, one call at a time, and
 * holds the file open between calls. Memory is bounded whatever the file's size. */
#ifndef KPID_DRIVERS_SPOOL_READER_H
#define KPID_DRIVERS_SPOOL_READER_H

#include "event_map.h"
#include "lines.h"
#include "spool.h"

struct spool_reader;

/* What reading needs to know of the configuration; borrows, as long as readers live. */
struct spool_format {
    const struct event_map *map;
    char delimiter;
    enum spool_encoding encoding;
};

enum spool_kind { SPOOL_NDJSON, SPOOL_CSV };
/* By the name's ending, whatever its case. False: not ours to take. */
bool spool_kind_of(const char *name, enum spool_kind *ret);

/* Where reading stands: behind `offset` bytes and `line` lines. */
struct spool_position {
    int64_t offset, line;
};

/* Opens the file `name` of the folder `dir_fd` and goes on from `from`. Fails with -EBADMSG if the
 * file as a whole cannot be read as what it is (a CSV header that does not fit), else with what
 * the system said; ret_err tells the mend. */
int spool_reader_open(struct spool_reader **ret, const struct spool_format *format, int dir_fd,
                      const char *name, struct spool_position from, struct err *err);
/* NULL is allowed. */
void spool_reader_close(struct spool_reader *reader);

/* Adds lines until a batch is full or the file ends. Returns 1 if there may be more, 0 at the end
 * of the file, negative errno if it cannot be read. */
int spool_reader_fill(struct spool_reader *reader, struct lines *lines, struct err *err);
/* Behind the last line that was added. */
struct spool_position spool_reader_position(const struct spool_reader *reader);

#endif
