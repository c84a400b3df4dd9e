/* The spooled folder on the disk; see spool_folder.h. */
#include "spool_folder.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_folder(const char *path, struct err *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0)
        return fd;
    switch (errno) {
    case ENOENT:
        return err_set(err, -ENOENT, "there is no folder %s: make it, owned by the daemon's user",
                       path);
    case ENOTDIR:
        return err_set(err, -ENOTDIR, "%s is no folder", path);
    case EACCES:
        return err_set(err, -EACCES,
                       "%s cannot be opened: give the daemon's user the right to "
                       "read and write it",
                       path);
    default:
        return err_set(err, -errno, "%s cannot be opened: %s", path, strerror(errno));
    }
}

static int make_inside(int folder, const char *path, const char *name, struct err *err)
{
    if (mkdirat(folder, name, 0770) == 0 || errno == EEXIST)
        return 0;
    return err_set(err, -errno, "%s/%s cannot be made: %s%s", path, name, strerror(errno),
                   errno == ENOSPC || errno == EDQUOT ? ": make room on that disk"
                   : errno == EACCES ? ": give the daemon's user the right to write there"
                                     : "");
}

int spool_dirs_open(struct spool_dirs *ret, const char *path, struct err *err)
{
    static const char *const inside[] = { "work", "done", "rejected" };
    struct spool_dirs dirs = { open_folder(path, err), -1, 0 };
    struct stat st;
    int rc = dirs.folder < 0 ? dirs.folder : 0;

    for (size_t i = 0; rc == 0 && i < sizeof inside / sizeof *inside; i++)
        rc = make_inside(dirs.folder, path, inside[i], err);
    if (rc == 0) {
        dirs.work = openat(dirs.folder, "work", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (dirs.work < 0 || fstat(dirs.folder, &st) < 0)
            rc = err_set(err, -errno, "%s/work cannot be opened: %s", path, strerror(errno));
        else
            dirs.inode = (uint64_t)st.st_ino;
    }
    if (rc < 0)
        spool_dirs_close(&dirs);
    else
        *ret = dirs;
    return rc;
}

void spool_dirs_close(struct spool_dirs *dirs)
{
    if (dirs->work >= 0)
        (void)close(dirs->work); /* never written through */
    if (dirs->folder >= 0)
        (void)close(dirs->folder);
    dirs->work = dirs->folder = -1;
}

/* Calls `each` for every name; it returns false to stop. */
static int list(int fd, bool (*each)(void *arg, int fd, const char *name), void *arg,
                struct err *err)
{
    int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = again < 0 ? NULL : fdopendir(again);
    struct dirent *entry;

    if (!dir) {
        int code = -errno;

        if (again >= 0)
            (void)close(again);
        return err_set(err, code, "the folder cannot be listed: %s", strerror(-code));
    }
    while ((entry = readdir(dir)))
        if (!each(arg, fd, entry->d_name))
            break;
    (void)closedir(dir);
    return 0;
}

/* --- What was left in work/ */

static bool parse_work_name(const char *name, struct spool_take *ret)
{
    int prefix = 0;
    uint64_t number = 0;

    if (sscanf(name, "%" SCNu64 "~%n", &number, &prefix) != 1 || prefix == 0 || number == 0 ||
        !name[prefix] || strlen(name + prefix) >= SPOOL_NAME_SIZE)
        return false;
    ret->number = number;
    snprintf(ret->name, sizeof ret->name, "%s", name + prefix);
    return true;
}

/* A report whose file has gone and which has a second link is the one too many; see
 * spool_put_away. */
static void drop_spare_link(int work, const char *report)
{
    char file[SPOOL_WORK_NAME_SIZE];
    struct stat st;

    snprintf(file, sizeof file, "%.*s", (int)(strlen(report) - strlen(".report")), report);
    if (fstatat(work, file, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT &&
        fstatat(work, report, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_nlink > 1)
        (void)unlinkat(work, report, 0); /* tried again at the next look */
}

static bool each_left(void *arg, int fd, const char *name)
{
    struct spool_take *first = arg, found;
    enum spool_kind kind;

    if (!parse_work_name(name, &found))
        return true;
    if (spool_kind_of(found.name, &kind)) {
        if (first->number == 0 || found.number < first->number)
            *first = found;
    } else if (strlen(name) > strlen(".report") &&
               strcmp(name + strlen(name) - strlen(".report"), ".report") == 0) {
        drop_spare_link(fd, name);
    }
    return true;
}

/* --- What was dropped */

static struct spool_sight *find_sight(struct spool_seen *seen, const char *name)
{
    for (size_t i = 0; i < seen->count; i++)
        if (strcmp(seen->sights[i].name, name) == 0)
            return &seen->sights[i];
    if (seen->count == SPOOL_SEEN_MAX)
        return NULL; /* after these have gone */
    seen->sights[seen->count] = (struct spool_sight){ .size = -1 };
    snprintf(seen->sights[seen->count].name, SPOOL_NAME_SIZE, "%s", name);
    return &seen->sights[seen->count++];
}

struct look {
    struct spool_seen *seen;
    int64_t now, settle_ms;
};

static int64_t nanoseconds(struct timespec t)
{
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static bool each_dropped(void *arg, int fd, const char *name)
{
    struct look *look = arg;
    struct spool_sight *sight;
    enum spool_kind kind;
    struct stat st;
    int64_t written;

    if (name[0] == '.' || !spool_kind_of(name, &kind) || strlen(name) >= SPOOL_NAME_SIZE ||
        fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
        return true;
    sight = find_sight(look->seen, name);
    if (!sight)
        return false;
    written = nanoseconds(st.st_mtim);
    sight->still_there = true;
    if (st.st_size != sight->size || written != sight->written_ns) {
        sight->size = st.st_size;
        sight->written_ns = written;
        /* What was last done to it was not a write but a rename (or chmod, chown): whoever put
         * it there had finished with it. */
        sight->since = nanoseconds(st.st_ctim) > written ? look->now - look->settle_ms : look->now;
    }
    return true;
}

static void forget_gone(struct spool_seen *seen)
{
    for (size_t i = seen->count; i-- > 0;)
        if (!seen->sights[i].still_there)
            seen->sights[i] = seen->sights[--seen->count];
}

/* The oldest that has settled, or NULL. */
static struct spool_sight *oldest_settled(struct spool_seen *seen, const struct look *look)
{
    struct spool_sight *best = NULL;

    for (size_t i = 0; i < seen->count; i++) {
        struct spool_sight *s = &seen->sights[i];

        if (!s->still_there || look->now - s->since < look->settle_ms)
            continue;
        if (!best || s->written_ns < best->written_ns ||
            (s->written_ns == best->written_ns && strcmp(s->name, best->name) < 0))
            best = s;
    }
    return best;
}

char *spool_work_name(char to[SPOOL_WORK_NAME_SIZE], const struct spool_take *take,
                      const char *ending)
{
    snprintf(to, SPOOL_WORK_NAME_SIZE, "%08" PRIu64 "~%s%s", take->number, take->name, ending);
    return to;
}

/* Renames into work/ the first that can be. A file that cannot be moved (a sticky folder and
 * another owner) must not keep the others waiting. */
static int take_settled(const struct spool_dirs *dirs, struct look *look, uint64_t number,
                        struct spool_take *ret, char trouble[256], struct err *err)
{
    struct spool_sight *s;

    while ((s = oldest_settled(look->seen, look))) {
        struct spool_take take = { .number = number };
        char name[SPOOL_WORK_NAME_SIZE];

        snprintf(take.name, sizeof take.name, "%s", s->name);
        s->still_there = false; /* whatever comes of it: not tried again in this look */
        if (renameat(dirs->folder, take.name, dirs->work, spool_work_name(name, &take, "")) == 0) {
            *ret = take;
            return 1;
        }
        if (errno == ENOSPC || errno == EDQUOT || errno == EROFS || errno == EIO)
            return err_set(err, -errno,
                           "files cannot be taken: %s: make room on that disk, or "
                           "mend it",
                           strerror(errno));
        if (errno != ENOENT)
            snprintf(trouble, 256,
                     "\"%.100s\" cannot be taken: %s: give the daemon's user the "
                     "right to move it",
                     take.name, strerror(errno));
    }
    return 0;
}

int spool_take_next(const struct spool_dirs *dirs, struct spool_seen *seen, int64_t now,
                    int64_t settle_ms, uint64_t next_number, struct spool_take *ret,
                    char trouble[256], struct err *err)
{
    struct look look = { seen, now, settle_ms };
    struct spool_take left = { 0 };
    int rc = list(dirs->work, each_left, &left, err);

    trouble[0] = '\0';
    if (rc < 0)
        return rc;
    if (left.number > 0) {
        *ret = left;
        return 1;
    }
    for (size_t i = 0; i < seen->count; i++)
        seen->sights[i].still_there = false;
    rc = list(dirs->folder, each_dropped, &look, err);
    if (rc < 0)
        return rc;
    forget_gone(seen);
    return take_settled(dirs, &look, next_number, ret, trouble, err);
}

/* --- Where it goes */

/* True if `name` is taken by another file than `inode` (0: by any). */
static bool is_taken(int fd, const char *name, ino_t inode)
{
    struct stat st;

    return fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_ino != inode;
}

struct target {
    char file[SPOOL_NAME_SIZE + 40], report[SPOOL_NAME_SIZE + 60];
};

/* "x.csv", or "x.2.csv" and so on if there is one already: nobody's file is written over. A report
 * that is ours already (we were killed behind its link) is no obstacle. */
static void find_target(int folder, const char *where, const char *name, ino_t our_report,
                        struct target *to)
{
    const char *ending = strrchr(name, '.');
    int stem = ending ? (int)(ending - name) : (int)strlen(name);

    snprintf(to->file, sizeof to->file, "%s/%s", where, name);
    for (int i = 2;; i++) {
        snprintf(to->report, sizeof to->report, "%s.report", to->file);
        if (!is_taken(folder, to->file, 0) && !is_taken(folder, to->report, our_report))
            return;
        snprintf(to->file, sizeof to->file, "%s/%.*s.%d%s", where, stem, name, i,
                 ending ? ending : "");
    }
}

static int move(const struct spool_dirs *dirs, const char *from, const char *to, struct err *err)
{
    if (renameat(dirs->work, from, dirs->folder, to) == 0 || errno == ENOENT)
        return 0;
    return err_set(err, -errno, "cannot be moved to %s: %s%s", to, strerror(errno),
                   errno == ENOSPC || errno == EDQUOT ? ": make room on that disk" : "");
}

/* The report is linked to its new place, then the file moves, then the old link goes: killed
 * between any two, we find in work/ either both or a link that is one too many. Where there are
 * no links (FAT, some network disks) a kill at the worst moment leaves the report in work/. */
int spool_put_away(const struct spool_dirs *dirs, const struct spool_take *take, bool rejected,
                   struct err *err)
{
    char file[SPOOL_WORK_NAME_SIZE], report[SPOOL_WORK_NAME_SIZE];
    struct target to = { 0 };
    struct stat st = { 0 };
    bool linked = false;
    int rc;

    spool_work_name(file, take, "");
    spool_work_name(report, take, ".report");
    if (fstatat(dirs->work, report, &st, AT_SYMLINK_NOFOLLOW) < 0)
        st.st_ino = 0;
    find_target(dirs->folder, rejected ? "rejected" : "done", take->name, st.st_ino, &to);
    if (rejected)
        linked = linkat(dirs->work, report, dirs->folder, to.report, 0) == 0 || errno == EEXIST;
    rc = move(dirs, file, to.file, err);
    if (rc == 0 && rejected && !linked)
        rc = move(dirs, report, to.report, err);
    else if (rc == 0)
        (void)unlinkat(dirs->work, report, 0); /* nothing was wrong, or it is in its place */
    return rc;
}
