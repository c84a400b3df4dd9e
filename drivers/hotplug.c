/* What lies behind a path, and when that changes; see hotplug.h.
 *
 * A path is walked as the kernel walks it: each step is one name in one folder, a link adds the
 * steps that it stands for. Every folder on the way is watched before the name in it is looked up,
 * so that nothing can come between the two. The walk ends at the device or at the first name that
 * is not there; an event for one of the names walked over begins it anew:
 *
 *     /dev/serial/by-id/lamp      "dev" in /, "serial" in /dev, "by-id" in /dev/serial,
 *       -> ../../ttyUSB0          "lamp" in /dev/serial/by-id, "ttyUSB0" in /dev
 *
 * All watchers of a loop share one inotify, whose number for each user is small (128).
 * Modifications are not asked for: every byte written to a line would be one. */
#include "hotplug.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "base/mem.h"

enum { STEPS_MAX = 64, LINKS_MAX = 16 };

static const uint32_t watched_events = IN_ATTRIB | IN_CREATE | IN_DELETE | IN_DELETE_SELF |
                                       IN_MOVE_SELF | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR;

/* One name looked up in one folder. */
struct step {
    int watch; /* -1: the folder cannot be watched */
    char name[NAME_MAX + 1];
};

/* Which node it is, and who may open it. */
struct node {
    bool is_there;
    uint64_t device, inode, number;
    struct statx_timestamp born; /* an inode's number may return with the next file */
    uint32_t mode, user, group;
    struct statx_timestamp altered; /* for access lists; too coarse to serve for all three */
};

struct hotplug {
    struct hub *hub;
    struct hotplug *next;
    char *path;
    void (*changed)(void *arg, bool is_there);
    void *arg;
    struct step *steps;
    size_t step_count;
    struct node node;
    bool must_walk; /* something happened on the way */
    bool say_gone, say_came;
    char trouble[160];
};

/* The inotify of one loop. */
struct hub {
    uv_poll_t poll;
    uv_loop_t *loop;
    int fd; /* -1: there is none, see `error` */
    int error;
    struct hotplug *first;
    int *watches; /* every descriptor that inotify gave and that we did not give back */
    size_t watch_count;
    struct hub *next;
};

/* A loop belongs to one thread. */
static _Thread_local struct hub *hubs;

/* --- Watching folders */

static void remember_watch(struct hub *hub, int watch)
{
    for (size_t i = 0; i < hub->watch_count; i++)
        if (hub->watches[i] == watch)
            return;
    hub->watches = mem_realloc_array(hub->watches, hub->watch_count + 1, sizeof *hub->watches);
    hub->watches[hub->watch_count++] = watch;
}

static bool is_needed(const struct hub *hub, int watch)
{
    for (const struct hotplug *h = hub->first; h; h = h->next)
        for (size_t i = 0; i < h->step_count; i++)
            if (h->steps[i].watch == watch)
                return true;
    return false;
}

static void drop_unneeded(struct hub *hub)
{
    size_t kept = 0;

    for (size_t i = 0; i < hub->watch_count; i++) {
        if (is_needed(hub, hub->watches[i]))
            hub->watches[kept++] = hub->watches[i];
        else
            (void)inotify_rm_watch(hub->fd, hub->watches[i]); /* may have gone with its folder */
    }
    hub->watch_count = kept;
}

static void say_trouble(struct hotplug *h, const char *folder, int error)
{
    if (error == ENOSPC || error == EMFILE || error == ENFILE)
        snprintf(h->trouble, sizeof h->trouble,
                 "changes go unnoticed: raise fs.inotify.max_user_%s (sysctl)",
                 error == ENOSPC ? "watches" : "instances");
    else
        snprintf(h->trouble, sizeof h->trouble, "changes in %.60s go unnoticed: %s", folder,
                 strerror(error));
}

static int watch_folder(struct hotplug *h, const char *folder)
{
    int watch = h->hub->fd < 0 ? -1 : inotify_add_watch(h->hub->fd, folder, watched_events);

    if (watch >= 0)
        remember_watch(h->hub, watch);
    else if (h->hub->fd < 0 || (errno != ENOENT && errno != ENOTDIR))
        say_trouble(h, folder, h->hub->fd < 0 ? h->hub->error : errno);
    return watch;
}

/* --- Walking the path */

struct walk {
    char folder[PATH_MAX]; /* so far; "" is the root; without links */
    char rest[PATH_MAX];   /* to be walked */
    int links;
};

