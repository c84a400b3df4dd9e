/* Peers. Root and the daemon's own user may do everything; members of the admin group may write;
 * members of the socket's group, and whoever may write, may read. */
#include "api/peer.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "base/mem.h"
#include "base/text.h"

enum {
    FRESH_MS = 60000,
    GROUPS_MAX = 1024,
    LOOK_UPS_MAX = 64,
    NO_GROUP = -1,
};

struct kept {
    uid_t uid;
    int64_t looked_at_ms; /* 0: an empty place */
    struct peer_name is;
};

struct peers {
    struct uv_loop_s *loop;
    const struct clock *clock;
    gid_t group, admin_group; /* (gid_t)NO_GROUP: there is no such group */
    uint64_t generation;      /* a look-up under older groups is not kept */
    struct kept kept[PEERS_MAX];
    size_t look_ups;
};

struct look_up {
    uv_work_t work;
    struct peers *peers;
    uint64_t generation;
    uid_t uid;
    gid_t group, admin_group;
    struct peer_name found;
    void (*done)(void *arg);
    void *arg;
};

struct peers *peers_create(struct uv_loop_s *loop, const struct clock *clock)
{
    struct peers *p = mem_zalloc(sizeof *p);

    p->loop = loop;
    p->clock = clock;
    p->group = p->admin_group = (gid_t)NO_GROUP;
    return p;
}

void peers_destroy(struct peers *p)
{
    free(p);
}

static gid_t group_of_name(const char *name)
{
    char space[16384];
    struct group group, *found = NULL;

    if (!name || getgrnam_r(name, &group, space, sizeof space, &found) || !found)
        return (gid_t)NO_GROUP;
    return found->gr_gid;
}

void peers_set_groups(struct peers *p, const char *group, const char *admin_group)
{
    p->group = group_of_name(group);
    p->admin_group = group_of_name(admin_group);
    p->generation++;
    memset(p->kept, 0, sizeof p->kept);
}

static void add_group(bool *reads, bool *writes, gid_t gid, gid_t group, gid_t admin_group)
{
    if (gid == (gid_t)NO_GROUP)
        return;
    if (gid == group)
        *reads = true;
    if (gid == admin_group)
        *reads = *writes = true;
}

int peer_of_socket(const struct peers *p, int fd, struct peer *ret)
{
    struct ucred is;
    gid_t groups[GROUPS_MAX];
    socklen_t size = sizeof is, groups_size = sizeof groups;
    struct peer peer = { .known = true };

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &is, &size) < 0)
        return -errno;
    peer.uid = is.uid;
    if (is.uid == 0 || is.uid == geteuid())
        peer.reads = peer.writes = true;
    add_group(&peer.reads, &peer.writes, is.gid, p->group, p->admin_group);
    /* Without the list (more groups than there is room for) the name service decides. */
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &groups_size) == 0) {
        for (size_t i = 0; i < groups_size / sizeof groups[0]; i++)
            add_group(&peer.reads, &peer.writes, groups[i], p->group, p->admin_group);
    }
    *ret = peer;
    return 0;
}

const struct peer_name *peers_find(const struct peers *p, uid_t uid)
{
    int64_t now = clock_monotonic(p->clock);

    for (size_t i = 0; i < PEERS_MAX; i++) {
        const struct kept *k = &p->kept[i];

        if (k->looked_at_ms && k->uid == uid && now - k->looked_at_ms < FRESH_MS)
            return &k->is;
    }
    return NULL;
}

void peers_keep(struct peers *p, uid_t uid, const struct peer_name *name)
{
    struct kept *place = &p->kept[0];
    int64_t now = clock_monotonic(p->clock);

    for (size_t i = 0; i < PEERS_MAX; i++) {
        struct kept *k = &p->kept[i];

        if (k->looked_at_ms && k->uid == uid) {
            place = k;
            break;
        }
        if (k->looked_at_ms < place->looked_at_ms)
            place = k;
    }
    *place = (struct kept){ .uid = uid, .looked_at_ms = now > 0 ? now : 1, .is = *name };
}

/* Pool thread: may take as long as the name service does. */
static void look(uv_work_t *work)
{
    struct look_up *l = work->data;
    char space[16384];
    struct passwd user, *found = NULL;
    gid_t groups[GROUPS_MAX];
    int count = GROUPS_MAX;

    snprintf(l->found.name, sizeof l->found.name, "uid:%lu", (unsigned long)l->uid);
    if (getpwuid_r(l->uid, &user, space, sizeof space, &found) || !found)
        return;
    (void)text_copy(l->found.name, sizeof l->found.name, user.pw_name, strlen(user.pw_name));
    if (getgrouplist(user.pw_name, user.pw_gid, groups, &count) < 0)
        return;
    for (int i = 0; i < count; i++)
        add_group(&l->found.reads, &l->found.writes, groups[i], l->group, l->admin_group);
}

static void on_looked(uv_work_t *work, int status)
{
    struct look_up *l = work->data;
    struct peers *p = l->peers;

    (void)status; /* never cancelled */
    p->look_ups--;
    if (l->generation == p->generation)
        peers_keep(p, l->uid, &l->found);
    l->done(l->arg);
    free(l);
}

bool peers_look_up(struct peers *p, uid_t uid, void (*done)(void *arg), void *arg)
{
    struct look_up *l;

    if (p->look_ups >= LOOK_UPS_MAX)
        return false;
    l = mem_zalloc(sizeof *l);
    l->peers = p;
    l->generation = p->generation;
    l->uid = uid;
    l->group = p->group;
    l->admin_group = p->admin_group;
    l->done = done;
    l->arg = arg;
    l->work.data = l;
    if (uv_queue_work(p->loop, &l->work, look, on_looked) < 0) {
        free(l);
        return false;
    }
    p->look_ups++;
    return true;
}
