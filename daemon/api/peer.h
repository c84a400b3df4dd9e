/* Peers: who is at the other end of the Unix socket, told by the kernel, and what he may do.
 *
 * The kernel knows the peer's user and groups at the time of the connection: that decides most
 * calls without asking anybody. The user's name, and membership that the user database knows and
 * the process does not, come from the name service, which may be slow: looked up on libuv's pool,
 * kept for a minute, in a bounded table. Loop thread. */
#ifndef KPID_API_PEER_H
#define KPID_API_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "api/route.h"
#include "base/clock.h"

struct uv_loop_s;

enum { PEER_NAME_SIZE = 65, PEERS_MAX = 64 };

struct peer {
    uid_t uid;
    bool known;         /* false: TCP, nobody knows */
    bool reads, writes; /* by what the kernel said alone */
};

/* What the name service says of a user. */
struct peer_name {
    char name[PEER_NAME_SIZE]; /* "uid:1234" if it knows none */
    bool reads, writes;
};

struct peers;

struct peers *peers_create(struct uv_loop_s *loop, const struct clock *clock);
/* No look-up may be under way. */
void peers_destroy(struct peers *peers);
/* Who may read, who may write. Unknown groups are no groups. Forgets all names. */
void peers_set_groups(struct peers *peers, const char *group, const char *admin_group);

/* Fills `ret` from the socket's credentials. */
int peer_of_socket(const struct peers *peers, int fd, struct peer *ret);

/* The name and rights of a user if they are known and fresh, else NULL. Borrows until the loop's
 * next turn. */
const struct peer_name *peers_find(const struct peers *peers, uid_t uid);

/* Looks the user up; `done` comes later, once, and then peers_find finds him. False: too many
 * look-ups wait, or the pool is not to be had. */
bool peers_look_up(struct peers *peers, uid_t uid, void (*done)(void *arg), void *arg);

/* For tests: keeps what a look-up would have found. */
void peers_keep(struct peers *peers, uid_t uid, const struct peer_name *name);

#endif