/* Takes the first name off `rest`; false at its end. */
static bool next_name(struct walk *w, char name[NAME_MAX + 1])
{
    const char *from = w->rest + strspn(w->rest, "/");
    size_t length = strcspn(from, "/");

    if (length == 0 || length > NAME_MAX)
        return false;
    memcpy(name, from, length);
    name[length] = '\0';
    memmove(w->rest, from + length, strlen(from + length) + 1);
    return true;
}

/* The folder is free of links, so that ".." is its text without the last name. */
static void enter(struct walk *w, const char *name)
{
    size_t length = strlen(w->folder);

    if (strcmp(name, "..") == 0)
        w->folder[strrchr(w->folder, '/') ? strrchr(w->folder, '/') - w->folder : 0] = '\0';
    else if (strcmp(name, ".") != 0 && length + strlen(name) + 2 <= sizeof w->folder)
        snprintf(w->folder + length, sizeof w->folder - length, "/%s", name);
}

/* Puts the text of the link `at` before what is left. False if it is no link, or one too many. */
static bool follow(struct walk *w, const char *at)
{
    char target[PATH_MAX];
    ssize_t length = readlink(at, target, sizeof target - 1);
    size_t rest = strlen(w->rest);

    if (length < 0 || (size_t)length + rest + 1 > sizeof w->rest || ++w->links > LINKS_MAX)
        return false;
    memmove(w->rest + length, w->rest, rest + 1);
    memcpy(w->rest, target, (size_t)length);
    if (target[0] == '/')
        w->folder[0] = '\0';
    return true;
}

static void add_step(struct hotplug *h, const char *folder, const char *name)
{
    struct step *step;

    h->steps = mem_realloc_array(h->steps, h->step_count + 1, sizeof *h->steps);
    step = &h->steps[h->step_count++];
    step->watch = watch_folder(h, folder[0] ? folder : "/");
    snprintf(step->name, sizeof step->name, "%s", name);
}

/* What an lstat of a device says; links were followed before. */
static struct node node_of(const struct statx *st)
{
    return (struct node){ .is_there = true,
                          .device = (uint64_t)st->stx_dev_major << 32 | st->stx_dev_minor,
                          .inode = st->stx_ino,
                          .number = (uint64_t)st->stx_rdev_major << 32 | st->stx_rdev_minor,
                          .born = st->stx_btime,
                          .mode = st->stx_mode,
                          .user = st->stx_uid,
                          .group = st->stx_gid,
                          .altered = st->stx_ctime };
}

/* One name further. False at the end of the walk, with `node` filled if it ends at something. */
static bool step_on(struct hotplug *h, struct walk *w, struct node *node)
{
    char name[NAME_MAX + 1], at[PATH_MAX + NAME_MAX + 2];
    struct statx st;

    if (h->step_count == STEPS_MAX || !next_name(w, name))
        return false;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        enter(w, name);
        return true;
    }
    add_step(h, w->folder, name);
    snprintf(at, sizeof at, "%s/%s", w->folder, name);
    if (statx(AT_FDCWD, at, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME, &st) < 0)
        return false;
    if (S_ISLNK(st.stx_mode))
        return follow(w, at);
    enter(w, name);
    if (w->rest[strspn(w->rest, "/")] != '\0')
        return true;
    *node = node_of(&st);
    return false;
}

static struct node walk(struct hotplug *h)
{
    struct node node = { 0 };
    struct walk w = { .links = 0 };

    h->must_walk = false;
    h->trouble[0] = '\0';
    h->step_count = 0;
    snprintf(w.rest, sizeof w.rest, "%s", h->path);
    while (step_on(h, &w, &node))
        continue;
    return node;
}

