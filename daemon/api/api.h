/* The local socket: HTTP/1.1 over a Unix socket (and, if configured, loopback TCP read-only) for
 * the paths of kpid-api(7). libmicrohttpd on the loop. Loop thread. */
#ifndef KPID_API_API_H
#define KPID_API_API_H

#include "bench/bench.h"
#include "board.h"
#include "intake.h"
#include "live.h"
#include "lookup/lookup.h"
#include "sources.h"

struct api;

/* What the routes read from and write to; borrows all until api_destroy. */
struct api_house {
    struct uv_loop_s *loop;
    const struct clock *clock;
    struct board *board;
    struct intake *intake;
    struct ledger *ledger;
    struct sources *sources;
    struct live *live;
    struct bench *bench;
    struct lookups *lookups;
    const struct conf *conf;            /* replaced by api_set_conf after a reload */
    const struct conf_refusal *refusal; /* for status; NULL: nobody reloads */
    const char *version;
};

/* Listens. `listen_fd` is a socket inherited from systemd (socket activation), or -1: then the
 * configured path is bound with group and mode, replacing a dead socket but never a live one. */
int api_create(struct api **ret, const struct api_house *house, int listen_fd, struct err *err);
void api_set_conf(struct api *api, const struct conf *conf);
/* Ends every connection and stream, then calls `stopped`; destroy after that. */
void api_stop(struct api *api, void (*stopped)(void *arg), void *arg);
void api_destroy(struct api *api);

#endif
