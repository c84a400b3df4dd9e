/* The spooled folder on the disk: what lies there, what is taken, and where it goes.
 *
 *     FOLDER/x.csv                         dropped by somebody
 *     FOLDER/work/00000012~x.csv           taken: ours alone, the 12th take
 *     FOLDER/work/00000012~x.csv.report    what of it was not taken, as far as that is known
 *     FOLDER/done/x.csv                    wholly taken
 *     FOLDER/rejected/x.csv, x.csv.report  some of it was not
 *
 * Every step is one rename, so that a file is always in exactly one place and a restart finds what
 * was under way in work/. Everything here blocks and runs on libuv's pool. */
#ifndef KPID_DRIVERS_SPOOL_FOLDER_H
#define KPID_DRIVERS_SPOOL_FOLDER_H

#include "lines.h"
#include "spool_reader.h"

enum { SPOOL_NAME_SIZE = 256, SPOOL_SEEN_MAX = 512 };

struct spool_dirs {
    int folder, work;
    uint64_t inode; /* of the folder: another one must be watched anew */
};

/* Opens the folder and makes those inside it. Fails with what to do. */
int spool_dirs_open(struct spool_dirs *ret, const char *path, struct err *err);
void spool_dirs_close(struct spool_dirs *dirs);

/* Files seen that may still be growing. */
struct spool_seen {
    struct spool_sight {
        char name[SPOOL_NAME_SIZE];
        int64_t size, written_ns;
        int64_t since; /* monotonic: unchanged since */
        bool still_there;
    } sights[SPOOL_SEEN_MAX];
    size_t count;
};

struct spool_take {
    uint64_t number;            /* 0: nothing was taken */
    char name[SPOOL_NAME_SIZE]; /* as it was dropped */
};

/* Takes the next file: one left in work/ before any other, else the oldest that has not changed
 * for `settle_ms` or was renamed in. Returns 1 if one was taken, 0 if not, negative errno if the
 * folder cannot be used. A single file that cannot be taken is told in `trouble` ("" if none). */
int spool_take_next(const struct spool_dirs *dirs, struct spool_seen *seen, int64_t now,
                    int64_t settle_ms, uint64_t next_number, struct spool_take *ret,
                    char trouble[256], struct err *err);

enum { SPOOL_WORK_NAME_SIZE = SPOOL_NAME_SIZE + 40 };
/* Its name in work/. Returns `to`. */
char *spool_work_name(char to[SPOOL_WORK_NAME_SIZE], const struct spool_take *take,
                      const char *ending);

/* Puts the file into done/ or, with its report, into rejected/. */
int spool_put_away(const struct spool_dirs *dirs, const struct spool_take *take, bool rejected,
                   struct err *err);

#endif