static bool is_same_time(struct statx_timestamp a, struct statx_timestamp b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool is_same(const struct node *a, const struct node *b)
{
    return a->is_there && b->is_there && a->device == b->device && a->inode == b->inode &&
           a->number == b->number && is_same_time(a->born, b->born);
}

static bool has_same_rights(const struct node *a, const struct node *b)
{
    return a->mode == b->mode && a->user == b->user && a->group == b->group &&
           is_same_time(a->altered, b->altered);
}

static void walk_again(struct hotplug *h)
{
    struct node was = h->node;

    h->node = walk(h);
    if (is_same(&was, &h->node)) {
        h->say_came = !has_same_rights(&was, &h->node);
        return;
    }
    h->say_gone = was.is_there;
    h->say_came = h->node.is_there;
}

/* --- Events */

static void mark(struct hub *hub, const struct inotify_event *e)
{
    const char *name = e->len > 0 ? e->name : NULL;

    for (struct hotplug *h = hub->first; h; h = h->next) {
        if (e->mask & IN_Q_OVERFLOW)
            h->must_walk = true;
        for (size_t i = 0; i < h->step_count && !h->must_walk; i++)
            h->must_walk =
                h->steps[i].watch == e->wd && (!name || strcmp(h->steps[i].name, name) == 0);
    }
}

static void read_events(struct hub *hub)
{
    _Alignas(struct inotify_event) char bytes[16384];
    ssize_t n;

    while ((n = read(hub->fd, bytes, sizeof bytes)) > 0) {
        for (ssize_t at = 0; at < n;) {
            const struct inotify_event *e = (const void *)(bytes + at);

            mark(hub, e);
            at += (ssize_t)(sizeof *e + e->len);
        }
    }
}

/* Whom something is to be told, one thing at a time: he may destroy any of us meanwhile. */
static bool tell_one(struct hub *hub)
{
    struct hotplug *h = hub->first;
    bool is_there;

    while (h && !h->say_gone && !h->say_came)
        h = h->next;
    if (!h)
        return false;
    is_there = !h->say_gone;
    if (is_there)
        h->say_came = false;
    else
        h->say_gone = false;
    h->changed(h->arg, is_there);
    return true;
}

static void on_events(uv_poll_t *poll, int status, int events)
{
    struct hub *hub = poll->data;

    (void)status; /* inotify itself does not fail */
    (void)events;
    read_events(hub);
    for (struct hotplug *h = hub->first; h; h = h->next)
        if (h->must_walk)
            walk_again(h);
    drop_unneeded(hub);
    while (tell_one(hub))
        continue;
}

/* --- Hubs */

static void on_closed(uv_handle_t *handle)
{
    struct hub *hub = handle->data;

    free(hub->watches);
    free(hub);
}

static struct hub *hub_of(uv_loop_t *loop)
{
    struct hub *hub = hubs;

    while (hub && hub->loop != loop)
        hub = hub->next;
    if (hub)
        return hub;
    hub = mem_zalloc(sizeof *hub);
    hub->loop = loop;
    hub->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    hub->error = hub->fd < 0 ? errno : 0;
    if (hub->fd >= 0 && uv_poll_init(loop, &hub->poll, hub->fd) < 0) {
        hub->error = ENOMEM;
        (void)close(hub->fd); /* nothing is watched yet */
        hub->fd = -1;
    }
    if (hub->fd >= 0) {
        hub->poll.data = hub;
        (void)uv_poll_start(&hub->poll, UV_READABLE, on_events); /* a fresh handle */
    }
    hub->next = hubs;
    hubs = hub;
    return hub;
}

static void leave_hub(struct hub *hub)
{
    struct hub **place = &hubs;

    if (hub->first) {
        drop_unneeded(hub);
        return;
    }
    while (*place != hub)
        place = &(*place)->next;
    *place = hub->next;
    if (hub->fd < 0) {
        free(hub);
        return;
    }
    (void)uv_poll_stop(&hub->poll); /* cannot fail */
    (void)close(hub->fd);           /* the watches go with it */
    uv_close((uv_handle_t *)&hub->poll, on_closed);
}

/* --- What others call */

struct hotplug *hotplug_create(uv_loop_t *loop, const char *path,
                               void (*changed)(void *arg, bool is_there), void *arg)
{
    struct hotplug *h = mem_zalloc(sizeof *h);

    h->hub = hub_of(loop);
    h->next = h->hub->first;
    h->hub->first = h;
    h->path = mem_strdup(path);
    h->changed = changed;
    h->arg = arg;
    h->node = walk(h);
    return h;
}

const char *hotplug_trouble(const struct hotplug *h)
{
    return h->trouble[0] ? h->trouble : NULL;
}

void hotplug_destroy(struct hotplug *h)
{
    struct hotplug **place;

    if (!h)
        return;
    for (place = &h->hub->first; *place != h; place = &(*place)->next)
        continue;
    *place = h->next;
    leave_hub(h->hub);
    free(h->steps);
    free(h->path);
    free(h);
}
